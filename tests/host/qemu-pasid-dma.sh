#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# limit: 300
#
# Linux finds two pasid-dma, each in a group of its own, and switches on what
# they have and it wants: PASID with privileged mode, and ATS. KTAP.

set -eu

root=$(CDPATH='' cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=../lab/ktap.sh
. "$root/tests/lab/ktap.sh"
VM_QEMU=$root/build/qemu/out/qemu-system-x86_64
export VM_QEMU

if [ ! -x "$VM_QEMU" ]; then
	skip "pasid-dma in Linux" "there is no build/qemu: run make qemu"
	finish
fi

workdir

# In the guest: one line for each device, with its group and both registers.
cat >"$work/guest.sh" <<'END'
word() {
	hexdump -s "$2" -n 2 -e '1/2 "%04x"' "$1"
}
for dev in /sys/bus/pci/devices/*; do
	[ "$(cat "$dev/vendor" "$dev/device" | xargs)" = "0x1234 0x11e9" ] ||
		continue
	group=$(readlink "$dev/iommu_group") || group=none
	echo "${dev##*/} group ${group##*/}" \
		"pasid $(word "$dev/config" 0x126) ats $(word "$dev/config" 0x106)"
done
END

# boots: fills $work/out/ktap.log with what the guest said
boots() {
	"$root/tests/lab/vm/boot" -o "$work/out" -t 240 \
		-q "-global intel-iommu.x-nested=on \
			-global intel-iommu.device-iotlb=on \
			-device pasid-dma,addr=1d.0 -device pasid-dma,addr=1e.0" \
		"$work/guest.sh"
}

# lines COUNT PATTERN
lines() {
	cat "$work/out/ktap.log"
	[ "$(grep -c "$2" "$work/out/ktap.log")" -eq "$1" ]
}

groups_differ() {
	cat "$work/out/ktap.log"
	[ "$(sed -n 's/.* group \([0-9]*\) .*/\1/p' "$work/out/ktap.log" |
		sort -u | wc -l)" -eq 2 ]
}

check "Linux boots with them" boots
check "each has a group of its own" groups_differ
check "PASID and its privileged mode are on" lines 2 " pasid 0005 "
check "ATS is on" lines 2 " ats 8000$"
finish
