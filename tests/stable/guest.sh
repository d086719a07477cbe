#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# In the VM: one test of stable_test, or the module of that name. TEST=

# shellcheck source-path=SCRIPTDIR source=../vmm/vfio.sh
. ./vfio.sh
if [ -e "$TEST.ko" ]; then
	echo "TAP version 13"
	echo 1..1
	insmod "$TEST.ko" && echo "ok 1 stable.$TEST" && exit
	echo "not ok 1 stable.$TEST"
	exit 1
fi
vfio_bind
exec stable_test -t "$TEST"
