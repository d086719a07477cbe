// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counts of what is in use, by whomever: tests see by them what was lost. And of what the
 * kernel was seen to do.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "vmm.h"

#define INTEL_DEBUGFS	"/sys/kernel/debug/iommu/intel/"

/* The number behind @name, at the start of a line of @file, or -1 */
long number_in(const char *path, const char *name)
{
	FILE *file = fopen(path, "r");
	long number = -1;
	char line[256];

	while (file && number < 0 && fgets(line, sizeof(line), file))
		if (strncmp(line, name, strlen(name)) ||
		    sscanf(line + strlen(name), "%ld", &number) != 1)
			number = -1;
	if (file)
		fclose(file);
	return number;
}

/* PASIDs that are allocated: each is charged to some cgroup */
int pasids_in_use(void)
{
	return number_in("/sys/fs/cgroup/misc.current", "pasid");
}

/* How many domain ids of the unit are taken, or a negative number */
int unit_domain_ids(void)
{
	return number_in("/sys/class/iommu/dmar0/intel-iommu/domains_used", "");
}

/* Entries of PASIDs that are present, those of DMA without PASID apart */
int unit_pasid_entries(void)
{
	FILE *file = fopen(INTEL_DEBUGFS "dmar_translation_struct", "r");
	unsigned int pasid;
	char line[256];
	int nr = 0;

	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file))
		nr += sscanf(line, "%*x:%*x.%*x 0x%*x:0x%*x 0x%*x:0x%*x %u",
			     &pasid) == 1 && pasid;
	fclose(file);
	return nr;
}

/* A process that ends must leave these as they were */
struct in_use in_use(void)
{
	return (struct in_use) {
		.pasids = pasids_in_use(),
		.domain_ids = unit_domain_ids(),
		.entries = unit_pasid_entries(),
	};
}

/* Some files are there in some kernels only */
void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC);

	if (fd < 0 && errno == ENOENT)
		return;
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		printf("# %s: %s\n", path, strerror(errno));
	close(fd);
}

/* Events of @task in the trace whose line has @text; 0: of all */
unsigned int traced(const char *text, pid_t task)
{
	FILE *file = fopen(TRACING "trace", "r");
	unsigned int nr = 0;
	char line[512];
	long pid;

	while (file && fgets(line, sizeof(line), file))
		nr += sscanf(line, " %*[^-]-%ld", &pid) == 1 &&
		      (!task || pid == task) && strstr(line, text);
	if (file)
		fclose(file);
	return nr;
}

/* Lines of the kernel's log, as far as it is there, that have @text */
unsigned int logged(const char *text)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	unsigned int nr = 0;
	char line[1024];
	ssize_t len;

	while (fd >= 0) {
		len = read(fd, line, sizeof(line) - 1);
		if (len < 0 && errno == EPIPE)	/* overwritten meanwhile */
			continue;
		if (len <= 0)
			break;
		line[len] = 0;
		nr += !!strstr(line, text);
	}
	if (fd >= 0)
		close(fd);
	return nr;
}
