#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Each tool, its --help and its manual agree on what it takes and prints; and
# what else the documentation repeats.

here=$(CDPATH='' cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../lab/ktap.sh
. "$here/../lab/ktap.sh"
tools=${TOOLS_OUT:-$here/../../build/tools}
top=$here/../..
workdir

about() { # NAME
	name=$1
	snoop=$tools/$name
	"$snoop" --help >"$work/help"
	groff -man -ww -rHY=0 -Tascii -P-cbou "$top/tools/man/$name.8" \
		>"$work/man" 2>"$work/warnings"
}

outputs() { # of all cases of the tool
	cat "$here/golden/$name"/*.out
}

section() { # NAME: the lines of that section of the manual
	sed -n "/^$1\$/,/^[A-Z]/p" "$work/man" | sed '1d;/^[A-Z]/d'
}

# "-p, --pid PID" from "  -p, --pid PID   help text", in --help and manual
options() {
	sed -nE 's/^ +((-[A-Za-z], )?--[a-z-]+( [A-Z]+|\[=[A-Z]+\])?)( .*)?$/\1/p' | sort
}

same_options() {
	options <"$work/help" >"$work/help.options"
	section OPTIONS | grep '^       -' | options >"$work/man.options"
	[ -s "$work/help.options" ] &&
		diff "$work/help.options" "$work/man.options"
}

argument() { # of an option with that kind of argument
	case $1 in
	LIST) echo "$2" | grep -q event &&
		sed -nE 's/^Events: ([a-z_]+).*/\1/p' "$work/help" || echo 1 ;;
	FILE) echo file ;;
	USER) echo root ;;
	'') ;;
	KEY) echo "$2" | grep -q by && echo device || echo age_ms ;;
	*) echo 4 ;;
	esac
}

# --help behind it ends the tool with status 0, unless the option is unknown
takes_what_help_says() {
	[ -s "$work/help.options" ] || return
	while read -r line; do
		long=$(echo "$line" | sed -E 's/.*(--[a-z-]+).*/\1/')
		short=$(echo "$line" | sed -nE 's/^(-[A-Za-z]),.*/\1/p')
		arg=$(argument "$(echo "$line" | sed -nE 's/.* ([A-Z]+)$/\1/p')" \
			"$long")
		for option in $long $short; do
			# shellcheck disable=SC2086 # no argument, no word
			"$snoop" $option $arg --help >/dev/null || return
			[ -z "$arg" ] || ! "$snoop" "$option" 2>/dev/null ||
				return
		done
	done <"$work/help.options"
}

letters() {
	for letter in a b c d e f g h i j k l m n o p q r s t u v w x y z \
		A B C D E F G H I J K L M N O P Q R S T U V W X Y Z; do
		"$snoop" "-$letter" 4 --help >/dev/null 2>"$work/err" ||
			! grep -q "unknown option" "$work/err" ||
			continue
		printf '%s\n' "-$letter"
	done | LC_ALL=C sort
}

takes_no_other_letter() {
	letters >"$work/letters"
	sed -nE 's/^(-[A-Za-z]),.*/\1/p' "$work/help.options" | LC_ALL=C sort |
		diff - "$work/letters"
}

# Columns and keys are taken from real output, so a new one must be described.
every_column_is_described() {
	for column in $(outputs | grep -E '^(TIME|PASID|COUNT) ' | tr -s ' ' '\n' | sort -u); do
		section FIELDS | awk '{ print $1 }' | grep -qxF "$column" && continue
		echo "$column"
		return 1
	done
}

every_key_is_described() {
	section OUTPUT-JSON | tr -cs 'a-z_' '\n' >"$work/words"
	outputs | grep '^{' |
		jq -r 'keys[], .type, (.reason // empty)' | sort -u >"$work/keys"
	[ -s "$work/keys" ] || return
	# one that only a command's end has, and those of --check, whatever it finds
	echo command >>"$work/keys"
	"$snoop" --check --json 2>/dev/null | jq -r 'keys[], .type' >>"$work/keys"
	! grep -vxFf "$work/words" "$work/keys"
}

