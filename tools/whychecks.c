// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The conditions of Linux 6.12 and of the series, each with what it is for. Names of
 * bits are those of VT-d 5.10, sections 11.4.2 (CAP) and 11.4.3 (ECAP).
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "whychecks.h"

#define NEED_ROOT	"It takes root to read this: run pasidwhy as root."

#define SYSFS_IOMMU	"/sys/class/iommu"

static void check(struct why_result *r, enum why_state state, unsigned int goals,
		  const char *of, const char *where, const char *advice,
		  const char *fmt, ...) __attribute__((format(printf, 7, 8)));

static void check(struct why_result *r, enum why_state state, unsigned int goals,
		  const char *of, const char *where, const char *advice,
		  const char *fmt, ...)
{
	struct why_check *c = &r->checks[r->nr];
	va_list ap;

	if (r->nr == sizeof(r->checks) / sizeof(r->checks[0]))
		return;
	r->nr++;
	c->state = state;
	c->goals = goals;
	c->of = of;
	c->advice = state == WHY_OK ? NULL : advice;
	snprintf(c->where, sizeof(c->where), "%s", where);
	va_start(ap, fmt);
	vsnprintf(c->what, sizeof(c->what), fmt, ap);
	va_end(ap);
}

static enum why_state needs(bool there)
{
	return there ? WHY_OK : WHY_MISSING;
}

/* --- the kernel ----------------------------------------------------------- */

static const struct {
	const char *name;
	unsigned int goals;
	bool module;		/* =m will do */
	const char *advice;
} options[] = {
	{ "CONFIG_INTEL_IOMMU", WHY_S | WHY_N | WHY_G, false,
	  "Build the kernel with CONFIG_INTEL_IOMMU=y." },
	{ "CONFIG_INTEL_IOMMU_SVM", WHY_S, false,
	  "Build the kernel with CONFIG_INTEL_IOMMU_SVM=y, which also selects CONFIG_IOMMU_SVA. Binding gives ENODEV (-19) without." },
	{ "CONFIG_IOMMUFD", WHY_N | WHY_G, true,
	  "Build the kernel with CONFIG_IOMMUFD=y or m: /dev/iommu is where page tables of guests are bound." },
	{ "CONFIG_VFIO_PCI", WHY_N | WHY_G, true,
	  "Build the kernel with CONFIG_VFIO_PCI=y or m: it gives devices to monitors." },
	{ "CONFIG_VFIO_DEVICE_CDEV", WHY_N | WHY_G, false,
	  "Build the kernel with CONFIG_VFIO_DEVICE_CDEV=y: only by /dev/vfio/devices can a device be used with /dev/iommu." },
	{ "CONFIG_IOMMUFD_PASID", WHY_G, false,
	  "This needs the nested-sva patches, with CONFIG_IOASID=y and CONFIG_IOMMUFD_PASID=y. On other kernels the calls give ENOTTY (-25)." },
};

static const char *config_file(const struct why_facts *f)
{
	return f->config ? f->config_file : "/boot/config-* and /proc/config.gz";
}

static void check_options(const struct why_facts *f, struct why_result *r)
{
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		char value = why_option(f, options[i].name);

		if (value)
			check(r, needs(value == 'y' || (value == 'm' && options[i].module)),
			      options[i].goals, "kernel", config_file(f),
			      options[i].advice, "%s=%c", options[i].name, value);
		else
			check(r, WHY_UNKNOWN, options[i].goals, "kernel", config_file(f),
			      "The configuration of this kernel is in none of the usual files. CONFIG_IKCONFIG_PROC=y puts it into /proc/config.gz.",
			      "%s=?", options[i].name);
	}
}

/*
 * Many stable kernels refuse each bind on x86, since page tables of the kernel could
 * be reused while an IOMMU had them cached, until a later series flushed those. The
 * function that is left has some instructions; the real one has hundreds of bytes.
 */
#define REFUSING_SIZE	128

