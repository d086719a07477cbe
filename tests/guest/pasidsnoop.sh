#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# boot: -s 2 -t 300
# files: build/tools/pasidmod/pasidmod.ko
#
# pasidsnoop in the VM: what it shows is what pasidwork says it did and what
# trace-cmd recorded, event by event; then its filters, limits, losses and ends.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. ./lib.sh
tool=pasidsnoop
load='pasidwork -n 2'
flood='pasidwork -n 2 -a 97 -f 0'
# Most tests are about what the kernel of the first patches shows
events=alloc,free

# The events in one form for all three sources: TYPE PID PASID RET
of_snoop() {
	jq -r 'select(.type == "alloc" or .type == "free") |
		"\(.type) \(.pid) \(.pasid) \(.ret)"' "$1.out" | sort
}

of_work() {
	jq -r '.events[]' "$@" | sort
}

of_tracecmd() {
	{
		by_tracecmd "$1" ioasid_alloc ioasid ret
		by_tracecmd "$1" ioasid_free ioasid ret
	} | awk '{
		sub(/ioasid_/, "")
		if ($1 == "alloc" && $4 < 0)
			$3 = "null"
		print
	}' | sort
}

of_kernel_log() {
	dmesg | sed -nE 's/.*pasidmod: (alloc|free) (.*)/\1 \2/p' |
		sed 's/ -1$/ null/' | sort
}

# --- the same in all three sources ---------------------------------------------

three_sources() {
	beside_tracecmd three ioasid '-e alloc,free' \
		'pasidwork -n 5 -a 23 -f 17 -k >work1; pasidwork -n 1 -a 33 -f 2 -r 5-17 >work2'
	of_work work1 work2 >three.work
	of_snoop three >three.snoop
	of_tracecmd three >three.tracecmd
}

count() { # FIELD: sum over both workloads
	jq -s "map(.$1) | add" work1 work2
}

workload_did_its_part() {
	# 11 of the killed one's 23; of the last one's 33 what the range has
	[ "$(count alloc)" -eq $((4 * 23 + 11 + 13)) ] &&
		[ "$(count alloc_failed)" -eq 20 ] &&
		[ "$(jq .returned work1)" -eq $((4 * (23 - 17) + 11)) ]
}

killed_one_gave_back() {
	killed=$(jq '.pids[-1]' work1)
	[ "$(grep -c "^free $killed " three.snoop)" -eq 11 ] &&
		[ "$(grep -c "^alloc $killed " three.snoop)" -eq 11 ]
}

nothing_lost_or_left_over() {
	total=$(lines three.work)
	ended three ".lost == 0 and .missed == 0 and .filtered == 0 and
		.events == $total and .seen == $total and .reason == \"signal\"" &&
		[ "$(cat three.status)" -eq 0 ] &&
		grep -q "^pasidsnoop: $total events, 0 lost, 0 missed, " three.err
}

in_order() {
	# A PASID is never given out twice without a free in between.
	jq -r 'select(.ret == 0) | "\(.type) \(.pasid)"' three.out | awk '
		$1 == "alloc" && live[$2]++ { print "twice: " $2; bad = 1 }
		$1 == "free" && live[$2]-- != 1 { print "not live: " $2; bad = 1 }
		END { exit bad || !NR }'
}

sets_tell_owners_apart() {
	# one set per process, and none of them the kernel's
	jq -r 'select(.set != null) | "\(.pid) \(.set)"' three.out | sort -u |
		awk '$2 == 0 { exit 1 } owner[$2]++ { exit 1 } END { exit NR != 6 }'
}

# --- filters -------------------------------------------------------------------

two_processes() { # OPTION..: traces a process and, for the filter, its noise
	rm -f go
	pasidwork -n 0 -a 23 -f 17 -g go >work.one &
	one=$!
	begin filter --json -p "$one" &&
		pasidwork -n 2 -a 7 -f 3 >work.noise
	touch go
	wait "$one"
	end
}

