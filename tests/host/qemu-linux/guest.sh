#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# In the guest: a disk behind the VT-d under test is read twice through the
# IOMMU and compared with what the host put on it. $sum is what to find, $nested
# is 1 if the unit should be able to nest. KTAP.

set -eu

# shellcheck source=/dev/null
. /lib/ktap.sh
: "${nested:?}" "${sum:?}"

disk() {
	for dir in /sys/block/vd*; do
		[ "$(cat "$dir/serial" 2>/dev/null)" != dut ] || echo "/dev/${dir##*/}"
	done
}

# Bit 26 of the extended capabilities is NEST.
can_nest() {
	ecap=$(cat /sys/class/iommu/dmar0/intel-iommu/ecap)
	echo "ecap $ecap, domains in use: $(cat \
		/sys/class/iommu/dmar0/intel-iommu/domains_used)"
	[ $((0x$ecap >> 26 & 1)) = "$nested" ]
}

behind_iommu() {
	[ -e "$(readlink -f "/sys/block/${1##*/}/device")/../iommu_group" ]
}

same_data() {
	for _ in 1 2; do
		echo 3 >/proc/sys/vm/drop_caches
		found=$(sha256sum <"$1")
		[ "${found%% *}" = "$sum" ] || { echo "$found"; return 1; }
	done
}

no_faults() {
	! dmesg | grep -E 'DMAR: \[|Queue Error|Time-out|handling fault'
}

dut=$(disk)
check "the unit can nest: $nested" can_nest
check "the disk is behind the IOMMU" behind_iommu "$dut"
check "DMA brings the right bytes" same_data "$dut"
check "no fault, no queue error" no_faults
finish
