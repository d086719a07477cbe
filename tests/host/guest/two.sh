#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# In the VM: two guests with the kernel $GUEST and the VT-d $UNIT, each with a device
# and a process that has it on the same PASID. The monitor of one is killed under DMA,
# and a third guest gets its device. $STEPS is how often a page is taken away, $PARAMETER
# how procmod gives it. KTAP.

# shellcheck source=/dev/null
. /lib/ktap.sh
# shellcheck source-path=SCRIPTDIR source=../../vmm/vfio.sh
. ./vfio.sh
# shellcheck source-path=SCRIPTDIR source=../../lab/guest/monitor.sh
. ./monitor.sh
: "${GUEST:?}" "${UNIT:?}" "${STEPS:?}" "${PARAMETER:?}"
top=$PWD

# up NAME: a guest, in a directory of its own
up() {
	mkdir "$top/$1" && cd "$top/$1" &&
		ln -s ../qemu "../linux-$GUEST" ../init.sh . &&
		guest_start "$UNIT" "$GUEST" && guest_do "insmod procmod.ko $PARAMETER" && return
	cat qemu.log guest.console
	return 1
}

# For one file the other shell waits in each of these
tell() {
	touch "$top/$1"
}

told() {
	until [ -e "$top/$1" ] || [ -e "$top/second.ended" ]; do sleep 0.1; done
	[ -e "$top/$1" ]
}

# A process that has its device
keeps_busy() {
	guest_do "procdma -a -n 100000000 >/dev/null 2>&1 &" &&
		guest_do "sleep 1; pidof procdma"
}

second() {
	guest_device=0000:00:1e.0
	up second && tell second.up &&
		told both.up && guest_do "procdma -n $STEPS" >"$top/second.beside" &&
		tell second.beside.ended && keeps_busy && tell second.busy &&
		told killed && guest_do "killall -9 procdma" &&
		guest_do "procdma -a -n $STEPS" &&
		tell second.after && guest_stop && tell second.stopped
	tell second.ended
}

# The PASID that a process says it uses
pasid_of() {
	sed -n 's/^pasid //p' "$1" | grep .
}

one_pasid_each_its_own() {
	guest_do "procdma -n $STEPS" >"$top/first.beside" && told second.beside.ended &&
		cat "$top"/*.beside &&
		[ "$(pasid_of "$top/first.beside")" = "$(pasid_of "$top/second.beside")" ]
}

# entries DEVICE: its entries in the unit's table of PASIDs
entries() {
	awk -v device="$1" '$1 == device && $4 > 0' \
		/sys/kernel/debug/iommu/intel/dmar_translation_struct
}

killed_under_dma() {
	keeps_busy && told second.busy && entries 00:1d.0 | grep . && guest_kill
}

nothing_is_left() {
	entries 00:1d.0
	[ -z "$(entries 00:1d.0)" ] && entries 00:1e.0 | grep .
}

other_goes_on() {
	tell killed && told second.after
}

third_has_it() {
	guest_do "procdma -n $STEPS" && guest_do "procdma -a -n $STEPS"
}

vfio_bind
(second) >second.log 2>&1 &
up first || note "$(cat qemu.log)"
tell both.up
check "two guests are up" told second.up
check "both use one PASID, and each has its own bytes" one_pasid_each_its_own
check "the monitor of one is killed under DMA" killed_under_dma
check "none of its entries is left" nothing_is_left
check "the other guest goes on" other_goes_on
up third || note "$(cat qemu.log)"
check "a third guest has the device" third_has_it
check "the third guest ends" guest_stop
check "and the second one" told second.stopped
note "$(cat "$top/second.log")"
for name in first second third; do
	cp "$top/$name/qemu.log" "/out/$name.log"
done
finish