static void check_refusal(const struct why_facts *f, struct why_result *r)
{
	static const char refusal[] =
		"This kernel refuses each bind on x86 with EOPNOTSUPP (-95), as 6.12 and other stable kernels do since stale entries for the kernel's own page tables were found to be a risk. A kernel with CONFIG_ASYNC_KERNEL_PGTABLE_FREE=y does not.";

	if (why_option(f, "CONFIG_INTEL_IOMMU_SVM") == 'n')
		return;
	if (why_option(f, "CONFIG_ASYNC_KERNEL_PGTABLE_FREE") == 'y')
		check(r, WHY_OK, WHY_S, "kernel", config_file(f), NULL, "SVA on x86");
	else if (f->sva_bind_size > 0)
		check(r, needs(f->sva_bind_size > REFUSING_SIZE), WHY_S, "kernel",
		      "/proc/kallsyms", refusal, "iommu_sva_bind: %ld bytes",
		      f->sva_bind_size);
	else
		check(r, WHY_UNKNOWN, WHY_S, "kernel", "/proc/kallsyms",
		      "Many stable kernels, such as 6.12.117, refuse each bind on x86 with EOPNOTSUPP (-95). Root can see whether this one does: run pasidwhy as root.",
		      "iommu_sva_bind: ? bytes");
}

/* 1 or 0 by the last of the words on and off in all intel_iommu=, -1 without any */
static int last_word(const char *cmdline, const char *on, const char *off)
{
	const char *at = cmdline;
	int last = -1;

	while ((at = strstr(at, "intel_iommu="))) {
		size_t end = strcspn(at, " \t");
		const char *word = at + strlen("intel_iommu=");

		while (word < at + end) {
			size_t len = strcspn(word, ", \t");

			if (len == strlen(on) && !strncmp(word, on, len))
				last = 1;
			else if (len == strlen(off) && !strncmp(word, off, len))
				last = 0;
			word += len + 1;
		}
		at += end;
	}
	return last;
}

static void check_scalable(const struct why_facts *f, struct why_result *r)
{
	char built = why_option(f, "CONFIG_INTEL_IOMMU_SCALABLE_MODE_DEFAULT_ON");
	int said = last_word(f->cmdline, "sm_on", "sm_off");
	static const char advice[] =
		"Boot with intel_iommu=on,sm_on: without scalable mode there are no PASIDs. Enabling SVA gives ENODEV (-19), and binding EOPNOTSUPP (-95).";

	if (said >= 0)
		check(r, needs(said), WHY_S | WHY_N | WHY_G, "kernel", "/proc/cmdline",
		      advice, "intel_iommu=%s", said ? "sm_on" : "sm_off");
	else
		check(r, built ? needs(built == 'y') : WHY_UNKNOWN,
		      WHY_S | WHY_N | WHY_G, "kernel", config_file(f), advice,
		      "scalable mode: %s", built == 'y' ? "on" : built ? "off" : "?");
}

/* --- is there an IOMMU? --------------------------------------------------- */

static const char *no_unit(const struct why_facts *f, const char **where)
{
	*where = "/proc/cmdline";
	if (!last_word(f->cmdline, "on", "off"))
		return "Boot with intel_iommu=on,sm_on: it is switched off.";
	if (!strncmp(f->cmdline, "iommu=off", 9) || strstr(f->cmdline, " iommu=off"))
		return "Boot without iommu=off, and with intel_iommu=on,sm_on.";
	*where = "/sys/firmware/acpi/tables/DMAR";
	if (f->dmar)
		return "The firmware has a DMAR table, so the machine has VT-d: boot with intel_iommu=on,sm_on, and see what the kernel's log says of DMAR.";
	if (why_flag(f, "hypervisor"))
		return "This is a virtual machine without VT-d: its monitor has to give it one, as QEMU does with -device intel-iommu.";
	return "The firmware has no DMAR table: switch VT-d on there, if the processor has it.";
}

static bool has_intel_unit(const struct why_facts *f)
{
	for (int i = 0; i < f->nr_units; i++) {
		if (f->units[i].intel)
			return true;
	}
	return false;
}

/* False if nothing more can be said */
static bool check_iommu(const struct why_facts *f, struct why_result *r)
{
	const char *where, *advice;

	if (!f->nr_units) {
		advice = no_unit(f, &where);
		check(r, WHY_MISSING, WHY_S | WHY_N | WHY_G, "unit", where, advice,
		      "no IOMMU is in use");
		return false;
	}
	if (has_intel_unit(f))
		return true;
	check(r, WHY_MISSING, WHY_N | WHY_G, "unit", SYSFS_IOMMU,
	      "Page tables of guests are for Intel's units only: Linux 6.12 nests on no other one of x86, and the driver part of the series is for VT-d.",
	      "%s is not Intel's", f->units[0].name);
	check(r, WHY_UNKNOWN, WHY_S, "unit", SYSFS_IOMMU,
	      "pasidwhy knows the registers of Intel's units only: see the kernel's log for what this one can do.",
	      "capabilities of %s", f->units[0].name);
	return false;
}

