#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# limit: 4000
#
# Does each test notice when the rule that it is for is broken? One kernel has
# all that tests/mutants/rows says, and breaks one rule at a time. A mutant that
# survives is a failure here, and so is a test that no mutant is for.
#
# The date chooses some of the rows, and fewer of tests/mutants/hunks, which breaks what
# no other row does. MUTANTS=. takes all of both (make hunks), MUTANTS=REGEX those
# whose name it matches. With MUTANTS what was noticed is kept in build/mutants.seen and
# not tried again, unless the row or what it depends on has changed: a run that was
# stopped goes on. LANES=N tries N at once, as many of them wait.

set -eu

root=$(CDPATH='' cd "$(dirname "$0")/../.." && pwd)
work=$root/build/mutants
seen=$root/build/mutants.seen
# shellcheck source-path=SCRIPTDIR source=../mutants/lib.sh
. "$root/tests/mutants/lib.sh"

# Lines "mutant in test" of which to try: one mutant of each so many
chosen() {
	awk -v wanted="${MUTANTS-}" -v rows=8 -v hunks=80 -v day="$(date +%j)" '
		wanted { if ($1 ~ wanted) print; next }
		$1 != last { last = $1; of = /^hunk-/ ? hunks : rows; n[of]++ }
		n[of] % of == day % of' "$work/all"
}

# What a verdict depends on besides its row: not messages of patches
world() {
	{
		gcc --version
		cd "$root"
		for patch in patches/*.patch patches/stable/*.patch; do
			sed '1,/^---$/d' "$patch"
		done
		find tests/lab tests/guest tests/vmm tests/stable tests/workload \
			tests/mutants bpf tools -type f ! -name hunks ! -name rows \
			! -name unnoticed -exec sha256sum {} + | sort
	} | sha256sum | cut -c 1-16
}

# A line for each row: its mutant, and what that is
stanzas() {
	awk 'BEGIN { RS = ""; FS = "\n" }
	{
		text = name = ""
		for (i = 1; i <= NF; i++)
			if ($i ~ /^mutant\t/)
				name = substr($i, 8)
			else if ($i !~ /^(fails\t|#)/)
				text = text "\001" $i
		if (name)
			print name " " text
	}' "$here/rows" "$here/hunks"
}

# Of the run before, which may have been stopped: "WORLD TEST MUTANT STANZA" of what a
# test noticed that was seen to pass
keep() {
	[ -e "$work/stanzas" ] || return 0
	cat "$work"/*.verdicts "$work"/lane*/ktap.log 2>/dev/null >"$work/said" || :
	awk -v world="$(cat "$work/world")" '
		FILENAME ~ /stanzas$/ { row[$1] = $0; next }
		$1 == "passes" { passes[$2] }
		$1 " " $2 " " $4 == "verdict none ok" { passes[$3] }
		$1 == "verdict" && /(not ok|died|hung)$/ { test[$2, $3] = $3; of[$2, $3] = $2 }
		END {
			for (i in test)
				if (test[i] in passes && of[i] in row)
					print world, test[i], row[of[i]]
		}' "$work/stanzas" "$work/said" | sort -u - "$seen" >"$seen.new"
	mv "$seen.new" "$seen"
}

# Without the lines of the list that were noticed in this world
not_yet() {
	mv "$work/list" "$work/wanted"
	awk -v world="$(cat "$work/world")" '
		FILENAME ~ /stanzas$/ { row[$1] = $0; next }
		FILENAME ~ /seen$/ { if ($1 == world) had[$0]; next }
		!((world " " $3 " " row[$1]) in had)' \
		"$work/stanzas" "$seen" "$work/wanted" >"$work/list"
	note "$(($(wc -l <"$work/wanted") - $(wc -l <"$work/list"))) of them were noticed before"
}

# Rows for the kernel that is watched are not tried without it
without_watched() {
	[ -n "${NO_DEBUG_KERNEL-}" ] || return 0
	sed -i '/^[^ ]* watched /d' "$work/list"
	skip "mutants of the kernel that is watched" "NO_DEBUG_KERNEL is set"
}

# A test that never passed notices nothing: those of the list that guest.sh did not
# see pass, as all their mutants left something behind, or are alone in their boot.
unseen() {
	sed -n 's/^passes //p' "$work"/lane*/ktap.log | sort -u >"$work/seen"
	awk -v seen="$work/seen" '
		BEGIN { while ((getline test < seen) > 0) had[test] = 1 }
		!had[$3]++ { print "none", $2, $3 }' "$work/list"
}

touch "$seen"
keep
check "the kernel with the mutants builds" build
[ "$ktap_failed" -eq 0 ] || finish
"$here/switch" -t >"$work/all"
chosen >"$work/list"
without_watched
world >"$work/world"
stanzas >"$work/stanzas"
[ -z "${MUTANTS-}" ] || not_yet
build_watched "$work/list"

awk '$2 !~ /^(vmm?|leave|attach|vcmd|exhaust|units|stable|watched)$/ { print $2, $3 }' "$work/all" | sort -u >"$work/listed"
"$here/tests" "$linux" | sort -u >"$work/existing"
check "there is a mutant for every test" diff "$work/existing" "$work/listed"

verdicts "$work/list" lane >"$work/verdicts"
while read -r mutant _ test; do
	found=$(sed -n "s/^verdict $mutant $test //p" "$work/verdicts")
	case $found in
	"not ok" | died | hung) ok "$test notices $mutant" ;;
	*) not_ok "$test notices $mutant" "reported: ${found:-nothing}" ;;
	esac
done <"$work/list"

unseen >"$work/unseen"
[ ! -s "$work/unseen" ] || verdicts "$work/unseen" none >>"$work/verdicts"
while read -r mutant _ test; do
	check "$test passes without a mutant" \
		grep -qx "verdict $mutant $test ok" "$work/verdicts"
done <"$work/unseen"
finish
