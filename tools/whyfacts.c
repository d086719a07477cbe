// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/pci_regs.h>
#include <zlib.h>

#include "whyfacts.h"

#define CONFIG_SPACE	4096	/* of a PCIe function */

/* The file's content with a NUL behind it, at most size bytes; the number read */
static size_t slurp(const char *root, const char *path, char *buf, size_t size)
{
	char full[2 * WHY_PATH];
	size_t n = 0;
	FILE *f;

	snprintf(full, sizeof(full), "%s%s", root, path);
	f = fopen(full, "re");
	if (f) {
		n = fread(buf, 1, size - 1, f);
		fclose(f);
	}
	buf[n] = '\0';
	return n;
}

static void read_line(const char *root, const char *path, char *buf, size_t size)
{
	slurp(root, path, buf, size);
	buf[strcspn(buf, "\n")] = '\0';
}

static bool exists(const char *root, const char *path)
{
	char full[2 * WHY_PATH];

	snprintf(full, sizeof(full), "%s%s", root, path);
	return !access(full, F_OK);
}

/* The last part of what a link points to; "" if there is no link */
static void link_name(const char *root, const char *path, char *name)
{
	char full[2 * WHY_PATH], target[WHY_PATH];
	ssize_t n;
	char *last;

	snprintf(full, sizeof(full), "%s%s", root, path);
	n = readlink(full, target, sizeof(target) - 1);
	target[n > 0 ? n : 0] = '\0';
	last = strrchr(target, '/');
	snprintf(name, WHY_NAME, "%.*s", WHY_NAME - 1, last ? last + 1 : target);
}

/* Calls fn for each name in a directory; how many there were */
static unsigned int for_each_name(const char *root, const char *path,
				  void (*fn)(const char *name, void *ctx), void *ctx)
{
	char full[2 * WHY_PATH];
	struct dirent **names;
	unsigned int seen = 0;
	int n;

	snprintf(full, sizeof(full), "%s%s", root, path);
	n = scandir(full, &names, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		if (names[i]->d_name[0] != '.') {
			seen++;
			if (fn)
				fn(names[i]->d_name, ctx);
		}
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	return seen;
}

/* --- the kernel ----------------------------------------------------------- */

/* gzread() takes files that are not compressed as they are. */
static char *gunzip(const char *root, const char *path)
{
	enum { SIZE = 4 << 20 };
	char full[2 * WHY_PATH];
	char *text = NULL;
	gzFile f;
	int n;

	snprintf(full, sizeof(full), "%s%s", root, path);
	f = gzopen(full, "re");
	if (!f)
		return NULL;
	text = malloc(SIZE);
	n = text ? gzread(f, text, SIZE - 1) : -1;
	gzclose(f);
	if (n <= 0) {
		free(text);
		return NULL;
	}
	text[n] = '\0';
	return text;
}

static void read_config(struct why_facts *f, const char *root)
{
	static const char *const places[] = {
		"/proc/config.gz", "/boot/config-%s", "/lib/modules/%s/config",
		"/usr/lib/modules/%s/config",
	};

	for (size_t i = 0; !f->config && i < sizeof(places) / sizeof(places[0]); i++) {
		snprintf(f->config_file, sizeof(f->config_file), places[i], f->release);
		f->config = gunzip(root, f->config_file);
	}
	if (!f->config)
		f->config_file[0] = '\0';
}

char why_option(const struct why_facts *f, const char *option)
{
	const char *at = f->config;
	size_t len = strlen(option);

	if (!at)
		return 0;
	while ((at = strstr(at, option))) {
		if ((at == f->config || at[-1] == '\n') && at[len] == '=')
			return at[len + 1];
		at += len;
	}
	return 'n';
}

/*
 * The distance to the next symbol. Addresses are 0 for who may not see them.
 * A symbol of a module ends the search: the kernel's own come first.
 */
static long function_size(const char *root, const char *name)
{
	char full[2 * WHY_PATH], line[512], symbol[256];
	unsigned long long at, from = 0;
	long size = 0;
	FILE *f;

	snprintf(full, sizeof(full), "%s/proc/kallsyms", root);
	f = fopen(full, "re");
	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%llx %*c %255s", &at, symbol) != 2)
			continue;
		if (size && at > from) {
			size = at - from;
			break;
		}
		if (!strcmp(symbol, name)) {
			from = at;
			size = -1;	/* until the next one tells */
			if (!at)
				break;
		}
	}
	fclose(f);
	return size;
}

