#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The series scripts on a kernel of four files and a series of three patches,
# and then with everything broken once that they are there to catch. KTAP.
# limit: 600

set -eu

root=$(CDPATH='' cd "$(dirname "$0")/../../../.." && pwd)
here=$root/patches/bin
# shellcheck source-path=SCRIPTDIR source=../../ktap.sh
. "$root/tests/lab/ktap.sh"
export LC_ALL=C OFFLINE=1 GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
unset FORCE

# --- A small kernel --------------------------------------------------------

make_kernel() {
	mkdir -p "$tmp/linux-mini/drivers/iommu"
	cd "$tmp/linux-mini"
	printf 'VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 117\n' >Makefile
	# As in the source package: new files are not seen by git add.
	printf '*.o\n/*\n!/debian/\n' >.gitignore
	for n in 1 2 3 4 5 6 7 8 9; do
		printf '/* line %d of the core */\n' $n
	done | sed '6s/$/\n/' >drivers/iommu/core.c
	cp drivers/iommu/core.c drivers/iommu/old.c
	chmod 755 drivers/iommu/old.c
	cd "$tmp"
	tar -cf - linux-mini | xz -0 >mini.tar.xz
	cp -a linux-mini "$tmp/plain"
}

message() {
	printf '%s\n' "$1" "" "Without it the scripts have nothing to work on." \
		"Add it, so that they have." "Tested by reading it."
}

commit() {
	tree_git add -A
	message "$1" | tree_git commit -q -F -
}

tree_git() {
	git -C "$BUILD/tree" "$@"
}

make_commits() {
	cd "$BUILD/tree"
	mkdir -p tools/mini
	echo '/* new */' >tools/mini/new.c
	commit "iommu: Add a new file in a new directory"
	sed -i 's/line 5/LINE 5/' drivers/iommu/core.c
	commit "iommu: Change a line"
	rm drivers/iommu/old.c
	commit "iommu: Remove the old file"
	cd "$tmp"
}

headings() {
	cat <<-END
	# Part 1: first (cover-letter-1.txt). Of use alone.
	$(sed -n 1,2p "$PATCHES/series")

	# Part 2: second (cover-letter-2.txt).
	$(sed -n 3p "$PATCHES/series")
	END
}

make_series() {
	: >"$PATCHES/series"
	echo "A series to try the scripts on." >"$PATCHES/README"
	cp "$root/patches/BASE" "$PATCHES/BASE"
	sed -i 's/^\(VERSION=\|TAG=v\|DEBIAN_..=\)[0-9.]*/\16.12.117/; /^ORIG/d' \
		"$PATCHES/BASE"
	"$here/tree" && make_commits && "$here/export" || return 1
	headings >"$tmp/series" && cp "$tmp/series" "$PATCHES/series"
	cat >"$PATCHES/cover-letter-1.txt" <<-END
	iommu: Add a new file
	in a new directory; iommu: Change a line
	END
	echo "iommu: Remove the old file" >"$PATCHES/cover-letter-2.txt"
}

# --- Helpers -----------------------------------------------------------------

# Forgets what the last case did to the tree and the patches.
afresh() {
	cd "$tmp"
	rm -rf "$BUILD" "$PATCHES"
	cp -a good.build "$BUILD"
	cp -a good.patches "$PATCHES"
}

# The command must fail and say $1.
fails() {
	text=$1
	shift
	if "$@" >"$tmp/out" 2>&1; then
		echo "succeeded"
		return 1
	fi
	grep -q -e "$text" "$tmp/out" && return
	echo "did not say \"$text\", but:"
	cat "$tmp/out"
	return 1
}

same() {
	diff -r "$1" "$2"
}

# --- tree and export -----------------------------------------------------------

