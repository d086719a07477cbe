# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# Completion for bash: the options that the tool itself names in its --help, PCI
# devices for pasidwhy, files elsewhere. For the programs without a table of options,
# under the name of each.

_nested_sva_tool() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} words
	if [[ $word == -* ]]; then
		words=$("$1" --help 2>/dev/null |
			sed -nE 's/^ +((-[A-Za-z]), )?(--[a-z-]+).*/\2 \3/p')
	elif [[ $before == -D || $before == --device || ${1##*/} == pasidwhy ]]; then
		words=$(ls /sys/bus/pci/devices 2>/dev/null)
	fi
	COMPREPLY=()
	[[ -z $words ]] || mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}

complete -o bashdefault -o default -F _nested_sva_tool \
	pasidwhy pasid-report pasid-timeline
