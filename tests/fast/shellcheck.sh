#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Run shellcheck over every shell script of the project, one result for each. KTAP.

set -eu

root=$(CDPATH='' cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=../lab/ktap.sh
. "$root/tests/lab/ktap.sh"

files() {
	git ls-files -co --exclude-standard 2>/dev/null ||
		find . -path ./build -prune -o -type f -printf '%P\n'
}

is_script() {
	case $1 in
	*.patch) return 1 ;;
	*.sh) return 0 ;;
	*) head -n 1 "$1" | grep -aqE '^#!.*[/ ](ba|da)?sh( |$)' ;;
	esac
}

cd "$root"
scripts=$(files | sort | while read -r file; do
	[ ! -f "$file" ] || ! is_script "$file" || echo "$file"
done)
# shellcheck disable=SC2086 # names of scripts have no blanks
set -- $scripts
# A function that is only called as an argument (check NAME FUNCTION) is taken
# for unreachable: SC2317, SC2329.
# A script sets what it depends on in one place, before anything else happens.
set_what_they_need() {
	# shellcheck disable=SC2016 # what scripts have
	grep -n 'cd "$(dirname' "$@" | grep -v "CDPATH='' cd" || :
	for file; do
		# shellcheck disable=SC2016
		case $file in
		*.sh | .ci/run | tests/lab/cc | tests/lab/vm/init | tools/*) ;;
		*) grep -qE '^\. "\$[a-z]+/(.*/)?(env|lib)\.sh"' "$file" ||
			echo "$file does not source tests/lab/env.sh" ;;
		esac
	done
}

check "scripts set what they depend on" test -z "$(set_what_they_need "$@")"
for file; do
	check "shellcheck: $file" shellcheck -x -f gcc -e SC2317,SC2329 "$file"
done
finish
