#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# limit: 600
#
# QEMU's monitor unplugs a device that writes by a PASID, and plugs in another, twice.
# QEMU gives it up when the kernel has let go of it, which waits for its owner:
# that is the case "unplugged" of tests/vmm/vmm_leave.c.

root=$(CDPATH='' cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=../lab/ktap.sh
. "$root/tests/lab/ktap.sh"
workdir
cd "$work" || exit

run() {
	status=0
	"$root/tests/lab/vm/boot" -n -t 300 -o vm \
		-q "-global ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off" \
		-q "-device pcie-root-port,id=root,chassis=1" \
		-q "-device pasid-dma,bus=root,id=card" \
		-q "-qmp unix:qmp,server=on,wait=off" \
		"$root/tests/host/unplug/guest.sh" "$root/tests/vmm/vfio.sh" \
		>said 2>&1 || status=$?
	echo "$status" >status
}

# asks TIMES TEXT: the guest does, so often, or it has ended
asks() {
	until times=$(grep -sc "$2" vm/ktap.log); [ "${times:-0}" -ge "$1" ]; do
		[ ! -e status ] || return
		sleep 1
	done
}

unplugged() { # TIMES
	asks "$1" "unplug it now" &&
		"$root/tests/host/unplug/qmp" qmp device_del id=card DEVICE_DELETED
}

plugged_in() { # TIMES
	asks "$1" "plug it in again" && "$root/tests/host/unplug/qmp" qmp \
		device_add driver=pasid-dma bus=root id=card
}

owner_is_content() {
	cat said vm/ktap.log
	[ "$(cat status)" -eq 0 ]
}

run &
check "a device is unplugged" unplugged 1
check "another is plugged in" plugged_in 1
check "and unplugged, too" unplugged 2
check "and a third plugged in" plugged_in 2
wait
check "each wrote until its owner closed it, who got all back" owner_is_content
finish
