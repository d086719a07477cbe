#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the VM: the test $TEST of vmm_vcmd, traced.

# shellcheck source-path=SCRIPTDIR source=../../vmm/vfio.sh
. ./vfio.sh

vfio_bind
cd /sys/kernel/tracing || exit
echo 1 >events/intel_iommu/vcmd/enable
vmm_vcmd -t "$TEST" || exit
cat trace >/out/trace
