# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# The tests of the tools in the guest share this (. ./lib.sh): KTAP, and a
# tool that traces while a workload runs. $tool is its name, $events what it is
# to show if not all; the records of the trace NAME are in NAME.out, what it says
# in NAME.err.

# shellcheck disable=SC2034,SC2154 # shared with the script that sources this
# shellcheck source-path=SCRIPTDIR source=../lab/ktap.sh
. /lib/ktap.sh
files=$PWD	# what "# files:" brings
mkdir /tmp/trace && cd /tmp/trace || exit 1

# --- tracing -------------------------------------------------------------------

# appears FILE PID: before that process ends
appears() {
	until [ -e "$1" ]; do
		kill -0 "$2" || return
		sleep 0.1
	done
}

# eventually COMMAND..: within a minute
eventually() {
	for _ in $(seq 300); do
		"$@" && return
		sleep 0.2
	done
	return 1
}

# begin NAME OPTION..: a tracer in the background, attached when this returns;
# one that does not end is killed, so that it fails its test and no other
begin() {
	name=$1
	shift
	rm -f ready
	timeout -s KILL 100 "$tool" --ready-file ready ${events:+-e "$events"} "$@" \
		>"$name.out" 2>"$name.err" &
	snoop=$!
	appears ready "$snoop"
}

# end [SIGNAL]: its exit status
end() {
	kill "-${1:-INT}" "$snoop"
	wait "$snoop"
}

# beside_tracecmd NAME EVENTS OPTIONS COMMANDS: the tool, and trace-cmd into
# NAME.dat, while COMMANDS run; the tool's status is in NAME.status. trace-cmd
# gives up if the kernel's symbols change while it copies them, and programs of
# BPF may go late.
beside_tracecmd() {
	cat >"$1.sh" <<-END
	$tool --ready-file ready --json --strict $3 >$1.out 2>$1.err &
	until [ -e ready ]; do sleep 0.1; done
	$4
	kill -INT \$!
	wait \$!
	echo \$? >$1.status
	until now=\$(wc -c </proc/kallsyms) && [ "\$now" = "\$was" ]; do
		was=\$now
		sleep 1
	done
	END
	rm -f ready
	# shellcheck disable=SC2046,SC2086 # an option for each event
	trace-cmd record -q $(printf -- '-e %s ' $2) -b 4096 -o "$1.dat" \
		sh "$1.sh" >/dev/null
}

# by_tracecmd NAME EVENT FIELD..: "EVENT PID VALUE.." for each in NAME.dat, with -
# for what is empty
by_tracecmd() {
	trace-cmd report -i "$1.dat" 2>/dev/null | awk -v want="$*" '
		BEGIN { n = split(want, name, " ") }
		index($0, " " name[2] ": ") {
			split("", f)
			for (i = 1; i <= NF; i++)
				if (split($i, kv, "=") == 2)
					f[kv[1]] = kv[2]
			pid = $1
			sub(/.*-/, "", pid)
			line = name[2] " " pid
			for (i = 3; i <= n; i++)
				line = line " " (f[name[i]] == "" ? "-" : f[name[i]])
			print line
		}'
}

# --- what came of it -------------------------------------------------------------

ended() { # NAME JQ-EXPRESSION: holds for the last record
	tail -n 1 "$1.out" |
		jq -es "length == 1 and (.[0] | .type == \"end\" and ($2))" >/dev/null ||
		{ tail -n 1 "$1.out"; cat "$1.err"; false; }
}

all() { # NAME TYPE JQ-EXPRESSION: holds for all events of that type
	jq -es "map(select(.type == \"$2\")) | length > 0 and all($3)" "$1.out" >/dev/null
}

number_of() { # NAME TYPE [JQ-CONDITION]
	jq -s "map(select(.type == \"$2\" and (${3:-true}))) | length" "$1.out"
}

lines() {
	wc -l <"$1"
}

same() { # FILE FILE: the same, and not nothing
	diff "$1" "$2" && [ -s "$1" ]
}

sees() { # NAME FILE: the trace NAME, as of_snoop gives it, is FILE
	of_snoop "$1" >got
	same "$2" got
}

