// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random steps over all that a monitor can do, beside a model of what may be seen.
 *
 *	vmm_oracle [STEPS [SEED]]
 *
 * For each page of each PASID the model keeps what is mapped now, and what may
 * still be cached: everything that was mapped since the last request that covers
 * it. A byte that the device reads, or a place where it writes, has to be one of
 * those, and of the memory that the stage 2 has. A seed gives the same steps.
 * One line of KTAP; what went wrong, with its step, before it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pasid-dma.h"
#include "vmm.h"

#define PASIDS		3
#define LETTERS		6
#define NONE		(-1)
#define NOTHING		(1u << LETTERS)
#define MOST_TABLES	800

/* Neighbours, pages on both sides of a table's end, and the ends of the halves */
static const uint64_t pages[] = {
	0x1000, 0x2000, 0x1ff000, 0x200000, 0x7fffffff000, 0x7fffffffe000,
	0xffff800000000000,
};
#define NR_PAGES	(sizeof(pages) / sizeof(*pages))

struct space {
	uint32_t pasid;
	uint64_t root;
	bool bound;
	int now[NR_PAGES];		/* a letter, or NONE */
	unsigned int may[NR_PAGES];	/* letters that may be cached, or NOTHING */
	bool moved[NR_PAGES];		/* its table was replaced since */
};

static struct monitor vmm;
static struct device dev;
static struct space spaces[PASIDS];
static bool in_stage2[LETTERS], attached;
static unsigned int step;
static uint64_t seed, state;
static unsigned int reads, faults, old_seen, writes, invalidations;
static unsigned int started_over;

static uint32_t rnd(uint32_t below)
{
	/* xorshift64*: the same everywhere */
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (uint32_t)((state * 2685821657736338717ULL) >> 33) % below;
}

static void fail(const char *what, const struct space *space, unsigned int page,
		 long got)
{
	printf("# step %u: %s: PASID %u, page %u, got %ld\n", step, what,
	       space ? space->pasid : 0, page, got);
	if (space)
		printf("# mapped %d, may be cached 0x%x, bound %d, moved %d\n",
		       space->now[page], space->may[page], space->bound,
		       space->moved[page]);
	printf("not ok 1 oracle seed %" PRIu64 "\n", seed);
	exit(1);
}

static void must(int ret, const char *what)
{
	if (ret)
		fail(what, NULL, 0, ret);
}

static uint64_t page_of(int letter)
{
	return GUEST_DATA + letter * PAGE;
}

static struct space *some_space(void)
{
	return &spaces[rnd(PASIDS)];
}

/* The answers that the device may get, by its PASID and its page */
static bool may_see(const struct space *space, unsigned int page, int letter)
{
	return space->bound && in_stage2[letter] &&
	       space->may[page] & 1 << letter;
}

/*
 * A page that is not there is not cached. But a table that was replaced may be, and
 * what it says is not there, or is not in the stage 2, is found so again and again.
 */
static bool may_fault(const struct space *space, unsigned int page)
{
	int now = space->now[page], letter;
	bool old = space->may[page] & NOTHING;

	for (letter = 0; letter < LETTERS; letter++)
		old |= space->may[page] & 1 << letter && !in_stage2[letter];
	return !space->bound || now == NONE || !in_stage2[now] ||
	       (space->moved[page] && old);
}

static void read_page(struct space *space, unsigned int page)
{
	struct dma dma = { .op = PDMA_OP_READ | (rnd(2) ? PDMA_CMD_ATS : 0),
			   .pasid = space->pasid, .src = pages[page], .len = 1 };

	must(dma_run(&dev, &dma), "DMA ends");
	reads++;
	if (DMA_CODE(&dma) != PDMA_ST_OK) {
		faults++;
		if (!may_fault(space, page))
			fail("fault", space, page, dma.status);
		return;
	}
	if (dma.result < 'A' || dma.result >= 'A' + LETTERS ||
	    !may_see(space, page, dma.result - 'A'))
		fail("byte", space, page, dma.result);
	old_seen += (int)dma.result - 'A' != space->now[page];
}

static void do_read(void)
{
	read_page(some_space(), rnd(NR_PAGES));
}

static void do_write(void)
{
	struct space *space = some_space();
	unsigned int page = rnd(NR_PAGES);
	uint64_t mark = 1 + rnd(1 << 30);
	struct dma dma = { .op = PDMA_OP_WRITE | (rnd(2) ? PDMA_CMD_ATS : 0),
			   .pasid = space->pasid, .dst = pages[page] + 64,
			   .len = 8, .data = mark };
	int letter, hit = NONE;

	must(dma_run(&dev, &dma), "DMA ends");
	writes++;
	for (letter = 0; letter < LETTERS; letter++) {
		uint64_t *at = monitor_at(&vmm, page_of(letter) + 64);

		if (*at == mark)
			hit = letter;
		*at = 0;
	}
	if (hit != NONE && !may_see(space, page, hit))
		fail("write", space, page, hit);
	if (hit == NONE && !may_fault(space, page))
		fail("write was lost", space, page, dma.status);
}

