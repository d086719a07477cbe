#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# limit: 1200
#
# The tools on unmodified kernels: the newest of each line that this Debian has, as
# packages, which are downloaded once and not installed; and the newest backport, which
# tests/lab/guest has for its guests. The date chooses one of them; ALL=1 takes all.

root=$(CDPATH='' cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=../lab/ktap.sh
. "$root/tests/lab/ktap.sh"
stock=$root/build/stock/kernels
logs=$root/build/test/host-stock

# "6.1 linux-image-6.1.0-50-amd64", the newest of each line
packages() {
	apt-cache search --names-only '^linux-image-[0-9.]+[^ ]*-amd64$' |
		sed -nE 's/^(linux-image-([0-9]+\.[0-9]+)\.[^ ]*) .*/\2 \1/p' |
		grep -vE 'cloud|rt-|dbg|unsigned' | sort -V |
		awk '{ newest[$1] = $2 } END { for (v in newest) print v, newest[v] }'
}

# get PACKAGE[=VERSION] OPTION..: of tests/lab/debs; its kernel and its drivers of virtio
# disks, in $stock/PACKAGE
get() {
	package=$1 dir=$stock/${1%=*}
	shift
	[ -d "$dir" ] || "$root/tests/lab/debs" "$@" -f '*/virtio*.ko*' "$dir" "$package"
}

# Beside the disk of the results, which bypasses the IOMMU, one that does not, and whose
# unmaps are flushed at once
disk='-drive driver=null-co,size=16777216,if=none,id=disk
	-device virtio-blk-pci,drive=disk,disable-legacy=on,iommu_platform=on'

tools_work() { # KERNEL DIR-OF-DRIVERS
	rm -rf "$work/drivers" && mkdir "$work/drivers" || return
	find "$2" -name 'virtio*.ko*' -exec cp {} "$work/drivers/" ';'
	find "$work/drivers" -name '*.xz' -exec xz -d {} +
	"$root/tests/lab/vm/boot" -k "$1" -t 400 -a 'intel_iommu=on iommu.strict=1' \
		-q "$disk" -o "$logs/${2##*/}" "$root/tests/host/stock/guest.sh" \
		"$root/tests/guest/lib.sh" "$work"/drivers/*.ko || {
		cat "$logs/${2##*/}/ktap.log"
		return 1
	}
}

stock_kernel() { # LINE PACKAGE
	if get "$2" -f '*/vmlinuz*' >/dev/null 2>&1; then
		check "the tools on a stock $1" tools_work \
			"$(find "$stock/$2" -name 'vmlinuz*')" "$stock/$2"
	else
		skip "the tools on a stock $1" "cannot download $2"
	fi
}

backport() {
	modules=$(sed -n 's/^linux-7.3  *linux-binary/linux-modules/p' \
		"$root/tests/lab/guest/versions")
	if "$root/tests/lab/guest/fetch" linux-7.3 2>"$work/fetch" &&
		get "$modules" -s trixie 2>"$work/fetch"; then
		check "the tools on a stock 7.3" tools_work \
			"$root/build/guest/linux-7.3/vmlinuz" "$stock/${modules%=*}"
	else
		skip "the tools on a stock 7.3" "$(tail -n 1 "$work/fetch")"
	fi
}

workdir
{
	packages
	echo 7.3
} | today 3 >"$work/packages"
while read -r line package; do
	if [ -n "$package" ]; then
		stock_kernel "$line" "$package"
	else
		backport
	fi
done <"$work/packages"
[ "$ktap_count" -gt 0 ] || skip "the tools on stock kernels" "none of today's to be had"
finish
