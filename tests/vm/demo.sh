#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# What the project is about, in a minute: pasidsnoop while three processes use
# /dev/iommu. Each has a set of PASIDs, may have four, and asks for five; the
# last one is killed half way, and the kernel takes back what it held.

ask='pasidwork -n 3 -a 5 -f 2 -q 4 -k -p 150 -c vmm- >/tmp/done'

cat <<-END
	Linux $(uname -r): three processes, a quota of four PASIDs for each, and the
	last one gets killed.

END
pasidsnoop --record /tmp/trace -- sh -c "$ask"

echo
echo "How long each PASID was in use, and whose it was:"
pasidsnoop --life --replay /tmp/trace 2>/dev/null
echo
jq -r '.pids[-1] as $killed |
	([.events[] | select(startswith("free \($killed) "))] | length) as $back |
	"\(.alloc) allocated, \(.alloc_failed) refused (EDQUOT), \(.free) freed,",
	"\(.returned) taken back by the kernel, \($back) of them from the killed process."' \
	/tmp/done