static void do_map(void)
{
	struct space *space = some_space();
	unsigned int page = rnd(NR_PAGES);
	int letter = rnd(12) ? (int)rnd(LETTERS) : NONE;

	/* So that there is something cached, and something old to be seen */
	if (rnd(2))
		read_page(space, page);
	guest_map(&vmm, space->root, 48, pages[page], page_of(letter), PAGE,
		  letter == NONE ? 0 : GUEST_RW);
	space->now[page] = letter;
	if (letter != NONE)
		space->may[page] |= 1 << letter;
}

/* Nothing of a page is cached now; a hint that only leaves changed was a lie */
static void forget(struct space *space, unsigned int page, bool leaf)
{
	if (leaf && space->moved[page])
		return;
	space->moved[page] = false;
	space->may[page] = space->now[page] == NONE ? 0 : 1 << space->now[page];
}

static void forget_range(struct space *space, uint64_t first, uint64_t nr,
			 bool leaf)
{
	unsigned int i;

	for (i = 0; i < NR_PAGES; i++)
		if (pages[i] >= first && pages[i] - first < nr * PAGE)
			forget(space, i, leaf);
}

static void do_invalidate(void)
{
	struct iommu_cache_invalidate_info infos[8];
	int32_t results[8];
	unsigned int i, j, nr = 1 + rnd(rnd(4) ? 2 : 8);
	struct space *of[8];

	for (i = 0; i < nr; i++) {
		of[i] = some_space();
		results[i] = 1;
		switch (rnd(20)) {
		case 0:
			infos[i] = inv_pasid(of[i]->pasid);
			break;
		case 1:
			infos[i] = inv_domain();
			break;
		default:
			infos[i] = inv_range(of[i]->pasid,
					     pages[rnd(NR_PAGES)] - PAGE * rnd(2),
					     PAGE, 1 + rnd(rnd(4) ? 3 : 1100));
			if (rnd(4) == 0)
				infos[i].granu.addr_info.flags |=
					IOMMU_INV_ADDR_FLAGS_LEAF;
		}
	}
	invalidate(&vmm, &dev, infos, nr, results);
	invalidations++;
	for (i = 0; i < nr; i++) {
		struct iommu_inv_addr_info *addr = &infos[i].granu.addr_info;
		bool all = infos[i].granularity == IOMMU_INV_GRANU_DOMAIN;

		if (!all && !of[i]->bound) {
			if (results[i] != -2)
				fail("not bound, but invalidated", of[i], 0,
				     results[i]);
			continue;
		}
		if (results[i])
			fail("invalidation", of[i], 0, results[i]);
		if (infos[i].granularity == IOMMU_INV_GRANU_ADDR)
			forget_range(of[i], addr->addr, addr->nb_granules,
				     addr->flags & IOMMU_INV_ADDR_FLAGS_LEAF);
		else
			for (j = 0; j < PASIDS * NR_PAGES; j++)
				if (all || &spaces[j / NR_PAGES] == of[i])
					forget(&spaces[j / NR_PAGES],
					       j % NR_PAGES, false);
	}
}

/* Memory leaves the guest, a page at a time, and comes back */
static void do_stage2(void)
{
	int letter;

	for (letter = 0; letter < LETTERS && in_stage2[letter]; letter++)
		;
	if (letter == LETTERS)
		letter = rnd(LETTERS);
	if (in_stage2[letter])
		must(monitor_unmap(&vmm, page_of(letter), PAGE), "IOAS_UNMAP");
	else
		must(monitor_map(&vmm, page_of(letter), PAGE, true), "IOAS_MAP");
	in_stage2[letter] = !in_stage2[letter];
}

static void bind_space(struct space *space)
{
	unsigned int page;

	must(pasid_bind(&vmm, &dev, space->pasid, space->root, 48, 0), "bind");
	space->bound = true;
	for (page = 0; page < NR_PAGES; page++) {
		space->moved[page] = false;
		forget(space, page, false);
	}
}

/* A process with an empty page table */
static void begin_space(struct space *space)
{
	space->root = guest_table(&vmm);
	memset(space->now, 0xff, sizeof(space->now));
	bind_space(space);
}

/* There is no page for another table: all end, and what they had is used again */
static void start_over(void)
{
	struct space *space;

	for (space = spaces; space < spaces + PASIDS; space++)
		if (space->bound)
			must(pasid_unbind(&vmm, &dev, space->pasid), "unbind");
	vmm.tables = GUEST_BASE;
	for (space = spaces; space < spaces + PASIDS; space++)
		begin_space(space);
	started_over++;
}

