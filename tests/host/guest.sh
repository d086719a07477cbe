#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# limit: 3600
#
# Clients that know nothing of the project: Debian's QEMU as a monitor in the VM,
# Debian's kernels in its guest, and a process there whose pages go to a pasid-dma, or
# its own page table: for that a copy of QEMU sets one bit more (tests/lab/guest/smpwc).
# The model's log tells how the device's requests were translated. And our own QEMU is
# the monitor of the same guest, beside Debian's: what each asks of the host.
#
# The date chooses the kernel of the guest, 6.12 or 7.3, where both do the same, whether
# two guests use SVA, and how stale bytes are met; ALL=1 takes all, and more steps.

root=$(CDPATH='' cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=../lab/ktap.sh
. "$root/tests/lab/ktap.sh"
logs=$root/build/test/host-guest
lab=$root/tests/lab/guest
guests=$root/build/guest
before=$root/build/stable/before
nests=,device-iotlb=on
pasids=$nests,pasid-bits=16
own='' limit=600
page=$root/Documentation/guest.md

either() { # A B
	printf '%s\n' "$@" | today 2
}

# boots NAME GUEST UNIT [MODULE-PARAMETER]: on $kernel, with properties $model, and $qemu
# as the monitor, and $own where that is compared. One processor: where two run guests at
# the same time, TCG lets one of these end.
boots() {
	name=$1 guest=$2 unit=$3 parameter=${4-}
	mkdir -p "$logs/$name"
	echo 'vtd_nested_*' >"$work/events"
	status=0
	"$root/tests/lab/vm/boot" -n -s 1 -t "$limit" -m 2G ${kernel:+-k "$kernel"} \
		-x "$root/tests/host/guest/${own:+door.}allow" -o "$logs/$name" \
		-a "GUEST=$guest UNIT=$unit PARAMETER=$parameter STEPS=$steps" \
		-q "-cpu qemu64,+svm,+npt $model -D $work/$name.log \
			-trace events=$work/events" \
		"$root/tests/host/guest/$script.sh" "$root/tests/vmm/vfio.sh" \
		"$lab/monitor.sh" "$lab/init.sh" "$qemu" ${own:+"$own"} \
		"$guests/linux-$guest" || status=$?
	cat "$logs/$name/ktap.log"
	return "$status"
}

# nested NAME PASIDS: requests went through both stages, with PASIDs or without
nested() {
	walks=$(grep -c "^vtd_nested_walk .*pasid=$2 .*pgtt=3 " "$work/$1.log")
	echo "$walks nested walks"
	[ "$walks" -gt 0 ]
}

# Submissions whose first descriptor with a PASID has that: as invlat has seen them, and
# as the unit has got them
seen_as_done() { # NAME
	seen=$(jq -s 'map(select(.type == "histogram" and (.key // 0) > 0).requests) | add' \
		"$logs/$1/out/invlat.json")
	did=$(awk '
		$1 != "vtd_nested_desc" { next }
		/ type=wait / { n += pasid; pasid = 0; next }
		/ type=(piotlb|pasid)-[a-z]+ .* pasid=[1-9][0-9]* / { pasid = 1 }
		END { print n + 0 }' "$work/$1.log")
	echo "invlat saw $seen, the unit $did"
	[ "$seen" -gt 0 ] && [ "$seen" -eq "$did" ]
}

# Its rows are in the page, as they were
page_has_table() {
	rows=$logs/door/out/door.md
	cat "$rows"
	[ "$(grep -cxF -f "$rows" "$page")" -eq "$(wc -l <"$rows")" ]
}

# failed NAME CHECK..: of the checks in the VM these, and no others
failed() {
	log=$logs/$1/ktap.log
	shift
	printf '%s\n' "$@" >"$work/wanted"
	sed -n 's/^not ok [0-9]* //p' "$log" | diff "$work/wanted" - &&
		tail -n 1 "$log" | grep '^1\.\.'
}

# Stale translations write where they like, so another check may fail first.
spoilt() { # NAME
	grep -E '^not ok .* (bytes are moved|a page that|and with ATS)' \
		"$logs/$1/ktap.log"
}

workdir
many=${ALL:+5000}
many=${many:-1000}
steps=200 model='' kernel='' script=vm qemu=$guests/qemu
if ! "$lab/fetch" 2>"$work/fetch"; then
	skip "guests of Debian's" "$(tail -n 1 "$work/fetch")"
	finish
fi
check "the module is built for them" "$lab/module" "$root/tests/workload/procmod" \
	"$root/build/qemu/src/include/hw/misc/pasid-dma.h"

check "7.3 without a VT-d: the device works" boots none 7.3 none
for linux in $(either 6.12 7.3); do
	check "$linux with a VT-d: the device works, with ATS" \
		boots "nests-$linux" "$linux" "$nests"
	check "by nested translation" nested "nests-$linux" -1
	steps=$many
	check "$linux with PASIDs: a process has the device, with ATS" \
		boots "pasids-$linux" "$linux" "$pasids" pasid=1,sva=1:refused
	steps=200
	check "by nested translation" nested "pasids-$linux" '[1-9][0-9]*'
	check "invlat sees what the unit does" seen_as_done "pasids-$linux"
done

# A stock kernel asks for ECAP.SMPWCS before it gives a device a process's page table:
# above it has refused.
qemu=$guests/smpwc/qemu
check "a copy of that QEMU sets SMPWCS" "$lab/smpwc" "$guests/qemu" "$qemu"
steps=$many
check "7.3 with SVA: a device uses the page table of a process, with ATS" \
	boots sva 7.3 "$pasids" sva=1
steps=200
check "by nested translation" nested sva '[1-9][0-9]*'
check "invlat sees what the unit does" seen_as_done sva
script=two
for gives in $(either pasid=1 sva=1); do
	check "7.3 twice, with one PASID, $gives; one is killed" \
		boots "two-${gives%=1}" 7.3 "$pasids" "$gives"
done
script=vm

# Our own QEMU, and our own form of the door
qemu=$guests/qemu own=$guests/own
check "our QEMU is a monitor, too" "$lab/own" "$guests/qemu" "$own"
script=door steps=20
check "7.3 under each: what they ask of the host" boots door 7.3 "$nests"
check "Documentation/guest.md has that table" page_has_table
script=vm steps=200 own='' qemu=$guests/smpwc/qemu

# Where the same has to fail
if [ -e "$before" ]; then
	kernel=$before
	boots before 7.3 "$nests" >/dev/null
	check "on Linux 6.12 without the series the device has lost ATS" \
		failed before "ATS is on in the guest" "and in the device" \
		"bytes are moved with ATS" "and with ATS"
	kernel=''
else
	skip "Linux 6.12 without the series" "run make kernel-stable"
fi
# Of these a guest may also hang, when it has failed
model="-global intel-iommu.x-ignore=piotlb" limit=240
for stale in $(either sva nested); do
	case $stale in
	sva)	boots stale-sva 7.3 "$pasids" sva=1 >/dev/null ;;
	nested)	qemu=$guests/qemu
		boots stale-nested 7.3 "$nests" >/dev/null ;;
	esac
	check "if the IOTLB is not flushed, stale bytes are met: $stale" spoilt "stale-$stale"
done
finish
