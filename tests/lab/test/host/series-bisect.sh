#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# patches/bin/bisect on a kernel of a few files, whose Makefile stands in for
# kbuild and compiles with the real compiler; what boots is played by scripts.
# The second of its three patches is broken in each way once. KTAP.
# limit: 600

set -eu

root=$(CDPATH='' cd "$(dirname "$0")/../../../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=../../ktap.sh
. "$root/tests/lab/ktap.sh"
export LC_ALL=C CCACHE_DISABLE=1
unset FROM TO BOOT JOBS AGAIN FORCE PATCHES BUILD

# --- A kernel ---------------------------------------------------------------------

# W=1, O=, CC= and the configuration mean what they mean to kbuild. An object is
# not built anew if its source has not changed. A warning of the base is no one's.
make_kernel() {
	mkdir -p "$tmp/linux/drivers/iommu" "$tmp/linux/scripts/kconfig"
	cd "$tmp/linux"
	cat >Makefile <<-'END'
	VERSION = 6
	PATCHLEVEL = 12
	SUBLEVEL = 117
	flags = $(shell sed -nE 's/^(CONFIG_[A-Z]*)=[ym]/-D\1/p' $(O)/.config)
	objects = $(patsubst %.c,%.o,$(wildcard drivers/iommu/*.c))
	.RECIPEPREFIX = >
	tinyconfig:
	> @: >$(KCONFIG_CONFIG)
	olddefconfig: ;
	drivers/iommu/: $(objects:%=$(O)/%)
	> @: >$(O)/$@built-in.a
	> @! grep -q =m $(O)/.config || printf '%s\n' $(objects) >$(O)/$@modules.order
	$(O)/%.o: %.c $(O)/.config
	> @mkdir -p $(@D)
	> $(CC) $(if $(W),-Wall -Wextra) $(flags) -include export.h -c $< -o $@
	END
	cat >export.h <<-'END'
	#define EXPORT_SYMBOL(name) int __export_symbol_##name
	#define EXPORT_PER_CPU_SYMBOL(name) extern int name
	#define EXPORT_TRACEPOINT_SYMBOL_GPL(name) int __tracepoint_##name
	END
	cat >scripts/kconfig/merge_config.sh <<-'END'
	#!/bin/sh
	shift 3
	cat "$@" >"$KCONFIG_CONFIG.merged"
	mv "$KCONFIG_CONFIG.merged" "$KCONFIG_CONFIG"
	END
	chmod +x scripts/kconfig/merge_config.sh
	cat >scripts/kernel-doc <<-'END'
	@ARGV = grep { !/^-/ } @ARGV;
	while (<>) { print "$ARGV:$.: warning: bad\n" if /badly documented/ }
	END
	cat >drivers/iommu/core.c <<-'END'
	int core(int unused) { return 0; }
	EXPORT_SYMBOL(core);
	int hot;
	EXPORT_PER_CPU_SYMBOL(hot);
	EXPORT_TRACEPOINT_SYMBOL_GPL(event);
	END
	echo 'menu "none"' >drivers/iommu/Kconfig
	cd "$tmp"
	tar -cf - linux | xz -0 >source.tar.xz
}

# --- A project around the real scripts ----------------------------------------------

# Each script fails if the kernel tree has its name in it, and keeps count.
stand_in() {
	cat >"$1" <<-END
	#!/bin/sh
	echo "${1##*/}" >>"$tmp/ran"
	! grep -rq "breaks ${1##*/}" "$project/build/bisect/linux/drivers" ||
		{ echo "error: \$0 \$*"; exit 1; }
	END
	chmod +x "$1"
}

make_project() {
	project=$tmp/project
	mkdir -p "$project/tests/lab/vm" "$project/tests/guest" \
		"$project/patches" "$project/Documentation"
	cd "$project/tests"
	cp "$root/tests/lab/env.sh" "$root/tests/lab/cc" lab/
	touch guest/kselftest.sh guest/kunit.sh lab/ktap.sh lab/vm/boot \
		lab/vm/init lab/vm/splats lab/vm/splats.allow lab/vm/splats.deny
	echo 'CONFIG_BASE=y' >lab/vm/config
	for script in run lab/kselftest lab/vm/kernel lab/vm/initramfs; do
		stand_in $script
	done
	cat >>lab/vm/kernel <<-'END'
	for out; do :; done
	mkdir -p "$out"
	echo new_kunit.o >"$out/modules.order"
	END
	cat >>run <<-END
	for test in kselftest kunit; do
		mkdir -p "\$2/guest-\$test"
		echo KTAP version 1 >"\$2/guest-\$test/ktap.log"
	done
	grep -rq "breaks tests" "$project/build/bisect/linux/drivers"
	failed=\$((! \$?))
	echo "5 passed, \$failed failed, 2 skipped"
	exit \$failed
	END
	cd "$tmp"
}

# Patch $1 with the changes that the commands $2.. make to the tree $tmp/new.
add_patch() {
	name=$1
	shift
	rm -rf a b
	cp -a new a
	(cd new && "$@")
	cp -a new b
	{
		printf 'From: A <a@localhost>\nSubject: [PATCH] %s\n\n%s\n---\n' \
			"$1" "$message"
		git diff --no-index --no-prefix a b | sed "s|^diff --git b/|diff --git a/|"
	} >"$patches/$name"
	echo "$name" >>"$patches/series"
}

first() {
	printf '%s\n' 'config NEW' '	tristate "new"' >>drivers/iommu/Kconfig
	echo 'int first(void) { return 1; }' >drivers/iommu/first.c
	sed -i '1i /* Below this, lines have other numbers */' drivers/iommu/core.c
}

second() {
	cat >drivers/iommu/second.c <<-'END'
	int core(int);
	int second(void) { return core(2); }
	EXPORT_SYMBOL(second);
	END
	[ -z "$broken" ] || echo "$broken" >>drivers/iommu/second.c
}

third() {
	printf '%s\n' 'config LATER' '	bool "later"' >>drivers/iommu/Kconfig
	cat >drivers/iommu/third.c <<-'END'
	int second(void);
	extern int hot, __tracepoint_event;
	int third(void) { return second() + hot + __tracepoint_event; }
	END
	sed -i 's/return 0/return 3/' drivers/iommu/core.c
}

fourth() {
	echo "$documentation" >text.rst
}

# The series, with the lines $1 in the file that the second patch adds.
series() {
	broken=$1 message=${2-} documentation=${3-text}
	patches=$project/patches
	rm -rf "$patches" new
	mkdir "$patches"
	ln -s "$root/patches/bin" "$patches/bin"
	cp "$root/patches/BASE" "$patches"
	: >"$patches/series"
	: >"$tmp/ran"
	cp -a linux new
	add_patch 0001-first.patch first
	add_patch 0002-second.patch second
	add_patch 0003-third.patch third
	add_patch 0004-fourth.patch fourth
}

bisect() {
	env KSRC="$tmp/source.tar.xz" "$@" "$project/patches/bin/bisect" \
		>"$tmp/out" 2>&1
}

# The word of column $1 for patch $2 in the report.
cell() {
	awk -F '\t' -v column="$1" -v patch="$2" '
		NR == 1 { for (i = 1; i <= NF; i++) if ($i == column) c = i }
		$1 == patch { print $c }' "$project/build/series/report.tsv"
}

show() {
	cat "$tmp/out" "$project/build/series/report.tsv"
	return 1
}

# --- The cases ------------------------------------------------------------------------

passes() {
	series ""
	bisect || show
}

every_cell_is_ok() {
	for patch in 1 2 3 4; do
		for column in y n m kernel-doc kernel selftests initramfs boots tests; do
			[ "$(cell "$column" "$patch")" = ok ] ||
				{ echo "$patch: $column"; show; return 1; }
		done
		[ "$(cell passed "$patch") $(cell skipped "$patch")" = "5 2" ] || show
	done
}

# The file that a patch adds, and what it changes in others, but no line numbers
off_is_counted() {
	[ "$(cell off 1) $(cell off 2) $(cell off 3)" = "1 1 2" ] || show
}

# shellcheck disable=SC2016 # no expansion meant
is_recorded() {
	grep -q '^| 3 | third | y n m | 0 | 2 | yes | 5 | [0-9]* | `[0-9a-f]\{12\}` |$' \
		"$record" && grep -q '^| 4 | fourth | as before ' "$record"
}

# told FILE: each patch adds an object with text.
told() {
	KSRC="$tmp/source.tar.xz" "$project/patches/bin/bisect" -z >"$1" 2>"$tmp/out" &&
		awk '{ print $1, $2, ($3 > 0 ? "more" : "less"), NF }' "$1" >"$tmp/told" &&
		diff - "$tmp/told" <<-'END'
		1 drivers/iommu/first.o more 5
		2 drivers/iommu/second.o more 5
		3 drivers/iommu/third.o more 5
		END
}

# Those of prefixes that were tried are kept.
sizes_are_kept() {
	rm -rf "$project/build/bisect/y"
	told "$tmp/kept" || show || return
	[ ! -e "$project/build/bisect/y" ]
}

sizes_are_found() {
	rm -rf "$project/build/bisect/size"
	told "$tmp/found" || show || return
	diff "$tmp/kept" "$tmp/found"
}

# tried N: so many kernels were built since the series was made.
tried() {
	[ "$(grep -c kernel "$tmp/ran")" = "$1" ] || { cat "$tmp/ran"; show; }
}

not_tried_again() {
	series "" "another message" "another text"
	if ! bisect || ! tried 0; then show; fi
}

tried_after_a_change() {
	series "/* a comment */"
	if ! bisect || ! tried 2; then show; fi
}

tried_when_asked() {
	series ""
	if ! bisect TO=2 AGAIN=1 || ! tried 2; then show; fi
}

tried_with_another_config() {
	series ""
	echo 'CONFIG_LATER=y' >>"$project/tests/lab/vm/config"
	bisect || show || return
	tried 1 || return
	echo 'CONFIG_BASE=n' >"$project/tests/lab/vm/config"
	if ! bisect TO=1 || ! tried 2; then show; fi
}

# found COLUMN TEXT LINES [VARIABLE=VALUE..]: with these lines the second patch
# fails in the column, the first does not, and what is said holds the text.
found() {
	column=$1 text=$2
	series "$3"
	shift 3
	! bisect TO=2 "$@" || show || return
	if ! grep -q '^bisect: patch 2' "$tmp/out" || ! grep -q -e "$text" "$tmp/out" ||
	   [ "$(cell "$column" 1)/$(cell "$column" 2)" != ok/FAIL ]; then
		show
	fi
}

# Nothing is built then.
found_not_to_apply() {
	series ""
	sed -i 's|^--- .*|--- a/drivers/iommu/core.c|; s|^+++ .*|+++ b/drivers/iommu/core.c|
		s|^@@ .*|@@ -1,2 +1,5 @@\n no such line\n nor this|' "$patches/0002-second.patch"
	! bisect || show || return
	grep -q '0002-second.patch does not apply' "$tmp/out" || show
}

# A later patch is not blamed for what came before.
only_the_guilty() {
	series 'int unused_argument(int unused) { return 0; }'
	! bisect BOOT=none || show || return
	[ "$(cell y 1) $(cell y 2) $(cell y 3)" = "ok FAIL ok" ] || show
}

# A prefix that was not booted has not passed, nor has one that failed.
tried_until_it_passes() {
	series "/* not seen */"
	bisect TO=2 BOOT=none || show || return
	if ! bisect TO=2 || ! tried 1; then show; fi
	series "/* breaks kernel */"
	if bisect TO=2 || bisect TO=2 || ! tried 2; then show; fi
}

stops_after_a_failure() {
	[ "$(cell kernel 2)$(cell selftests 2)$(cell tests 2)" = FAIL-- ] || show
}

range_is_checked() {
	! bisect FROM=4 TO=5 && grep -q 'has patches 1 to 4' "$tmp/out"
}

# sampled DAY N..: these are to be tried that day.
sampled() {
	day=$1
	shift
	sample=$(DAY=$day "$project/patches/bin/bisect" -s | xargs)
	[ "$sample" = "$*" ] || { echo "$sample"; return 1; }
}

sample_by_date() {
	series ""
	sampled 0 1 2 && sampled 1 3 4 && sampled 2 1 2
}

sample_changed_first() {
	series "/* changed */"
	sampled 0 2 3 && sampled 1 2 3
}

make_tree() {
	series "$1"
	rm -rf "$project/build/tree"
	KSRC=$tmp/source.tar.xz "$project/patches/bin/tree" >"$tmp/out" 2>&1 || show
}

try_commit() {
	(cd "$project/build/tree" && KSRC=$tmp/source.tar.xz "$@") >"$tmp/out" 2>&1
}

git_bisect_finds() {
	make_tree "/* breaks tests */" || return
	try_commit git bisect start series base || show || return
	try_commit git bisect run "$project/patches/bin/bisect" -t || show || return
	if ! grep -q 'is the first bad commit' "$tmp/out" ||
	   ! grep -qx '    second' "$tmp/out"; then
		show
	fi
}

git_bisect_skips() {
	make_tree "/* breaks kernel */" || return
	status=0
	try_commit "$project/patches/bin/bisect" -t || status=$?
	[ "$status" -eq 125 ] || show
}

workdir
tmp=$work
make_kernel
make_project
record=$project/Documentation/bisect.md

check "a good series passes" passes
check "in every column, the base's own warning notwithstanding" every_cell_is_ok
check "objects that change with the options off are counted" off_is_counted
check "which is recorded" is_recorded
check "sizes: of what was tried they are kept" sizes_are_kept
check "sizes: otherwise they are found by building" sizes_are_found
check "and not tried again, whatever the messages and texts" not_tried_again
check "but from the first change on" tried_after_a_change
check "or when asked for" tried_when_asked
check "or not booted, or failed" tried_until_it_passes
check "sample: neighbours by date" sample_by_date
check "sample: what has changed since the record first" sample_changed_first
check "finds: does not apply" found_not_to_apply
check "finds: does not build" found y 'y: does not build' 'int i = "' BOOT=none
check "finds: does not build without the option" found n 'n: does not build' '
#ifndef CONFIG_NEW
int i = undeclared;
#endif' BOOT=none
check "finds: does not build as a module" found m 'm: does not build' '
#ifdef CONFIG_IOMMUFD
int i = undeclared;
#endif' BOOT=none
check "finds: a warning of W=1" found y 'unused.*Wunused-parameter' \
	'int unused_argument(int unused) { return 0; }' BOOT=none
check "finds: a missing EXPORT_SYMBOL" found m 'no EXPORT_SYMBOL for first' '
int first(void);
int use(void) { return first(); }' BOOT=none
check "finds: kernel-doc" found kernel-doc 'warning: bad' \
	'/* badly documented */' BOOT=none
check "finds: the kernel does not build" found kernel vm/kernel \
	'/* breaks kernel */'
check "and runs no step after it" stops_after_a_failure
check "finds: it does not boot" found boots 'tests/run' '/* breaks run */'
check "finds: a test fails" found tests '1 failed' '/* breaks tests */'
check "finds: the selftests do not build" found selftests kselftest \
	'/* breaks kselftest */'
check "blames no patch for the one before it" only_the_guilty
check "tries what another configuration changes" tried_with_another_config
check "refuses patches that are not there" range_is_checked
check "git bisect run: finds the commit whose tests fail" git_bisect_finds
check "git bisect run: skips one that does not build" git_bisect_skips

finish
