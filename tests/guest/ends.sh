#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# boot: -s 2 -t 120
# files: tests/guest/lib/snoop.sh
#
# How the tools end, in the VM: by output that cannot be written, by signals, and
# with or before the command that they run.

# shellcheck source=/dev/null
. /lib/ktap.sh
# shellcheck source=/dev/null
. ./snoop.sh
mkdir /tmp/ends && cd /tmp/ends || exit 1
tool=pasidsnoop

# --- output that cannot be written ---------------------------------------------

# Ends by itself: nothing else does
full_from_the_first_line() { # OPTION..
	gives 1 'cannot write the output: No space left' \
		sh -c "exec pasidsnoop $* >/dev/full"
}

closed_from_the_first_line() {
	gives 1 'cannot write the output: Bad file descriptor' \
		sh -c 'exec pasidsnoop >&-'
}

not_written_not_run() {
	gives 1 'No space left' sh -c 'exec pasidsnoop -- touch ran >/dev/full' &&
		[ ! -e ran ]
}

small_disk() {
	mkdir -p small && mount -t tmpfs -o size=64k none small
}

full_later() { # OPTION..: with a file on the small disk, or stdout
	small_disk || return
	rm -f ready
	timeout -s KILL 100 pasidsnoop --ready-file ready "$@" \
		>small/out 2>later.err &
	snoop=$!
	wait_ready && pasidwork -n 4 -a 499 -f 251 >/dev/null
	wait "$snoop"
	status=$?
	umount small
	cat later.err
	[ "$status" -eq 1 ] && grep -q 'No space left' later.err
}

recording_is_full() {
	small_disk || return
	rm -f ready
	timeout -s KILL 100 pasidsnoop --ready-file ready --record small/rec \
		>later.out 2>later.err &
	snoop=$!
	wait_ready && pasidwork -n 4 -a 499 -f 251 >/dev/null
	wait "$snoop"
	status=$?
	umount small
	cat later.err
	[ "$status" -eq 1 ] && grep -q 'cannot write small/rec: ' later.err
}

# Nothing that is said may get into the file that has the place of stdout or stderr
closed_ones_stay_closed() {
	pasidsnoop --record rec -d 1 2>&- >later.out
	grep -q '^pasid-record' rec && ! grep -E '^pasidsnoop|^TIME' rec
}

plan 8
check "a full disk ends it, text" full_from_the_first_line
check "a full disk ends it, JSON" full_from_the_first_line --json
check "a closed stdout ends it" closed_from_the_first_line
check "a command does not run if its trace cannot be written" not_written_not_run
check "a disk that fills later ends it, text" full_later
check "a disk that fills later ends it, JSON" full_later -j
check "a recording that cannot be written ends it" recording_is_full
check "a stderr that is closed is no other file" closed_ones_stay_closed
finish
