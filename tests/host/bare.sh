#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# limit: 2000
#
# The package on Debian 12 and 13 as they are when nothing is installed on them, with
# their own kernels: it is installed, each program runs, it is removed without a trace.
# The date chooses one of them; ALL=1 takes both.

root=$(CDPATH='' cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=../lab/ktap.sh
. "$root/tests/lab/ktap.sh"
bare=$root/build/bare
logs=$root/build/test/host-bare
workdir

# Where this machine has Debian's packages from
mirror() {
	# shellcheck disable=SC2016 # for apt
	apt-get indextargets --format '$(REPO_URI)' | grep -m 1 '/debian/$'
}

# mmdebstrap runs it when it has the lists of that Debian
# shellcheck disable=SC2016 # for that shell
kernel_hook='export APT_CONFIG="$MMDEBSTRAP_APT_CONFIG"
	image=$(apt-cache depends linux-image-amd64 |
		sed -n "s/.*Depends: \(linux-image-[0-9].*\)/\1/p")
	cd "$OUT" && apt-get -q download "$image"'

fetch() { # SUITE DIR
	OUT=$2 mmdebstrap --variant=required --customize-hook="$kernel_hook" \
		"$1" "$2/root.tar" "$(mirror)" 2>"$work/log" &&
		dpkg-deb --fsys-tarfile "$2"/linux-image-*.deb |
		tar -x -C "$2" --wildcards --strip-components=2 './boot/vmlinuz-*' &&
		mv "$2"/vmlinuz-* "$2/vmlinuz" && rm "$2"/*.deb
}

# get SUITE: its root and its kernel, in $bare/SUITE; once
get() {
	[ ! -e "$bare/$1" ] || return 0
	mkdir -p "$bare" && new=$(mktemp -d "$bare/$1.XXXXXX") || return
	fetch "$1" "$new" && mv "$new" "$bare/$1" && return
	rm -rf "$new"
	return 1
}

comes_and_goes() { # SUITE
	"$root/tests/lab/vm/boot" -k "$bare/$1/vmlinuz" -m 2G -t 600 -a intel_iommu=on \
		-o "$logs/$1" "$root/tests/host/bare/guest.sh" "$bare/$1/root.tar" \
		"$work"/*.deb || {
		cat "$logs/$1/ktap.log"
		return 1
	}
}

"$root/tools/deb/build" "$work" >"$work/log" || cat "$work/log"
printf '%s\n' '12 bookworm' '13 trixie' | today 2 >"$work/list"
while read -r version suite; do
	if get "$suite"; then
		check "the package on Debian $version" comes_and_goes "$suite"
	else
		tail -n 3 "$work/log"
		skip "the package on Debian $version" "there is none to be had"
	fi
done <"$work/list"
finish