only_that_process() {
	two_processes
	of_work work.one >want
	sees filter want &&
		ended filter ".filtered == $(jq '.events | length' work.noise)"
}

filtered() { # NAME OPTION..: begin, 13 PASIDs and 20 failures, end
	begin "$@" --json && pasidwork -n 1 -a 33 -f 2 -r 5-17 >"work.$1" && end
}

only_those_pasids() {
	filtered pasids -P 9,0xb-0xc &&
		of_work work.pasids | grep -E ' (9|11|12) 0$' >want
	sees pasids want && [ "$(lines want)" -eq 6 ] &&
		ended pasids '.filtered == 40'
}

only_that_event() {
	events='' filtered event -e free && of_work work.event | grep ^free >want
	sees event want && [ "$(lines want)" -eq 13 ] &&
		ended event '.seen == 13'	# the other program is not loaded
}

only_failures() {
	filtered failed -x && of_work work.failed | grep -- '-28$' >want
	sees failed want && [ "$(lines want)" -eq 20 ] &&
		ended failed '.filtered == 26' &&
		all failed alloc '.err == "ENOSPC" and .min == 5 and .max == 17'
}

filters_add_up() {
	filtered both -x -P 0-0xfffff &&	# what fails has no PASID
		ended both '.events == 0 and .filtered == 46'
}

# --- losses --------------------------------------------------------------------

# It tells where the gap is while it runs: after what was read, before what comes
loss_is_told_at_once() {
	begin gap --json --buffer-kb 4 || return
	kill -STOP "$snoop"
	pasidwork -n 2 -a 97 -f 0 >/dev/null
	kill -CONT "$snoop"
	for _ in 1 2 3 4 5 6 7 8 9; do
		sleep 1
		grep -q '"lost","ts_us"' gap.out && break
	done
	kill -0 "$snoop" && pasidwork -n 1 >/dev/null && end || return
	jq -r .type gap.out | uniq | xargs
	jq -se '(map(select(.type == "lost").count) | add) == .[-1].lost and
		(map(.type) | index("lost")) as $i | $i > 40 and .[$i - 1].ret == 0 and
		.[$i + 1].type == "alloc"' gap.out >/dev/null
}

# --- ends ---------------------------------------------------------------------

second_interrupt_ends_at_once() {
	mkfifo stuck
	# opens it, but does not read
	tail -f /dev/null <stuck >/dev/null 2>&1 &
	reader=$!
	rm -f ready
	timeout -s KILL 100 pasidsnoop --ready-file ready >stuck 2>stuck.err &
	snoop=$!
	appears ready "$snoop" || return
	pasidwork -n 1 -a 997 -f 0 >/dev/null	# more than a pipe holds
	sleep 1
	kill -INT "$snoop"
	sleep 1
	kill -0 "$snoop" || return	# still writes
	kill -INT "$snoop"
	wait "$snoop"
	status=$?
	kill "$reader"
	[ "$status" -eq 130 ]
}

# With 8 descriptors the command is prepared, but the programs cannot be loaded.
not_traced_not_run() {
	gives 1 'cannot load the BPF programs: Too many open files. The limit' \
		sh -c 'ulimit -n 8; exec pasidsnoop -- touch ran' &&
		gives 1 'cannot write /nowhere/ready' \
		pasidsnoop --ready-file /nowhere/ready -- touch ran &&
		sleep 1 && [ ! -e ran ]
}

command_that_is_not_there() {
	pasidsnoop -- /nowhere >/dev/null 2>nowhere.err
	[ $? -eq 1 ] && grep -q 'cannot run the command: No such file' nowhere.err
}

# --- what the kernel has ---------------------------------------------------------

plan_is_told() {
	pasidsnoop -v -e alloc -d 1 2>&1 >/dev/null | tee plan.err |
		grep -q '^pasidsnoop: plan: alloc: tp_btf:ioasid_alloc$' &&
		grep -q '^pasidsnoop: plan: free: off, not asked for$' plan.err
}

