#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The unit did, by its own log, what the event qi_end says that was submitted:
# descriptors of each type, and waits, for each operation of tests/vmm/vmm_floors.c.

root=$(CDPATH='' cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=../lab/ktap.sh
. "$root/tests/lab/ktap.sh"
workdir

run() {
	"$root/tests/lab/vm/boot" -n -t 300 -o "$work/vm" \
		-q "-D $work/log -trace vtd_nested_desc -trace pasid_dma_begin" \
		"$root/tests/host/events/guest.sh" "$root/tests/vmm/vfio.sh"
}

# "case type count" of the unit's log; what is no case's has no number, or 0
did() {
	sed -n -e 's/^pasid_dma_begin.* src=\(0x[0-9a-f]*\) .*/case \1/p' \
		-e 's/^vtd_nested_desc type=\([a-z-]*\) .*/\1/p' "$work/log" |
		sed -E -e 's/^(context|iotlb|devtlb|iec|piotlb|pasid-cache)-.*/\1/' \
			-e 's/^pasid-cache$/pasid/' \
			-e 's/^pasid-devtlb.*/pdevtlb/' |
		while read -r word nr; do
			echo "$word" $((nr))
		done | counts
}

# The same of the trace: a submission has one wait more than it was given
said() {
	sed -n -e 's/.*tracing_mark_write: //p' \
		-e 's/.* qi_end: [^:]*: \(.*\) tries=1 ns=[0-9]* ret=0$/\1 end=1/p' \
		"$work/vm/out/trace" |
		awk '$1 == "case" { print; next }
		{
			for (i = 1; i <= NF; i++) {
				split($i, part, "=")
				if (part[1] !~ /^(seq|count)$/)
					for (; part[2] > 0; part[2]--)
						print part[1] == "end" ? "wait" : part[1]
			}
		}' | counts
}

counts() {
	awk '$1 == "case" { nr = $2; next }
	nr > 0 { sum[nr " " $1]++ }
	END { for (what in sum) print what, sum[what] }' | sort -n
}

both_say() {
	did >"$work/did"
	said >"$work/said"
	cat "$work/did"
	diff "$work/did" "$work/said"
}

# 14 is a bind, which flushes nothing
every_case() {
	[ "$(cut -d ' ' -f 1 "$work/did" | sort -un | xargs)" = \
		"$(seq 16 | grep -vx 14 | xargs)" ]
}

check "it runs" run
check "what was traced is what the unit did" both_say
check "of every operation" every_case
finish
