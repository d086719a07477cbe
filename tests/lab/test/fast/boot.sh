#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# tests/lab/vm/boot against a QEMU that lies: it is a script which writes whatever
# log a case asks for. Only a complete report of this very boot may count.
# shellcheck disable=SC2016 # the code in quotes is for the liar

root=$(CDPATH='' cd "$(dirname "$0")/../../../.." && pwd)
vm=$root/tests/lab/vm
# shellcheck source-path=SCRIPTDIR source=../../ktap.sh
. "$root/tests/lab/ktap.sh"
workdir

# The liar: learns the nonce and the log files from its arguments, as the guest
# learns them from its command line, then runs the case's code.
cat >"$work/qemu-system-x86_64" <<-'END'
	#!/bin/sh
	console='' log=''
	for arg; do
		case $arg in
		file:*console.log) console=${arg#file:} ;;
		file:*ktap.log) log=${arg#file:} ;;
		*vm.nonce=*) nonce=${arg#*vm.nonce=} nonce=${nonce%% *} ;;
		esac
	done
	echo "[    0.000000] Linux version 6.12.117" >"$console"
	trailer() { # STATUS: as tests/lab/vm/init writes it
		sum=$(sha256sum <"$log")
		echo "exitstatus $nonce $1 ${sum%% *}" >>"$log"
	}
	out() { printf '%s\n' "$@" >>"$log"; }
	. "$(dirname "$0")/case"
END
chmod +x "$work/qemu-system-x86_64"
: >"$work/kernel"
: >"$work/initrd"
: >"$work/script.sh"

# boots_to STATUS CODE [OPTION..]: boot ends so when QEMU does CODE
boots_to() {
	wanted=$1
	echo "$2" >"$work/case"
	shift 2
	PATH=$work:$PATH "$vm/boot" -k "$work/kernel" -r "$work/initrd" \
		-o "$work/out" -t 20 "$@" "$work/script.sh"
	got=$?
	echo "status $got, wanted $wanted"
	[ "$got" -eq "$wanted" ]
}

log_is() {
	[ "$(cat "$work/out/ktap.log")" = "$1" ]
}

check "a full report of success" boots_to 0 'out "ok 1"; trailer 0'
check "the log is what the guest wrote" log_is "ok 1"
check "a full report of status 42" boots_to 42 'out "not ok 1"; trailer 42'
check "a report with no output before it" boots_to 0 'trailer 0'
check "no report" boots_to 125 'out "ok 1"'
check "no log at all" boots_to 125 ':'
check "a report of another boot" \
	boots_to 125 'out "ok 1"; nonce=0123456789abcdef; trailer 0'
check "a report without nonce" \
	boots_to 125 'out "ok 1"; nonce=; trailer 0'
check "a report that is cut short" \
	boots_to 125 'out "ok 1"; printf "exitstatus $nonce 0" >>"$log"'
check "a report without its newline" boots_to 125 \
	'out "ok 1"; trailer 0; truncate -s -1 "$log"'
check "a report followed by more" \
	boots_to 125 'out "ok 1"; trailer 0; out "ok 2"'
check "a line lost before the report" \
	boots_to 125 'out "ok 1" "not ok 2"; trailer 0; sed -i 2d "$log"'
check "a changed byte before the report" boots_to 125 \
	'out "not ok 1"; trailer 0; sed -i "s/^not ok/ok/" "$log"'
check "QEMU that fails to start" boots_to 125 'exit 1'
check "QEMU that hangs" boots_to 124 'out "ok 1"; exec sleep 60' -t 1
check "a splat beside a report of success" boots_to 123 \
	'trailer 0; echo "[    1.000000] BUG: x" >>"$console"'
check "a kernel log that cannot be scanned" \
	boots_to 123 'trailer 0; : >"$console"'
check "no kernel image" boots_to 125 'trailer 0' -k "$work/none"
finish
