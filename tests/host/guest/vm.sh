#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# In the VM: a guest with the kernel $GUEST and the VT-d $UNIT ("none", or more
# properties), in which a process uses the device. $STEPS is how often it takes a
# page away. KTAP.

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

# Bit 15 of the control register, by the guest, and in the device itself
ats() { # CONFIG
	echo "od -An -tu1 -j 263 -N 1 $1"
}

ats_of_guest() {
	guest_do "$(ats "/sys/bus/pci/drivers/procmod/*:*/config")"
}

ats_of_device() {
	eval "$(ats "/sys/bus/pci/devices/$guest_device/config")"
}

ats_is_on() { # WHERE
	[ $(($("ats_of_$1") >> 7)) -eq 1 ]
}

vfio_bind
guest_start "$UNIT" "$GUEST"
check "a guest with Linux $GUEST is up" runs_linux
check "its driver takes the device" guest_do "insmod procmod.ko $MODULE"
check "bytes of a process are moved" guest_do "procdma"
if [ "$UNIT" != none ]; then
	check "ATS is on in the guest" ats_is_on guest
	check "and in the device" ats_is_on device
	check "bytes are moved with ATS" guest_do "procdma -a"
	check "a page that is taken away is let go" guest_do "procdma -n $STEPS"
	check "and with ATS" guest_do "procdma -a -n $STEPS"
fi
guest_do dmesg >/out/guest.dmesg
check "the guest ends" guest_stop
wait
cp qemu.log guest.console /out
finish
