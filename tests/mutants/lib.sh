# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# To try mutants, in $work: one kernel with all of them, and boots that break one at a
# time. With $first set only the first test that notices a mutant counts, and one that
# takes long does not.

# shellcheck disable=SC2154 # of the script that sources this: root work
here=$root/tests/mutants
linux=$root/build/linux
first=''
lanes=${LANES:-$(nproc)}
[ "$lanes" -le 8 ] || lanes=8
# shellcheck source-path=SCRIPTDIR source=../lab/ktap.sh
. "$root/tests/lab/ktap.sh"

# The objects of build/kernel, and the files that change beside them, where make
# finds them before those of the source tree: so nothing else is built again.
build() {
	rm -rf "$work"
	mkdir -p "$work" &&
		cp -a "$root/build/kernel" "$work/kernel" &&
		"$here/switch" "$linux" "$work/kernel" &&
		"$root/tests/lab/vm/kernel" "$linux" "$work/kernel" &&
		"$root/tests/lab/vm/initramfs" "$work/initramfs.cpio" \
			"$work/kernel" "$root/build/tools" \
			"$root/build/kselftest:/kselftest"
}

# The same of the kernel that looks for data races (make kernel-stable). Its tree is the
# one that it was built from.
watched_kernel() {
	stable=$root/build/stable
	cp -a "$stable/watched" "$work/watched" &&
		"$here/switch" "$stable/linux" "$work/watched" &&
		"$root/tests/lab/vm/kernel" -pr "$stable/linux" "$work/watched" \
			"$root/tests/stable/config" "$root/tests/lab/vm/config.kcsan"
}

# build_watched LIST: if a line of it asks for that kernel
build_watched() {
	! grep -q '^[^ ]* watched ' "$1" ||
		check "the kernel with the mutants that is watched builds" watched_kernel
}

# Deal a list out to $lanes, each with a file of lines for few boots, and files
# of one line: what is in memory already cannot fail to be allocated, so fail_nth
# needs a kernel that has done nothing before; what a script of the VM changes is not
# known; and a kernel that is watched tells of one fault of its locks. A mutant whose
# name begins with boot- is there from the start.
# The monitor needs another machine, and a script its own. A test has properties of the
# unit and arguments of the kernel behind a +, or in its row of tests/stable: a file for
# each.
# The lines of a test come one after the other, in one lane; with $first, where only
# the first test counts, those of a mutant do.
deal() { # LIST NAME
	if [ -n "$first" ]; then cat "$1"; else sort -s -k 2,3 "$1"; fi |
	awk -F '[ |\t]+' -v lanes="$lanes" -v first="$first" -v to="$work/$2" '
		FILENAME ~ /stable/ { if ($4 ~ /^(x-|units)/) unit[$1] = "+" $4; next }
		{
		split($3, part, "+")
		with = part[2] ? "+" part[2] : ""
		split(part[1], test, ".")
		if ($2 ~ /^(stable|watched)$/ && !with) with = unit[test[$2 == "stable" ? 1 : 2]]
		together = first ? $1 : $3
		if (!(together in lane) || $2 == "vm") lane[together] = n++ % lanes
		file = $2 == "vm" ? NR "." test[1] : $2 == "fail_nth" ? NR : \
			$2 == "watched" ? NR "-" $2 : \
			$1 ~ /^(hunk-)?boot-/ ? NR "." ($2 ~ /^(iommufd|gpasid)$/ ? "kselftest" : $2) : \
			$2 ~ /^(leave|vcmd|exhaust|units|stable)$/ ? $2 : $2 ~ /^(vmm|attach)$/ ? "vmm" : 0
		print >(to lane[together] "-" file with)
	}' "$root/tests/stable/rows" -
}

# died FILE LOG: what to say of its first line, which had no verdict. A complaint
# of the kernel before it began is a slow machine's, not the mutant's. A case of
# KUnit that fails says so before what it left behind hangs the kernel. One that fills its
# log with the same lines, with interrupts off, comes to nothing else.
died() {
	read -r mutant _ test <"$1"
	if sed "0,/begins $mutant $test/d" "$2" |
	   grep -qE -e 'Oops: |kernel BUG at|Kernel panic|rcu: INFO: .* stall' \
		-e "# $test: (EXPECTATION|ASSERTION) FAILED" ||
	   [ "$(wc -c <"$2")" -gt 30000000 ]; then
		echo "verdict $mutant $test died"
	elif grep -q "hangs $mutant $test" "$2"; then
		echo "verdict $mutant $test hung"
	else
		return 1
	fi
}

