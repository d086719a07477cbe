#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# In the VM, by guest.sh: load.sh NAME does what a question is about, until it is
# killed. It makes the file "begun" when that has happened once.

begun() {
	while read -r _; do : >begun; done
}

case $1 in
none)
	: >begun
	;;
exhausted) # more than there are in that range
	while :; do
		(echo "alloc 20 100 109"; sleep 2) | pasidhold | begun
	done
	;;
leak)
	(
		echo "alloc 200"
		while sleep 1; do echo "alloc 1"; done
	) | pasidhold | begun
	;;
silent) # a device that does not answer
	while :; do
		vmm_test -r vmm.untranslated.no_answer
		: >begun
	done
	;;
faults) # the driver prints three in five seconds, of those before as well
	while :; do
		vmm_fault unmapped
		! dmesg | grep -q 'PASID .*fault addr' || : >begun
		sleep 6
	done
	;;
stall) # requests one after the other, each of which waits
	vmm_slow 0 1000 &
	until grep -qs iommufd_gpasid_invalidate /proc/[0-9]*/stack; do sleep 1; done
	: >begun
	wait
	;;
guest) # two monitors with a device each
	: >begun
	while :; do vmm_demo; done
	;;
esac
