#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The package of make deb: what is in it, in a root directory of its own where there
# is nothing else, and that nothing of it stays; and make install, which fills it.

here=$(CDPATH='' cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../lab/ktap.sh
. "$here/../lab/ktap.sh"
top=$here/../..
workdir
root=$work/root
PATH=$PATH:/usr/sbin:/sbin
listed() { # REGEX: the words of these variables of the build
	sed -nE "s/^($1)[[:space:]]*:= //p" "$top/tools/build.mk" | tr ' ' '\n'
}
scripts=$(listed SCRIPTS)
programs=$(listed 'TOOLS|PLAIN_TOOLS|SCRIPTS')

if ! command -v dpkg-deb >/dev/null; then
	skip "the package" "no dpkg-deb"
	finish
fi

# --- the package ------------------------------------------------------------------

build() {
	"$top/tools/deb/build" >"$work/log" || return
	sed 's/^deb: //' "$work/log"
}

is_whole() {
	cat "$work/log"
	[ -s "$deb" ] && dpkg-deb -x "$deb" "$work/x" && [ -x "$work/x/usr/sbin/pasidwhy" ]
}

field() {
	dpkg-deb -f "$deb" "$1"
}

depends_on_nothing() {
	[ "$(field Package)$(field Depends)$(field Pre-Depends)$(field Recommends)" = \
		nested-sva-tools ] || return
	! dpkg-deb --ctrl-tarfile "$deb" | tar -t | grep -E 'inst|rm$|conf'
}

same_bytes_again() {
	cp "$deb" "$work/first.deb" && build && cmp "$deb" "$work/first.deb"
}

of_root() {
	! dpkg-deb -c "${deb:?}" | awk '$2 != "root/root" || $1 ~ /^.....w..w/' | grep .
}

# The tags of the builder's address are left out: whoever builds it gives theirs.
clean_policy() {
	lintian --allow-root --fail-on warning --suppress-tags \
		bogus-mail-host,bogus-mail-host-in-debian-changelog "$deb"
}

static() {
	for program in "$work"/x/usr/sbin/*; do
		[ "$(head -c 2 "$program")" != '#!' ] || continue
		! ldd "$program" >"$work/ldd" 2>&1 || {
			cat "$program" "$work/ldd"
			return 1
		}
	done
}

# --- installed --------------------------------------------------------------------

make_root() {
	mkdir -p "$root/var/lib/dpkg/updates" "$root/var/lib/dpkg/info" "$root/etc"
	: >"$root/var/lib/dpkg/status"
	: >"$root/var/lib/dpkg/available"
	in_root >"$work/before"
}

in_root() {
	(cd "$root" && find . ! -path './var/lib/dpkg*' ! -path './var/log*' | sort)
}

dpkg_root() {
	dpkg --root="$root" --log="$work/dpkg.log" --force-script-chrootless,not-root "$@"
}

installs() {
	make_root
	dpkg_root -i "$deb" && dpkg_root -s nested-sva-tools | grep 'ok installed'
}

all_is_there() {
	for program in $programs; do
		for file in sbin/$program share/man/man8/$program.8.gz \
			share/bash-completion/completions/$program; do
			[ -s "$root/usr/$file" ] || {
				echo "$file"
				return 1
			}
		done
	done
	[ -s "$root/usr/lib/nested-sva/pasids.bpf.o" ] || return
	[ "$(find "$root/usr/sbin" -type f | wc -l)" -eq "$(echo "$programs" | wc -l)" ]
}

# Nothing else is in there: no libc, no shell
runs_there() {
	for program in $(listed 'TOOLS|PLAIN_TOOLS'); do
		got=$(chroot "$root" "/usr/sbin/$program" --version) || return
		echo "$got"
		[ "${got#"$program $(field Version)"}" != "$got" ] || return
	done
}

scripts_have_the_version() {
	for script in $scripts; do
		[ "$(sh "$root/usr/sbin/$script" --version)" = \
			"$script $(field Version)" ] || return
	done
}

manual_is_read() {
	for page in "$root"/usr/share/man/man8/*.gz; do
		gzip -dc "$page" | groff -man -ww -rHY=0 -Tascii -P-cbou 2>&1 >"$work/page" | grep . && return 1
		grep -q NAME "$work/page" || return
	done
}

goes_without_a_trace() {
	dpkg_root -P nested-sva-tools && in_root | diff "$work/before" - &&
		! find "$root/var/lib/dpkg/info" -name 'nested*' | grep .
}

# --- make install -----------------------------------------------------------------

make_install() {
	make -s -C "$top" install DESTDIR="$work/dest dir" PREFIX=/opt/x >"$work/log" ||
		return
	(cd "$work/dest dir/opt/x" && find . -type f) | sed 's/\.gz$//' | sort >"$work/got"
	(cd "$work/x/usr" && find . -type f) | sed 's/\.gz$//' |
		grep -v -e share/doc -e share/lintian | sort | diff - "$work/got"
}

completes() { # LINE WORD: the last word of LINE can be WORD
	bash -c '
		. "$1/usr/share/bash-completion/completions/${2%% *}"
		complete -p "${2%% *}" || exit
		PATH=$1/usr/sbin:$PATH
		read -ra COMP_WORDS <<<"$2"
		[[ $2 != *" " ]] || COMP_WORDS+=("")
		COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
		_nested_sva_tool "${COMP_WORDS[0]}"
		printf "%s\n" "${COMPREPLY[@]}"' bash "$root" "$1" >"$work/words"
	cat "$work/words"
	grep -qxF -e "$2" "$work/words"
}

deb=$(build)
check "a package is made" is_whole
check "it depends on nothing, and runs nothing" depends_on_nothing
check "the same bytes again" same_bytes_again
check "all of it is root's" of_root
check "no program needs a library" static
if command -v lintian >/dev/null; then
	check "lintian finds nothing" clean_policy
else
	skip "lintian finds nothing" "no lintian"
fi
check "make install puts there what the package has" make_install
if [ "$(id -u)" -eq 0 ]; then
	check "it is installed" installs
	check "programs, manuals, completion are there" all_is_there
	check "the programs run where there is nothing else" runs_there
	check "the scripts have the version of the package" scripts_have_the_version
	check "the manuals are good" manual_is_read
	check "options are completed" completes "pasidsnoop --js" --json
	check "arguments are completed" completes "pasidwhy --for ne" nest
	check "so are those of the script" completes "pasid-report -" --duration
	check "nothing stays when it is removed" goes_without_a_trace
else
	skip "it is installed, runs, and goes" "needs root"
fi
finish
