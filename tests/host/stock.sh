#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# limit: 1200
#
# The tools on unmodified kernels: the newest of each line that this Debian has, as
# packages, which are downloaded once and not installed; and the newest backport, which
# tests/lab/guest has for its guests.

root=$(CDPATH='' cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=../lab/ktap.sh
. "$root/tests/lab/ktap.sh"
stock=$root/build/stock
logs=$root/build/test/host-stock

# "6.1 linux-image-6.1.0-50-amd64", the newest of each line
packages() {
	apt-cache search --names-only '^linux-image-[0-9.]+[^ ]*-amd64$' |
		sed -nE 's/^(linux-image-([0-9]+\.[0-9]+)\.[^ ]*) .*/\2 \1/p' |
		grep -vE 'cloud|rt-|dbg|unsigned' | sort -V |
		awk '{ newest[$1] = $2 } END { for (v in newest) print v, newest[v] }'
}

# get PACKAGE: its kernel, as $stock/PACKAGE
get() {
	[ -e "$stock/$1" ] || "$root/tests/lab/debs" -k "$stock/$1" "$1"
}

tools_work() { # PACKAGE KERNEL
	"$root/tests/lab/vm/boot" -k "$2" -t 300 -a intel_iommu=on \
		-o "$logs/$1" "$root/tests/host/stock/guest.sh" \
		"$root/tests/guest/lib.sh" || {
		cat "$logs/$1/ktap.log"
		return 1
	}
}

workdir
packages >"$work/packages"
while read -r line package; do
	if get "$package" >/dev/null 2>&1; then
		check "the tools on a stock $line" tools_work "$package" "$stock/$package"
	else
		skip "the tools on a stock $line" "cannot download $package"
	fi
done <"$work/packages"
if "$root/tests/lab/guest/fetch" linux-7.3 2>"$work/fetch"; then
	check "the tools on a stock 7.3" tools_work linux-7.3 \
		"$root/build/guest/linux-7.3/vmlinuz"
else
	skip "the tools on a stock 7.3" "$(tail -n 1 "$work/fetch")"
fi
[ "$ktap_count" -gt 0 ] || skip "the tools on stock kernels" "no packages of them"
finish
