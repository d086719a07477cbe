#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# limit: 3600
#
# Data races in what the series adds, by the Kernel Concurrency Sanitizer (the kernel
# "watched" of make kernel-stable): by date threads of KUnit and of the selftests, or a
# device that is bound, unbound, unmapped and flushed at the same time; ALL=1 takes both.
# And random calls. A report fails them.

root=$(CDPATH='' cd "$(dirname "$0")/../.." && pwd)
kernel=$root/build/stable/watched
module=$root/build/stable/watched-all.modules/bugs.ko
work=$root/build/vm/kcsan
# shellcheck source-path=SCRIPTDIR source=debug/lib.sh
. "$root/tests/host/debug/lib.sh"

# Few accesses are looked at, so more of them are watched than by default, and for longer.
# The order of locks is for the other debug kernel.
watch="sysctl.kernel.prove_locking=0 kcsan.early_enable=1 kcsan.udelay_task=200"
watch="$watch kcsan.skip_watch"

begin_debug kernel-stable
for on in $(printf '%s\n' mock vtd | today 2); do
	case $on in
	mock) guest_tests "intel_iommu=off kunit.filter=speed>slow $watch=1000" \
		kselftest kunit fuzz-mock ;;
	vtd) guest_tests "LEAVE_OUT=unplugged,pulled_out $watch=200" leave fuzz ;;
	esac
done
bugs_are_noticed "$root/tests/host/kcsan/list" "$watch=200"
finish
