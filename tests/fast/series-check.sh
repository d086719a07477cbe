#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Check patches/ without root and without building: form of the folder and of
# each patch, that it applies where it must and comes off again, checkpatch,
# kernel-doc, and that quilt, git am, make tree and make export agree. KTAP.
#
# usage: series-check.sh [-f]    -f: only the form, which needs no kernel source
# limit: 900

set -eu

root=$(CDPATH='' cd "$(dirname "$0")/../.." && pwd)
here=$root/patches/bin
me=check
# shellcheck source-path=SCRIPTDIR source=../../patches/bin/lib.sh
. "$here/lib.sh"
# shellcheck source-path=SCRIPTDIR source=../lab/ktap.sh
. "$root/tests/lab/ktap.sh"

# --- The folder ------------------------------------------------------------

folder() {
	series_list "$total" >"$tmp/names"
	sort "$tmp/names" | uniq -d | sed 's/^/listed twice: /'
	awk '/^stable\// { n++; folder = "stable/" }
		!/^stable\// { n = folder ? 1 : n + 1; folder = "" }
		{ want = sprintf("%s%04d-", folder, n) }
		index($0, want) != 1 || $0 !~ /\.patch$/ {
			print $0 ": patch " NR " of the series is to be named " want "..patch"
		}' "$tmp/names"
	{
		cat "$tmp/names"
		printf '%s\n' BASE README series
		cover_letters
	} | sort >"$tmp/wanted"
	(cd "$patches" && find . -name bin -prune -o ! -type d -printf '%P\n') |
		sort >"$tmp/found"
	comm -23 "$tmp/wanted" "$tmp/found" | sed 's/^/missing: /'
	comm -13 "$tmp/wanted" "$tmp/found" | sed 's/^/not listed in series: /'
}

cover_letters() {
	sed -nE 's/^# Part [0-9]+: .*\((cover-letter-[0-9]+\.txt)\).*/\1/p' \
		"$patches/series"
}

# A part is a heading "# Part N: title (cover-letter-N.txt)" and its patches. Part 0
# are those for the stable kernels, where there are any.
parts() {
	part=0
	! grep -q '^stable/' "$patches/series" || part=-1
	while read -r line; do
		case $line in
		'# Part '*)
			part=$((part + 1)) count=0
			case $line in
			"# Part $part: "*"(cover-letter-$part.txt)"*) ;;
			*) echo "series: expected \"# Part $part: .." \
				"(cover-letter-$part.txt)\", found: $line" ;;
			esac
			cover=$(tr -s '[:space:]' ' ' \
				<"$patches/cover-letter-$part.txt" 2>/dev/null) || cover= ;;
		'#'*|'') ;;
		*) part_patch "$line" ;;
		esac
	done <"$patches/series"
}

