#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# boot: -n -t 300 -q -global -q intel-iommu.x-vcmd=on -q -global -q intel-iommu.x-vcmd-first=16 -q -global -q intel-iommu.x-vcmd-count=8
# files: tests/vmm/vfio.sh
#
# What invlat measures of virtual commands, by which PASIDs come from the host, while
# tests/vmm/vmm_vcmd.c sends them.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. ./lib.sh
tool=invlat

# shellcheck source-path=SCRIPTDIR source=../vmm/vfio.sh
. "$files/vfio.sh"
vfio_bind

test_passes() { # TEST: with its virtual commands in NAME.dat and NAME.out
	beside_tracecmd "$1" intel_iommu:vcmd "-e vcmd ${2-}" \
		"vmm_vcmd -r vcmd.$1 >$1.work; echo \$? >$1.passed"
	cat "$1.work" "$1.err"
	[ "$(cat "$1.passed")" -eq 0 ] && [ "$(cat "$1.status")" -eq 0 ]
}

# "alloc|free REQUESTS FAILED TOTAL_NS", by trace-cmd
of_tracecmd() {
	by_tracecmd "$1" vcmd cmd ret ns | awk '
		{ n[$3]++; failed[$3] += $4 != 0; ns[$3] += $5 }
		END { for (cmd in n) print cmd, n[cmd], failed[cmd], ns[cmd] }' | sort
}

# Each is in the bucket of its time.
measures() { # NAME
	jq -r 'select(.type == "histogram") | "\(.key) \(.requests) \(.failed) \(.total_ns)"' \
		"$1.out" | sort >measured
	of_tracecmd "$1" >told
	cat told
	grep -q '^alloc ' told && grep -q '^free ' told && cut -d ' ' -f 1-3 told >want &&
		cut -d ' ' -f 1-3 measured | diff want - &&
		all "$1" histogram '.of == "vcmd" and .requests == .timed and
			(.buckets | map(.count) | add) == .timed and
			(.buckets | map(.count * .low) | add) <= .total_ns and
			.total_ns <= (.buckets | map(.count * .high) | add)'
}

# All are of one command of the kernel, whose time both are told.
measures_the_same_time() {
	cut -d ' ' -f 4 told >want && cut -d ' ' -f 4 measured | diff want -
}

fails_when_dry() {
	test_passes dry && measures dry && grep -q '^alloc 1[0-9] [1-9]' measured
}

by_unit_and_pasid() {
	begin device --json -e vcmd -b device && vmm_vcmd -r vcmd.dry >/dev/null && end &&
		all device histogram '.key == "dmar0" and .of == "vcmd"' || return
	begin pasid --json -e vcmd -b pasid && vmm_vcmd -r vcmd.dry >/dev/null && end &&
		jq -es 'map(select(.type == "histogram").key) | sort | map(select(.)) ==
			[range(16; 24)]' pasid.out >/dev/null
}

only_failures_of_that_process() {
	begin failed --json -e vcmd -x && vmm_vcmd -r vcmd.dry >/dev/null && end &&
		all failed histogram '.key == "alloc" and .failed == .requests' || return
	begin nobody --json -e vcmd -p 1 && vmm_vcmd -r vcmd.dry >/dev/null && end &&
		ended nobody '.filtered > 8' && [ "$(number_of nobody histogram)" -eq 0 ]
}

is_a_kind_of_its_own() {
	begin other --json -e request,submission && vmm_vcmd -r vcmd.host_chooses >/dev/null &&
		end && [ "$(number_of other histogram '.of == "vcmd"')" -eq 0 ] &&
		[ "$(number_of other histogram)" -gt 0 ] &&
		begin all --json && vmm_vcmd -r vcmd.host_chooses >/dev/null && end &&
		[ "$(number_of all histogram '.of == "vcmd"')" -eq 2 ] &&
		[ "$(number_of all histogram '.of == "submission"')" -gt 0 ] &&
		gives 4 'does not tell of virtual commands' invlat -e vcmd --no-tracepoints
}

check "PASIDs come from the host while invlat runs" test_passes host_chooses
check "invlat: as many virtual commands as trace-cmd" measures host_chooses
check "invlat: and the same times" measures_the_same_time
check "the host has no more; invlat tells how often" fails_when_dry
check "the host knows no ranges" test_passes out_of_range
check "invlat: of those, too" measures out_of_range
check "invlat -b: by unit, by PASID" by_unit_and_pasid
check "invlat -x, -p: failures, and of a process" only_failures_of_that_process
check "invlat -e: virtual commands are a kind of their own" is_a_kind_of_its_own
finish
