#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# boot: -n -s 2 -t 300 -a rcupdate.rcu_cpu_stall_suppress=1 -x tests/guest/vmm.allow -q -global -q intel-iommu.x-inv-timeout=4000
# files: tests/vmm/vfio.sh
#
# invsnoop --stuck in the VM: of two devices one never answers an invalidation, until
# the unit gives up after 4 s. It is named, with who waits for it and where.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. ./lib.sh
tool=invsnoop

[ -e /sys/kernel/tracing/events/iommu/cache_inv_begin ] || {
	skip "what is stuck is named" "no tracepoints"
	finish
}

# shellcheck source-path=SCRIPTDIR source=../vmm/vfio.sh
. "$files/vfio.sh"
vfio_bind

# The second one is the one that vmm_slow makes slow
device() {
	readlink -f /sys/class/vfio-dev/vfio1/device | sed 's|.*/||'
}

# looks NAME DELAY OPTION..: leaves the status of the tool in $status
looks() {
	name=$1 delay=$2
	shift 2
	begin "$name" --json "$@" || return
	vmm_slow "$delay" 1 >"$name.work" || return
	end
	status=$?
	cat "$name.err"
}

stalled() { # NAME JQ-EXPRESSION: of the array of what waits, with $work
	jq -es --slurpfile work "$1.work" 'map(select(.type == "stalled")) |
		$work[0] as $work | '"$2" "$1.out"
}

nothing_is_stuck() {
	looks idle 0 --stuck && [ "$status" -eq 0 ] && ended idle '.events == 0 and .seen > 0'
}

names_the_culprit() {
	looks never never --stuck=0.5 && [ "$status" -eq 5 ] &&
		jq -e '.failed == [0, 1]' never.work &&
		stalled never "map(select(.dev)) | length > 1 and all(
			.dev == \"$(device)\" and .pasid == \$work.pasids[1] and
			.pid == \$work.pid and .comm == \"vmm_slow\" and
			.addr == \"0x10000000\" and .ns >= 500000000 and .ret == null)"
}

# The longer it looks the longer it has taken
counts_the_time() {
	stalled never 'map(select(.dev).ns) | . == sort and .[-1] >= .[0] + 900000000'
}

# shellcheck disable=SC2016 # variables of jq
tells_where_it_waits() {
	stalled never 'map(select(.dev)) |
			all(.stack | any(startswith("iommufd_fops_ioctl+"))) and
			all(.stack[0] | test("bpf|trace") | not)' &&
		stalled never 'map(select(.unit)) | length > 0 and all(.unit == "dmar0" and
			.tid == $work.pid and
			(.stack | any(startswith("iommu_gpasid_") or
				      startswith("iommufd_fops_ioctl+"))))'
}

# shellcheck disable=SC2016 # variables of jq
request_is_above_its_submission() {
	stalled never 'map(has("unit")) as $below | any($below[]; .) and
			all(range($below | length) as $i | $below[$i] | not or
			    ($i > 0 and $below[$i - 1] == false); .)'
}

by_submissions_alone() {
	looks stock never --stuck=0.5 --no-tracepoints && [ "$status" -eq 5 ] &&
		stalled stock 'length > 1 and all(.unit == "dmar0" and
			.comm == "vmm_slow" and
			(.stack | any(startswith("iommufd_fops_ioctl+"))))'
}

debugfs=/sys/kernel/debug/iommu/intel/invalidation_queue

# Head and tail as they are, again and again
queue_of_debugfs() {
	until [ -e sampled ]; do
		sed -nE 's/.*Head: ([0-9]+)\tTail: ([0-9]+)$/\1 \2/p' "$debugfs"
		sleep 0.1
	done
}

tells_where_the_queue_is() {
	queue_of_debugfs >samples &
	sampler=$!
	looks queue never --stuck=0.5
	touch sampled
	wait "$sampler"
	jq -r 'select(.type == "stalled" and .unit) | "\(.queue.head) \(.queue.tail)"' \
		queue.out | sort -u >told
	cat told
	[ -s told ] && ! grep -vxFf samples told && ! grep debugfs queue.err
}

# However often it looks
says_once_that_there_is_no_debugfs() {
	mount -t tmpfs none /sys/kernel/debug || return
	looks blind never --stuck=0.5
	umount /sys/kernel/debug
	[ "$status" -eq 5 ] && [ "$(grep -c "cannot read $debugfs: No such" blind.err)" -eq 1 ] &&
		[ "$(number_of blind stalled .unit)" -gt 1 ] &&
		[ "$(number_of blind stalled .queue)" -eq 0 ]
}

does_not_look_before_it_must() {
	mount -t tmpfs none /sys/kernel/debug || return
	looks free 0 --stuck
	umount /sys/kernel/debug
	[ "$status" -eq 0 ] && ! grep debugfs free.err
}

lines_have_the_stack_below() {
	begin text --stuck=0.5 || return
	vmm_slow never 1 >text.work
	end
	cat text.out
	grep -A 9 -E "$(device) .* waits +0x10000000\\+4K\$" text.out |
		grep -qE '^        iommufd_fops_ioctl\+0x' &&
		grep -A 1 ' dmar0 .* waits ' text.out |
		grep -qE '^        queue of dmar0: head [0-9]+, tail [0-9]+$'
}

# A script waits for the first thing that is stuck
first_one_ends_it() {
	begin first --stuck=0.5 -n 1 -d 60 || return
	vmm_slow never 1 >first.work
	wait "$snoop"
	[ $? -eq 5 ] && [ "$(grep -c waits first.out)" -eq 1 ]
}

check "nothing is stuck: status 0" nothing_is_stuck
check "the device that never answers is named, status 5" names_the_culprit
check "for how long" counts_the_time
check "where it waits: of the request, and of the submission" tells_where_it_waits
check "the request is above its submission" request_is_above_its_submission
check "without the series: the submission, and who made it" by_submissions_alone
check "where the queue is, as debugfs has it" tells_where_the_queue_is
check "without debugfs: said once" says_once_that_there_is_no_debugfs
check "of what is not stuck no queue is read" does_not_look_before_it_must
check "columns, and the stack below" lines_have_the_stack_below
check "-n 1: the first one ends it" first_one_ends_it
finish