part_patch() {
	case $part-$1 in
	0-stable/* | [1-9]*-[0-9]*) ;;
	*) echo "$1 is not to be in part $part"; return ;;
	esac
	count=$((count + 1))
	case $part-$count in
	[1-9]*-16) echo "part $part has more than 15 patches" ;;
	esac
	subject=$(subject_of "$patches/$1")
	case $cover in
	*"$subject"*) ;;
	*) echo "cover-letter-$part.txt does not mention \"$subject\"" ;;
	esac
}

subjects() {
	series_list "$total" | while read -r name; do
		subject_of "$patches/$name"
	done | sort | uniq -d | sed 's/^/two patches have the subject: /'
}

base() {
	version=$(base_value VERSION)
	echo "$version" | grep -qxE '6\.12\.[0-9]+' ||
		echo "VERSION=$version is not a 6.12 point release"
	[ "$(base_value TAG)" = "v$version" ] || echo "TAG is not v$version"
	grep -vnE '^(#.*)?$|^[A-Z0-9_]+=[^[:space:]]+$' "$patches/BASE" |
		sed 's/$/: not KEY=VALUE/'
	sed -n 's/^DEBIAN_[0-9]*=//p' "$patches/BASE" | grep -v "^$version-" |
		sed "s/$/ is not a package of $version/"
	sed -n 's/^ORIG_[0-9]*=//p' "$patches/BASE" |
		grep -vE "^linux(-6.12)?_$version.orig.tar.xz:[0-9a-f]{64}$" |
		sed 's/$/: not NAME:SHA256 of the orig tarball/'
	tree=$(base_value TREE)
	[ -z "$tree" ] || echo "$tree" | grep -qxE '[0-9a-f]{40}' ||
		echo "TREE is not the id of a git tree"
}

form() {
	awk -f "$here/form.awk" "$patches/$1" | sed 's/^/line /'
}

# --- checkpatch ------------------------------------------------------------

# checkpatch wants to see a kernel tree around it.
checkpatch_root() {
	cp -a "$pristine" "$tmp/root"
	(cd "$tmp/root" && mkdir -p Documentation arch include drivers fs init ipc \
		kernel lib scripts)
}

# By itself it looks for the dictionary in the first python3 of PATH, and for
# commits and files in the git repository that the current directory is in.
dictionary=/usr/lib/python3/dist-packages/codespell_lib/data/dictionary.txt

run_checkpatch() {
	cd "$tmp/root" || return 2
	perl scripts/checkpatch.pl --root=. --strict --no-signoff --codespell \
		--codespellfile="$dictionary" --show-types --terse --no-summary \
		--color=never "$1" 2>&1
}

# The output of checkpatch for a patch does not change, but takes seconds.
checkpatch_says() {
	said=$cache/checkpatch/$(cat "$1" "$tmp/root"/scripts/[cs]* "$dictionary" |
		sha256sum | cut -c 1-32)
	if [ ! -e "$said" ]; then
		result=0
		raw=$tmp/said.${1##*/}
		(run_checkpatch "$1") >"$raw" || result=$?
		[ "$result" -le 1 ] ||
			{ cat "$raw"; echo "checkpatch: status $result"; return; }
		mkdir -p "$cache/checkpatch"
		sed -i 's/^.*\.patch:/line /' "$raw"
		mv "$raw" "$said"
	fi
	cat "$said"
}

# On all processors; what it says is in the cache afterwards.
checkpatch_ahead() {
	busy=0
	for patch in $(series_list "$total"); do
		checkpatch_says "$patches/$patch" >/dev/null &
		busy=$((busy + 1))
		[ $((busy % $(nproc))) -ne 0 ] || wait
	done
	wait
}

checkpatch() {
	checkpatch_says "$patches/$1" | grep -v '^$' | while read -r line; do
		type=$(echo "$line" |
			sed -nE 's/^.*: (ERROR|WARNING|CHECK):([A-Z_]+): .*/\2/p')
		allowed "$(echo "${1%.patch}" | sed 's/[0-9]*-//')" "$type" ||
			echo "$line"
	done
}

# checkpatch.allow has lines of: patch without number or stable/*, type, reason.
allowed() {
	awk -v patch="$1" -v type="$2" '
		($1 == patch || $1 == "stable/*" && patch ~ /^stable/) &&
			$2 == type && NF > 2 { found = 1; print NR }
		END { exit !found }' "$allow" >>"$tmp/allow.used"
}

stale_allowances() {
	awk '!/^(#|$)/ { print NR }' "$allow" | while read -r n; do
		grep -qx "$n" "$tmp/allow.used" || sed -n "${n}p" "$allow"
	done
}

# --- Applying --------------------------------------------------------------

# A tree as it is, byte for byte, modes included.
fingerprint() {
	(
		cd "$1" && find . -name .git -prune -o -printf '%P %y %m\n' | sort
		find . -name .git -prune -o -type f -print0 | sort -z |
			xargs -0 sha256sum
	) >"$2"
}

fresh_tree() {
	rm -rf "$tmp/k"
	mkdir "$tmp/k"
	stage "$pristine" "$tmp/k" "$tmp/base.list"
}

# Offsets are no failure, but the reader is told.
applies_and_says() {
	check "$1" applies "$2"
	grep offset "$tmp/out" | sed 's/^apply: //' | while read -r line; do
		note "$line"
	done
}

comes_off() {
	fresh_tree
	fingerprint "$tmp/k" "$tmp/before"
	"$here/apply" "$tmp/k" || return 1
	cp -a "$tmp/k" "$tmp/applied"
	"$here/apply" -R "$tmp/k" || return 1
	fingerprint "$tmp/k" "$tmp/after"
	diff "$tmp/before" "$tmp/after"
}

