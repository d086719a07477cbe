# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# The series scripts share this: the list of patches, the files they touch,
# and trees of only those files ("stages") in which patches are tried before
# a real tree is written. It needs $root (project) and $me (name).
#
# PATCHES and BUILD move the series and the products elsewhere, REPO the git
# tree (for tests, and for the series in tests/lab/qemu).

# shellcheck disable=SC2034,SC2154 # shared with the script that sources this

# shellcheck source-path=SCRIPTDIR source=../../tests/lab/env.sh
. "$root/tests/lab/env.sh"
patches=$(cd "${PATCHES:-$root/patches}" && pwd)
build=$(realpath -m "${BUILD:-$root/build}")
# git without the user's settings, and without a repository that might be around
# the current directory: in one, it would skip files without a word.
alone='env GIT_DIR=/dev/null GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
	GIT_CONFIG_COUNT=0 GIT_ATTR_NOSYSTEM=1 git -c core.attributesFile=/dev/null'

say() {
	printf '%s\n' "$me: $*"
}

warn() {
	printf '%s\n' "$me: $*" >&2
}

die() {
	warn "$@"
	exit 1
}

# A scratch directory in $tmp, gone when the script ends.
scratch() {
	tmp=$(mktemp -d "${TMPDIR:-/tmp}/nested-sva.XXXXXX")
	tmp=$(cd "$tmp" && pwd)
	trap 'rm -rf "$tmp"' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
}

# The first $1 patches in order.
series_list() {
	sed -e 's/[[:space:]]*#.*//' -e '/^[[:space:]]*$/d' "$patches/series" |
		head -n "$1"
}

series_length() {
	series_list 99999 | wc -l
}

# Prints the paths that the given patch files touch.
touched() {
	[ $# -gt 0 ] || return 0
	awk '/^diff --git a\// {
		# Both sides name the same file: there are no renames.
		print substr($0, 14, (length($0) - 16) / 2)
	}' "$@" | sort -u
}

# The same for the first $1 patches of the series.
series_touched() {
	# shellcheck disable=SC2046 # file names of patches have no blanks
	(cd "$patches" && touched $(series_list "$1"))
}

# The name of a patch file: neither its message nor where in a file it is changes it.
patch_id() {
	git patch-id --stable <"$1" | cut -c 1-12
}

subject_of() {
	git mailinfo /dev/null /dev/null <"$1" | sed -n 's/^Subject: //p'
}

base_value() {
	sed -n "s/^$1=//p" "$patches/BASE"
}

# The name of what the series is for, and the package its base comes in.
base_name() {
	name_of_base=$(base_value NAME)
	echo "${name_of_base:-Linux}"
}

base_source() {
	source_of_base=$(base_value SOURCE)
	echo "${source_of_base:-linux-source-6.12}"
}

# Prints 6.12.117 for a kernel tree, 10.0.2 for one with such a file VERSION,
# nothing for anything else.
tree_version() {
	[ ! -f "$1/VERSION" ] || { cat "$1/VERSION"; return; }
	[ ! -r "$1/Makefile" ] || awk -F' *= *' '
		$1 == "VERSION" { v = $2 }
		$1 == "PATCHLEVEL" { p = $2 }
		$1 == "SUBLEVEL" { print v "." p "." $2; exit }' "$1/Makefile"
}

# Does KSRC name a tree that is not ours? Then it is to be used as it is.
own_tree() {
	[ -d "${KSRC-}" ] &&
		[ "$(cd "$KSRC" && pwd -P)" != "$(realpath -m "$build/linux")" ]
}

# The newest source package, or the tarball that KSRC names.
find_tarball() {
	case ${KSRC-} in
	*.tar.*) tarball=$KSRC ;;
	*) tarball=/usr/src/linux-source-6.12.tar.xz ;;
	esac
	[ -r "$tarball" ] || die "no $tarball. It comes with the package" \
		"linux-source-6.12: run \`make deps', or give KSRC=TARBALL."
}

# The marks that tell one tarball from another.
tarball_id() {
	TZ=UTC0 stat -Lc '%s bytes, %y' "$1"
}

# Unpacks tarball $1 into the directory $2, showing how far it is.
unpack() {
	mkdir -p "$2"
	bytes=$(xz --robot -l "$1" | awk '$1 == "totals" { print $5 }')
	export nested_sva_records=$((bytes / 10240 + 1))
	end='\n'
	[ ! -t 2 ] || end='\r'
	tar -xf "$1" -C "$2" --strip-components=1 \
		--checkpoint=$((nested_sva_records / 10 + 1)) --checkpoint-action=exec="
		printf '  unpacking %3d %%$end' \
		\$((TAR_CHECKPOINT * 100 / nested_sva_records)) >&2"
	[ ! -t 2 ] || echo >&2
}

