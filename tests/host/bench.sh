#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# limit: 900
#
# What an operation on PASIDs costs does not grow with their number, and what VT-d
# submits for one is no more than it has to be (make bench).

root=$(CDPATH='' cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=../lab/ktap.sh
. "$root/tests/lab/ktap.sh"

check "costs do not grow with the number of IDs" "$root/tests/bench/run"
check "descriptors and waits are as few as they were" "$root/tests/bench/floors"
finish