# The tree $tmp/k must be refused with a message that has $1, and stay as it
# is; further arguments go to apply.
refused() {
	say_what=$1
	shift
	fingerprint "$tmp/k" "$tmp/before"
	if "$here/apply" "$@" "$tmp/k" >"$tmp/out" 2>&1; then
		echo "was accepted"
		return 1
	fi
	fingerprint "$tmp/k" "$tmp/after"
	diff "$tmp/before" "$tmp/after" && grep -q "$say_what" "$tmp/out" && return
	cat "$tmp/out"
	return 1
}

refuses_twice() {
	rm -rf "$tmp/k"
	cp -a "$tmp/applied" "$tmp/k"
	refused "already applied"
}

refuses_unapply_of_nothing() {
	fresh_tree
	refused "not applied" -R
}

refuses_half() {
	fresh_tree
	# shellcheck disable=SC2046 # file names of patches have no blanks
	push "$tmp/k" $(series_list $((total - 1))) || return 1
	[ "$total" -eq 1 ] || refused "half-patched: the first $((total - 1))" || return
	fresh_tree
	file=$(head -n 1 "$tmp/changed.list")
	cp "$tmp/applied/$file" "$tmp/k/$file"
	refused "half-patched"
}

# As if the file came from an older kernel.
refuses_other_version() {
	fresh_tree
	file=$(head -n 1 "$tmp/changed.list")
	sed -i 's/$/ /' "$tmp/k/$file"
	sed -i 's/^SUBLEVEL = .*/SUBLEVEL = 1/' "$tmp/k/Makefile"
	refused "wrong base: this tree is Linux 6.12.1\."
}

# --- The other ways in and out -----------------------------------------------

same_as_applied() {
	fingerprint "$tmp/applied" "$tmp/before"
	fingerprint "$tmp/k" "$tmp/after"
	diff "$tmp/before" "$tmp/after"
}

# quilt leaves directories behind that have become empty; git knows none.
with_quilt() {
	fresh_tree
	fingerprint "$tmp/k" "$tmp/plain"
	(
		cd "$tmp/k" || exit
		export QUILT_PATCHES="$patches" QUILT_PC="$tmp/pc" QUILT_PATCH_OPTS=-F0
		quilt --quiltrc - push -a >"$tmp/out" 2>&1 || { cat "$tmp/out"; exit 1; }
		! grep -i fuzz "$tmp/out" || exit 1
		cp -a "$tmp/k" "$tmp/quilted"
		quilt --quiltrc - pop -a >"$tmp/out" 2>&1 || { cat "$tmp/out"; exit 1; }
	) || return 1
	find "$tmp/k" -depth -type d -empty -delete
	fingerprint "$tmp/k" "$tmp/after"
	diff "$tmp/plain" "$tmp/after" || return 1
	rm -rf "$tmp/k"
	mv "$tmp/quilted" "$tmp/k"
	same_as_applied
}

with_git() {
	fresh_tree
	(
		export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
		export XDG_CONFIG_HOME=/none # attributes
		export GIT_AUTHOR_NAME=x GIT_AUTHOR_EMAIL=x@x
		export GIT_COMMITTER_NAME=x GIT_COMMITTER_EMAIL=x@x
		cd "$tmp/k" && git init -q && git add -A -f && git commit -q -m base &&
		series_list "$total" | sed "s|^|$patches/|" |
			xargs -d '\n' git am -q
	) || return 1
	same_as_applied
}

with_mini() {
	env BUILD="$tmp/build" PATCHES="$tmp/copy" KSRC="$tmp/mini.tar.xz" "$@"
}

# The real scripts on a tarball that has only the touched files.
tree_and_export() {
	fresh_tree
	mv "$tmp/k" "$tmp/linux-mini"
	tar -C "$tmp" -cf - linux-mini | xz -0 >"$tmp/mini.tar.xz"
	rm -rf "$tmp/copy" "$tmp/k"
	cp -a "$patches" "$tmp/copy"
	with_mini "$here/tree" >"$tmp/out" 2>&1 || { cat "$tmp/out"; return 1; }
	with_mini "$here/export" >"$tmp/out" 2>&1 || { cat "$tmp/out"; return 1; }
	diff -r "$patches" "$tmp/copy"
}

