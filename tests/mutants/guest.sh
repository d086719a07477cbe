#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# In the VM: for each line "mutant in test" of the file BATCH, run the test with
# the mutant and say "verdict mutant test" and what it reports. Behind the lines of
# a test it has to pass without one, "passes test". If it does not, something was left
# behind, and the rest is for a new boot; so are these lines, except the first of all,
# as what was left may be an earlier one's. The mutant "none" leaves nothing. With
# FIRST a mutant that was noticed is not tried with other tests: "verdict .. left".
# shellcheck disable=SC2153 # BATCH and FIRST come with the boot

now=/sys/module/ioasid/parameters/mutant
filter=/sys/module/kunit/parameters/filter_glob

short=120 long=300
[ -z "$FIRST" ] || short=40 long=60

kunit() { # CASE
	printf '*.%s' "$1" >$filter
	for module in /lib/modules/*_kunit.ko; do
		insmod "$module"
	done
	cat /sys/kernel/debug/kunit/*/results
	for module in /lib/modules/*_kunit.ko; do
		rmmod "$module"
	done
}

run() { # IN TEST
	set -- "$1" "${2%%+*}"
	case $1 in
	kunit)		kunit "$2" ;;
	iommufd)	timeout $short /kselftest/iommufd -t "${2#*.}" ;;
	gpasid)		timeout $short /kselftest/iommufd_gpasid -t "${2#*.}" ;;
	fail_nth)	timeout $short /kselftest/iommufd_fail_nth -t "${2#*.}" ;;
	vmm)		timeout $long vmm_test -r "vmm.$2" ;;
	leave)		timeout $long vmm_leave -r "leave.$2" ;;
	attach)		timeout $long vmm_attach -r "attach.$2" ;;
	vcmd)		timeout $long vmm_vcmd -r "vcmd.$2" ;;
	exhaust)	timeout $long vmm_exhaust -r "$2" ;;
	units)		timeout $long vmm_units -r "units.$2" ;;
	stable)		timeout $long stable_test -t "$2" ;;
	watched)	run "${2%%.*}" "${2#*.}" ;;
	vm)		sh "./${2%%.*}.sh" ;;
	esac
}

# The kernel complains of something: then the scan of its log fails the test
complains() {
	dmesg | grep -qE 'WARNING: |BUG: |UBSAN: |refcount_t: |INFO: trying to register'
}

# "ok", "not ok", "skip", or nothing if it did not report. A case that another
# user of PASIDs is in the way of is skipped: what an earlier mutant leaked is one.
reports() { # MUTANT IN TEST
	name=${3%%+*}
	name=${name#*.}
	[ "$2" != vm ] || name=$(echo "$name" | tr _ ' ')
	echo 1 >/sys/kernel/debug/clear_warn_once
	dmesg -c >/dev/null
	watch "$2"
	printf %s "$1" >$now
	said=$(run "$2" "$3" 2>&1 </dev/null |
		grep -Eo "^ *(not )?ok [0-9]+ .*\\b$name( #.*)?$" |
		sed -E 's/.*# SKIP.*/skip/; s/^ *((not )?ok) .*/\1/' | sort -u)
	printf none >$now
	! complains || said='not ok'
	echo "$said"
}

# A line that hangs ends the boot: what hangs in the kernel cannot be killed.
watch() { # IN
	[ ! -e /tmp/watcher ] || kill "$(cat /tmp/watcher)"
	case $1 in
	kunit | iommufd | gpasid) patience=$((short + 20)) ;;
	vm)			patience=290 ;;
	*)			patience=$((long + 30)) ;;
	esac
	(sleep $patience; echo "hangs $mutant $test" >/dev/kmsg; sleep 1
		echo b >/proc/sysrq-trigger) >/dev/null 2>&1 </dev/null &
	echo $! >/tmp/watcher
}
# shellcheck source-path=SCRIPTDIR source=../vmm/vfio.sh
. ./vfio.sh
vfio_bind
echo 128 >/proc/sys/vm/nr_hugepages
# Which lines are the last of their test: behind these it has to pass
awk 'NR > 1 { print line, $3 == test ? "" : "last" }
	{ line = $0; test = $3 }
	END { if (NR) print line, "last" }' "$BATCH" >/tmp/batch
first=1 noticed='' held=''
while read -r mutant in test last; do
	if [ -n "$FIRST" ] && [ "$mutant" = "$noticed" ]; then
		echo "verdict $mutant $test left"
		continue
	fi
	echo "begins $mutant $test" >/dev/kmsg
	found="verdict $mutant $test $(reports "$mutant" "$in" "$test")"
	case $first in
	1)	echo "$found" ;;
	*)	held="$held$found
" ;;
	esac
	case $first$found in
	*' not ok')	noticed=$mutant ;;
	verdict*' skip') break ;;
	esac
	first=''
	case $FIRST$mutant-$in in
	none-*)			;;
	*-fail_nth | *-vm | *-watched | *boot-*) break ;;
	1*)			[ "$mutant" != "$noticed" ] ||
					[ "$(reports none "$in" "$test")" = ok ] || break ;;
	*)			[ -n "$last" ] || continue
				[ "$(reports none "$in" "$test")" = ok ] || break
				echo "passes $test" ;;
	esac
	printf %s "$held"
	held=''
done </tmp/batch
exit 0
