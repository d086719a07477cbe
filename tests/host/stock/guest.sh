#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# In the VM, on an unmodified kernel, by tests/host/stock.sh: what the tools see of
# devices that go and come again behind the IOMMU.

# shellcheck source-path=SCRIPTDIR source=../../guest/lib.sh
. ./lib.sh
tool=invsnoop
mount -t securityfs none /sys/kernel/security

# All but the bridge to the rest of the machine
cat >traffic.sh <<-'END'
	for dev in /sys/bus/pci/devices/0000:00:*; do
		case $dev in
		*:00.0 | *:1f.0) ;;
		*) echo 1 >"$dev/remove" ;;
		esac
	done
	echo 1 >/sys/bus/pci/rescan
	sleep 1
END

as_by_tracecmd() { # NAME COMMAND: a load
	beside_tracecmd "$1" intel_iommu:qi_submit '' "$2"
	cat "$1.err"
	n=$(jq -s 'map(select(.type == "submission").descriptors) | add' "$1.out")
	recorded=$(trace-cmd report -R -i "$1.dat" 2>/dev/null | grep -c ' qi_submit: ')
	echo "$n descriptors, by trace-cmd $recorded"
	[ "$(cat "$1.status")" -eq 0 ] && [ "$n" -ge 10 ] && [ "$n" -eq "$recorded" ] &&
		ended "$1" '.lost == 0 and .missed == 0 and .unpaired == 0'
}

all_are_described() {
	all three submission '.unit == "dmar0" and .descriptor != null and .ret == 0 and
		.ns > 0 and .comm == "sh"'
}

# Nothing makes PASIDs here: that it is in place is what can be seen.
pasids_would_be_seen() {
	gives 0 'alloc comes without SET.* 0 events, 0 lost' \
		pasidsnoop -e alloc,free --follow -- true
}

# There is no device here that has PASIDs, and so no fault of one
faults_would_be_seen() {
	pasidsnoop -e fault,page --check --json >hooks
	cat hooks
	jq -e '.hooks | .fault != null and .page_req != null and .page_resp != null' hooks &&
		gives 0 ' 0 events, 0 lost' pasidsnoop -e fault,page -- true
}

# The same command, shown one by one, counted by type, and counted by PASID
as_many_by_all() {
	pasidtop --json -o top.out 0.5 -- \
		invlat --follow --json -o lat.out -- \
		invsnoop --follow --json -o snoop.out -- sh traffic.sh 2>err
	status=$?
	cat err
	shown=$(number_of snoop submission)
	measured=$(jq -s 'map(select(.type == "histogram").requests) | add' lat.out)
	counted=$(jq -s 'map(select(.type == "total").requests // 0) | add' top.out)
	echo "$shown shown, $measured measured, $counted counted"
	[ "$status" -eq 0 ] && [ "$shown" -ge 10 ] && [ "$shown" -eq "$measured" ] &&
		[ "$counted" -ge "$shown" ] && ended top '.lost == 0' &&
		ended lat '.lost == 0 and .missed == 0 and .unpaired == 0'
}

nothing_is_stuck() {
	gives 0 ' 0 events, 0 lost' invsnoop --stuck -- sh traffic.sh
}

says_what_there_is() {
	invsnoop --check --json | jq -e '.status == 0 and .units == ["dmar0"] and
		.hooks.begin == null and .hooks.submit == "fentry:qi_submit_sync" and
		.missing == ["begin", "end"] and .lockdown == "none"' &&
		pasidtop --check && gives 4 'no list of the PASIDs' pasidtop --once
}

# The drivers are modules, some of which this kernel may have built in. What a disk has
# read is unmapped by interrupts.
of_a_disk() {
	for driver in virtio_ring virtio virtio_pci_legacy_dev virtio_pci_modern_dev \
		virtio_pci virtio_blk; do
		[ ! -e "$files/$driver.ko" ] || insmod "$files/$driver.ko" || return
	done
	eventually [ -b /dev/vdb ] &&
		as_by_tracecmd disk 'dd if=/dev/vdb of=/dev/null bs=64k' || return
	jq -r 'select(.type == "submission") | "\(.descriptor) \(.comm)"' disk.out | sort | uniq -c
	all disk submission '.unit == "dmar0" and .ret == 0' &&
		[ "$(number_of disk submission)" -ge 10 ]
}

# What is locked down stays so: with the first all can be traced, with the second only what
# needs no memory of the kernel to be copied.
locked_down() { # HOW TOOL: what that tool would do
	echo "$1" >/sys/kernel/security/lockdown
	"$2" --check --json >check.out 2>check.err
	cat check.out check.err
	jq -e --arg how "$1" '.lockdown == $how' check.out >/dev/null
}

works_with_integrity() {
	for program in invsnoop invlat pasidtop pasidsnoop; do
		locked_down integrity $program && jq -e '.status == 0' check.out || return
	done
	invsnoop --json -o snoop.out -- sh traffic.sh && [ "$(number_of snoop submission)" -ge 10 ]
}

names_confidentiality() {
	for program in invsnoop invlat pasidtop; do
		locked_down confidentiality $program && jq -e '.status == 3' check.out &&
			gives 3 'locked down \(confidentiality\).* lockdown=integrity' \
				$program -- true || return
	done
	gives 0 ' 0 events, 0 lost' pasidsnoop -e alloc,free -- true
}

check "submissions = trace-cmd, with default buffers" as_by_tracecmd three 'sh traffic.sh'
check "each is described" all_are_described
check "pasidsnoop has hooks" pasids_would_be_seen
check "it has hooks for faults and page requests" faults_would_be_seen
check "pasidtop, invlat and invsnoop count the same" as_many_by_all
check "--stuck: nothing is" nothing_is_stuck
check "--check: what there is" says_what_there_is
check "those of a virtio disk = trace-cmd" of_a_disk
check "lockdown=integrity: all of it works" works_with_integrity
check "lockdown=confidentiality is named as the cause" names_confidentiality
finish
