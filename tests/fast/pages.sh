#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# make pages on a kernel of two files and a series of three patches: what it says of
# each, whoever notices what.

set -eu

root=$(CDPATH='' cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=../lab/ktap.sh
. "$root/tests/lab/ktap.sh"
export LC_ALL=C GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
unset KSRC PATCHES BUILD REPO FORCE ROWS
workdir
project=$work/project
export KSRC="$work/source.tar.xz"

# The scripts that are there, around a series and rows that are not. Sizes are made up:
# no kernel is built.
make_project() {
	mkdir -p "$project/Documentation" "$project/patches/bin" "$project/tests/mutants" \
		"$project/tests/stable" "$project/tests/host"
	ln -s "$root/tests/lab" "$project/tests/"
	ln -s "$root/tests/host/debug" "$project/tests/host/"
	for file in switch propose.py tests; do
		ln -s "$root/tests/mutants/$file" "$project/tests/mutants/"
	done
	ln -s "$root"/patches/bin/* "$project/patches/bin/"
	rm "$project/patches/bin/bisect"
	printf '%s\n' '#!/bin/sh' "echo '2 drivers/iommu/ioasid.o 120 8 -4'" \
		"echo '2 drivers/iommu/tests/a_kunit.o 500 0 0'" >"$project/patches/bin/bisect"
	chmod +x "$project/patches/bin/bisect"
	cp "$root/patches/BASE" "$project/patches/"
	: >"$project/patches/series"
	cat >"$project/tests/stable/rows" <<-'TABLE'
	# test | patch | before
	one_fault	| 0001 | fails |
	another		| 0009 | fails |
	TABLE
	: >"$project/tests/mutants/hunks"
	: >"$project/tests/mutants/unnoticed"
	cat >"$project/tests/mutants/rows" <<-'TABLE'
	mutant	late
	at	drivers/iommu/ioasid.c take
	-	a > 8 || b > 9
	+	0
	fails	kunit first_case
	fails	vm script.the_result

	mutant	never
	at	drivers/iommu/ioasid.c kept
	-	a + 1
	+	a
	fails	kunit second_case
	TABLE
}

make_kernel() {
	mkdir -p "$work/linux/drivers/iommu"
	cd "$work/linux"
	printf '%s\n' 'VERSION = 6' 'PATCHLEVEL = 12' 'SUBLEVEL = 117' >Makefile
	printf '%s\n' 'int core(int a)' '{' '	return a;' '}' >drivers/iommu/core.c
	tar -C "$work" -cf - linux | xz -0 >"$KSRC"
}

commit() { # MESSAGE..
	git add -A && printf '%s\n' "$@" | git commit -q -F -
}

first() {
	sed -i 's/return a;/at(a)->mask = 7;\n\treturn a \& 7;/' drivers/iommu/core.c
	commit 'iommu: Mask it' '' 'It is' 'too' 'large.' '' 'Cc: stable@vger.kernel.org'
}

# What is not in a function, declarations, and braces are no code that a mutant could
# change.
second() {
	mkdir drivers/iommu/tests Documentation
	cat >drivers/iommu/ioasid.c <<-'C'
	static int unused;

	int kept(int a)
	{
		return a + 1;
	}

	int take(int a, int b)
	{
		if (a > 7 ||
		    b > 9)
			return -1;
		return 0;
	}

	int gone(int a)
	{
		return a;	/* soon */
	}
	C
	printf '\tKUNIT_CASE(%s),\n' first_case second_case >drivers/iommu/tests/a_kunit.c
	echo text >Documentation/text.rst
	commit 'iommu: Add it' '' 'It is' 'not' 'there.'
}

third() {
	sed -i -e 's/a > 7/a > 8/' -e 's/return a;.*/return -a;/' \
		-e 's/return a + 1;/int spare;\n&/' drivers/iommu/ioasid.c
	sed -i -e s/second_case/third_case/ drivers/iommu/tests/a_kunit.c
	commit 'iommu: Change it' '' 'It is' 'not' 'right.'
}

