// SPDX-License-Identifier: GPL-2.0-only
/*
 * A machine with two units: vfio0 and vfio1 below the first, vfio2 below the second, whose
 * page tables have a level less.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"
#include "pasid-dma.h"
#include "vmm.h"

#define OTHER		2	/* the device below the second unit */
#define PASID		0x123
#define QI_END		TRACING "events/intel_iommu/qi_end/enable"

FIXTURE(units) {
	struct monitor vmm;
	struct device devs[3];
};

FIXTURE_SETUP(units)
{
	unsigned int i;

	ASSERT_EQ(0, monitor_open(&self->vmm));
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, device_open(&self->vmm, &self->devs[i], i));
	memset(monitor_at(&self->vmm, GUEST_DATA), 'A', PAGE);
}

FIXTURE_TEARDOWN(units)
{
	unsigned int i;

	for (i = 0; i < 3; i++)
		device_close(&self->devs[i]);
	monitor_close(&self->vmm);
}

/* Submissions of an unmap of all memory */
static unsigned int unmap_waits(struct __test_metadata *_metadata,
				struct monitor *vmm)
{
	put(TRACING "trace", "");
	put(QI_END, "1");
	EXPECT_EQ(0, monitor_unmap(vmm, GUEST_BASE, GUEST_SIZE));
	put(QI_END, "0");
	EXPECT_EQ(0, monitor_map(vmm, GUEST_BASE, GUEST_SIZE, true));
	return traced(" qi_end:", getpid());
}

/* A flush waits once for each unit, in whatever order their devices came */
TEST_F(units, one_wait_for_each)
{
	struct monitor *vmm = &self->vmm;
	const unsigned int order[] = { 0, OTHER, 1 };
	unsigned int i, reason;

	ASSERT_EQ(0, device_alloc_parent(vmm, &self->devs[OTHER]));
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, device_attach(&self->devs[order[i]], vmm->parent));
	for (i = 0; i < 3; i++)
		EXPECT_EQ('A', dma_read(&self->devs[i], PDMA_CMD_ATS, 0,
					GUEST_DATA, &reason));
	EXPECT_EQ(2, unmap_waits(_metadata, vmm));
	ASSERT_EQ(0, device_detach(&self->devs[OTHER]));
	EXPECT_EQ(1, unmap_waits(_metadata, vmm));
	ASSERT_EQ(0, device_attach(&self->devs[OTHER], vmm->parent));
	EXPECT_EQ(2, unmap_waits(_metadata, vmm));
}

/* A page table of the wider unit is not for the other, one of the narrower for both */
TEST_F(units, narrower)
{
	struct monitor *vmm = &self->vmm;
	unsigned int i, why;

	ASSERT_EQ(0, device_alloc_parent_with(vmm, &self->devs[0],
					      IOMMU_HWPT_ALLOC_PASID));
	ASSERT_EQ(0, pasid_attach(&self->devs[0], PASID, vmm->parent));
	EXPECT_EQ(-EINVAL, pasid_attach(&self->devs[OTHER], PASID, vmm->parent));
	EXPECT_EQ(0, pasid_attach(&self->devs[1], PASID, vmm->parent));
	EXPECT_EQ('A', dma_read(&self->devs[1], 0, PASID, GUEST_DATA, &why));

	ASSERT_EQ(0, pasid_detach(&self->devs[0], PASID));
	ASSERT_EQ(0, pasid_detach(&self->devs[1], PASID));
	ASSERT_EQ(0, device_alloc_parent_with(vmm, &self->devs[OTHER],
					      IOMMU_HWPT_ALLOC_PASID));
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, pasid_attach(&self->devs[i], PASID, vmm->parent));
	for (i = 0; i < 3; i++)
		EXPECT_EQ('A', dma_read(&self->devs[i], 0, PASID, GUEST_DATA,
					&why));
}

TEST_HARNESS_MAIN
