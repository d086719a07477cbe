#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# boot: -s 2 -t 200 -a intel_iommu=off
#
# The output of pasidsnoop for PASIDs of devices, in the VM: bindings of guests' page
# tables as gpasidwork made them and as trace-cmd recorded them, one by one, also
# those that fail, that are revoked, and of a process that is killed.
#
# intel_iommu=off: see kselftest.sh.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. ./lib.sh
tool=pasidsnoop

absent='does not tell of: .*attach, detach, bind, unbind'

# A kernel of the first patches
[ -e /sys/kernel/tracing/events/iommu/gpasid_bind ] || {
	check "events of devices are said to be absent" gives 0 "$absent" \
		pasidsnoop -d 1
	check "asked for: status 4" gives 4 'has not all|cannot show' \
		pasidsnoop -e bind,unbind -d 1
	finish
}

snoop() { # NAME OPTION..: traces the load of work.NAME, which is in $load
	name=$1
	shift
	timeout -s KILL 100 pasidsnoop --json --strict "$@" -- \
		sh -c "gpasidwork $load >work.$name" >"$name.out" 2>"$name.err" ||
		{ cat "$name.err"; false; }
}

# "bind PID PASID GPASID TABLE RET", "unbind PID PASID GPASID REVOKED RET", with -
# for the PID of what is revoked, by whatever worker of the kernel
no_worker() {
	awk '$1 == "unbind" && $5 == 1 { $2 = "-" } { print }' "$@" | sort
}

of_work() {
	jq -r '(.bind[] | "bind " + .), (.unbind[] | "unbind " + .)' "$@" | no_worker
}

of_snoop() {
	jq -r 'select(.type == "bind") |
		"bind \(.pid) \(.pasid) \(.gpasid // 0) \(.table) \(.ret)"' \
		"$1.out" >lines
	jq -r 'select(.type == "unbind") | (if .revoked then 1 else 0 end) as $r |
		"unbind \(.pid) \(.pasid) \(.gpasid // 0) \($r) \(.ret)"' \
		"$1.out" >>lines
	no_worker lines
}

# As by_tracecmd, of the events "gpasid_EVENT" and "EVENT_device_pasid"
fields() {
	by_tracecmd three "$@" | sed 's/gpasid_//; s/_device_pasid//'
}

three_sources() {
	beside_tracecmd three 'iommu:attach_device_pasid iommu:detach_device_pasid
		iommu:gpasid_bind iommu:gpasid_unbind' '' \
		'gpasidwork -n 3 -a 23 -u 11 -f 17 -x 5 -k >work.three'
	of_work work.three >three.work
	of_snoop three >three.snoop
	{
		fields gpasid_bind pasid gpasid gpgd ret
		fields gpasid_unbind pasid gpasid revoked ret
	} | no_worker >three.tracecmd
}

workload_did_its_part() {
	# two bound 23, were refused one, unbound 11, one twice, had 6 revoked and
	# 6 closed; the killed one bound 23
	[ "$(grep -c '^bind' three.work)" -eq $((2 * 24 + 23)) ] &&
		[ "$(grep -c '^unbind' three.work)" -eq $((2 * (11 + 1 + 6 + 6) + 23)) ]
}

attach_and_detach() {
	{
		fields attach_device_pasid device pasid ret
		fields detach_device_pasid device pasid ret
	} | sort >want
	jq -r 'select(.type == "attach" or .type == "detach") |
		"\(.type) \(.pid) \(.dev) \(.pasid) \(.ret)"' three.out | sort >got
	# one for each binding, one refused in each of two
	same want got && [ "$(grep -c '^attach' got)" -eq $((3 * 23 + 2)) ] &&
		[ "$(grep -c '^detach' got)" -eq $((3 * 23)) ]
}

devices() {
	{
		fields gpasid_bind device pasid
		fields gpasid_unbind device pasid
	} | sort >want
	jq -r 'select(.type == "bind" or .type == "unbind") |
		"\(.type) \(.pid) \(.dev) \(.pasid)"' three.out | sort >got
	same want got && [ "$(cut -d ' ' -f 3 got | sort -u | wc -l)" -eq 3 ]
}

