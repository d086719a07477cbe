#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# boot: -n -s 2 -t 300 -a rcupdate.rcu_cpu_stall_suppress=1 -x tests/guest/vmm.allow -q -global -q intel-iommu.x-inv-timeout=2000
# files: tests/vmm/vfio.sh build/tools/pasidmod/pasidmod.ko
#
# pasidtop in the VM: its list is what the workload holds, its sums are what the
# workload and trace-cmd say was invalidated; it names who leaks and what is slow.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. ./lib.sh
tool=pasidtop

listed() { # FILE: "PID PASID" of the last snapshot
	jq -rs '(map(select(.type == "total")) | last).ts_us as $last |
		.[] | select(.type == "pasid" and .ts_us == $last) |
		"\(.pid) \(.pasid)"' "$1" | sort
}

totals() { # FILE KEY: its sum over all snapshots
	jq -s "map(select(.type == \"total\").$2 // 0) | add" "$1"
}

# holds FILE COMMAND..: in the background, until "rm FILE", as $holder
holds() {
	rm -f "$1"
	stay=$1
	shift
	"$@" >"$stay.work" 2>"$stay.err" &
	holder=$!
	appears "$stay" "$holder"
}

release() {
	rm "$1" && wait "$holder"
}

shows() { # NAME TYPE NUMBER [JQ-CONDITION]: so many of them by now, or more
	[ "$(number_of "$1" "$2" "${4:-true}" 2>/dev/null || echo 0)" -ge "$3" ]
}

# --- the list --------------------------------------------------------------------

from_the_first_screen() {
	holds list pasidwork -n 3 -a 23 -f 0 -s list &&
		pasidtop --once --json >once.out 2>once.err
	status=$?
	release list
	jq -r '.events[]' list.work | sed -n 's/^alloc \(.*\) 0$/\1/p' | sort >want
	listed once.out >got
	[ "$status" -eq 0 ] && same want got && [ "$(lines want)" -eq 69 ] &&
		jq -es 'map(select(.type == "pasid")) | all(.comm == "pasidwork" and
			.state == "live" and .set > 0 and .age_ms >= 0 and
			.inv_s == null)' once.out >/dev/null &&
		ended once '.snapshots == 1 and .reason == "limit"'
}

one_owner() {
	holds list pasidwork -n 2 -a 7 -f 0 -s list || return
	pid=$(pasidtop --once --json 2>/dev/null | jq -s '.[1].pid')
	pasidtop --once --json -p "$pid" >got.out 2>/dev/null
	pasidtop --once --json -P 0-0xfffff -r 3 >rows.out 2>/dev/null
	release list
	[ "$(number_of got pasid ".pid == $pid")" -eq 7 ] &&
		[ "$(number_of got pasid)" -eq 7 ] && [ "$(number_of rows pasid)" -eq 3 ]
}

pending_is_told() {
	insmod "$files/pasidmod.ko" refs=5 frees=17
	pasidtop --once --json >pending.out 2>/dev/null
	rmmod pasidmod
	[ "$(number_of pending pasid '.state == "pend"')" -eq 5 ] &&
		[ "$(number_of pending pasid '.state == "live"')" -eq 6 ] &&
		jq -es 'map(select(.type == "total"))[0] | .pasids == 11 and .pending == 5' \
			pending.out >/dev/null
}

# Each look has its own list: what has gone is not in the next one.
comes_and_goes() {
	begin change --json 0.5 || return
	holds list pasidwork -n 1 -a 9 -f 0 -s list
	eventually shows change pasid 9
	release list
	sleep 1.5
	end
	listed change.out >got
	[ ! -s got ]
}

ends_by_itself() {
	pasidtop 0.2 3 >three.text 2>three.err &&
		grep -q '^pasidtop: 3 snapshots, 0 lost, ' three.err &&
		[ "$(grep -c '^PASID ' three.text)" -eq 3 ] &&
		! grep "$(printf '\033')" three.text
}

# The kernel's own PASIDs, without the tracepoints and without the list
by_functions() {
	begin stock --json --no-tracepoints 0.2 || return
	insmod "$files/pasidmod.ko"
	eventually shows stock pasid 6
	dmesg -c | sed -nE 's/.*pasidmod: alloc (.*)/\1/p' >allocated
	rmmod pasidmod
	sleep 0.5
	end
	# the last 6 of 23 are there until rmmod
	tail -n 6 allocated | sort >want
	jq -r 'select(.type == "pasid").pasid' stock.out | sort -u >all
	listed stock.out >left
	cat stock.err
	[ "$(comm -13 all want | wc -l)" -eq 0 ] && [ ! -s left ] &&
		gives 4 'no list of the PASIDs in use' pasidtop --once --no-tracepoints
}

recorded() {
	[ "$(grep -c '"type":"event"' rec)" -gt 2 ]
}

