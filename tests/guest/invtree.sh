#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# boot: -n -s 2 -t 600 -x tests/guest/vmm.allow
# files: tests/vmm/vfio.sh
#
# invsnoop -w in the VM: below each request is what the driver submitted for it, and
# nothing else, as trace-cmd has it between begin and end of the request.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. ./lib.sh
tool=invsnoop

[ -e /sys/kernel/tracing/events/iommu/cache_inv_begin ] || {
	skip "what is below a request" "no tracepoints"
	finish
}

# shellcheck source-path=SCRIPTDIR source=../vmm/vfio.sh
. "$files/vfio.sh"
vfio_bind

# Requests one by one, 256 of one call, and what nobody asks for: binding and unmapping
two_sources() {
	beside_tracecmd tree 'iommu:cache_inv_begin iommu:cache_inv_end intel_iommu:qi_submit' \
		-w 'vmm_floors >load'
	cat tree.err
	[ "$(cat tree.status)" -eq 0 ] && ended tree '.lost == 0 and .filtered > 0'
}

# "ID DESCRIPTORS" of each call, by its first request. The driver's tracepoint leaves out
# the waits that it adds.
by_tracecmd_below() {
	trace-cmd report -i tree.dat 2>/dev/null | awk '
		{
			pid = $1
			sub(/.*-/, "", pid)
		}
		/ cache_inv_(begin|end): / {
			match($0, / id=[0-9]+/)
			id = substr($0, RSTART + 4, RLENGTH - 4)
		}
		/ cache_inv_begin: / && !under[pid]++ { first[pid] = id }
		/ cache_inv_end: / && !--under[pid] { print first[pid], n[pid] + 0; n[pid] = 0 }
		/ qi_submit: / && under[pid] { n[pid]++ }' | sort -n
}

as_many_descriptors() {
	by_tracecmd_below >want
	jq -rs 'map(select(.type == "submission")) | group_by(.request)[] |
		"\(.[0].request) \(map(.descriptors) | add)"' tree.out | sort -n >got
	same want got && [ "$(lines got)" -ge 6 ]
}

# Of scattered pages 512 descriptors need four submissions, of adjacent ones two do;
# all of them are below the first request of the call.
one_call_of_many() {
	jq -es '. as $all | map(select(.type == "inv" and .entries == 256).id) as $ids |
		[$ids[0], $ids[256]] | map(. as $id | $all |
			map(select(.type == "submission" and .request == $id)) | length) |
		. == [4, 2] and ($ids | length) == 512' tree.out >/dev/null
}

# Each follows the request that it was made for, in whose time it is.
is_in_its_request() {
	jq -es 'def ends: .ts_us + .ns / 1000;
		reduce .[] as $e ({ good: true };
			if $e.type == "inv" then .request = $e
			elif $e.type == "submission" then .request as $r | .good = (.good and
				$e.request == $r.id and $e.tid == $r.tid and
				$e.ts_us >= $r.ts_us and ($e | ends) <= ($r | ends + 1) and
				$e.unit == "dmar0")
			else . end) | .good' tree.out >/dev/null
}

# Of requests that a filter leaves out nothing is shown, either.
of_one_device() {
	begin device --json -w -D "$dev" && vmm_floors >load && end || return
	cat device.err
	requests=$(number_of device inv)
	[ "$requests" -ge 1 ] && [ "$requests" -lt "$(number_of tree inv)" ] &&
		all device inv ".dev == \"$dev\"" &&
		[ "$(number_of device submission)" -eq "$requests" ]
}

only_with_that_option() {
	begin narrow --json && vmm_floors >load && end &&
		[ "$(number_of narrow submission)" -eq 0 ] && [ "$(number_of narrow inv)" -gt 256 ]
}

columns() {
	invsnoop -w -D "$dev" -o columns.out -- vmm_floors 2>err >load
	cat err columns.out
	grep -A 1 -E "^[0-9.]+ +[0-9]+ +$dev +0x1 " columns.out |
		grep -E '^[0-9.]+ +[0-9]+ +\\_ dmar0 +0x1 +i +[0-9.]+[um]s 0 +did [0-9]+ 0x1000\+4K'
}

replay_has_it_too() {
	begin live -w --record rec && vmm_floors >load && end &&
		invsnoop -w --replay rec 2>/dev/null >replayed && same live.out replayed &&
		invsnoop --replay rec 2>/dev/null >narrow.replayed &&
		! grep dmar0 narrow.replayed && cp rec /out/
}

check "requests and submissions are recorded by both" two_sources
# The one with less to do
dev=$(jq -rs 'map(select(.type == "inv")) | group_by(.dev) | min_by(length)[0].dev' tree.out)
check "below each call are as many descriptors as trace-cmd has there" as_many_descriptors
check "what serves many requests is below the first of them" one_call_of_many
check "each is of the thread and in the time of its request" is_in_its_request
check "-D: of requests that are left out there is nothing" of_one_device
check "without -w there are requests only" only_with_that_option
check "columns" columns
check "--replay of --record is the same" replay_has_it_too
finish
