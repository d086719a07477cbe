#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# boot: -n -t 300 -x tests/guest/vmm.allow
#
# Random steps of a monitor beside a model of what its device may see. More of
# them, or those of a seed again: tests/lab/vm/boot -n -x tests/guest/vmm.allow
# -a "steps=100000 seed=7" tests/guest/oracle.sh

for dev in /sys/bus/pci/devices/*; do
	[ "$(cat "$dev/vendor" "$dev/device" | xargs)" = "0x1234 0x11e9" ] ||
		continue
	echo vfio-pci >"$dev/driver_override"
	echo "${dev##*/}" >/sys/bus/pci/drivers_probe
done
exec vmm_oracle "${steps:-10000}" "${seed:-1}"