# Its process stays until it was looked at often enough, however slow the machine is.
stays() { # COMMAND.. with the file "list"
	holds list "$@" && eventually recorded
	set -- $?
	release list && return "$1"
}

many_looks() {
	holds list pasidwork -n 4 -a 499 -f 0 -s list && looks_rotate 0.2
	set -- $?
	release list && return "$1"
}

check "--once: all that is in use, whose it is" from_the_first_screen
check "-p, -P, -r" one_owner
check "pending ones are told" pending_is_told
check "each look is a list of its own" comes_and_goes
check "INTERVAL COUNT: it ends by itself, without a screen" ends_by_itself
check "-d ends it" ends_after -d 1 0.2
check "-- CMD ends it" ends_after 0.2 -- sleep 1
check "-u: the user of the command" runs_as_user
check "--replay of --record is the same" looks_are_replayed \
	stays pasidwork -n 3 -a 3 -f 0 -s list
check "--record-mb keeps two files, each of which can be replayed" many_looks
check "without the series: what is allocated meanwhile" by_functions

# --- how busy ----------------------------------------------------------------------

[ -e /sys/kernel/tracing/events/iommu/cache_inv_begin ] || {
	skip "what is invalidated" "no tracepoints"
	finish
}

# shellcheck source-path=SCRIPTDIR source=../vmm/vfio.sh
. "$files/vfio.sh"
vfio_bind

# Half a second against what takes none; both are still there when it looks
slow_and_quick() {
	rm -f slow
	cat >slow.sh <<-'END'
	vmm_slow 500000 3 slow >slow.work &
	until [ -e slow ]; do sleep 0.1; done
	sleep 1
	rm slow
	wait $!
	END
	beside_tracecmd busy 'iommu:cache_inv_begin iommu:cache_inv_end' 0.5 'sh slow.sh'
}

