#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# boot: -t 300 -x tests/guest/kunit.allow
#
# The kernel tells of an accident in its log: KUnit has the accident.

# shellcheck source=/dev/null
. /lib/ktap.sh

kunit() { # CASE
	printf '*.%s' "$1" >/sys/module/kunit/parameters/filter_glob
	for module in /lib/modules/*_kunit.ko; do
		insmod "$module" || return
	done
}

says() { # CASE TEXT
	kunit "$1" && dmesg | grep -F "$2"
}

check "a PASID that its host keeps is told of" \
	says vcmd_unit_goes_silent "kunit: the host does not get PASID 100 back: "
finish
