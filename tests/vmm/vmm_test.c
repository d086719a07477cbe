// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page tables of guests on the PASIDs of a device that does DMA: decided by bytes
 * in memory and by what the device was told, never by a return value alone.
 *
 * Each test runs twice: "untranslated", the IOMMU translates each request, and
 * "translated", the device asks once (ATS) and keeps the answer in its own cache.
 * The model keeps what it cached until a descriptor takes it, so a stale byte is
 * there to be seen; hardware may forget by itself.
 */
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"
#include "pasid-dma.h"
#include "vmm.h"

/* Pages of guest memory that hold a letter each, behind those for tables */
#define LETTERS		8
#define HIGH_HALF	0xffff800000000000ULL

/* Reasons of VT-d, Table 30 */
#define NO_ENTRY	0x59	/* PASID-table entry is not present */
#define NO_STAGE1	0x71	/* the guest's table has no page there */
#define NO_STAGE2	0x79	/* the host's has none */
#define NO_WRITE	0x85

FIXTURE(vmm) {
	struct monitor vmm;
	struct device dev;
	uint32_t pasid;
	uint64_t root;
};

FIXTURE_VARIANT(vmm) {
	uint32_t request;
};

FIXTURE_VARIANT_ADD(vmm, untranslated) {
	.request = 0,
};

FIXTURE_VARIANT_ADD(vmm, translated) {
	.request = PDMA_CMD_ATS,
};

/* A guest with one device, one PASID and an empty page table bound to it */
FIXTURE_SETUP(vmm)
{
	struct monitor *vmm = &self->vmm;
	unsigned int i;

	ASSERT_EQ(0, monitor_open(vmm));
	ASSERT_EQ(0, device_open(vmm, &self->dev, 0));
	ASSERT_EQ(0, device_alloc_parent(vmm, &self->dev));
	ASSERT_EQ(0, device_attach(&self->dev, vmm->parent));
	for (i = 0; i < LETTERS; i++)
		memset(monitor_at(vmm, GUEST_DATA + i * PAGE), 'A' + i, PAGE);
	self->root = guest_table(vmm);
	ASSERT_EQ(0, pasid_alloc(vmm, &self->pasid));
	ASSERT_EQ(0, pasid_bind(vmm, &self->dev, self->pasid, self->root, 48, 0));
}

FIXTURE_TEARDOWN(vmm)
{
	device_close(&self->dev);
	monitor_close(&self->vmm);
}

/* The guest physical address of a page that is full of one letter */
static uint64_t page_of(char letter)
{
	return GUEST_DATA + (letter - 'A') * PAGE;
}

#define READ(pasid, va) ({						\
	unsigned int reason_;						\
	dma_read(&self->dev, variant->request, pasid, va, &reason_);	\
})

#define MAP(va, letter)							\
	guest_map(&self->vmm, self->root, 48, va, page_of(letter), PAGE,	\
		  GUEST_RW)

#define EXPECT_READ(letter, va)						\
	EXPECT_EQ(letter, READ(self->pasid, va))

/* A translation request that fails tells no reason */
#define EXPECT_NO_READ(why, pasid, va) do {				\
	unsigned int reason_ = 0;					\
	EXPECT_EQ(-1, dma_read(&self->dev, variant->request, pasid, va,	\
			       &reason_));				\
	EXPECT_EQ(why, reason_);					\
} while (0)

#define INVALIDATE(...) ({						\
	struct iommu_cache_invalidate_info infos_[] = { __VA_ARGS__ };	\
	invalidate(&self->vmm, &self->dev, infos_,			\
		   sizeof(infos_) / sizeof(*infos_), NULL);		\
})

TEST_F(vmm, bytes_move)
{
	uint64_t va = 0x7f0000001000;
	uint64_t *entry;
	unsigned int why;

	MAP(va, 'A');
	entry = guest_entry(&self->vmm, self->root, 48, va, PAGE);
	EXPECT_READ('A', va + 123);
	EXPECT_EQ(GUEST_A, *entry & GUEST_A);

	EXPECT_EQ(0, dma_write(&self->dev, variant->request, self->pasid,
			       va + 7, 'x', &why));
	EXPECT_EQ('x', ((char *)monitor_at(&self->vmm, page_of('A')))[7]);
	EXPECT_EQ(GUEST_D, *entry & GUEST_D);
}

TEST_F(vmm, map_sizes)
{
	uint64_t size[] = { PAGE, 2ULL << 20, 1ULL << 30 };
	unsigned int i;

	for (i = 0; i < 3; i++) {
		uint64_t va = (i + 1) << 30;
		uint64_t gpa = page_of('C') & ~(size[i] - 1);

		guest_map(&self->vmm, self->root, 48, va, gpa, size[i], GUEST_RW);
		EXPECT_READ('C', va + (page_of('C') - gpa));
	}
}

TEST_F(vmm, five_levels)
{
	uint64_t va = 1ULL << 52, root = guest_table(&self->vmm);
	uint32_t pasid;

	ASSERT_EQ(0, pasid_alloc(&self->vmm, &pasid));
	ASSERT_EQ(0, pasid_bind(&self->vmm, &self->dev, pasid, root, 57, 0));
	guest_map(&self->vmm, root, 57, va, page_of('D'), PAGE, GUEST_RW);
	EXPECT_EQ('D', READ(pasid, va));
}