# Of its events, those that the tables have, each with a text of its own; of other lines,
# all that recordings hold
recording_is_described() {
	"$snoop" --members >"$work/members" || return
	sed -n '/^\.SH RECORDING$/,/^\.SH EXIT/p' "$top/tools/man/$name.8" >"$work/recording"
	sed -n '/^\.TP$/{n;s/^\.[A-Z]* //;p}' "$work/recording" | tr -cs 'a-z_\n' '\n' |
		grep . | sort >"$work/described"
	sed -n 's/^event //p' "$work/members" | sort | diff - "$work/described" || return
	tr -cs 'a-z_' '\n' <"$work/recording" >"$work/words"
	cat "$here/golden/$name"/*.rec |
		jq -rR 'fromjson? | select(.type != "event") | keys[], .type' >"$work/keys"
	sed -n 's/^end //p' "$work/members" >>"$work/keys"
	! grep -vxFf "$work/words" "$work/keys"
}

every_event_is_described() {
	sed -n 's/^Events: //p' "$work/help" | tr ' ' '\n' | sed 's/\*$//;/(/,$d' \
		>"$work/events"
	[ -s "$work/events" ] || ! grep -q event "$work/help.options" || return
	while read -r event; do
		section FIELDS | grep -q "\b$event\b" &&
			section OUTPUT-JSON | grep -q "\b$event\b" && continue
		echo "$event"
		return 1
	done <"$work/events"
}

completes() { # WORD..: what bash offers for the last one
	# shellcheck disable=SC2016 # for that shell
	bash -c '. "$1" && shift && COMP_WORDS=("$@") && COMP_CWORD=$(($# - 1)) &&
		_nested_sva_tool "$1" && printf "%s\n" "${COMPREPLY[@]}"' bash \
		"$top/tools/completion.bash" "$snoop" "$@"
}

completion_is_that_of_help() {
	completes -- | grep -e -- | sort >"$work/completed"
	sed -E 's/.*(--[a-z-]+).*/\1/' "$work/help.options" | sort |
		diff - "$work/completed" &&
		[ "$(completes --hel)" = --help ] &&
		completes -o "$here/gol" | grep -qx "$here/golden" &&
		completes -u roo | grep -qx root &&
		completes --json -- sor | grep -qx sort &&
		[ -z "$(completes -d --)" ] || return
	! grep -q event "$work/help.options" ||
		completes -e "$(argument LIST event | cut -c 1-3)" |
		grep -qxF "$(argument LIST event)" || return
	! grep -q -e --by "$work/help.options" || [ "$(completes -b dev)" = device ]
}

has_all_sections() {
	for part in NAME SYNOPSIS DESCRIPTION REQUIREMENTS OPTIONS FIELDS \
		EXAMPLES OUTPUT-JSON EXIT-STATUS OVERHEAD CAVEATS SEE-ALSO; do
		[ -n "$(section "$part")" ] && continue
		echo "$part"
		return 1
	done
}

# The numbers of enum exit_code, from the source. 5 is of those that look for something.
every_status_is_described() {
	codes=$(sed -nE 's/.*EXIT_[A-Z]+ = ([0-9]+),.*/\1/p' \
		"$top/tools/lib/cli.h")
	[ "$(echo "$codes" | wc -l)" -ge 6 ] || return
	for code in $codes; do
		[ "$code" -ne 5 ] || grep -q 'status 5' "$work/help" || continue
		section EXIT-STATUS | grep -q "^       $code\b" && continue
		echo "$code"
		return 1
	done
}

# Those of help, manual and tracing.md. A number at the end may be an INTERVAL.
example_options_are_taken() {
	sed -nE "s/^  $name//p; s/^ +# $name//p" "$work/help" \
		"$work/man" >"$work/examples"
	awk '/^```/ { code = !code } code' "$top/Documentation/tracing.md" |
		sed -nE "s/^$name( .*)?$/\1/p" >"$work/documented"
	[ -s "$work/examples" ] && [ -s "$work/documented" ] || return
	cat "$work/documented" >>"$work/examples"
	while IFS= read -r line; do
		options=$(echo "$line" | sed -E 's/(   | -- | #|>).*//')
		alone=$options
		grep -q '\[INTERVAL' "$work/help" &&
			alone=$(echo "$options" | sed -E 's/( [0-9.]+)+ *$//')
		# shellcheck disable=SC2086
		"$snoop" $options --help >/dev/null 2>&1 ||
			"$snoop" $alone --help >/dev/null && continue
		echo "$name$line"
		return 1
	done <"$work/examples"
}

