#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# limit: 300
#
# The VM's shell, `make vm`, as somebody at a terminal has it: script(1) is the
# terminal, and what is typed waits for what is to be seen first. KTAP.

# shellcheck disable=SC2016 # what is typed is expanded in the guest
root=$(CDPATH='' cd "$(dirname "$0")/../../../.." && pwd)
vm=$root/tests/lab/vm
# shellcheck source-path=SCRIPTDIR source=../../ktap.sh
. "$root/tests/lab/ktap.sh"
workdir
log=$work/log

# Opens a terminal of 30 lines and 100 columns with the shell in it.
open_shell() {
	mkfifo "$work/keys"
	cat >"$work/session" <<-END
	stty rows 30 cols 100
	stty -a >"$work/before"
	"$vm/boot" -o "$work/out" -q "-pidfile $work/pid" -i "$work/file"
	echo \$? >"$work/status"
	stty -a >"$work/after"
	touch "$work/ended"
	END
	script -qfc "sh $work/session" "$log" <"$work/keys" >/dev/null 2>&1 &
	exec 3>"$work/keys"
}

# seen PATTERN: within the time that a busy machine may need
seen() {
	tries=0
	until tr -d '\r' <"$log" 2>/dev/null | grep -aqE -e "$1"; do
		tries=$((tries + 1))
		if [ "$tries" -gt 600 ] || [ -e "$work/ended" ]; then
			echo "not seen: $1; but:"
			tail -n 15 "$log" | cat -v
			return 1
		fi
		sleep 0.2
	done
}

keys() {
	# shellcheck disable=SC2059 # escapes are wanted
	printf "$1" >&3
}

# The echo of what is typed must not be taken for its output.
answers() {
	keys 'echo $((40 + 2)) $(cat file) $(stty size)\n'
	seen '^42 content 30 100$'
}

traces() {
	keys 'pasidsnoop -- pasidwork -a 3 -f 2 -c own-name\n'
	seen '^[0-9.]+ +free +[0-9]+ +own-name[0-9] +0x[0-9a-f]+ +[0-9]+ +0$' &&
		seen '^pasidsnoop: [1-9][0-9]* events, 0 lost, 0 missed'
}

# "began" is there when sleep is about to be: Ctrl-C ends one or the other.
interrupts() {
	keys 'echo be""gan; sleep 1000; echo after $?\n'
	seen '^began$' || return
	keys '\003'
	keys 'echo still $((1 + 1))\n'
	seen '^still 2$' && ! grep -q '^after' "$log"
}

# The session must end, with status 0 and the terminal as it was.
left() {
	tries=0
	until [ -e "$work/ended" ]; do
		tries=$((tries + 1))
		[ "$tries" -le 150 ] || {
			tail -n 5 "$log" | cat -v
			kill "$(cat "$work/pid")"
			return 1
		}
		sleep 0.2
	done
	[ "$(cat "$work/status")" = 0 ] && cmp "$work/before" "$work/after"
	result=$?
	rm -f "$work/keys" "$work/ended" "$log"
	return "$result"
}

leaves_by() {
	keys "$1"
	left
}

leaves_anew_by() {
	open_shell
	seen '# ' && leaves_by "$1"
}

keeps_out() {
	keys 'echo kept >/out/kept\n'
	leaves_by 'exit\n' && [ "$(cat "$work/out/out/kept")" = kept ]
}

needs_a_terminal() {
	"$vm/boot" -o "$work/out" -i </dev/null
	[ $? -eq 125 ]
}

echo content >"$work/file"

check "a shell needs a terminal" needs_a_terminal
open_shell
check "a prompt appears" seen '/run/t # '
check "a command runs, and knows the terminal's size" answers
check "pasidsnoop traces" traces
check "Ctrl-C ends a command, not the VM" interrupts
check "exit leaves it, /out is kept, the terminal is as it was" keeps_out
exec 3>&-
check "so does Ctrl-D" leaves_anew_by '\004'
check "Ctrl-A X kills it" leaves_anew_by '\001x'

finish