TEST_F(vmm, rights)
{
	unsigned int why = 0;

	guest_map(&self->vmm, self->root, 48, 0x1000, page_of('A'), PAGE,
		  GUEST_RO);
	EXPECT_READ('A', 0x1000);
	EXPECT_EQ(-1, dma_write(&self->dev, variant->request, self->pasid,
				0x1000, 'x', &why));
	if (!variant->request)
		EXPECT_EQ(NO_WRITE, why);
	EXPECT_EQ('A', *(char *)monitor_at(&self->vmm, page_of('A')));
	EXPECT_NO_READ(NO_STAGE1, self->pasid, 0x2000);
}

TEST_F(vmm, two_worlds)
{
	uint64_t root = guest_table(&self->vmm);
	uint32_t pasid;

	ASSERT_EQ(0, pasid_alloc(&self->vmm, &pasid));
	ASSERT_EQ(0, pasid_bind(&self->vmm, &self->dev, pasid, root, 48, 0));
	MAP(0x1000, 'A');
	guest_map(&self->vmm, root, 48, 0x1000, page_of('B'), PAGE, GUEST_RW);
	EXPECT_READ('A', 0x1000);
	EXPECT_EQ('B', READ(pasid, 0x1000));
	EXPECT_READ('A', 0x1000);
}

/* Old before, new after, whatever the request says that it is for */
TEST_F(vmm, stale_then_fresh)
{
	struct iommu_cache_invalidate_info info[] = {
		inv_range(self->pasid, 0x1000, PAGE, 1),
		inv_pasid(self->pasid),
		inv_domain(),
	};
	unsigned int i;

	for (i = 0; i < 3; i++) {
		MAP(0x1000, 'A');
		ASSERT_EQ(0, INVALIDATE(inv_pasid(self->pasid)));
		EXPECT_READ('A', 0x1000);
		MAP(0x1000, 'B');
		EXPECT_READ('A', 0x1000);
		EXPECT_EQ(0, invalidate(&self->vmm, &self->dev, &info[i], 1,
					NULL));
		EXPECT_READ('B', 0x1000);
	}
}

/* Tables above the leaf are cached, too, and go unless the guest says otherwise */
TEST_F(vmm, table_replaced)
{
	uint64_t *entry, table;

	MAP(0x1000, 'A');
	EXPECT_READ('A', 0x1000);
	table = guest_table(&self->vmm);
	*(uint64_t *)monitor_at(&self->vmm, table + 8) = page_of('B') | GUEST_RW;
	entry = guest_entry(&self->vmm, self->root, 48, 0x1000, 2ULL << 20);
	*entry = table | GUEST_RW;
	EXPECT_READ('A', 0x1000);
	EXPECT_EQ(0, INVALIDATE(inv_range(self->pasid, 0x1000, PAGE, 1)));
	EXPECT_READ('B', 0x1000);
}

/* A large page that is broken up: the piece that was flushed is the new one */
TEST_F(vmm, large_split)
{
	const uint64_t large = 2ULL << 20, va = 1ULL << 30;
	uint64_t gpa = GUEST_BASE + GUEST_SIZE - large, table, *pieces;
	unsigned int i;

	memset(monitor_at(&self->vmm, gpa), 'L', large);
	guest_map(&self->vmm, self->root, 48, va, gpa, large, GUEST_RW);
	for (i = 0; i < 512; i++)
		EXPECT_READ('L', va + i * PAGE);

	table = guest_table(&self->vmm);
	pieces = monitor_at(&self->vmm, table);
	for (i = 0; i < 512; i++)
		pieces[i] = (gpa + i * PAGE) | GUEST_RW;
	pieces[1] = page_of('B') | GUEST_RW;
	*guest_entry(&self->vmm, self->root, 48, va, large) = table | GUEST_RW;
	EXPECT_READ('L', va + PAGE);
	EXPECT_EQ(0, INVALIDATE(inv_range(self->pasid, va + PAGE, PAGE, 1)));
	EXPECT_READ('B', va + PAGE);
	EXPECT_READ('L', va + 2 * PAGE);

	/* And the next one, of which the large page may still be cached */
	pieces[2] = page_of('C') | GUEST_RW;
	EXPECT_EQ(0, INVALIDATE(inv_range(self->pasid, va + 2 * PAGE, PAGE, 1)));
	EXPECT_READ('C', va + 2 * PAGE);
	EXPECT_READ('L', va + 511 * PAGE);
}

/* A page that was not asked for stays cached */
TEST_F(vmm, neighbour)
{
	MAP(0x10000, 'A');
	MAP(0x11000, 'B');
	EXPECT_READ('A', 0x10000);
	EXPECT_READ('B', 0x11000);
	MAP(0x10000, 'C');
	MAP(0x11000, 'D');
	EXPECT_EQ(0, INVALIDATE(inv_range(self->pasid, 0x10000, PAGE, 1)));
	EXPECT_READ('C', 0x10000);
	EXPECT_READ('B', 0x11000);
	EXPECT_EQ(0, INVALIDATE(inv_range(self->pasid, 0x11000, PAGE, 1)));
	EXPECT_READ('D', 0x11000);
}

