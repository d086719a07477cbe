#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# boot: -n -t 300 -x tests/guest/vmm.allow -q -global -q intel-iommu.x-devtlb-reach=global
# files: tests/vmm/vfio.sh
#
# vmm.sh on a unit whose global device-TLB invalidation without PASID takes what was
# fetched with one, too: readings of the specification differ (4.5.2, 6.5.2.5).

# shellcheck source-path=SCRIPTDIR source=../vmm/vfio.sh
. ./vfio.sh
vfio_bind
exec vmm_test
