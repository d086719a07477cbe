#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The splat scan against logs of which it is known what they hold. Each deny
# entry must be the only one to catch its own sample, or it could be dropped
# without a test noticing; the same for what an allow entry lets pass.

root=$(CDPATH='' cd "$(dirname "$0")/../../../.." && pwd)
vm=$root/tests/lab/vm
# shellcheck source-path=SCRIPTDIR source=../../ktap.sh
. "$root/tests/lab/ktap.sh"
workdir
samples=$(dirname "$0")/splats

names() {
	sed -n 's/^\([a-z-]*\): .*/\1/p' "$1"
}

# scan STATUS LOG [ALLOW]: true if a scan ends with STATUS
scan() {
	wanted=$1
	shift
	"$work/splats" "$@"
	[ $? -eq "$wanted" ]
}

with_lists() { # DENY ALLOW: the lists the next scans use
	cp "$vm/splats" "$work/splats"
	cp "$1" "$work/splats.deny"
	cp "$2" "$work/splats.allow"
}

only_caught_by() {
	log=$samples/bad/$1.log
	with_lists "$vm/splats.deny" "$vm/splats.allow"
	scan 1 "$log" || return 1
	grep -v "^$1: " "$vm/splats.deny" >"$work/fewer"
	with_lists "$work/fewer" "$vm/splats.allow"
	scan 0 "$log"
}

only_allowed_by() {
	log=$samples/good/allow-$1.log
	with_lists "$vm/splats.deny" "$vm/splats.allow"
	scan 0 "$log" || return 1
	grep -v "^$1: " "$vm/splats.allow" >"$work/fewer"
	with_lists "$vm/splats.deny" "$work/fewer"
	scan 1 "$log"
}

unlisted_samples() {
	for log in "$samples"/bad/*.log; do
		name=${log##*/}
		grep -q "^${name%.log}: " "$vm/splats.deny" || echo "$name"
	done
}

denied=$(names "$vm/splats.deny")
allowed=$(names "$vm/splats.allow")

for name in $denied; do
	check "deny $name is the only one to catch its sample" \
		only_caught_by "$name"
done
for name in $allowed; do
	check "allow $name is the only one to pass its sample" \
		only_allowed_by "$name"
done
check "every bad sample has a deny entry" test -z "$(unlisted_samples)"

with_lists "$vm/splats.deny" "$vm/splats.allow"
check "a clean log passes" scan 0 "$samples/good/clean.log"
sed 's/$/\r/' "$samples/bad/lockdep-off.log" >"$work/crlf.log"
check "a serial line's CR LF does not hide a splat" scan 1 "$work/crlf.log"
sed 's/\] Call/][   T71] Call/' "$samples/bad/call-trace.log" \
	>"$work/caller.log"
check "PRINTK_CALLER does not hide a splat" scan 1 "$work/caller.log"
check "a missing log is an error" scan 2 "$work/none.log"
: >"$work/empty.log"
check "an empty log is an error" scan 2 "$work/empty.log"
grep -v 'Linux version' "$samples/good/clean.log" >"$work/cut.log"
check "a log without its start is an error" scan 2 "$work/cut.log"

cat >"$work/allow" <<-END
	# reason: this test
	# until: never
	state: ioasid: state 3
END
check "an allow entry passes the whole report" \
	scan 0 "$samples/bad/cut-here.log" "$work/allow"
cat "$samples/bad/cut-here.log" "$samples/bad/ubsan.log" >"$work/two.log"
check "and no other report" scan 1 "$work/two.log" "$work/allow"
sed '/until/d' "$work/allow" >"$work/open"
check "an allow entry with no end is an error" \
	scan 2 "$samples/good/clean.log" "$work/open"
{ cat "$vm/splats.deny"; echo 'bad: ('; } >"$work/broken"
with_lists "$work/broken" "$vm/splats.allow"
check "a broken list is an error" scan 2 "$samples/good/clean.log"
: >"$work/empty"
with_lists "$work/empty" "$vm/splats.allow"
check "an empty deny list is an error" scan 2 "$samples/good/clean.log"
finish
