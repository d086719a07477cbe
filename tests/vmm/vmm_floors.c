// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cost of an operation in descriptors and waits: each is done once, between two
 * NOPs of the device. The source of the first is the number of the case, that of the
 * second 0, so the unit's log between them tells (tests/bench/floors), and the trace
 * between two of its markers. Prints "floors NUMBER NANOSECONDS" for each, which are
 * instructions where the clock counts those.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "pasid-dma.h"
#include "vmm.h"

/* A page that comes and goes, mapped apart from the rest of the guest */
#define REST	(GUEST_SIZE - PAGE)
#define EDGE	(GUEST_BASE + REST)

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

static uint64_t now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

#define CASE(nr, operation) do {					\
	uint64_t begun;							\
									\
	mark(nr);							\
	begun = now();							\
	operation;							\
	printf("floors %u %" PRIu64 "\n", nr, now() - begun);		\
	mark(0);							\
} while (0)

/* A request for each page: with 1 as distance they make up a range */
static void pages(unsigned int nr, unsigned int distance)
{
	static struct iommu_cache_invalidate_info infos[256];
	unsigned int i;

	for (i = 0; i < nr; i++)
		infos[i] = inv_range(1, i * distance * PAGE, PAGE, 1);
	must(invalidate(&vmm, &dev, infos, nr, NULL));
}

static void range(struct device *of, uint64_t va, uint64_t pages)
{
	struct iommu_cache_invalidate_info info = inv_range(1, va, PAGE, pages);

	must(invalidate(&vmm, of, &info, 1, NULL));
}

/* By mainline's interface, without PASID: what there is to be compared with */
static void hwpt_scattered(uint32_t pt_id, unsigned int nr)
{
	while (nr--)
		must(device_invalidate(&vmm, pt_id, nr * 16 * PAGE, 1));
}

/* A page of each of so many PASIDs, as a guest asks that has a table on all of them */
#define SEVERAL		8

static void several(void)
{
	struct iommu_cache_invalidate_info infos[SEVERAL];
	unsigned int i;

	for (i = 0; i < SEVERAL; i++)
		infos[i] = inv_range(1 + i, 0x1000, PAGE, 1);
	must(invalidate(&vmm, &dev, infos, SEVERAL, NULL));
}

static void several_hwpts(const uint32_t *pt_ids)
{
	unsigned int i;

	for (i = 0; i < SEVERAL; i++)
		must(device_invalidate(&vmm, pt_ids[i], 0x1000, 1));
}

/* By our door and by mainline's; PASID 1 is bound before and afterwards */
static void both_doors(void)
{
	uint32_t pt_ids[SEVERAL];
	unsigned int i;

	for (i = 1; i < SEVERAL; i++)
		must(pasid_bind_local(&vmm, &dev, 1 + i, root));
	CASE(15, several());
	for (i = 1; i < SEVERAL; i++)
		must(pasid_unbind(&vmm, &dev, 1 + i));

	for (i = 0; i < SEVERAL; i++) {
		must(pasid_alloc_nested(&vmm, &dev, root, 48, &pt_ids[i]));
		must(pasid_attach(&dev, 2 + i, pt_ids[i]));
	}
	CASE(16, several_hwpts(pt_ids));
	for (i = 0; i < SEVERAL; i++) {
		must(pasid_detach(&dev, 2 + i));
		must(monitor_destroy(&vmm, pt_ids[i]));
	}
}

static void on_both(void)
{
	range(&dev, 0x1000, 1);
	range(&other, 0x1000, 1);
}

/* PASID 1 is bound; the page comes back for the next one */
static void unmap(unsigned int nr, unsigned int bindings)
{
	static unsigned int bound = 1;

	while (bound < bindings)
		must(pasid_bind_local(&vmm, &dev, ++bound, root));
	CASE(nr, must(monitor_unmap(&vmm, EDGE, PAGE)));
	must(monitor_map(&vmm, EDGE, PAGE, true));
}

int main(void)
{
	uint32_t pt_id;

	must(monitor_open(&vmm));
	must(device_open(&vmm, &dev, 0));
	must(device_open(&vmm, &other, 1));
	must(device_alloc_parent_with(&vmm, &dev, IOMMU_HWPT_ALLOC_PASID));
	root = guest_table(&vmm);
	must(device_alloc_nested(&vmm, &dev, root, 0, &pt_id));
	must(device_attach(&dev, pt_id));
	must(monitor_unmap(&vmm, GUEST_BASE, GUEST_SIZE));
	must(monitor_map(&vmm, GUEST_BASE, REST, true));
	must(monitor_map(&vmm, EDGE, PAGE, true));
	must(pasid_bind_local(&vmm, &dev, 1, root));

	/* The first call of all takes more */
	range(&dev, 0x1000, 1);
	CASE(1, range(&dev, 0x1000, 1));
	CASE(2, pages(16, 16));
	CASE(3, pages(256, 16));
	CASE(4, hwpt_scattered(pt_id, 256));
	CASE(5, range(&dev, 0x100000, 256));
	CASE(6, pages(256, 1));
	CASE(7, range(&dev, 0x40000000, 1 << 18));
	CASE(8, range(&dev, 0x40001000, 1 << 18));
	CASE(14, must(pasid_bind_local(&vmm, &other, 1, root)));
	CASE(9, on_both());
	CASE(10, must(pasid_unbind(&vmm, &other, 1)));
	both_doors();
	unmap(11, 1);
	unmap(12, 10);
	unmap(13, 1000);
	return 0;
}
