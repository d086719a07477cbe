# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# Completion for bash, by what --help says, of the tool whose name this file has: make
# install puts it there under the name of each.

# Prints what the option $1 takes, as the word in capitals behind it, and what it can be,
# if its text ends with a list; $2 is the help.
_nested_sva_takes() {
	awk -v option="$1" '
		{ gsub(/,/, "") }
		/^Events: / {
			gsub(/^Events: |\*|\(.*/, "")
			events = $0
		}
		/^ +-/ {
			name = $2 ~ /^--/ ? 2 : 1
			if ((option != $1 && option != $name) || $(name + 1) !~ /^[A-Z]+$/)
				next
			takes = $(name + 1)
			text = $0
			list = sub(/.*: /, "", text) ? text : ""
			event = $name == "--event"
		}
		END { print takes, event ? events : list }' <<<"$2"
}

_nested_sva_tool() {
	local word=${COMP_WORDS[COMP_CWORD]} help takes words of=()
	help=$("$1" --help 2>/dev/null)
	read -r takes words < <(_nested_sva_takes "${COMP_WORDS[COMP_CWORD - 1]}" "$help")
	if [[ " ${COMP_WORDS[*]:1:COMP_CWORD - 1} " == *" -- "* ]]; then
		of=(-c)
	elif [[ $takes == FILE ]]; then
		of=(-f)
	elif [[ $takes == USER ]]; then
		of=(-u)
	elif [[ $takes == PID ]]; then
		words=$(cd /proc && echo [0-9]*)
	elif [[ -z $takes && $word == -* ]]; then
		words=$(sed -nE 's/^ +((-[A-Za-z]), )?(--[a-z-]+).*/\2 \3/p' <<<"$help")
	elif [[ $takes == NAME || $takes$help == "Usage: "*"[DEVICE]"* ]]; then
		words=$(ls /sys/bus/pci/devices 2>/dev/null)
	fi
	[[ ${#of[@]} -gt 0 ]] || of=(-W "$words")
	mapfile -t COMPREPLY < <(compgen "${of[@]}" -- "$word")
}

complete -o bashdefault -o default -F _nested_sva_tool "${BASH_SOURCE[0]##*/}"
