#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# pasidwhy on machines that are made up, as the files that it reads below another
# root: its output for each in pasidwhy/NAME.out (stdout, then stderr, then the exit
# status), which bit and which capability it asks for, its manual. After a wanted
# change: "pasidwhy.sh -u" shows the differences and takes them over.

here=$(CDPATH='' cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../lab/ktap.sh
. "$here/../lab/ktap.sh"
tools=${TOOLS_OUT:-$here/../../build/tools}
top=$here/../..
update=${1-} as=''
workdir
why=$work/pasidwhy
cp "$tools/pasidwhy" "$why"
chmod 755 "$work" "$why"
export LC_ALL=C
dev=0000:3a:01.0

# --- machines ---------------------------------------------------------------------

# Registers of a server of 2023, in the kernel's log and with PASID and PRS added
server_cap=19ed008c40780c66 server_ecap=3ef9ea6f050df

put() { # FILE TEXT
	mkdir -p "$root/${1%/*}"
	printf '%s\n' "$2" >"$root/$1"
}

options() { # all that anything needs, without those named
	for option in INTEL_IOMMU INTEL_IOMMU_SVM INTEL_IOMMU_SCALABLE_MODE_DEFAULT_ON \
		IOMMUFD VFIO_DEVICE_CDEV IOMMUFD_PASID ASYNC_KERNEL_PGTABLE_FREE; do
		case " $* " in
		*" $option "*) echo "# CONFIG_$option is not set" ;;
		*) echo "CONFIG_$option=y" ;;
		esac
	done
	echo CONFIG_VFIO_PCI=m
}

# Of iommu_sva_bind_device(), in bytes
symbols() {
	printf '%016x t %s\n' $((0x1000)) before $((0x2000)) iommu_sva_bind_device \
		$((0x2000 + $1)) iommu_sva_get_pasid
}

machine() { # NAME: one that lacks nothing but units and devices
	name=$1 root=$work/$1
	put proc/sys/kernel/osrelease 6.12.117
	put proc/cmdline "BOOT_IMAGE=/vmlinuz ro quiet"
	put boot/config-6.12.117 "$(options)"
	put proc/kallsyms "$(symbols 900)"
	put proc/cpuinfo "vendor_id	: GenuineIntel
flags		: fpu pdpe1gb la57 enqcmd"
}

unit() { # CAP ECAP
	put sys/class/iommu/dmar0/intel-iommu/cap "$1"
	put sys/class/iommu/dmar0/intel-iommu/ecap "$2"
}

le16() { # NUMBER..: two bytes each
	for word; do
		# shellcheck disable=SC2059 # that makes the byte
		printf "\\$(printf %03o $((word & 255)))\\$(printf %03o $((word >> 8)))"
	done
}

