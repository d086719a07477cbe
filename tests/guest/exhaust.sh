#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# boot: -n -t 600 -x tests/guest/exhaust.allow -q -global -q intel-iommu.x-domain-bits=8
# files: tests/vmm/vfio.sh
#
# All there is of something is taken, tests/vmm/vmm_exhaust.c. The unit has 256
# domain ids, of which PASIDs may have three quarters.

# shellcheck source-path=SCRIPTDIR source=../vmm/vfio.sh
. ./vfio.sh
vfio_bind
exec vmm_exhaust
