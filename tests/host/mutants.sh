#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# limit: 4000
#
# Does each test notice when the rule that it is for is broken? One kernel has
# all that tests/mutants/rows says, and breaks one rule at a time. A mutant that
# survives is a failure here, and so is a test that no mutant is for.

set -eu

root=$(CDPATH='' cd "$(dirname "$0")/../.." && pwd)
here=$root/tests/mutants
work=$root/build/mutants
linux=$root/build/linux
# shellcheck source-path=SCRIPTDIR source=../lab/ktap.sh
. "$root/tests/lab/ktap.sh"

# The objects of build/kernel, and the files that change beside them, where make
# finds them before those of the source tree: so nothing else is built again.
build() {
	rm -rf "$work"
	mkdir -p "$work" &&
		cp -a "$root/build/kernel" "$work/kernel" &&
		"$here/switch" "$linux" "$work/kernel" &&
		"$root/tests/lab/vm/kernel" "$linux" "$work/kernel" &&
		"$root/tests/lab/vm/initramfs" "$work/initramfs.cpio" \
			"$work/kernel" "$root/build/tools" \
			"$root/build/kselftest:/kselftest"
}

# Deal a list out to $lanes, each with a file of lines for few boots, and files
# of one line: what is in memory already cannot fail to be allocated, so fail_nth
# needs a kernel that has done nothing before; and what a script of the VM
# changes is not known. The monitor needs another machine, and a script its own.
deal() { # LIST NAME
	awk -v lanes="$lanes" -v to="$work/$2" '{
		split($3, test, ".")
		file = $2 == "vm" ? NR "." test[1] : $2 == "fail_nth" ? NR : \
			$2 ~ /^(leave|vcmd|exhaust|stable)$/ ? $2 : $2 ~ /^(vmm|attach)$/ ? "vmm" : 0
		print >(to NR % lanes "-" file)
	}' "$1"
}

# died FILE LOG: what to say of its first line, which had no verdict. A complaint
# of the kernel before it began is a slow machine's, not the mutant's. A case of
# KUnit that fails says so before what it left behind hangs the kernel.
died() {
	read -r mutant _ test <"$1"
	if sed "0,/begins $mutant $test/d" "$2" |
	   grep -qE -e 'Oops: |kernel BUG at|Kernel panic|rcu: INFO: .* stall' \
		-e "# $test: (EXPECTATION|ASSERTION) FAILED"; then
		echo "verdict $mutant $test died"
	else
		return 1
	fi
}

# machine SCRIPT: that of tests/guest/SCRIPT.sh
machine() {
	sed -n 's/^# boot: //p' "$root/tests/guest/$1.sh"
}

# boots FILE: the verdicts on its lines, in as few boots as can be. Each goes on
# where the one before ended. If there are two without a verdict on their first line,
# there never is. A kernel that does not survive has noticed, if it says so. A mutant
# that hangs a boot does so up to the limit; the next one goes on where that ended.
boots() {
	n=0 silent=''
	arguments='' options=
	case ${1##*/} in
	*.*)	options=$(machine "${1##*.}") ;;
	*-vmm | *-stable)	options=-n ;;
	*-leave | *-vcmd | *-exhaust) options=$(machine "${1##*-}") ;;
	*)	arguments=intel_iommu=off ;;
	esac
	while [ -s "$1" ]; do
		n=$((n + 1))
		# shellcheck disable=SC2086 # a list
		"$root/tests/lab/vm/boot" $options -o "$1.$n" -m 2G -t 400 \
			-k "$work/kernel/arch/x86/boot/bzImage" \
			-r "$work/initramfs.cpio" \
			-a "$arguments BATCH=${1##*/}" "$here/guest.sh" "$1" \
			"$root"/tests/guest/*.sh "$root/tests/vmm/vfio.sh" \
			"$root/build/tools/pasidmod/snoopmod.ko" >/dev/null 2>&1 || :
		grep '^verdict ' "$1.$n/ktap.log" >"$1.said" ||
			died "$1" "$1.$n/console.log" >"$1.said" || {
				[ "$silent" = "$(head -n 1 "$1")" ] ||
					{ silent=$(head -n 1 "$1"); continue; }
				echo >"$1.said"
			}
		cat "$1.said" >>"$1.verdicts"
		sed -i "1,$(wc -l <"$1.said")d" "$1"
	done
}

# verdicts LIST NAME: on all lines of LIST
verdicts() {
	deal "$1" "$2"
	for lane in $(seq 0 $((lanes - 1))); do
		for file in "$work/$2$lane"-*; do boots "$file"; done &
	done
	wait
	cat "$work/$2"*.verdicts
}

# A test that never passed notices nothing: those of the list that guest.sh did not
# see pass, as all their mutants left something behind, or are alone in their boot.
unseen() {
	sed -n 's/^passes //p' "$work"/lane*/ktap.log | sort -u >"$work/seen"
	awk -v seen="$work/seen" '
		BEGIN { while ((getline test < seen) > 0) had[test] = 1 }
		!had[$3]++ { print "none", $2, $3 }' "$work/list"
}

check "the kernel with the mutants builds" build
[ "$ktap_failed" -eq 0 ] || finish
lanes=$(nproc)
[ "$lanes" -le 8 ] || lanes=8
"$here/switch" -t >"$work/list"

awk '$2 !~ /^(vmm?|leave|attach|vcmd|exhaust|stable)$/ { print $2, $3 }' "$work/list" | sort -u >"$work/listed"
"$here/tests" "$linux" | sort -u >"$work/existing"
check "there is a mutant for every test" diff "$work/existing" "$work/listed"

verdicts "$work/list" lane >"$work/verdicts"
while read -r mutant _ test; do
	found=$(sed -n "s/^verdict $mutant $test //p" "$work/verdicts")
	if [ "$found" = "not ok" ] || [ "$found" = died ]; then
		ok "$test notices $mutant"
	else
		not_ok "$test notices $mutant" "reported: ${found:-nothing}"
	fi
done <"$work/list"

unseen >"$work/unseen"
[ ! -s "$work/unseen" ] || verdicts "$work/unseen" none >>"$work/verdicts"
while read -r mutant _ test; do
	check "$test passes without a mutant" \
		grep -qx "verdict $mutant $test ok" "$work/verdicts"
done <"$work/unseen"
finish