gives() { # STATUS REGEX CMD..
	status=$1 regex=$2
	shift 2
	timeout -s KILL 100 "$@" >gives.out 2>gives.err
	got=$?
	cat gives.out gives.err
	[ $got -eq "$status" ] && tr '\n' ' ' <gives.err | grep -qE "$regex" &&
		! grep -q '^libbpf' gives.err
}

# --- what every tool does --------------------------------------------------------

# A test sets $load, and $flood of a hundred events or more; of_work FILE lists
# the events of what a load printed, as of_snoop NAME does for a trace.

events_of() { # NAME: the number of them that the load says there were
	of_work "work.$1" >want
	lines want
}

ends_after_limit() {
	begin limit --json -n 5 && $load >work.limit && wait "$snoop" &&
		ended limit '.reason == "limit" and .events == 5 and .seen >= 5' &&
		[ "$(of_snoop limit | wc -l)" -eq 5 ]
}

ends_after_duration() {
	begin duration --json -d 1 && wait "$snoop" &&
		ended duration '.reason == "duration" and .duration_us >= 1000000'
}

ends_after_signal() { # SIGNAL
	begin signal --json && $load >work.signal && end "$1" &&
		n=$(events_of signal) && sees signal want &&
		ended signal ".reason == \"signal\" and .events == $n" &&
		grep -q "^$tool: $n events, 0 lost" signal.err
}

# Even without another event: its reader has gone.
ends_with_its_reader() {
	timeout -s KILL 100 "$tool" 2>pipe.err | head -n 1 >/dev/null
	grep -q "^$tool: 0 events, 0 lost" pipe.err
}

runs_a_command() {
	timeout -s KILL 100 "$tool" --json -- sh -c "$load >work.cmd; exit 3" \
		>cmd.out 2>cmd.err
	[ $? -eq 3 ] && of_work work.cmd >want && sees cmd want &&
		ended cmd '.reason == "command" and .command.exit == 3'
}

# A tracer that is stopped cannot read: what does not fit 4 KiB is lost.
overflow() { # NAME OPTION..: leaves its status in $status
	begin "$@" --json --buffer-kb 4 || return
	kill -STOP "$snoop"
	$flood >"work.$name"
	kill -CONT "$snoop"
	end
	status=$?
}

