#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The tools' files for Prometheus: names, types and sums, whole files or none; and
# the alert rules, whose names must be among them. promtool, which make check gets, tells
# when each rule fires.

here=$(CDPATH='' cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../lab/ktap.sh
. "$here/../lab/ktap.sh"
tools=${TOOLS_OUT:-$here/../../build/tools}
rules=$here/../../tools/alerts.yml
promtool=$(command -v promtool || echo "$here/../../build/promtool")
workdir

written() { # TOOL RECORDING OPTION..: into $work/TOOL.prom
	tool=$1 recording=$2
	shift 2
	"$tools/$tool" --replay "$here/golden/$tool/$recording.rec" --prom "$work/$tool.prom" "$@" \
		>/dev/null 2>"$work/err" || { cat "$work/err"; return 1; }
}

has() { # TOOL LINE
	grep -qxF -- "$2" "$work/$1.prom" && return
	cat "$work/$1.prom"
	return 1
}

top_is_written() {
	written pasidtop top && has pasidtop 'iommu_pasid_live 2' &&
		has pasidtop 'iommu_pasid_pending 0' &&
		has pasidtop 'iommu_pasid_oldest_seconds 62' &&
		has pasidtop 'iommu_invalidations_in_flight{tool="pasidtop"} 0' &&
		has pasidtop 'iommu_invalidations_total{tool="pasidtop"} 1210' &&
		has pasidtop 'iommu_invalidation_failures_total{tool="pasidtop"} 1' &&
		has pasidtop 'iommu_trace_lost_total{tool="pasidtop"} 3'
}

lat_is_written() {
	written invlat lat && name=iommu_invalidation_seconds
	type='of="request",type="iotlb addr"'
	has invlat "${name}_count{$type} 155" && has invlat "${name}_sum{$type} 0.001260096" &&
		has invlat "${name}_bucket{$type,le=\"4.095e-06\"} 123" &&
		has invlat "${name}_bucket{$type,le=\"+Inf\"} 155" &&
		has invlat 'iommu_vcmd_seconds_count{of="vcmd",type="alloc late"} 1' &&
		has invlat 'iommu_vcmd_seconds_sum{of="vcmd",type="free"} 8.192e-05' &&
		has invlat 'iommu_invalidations_total{tool="invlat"} 522' &&
		has invlat 'iommu_invalidation_failures_total{tool="invlat"} 2'
}

# The text format, as far as it is used: a type for each name, in front, all of a name
# together; buckets that never get less, the last of which is the count
is_well_formed() {
	for file in "$work"/*.prom; do
		awk '
		function wrong(why) { print FILENAME ": " why ": " $0; bad = 1 }
		/^# HELP / { next }
		/^# TYPE / {
			if ($3 in type)
				wrong("twice")
			type[name = $3] = $4
			next
		}
		!/^[a-z_]+(\{[a-z]+="([^"\\]|\\.)*"(,[a-z]+="([^"\\]|\\.)*")*\})? [0-9.e+-]+$/ {
			wrong("no sample")
		}
		{
			of = $0
			sub(/[{ ].*/, "", of)
			if (type[name] == "histogram")
				sub(/_(bucket|sum|count)$/, "", of)
			if (of != name || $0 in seen)
				wrong("not of " name)
			seen[$0]
		}
		/_bucket/ {
			series = $0
			sub(/,le=.*/, "", series)
			if (series != last)
				least = 0
			if ($NF < least)
				wrong("less than before")
			last = series
			least = $NF
		}
		/_count/ && $NF != least { wrong("not the last bucket") }
		END { exit bad || NR < 10 }' "$file" || return
	done
}

no_label_is_of_many() {
	! grep -hE '[{,](pid|tid|pasid|comm|addr)=' "$work"/*.prom &&
		! "$tools/invlat" -b pasid --prom "$work/no" --replay "$here/golden/invlat/lat.rec" \
			2>"$work/err" && grep -q 'are no labels' "$work/err" &&
		[ ! -e "$work/no" ]
}

# Nobody reads half a file: what is written takes the place of what was there.
is_whole_or_not_there() {
	mkdir "$work/dir" && echo old >"$work/dir/f" && ln "$work/dir/f" "$work/dir/same" &&
		"$tools/pasidtop" --replay "$here/golden/pasidtop/top.rec" --prom "$work/dir/f" \
			>/dev/null 2>&1 &&
		grep -q iommu_pasid_live "$work/dir/f" && [ "$(cat "$work/dir/same")" = old ] &&
		[ "$(find "$work/dir" -type f | wc -l)" -eq 2 ]
}

cannot_be_written() { # TOOL RECORDING
	"$tools/$1" --replay "$here/golden/$1/$2.rec" --prom "$work/none/f" >/dev/null \
		2>"$work/err"
	[ $? -eq 1 ] && grep -q 'cannot write .*none/f: No such file' "$work/err"
}

rules_name_what_is_written() {
	sed -n 's/^# TYPE \([a-z_]*\) .*/\1/p' "$work"/*.prom | sort -u >"$work/names"
	grep -oE '\b(iommu_[a-z_]+)' "$rules" | sed 's/_bucket$//' | sort -u >"$work/used"
	[ -s "$work/used" ] && ! grep -vxFf "$work/names" "$work/used"
}

# Each rule has a test of when it fires.
rules_are_tested() {
	sed -n 's/^ *- alert: //p' "$rules" | sort >"$work/alerts"
	awk '/alertname:/ { sub(/.*alertname: /, ""); sub(/ .*/, ""); name = $0 }
		/exp_alerts/ { print name }' "$here/prom/rules-test.yml" | sort -u |
		diff "$work/alerts" -
}

takes_metrics() { # FILE
	"$promtool" check metrics <"$1"
}

check "pasidtop writes what it has found" top_is_written
check "invlat writes its histograms" lat_is_written
check "both files are well formed" is_well_formed
check "no label is a PASID or a process" no_label_is_of_many
check "a file is whole, or the one before" is_whole_or_not_there
check "pasidtop: a file that cannot be written is an error" cannot_be_written pasidtop top
check "invlat: a file that cannot be written is an error" cannot_be_written invlat lat
check "the alert rules name what is written" rules_name_what_is_written
check "each alert rule has a test" rules_are_tested
if [ -x "$promtool" ]; then
	check "promtool takes the rules" "$promtool" check rules "$rules"
	check "promtool: each fires when it should" \
		"$promtool" test rules "$here/prom/rules-test.yml"
	for file in "$work"/*.prom; do
		check "promtool takes $(basename "$file")" takes_metrics "$file"
	done
else
	skip "promtool: each fires when it should" "no promtool (tests/lab/promtool)"
fi
finish
