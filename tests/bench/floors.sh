#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the VM: each operation once.

# shellcheck source-path=SCRIPTDIR source=../vmm/vfio.sh
. ./vfio.sh
vfio_bind
exec vmm_floors
