#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# In the VM, by tests/bench/tools: "cost NAME PATH READER" for each way to trace requests
# to invalidate, in instructions for a request: what those who ask take, and what the
# tracer's own processes take. The guest's clock counts instructions.

few=1000 many=5000
groups=/sys/fs/cgroup

# The command that a tracer runs. The loads differ in their length, so that what it takes
# to begin and to end is left out; the least of some runs is what has met nothing else.
# Before and behind each the tracer has time to read what there is.
script() { # GROUP COMMAND
	cat <<-END
	used() {
		sleep 1
		sed -n 's/^usage_usec //p' $groups/load/cpu.stat $groups/reader/cpu.stat
	}
	echo \$\$ >$groups/$1/cgroup.procs
	for n in $few $many $few $many $few $many; do
		(echo \$n; used; $2 >/dev/null; used) | xargs
	done >used
	END
}

cost() { # NAME TRACER..: which takes a command
	name=$1
	shift
	# shellcheck disable=SC2016 # for that shell
	sh -c 'echo $$ >"$0" && exec "$@"' $groups/reader/cgroup.procs "$@" >out 2>&1 || {
		cat out
		return 1
	}
	awk -v name="$name" -v few=$few -v many=$many '
		function least(of, n, value) {
			if (!(n in of) || value < of[n])
				of[n] = value
		}
		function each(of) {
			return 1000 * (of[many] - of[few]) / (many - few)
		}
		{ least(path, $1, $4 - $2); least(reader, $1, $5 - $3) }
		END { printf "cost %s %d %d\n", name, each(path), each(reader) }' used
}

events='-e iommu:cache_inv_begin -e iommu:cache_inv_end'
counting='tracepoint:iommu:cache_inv_begin { @begun = count(); }
	tracepoint:iommu:cache_inv_end { @ended = count(); }'
timing='tracepoint:iommu:cache_inv_begin { @at[args->id] = nsecs; }
	tracepoint:iommu:cache_inv_end /@at[args->id]/ {
		@us = hist((nsecs - @at[args->id]) / 1000);
		delete(@at[args->id]);
	}'
mkdir $groups/load $groups/reader
# shellcheck disable=SC2016 # for those scripts
{
	script load 'gpasidwork -i $n' >load.sh
	script reader 'trace-cmd report -i $n.dat' >report.sh
}

cost nothing sh load.sh
cost pasidsnoop pasidsnoop -o snoop -- sh load.sh
cost invsnoop invsnoop -o snoop -- sh load.sh
cost invsnoop-json invsnoop --json -o snoop -- sh load.sh
cost invsnoop-w invsnoop -w -o snoop -- sh load.sh
cost invsnoop-stuck invsnoop --stuck -o snoop -- sh load.sh
cost pasidtop pasidtop -o snoop -- sh load.sh
cost invlat invlat -o snoop -- sh load.sh
# shellcheck disable=SC2086 # an option for each event
cost trace-cmd trace-cmd record -q $events -o trace.dat sh load.sh
for n in $few $many; do
	# shellcheck disable=SC2086
	trace-cmd record -q $events -o $n.dat gpasidwork -i $n >/dev/null
done
cost report sh report.sh
# bpftrace takes its command as one word
cost count bpftrace -c 'sh load.sh' -e "$counting"
cost hist bpftrace -c 'sh load.sh' -e "$timing"
