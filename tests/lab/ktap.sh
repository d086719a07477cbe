# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# KTAP for test scripts, in the guest (. /lib/ktap.sh) and on the host:
#   plan N               how many results will follow; first of all
#   ok NAME              not_ok NAME [REASON]              skip NAME REASON
#   check NAME CMD..     ok if CMD succeeds, else not_ok with what it printed
#   note TEXT            a diagnostic line
#   finish               last of all; exits 1 if anything failed or is missing
# A script that ends without finish has failed, whatever its status.

ktap_planned=0
ktap_count=0
ktap_failed=0

plan() {
	ktap_planned=$1
	echo "KTAP version 1"
	echo "1..$1"
	trap ktap_early_end EXIT
}

ktap_early_end() {
	trap - EXIT
	echo "Bail out! the script ended after $ktap_count of $ktap_planned results"
	exit 1
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

finish() {
	trap - EXIT
	[ "$ktap_count" -eq "$ktap_planned" ] || {
		note "planned $ktap_planned results, got $ktap_count"
		exit 1
	}
	[ "$ktap_failed" -eq 0 ] || exit 1
	exit 0
}