/* --- the processor -------------------------------------------------------- */

static void check_processor(const struct why_facts *f, struct why_result *r)
{
	if (f->vendor[0])
		check(r, WHY_NOTE, 0, "processor", "/proc/cpuinfo", NULL, "%s", f->vendor);
	if (why_flag(f, "hypervisor"))
		check(r, WHY_NOTE, 0, "processor", "/proc/cpuinfo",
		      "This is a virtual machine: its monitor decides what the unit can do.",
		      "a virtual machine");
	check(r, WHY_NOTE, 0, "processor", "/proc/cpuinfo",
	      why_flag(f, "enqcmd") ? NULL :
	      "Without ENQCMD a process cannot submit to shared work queues; dedicated ones do without.",
	      "enqcmd: %s", why_flag(f, "enqcmd") ? "yes" : "no");
}

/* --- the unit ------------------------------------------------------------- */

/* Of ECAP; without goals, a note */
static const struct {
	const char *name;
	unsigned int bit, goals;
	const char *advice;
} bits[] = {
	{ "SMTS", 43, WHY_S | WHY_N | WHY_G,
	  "The unit has no scalable mode, so no PASIDs. If the processor has it, firmware may hide it; in QEMU x-scalable-mode=on gives it." },
	{ "FSTS", 47, WHY_S | WHY_G,
	  "The unit cannot walk page tables of a processor. In a VM its monitor decides that." },
	{ "SSTS", 46, WHY_N | WHY_G,
	  "The unit has no second stage, into which a guest's page table could be nested." },
	{ "NEST", 26, WHY_N | WHY_G,
	  "The unit cannot nest: allocating a nesting parent and binding give EOPNOTSUPP (-95). In a VM its monitor decides that." },
	{ "PASID", 40, WHY_S | WHY_G,
	  "The unit has no PASIDs. Firmware may hide them; in QEMU x-pasid-mode=on gives them." },
	{ "SMPWCS", 48, WHY_S | WHY_G,
	  "The unit does not snoop when it walks, and so cannot set accessed and dirty bits. Enabling SVA gives ENODEV (-19), binding a guest's page table EOPNOTSUPP (-95)." },
	{ "DT", 2, WHY_S,
	  "The unit knows no caches of devices (ATS), which SVA needs: enabling it gives EINVAL (-22). In QEMU device-iotlb=on gives them." },
	{ "PRS", 29, 0,
	  "Devices cannot send page requests: what they use must be pinned or present." },
	{ "PDS", 42, 0,
	  "Page requests cannot be drained, so the kernel does not use them." },
};

static void check_bits(const struct why_unit *unit, struct why_result *r)
{
	char where[WHY_PATH];

	snprintf(where, sizeof(where), SYSFS_IOMMU "/%s/intel-iommu/ecap", unit->name);
	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
		bool set = unit->ecap >> bits[i].bit & 1;

		check(r, bits[i].goals ? needs(set) : WHY_NOTE, bits[i].goals, "unit",
		      where, set ? NULL : bits[i].advice, "ECAP.%s (%u) = %d",
		      bits[i].name, bits[i].bit, set);
	}
	if (unit->ecap >> 40 & 1)
		check(r, WHY_NOTE, 0, "unit", where, NULL, "ECAP.PSS: %u-bit PASIDs",
		      (unsigned int)(unit->ecap >> 35 & 0x1f) + 1);
}

/* The unit walks what the processor has made: it must know all of its forms. */
static void check_processor_against(const struct why_facts *f, const struct why_unit *unit,
				    struct why_result *r)
{
	char where[WHY_PATH];
	bool fs1gp = unit->cap >> 56 & 1, fs5lp = unit->cap >> 60 & 1;

