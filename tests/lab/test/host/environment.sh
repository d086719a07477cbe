#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The targets in a place and for a user that nobody thought of: blanks and commas
# in every path, another language, umask 077, a home that cannot be written, no
# root, a kernel tree inside a git repository, settings of git and variables that
# would change what tools do. KTAP.
# limit: 900

set -eu

root=$(CDPATH='' cd "$(dirname "$0")/../../../.." && pwd)
me=environment
# shellcheck source-path=SCRIPTDIR source=../../../../patches/bin/lib.sh
. "$root/patches/bin/lib.sh"
# shellcheck source-path=SCRIPTDIR source=../../ktap.sh
. "$root/tests/lab/ktap.sh"

# --- A place, a home, a user ------------------------------------------------------

# A clone of what is here, edits too, by somebody whose git has text=auto
make_clone() {
	mkdir "$work/their files, all" "$clone"
	cd "$root"
	{ git ls-files -z -co --exclude-standard 2>/dev/null ||
		find . -path ./build -prune -o -type f -print0; } |
		tar --null -T - -cf - | tar -C "$clone" -xf -
	cd "$clone"
	git init -q
	git add -A
	git -c user.name=x -c user.email=x@localhost commit -q -m all
	git config core.autocrlf true
	rm -rf Makefile patches tests
	git checkout -q -f
}

# Only what the series touches; the same as a tarball and as a tree
make_kernel() {
	series_touched "$(series_length)" >"$tmp/list"
	printf '%s\n' Makefile .gitignore >>"$tmp/list"
	find_pristine "$tmp/list"
	mkdir "$kernel" "$tmp/linux-mini"
	stage "$pristine" "$kernel" "$tmp/list"
	cp -a "$kernel/." "$tmp/linux-mini"
	tar -C "$tmp" -cf - linux-mini | xz -0 >"$clone/../mini, 6.12.tar.xz"
	cp -a "$kernel" "$work/base"
}

make_home() {
	mkdir -p "$home/.config/git" "$work/temporary files"
	cat >"$home/.gitconfig" <<-'END'
	[core]
		autocrlf = true
		quotePath = true
	[apply]
		whitespace = fix
	[diff]
		noprefix = true
	[format]
		signOff = true
	[user]
		name = Somebody, Else
		email = somebody@localhost
	END
	echo '* text eol=crlf' >"$home/.config/git/attributes"
	chmod -R a-w "$home"
}

# sudo and dpkg that do not know one package; apt is the real one.
make_fakes() {
	mkdir "$work/bin"
	cat >"$work/bin/dpkg-query" <<-'END'
	#!/bin/sh
	/usr/bin/dpkg-query "$@" | grep -v ' codespell$'
	END
	cat >"$work/bin/sudo" <<-END
	#!/bin/sh
	echo "\$@" >>"$work/their files, all/sudo"
	END
	chmod +x "$work/bin/dpkg-query" "$work/bin/sudo"
}

# as_them COMMAND..: in the clone, as nobody if we are root
as_them() {
	[ "$(id -u)" -ne 0 ] || set -- "$(command -v setpriv)" --reuid=65534 --regid=65534 \
		--clear-groups "$@"
	(
		cd "$clone"
		umask 077
		exec env -i HOME="$home" PATH="$path" TMPDIR="$work/temporary files" \
			LANG=C.UTF-8 LANGUAGE=de CDPATH=.:.. POSIXLY_CORRECT=1 \
			TAR_OPTIONS=--exclude=drivers XZ_DEFAULTS=--keep \
			GREP_OPTIONS=-v GIT_DIR="$work/none" GIT_INDEX_FILE=none \
			GIT_WORK_TREE=/ GIT_EXTERNAL_DIFF=false GIT_TRACE=1 \
			QUILT_PATCHES=none ARCH=arm64 CROSS_COMPILE=none- LLVM=1 \
			MAKEFLAGS=k PERL5OPT=-Mnone PYTHONPATH=/none \
			SHELLCHECK_OPTS=--severity=style NINJA_STATUS= "$@"
	)
}

# refused_with TEXT COMMAND..
refused_with() {
	text=$1
	shift
	if "$@" >"$tmp/out" 2>&1; then
		echo "succeeded"
		return 1
	fi
	cat "$tmp/out"
	grep -q "$text" "$tmp/out"
}

