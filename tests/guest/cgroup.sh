#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# boot: -t 300
#
# In the VM: the misc cgroup resource "pasid". A PASID counts for the cgroup of
# the process that allocated it, and for that one until it is free, whatever
# moves, dies or is removed in between.

# shellcheck source=/dev/null
. /lib/ktap.sh

top=/sys/fs/cgroup
mkdir /tmp/cgroup && cd /tmp/cgroup || exit 1

# --- cgroups ---------------------------------------------------------------------

# make NAME..: cgroups; what has cgroups below it passes the controller on
make() {
	for name; do
		mkdir "$top/$name" && [ -e "$top/$name/misc.max" ] || return
	done
}

pass_on() {
	echo +misc >"$top/$1/cgroup.subtree_control"
}

limit() { # NAME MAX
	echo "pasid $2" >"$top/$1/misc.max"
}

value() { # NAME FILE
	sed -n "s/^pasid[. a-z]* //p" "$top/$1/misc.$2"
}

is() { # NAME FILE WANTED
	got=$(value "$1" "$2")
	[ "$got" = "$3" ] || { echo "$1/misc.$2 is '$got', not '$3'"; return 1; }
}

all_in_use() { # N: of every process on top of what was used before
	is . current $((at_first + $1))
}

# --- processes -------------------------------------------------------------------

# start NAME [FD]: pasidhold in that cgroup
start() {
	dir=$top/$1
	shift
	mkfifo in out
	# shellcheck disable=SC2016 # for the inner shell
	sh -c 'echo $$ >"$0/cgroup.procs" && exec pasidhold "$@"' \
		"$dir" "$@" <in >out 4>&- 5<&- &
	holder=$!
	exec 4>in 5<out
	rm in out
}

does() { # WANTED COMMAND..
	wanted=$1
	shift
	echo "$*" >&4
	read -r reply <&5
	[ "$reply" = "$wanted" ] || { echo "$*: '$reply', not '$wanted'"; return 1; }
}

move() { # NAME
	echo "$holder" >"$top/$1/cgroup.procs"
}

stop() {
	exec 4>&- 5<&-
	wait "$holder"
}

killed() {
	kill -KILL "$holder"
	stop
	[ $? -eq 137 ]
}

# in_new NAME.. -- CASE: CASE with fresh cgroups, which are empty in the end
in_new() {
	new=''
	while [ "$1" != -- ]; do
		make "$1" || return
		[ "$1" != a ] || pass_on a || return
		new="$1 $new"
		shift
	done
	shift
	holder=''
	"$@"
	status=$?
	exec 3>&-
	[ $status -eq 0 ] || { kill -KILL "$holder"; stop; } 2>/dev/null
	for name in $new; do
		[ -d "$top/$name" ] || continue
		is "$name" current 0 || status=1
		rmdir "$top/$name" || status=1
	done
	all_in_use 0 && return $status
}

# --- what is counted ---------------------------------------------------------------

capacity_is_the_space() {
	is . capacity 1048576	# one more than there are PASIDs
}

counts() {
	start b && does 5 alloc 5 && is b current 5 && all_in_use 5 &&
		does 2 free 2 && is b current 3 && all_in_use 3 &&
		does 1 alloc 1 && is b current 4 &&
		is b peak 5 && is b events 0 && stop
}

failures_do_not_count() {
	start b && does "16 ENOSPC" alloc 20 0xffff0 0xfffff &&
		is b current 16 && does "0 EINVAL" alloc 1 0 9 &&
		is b current 16 && is b events 0 && stop
}

# Not EAGAIN, however many ask at once: misc.capacity is not what stops them. The
# last 1024 are the kernel's.
full_space() {
	quota=/sys/module/iommufd/parameters/pasid_quota
	before=$(cat $quota)
	echo 1048575 >$quota
	exec 3<>/dev/iommu
	echo "$before" >$quota
	start b 3 && does "1047551 ENOSPC" fill &&
		does "20000 ENOSPC" refused 5000 &&
		is . current $((1047551 + at_first)) && is b events 0 && is b events.local 0 && stop
}

# --- limits ------------------------------------------------------------------------

limit_refuses() {
	limit b 3 && is b max 3 && start b && does "3 EAGAIN" alloc 5 &&
		is b current 3 && is b events 1 && is b events.local 1 &&
		does "0 EAGAIN" alloc 1 && is b events 2 &&
		does 1 free 1 && does 1 alloc 1 && is b current 3 &&
		is b events 2 && stop
}

limit_below_use() {
	start b && does 5 alloc 5 && limit b 3 && is b current 5 &&
		does 2 free 2 && does "0 EAGAIN" alloc 1 &&
		does 1 free 1 && does 1 alloc 1 && stop
}

# Of the 16, those that were refused are there when the limit is gone.
refused_are_not_lost() {
	limit b 4 && start b && does "4 EAGAIN" alloc 9 0xffff0 0xfffff || return
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13; do
		does "0 EAGAIN" alloc 1 0xffff0 0xfffff || return
	done
	limit b max && does "12 ENOSPC" alloc 13 0xffff0 0xfffff && stop
}

# One that was freed just now is the last choice, refused in between or not.
refused_is_not_used_sooner() {
	start b && does 1 alloc 1 0x48000 0x48000 && does 1 free 1 &&
		limit b 0 && does "0 EAGAIN" alloc 1 0x48000 0x48000 &&
		limit b max && does 60 alloc 60 0x40000 0x7ffff &&
		does 1 alloc 1 0x48000 0x48000 && stop
}

