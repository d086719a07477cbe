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
kernel=$root/build/kernel-debug
module=$root/build/debug-bugs/bugs.ko
work=$root/build/vm/debug
# shellcheck source-path=SCRIPTDIR source=debug/lib.sh
. "$root/tests/host/debug/lib.sh"

covered() { # LEAST
	(cd "$work" && xargs "$here/coverage.py" "$kernel" <boots) >"$work/coverage" ||
		return
	echo "$kernel/unreached has the other lines"
	awk -F ' *[|] *' -v least="$1" '$2 == "all" { all = $5 } END { exit !(all >= least) }' \
		"$work/coverage"
}

begin_debug kernel-debug
# "Slow" of KUnit is the case that takes every PASID: the other kernel has it.
guest_tests "intel_iommu=off kunit.filter=speed>slow" kselftest kunit cgroup fuzz-mock
guest_tests rounds=10 oracle vmm attach fuzz storm
# pciehp takes a lock of its own in two orders, of which lockdep has to tell
guest_tests LEAVE_OUT=unplugged,pulled_out leave
guest_tests '' vcmd
check "of 100 lines that the series adds, the tests executed 90" covered 90
note "$(cat "$work/coverage")"

# KASAN reports one bug in a boot if it is not asked for more.
bugs_are_noticed "$here/list" kasan_multi_shot
finish
