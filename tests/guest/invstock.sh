#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# boot: -n -s 2 -t 300 -x tests/guest/vmm.allow
# files: tests/vmm/vfio.sh
#
# invsnoop as on a kernel without the series, in the VM: the submissions to the
# queues of VT-d, one by one, are those of the driver's own tracepoint.

# shellcheck source-path=SCRIPTDIR source=lib.sh
. ./lib.sh
tool=invsnoop
test=vmm.untranslated.stage2_unmap

# shellcheck source-path=SCRIPTDIR source=../vmm/vfio.sh
. "$files/vfio.sh"
vfio_bind

# All but the waits that the driver adds, which its tracepoint does not tell of
two_sources() {
	beside_tracecmd three intel_iommu:qi_submit --no-tracepoints \
		"vmm_test -r $test >load"
	trace-cmd report -R -i three.dat 2>/dev/null | sed -nE \
		's/.* qi_submit: .*qw0=(0x)?([0-9a-f]+) .*/\2/p' >want
}

number() { # JQ-EXPRESSION: of the array of submissions
	jq -s "map(select(.type == \"submission\")) | $1" three.out
}

as_many_descriptors() {
	cat three.err
	number 'length'
	[ "$(cat three.status)" -eq 0 ] && [ "$(wc -l <want)" -gt 5 ] &&
		[ "$(number 'map(.descriptors) | add')" -eq "$(wc -l <want)" ]
}

all_are_described() {
	number 'length > 2 and all(.unit == "dmar0" and .descriptor != null and
		.ns > 0 and .ret == 0)' | grep -qx true
}

# A table that is bound and unbound has its PASID flushed, by whoever does that
pasids_are_told() {
	number 'map(select(.pasid != null and .comm == "vmm_test")) | length > 0' |
		grep -qx true
}

filters() {
	begin unit --no-tracepoints --json -D dmar7 && vmm_test -r "$test" >load && end &&
		ended unit '.events == 0 and .filtered > 2' &&
		grep -q -- '-D takes a unit' unit.err || return
	begin pasid --no-tracepoints --json -P 1-0xfffff &&
		vmm_test -r "$test" >load && end &&
		ended pasid '.events > 0 and .filtered > 0' &&
		jq -es 'map(select(.type == "submission")) | all(.pasid > 0)' \
			pasid.out >/dev/null
}

columns() {
	invsnoop --no-tracepoints -- vmm_test -r "$test" 2>err >columns.out
	cat err columns.out
	grep -q 'does not tell of requests' err &&
		grep -qE '^[0-9.]+ +[0-9]+ +dmar0 +- +i +[0-9.]+[um]s 0 +did [0-9]+' \
			columns.out
}

two_sources
check "as many descriptors as the driver's tracepoint tells of" as_many_descriptors
check "each is described" all_are_described
check "PASIDs are told" pasids_are_told
check "-D, -P: only those" filters
check "columns" columns
finish
