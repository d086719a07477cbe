#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# boot: -n -t 300 -x tests/guest/vmm.allow
# files: tests/vmm/vfio.sh
#
# Random steps of a monitor beside a model of what its device may see. More of
# them, or those of a seed again: tests/lab/vm/boot -n -x tests/guest/vmm.allow
# -a "steps=100000 seed=7" tests/guest/oracle.sh tests/vmm/vfio.sh

# shellcheck source-path=SCRIPTDIR source=../vmm/vfio.sh
. ./vfio.sh
vfio_bind
exec vmm_oracle "${steps:-10000}" "${seed:-1}"
