#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# limit: 2400
#
# Faults of Linux 6.12 itself: tests/stable/rows, each on the kernel of the base,
# where it shows, and on that with patches/stable, where it does not. The base does not
# change, so the date chooses a sixth of the rows for it; ALL=1 takes them all (make stable).

root=$(CDPATH='' cd "$(dirname "$0")/../.." && pwd)
here=$root/tests/stable
kernels=$root/build/stable
logs=$root/build/test/host-stable
# shellcheck source-path=SCRIPTDIR source=../lab/ktap.sh
. "$root/tests/lab/ktap.sh"

# Arguments that switch KCSAN on where a race is to be seen, and else nothing
watch() { # END
	[ "$1" != races ] ||
		echo " kcsan.early_enable=1 kcsan.udelay_task=200 kcsan.skip_watch=200"
}

# run KERNEL TESTS PROPERTIES END: status of the boot, logs in $log
run() {
	log=$logs/$1-${2%%,*}
	image=$1
	[ "$4" != races ] || image=watched-$1
	machine=-n
	case $3 in
	'')	;;
	units)	machine=$(sed -n 's/^# boot: //p' "$root/tests/guest/units.sh") ;;
	*)	machine="-n -q -global -q intel-iommu.$(echo "$3" |
			sed 's/,/ -q -global -q intel-iommu./g')" ;;
	esac
	rm -rf "$log"
	# shellcheck disable=SC2086 # $machine is a list
	"$root/tests/lab/vm/boot" $machine -k "$kernels/$image" -t "$limit" -o "$log" \
		-a "TEST=$2$(watch "$4")" -x "$here/allow" "$here/guest.sh" \
		"$root/tests/vmm/vfio.sh" "$kernels/$1.modules"/*.ko \
		>"$log.out" 2>&1
	status=$?
}

says() {
	grep -q "$1" "$log/ktap.log"
}

begun() {
	says "^#  RUN  *stable\.$test"
}

shown() { # TEST END PROPERTIES
	limit=300
	[ "$2" != hangs ] || limit=50
	run before "$1" "$3" "$2"
	cat "$log.out" "$log/ktap.log"
	test=$1
	case $2 in
	fails) says "^not ok .* stable\.$1\$" ;;
	hangs) [ "$status" -eq 124 ] && begun && ! says "^ok " ;;
	warns) grep -qE '(WARNING|UBSAN): .*drivers/iommu/' "$log/console.log" ;;
	locks) grep -A 8 'possible circular lock' "$log/console.log" |
		grep -q '(&iommu->lock)' ;;
	races) grep -q 'BUG: KCSAN: data-race in .*intel_iommu_set_dirty_tracking' \
		"$log/console.log" ;;
	passes) [ "$status" -eq 0 ] ;;
	esac
}

mended() { # TEST
	cat "$log.out" "$log/ktap.log"
	[ "$status" -eq 0 ] && says "^ok .* stable\.$1\$"
}

# "TEST[,TEST..] END PROPERTIES", of each machine; END is that of one of the tests
machines() {
	awk -F'|' '{
		machine = $5 == "alone" ? NR : "all" $4
		if (!(machine in tests))
			order[++n] = machine
		tests[machine] = tests[machine] sep[machine] $1
		sep[machine] = ","
		end[machine] = $3
		properties[machine] = $4
	}
	END {
		for (i = 1; i <= n; i++)
			print tests[order[i]], end[order[i]], properties[order[i]]
	}' \
		"$work/rows"
}

mkdir -p "$logs"
rows() {
	sed -e '/^#/d' -e '/^$/d' -e 's/[[:space:]]*|[[:space:]]*/|/g' "$here/rows"
}

workdir
check "the mails to the stable kernels pass checkpatch" "$root/patches/bin/stable" -m
rows >"$work/rows"
if [ -n "${NO_DEBUG_KERNEL-}" ]; then
	skip "data races" "NO_DEBUG_KERNEL is set"
	sed -i '/|races|/d' "$work/rows"
fi
# A boot for each
today 6 <"$work/rows" >"$work/today"
note "before: $(wc -l <"$work/today") of $(wc -l <"$work/rows") rows"
while IFS='|' read -r test patch end properties _; do
	check "before: $test ($patch) $end" shown "$test" "$end" "$properties"
done <"$work/today"
machines >"$work/machines"
limit=600
while read -r tests end properties; do
	run after "$tests" "$properties" "$end"
	for test in $(echo "$tests" | tr , ' '); do
		check "after: $test" mended "$test"
	done
done <"$work/machines"
finish