# It must not cost kernel memory to be refused, all over the space.
refused_take_no_memory() {
	limit b 0 && start b || return
	before=$(sed -n 's/^Slab: *\([0-9]*\) kB/\1/p' /proc/meminfo)
	i=0
	while [ $i -lt 1000 ]; do
		does "0 EAGAIN" alloc 1 $((0x20000 + i * 64)) \
			$((0x20000 + i * 64)) || return
		i=$((i + 1))
	done
	after=$(sed -n 's/^Slab: *\([0-9]*\) kB/\1/p' /proc/meminfo)
	echo "slab: $before KiB before, $after KiB after"
	[ $((after - before)) -lt 2000 ] && stop
}

parent_limits_child() {
	limit a 5 && start a/x && does "5 EAGAIN" alloc 6 &&
		is a/x current 5 && is a current 5 && is a/y current 0 &&
		is a events 1 && is a events.local 1 &&
		is a/x events 0 && is a/x events.local 0 &&
		stop
}

child_limit_is_its_own() {
	limit a/x 2 && limit a 5 && start a/x && does "2 EAGAIN" alloc 3 &&
		is a/x events.local 1 && is a/x events 1 &&
		is a events.local 0 && is a events 1 &&
		move a/y && does "3 EAGAIN" alloc 4 &&
		is a/x current 2 && is a/y current 3 && is a current 5 &&
		is a events.local 1 && is a events 2 && is a/y events 0 && stop
}

# Without the controller the cgroup above counts.
counts_above() {
	mkdir "$top/a/x/plain" || return
	start a/x/plain && does 5 alloc 5 && [ ! -e "$top/a/x/plain/misc.current" ] &&
		is a/x current 5 && is a current 5 && stop &&
		rmdir "$top/a/x/plain"
}

# --- what moves and dies -------------------------------------------------------------

moved_stays_charged() {
	start b && does 5 alloc 5 && move c &&
		is b current 5 && is c current 0 &&
		does 2 free 2 && is b current 3 && is c current 0 &&
		does 1 alloc 1 && is b current 3 && is c current 1 && stop
}

killed_after_move() {
	start b && does 5 alloc 5 && move c && does 2 alloc 2 &&
		is b current 5 && is c current 2 && killed
}

# The file, descriptor 3, is the script's, and what is allocated on it stays.
# in_new closes it.
outlives_process() {
	exec 3<>/dev/iommu
	start b 3 && does 5 alloc 5 && killed && is b current 5 &&
		start c 3 && does 2 alloc 2 && stop && is b current 5 &&
		is c current 2 && all_in_use 7
}

# And it survives the cgroup: the one above still counts them, a new one of the
# same name does not.
outlives_cgroup() {
	exec 3<>/dev/iommu
	start a/x 3 && does 5 alloc 5 && stop && is a/x current 5 &&
		rmdir "$top/a/x" && is a current 5 && all_in_use 5 &&
		make a/x && is a/x current 0 &&
		start a/x 3 && does 2 alloc 2 && stop &&
		is a/x current 2 && is a current 7
}

# PASIDs of a cgroup that is going are given back one by one from another.
freed_from_elsewhere() {
	start a/x && does 5 alloc 5 && move c && rmdir "$top/a/x" &&
		is a current 5 && does 3 free 3 && is a current 2 &&
		is c current 0 && limit a 2 && does 1 alloc 1 &&
		is a current 2 && is c current 1 && is a events 0 && stop
}

many_come_and_go() {
	pass_on a/x || return
	exec 3<>/dev/iommu
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		make a/x/t && start a/x/t 3 && does 7 alloc 7 && stop &&
			rmdir "$top/a/x/t" || return
	done
	is a/x current 70 && is a current 70
}

pass_on . || note "the kernel has no misc controller"
at_first=$(value . current)
exec 4>&- 5<&-
check "the capacity is the 20-bit space" capacity_is_the_space
check "allocated and freed PASIDs count" in_new b -- counts
check "failures do not count" in_new b -- failures_do_not_count
check "a full space is ENOSPC whoever asks" in_new b -- full_space
check "misc.max refuses, misc.events counts" in_new b -- limit_refuses
check "a limit below use takes nothing away" in_new b -- limit_below_use
check "no PASID is lost by a refusal" in_new b -- refused_are_not_lost
check "no PASID is used sooner by a refusal" \
	in_new b -- refused_is_not_used_sooner
check "no memory is used by a refusal" in_new b -- refused_take_no_memory
check "the limit of a parent" in_new a a/x a/y -- parent_limits_child
check "the limit of a child" in_new a a/x a/y -- child_limit_is_its_own
check "a cgroup without the controller" in_new a a/x -- counts_above
check "moved: the first cgroup is charged" in_new b c -- moved_stays_charged
check "killed after a move" in_new b c -- killed_after_move
check "PASIDs outlive their process" in_new b c -- outlives_process
check "PASIDs outlive their cgroup" in_new a a/x -- outlives_cgroup
check "freed from another cgroup" in_new a a/x c -- freed_from_elsewhere
check "cgroups that come and go" in_new a a/x -- many_come_and_go
finish
