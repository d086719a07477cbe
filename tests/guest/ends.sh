#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# boot: -s 2 -t 300
#
# How the tools end, in the VM: by output that cannot be written, by signals, and
# with or before the command that they run.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. ./lib.sh
tool=pasidsnoop

# --- output that cannot be written ---------------------------------------------

# Ends by itself: nothing else does
full_from_the_first_line() { # OPTION..
	gives 1 'cannot write the output: No space left' \
		sh -c "exec pasidsnoop $* >/dev/full"
}

closed_from_the_first_line() {
	gives 1 'cannot write the output: Bad file descriptor' \
		sh -c 'exec pasidsnoop >&-'
}

not_written_not_run() {
	gives 1 'No space left' sh -c 'exec pasidsnoop -- touch ran >/dev/full' &&
		[ ! -e ran ]
}

small_disk() {
	mkdir -p small && mount -t tmpfs -o size=64k none small
}

full_later() { # OPTION..: with a file on the small disk, or stdout
	small_disk || return
	rm -f ready
	timeout -s KILL 100 pasidsnoop --ready-file ready "$@" \
		>small/out 2>later.err &
	snoop=$!
	appears ready "$snoop" && pasidwork -n 4 -a 499 -f 251 >/dev/null
	wait "$snoop"
	status=$?
	umount small
	cat later.err
	[ "$status" -eq 1 ] && grep -q 'No space left' later.err
}

recording_is_full() {
	small_disk || return
	rm -f ready
	timeout -s KILL 100 pasidsnoop --ready-file ready --record small/rec \
		>later.out 2>later.err &
	snoop=$!
	appears ready "$snoop" && pasidwork -n 4 -a 499 -f 251 >/dev/null
	wait "$snoop"
	status=$?
	umount small
	cat later.err
	[ "$status" -eq 1 ] && grep -q 'cannot write small/rec: ' later.err
}

# Both files that are kept are recordings of their own, and the older one is full.
recording_rotates() {
	rm -f ready
	timeout -s KILL 100 pasidsnoop --ready-file ready --record many --record-mb 1 \
		-o /dev/null -e alloc,free 2>many.err &
	snoop=$!
	appears ready "$snoop" && pasidwork -n 16 -a 749 -f 0 >/dev/null && end || return
	set -- "$(wc -c <many.1)" "$(wc -c <many)"
	[ "$1" -ge 1048576 ] && [ "$1" -le 1050000 ] && [ "$2" -lt 1050000 ] || return
	for file in many many.1; do
		pasidsnoop --replay "$file" --json >"$file.out" 2>"$file.err" &&
			[ "$(tail -n 1 "$file.out" | jq .events)" -eq \
				"$(grep -c '"type":"event"' "$file")" ] || return
	done
	[ "$(tail -n 1 many.out | jq .seen)" -eq 23968 ]
}

# Nothing that is said may get into the file that has the place of stdout or stderr
closed_ones_stay_closed() {
	pasidsnoop --record rec -d 1 2>&- >later.out
	grep -q '"type":"recording"' rec && ! grep -E '^pasidsnoop|^TIME' rec
}

# --- signals ---------------------------------------------------------------------

ends_with_summary() { # SIGNAL
	begin "sig$1" --json && pasidwork -n 1 >/dev/null && end "$1" &&
		ended "sig$1" '.reason == "signal"' &&
		grep -q '^pasidsnoop: [1-9][0-9]* events, 0 lost' "sig$1.err"
}

hangup_that_is_ignored() {
	rm -f ready
	(trap '' HUP; exec timeout -s KILL 100 pasidsnoop --json --ready-file ready \
		>nohup.out 2>nohup.err) &
	snoop=$!
	appears ready "$snoop" && kill -HUP "$snoop" && sleep 1 && kill -0 "$snoop" && end INT
}

# More than a file may have: a write fails, and no signal kills the tool
too_large() {
	rm -f ready
	(ulimit -f 8; exec timeout -s KILL 100 pasidsnoop --ready-file ready \
		>large.out 2>large.err) &
	snoop=$!
	appears ready "$snoop" && pasidwork -n 4 -a 499 -f 251 >/dev/null
	wait "$snoop"
	status=$?
	cat large.err
	[ "$status" -eq 1 ] && grep -q 'File too large' large.err &&
		grep -q ' events, ' large.err
}

# --- the command -----------------------------------------------------------------