/* The table with the entry of a page becomes another page of memory */
static void do_move_table(void)
{
	struct space *space = some_space();
	unsigned int page = rnd(NR_PAGES), i;
	uint64_t *entry = guest_entry(&vmm, space->root, 48, pages[page],
				      2ULL << 20);
	uint64_t table;

	if (vmm.tables > GUEST_BASE + MOST_TABLES * PAGE) {
		start_over();
		return;
	}
	if (!*entry)
		return;
	table = guest_table(&vmm);
	memcpy(monitor_at(&vmm, table),
	       monitor_at(&vmm, *entry & ~0xfffULL), PAGE);
	*entry = table | GUEST_RW;
	for (i = 0; i < NR_PAGES; i++) {
		if (pages[i] >> 21 != pages[page] >> 21)
			continue;
		space->moved[i] = true;
		if (space->now[i] == NONE)
			space->may[i] |= NOTHING;
	}
}

static void do_bind(void)
{
	struct space *space;

	for (space = spaces; space < spaces + PASIDS; space++) {
		if (!space->bound) {
			bind_space(space);
			return;
		}
	}
	space = some_space();
	must(pasid_unbind(&vmm, &dev, space->pasid), "unbind");
	space->bound = false;
}

/* The way of DMA without PASID makes no difference to the others */
static void do_attach(void)
{
	if (attached)
		must(device_detach(&dev), "detach");
	else
		must(device_attach(&dev, vmm.parent), "attach");
	attached = !attached;
}

static void do_read_without(void)
{
	int letter = rnd(LETTERS);
	struct dma dma = { .op = PDMA_OP_READ | (rnd(2) ? PDMA_CMD_ATS : 0),
			   .src = page_of(letter), .len = 1 };
	bool seen;

	must(dma_run(&dev, &dma), "DMA ends");
	seen = DMA_CODE(&dma) == PDMA_ST_OK;
	if (seen != (attached && in_stage2[letter]) ||
	    (seen && (int)dma.result != 'A' + letter))
		fail("without PASID", NULL, letter, dma.status);
}

static void do_reset(void)
{
	must(device_reset(&dev), "reset");
}

static const struct {
	unsigned int weight;
	void (*run)(void);
} steps[] = {
	{ 450, do_read },
	{ 70, do_write },
	{ 180, do_map },
	{ 25, do_move_table },
	{ 150, do_invalidate },
	{ 40, do_stage2 },
	{ 30, do_bind },
	{ 20, do_attach },
	{ 30, do_read_without },
	{ 5, do_reset },
};

static void setup(void)
{
	unsigned int i;

	must(monitor_open(&vmm), "monitor");
	must(device_open(&vmm, &dev, 0), "device");
	must(device_alloc_parent(&vmm, &dev), "stage 2");
	must(device_attach(&dev, vmm.parent), "attach");
	attached = true;
	/* One mapping for each letter, so that it can be taken away alone */
	must(monitor_unmap(&vmm, GUEST_BASE, GUEST_SIZE), "IOAS_UNMAP");
	must(monitor_map(&vmm, GUEST_BASE, GUEST_DATA - GUEST_BASE, true),
	     "IOAS_MAP");
	for (i = 0; i < LETTERS; i++) {
		memset(monitor_at(&vmm, page_of(i)), 'A' + i, PAGE);
		memset(monitor_at(&vmm, page_of(i) + 64), 0, 8);
		must(monitor_map(&vmm, page_of(i), PAGE, true), "IOAS_MAP");
		in_stage2[i] = true;
	}
	for (i = 0; i < PASIDS; i++) {
		must(pasid_alloc(&vmm, &spaces[i].pasid), "PASID");
		begin_space(&spaces[i]);
	}
}

int main(int argc, char *argv[])
{
	unsigned int nr = argc > 1 ? atoi(argv[1]) : 10000, total = 0, i;

	seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	state = seed * 0x9e3779b97f4a7c15ULL + 1;
	printf("KTAP version 1\n1..1\n");
	setup();
	for (i = 0; i < sizeof(steps) / sizeof(*steps); i++)
		total += steps[i].weight;
	for (step = 1; step <= nr; step++) {
		unsigned int what = rnd(total);

		for (i = 0; what >= steps[i].weight; i++)
			what -= steps[i].weight;
		steps[i].run();
	}
	printf("# %u reads, %u of them faults, %u old; %u writes, %u calls to invalidate; %u times anew\n",
	       reads, faults, old_seen, writes, invalidations, started_over);
	printf("ok 1 oracle seed %" PRIu64 "\n", seed);
	return 0;
}