/* --- the processor -------------------------------------------------------- */

static void read_processor(struct why_facts *f, const char *root)
{
	char full[2 * WHY_PATH], line[sizeof(f->flags)], *value;
	FILE *cpuinfo;

	snprintf(full, sizeof(full), "%s/proc/cpuinfo", root);
	cpuinfo = fopen(full, "re");
	while (cpuinfo && !f->flags[0] && fgets(line, sizeof(line), cpuinfo)) {
		line[strcspn(line, "\n")] = '\0';
		value = strchr(line, ':');
		if (!value)
			continue;
		if (!strncmp(line, "vendor_id", 9))
			snprintf(f->vendor, sizeof(f->vendor), "%.*s", WHY_NAME - 1,
				 value + strspn(value, ": "));
		else if (!strncmp(line, "flags", 5))
			snprintf(f->flags, sizeof(f->flags), "%.*s ",
				 (int)sizeof(f->flags) - 2, value + 1);
	}
	if (cpuinfo)
		fclose(cpuinfo);
}

bool why_flag(const struct why_facts *f, const char *flag)
{
	char word[WHY_NAME];

	snprintf(word, sizeof(word), " %s ", flag);
	return strstr(f->flags, word);
}

/* --- the units ------------------------------------------------------------ */

struct reading {
	struct why_facts *f;
	const char *root;
};

static bool read_register(const char *root, const char *unit, const char *name,
			  uint64_t *value)
{
	char path[WHY_PATH], text[32], *end;

	snprintf(path, sizeof(path), "/sys/class/iommu/%s/intel-iommu/%s", unit, name);
	read_line(root, path, text, sizeof(text));
	*value = strtoull(text, &end, 16);
	return text[0] && !*end;
}

static void read_unit(const char *name, void *ctx)
{
	struct reading *r = ctx;
	struct why_facts *f = r->f;
	struct why_unit *unit = &f->units[f->nr_units];
	char path[WHY_PATH];

	/* The mock of the kernel's selftests translates for nothing real. */
	if (f->nr_units == sizeof(f->units) / sizeof(f->units[0]) ||
	    !strncmp(name, "iommufd_selftest", strlen("iommufd_selftest")))
		return;
	f->nr_units++;
	snprintf(unit->name, sizeof(unit->name), "%.*s", WHY_NAME - 1, name);
	snprintf(path, sizeof(path), "/sys/class/iommu/%s/intel-iommu", unit->name);
	unit->intel = exists(r->root, path);
	unit->known = read_register(r->root, unit->name, "cap", &unit->cap) &&
		      read_register(r->root, unit->name, "ecap", &unit->ecap);
}

const struct why_unit *why_unit_of(const struct why_facts *f)
{
	for (int i = 0; i < f->nr_units; i++) {
		if (!strcmp(f->units[i].name, f->dev.unit))
			return &f->units[i];
	}
	return NULL;
}

void why_read(struct why_facts *f, const char *root)
{
	struct reading reading = { f, root };

	read_line(root, "/proc/sys/kernel/osrelease", f->release, sizeof(f->release));
	read_line(root, "/proc/cmdline", f->cmdline, sizeof(f->cmdline));
	read_config(f, root);
	f->sva_bind_size = function_size(root, "iommu_sva_bind_device");
	read_processor(f, root);
	f->dmar = exists(root, "/sys/firmware/acpi/tables/DMAR");
	for_each_name(root, "/sys/class/iommu", read_unit, &reading);
}

