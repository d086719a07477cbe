# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# What the series scripts share: the list of patches, the files they touch,
# and trees of only those files ("stages") in which patches are tried before
# a real tree is written. Sourced with $root (project) and $me (name) set.
#
# PATCHES and BUILD move the series and the products elsewhere, REPO the git
# tree (for tests, and for the series in tests/lab/qemu).

# shellcheck disable=SC2034,SC2154 # shared with the script that sources this

# Messages are read by scripts here, so they must not be translated.
export LC_ALL=C
patches=$(cd "${PATCHES:-$root/patches}" && pwd)
build=${BUILD:-$root/build}
cache=${XDG_CACHE_HOME:-${HOME:-$build}/.cache}/nested-sva

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

base_value() {
	sed -n "s/^$1=//p" "$patches/BASE"
}

# What the series is for, and the package its base comes in.
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

# What tells one tarball from another.
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
# Reading a kernel tarball to its end takes ten seconds, so the files are kept.
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

# Copies those files of the list $3 that exist in the tree $1 into stage $2.
stage() {
	mkdir -p "$2"
	while read -r file; do
		[ ! -e "$1/$file" ] || printf '%s\n' "$file"
	done <"$3" >"$tmp/present"
	tar -C "$1" -cf "$tmp/stage.tar" -T "$tmp/present" &&
	tar -C "$2" -xpf "$tmp/stage.tar" --no-same-owner
}

# Applies patch file $2 in stage $1: offsets are fine, fuzz is not. Further
# arguments go to patch(1); what that said is in $stage_log.
stage_patch() {
	stage_dir=$1
	stage_file=$2
	shift 2
	stage_log=$(patch -d "$stage_dir" -p1 -F0 -f -r - \
		--no-backup-if-mismatch "$@" <"$stage_file" 2>&1)
}

# Applies the first $2 patches of the series in stage $1. On failure $failed
# is the patch; offsets are added to the file $offsets, if that is set.
stage_push() {
	for failed in $(series_list "$2"); do
		stage_patch "$1" "$patches/$failed" || return 1
		[ -z "${offsets-}" ] || printf '%s\n' "$stage_log" |
			awk -v patch="${failed%%-*}" '/^patching file / { file = $3 }
				sub(/^Hunk .* \(offset /, "") {
					sub(/\).*/, "")
					print patch ": " file ": offset " $0
				}' >>"$offsets"
	done
	failed=
}

# Does the series apply to a copy of tree $1? What apply said is in $tmp/out.
applies() {
	rm -rf "$tmp/other"
	cp -a "$1" "$tmp/other"
	"$root/patches/bin/apply" "$tmp/other" >"$tmp/out" 2>&1 ||
		{ cat "$tmp/out"; return 1; }
}

# Takes the first $2 patches of the series back in stage $1.
stage_pop() {
	for failed in $(series_list "$2" | tac); do
		stage_patch "$1" "$patches/$failed" -R || return 1
	done
	failed=
}

# Prints "M path", "A path" or "D path" for each file of the list $3 that tree
# $1 must get, lose or change to be like stage $2.
stage_diff() {
	while read -r file; do
		if [ ! -e "$2/$file" ]; then
			[ ! -e "$1/$file" ] || printf 'D %s\n' "$file"
		elif [ ! -e "$1/$file" ]; then
			printf 'A %s\n' "$file"
		elif ! cmp -s "$1/$file" "$2/$file" ||
		     [ "$(stat -c %a "$1/$file")" != "$(stat -c %a "$2/$file")" ]; then
			printf 'M %s\n' "$file"
		fi
	done <"$3"
}