/* Ranges that no aligned block of their size covers, at the ends of what is */
TEST_F(vmm, odd_ranges)
{
	static const struct {
		uint64_t va, nr;
	} ranges[] = {
		{ 0x0, 1 },
		{ 0x1000, 2 },
		{ 0x3000, 5 },
		{ 0x7ffff000, 2 },
		{ 0x7fffffffe000, 2 },
		{ HIGH_HALF, 3 },
		{ HIGH_HALF + 0x7fff000, 3 },
		{ 0xffffffffffffd000, 3 },
	};
	unsigned int i, j;

	for (i = 0; i < sizeof(ranges) / sizeof(*ranges); i++) {
		for (j = 0; j < ranges[i].nr; j++) {
			MAP(ranges[i].va + j * PAGE, 'A' + j);
			EXPECT_READ('A' + j, ranges[i].va + j * PAGE);
			MAP(ranges[i].va + j * PAGE, 'B' + j);
			EXPECT_READ('A' + j, ranges[i].va + j * PAGE);
		}
		/* Not aligned to a page, either */
		EXPECT_EQ(0, INVALIDATE(inv_range(self->pasid,
						  ranges[i].va + 8, PAGE,
						  ranges[i].nr - 1 ?: 1)));
		for (j = 0; j < ranges[i].nr; j++)
			EXPECT_READ('B' + j, ranges[i].va + j * PAGE) {
				TH_LOG("range %u, page %u", i, j);
			}
	}
}

/* Many requests at once, over more than one submission */
TEST_F(vmm, batch)
{
	struct iommu_cache_invalidate_info infos[256];
	int32_t results[256];
	unsigned int i;

	for (i = 0; i < 256; i++) {
		MAP(i * 3 * PAGE, 'A');
		EXPECT_READ('A', i * 3 * PAGE);
		MAP(i * 3 * PAGE, 'B');
		infos[i] = inv_range(self->pasid, i * 3 * PAGE, PAGE, 1);
		results[i] = -1;
	}
	EXPECT_EQ(0, invalidate(&self->vmm, &self->dev, infos, 256, results));
	for (i = 0; i < 256; i++) {
		EXPECT_EQ(0, results[i]);
		EXPECT_READ('B', i * 3 * PAGE);
	}
}

/* A page that leaves the stage 2 is out of reach when the ioctl returns */
TEST_F(vmm, stage2_unmap)
{
	MAP(0x1000, 'A');
	EXPECT_READ('A', 0x1000);
	ASSERT_EQ(0, monitor_unmap(&self->vmm, GUEST_BASE, GUEST_SIZE));
	memset(monitor_at(&self->vmm, page_of('A')), 'z', PAGE);
	EXPECT_EQ(-1, READ(self->pasid, 0x1000));
}

/* Not a page that the guest's table leads to, but one that the table is in */
TEST_F(vmm, stage2_tables)
{
	struct monitor *vmm = &self->vmm;
	char *entry, *memory = monitor_at(vmm, GUEST_BASE);
	uint64_t table, rest;

	MAP(0x1000, 'A');
	entry = (char *)guest_entry(vmm, self->root, 48, 0x1000, PAGE);
	table = GUEST_BASE + (entry - memory) / PAGE * PAGE;
	rest = table + PAGE;
	ASSERT_EQ(0, monitor_unmap(vmm, GUEST_BASE, GUEST_SIZE));
	ASSERT_EQ(0, monitor_map(vmm, GUEST_BASE, table - GUEST_BASE, true));
	ASSERT_EQ(0, monitor_map(vmm, table, PAGE, true));
	ASSERT_EQ(0, monitor_map(vmm, rest, GUEST_BASE + GUEST_SIZE - rest,
				 true));
	EXPECT_READ('A', 0x1000);
	ASSERT_EQ(0, monitor_unmap(vmm, table, PAGE));
	EXPECT_EQ(-1, READ(self->pasid, 0x1000));
	ASSERT_EQ(0, monitor_map(vmm, table, PAGE, true));
	EXPECT_READ('A', 0x1000);
}

/* 6.12 refuses these on every unit, as of some units (erratum 772415) nested DMA writes there */
TEST_F(vmm, read_only_parent)
{
	struct monitor other;
	struct device dev;

	MAP(0x1000, 'A');
	ASSERT_EQ(0, monitor_unmap(&self->vmm, GUEST_BASE, GUEST_SIZE));
	EXPECT_EQ(-EINVAL, monitor_map(&self->vmm, GUEST_BASE, GUEST_SIZE, false));
	ASSERT_EQ(0, monitor_map(&self->vmm, GUEST_BASE, GUEST_SIZE, true));
	EXPECT_READ('A', 0x1000);

	ASSERT_EQ(0, monitor_open(&other));
	ASSERT_EQ(0, device_open(&other, &dev, 1));
	ASSERT_EQ(0, monitor_unmap(&other, GUEST_BASE, GUEST_SIZE));
	ASSERT_EQ(0, monitor_map(&other, GUEST_BASE, GUEST_SIZE, false));
	EXPECT_EQ(-EINVAL, device_alloc_parent(&other, &dev));
	device_close(&dev);
	monitor_close(&other);
}