nothing_changes() {
	afresh
	"$here/export" && same good.patches "$PATCHES" || return 1
	head=$(tree_git rev-parse HEAD)
	"$here/tree" && "$here/export" && same good.patches "$PATCHES" || return 1
	# A second tree from the patches alone is the same to the last commit id.
	rm -rf "$BUILD/tree"
	"$here/tree" && "$here/export" && same good.patches "$PATCHES" || return 1
	one=$(tree_git rev-parse HEAD)
	rm -rf "$BUILD/tree"
	"$here/tree" && [ "$(tree_git rev-parse HEAD)" = "$one" ]
	[ "$(tree_git rev-parse "$one^{tree}")" = \
	  "$(git -C good.build/tree rev-parse "$head^{tree}")" ]
}

# In spite of settings that would make other patches.
settings_do_not_matter() {
	afresh
	cat >"$tmp/gitconfig" <<-END
	[diff]
		noprefix = true
		context = 1
	[format]
		signOff = true
		numbered = true
	[user]
		name = Somebody
		email = somebody@example.org
	END
	GIT_CONFIG_GLOBAL="$tmp/gitconfig" "$here/export" &&
		same good.patches "$PATCHES"
}

inserted_patch_moves_headings() {
	afresh
	cd "$BUILD/tree" || return
	git checkout -q -b work HEAD^
	echo '/* more */' >>tools/mini/new.c
	commit "iommu: Add more"
	git cherry-pick series >/dev/null 2>&1
	"$here/export" || return 1
	cat >"$tmp/wanted" <<-END
	# Part 1: first (cover-letter-1.txt). Of use alone.
	0001-iommu-Add-a-new-file-in-a-new-directory.patch
	0002-iommu-Change-a-line.patch

	# Part 2: second (cover-letter-2.txt).
	0003-iommu-Add-more.patch
	0004-iommu-Remove-the-old-file.patch
	END
	# A new patch in front of a heading is the last of the part before.
	sed -i '/Part 2/d; /^$/d; s/^0004/\n# Part 2: second (cover-letter-2.txt).\n0004/' \
		"$tmp/wanted"
	diff "$tmp/wanted" "$PATCHES/series" &&
	cmp "$PATCHES/0004-iommu-Remove-the-old-file.patch" \
		"$tmp/good.patches/0003-iommu-Remove-the-old-file.patch" &&
	[ ! -e "$PATCHES/0003-iommu-Remove-the-old-file.patch" ]
}

renamed_patch_keeps_heading() {
	afresh
	message "iommu: Drop the old file" | tree_git commit -q --amend -F -
	"$here/export" || return 1
	sed 's/^0003.*/0003-iommu-Drop-the-old-file.patch/' \
		"$tmp/good.patches/series" | diff - "$PATCHES/series"
}

removed_patch_leaves_heading() {
	afresh
	last=$(tree_git rev-parse HEAD)
	tree_git checkout -q -B series base
	tree_git cherry-pick "$last^" "$last" >/dev/null 2>&1 || return 1
	"$here/export" || return 1
	head -n 1 "$PATCHES/series" | grep -q '^# Part 1' &&
		sed -n 2p "$PATCHES/series" | grep -qx 0001-iommu-Change-a-line.patch
}

export_refuses() {
	fails "$1" "$here/export" && same "$tmp/good.patches" "$PATCHES"
}

export_refuses_dirty() {
	afresh
	echo x >>"$BUILD/tree/Makefile"
	export_refuses "commit or remove" || return
	afresh
	echo x >"$BUILD/tree/drivers/iommu/forgotten.c"
	export_refuses "forgotten.c"
}

export_refuses_fixup() {
	afresh
	echo x >>"$BUILD/tree/Makefile"
	commit "fixup! iommu: Change a line"
	export_refuses autosquash
}

export_refuses_merge() {
	afresh
	tree_git checkout -q -b side base
	echo x >>"$BUILD/tree/Makefile"
	commit "iommu: Aside"
	tree_git merge -q --no-edit series >/dev/null
	export_refuses "merge cannot be a patch"
}

export_refuses_people() {
	afresh
	tree_git commit -q --amend -s --no-edit
	export_refuses "trailers of people"
}

# Export finds what git am would drop from the message.
export_refuses_loss() {
	afresh
	{ message "iommu: Remove the old file"; printf -- '---\nlost\n'; } |
		tree_git commit -q --amend --cleanup=verbatim -F -
	export_refuses "changes on the way"
}

