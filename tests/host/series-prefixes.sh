#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Two prefixes of the series stand by themselves: `make bisect' of those that
# changed since all of them did, or of two by date. KTAP.
# limit: 1800

root=$(CDPATH='' cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=../lab/ktap.sh
. "$root/tests/lab/ktap.sh"
unset BOOT AGAIN

chosen=$("$root/patches/bin/bisect" -s)
for n in $chosen; do
	check "patches 1 to $n" env FROM="$n" TO="$n" "$root/patches/bin/bisect"
done
finish