TEST_F(vmm, unbound)
{
	MAP(0x1000, 'A');
	EXPECT_READ('A', 0x1000);
	ASSERT_EQ(0, pasid_unbind(&self->vmm, &self->dev, self->pasid));
	EXPECT_EQ(-1, READ(self->pasid, 0x1000));
	ASSERT_EQ(0, pasid_bind(&self->vmm, &self->dev, self->pasid, self->root,
				48, 0));
	EXPECT_READ('A', 0x1000);
}

/* The same number for another table: nothing of the old one is left */
TEST_F(vmm, bound_again)
{
	uint64_t root = guest_table(&self->vmm);

	MAP(0x1000, 'A');
	guest_map(&self->vmm, root, 48, 0x1000, page_of('B'), PAGE, GUEST_RW);
	EXPECT_READ('A', 0x1000);
	ASSERT_EQ(0, pasid_unbind(&self->vmm, &self->dev, self->pasid));
	ASSERT_EQ(0, pasid_bind(&self->vmm, &self->dev, self->pasid, root, 48,
				0));
	EXPECT_READ('B', 0x1000);
}

TEST_F(vmm, freed)
{
	MAP(0x1000, 'A');
	EXPECT_READ('A', 0x1000);
	ASSERT_EQ(0, pasid_free(&self->vmm, self->pasid));
	while (pasid_unbind(&self->vmm, &self->dev, self->pasid) != -ENOENT)
		;
	EXPECT_EQ(-1, READ(self->pasid, 0x1000));
}

TEST_F(vmm, foreign)
{
	MAP(0x1000, 'A');
	EXPECT_READ('A', 0x1000);
	EXPECT_NO_READ(NO_ENTRY, self->pasid ^ 1, 0x1000);
}

TEST_F(vmm, bad_input)
{
	struct monitor *vmm = &self->vmm;
	struct device *dev = &self->dev;
	uint64_t root = self->root;
	uint32_t pasid;

	ASSERT_EQ(0, pasid_alloc(vmm, &pasid));
	EXPECT_EQ(-EBUSY, pasid_bind(vmm, dev, self->pasid, root, 48, 0));
	EXPECT_EQ(-EINVAL, pasid_bind(vmm, dev, pasid, root | 1, 48, 0));
	EXPECT_EQ(-EINVAL, pasid_bind(vmm, dev, pasid, root | 0x80, 48, 0));
	EXPECT_EQ(-EINVAL, pasid_bind(vmm, dev, pasid, 1ULL << 52, 48, 0));
	EXPECT_EQ(-EOPNOTSUPP, pasid_bind(vmm, dev, pasid, root, 39, 0));
	EXPECT_EQ(-EINVAL, pasid_bind(vmm, dev, pasid, root, 48,
				      IOMMU_SVA_VTD_GPASID_WPE));
	EXPECT_EQ(-EOPNOTSUPP, pasid_bind(vmm, dev, pasid, root, 48,
					  IOMMU_SVA_VTD_GPASID_CD));
	EXPECT_EQ(-ENOENT, pasid_bind(vmm, dev, pasid ^ 0x40000, root, 48, 0));
	EXPECT_EQ(0, pasid_bind(vmm, dev, pasid, guest_table(vmm), 48,
				IOMMU_SVA_VTD_GPASID_SRE |
				IOMMU_SVA_VTD_GPASID_WPE |
				IOMMU_SVA_VTD_GPASID_EAFE));
	EXPECT_EQ(0, pasid_unbind(vmm, dev, pasid));
}

/* A device that does not answer, or badly, is told of to who asked, once */
TEST_F(vmm, no_answer)
{
	struct iommu_cache_invalidate_info info =
		inv_range(self->pasid, 0x1000, PAGE, 1);
	int error[] = { -ETIMEDOUT, -EIO };
	int32_t result;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		MAP(0x1000, 'A');
		ASSERT_EQ(0, INVALIDATE(info));
		EXPECT_READ('A', 0x1000);
		MAP(0x1000, 'B');
		dma_fail(&self->dev, 1, i == 1);
		EXPECT_EQ(error[i], invalidate(&self->vmm, &self->dev, &info, 1,
					       &result));
		EXPECT_EQ(error[i], result);
		if (variant->request)
			EXPECT_READ('A', 0x1000);
		EXPECT_EQ(0, invalidate(&self->vmm, &self->dev, &info, 1,
					&result));
		EXPECT_EQ(0, result);
		EXPECT_READ('B', 0x1000);
	}
}

/* The error of one device is not the other's result */
TEST_F(vmm, other_device)
{
	struct monitor *vmm = &self->vmm;
	uint64_t root = guest_table(vmm);
	struct iommu_cache_invalidate_info info;
	unsigned int why;
	struct device other;
	uint32_t pasid;

	ASSERT_EQ(0, device_open(vmm, &other, 1));
	ASSERT_EQ(0, pasid_alloc(vmm, &pasid));
	ASSERT_EQ(0, pasid_bind(vmm, &other, pasid, root, 48, 0));
	/* One PASID on two devices, with a table of its own on each */
	ASSERT_EQ(0, pasid_bind(vmm, &other, self->pasid, root, 48, 0));
	MAP(0x1000, 'A');
	guest_map(vmm, root, 48, 0x1000, page_of('B'), PAGE, GUEST_RW);
	EXPECT_READ('A', 0x1000);
	EXPECT_EQ('B', dma_read(&other, variant->request, self->pasid, 0x1000,
				&why));
	EXPECT_READ('A', 0x1000);

	info = inv_range(self->pasid, 0x1000, PAGE, 1);
	guest_map(vmm, root, 48, 0x1000, page_of('C'), PAGE, GUEST_RW);
	dma_fail(&self->dev, 1, false);
	EXPECT_EQ(0, invalidate(vmm, &other, &info, 1, NULL));
	EXPECT_EQ('C', dma_read(&other, variant->request, self->pasid, 0x1000,
				&why));
	EXPECT_EQ(-ETIMEDOUT, invalidate(vmm, &self->dev, &info, 1, NULL));
	EXPECT_EQ(0, invalidate(vmm, &self->dev, &info, 1, NULL));
	device_close(&other);
}