# capabilities ID:WORD:WORD:WORD..: a list of them, 0x20 apart; the words are those
# behind the head of each
capabilities() {
	head -c 256 /dev/zero
	at=256
	while [ $# -gt 0 ]; do
		next=0
		[ $# -eq 1 ] || next=$((at + 32))
		# shellcheck disable=SC2046 # words
		le16 $((${1%%:*})) $((next << 4 | 1)) $(echo "${1#*:}" | tr : ' ')
		head -c $((28 - 2 * $(echo "${1#*:}" | tr : '\n' | wc -l))) /dev/zero
		at=$((at + 32))
		shift
	done
}

# ID, then what follows: ATS and PASID have their control in the second word, PRI its
# control and status
ats=0x0f:0x20:0x8000 pri=0x13:1:0x8100 pasid=0x1b:0x1400:1

device() { # CAPABILITY..: behind the unit, with vfio-pci, alone in its group
	sys=$root/sys/bus/pci/devices/$dev
	mkdir -p "$sys" "$root/sys/group/7/devices/$dev"
	ln -s ../../../../group/7 "$sys/iommu_group"
	ln -s ../../../drivers/vfio-pci "$sys/driver"
	ln -s ../../../../class/iommu/dmar0 "$sys/iommu"
	capabilities "$@" >"$sys/config"
	truncate -s 4096 "$sys/config"
}

server() { # NAME
	machine "$1"
	unit $server_cap $server_ecap
	device $ats $pri $pasid
}

# --- what it prints ---------------------------------------------------------------

run() { # OPTION..
	$as "$why" --root "$root" "$@" >"$work/$name.out" 2>"$work/err"
	status=$?
	{
		echo "--- stderr"
		cat "$work/err"
		echo "--- status $status"
	} >>"$work/$name.out"
}

same() {
	diff -uN "$here/pasidwhy/$name.out" "$work/$name.out"
}

golden() { # OPTION..: of the machine, as in its file
	run "$@"
	[ "$update" != -u ] || same || cp "$work/$name.out" "$here/pasidwhy/$name.out"
	check "golden: $name" same
}

unprivileged() {
	if [ "$(id -u)" -eq 0 ]; then
		setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
	else
		"$@"
	fi
}

machines() {
	server all
	golden $dev
	server all-json
	golden -j 3A:01.0
	machine no-iommu
	mkdir -p "$root/sys/class/iommu/iommufd_selftest_iommu.0"
	golden
	machine no-iommu-in-vm
	put proc/cpuinfo "flags		: fpu hypervisor"
	golden
	machine switched-off
	put proc/cmdline "ro intel_iommu=on intel_iommu=off"
	put sys/firmware/acpi/tables/DMAR DMAR
	golden
	machine not-switched-on
	put sys/firmware/acpi/tables/DMAR DMAR
	golden
	machine amd
	put proc/cpuinfo "vendor_id	: AuthenticAMD
flags		: fpu"
	mkdir -p "$root/sys/class/iommu/ivhd0/amd-iommu"
	golden
	machine legacy
	unit 8d2078c106f0466 f020df
	golden
	server sm-off
	put proc/cmdline "ro intel_iommu=sm_on intel_iommu=on,sm_off"
	golden -f nest,guest $dev
	server no-pasid
	unit $server_cap 3ee9e86f050df
	golden $dev
	server refusing
	put boot/config-6.12.117 "$(options ASYNC_KERNEL_PGTABLE_FREE)"
	put proc/kallsyms "$(symbols 28)"
	golden -f sva
	server stock
	put boot/config-6.12.117 "$(options ASYNC_KERNEL_PGTABLE_FREE IOMMUFD_PASID)"
	golden $dev
	server no-ats
	rm -r "$root/sys/bus/pci"
	device $pasid
	golden $dev
	server shared-group
	mkdir "$root/sys/group/7/devices/0000:3a:01.1"
	rm "$sys/driver"
	golden $dev
	server not-root
	truncate -s 64 "$sys/config"
	put boot/config-6.12.117 "$(options ASYNC_KERNEL_PGTABLE_FREE)"
	put proc/kallsyms "$(symbols 28 | sed 's/^[0-9a-f]*/0000000000000000/')"
	chmod -R a+rX "$work"
	as=unprivileged
	golden $dev
	as=''
	machine in-vm
	put proc/cpuinfo "vendor_id	: AuthenticAMD
flags		: fpu lm hypervisor"
	unit d2008c40660462 3ef9ea4f00f5f
	device $ats $pasid
	golden $dev
}

# --- what it asks for ---------------------------------------------------------------

# "sva=yes nest=no guest=no"
verdict() {
	"$why" -j --root "$root" "$@" | tail -n 1 |
		jq -r '"sva=\(.sva) nest=\(.nest) guest=\(.guest)"'
}

is() { # VERDICT
	got=$(verdict $dev)
	echo "$got"
	[ "$got" = "$1" ]
}

without_bit() { # BIT: of ECAP
	unit $server_cap "$(printf %x $((0x$server_ecap & ~(1 << $1))))"
}

# The conditions of the kernel's source, told apart from those of the tool
bits() {
	server bits
	check "it lacks nothing" is "sva=yes nest=yes guest=yes"
	while read -r bit bit_name want; do
		without_bit "$bit"
		check "without ECAP.$bit_name: $want" is "$want"
	done <<-END
	43 SMTS sva=no nest=no guest=no
	47 FSTS sva=no nest=yes guest=no
	46 SSTS sva=yes nest=no guest=no
	26 NEST sva=yes nest=no guest=no
	40 PASID sva=no nest=yes guest=no
	48 SMPWCS sva=no nest=yes guest=no
	2 DT sva=no nest=yes guest=yes
	29 PRS sva=yes nest=yes guest=yes
	END
	unit 18ed008c40780c66 $server_ecap
	check "pages of 1 GiB that the unit lacks" is "sva=no nest=yes guest=yes"
	unit 9ed008c40780c66 $server_ecap
	check "five levels that the unit lacks" is "sva=no nest=yes guest=yes"
	put proc/cpuinfo "flags : fpu"
	check "and the processor, too" is "sva=yes nest=yes guest=yes"
}

kernel_options() {
	server options
	while read -r option want; do
		put boot/config-6.12.117 "$(options "$option")"
		check "without CONFIG_$option: $want" is "$want"
	done <<-END
	INTEL_IOMMU sva=no nest=no guest=no
	INTEL_IOMMU_SVM sva=no nest=yes guest=yes
	INTEL_IOMMU_SCALABLE_MODE_DEFAULT_ON sva=no nest=no guest=no
	IOMMUFD sva=yes nest=no guest=no
	VFIO_DEVICE_CDEV sva=yes nest=no guest=no
	IOMMUFD_PASID sva=yes nest=yes guest=no
	END
	put proc/cmdline intel_iommu=on,sm_on
	put boot/config-6.12.117 "$(options INTEL_IOMMU_SCALABLE_MODE_DEFAULT_ON)"
	check "sm_on does instead of the default" is "sva=yes nest=yes guest=yes"
	options | gzip >"$root/proc/config.gz"
	put boot/config-6.12.117 ""
	check "a configuration that is packed" is "sva=yes nest=yes guest=yes"
	rm "$root/proc/config.gz" "$root/boot/config-6.12.117"
	check "no configuration" is "sva=unknown nest=unknown guest=unknown"
}

has() { # VERDICT CAPABILITY..: of a device with those
	want=$1
	shift
	rm -r "$root/sys/bus/pci"
	device "$@"
	is "$want"
}

devices() {
	server devices
	check "the order of capabilities does not matter" \
		has "sva=yes nest=yes guest=yes" $pasid 0x0b:1:2:3 $pri $ats
	check "PASIDs that are not enabled" \
		has "sva=no nest=yes guest=no" $ats $pri 0x1b:0x1400:0
	check "no PRI" has "sva=yes nest=yes guest=yes" $ats $pasid
	check "page responses without PASID" \
		has "sva=no nest=yes guest=yes" $ats 0x13:1:0x0100 $pasid
	check "ATS that is off is a note" \
		has "sva=yes nest=yes guest=yes" 0x0f:0x20:0 $pri $pasid
	has x $ats $pri $pasid >"$work/null"
	printf '\033\0\1\020' | dd of="$sys/config" bs=1 seek=256 conv=notrunc 2>"$work/err"
	check "a list that loops ends" is "sva=no nest=yes guest=no"
	has x $ats >"$work/null"
	mkdir "$sys/physfn"
	capabilities $pri $pasid >"$sys/physfn/config"
	truncate -s 4096 "$sys/physfn/config"
	check "a virtual function has the PASIDs of its physical one" \
		is "sva=yes nest=yes guest=yes"
	has x $ats $pri $pasid >"$work/null"
	rm "$sys/iommu"
	check "a device behind no unit" is "sva=no nest=no guest=no"
	dev=10000:e1:00.0
	device $ats $pri $pasid
	check "a device behind VMD" is "sva=no nest=yes guest=no"
	dev=0000:3a:01.0
}

# --- how it is called ---------------------------------------------------------------

gives() { # STATUS REGEX CMD..: nothing on stdout
	status=$1 regex=$2
	shift 2
	"$@" >"$work/out" 2>"$work/err"
	got=$?
	cat "$work/out" "$work/err"
	[ "$got" -eq "$status" ] && [ ! -s "$work/out" ] && grep -qE "$regex" "$work/err"
}

valid_json() {
	grep '^{' "$work/all-json.out" | jq -es '.[0].type == "start" and
		.[-1].type == "end" and length > 20 and all(.[1:-1][];
			.type == "check" and (.for | type) == "array")' >/dev/null
}

no_line_over_79() {
	! grep -n '.\{80\}' "$here"/pasidwhy/*.out | grep -v ':{"type":"'
}

man() {
	groff -man -ww -rHY=0 -Tascii -P-cbou "$top/tools/man/pasidwhy.8"
}

same_options() {
	options='s/^ +((-[A-Za-z], )?--[a-z-]+( [A-Z]+)?)( .*)?$/\1/p'
	"$why" --help | sed -nE "$options" | sort >"$work/help"
	man | grep '^       -' | sed -nE "$options" | sort | diff "$work/help" - &&
		[ -s "$work/help" ]
}

# Each key, state and status is in the manual, so that a new one must be described.
man_has_all() {
	man >"$work/man"
	jq -r 'keys[], .state // empty' <<-END | sort -u >"$work/keys"
	$(grep -h '^{' "$here"/pasidwhy/*.out)
	END
	[ -s "$work/keys" ] || return
	for word in $(cat "$work/keys") 0 1 2 3 4; do
		grep -qw -- "$word" "$work/man" || {
			echo "$word"
			return 1
		}
	done
}

usage() {
	check "the manual has no roff warnings" sh -c \
		"[ -z \"\$(groff -man -ww -Tascii '$top/tools/man/pasidwhy.8' 2>&1 >'$work/null')\" ]"
	check "options: --help = manual" same_options
	check "keys, states and statuses are in the manual" man_has_all
	check "--version" sh -c "'$why' --version | grep -qE '^pasidwhy [0-9.]+\$'"
	check "no such device is status 2" gives 2 "no PCI device ff:1f.7" "$why" ff:1f.7
	check "nor is a path one" gives 2 "no PCI device \.\./x" "$why" ../x
	check "an unknown option is status 2" gives 2 "unknown option -Z" "$why" -Z
	check "an unknown word is status 2" gives 2 "sva, nest and guest" "$why" -f all
	check "-e without a command is status 2" gives 2 "-e takes a command" "$why" -e
check "two devices are status 2" gives 2 "unexpected argument b" "$why" a b
	check "a full disk is status 1" gives 1 "cannot write the output: No space left" \
		sh -c "exec '$why' >/dev/full"
	check "a closed stdout is status 1" gives 1 "cannot write the output" \
		sh -c "exec '$why' >&-"
	check "a reader that has gone is none" sh -c \
		"{ '$why' --help; echo \$? >'$work/status'; } | true
			[ \$(cat '$work/status') -eq 0 ]"
}

machines
bits
kernel_options
devices
usage
check "JSON parses, from start to end" valid_json
check "lines fit 79 columns" no_line_over_79
finish