/* --- the device ----------------------------------------------------------- */

static uint16_t word_at(const unsigned char *config, unsigned int at)
{
	return config[at] | config[at + 1] << 8;
}

/* Fills in one of the three; each has its control 6 bytes in, but for PRI */
static void read_cap(struct why_device *dev, const unsigned char *config,
		     unsigned int id, unsigned int at)
{
	switch (id) {
	case PCI_EXT_CAP_ID_ATS:
		dev->ats = (struct why_cap) {
			.present = true,
			.control = word_at(config, at + PCI_ATS_CTRL),
		};
		break;
	case PCI_EXT_CAP_ID_PRI:
		dev->pri = (struct why_cap) {
			.present = true,
			.control = word_at(config, at + PCI_PRI_CTRL),
			.status = word_at(config, at + PCI_PRI_STATUS),
		};
		break;
	case PCI_EXT_CAP_ID_PASID:
		dev->pasid = (struct why_cap) {
			.present = true,
			.control = word_at(config, at + PCI_PASID_CTRL),
			.bits = word_at(config, at + PCI_PASID_CAP) >> 8 & 0x1f,
		};
		break;
	}
}

/* The list starts at 0x100 and each entry names the next: bounded, as it may loop */
static void read_caps(struct why_device *dev, const unsigned char *config, size_t size)
{
	unsigned int at = PCI_CFG_SPACE_SIZE;

	for (int i = 0; i < CONFIG_SPACE / 8; i++) {
		uint32_t header;

		if (at < PCI_CFG_SPACE_SIZE || at + 16 > size)
			return;
		header = word_at(config, at) | (uint32_t)word_at(config, at + 2) << 16;
		if (!header || header == UINT32_MAX)
			return;
		read_cap(dev, config, PCI_EXT_CAP_ID(header), at);
		at = PCI_EXT_CAP_NEXT(header);
	}
}

/* A virtual function uses the PASIDs and the PRI of its physical one. */
static void read_config_space(struct why_device *dev, const char *root, const char *dir)
{
	char config[CONFIG_SPACE + 1], path[2 * WHY_PATH];
	struct why_cap ats;

	snprintf(dev->config, sizeof(dev->config), "%s/config", dir);
	dev->config_size = slurp(root, dev->config, config, sizeof(config));
	read_caps(dev, (unsigned char *)config, dev->config_size);
	snprintf(path, sizeof(path), "%s/physfn/config", dir);
	if (!exists(root, path))
		return;
	ats = dev->ats;
	snprintf(dev->config, sizeof(dev->config), "%.*s", WHY_PATH - 1, path);
	dev->config_size = slurp(root, dev->config, config, sizeof(config));
	read_caps(dev, (unsigned char *)config, dev->config_size);
	dev->ats = ats;
}

bool why_read_device(struct why_facts *f, const char *root, const char *name)
{
	struct why_device *dev = &f->dev;
	char dir[WHY_PATH / 2], path[WHY_PATH];
	unsigned int domain;

	snprintf(dir, sizeof(dir), "/sys/bus/pci/devices/%.*s", WHY_NAME - 1, name);
	if (!name[0] || !exists(root, dir))
		return false;
	snprintf(dev->name, sizeof(dev->name), "%.*s", WHY_NAME - 1, name);
	snprintf(path, sizeof(path), "%s/iommu", dir);
	link_name(root, path, dev->unit);
	snprintf(path, sizeof(path), "%s/driver", dir);
	link_name(root, path, dev->driver);
	snprintf(path, sizeof(path), "%s/iommu_group", dir);
	link_name(root, path, dev->group);
	snprintf(path, sizeof(path), "%s/iommu_group/devices", dir);
	dev->in_group = for_each_name(root, path, NULL, NULL);
	/* The domains of VMD are those that no ACPI segment can have */
	dev->subdevice = sscanf(name, "%x:", &domain) == 1 && domain > 0xffff;
	read_config_space(dev, root, dir);
	return true;
}
