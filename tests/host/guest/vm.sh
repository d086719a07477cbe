#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# In the VM: a guest with the kernel $GUEST and the VT-d $UNIT ("none", or more
# properties), in which a process uses the device, $PARAMETER being one of procmod.
# $STEPS is how often it takes a page away. KTAP.

# shellcheck source=/dev/null
. /lib/ktap.sh
# shellcheck source-path=SCRIPTDIR source=../../vmm/vfio.sh
. ./vfio.sh
# shellcheck source-path=SCRIPTDIR source=../../lab/guest/monitor.sh
. ./monitor.sh
: "${GUEST:?}" "${UNIT:?}" "${STEPS:?}"

runs_linux() {
	guest_do "uname -r" | grep "^$GUEST"
}

# The high byte of the ATS control register: by the guest, and of the device
ats_byte() {
	echo "od -An -tu1 -j 263 -N 1 /sys/bus/pci/$1/config"
}

ats_of_guest() {
	guest_do "$(ats_byte 'drivers/procmod/*:*')"
}

ats_of_device() {
	eval "$(ats_byte "devices/$guest_device")"
}

ats_is_on() { # of_guest|of_device
	byte=$("ats_$1")
	echo "$byte"
	[ $((byte >> 7)) -eq 1 ]
}

with_unit() {
	check "ATS is on in the guest" ats_is_on of_guest
	check "and in the device" ats_is_on of_device
	check "bytes are moved with ATS" guest_do "procdma -a"
	check "a page that is taken away is let go" guest_do "procdma -n $STEPS"
	check "and with ATS" guest_do "procdma -a -n $STEPS"
}

# What is given to the unit by PASID, from before the guest is there until it is gone
watch() {
	invlat -e submission -b pasid --json --ready-file ready \
		-o /out/invlat.json 2>/out/invlat.err &
	invlat=$!
	until [ -e ready ]; do sleep 0.1; done
}

watched() {
	kill -INT "$invlat"
	wait "$invlat"
}

vfio_bind
watch
guest_start "$UNIT" "$GUEST" || note "$(cat qemu.log)"
check "a guest with Linux $GUEST is up" runs_linux
check "its driver takes the device" guest_do "insmod procmod.ko ${PARAMETER-}"
check "bytes of a process are moved" guest_do "procdma"
[ "$UNIT" = none ] || with_unit
guest_do "dmesg | grep -iE 'dmar|iommu|bug|warn'" >/out/guest.dmesg
check "the guest ends" guest_stop
watched
cp qemu.log guest.console /out
finish
