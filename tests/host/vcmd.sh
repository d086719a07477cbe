#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# PASIDs that come from the host by virtual commands, tests/vmm/vmm_vcmd.c: on a unit
# that answers, late, not at all, or badly. The unit's log and the event vcmd have to
# agree, and the host has to get every PASID back.

root=$(CDPATH='' cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=../lab/ktap.sh
. "$root/tests/lab/ktap.sh"
workdir

# run TEST [PROPERTY..]: of the unit
run() {
	test=$1
	shift
	globals=
	for property in x-vcmd=on x-vcmd-first=16 x-vcmd-count=8 "$@"; do
		globals="$globals -global intel-iommu.$property"
	done
	"$root/tests/lab/vm/boot" -n -t 200 -o "$work/vm" -a "TEST=$test" \
		-x "$root/tests/host/vcmd/allow" \
		-q "$globals -D $work/log -trace vtd_vcmd -trace vtd_vcmd_done" \
		"$root/tests/host/vcmd/guest.sh" "$root/tests/vmm/vfio.sh"
}

# "alloc|free PASID RET", of the unit's log and of the event
did() {
	sed -nE 's/^vtd_vcmd_done command=([12]) operand=([0-9]+) status=([0-9]+) result=([0-9]+)/\1 \2 \3 \4/p' \
		"$work/log" | awk '
		{ ret = $3 == 16 ? -28 : $3 ? -5 : 0 }
		$1 == 1 { print "alloc", $4, ret }
		$1 == 2 { print "free", $2, ret }'
}

said() {
	sed -nE 's/.* vcmd: dmar0: cmd=([a-z]+) pasid=([0-9]+) late=[01] ns=[0-9]+ ret=(-?[0-9]+)$/\1 \2 \3/p' \
		"$work/vm/out/trace" | grep -v ' -110$'
}

both_say() {
	did >"$work/did"
	said >"$work/said"
	cat "$work/did"
	[ -s "$work/did" ] && diff "$work/did" "$work/said"
}

# No command is dropped, and nothing is kept.
all_is_back() {
	! grep 'dropped=1' "$work/log" &&
		did | awk '$3 == 0 { n[$2] += $1 == "alloc" ? 1 : -1 }
			END { for (id in n) if (n[id]) { print id; bad = 1 }; exit bad }'
}

never_asked_again() {
	cat "$work/log"
	[ "$(grep -c '^vtd_vcmd ' "$work/log")" -eq 1 ]
}

# on NAME TEST [PROPERTY..]
on() {
	name=$1
	shift
	check "$name" run "$@"
	check "the event says what the unit did" both_say
	check "and the host has everything back" all_is_back
}

on "the host chooses, and bytes move" host_chooses
on "the host has no more" dry
on "the host knows no ranges" out_of_range
on "an answer that takes its time" host_chooses x-vcmd-delay=20
on "an answer that is late" late x-vcmd-delay=5000
on "a status that is not known" bad_status x-vcmd-status=1
check "a host that takes nothing back" run not_taken_back x-vcmd-only=2 x-vcmd-status=1
check "the event says what the unit did" both_say
check "no answer" run no_answer x-vcmd-stuck=on
check "one command is all that is sent" never_asked_again
finish
