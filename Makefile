# SPDX-License-Identifier: GPL-2.0-only
#
# Every target of the project. All products go to build/.

SHELL		:= /bin/sh
KSRC		?= build/linux
V		?= 0
.DEFAULT_GOAL	:= help
.DELETE_ON_ERROR:
# "deps" comes first, and the scripts use all processors themselves
.NOTPARALLEL:
.PHONY: help deps source apply unapply tree export refresh hunks pages kernel kernel-debug
.PHONY: kselftest initramfs vm guest vm-guest demo qemu qemu-tree qemu-export
.PHONY: check check-fast bisect stable mails kernel-stable coverage fuzz bench
.PHONY: install deb clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1|\2/p' $(MAKEFILE_LIST) | \
		awk -F'|' '{ printf "  make %-12s %s\n", substr($$1, 3), $$2 }'

include tools/build.mk

# One word for the shell, whatever is in it
quote = '$(subst ','\'',$(1))'

deps: ## install what is missing (Debian 12 or 13, root or sudo)
	@tests/lab/deps

# --- the series ---------------------------------------------------------------

source: deps
	@patches/bin/source

apply: ## apply the series to the kernel tree KSRC=
	@patches/bin/apply $(call quote,$(KSRC))

unapply: ## take the series back out of the kernel tree KSRC=
	@patches/bin/apply -R $(call quote,$(KSRC))

tree: deps ## build/tree: a git tree of the base and the series, to work in
	@patches/bin/tree

export: ## write patches/ from build/tree
	@patches/bin/export

refresh: deps ## bring BASE and patches/ to a newer Linux 6.12.N [TO=6.12.N]
	@patches/bin/refresh $(if $(TO),$(call quote,$(TO)))

stable: initramfs kernel-stable ## patches/stable as mails, if all of it holds
	@patches/bin/stable

mails: deps ## a part of the series as mails: PART=4 [SINCE=COMMIT]
	@patches/bin/mails $(call quote,$(PART)) $(if $(SINCE),$(call quote,$(SINCE)))

bisect: deps ## build, boot and test every prefix of the series [FROM= TO=]
	@patches/bin/bisect

hunks: initramfs ## each rule and hunk of the series broken, and noticed: hours
	@MUTANTS=. LANES=$${LANES:-$$(($$(nproc) * 2))} SLOWDOWN=4 tests/run vm host/mutants
	@patches/bin/pages -r

pages: deps ## build/pages: a page for each patch [SIZES=1: its bytes, too]
	@patches/bin/pages $(if $(SIZES),-s)

# --- the virtual machine ------------------------------------------------------

kernel: source ## build the kernel of the VM: build/kernel
	@tests/lab/vm/kernel build/linux build/kernel

kernel-debug: source ## the same with KASAN, lockdep, kmemleak and gcov
	@tests/lab/vm/kernel -c build/linux build/kernel-debug tests/lab/vm/config.debug
	@mkdir -p build/debug-bugs
	@cp -u tests/host/debug/Kbuild tests/host/debug/*.c build/debug-bugs/
	@rm -f build/debug-bugs/*.ko
	@$(MAKE) -s -C build/kernel-debug M=$(CURDIR)/build/debug-bugs modules

kernel-stable: source qemu ## kernels before and after patches/stable; to look for races
	@tests/stable/kernels

kselftest: kernel
	@tests/lab/kselftest build/linux build/kernel build/kselftest

# tools/build.mk has the recipes
pasidmod: kernel
faultmod: kernel qemu
gpasidwork: kselftest
vmm: kselftest qemu

initramfs: kernel tools kselftest pasidmod faultmod gpasidwork vmm
	@tests/lab/vm/initramfs build/vm/initramfs.cpio build/kernel \
		build/tools build/kselftest:/kselftest

vm: initramfs ## a shell in the VM
	@tests/lab/vm/boot -i

guest: qemu ## build/guest: a QEMU and kernels of Debian's, for a guest in the VM
	@tests/lab/guest/fetch
	@tests/lab/guest/module tests/workload/procmod $(PASID_DMA_H)
	@tests/lab/guest/smpwc build/guest/qemu build/guest/smpwc/qemu
	@tests/lab/guest/own build/guest/qemu build/guest/own

vm-guest: initramfs guest ## a shell in that guest [GUEST=6.12|7.3 UNIT= QEMU=]
	@tests/lab/guest/shell

demo: initramfs ## from nothing to live traces of DMA through nested translation
	@tests/lab/vm/demo

# --- QEMU with a VT-d that nests ----------------------------------------------

qemu: deps ## build/qemu/out: QEMU with the series of tests/lab/qemu
	@tests/lab/qemu/build

qemu-tree: deps ## build/qemu/src: a git tree of QEMU and its series
	@tests/lab/qemu/tree

qemu-export: ## write tests/lab/qemu/patches from build/qemu/src
	@tests/lab/qemu/export

# --- proof --------------------------------------------------------------------

# NO_DEBUG_KERNEL=1 saves a quarter of an hour; its tests count as skipped then
check: initramfs qemu kernel-stable build/promtool $(if $(NO_DEBUG_KERNEL),,kernel-debug) ## every test there is
	@tests/run all

check-fast: deps tools build/promtool ## what needs no root and no VM [TESTS=WORD..]
	@tests/run fast $(TESTS)

build/promtool:
	@tests/lab/promtool

coverage: initramfs qemu kernel-debug ## which lines of the series the tests execute
	@ALL=1 SLOWDOWN=4 tests/run vm host/debug
	@cd build/vm/debug && xargs ../../../tests/host/debug/coverage.py -u \
		../../kernel-debug <boots

fuzz: initramfs qemu kernel-debug ## random calls, steps and kills, debug kernel [STEPS= ROUNDS= SEED=]
	@STEPS=$(or $(STEPS),1000000) ROUNDS=$(or $(ROUNDS),1000) \
		SEED=$(or $(SEED),$(shell date +%s)) tests/lab/vm/fuzz build/kernel-debug

bench: initramfs ## what operations cost, against what is replaced, and the least
	@tests/bench/run
	@tests/bench/floors
	@tests/bench/tools
	@tests/bench/plot

# --- the rest -----------------------------------------------------------------

PREFIX		?= /usr/local
install-to	= $(call quote,$(DESTDIR)$(PREFIX)/$(1))
programs	:= $(TOOLS) $(PLAIN_TOOLS) $(SCRIPTS)
install: tools ## install the tools, manuals and completions (DESTDIR=, PREFIX=)
	install -d $(call install-to,sbin) $(call install-to,share/man/man8) \
		$(call install-to,share/bash-completion/completions) \
		$(call install-to,lib/nested-sva)
	install -m 755 $(programs:%=$(TOOLS_OUT)/%) $(call install-to,sbin)
	install -m 644 $(programs:%=tools/man/%.8) $(call install-to,share/man/man8)
	install -m 644 $(ITERATORS:%=$(TOOLS_OUT)/%) $(call install-to,lib/nested-sva)
	for tool in $(programs); do \
		install -m 644 tools/completion.bash \
			$(call install-to,share/bash-completion/completions)/$$tool || exit; \
	done
	install -m 644 tools/alerts.yml $(call install-to,lib/nested-sva)

deb: tools ## build/nested-sva-tools_*.deb: a package of them, static
	@tools/deb/build

clean: ## remove build/
	rm -rf build
