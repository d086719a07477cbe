#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In the VM: run the test TEST of IN and pass on what it reports.
# shellcheck disable=SC2154 # IN and TEST come with the boot

echo 64 >/proc/sys/vm/nr_hugepages
case $IN in
kunit)
	insmod /lib/modules/ioasid_kunit.ko
	cat /sys/kernel/debug/kunit/ioasid/results ;;
iommufd)
	/kselftest/iommufd -t "${TEST#*.}" ;;
fail_nth)
	/kselftest/iommufd_fail_nth -t "${TEST#*.}" ;;
vm)
	sh "./${TEST%%.*}.sh" ;;
esac
exit 0
