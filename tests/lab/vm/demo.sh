#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# What the project is about, in a minute. First pasidsnoop while two processes use
# /dev/iommu: each has a set of PASIDs, may have two, and asks for three. Then two
# virtual machine monitors with a device of the mock IOMMU each, which walks the
# guests' page tables: pasidsnoop and invsnoop watch them. Each time one is killed
# half way, and the kernel takes back what it held.

ask='pasidwork -n 2 -a 3 -f 1 -q 2 -k -p 150 -c vmm- >/tmp/done'
bind='gpasidwork -n 2 -a 2 -u 1 -f 1 -i 3 -k -p 150 -c vmm- >/tmp/done'

cat <<-END
	Linux $(uname -r): two processes, a quota of two PASIDs for each, and the
	last one gets killed.

END
pasidsnoop -e set_new,set_quota,alloc,free,set_end --record /tmp/trace -- sh -c "$ask"

echo
echo "How long each PASID was in use, and whose it was:"
pasidsnoop --life --replay /tmp/trace 2>/dev/null
echo
jq -r '.pids[-1] as $killed |
	([.events[] | select(startswith("free \($killed) "))] | length) as $back |
	"\(.alloc) allocated, \(.alloc_failed) refused (EDQUOT), \(.free) freed,",
	"\(.returned) taken back by the kernel, \($back) of them from the killed process."' \
	/tmp/done

# The kernel of the first patches ends here.
command -v gpasidwork >/dev/null || exit 0

cat <<-END

	Page tables of two guests on two devices; the last monitor gets killed.

END
rm -f /tmp/ready
invsnoop -T --ready-file /tmp/ready >/tmp/inv 2>&1 &
until [ -e /tmp/ready ]; do sleep 0.1; done
pasidsnoop -T -e alloc,bind,unbind,free -- sh -c "$bind"
kill -INT $!
wait $!

echo
echo "Meanwhile invsnoop saw what they asked to be invalidated:"
sed 1d /tmp/inv
