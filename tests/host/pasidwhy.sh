#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# limit: 900
#
# pasidwhy in VMs whose unit lacks one thing after the other: its verdict is what a
# driver and a monitor are told there when they bind. The date chooses two of six;
# ALL=1 takes all.

root=$(CDPATH='' cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=../lab/ktap.sh
. "$root/tests/lab/ktap.sh"
here=$root/tests/host
logs=$root/build/test/host-pasidwhy

agrees() { # NAME VERDICT KERNEL-ARGUMENT PROPERTY..
	name=$1 want=$2 argument=$3
	shift 3
	properties=''
	for property; do
		properties="$properties -global intel-iommu.$property"
	done
	"$root/tests/lab/vm/boot" -n -t 120 -a "want=$want $argument" \
		-q "$properties" -o "$logs/$name" "$here/pasidwhy/guest.sh" \
		"$root/tests/vmm/vfio.sh" "$root/build/kernel/.config" \
		"$root/build/tools/pasidmod/svamod.ko" || {
		cat "$logs/$name/ktap.log"
		return 1
	}
}

grep -q CONFIG_IOMMUFD_PASID=y "$root/build/kernel/.config" || {
	skip "verdicts are what binding returns" "no guest PASIDs in this kernel"
	finish
}
check "all there, but for the refusal of x86" agrees all no,yes,yes ""
for lack in $(printf '%s\n' nest smpwcs dt qemu legacy off | today 3); do
	case $lack in
	nest)	check "no NEST" agrees no-nest no,no,no "" x-nest=off ;;
	smpwcs)	check "no SMPWCS" agrees no-smpwcs no,yes,no "" x-smpwc=off ;;
	dt)	check "no ATS in the unit" agrees no-dt no,yes,yes "" device-iotlb=off ;;
	qemu)	check "QEMU's own unit, which does not nest" \
			agrees qemu no,no,no "" x-nested=off device-iotlb=off ;;
	legacy)	check "no scalable mode" agrees legacy no,no,no intel_iommu=sm_off ;;
	off)	check "no IOMMU in use" agrees off no,no,no intel_iommu=off ;;
	esac
done
finish