static void use_one_processor(void)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	sched_setaffinity(0, sizeof(one), &one);
}

static unsigned long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

#define SLICES	100	/* of 10 ms, in which others may run */

/* While a device takes a second to answer, others have the processor */
TEST_F(vmm, others_run)
{
	volatile char *ran = monitor_at(&self->vmm, page_of('H'));
	unsigned long start = now_ms(), slice;
	unsigned int nr = 0;
	pid_t other;

	MAP(0x1000, 'A');
	EXPECT_READ('A', 0x1000);
	memset((void *)ran, 0, SLICES);
	use_one_processor();
	other = fork();
	ASSERT_LE(0, other);
	while (!other) {
		slice = (now_ms() - start) / 10;
		if (slice < SLICES)
			ran[slice] = 1;
	}
	dma_answer_after(&self->dev, 1000000);
	EXPECT_EQ(0, INVALIDATE(inv_range(self->pasid, 0x1000, PAGE, 1)));
	dma_answer_after(&self->dev, 0);
	kill(other, SIGKILL);
	waitpid(other, NULL, 0);
	for (slice = 0; slice < SLICES; slice++)
		nr += ran[slice];
	EXPECT_LT(10, nr);
}

/* Two guests that chose the same number, and the same address */
TEST_F(vmm, local_collision)
{
	struct device *mine = &self->dev, theirs;
	struct iommu_cache_invalidate_info info;
	uint32_t pasid = self->pasid;
	struct monitor other;
	unsigned int why;
	uint64_t root;

	ASSERT_EQ(0, monitor_open(&other));
	ASSERT_EQ(0, device_open(&other, &theirs, 1));
	ASSERT_EQ(0, device_alloc_parent(&other, &theirs));
	memset(monitor_at(&other, page_of('A')), 'X', PAGE);
	memset(monitor_at(&other, page_of('B')), 'Y', PAGE);
	root = guest_table(&other);
	guest_map(&other, root, 48, 0x1000, page_of('A'), PAGE, GUEST_RW);
	MAP(0x1000, 'A');
	ASSERT_EQ(0, pasid_bind_local(&other, &theirs, pasid, root));
	EXPECT_READ('A', 0x1000);
	EXPECT_EQ('X', dma_read(&theirs, variant->request, pasid, 0x1000, &why));

	/* Each invalidates what is its own */
	guest_map(&other, root, 48, 0x1000, page_of('B'), PAGE, GUEST_RW);
	MAP(0x1000, 'B');
	info = inv_range(pasid, 0x1000, PAGE, 1);
	ASSERT_EQ(0, invalidate(&other, &theirs, &info, 1, NULL));
	EXPECT_EQ('Y', dma_read(&theirs, variant->request, pasid, 0x1000, &why));
	EXPECT_READ('A', 0x1000);
	ASSERT_EQ(0, INVALIDATE(info));
	EXPECT_READ('B', 0x1000);

	/* A number that was allocated goes, the same one that was not stays */
	ASSERT_EQ(0, pasid_free(&self->vmm, pasid));
	while (READ(pasid, 0x1000) != -1)
		usleep(1000);
	EXPECT_EQ('Y', dma_read(&theirs, variant->request, pasid, 0x1000, &why));
	ASSERT_EQ(0, pasid_bind_local(&self->vmm, mine, pasid, self->root));
	EXPECT_READ('B', 0x1000);
	ASSERT_EQ(0, pasid_unbind(&other, &theirs, pasid));
	EXPECT_EQ(-1, dma_read(&theirs, variant->request, pasid, 0x1000, &why));
	EXPECT_READ('B', 0x1000);
	device_close(&theirs);
	monitor_close(&other);
}

#define RID_READ(va) READ(0, va)

/* ATS stays on when the RID changes what it is attached to */
TEST_F(vmm, rid_nested)
{
	uint64_t root = guest_table(&self->vmm);
	uint32_t nested;

	guest_map(&self->vmm, root, 48, 0x1000, page_of('A'), PAGE, GUEST_RW);
	MAP(0x1000, 'C');
	EXPECT_READ('C', 0x1000);
	ASSERT_EQ(0, device_alloc_nested(&self->vmm, &self->dev, root, 0,
					 &nested));
	ASSERT_EQ(0, device_attach(&self->dev, nested));
	EXPECT_EQ('A', RID_READ(0x1000));
	guest_map(&self->vmm, root, 48, 0x1000, page_of('B'), PAGE, GUEST_RW);
	EXPECT_EQ('A', RID_READ(0x1000));
	EXPECT_EQ(0, device_invalidate(&self->vmm, nested, 0x1000, 1));
	EXPECT_EQ('B', RID_READ(0x1000));

	dma_fail(&self->dev, 1, false);
	EXPECT_EQ(-ETIMEDOUT, device_invalidate(&self->vmm, nested, 0x1000, 1));
	dma_fail(&self->dev, 1, true);
	EXPECT_EQ(-EIO, device_invalidate(&self->vmm, nested, 0x1000, 1));
	EXPECT_EQ(0, device_invalidate(&self->vmm, nested, 0x1000, 1));

	/* The RID left the parent, which may have flushed by the id they share */
	EXPECT_READ('C', 0x1000);
	MAP(0x1000, 'D');
	EXPECT_READ('C', 0x1000);
	EXPECT_EQ(0, INVALIDATE(inv_pasid(self->pasid)));
	EXPECT_READ('D', 0x1000);
}

