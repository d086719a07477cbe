#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# patches/bin/bisect on a kernel of a few files, whose Makefile stands in for
# kbuild and compiles with the real compiler; what boots is played by scripts.
# Then the second of its three patches is broken in each way once. KTAP.
# limit: 600

set -eu

root=$(cd "$(dirname "$0")/../../../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=../../ktap.sh
. "$root/tests/lab/ktap.sh"
export LC_ALL=C CCACHE_DISABLE=1
unset FROM TO BOOT JOBS FORCE

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
	.RECIPEPREFIX = >
	tinyconfig:
	> @: >$(KCONFIG_CONFIG)
	olddefconfig: ;
	drivers/iommu/: $(patsubst %.c,$(O)/%.o,$(wildcard drivers/iommu/*.c))
	$(O)/%.o: %.c $(O)/.config
	> @mkdir -p $(@D)
	> @! grep -q =m $(O)/.config || touch $(@:.o=.mod)
	> $(CC) $(if $(W),-Wall -Wextra) $(flags) -include export.h -c $< -o $@
	END
	echo '#define EXPORT_SYMBOL(name) extern int name##_exported' >export.h
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
	printf '%s\n' 'int core(int unused) { return 0; }' 'EXPORT_SYMBOL(core);' \
		>drivers/iommu/core.c
	echo 'menu "none"' >drivers/iommu/Kconfig
	cd "$tmp"
	tar -cf - linux | xz -0 >source.tar.xz
}

# --- A project around the real scripts ----------------------------------------------

# Each script fails if the kernel tree has its name in it.
stand_in() {
	cat >"$1" <<-END
	#!/bin/sh
	! grep -rq "breaks ${1##*/}" "$tmp/build/bisect/linux/drivers" ||
		{ echo "error: \$0 \$*"; exit 1; }
	END
	chmod +x "$1"
}

make_project() {
	mkdir -p "$tmp/project/tests/lab/vm" "$tmp/project/tests/guest" \
		"$tmp/project/patches"
	ln -s "$root/patches/bin" "$tmp/project/patches/bin"
	cd "$tmp/project/tests/lab"
	echo 'CONFIG_BASE=y' >vm/config
	for script in kselftest vm/kernel vm/initramfs; do
		stand_in $script
	done
	: >../guest/kunit.sh
	: >../guest/kselftest.sh
	# shellcheck disable=SC2016 # for the script
	stand_in vm/boot
	cat >>vm/boot <<-'END'
	for script; do :; done
	mkdir -p "$(dirname "$script")"
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
	diff -Nru a b | sed 's|^diff -Nru .* b/\(.*\)|diff --git a/\1 b/\1|' \
		>"patches/$name"
	echo "$name" >>patches/series
}

first() {
	printf '%s\n' 'config NEW' '	tristate "new"' >>drivers/iommu/Kconfig
	echo 'int first(void) { return 1; }' >drivers/iommu/first.c
}

second() {
	printf '%s\n' 'int core(int);' \
		'int second(void) { return core(2); }' >drivers/iommu/second.c
	[ -z "$broken" ] || echo "$broken" >>drivers/iommu/second.c
}

third() {
	echo 'int third(void) { return 3; }' >drivers/iommu/third.c
}

# The series, with the lines $1 in the file that the second patch adds.
series() {
	broken=$1
	rm -rf patches new build
	mkdir patches
	cp "$root/patches/BASE" patches
	: >patches/series
	cp -a linux new
	add_patch 0001-first.patch first
	add_patch 0002-second.patch second
	add_patch 0003-third.patch third
}

bisect() {
	env PATCHES="$tmp/patches" BUILD="$tmp/build" KSRC="$tmp/source.tar.xz" \
		"$@" "$tmp/project/patches/bin/bisect" >"$tmp/out" 2>&1
}

# The word of column $1 for patch $2 in the report.
cell() {
	awk -F '\t' -v column="$1" -v patch="$2" '
		NR == 1 { for (i = 1; i <= NF; i++) if ($i == column) c = i }
		$1 == patch { print $c }' "$tmp/build/series/report.tsv"
}

show() {
	cat "$tmp/out" "$tmp/build/series/report.tsv"
	return 1
}

# --- The cases ------------------------------------------------------------------------

passes() {
	series ""
	bisect || show
}

every_cell_is_ok() {
	for patch in 1 2 3; do
		for column in applies y n m kernel-doc kernel selftests initramfs \
			boots kselftest; do
			[ "$(cell "$column" "$patch")" = ok ] ||
				{ echo "$patch: $column"; show; return 1; }
		done
	done
}

# found COLUMN TEXT LINES [VARIABLE=VALUE..]: with these lines the second patch
# fails in the column, the others do not, and what is said holds the text.
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
		s|^@@ .*|@@ -1,2 +1,4 @@\n no such line\n nor this|' patches/0002-second.patch
	! bisect || show || return
	grep -q '0002-second.patch does not apply' "$tmp/out" || show
}

# Whoever breaks it later is not blamed for what came before.
only_the_guilty() {
	series 'int unused_argument(int unused) { return 0; }'
	! bisect BOOT=none || show || return
	[ "$(cell y 1) $(cell y 2) $(cell y 3)" = "ok FAIL ok" ] || show
}

stops_after_a_failure() {
	[ "$(cell kernel 2)$(cell selftests 2)$(cell kselftest 2)" = FAIL-- ] || show
}

range_is_checked() {
	! bisect FROM=3 TO=4 && grep -q 'has patches 1 to 3' "$tmp/out"
}

workdir
tmp=$work
make_kernel
make_project

check "a good series passes" passes
check "in every column, the base's own warning notwithstanding" every_cell_is_ok
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
check "finds: it does not boot" found boots 'boots.sh' '/* breaks boot */'
check "finds: the selftests do not build" found selftests kselftest \
	'/* breaks kselftest */'
check "blames no patch for the one before it" only_the_guilty
check "refuses patches that are not there" range_is_checked

finish