nothing_lost() {
	[ "$(cat three.status)" -eq 0 ] && tail -n 1 three.out |
		jq -es '.[0] | .lost == 0 and .missed == 0 and .events > 200' >/dev/null
}

# For each PASID: attached, then bound; detached, then unbound; then freed
in_order() {
	jq -r 'select(.ret == 0 and .pasid) | "\(.type) \(.pasid)"' three.out | awk '
		$1 == "alloc" { ok = !now[$2] }
		$1 == "attach" { ok = now[$2] == "alloc" }
		$1 == "bind" { ok = now[$2] == "attach" }
		$1 == "detach" { ok = now[$2] == "bind" }
		$1 == "unbind" { ok = now[$2] == "detach" }
		$1 == "free" { ok = now[$2] == "unbind" }
		{ now[$2] = $1 == "free" ? "" : $1 }
		!ok { print "out of order: " $0; bad = 1 }
		END { exit bad || NR < 300 }'
}

killed_one_is_unbound() {
	killed=$(jq '.pids[-1]' work.three)
	[ "$(number_of three unbind ".pid == $killed and .ret == 0")" \
		-eq 23 ] &&
		[ "$(number_of three free ".pid == $killed")" -eq 23 ]
}

revoked_ones_are_told() {
	[ "$(number_of three unbind '.revoked')" -eq $((2 * 6)) ]
}

widths_are_told() {
	[ "$(number_of three bind '.width == 48')" -eq 71 ]
}

only_failures() {
	load='-n 1 -x 3'
	snoop failed -x && of_work work.failed | grep -v ' 0$' >want
	of_snoop failed >got
	same want got && [ "$(number_of failed attach '.err == "EBUSY"')" -eq 1 ] &&
		[ "$(number_of failed bind '.err == "EBUSY"')" -eq 1 ] &&
		[ "$(number_of failed unbind '.err == "ENOENT"')" -eq 1 ]
}

only_those_events() {
	load='-n 2'
	snoop events -e bind,unbind && of_work work.events >want
	of_snoop events >got
	same want got && [ "$(lines events.out)" -eq $(($(lines want) + 2)) ]
}

only_those_pasids() {
	load='-n 1 -a 7 -r 1000-1006 -u 7'
	snoop pasids -e bind,unbind -P 1002-1003 && of_work work.pasids |
		awk '$3 == 1002 || $3 == 1003' >want
	of_snoop pasids >got
	same want got && [ "$(lines got)" -eq 4 ]
}

columns() {
	pasidsnoop -w -e bind,unbind -- gpasidwork -a 1 -u 0 -f 1 2>/dev/null |
		grep -v '^{' >columns.out
	grep -qE '^[0-9.]+ +bind .* iommufd_mock0 +0 .* gpasid 0x64, table 0x1000000, 48 bits$' \
		columns.out &&
		grep -qE '^[0-9.]+ +unbind .* iommufd_mock0 +0 .* gpasid 0x64, revoked$' columns.out
}

absent_as_without() {
	gives 0 "$absent" pasidsnoop -d 1 --no-tracepoints
}

three_sources
check "the workload did what it should" workload_did_its_part
check "pasidsnoop = workload, binding by binding" same three.work three.snoop
check "pasidsnoop = trace-cmd, binding by binding" same three.tracecmd three.snoop
check "devices = trace-cmd" devices
check "attach and detach = trace-cmd" attach_and_detach
check "nothing lost or missed" nothing_lost
check "in order: attached, bound, detached, unbound, freed" in_order
check "of a killed process all is unbound, then freed" killed_one_is_unbound
check "what ends because its PASID is freed is said to be revoked" \
	revoked_ones_are_told
check "widths are told" widths_are_told
check "-x: only failures" only_failures
check "-e, -P: only those" eval 'only_those_events && only_those_pasids'
check "-w: device, guest PASID, page table, revoked" columns
check "without the tracepoints they are said to be absent" absent_as_without
finish
