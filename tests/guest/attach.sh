#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# boot: -n -t 300 -x tests/guest/vmm.allow
# files: tests/vmm/vfio.sh
#
# A monitor in miniature that goes mainline's way, tests/vmm: page tables that VFIO
# attaches to PASIDs. It reports for itself.

# shellcheck source-path=SCRIPTDIR source=../vmm/vfio.sh
. ./vfio.sh
vfio_bind
exec vmm_attach
