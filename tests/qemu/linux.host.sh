#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# limit: 600
#
# Linux on the QEMU of build/qemu, with x-nested off and on, reads a disk
# through the VT-d. With x-nested=on QEMU's log has to show that the requests
# took the nested model's walk and its caches, and that it saw no fault. KTAP.

set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=../vm/ktap.sh
. "$root/tests/vm/ktap.sh"
VM_QEMU=$root/build/qemu/out/qemu-system-x86_64
export VM_QEMU
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# boots on|off
boots() {
	bit=0
	[ "$1" = off ] || bit=1
	sum=$(sha256sum <"$work/disk")
	log=$work/log.$1
	echo 'vtd_nested_*' >"$work/events"
	"$root/tests/vm/boot" -o "$work/out.$1" -t 240 \
		-a "nested=$bit sum=${sum%% *}" \
		-q "-global intel-iommu.x-nested=$1 \
			-global intel-iommu.device-iotlb=$1 \
			-drive file=$work/disk,format=raw,if=none,id=dut \
			-device virtio-blk-pci,drive=dut,serial=dut,$iommu \
			-D $log -trace events=$work/events" \
		"$root/tests/qemu/guest.sh"
	status=$?
	cat "$work/out.$1/ktap.log"
	return "$status"
}

# counts WORD: lines of the nested run's log with it
counts() {
	grep -c "$1" "$work/log.on" || :
}

logged() {
	walks=$(counts '^vtd_nested_walk .*pgtt=1 ')
	hits=$(counts '^vtd_nested_hit ')
	descriptors=$(counts '^vtd_nested_desc type=wait ')
	errors=$(counts '^vtd_nested_fault\|^vtd_nested_queue_error')
	echo "$walks walks, $hits hits, $descriptors waits, $errors errors"
	[ "$walks" -gt 0 ] && [ "$hits" -gt 0 ] && [ "$descriptors" -gt 0 ] &&
		[ "$errors" -eq 0 ]
}

left_alone() {
	[ -e "$work/log.off" ] && ! grep . "$work/log.off"
}

iommu=disable-legacy=on,iommu_platform=on
plan 4
if [ ! -x "$VM_QEMU" ]; then
	for name in off on log quiet; do
		skip "x-nested: $name" "there is no build/qemu: run make qemu"
	done
	finish
fi
head -c 8388608 /dev/urandom >"$work/disk"
check "x-nested=off: Linux reads a disk through the IOMMU" boots off
check "x-nested=on: Linux reads a disk through the IOMMU" boots on
check "x-nested=on: its walk, caches and queue were used, without error" \
	logged
check "x-nested=off leaves them alone" left_alone
finish