# Each built tool is in the README and in tracing.md, and has a manual, golden output and
# a test in the VM.
every_tool_is_listed() {
	for tool in $listed; do
		[ -f "$top/tools/man/$tool.8" ] && [ -f "$here/golden/$tool/cases" ] &&
			[ -f "$top/tests/guest/$tool.sh" ] &&
			grep -q "\b$tool\b" "$top/README.md" &&
			grep -q "^## $tool\$" "$top/Documentation/tracing.md" &&
			continue
		echo "$tool"
		return 1
	done
}

# No events: of bpf/ it has what all programs share, which has nothing else of there. And
# no metrics
library_knows_no_tool() {
	! grep -H '^#include "\.\./' "$top"/tools/lib/*.[ch] |
		grep -v 'bpf/\(emit\|filter\|tasks\)\.h"' &&
		! grep '^#include "' "$top"/bpf/emit.h "$top"/bpf/filter.h "$top"/bpf/tasks.h &&
		! grep '"iommu_' "$top"/tools/lib/*.[ch]
}

defects_are_those_of_the_mutants() {
	"$top/tests/mutants/switch" -d >"$work/defects" || return
	sed -n '/^| of | defect /,/^$/p' "$top/Documentation/testing.md" |
		sed '$d' | diff - "$work/defects"
}

# The last column names cases, scripts, and documents of the kernel after the series.
# shellcheck disable=SC2016 # backquotes of the document
answers_are_there() {
	sed -n 's/^| .* | \(.*\) |$/\1/p' "$top/Documentation/objections.md" |
		grep -o '`[^`]*`' | tr -d '`' >"$work/answers"
	[ -s "$work/answers" ] || return
	while IFS= read -r answer; do
		case $answer in
		*.rst) grep -q "^+++ b/Documentation/$answer\$" "$top"/patches/*.patch ;;
		*/*) [ -e "$top/$answer" ] ;;
		*) grep -qE "[(, ]${answer##*.}\)" "$top"/patches/*.patch \
			"$top"/tests/vmm/*.c ;;
		esac && continue
		echo "$answer"
		return 1
	done <"$work/answers"
}

check_tool() {
	about "$1"
	check "$name: the manual has no roff warnings" test ! -s "$work/warnings"
	check "$name: the manual has all sections" has_all_sections
	check "$name: options: --help = manual" same_options
	check "$name: options: what --help says is taken" takes_what_help_says
	check "$name: the completion is that of --help" completion_is_that_of_help
	check "$name: no letter is taken that --help does not say" \
		takes_no_other_letter
	check "$name: the examples' options are taken" example_options_are_taken
	check "$name: events are in the manual" every_event_is_described
	check "$name: columns are in the manual" every_column_is_described
	check "$name: JSON keys are in the manual" every_key_is_described
	check "$name: the manual has what a recording holds" recording_is_described
	check "$name: exit codes are in the manual" every_status_is_described
	check "$name: --version tells the version" sh -c \
		"'$snoop' --version |
			grep -qE '^$name [0-9.]+ \(libbpf v?[0-9.]+\)\$'"
}

listed=$(sed -n 's/^TOOLS[[:space:]]*:= //p' "$top/tools/build.mk")
for tool in $listed; do
	check_tool "$tool"
done
check "every tool is in README and tracing.md" every_tool_is_listed
check "the library knows no tool's events and metrics" library_knows_no_tool
check "the defects in testing.md are those of tests/mutants/rows" \
	defects_are_those_of_the_mutants
check "what objections.md points to is there" answers_are_there
finish