tree_keeps_work() {
	afresh
	echo x >>"$BUILD/tree/Makefile"
	fails "not committed" "$here/tree" || return
	commit "iommu: Work of an evening"
	fails "not exported" "$here/tree" || return
	evening=$(tree_git rev-parse HEAD)
	FORCE=1 "$here/tree" || return
	tree_git branch --contains "$evening" | grep -q saved- &&
		"$here/export" && same good.patches "$PATCHES"
}

tree_survives_bad_patch() {
	afresh
	sed -i 's/line 4/line four/' "$PATCHES/0002-iommu-Change-a-line.patch"
	head=$(tree_git rev-parse HEAD)
	fails "git am refused" "$here/tree" &&
		[ "$(tree_git rev-parse HEAD)" = "$head" ] &&
		[ -z "$(tree_git status --porcelain)" ]
}

# --- mails -------------------------------------------------------------------

# Of another series than the one that is committed, and of a maintainers' file.
make_mails() {
	afresh
	git -C "$PATCHES" init -q
	git -C "$PATCHES" add -A
	git -C "$PATCHES" -c user.name=A -c user.email=a@localhost commit -q -m old
	sed -i 's/^Tested by.*/Tested by trying it./' "$PATCHES"/0002-*
	printf '%s\n' 'Subject: [PATCH 0/2] mini: Changes' '' 'Two of them.' \
		>"$PATCHES/cover-letter-1.txt"
	mkdir -p "$BUILD/tree/scripts"
	printf '%s\n' 'print "Main Tainer <main\@localhost>\n";' \
		'print scalar(@ARGV), "\@localhost\n";' >"$BUILD/tree/scripts/get_maintainer.pl"
	"$here/mails" "$@"
}

mails_are_of_the_part() {
	make_mails 1 HEAD && cd "$BUILD/mail/1" &&
	[ "$(grep -h '^Subject' -- * | xargs)" = "Subject: [PATCH 0/2] mini: Changes \
Subject: [PATCH 1/2] iommu: Add a new file in a new directory \
Subject: [PATCH 2/2] iommu: Change a line" ] &&
	[ "$(grep -l '^To: Main Tainer <main@localhost>,$' -- * | wc -l)" = 3 ] &&
	grep -q '^    5@localhost$' 0001-* &&
	id=$(sed -n 's/^Message-Id: //Ip' 0000-*) && grep -qF "In-Reply-To: $id" 0002-*
}

mails_tell_what_changed() {
	make_mails 1 HEAD && cd "$BUILD/mail/1" &&
	sed -n '/^Two of them/,$p' 0000-* >"$tmp/cover" &&
	grep -q '^Changes since HEAD$' "$tmp/cover" &&
	grep -q '1:.* = 1:.* iommu: Add a new file' "$tmp/cover" &&
	grep -q '2:.* ! 2:.* iommu: Change a line' "$tmp/cover" &&
	grep -q '^ *+ *Tested by trying it' "$tmp/cover"
}

mails_refuse() {
	make_mails 2 >/dev/null && fails "no part 3" "$here/mails" 3 &&
		fails "no series in nowhere" "$here/mails" 1 nowhere && fails usage "$here/mails"
}

# --- source -------------------------------------------------------------------

source_writes_little() {
	afresh
	"$here/source" || return
	touch -d '2001-01-01' "$BUILD/linux/drivers/iommu/core.c" \
		"$BUILD/linux/tools/mini/new.c"
	sed -i 's|^+/\* new \*/|+/* newer */|' "$PATCHES"/0001-*
	"$here/source" || return
	grep -q newer "$BUILD/linux/tools/mini/new.c" &&
	[ "$(stat -c %Y "$BUILD/linux/drivers/iommu/core.c")" -lt 1000000000 ] ||
		return
	# Without its patch the file and its directory are gone again.
	sed -i '/^0001/d' "$PATCHES/series"
	"$here/source" && [ ! -e "$BUILD/linux/tools" ] || return
	: >"$PATCHES/series"
	"$here/source" && same "$tmp/plain" "$BUILD/linux"
}

