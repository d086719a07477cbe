#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# limit: 3000
#
# Does each test notice when the rule that it is for is broken? ioasid.patch
# makes a kernel that breaks one rule at a time, ioasid.mutant=NAME, and list
# says which test must fail then. A mutant that survives is a failure here, and
# so is a test that no mutant is for.

set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$root/build/mutants
# shellcheck source-path=SCRIPTDIR source=../vm/ktap.sh
. "$root/tests/vm/ktap.sh"

mutants() {
	sed -e 's/#.*//' "$here/list" | awk 'NF == 3'
}

# A copy beside the kernel as build/linux is beside build/kernel: that way
# ccache knows all the files which the mutants leave alone.
build() {
	rm -rf "$work/linux"
	mkdir -p "$work"
	cp -al "$root/build/linux" "$work/linux"
	patch -s -d "$work/linux" -p1 -F0 --no-backup-if-mismatch \
		<"$here/ioasid.patch" || return
	"$root/tests/vm/kernel" "$work/linux" "$work/kernel" || return
	"$root/tests/vm/initramfs" "$work/initramfs.cpio" "$work/kernel" \
		"$root/build/tools" "$root/build/kselftest:/kselftest"
}

# Runs test $3 of $2 with mutant $1; prints ok, or "not ok" if it noticed.
verdict() {
	set -- "$1" "$2" "$3" "$here/guest.sh"
	name=${3#*.}
	[ "$2" != vm ] || {
		set -- "$@" "$root/tests/vm/t/${3%%.*}.sh"
		name=$(echo "$name" | tr _ ' ')
	}
	mutant=$1 in=$2 test=$3
	shift 3
	"$root/tests/vm/boot" -o "$work/$mutant-$test" -t 300 -m 2G \
		-k "$work/kernel/arch/x86/boot/bzImage" \
		-r "$work/initramfs.cpio" -a "ioasid.mutant=$mutant \
kunit.filter_glob=ioasid.$test IN=$in TEST=$test" "$@" >/dev/null 2>&1 || :
	grep -Eo "^ *(not )?ok [0-9]+ .*\b$name( #.*)?$" \
		"$work/$mutant-$test/ktap.log" |
		sed -E 's/^ *((not )?ok) .*/\1/' | sort -u
}

# Tests that exist, in the form of the list; of the scripts in the VM only some
# have a mutant.
tests() {
	sed -n 's/^\tKUNIT_CASE[A-Z_]*(\(.*\)),$/kunit \1/p' \
		"$root/build/linux/drivers/iommu/tests/ioasid_kunit.c"
	sed -En 's/^TEST_F[A-Z_]*\((iommufd_pasid), ([a-z_]+).*/iommufd \1.\2/p' \
		"$root/build/linux/tools/testing/selftests/iommu/iommufd.c"
	sed -En "s/^TEST_FAIL_NTH\\((basic_fail_nth), (pasid[a-z_]*)\\).*/fail_nth \\1.\\2/p" \
		"$root/build/linux/tools/testing/selftests/iommu/iommufd_fail_nth.c"
}

plan $(($(mutants | wc -l) + 2))
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

mutants >"$work/todo"
while read -r mutant in test; do
	found=$(verdict "$mutant" "$in" "$test")
	if [ "$found" = "not ok" ]; then
		ok "$test notices $mutant"
	else
		not_ok "$test notices $mutant" "reported: ${found:-nothing}"
	fi
done <"$work/todo"
finish
