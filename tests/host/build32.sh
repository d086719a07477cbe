#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# limit: 1500
#
# Where the series changes the kernel, it builds for 32 bits: with all of its options
# that are to be had there, and without a warning of gcc W=1.

root=$(CDPATH='' cd "$(dirname "$0")/../.." && pwd)
linux=$root/build/linux
out=$root/build/i386
# shellcheck source-path=SCRIPTDIR source=../lab/ktap.sh
. "$root/tests/lab/ktap.sh"
cc=$root/tests/lab/cc

touched_dirs() {
	sed -n 's|^+++ b/\(.*\)/[^/]*\.c$|\1|p' "$root"/patches/*.patch \
		"$root"/patches/stable/*.patch | grep -v '^tools/' | sort -u |
		awk 'last == "" || index($0, last "/") != 1 { print $0 "/"; last = $0 }'
}

# The options of the VM. gcc warns of the base's names from DMI where there is none.
configure() {
	mkdir -p "$out" &&
		make -s -C "$linux" O="$out" ARCH=i386 CC="$cc" tinyconfig &&
		KCONFIG_CONFIG=$out/.config "$linux/scripts/kconfig/merge_config.sh" \
			-m -O "$out" "$out/.config" "$root/tests/lab/vm/config" &&
		sed -i -e '/CONFIG_64BIT/d' -e '/DEBUG_INFO_BTF/d' "$out/.config" &&
		echo CONFIG_DMI=y >>"$out/.config" &&
		make -s -C "$linux" O="$out" ARCH=i386 CC="$cc" olddefconfig
}

has() {
	grep -qx "$1" "$out/.config"
}

options() {
	for option in IOASID IOMMUFD_PASID INTEL_IOMMU IOASID_KUNIT_TEST \
		IOMMU_GPASID_KUNIT_TEST; do
		has "CONFIG_$option=[ym]" || { echo "$option is off"; return 1; }
	done
}

# Kconfig says what is for 64 bits only.
refused() {
	! has "CONFIG_IOMMUFD_TEST=[ym]" && ! has "CONFIG_INTEL_IOMMU_VCMD=[ym]"
}

build() {
	touched_dirs | xargs make -C "$linux" O="$out" ARCH=i386 CC="$cc" W=1 \
			-j "$(nproc)" >"$out/log" 2>&1 || { tail -n 20 "$out/log"; return 1; }
}

# The base has none in these directories.
no_warning() {
	! grep -A 3 -E '(warning|error): ' "$out/log"
}

check "the options of the VM for 32 bits" configure
check "those of the series are on" options
check "but for those that Kconfig refuses there" refused
check "what it touches builds" build
check "without a warning" no_warning
finish
