#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# boot: -n -t 600 -x tests/guest/vmm.allow
# files: tests/vmm/vfio.sh
#
# Random calls, by threads that share a file, on VT-d. More of them, or those of a
# seed: tests/lab/vm/boot -n -t 9999 -x tests/guest/vmm.allow
# -a "steps=1000000 seed=7" tests/guest/fuzz.sh tests/vmm/vfio.sh
# With random=1 it does not follow what is new, if the kernel has KCOV.

# shellcheck source=/dev/null
. /lib/ktap.sh
# shellcheck source-path=SCRIPTDIR source=../vmm/vfio.sh
. ./vfio.sh

group=/sys/fs/cgroup/fuzz

calls() {
	sh -c "echo \$\$ >$group/cgroup.procs
		exec vmm_fuzz ${random:+-r} ${on:-vfio} ${steps:-20000} ${seed:-1}" >/run/calls
}

# A PASID that was leaked stays charged.
all_are_back() {
	cat "$group/misc.current"
	grep -qx 'pasid 0' "$group/misc.current"
}

vfio_bind
echo +misc >/sys/fs/cgroup/cgroup.subtree_control
mkdir "$group"
check "every error is one that is documented" calls
cat /run/calls
check "every PASID is back" all_are_back
finish
