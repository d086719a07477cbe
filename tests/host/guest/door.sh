#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# In the VM: a guest with the kernel $GUEST, first below Debian's QEMU, which uses
# mainline's form of the door, then below ours (own/), which uses the project's. Both
# have VT-d with $UNIT. What the same work of the guest makes each ask of the host is
# one table, /out/door.md. $STEPS is how often a page is taken away. KTAP.

# shellcheck source=/dev/null
. /lib/ktap.sh
# shellcheck source-path=SCRIPTDIR source=../../vmm/vfio.sh
. ./vfio.sh
# shellcheck source-path=SCRIPTDIR source=../../lab/guest/monitor.sh
. ./monitor.sh
: "${GUEST:?}" "${UNIT:?}" "${STEPS:?}"
top=$PWD
tracing=/sys/kernel/tracing
doors='qemu own'
guests_tail=0xfed90088
other_pasids=15

# QEMU's calls of /dev/iommu and VFIO, what the host's unit is given meanwhile, and
# the guest's writes to the tail of its queue, one for each of its waits
trace_on() {
	echo 16384 >$tracing/buffer_size_kb
	for file in iommufd_fops_ioctl vfio_device_fops_unl_ioctl; do
		echo "p:$file $file" >>$tracing/kprobe_events
		echo "r:${file}_returns $file" >>$tracing/kprobe_events
	done
	for event in kprobes intel_iommu/qi_end kvm/kvm_mmio; do
		echo 1 >$tracing/events/$event/enable
	done
}

# traced NAME COMMAND: in the guest, and what came of it is in NAME.trace
traced() {
	echo >$tracing/trace
	guest_do "$2" || return
	cat $tracing/trace >"$1.trace"
}

# counts FILE: "waits WAITS calls CALLS descriptors DESCRIPTORS host HOST-WAITS"
counts() {
	awk -v tail="gpa $guests_tail " '
		/ kvm_mmio: mmio write / && index($0, tail) { waits++ }
		/ [a-z_]*_ioctl: / { calls++; open = 1 }
		/ [a-z_]*_ioctl_returns: / { open = 0 }
		/ qi_end: / && open && match($0, / count=[0-9]+/) {
			host++
			descriptors += substr($0, RSTART + 7)
		}
		END {
			print "waits", waits + 0, "calls", calls + 0,
				"descriptors", descriptors + 0, "host", host + 0
		}' "$1"
}

# Each of these in the state that the one before has left
works() {
	pages="procdma -a -n $STEPS"
	traced attach "insmod procmod.ko pasid=1" && traced pages "$pages" &&
		traced detach "rmmod procmod" &&
		guest_do "insmod procmod.ko pasid=1 also=$other_pasids" &&
		traced many "$pages" && guest_do "rmmod procmod"
}

# The device leaves one request unanswered: is there a stale page, is the guest told?
not_answered() {
	guest_do "insmod procmod.ko pasid=1" || return
	guest_do "procdma -a -f -n 1" >stale
	guest_do "dmesg | grep -c 'VT-d detected Invalidation Time-out Error'" >told
	sed -n 's/^steps .* stale //p' stale
	cat told
	guest_do "rmmod procmod"
}

uses() { # PARAMETER
	guest_do "insmod procmod.ko $1" && guest_do "procdma -a -n $STEPS" &&
		guest_do "rmmod procmod"
}

below() { # MONITOR
	mkdir "$top/below-$1"
	cd "$top/below-$1" || exit
	ln -s ../qemu ../own "../linux-$GUEST" ../init.sh .
	guest_monitor=$1
	unit=$UNIT
	[ "$1" = own ] || unit=$UNIT,pasid-bits=16
	guest_start "$unit" "$GUEST" || note "$(cat qemu.log)"
	check "$1: a process has the device, by a PASID" works
	not_answered >answers
	if [ "$1" = own ]; then
		check "own: and by its own page table" uses sva=1
		check "own: and without a PASID" uses pasid=0
	fi
	check "$1: the guest ends" guest_stop
	cp qemu.log "/out/$1.log"
}

# of MONITOR TRACE FIELD
of() {
	counts "$top/below-$1/$2.trace" | sed "s/.*\b$3 \([0-9]*\).*/\1/"
}

row() { # TRACE WHAT
	line="| $2 |"
	for field in waits calls descriptors host; do
		for door in $doors; do
			line="$line $(of "$door" "$1" "$field") |"
		done
	done
	echo "$line"
}

table() {
	row attach "attach a PASID"
	row pages "take $((STEPS + 8)) pages away"
	row detach "detach it"
	row many "$((STEPS + 8)) pages of $((other_pasids + 1)) PASIDs"
}

# The guest's waits tell nothing of the door; each is one call and one wait of ours
batches() {
	for trace in pages many; do
		waits=$(of own $trace waits)
		echo "$trace: $waits"
		[ "$waits" -gt 0 ] && [ "$(of qemu $trace waits)" -eq "$waits" ] &&
			[ "$(of own $trace calls)" -eq "$waits" ] &&
			[ "$(of own $trace host)" -eq "$waits" ] || return
	done
}

no_more_flushed() {
	for trace in attach pages detach many; do
		[ "$(of own $trace descriptors)" -le "$(of qemu $trace descriptors)" ] &&
			[ "$(of own $trace descriptors)" -gt 0 ] || return
	done
}

answers_are() { # MONITOR STALE TOLD
	xargs <"$top/below-$1/answers"
	[ "$(xargs <"$top/below-$1/answers")" = "$2 $3" ]
}

vfio_bind
trace_on
for door in $doors; do
	below "$door"
done
table >/out/door.md
note "$(cat /out/door.md)"
check "each wait of the guest is one call and one wait of the host" batches
check "no more is flushed than by mainline's form" no_more_flushed
check "qemu: nobody tells the guest that a device did not answer" answers_are qemu 1 0
check "own: it is told, and asks again" answers_are own 0 1
finish
