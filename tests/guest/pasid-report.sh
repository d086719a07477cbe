#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# boot: -n -s 2 -t 200
#
# pasid-report in the VM: a live PASID, the queue of the unit, each device, the log.

# shellcheck source=/dev/null
. /lib/ktap.sh
workdir
cd "${work:?}" || exit

[ -e /sys/kernel/tracing/events/ioasid/ioasid_alloc ] || {
	skip "a report" "no PASIDs in this kernel"
	finish
}

# Lives as long as its input
mkfifo hold
pasidhold <hold >held &
holder=$!
exec 3>hold
echo "alloc 1 4711 4711" >&3
for _ in $(seq 100); do
	! grep -q '^1' held || break
	sleep 0.1
done

made() {
	pasid-report -d 1 -o report.tar || return
	tar -xf report.tar && mv pasid-report-* report && cat report/report.txt
}

has_the_live_pasid() {
	cat held report/pasids.json
	# shellcheck disable=SC2016 # a variable of jq
	jq -se --argjson pid "$holder" 'any(.pasid == 4711 and .pid == $pid)' \
		report/pasids.json
}

# Or says that the kernel has no such file, as without CONFIG_INTEL_IOMMU_DEBUGFS
has_the_queue() {
	[ -e /sys/kernel/debug/iommu/intel ] || {
		grep 'not had  queue.txt .*: No such file' report/report.txt
		return
	}
	cat report/queue.txt
	grep -qE '^Invalidation queue on IOMMU: dmar0' report/queue.txt
}

has_each_device() {
	for device in /sys/bus/pci/devices/*; do
		grep -q '^G ' "report/why/${device##*/}.txt" || return
	done
	grep -q 'behind: dmar0' report/why/0000:00:1d.0.txt
}

has_the_log() {
	grep 'DMAR: ' report/kernel.log
}

# All but what this kernel or this version of the tools does not have
only_that_is_missing() {
	grep '^not had' report/report.txt
	! grep '^not had' report/report.txt |
		grep -vE ' (lockdown.txt|latency.txt|queue.txt) | there is no (such|program) '
}

check "a report is made" made
check "with the live PASID" has_the_live_pasid
check "with the unit's queue" has_the_queue
check "with pasidwhy of each device" has_each_device
check "with the driver's lines of the log" has_the_log
check "and nothing else is missing" only_that_is_missing
exec 3>&-
finish
