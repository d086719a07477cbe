# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# boot: -t 900 -a intel_iommu=off
#
# In the VM: the kernel's own iommufd selftests, against its mock IOMMU. Which
# programs must be there is written here, so that one which no longer builds is
# a failure; others that are there run too.
#
# intel_iommu=off: 6.12 gives a device without firmware node, as the mock ones
# are, to the IOMMU that registered first. With a real one they are -EINVAL.

# shellcheck source=/dev/null
. /lib/ktap.sh

required='gpasid_example iommufd iommufd_fail_nth iommufd_gpasid'
dir=/kselftest

others() {
	[ ! -d "$dir" ] || for file in "$dir"/*; do
		case " $required " in *" ${file##*/} "*) continue ;; esac
		[ ! -x "$file" ] || echo "${file##*/}"
	done
}

# The program's TAP becomes the subtests of one result. LEAVE_OUT, a variable of
# the boot, names a fixture that is not run.
run() {
	[ -z "${LEAVE_OUT-}" ] || note "$1 without the fixture $LEAVE_OUT"
	{
		"$dir/$1" ${LEAVE_OUT:+-F "$LEAVE_OUT"} 2>&1
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

extra=$(others)
# shellcheck disable=SC2086 # one word each
set -- $required $extra
for name; do
	if [ -x "$dir/$name" ]; then
		run "$name"
	else
		not_ok "$name" "no $dir/$name: did it build?"
	fi
done
finish
