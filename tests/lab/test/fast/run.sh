#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# tests/lab/ktap.py against the streams in run/, of which the first lines say
# what must be read from them, and tests/run against small trees of tests.

root=$(CDPATH='' cd "$(dirname "$0")/../../../.." && pwd)
lab=$root/tests/lab
streams=$lab/test/fast/run
# shellcheck source-path=SCRIPTDIR source=../../ktap.sh
. "$lab/ktap.sh"
workdir

# The counts are equal, and the error, if one is named, is among the errors.
reads_as_it_says() {
	counts=$(sed -n '1s/^# expect: //p' "$1")
	error=$(sed -n '2s/^# error: //p' "$1")
	"$lab/ktap.py" "$1" >"$work/read"
	status=$?
	cat "$work/read"
	[ "$(tail -n 1 "$work/read")" = "$counts" ] || return
	[ -z "$error" ] || grep -qF -e "$error" "$work/read" || return
	case $counts in
	*' 0 failed'*) [ "$status" -eq 0 ] ;;
	*) [ "$status" -eq 1 ] ;;
	esac
}

# new_tree: a tree of its own for tests/run; add NAME CODE: a test in it
new_tree() {
	rm -rf "$work/tree"
	mkdir -p "$work/tree/tests/fast" "$work/tree/tests/guest" \
		"$work/tree/tests/lab/test/fast" "$work/tree/tests/lab/vm"
	cp "$root/tests/run" "$work/tree/tests/"
	cp "$lab/ktap.py" "$lab/env.sh" "$work/tree/tests/lab/"
}

add() {
	printf '#!/bin/sh\n%s\n' "$2" >"$work/tree/tests/$1"
	chmod +x "$work/tree/tests/$1"
}

# run_says STATUS LAST_LINE [LAYER]
run_says() {
	"$work/tree/tests/run" "${3:-fast}" >"$work/said" 2>&1
	status=$?
	cat "$work/said"
	[ "$status" -eq "$1" ] && [ "$(tail -n 1 "$work/said")" = "$2" ]
}

merged_says() {
	"$lab/ktap.py" "$work/tree/build/test/results.ktap" >"$work/said"
	cat "$work/said"
	[ "$(tail -n 1 "$work/said")" = "$1" ]
}

two=lab/test/fast/two.sh
good='echo "KTAP version 1"; echo 1..2; echo ok 1; echo ok 2'

for stream in "$streams"/*.ktap; do
	name=${stream##*/}
	check "stream ${name%.ktap}" reads_as_it_says "$stream"
done

new_tree
check "no test at all is an error" \
	run_says 2 "tests/run: no such test in the layer fast"
add fast/one.sh "$good"
add "$two" "$good"
check "two good tests" run_says 0 "4 passed, 0 failed, 0 skipped"
check "the merged stream says the same" \
	merged_says "4 passed, 0 failed, 0 skipped"
add "$two" "$good; exit 3"
check "an exit status is a failure" run_says 1 "4 passed, 1 failed, 0 skipped"
# shellcheck disable=SC2016 # $$ is the test's
add "$two" "$good"'; kill -9 $$'
check "so is a test that is killed" run_says 1 "4 passed, 1 failed, 0 skipped"
add "$two" 'echo "KTAP version 1"; echo 1..2; echo ok 1'
check "so is a test that stops early" \
	run_says 1 "3 passed, 1 failed, 0 skipped"
add "$two" 'echo "KTAP version 1"; echo 1..2; echo ok 1; echo not ok 2'
check "a failed test" run_says 1 "3 passed, 1 failed, 0 skipped"
add "$two" ':'
check "a silent test" run_says 1 "2 passed, 1 failed, 0 skipped"
chmod -x "$work/tree/tests/$two"
check "a test that cannot be run" run_says 1 "2 passed, 1 failed, 0 skipped"
add "$two" '# limit: 1
sleep 60'
check "a test that hangs" run_says 1 "2 passed, 2 failed, 0 skipped"
add "$two" ". '$lab/ktap.sh'; ok one; exit 0"
check "a test that ends without finish" \
	run_says 1 "3 passed, 2 failed, 0 skipped"
add "$two" ". '$lab/ktap.sh'; finish"
check "a test that checks nothing" run_says 1 "2 passed, 1 failed, 0 skipped"
# shellcheck disable=SC2016 # for the test
add "$two" ". '$lab/ktap.sh'; workdir; echo \"\$work\" >dir; ok one; finish"
# shellcheck disable=SC2016 # for eval
check "a test whose directory goes with it" \
	eval 'run_says 0 "3 passed, 0 failed, 0 skipped" &&
		[ ! -e "$(cat "$work/tree/dir")" ]'
# shellcheck disable=SC2016 # for the test
add "$two" 'echo "KTAP version 1"; echo 1..1
[ -z "${GIT_DIR-}${TAR_OPTIONS-}" ] && [ "$(umask)" = 0022 ] && echo ok 1'
# shellcheck disable=SC2016 # for the inner shell
check "a test does not see what its caller has set" \
	env GIT_DIR=none TAR_OPTIONS=-v sh -c 'umask 077; exec "$0" fast' \
	"$work/tree/tests/run"
add "$two" 'echo "KTAP version 1"; echo 1..1; echo "ok 1 a # SKIP b"'
check "a skipped test" run_says 0 "2 passed, 0 failed, 1 skipped"
export REQUIRE=1
check "which is a failure if all are required" \
	run_says 1 "2 passed, 1 failed, 1 skipped"
unset REQUIRE

# A script plays what boots, and prints where boot would.
add guest/one.sh ''
# shellcheck disable=SC2016 # the code is the script's
add lab/vm/boot 'cat >"$2/ktap.log" <<END
KTAP version 1
1..1
ok 1 $(basename "$3")
END
exit "$(cat "$0.status")"'
echo 0 >"$work/tree/tests/lab/vm/boot.status"
check "a good VM" run_says 0 "1 passed, 0 failed, 0 skipped" vm
echo 123 >"$work/tree/tests/lab/vm/boot.status"
check "a VM with a splat" run_says 1 "1 passed, 1 failed, 0 skipped" vm
echo 125 >"$work/tree/tests/lab/vm/boot.status"
check "a VM without report" run_says 1 "1 passed, 1 failed, 0 skipped" vm
echo 0 >"$work/tree/tests/lab/vm/boot.status"
check "all layers together" run_says 0 "3 passed, 0 failed, 1 skipped" all

# Two that wait for each other; then two that must not meet.
meets() {
	echo ". '$lab/ktap.sh'; touch $1; for try in \$(seq 300); do
		[ ! -e $2 ] || { ok met; finish; }; sleep 0.1; done"
}
new_tree
add fast/one.sh "$(meets a b)"
add fast/two.sh "$(meets b a)"
check "two tests run at once" run_says 0 "2 passed, 0 failed, 0 skipped"
add fast/one.sh "# alone: a reason
. '$lab/ktap.sh'; sleep 0.5; check alone test ! -e two; finish"
add fast/two.sh ". '$lab/ktap.sh'; touch two; sleep 1; rm two; ok two; finish"
check "but none with one that is to be alone" \
	run_says 0 "2 passed, 0 failed, 0 skipped"
# shellcheck disable=SC2016 # for eval
check "a line for each as it ends" \
	eval '[ "$(cut -d " " -f 1 "$work/said")" = "fast/two
fast/one
2" ]'
check "results in the order of their names" grep -q '^ok 1 fast/one' \
	"$work/tree/build/test/results.ktap"

finish
