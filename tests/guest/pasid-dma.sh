#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# boot: -n -t 240 -q -device -q pcie-root-port,id=rp,chassis=1 -q -device -q pasid-dma,bus=rp
#
# In the VM: Linux finds three pasid-dma, one of them behind a root port, each in a
# group of its own, and switches on what they have and it wants: PASID with
# privileged mode, and ATS.

# shellcheck source=/dev/null
. /lib/ktap.sh

# A word of the configuration space of each
words() { # OFFSET
	for dev in $devices; do
		hexdump -s "$1" -n 2 -e '1/2 "%04x "' "$dev/config"
	done
}

groups() {
	for dev in $devices; do
		readlink "$dev/iommu_group"
	done
}

is() { # WANTED CMD..
	wanted=$1
	shift
	got=$("$@")
	[ "$got" = "$wanted" ] || { echo "$* is '$got', not '$wanted'"; return 1; }
}

differ() {
	groups
	[ "$(groups | sort -u | wc -l)" -eq 3 ]
}

devices=$(grep -l 0x11e9 /sys/bus/pci/devices/*/device | sed 's|/device$||')
check "each has a group of its own" differ
check "PASID and its privileged mode are on" is "0005 0005 0005 " words 0x126
check "ATS is on" is "8000 8000 8000 " words 0x106
finish