source_keeps_edits() {
	afresh
	"$here/source" || return
	echo x >>"$BUILD/linux/drivers/iommu/core.c"
	fails "changed by hand" "$here/source" || return
	grep -q x "$BUILD/linux/drivers/iommu/core.c" || return
	FORCE=1 "$here/source" && ! grep -q x "$BUILD/linux/drivers/iommu/core.c"
}

source_refuses_bad_patch() {
	afresh
	"$here/source" || return
	cp -a "$BUILD/linux" "$tmp/linux.before"
	sed -i 's/line 4/line four/' "$PATCHES/0002-iommu-Change-a-line.patch"
	fails "0002-iommu-Change-a-line.patch does not apply" "$here/source" &&
		same "$tmp/linux.before" "$BUILD/linux"
}

# --- a new point release --------------------------------------------------------

# The tarball of one, with the sed command $1 done to core.c
newer() {
	cp -a "$tmp/linux-mini" "$tmp/linux-new"
	sed -i 's/117/118/' "$tmp/linux-new/Makefile"
	sed -i "$1" "$tmp/linux-new/drivers/iommu/core.c"
	tar -C "$tmp" -cf - linux-new | xz -0 >"$tmp/newer.tar.xz"
	rm -rf "$tmp/linux-new"
}

# Offsets change no patch until BASE moves too.
source_takes_new_tarball() {
	afresh
	"$here/source" || return
	newer '1i/* newer */'
	export KSRC="$tmp/newer.tar.xz"
	"$here/source" && grep -q newer "$BUILD/linux/drivers/iommu/core.c" &&
		"$here/tree" && grep -q newer "$BUILD/tree/drivers/iommu/core.c" &&
		"$here/export" && same good.patches "$PATCHES"
}

base_is_118() {
	tree=$(tree_git rev-parse 'base^{tree}')
	grep -E '^#|^$' good.patches/BASE >"$tmp/wanted"
	printf '%s\n' VERSION=6.12.118 TAG=v6.12.118 "TREE=$tree" >>"$tmp/wanted"
	sort "$tmp/wanted" >"$tmp/wanted.sorted"
	sort "$PATCHES/BASE" | diff "$tmp/wanted.sorted" -
}

refresh_moves() {
	afresh
	newer '1i/* newer */'
	fails "Debian 12 has no" "$here/refresh" newer.tar.xz &&
		same good.patches "$PATCHES" || return
	"$here/refresh" -f newer.tar.xz && base_is_118 &&
		grep -q '^@@ -3,' "$PATCHES"/0002-* || return
	"$here/refresh" -f newer.tar.xz && base_is_118
}

refresh_tells_why() {
	afresh
	newer 's/line 4/line four/'
	fails "0002-.* does not fit" "$here/refresh" -f newer.tar.xz &&
		same good.patches "$PATCHES" || return
	for text in "not there in 6.12.118" "      /. line 4 of the core" \
		"6.12.118 changes there" "      +/. line four of the core"; do
		grep -q "$text" "$tmp/out" || { cat "$tmp/out"; return 1; }
	done
	newer 's/line 5/LINE 5/'
	fails "6.12.118 has all of it already" "$here/refresh" -f newer.tar.xz
}

# As the message says
misfit_is_mended() {
	afresh
	newer 's/line 4/line four/'
	export KSRC="$tmp/newer.tar.xz"
	fails "git am --continue" "$here/tree" -3 || return
	sed -i '/^<<</d; /^===/d; /^>>>/d; /line [45] /d' \
		"$BUILD/tree/drivers/iommu/core.c"
	tree_git add -A && tree_git am --continue && "$here/export" &&
		"$here/refresh" -f newer.tar.xz && base_is_118 || return
	rm -rf "$tmp/k"
	mkdir "$tmp/k"
	tar -xf "$KSRC" -C "$tmp/k" --strip-components=1
	"$here/apply" "$tmp/k" && grep -q 'line four' "$tmp/k/drivers/iommu/core.c" &&
		grep -q 'LINE 5' "$tmp/k/drivers/iommu/core.c"
}