loss_is_told() {
	overflow lost && [ "$status" -eq 0 ] && n=$(events_of lost) &&
		ended lost ".lost > 0 and .events > 0 and .events + .lost == $n and
			.seen == $n and (.unfinished // 0) == 0" &&
		grep -q 'events were lost' lost.err
}

strict_fails_on_loss() {
	overflow strict --strict && [ "$status" -eq 1 ] && ended strict '.lost > 0'
}

replay_is_the_same() {
	begin live -w --record rec && $load >work.live && end &&
		"$tool" -w --replay rec 2>/dev/null >replayed &&
		diff live.out replayed &&
		[ "$(lines replayed)" -eq $(($(events_of live) + 1)) ]
}

# It uses what it says it would use, and nothing of it stays.
checks_what_it_does() {
	"$tool" --check --json ${events:+-e "$events"} >check.out 2>check.err &&
		"$tool" --check >check.text && begin plan --json && end || return
	cat check.out
	jq -es --slurpfile plan plan.out '.[0] | .type == "check" and .status == 0 and
		.hooks == $plan[0].plan and .kernel == $plan[0].kernel and .functions and
		.btf and .capabilities == ["CAP_BPF", "CAP_PERFMON"] and .missing == []' \
		check.out >/dev/null && grep -q '^can trace  yes$' check.text &&
		grep -qE '^[a-z]+ +tp_btf:' check.text || return
	echo 0 >/proc/sys/kernel/ftrace_enabled
	"$tool" --check --no-tracepoints --json ${events:+-e "$events"} >off.out 2>off.err
	set -- $?
	echo 1 >/proc/sys/kernel/ftrace_enabled
	cat off.out
	[ "$1" -eq 4 ] && jq -e '.status == 4 and (.functions | not) and
		(.missing | length) > 1' off.out >/dev/null
}

# Writing, killing and symbols: bits 1, 5 and 34 of linux/capability.h
keeps_few_capabilities() {
	begin few --json && caps=$(sed -n 's/^Cap\(Prm\|Eff\):\t//p' "/proc/$snoop/status" |
		sort -u) && end && echo "$caps" && [ "$caps" = 0000000400000022 ]
}

# A load outside of it, and one in a cgroup below it
only_that_cgroup() {
	mkdir cgroups && mount -t cgroup2 none cgroups && mkdir -p cgroups/a/b || return
	begin cgroup --json -c "$PWD/cgroups/a" &&
		$load >work.outside &&
		sh -c "echo \$\$ >cgroups/a/b/cgroup.procs && exec $load" >work.cgroup &&
		end || return
	n=$(events_of cgroup)
	rmdir cgroups/a/b cgroups/a && umount cgroups
	sees cgroup want && ended cgroup ".events == $n and .filtered >= $n" &&
		gives 2 'tmp is not a cgroup of version 2: it is another' "$tool" -c /tmp &&
		gives 2 'fs/cgroup/none is not a cgroup.*: No such' "$tool" -c none
}

# --- and tools that look again and again ---------------------------------------------

looks_are_replayed() { # COMMAND..: which makes something to see
	begin live --record rec 0.05 && "$@" >work.live && end || return
	"$tool" --replay rec >replayed 2>replayed.err
	[ "$(grep -c '"type":"event"' rec)" -gt 2 ] && same live.out replayed &&
		[ "$(tail -n 1 live.err)" = "$(tail -n 1 replayed.err)" ]
}

# Both files that are kept are recordings of their own, without a gap between.
looks_rotate() { # OPTION..: of a trace that records a MiB
	begin many --record many.rec --record-mb 1 "$@" || return
	appears many.rec.1 "$snoop"
	end || return
	[ "$(wc -c <many.rec.1)" -ge 1048576 ] && [ "$(wc -c <many.rec)" -lt 2097152 ] || return
	for file in many.rec.1 many.rec; do
		"$tool" --replay "$file" 2>>many.err || return
	done >kept
	tail -n "$(lines kept)" many.out | diff - kept && [ -s kept ]
}

ends_after() { # OPTION.. of one second or a signal: with a summary
	timeout -s KILL 100 "$tool" --json "$@" >after.out 2>after.err &&
		ended after '.snapshots >= 1 and .reason != "limit"'
}

runs_as_user() {
	echo 'nobody:x:65534:65534::/:/bin/sh' >>/etc/passwd
	"$tool" --json -o data -u 65534 -- id -u >id.out 2>id.err &&
		[ "$(cat id.out)" = 65534 ] && tail -n 1 data | jq -e '.reason == "command"'
}

# Of what there was no room for, only the end is counted, and that it is. The same load
# with room for all tells how many there are.
no_room_for_begins() { # JQ-EXPRESSION: how many were counted
	for room in 8192 1; do
		begin room --json --strict --in-flight "$room"
		vmm_test -r vmm.untranslated.batch >/dev/null
		end
		set -- "$@" $? "$(jq -s "$1" room.out)"
	done
	echo "status, requests: $2 $3, and with room for one $4 $5"
	[ "$2" -eq 0 ] && [ "$3" -gt 14 ] && [ "$4" -eq 1 ] && [ "$5" -eq "$3" ] &&
		ended room '.overflow > 0 and .unpaired == .overflow and .lost == 0' &&
		grep -q 'were not followed: too many' room.err
}

# Without events, it is noticed when the tool looks.
look_at_a_clock_that_is_set() { # OPTION..
	begin clock --json -T "$@" || return
	eventually told_in 20
	date -s '2041-02-03 04:05:06' >/dev/null
	eventually told_in 2041
	set -- $?
	end && return "$1"
}

told_in() { # YEAR: the last total
	jq -rs 'map(select(.type == "total").time) | last' clock.out 2>/dev/null |
		grep "^$1"
}

as_every_tool() {
	check "-n ends it" ends_after_limit
	check "-d ends it" ends_after_duration
	check "SIGINT ends it with a summary" ends_after_signal INT
	check "SIGTERM ends it with a summary" ends_after_signal TERM
	check "a closed pipe ends it with a summary" ends_with_its_reader
	check "--check tells what would be used, and whether it is enough" \
		checks_what_it_does
	check "-c: only that cgroup" only_that_cgroup
	check "once it traces, it keeps few capabilities" keeps_few_capabilities
	check "-- CMD: traced from its first to its last event" runs_a_command
	check "loss is counted and told" loss_is_told
	check "--strict: loss is status 1" strict_fails_on_loss
	check "--replay of --record is the same" replay_is_the_same
}
