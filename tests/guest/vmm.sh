#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# boot: -n -t 300 -x tests/guest/vmm.allow
#
# A monitor in miniature, tests/vmm: page tables of a guest on the PASIDs of a
# device that does DMA through both stages. It reports for itself.

for dev in /sys/bus/pci/devices/*; do
	[ "$(cat "$dev/vendor" "$dev/device" | xargs)" = "0x1234 0x11e9" ] ||
		continue
	echo vfio-pci >"$dev/driver_override"
	echo "${dev##*/}" >/sys/bus/pci/drivers_probe
done
exec vmm_test
