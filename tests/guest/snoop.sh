#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# boot: -n -q -global -q intel-iommu.x-nested=off -q -global -q intel-iommu.device-iotlb=off
# files: build/tools/pasidmod/snoopmod.ko
#
# In the VM: snooping is not forced for a page table that is used, if only by a PASID,
# below a unit that cannot force it, nor for one that maps something. The model's units
# can force it, unless they do not nest.

# shellcheck source=/dev/null
. /lib/ktap.sh

said() { # WHAT
	dmesg | grep "snoopmod: $1$"
}

check "a driver asks for it" insmod snoopmod.ko dev=0000:00:1d.0
check "it can be forced where nothing is in the way" said "unused 1"
check "then a PASID below such a unit is refused" said "attach -22"
check "it cannot be forced once there is a PASID" said "used 0"
check "nor once something is mapped" said "mapped 0"
finish