# --- apply ----------------------------------------------------------------------

plain_tree() {
	afresh
	rm -rf "$tmp/k"
	cp -a "$tmp/plain" "$tmp/k"
}

refused() {
	cp -a "$tmp/k" "$tmp/k.before"
	fails "$@" && same "$tmp/k.before" "$tmp/k"
	result=$?
	rm -rf "$tmp/k.before"
	return "$result"
}

apply_and_back() {
	plain_tree
	cp -al "$tmp/k" "$tmp/linked"
	(cd "$tmp" && "$here/apply" k && "$here/apply" -R k) || return 1
	same "$tmp/plain" "$tmp/k" && same "$tmp/plain" "$tmp/linked" || return 1
	rm -rf "$tmp/linked"
	[ "$(stat -c %a "$tmp/k/drivers/iommu/old.c")" = 755 ]
}

apply_says_offset() {
	plain_tree
	sed -i '1i/* first */' "$tmp/k/drivers/iommu/core.c"
	"$here/apply" "$tmp/k" | grep -q '0002: drivers/iommu/core.c: offset 1 line'
}

apply_refuses_fuzz() {
	plain_tree
	sed -i 's/line 2/line two/' "$tmp/k/drivers/iommu/core.c"
	# GNU patch would take it with fuzz 1: the test is of the right thing.
	cp -a "$tmp/k" "$tmp/fuzzy"
	patch -s -p1 -d "$tmp/fuzzy" <"$PATCHES/0002-iommu-Change-a-line.patch" ||
		return 1
	rm -rf "$tmp/fuzzy"
	refused "patch failed: drivers/iommu/core.c:2" "$here/apply" "$tmp/k"
}

apply_refuses_interrupted() {
	plain_tree
	sed -i 's/line 5/LINE 5/' "$tmp/k/drivers/iommu/core.c"
	refused "half-patched" "$here/apply" "$tmp/k"
}

# Line 4 is there twice. The patch changes the first, somebody the second: to take
# that back would be easy, but apply did not make it.
unapply_refuses_another_place() {
	plain_tree
	seq 7 | sed '1i top
		$a middle' >"$tmp/k/twice.c"
	{ seq 7; echo end; } >>"$tmp/k/twice.c"
	printf '%s\n' 'diff --git a/twice.c b/twice.c' '--- a/twice.c' \
		'+++ b/twice.c' '@@ -2,7 +2,7 @@' ' 1' ' 2' ' 3' '-4' '+four' ' 5' \
		' 6' ' 7' >"$PATCHES/0001-twice.patch"
	echo 0001-twice.patch >"$PATCHES/series"
	sed -i '13s/4/four/' "$tmp/k/twice.c"
	refused "applied in another way" "$here/apply" -R "$tmp/k" || return
	sed -i '13s/four/4/; 5s/4/four/' "$tmp/k/twice.c"
	"$here/apply" -R "$tmp/k" && ! grep -n four "$tmp/k/twice.c"
}

apply_refuses_quilt() {
	plain_tree
	(cd "$tmp/k" && QUILT_PATCHES=$PATCHES quilt --quiltrc - push -q -a) || return
	refused "quilt pop -a" "$here/apply" -R "$tmp/k"
}

# A directory that cannot be made, when git has removed old files: they are put
# back, for root as well.
apply_leaves_nothing_half_written() {
	plain_tree
	touch "$tmp/k/tools"
	refused "cannot write" "$here/apply" "$tmp/k"
}

apply_refuses_what_is_no_tree() {
	fails "no such directory" "$here/apply" "$tmp/nowhere" &&
		fails "not a kernel source tree" "$here/apply" "$tmp" &&
		fails "usage" "$here/apply"
}

# --- check: each defect once -----------------------------------------------------

# $1 what check must say; $2.. the command that breaks the good series.
caught() {
	what=$1
	shift
	afresh
	cd "$PATCHES" && "$@" && cd "$tmp" || return
	fails "$what" "$root/tests/fast/series-check.sh" -f && grep -q '^not ok' "$tmp/out"
}

