#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# boot: -n -s 2 -t 300 -a rcupdate.rcu_cpu_stall_suppress=1 -x tests/guest/vmm.allow -q -global -q intel-iommu.x-inv-delay=2500
# files: tests/vmm/vfio.sh
#
# invsnoop on hardware that answers late, in the VM: what waits is shown while it
# waits, and again when it has ended.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. ./lib.sh
tool=invsnoop

[ -e /sys/kernel/tracing/events/iommu/cache_inv_begin ] || {
	skip "what waits is shown" "no tracepoints"
	finish
}

# shellcheck source-path=SCRIPTDIR source=../vmm/vfio.sh
. "$files/vfio.sh"
vfio_bind

# Until something is shown as waiting, or the load has ended: one request of 2.5 s
waiting() { # NAME
	until grep -q '"stalled"' "$1.out"; do
		kill -0 "$load" || {
			cat "$1.out"
			return 1
		}
		sleep 0.2
	done
}

one_that_is_late() {
	begin late --json || return
	vmm_test -r vmm.untranslated.table_replaced >load 2>&1 &
	load=$!
	waiting late
	cp late.out early.out
	wait $load
	end
}

shown_while_it_waits() {
	grep -q '"stalled"' early.out && ! grep -q '"inv"' early.out
}

shown_when_it_ends() {
	jq -se 'map(select(.type == "stalled"))[0] as $s |
		map(select(.type == "inv"))[0] as $i |
		$s.id == $i.id and $s.ns >= 1000000000 and $s.ns < $i.ns and
		$s.ret == null and $s.comm == "vmm_test" and $s.pasid == $i.pasid and
		$s.dev == $i.dev and $i.ret == 0' late.out >/dev/null &&
		ended late '.events == 1 and .unfinished == 0'
}

unfinished_is_status_1() {
	begin strict --json --strict || return
	vmm_test -r vmm.untranslated.table_replaced >load 2>&1 &
	load=$!
	waiting strict
	end
	status=$?
	wait "$load"
	cat strict.err
	[ "$status" -eq 1 ] && ended strict '.events == 0 and .unfinished == 1' &&
		grep -q ' 1 unfinished, ' strict.err &&
		[ "$(grep -c '"stalled"' strict.out)" -ge 2 ]
}

one_that_is_late
check "what waits is shown while it waits" shown_while_it_waits
check "and when it has ended" shown_when_it_ends
check "--strict: what has not ended is status 1, and told" unfinished_is_status_1
finish
