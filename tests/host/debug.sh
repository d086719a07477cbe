#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# limit: 3600
#
# The KUnit suites, the kselftests, the monitor with its device and random calls once
# more, on the debug kernel (make kernel-debug): here a splat or a leak fails them too. And
# the bugs of debug/, one of each kind, to see that none would have gone unnoticed.
#
# Of the kselftests, the one fixture that the series has nothing to do with and
# that takes longer than all others together is left to the other kernel.

root=$(CDPATH='' cd "$(dirname "$0")/../.." && pwd)
here=$root/tests/host/debug
vm=$root/tests/lab/vm
kernel=$root/build/kernel-debug
module=$root/build/debug-bugs/bugs.ko
work=$root/build/vm/debug
# shellcheck source-path=SCRIPTDIR source=../lab/ktap.sh
. "$root/tests/lab/ktap.sh"

# boot_debug NAME OPTION.. SCRIPT [FILE..]: logs in $work/NAME
boot_debug() {
	name=$1
	shift
	"$vm/boot" -k "$kernel/arch/x86/boot/bzImage" -m 2G \
		-r "$work/initramfs.cpio" -o "$work/$name" "$@" 2>"$work/$name.err"
}

# guest_test NAME [ARGUMENTS]: a guest test, as it is, with the options and files
# from its header and these arguments; its results become subtests. Which these were,
# for the coverage, is in $work/boots.
guest_test() {
	script=$root/tests/guest/$1.sh
	echo "$1" >>"$work/boots"
	# shellcheck disable=SC2046 # lists
	(cd "$root" && boot_debug "$1" $(sed -n 's/^# boot: //p' "$script") \
		-t 1500 -a "sysctl.kernel.hung_task_timeout_secs=600 ${2-}" \
		"$script" $(sed -n 's/^# files: //p' "$script"))
	status=$?
	sed 's/^/  /' "$work/$1/ktap.log"
	if [ $status -eq 0 ]; then
		ok "$1"
	else
		not_ok "$1" "status $status
$(cat "$work/$1.err")"
	fi
}

# The scan must take the lines that tell of the bug for a splat.
noticed() { # TEXT
	{ echo "<5>[    0.000000] Linux version of that"; grep -aF "$1" "$work/bugs/console.log"; } \
		>"$work/one.log"
	"$vm/splats" "$work/one.log"
	[ $? -eq 1 ]
}

covered() { # LEAST
	(cd "$work" && xargs "$here/coverage.py" "$kernel" <boots) >"$work/coverage" ||
		return
	echo "$kernel/unreached has the other lines"
	awk -F ' *[|] *' -v least="$1" '$2 == "all" { all = $5 } END { exit !(all >= least) }' \
		"$work/coverage"
}

bugs() {
	sed '/^#/d' "$here/list"
}

if [ -n "${NO_DEBUG_KERNEL-}" ]; then
	skip "debug kernel" "NO_DEBUG_KERNEL is set"
	finish
fi
if [ ! -e "$kernel/arch/x86/boot/bzImage" ] || [ ! -e "$module" ]; then
	not_ok "debug kernel" "not built: make kernel-debug, or NO_DEBUG_KERNEL=1"
	finish
fi

mkdir -p "$work"
: >"$work/boots"
check "pack the root file system" "$vm/initramfs" "$work/initramfs.cpio" \
	"$kernel" "$root/build/tools" "$root/build/kselftest:/kselftest"
guest_test kunit intel_iommu=off
guest_test kselftest "intel_iommu=off LEAVE_OUT=iommufd_dirty_tracking"
guest_test vmm
guest_test attach
# pciehp takes a lock of its own in two orders, of which lockdep has to tell
guest_test leave LEAVE_OUT=unplugged,pulled_out
guest_test vcmd
guest_test oracle
guest_test cgroup
guest_test fuzz
guest_test fuzz-mock intel_iommu=off
check "of 100 lines that the series adds, the tests executed 80" covered 80
note "$(cat "$work/coverage")"

# KASAN reports one bug in a boot if it is not asked for more.
boot_debug bugs -a kasan_multi_shot "$here/guest.sh" "$here/list" "$module"
status=$?
if [ $status -eq 123 ]; then
	ok "bugs end in the status for a splat"
else
	not_ok "bugs end in the status for a splat" "status $status
$(cat "$work/bugs.err")"
fi
bugs >"$work/bugs.list"
while read -r bug text; do
	check "noticed: $bug" noticed "$text"
done <"$work/bugs.list"
finish
