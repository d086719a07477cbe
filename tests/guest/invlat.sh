#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# boot: -n -s 2 -t 300 -a rcupdate.rcu_cpu_stall_suppress=1 -x tests/guest/vmm.allow -q -global -q intel-iommu.x-inv-timeout=2000
# files: tests/vmm/vfio.sh
#
# invlat in the VM: its histograms have as many requests as the workload made and
# trace-cmd recorded, as many submissions as invsnoop shows; the slow one of two
# devices is the first.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. ./lib.sh
tool=invlat

[ -e /sys/kernel/tracing/events/iommu/cache_inv_begin ] || {
	skip "invalidations are measured" "no tracepoints"
	finish
}

# shellcheck source-path=SCRIPTDIR source=../vmm/vfio.sh
. "$files/vfio.sh"
vfio_bind

device() { # 0 or 1
	readlink -f "/sys/class/vfio-dev/vfio$1/device" | sed 's|.*/||'
}

sum() { # FILE KIND KEY: over all histograms of all looks
	jq -s "map(select(.type == \"histogram\" and .of == \"$2\").$3) | add // 0" "$1"
}

# Of each histogram: what is timed is in its buckets, and their bounds tell its time
adds_up() { # FILE
	jq -es 'map(select(.type == "histogram")) | length > 0 and all(
		(.buckets | map(.count) | add // 0) == .timed and
		(.buckets | map(.count * .low) | add // 0) <= .total_ns and
		.total_ns <= (.buckets | map(.count * .high) | add // 0) and
		.timed <= .requests and .failed <= .requests)' "$1" >/dev/null
}

measured_with_tracecmd() {
	beside_tracecmd three 'iommu:cache_inv_begin iommu:cache_inv_end' '' \
		'vmm_slow 1000 7 >three.work; vmm_test -r vmm.untranslated.batch >/dev/null'
	by_tracecmd three cache_inv_end ret >ends
}

as_many_as_tracecmd() {
	cat three.err
	[ "$(cat three.status)" -eq 0 ] && adds_up three.out &&
		[ "$(sum three.out request requests)" -eq "$(lines ends)" ] &&
		[ "$(sum three.out request timed)" -eq "$(lines ends)" ] &&
		[ "$(sum three.out request failed)" -eq "$(grep -vc ' 0$' ends)" ] &&
		[ "$(lines ends)" -gt 14 ] &&
		ended three '.lost == 0 and .missed == 0 and .unpaired == 0 and
			.unfinished == 0 and .seen > 14'
}

# Each ended within the time that trace-cmd has for its begin and end, and a little more
types_are_told() {
	jq -es 'map(select(.type == "histogram")) |
		any(.of == "request" and .key == "iotlb addr" and .requests >= 14) and
		any(.of == "submission" and .key == "piotlb addr") and
		any(.of == "submission" and .key == "pasid pasid") and all(.by == "type")' \
		three.out >/dev/null
}

# Submissions one by one, and counted, of the same command
as_many_as_invsnoop() {
	invlat --follow -e submission -j -o lat.out -- \
		invsnoop --follow --no-tracepoints -j -o snoop.out -- vmm_slow 0 5 \
		>work 2>err || return
	[ "$(sum lat.out submission requests)" -eq "$(number_of snoop submission)" ] &&
		[ "$(sum lat.out request requests)" -eq 0 ] &&
		[ "$(number_of snoop submission)" -ge 10 ]
}

slow_device_is_first() {
	begin slow --json -b device -e request || return
	vmm_slow 100000 5 >slow.work && end || return
	adds_up slow.out && jq -es --arg quick "$(device 0)" --arg slow "$(device 1)" '
		map(select(.type == "histogram")) | length == 2 and
		(.[0] | .key == $slow and .requests == 5 and .total_ns >= 500000000 and
			(.buckets | all(.high >= 100000000))) and
		(.[1] | .key == $quick and .requests == 5)' slow.out >/dev/null
}

by_pasid() {
	begin pasid --json -b pasid -e request || return
	vmm_slow 0 6 >pasid.work && end || return
	jq -es --slurpfile work pasid.work 'map(select(.type == "histogram")) |
		(map(.key) | sort) == ($work[0].pasids | sort) and
		all(.requests == 6 and .timed == 6)' pasid.out >/dev/null
}

failures() {
	begin failed --json -b device -x -e request || return
	vmm_slow never 2 >failed.work && end || return
	jq -es --arg slow "$(device 1)" 'map(select(.type == "histogram")) |
		length == 1 and (.[0] | .key == $slow and .requests == 2 and .failed == 2)' \
		failed.out >/dev/null && ended failed '.filtered == 2'
}

# Its number is known before the load begins; another one comes first.
only_that() { # OPTION: -p or -t
	rm -f go
	sh -c 'until [ -e go ]; do sleep 0.1; done; exec vmm_slow 0 4' >that.work &
	that=$!
	begin that --json -e request "$1" "$that" && vmm_slow 0 3 >other.work && : >go &&
		wait "$that" && end || return
	[ "$(sum that.out request requests)" -eq 8 ] && ended that '.filtered == 6'
}

# PASIDs that were freed rest, so the next load has the next ones: the first of two.
only_those_pasids() {
	next=$(($(vmm_slow 0 1 | jq .pasids[1]) + 1))
	begin pasids --json -e request -b pasid -P "$next,0x7000-0x7fff" &&
		vmm_slow 0 6 >pasids.work && end || return
	cat pasids.work
	[ "$(jq .pasids[0] pasids.work)" -eq "$next" ] &&
		jq -es --argjson next "$next" 'map(select(.type == "histogram")) |
			length == 1 and .[0].key == $next and .[0].requests == 6' \
			pasids.out >/dev/null && ended pasids '.filtered == 6'
}

# A load outside of it, and one in a cgroup below it
only_that_cgroup() {
	mkdir cgroups && mount -t cgroup2 none cgroups && mkdir -p cgroups/a/b || return
	begin cgroup --json -e request -c "$PWD/cgroups/a" && vmm_slow 0 3 >other.work &&
		sh -c 'echo $$ >cgroups/a/b/cgroup.procs && exec vmm_slow 0 4' >that.work &&
		end
	set -- $?
	rmdir cgroups/a/b cgroups/a && umount cgroups
	[ "$1" -eq 0 ] && [ "$(sum cgroup.out request requests)" -eq 8 ] &&
		ended cgroup '.filtered == 6'
}

# Of each that was counted and has its begin, the time is there.
no_room_is_told() {
	no_room_for_begins 'map(select(.of == "request").requests) | add' &&
		jq -es 'map(select(.type == "histogram")) as $h | (.[-1].overflow ==
			($h | map(.requests) | add) - ($h | map(.timed) | add))' room.out
}

only_that_device() {
	begin device --json -b pasid -D "$(device 0)" || return
	vmm_slow 0 4 >device.work && end || return
	[ "$(sum device.out request requests)" -eq 4 ] &&
		[ "$(sum device.out submission requests)" -eq 0 ]
}

# Several looks measure the same as one.
looks_add_up() {
	begin looks --json -e request -b device 0.2 || return
	begin_looks=$snoop
	vmm_slow 100000 9 >looks.work && snoop=$begin_looks && end || return
	adds_up looks.out && [ "$(sum looks.out request requests)" -eq 18 ] &&
		[ "$(number_of looks total)" -ge 3 ] &&
		[ "$(number_of looks histogram)" -ge 3 ]
}

writes_for_prometheus() {
	begin prom --json -b device -e request --prom prom.txt 0.5 || return
	vmm_slow 100000 4 >prom.work && end || return
	cat prom.txt
	name=iommu_invalidation_seconds labels="of=\"request\",device=\"$(device 1)\""
	grep -qxF "${name}_count{$labels} 4" prom.txt &&
		grep -qxF "${name}_bucket{$labels,le=\"0.067108863\"} 0" prom.txt &&
		grep -qxF "${name}_bucket{$labels,le=\"+Inf\"} 4" prom.txt &&
		grep -qxF 'iommu_invalidations_total{tool="invlat"} 8' prom.txt
}

ends_by_itself() {
	invlat 0.2 3 >three.text 2>err && grep -q '^invlat: 3 snapshots, 0 lost, ' err
}

by_submissions_alone() {
	begin stock --json --no-tracepoints -b device || return
	vmm_slow 0 3 >stock.work && end || return
	tr '\n' ' ' <stock.err | grep -q 'does not tell of requests' || return
	[ "$(sum stock.out request requests)" -eq 0 ] &&
		[ "$(sum stock.out submission requests)" -ge 6 ] &&
		jq -es 'map(select(.type == "histogram")) | all(.key == "dmar0")' stock.out \
			>/dev/null &&
		gives 4 'does not tell of requests' invlat --no-tracepoints -e request
}

has_the_shape() {
	begin text -b device -e request -r 1 || return
	vmm_slow 100000 3 >text.work && end || return
	cat text.out
	grep -q "^requests, $(device 1): 3, 0 failed, mean 1[0-9][0-9]ms\$" text.out &&
		grep -qE '^ +nsecs +: count +distribution$' text.out &&
		grep -qE '^ *67108864 -> 134217727 *: [1-3] +\|\*+ *\|$' text.out &&
		[ "$(grep -c '^requests, ' text.out)" -eq 1 ]
}

ends_with_summary() { # SIGNAL
	begin "sig$1" --json && vmm_slow 0 2 >sig.work && end "$1" &&
		[ "$(sum "sig$1.out" request requests)" -eq 4 ] &&
		ended "sig$1" '.reason == "signal" and .snapshots == 1'
}

measured_with_tracecmd
check "requests, failures = trace-cmd; all are timed" as_many_as_tracecmd
check "types of requests and submissions" types_are_told
check "submissions = invsnoop" as_many_as_invsnoop
check "-b device: the slow device is the first" slow_device_is_first
check "-b pasid: those of the workload" by_pasid
check "-x: failures" failures
check "-D: only that device" only_that_device
check "-p: only that process" only_that -p
check "-t: only that thread" only_that -t
check "-P: only those PASIDs" only_those_pasids
check "-c: only that cgroup" only_that_cgroup
check "--in-flight: what has no room is told" no_room_is_told
check "INTERVAL: the looks add up" looks_add_up
check "--prom: the same for Prometheus" writes_for_prometheus
check "INTERVAL COUNT: it ends by itself" ends_by_itself
check "without the series: submissions, and said so" by_submissions_alone
check "the shape of a histogram" has_the_shape
check "-d ends it" ends_after -d 1 0.2
check "-u: the user of the command" runs_as_user
check "--replay of --record is the same" looks_are_replayed vmm_slow 0 5
check "--record-mb keeps two files, each of which can be replayed" looks_rotate 0.001
check "SIGINT ends it with a summary" ends_with_summary INT
check "SIGTERM ends it with a summary" ends_with_summary TERM
check "--check tells what would be used, and whether it is enough" checks_what_it_does
check "-T: a clock that is set meanwhile" look_at_a_clock_that_is_set 0.2
finish
