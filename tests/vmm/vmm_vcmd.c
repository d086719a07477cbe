// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual commands: PASIDs come from the host, here the unit of QEMU. The machine
 * that each test wants is in tests/host/vcmd.sh.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "harness.h"
#include "vmm.h"

#define FIRST	16		/* the host's PASIDs: x-vcmd-first, */
#define COUNT	8		/* and x-vcmd-count */
#define VA	0x200000ULL
#define PATIENCE	100	/* seconds; the driver tries for 60 */

FIXTURE(vcmd) {
	struct monitor vmm;
};

FIXTURE_SETUP(vcmd)
{
	ASSERT_EQ(0, monitor_open(&self->vmm));
}

FIXTURE_TEARDOWN(vcmd)
{
	monitor_close(&self->vmm);
}

/* A PASID of @min..0xfffff, or a negative errno */
static int alloc_from(struct monitor *vmm, uint32_t min)
{
	struct iommu_pasid_alloc alloc = {
		.size = sizeof(alloc), .min = min, .max = 0xfffff,
	};

	return ioctl(vmm->iommu, IOMMU_PASID_ALLOC, &alloc) ? -errno :
	       (int)alloc.out_pasid;
}

/* A PASID of the host is as good as any other: bytes move by it */
TEST_F(vcmd, host_chooses)
{
	struct monitor *vmm = &self->vmm;
	int pasid[3];
	struct device dev;
	unsigned int i, why;
	uint64_t root;

	for (i = 0; i < 3; i++) {
		pasid[i] = alloc_from(vmm, 1);
		EXPECT_LE(FIRST, pasid[i]);
		EXPECT_GT(FIRST + COUNT, pasid[i]);
	}
	EXPECT_NE(pasid[0], pasid[1]);

	ASSERT_EQ(0, device_open(vmm, &dev, 0));
	ASSERT_EQ(0, device_alloc_parent(vmm, &dev));
	ASSERT_EQ(0, device_attach(&dev, vmm->parent));
	root = guest_table(vmm);
	memset(monitor_at(vmm, GUEST_DATA), 'A', PAGE);
	guest_map(vmm, root, 48, VA, GUEST_DATA, PAGE, GUEST_RW);
	ASSERT_EQ(0, pasid_bind(vmm, &dev, pasid[0], root, 48, 0));
	EXPECT_EQ('A', dma_read(&dev, 0, pasid[0], VA, &why));
	EXPECT_EQ(0, pasid_unbind(vmm, &dev, pasid[0]));
	EXPECT_EQ(0, pasid_free(vmm, pasid[0]));
	EXPECT_EQ(-ENOENT, pasid_free(vmm, pasid[0]));
	device_close(&dev);
}

TEST_F(vcmd, dry)
{
	int pasid = 0;
	unsigned int i;

	for (i = 0; i < COUNT; i++) {
		pasid = alloc_from(&self->vmm, 1);
		EXPECT_LE(FIRST, pasid);
	}
	EXPECT_EQ(-ENOSPC, alloc_from(&self->vmm, 1));
	EXPECT_EQ(0, pasid_free(&self->vmm, pasid));
	EXPECT_EQ(pasid, alloc_from(&self->vmm, 1));
}

/* The host knows no ranges, and gets back at once what is out of one */
TEST_F(vcmd, out_of_range)
{
	unsigned int i;

	EXPECT_EQ(-ERANGE, alloc_from(&self->vmm, FIRST + COUNT));
	EXPECT_EQ(FIRST + 4, alloc_from(&self->vmm, FIRST + 4));
	for (i = 1; i < COUNT; i++)
		EXPECT_LE(FIRST, alloc_from(&self->vmm, 1));
}

/* x-vcmd-delay=5000: no processor is away for so long. Later the PASID goes back. */
TEST_F(vcmd, late)
{
	unsigned int tenths;

	put(TRACING "trace", "");
	put(TRACING "events/intel_iommu/vcmd/enable", "1");
	EXPECT_EQ(-ETIMEDOUT, alloc_from(&self->vmm, 1));
	/* Late were the allocation, and after it the free */
	for (tenths = 0; tenths < 10 * PATIENCE; tenths++) {
		if (traced(" late=1 ", 0) == 2)
			break;
		usleep(100000);
	}
	EXPECT_EQ(2, traced(" late=1 ", 0));
}

/* PASIDs that the driver had to take and cannot give back are told, with the error */
static bool is_lost(int pasid, int error)
{
	char text[64];

	snprintf(text, sizeof(text), "the host does not get PASID %d back: %d",
		 pasid, error);
	return logged(text) == 1;
}

/* x-vcmd-status=1 for what is freed, x-vcmd-only=2. PASIDs get fewer with each run. */
TEST_F(vcmd, not_taken_back)
{
	int pasid = alloc_from(&self->vmm, 1);

	ASSERT_LE(FIRST, pasid);
	EXPECT_EQ(pasid + 2, alloc_from(&self->vmm, pasid + 2));
	EXPECT_TRUE(is_lost(pasid + 1, -EIO));
	EXPECT_FALSE(is_lost(pasid + 2, -EIO));
}

/* x-vcmd-stuck=on */
TEST_F(vcmd, no_answer)
{
	EXPECT_EQ(-ETIMEDOUT, alloc_from(&self->vmm, 1));
	EXPECT_EQ(-ETIMEDOUT, alloc_from(&self->vmm, 1));
}

/* x-vcmd-status=1 */
TEST_F(vcmd, bad_status)
{
	EXPECT_EQ(-EIO, alloc_from(&self->vmm, 1));
}

TEST_HARNESS_MAIN
