#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# boot: -n -t 300 -q -global -q intel-iommu.x-mgaw=57 -q -device -q pxb-pcie,id=pxb,bus_nr=32 -q -device -q intel-iommu,x-bus=pxb,x-scalable-mode=on,x-pasid-mode=on,x-mgaw=0 -q -device -q pcie-root-port,bus=pxb,id=rp,chassis=1 -q -device -q pasid-dma,bus=rp
# files: tests/vmm/vfio.sh
#
# Two units, tests/vmm/vmm_units.c. It reports for itself.

# shellcheck source-path=SCRIPTDIR source=../vmm/vfio.sh
. ./vfio.sh
vfio_bind
exec vmm_units
