#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# In the VM: the guest tests TESTS, a variable of the boot, one after the other.
# shellcheck disable=SC2153 # TESTS comes with the boot

# shellcheck source=/dev/null
. /lib/ktap.sh

# subtests NAME COMMAND..: its results become subtests of one.
subtests() {
	name=$1 begun=$(cut -d . -f 1 /proc/uptime)
	shift
	{
		"$@"
		echo $? >/run/status
	} 2>&1 </dev/null | sed 's/^/  /'
	status=$(cat /run/status)
	note "$name: $(($(cut -d . -f 1 /proc/uptime) - begun)) s"
	if [ "$status" -eq 0 ]; then
		ok "$name"
	else
		not_ok "$name" "exit status $status"
	fi
}

# Of the kernel's selftests the other kernel has those of code that the series does
# not touch, and the one that takes every PASID there is. They take longer than all
# others together; where the machine is busy, longer than the 30 seconds that most may.
left_out() { # PROGRAM
	case $1 in
	iommufd)
		echo -F iommufd_ioas -F iommufd_dirty_tracking \
			-V one_domain_hugepage -V two_domains_hugepage \
			-T whole_space ;;
	iommufd_fail_nth)
		echo -T map_domain -T map_two_domains \
			-T access_rw -T access_pin -T access_pin_domain ;;
	esac
}

# They map huge pages, and fail when there are none.
# shellcheck disable=SC2046 # options
selftests() {
	echo 128 >/proc/sys/vm/nr_hugepages
	while read -r program; do
		subtests "$program" "/kselftest/$program" $(left_out "$program")
	done </kselftest/programs
}

for test in $(echo "$TESTS" | tr , ' '); do
	case $test in
	kselftest) selftests ;;
	*) subtests "$test" sh "./$test.sh" ;;
	esac
done
finish