# --- The targets --------------------------------------------------------------

applied_and_back() {
	as_them make apply KSRC="$kernel" && [ -e "$kernel/drivers/iommu/ioasid.c" ] &&
		! grep -rl "$(printf '\r')" "$kernel" &&
		as_them make unapply KSRC="$kernel" &&
		diff -r "$work/base" "$kernel" &&
		[ -z "$(find "$kernel" -type f ! -perm 644)" ]
}

# Root may write anywhere, but the tree's owner may not.
read_only_tree() {
	chmod a-w "$kernel/include/uapi/linux"
	refused_with 'Permission denied' as_them make apply KSRC="$kernel" || return
	chmod u+w "$kernel/include/uapi/linux"
	grep 'as it was' "$tmp/out" && diff -r "$work/base" "$kernel"
}

exported_unchanged() {
	as_them make tree KSRC="$clone/../mini, 6.12.tar.xz" &&
		as_them make export && diff -r "$root/patches" "$clone/patches"
}

# A tree that git does not enter is not half made: it may hold work.
tree_of_another() {
	[ "$(id -u)" -eq 0 ] || return 0
	echo work >"$clone/build/tree/work"
	chown -R 65533 "$clone/build/tree"
	chmod -R a+rwX "$clone/build/tree"
	set -- as_them make tree KSRC="$clone/../mini, 6.12.tar.xz"
	refused_with 'dubious ownership' "$@" && grep '^tree: git' "$tmp/out" &&
		[ -e "$clone/build/tree/work" ] || return
	# The user may tell git to trust it
	printf '[safe]\n\tdirectory = *\n' >>"$home/.gitconfig"
	"$@" && [ -e "$clone/build/tree/work" ]
}

# Static programs and a real compiler; then the install that follows
tools_and_install() {
	as_them make tools && [ -x "$clone/build/tools/pasidsnoop" ] &&
		as_them make install DESTDIR="$clone/../my root, with" &&
		[ -x "$clone/../my root, with/usr/local/sbin/pasidsnoop" ] &&
		[ -z "$(cd "$clone" && git status --porcelain)" ]
}

ccache_works() {
	command -v ccache >/dev/null || return 0
	echo 'int i;' >"$work/i.c"
	# shellcheck disable=SC2016 # for that shell
	as_them sh -c 'root=$PWD; . tests/lab/env.sh; cd "$TMPDIR" &&
		ccache gcc -c "$OLDPWD/../../i.c" -o i.o' &&
		[ -d "$clone/build/cache/ccache" ]
}

# The answer of apt is understood whatever the language.
one_package_missing() {
	command -v apt-cache >/dev/null || return 0
	(path=$work/bin:$path as_them make deps) >"$tmp/out" 2>&1 &&
		grep -q 'install codespell$' "$work/their files, all/sudo" && return
	cat "$tmp/out"
	return 1
}

tool_missing() {
	(path=$work/few; refused_with 'missing: .*clang' as_them make tools) &&
		grep 'make deps' "$tmp/out"
}

# The core of it: what took no minute, and the tests of most scripts
fast_tests() {
	as_them make check-fast TESTS="fast/golden fast/sync fast/unit fast/usage \
fast/boot fast/initramfs fast/run fast/splats"
}

workdir
tmp=$work/tmp clone="$work/their files, all/a clone, theirs" home="$work/home sweet"
kernel="$clone/my kernel, 6.12" path=$PATH:/usr/sbin:/sbin
mkdir "$tmp"
make_clone
make_kernel
make_home
make_fakes
mkdir "$work/few"
for tool in sh env make sed awk mkdir dirname realpath grep tr xargs cut cat id echo; do
	ln -s "/usr/bin/$tool" "$work/few/"
done
if [ "$(id -u)" -eq 0 ]; then
	chown -R 65534:65534 "$work/their files, all" "$work/home sweet" \
		"$work/temporary files"
	chmod 755 "$work"
fi

check "make apply, make unapply" applied_and_back
check "make apply: a directory that is read-only" read_only_tree
check "make tree, make export" exported_unchanged
check "make tree: one of somebody else" tree_of_another
check "make tools, make install" tools_and_install
check "ccache without a home" ccache_works
check "make deps, one package missing" one_package_missing
check "make tools without the compiler" tool_missing
check "make check-fast" fast_tests
finish