drop() { rm 0002-*; }
unlisted() { cp 0002-* 0009-extra.patch; }
misnumbered() { mv 0003-* 0004-last.patch; sed -i 's/^0003.*/0004-last.patch/' series; }
no_cover() { rm cover-letter-2.txt; }
forgotten_in_cover() { echo nothing >cover-letter-2.txt; }
no_heading() { sed -i /Part/d series; }
big_part() {
	for n in 4 5 6 7 8 9 10 11 12 13 14 15 16 17; do
		name=$(printf '%04d-n.patch' "$n")
		cp 0003-* "$name"
		echo "$name" >>series
	done
	sed -i '/Part 2/d' series
}
same_subject() { sed -i 's/^Subject.*/Subject: [PATCH] iommu: Change a line/' 0003-*; }
edit() { sed -i "$1" 0002-*; }
bad_base() { sed -i 's/^TAG=.*/TAG=v6.12.1/' BASE; }
append() { printf '%s\n' "$1" >>"$(echo 0002-*)"; }

# --- check, as a whole -------------------------------------------------------------

# The mini kernel with the real checkpatch and kernel-doc.
real_scripts() {
	printf '%s\n' scripts/checkpatch.pl scripts/spelling.txt \
		scripts/const_structs.checkpatch scripts/kernel-doc >"$tmp/list"
	dir=$(unset KSRC && find_tarball && extract "$tarball" "$tmp/list") &&
		stage "$dir" "$tmp/linux-mini" "$tmp/list" || return
	cd "$tmp/linux-mini" && touch COPYING CREDITS Kbuild MAINTAINERS README &&
		cd "$tmp" && tar -cf - linux-mini | xz -0 >full.tar.xz
}

run_check() {
	XDG_CACHE_HOME="$tmp/cache" KSRC="$tmp/full.tar.xz" ALLOW="$tmp/allow" \
		ROWS=/dev/null \
		"$root/tests/fast/series-check.sh"
}

whole_check_passes() {
	afresh
	real_scripts || return
	cat >"$tmp/allow" <<-END
	iommu-Add-a-new-file-in-a-new-directory FILE_PATH_CHANGES no maintainers
	iommu-Add-a-new-file-in-a-new-directory SPDX_LICENSE_TAG a file of one line
	iommu-Remove-the-old-file FILE_PATH_CHANGES no maintainers
	END
	run_check >"$tmp/out" 2>&1 || { cat "$tmp/out"; return 1; }
}

whole_check_fails() {
	afresh
	cat >>"$tmp/allow" <<-END
	iommu-Change-a-line NOTHING_OF_THE_KIND an allowance that nothing needs
	END
	cat >"$BUILD/tree/drivers/iommu/core.c" <<-END
	/**
	 * f - documented badly
	 */
	int f(int argument) {
		return argument;
	}
	END
	commit "iommu: Have what checkpatch and kernel-doc complain about"
	"$here/export" || return
	# A base that lacks one line of context: fuzz, in patch 2.
	sed -i 's/line 2/line two/' "$tmp/linux-mini/drivers/iommu/core.c"
	tar -C "$tmp" -cf - linux-mini | xz -0 >"$tmp/full.tar.xz"
	fails "applies to full.tar.xz" run_check || return
	sed -i 's/line two/line 2/' "$tmp/linux-mini/drivers/iommu/core.c"
	tar -C "$tmp" -cf - linux-mini | xz -0 >"$tmp/full.tar.xz"
	fails "kernel-doc has no new" run_check || return
	for text in 'OPEN_BRACE' "'argument' not described" NOTHING_OF_THE_KIND \
		'not ok .* checkpatch: 0004' 'does not mention'; do
		grep -q -e "$text" "$tmp/out" || { echo "no: $text"; cat "$tmp/out"; return 1; }
	done
}

workdir
tmp=$work
export BUILD="$tmp/build" PATCHES="$tmp/patches" KSRC="$tmp/mini.tar.xz"
mkdir "$PATCHES"
me=selftest
# shellcheck source-path=SCRIPTDIR source=../../../../patches/bin/lib.sh
. "$here/lib.sh"

