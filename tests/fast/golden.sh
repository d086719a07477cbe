#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The output of the tools for recorded traces, byte for byte: golden/cases has
# a line for each case, golden/NAME.out what it prints (stdout, then stderr, then
# the exit status). Cases whose name starts with inv- are of invsnoop, with top- of
# pasidtop, with lat- of invlat, the others of pasidsnoop. After a wanted change: "golden.sh -u" shows the differences
# and takes them over.

here=$(CDPATH='' cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../lab/ktap.sh
. "$here/../lab/ktap.sh"
tools=${TOOLS_OUT:-$here/../../build/tools}
workdir
export TZ=UTC LC_ALL=C

cases() {
	sed 's/#.*//' "$here/golden/cases" | grep .
}

run_case() { # NAME RECORDING OPTION..: into $work/NAME.out
	case $1 in
	inv-*) tool=invsnoop ;;
	top-*) tool=pasidtop ;;
	lat-*) tool=invlat ;;
	*) tool=pasidsnoop ;;
	esac
	file=$here/golden/$2
	[ -e "$file" ] || file=$file.rec
	out=$work/$1.out
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
	diff -uN "$here/golden/$1.out" "$work/$1.out"
}

no_line_over_79() {
	! grep -n '.\{80\}' "$work"/text.out "$work"/clock.out "$work"/bind.out "$work/strict.out" \
		"$work/inv-pid.out" "$work/inv-strict-clean.out" "$work/top-text.out" \
		"$work/lat-text.out" | grep -vE '(pasid|inv)snoop: |(pasidtop|invlat): '
}

valid_json() {
	grep '^{' "$work/$1.out" | jq -es '.[0].type == "start" and .[-1].type == "end" and
		(.[-1].events == length - 2 or
		 .[-1].snapshots == (map(select(.type == "total")) | length))' >/dev/null
}

cases >"$work/cases"
while read -r name args; do
	# shellcheck disable=SC2086 # the options of a case are words
	run_case "$name" $args
	[ "${1-}" != -u ] || same "$name" ||
		cp "$work/$name.out" "$here/golden/$name.out"
	check "golden: $name" same "$name"
done <"$work/cases"
check "default output fits 79 columns" no_line_over_79
check "JSON parses, from start to end" valid_json json
check "so does that of invsnoop" valid_json inv-json
check "so does that of pasidtop" valid_json top-json
check "so does that of invlat" valid_json lat-json
finish
