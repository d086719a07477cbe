# SPDX-License-Identifier: GPL-2.0-only
#
# The trace tools and the programs of their tests. The top Makefile includes this,
# and it works alone: make -f tools/build.mk tools
#
# Static, so that a tool is one file that runs in an initramfs and on machines
# without libbpf.

TOOLS		:= pasidsnoop invsnoop pasidtop invlat
# Those without BPF
PLAIN_TOOLS	:= pasidwhy
SCRIPTS		:= pasid-report pasid-timeline
# For bpftool iter pin
ITERATORS	:= pasids.bpf.o
TOOLS_OUT	?= build/tools
CLANG		?= clang
BPFTOOL		?= $(or $(shell command -v bpftool),/usr/sbin/bpftool)
V		?= 0

tools-q		:= $(if $(filter 1,$(V)),,@)
tools-say	= $(if $(filter 1,$(V)),:,printf '  %-7s %s\n')
tools-obj	:= $(TOOLS_OUT)/obj
tools-cflags	:= -std=gnu11 -D_GNU_SOURCE -g -O2 -Wall -Wextra -Wmissing-prototypes \
		   -Wno-missing-field-initializers -I$(tools-obj)
tools-libs	:= -static -ljansson -lbpf -lelf -lz -lzstd -lm
tools-lib	:= $(patsubst tools/lib/%.c,$(tools-obj)/lib/%.o,$(wildcard tools/lib/*.c))
tools-parts	:= $(tools-obj)/parts.a
tools-skels	:= $(patsubst bpf/%.bpf.c,$(tools-obj)/%.skel.h,$(filter-out \
		   $(ITERATORS:%.o=bpf/%.c),$(wildcard bpf/*.bpf.c)))
# <linux/types.h> includes <asm/types.h>, which Debian keeps in a folder per
# architecture that clang leaves out for -target bpf; asked when it is used, as
# "make deps" may have to install the compiler first
bpf-cflags	= -g -O2 -Wall -Wextra -Wno-unused-parameter -target bpf -mcpu=v3 \
		   -idirafter /usr/include/$(shell $(CC) -print-multiarch 2>/dev/null)

# A message names the packages of what is not there. Another compiler may be
# named by CC= and CLANG=.
tools-needs	:= $(filter clang,$(CLANG)) $(if $(filter cc gcc,$(CC)),gcc) bpftool libc6-dev \
		   libbpf-dev libelf-dev libjansson-dev libzstd-dev zlib1g-dev
.PHONY: tools-needs
tools-needs:
	@tests/lab/deps -n $(tools-needs)

.PHONY: tools
tools: $(TOOLS:%=$(TOOLS_OUT)/%) $(PLAIN_TOOLS:%=$(TOOLS_OUT)/%) \
	$(SCRIPTS:%=$(TOOLS_OUT)/%) $(ITERATORS:%=$(TOOLS_OUT)/%) \
	$(TOOLS_OUT)/unit $(TOOLS_OUT)/pasidwork \
	$(TOOLS_OUT)/pasidhold

$(tools-obj)/%.bpf.o: bpf/%.bpf.c | tools-needs
	@mkdir -p $(@D)
	@$(tools-say) BPF $<
	$(tools-q)$(CLANG) $(bpf-cflags) -MMD -MP -c $< -o $@

$(tools-obj)/%.skel.h: $(tools-obj)/%.bpf.o
	@$(tools-say) SKEL $(@F)
	$(tools-q)$(BPFTOOL) gen skeleton $< name $*_bpf > $@.tmp && mv $@.tmp $@

# Any may include a skeleton; once it is compiled, it is known which one.
$(tools-obj)/%.o: tools/%.c | tools-needs $(tools-skels)
	@mkdir -p $(@D)
	@$(tools-say) CC $<
	$(tools-q)$(CC) $(tools-cflags) -MMD -MP -c $< -o $@

# A program takes of it what it calls.
$(tools-parts): $(patsubst tools/%.c,$(tools-obj)/%.o,$(filter-out \
		$(TOOLS:%=tools/%.c) $(PLAIN_TOOLS:%=tools/%.c),$(wildcard tools/*.c)))
	@$(tools-say) AR $@
	$(tools-q)rm -f $@ && $(AR) rcsD $@ $^

$(TOOLS:%=$(TOOLS_OUT)/%): $(TOOLS_OUT)/%: $(tools-obj)/%.o $(tools-parts) $(tools-lib)
	@$(tools-say) LD $@
	$(tools-q)$(CC) $^ $(tools-libs) -o $@

$(PLAIN_TOOLS:%=$(TOOLS_OUT)/%): $(TOOLS_OUT)/%: $(tools-obj)/%.o $(tools-parts)
	@$(tools-say) LD $@
	$(tools-q)$(CC) $^ -static -lz -o $@

$(SCRIPTS:%=$(TOOLS_OUT)/%): $(TOOLS_OUT)/%: tools/%
	@mkdir -p $(@D)
	@cp $< $@

# Without the lines of the source, which take ten times the room
$(ITERATORS:%=$(TOOLS_OUT)/%): $(TOOLS_OUT)/%: $(tools-obj)/%
	@$(tools-say) STRIP $@
	$(tools-q)$(BPFTOOL) gen object $@ $<

$(TOOLS_OUT)/unit: tests/fast/unit.c $(tools-parts) $(tools-lib) | tools-needs $(tools-skels)
	@$(tools-say) CC $<
	$(tools-q)$(CC) $(tools-cflags) -MMD -MF $(tools-obj)/unit.d -MT $@ -MP \
		$(filter-out %.h,$^) $(tools-libs) -o $@

$(TOOLS_OUT)/pasidwork $(TOOLS_OUT)/pasidhold: $(TOOLS_OUT)/%: tests/workload/%.c | tools-needs
	@mkdir -p $(@D)
	@$(tools-say) CC $<
	$(tools-q)$(CC) $(tools-cflags) $< -static -o $@

# Modules that make a known load inside the kernel; for the VM's kernel. faultmod
# drives pasid-dma, whose registers are those of the series of QEMU.
KERNEL_OUT	?= build/kernel
PASID_DMA_H	?= build/qemu/src/include/hw/misc/pasid-dma.h
.PHONY: pasidmod faultmod
faultmod: tools-header = $(PASID_DMA_H)
pasidmod faultmod:
	@mkdir -p $(TOOLS_OUT)/$@
	@cp -pu tests/workload/$@/* $(tools-header) $(TOOLS_OUT)/$@/
	@# Its BTF is relative to that of vmlinux, which kbuild forgets
	@[ $(TOOLS_OUT)/$@/$@.ko -nt $(KERNEL_OUT)/vmlinux ] || rm -f $(TOOLS_OUT)/$@/*.ko
	$(tools-q)$(MAKE) $(if $(tools-q),-s) -C $(KERNEL_OUT) \
		M=$(abspath $(TOOLS_OUT)/$@) modules

# Needs the mock device of the kernel's selftests: the exported headers, and the
# one that is its own. Of a kernel without guest PASIDs nothing can be made.
KSRC	?= build/linux
# It can be a tarball, which build/linux is then made from
tools-linux := $(if $(wildcard $(KSRC)/Makefile),$(KSRC),build/linux)
.PHONY: gpasidwork
gpasidwork:
	@mkdir -p $(TOOLS_OUT)
	@if ! grep -qs IOMMU_GPASID_BIND $(KERNEL_OUT)/usr/include/linux/iommufd.h; then \
		echo "  SKIP    $@: no guest PASIDs in $(tools-linux)"; \
		rm -f $(TOOLS_OUT)/$@; \
	else \
		$(tools-say) CC tests/workload/$@.c; \
		$(CC) $(tools-cflags) -isystem $(KERNEL_OUT)/usr/include \
			-I$(tools-linux)/drivers/iommu/iommufd tests/workload/$@.c \
			-static -o $(TOOLS_OUT)/$@; \
	fi

# A monitor with a device that does DMA. The kernel's headers and its harness of
# selftests, and the registers of the device. Each boot unpacks them all, so they share
# a C library; what goes into a guest of the VM finds none there.
VMM		:= vmm/vmm_test vmm/vmm_attach vmm/vmm_oracle vmm/vmm_demo \
		   vmm/vmm_floors vmm/vmm_try vmm/vmm_slow vmm/vmm_leave \
		   vmm/vmm_fuzz vmm/vmm_vcmd vmm/vmm_fault vmm/vmm_exhaust \
		   vmm/vmm_storm vmm/vmm_units stable/stable_test \
		   workload/procdma
vmm-sources	:= tests/vmm tests/stable tests/workload $(dir $(PASID_DMA_H)) \
		   $(KERNEL_OUT)/usr/include/linux $(tools-linux)/drivers/iommu/iommufd \
		   $(tools-linux)/tools/testing/selftests/kselftest.h \
		   $(tools-linux)/tools/testing/selftests/kselftest_harness.h
.PHONY: vmm
vmm:
	@mkdir -p $(TOOLS_OUT)
	@if ! grep -qs IOMMU_GPASID_BIND $(KERNEL_OUT)/usr/include/linux/iommufd.h; then \
		echo "  SKIP    $@: no guest PASIDs in $(tools-linux)"; \
		rm -f $(addprefix $(TOOLS_OUT)/,$(notdir $(VMM))); \
	else for program in $(VMM); do \
		[ -n "$$(find $(vmm-sources) -name '*.[ch]' -newer \
			$(TOOLS_OUT)/$${program##*/} 2>&1 | head -n 1)" ] || continue; \
		case $$program in workload/*) static=-static ;; *) static= ;; esac; \
		$(tools-say) CC tests/$$program.c; \
		$(CC) $(tools-cflags) -isystem $(KERNEL_OUT)/usr/include \
			-I$(dir $(PASID_DMA_H)) -Wno-missing-prototypes \
			-I$(tools-linux)/drivers/iommu/iommufd \
			-isystem $(tools-linux)/tools/testing/selftests -Itests/vmm \
			-Itests/workload/procmod \
			$$(find tests/$$program.c tests/$$program-*.c 2>/dev/null) \
			tests/vmm/monitor.c \
			tests/vmm/guest.c tests/vmm/pasid_dma.c tests/vmm/counts.c \
			$$static -o $(TOOLS_OUT)/$${program##*/} || exit; \
	done; fi

.SECONDARY: $(patsubst bpf/%.bpf.c,$(tools-obj)/%.bpf.o,$(wildcard bpf/*.bpf.c)) \
	    $(tools-skels) $(patsubst tools/%.c,$(tools-obj)/%.o,$(wildcard tools/*.c))
-include $(wildcard $(tools-obj)/*.d $(tools-obj)/lib/*.d)
