#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# boot: -t 600 -a intel_iommu=off -x tests/guest/kselftest.allow
# files: tests/guest/fuzz.sh tests/vmm/vfio.sh
#
# fuzz.sh on the mock IOMMU; why the other one is off, kselftest.sh tells.

# shellcheck disable=SC2034 # for fuzz.sh
on=mock
# shellcheck source-path=SCRIPTDIR source=fuzz.sh
. ./fuzz.sh
