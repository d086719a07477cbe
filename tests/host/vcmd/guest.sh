#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the VM: the test $TEST of vmm_vcmd, traced until nothing is late any more.

# shellcheck source-path=SCRIPTDIR source=../../vmm/vfio.sh
. ./vfio.sh

count() {
	grep -c "$1" trace
}

vfio_bind
cd /sys/kernel/tracing || exit
echo 1 >events/intel_iommu/vcmd/enable
vmm_vcmd -t "$TEST" || exit
i=0
while [ "$(count ' ret=-110')" -ne "$(count ' late=1 ')" ] && [ $i -lt 200 ]; do
	sleep 0.1
	i=$((i + 1))
done
cat trace >/out/trace
