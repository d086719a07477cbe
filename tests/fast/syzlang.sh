#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Do the descriptions for syzkaller say what the kernel's headers say? Each structure
# becomes assertions on the places and sizes of its members, each constant is used; a
# C compiler decides. syzkaller's own compiler is in no package. KTAP.

set -eu

root=$(CDPATH='' cd "$(dirname "$0")/../.." && pwd)
me=syzlang
# shellcheck source-path=SCRIPTDIR source=../../patches/bin/lib.sh
. "$root/patches/bin/lib.sh"
# shellcheck source-path=SCRIPTDIR source=../lab/ktap.sh
. "$root/tests/lab/ktap.sh"

descriptions=$root/tests/syzkaller/dev_iommu_pasid.txt
headers='include/uapi/linux/iommu.h include/uapi/linux/iommufd.h
	drivers/iommu/iommufd/iommufd_test.h'

# The headers as they are after the series.
make_headers() {
	series_touched 99999 >"$tmp/list"
	find_pristine "$tmp/list"
	cp -a "$pristine" "$tmp/new"
	# shellcheck disable=SC2046 # file names of patches have no blanks
	push "$tmp/new" $(series_list 99999)
	mkdir -p "$tmp/include/linux"
	for header in $headers; do
		sed -e 's/\b__user\b//g' "$tmp/new/$header" >"$tmp/include/linux/${header##*/}"
	done
}

compiles() {
	"$root/tests/fast/syzlang/to_c.py" "$1" >"$tmp/check.c" && gcc -fsyntax-only -D_GNU_SOURCE -I"$tmp/include" "$tmp/check.c" 2>&1
}

all_is_said() {
	! sed -nE 's/^#define (IOMMU_(G?PASID_[A-Z]+))\t?.*_IO\(.*/\1/p' \
		"$tmp/include/linux/iommufd.h" | while read -r name; do
		grep -qw "const\[$name\]" "$descriptions" || echo "$name"
	done | grep .
}

# refused COMMAND: sed's change of the descriptions is noticed.
refused() {
	sed "$1" "$descriptions" >"$tmp/broken.txt"
	! cmp -s "$tmp/broken.txt" "$descriptions" && ! compiles "$tmp/broken.txt"
}

workdir
tmp=$work
check "the headers" make_headers
check "structures and constants are those of the headers" compiles "$descriptions"
check "no ioctl is left out" all_is_said
check "would notice a member of another size" refused 's/^\tmin\t.*/\tmin\t\tint64/'
check "would notice a member that is missing" refused '/^\tresult_uptr/d'
check "would notice a constant that is not there" refused 's/_EMTE,/_EMTF,/'
finish
