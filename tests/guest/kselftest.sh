# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# boot: -t 900 -a intel_iommu=off -x tests/guest/kselftest.allow
#
# In the VM: the kernel's own iommufd selftests, against its mock IOMMU. All that
# the tree's Makefile makes must be there: tests/lab/kselftest wrote the list.
#
# intel_iommu=off: 6.12 gives a device without firmware node, as the mock ones
# are, to the IOMMU that registered first. With a real one they are -EINVAL.

# shellcheck source=/dev/null
. /lib/ktap.sh

dir=/kselftest

# The program's TAP becomes the subtests of one result.
run() {
	{
		"$dir/$1" 2>&1
		echo $? >/run/status
	} | sed 's/^/  /'
	status=$(cat /run/status)
	case $status in
	0) ok "$1" ;;
	4) skip "$1" "the program skipped itself" ;;
	*) not_ok "$1" "exit status $status" ;;
	esac
}

# The tests map huge pages, and fail when there are none.
echo 128 >/proc/sys/vm/nr_hugepages

if [ ! -s "$dir/programs" ]; then
	not_ok "list of programs" "no $dir/programs: tests/lab/kselftest writes it"
	finish
fi
# shellcheck disable=SC2046 # one word each
set -- $(cat "$dir/programs")
for name; do
	if [ -x "$dir/$name" ]; then
		run "$name"
	else
		not_ok "$name" "no $dir/$name: did it build?"
	fi
done
finish
