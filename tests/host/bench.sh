#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# limit: 1800
#
# The cost of an operation on PASIDs does not grow with their number, and VT-d submits
# no more for one than it has to; histograms of how long that takes cost no more than
# those of bpftrace (make bench).

root=$(CDPATH='' cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=../lab/ktap.sh
. "$root/tests/lab/ktap.sh"

check "costs do not grow with the number of IDs" "$root/tests/bench/run"
check "descriptors and waits are as few as they were" "$root/tests/bench/floors"
check "histograms cost no more than those of bpftrace" "$root/tests/bench/tools"
check "pictures of all that" "$root/tests/bench/plot"
finish
