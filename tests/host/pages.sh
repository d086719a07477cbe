#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# limit: 1200
#
# make pages on the series itself: each hunk is changed by a mutant, or there is a
# reason why no test can notice.

root=$(CDPATH='' cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=../lab/ktap.sh
. "$root/tests/lab/ktap.sh"

none_is_open() {
	tail -n 1 "$root/build/pages/hunks.md" | tee "$work/all"
	awk -F ' *[|] *' '{ exit !($4 > 0 && $4 == $5 + $6) }' "$work/all" && return
	sed -n '/^No mutant changes these:/,/^#/p' "$root"/build/pages/[0-9]*.md
	return 1
}

workdir
check "pages are written" "$root/patches/bin/pages"
check "each hunk is noticed or explained" none_is_open
finish
