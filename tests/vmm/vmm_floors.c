// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cost of an operation in descriptors and waits: each is done once, after a NOP
 * of the device whose source is the number of the case. The unit's log between two
 * of them tells (tests/bench/floors), and the trace between two of its markers.
 */
#include <stdio.h>
#include <stdlib.h>

#include "pasid-dma.h"
#include "vmm.h"

#define BOUND	64

static struct monitor vmm;
static struct device dev, other;
static uint64_t root;

/* All of this is known to work: tests/vmm/vmm_test.c */
static void must(int ret)
{
	if (ret) {
		fprintf(stderr, "vmm_floors: error %d\n", ret);
		exit(1);
	}
}

static void mark(unsigned int nr)
{
	struct dma nop = { .op = PDMA_OP_NOP, .src = nr };
	FILE *trace = fopen("/sys/kernel/tracing/trace_marker", "w");

	must(dma_run(&dev, &nop));
	if (!trace)
		return;
	fprintf(trace, "case %u\n", nr);
	fclose(trace);
}

/* A request for each page: with 1 as distance they make up a range */
static void pages(unsigned int nr, unsigned int distance)
{
	static struct iommu_cache_invalidate_info infos[256];
	unsigned int i;

	for (i = 0; i < nr; i++)
		infos[i] = inv_range(1, i * distance * PAGE, PAGE, 1);
	must(invalidate(&vmm, &dev, infos, nr, NULL));
}

static void range(uint64_t va, uint64_t pages)
{
	struct iommu_cache_invalidate_info info = inv_range(1, va, PAGE, pages);

	must(invalidate(&vmm, &dev, &info, 1, NULL));
}

/* By mainline's interface, without PASID: what there is to be compared with */
static void hwpt_scattered(uint32_t pt_id, unsigned int nr)
{
	while (nr--)
		must(device_invalidate(&vmm, pt_id, nr * 16 * PAGE, 1));
}

int main(void)
{
	uint32_t pt_id;
	unsigned int i;

	must(monitor_open(&vmm));
	must(device_open(&vmm, &dev, 0));
	must(device_open(&vmm, &other, 1));
	must(device_alloc_parent(&vmm, &dev));
	root = guest_table(&vmm);
	must(device_alloc_nested(&vmm, &dev, root, 0, &pt_id));
	must(device_attach(&dev, pt_id));
	must(pasid_bind_local(&vmm, &dev, 1, root));

	mark(1);
	range(0x1000, 1);
	mark(2);
	pages(256, 16);
	mark(3);
	range(0x100000, 256);
	mark(4);
	range(0x40000000, 1 << 18);
	mark(5);
	range(0x40001000, 1 << 18);
	mark(6);
	hwpt_scattered(pt_id, 256);

	must(pasid_bind_local(&vmm, &other, 1, root));
	mark(7);
	range(0x1000, 1);
	must(invalidate(&vmm, &other, &(struct iommu_cache_invalidate_info[]) {
		inv_range(1, 0x1000, PAGE, 1) }[0], 1, NULL));
	mark(8);
	must(pasid_unbind(&vmm, &other, 1));
	mark(9);
	pages(256, 1);
	mark(10);

	for (i = 2; i <= BOUND; i++)
		must(pasid_bind_local(&vmm, &dev, i, root));
	mark(11);
	must(monitor_unmap(&vmm, GUEST_BASE, GUEST_SIZE));
	mark(12);
	return 0;
}
