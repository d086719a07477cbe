# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# In the VM: a QEMU as the monitor of a guest to which a pasid-dma is assigned. In this
# directory lie qemu/, which is Debian's, or own/, of tests/lab/qemu, linux-*/ with a
# kernel and its modules, and the guest's init.

guest_device=0000:00:1d.0
guest_monitor=qemu

# A VT-d that nests, with more PROPERTIES
guest_unit() {
	case $guest_monitor in
	own) echo "intel-iommu,intremap=on,caching-mode=on,x-gpasid=on$1" ;;
	*) echo "intel-iommu,intremap=on,scalable-mode=on,fsts=on,caching-mode=on$1" ;;
	esac
}

# guest_qemu UNIT KERNEL KERNEL-ARGUMENTS OPTION..: UNIT is "none", or more
# properties of a VT-d that nests. Each byte on the console is some exits of a
# processor under TCG, and calibration waits for a busy host.
guest_qemu() {
	unit=$1 kernel=$2 append=$3
	shift 3
	set -- "$@" -object iommufd,id=iommufd0 \
		-device "vfio-pci,host=$guest_device,iommufd=iommufd0"
	[ "$unit" = none ] || set -- -device "$(guest_unit "$unit")" "$@"
	"$guest_monitor/ld.so" --library-path "$guest_monitor" \
		"$guest_monitor/qemu-system-x86_64" -L "$guest_monitor" \
		-M q35,kernel-irqchip=split -accel kvm -m 512M -nodefaults \
		-no-user-config -no-reboot -display none -pidfile guest.pid \
		-kernel "linux-$kernel/vmlinuz" -initrd guest.cpio \
		-append "console=ttyS0 quiet panic=-1 tsc=reliable no_timer_check \
			intel_iommu=on,sm_on iommu.strict=1 $append" "$@"
}

# guest_pack KERNEL: the root file system, with the modules and procdma in /t
guest_pack() {
	mkdir -p root/bin root/dev root/proc root/sys root/root root/t
	cp /bin/busybox /bin/procdma root/bin/
	ln -s busybox root/bin/sh
	cp init.sh root/init
	cp "linux-$1"/*.ko root/t/
	(cd root && find . | cpio -o -H newc) >guest.cpio 2>/dev/null
	rm -r root
}

# guest_start UNIT KERNEL: returns once guest_do can be used; 125 if QEMU has ended
guest_start() {
	guest_pack "$2"
	mkfifo guest.in guest.out
	exec 3<>guest.in 4<>guest.out
	{
		guest_qemu "$1" "$2" guest.serve \
			-serial file:guest.console -serial chardev:port \
			-chardev pipe,id=port,path=guest 2>qemu.log
		touch guest.ended
		echo "=end 125" >&4
	} &
	guest_answer
}

# The guest's lines up to its status
guest_answer() {
	while read -r guest_line <&4; do
		case $guest_line in
		=end\ *) return "${guest_line#=end }" ;;
		*) echo "$guest_line" ;;
		esac
	done
}

# guest_do COMMAND: prints what it prints in the guest, and returns its status, or
# 125 if QEMU has ended
guest_do() {
	[ ! -e guest.ended ] || return 125
	echo "$1" >&3
	guest_answer
}

guest_stop() {
	guest_do "poweroff -f"
	[ $? -eq 125 ]
}

# Without a word to QEMU; returns once all of it is closed
guest_kill() {
	kill -9 "$(cat guest.pid)"
	guest_answer
	[ $? -eq 125 ]
}