	snprintf(where, sizeof(where), SYSFS_IOMMU "/%s/intel-iommu/cap", unit->name);
	if (why_flag(f, "pdpe1gb"))
		check(r, needs(fs1gp), WHY_S, "unit", where,
		      "The processor has pages of 1 GiB and the unit does not: the kernel does not enable SVA, ENODEV (-19). A VM can be given a processor without pdpe1gb.",
		      "CAP.FS1GP (56) = %d", fs1gp);
	if (why_flag(f, "la57"))
		check(r, needs(fs5lp), WHY_S, "unit", where,
		      "The processor has page tables of five levels and the unit does not: the kernel does not enable SVA, ENODEV (-19). Boot with no5lvl, or give a VM a processor without la57.",
		      "CAP.FS5LP (60) = %d", fs5lp);
	check(r, WHY_NOTE, 0, "unit", where, NULL, "CAP.CM (7) = %d%s",
	      (int)(unit->cap >> 7 & 1), unit->cap >> 7 & 1 ? ", emulated" : "");
}

static void check_unit(const struct why_facts *f, const struct why_unit *unit,
		       struct why_result *r)
{
	char where[WHY_PATH];

	snprintf(where, sizeof(where), SYSFS_IOMMU "/%s/intel-iommu/ecap", unit->name);
	if (!unit->intel) {
		check(r, WHY_MISSING, WHY_S | WHY_N | WHY_G, "unit", SYSFS_IOMMU,
		      "The device is behind a unit that is not Intel's.", "%s", unit->name);
		return;
	}
	if (!unit->known) {
		check(r, WHY_UNKNOWN, WHY_S | WHY_N | WHY_G, "unit", where, NEED_ROOT,
		      "CAP, ECAP of %.32s", unit->name);
		return;
	}
	check_bits(unit, r);
	check_processor_against(f, unit, r);
}

/* --- the device ----------------------------------------------------------- */

static void check_driver(const struct why_device *dev, struct why_result *r)
{
	bool vfio = !strcmp(dev->driver, "vfio-pci");
	char where[WHY_PATH];

	snprintf(where, sizeof(where), "/sys/bus/pci/devices/%s/driver", dev->name);
	check(r, needs(vfio), WHY_N | WHY_G, "device", where,
	      "Give it to vfio-pci: write that into the device's driver_override, unbind it from its driver, and write its name into /sys/bus/pci/drivers_probe.",
	      "driver: %.32s", dev->driver[0] ? dev->driver : "none");
	if (!vfio)
		return;
	check(r, WHY_NOTE, 0, "device", where,
	      "The device's configuration, as vfio-pci shows it, has no PASID capability, and ATS and PRI cannot be switched there: a monitor shows its guest capabilities of its own.",
	      "vfio-pci hides PASID");
	check(r, WHY_NOTE, 0, "device", where,
	      "vfio-pci binds no process: host SVA is for drivers that ask for it, such as idxd.",
	      "vfio-pci makes no SVA");
}

static void check_group(const struct why_device *dev, struct why_result *r)
{
	char where[WHY_PATH];

	snprintf(where, sizeof(where), "/sys/bus/pci/devices/%s/iommu_group", dev->name);
	check(r, needs(dev->in_group == 1), WHY_G, "device", where,
	      "The IOMMU cannot tell the devices of this group apart, so PASIDs of guests are refused with EOPNOTSUPP (-95). Bridges above with ACS, or another slot, make groups of one.",
	      "group %.16s, devices: %u", dev->group, dev->in_group);
	if (dev->subdevice)
		check(r, WHY_MISSING, WHY_S | WHY_G, "device", where,
		      "Devices behind VMD do DMA as the VMD device does: switch VMD off for this slot in the firmware.",
		      "a device behind VMD");
}

static void check_pasid(const struct why_device *dev, struct why_result *r)
{
	bool on = dev->pasid.control & 1;

	check(r, needs(dev->pasid.present), WHY_S | WHY_G, "device", dev->config,
	      "The device has no PASID capability: it cannot be given several page tables. See whether its firmware has a switch for that.",
	      "PASID capability: %s", dev->pasid.present ? "yes" : "no");
	if (!dev->pasid.present)
		return;
	check(r, needs(on), WHY_S | WHY_G, "device", dev->config,
	      "The kernel has not enabled PASIDs. It needs the unit's (above), a path on which each bridge passes TLP prefixes (lspci -vv: EETLPPrefix+), and ACS with RR and UF on the way up.",
	      "PASID enabled: %s", on ? "yes" : "no");
	check(r, WHY_NOTE, 0, "device", dev->config, NULL, "PASIDs of %u bits", dev->pasid.bits);
}

