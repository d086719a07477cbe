#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Does the series apply to the plain upstream tree of the point release that
# linux-source-6.12 is made from? Where the archive does not serve that tree,
# this is a SKIP, and two things near it are tried: the newest plain 6.12.y
# that is served, and the package's own files without Debian's patches. And does
# it apply to the newest linux-source-6.12 of Debian 12 and 13? KTAP.
#
# BASE names one point release. That a patch may not fit another is no fault of
# the series, but is said.
#
# limit: 900

set -eu

root=$(CDPATH='' cd "$(dirname "$0")/../.." && pwd)
here=$root/patches/bin
me=plain
# shellcheck source-path=SCRIPTDIR source=../../patches/bin/lib.sh
. "$here/lib.sh"
# shellcheck source-path=SCRIPTDIR source=../lab/ktap.sh
. "$root/tests/lab/ktap.sh"

# Tells apply's note on offsets, which are no failure.
offsets_of_apply() {
	grep offset "$tmp/out" | sed 's/^apply: //' | while read -r line; do
		note "$line"
	done
}

# --- The tree itself -----------------------------------------------------------

# To hash it takes a second: once for each tarball is enough.
hash_in_base() {
	sum=$cache/$(tarball_id "$plain" | sha256sum | cut -c 1-16).sha256
	[ -s "$sum" ] || sha256sum <"$plain" | cut -d ' ' -f 1 >"$sum"
	grep -qx "ORIG_[0-9]*=${plain##*/}:$(cat "$sum")" "$patches/BASE" ||
		{ echo "${plain##*/} has sha256 $(cat "$sum")"; return 1; }
}

is_of_base() {
	name="the plain tarball of $version is the one of BASE"
	case $version/$plain in
	"$(base_value VERSION)"/*.orig.tar.xz) check "$name" hash_in_base ;;
	"$(base_value VERSION)"/*) skip "$name" "BASE has the hash of Debian's" ;;
	*) skip "$name" "BASE is $(base_value VERSION)" ;;
	esac
}

the_tree_itself() {
	is_of_base
	dir=$(extract "$plain" "$tmp/list") || dir=
	check "applies to the plain $version" applies "$dir"
	offsets_of_apply
}

# --- Releases near it ------------------------------------------------------------

# may_apply NAME TARBALL of another point release
may_apply() {
	if dir=$(extract "$2" "$tmp/list") && applies "$dir" >/dev/null; then
		ok "$1"
		offsets_of_apply
	else
		note "$(cat "$tmp/out")"
		skip "$1" "$(sed -n '1s/^apply: \([^ ]*\) .*/\1 does not fit/p' \
			"$tmp/out"); the series is for $(base_value VERSION)"
	fi
}

newest_served() {
	near=${plain##*/linux*_}
	may_apply "applies to the plain ${near%.orig.tar.xz}, the newest that is served" \
		"$plain"
}

# The names of Debian's patches, those that change a file of the series.
patches_in_the_way() {
	sed -e 's/#.*//' -e 's/[[:space:]].*//' -e '/^$/d' "$1/series" |
		while read -r name; do
		sed -nE 's/^(---|\+\+\+) [^/]*\/([^\t]*).*/\2/p' "$1/$name" |
			sort -u >"$tmp/theirs"
		[ -z "$(comm -12 "$tmp/theirs" "$tmp/touched.list")" ] || {
			cat "$tmp/theirs" >>"$tmp/less.list"
			echo "$name"
		}
	done
}

# $tmp/less: the files of the series and of the patches that are in the way, as
# they are without the latter.
take_back() {
	find_pristine "$tmp/less.list" || return
	stage "$pristine" "$tmp/less" "$tmp/less.list"
	tac "$tmp/way" | while read -r name; do
		git_apply "$tmp/less" -R "$tmp/debian/patches/$name" ||
			{ echo "$name"; return 1; }
	done
}

without_debians() {
	[ -n "$debian" ] || {
		skip "applies to $version without Debian's patches" \
			"those cannot be had"
		return
	}
	of=${debian##*/linux*_}
	of=${of%.debian.tar.xz}
	name="applies to $version without Debian's patches, those of $of"
	tar -xf "$debian" -C "$tmp" debian/patches
	cp "$tmp/list" "$tmp/less.list"
	patches_in_the_way "$tmp/debian/patches" >"$tmp/way"
	sort -u "$tmp/less.list" -o "$tmp/less.list"
	if ! stuck=$(take_back); then
		skip "$name" "$stuck cannot be taken back"
		return
	fi
	check "$name" applies "$tmp/less"
	offsets_of_apply
	[ -s "$tmp/way" ] || note "they change no file of the series"
	sed 's/^/# taken back: /' "$tmp/way"
}

what_is_near() {
	skips=$(tail -n 1 "$tmp/why")
	skip "the plain tarball of $version is the one of BASE" "${skips#*: }"
	skip "applies to the plain $version" "${skips#*: }"
	[ -n "$plain" ] || return 0
	newest_served
	without_debians
}

# BASE waits until Debian 12 has it, too; this is what Debian 13 is at.
newest_package() {
	name="applies to the newest linux-source-6.12"
	if ! package=$("$here/archive" debian 2>"$tmp/why"); then
		why=$(tail -n 1 "$tmp/why")
		skip "$name" "${why#*: }"
	elif [ "$(realpath "$package")" = "$(realpath -m "${tarball:-none}")" ]; then
		skip "$name" "it is $version, and series-check tries it"
	else
		of=${package##*_}
		may_apply "$name, ${of%.tar.xz}" "$package"
	fi
}

workdir
tmp=$work
series_touched "$(series_length)" >"$tmp/touched.list"
{ cat "$tmp/touched.list"; echo Makefile; } | sort >"$tmp/list"
find_pristine "$tmp/list"
"$here/archive" plain "$version" >"$tmp/had" 2>"$tmp/why" || : >"$tmp/had"
plain=$(sed -n 1p "$tmp/had")
debian=$(sed -n 2p "$tmp/had")
case ${plain##*/} in
linux*[_-]"$version".*) the_tree_itself ;;
*) what_is_near ;;
esac
newest_package
finish