of_pasid() { # KEY: its sum for each PASID of the load
	jq -rs --slurpfile work slow.work --arg key "$1" '
		$work[0].pasids[] as $p |
		map(select(.type == "pasid" and .pasid == $p)[$key] // 0) | add' busy.out
}

sums_are_those_of_the_workload() {
	cat busy.err
	[ "$(cat busy.status)" -eq 0 ] && [ "$(of_pasid requests | xargs)" = "3 3" ] &&
		[ "$(of_pasid bytes | xargs)" = "12288 12288" ] &&
		[ "$(of_pasid failed | xargs)" = "0 0" ] &&
		ended busy '.lost == 0 and .missed == 0 and .unpaired == 0 and .unfinished == 0'
}

sums_are_those_of_tracecmd() {
	by_tracecmd busy cache_inv_end ret >ends
	[ "$(totals busy.out requests)" -eq "$(lines ends)" ] &&
		[ "$(lines ends)" -ge 6 ]
}

failures_are_counted() {
	begin failed --json 0.5 && vmm_slow never 2 >failed.work && end &&
		jq -e '.failed == [0, 2]' failed.work &&
		[ "$(totals failed.out requests)" -eq 4 ] &&
		[ "$(totals failed.out failed)" -eq 2 ]
}

slow_device() { # of the second vfio device, by its name in sysfs
	readlink -f /sys/class/vfio-dev/vfio1/device | sed 's|.*/||'
}

# Each look writes the file anew; the last one has all that there was.
writes_for_prometheus() {
	begin prom --json --prom prom.txt 0.5 || return
	holds slow vmm_slow never 2 slow
	eventually grep -qx 'iommu_pasid_live 2' prom.txt
	live=$?
	release slow
	end
	cat prom.txt
	[ "$live" -eq 0 ] && grep -qx 'iommu_pasid_live 0' prom.txt &&
		grep -qxF 'iommu_invalidations_total{tool="pasidtop"} 4' prom.txt &&
		grep -qxF 'iommu_invalidation_failures_total{tool="pasidtop"} 2' prom.txt &&
		[ "$(find . -name 'prom.txt*' | wc -l)" -eq 1 ]
}

slow_one_is_first() {
	begin sorted --json -s mean_ns -r 1 1 || return
	holds slow vmm_slow 500000 4 slow
	release slow
	end
	jq -es --slurpfile work slow.work --arg slow "$(slow_device)" '
		map(select(.type == "pasid" and .mean_ns >= 500000000)) |
		any(.devs == [$slow]) and all(.pasid == $work[0].pasids[1] and
			.comm == "vmm_slow" and .max_ns >= .mean_ns)' sorted.out >/dev/null
}

# --- who leaks -------------------------------------------------------------------------

# Three processes have some, one has forty. Meanwhile it is looked for, then once more
# by a tool that comes late. And an owner, who has opened /dev/iommu, goes and leaves
# it to another process.
leak() {
	begin leak --json --older 1 1
	holds few pasidwork -n 3 -a 5 -f 0 -s few
	mkfifo orders
	pasidhold <orders >held 2>&1 &
	leaker=$!
	exec 4>orders
	echo alloc 40 >&4
	eventually shows leak group 1 '.count == 40'
	end
	leak_status=$?
	pasidtop --once --older 1 >late.out 2>late.err
	late_status=$?
	pasidtop --once --older 24h >none.out 2>none.err
	none_status=$?
	exec 4>&-
	wait "$leaker"
	release few
	sh -c 'exec 3<>/dev/iommu; sleep 1000 & echo $! >sleeper
		echo alloc 4 | pasidhold 3' >/dev/null 2>&1
	sleep 1
	pasidtop --once --older 0.5 --json >gone.out 2>gone.err
	gone_status=$?
	kill "$(cat sleeper)"
}

leak_is_named() {
	cat leak.err
	[ "$leak_status" -eq 5 ] && jq -es "map(select(.type == \"group\" and .count == 40)) |
		length > 0 and all(.pid == $leaker and .comm == \"pasidhold\" and
			(.gone | not) and (.pasids | length) == 40 and .oldest_ms >= 1000 and
			(.stack | any(startswith(\"iommufd_pasid_alloc\"))) and
			(.stack[0] | startswith(\"bpf\") | not))" leak.out >/dev/null
}

# A start when it has happened tells who, but no longer from where
leak_is_named_late() {
	cat late.out
	[ "$late_status" -eq 5 ] && [ "$none_status" -eq 0 ] &&
		grep -A 1 -E "^40 +[0-9]+m?s +$leaker +pasidhold\$" late.out |
		grep -q 'older than the trace: no stack' &&
		[ "$(grep -cE '^(5|40) ' late.out)" -eq 4 ] &&
		! grep -E '^[0-9]+ ' none.out
}

owner_that_has_gone() {
	[ "$gone_status" -eq 5 ] && [ "$(number_of gone group)" -eq 1 ] &&
		jq -es 'map(select(.type == "group"))[0] |
			.gone and .count == 4 and .comm == "sh"' gone.out >/dev/null
}

# Many PASIDs behind them make a look so long that much happens in it.
while_it_looks() {
	holds many pasidwork -n 4 -a 499 -f 0 -r 10000-20000 -s many &&
		begin while --json -P 1-999 0.05 || return
	for _ in $(seq 10); do
		until_it_looked 50
		release slow
	done
	for _ in $(seq 10); do
		until_it_looked 0
		both_are_bound || { sleep 1 && both_are_bound; }	# half a line
		echo $?
		release slow
	done >bound
	end
	release many
}

until_it_looked() { # COUNT
	holds slow vmm_slow 0 "$1" slow
	seen=$(looks)
	eventually looked_twice
}

looks() {
	grep -c '"type":"total"' while.out
}

looked_twice() {
	[ "$(looks)" -ge $((seen + 2)) ]
}

both_are_bound() {
	jq -R 'fromjson?' while.out | jq -es '
		(map(select(.type == "total")) | last).ts_us as $last |
		map(select(.type == "pasid" and .ts_us == $last).devs) |
		length == 2 and all(length == 1)' >/dev/null
}

all_is_counted() {
	total=$(totals while.out requests)
	rows=$(jq -s 'map(select(.type == "pasid").requests // 0) | add' while.out)
	echo "of 1000 invalidations counted $total, by PASID $rows"
	[ "$total" -eq 1000 ] && [ "$rows" -eq 1000 ] && ended while '.lost == 0'
}

# Submissions, by PASIDs that it knows nothing of
all_is_counted_without_a_list() {
	begin unlisted --json --no-tracepoints 0.02 && vmm_slow 0 2000 >/dev/null && end ||
		return
	got=$(totals unlisted.out requests)
	echo "counted $got"
	[ "$got" -ge 4000 ] && ended unlisted ".seen == $got and .lost == 0"
}

all_are_bound() {
	sort bound | uniq -c
	[ "$(sort bound | uniq -c | xargs)" = "10 0" ]
}

slow_and_quick
check "--in-flight: what has no room is told" no_room_for_begins \
	'map(select(.type == "total").requests // 0) | add'
check "--replay has what is invalidated, too" looks_are_replayed \
	stays vmm_slow 0 5 list
check "requests, bytes, failures = workload" sums_are_those_of_the_workload
check "requests = trace-cmd" sums_are_those_of_tracecmd
check "failures are counted" failures_are_counted
while_it_looks
check "what happens while it looks is counted" all_is_counted
check "what is bound while it looks has its device" all_are_bound
check "without a list of PASIDs, too" all_is_counted_without_a_list
check "--prom: what is there, and what there was" writes_for_prometheus
check "-s mean_ns: the slow device is named" slow_one_is_first
leak
check "--older: who leaks is named, and where it allocates" leak_is_named
check "so it is afterwards, without the stack" leak_is_named_late
check "an owner that has gone is told" owner_that_has_gone
check "-T: a clock that is set meanwhile" look_at_a_clock_that_is_set 0.2
finish
