#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# limit: 1500
#
# Linux on the QEMU of build/qemu reads a disk through the VT-d: with x-nested
# off and on, and on in legacy mode. QEMU's log has to show that the requests
# took the nested model's walk and caches, or its queue only, and no fault. Then
# on units that are slower, cache more or do less; there Linux breaks no rule.
# Page requests of pasid-dma are answered by Linux, slow ones as well. Last, the unit ignores a type of descriptor that Linux needs: then the model
# has to bring wrong bytes, or it would not find a driver's mistake, either.
# KTAP.

set -eu

root=$(CDPATH='' cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=../lab/ktap.sh
. "$root/tests/lab/ktap.sh"
VM_QEMU=$root/build/qemu/out/qemu-system-x86_64
export VM_QEMU
workdir

# boots NAME SECONDS KERNEL-ARGUMENTS PROPERTY..: $nested is what to expect
boots() {
	name=$1 limit=$2 args=$3 globals=''
	shift 3
	for property; do
		globals="$globals -global intel-iommu.$property"
	done
	sum=$(sha256sum <"$work/disk")
	echo 'vtd_nested_*' >"$work/events"
	status=0
	"$root/tests/lab/vm/boot" -o "$work/$name" -t "$limit" \
		-a "nested=$nested sum=${sum%% *} $args" \
		-q "$globals \
			-drive file=$work/disk,format=raw,if=none,id=dut \
			-device virtio-blk-pci,drive=dut,serial=dut,$iommu \
			-D $work/$name.log -trace events=$work/events" \
		"$root/tests/host/qemu-linux/guest.sh" || status=$?
	cat "$work/$name/ktap.log"
	return "$status"
}

# count NAME WORD: lines of the log with it
count() {
	grep -c "$2" "$work/$1.log" || :
}

no_errors() {
	! grep -m 5 '^vtd_nested_\(fault\|queue_error\|rule\) ' "$work/$1.log"
}

# CM = 1 has Linux run into what is not there yet.
no_rule_broken() {
	! grep -m 5 '^vtd_nested_\(queue_error\|rule\) ' "$work/$1.log"
}

walked() {
	walks=$(count on '^vtd_nested_walk .*pgtt=1 ')
	hits=$(count on '^vtd_nested_hit ')
	waits=$(count on '^vtd_nested_desc type=wait ')
	echo "$walks walks, $hits hits, $waits waits"
	[ "$walks" -gt 0 ] && [ "$hits" -gt 0 ] && [ "$waits" -gt 0 ] &&
		no_errors on
}

# Legacy mode has QEMU's own walk, but the queue checks its descriptors.
queued() {
	walks=$(count legacy '^vtd_nested_walk ')
	flushes=$(count legacy '^vtd_nested_desc type=iotlb')
	echo "$walks walks, $flushes flushes"
	[ "$walks" -eq 0 ] && [ "$flushes" -gt 0 ] && no_errors legacy
}

left_alone() {
	[ -e "$work/off.log" ] && ! grep -m 5 . "$work/off.log"
}

# answers NAME UNIT DEVICES PROPERTY..: pages on demand, below dmarUNIT
answers() {
	name=$1 unit=$2 devices=$3 globals='' status=0
	shift 3
	for property in x-nested=on device-iotlb=on x-prs=on x-pds=on "$@"; do
		globals="$globals -global intel-iommu.$property"
	done
	"$root/tests/lab/vm/boot" -o "$work/$name" -t 240 -a "unit=$unit" \
		-x "$root/tests/host/qemu-linux/fault.allow" \
		-q "$globals $devices -D $work/$name.log \
			-trace events=$work/events" \
		"$root/tests/host/qemu-linux/fault.sh" \
		"$root/build/tools/faultmod/faultmod.ko" || status=$?
	cat "$work/$name/ktap.log"
	return "$status"
}

# Of the three groups with PASID, and of the one without, by Linux
answered() {
	requests=$(count "$1" '^vtd_nested_page_request .*result=queued')
	good=$(count "$1" '^vtd_nested_page_response .*code=0')
	bad=$(count "$1" '^vtd_nested_page_response .*code=1')
	drains=$(count "$1" '^vtd_nested_desc type=wait.* lo=0x[0-9a-f]*[ae]5 ')
	echo "$requests requests, $good good responses, $bad bad ones, $drains drains"
	[ "$requests $good $bad" = "7 2 2" ] && [ "$drains" -gt 0 ] &&
		no_rule_broken "$1"
}

# The effect of wrong bytes on the guest is not foreseeable: just not success.
spoilt() {
	status=0
	boots spoilt 60 "" x-nested=on x-ignore=piotlb || status=$?
	ignored=$(count spoilt '^vtd_nested_desc type=ignored')
	echo "status $status, $ignored descriptors ignored"
	[ "$status" -ne 0 ] && [ "$ignored" -gt 0 ]
}

iommu=disable-legacy=on,iommu_platform=on
if [ ! -x "$VM_QEMU" ]; then
	skip "Linux behind the model" "there is no build/qemu: run make qemu"
	finish
fi
head -c 8388608 /dev/urandom >"$work/disk"
nested=0
check "x-nested=off: Linux reads a disk through the IOMMU" \
	boots off 240 ""
check "and the nested model has no part in it" left_alone
nested=1
check "x-nested=on: Linux reads a disk through the IOMMU" \
	boots on 240 "" x-nested=on device-iotlb=on
check "by the nested model's walk and caches, without a fault" walked
check "x-nested=on in legacy mode: Linux reads the disk" \
	boots legacy 240 intel_iommu=on,sm_off x-nested=on device-iotlb=on
check "by QEMU's own walk, its descriptors are good ones" queued
late="x-inv-late=on x-inv-delay=1 x-inv-step=1000 x-inv-seed=1"
# shellcheck disable=SC2086 # a list
check "descriptors one at a time, effective with their wait" \
	boots late 240 "" x-nested=on device-iotlb=on $late
check "and software breaks no rule" no_errors late
cm="caching-mode=on x-inv-keep-wait=on x-inv-timeout=100 x-mamv=45
	x-fault-records=8 x-fault-compression=off x-coherent=on
	x-whole-pages=on x-devtlb-reach=global"
# shellcheck disable=SC2086 # a list
check "faults cached, and what else is there to choose" \
	boots cm 240 "" x-nested=on device-iotlb=on $cm
check "and software breaks no rule" no_rule_broken cm
spr="x-mgaw=57 x-mts=on x-mamv=45 x-coherent=on"
# shellcheck disable=SC2086 # a list
check "guest addresses of 57 bits, memory types: as on Sapphire Rapids" \
	boots spr 240 "" x-nested=on device-iotlb=on $spr
check "and software breaks no rule" no_errors spr
# shellcheck disable=SC2086 # a list
check "the same in legacy mode, with five levels" \
	boots spr5 240 intel_iommu=on,sm_off x-nested=on device-iotlb=on $spr
few="x-nest=off x-smpwc=off x-domain-bits=8"
nested=0
# shellcheck disable=SC2086 # a list
check "no NEST, no SMPWCS, 256 domains: Linux reads the disk" \
	boots few 240 "" x-nested=on device-iotlb=on $few
check "and software breaks no rule" no_errors few
alone="-device pasid-dma"
check "page requests are answered" answers pri 0 "$alone"
check "by Linux, which breaks no rule" answered pri
check "so are those that take their time" \
	answers slow 0 "$alone" x-pri-delay=20 x-inv-late=on
check "by Linux, which breaks no rule" answered slow
second="-device pxb-pcie,id=pxb,bus_nr=32 -device intel-iommu,x-bus=pxb
	-device pcie-root-port,bus=pxb,id=rp,chassis=1 -device pasid-dma,bus=rp"
check "and those of a device below a second unit" answers second 1 "$second"
check "by Linux, which breaks no rule" answered second
nested=1
check "x-ignore=piotlb: stale translations bring wrong bytes" spoilt
finish
