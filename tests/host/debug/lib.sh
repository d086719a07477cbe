# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# The tests on a debug kernel share this: guest tests as they are, several in one boot of
# $kernel, with logs in $work; the bugs of $module, and whether the scan takes the lines
# that tell of them.

# shellcheck disable=SC2154 # of the script that sources this: root kernel module work
here=$root/tests/host/debug
vm=$root/tests/lab/vm
# shellcheck source-path=SCRIPTDIR source=../../lab/ktap.sh
. "$root/tests/lab/ktap.sh"

begin_debug() { # TARGET: of make, which builds it
	if [ -n "${NO_DEBUG_KERNEL-}" ]; then
		skip "debug kernel" "NO_DEBUG_KERNEL is set"
		finish
	fi
	if [ ! -e "$kernel/arch/x86/boot/bzImage" ] || [ ! -e "$module" ]; then
		not_ok "debug kernel" \
			"not built: make $1, or NO_DEBUG_KERNEL=1"
		finish
	fi
	mkdir -p "$work"
	: >"$work/boots"
	check "pack the root file system" "$vm/initramfs" "$work/initramfs.cpio" \
		"$kernel" "$root/build/tools" "$root/build/kselftest:/kselftest"
}

# boot_debug NAME OPTION.. SCRIPT [FILE..]: logs in $work/NAME
boot_debug() {
	name=$1
	shift
	"$vm/boot" -k "$kernel/arch/x86/boot/bzImage" -m 2G \
		-r "$work/initramfs.cpio" -o "$work/$name" "$@" 2>"$work/$name.err"
}

# guest_tests ARGUMENTS TEST..: guest tests in one boot with these arguments, on the
# machine of the first, with the files and the allowed splats of all; their results
# become subtests. Which boots these were, for the coverage, is in $work/boots.
guest_tests() {
	arguments="sysctl.kernel.hung_task_timeout_secs=600 $1"
	shift
	first=$1
	arguments="$arguments TESTS=$(echo "$*" | tr ' ' ,)"
	echo "$first" >>"$work/boots"
	# shellcheck disable=SC2046 # lists
	(
		cd "$root" && set -- $(printf 'tests/guest/%s.sh ' "$@") &&
			cat /dev/null $(header boot "$@" | grep '\.allow$' | sort -u) >"$work/allow" &&
			boot_debug "$first" $(header boot "$1") -t 3000 -x "$work/allow" \
				-a "$arguments" "$here/tests.sh" "$@" $(header files "$@")
	)
	status=$?
	sed 's/^/  /' "$work/$first/ktap.log"
	if [ $status -eq 0 ]; then
		ok "$first"
	else
		not_ok "$first" "status $status
$(cat "$work/$first.err")"
	fi
}

header() { # WORD SCRIPT..: the words of these lines
	word=$1
	shift
	sed -n "s/^# $word: //p" "$@" | tr ' ' '\n'
}

# The scan must take the lines that tell of the bug for a splat.
noticed() { # TEXT
	{ echo "<5>[    0.000000] Linux version of that"; grep -aF "$1" "$work/bugs/console.log"; } \
		>"$work/one.log"
	"$vm/splats" "$work/one.log"
	[ $? -eq 1 ]
}

# bugs_are_noticed LIST ARGUMENTS: each of them is committed, in one boot
bugs_are_noticed() {
	boot_debug bugs -a "$2" "$here/guest.sh" "$1" "$module"
	status=$?
	if [ $status -eq 123 ]; then
		ok "bugs end in the status for a splat"
	else
		not_ok "bugs end in the status for a splat" "status $status
$(cat "$work/bugs.err")"
	fi
	sed '/^#/d' "$1" >"$work/bugs.list"
	while read -r bug text; do
		check "noticed: $bug" noticed "$text"
	done <"$work/bugs.list"
}
