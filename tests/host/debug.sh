#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# limit: 3600
#
# The KUnit suites, the kselftests, the monitor with its device and random calls once
# more, on the debug kernel (make kernel-debug): here a splat or a leak fails them too. And
# the bugs of debug/, one of each kind, to see that none would have gone unnoticed.
#
# A boot takes a minute, most of it to look for leaks, so tests that need the same
# machine share one.

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

# guest_tests ARGUMENTS TEST..: guest tests in one boot with these arguments, on the
# machine of the first, with the files and the allowed splats of all; their results
# become subtests. Which boots these were, for the coverage, is in $work/boots.
guest_tests() {
	arguments="sysctl.kernel.hung_task_timeout_secs=600 $1"
	shift
	first=$1
	arguments="$arguments TESTS=$(echo "$*" | tr ' ' ,)"
	echo "$first" >>"$work/boots"
	# shellcheck disable=SC2046 # lists
	(
		cd "$root" && set -- $(printf 'tests/guest/%s.sh ' "$@") &&
			cat /dev/null $(header boot "$@" | grep '\.allow$' | sort -u) >"$work/allow" &&
			boot_debug "$first" $(header boot "$1") -t 3000 -x "$work/allow" \
				-a "$arguments" "$here/tests.sh" "$@" $(header files "$@")
	)
	status=$?
	sed 's/^/  /' "$work/$first/ktap.log"
	if [ $status -eq 0 ]; then
		ok "$first"
	else
		not_ok "$first" "status $status
$(cat "$work/$first.err")"
	fi
}

header() { # WORD SCRIPT..: the words of these lines
	word=$1
	shift
	sed -n "s/^# $word: //p" "$@" | tr ' ' '\n'
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
# "Slow" of KUnit is the case that takes every PASID: the other kernel has it.
guest_tests "intel_iommu=off kunit.filter=speed>slow" kselftest kunit cgroup fuzz-mock
guest_tests rounds=10 oracle vmm attach fuzz storm
# pciehp takes a lock of its own in two orders, of which lockdep has to tell
guest_tests LEAVE_OUT=unplugged,pulled_out leave
guest_tests '' vcmd
check "of 100 lines that the series adds, the tests executed 90" covered 90
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