make_kernel
check "make tree, commit, make export give a series" make_series
[ "$ktap_failed" -eq 0 ] || exit 1
cp -a "$BUILD" "$tmp/good.build"
cp -a "$PATCHES" "$tmp/good.patches"

check "tree, export: nothing changes" nothing_changes
check "tree, export: the user's git settings do not matter" settings_do_not_matter
check "export: headings move with their patch" inserted_patch_moves_headings
check "export: a renamed patch keeps its heading" renamed_patch_keeps_heading
check "export: a removed patch leaves its heading" removed_patch_leaves_heading
check "export refuses uncommitted and untracked files" export_refuses_dirty
check "export refuses fixups" export_refuses_fixup
check "export refuses merges" export_refuses_merge
check "export refuses a sign-off" export_refuses_people
check "export refuses what a mail cannot carry" export_refuses_loss
check "tree never loses work" tree_keeps_work
check "tree survives a patch that does not apply" tree_survives_bad_patch

check "mails: those of the part, to the maintainers, in a thread" mails_are_of_the_part
check "mails: what changed since another state" mails_tell_what_changed
check "mails: refuses what is not there" mails_refuse

check "source writes only what differs" source_writes_little
check "source keeps edits by hand" source_keeps_edits
check "source refuses a patch that does not apply" source_refuses_bad_patch
check "source and tree take a new tarball" source_takes_new_tarball
check "refresh moves BASE, and the offsets" refresh_moves
check "refresh tells what does not fit, and why" refresh_tells_why
check "tree -3 waits where it does not fit" misfit_is_mended

check "apply and unapply leave no trace" apply_and_back
check "apply reports offsets" apply_says_offset
check "apply refuses fuzz" apply_refuses_fuzz
check "apply refuses an interrupted apply" apply_refuses_interrupted
check "unapply refuses what apply has not made" unapply_refuses_another_place
check "unapply leaves quilt's tree to quilt" apply_refuses_quilt
check "apply leaves nothing half written" apply_leaves_nothing_half_written
check "apply refuses what is no kernel tree" apply_refuses_what_is_no_tree

for defect in \
	"missing: 0002|drop" \
	"not listed in series: 0009|unlisted" \
	"patch 3 of the series is to be named|misnumbered" \
	"missing: cover-letter-2.txt|no_cover" \
	"cover-letter-2.txt does not mention|forgotten_in_cover" \
	"is not to be in part 0|no_heading" \
	"has more than 15 patches|big_part" \
	"two patches have the subject|same_subject" \
	"TAG is not|bad_base" \
	"does not begin with .PATCH|edit s/\[PATCH\]/[PATCH.2\/3]/" \
	"75 is the limit|edit s/^Subject.*/&,.and.whatever.else.there.is.to.say.about.it.if.one.takes.the.time/" \
	"not written by make export|edit 1s/00/11/" \
	"a person's trailer|edit s/^Tested.by.*/Reviewed-by:.A.<a@b>/" \
	"message line of|edit s/^Tested.by.*/&.At.a.length.that.no.terminal.of.eighty.columns.would.show.unbroken/" \
	"says too little|edit /^Tested/d;/^Without/d" \
	"not what this patch does|edit s/^Without.it/This\\x20patch/" \
	"text below --- is lost|edit s/^---$/&\nv2:.better/" \
	"blank at the end of a message line|edit s/^Tested.*/&\t/" \
	"blank at the end of an added line|edit s/^+.*LINE.*/&\t/" \
	"text after the diff|append --.end" \
	"hunk is cut off|edit /^.*line.7/d" \
	"hunk ends too early|edit s/^.\(.*line.4\)/x\1/" \
	"file name with special|edit s/^\\(diff.--git.\\)a/\\1\"a/"
do
	# Arguments stand after the name of the command, with dots for blanks.
	command=${defect##*|}
	# shellcheck disable=SC2046,SC2086 # split on purpose
	check "check finds: ${defect%%|*}" caught "${defect%%|*}" $command
done

check "check passes a good series" whole_check_passes
check "check fails for fuzz, checkpatch, kernel-doc" whole_check_fails

finish
