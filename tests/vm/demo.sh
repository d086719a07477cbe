#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# What the project is about, in one minute: pasidsnoop while four processes
# allocate and free PASIDs. The last one is killed half way, and the kernel
# takes back what it held.

echo "Linux $(uname -r): four processes use /dev/iommu, the last gets killed."
echo
pasidsnoop -- sh -c 'pasidwork -n 4 -a 6 -f 3 -k -p 150 -c vmm- >/tmp/done'
echo
jq -r '.pids[-1] as $killed |
	([.events[] | select(startswith("free \($killed) "))] | length) as $back |
	"\(.alloc) allocated, \(.free) freed, \(.returned) taken back by the kernel,",
	"\($back) of them from the killed process."' /tmp/done
