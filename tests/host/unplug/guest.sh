#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# In the VM: tests/host/unplug.sh unplugs the device of a monitor that writes, and plugs
# in another, twice.

# shellcheck source-path=SCRIPTDIR source=../../vmm/vfio.sh
. ./vfio.sh
export UNPLUG=1
card=/sys/bus/pci/devices/0000:01:00.0
for _ in 1 2; do
	vfio_bind
	vmm_leave -r leave.untranslated.unplugged || exit
	# QEMU gives the device up after the kernel has: the next one tells that it did.
	while [ -e "$card" ]; do sleep 1; done
	echo "plug it in again"
	until [ -e "$card" ]; do sleep 1; done
done
