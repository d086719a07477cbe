#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# boot: -n -t 600 -x tests/guest/leave.allow -q -global -q intel-iommu.x-prs=on -q -global -q intel-iommu.x-pds=on -q -global -q intel-iommu.caching-mode=on -q -global -q ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off -q -device -q pcie-root-port,id=one,chassis=1 -q -device -q pcie-root-port,id=two,chassis=2 -q -device -q pcie-root-port,id=three,chassis=3 -q -device -q pcie-root-port,id=four,chassis=4 -q -device -q pasid-dma,bus=one -q -device -q pasid-dma,bus=two -q -device -q pasid-dma,bus=three -q -device -q pasid-dma,bus=four
# files: tests/vmm/vfio.sh
#
# The ways to leave under DMA, tests/vmm/vmm_leave.c. The slots of two devices are
# switched off, two others are pulled out. Devices may ask for pages, and the unit is
# in caching mode. LEAVE_OUT, a variable of the kernel's command line, names cases that
# are not to run.

# shellcheck source-path=SCRIPTDIR source=../vmm/vfio.sh
. ./vfio.sh
vfio_bind
for case in $(echo "${LEAVE_OUT-}" | tr , ' '); do
	set -- "$@" -T "$case"
done
exec vmm_leave "$@"
