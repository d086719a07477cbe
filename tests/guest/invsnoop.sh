#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# boot: -s 2 -t 300 -a intel_iommu=off
#
# invsnoop in the VM: what it shows is what gpasidwork says it was told and what
# trace-cmd recorded, request by request; then its filters, losses and ends.
#
# intel_iommu=off: see kselftest.sh.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. ./lib.sh
tool=invsnoop
load='gpasidwork -n 2 -x 7 -b 1 -B 5'
flood='gpasidwork -n 2 -i 97'

# The requests in one form for all three sources:
# PID PASID CACHES GRANULARITY ADDR GRANULE GRANULES ENTRIES RET
of_snoop() {
	jq -r 'select(.type == "inv") |
		(.caches // [] | map({ iotlb: 1, dev_iotlb: 2, pasid: 4 }[.]) |
			add // 0) as $caches |
		{ domain: 0, pasid: 1, addr: 2 }[.granularity // "domain"] as $granu |
		"\(.pid) \(.pasid // 0) \($caches) \($granu) \(.addr // "0x0") " +
		"\(.granule // 0) \(.granules // 0) \(.entries) \(.ret)"
		' "$1.out" | sort
}

# Granules as JSON has them: no numbers from 2^53 on, where the tool has null
decimal() {
	awk '
		function number(s,  n, i) {
			if (length(s) > 15)
				return 0
			if (s !~ /^0x/)
				return s
			for (i = 3; i <= length(s); i++)
				n = 16 * n + index("123456789abcdef", substr(s, i, 1))
			return sprintf("%.0f", n)
		}
		{ $6 = number($6); $7 = number($7); print }'
}

of_work() {
	jq -r '.inv[]' "$@" | decimal | sort
}

# Long numbers must not go through awk, whose numbers have 53 bits.
of_tracecmd() {
	{
		by_tracecmd "$1" cache_inv_begin id pasid cache granularity addr \
			granule granules entries
		by_tracecmd "$1" cache_inv_end id ret
	} | awk '
		$1 == "cache_inv_begin" {
			caches = ($5 ~ /(^|[|])iotlb/) + 2 * ($5 ~ /dev-iotlb/) +
				 4 * ($5 ~ /pasid/)
			granu = $6 == "pasid" ? 1 : $6 == "addr" ? 2 : 0
			begun[$3] = $2 " " $4 " " caches " " granu " " $7 " " $8 \
				" " $9 " " $10
		}
		$1 == "cache_inv_end" { print begun[$3], $4 }
	' | decimal | sort
}

# Nothing of the series, and what it has instead would never run
no_hooks() {
	echo 0 >/proc/sys/kernel/ftrace_enabled || return
	gives 4 'switched off.*no tracepoints cache_inv_begin and cache_inv_end' \
		invsnoop --no-tracepoints
	set -- $?
	echo 1 >/proc/sys/kernel/ftrace_enabled
	return "$1"
}

# A kernel of the first patches, or a stock one: see invstock.sh
[ -e /sys/kernel/tracing/events/iommu/cache_inv_begin ] || {
	check "no hooks at all: status 4" no_hooks
	finish
}

# --- the same in all three sources ---------------------------------------------

three_sources() {
	beside_tracecmd three 'iommu:cache_inv_begin iommu:cache_inv_end' '' \
		'gpasidwork -n 3 -i 23 -x 17 -b 8 -B 11 -k >work.three'
	of_work work.three >three.work
	of_snoop three >three.snoop
	of_tracecmd three >three.tracecmd
}

workload_did_its_part() {
	# the killed one had made 11 of its 23 when it was killed
	[ "$(lines three.work)" -eq $((2 * (23 + 17 + 8 * 11) + 11)) ]
}

ids_and_devices() {
	by_tracecmd three cache_inv_end id device | cut -d ' ' -f 3- | sort >want
	jq -r 'select(.type == "inv") | "\(.id) \(.dev)"' three.out | sort >got
	same want got && [ "$(cut -d ' ' -f 2 got | sort -u | wc -l)" -eq 3 ]
}

nothing_lost_or_left_over() {
	total=$(lines three.work)
	ended three ".lost == 0 and .missed == 0 and .filtered == 0 and
		.unpaired == 0 and .overflow == 0 and .unfinished == 0 and
		.events == $total and .seen == $total and .reason == \"signal\"" &&
		[ "$(cat three.status)" -eq 0 ] &&
		grep -q "^invsnoop: $total events, 0 lost, 0 missed, 0 unpaired, " three.err
}

# Of 17 wrong ones in turn, and of 4 batches with one in the middle, in which the
# wrong one and with half of them the 5 after it fail; in two processes.
results_are_told() {
	[ "$(number_of three inv '.err == "ENOENT"')" -eq $((2 * (4 + 1))) ] &&
		[ "$(number_of three inv '.err == "EINVAL" and .caches != null')" \
			-eq $((2 * (4 + 1))) ] &&
		[ "$(number_of three inv '.err == "EOPNOTSUPP"')" -eq $((2 * (3 + 1))) ] &&
		[ "$(number_of three inv '.err == "EOVERFLOW"')" -eq $((2 * (3 + 1))) ] &&
		[ "$(number_of three inv '.err == "ECANCELED"')" -eq $((2 * 2 * 5)) ] &&
		[ "$(number_of three inv '.caches == null and .err == "EINVAL"')" \
			-eq $((2 * 3)) ]
}

times_are_possible() {
	duration=$(tail -n 1 three.out | jq .duration_us)
	all three inv ".ns > 0 and .ns / 1000 < $duration and .ts_us >= 0 and
		.ts_us + .ns / 1000 <= $duration"
}

# The requests of one call are numbered one after the other.
batches_stay_together() {
	jq -s 'map(select(.type == "inv" and .entries == 11) | .id) | sort |
		[ range(0; length; 11) as $i | .[$i + 10] - .[$i] ] |
		length == 16 and all(. == 10)' three.out | grep -qx true
}

# --- filters -------------------------------------------------------------------

# The workload forks, so the process is known only when it runs.
only_that() { # OPTION: -p or -t
	begin before --json || return
	unfiltered=$snoop
	gpasidwork -n 2 -i 997 -p 5 >work.that &
	work=$!
	until that=$(jq -sr 'map(select(.type == "inv").pid)[0] // empty' before.out) &&
		[ -n "$that" ]; do
		sleep 0.1
	done
	begin filter --json "$1" "$that" || return
	wait "$work"
	end && snoop=$unfiltered && end || return
	first=$(jq -s 'map(select(.type == "inv").id)[0]' filter.out)
	jq -r "select(.type == \"inv\" and .pid == $that and .id >= $first) | .id" \
		before.out >want
	jq -r 'select(.type == "inv") | .id' filter.out >got
	same want got && ended filter '.filtered > 0 and .events > 20'
}

filtered() { # NAME OPTION..: begin, a load of all kinds, end
	begin "$@" --json && gpasidwork -n 1 -i 23 -x 17 >"work.$1" && end
}

only_those_pasids() {
	begin pasids --json -P 1001-1002,0xffff &&
		gpasidwork -r 1000-1004 -i 23 -x 17 >work.pasids && end || return
	of_work work.pasids >all
	awk '$2 == 1001 || $2 == 1002 || $2 == 65535' all >want
	sees pasids want && [ "$(lines want)" -lt "$(lines all)" ] &&
		ended pasids ".filtered == $(lines all) - $(lines want)"
}

only_failures() {
	filtered failed -x && of_work work.failed | grep -v ' 0$' >want
	sees failed want && [ "$(lines want)" -eq 17 ] && ended failed '.filtered == 23' &&
		all failed inv '.ret < 0 and .err != null'
}

filters_add_up() {
	filtered both -x -P 0xffff && of_work work.both | grep '^[0-9]* 65535 ' >want
	sees both want && [ "$(lines want)" -eq 4 ]
}

# Two tracers of the same load: one has what the other says of that device.
# Names start from iommufd_mock0 when nobody has a device
no_devices() {
	until [ -z "$(ls /sys/bus/iommufd_mock/devices)" ]; do sleep 0.1; done
}

only_that_device() {
	no_devices
	begin first --json || return
	unfiltered=$snoop
	begin device --json -D iommufd_mock1 || return
	gpasidwork -n 3 >work.device
	end && snoop=$unfiltered && end || return
	jq -r 'select(.dev == "iommufd_mock1") | .id' first.out >want
	jq -r 'select(.type == "inv") | .id' device.out >got
	jq -r 'select(.type == "inv") | .dev' first.out | sort | uniq -c
	tail -n 1 first.err device.err
	# one that begins when another has ended gets its name again
	n=$(lines want)
	same want got && [ "$n" -lt 33 ] && of_work work.device >want &&
		sees first want && ended device ".filtered == 33 - $n"
}

no_such_device() {
	filtered nodev -D iommufd_mock && ended nodev '.events == 0 and .filtered == 40'
}

# --- losses --------------------------------------------------------------------

# Of what there was no room for, only the end is known, and that it is.
no_room_is_told() {
	begin room --json --strict --in-flight 7
	gpasidwork -n 1 -i 0 -b 3 -B 256 >work.room
	end
	[ $? -eq 1 ] && ended room '.overflow > 0 and .unpaired == .overflow and
		.events == 768 and .unfinished == 0' &&
		grep -q 'were not followed: too many' room.err &&
		all room inv '.ts_us >= 0' &&
		[ "$(number_of room inv '.entries == null and .ns == null and
			.caches == null')" -eq "$(tail -n 1 room.out | jq .unpaired)" ] &&
		of_work work.room | awk '{ print $NF }' | sort | uniq -c >want &&
		jq -r 'select(.type == "inv") | .ret' room.out | sort | uniq -c >got &&
		same want got
}

# Starts and ends while requests come and go: only those that were under way at the
# start, in two calls of 61, lack their begin, and only so many are left at the end.
# How far the other process got meanwhile is up to the scheduler.
whenever_it_starts() {
	while :; do gpasidwork -n 2 -i 97 -b 31 -B 61; done >/dev/null 2>&1 &
	churn=$!
	good=0
	for _ in 1 2 3 4 5; do
		begin churn --json -n 700 && wait "$snoop" &&
			ended churn '.events == 700 and .unpaired <= 122 and
				.overflow == 0 and .unfinished <= 122' &&
			jq -se 'map(select(.type == "inv")) | group_by(.pid) |
				all((map(select(.ns != null).id) | min) as $paired |
					all(.[]; .ns != null or $paired == null or
						.id < $paired))' churn.out >/dev/null &&
			good=$((good + 1))
	done
	kill "$churn"
	wait "$churn"
	[ "$good" -eq 5 ] || { tail -n 1 churn.out churn.err; return 1; }
}

# More than the buffer holds, so it must be read meanwhile.
keeps_up_without_loss() {
	begin burst --json --strict && gpasidwork -n 4 -i 2999 -p 1 >work.burst &&
		{ end || { cat burst.err; return 1; }; } &&
		of_work work.burst >want && sees burst want
}

# storm_of FIRST REQUESTS: on each processor two processes ask for as many, one of them
# with PASIDs that are wanted.
storm_of() {
	asking=
	for cpu in 0 1; do
		for from in "$1" $(($1 + 50)); do
			taskset -c "$cpu" gpasidwork -n 1 -r "$from-$((from + 19))" \
				-i "$2" >"work.storm.$cpu.$from" &
			asking="$asking $!"
		done
	done
	for one in $asking; do wait "$one" || return; done
}

# More than can be shown: of what comes while nobody reads there is more than the
# default buffer holds.
storm() {
	begin storm --json -P 2000-2019,2100-2119 && storm_of 2000 1499 || return
	kill -STOP "$snoop"
	storm_of 2100 9999
	told=$?
	kill -CONT "$snoop"
	end && [ "$told" -eq 0 ]
}

all_of_a_storm_is_accounted_for() {
	storm || { cat storm.err; return 1; }
	total=$(jq -s 'map(.inv | length) | add' work.storm.*)
	echo "$total requests"
	ended storm ".seen == $total and .seen == .events + .filtered + .lost and
		.events > 0 and .filtered > 0 and .lost > 0 and .missed == 0 and
		.unpaired == 0 and .overflow == 0 and .unfinished == 0" &&
		jq -es --argjson last "$(tail -n 1 storm.out)" '
			(map(select(.type == "inv")) | length) == $last.events and
			(map(select(.type == "lost").count) | add) == $last.lost and
			(map(select(.type == "inv").id) | length == (unique | length)) and
			(map(select(.type == "inv").cpu) | unique == [0, 1])' storm.out >/dev/null
}

# --- and the rest ----------------------------------------------------------------

plan_is_told() {
	invsnoop -v -d 1 2>&1 >/dev/null |
		grep -q '^invsnoop: plan: begin: tp_btf:cache_inv_begin$'
}

both_tools_at_once() {
	timeout -s KILL 100 pasidsnoop --json -- true >alone.out 2>&1 || return
	begin inv --json --strict || return
	timeout -s KILL 100 pasidsnoop --json --strict -e alloc,free -- \
		sh -c 'gpasidwork -n 3 -a 7 >work.tools' >pasid.out 2>pasid.err || return
	end && of_work work.tools >want && sees inv want &&
		[ "$(jq -s 'map(select(.type == "alloc" and .ret == 0)) | length' \
			pasid.out)" -eq 21 ] &&
		[ "$(jq -s 'map(select(.type == "free" and .ret == 0)) | length' \
			pasid.out)" -eq 21 ]
}

three_sources
check "the workload did what it should" workload_did_its_part
check "invsnoop = workload, request by request" same three.work three.snoop
check "invsnoop = trace-cmd, request by request" same three.tracecmd three.snoop
check "numbers and devices = trace-cmd" ids_and_devices
check "nothing lost, missed, unpaired or left over" nothing_lost_or_left_over
check "each result in its number" results_are_told
check "times are possible" times_are_possible
check "the requests of a call are together" batches_stay_together
check "-p: only that process" only_that -p
check "-t: only that thread" only_that -t
check "-P: only those PASIDs" only_those_pasids
check "-D: only that device; two tracers see the same" only_that_device
check "-D: the whole name" no_such_device
check "-x: only failures" only_failures
check "filters add up" filters_add_up
check "no room is counted and told, results are there" no_room_is_told
check "whenever it starts and ends" whenever_it_starts
check "4 x 2999 requests without loss" keeps_up_without_loss
check "a storm: seen = shown + filtered + lost, with default buffers" \
	all_of_a_storm_is_accounted_for
check "-v tells the plan" plan_is_told
check "no hooks at all: status 4" no_hooks
check "pasidsnoop at the same time" both_tools_at_once
as_every_tool
finish
