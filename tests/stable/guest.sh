#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# In the VM: tests of stable_test, or modules of that name. TEST=NAME[,NAME..]

# shellcheck source-path=SCRIPTDIR source=../vmm/vfio.sh
. ./vfio.sh
: "${TEST:?}"
status=0
for test in $(echo "$TEST" | tr , ' '); do
	if [ ! -e "$test.ko" ]; then
		set -- "$@" -t "$test"
	elif insmod "$test.ko"; then
		echo "ok 1 stable.$test"
	else
		echo "not ok 1 stable.$test"
		status=1
	fi
done
[ $# -gt 0 ] || exit "$status"
vfio_bind
stable_test "$@" || status=$?
exit "$status"
