#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# limit: 3600
#
# Data races in what the series adds, by the Kernel Concurrency Sanitizer (make
# kernel-kcsan): threads of KUnit and of the selftests, random calls, and a device that
# is bound, unbound, unmapped and flushed at the same time. A report fails them.

root=$(CDPATH='' cd "$(dirname "$0")/../.." && pwd)
kernel=$root/build/kernel-kcsan
module=$root/build/kcsan-bugs/bugs.ko
work=$root/build/vm/kcsan
# shellcheck source-path=SCRIPTDIR source=debug/lib.sh
. "$root/tests/host/debug/lib.sh"

# Few accesses are looked at, so one in 200 is watched, and for longer
watch="kcsan.skip_watch=200 kcsan.udelay_task=200"

begin_debug
guest_tests "intel_iommu=off kunit.filter=speed>slow $watch" kselftest kunit fuzz-mock
guest_tests "LEAVE_OUT=unplugged,pulled_out $watch" leave fuzz
bugs_are_noticed "$root/tests/host/kcsan/list" "$watch"
finish