# ends LOG BOOT: waits for a boot, and ends one whose kernel does nothing any more but
# fill its log, or tell that a processor is stuck, or not even that: the watcher in the VM
# has less patience
ends() {
	stalled=0 begun='' idle=0
	while kill -0 "$2" 2>/dev/null; do
		sleep 2
		[ -e "$1" ] || continue
		tac "$1" | sed '/ begins /q' >"$1.last"
		! grep -qaE 'rcu: INFO: .* stall' "$1.last" || stalled=$((stalled + 1))
		[ "$(tail -n 1 "$1.last")" = "$begun" ] || idle=0
		begun=$(tail -n 1 "$1.last")
		idle=$((idle + 1))
		if [ $stalled -ge 20 ] || [ "$(wc -c <"$1")" -gt 30000000 ]; then
			kill "$2" 2>/dev/null || :
		elif [ -n "$begun" ] && [ $idle -ge 400 ]; then
			echo "hangs ${begun##* begins }" >>"$1"
			kill "$2" 2>/dev/null || :
		fi
	done
	wait "$2" || :
}

# drop_noticed FILE: the lines of mutants that a test has noticed already
drop_noticed() {
	find "$work" -maxdepth 1 -name '*.verdicts' -exec cat {} + |
		awk -v file="$1" '
			/ (not ok|died|hung)$/ { noticed[$2] }
			END { while ((getline <file) > 0) if (!($1 in noticed)) print }' \
		>"$1.left"
	mv "$1.left" "$1"
}

# machine SCRIPT: that of tests/guest/SCRIPT.sh
machine() {
	sed -n 's/^# boot: //p' "$root/tests/guest/$1.sh"
}

# with PROPERTY,..: of the unit, and arguments of the kernel
with() {
	for property in $(echo "$1" | tr , ' '); do
		case $property in
		units)	options=$(machine units) ;;
		x-*)	options="$options -q -global -q intel-iommu.$property" ;;
		*)	arguments="$arguments $property" ;;
		esac
	done
}

# boots FILE: the verdicts on its lines, in as few boots as can be. Each goes on
# where the one before ended. If there are two without a verdict on their first line,
# there never is; with $first one is enough. A kernel that does not survive has noticed,
# if it says so. A test that hangs ends the boot, and the next one goes on there.
boots() {
	n=0 silent='' kernel=$work/kernel
	arguments='' options='' limit=400
	[ -z "$first" ] || limit=300
	batch=${1##*/}
	case ${batch%%+*} in
	*-watched)
		options=-n kernel=$work/watched
		arguments="slub_debug=P kcsan.early_enable=1 kcsan.udelay_task=200"
		arguments="$arguments kcsan.skip_watch=200" ;;
	*.*)	options=$(machine "$(echo "${batch%%+*}" | cut -d . -f 2)") ;;
	*-vmm | *-stable) options=-n ;;
	*-leave | *-vcmd | *-exhaust | *-units)
		options=$(machine "$(echo "${batch%%+*}" | cut -d - -f 2)") ;;
	*)	arguments=intel_iommu=off ;;
	esac
	case $batch in
	*+*)	with "${batch#*+}" ;;
	esac
	[ -s "$1" ] || return 0
	read -r mutant _ <"$1"
	case $mutant in
	boot-* | hunk-boot-*) arguments="$arguments ioasid.mutant=$mutant" ;;
	esac
	[ -z "$first" ] || drop_noticed "$1"
	while [ -s "$1" ]; do
		n=$((n + 1))
		# shellcheck disable=SC2086 # a list
		"$root/tests/lab/vm/boot" $options -o "$1.$n" -m 2G -t $limit \
			-k "$kernel/arch/x86/boot/bzImage" \
			-r "$work/initramfs.cpio" \
			-a "$arguments BATCH=$batch FIRST=$first" "$here/guest.sh" "$1" \
			"$root"/tests/guest/*.sh "$root/tests/vmm/vfio.sh" \
			"$root/build/tools/pasidmod/snoopmod.ko" >/dev/null 2>&1 &
		ends "$1.$n/console.log" $!
		grep '^verdict ' "$1.$n/ktap.log" >"$1.said" ||
			died "$1" "$1.$n/console.log" >"$1.said" || {
				[ -n "$first" ] || [ "$silent" = "$(head -n 1 "$1")" ] ||
					{ silent=$(head -n 1 "$1"); continue; }
				echo >"$1.said"
			}
		cat "$1.said" >>"$1.verdicts"
		sed -i "1,$(wc -l <"$1.said")d" "$1"
		[ -z "$first" ] || drop_noticed "$1"
	done
}

# verdicts LIST NAME: on all lines of LIST
verdicts() {
	deal "$1" "$2"
	for lane in $(seq 0 $((lanes - 1))); do
		for file in "$work/$2$lane"-*; do boots "$file"; done &
	done
	wait
	cat "$work/$2"*.verdicts
}