module() { # OPTION..: trace the load that the kernel itself makes
	begin module --json "$@" || return
	dmesg -c >/dev/null
	insmod "$files/pasidmod.ko" && rmmod pasidmod
	end || return
	of_kernel_log >want
	jq -r 'select(.type == "alloc" or .type == "free") |
		"\(.type) \(.pasid)"' module.out | sort | diff want - &&
		[ "$(lines want)" -eq 47 ]
}

# A NULL set is 0. The allocation for a device without PASIDs asks for none.
kernel_set_is_0() {
	begin module --json || return
	dmesg -c >/dev/null
	insmod "$files/pasidmod.ko" && rmmod pasidmod
	end || return
	of_kernel_log | grep -v null >want
	jq -r 'select(.type == "alloc" or .type == "free") | select(.set == 0) |
		"\(.type) \(.pasid)"' module.out | sort | diff want - &&
		[ "$(lines want)" -eq 46 ]
}

stock_functions_do() {
	module --no-tracepoints &&
		head -n 1 module.out | jq -es '.[0].plan | {alloc, free} == {
			"alloc": "fexit:iommu_alloc_global_pasid",
			"free": "fentry:iommu_free_global_pasid" }' >/dev/null &&
		grep -q 'alloc comes without SET' module.err &&
		all module free '.set == null and .ret == null' &&
		[ "$(jq -r 'select(.pasid == null) | .err // empty' module.out)" = unknown ]
}

without_btf() {
	mount -t tmpfs none /sys/kernel/btf || return
	gives 4 'no kernel BTF .*CONFIG_DEBUG_INFO_BTF=y' pasidsnoop
	set -- $?
	umount /sys/kernel/btf
	return "$1"
}

junk_btf() {
	mount -t tmpfs none /sys/kernel/btf && echo junk >/sys/kernel/btf/vmlinux &&
		gives 4 'cannot read the kernel.s types .*: BPF object format invalid' \
			pasidsnoop
	set -- $?
	umount /sys/kernel/btf
	return "$1"
}

# The programs on functions would attach without an error, and never run.
switched_off() {
	echo 0 >/proc/sys/kernel/ftrace_enabled || return
	gives 4 'switched off: .*ftrace_enabled=1.*neither the tracepoints of nested' \
		pasidsnoop -e alloc,free --no-tracepoints
	set -- $?
	echo 1 >/proc/sys/kernel/ftrace_enabled
	return "$1"
}

# --- and the rest ----------------------------------------------------------------

odd_names_are_valid_json() {
	begin odd --json && pasidwork -n 1 -c "$(printf 'a"\\\377\033')" >/dev/null &&
		end && [ "$(jq -r 'select(.type == "free") | .comm' odd.out |
		sort -u)" = "$(printf 'a"\\\357\277\275\0331')" ]
}

two_see_the_same() {
	begin first --json || return
	one=$snoop
	begin second --json || return
	pasidwork -n 2 >work.both
	end && snoop=$one && end || return
	of_work work.both >want
	sees first want && sees second want
}

keeps_up_without_loss() {
	begin burst --json --strict && pasidwork -n 4 -a 499 -f 251 >work.burst &&
		end && of_work work.burst >want && sees burst want
}

# --- sets, private IDs, references -----------------------------------------------

has() { # EVENT
	[ -e "/sys/kernel/tracing/events/ioasid/ioasid_$1" ]
}

has_iterator() {
	pasidsnoop -e alive -- true >/dev/null 2>&1
}

in_numbers() { # NAME TYPE=NUMBER..: as many of each, and nothing else
	name=$1
	shift
	printf '%s\n' "$@" start=1 end=1 | sort >want
	jq -r .type "$name.out" | sort | uniq -c | awk '{ print $2 "=" $1 }' |
		sort >got
	same want got
}

spids_of_work() {
	jq -r '.spids[]' "$1" | sort
}

spids() { # NAME TYPE: the same list from the trace
	jq -r "select(.type == \"$2\" and .ret == 0) |
		\"\(.pid) \(.pasid) \(.private)\"" "$1.out" | sort
}

