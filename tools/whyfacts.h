/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Everything that pasidwhy reads of a machine. Nothing is judged here. */
#ifndef WHYFACTS_H
#define WHYFACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WHY_NAME	64
#define WHY_PATH	256

/* A unit of /sys/class/iommu */
struct why_unit {
	char name[WHY_NAME];
	bool intel;
	bool known;		/* both registers were read */
	uint64_t cap, ecap;
};

/* An extended capability of a PCI device */
struct why_cap {
	bool present;
	uint16_t control;
	uint16_t status;	/* of PRI */
	uint8_t bits;		/* of PASID: how wide one is */
};

struct why_device {
	char name[WHY_NAME];
	char unit[WHY_NAME];	/* "": it is behind none */
	char driver[WHY_NAME];	/* "": it has none */
	char group[WHY_NAME];	/* "": it is in none */
	unsigned int in_group;
	bool subdevice;		/* of VMD: its DMA is that of another device */
	char config[WHY_PATH];	/* what was read for the capabilities */
	/* Bytes that could be read: 64 without root, 256 where it is no PCIe */
	size_t config_size;
	struct why_cap ats, pri, pasid;
};

struct why_facts {
	char release[WHY_NAME];
	char cmdline[4096];
	char *config;		/* NULL: there is none that could be read */
	char config_file[WHY_PATH];
	char vendor[WHY_NAME];
	char flags[8192];	/* of the processor, with blanks around each */
	bool dmar;		/* the firmware has a DMAR table */
	/* Of iommu_sva_bind_device(): 0 if there is none, -1 if nobody tells */
	long sva_bind_size;
	struct why_unit units[64];
	int nr_units;
	struct why_device dev;	/* "": no device was asked for */
};

/* Everything below root, which is "" for this machine */
void why_read(struct why_facts *f, const char *root);
/* False if there is no such PCI device */
bool why_read_device(struct why_facts *f, const char *root, const char *name);

/* 'y', 'm', or 'n'; 0 if the configuration could not be read */
char why_option(const struct why_facts *f, const char *option);
bool why_flag(const struct why_facts *f, const char *flag);
const struct why_unit *why_unit_of(const struct why_facts *f);

#endif /* WHYFACTS_H */