static void check_ats(const struct why_device *dev, struct why_result *r)
{
	check(r, needs(dev->ats.present), WHY_S, "device", dev->config,
	      "The device has no ATS, which enabling SVA asks for, EINVAL (-22). Page tables of guests do without.",
	      "ATS capability: %s", dev->ats.present ? "yes" : "no");
	if (dev->ats.present)
		check(r, WHY_NOTE, 0, "device", dev->config,
		      dev->ats.control & 0x8000 ? NULL :
		      "ATS is off: the unit lacks it, or the device is external and not trusted, or its root port is in no ATSR of the DMAR table, or it has not been attached yet.",
		      "ATS enabled: %s", dev->ats.control & 0x8000 ? "yes" : "no");
}

static void check_pri(const struct why_device *dev, const struct why_unit *unit,
		      struct why_result *r)
{
	bool used = unit->ecap >> 29 & 1 && unit->ecap >> 42 & 1 && dev->ats.present;

	check(r, WHY_NOTE, 0, "device", dev->config,
	      dev->pri.present ? NULL :
	      "Without PRI the driver has to deal with faults of the device itself.",
	      "PRI capability: %s", dev->pri.present ? "yes" : "no");
	/* It is asked for when page requests are enabled on a device with PASIDs */
	if (used && dev->pri.present && dev->pasid.present && !(dev->pri.status & 0x8000))
		check(r, WHY_MISSING, WHY_S, "device", dev->config,
		      "The device answers page requests without a PASID in the response: enabling them, and so SVA, gives EINVAL (-22).",
		      "PRI responses with PASID: no");
}

static void check_config_space(const struct why_device *dev, const struct why_unit *unit,
			       struct why_result *r)
{
	if (dev->config_size <= 64) {
		check(r, WHY_UNKNOWN, WHY_S | WHY_G, "device", dev->config, NEED_ROOT,
		      "ATS, PRI, PASID: ?");
		return;
	}
	if (dev->config_size <= 256)
		check(r, WHY_NOTE, 0, "device", dev->config,
		      "The device shows no extended configuration space: it is no PCIe device, is behind a bridge to PCI, or the machine has no ECAM (MCFG table).",
		      "conventional PCI");
	check_pasid(dev, r);
	check_ats(dev, r);
	check_pri(dev, unit, r);
}

static void check_device(const struct why_facts *f, struct why_result *r)
{
	const struct why_device *dev = &f->dev;
	const struct why_unit *unit = why_unit_of(f);
	char where[WHY_PATH];

	snprintf(where, sizeof(where), "/sys/bus/pci/devices/%s/iommu", dev->name);
	check(r, needs(unit), WHY_S | WHY_N | WHY_G, "device", where,
	      "No IOMMU translates this device: see which the DMAR table leaves out, and whether the command line excludes graphics (igfx_off).",
	      "behind: %.32s", dev->unit[0] ? dev->unit : "no unit");
	if (!unit)
		return;
	check_config_space(dev, unit, r);
	check_group(dev, r);
	check_driver(dev, r);
}

/* --- all of it ------------------------------------------------------------ */

void why_judge(const struct why_facts *f, struct why_result *r)
{
	check(r, WHY_NOTE, 0, "kernel", "/proc/sys/kernel/osrelease", NULL, "%.48s",
	      f->release);
	check_options(f, r);
	check_scalable(f, r);
	check_refusal(f, r);
	check_processor(f, r);
	if (!check_iommu(f, r))
		return;
	for (int i = 0; i < f->nr_units; i++) {
		if (!f->dev.name[0] || !strcmp(f->units[i].name, f->dev.unit))
			check_unit(f, &f->units[i], r);
	}
	if (f->dev.name[0])
		check_device(f, r);
}

enum why_state why_verdict(const struct why_result *r, enum why_goal goal)
{
	enum why_state worst = WHY_OK;

	for (int i = 0; i < r->nr; i++) {
		if (!(r->checks[i].goals & 1U << goal))
			continue;
		if (r->checks[i].state == WHY_MISSING)
			return WHY_MISSING;
		if (r->checks[i].state == WHY_UNKNOWN)
			worst = WHY_UNKNOWN;
	}
	return worst;
}
