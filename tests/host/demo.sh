#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# make demo, which the README begins with, shows what it promises.

root=$(CDPATH='' cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=../lab/ktap.sh
. "$root/tests/lab/ktap.sh"
workdir

# shows WHAT PATTERN
shows() {
	check "it shows $1" grep -E "$2" "$work/out"
}

demo() {
	"$root/tests/lab/vm/demo" >"$work/out" 2>&1 || { cat "$work/out"; false; }
}

compared() {
	cat "$work/out"
	[ "$(grep -c '  the same$' "$work/out")" -eq 7 ]
}

narrow() {
	! awk 'length > 80' "$work/out" | grep .
}

check "it runs" demo
shows "bindings" ' bind .* 0$'
shows "requests to invalidate" ' 0000:00:1[de]\.0 .* 0x[0-9a-f]+\+4K'
shows "that no event was lost" '^pasidsnoop: [1-9][0-9]* events, 0 lost, 0 missed'
check "what was done, seen and logged is the same, in all rows" compared
check "it fits a terminal" narrow
finish
