#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# limit: 1800
#
# Clients that know nothing of the project: Debian's QEMU as a monitor in the VM,
# Debian's kernels in its guest, and a process there whose pages go to a pasid-dma.
# The model's log tells how the device's requests were translated.

root=$(CDPATH='' cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=../lab/ktap.sh
. "$root/tests/lab/ktap.sh"
logs=$root/build/test/host-guest
lab=$root/tests/lab/guest
guests=$root/build/guest
before=$root/build/stable/before

# boots NAME GUEST UNIT BOOT-OPTION..
boots() {
	name=$1 guest=$2 unit=$3
	shift 3
	rm -rf "${logs:?}/$name"
	mkdir -p "$logs/$name"
	echo 'vtd_nested_*' >"$work/events"
	status=0
	"$root/tests/lab/vm/boot" -n -t 300 -m 2G -o "$logs/$name" \
		-x "$root/tests/guest/vmm.allow" \
		-a "GUEST=$guest UNIT=$unit STEPS=$steps" \
		-q "-cpu qemu64,+svm,+npt -D $work/$name.log \
			-trace events=$work/events $globals" "$@" \
		"$root/tests/host/guest/vm.sh" "$root/tests/vmm/vfio.sh" \
		"$lab/monitor.sh" "$lab/init.sh" "$guests/qemu" \
		"$guests/linux-$guest" || status=$?
	cat "$logs/$name/ktap.log"
	return "$status"
}

# By the stage 1 of the guest and the stage 2 of its monitor
nested() { # NAME
	walks=$(grep -c '^vtd_nested_walk .*pgtt=3 ' "$work/$1.log")
	echo "$walks nested walks"
	[ "$walks" -gt 0 ]
}

# failed NAME CHECK..: of the checks in the VM these, and no others
failed() {
	log=$logs/$1/ktap.log
	shift
	printf '%s\n' "$@" >"$work/wanted"
	sed -n 's/^not ok [0-9]* //p' "$log" | diff "$work/wanted" - &&
		tail -n 1 "$log" | grep '^1\.\.'
}

stale() {
	grep '^# steps [0-9]* stale [1-9]' "$logs/stale/ktap.log"
}

workdir
steps=200 globals=
if ! "$lab/fetch" >"$work/fetch" 2>&1; then
	skip "guests of Debian's" "cannot be downloaded: $(tail -n 1 "$work/fetch")"
	finish
fi
check "the module is built with their headers" "$lab/module" \
	"$root/tests/workload/procmod" \
	"$root/build/qemu/src/include/hw/misc/pasid-dma.h"

check "7.3 without a VT-d: the device works" boots plain 7.3 none
for linux in 6.12 7.3; do
	check "$linux with a VT-d: the device works, with ATS" \
		boots "nested-$linux" "$linux" ,device-iotlb=on
	check "by nested translation" nested "nested-$linux"
done

# The same must fail where it should
if [ -e "$before" ]; then
	boots before 7.3 ,device-iotlb=on -k "$before" >/dev/null
	check "Linux 6.12 without the series as host: ATS is off in the device" \
		failed before "and in the device" "bytes are moved with ATS" \
		"and with ATS"
else
	skip "Linux 6.12 without the series as host" "run make kernel-stable"
fi
globals="-global intel-iommu.x-ignore=piotlb"
boots stale 7.3 ,device-iotlb=on >/dev/null
check "a unit that does not invalidate: stale bytes" stale
finish
