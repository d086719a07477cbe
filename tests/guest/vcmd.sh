#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# boot: -n -t 300 -q -global -q intel-iommu.x-vcmd=on -q -global -q intel-iommu.x-vcmd-first=16 -q -global -q intel-iommu.x-vcmd-count=8
# files: tests/vmm/vfio.sh
#
# PASIDs that come from a host that answers, tests/vmm/vmm_vcmd.c. Others, and the
# host's own log, are for tests/host/vcmd.sh.

# shellcheck source-path=SCRIPTDIR source=../vmm/vfio.sh
. ./vfio.sh
vfio_bind
exec vmm_vcmd -t host_chooses -t dry -t out_of_range
