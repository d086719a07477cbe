#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The kernel's documents that the series touches, with the kernel-doc that they take
# from its sources, by Sphinx and the kernel's own configuration of it: without a
# warning. All others are left out, so a label of theirs is looked up by its text.

root=$(CDPATH='' cd "$(dirname "$0")/../.." && pwd)
linux=$root/build/linux
# shellcheck source-path=SCRIPTDIR source=../lab/ktap.sh
. "$root/tests/lab/ktap.sh"
workdir

touched() {
	sed -n 's|^+++ b/\(Documentation/.*\.rst\)$|\1|p' "$root"/patches/*.patch |
		grep -v '/index\.rst$' | sort -u
}

# All of them below $work/Documentation, as kernel-doc and include find the rest
copy() {
	ln -s "$linux/tools" "$work/tools"
	touched >"$work/list"
	while read -r file; do
		mkdir -p "$work/${file%/*}" && cp "$linux/$file" "$work/$file" || return
	done <"$work/list"
	{
		printf '.. toctree::\n\n'
		sed -E 's|^Documentation/(.*)\.rst$|   \1|' "$work/list"
	} >"$work/Documentation/index.rst"
	[ -s "$work/list" ]
}

build() {
	cd "$linux/Documentation" &&
		LC_ALL=C.UTF-8 srctree=$linux BUILDDIR=$work sphinx-build -q -E -b dummy -c . \
			-d "$work/doctrees" -D version=6.12 -D release=6.12 \
			-D kerneldoc_srctree="$linux" \
			-D kerneldoc_bin="$linux/scripts/kernel-doc" \
			"$work/Documentation" "$work/out" >"$work/log" 2>&1
}

# What is left when labels of other documents and missing tools are not counted
warnings() {
	grep -E '(WARNING|ERROR|Error|warning|error):' "$work/log" |
		grep -v 'dot(1) not found' | while read -r line; do
			label=$(echo "$line" |
				sed -n "s/.*undefined label: '\([^']*\)'.*/\1/p")
			[ -n "$label" ] && grep -rqxi ".. _$label:" \
				--include='*.rst' "$linux/Documentation" ||
				echo "$line"
		done
}

no_warning() {
	[ -z "$(warnings)" ] || { warnings; return 1; }
}

# What it must not overlook: of Sphinx, and of kernel-doc
spoilt() {
	file=$work/$(grep 'driver-api/ioasid' "$work/list")
	printf '\n**open\n' >>"$file"
	printf '\n.. kernel-doc:: include/linux/ioasid.h\n   :identifiers: nothing_there\n' \
		>>"$file"
	build
	warnings >"$work/spoilt"
	cat "$work/spoilt"
	grep -q 'start-string' "$work/spoilt" && grep -q nothing_there "$work/spoilt"
}

check "the documents that the series touches" copy
check "Sphinx reads them" build
check "without a warning" no_warning
check "it would warn" spoilt
finish
