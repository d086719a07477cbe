#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# limit: 900
#
# Does vmm_fuzz make a program in C of a finding? A fault that takes three calls is
# planted: on VT-d a warning, and on the mock IOMMU an error that is not documented; and
# a race of two threads. The program has these calls, shows the fault again, and shows
# nothing where there is none. And make fuzz, with few steps.

root=$(CDPATH='' cd "$(dirname "$0")/../.." && pwd)
here=$root/tests/host/fuzz
logs=$root/build/test/host-fuzz
# shellcheck source-path=SCRIPTDIR source=../lab/ktap.sh
. "$root/tests/lab/ktap.sh"

plant() {
	cp "$here/Kbuild" "$here/plant.c" "$work/" &&
		make -s -C "$root/build/kernel" M="$work" modules
}

# vm NAME ARGUMENTS FILE..: logs in $vm
vm() {
	vm=$logs/$fault-$1 arguments="$off $2"
	shift 2
	"$root/tests/lab/vm/boot" -n -t 300 -o "$vm" -a "PLANT=$plant $arguments" \
		-x "$root/tests/guest/vmm.allow" "$here/guest.sh" \
		"$root/tests/vmm/vfio.sh" "$@" >"$work/out" 2>&1
	status=$?
	cat "$work/out" "$vm/ktap.log"
}

shown() {
	case $fault in
	warning) grep 'planted: [0-9]* is bound' "$vm/console.log" ;;
	race) grep 'planted: two threads are in' "$vm/console.log" ;;
	errno) grep 'IOMMU_PASID_FREE: Invalid cross-device link' "$vm/ktap.log" ;;
	esac
}

is_found() {
	vm found "FUZZ=$on,100000" "$work/plant.ko"
	shown &&
		sed -n '/^# ---- reproducer/,/^# ---- end/p' "$vm/ktap.log" |
		sed '/^# ----/d' >"$work/reproducer.c" &&
		[ -s "$work/reproducer.c" ]
}

# The calls of each thread that has some
few_calls() {
	awk '/^static void \*thread/ { sep = "; " }
		match($0, /did\("[A-Z_]*"/) {
			all = all (all ? sep : "") substr($0, RSTART + 5, RLENGTH - 6)
			sep = " "
		}
		END { print all }' "$work/reproducer.c" | tee "$work/calls"
	grep -qx "$calls" "$work/calls"
}

builds() {
	program=$(realpath --relative-to="$root/tests" "$work/reproducer")
	rm -f "$work/reproducer"
	make -s -C "$root" vmm VMM="$program" TOOLS_OUT="$work"
}

shows_again() {
	# Two threads do not meet each time
	vm again TIMES=30 "$work/plant.ko" "$work/reproducer"
	shown
}

shows_nothing() {
	vm nothing '' "$work/reproducer"
	[ "$status" -eq 0 ] && grep -qx "${calls##* }: done" "$vm/ktap.log" && ! shown
}

few_steps() {
	STEPS=4000 ROUNDS=1 "$root/tests/lab/vm/fuzz" "$root/build/kernel"
}

workdir
check "a fault is planted" plant
on=vfio off='' calls='IOMMU_PASID_ALLOC IOMMU_GPASID_BIND IOMMU_PASID_FREE'
for fault in warning errno race; do
	plant=$fault=1
	case $fault in
	warning) plant=errno=0 ;;
	errno)	on=mock off=intel_iommu=off ;;
	race)	calls='IOMMU_PASID_ALLOC; IOMMU_PASID_ALLOC' ;;
	esac
	check "$fault: it is found" is_found
	check "$fault: it takes $calls" few_calls
	check "$fault: they build as a program" builds
	check "$fault: which shows it again" shows_again
	check "$fault: and nothing without the fault" shows_nothing
done
check "make fuzz, a few steps of each kind" few_steps
finish
