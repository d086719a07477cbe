#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# limit: 3600
#
# The KUnit suites, the kselftests, the monitor with its device and random calls once
# more, on the debug kernel (make kernel-debug): here a splat or a leak fails them too. And
# the bugs of debug/, one of each kind, to see that none would have gone unnoticed.
#
# A boot takes a minute, most of it to look for leaks, so tests that need the same
# machine share one. Of those that need one for themselves the date chooses one; ALL=1
# takes them all (make coverage).

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

# Lines "TEST[,TEST..] PLACE [MORE]": a guest test with MORE arguments of its kernel, or some
# of tests/stable or of tests/host/vcmd with MORE properties of the unit
others() {
	cat <<-END
	cgroup guest
	units guest
	vmm-reach guest
	told guest iommu=pt
	table_address,range_overflow,reset_in_a_call,unmap_in_pieces stable
	no_answer stable
	bad_answers stable
	one_answer_lost stable
	refused_descriptor stable x-inv-refuse=1500
	refused_is_told stable x-inv-refuse=1501
	refused_wait stable x-inv-refuse=1501,x-inv-refuse-type=5
	late host/vcmd x-vcmd-delay=5000
	bad_status host/vcmd x-vcmd-status=1
	not_taken_back host/vcmd x-vcmd-only=2,x-vcmd-status=1
	no_answer host/vcmd x-vcmd-stuck=on
	dry host/vcmd
	END
}

# alone TEST[,TEST..] PLACE PROPERTIES
alone() {
	name=${1%%,*}-${2##*/} globals=
	properties=$3
	[ "$2" != host/vcmd ] ||
		properties=x-vcmd=on,x-vcmd-first=16,x-vcmd-count=8,$properties
	for property in $(echo "$properties" | tr , ' '); do
		globals="$globals -global intel-iommu.$property"
	done
	echo "$name" >>"$work/boots"
	boot_debug "$name" -n -t 600 -x "$root/tests/$2/allow" -a "TEST=$1" \
		-q "$globals" "$root/tests/$2/guest.sh" "$root/tests/vmm/vfio.sh"
	status=$?
	cat "$work/$name/ktap.log" "$work/$name.err"
	[ $status -eq 0 ]
}

begin_debug kernel-debug
# "Slow" of KUnit is the case that takes every PASID: the other kernel has it.
guest_tests "intel_iommu=off kunit.filter=speed>slow" kselftest kunit fuzz-mock
guest_tests rounds=10 oracle vmm attach fuzz storm
# pciehp takes a lock of its own in two orders, of which lockdep has to tell
guest_tests LEAVE_OUT=unplugged,pulled_out leave
guest_tests '' vcmd
others | today 16 >"$work/today"
while read -r test place more; do
	case $place in
	guest) guest_tests "$more" "$test" ;;
	*) check "$place: $test" alone "$test" "$place" "$more" ;;
	esac
done <"$work/today"
check "of 100 lines that the series adds, the tests executed 90" covered 90
note "$(cat "$work/coverage")"

# KASAN reports one bug in a boot if it is not asked for more.
bugs_are_noticed "$here/list" kasan_multi_shot
finish
