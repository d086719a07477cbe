#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# In the VM, by tests/host/bare.sh: a Debian in a directory, and the package.

# shellcheck source=/dev/null
. /lib/ktap.sh
bare=/run/bare
mkdir $bare
tar -xf root.tar -C $bare
rm root.tar
for dir in proc sys dev; do
	mount -o rbind /$dir $bare/$dir
done
deb=$(basename ./*.deb)
cp "$deb" $bare/run/

# inside COMMAND..: as somebody who has logged in there
inside() {
	chroot $bare /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root "$@"
}

# Names, modes and sizes of all but what is dpkg's own; and programs in the kernel
state() {
	(cd $bare && find . -xdev ! -path './var/lib/dpkg/*' ! -path './var/log/*' \
		! -path './run/*' ! -type d -exec ls -ln {} + | sort -k 9
		find $bare/var/lib/dpkg/info | sort)
	grep -c 'bpf_prog_' /proc/kallsyms
	find /sys/fs/bpf
}

gives() { # STATUS TEXT COMMAND..: inside
	want=$1 text=$2
	shift 2
	inside timeout -s KILL 100 "$@" >out 2>&1
	status=$?
	cat out
	[ "$status" -eq "$want" ] && grep -q -e "$text" out
}

has_nothing() {
	cat $bare/etc/debian_version
	! find $bare/usr -name jq -o -name perf -o -name 'libbpf*' -o -name 'libelf*' \
		-o -name 'libjansson*' | grep .
}

is_installed() {
	inside dpkg -i "/run/$deb" && inside dpkg -s nested-sva-tools |
		grep 'ok installed' && [ -z "$(inside dpkg -V nested-sva-tools)" ]
}

reports() {
	gives 0 '' pasid-report -d 1 -o /run/report.tar && tar -tf $bare/run/report.tar
}

is_removed() {
	inside dpkg -P nested-sva-tools && state >after && diff before after
}

mount -t bpf bpf /sys/fs/bpf
state >before
check "there is nothing that the tools could need" has_nothing
check "it is installed" is_installed
check "pasidsnoop" gives 0 ' 0 events, 0 lost' pasidsnoop -- true
check "invsnoop" gives 0 ' 0 lost, 0 missed' invsnoop -- true
check "pasidtop" gives 0 '2 snapshots, 0 lost' pasidtop 0.2 2
check "invlat" gives 0 '1 snapshots, 0 lost' invlat -- true
check "pasidwhy" gives 4 '^G   no ' pasidwhy
check "pasid-report" reports
check "pasid-timeline needs jq, and says so" gives 1 'apt install jq' \
	pasid-timeline recording
check "nothing stays when it is removed" is_removed
finish
