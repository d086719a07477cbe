#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# limit: 2000
#
# The commands of Documentation/questions.md, run in a VM in which the fault of their
# question happens: each must succeed, and print each line that the document shows,
# but for numbers. A comment "load: NAME" says what happens, questions/guest.sh how; one
# "if: COMMAND", which must succeed in the VM, what the next one needs. There are two VMs,
# of which the date chooses one; ALL=1 takes both.

root=$(CDPATH='' cd "$(dirname "$0")/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=../lab/ktap.sh
. "$root/tests/lab/ktap.sh"
here=$root/tests/host
logs=$root/build/test/host-questions
doc=$root/Documentation/questions.md
workdir

# blocks/NN.LOAD has a command, blocks/NN.out what it prints, blocks/NN.only what it needs
split() {
	mkdir "$work/blocks"
	awk -v dir="$work/blocks" '
		/^<!-- load: / { load = $3 }
		/^<!-- if: / {
			gsub(/^<!-- if: | -->$/, "")
			print >sprintf("%s/%02d.only", dir, nr + 1)
		}
		/^```/ && inside { inside = 0; close(file); next }
		/^```sh$/ { file = sprintf("%s/%02d.%s", dir, ++nr, load); inside = 1; next }
		/^```$/ {
			file = last == nr ? "/dev/null" : sprintf("%s/%02d.out", dir, nr)
			last = nr
			inside = 1
			next
		}
		inside { print >file }' "$doc"
}

# The programs of a distribution, for this test only: they are large.
make_initrd() {
	mkdir "$work/bin"
	for program in bpftool bpftrace perf; do
		found=$(PATH=$PATH:/usr/sbin:/sbin command -v $program) &&
			cp -L "$found" "$work/bin/" || missing="${missing-} $program"
	done
	"$root/tests/lab/vm/initramfs" "$work/initrd" "$root/build/kernel" \
		"$root/build/tools" "$work/bin" 2>"$work/log"
}

runs() { # NAME LOADS QEMU-ARGUMENTS: those blocks in one VM
	name=$1 loads=$2
	mkdir "$work/$name"
	for load in $loads; do
		cp "$work/blocks"/*."$load" "$work/$name/"
	done
	cp "$work/blocks"/*.only "$work/$name/"
	"$root/tests/lab/vm/boot" -n -m 2G -t 900 -r "$work/initrd" -q "$3" \
		-a "rcupdate.rcu_cpu_stall_suppress=1" -x "$root/tests/guest/vmm.allow" \
		-o "$logs/$name" "$here/questions/guest.sh" "$work/$name" \
		"$root/tests/vmm/vfio.sh" "$here/questions/load.sh" \
		"$root/build/tools/pasids.bpf.o" \
		"$root/build/kernel/.config"
	cat "$logs/$name/ktap.log"
}

ran() { # BLOCK
	cat "$1" "$logs"/*/out/"${1##*/}.err" "$logs"/*/out/"${1##*/}"
	[ "$(cat "$logs"/*/out/"${1##*/}.status")" -eq 0 ]
}

# Numbers, and bars of them, differ from run to run; so does which of the two devices, and
# whether one waits at the very moment of which a line of invlat tells.
plain() {
	sed -E 's/0000:00:1[de]\.0/DEV/g; s/0x[0-9a-f]+/N/g; s/[0-9]+(\.[0-9]+)?(ns|us|ms|s|K|M|G)?\b/N/g
		s/\|[@ ]*\|/BAR/; s/[[:space:]]+/ /g; s/^ //; s/ $//; s/, N waits N//' "$@"
}

prints() { # BLOCK OUT
	plain "$logs"/*/out/"${1##*/}" >"$work/got"
	plain "$2" | grep -vxF -e ... -e '' | sort -u | while IFS= read -r line; do
		grep -qxF -e "$line" "$work/got" && continue
		echo "$line"
		echo "--- is not in"
		cat "$work/got"
		exit 1
	done
}

has_all_commands() {
	[ "$(find "$work/blocks" -name '*.*' ! -name '*.o*' | wc -l)" -ge 19 ]
}

split
check "the document has commands" has_all_commands
missing=''
make_initrd
for program in $missing; do
	skip "commands of $program" "it is not installed"
done
rm -rf "$logs/quick" "$logs/slow"
for vm in $(printf '%s\n' quick slow | today 2); do
	case $vm in
	quick)	runs quick "none exhausted leak silent faults guest" "" ;;
	slow)	runs slow stall "-global intel-iommu.x-inv-delay=2500" ;;
	esac >"$work/$vm.log"
done
for block in "$work"/quick/*.[!o]* "$work"/slow/*.[!o]*; do
	[ -e "$block" ] || continue
	for program in $missing; do
		! grep -q "^$program\|^	*$program" "$block" || continue 2
	done
	number=${block##*/}
	title=$(sed 's/^cd .*/&; .../;q' "$block" | cut -c 1-50)
	if [ -e "$(echo "$logs"/*/out/"$number.lacks")" ]; then
		skip "$title: runs" "not here: $(cat "$work/blocks/${number%%.*}.only")"
		continue
	fi
	check "$title: runs" ran "$block"
	out=$work/blocks/${number%%.*}.out
	[ ! -e "$out" ] || check "$title: prints that" prints "$block" "$out"
done
finish
