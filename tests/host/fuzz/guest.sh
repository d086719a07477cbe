#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# In the VM: vmm_fuzz with the arguments FUZZ, or a program that it has written, TIMES
# times, beside the fault plant.ko if that is there, with the parameters PLANT.

# shellcheck source-path=SCRIPTDIR source=../../vmm/vfio.sh
. ./vfio.sh
[ ! -e /sys/class/iommu/dmar0 ] || vfio_bind
[ ! -e plant.ko ] || insmod ./plant.ko "${PLANT-}" || exit
if [ -e reproducer ]; then
	for _ in $(seq "${TIMES:-1}"); do ./reproducer || exit; done
	exit
fi
# shellcheck disable=SC2046,SC2153 # a list, that comes with the boot
exec vmm_fuzz $(echo "$FUZZ" | tr , ' ')
