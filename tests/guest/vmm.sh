#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# boot: -n -t 300 -x tests/guest/vmm.allow
# files: tests/vmm/vfio.sh
#
# A monitor in miniature, tests/vmm: page tables of a guest on the PASIDs of a
# device that does DMA through both stages. It reports for itself.

# shellcheck source-path=SCRIPTDIR source=../vmm/vfio.sh
. ./vfio.sh
vfio_bind
exec vmm_test
