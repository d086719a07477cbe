#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the VM: the test $TEST of vmm_vcmd, traced until a PASID that is late is back.

# shellcheck source-path=SCRIPTDIR source=../../vmm/vfio.sh
. ./vfio.sh

is_back() {
	grep -q ' vcmd: .* cmd=free .* ret=0' trace
}

vfio_bind
cd /sys/kernel/tracing || exit
echo 1 >events/intel_iommu/vcmd/enable
vmm_vcmd -t "$TEST" || exit
i=0
while [ "$TEST" = late ] && ! is_back && [ $i -lt 600 ]; do
	sleep 0.1
	i=$((i + 1))
done
cat trace >/out/trace
