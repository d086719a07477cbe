# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# KTAP for test scripts, in the guest (. /lib/ktap.sh) and on the host:
#   ok NAME              not_ok NAME [REASON]              skip NAME REASON
#   check NAME CMD..     ok if CMD succeeds, else not_ok with what it printed
#   note TEXT            a diagnostic line
#   workdir              makes $work, a directory that goes with the script
#   today N              one in N lines of its input, by date; all with ALL=1
#   finish               last of all; exits 1 if anything failed
# finish prints the plan. A script that ends without it has printed none, and
# has failed, whatever its status.

ktap_count=0
ktap_failed=0
ktap_finished=''
ktap_work=''

ktap_end() {
	[ -z "$ktap_work" ] || rm -rf "$ktap_work"
	if [ -z "$ktap_finished" ]; then
		echo "Bail out! the script ended after $ktap_count results"
		exit 1
	fi
}

note() {
	printf '%s\n' "$*" | sed 's/^/# /'
}

ok() {
	ktap_count=$((ktap_count + 1))
	echo "ok $ktap_count $1"
}

not_ok() {
	ktap_count=$((ktap_count + 1))
	ktap_failed=$((ktap_failed + 1))
	[ -z "${2-}" ] || note "$2"
	echo "not ok $ktap_count $1"
}

skip() {
	ktap_count=$((ktap_count + 1))
	echo "ok $ktap_count $1 # SKIP $2"
}

check() {
	ktap_name=$1
	shift
	if ktap_output=$("$@" 2>&1); then
		ok "$ktap_name"
	else
		not_ok "$ktap_name" "failed ($?): $*
$ktap_output"
	fi
}

workdir() {
	work=$(mktemp -d "${TMPDIR:-/tmp}/nested-sva.XXXXXX") || exit
	ktap_work=$work
}

today() {
	awk -v all="${ALL-}" -v n="$1" -v day="$(($(date +%s) / 86400))" \
		'all || NR % n == day % n'
}

finish() {
	echo "1..$ktap_count"
	ktap_finished=1
	[ $ktap_count -gt 0 ] && [ $ktap_failed -eq 0 ] || exit 1
	exit 0
}

trap ktap_end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
echo "KTAP version 1"
