#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# In the VM, by tests/lab/vm/demo: two monitors with a device each, whose guests
# share page tables with them, watched by both tools. The last one is killed while
# its device copies. The tools' output goes to /out, for the comparison.

# shellcheck source-path=SCRIPTDIR source=../../vmm/vfio.sh
. ./vfio.sh

cat <<-END
	Linux $(uname -r), two devices behind a VT-d that nests. Each guest binds
	two page tables to PASIDs; its device copies memory by them, through the
	guest's table and the host's. vmm-2 gets killed while its device copies.

END
vfio_bind
invsnoop -T --ready-file /tmp/ready --record /out/inv >/tmp/inv 2>&1 &
until [ -e /tmp/ready ]; do sleep 0.1; done
pasidsnoop -T -e alloc,bind,unbind,free --record /out/pasid -- \
	sh -c 'vmm_demo >/out/done'
kill -INT $!
wait $!

echo
echo "Meanwhile invsnoop saw the guests invalidate what they had changed:"
sed 1d /tmp/inv
pasidsnoop --json --replay /out/pasid >/out/pasid.json 2>/dev/null
invsnoop --json --replay /out/inv >/out/inv.json 2>/dev/null