# --- Documentation comments ------------------------------------------------

kernel_doc_delta() {
	kernel_doc "$pristine" "$tmp/root" "$tmp/touched.list" >"$tmp/doc.base"
	kernel_doc "$tmp/applied" "$tmp/root" "$tmp/touched.list" >"$tmp/doc.new"
	comm -13 "$tmp/doc.base" "$tmp/doc.new"
}

# --- The run ---------------------------------------------------------------

# ok if the command prints nothing.
silent() {
	name=$1
	shift
	found=$("$@" 2>&1) || found="$found
(failed)"
	if [ -z "$found" ]; then ok "$name"; else not_ok "$name" "$found"; fi
}

needed() {
	printf '%s\n' COPYING CREDITS Kbuild MAINTAINERS Makefile README \
		scripts/checkpatch.pl scripts/spelling.txt \
		scripts/const_structs.checkpatch scripts/kernel-doc
	cat "$tmp/touched.list"
}

# A newer package than the installed one is not checked here, so it is said.
newest() {
	name="linux-source-6.12 is the newest that apt knows"
	[ -z "${KSRC-}" ] || { skip "$name" "KSRC names another source"; return; }
	apt-cache policy linux-source-6.12 >"$tmp/policy" 2>/dev/null || :
	have=$(awk '$1 == "Installed:" { print $2 }' "$tmp/policy")
	there=$(awk '$1 == "Candidate:" { print $2 }' "$tmp/policy")
	if [ -z "$there" ] || [ "$there" = "(none)" ]; then
		skip "$name" "apt has no package lists here"
	elif [ "$have" = "$there" ]; then
		ok "$name"
	else
		skip "$name" "$there is to be had: apt-get install linux-source-6.12"
	fi
}

form_of_everything() {
	silent "series and folder agree" folder
	silent "parts have headings and cover letters" parts
	silent "subjects are unique" subjects
	silent "BASE is consistent" base
	for patch in $(series_list "$total"); do
		silent "form: $patch" form "$patch"
	done
}

# Finds what the series touches, and how that is without it.
find_base() {
	series_touched "$total" >"$tmp/touched.list"
	needed >"$tmp/needed.list"
	find_pristine "$tmp/needed.list"
	{ cat "$tmp/touched.list"; echo Makefile; } | sort >"$tmp/base.list"
	while read -r file; do
		[ ! -e "$pristine/$file" ] || echo "$file"
	done <"$tmp/touched.list" >"$tmp/changed.list"
}

checkpatch_all() {
	: >"$tmp/allow.used"
	checkpatch_root
	checkpatch_ahead
	for patch in $(series_list "$total"); do
		silent "checkpatch: $patch" checkpatch "$patch"
	done
	silent "checkpatch.allow has nothing that is not needed" stale_allowances
}

on_and_off() {
	applies_and_says "applies to $what (Linux $version)" "$pristine"
	newest
	check "make unapply gives back every byte and mode" comes_off
	check "a second make apply is refused" refuses_twice
	check "make unapply of what is not there is refused" \
		refuses_unapply_of_nothing
	check "a half-patched tree is refused" refuses_half
	check "another kernel's files are refused" refuses_other_version
	check "quilt push -a makes the same tree, pop -a the base" with_quilt
	check "git am makes the same tree" with_git
	check "make tree and make export change no byte" tree_and_export
}

form_only=
[ "${1-}" != -f ] || form_only=1
allow=${ALLOW:-$here/checkpatch.allow}
workdir
tmp=$work
total=$(series_length)
if [ "$total" -eq 0 ]; then
	not_ok "the series has patches" "patches/series lists none"
	finish
fi

form_of_everything
if [ -z "$form_only" ]; then
	find_base
	checkpatch_all
	on_and_off
	silent "kernel-doc has no new complaint" kernel_doc_delta
	silent "each row of tests/mutants has its place" \
		"$root/tests/mutants/switch" "$tmp/applied" "$tmp/mutants"
fi

finish
