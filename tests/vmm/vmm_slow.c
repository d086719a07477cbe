// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device that answers invalidations late, beside one that does not:
 *
 *	vmm_slow MICROSECONDS|never COUNT [FILE]
 *
 * One monitor, which binds a PASID of its own on each of two devices, lets the second
 * one take that long for an answer, and invalidates a page COUNT times on each, one
 * after the other. Then it makes FILE, and goes on when that is gone. Prints as one
 * JSON object what a tracer must have seen.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pasid-dma.h"
#include "vmm.h"

#define DEVICES		2
#define VA		0x10000000ULL

static void must(int ret, const char *what)
{
	if (!ret)
		return;
	fprintf(stderr, "vmm_slow: %s: %s\n", what, strerror(-ret));
	exit(1);
}

static uint32_t bind(struct monitor *vmm, struct device *dev)
{
	uint64_t root = guest_table(vmm);
	uint32_t pasid;

	must(device_attach(dev, vmm->parent), "attach");
	must(pasid_alloc(vmm, &pasid), "PASID");
	must(pasid_bind(vmm, dev, pasid, root, 48, 0), "bind");
	guest_map(vmm, root, 48, VA, GUEST_BASE, PAGE, GUEST_RW);
	return pasid;
}

/* How many failed */
static unsigned int flush(struct monitor *vmm, struct device *dev, uint32_t pasid,
			  unsigned int count)
{
	struct iommu_cache_invalidate_info info = inv_range(pasid, VA, PAGE, 1);
	unsigned int failed = 0;

	while (count--)
		failed += !!invalidate(vmm, dev, &info, 1, NULL);
	return failed;
}

static void stay(const char *file)
{
	int fd = open(file, O_WRONLY | O_CREAT, 0600);

	must(fd < 0 ? -errno : 0, file);
	close(fd);
	while (!access(file, F_OK))
		usleep(10000);
}

int main(int argc, char **argv)
{
	unsigned int count;
	struct device dev[DEVICES];
	uint32_t pasid[DEVICES];
	struct monitor vmm;
	unsigned int i, failed[DEVICES];

	if (argc < 3) {
		fprintf(stderr, "usage: vmm_slow MICROSECONDS|never COUNT [FILE]\n");
		return 2;
	}
	count = atoi(argv[2]);
	must(monitor_open(&vmm), "monitor");
	for (i = 0; i < DEVICES; i++)
		must(device_open(&vmm, &dev[i], i), "device");
	must(device_alloc_parent(&vmm, &dev[0]), "stage 2");
	for (i = 0; i < DEVICES; i++)
		pasid[i] = bind(&vmm, &dev[i]);
	dma_answer_after(&dev[1], strcmp(argv[1], "never") ? strtoul(argv[1], NULL, 0) :
			 PDMA_INV_NEVER);
	for (i = 0; i < DEVICES; i++)
		failed[i] = flush(&vmm, &dev[i], pasid[i], count);
	dma_answer_after(&dev[1], 0);
	if (argc > 3)
		stay(argv[3]);
	for (i = 0; i < DEVICES; i++)
		must(pasid_unbind(&vmm, &dev[i], pasid[i]), "unbind");
	printf("{\"pid\": %d, \"pasids\": [%u, %u], \"count\": %u, \"failed\": [%u, %u]}\n",
	       getpid(), pasid[0], pasid[1], count, failed[0], failed[1]);
	return 0;
}
