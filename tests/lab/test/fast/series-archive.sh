#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# patches/bin/archive with an archive of its own that serves this and not that,
# and series-plain.sh with what it gets from there. KTAP.

set -eu

root=$(CDPATH='' cd "$(dirname "$0")/../../../.." && pwd)
here=$root/patches/bin
# shellcheck source-path=SCRIPTDIR source=../../ktap.sh
. "$root/tests/lab/ktap.sh"
export LC_ALL=C
unset OFFLINE FORCE

# --- A kernel, a series, an archive ----------------------------------------------

lines() {
	for n in 1 2 3 4 5 6 7 8 9; do
		echo "/* line $n */"
	done
}

# A kernel of one file as the tarball $1, of the point release $2, changed by
# the sed expressions that follow.
kernel() {
	tarball=$1
	printf 'VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = %s\n' "${2#6.12.}" \
		>linux/Makefile
	shift 2
	lines | sed "$@" >linux/core.c
	tar -cf - linux | xz -0 >"$tarball"
}

# A patch to core.c: what the sed expression $1 does to the lines of stdin.
patch_of() {
	mkdir -p a b
	cat >a/core.c
	sed "$1" a/core.c >b/core.c
	echo "diff --git a/core.c b/core.c"
	diff -u --label a/core.c --label b/core.c a/core.c b/core.c || :
}

# The package linux-source-6.12 of version $1, as kernel() makes its tarball
linux_source() {
	file=linux-source-6.12_$1_all.deb
	mkdir -p deb/usr/src deb/DEBIAN
	kernel deb/usr/src/linux-source-6.12.tar.xz "${1%-*}" s/2/two/
	printf '%s\n' "Package: linux-source-6.12" "Version: $1" \
		"Architecture: all" "Maintainer: nobody" "Description: none" \
		>deb/DEBIAN/control
	dpkg-deb -Znone --root-owner-group -b deb "archive/$file" >/dev/null
	{
		cat deb/DEBIAN/control
		echo "Filename: ./$file"
		echo "Size: $(stat -c %s "archive/$file")"
		echo "SHA256: $(sha256sum <"archive/$file" | cut -d ' ' -f 1)"
		echo
	} >>archive/Packages
}

# The source package of version $1 with Debian's patch on stdin, and that one.
package() {
	linux_source "$1"
	mkdir -p debian/patches
	cat >debian/patches/mend.patch
	echo mend.patch >debian/patches/series
	tar -cf - debian | xz -0 >"archive/linux_$1.debian.tar.xz"
	kernel "archive/linux_${1%-*}.orig.tar.xz" "${1%-*}" ""
	{
		printf '%s\n' "Package: linux" "Version: $1" "Directory: ." \
			"Checksums-Sha256:"
		(cd archive && sha256sum "linux_$1.debian.tar.xz" \
			"linux_${1%-*}.orig.tar.xz") | awk '{ print "", $1, 9, $2 }'
		echo
	} >>archive/Sources
}

