#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# In the VM: a guest with the kernel $GUEST and the VT-d $UNIT ("none", or more
# properties), in which a process uses the device, with each $PARAMETER of procmod, with
# commas between; PARAMETER:refused is one that the guest refuses. $STEPS is how often
# the process takes a page away. KTAP.

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

# One munmap() of the process, and what the host does for it: QEMU's calls of /dev/iommu
# that invalidate, and the submissions in them. All by the counter of this machine,
# which the guest has with an offset.
tracing=/sys/kernel/tracing
iommu_hwpt_invalidate=0x3b8d

trace_one_munmap() {
	echo x86-tsc >$tracing/trace_clock
	echo "p:door iommufd_fops_ioctl cmd=%si:x32
r:back iommufd_fops_ioctl ret=%ax:s32" >$tracing/kprobe_events
	echo "cmd == $iommu_hwpt_invalidate" >$tracing/events/kprobes/door/filter
	for event in kprobes/door kprobes/back intel_iommu/qi_begin intel_iommu/qi_end; do
		echo 1 >$tracing/events/$event/enable
	done
	guest_do "procdma -t" | tee munmap
	for event in kprobes intel_iommu; do
		echo 0 >$tracing/events/$event/enable
	done
	cat $tracing/trace >munmap.trace
	echo >$tracing/kprobe_events
	echo local >$tracing/trace_clock
}

# Lines "MICROSECONDS WHO WHAT" since the process called it
timeline() {
	offset=$(cat /sys/kernel/debug/kvm/*/vcpu0/tsc-offset)
	mhz=$(sed -n 's/^cpu MHz[^:]*: //p' /proc/cpuinfo | head -n 1)
	awk -v offset="$offset" -v mhz="$mhz" '
		$1 == "munmap" { from = $2 - offset; to = $3 - offset; next }
		match($0, / [0-9]+: (door|back|qi_begin|qi_end): /) {
			at = substr($0, RSTART + 1) + 0
			if (at < from || at > to)
				next
			what = substr($0, RSTART)
			sub(/^ [0-9]+: /, "", what)
			if (what ~ /^door/)
				what = "QEMU calls IOMMU_HWPT_INVALIDATE"
			else if (what ~ /^back/)
				what = "it returns"
			gsub(/ [a-z]+=0/, "", what)
			printf "%9.1f host  %s\n", (at - from) / mhz, what
		}
		END { printf "%9.1f guest munmap() has returned\n", (to - from) / mhz }
	' munmap munmap.trace >lines
	{ echo "      0.0 guest the process calls munmap()"; cat lines; } >/out/timeline
	cat /out/timeline
}

# In that order, each inside the one before
one_munmap() {
	trace_one_munmap && timeline || return
	awk '/QEMU calls/ { calls++; open = 1 }
		/qi_begin/ { if (open) begun = 1 }
		/qi_end/ { if (begun) done++ }
		/it returns/ { open = begun = 0 }
		END { exit !(calls > 0 && done >= calls) }' /out/timeline
}

# What is given to the unit by PASID, from before the guest is there until it is gone
watch() {
	invlat -e submission -b pasid --json --ready-file ready \
		-o /out/invlat.json 2>invlat.err &
	invlat=$!
	while [ ! -e ready ] && kill -0 "$invlat"; do sleep 0.1; done
}

watches() {
	cat invlat.err
	[ -e ready ]
}

watched() {
	kill -INT "$invlat"
	wait "$invlat"
}

uses() { # PARAMETER
	check "bytes of a process are moved" guest_do "procdma"
	[ "$UNIT" = none ] || with_unit
	case $1 in
	sva=1) check "the guest's munmap() waits for the host's flush" one_munmap ;;
	esac
}

refuses() {
	! guest_do "procdma" >refusal || return
	cat refusal
	grep -qE '^procdma: /dev/procmod: (No such device|Operation not supported)$' refusal
}

vfio_bind
# A tool of BPF needs a kernel with BTF; "before" of tests/stable has none.
if [ -e /sys/kernel/btf/vmlinux ]; then
	watch
	check "invlat watches the unit" watches
fi
guest_start "$UNIT" "$GUEST" || note "$(cat qemu.log)"
check "a guest with Linux $GUEST is up" runs_linux
loaded=''
for parameter in $(echo "${PARAMETER:-pasid=0}" | tr , ' '); do
	[ -z "$loaded" ] || check "it gives the device back" guest_do "rmmod procmod"
	loaded=1
	check "its driver takes the device" guest_do "insmod procmod.ko ${parameter%:*}"
	case $parameter in
	*:refused) check "the guest refuses SVA" refuses ;;
	*) uses "$parameter" ;;
	esac
done
guest_do "dmesg | grep -iE 'dmar|iommu|bug|warn'" >/out/guest.dmesg
check "the guest ends" guest_stop
[ ! -e ready ] || watched
cp qemu.log guest.console /out
finish
