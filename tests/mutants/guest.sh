#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# In the VM: for each line "mutant in test" of the file BATCH, run the test with
# the mutant and say "verdict mutant test" and what it reports. Without it the
# test has to pass then, "passes test". If it does not, something was left behind,
# and the rest is for a new boot; so is the line itself, unless it is the first,
# as what was left may be an earlier one's. The mutant "none" leaves nothing.
# shellcheck disable=SC2153 # BATCH comes with the boot

now=/sys/module/ioasid/parameters/mutant
filter=/sys/module/kunit/parameters/filter_glob

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
	case $1 in
	kunit)		kunit "$2" ;;
	iommufd)	timeout 120 /kselftest/iommufd -t "${2#*.}" ;;
	gpasid)		timeout 120 /kselftest/iommufd_gpasid -t "${2#*.}" ;;
	fail_nth)	timeout 120 /kselftest/iommufd_fail_nth -t "${2#*.}" ;;
	vmm)		timeout 300 vmm_test -r "vmm.$2" ;;
	leave)		timeout 300 vmm_leave -r "leave.$2" ;;
	attach)		timeout 300 vmm_attach -r "attach.$2" ;;
	vcmd)		timeout 300 vmm_vcmd -r "vcmd.$2" ;;
	exhaust)	timeout 300 vmm_exhaust -r "$2" ;;
	stable)		timeout 300 stable_test -t "$2" ;;
	vm)		sh "./${2%%.*}.sh" ;;
	esac
}

# "ok", "not ok", "skip", or nothing if it did not report. A case that another
# user of PASIDs is in the way of is skipped: what an earlier mutant leaked is one.
reports() { # MUTANT IN TEST
	name=${3#*.}
	[ "$2" != vm ] || name=$(echo "$name" | tr _ ' ')
	printf %s "$1" >$now
	run "$2" "$3" 2>&1 </dev/null |
		grep -Eo "^ *(not )?ok [0-9]+ .*\\b$name( #.*)?$" |
		sed -E 's/.*# SKIP.*/skip/; s/^ *((not )?ok) .*/\1/' | sort -u
	printf none >$now
}

# shellcheck source-path=SCRIPTDIR source=../vmm/vfio.sh
. ./vfio.sh
vfio_bind
echo 128 >/proc/sys/vm/nr_hugepages
first=1
while read -r mutant in test; do
	echo "begins $mutant $test" >/dev/kmsg
	found="verdict $mutant $test $(reports "$mutant" "$in" "$test")"
	[ -z "$first" ] || echo "$found"
	case $mutant-$in in
	none-*)			;;
	*-fail_nth | *-vm)	break ;;
	*)			[ "$(reports none "$in" "$test")" = ok ] || break
				echo "passes $test" ;;
	esac
	[ -n "$first" ] || echo "$found"
	first=''
done <"$BATCH"
exit 0
