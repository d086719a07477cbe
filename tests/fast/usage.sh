#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Status and message of the tools where they cannot start. Nothing is traced.

here=$(CDPATH='' cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../lab/ktap.sh
. "$here/../lab/ktap.sh"
tools=${TOOLS_OUT:-$here/../../build/tools}
workdir
# Under a path that nobody may read, another user could not run it.
for dir in "$here"/golden/*; do
	cp "$tools/${dir##*/}" "$work/"
done
chmod 755 "$work" "$work"/*

# gives STATUS REGEX CMD..: that status, all on stderr
gives() {
	status=$1 regex=$2
	shift 2
	"$@" >"$work/out" 2>"$work/err"
	got=$?
	cat "$work/out" "$work/err"
	[ "$got" -eq "$status" ] && [ ! -s "$work/out" ] &&
		tr '\n' ' ' <"$work/err" | grep -qE "$regex" &&
		! grep '^libbpf' "$work/err"
}

unprivileged() {
	if [ "$(id -u)" -eq 0 ]; then
		setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
	else
		"$@"
	fi
}

# Where its programs would be loaded, were it outside of the namespace
user_namespace() {
	if "$snoop" -v 2>&1 -d 0.01 | grep -q ': plan: [a-z]*: [tf]' &&
		unshare -Ur true 2>/dev/null; then
		check "${snoop##*/}: a user namespace is told so" \
			gives 3 "This is a user namespace" unshare -Ur "$snoop"
	else
		skip "${snoop##*/}: a user namespace is told so" "needs root and hooks"
	fi
}

cannot_write() { # OPTION..: to a full disk and to a stdout that is closed
	# shellcheck disable=SC2016 # for that shell
	check "${snoop##*/}: a full disk is an error: $1" gives 1 \
		"cannot write the output: No space left" \
		sh -c 'exec "$@" >/dev/full' sh "$snoop" "$@"
	# shellcheck disable=SC2016 # for that shell
	check "${snoop##*/}: a closed stdout is an error: $1" gives 1 \
		"cannot write the output: Bad file descriptor" \
		sh -c 'exec "$@" >&-' sh "$snoop" "$@"
}

checks_in_vain() {
	unprivileged "$snoop" --check --json >"$work/out" 2>"$work/err"
	[ $? -eq 3 ] && grep -q 'lacks CAP_BPF and CAP_PERFMON' "$work/err" &&
		jq -e '.type == "check" and .status == 3 and .capabilities == [] and
			.missing == [] and (.btf | type) == "boolean"' "$work/out" >/dev/null &&
		unprivileged "$snoop" --check 2>/dev/null | grep -q '^can trace  no$' &&
		unprivileged "$snoop" --check 2>/dev/null | grep -q '^rights     -$' || return
	[ "$(id -u)" -ne 0 ] ||
		setpriv --bounding-set=-perfmon,-sys_admin "$snoop" --check --json 2>/dev/null |
		jq -e '.capabilities == ["CAP_BPF"]' >/dev/null
}

cannot_start() { # NAME
	snoop=$work/$1 recording=$(find "$here/golden/$1" -name '*.rec' | head -n 1)
	rm -f "$work/ran"
	chmod 755 "$work"
	check "$1: bad usage is status 2" \
		gives 2 "^$1: -P: '12z' is not a PASID" "$snoop" -P 12z
	check "$1: no privilege is status 3 and names the capabilities" \
		gives 3 "lacks CAP_BPF and CAP_PERFMON\. Run it as root" \
		unprivileged "$snoop"
	if [ "$(id -u)" -eq 0 ]; then
		check "$1: root without CAP_PERFMON is told so" \
			gives 3 "lacks CAP_PERFMON\." \
			setpriv --bounding-set=-perfmon,-sys_admin "$snoop"
	else
		skip "$1: root without CAP_PERFMON is told so" "needs root"
	fi
	check "$1: --check tells so, too" checks_in_vain
	check "$1: bad usage comes before privileges" gives 2 "unknown option -Z" \
		unprivileged "$snoop" -Z
	chmod 777 "$work"
	check "$1: a command is not run if nothing is traced" \
		gives 3 "lacks" unprivileged "$snoop" -- touch "$work/ran"
	check "$1: indeed it was not" test ! -e "$work/ran"
	cannot_write --replay "$recording"
	cannot_write --help
	cannot_write --version
	check "$1: what a closed pipe does not take is no error" sh -c \
		"{ '$snoop' --help; echo \$? >'$work/status'; } | true
			[ \$(cat '$work/status') -eq 0 ]"
}

for dir in "$here"/golden/*; do
	cannot_start "${dir##*/}"
	user_namespace
done
finish
