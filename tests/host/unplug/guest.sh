#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# In the VM: tests/host/unplug.sh unplugs the device of a monitor that writes, plugs
# in another, and unplugs that one as well.

# shellcheck source-path=SCRIPTDIR source=../../vmm/vfio.sh
. ./vfio.sh
export UNPLUG=1
vfio_bind
vmm_leave -r leave.untranslated.unplugged || exit
echo "plug it in again"
until ls /sys/bus/pci/devices/*:01:00.0; do sleep 1; done
vfio_bind
exec vmm_leave -r leave.untranslated.unplugged