# 6.12.117 is installed, with Debian's change of line 2; the series changes 8.
afresh() {
	rm -rf "${tmp:?}"/*
	cd "$tmp" || return
	mkdir linux archive patches
	for version in 6.12.107-1 6.12.111-1 6.12.117-1; do
		lines | patch_of s/2/two/ | package "$version"
	done
	kernel source.tar.xz 6.12.117 s/2/two/
	lines | patch_of s/8/eight/ >patches/0001-core.patch
	echo 0001-core.patch >patches/series
	orig=linux_6.12.117.orig.tar.xz
	printf '%s\n' VERSION=6.12.117 \
		"ORIG_13=$orig:$(sha256sum <"archive/$orig" | cut -d ' ' -f 1)" \
		>patches/BASE
	for kind in deb deb-src; do
		echo "$kind [trusted=yes] file:$tmp/archive ./"
	done >sources.list
}

not_served() {
	for file; do
		rm "$tmp/archive/linux_6.12.$file.tar.xz"
	done
}

# --- Helpers -----------------------------------------------------------------------

with_these() {
	XDG_CACHE_HOME="$tmp" ARCHIVE_SOURCES="$tmp/sources.list" \
		PATCHES="$tmp/patches" KSRC="$tmp/source.tar.xz" "$@" \
		>"$tmp/out" 2>"$tmp/err"
}

upstream() {
	with_these "$here/archive" plain "${1-6.12.117}"
}

# upstream has printed the paths of these files and nothing else.
printed() {
	for file; do
		echo "$tmp/nested-sva/linux_6.12.$file.tar.xz"
	done | diff - "$tmp/out" || { cat "$tmp/err"; return 1; }
}

# series-plain.sh ends with status $1; the lines that follow are in what it says.
plain() {
	status=$1 got=0
	shift
	with_these "$root/tests/fast/series-plain.sh" || got=$?
	for line; do
		grep -q -e "$line" "$tmp/out" || { echo "no: $line"; got=none; }
	done
	[ "$got" = "$status" ] || { cat "$tmp/out" "$tmp/err"; return 1; }
}

# --- upstream ------------------------------------------------------------------------

gets_it() {
	afresh
	upstream && printed 117.orig && upstream && printed 117.orig
}

gets_the_newest_instead() {
	afresh
	not_served 117.orig 117-1.debian 111.orig
	upstream && printed 107.orig 111-1.debian &&
		grep -q 'does not serve the plain 6.12.117' "$tmp/err"
}

knows_of_none() {
	afresh
	upstream 6.12.118 && printed 117.orig 117-1.debian &&
		grep -q 'has no plain 6.12.118' "$tmp/err"
}

refuses_a_wrong_hash() {
	afresh
	echo more >>archive/linux_6.12.117.orig.tar.xz
	upstream && printed 111.orig 117-1.debian &&
		grep -q 'Hash Sum mismatch' "$tmp/err"
}

does_not_ask_again() {
	afresh
	mv archive/linux_6.12.117.orig.tar.xz .
	upstream && printed 111.orig 117-1.debian || return
	mv linux_6.12.117.orig.tar.xz archive
	upstream && printed 111.orig 117-1.debian &&
		grep -q remembered "$tmp/err" || return
	rm nested-sva/no-plain-6.12.117
	upstream && printed 117.orig
}

asks_nothing_offline() {
	afresh
	OFFLINE=1 upstream && return 1
	[ $? -eq 4 ] && [ ! -e nested-sva ] && grep -q OFFLINE "$tmp/err"
}

ends_with_4() {
	afresh
	rm archive/*.xz
	upstream && return 1
	[ $? -eq 4 ] && printed || return
	afresh
	: >archive/Sources
	upstream && return 1
	[ $? -eq 4 ] && printed
}

# --- linux-source-6.12, and BASE ---------------------------------------------------

package_is() {
	[ "$(cat "$tmp/out")" = "$tmp/nested-sva/linux-source-6.12_$1.tar.xz" ] &&
		tar -xOf "$(cat "$tmp/out")" linux/Makefile |
			grep -q "SUBLEVEL = $(echo "$1" | sed 's/.*\.//; s/-.*//')$" &&
		[ ! -e "$tmp/nested-sva/linux-source-6.12_$1_all.deb" ]
}

gets_a_package_once() {
	afresh
	with_these "$here/archive" debian 6.12.111 && package_is 6.12.111-1 || return
	rm -r archive
	with_these "$here/archive" debian 6.12.111 && package_is 6.12.111-1
}

gets_the_newest_package() {
	afresh
	with_these "$here/archive" debian && package_is 6.12.117-1 || return
	linux_source 6.12.118-1
	with_these "$here/archive" debian && package_is 6.12.117-1 || return
	rm nested-sva/newest-linux-source-6.12
	with_these "$here/archive" debian && package_is 6.12.118-1
}

has_no_such_package() {
	afresh
	with_these "$here/archive" debian 6.12.119 && return 1
	[ $? -eq 4 ] && grep -q 'has no debian 6.12.119' "$tmp/err"
}

tells_of_both() {
	afresh
	linux_source 6.12.117-1~deb12u1
	with_these "$here/archive" base 6.12.117 || return
	sum=$(sha256sum <archive/linux_6.12.117.orig.tar.xz | cut -d ' ' -f 1)
	printf '%s\n' DEBIAN_12=6.12.117-1~deb12u1 DEBIAN_13=6.12.117-1 \
		"ORIG_13=linux_6.12.117.orig.tar.xz:$sum" | diff - "$tmp/out"
}