/* What the device cached of one page table is gone when the next one is attached */
TEST_F(vmm, rid_replaced)
{
	uint64_t root = guest_table(&self->vmm), at = page_of('A');
	uint32_t nested;

	guest_map(&self->vmm, root, 48, at, page_of('B'), PAGE, GUEST_RW);
	ASSERT_EQ(0, device_alloc_nested(&self->vmm, &self->dev, root, 0,
					 &nested));
	EXPECT_EQ('A', RID_READ(at));
	ASSERT_EQ(0, device_attach(&self->dev, nested));
	EXPECT_EQ('B', RID_READ(at));
	ASSERT_EQ(0, device_attach(&self->dev, self->vmm.parent));
	EXPECT_EQ('A', RID_READ(at));
}

/* An unmap reaches a binding that is older than the attachment */
TEST_F(vmm, bound_then_attached)
{
	ASSERT_EQ(0, pasid_unbind(&self->vmm, &self->dev, self->pasid));
	ASSERT_EQ(0, device_detach(&self->dev));
	ASSERT_EQ(0, pasid_bind(&self->vmm, &self->dev, self->pasid, self->root,
				48, 0));
	MAP(0x1000, 'A');
	EXPECT_READ('A', 0x1000);
	ASSERT_EQ(0, device_attach(&self->dev, self->vmm.parent));
	EXPECT_READ('A', 0x1000);
	ASSERT_EQ(0, device_detach(&self->dev));
	EXPECT_READ('A', 0x1000);
	ASSERT_EQ(0, monitor_unmap(&self->vmm, GUEST_BASE, GUEST_SIZE));
	EXPECT_EQ(-1, READ(self->pasid, 0x1000));
}

/* A page that is only reached by many PASIDs goes from all of them */
TEST_F(vmm, stage2_unmap_many)
{
	uint32_t pasid[64];
	unsigned int i;

	MAP(0x1000, 'A');
	for (i = 0; i < 64; i++) {
		ASSERT_EQ(0, pasid_alloc(&self->vmm, &pasid[i]));
		ASSERT_EQ(0, pasid_bind(&self->vmm, &self->dev, pasid[i],
					self->root, 48, 0));
		EXPECT_EQ('A', READ(pasid[i], 0x1000));
	}
	ASSERT_EQ(0, monitor_unmap(&self->vmm, GUEST_BASE, GUEST_SIZE));
	for (i = 0; i < 64; i++)
		EXPECT_EQ(-1, READ(pasid[i], 0x1000));
}

/* Bindings take no domain id, but a second table of a PASID, on another device */
TEST_F(vmm, domain_ids)
{
	struct monitor *vmm = &self->vmm;
	struct device other;
	uint32_t pasid[66];
	unsigned int i;
	int before;

	ASSERT_EQ(0, device_open(vmm, &other, 1));
	before = unit_domain_ids();
	ASSERT_LT(0, before);
	for (i = 0; i < 66; i++) {
		ASSERT_EQ(0, pasid_alloc(vmm, &pasid[i]));
		ASSERT_EQ(0, pasid_bind(vmm, &self->dev, pasid[i], self->root,
					48, 0));
	}
	EXPECT_EQ(before, unit_domain_ids());
	/* The same table is no second one */
	ASSERT_EQ(0, pasid_bind(vmm, &other, pasid[65], self->root, 48, 0));
	EXPECT_EQ(before, unit_domain_ids());
	for (i = 0; i < 64; i++)
		ASSERT_EQ(0, pasid_bind(vmm, &other, pasid[i],
					guest_table(vmm), 48, 0));
	EXPECT_EQ(before + 64, unit_domain_ids());
	EXPECT_EQ(-ENOSPC, pasid_bind(vmm, &other, pasid[64], guest_table(vmm),
				      48, 0));
	ASSERT_EQ(0, pasid_unbind(vmm, &other, pasid[0]));
	EXPECT_EQ(before + 63, unit_domain_ids());
	EXPECT_EQ(0, pasid_bind(vmm, &other, pasid[64], guest_table(vmm), 48,
				0));
	device_close(&other);
	/* The host has the other device back, in a domain of its own */
	EXPECT_EQ(before + 1, unit_domain_ids());

	/* One table is walked in one way */
	ASSERT_EQ(0, pasid_unbind(vmm, &self->dev, pasid[0]));
	EXPECT_EQ(-EINVAL, pasid_bind(vmm, &self->dev, pasid[0], self->root, 57,
				      0));
	EXPECT_EQ(-EINVAL, pasid_bind(vmm, &self->dev, pasid[0], self->root, 48,
				      IOMMU_SVA_VTD_GPASID_EAFE));
}