make_series() {
	make_project && make_kernel && "$project/patches/bin/tree" &&
		cd "$project/build/tree" && first && second && third &&
		"$project/patches/bin/export" || return
	cd "$project/patches"
	for patch in 0001-iommu-Add-it.patch 0002-iommu-Change-it.patch; do
		git patch-id --stable <"$patch" | cut -c 1-12
	done >"$work/ids"
	cat >"$project/Documentation/bisect.md" <<-TABLE
	| | patch | builds | warnings | off | boots | tests | seconds | id |
	|---|---|---|---|---|---|---|---|---|
	| 1 | iommu: Mask it | y n m | 0 | 1 | yes | 3 | 9 | \`000000000000\` |
	| 2 | iommu: Add it | y n m | 0 | 4 | yes | 17 | 9 | \`$(head -n 1 "$work/ids")\` |
	| 3 | iommu: Change it | as before | | | | | | \`$(tail -n 1 "$work/ids")\` |
	TABLE
}

pages() {
	rm -rf "$project/build/pages"
	"$project/patches/bin/pages" "$@"
}

says() { # PAGE: has all that is on standard input, lines in that order
	cat "$project/build/pages/$1"
	while IFS= read -r line; do
		while IFS= read -r there <&9; do
			[ "$there" != "$line" ] || continue 2
		done
		echo "missing, or not behind the line before: $line"
		return 1
	done 9<"$project/build/pages/$1"
}

# Of the three hunks of patch 2 one is gone. The mutant "late" changes lines of 2 and 3.
the_table() {
	says README.md <<-'END'
	| 1 | [iommu: Mask it](01-iommu-Mask-it.md) | 2 | 0 | 0 | ? | ? | 1 | 1 | 0 |  |
	| 2 | [iommu: Add it](02-iommu-Add-it.md) | 19 | 2 | 1 | yes | 17 | 2 | 2 | 0 |  |
	| 3 | [iommu: Change it](03-iommu-Change-it.md) | 3 | 1 | 0 | yes | 17 | 2 | 1 | 0 |  |
	|  | all | 24 | 3 | 1 |  |  | 5 | 4 | 0 |  |
	END
}

# shellcheck disable=SC2016 # backquotes of the page
stable_page() {
	says 01-iommu-Mask-it.md <<-'END'
	# 1. iommu: Mask it
	- `stable/0001-iommu-Mask-it.patch`
	- lines it adds: 2 of code, 0 of tests, 0 of documentation
	- `Documentation/bisect.md` does not know this patch as it is (`make bisect`)
	| drivers/iommu/core.c | 2 | 1 |
	- `one_fault` of tests/stable, on kernels without and with part 0
	| `drivers/iommu/core.c:3` `core()`, 2 lines | no patch | `one_fault` of tests/stable |
	END
}

new_page() {
	says 02-iommu-Add-it.md <<-'END'
	- builds with the new options y, n, m; new warnings: 0; objects that change while the options are n: 4; boots: yes; 17 tests pass
	| Documentation/text.rst | 1 | 0 |
	- kunit first_case
	- kunit second_case
	A hunk counts once for each function that it adds to. Of 2, mutants
	change 2; later patches replaced 1 more. Besides, it adds 13 lines of
	| `drivers/iommu/ioasid.c:5` `kept()`, 1 line | `never` | kunit `second_case` |
	| `drivers/iommu/ioasid.c:10` `take()`, 4 lines | `late` | kunit `first_case`, vm `script.the_result` |
	Not known: `make pages SIZES=1` builds what tells.
	END
}

last_page() {
	says 03-iommu-Change-it.md <<-'END'
	- the compiler sees what it saw before; 17 tests pass
	- kunit third_case
	- no more: kunit second_case
	| `drivers/iommu/ioasid.c:11` `take()`, 1 line | `late` | kunit `first_case`, vm `script.the_result` |
	No mutant changes these:
	- `drivers/iommu/ioasid.c:19` `gone()`, 1 line
	END
}

rows_to_try() {
	diff - "$project/build/pages/rows" <<-'END' &&
	mutant	patch-3-1
	at	drivers/iommu/ioasid.c gone
	-	-a
	+	0
	fails	kunit first_case
	fails	kunit second_case

	END
		ROWS=$project/build/pages/rows "$root/tests/mutants/switch" \
			"$project/build/tree" "$work/switched"
}

sizes_on_request() {
	pages -s && says 02-iommu-Add-it.md <<-'END' &&
	| drivers/iommu/ioasid.o | +120 | +8 | -4 |
	| drivers/iommu/tests/a_kunit.o | +500 | +0 | +0 |
	END
	says README.md <<-'END'
	| 2 | [iommu: Add it](02-iommu-Add-it.md) | 19 | 2 | 1 | yes | 17 | 2 | 2 | 0 | 120 |
	| 3 | [iommu: Change it](03-iommu-Change-it.md) | 3 | 1 | 0 | yes | 17 | 2 | 1 | 0 | 0 |
	END
}

# What no test can notice is not to be tried, and says why
reasons() {
	printf '%s\t%s\n' hunk 'drivers/iommu/ioasid.c gone' - '-a' why 'it is a' \
		why 'sign' >"$project/tests/mutants/unnoticed"
	pages || return
	! grep gone "$project/build/pages/rows" || return
	says 03-iommu-Change-it.md <<-'END' &&
	No mutant changes these, as no test could notice:
	- `drivers/iommu/ioasid.c:19` `gone()`, 1 line: it is a sign
	END
	says README.md <<-'END' &&
	|  | all | 24 | 3 | 1 |  |  | 5 | 4 | 1 |  |
	END
	sed -Ei 's/[^ ][0-9a-f]{12}[^ ] /ID /' "$project/build/pages/hunks.md" &&
	says hunks.md <<-'END'
	| 2 | iommu: Add it | 2 | 2 | 0 | ID |
	| 3 | iommu: Change it | 2 | 1 | 1 | ID |
	|  | all | 5 | 4 | 1 |  |
	END
}

# What depends on others does not count
bound() {
	sed -i 's/^why/bound/' "$project/tests/mutants/unnoticed"
	pages && says 03-iommu-Change-it.md <<-'END' &&
	These cannot be taken back alone:
	- `drivers/iommu/ioasid.c:19` `gone()`, 1 line: it is a sign
	END
	sed -Ei 's/[^ ][0-9a-f]{12}[^ ] /ID /' "$project/build/pages/hunks.md" &&
	says hunks.md <<-'END'
	| 3 | iommu: Change it | 1 | 1 | 0 | ID |
	|  | all | 4 | 4 | 0 |  |
	END
}

# refuses_reason FUNCTION TEXT MESSAGE
refuses_reason() {
	printf '%s\t%s\n' hunk "drivers/iommu/ioasid.c $1" - "$2" why 'it is so' \
		>"$project/tests/mutants/unnoticed"
	! pages >"$work/out" 2>&1 && grep "unnoticed:1: $3" "$work/out"
}

written_down() {
	: >"$project/tests/mutants/unnoticed"
	pages -r && grep -q 'when each of 2 mutants' "$project/Documentation/hunks.md" &&
		grep -qF '|  | all | 5 | 4 | 0 |  |' "$project/Documentation/hunks.md"
}

refuses_a_row_without_place() {
	sed -i 's/a + 1/a + 2/' "$project/tests/mutants/rows"
	! pages >"$work/out" 2>&1 && grep 'never: not in kept()' "$work/out" &&
		[ ! -e "$project/build/pages" ]
}

check "a series to write of" make_series
check "pages are written" pages
check "the table has a row for each patch, and sums" the_table
check "a fault of 6.12 has a test of its own" stable_page
check "hunks, mutants, tests and bisect's row" new_page
check "a line belongs to the patch that wrote it last" last_page
check "what no mutant changes has rows to try" rows_to_try
check "bytes are there when asked for" sizes_on_request
check "what no test can notice says why" reasons
check "what cannot be taken back alone does not count" bound
check "a reason for what is noticed is refused" refuses_reason take 'a > 8 || b > 9' \
	'explains no hunk'
check "a reason for what is not there is refused" refuses_reason gone a++ '0 times in gone'
check "-r: a table for the documentation" written_down
check "a mutant without a place is refused" refuses_a_row_without_place
finish
