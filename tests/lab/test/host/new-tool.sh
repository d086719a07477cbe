#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A tool is added as tests/README says, to a copy of the source: it is built, packed and
# tested, with nothing else changed. KTAP.

root=$(CDPATH='' cd "$(dirname "$0")/../../../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=../../ktap.sh
. "$root/tests/lab/ktap.sh"
workdir
copy=$work/copy

# Another invlat, under the name of invnew
# shellcheck disable=SC2016 # backquotes of documents
add() {
	mkdir "$copy" && (cd "$root" && tar -c --exclude=./build --exclude=./.git .) |
		tar -x -C "$copy" && cd "$copy" || return
	sed -i '/^TOOLS[[:space:]]*:=/s/$/ invnew/' tools/build.mk
	sed 's/\binvlat\b/invnew/g' tools/invlat.c >tools/invnew.c
	sed 's/invlat/invnew/g' tools/man/invlat.8 >tools/man/invnew.8
	cp tests/guest/invlat.sh tests/guest/invnew.sh
	mkdir tests/fast/golden/invnew
	cp tests/fast/golden/invlat/cases tests/fast/golden/invnew/
	sed 's/"invlat"/"invnew"/' tests/fast/golden/invlat/lat.rec \
		>tests/fast/golden/invnew/lat.rec
	sed -i 's/`invlat`/&, `invnew`/' README.md
	printf '\n## invnew\n\n```\ninvnew -b device 10\n```\n' >>Documentation/tracing.md
}

is_built() {
	make -s -f tools/build.mk tools && build/tools/invnew --version
}

is_tested() { # TEST RESULTS: at least so many of them are of the new tool
	"tests/fast/$1.sh" >"$work/$1"
	status=$?
	grep '^not ok' "$work/$1"
	[ "$status" -eq 0 ] && [ "$(grep -c '^ok.* invnew: ' "$work/$1")" -ge "$2" ]
}

is_packed() {
	make -s install DESTDIR="$work/dest" PREFIX=/usr >/dev/null || return
	for file in sbin/invnew share/man/man8/invnew.8 \
		share/bash-completion/completions/invnew; do
		[ -s "$work/dest/usr/$file" ] || { echo "$file"; return 1; }
	done
}

add
check "a tool that is added is built" is_built
tests/fast/golden.sh -u >/dev/null
check "its output is compared" is_tested golden 5
check "it is tried where it cannot start" is_tested usage 10
check "help, manual and completion are compared" is_tested sync 10
check "it is installed with manual and completion" is_packed
finish
