#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The patches of the QEMU series, one result each: QEMU's own checkpatch finds
# nothing, and nobody has signed them: that is for people. KTAP.

set -eu

root=$(CDPATH='' cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=../lab/ktap.sh
. "$root/tests/lab/ktap.sh"
src=$root/build/qemu/src
patches=$root/tests/lab/qemu/patches

clean() {
	! grep -iE '^(signed-off|reviewed|tested|acked)-by:' "$1" || return 1
	found=$(perl "$src/scripts/checkpatch.pl" --no-signoff "$1") || {
		echo "$found"
		return 1
	}
	echo "$found" | grep '^total: 0 errors, 0 warnings' >/dev/null ||
		{ echo "$found"; return 1; }
}

# Nothing in the directory that is not in the series, and the other way round.
complete() {
	sed '/^#/d; /^$/d' "$patches/series" | sort >"$work/listed"
	(cd "$patches" && ls ./*.patch) | sed 's|^\./||' | sort >"$work/there"
	diff "$work/listed" "$work/there"
}

# The change that tests/lab/guest/smpwc makes to a program, for QEMU as it is released
fits() {
	base=$(git -C "$src" rev-list --max-parents=0 HEAD) &&
		GIT_INDEX_FILE=$work/index git -C "$src" read-tree "$base" &&
		GIT_INDEX_FILE=$work/index git -C "$src" apply --cached --check "$1"
}

workdir
# shellcheck disable=SC2046 # names of patches have no blanks
set -- $(sed '/^#/d; /^$/d' "$patches/series")
check "series lists what is there" complete
for name; do
	if [ -d "$src" ]; then
		check "checkpatch: $name" clean "$patches/$name"
	else
		skip "checkpatch: $name" "there is no build/qemu: run make qemu"
	fi
done
if [ -d "$src" ]; then
	check "checkpatch: smpwc.patch" clean "$root/tests/lab/guest/smpwc.patch"
	check "smpwc.patch applies to the base" fits "$root/tests/lab/guest/smpwc.patch"
fi
finish