sets_are_seen() {
	events='' begin sets --json --strict &&
		pasidwork -n 3 -a 23 -f 17 -i 100 -q 19 >work.sets && end &&
		in_numbers sets set_new=3 set_quota=3 set_end=3 alloc=69 \
			spid=57 free=57 &&
		[ "$(number_of sets alloc '.err == "EDQUOT"')" -eq 12 ] &&
		all sets set_new '.used == 0 and .quota == 1000' &&
		all sets set_quota '.quota == 19' &&
		all sets set_end '.used == 0 and .quota == 19'
}

private_ids_are_seen() {
	spids_of_work work.sets >want
	spids sets spid >got
	same want got && spids sets free >got && same want got
}

failures_of_sets_only() {
	events=set,spid,free begin fine --json -x &&
		pasidwork -n 2 -a 1 -i 7 >work.fine && end &&
		in_numbers fine && ended fine '.filtered == 8'
}

set_group_is_seen_alone() {
	events='set' begin group --json && pasidwork -n 5 >/dev/null && end &&
		in_numbers group set_new=5 set_end=5 && ended group '.seen == 10'
}

allocators_are_seen() {
	events='' begin ops --json --strict || return
	insmod "$files/pasidmod.ko" allocators=3 allocs=0 frees=0
	rmmod pasidmod
	end && in_numbers ops register=6 unregister=6 &&
		[ "$(number_of ops register '.ret == 0 and .group > 0')" -eq 3 ] &&
		[ "$(number_of ops register '.err == "EEXIST"')" -eq 3 ] &&
		[ "$(number_of ops unregister '.ret == 0 and .group > 0')" -eq 3 ] &&
		[ "$(number_of ops unregister '.err == "ENOENT"')" -eq 3 ] &&
		[ "$(jq -s 'map(.group // empty) | unique | length' ops.out)" -eq 1 ]
}

new_events_as_by_tracecmd() {
	beside_tracecmd new ioasid '-e get,put,set,spid,pending,register,unregister' \
		"pasidwork -n 4 -i 7 -q 21 >/dev/null
		insmod '$files/pasidmod.ko' refs=5 allocators=3 && rmmod pasidmod"
	trace-cmd report -i new.dat 2>/dev/null | sed -nE '
		s/.*ioasid_set_create:.*/set_new/p
		s/.*ioasid_set_quota:.*/set_quota/p
		s/.*ioasid_set_destroy:.*/set_end/p
		s/.*ioasid_(spid|get|put):.*/\1/p
		s/.*ioasid_(un)?register_allocator:.*/\1register/p
		s/.*ioasid_free_pending:.*/pending/p' | sort | uniq -c >want
	jq -r .type new.out | grep -vE '^(start|end)$' | sort | uniq -c >got
	same want got && in_numbers new set_new=4 set_quota=4 set_end=4 \
		spid=84 get=10 put=10 pending=5 register=6 unregister=6
}

references_are_seen() {
	events=alloc,free,pending,get,put begin refs --json || return
	dmesg -c >/dev/null
	insmod "$files/pasidmod.ko" refs=5 && rmmod pasidmod
	end || return
	dmesg | sed -nE 's/.*pasidmod: pending (.*)/\1 2/p' | sort >want
	jq -r 'select(.type == "pending") | "\(.pasid) \(.refs)"' refs.out |
		sort >got
	same want got && in_numbers refs alloc=23 free=23 pending=5 get=10 put=10 &&
		all refs pending '.set == 0' &&
		[ "$(number_of refs put '.refs == 0')" -eq 5 ] &&
		[ "$(number_of refs get '.refs == 2')" -eq 5 ]
}

get_and_put_only_on_request() {
	events='' begin quiet --json || return
	insmod "$files/pasidmod.ko" refs=5 && rmmod pasidmod
	end && in_numbers quiet alloc=23 free=23 pending=5 &&
		head -n 1 quiet.out | jq -es '.[0].plan | .get == null and
			.put == null' >/dev/null
}

