# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# boot: -t 300 -x tests/guest/kunit.allow
#
# In the VM: load each KUnit module and report its suites' results as KUnit
# keeps them in debugfs, where no other kernel message can come between.

# shellcheck source=/dev/null
. /lib/ktap.sh

results=/sys/kernel/debug/kunit
modules=$(find /lib/modules -name '*_kunit.ko' | sort)

load() { # FILE: insmod, and at least one more suite afterwards
	before=$(find "$results" -mindepth 1 -type d | wc -l)
	insmod "$1" || return
	[ "$(find "$results" -mindepth 1 -type d | wc -l)" -gt "$before" ] ||
		{ echo "no suite of it in $results"; return 1; }
}

report() { # SUITE
	sed 's/^/  /' "$results/$1/results"
	case $(tail -n 1 "$results/$1/results") in
	"ok 1 $1") ok "$1" ;;
	*) not_ok "$1" ;;
	esac
}

count=$(echo "$modules" | wc -w)
if [ "$count" -eq 0 ]; then
	not_ok "KUnit modules" "no *_kunit.ko in /lib/modules"
	finish
fi

loaded='' refused=''
for module in $modules; do
	if reason=$(load "$module" 2>&1); then
		loaded="$loaded $module"
	else
		refused="$refused
$module: $reason"
	fi
done
suites=$(find "$results" -mindepth 1 -type d -exec basename {} \; | sort)

if [ -z "$refused" ]; then
	ok "all KUnit modules load"
else
	not_ok "all KUnit modules load" "$refused"
fi
for suite in $suites; do
	report "$suite"
done
for module in $loaded; do
	name=${module##*/}
	check "${name%.ko} unloads" rmmod "${name%.ko}"
done
finish
