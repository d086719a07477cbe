#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# In the guest: faultmod drives pasid-dma through a domain whose pages are there
# once they are asked for, below unit $unit. The codes are those of pasid-dma.h.
# KTAP.

set -eu

# shellcheck source=/dev/null
. /lib/ktap.sh
: "${unit:?}"
files=$(CDPATH='' cd "$(dirname "$0")" && pwd)

is() { # WANTED CMD..
	wanted=$1
	shift
	got=$("$@")
	[ "$got" = "$wanted" ] || { echo "$* is '$got', not '$wanted'"; return 1; }
}

said() { # NAME
	dmesg | sed -n "s/.*faultmod: $1 //p" | xargs
}

words() { # WHAT
	dmesg | grep -c "$1"
}

# The unit that each pasid-dma is below
units() {
	grep -l 0x11e9 /sys/bus/pci/devices/*/device | while read -r id; do
		basename "$(readlink "${id%/device}/iommu")"
	done
}

loads() {
	insmod "$files/faultmod.ko" && ! dmesg | grep -E 'faultmod: (probe:|page)'
}

check "the device is below unit $unit" is "dmar$unit" units
check "a driver enables page requests" loads
check "a page is there once the device asks for it" is 0x1 said one
check "so are three at a time" is 0x1 said group
check "one that the handler refuses is not" is 0x24 said nowhere
check "without PASID the IOMMU driver refuses it" is 0x24 said no-pasid
check "and says so" is 1 words "Page request without PASID"
check "a Stop Marker asks for nothing" is 0x1 said marker
check "the handler was asked for groups of these sizes" is "1 3 1" said asked
check "the driver goes, with nothing left to drain" rmmod faultmod
finish
