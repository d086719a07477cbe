#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# pasid-timeline: what it makes of recordings is what ui.perfetto.dev takes, and has each
# life, binding and invalidation once.

here=$(CDPATH='' cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../lab/ktap.sh
. "$here/../lab/ktap.sh"
timeline=$here/../../tools/pasid-timeline
golden=$here/golden
workdir

all() {
	"$timeline" "$golden/pasidsnoop/life.rec" "$golden/invsnoop/inv.rec" >"$work/all"
}

of() { # FILE JQ-EXPRESSION: holds for its array of events
	jq -e ".traceEvents | $2" "$1" >/dev/null
}

is_a_timeline() {
	all && jq -e '.displayTimeUnit == "ns" and .otherData.kernel == "6.12.117"' \
		"$work/all" >/dev/null &&
		of "$work/all" 'all(.ph | IN("M", "b", "e", "n")) and
			(map(select(.ph != "M")) | all(.ts >= 0 and .cat and .id and .name) and
				(map(.ts) | . == sort))'
}

# An end has the same process, category and number as its begin, which is before it.
ends_have_their_begin() {
	of "$work/all" 'map(select(.ph | IN("b", "e"))) |
		group_by([.cat, .id]) | all(
			(map(.ph) | . == ["b", "e"] or . == ["b"]) and
			(map([.pid, .name]) | unique | length == 1))'
}

each_process_has_a_name() {
	of "$work/all" '(map(select(.ph == "M") | .pid) | sort) ==
		(map(select(.ph != "M") | .pid) | unique) and
		any(.args.name == "PASID 0x21") and any(.args.name == "no PASID")'
}

# As many as the tool shows: a request whose begin is known is one slice.
invalidations_are_there() {
	n=$(jq -s 'map(select(.type == "event" and (.flags / 2 | floor) % 2 == 1)) | length' \
		"$golden/invsnoop/inv.rec")
	[ "$n" -gt 5 ] &&
		of "$work/all" "map(select(.cat == \"inv\" and .ph == \"b\")) | length == $n" &&
		of "$work/all" 'map(select(.cat == "inv" and .name == "addr" and .pid == 64)) |
			map(.args.ret // empty) == [0, -125]'
}

# As --life tells, and those that are alive at the end
lives_are_there() {
	"${TOOLS_OUT:-$here/../../build/tools}/pasidsnoop" --life --json \
		--replay "$golden/pasidsnoop/life.rec" 2>/dev/null |
		jq -rs 'map(select(.type == "life" and .pid != null).pasid) | sort | @text' \
			>"$work/want"
	jq -r '.traceEvents | map(select(.cat == "life" and .ph == "e").pid) | sort | @text' \
		"$work/all" | diff "$work/want" - && [ "$(cat "$work/want")" != '[]' ]
}

bindings_are_there() {
	"$timeline" "$golden/pasidsnoop/bind.rec" >"$work/bind" || return
	of "$work/bind" 'map(select(.cat == "attached") | [.ph, .name, .ts]) ==
		[["b", "0000:3a:01.0", 100], ["e", "0000:3a:01.0", 400]]' &&
		of "$work/bind" 'map(select(.ph == "n").name) == ["bind", "unbind", "unbind"]'
}

# A PASID that is freed is attached nowhere, whether that was told or not.
free_ends_bindings() {
	cat >"$work/freed" <<-'END'
	{"type":"recording","tool":"pasidsnoop","kernel":"6.12.117"}
	{"type":"event","event":"alloc","ts_ns":1000,"pasid":7,"pid":1,"comm":"a"}
	{"type":"event","event":"attach","ts_ns":2000,"pasid":7,"dev":"d0"}
	{"type":"event","event":"attach","ts_ns":2000,"pasid":77,"dev":"d0"}
	{"type":"event","event":"attach","ts_ns":3000,"pasid":7,"dev":"d1"}
	{"type":"event","event":"free","ts_ns":9000,"pasid":7}
	END
	"$timeline" "$work/freed" >"$work/bound" &&
		of "$work/bound" 'map(select(.ph == "e") | [.pid, .name, .ts]) | sort ==
			[[7, "a 1", 8], [7, "d0", 8], [7, "d1", 8]]'
}

overlapping_ones_stay_apart() {
	of "$work/all" 'map(select(.cat == "inv" and .ts >= 60003500 and .ts < 60004500) |
		.ph + .id) | length == 6 and .[3:] == (.[:3] | map("e" + .[1:]))'
}

# Boxes with a name, of what the timeline has as slices and marks
picture_has_all() {
	cat >"$work/odd" <<-'END'
	{"type":"recording","tool":"pasidsnoop","kernel":"6.12.117"}
	{"type":"event","event":"alloc","ts_ns":1000,"pasid":7,"pid":1,"comm":"a<&\"b"}
	{"type":"event","event":"bind","ts_ns":2000,"pasid":7,"dev":"d0"}
	END
	for of in "$golden/pasidsnoop/life.rec $golden/invsnoop/inv.rec" \
		"$golden/pasidsnoop/bind.rec" "$work/odd"; do
		# shellcheck disable=SC2086 # files
		"$timeline" $of >"$work/it" && "$timeline" --svg $of >"$work/svg" &&
			xmllint --noout "$work/svg" || return
		jq -r '.traceEvents[] | select(.ph | IN("b", "n")) |
			"\(.cat) \(.name)" | @html' "$work/it" | sort >"$work/want"
		sed -n 's|.*<title>\(.*\)</title>.*|\1|p' "$work/svg" | sort |
			diff "$work/want" - && [ -s "$work/want" ] || return
	done
}

refused() { # STATUS REGEX ARG..
	status=$1 regex=$2
	shift 2
	"$timeline" "$@" >"$work/out" 2>"$work/err"
	got=$?
	cat "$work/err"
	[ "$got" -eq "$status" ] && [ ! -s "$work/out" ] && grep -q "$regex" "$work/err"
}

check "it is a timeline, in order" is_a_timeline
check "ends have their begin" ends_have_their_begin
check "each PASID has a name" each_process_has_a_name
check "each invalidation is there" invalidations_are_there
check "each life is there" lives_are_there
check "bindings are there" bindings_are_there
check "a free ends bindings" free_ends_bindings
check "what overlaps stays apart" overlapping_ones_stay_apart
check "a picture has each of them" picture_has_all
check "no argument is wrong usage" refused 2 Usage
echo '{"type":"start"}' >"$work/none"
check "what is no recording is refused" refused 5 'no recording' "$work/none"
check "a recording of pasidtop has no events" refused 5 'no recording of' \
	"$golden/pasidtop/top.rec"
finish
