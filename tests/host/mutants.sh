#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# limit: 4000
#
# Does each test notice when the rule that it is for is broken? ioasid.patch and
# gpasid.patch make a kernel that breaks one rule at a time, ioasid.mutant=NAME,
# and list says which test must fail then. A mutant that survives is a failure
# here, and so is a test that no mutant is for.

set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
here=$root/tests/mutants
work=$root/build/mutants
# shellcheck source-path=SCRIPTDIR source=../lab/ktap.sh
. "$root/tests/lab/ktap.sh"

mutants() {
	sed -e 's/#.*//' "$here/list" | awk 'NF == 3'
}

# A copy beside the kernel as build/linux is beside build/kernel: that way
# ccache knows all the files which the mutants leave alone.
build() {
	rm -rf "$work/linux"
	mkdir -p "$work"
	cp -al "$root/build/linux" "$work/linux"
	for patch in ioasid gpasid; do
		patch -s -d "$work/linux" -p1 -F0 --no-backup-if-mismatch \
			<"$here/$patch.patch" || return
	done
	"$root/tests/lab/vm/kernel" "$work/linux" "$work/kernel" || return
	"$root/tests/lab/vm/initramfs" "$work/initramfs.cpio" "$work/kernel" \
		"$root/build/tools" "$root/build/kselftest:/kselftest"
}

boot() {
	"$root/tests/lab/vm/boot" -m 2G -k "$work/kernel/arch/x86/boot/bzImage" \
		-r "$work/initramfs.cpio" "$@" >/dev/null 2>&1 || :
}

# Runs test $3 of $2 with mutant $1, in a boot of its own. Prints ok, or "not ok"
# if it noticed.
verdict() {
	set -- "$1" "$2" "$3" "$here/guest.sh"
	name=${3#*.}
	[ "$2" != vm ] || {
		set -- "$@" "$root/tests/lab/vm/t/${3%%.*}.sh"
		name=$(echo "$name" | tr _ ' ')
	}
	mutant=$1 in=$2 test=$3
	shift 3
	boot -o "$work/$mutant-$test" -t 300 -a "intel_iommu=off \
ioasid.mutant=$mutant kunit.filter_glob=*.$test IN=$in TEST=$test" "$@"
	grep -Eo "^ *(not )?ok [0-9]+ .*\b$name( #.*)?$" \
		"$work/$mutant-$test/ktap.log" |
		sed -E 's/^ *((not )?ok) .*/\1/' | sort -u
}

# The programs of user space in as few boots as can be: as soon as a mutant has
# left something behind, or the kernel is gone, the next line gets a boot of its
# own, and the rest the next one.
batches() {
	cp "$work/todo" "$work/left"
	n=0
	while [ -s "$work/left" ]; do
		n=$((n + 1))
		cp "$work/left" "$work/batch"
		boot -o "$work/batch-$n" -t 1500 -a "intel_iommu=off IN=batch" \
			"$here/guest.sh" "$work/batch"
		sed -n 's/^verdict //p' "$work/batch-$n/ktap.log" >>"$work/verdicts"
		done=$(grep -c '^verdict ' "$work/batch-$n/ktap.log" || :)
		sed "1,${done}d" "$work/batch" >"$work/left"
		[ "$done" -gt 0 ] || sed 1d "$work/batch" >"$work/left"
		[ "$done" -gt 0 ] || single <"$work/batch"
	done
}

# The first line of the list on stdin
single() {
	read -r mutant in test
	echo "$mutant $test $(verdict "$mutant" "$in" "$test" </dev/null)" \
		>>"$work/verdicts"
}

# Tests that exist, in the form of the list; of the scripts in the VM only some
# have a mutant.
tests() {
	sed -n 's/^\tKUNIT_CASE[A-Z_]*(\(.*\)),$/kunit \1/p' \
		"$root"/build/linux/drivers/iommu/tests/io*_kunit.c
	sed -En 's/^TEST_F[A-Z_]*\((iommufd_pasid), ([a-z_]+).*/iommufd \1.\2/p' \
		"$root/build/linux/tools/testing/selftests/iommu/iommufd.c"
	sed -En 's/^TEST_F[A-Z_]*\((iommufd_gpasid), ([a-z_0-9]+).*/gpasid \1.\2/p' \
		"$root/build/linux/tools/testing/selftests/iommu/iommufd_gpasid.c"
	sed -En "s/^TEST_FAIL_NTH\\((basic_fail_nth), (g?pasid[a-z_]*)\\).*/fail_nth \\1.\\2/p" \
		"$root/build/linux/tools/testing/selftests/iommu/iommufd_fail_nth.c"
}

if build >"$root/build/mutants.log" 2>&1; then
	ok "the kernel with the mutants builds"
else
	not_ok "the kernel with the mutants builds" "see build/mutants.log"
	exit 1
fi

mutants | awk '$2 != "vm" { print $2, $3 }' | sort -u >"$work/listed"
tests | sort -u >"$work/existing"
check "there is a mutant for every test" \
	diff "$work/existing" "$work/listed"

# What the kernel has in memory already cannot fail to be allocated: fail_nth
# needs a kernel that has done nothing before
alone='kunit|vm|fail_nth'
rm -f "$work/verdicts"
mutants | grep -vE "[[:space:]]($alone)[[:space:]]" >"$work/todo" || :
batches
mutants | grep -E "[[:space:]]($alone)[[:space:]]" >"$work/todo" || :
while read -r line; do
	echo "$line" | single
done <"$work/todo"

mutants >"$work/todo"
while read -r mutant in test; do
	found=$(sed -n "s/^$mutant $test //p" "$work/verdicts")
	if [ "$found" = "not ok" ]; then
		ok "$test notices $mutant"
	else
		not_ok "$test notices $mutant" "reported: ${found:-nothing}"
	fi
done <"$work/todo"
finish