lives() {
	jq -r 'select(.type == "life") | "\(.pid) \(.pasid) \(.private)"' "$1.out" |
		sort
}

each_life_is_one_line() {
	events='' begin life --json --life --strict &&
		pasidwork -n 3 -i 40 >work.life && end || return
	spids_of_work work.life >want
	lives life >got
	same want got && in_numbers life life=69 &&
		all life life '.age_us >= 0 and .age_us < 100000000 and .refs == 0'
}

life_has_references() {
	events='' begin lref --json --life || return
	insmod "$files/pasidmod.ko" refs=5 && rmmod pasidmod
	end && in_numbers lref life=23 &&
		[ "$(number_of lref life '.refs == 2')" -eq 5 ] &&
		[ "$(number_of lref life '.refs == 0')" -eq 18 ]
}

# hold OPTION..: a process that keeps its PASIDs until "held" is gone
hold() {
	pasidwork -n 0 -s held "$@" >work.held 2>held.err &
	holder=$!
	appears held "$holder"
}

let_go() {
	rm -f held
	wait "$holder"
}

alive_ones_come_first() {
	{ hold -a 997 -i 50 && insmod "$files/pasidmod.ko" refs=5; } || {
		let_go
		return 1
	}
	events='' begin alive --json --strict
	let_go
	rmmod pasidmod
	end || return
	spids_of_work work.held >want
	jq -r "select(.type == \"alive\" and .pid == $holder) |
		\"\(.pid) \(.pasid) \(.private)\"" alive.out | sort >got
	same want got && spids alive free | grep -v null >got && same want got &&
		in_numbers alive alive=1008 free=1008 set_end=1 &&
		[ "$(number_of alive alive '.state == "pending" and .refs == 2')" -eq 5 ] &&
		[ "$(number_of alive alive '.pid == 0 and .comm == "kernel" and
			.set == 0')" -eq 11 ] &&
		[ "$(number_of alive alive '.comm == "pasidwork" and .refs == 0 and
			.set > 0 and .state == "allocated"')" -eq 997 ] &&
		all alive alive '.ts_us < 0 and .ts_us > -100000000'
}

alive_ones_are_filtered() {
	{ hold -a 23 && insmod "$files/pasidmod.ko"; } || {
		let_go
		return 1
	}
	events=alive begin some --json -p "$holder"
	end
	events=alive begin other --json -P 0xffff0-0xfffff
	end
	let_go
	rmmod pasidmod
	in_numbers some alive=23 && in_numbers other
}

life_from_before() {
	hold -a 23 -i 5 || return
	sleep 1
	events='' begin before --json --life
	let_go
	end || return
	spids_of_work work.held >want
	lives before >got
	same want got && all before life '.age_us > 1000000 and .comm == "pasidwork"'
}

# Starts while PASIDs come and go: each life is told of once, whatever the moment.
told_once() {
	events=alloc,free,alive begin once --json -n 500 && wait "$snoop" || return
	# what was before an alive one is told of after it, so by time
	jq -rs 'map(select(.ret == 0 or .type == "alive")) |
		sort_by([.ts_us, .type != "free"])[] | "\(.type) \(.pasid)"' once.out |
		awk '$1 != "free" && live[$2]++ { print "twice: " $0; bad = 1 }
			$1 == "free" { live[$2] = 0 }
			END { exit bad || NR < 400 }'
}

once_whenever_it_starts() {
	while :; do pasidwork -n 4; done >/dev/null 2>&1 &
	churn=$!
	told_once && told_once && told_once && told_once && told_once &&
		told_once && told_once && told_once && told_once && told_once
	set -- $?
	kill "$churn"
	return "$1"
}

absent_events_are_told() {
	has free_pending || {
		gives 4 'this kernel has not all|cannot show' pasidsnoop -e pending -d 1 &&
			gives 0 'plan: pending: cannot be seen; .* absent' \
				pasidsnoop -v -d 1
		return
	}
	# of a kernel that has them: as if it had not
	gives 0 'plan: pending: cannot be seen; tp_btf:ioasid_free_pending not to be used' \
		pasidsnoop -v -d 1 --no-tracepoints &&
		gives 4 'this kernel has not all' \
			pasidsnoop -e alloc,pending -d 1 --no-tracepoints
}

check_if() { # HAS REASON NAME COMMAND..
	if $1; then
		shift 2
		check "$@"
	else
		skip "$3" "$2"
	fi
}

three_sources
check "the workload did what it should" workload_did_its_part
check "pasidsnoop = workload, event by event" same three.work three.snoop
check "pasidsnoop = trace-cmd, event by event" same three.tracecmd three.snoop
check "a killed process gives back its PASIDs" killed_one_gave_back
check "nothing lost, missed or left over" nothing_lost_or_left_over
check "a PASID is freed before it is given out again" in_order
check "each file has its own set" sets_tell_owners_apart
check "-p: only that process" only_that_process
check "-P: only those PASIDs" only_those_pasids
check "-e: only that event" only_that_event
check "-x: only failures" only_failures
check "filters add up" filters_add_up
check "loss is told at once" loss_is_told_at_once
check "4 x 499 at full speed without loss" keeps_up_without_loss
check "a second Ctrl-C ends it at once, status 130" second_interrupt_ends_at_once
check "-- CMD that is not there: status 1" command_that_is_not_there
check "-- CMD does not run if tracing fails" not_traced_not_run
check "-v tells the plan" plan_is_told
check "the kernel's own PASIDs are in set 0" kernel_set_is_0
check "without tracepoints the stock functions do" stock_functions_do
check "no privilege: status 3" gives 3 'lacks CAP_BPF and CAP_PERFMON' \
	pasidwork -u pasidsnoop
check "no BTF: status 4" without_btf
check "BTF that is none: status 4" junk_btf
check "too few files may be open for the kernel's types" \
	gives 4 'kernel.s types .*ulimit -n' sh -c 'ulimit -n 3; exec pasidsnoop'
check "and for the programs" \
	gives 1 'cannot load .*ulimit -n' sh -c 'ulimit -n 8; exec pasidsnoop'
check "no hooks: status 4" switched_off
check "no memory is told so" gives 1 'Cannot allocate memory\. There is not enough' \
	pasidsnoop --buffer-kb 1048576 -d 1
check "any name of a process gives valid JSON" odd_names_are_valid_json
check "two tracers see the same" two_see_the_same
check "what the kernel has not is left out" absent_events_are_told
sets() { has set_create; }
allocators() { has register_allocator; }
refs() { has free_pending; }
no_sets="the kernel has no events of sets"
no_refs="the kernel has no references"
no_iter="the kernel has no iterator of PASIDs"
check_if sets "$no_sets" "sets, quota, private IDs: exact numbers" sets_are_seen
check_if sets "$no_sets" "private IDs = workload, when given and freed" \
	private_ids_are_seen
check_if sets "$no_sets" "-x: none of what went well" failures_of_sets_only
check_if sets "$no_sets" "-e set: all of a set and no more" set_group_is_seen_alone
check_if refs "$no_refs" "references and pending: exact numbers" references_are_seen
check_if refs "$no_refs" "get and put only on request" get_and_put_only_on_request
check_if refs "$no_refs" "new events as by trace-cmd" new_events_as_by_tracecmd
check_if allocators "the kernel has no other allocators" \
	"allocators that come and go" allocators_are_seen
check_if sets "$no_sets" "--life: one line for each PASID" each_life_is_one_line
check_if refs "$no_refs" "--life: references" life_has_references
check_if has_iterator "$no_iter" "what was alive comes first" alive_ones_come_first
check_if has_iterator "$no_iter" "what was alive is filtered" alive_ones_are_filtered
check_if has_iterator "$no_iter" "--life: of what was alive" life_from_before
check_if has_iterator "$no_iter" "told once, whenever it starts" once_whenever_it_starts
as_every_tool
finish
