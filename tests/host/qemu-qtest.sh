#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# limit: 600
#
# The qtests of the model, and QEMU's own of the Intel IOMMU, on the QEMU of
# build/qemu: one result for each case. KTAP.

set -eu

root=$(CDPATH='' cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=../lab/ktap.sh
. "$root/tests/lab/ktap.sh"
out=$root/build/qemu/out
QTEST_QEMU_BINARY=$out/qemu-system-x86_64
export QTEST_QEMU_BINARY

tests="intel-iommu-test vtd-nested-test vtd-walk-test vtd-inval-test
	vtd-queue-test vtd-pri-test vtd-units-test pasid-dma-test"

# A test that is not there, or has no cases, is one result: not ok.
cases() {
	for name in $tests; do
		"$out/tests/qtest/$name" -l >"$work/paths" 2>/dev/null || :
		sed -n "s|^/|$name /|p" "$work/paths" | grep . ||
			echo "$name /none"
	done
}

# A case that does not run at all is no success.
run_case() {
	if "$out/tests/qtest/$1" -p "$2" --tap >"$work/log" 2>&1; then
		! grep -q "^ok 1 $2" "$work/log" || return 0
	fi
	tail -n 20 "$work/log"
	return 1
}

if [ ! -x "$QTEST_QEMU_BINARY" ]; then
	skip "qtests of the model" "there is no build/qemu: run make qemu"
	finish
fi
workdir
cases >"$work/cases"
while read -r name path; do
	check "$path" run_case "$name" "$path"
done <"$work/cases"
finish
