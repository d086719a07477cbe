#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# pasid-report with tools that are made up: what it calls, that each thing is had or
# is told why not, and how it ends.

here=$(CDPATH='' cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../lab/ktap.sh
. "$here/../lab/ktap.sh"
top=$here/../..
workdir
bin=$work/bin
tar=$work/report.tar
mkdir "$bin"
cp "$top/tools/pasid-report" "$bin/"
chmod 755 "$work" "$bin" "$bin/pasid-report"

fake() { # NAME SCRIPT: "$0 $*" goes to the log
	{
		echo '#!/bin/sh'
		echo "echo \"\${0##*/} \$*\" >>'$work/log'"
		echo "$2"
	} >"$bin/$1"
	chmod 755 "$bin/$1"
}

# shellcheck disable=SC2016 # for those scripts
make_fakes() {
	fake pasidtop 'case $1 in --help) echo "  --once" ;; *) echo {\"type\":\"pasid\"} ;; esac'
	fake pasidsnoop 'echo {\"type\":\"alive\"}'
	# Something is stuck, which is no failure of the tool
	fake invsnoop 'case $1 in --help) echo "  --stuck" ;; *) echo {\"type\":\"stalled\"}; exit 5 ;; esac'
	fake invlat 'echo {\"type\":\"histogram\"}'
	fake pasidwhy 'echo "of ${1:-all}"; exit 4'
	# No other user's, and not of another language
	fake dmesg 'echo "DMAR: Invalidation Time-out Error (ITE) cleared"; echo "usb 1-1: Product: Secret"'
}

# has NAME REGEX: of the report
has() {
	tar -xOf "$tar" --wildcards "*/$1" >"$work/has" && grep -qE "$2" "$work/has" && return
	cat "$work/has"
	return 1
}

lists() {
	tar -tf "$tar" | sed 's,^[^/]*/,,' | grep -qxF "$1"
}

run() {
	rm -f "$tar" "$work/log"
	"$bin/pasid-report" -d 1 -o "$tar" >"$work/out" 2>"$work/err" && return
	status=$?
	cat "$work/out" "$work/err"
	return "$status"
}

all_is_had() {
	run && has pasids.json pasid && has stuck.json stalled && has latency.json histogram &&
		has why/machine.txt '^of all$' && has kernel.log Time-out &&
		has versions.txt "^kernel $(uname -r) " && ! lists stderr &&
		for file in pasids.json stuck.json latency.json why/machine.txt kernel.log \
			versions.txt; do
			has report.txt "^had +$file " || return
		done
}

each_device() {
	for device in /sys/bus/pci/devices/*; do
		[ ! -e "$device" ] || has "why/${device##*/}.txt" "^of ${device##*/}$" || return
	done
}

# Each program that is called, with its options
calls() {
	grep -vE ' --(help|version)$' "$work/log" | sed 's/ [0-9a-f]*:[0-9a-f:.]*$/ DEV/' |
		sort -u >"$work/calls"
	diff - "$work/calls" <<-END
	dmesg 
	invlat -j 1 1
	invsnoop --stuck -d 1 -j
	pasidtop --once -j
	pasidwhy 
	$([ -z "$(ls /sys/bus/pci/devices 2>/dev/null)" ] || echo pasidwhy DEV)
	END
}

# Of each of them once
asks_for_versions() {
	grep ' --version$' "$work/log" | sort >"$work/versions"
	sed 's/ .*//' "$work/calls" | grep -vx dmesg | sort -u | sed 's/$/ --version/' |
		diff - "$work/versions"
}

nothing_of_users() {
	! tar -xOf "$tar" | grep -a -e Secret -e "$(uname -n)"
}

only_its_owner() {
	[ "$(stat -c %a "$tar")" = 600 ]
}

one_name_inside() {
	[ "$(tar -tf "$tar" | cut -d / -f 1 | sort -u | wc -l)" -eq 1 ] &&
		tar -tf "$tar" | grep -q '^pasid-report-[0-9]*-[0-9]*/'
}

# --- what cannot be had -------------------------------------------------------------

older_tools() {
	fake pasidtop 'exit 2'
	fake invsnoop 'exit 2'
	run && has pasids.json alive && ! lists stuck.json &&
		has report.txt '^not had +pasids.json +pasidtop --once -j: there is no such' &&
		has report.txt '^had +pasids.json +pasidsnoop -e alive' &&
		has report.txt '^not had +stuck.json +invsnoop --stuck: there is no such' &&
		grep -q '^not had  stuck.json' "$work/err"
}

no_tools() {
	rm "$bin"/pasidtop "$bin"/pasidsnoop "$bin"/inv* "$bin"/pasidwhy
	run && for file in pasids.json latency.json why/machine.txt; do
		has report.txt "^not had +$file .*: there is no program" || return
		! lists "$file" || return
	done
}

it_fails() {
	fake invlat 'echo {}; echo "invlat: it lacks CAP_BPF." >&2; exit 3'
	run && has latency.json '{}' && has report.txt \
		'^not had +latency.json +invlat -j 1 1: status 3, invlat: it lacks CAP_BPF'
}

# Were its time not limited, this would not end.
it_does_not_end() {
	sed 's/seconds + 60/1/; s/timeout 10/timeout 1/' "$top/tools/pasid-report" >"$bin/pasid-report"
	fake invlat 'exec sleep 1000'
	run
	status=$?
	cp "$top/tools/pasid-report" "$bin/"
	rm "$bin/invlat"
	[ "$status" -eq 0 ] && has report.txt 'latency.json .*status 124, it did not end in time'
}

no_log() {
	fake dmesg 'echo "dmesg: read kernel buffer failed: Operation not permitted" >&2; exit 1'
	run && ! lists kernel.log &&
		has report.txt '^not had +kernel.log +dmesg: Operation not permitted'
}

no_file() {
	has report.txt '^(not )?had +lockdown.txt +/sys/kernel/security/lockdown' &&
		has report.txt '^(not )?had +queue.txt +/sys/kernel/debug/iommu/intel'
}

# --- how it is called ---------------------------------------------------------------

gives() { # STATUS REGEX OPTION..
	status=$1 regex=$2
	shift 2
	(cd "$work" && "$bin/pasid-report" "$@") >"$work/out" 2>"$work/err"
	got=$?
	cat "$work/out" "$work/err"
	[ "$got" -eq "$status" ] && grep -qE -e "$regex" "$work/out" "$work/err"
}

by_default_here() {
	gives 0 "$work/pasid-report-[0-9]*-[0-9]*\.tar" -d 1 &&
		rm "$work"/pasid-report-*.tar
}

no_trace_of_it() {
	mkdir "$work/tmp"
	TMPDIR=$work/tmp gives 1 "cannot write /none/x" -d 1 -o /none/x &&
		[ -z "$(ls -A "$work/tmp")" ]
}


same_options() {
	options='s/^ +((-[A-Za-z], )?--[a-z-]+( [A-Z]+)?)( .*)?$/\1/p'
	"$bin/pasid-report" --help | sed -nE "$options" | sort >"$work/help"
	groff -man -ww -rHY=0 -Tascii -P-cbou "$top/tools/man/pasid-report.8" >"$work/man" &&
		grep '^       -' "$work/man" | sed -nE "$options" | sort |
		diff "$work/help" - && [ -s "$work/help" ]
}

every_file_is_in_the_manual() {
	for file in $(tar -tf "$work/all.tar" | sed 's,^[^/]*/,,' | grep '[^/]$'); do
		case $file in why/[0-9]*) file=why/DEVICE.txt ;; esac
		grep -q "^       $file$" "$work/man" || {
			echo "$file"
			return 1
		}
	done
}

make_fakes
check "all that there is, in one tar" all_is_had
cp "$tar" "$work/all.tar"
check "pasidwhy of each PCI device" each_device
check "it calls what the manual says" calls
check "and asks each program that it calls for its version" asks_for_versions
check "nothing of users, no name of the machine" nothing_of_users
check "only its owner can read it" only_its_owner
check "all is below one name" one_name_inside
check "what has no file is told" no_file
check "tools that do not know the options yet" older_tools
check "no tools" no_tools
check "a tool that fails: what it printed, and why" it_fails
check "a tool that does not end" it_does_not_end
check "no log of the kernel" no_log
check "the name by default" by_default_here
check "a tar that cannot be written, and nothing is left" no_trace_of_it
check "-d without a number" gives 2 "-d takes seconds" -d 1m
check "-d 0" gives 2 "-d takes seconds" -d 0
check "-o without a file" gives 2 "-o needs an argument" -o
check "an unknown option" gives 2 "unexpected argument -x" -x
check "--version" gives 0 "^pasid-report [0-9.]+$" --version
check "options: --help = manual" same_options
check "the files are in the manual" every_file_is_in_the_manual
finish