/* Page by page, which is one range for the unit */
TEST_F(vmm, batch_range)
{
	struct iommu_cache_invalidate_info infos[256];
	uint64_t flushes;
	unsigned int i;

	for (i = 0; i < 256; i++) {
		MAP(i * PAGE, 'A');
		EXPECT_READ('A', i * PAGE);
		MAP(i * PAGE, 'B');
		infos[i] = inv_range(self->pasid, (255 - i) * PAGE, PAGE, 1);
	}
	flushes = dma_count(&self->dev, PDMA_N_INV_REQUESTS);
	EXPECT_EQ(0, invalidate(&self->vmm, &self->dev, infos, 256, NULL));
	for (i = 0; i < 256; i++)
		EXPECT_READ('B', i * PAGE);
	EXPECT_GE(flushes + 4, dma_count(&self->dev, PDMA_N_INV_REQUESTS));
}

static const char *const events[] = {
	"iommu/cache_inv_begin", "intel_iommu/qi_submit",
	"intel_iommu/qi_begin", "intel_iommu/qi_end",
	"intel_iommu/gpasid_flush", "intel_iommu/pasid_entry_set",
	"intel_iommu/pasid_entry_clear",
};

static void trace(bool on)
{
	char path[128];
	unsigned int i;

	for (i = 0; i < sizeof(events) / sizeof(*events); i++) {
		snprintf(path, sizeof(path), TRACING "events/%s/enable",
			 events[i]);
		put(path, on ? "1" : "0");
	}
}

/* The number behind @name in a line of the trace, -1 if there is none */
static long field(const char *line, const char *name)
{
	char with[32];
	const char *at;

	snprintf(with, sizeof(with), " %s=", name);
	at = strstr(line, with);
	return at ? strtol(at + strlen(with), NULL, 0) : -1;
}

/* The trace of a request, of its submission, and of PASID entries */
struct followed {
	long id, ret, seq, iotlb, devtlb;
	long count, submitted, piotlb, pdevtlb, tries, ns;
	unsigned int flushes, sets, clears;
};

#define CPUS	16

/* A line of the trace; @submitted: qi_submit so far since the last qi_begin */
static void follow_line(const char *line, long pasid, long submitted,
			struct followed *found)
{
	bool mine = field(line, "pasid") == pasid;

	if (strstr(line, " cache_inv_begin:") && mine) {
		found->id = field(line, "id");
	} else if (strstr(line, " gpasid_flush:") && mine) {
		found->flushes += field(line, "id") == found->id;
		found->seq = field(line, "seq");
		found->iotlb = field(line, "iotlb");
		found->devtlb = field(line, "devtlb");
		found->ret = field(line, "ret");
	} else if (strstr(line, " qi_begin:") &&
		   field(line, "seq") == found->seq) {
		found->count = field(line, "count");
		found->submitted = submitted;
	} else if (strstr(line, " qi_end:") &&
		   field(line, "seq") == found->seq) {
		found->piotlb = field(line, "piotlb");
		found->pdevtlb = field(line, "pdevtlb");
		found->tries = field(line, "tries");
		found->ns = field(line, "ns");
	} else if (strstr(line, " pasid_entry_set:")) {
		found->sets += mine && strstr(line, " type=nested");
	} else if (strstr(line, " pasid_entry_clear:")) {
		found->clears += mine;
	}
}

/* The submission stands in front of what tells its number: so look twice */
static void follow(long pasid, struct followed *found)
{
	unsigned int cpu, look;
	char line[512];
	FILE *file;

	*found = (struct followed) { .id = -1, .seq = -1 };
	for (look = 0; look < 2; look++) {
		long submitted[CPUS] = {};

		found->flushes = found->sets = found->clears = 0;
		file = fopen(TRACING "trace", "r");
		while (file && fgets(line, sizeof(line), file)) {
			if (sscanf(line, "%*s [%u]", &cpu) != 1 || cpu >= CPUS)
				continue;
			follow_line(line, pasid, submitted[cpu], found);
			if (strstr(line, " qi_submit:"))
				submitted[cpu]++;
			else if (strstr(line, " qi_begin:"))
				submitted[cpu] = 0;
		}
		if (file)
			fclose(file);
	}
}

/* From the request of a guest to what the device was asked, by the trace alone */
TEST_F(vmm, followed)
{
	struct followed found;
	uint64_t flushes;

	put(TRACING "trace", "");
	trace(true);
	flushes = dma_count(&self->dev, PDMA_N_INV_REQUESTS);
	/* Two blocks: on both sides of 2 GiB */
	EXPECT_EQ(0, INVALIDATE(inv_range(self->pasid, 0x7ffff000, PAGE, 2)));
	flushes = dma_count(&self->dev, PDMA_N_INV_REQUESTS) - flushes;
	trace(false);
	follow(self->pasid, &found);
	EXPECT_LT(0, found.id);
	EXPECT_EQ(1, found.flushes);
	EXPECT_EQ(0, found.ret);
	EXPECT_LT(0, found.seq);
	EXPECT_EQ(2, found.iotlb);
	EXPECT_EQ(2, found.devtlb);
	EXPECT_EQ(flushes, found.devtlb);
	EXPECT_EQ(found.iotlb, found.piotlb);
	EXPECT_EQ(found.devtlb, found.pdevtlb);
	EXPECT_EQ(found.iotlb + found.devtlb, found.count);
	EXPECT_EQ(found.count, found.submitted);
	EXPECT_EQ(1, found.tries);
	EXPECT_LT(0, found.ns);
}

