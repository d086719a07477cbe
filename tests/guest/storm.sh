#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# boot: -n -t 600 -x tests/guest/vmm.allow
# files: tests/vmm/vfio.sh
#
# Monitors that are killed at any moment, tests/vmm/vmm_storm.c. More of them, or
# those of a seed again: tests/lab/vm/boot -n -t 9999 -x tests/guest/vmm.allow
# -a "rounds=1000 seed=7" tests/guest/storm.sh tests/vmm/vfio.sh

# shellcheck source-path=SCRIPTDIR source=../vmm/vfio.sh
. ./vfio.sh
vfio_bind
exec vmm_storm "${rounds:-60}" "${seed:-1}"