# --- series-plain.sh -------------------------------------------------------------------

the_tree_itself() {
	afresh
	plain 0 '^1..3' '^ok 1 .*BASE$' '^ok 2 applies to the plain 6.12.117$' \
		'^ok 3 applies to the newest linux-source-6.12, 6.12.117-1$'
}

another_hash() {
	afresh
	sed -i 's/tar.xz:..../&0000/' patches/BASE
	plain 1 '^not ok 1 the plain tarball'
}

# The series stands on line 2 of Debian's.
needs_debians_patch() {
	afresh
	lines | sed s/2/two/ | patch_of s/4/four/ >patches/0001-core.patch
}

what_the_tree_itself_refuses() {
	needs_debians_patch
	plain 1 '^not ok 2 applies to the plain 6.12.117'
}

what_is_near() {
	afresh
	not_served 117.orig 117-1.debian
	plain 0 '^1..5' '^ok 1 .* # SKIP ' '^ok 2 .*117 # SKIP .*not serve' \
		'^ok 3 applies to the plain 6.12.111, the newest.*served$' \
		'^# taken back: mend.patch' \
		"^ok 4 applies to 6.12.117 without Debian's.* 6.12.111-1$"
}

# The older tree lacks what the newer one has: no fault of the series.
what_is_near_refuses() {
	afresh
	not_served 117.orig
	kernel source.tar.xz 6.12.117 's/2/two/; s/6/six/'
	lines | sed s/6/six/ | patch_of s/8/eight/ >patches/0001-core.patch
	plain 0 '^ok 3 .*111.* # SKIP 0001-core.patch does not fit' \
		"^ok 4 applies to 6.12.117 without Debian's"
}

without_debians_patch_it_fails() {
	needs_debians_patch
	not_served 117.orig
	plain 1 '^ok 3 .* # SKIP 0001-core.patch does' '^not ok 4 applies to 6.12.117 wi'
}

debians_patch_is_another() {
	afresh
	not_served 117.orig
	kernel source.tar.xz 6.12.117 s/2/zwei/
	plain 0 '^ok 4 .* # SKIP mend.patch cannot be taken back'
}

nothing_is_had() {
	afresh
	rm archive/*.xz
	plain 0 '^1..3' '^ok 1 .* # SKIP .*not serve' '^ok 2 .* # SKIP .*not serve'
}

# A newer package is a convenience, too.
newest_package_refuses() {
	afresh
	lines >linux/newer.c
	linux_source 6.12.118-1
	printf '%s\n' "diff --git a/newer.c b/newer.c" "new file mode 100644" \
		"--- /dev/null" "+++ b/newer.c" "@@ -0,0 +1 @@" "+x" \
		>patches/0001-core.patch
	plain 0 '^ok 3 .*6.12.118-1 # SKIP 0001-core.patch does not fit' \
		'newer.c: already exists'
}

workdir
tmp=$work
command -v apt-get >/dev/null || {
	skip "the plain upstream tree" "no apt-get"
	finish
}

check "plain: the tree that is asked for, once" gets_it
check "or the newest that is served, and says why" gets_the_newest_instead
check "or the newest there is" knows_of_none
check "a file with another hash is not taken" refuses_a_wrong_hash
check "a failed attempt is remembered" does_not_ask_again
check "OFFLINE asks nothing" asks_nothing_offline
check "status 4 if there is no plain tree at all" ends_with_4

check "debian: the package that is asked for, once" gets_a_package_once
check "or the newest, for half a day" gets_the_newest_package
check "status 4 if there is none" has_no_such_package
check "base: of Debian 12 and 13" tells_of_both

check "plain: the tree itself" the_tree_itself
check "plain: another hash than BASE's fails" another_hash
check "plain: a series that the tree refuses fails" what_the_tree_itself_refuses
check "plain: skipped, and what is near is tried" what_is_near
check "plain: what is near may refuse" what_is_near_refuses
check "plain: a series that needs Debian's patches fails" \
	without_debians_patch_it_fails
check "plain: skipped if Debian's patches do not come off" debians_patch_is_another
check "plain: skipped if nothing is had" nothing_is_had
check "plain: the newest package may refuse" newest_package_refuses

finish