/* Descriptors that this process makes the driver submit for an unmap of all memory */
static unsigned int unmap_submits(struct __test_metadata *_metadata,
				  struct monitor *vmm)
{
	put(TRACING "trace", "");
	trace(true);
	EXPECT_EQ(0, monitor_unmap(vmm, GUEST_BASE, GUEST_SIZE));
	trace(false);
	EXPECT_EQ(0, monitor_map(vmm, GUEST_BASE, GUEST_SIZE, true));
	EXPECT_EQ(traced(" qi_end:", getpid()),
		  traced(" tries=1 ", getpid()));
	return traced(" qi_submit:", getpid());
}

/*
 * An unmap flushes for what uses the memory, and not for what did: of the device
 * itself, of a binding that shares the domain ID of the parent, and of those, with
 * PASIDs and without, that are gone.
 */
TEST_F(vmm, nothing_is_flushed_twice)
{
	struct monitor *vmm = &self->vmm;
	struct device *dev = &self->dev;
	unsigned int i, before;
	uint32_t pasid, nested;

	before = unmap_submits(_metadata, vmm);
	/* The domain ID, and the caches of the RID and of the PASID */
	EXPECT_EQ(3, before);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, pasid_alloc(vmm, &pasid));
		ASSERT_EQ(0, pasid_bind(vmm, dev, pasid, self->root, 48, 0));
		EXPECT_EQ(before + 1, unmap_submits(_metadata, vmm));
		ASSERT_EQ(0, pasid_unbind(vmm, dev, pasid));
	}
	ASSERT_EQ(0, device_alloc_nested(vmm, dev, self->root, 0, &nested));
	ASSERT_EQ(0, device_attach(dev, nested));
	ASSERT_EQ(0, device_attach(dev, vmm->parent));
	EXPECT_EQ(before, unmap_submits(_metadata, vmm));
	ASSERT_EQ(0, device_detach(dev));
	EXPECT_EQ(before - 1, unmap_submits(_metadata, vmm));
}

/* Entries that came and went in the PASID table are told, and when it is so */
TEST_F(vmm, entries_traced)
{
	struct followed found;

	put(TRACING "trace", "");
	trace(true);
	EXPECT_EQ(0, pasid_unbind(&self->vmm, &self->dev, self->pasid));
	follow(self->pasid, &found);
	EXPECT_EQ(0, found.sets);
	EXPECT_EQ(1, found.clears);
	EXPECT_EQ(0, pasid_bind(&self->vmm, &self->dev, self->pasid, self->root,
				48, 0));
	trace(false);
	follow(self->pasid, &found);
	EXPECT_EQ(1, found.sets);
	EXPECT_EQ(1, found.clears);
}

/*
 * The entry of a PASID as debugfs has it: three of its words, the third first.
 * Return: false if there is none.
 */
static bool debugfs_entry(uint32_t pasid, uint64_t words[3])
{
	FILE *file = fopen("/sys/kernel/debug/iommu/intel/dmar_translation_struct",
			   "r");
	bool found = false;
	char line[256];
	unsigned int of;

	while (file && !found && fgets(line, sizeof(line), file))
		found = sscanf(line, "%*x:%*x.%*x 0x%*x:0x%*x 0x%*x:0x%*x %u 0x%"
			       SCNx64 ":0x%" SCNx64 ":0x%" SCNx64, &of,
			       &words[2], &words[1], &words[0]) == 4 &&
			of == pasid;
	if (file)
		fclose(file);
	return found;
}

TEST_F(vmm, debugfs)
{
	uint64_t words[3];

	ASSERT_TRUE(debugfs_entry(self->pasid, words));
	/* Present, nested */
	EXPECT_EQ(1 | 3 << 6, words[0] & (1 | 7 << 6));
	EXPECT_EQ(self->root, words[2]);
	EXPECT_EQ(0, pasid_unbind(&self->vmm, &self->dev, self->pasid));
	EXPECT_FALSE(debugfs_entry(self->pasid, words));
}

/* The entry that maps @gpa for the device itself, as debugfs has it, or 0 */
static uint64_t debugfs_page(uint64_t gpa)
{
	FILE *file = fopen("/sys/kernel/debug/iommu/intel/0000:00:1d.0/domain_translation_struct",
			   "r");
	uint64_t pfn, entry = 0;
	char line[256];

	while (file && !entry && fgets(line, sizeof(line), file))
		if (sscanf(line, "0x%" SCNx64 " |", &pfn) == 1 && pfn == gpa / PAGE)
			entry = strtoull(strrchr(line, 'x') + 1, NULL, 16);
	if (file)
		fclose(file);
	return entry;
}

/* VFIO wants DMA to snoop, and the unit can force it, 9.8 */
TEST_F(vmm, snooped)
{
	EXPECT_EQ(1 << 11 | 3, debugfs_page(GUEST_BASE) & (1 << 11 | 3));
}

TEST_HARNESS_MAIN