# Makes tree $1 like stage $2 for the changes listed in $3. New contents are
# first written beside the old; only when all are there are they renamed. So
# a full disk or a read-only file leaves the tree as it was, and a hard-linked
# copy of the tree is not changed through the link.
stage_commit() {
	new=.nested-sva-new
	if ! stage_prepare "$1" "$2" "$3"; then
		sed 's/^. //' "$3" | while read -r file; do
			rm -f "$1/$file$new" || :
			prune_empty "$1" "$file"
		done
		return 1
	fi
	trap '' INT TERM HUP
	while read -r what file; do
		if [ "$what" = D ]; then
			rm -f "$1/$file"
			prune_empty "$1" "$file"
		else
			mv -fT "$1/$file$new" "$1/$file" ||
				die "$1 is half written: no $file"
		fi
	done <"$3"
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
}

stage_prepare() {
	while read -r what file; do
		dir=$(dirname "$file")
		case $what in
		D) [ -w "$1/$dir" ] || return 1; continue ;;
		A) make_dirs "$1" "$dir" || return 1; like=$dir ;;
		M) like=$file ;;
		esac
		cp -T "$2/$file" "$1/$file$new" &&
		chmod --reference="$2/$file" "$1/$file$new" &&
		give "$1/$like" "$1/$file$new" || return 1
	done <"$3"
}

# New directories belong to the owner of the tree, also when root makes them.
make_dirs() {
	[ ! -d "$1/$2" ] || return 0
	make_dirs "$1" "$(dirname "$2")" && mkdir "$1/$2" && give "$1" "$1/$2"
}

give() {
	[ "$(id -u)" -ne 0 ] || chown --reference="$1" "$2"
}

# Removes the directories above $2 in tree $1 that are empty.
prune_empty() {
	dir=$(dirname "$2")
	[ "$dir" = . ] || [ ! -d "$1/$dir" ] ||
		(cd "$1" && rmdir -p --ignore-fail-on-non-empty "$dir")
}

# Brings tree $1 from whatever prefix of whatever series it has to the first
# $3 patches of this one, writing only files that differ. $2 is what is known
# about the tree: its touched files before the series and as last written.
sync_tree() {
	mkdir -p "$2/pristine" "$2/written"
	touch "$2/touched"
	series_touched "$3" >"$tmp/touched"
	sort -u "$2/touched" "$tmp/touched" >"$tmp/both"
	comm -13 "$2/touched" "$tmp/touched" >"$tmp/fresh"
	# What no series has touched until now is still as it was unpacked.
	(cd "$2/pristine" && xargs -r -d '\n' rm -f --) <"$tmp/fresh"
	stage "$1" "$2/pristine" "$tmp/fresh"
	rm -rf "$tmp/stage"
	stage "$2/pristine" "$tmp/stage" "$tmp/both"
	stage_push "$tmp/stage" "$3" || return 1
	stage_diff "$1" "$tmp/stage" "$tmp/both" >"$tmp/changes"
	sync_check_edits "$1" "$2"
	stage_commit "$1" "$tmp/stage" "$tmp/changes" || die "cannot write in $1"
	rm -rf "$2/written"
	cp -a "$tmp/stage" "$2/written"
	# Files of an earlier series stay known: their pristine copy is good.
	mv "$tmp/both" "$2/touched"
}

# Nobody should edit here, but a lost evening is worse than a question.
sync_check_edits() {
	[ -z "${FORCE-}" ] || return 0
	stage_diff "$1" "$2/written" "$2/touched" | sort >"$tmp/edited"
	sort "$tmp/changes" | comm -12 - "$tmp/edited" | sed 's/^..//' >"$tmp/lost"
	[ ! -s "$tmp/lost" ] || die "$1/$(head -n 1 "$tmp/lost") was changed by hand." \
		"Work in build/tree (make tree), or lose it with FORCE=1."
}

# What kernel-doc of tree $2 complains about in the files of the list $3 in
# tree $1, sorted and without line numbers, so that two trees can be compared.
kernel_doc() {
	grep '\.[ch]$' "$3" | while read -r file; do
		[ ! -e "$1/$file" ] || (cd "$1" &&
			perl "$2/scripts/kernel-doc" -none -Wall "$file" 2>&1)
	done | sed -E 's/^([^:]*):[0-9]+: /\1: /' | sort
}