# Prints a directory with those files of the list $2 that are in tarball $1.
# To read a kernel tarball to its end takes ten seconds, so the files are kept.
extract() {
	kept=$cache/files/$(tarball_id "$1" | sha256sum | cut -c 1-16)
	mkdir -p "$kept/tree"
	(
		flock 9
		touch "$kept/known"
		sort -u "$2" | comm -23 - "$kept/known" >"$tmp/ask"
		[ ! -s "$tmp/ask" ] || extract_more "$1"
	) 9>"$kept/lock" && echo "$kept/tree"
}

# That a file is not in the tarball is an answer too: the series makes it.
extract_more() {
	top=$(tar -tf "$1" 2>/dev/null | head -n 1)
	sed "s|^|${top%%/*}/|" "$tmp/ask" >"$tmp/members"
	tar -xf "$1" -C "$kept/tree" --strip-components=1 -T "$tmp/members" \
		2>"$tmp/tar.log" || :
	if grep -vE 'Not found in archive|previous errors' "$tmp/tar.log" >&2; then
		return 1
	fi
	sort -u "$tmp/ask" "$kept/known" -o "$kept/known"
}

# $pristine gets the files of the list $1 as they are without the series; $what
# and $version tell of what tree they are.
find_pristine() {
	if own_tree; then
		what=$KSRC
		pristine=$tmp/ksrc
		stage "$KSRC" "$pristine" "$1"
	else
		find_tarball
		what=${tarball##*/}
		pristine=$(extract "$tarball" "$1")
	fi
	version=$(tree_version "$pristine")
}

# Copies those files of the list $3 that exist in the tree $1 into directory $2.
stage() {
	mkdir -p "$2"
	while read -r file; do
		if [ -e "$1/$file" ] || [ -L "$1/$file" ]; then
			printf '%s\n' "$file"
		fi
	done <"$3" >"$tmp/present"
	tar -C "$1" -cf "$tmp/stage.tar" -T "$tmp/present" &&
	tar -C "$2" -xpf "$tmp/stage.tar" --no-same-owner
}

# git apply in directory $1, with git's arguments after that: offsets are fine,
# fuzz is not. Its output is in $stage_log.
git_apply() {
	stage_dir=$1
	shift
	# shellcheck disable=SC2086 # $alone is a list
	stage_log=$(cd "$stage_dir" && $alone apply -v --whitespace=nowarn \
		${only:+"--include=$only"} "$@" 2>&1)
}

# Prints what does not fit, from the messages of git.
git_errors() {
	printf '%s\n' "$stage_log" |
		sed -n -e '/while searching for/d' -e 's/^error: /    /p'
}

# Applies the patches $2.. in directory $1. On failure $failed is the one that
# does not fit. $tmp/offsets tells of offsets.
push() {
	dir=$1
	shift
	: >"$tmp/offsets"
	for failed; do
		git_apply "$dir" "$patches/$failed" || return 1
		printf '%s\n' "$stage_log" | awk -v patch="${failed%%-*}" '
			/^Checking patch / { file = substr($3, 1, length($3) - 3) }
			/^Hunk .* \(offset / {
				gsub(/.*\(|\)\.$/, "")
				print patch ": " file ": " $0
			}' >>"$tmp/offsets"
	done
}

# Takes the patches $2.. back, the last one first.
pop() {
	dir=$1
	shift
	for failed in $(printf '%s\n' "$@" | tac); do
		git_apply "$dir" -R "$patches/$failed" || return 1
	done
}

# Does the series apply to a copy of tree $1? The output is in $tmp/out.
applies() {
	rm -rf "$tmp/other"
	cp -a "$1" "$tmp/other"
	"$root/patches/bin/apply" "$tmp/other" >"$tmp/out" 2>&1 ||
		{ cat "$tmp/out"; return 1; }
}

# Makes tree $1, whose files of the list $2 are those of $tmp/old, like $tmp/new.
# git writes nothing if a change does not fit. But when a disk is full or a
# directory is read-only, it stops after it removed files: these are put back.
land() {
	# shellcheck disable=SC2086 # $alone is a list
	(
		trap '' INT TERM HUP
		status=0
		cd "$tmp" || exit
		$alone diff --no-index --binary --no-renames old new >changes ||
			status=$?
		[ $status -ne 0 ] || exit 0
		[ $status -eq 1 ] || die "git diff fails, see above"
		cd "$1" || exit
		said=$(like_the_tree $alone apply -p2 --whitespace=nowarn \
			<"$tmp/changes" 2>&1) || {
			printf '%s\n' "$said" | head -n 3 >&2
			put_back "$2"
			die "cannot write in $1, which is $state"
		}
	)
}

# As the owner of the tree, and with the permissions that its Makefile has.
like_the_tree() {
	mode=0$(stat -c %a Makefile)
	umask "$(printf %o $((0777 & ~(0700 | mode | (mode & 0444) >> 2))))"
	owner=$(stat -c %u Makefile)
	[ "$(id -u)" -ne 0 ] || [ "$owner" -eq 0 ] || set -- setpriv \
		--reuid="$owner" --regid="$(stat -c %g Makefile)" --clear-groups "$@"
	"$@"
}

put_back() {
	while read -r file; do
		if [ ! -e "$tmp/old/$file" ]; then
			rm -f "$file"
			rmdir -p --ignore-fail-on-non-empty "${file%/*}" || :
		elif ! cmp -s "$tmp/old/$file" "$file"; then
			printf '%s\n' "$file"
		fi
	done <"$1" >"$tmp/lost" 2>/dev/null
	tar -C "$tmp/old" -cf - -T "$tmp/lost" | like_the_tree tar -xpf - || :
	stage . "$tmp/now" "$1"
	state="as it was"
	diff -r "$tmp/old" "$tmp/now" >/dev/null || {
		mv "$tmp/old" "$tmp.old"
		state="half written. The old files are in $tmp.old"
	}
}

# Brings tree $1 from whatever prefix of whatever series it has to the first
# $3 patches of this one, writing only files that differ. $2 is what is known
# about the tree: its touched files before the series and as last written.
sync_tree() {
	mkdir -p "$2/pristine" "$2/written"
	touch "$2/touched"
	series_touched "$3" | sort -u "$2/touched" - >"$tmp/touched"
	comm -13 "$2/touched" "$tmp/touched" >"$tmp/fresh"
	rm -rf "$tmp/old" "$tmp/new"
	# Files that no series has touched until now are as they were unpacked.
	{
		stage "$1" "$2/pristine" "$tmp/fresh" &&
		stage "$1" "$2/written" "$tmp/fresh" &&
		mv "$tmp/touched" "$2/touched" &&
		stage "$1" "$tmp/old" "$2/touched" &&
		cp -a "$2/pristine" "$tmp/new"
	} || die "cannot copy what the series touches in $1, see above"
	# shellcheck disable=SC2046 # file names of patches have no blanks
	push "$tmp/new" $(series_list "$3") || return 1
	sync_check_edits "$1" "$2"
	land "$1" "$2/touched" || exit
	rm -rf "$2/written"
	cp -a "$tmp/new" "$2/written"
}

# A hard-linked copy of build/linux in $1, and what is known of it in $2: writing to
# it replaces files, so the original stays. It costs no space, and its patched state
# can move freely. That the whole series applies is seen here.
link_linux() {
	PATCHES=$patches "$root/patches/bin/source" >"$tmp/source.log" 2>&1 ||
		{ cat "$tmp/source.log" >&2; exit 1; }
	id=$(cat "$build/series/source/tarball")
	[ ! -e "$1/Makefile" ] || [ "$(cat "$2/tarball" 2>/dev/null)" != "$id" ] ||
		return 0
	rm -rf "$1" "$2"
	mkdir -p "$(dirname "$1")" "$(dirname "$2")"
	cp -al "$build/linux" "$1"
	cp -a "$build/series/source" "$2"
}

# Nobody should edit here, but a lost evening is worse than a question. A file
# whose writing was interrupted is no edit.
sync_check_edits() {
	[ -z "${FORCE-}" ] || return 0
	while read -r file; do
		alike "$tmp/old/$file" "$2/written/$file" ||
			alike "$tmp/old/$file" "$tmp/new/$file" ||
			die "$1/$file was changed by hand." \
			"Work in build/tree (make tree), or lose it with FORCE=1."
	done <"$2/touched"
}

alike() {
	cmp -s "$1" "$2" || { [ ! -e "$1" ] && [ ! -e "$2" ]; }
}

# The complaints of kernel-doc of tree $2 about the files of the list $3 in
# tree $1, sorted and without line numbers, so that two trees can be compared.
kernel_doc() {
	grep '\.[ch]$' "$3" | while read -r file; do
		[ ! -e "$1/$file" ] || printf '%s\n' "$file"
	done | (cd "$1" && xargs -r perl "$2/scripts/kernel-doc" -none -Wall 2>&1) |
		sed -E 's/^([^:]*):[0-9]+: /\1: /' | sort
}
