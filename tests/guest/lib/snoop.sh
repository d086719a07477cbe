# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# What the tests of the tools share, in the guest: . ./snoop.sh. $tool is the one.

# begin NAME OPTION..: a tracer in the background, attached when this returns;
# one that does not end is killed, so that it fails its test and no other
begin() {
	name=$1
	shift
	rm -f ready
	timeout -s KILL 100 "${tool:?}" --ready-file ready "$@" \
		>"$name.out" 2>"$name.err" &
	snoop=$!
	wait_ready
}

wait_ready() {
	until [ -e ready ]; do
		kill -0 "$snoop" || return
		sleep 0.1
	done
}

# end [SIGNAL]: its exit status
end() {
	kill "-${1:-INT}" "$snoop"
	wait "$snoop"
}

ended() { # NAME JQ-EXPRESSION: holds for the last record of NAME
	tail -n 1 "$1.out" |
		jq -es "length == 1 and (.[0] | .type == \"end\" and ($2))" >/dev/null ||
		{ tail -n 1 "$1.out"; cat "$1.err"; false; }
}

gives() { # STATUS REGEX CMD..: the regex is of what it says, in one line
	status=$1 regex=$2
	shift 2
	timeout -s KILL 100 "$@" >gives.out 2>gives.err
	got=$?
	cat gives.out gives.err
	[ $got -eq "$status" ] && tr '\n' ' ' <gives.err | grep -qE "$regex" &&
		! grep -q '^libbpf' gives.err
}

same() { # FILE FILE: the same, and not nothing
	diff "$1" "$2" && [ -s "$1" ]
}
