#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Two prefixes of the series stand by themselves: `make bisect' of those that
# changed since all of them did, or of two by date. KTAP.
# limit: 1800

root=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=../vm/ktap.sh
. "$root/tests/vm/ktap.sh"
unset BOOT AGAIN

chosen=$("$root/tests/series/bisect" -s)
# shellcheck disable=SC2086 # numbers
set -- $chosen
plan $#
for n; do
	check "patches 1 to $n" env FROM="$n" TO="$n" "$root/tests/series/bisect"
done
finish
