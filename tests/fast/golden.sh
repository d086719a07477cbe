#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The output of the tools for recorded traces, byte for byte: golden/TOOL/cases has a
# line for each case, golden/TOOL/NAME.out what it prints (stdout, then stderr, then the
# exit status). After a wanted change: "golden.sh -u" shows the differences and takes
# them over.

here=$(CDPATH='' cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../lab/ktap.sh
. "$here/../lab/ktap.sh"
tools=${TOOLS_OUT:-$here/../../build/tools}
workdir
export TZ=UTC LC_ALL=C

cases() { # of $dir
	sed 's/#.*//' "$dir/cases" | grep .
}

run_case() { # NAME RECORDING OPTION..: into $work/$tool/NAME.out
	file=$dir/$2
	[ -e "$file" ] || file=$file.rec
	out=$work/$tool/$1.out
	shift 2
	"$tools/$tool" --replay "$file" "$@" >"$out" 2>"$work/err"
	status=$?
	{
		echo "--- stderr"
		cat "$work/err"
		echo "--- status $status"
	} >>"$out"
}

same() {
	diff -uN "$dir/$1.out" "$work/$tool/$1.out"
}

# Output with more columns or JSON may be wider; so may a device that is called by a UUID,
# a range that does not fit 64 bits, and one of a domain.
no_line_over_79() {
	cases | grep -vE ' (-[a-zA-Z]*[wj]|--wide|--json|--life)' >"$work/narrow"
	while read -r name _; do
		! sed '/^--- stderr$/,$d' "$work/$tool/$name.out" |
			grep -vE '[0-9a-f]{8}-[0-9a-f]{4}-|\+huge$| did [0-9]+ 0x' |
			grep -n '.\{80\}' || return
	done <"$work/narrow"
	[ -s "$work/narrow" ]
}

valid_json() {
	grep '^{' "$work/$tool/json.out" | jq -es '.[0].type == "start" and
		.[-1].type == "end" and (.[-1].events == length - 2 or
			.[-1].snapshots == (map(select(.type == "total")) | length))' >/dev/null
}

run_tool() { # OPTION: of this script
	mkdir "$work/$tool"
	cases >"$work/cases"
	while read -r name args; do
		# shellcheck disable=SC2086 # the options of a case are words
		run_case "$name" $args
		[ "$1" != -u ] || same "$name" ||
			cp "$work/$tool/$name.out" "$dir/$name.out"
		check "$tool: $name" same "$name"
	done <"$work/cases"
	check "$tool: default output fits 79 columns" no_line_over_79
	check "$tool: JSON parses, from start to end" valid_json
}

for dir in "$here"/golden/*; do
	tool=${dir##*/}
	run_tool "${1-}"
done
finish
