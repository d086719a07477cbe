#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# In the VM, by tests/host/pasidwhy.sh: what pasidwhy says beside what binding
# returns. $want is the verdict for host SVA, nesting, PASIDs of guests.

# shellcheck source=/dev/null
. /lib/ktap.sh
# shellcheck source-path=SCRIPTDIR source=../../vmm/vfio.sh
. ./vfio.sh
want=${want:-}
device=0000:00:1d.0

mkdir -p /boot
cp .config "/boot/config-$(uname -r)"

# A driver comes before VFIO, which takes the device out of its default domain.
insmod svamod.ko dev=$device
dmesg | sed -n 's/.*svamod: \(enable\|bind\) /\1 /p' >told
pasidwhy -j $device >before
[ ! -e /sys/class/iommu/dmar0 ] || vfio_bind
vmm_try >>told
pasidwhy -j $device >after
cp before after told /out/

told() { # WORD
	sed -n "s/^$1 //p" told
}

says() { # FILE GOAL
	tail -n 1 "$1" | jq -r ".$2"
}

missing() { # FILE GOAL: the names of the checks
	jq -r "select(.state == \"missing\" and (.for | index(\"$2\"))).what" "$1"
}

expected() {
	got=$(says after sva),$(says after nest),$(says after guest)
	echo "$got"
	cat after
	[ "$got" = "$want" ]
}

agree() { # GOAL: yes is 0, no is an error
	echo "$1: $(says after "$1"), $(told "$1")"
	[ "$(says after "$1")" = "$([ "$(told "$1")" -ne 0 ] && echo no || echo yes)" ]
}

# Each missing condition keeps a driver from enabling SVA, but for the refusal of x86.
enabling_agrees() {
	missing before sva | grep -v '^iommu_sva_bind' >lacks
	cat lacks told
	if [ -s lacks ]; then
		[ "$(told enable)" -ne 0 ]
	else
		[ "$(told enable)" -eq 0 ]
	fi
}

# This kernel does refuse; whether another does is seen in the same way
binding_agrees() {
	cat told
	[ "$(told enable)" -ne 0 ] || [ "$(told bind)" -eq -95 ] || return
	missing before sva | grep -q '^iommu_sva_bind: [0-9]* bytes$'
}

# The number that somebody has seen leads to the advice. 6.12 has others for what is
# no IOMMU at all.
errors_are_named() {
	[ "$(told enable)" -eq 0 ] || [ ! -e /sys/class/iommu/dmar0 ] ||
		named before sva "$(told enable)" || return
	[ "$(told guest)" -eq 0 ] || [ ! -e /sys/class/iommu/dmar0 ] ||
		named after guest "$(told guest)"
}

named() { # FILE GOAL NUMBER
	jq -r "select(.state == \"missing\" and (.for | index(\"$2\"))).advice" "$1" >advice
	echo "$3"
	cat advice
	grep -q "($3)" advice
}

# The monitor's error comes from a function that is named, and nothing stays.
errors_are_traced() {
	pasidwhy -ej -- vmm_try >traced
	status=$?
	cat traced
	[ $status -eq 0 ] && ! grep pasidwhy /sys/kernel/tracing/kprobe_events &&
		[ -z "$(ls /sys/kernel/tracing/instances)" ] || return
	grep '^{' traced >errors
	for goal in nest guest; do
		ret=$(sed -n "s/^$goal //p" traced)
		[ "$ret" -eq 0 ] || [ ! -e /sys/class/iommu/dmar0 ] || jq -es "any(
			.comm == \"vmm_try\" and .ret == $ret and .functions[0] ==
			\"iommufd_fops_ioctl\" and (.functions | length) > 1)" errors || return
	done
}

check "the verdict is $want" expected
check "nesting: as a monitor is told" agree nest
check "PASIDs of guests: as a monitor is told" agree guest
check "host SVA: as a driver is told that enables it" enabling_agrees
check "and one that binds" binding_agrees
check "the errors are in the advice" errors_are_named
check "-e: the errors have their functions" errors_are_traced
finish
