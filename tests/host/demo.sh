#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# make demo, which the README begins with, shows what it promises.

root=$(cd "$(dirname "$0")/../.." && pwd)
out=$root/build/vm/demo-test
# shellcheck source-path=SCRIPTDIR source=../lab/ktap.sh
. "$root/tests/lab/ktap.sh"

# shows WHAT PATTERN
shows() {
	check "it shows $1" grep -E "$2" "$out/ktap.log"
}

check "it runs" "$root/tests/lab/vm/boot" -a intel_iommu=off -o "$out" \
	"$root/tests/lab/vm/demo.sh"
shows "what the kernel took back" \
	'^[1-9][0-9]* taken back by the kernel, [1-9][0-9]* of them from the killed'
shows "refusals by the quota" ' [1-9][0-9]* refused \(EDQUOT\)'
shows "bindings" ' bind .* 0$'
shows "requests to invalidate" ' iommufd_mock[01] .* 0x[0-9a-f]+\+'
shows "that no event was lost" '^pasidsnoop: [1-9][0-9]* events, 0 lost, 0 missed'
finish
