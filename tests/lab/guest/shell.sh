#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# In the VM: the guest's console on this terminal. GUEST= and UNIT= are words of
# the kernel's command line.

# shellcheck source-path=SCRIPTDIR source=../../vmm/vfio.sh
. ./vfio.sh
# shellcheck source-path=SCRIPTDIR source=monitor.sh
. ./monitor.sh
: "${GUEST:?}" "${UNIT:?}"
[ ! -d own ] || guest_monitor=own
vfio_bind
guest_pack "$GUEST"
guest_qemu "$UNIT" "$GUEST" "" -serial stdio