# It leaves its number in "pid", and is a shell that ignores signals named after it
cat >stays.sh <<-'END'
	[ $# -eq 0 ] || trap '' "$@"
	echo $$ >pid
	while :; do sleep 0.1; done
END

runs() { # OPTION..: the tool with that command, in $snoop
	rm -f pid
	timeout -s KILL 100 pasidsnoop "$@" >runs.out 2>runs.err &
	snoop=$!
	until [ -s pid ]; do sleep 0.1; done
}

gone() { # within two seconds
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		kill -0 "$(cat pid)" 2>/dev/null || return 0
		sleep 0.2
	done
	kill -9 "$(cat pid)"
	return 1
}

command_ends_with_tool() { # SIGNAL
	runs --json -- sh stays.sh
	end "$1" && gone && tail -n 1 runs.out |
		jq -e '.reason == "signal" and .command.signal == 15' >/dev/null
}

command_that_stays_is_killed() {
	runs --json -- sh stays.sh TERM
	end && gone && grep -q 'goes on after SIGTERM' runs.err &&
		tail -n 1 runs.out | jq -e '.command.signal == 9' >/dev/null
}

killed_tool_takes_its_command() {
	runs --json -- sh stays.sh
	kill -KILL "$snoop"
	wait "$snoop"
	gone
}

second_interrupt_takes_it() {
	runs --json -- sh stays.sh INT TERM
	kill -INT "$snoop"
	sleep 1
	kill -INT "$snoop"
	wait "$snoop"
	[ $? -eq 130 ] && gone
}

passes_on() { # STATUS SCRIPT
	pasidsnoop --json -o data -- sh -c "$2" >/dev/null 2>&1
	[ $? -eq "$1" ] && tail -n 1 data | jq -e '.reason == "command"' >/dev/null
}

data_and_output_apart() {
	pasidsnoop --json -o data -- sh -c 'echo mine; pasidwork -n 1 >/dev/null' \
		>cmd.out 2>cmd.err && [ "$(cat cmd.out)" = mine ] &&
		jq -es '.[0].type == "start" and .[-1].type == "end"' data >/dev/null &&
		! grep -q mine data && ! grep -q 'comes between' cmd.err
}

mixing_is_said() {
	pasidsnoop --json -- true 2>mix.err >/dev/null &&
		tr '\n' ' ' <mix.err | grep -q 'comes between the lines of data; -o FILE'
}

as_another_user() {
	echo 'nobody:x:65534:65533::/:/bin/sh' >>/etc/passwd
	echo 'more:x:77:root,nobody' >>/etc/group
	# shellcheck disable=SC2016
	pasidsnoop -o data -u nobody -- sh -c 'id -u; id -g; id -G' >id.out 2>id.err
	printf '65534\n65533\n65533 77\n' | diff - id.out
}

# It is that user's command that must go when the tool is killed
user_does_not_keep_it() {
	chmod 777 .
	runs --json -u 65534 -- sh stays.sh
	kill -KILL "$snoop"
	wait "$snoop"
	gone
}

of_trace() {
	jq -r 'select(.type == "alloc" or .type == "free") |
		"\(.type) \(.pid) \(.pasid) \(.ret)"' "$1" | sort
}

# Children, theirs, and one whose parent does not wait for it; but not others
follows_the_command() {
	(while :; do pasidwork -n 2; done) >/dev/null 2>&1 &
	noise=$!
	sleep 1
	pasidsnoop --json --strict --follow -e alloc,free -o data -- sh -c '
		pasidwork -n 3 >work1 &
		(pasidwork -n 2 -a 13 -f 0 >work2 &)
		sh -c "pasidwork -n 1 -k >work3"
		wait
		until [ -s work2 ]; do sleep 0.1; done' 2>follow.err
	status=$?
	kill "$noise"
	wait "$noise"
	cat follow.err
	jq -r '.events[]' work1 work2 work3 | sort >want
	of_trace data >got
	[ "$status" -eq 0 ] && same want got &&
		tail -n 1 data | jq -e '.filtered > 40 and .unfollowed == 0' >/dev/null
}

does_not_follow_unasked() {
	(while :; do pasidwork -n 2; done) >/dev/null 2>&1 &
	noise=$!
	pasidsnoop --json -o data -- sleep 3 2>/dev/null
	kill "$noise"
	wait "$noise"
	[ "$(of_trace data | wc -l)" -gt 40 ]
}

# --- what can show nothing -----------------------------------------------------------

no_iommu_is_told() {
	pasidsnoop -d 1 2>iommu.err >/dev/null
	[ -n "$(ls /sys/class/iommu)" ] && ! grep 'no IOMMU' iommu.err &&
		mount -t tmpfs none /sys/class/iommu || return
	gives 0 'no IOMMU that is on: /sys/class/iommu is empty' pasidsnoop -d 1
	set -- $?
	umount /sys/class/iommu
	return "$1"
}

# Stock kernels have the driver of VT-d on every machine. Nothing is known of requests.
other_iommus_are_told() {
	mount -t tmpfs none /sys/class/iommu && mkdir /sys/class/iommu/ivhd0 || return
	sees_no_submissions invsnoop && sees_no_submissions invlat &&
		mkdir /sys/class/iommu/dmar0 &&
		invsnoop --no-tracepoints --check | grep -q '^can trace  yes$'
	set -- $?
	umount /sys/class/iommu
	return "$1"
}

sees_no_submissions() { # TOOL
	gives 4 'no IOMMU of this machine is one' "$1" --no-tracepoints -d 1 &&
		gives 4 'no IOMMU of this machine is one' "$1" --no-tracepoints --check &&
		grep -q '^units      ivhd0$' gives.out &&
		grep -q '^submit     -$' gives.out &&
		grep -q '^can trace  no$' gives.out &&
		! grep -q 'does not tell of invalidations' gives.err
}

filters_that_name_nothing_are_told() {
	gives 0 'there is no process 4000000: nothing is seen' \
		pasidsnoop -p 4000000 -d 0.1 &&
		{ ! [ -e /sys/kernel/tracing/events/iommu/cache_inv_begin ] ||
			gives 0 'no device 0000:3a:01.0 in /sys/bus' \
				invsnoop -D 3a:01.0 -d 100ms; }
}

# --- and the clock -----------------------------------------------------------------

clock_that_is_set() {
	begin clock --json -T && pasidwork -n 1 >/dev/null || return
	date -s '2041-02-03 04:05:06' >/dev/null
	pasidwork -n 1 >/dev/null
	end
	jq -r 'select(.type == "alloc") | .time[:4]' clock.out | uniq -c |
		awk '{ print $1 }' | xargs >got
	tail -n 2 clock.out
	[ "$(cat got)" = '23 23' ] && grep -q '"time":"2041-02-03T' clock.out
}

check "a full disk ends it, text" full_from_the_first_line
check "a full disk ends it, JSON" full_from_the_first_line --json
check "a closed stdout ends it" closed_from_the_first_line
check "a command does not run if its trace cannot be written" not_written_not_run
check "a disk that fills later ends it, text" full_later
check "a disk that fills later ends it, JSON" full_later -j
check "a recording that cannot be written ends it" recording_is_full
check "a recording is kept in two files, each of which can be replayed" recording_rotates
check "a stderr that is closed is no other file" closed_ones_stay_closed
for signal in INT TERM HUP; do
	check "SIG$signal ends it with a summary" ends_with_summary "$signal"
done
check "SIGHUP that is ignored from outside does not" hangup_that_is_ignored
check "a file that gets too large ends it with a summary" too_large
for signal in INT TERM HUP; do
	check "SIG$signal: the command ends with it" command_ends_with_tool "$signal"
done
check "a command that ignores SIGTERM is killed" command_that_stays_is_killed
check "a command does not outlive a tool that is killed" \
	killed_tool_takes_its_command
check "a second Ctrl-C kills the command, too" second_interrupt_takes_it
check "-- CMD: its status is the tool's" eval \
	'passes_on 0 "exit 0" && passes_on 77 "exit 77"'
check "-- CMD: of a signal that kills it the tool dies" eval \
	'passes_on 137 "kill -9 \$\$" && passes_on 143 "kill \$\$"'
check "-o: the data are apart from what the command prints" data_and_output_apart
check "without -o it is said that they are not" mixing_is_said
check "-u: user and groups of the command" as_another_user
check "-u: a command does not outlive a tool that is killed" \
	user_does_not_keep_it
check "--follow: the command and all that comes of it" follows_the_command
check "without it others are shown, too" does_not_follow_unasked
check "-T: a clock that is set meanwhile" clock_that_is_set
check "a machine without an IOMMU is told" no_iommu_is_told
check "a machine without units of VT-d is told, and no submission is traced" \
	other_iommus_are_told
check "filters that name nothing are told" filters_that_name_nothing_are_told
check "-o: a file that cannot be written: status 1" gives 1 \
	'cannot write /nowhere/x: No such file' pasidsnoop -o /nowhere/x
finish
