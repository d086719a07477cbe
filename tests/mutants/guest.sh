#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# In the VM: run one test of IN, TEST, and pass on what it reports; or, with
# IN=batch, those of the file "batch", one after the other. For each line
# "mutant in test" of it the verdict follows. After each the test has to pass
# without the mutant: if it does not, something was left behind, and a new boot
# has to do the rest.
# shellcheck disable=SC2154,SC2153 # IN and TEST come with the boot

param=/sys/module/ioasid/parameters/mutant

run() { # IN TEST
	case $1 in
	kunit)
		for module in /lib/modules/*_kunit.ko; do
			insmod "$module"
		done
		cat /sys/kernel/debug/kunit/*/results ;;
	iommufd)
		timeout 120 /kselftest/iommufd -t "${2#*.}" ;;
	gpasid)
		timeout 120 /kselftest/iommufd_gpasid -t "${2#*.}" ;;
	fail_nth)
		timeout 120 /kselftest/iommufd_fail_nth -t "${2#*.}" ;;
	vm)
		sh "./${2%%.*}.sh" ;;
	esac
}

# "ok", "not ok", or nothing if it did not report
verdict() { # IN TEST
	run "$1" "$2" 2>&1 </dev/null |
		grep -Eo "^ *(not )?ok [0-9]+ .*\\b${2#*.}( #.*)?$" |
		sed -E 's/^ *((not )?ok) .*/\1/' | sort -u
}

batch() {
	while read -r mutant in test; do
		printf %s "$mutant" >$param
		found=$(verdict "$in" "$test")
		printf none >$param
		echo "verdict $mutant $test $found"
		[ "$(verdict "$in" "$test")" = ok ] || {
			echo "left behind by $mutant"
			break
		}
	done <./batch
}

echo 128 >/proc/sys/vm/nr_hugepages
case $IN in
batch)	batch ;;
*)	run "$IN" "$TEST" ;;
esac
exit 0
