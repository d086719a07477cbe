#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# limit: 600
#
# tests/lab/vm/boot with real VMs: status, output and files come back, and a guest
# that panics, hangs, is killed or prints a splat is told from a good one.

root=$(CDPATH='' cd "$(dirname "$0")/../../../.." && pwd)
vm=$root/tests/lab/vm
# shellcheck source-path=SCRIPTDIR source=../../ktap.sh
. "$root/tests/lab/ktap.sh"
workdir

# boots_to STATUS [OPTION..]: runs $work/script.sh
boots_to() {
	wanted=$1
	shift
	"$vm/boot" -o "$work/out" "$@" "$work/script.sh" "$work/file"
	got=$?
	echo "status $got, wanted $wanted"
	[ "$got" -eq "$wanted" ]
}

script() {
	cat >"$work/script.sh"
}

# killed_gives STATUS: as boots_to, but QEMU is killed once the guest prints
killed_gives() {
	rm -f "$work/out/ktap.log"
	"$vm/boot" -o "$work/out" -q "-pidfile $work/pid" "$work/script.sh" &
	boot=$!
	until grep -qs "ok 1" "$work/out/ktap.log"; do
		kill -0 "$boot" || return
		sleep 0.2
	done
	kill -9 "$(cat "$work/pid")"
	wait "$boot"
	[ $? -eq "$1" ]
}


head -c 300000 /dev/urandom >"$work/file"
script <<-'END'
	echo "variable $WORD, user $(id -u), processors $(nproc)"
	echo to stderr >&2
	cp file /out/copy
	sleep 1000 &
	printf 'no newline at the end'
	exit 42
END
check "the status comes back, a process left behind is no matter" \
	boots_to 42 -s 1 -a WORD=given
printf '%s\n' "variable given, user 0, processors 1" "to stderr" \
	"no newline at the end" >"$work/expected"
check "so do its output and errors" cmp "$work/expected" "$work/out/ktap.log"
check "so does a file in /out" cmp "$work/file" "$work/out/out/copy"

script <<-'END'
	[ -d /sys/class/iommu/dmar0 ] || exit 1
	ecap=$(cat /sys/class/iommu/dmar0/intel-iommu/ecap)
	echo "ecap $ecap"
	# Bit 43 is scalable mode, bit 40 PASID.
	[ $((0x$ecap >> 43 & 0x$ecap >> 40 & 1)) -eq 1 ]
END
check "the IOMMU has scalable mode and PASID" boots_to 0
check "the kernel log can be scanned" "$vm/splats" "$work/out/console.log"

script <<-'END'
	echo "BUG: from the test" >/dev/kmsg
	exit 0
END
check "a splat is seen although the script succeeded" boots_to 123
cat >"$work/allow" <<-END
	# reason: this test writes it
	# until: the test goes
	test: BUG: from the test
END
check "unless it is allowed" boots_to 0 -x "$work/allow"

script <<-'END'
	echo "ok 1"
	echo 1 >/proc/sys/kernel/sysrq
	echo c >/proc/sysrq-trigger
END
check "a panic is no report" boots_to 125

script <<-'END'
	echo "ok 1"
	reboot -f
END
check "a reset is no report" boots_to 125

script <<-'END'
	echo "ok 1"
	sleep 1000
END
check "a guest that hangs is stopped" boots_to 124 -t 10
check "a VM that is killed is no report" killed_gives 125

finish
