#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# boot: -n -s 2 -t 300 -x tests/guest/vmm.allow -q -global -q intel-iommu.x-prs=on -q -global -q intel-iommu.x-pds=on
# files: tests/vmm/vfio.sh
#
# pasidsnoop in the VM: DMA that is refused and pages that are asked for, of a guest's
# device that was told the same, and whose the PASID is.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. ./lib.sh
tool=pasidsnoop
events=fault,page
faults='unmapped read-only beyond unbound no-pasid'

# shellcheck source-path=SCRIPTDIR source=../vmm/vfio.sh
. "$files/vfio.sh"
dev=$(vfio_bind && readlink -f /sys/class/vfio-dev/vfio0/device)
dev=${dev##*/}

shown() { # NAME NUMBER: events, at least
	[ "$(grep -c '"dev"' "$1.out")" -ge "$2" ]
}

# The driver prints three faults in five seconds, and keeps quiet about others.
provoke() { # KIND..: while NAME traces; what the device was told is in told.KIND
	n=0
	for kind; do
		sleep 6
		vmm_fault "$kind" >"told.$kind" || return
		n=$((n + 1))
		eventually shown "$name" "$n" || return
	done
}

# The driver names a device without its segment. A PASID of nobody has no owner.
told() { # KIND..: as of_fault has it
	for kind; do
		jq -c --arg dev "${dev#*:}" --arg kind "$kind" '
			($kind == "unbound" or $kind == "no-pasid") as $nobody |
			[(if $kind == "no-pasid" then null else .pasid end),
				(if $nobody then null else .pid end),
				(if $nobody then null else "vmm_fault" end),
				$dev, .access, .addr, .code]' "told.$kind" || return
	done
}

of_faults() { # NAME
	jq -c 'select(.type == "fault") |
		[.pasid, .pid, .comm, .dev, .access, .addr, .code]' "$1.out"
}

refused_as_the_device_was_told() {
	# shellcheck disable=SC2086 # words
	begin all --json --strict --record rec && provoke $faults && end || return
	# shellcheck disable=SC2086
	told $faults >want
	of_faults all >got
	cat all.out
	[ "$(lines want)" -eq 5 ] && same want got && ended all '.events == 5 and .lost == 0'
}

# Each printed line is one event, and says what the kernel said
words_are_the_kernels() {
	dmesg | sed -n 's/.*\] DMAR: \[DMA .*\[fault reason 0x[0-9a-f]*\] //p' >want
	jq -r 'select(.type == "fault").words' all.out >got
	same want got
}

replayed() {
	pasidsnoop --json -e "$events" --replay rec 2>/dev/null | grep '"dev"' >got
	grep '"dev"' all.out >want
	same want got
}

filtered() { # KIND OPTION..: what is shown of the recording is that one
	told "$1" >want
	shift
	pasidsnoop --json -e "$events" --replay rec "$@" >filter.out 2>/dev/null
	of_faults filter >got
	same want got
}

only_of_that_owner_or_pasid() {
	filtered beyond -p "$(jq .pid told.beyond)" &&
		filtered unbound -x -P "$(jq .pasid told.unbound)"
}

# What tells of the owner is not shown.
columns() {
	sleep 6
	begin columns && vmm_fault unmapped >told.unmapped &&
		eventually grep -q '^  SM: ' columns.out && end || return
	cat columns.out
	pid=$(jq .pid told.unmapped)
	! grep -q ' alloc ' columns.out &&
		grep -qE "^[0-9.]+ +fault +$pid +vmm_fault +0x[0-9a-f]+ +${dev#*:} +-$" \
			columns.out &&
		grep -qx '  read 0x7f0000003000, reason 0x71' columns.out
}

# Nobody maps pages for a guest: the device is told so at once.
asked_and_answered() {
	begin page --json --strict && vmm_fault page >told.page &&
		eventually shown page 2 && end || return
	cat told.page page.out
	jq -es --slurpfile told told.page --arg dev "$dev" '$told[0] as $t |
		map(select(.type == "page_req" or .type == "page_resp")) |
		length == $t.requests + $t.answers and length == 2 and
		all(.pid == $t.pid and .pasid == $t.pasid and .dev == $dev) and
		(map(.group) | unique | length) == 1 and
		(map(select(.type == "page_req"))[0] | .access == "read" and .last and
			.addr == "0x7f0000003000") and
		(map(select(.type == "page_resp"))[0] | .answer == "invalid")' page.out \
		>/dev/null
}

no_process_no_cgroup() {
	gives 2 'they are of no process' pasidsnoop -e fault -c a &&
		gives 2 'they are of no process' pasidsnoop -e page --follow -- true
}

check "what is refused is what the device was told, with its owner" \
	refused_as_the_device_was_told
check "each line of the kernel is one event, with its words" words_are_the_kernels
check "--replay of --record is the same" replayed
check "-p is the owner, -P the PASID" only_of_that_owner_or_pasid
check "columns" columns
check "a page is asked for and answered" asked_and_answered
check "-c and --follow are refused" no_process_no_cgroup
finish
