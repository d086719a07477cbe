#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the VM: each operation of vmm_floors once, traced.

# shellcheck source-path=SCRIPTDIR source=../../vmm/vfio.sh
. ./vfio.sh
vfio_bind
cd /sys/kernel/tracing || exit
echo 1 >events/intel_iommu/qi_end/enable
vmm_floors || exit
cat trace >/out/trace
