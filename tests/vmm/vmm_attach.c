// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page tables that VFIO attaches to PASIDs, as monitors for mainline do it: QEMU's
 * calls, with its flags. As in vmm_test.c bytes decide, and each test runs without
 * ATS and with it.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/vfio.h>

#include "harness.h"
#include "pasid-dma.h"
#include "vmm.h"

#define LETTERS		8
#define VA		0x1000
#define PASID		0x123

/* Reasons of VT-d, Table 30 */
#define NO_TABLE	0x51	/* Table 30: no page of the PASID table */
#define NO_ENTRY	0x59	/* PASID-table entry is not present */

FIXTURE(attach) {
	struct monitor vmm;
	struct device dev;
	uint64_t root;
	uint32_t nested;	/* the page table at root */
};

FIXTURE_VARIANT(attach) {
	uint32_t request;
};

FIXTURE_VARIANT_ADD(attach, untranslated) {
	.request = 0,
};

FIXTURE_VARIANT_ADD(attach, translated) {
	.request = PDMA_CMD_ATS,
};

/* QEMU has this before its guest uses a PASID: a device attached to the stage 2 */
FIXTURE_SETUP(attach)
{
	struct monitor *vmm = &self->vmm;
	unsigned int i;

	ASSERT_EQ(0, monitor_open(vmm));
	ASSERT_EQ(0, device_open(vmm, &self->dev, 0));
	ASSERT_EQ(0, device_alloc_parent_with(vmm, &self->dev,
					      IOMMU_HWPT_ALLOC_DIRTY_TRACKING |
					      IOMMU_HWPT_ALLOC_PASID));
	ASSERT_EQ(0, device_attach(&self->dev, vmm->parent));
	for (i = 0; i < LETTERS; i++)
		memset(monitor_at(vmm, GUEST_DATA + i * PAGE), 'A' + i, PAGE);
	self->root = guest_table(vmm);
	ASSERT_EQ(0, pasid_alloc_nested(vmm, &self->dev, self->root, 48,
					&self->nested));
}

FIXTURE_TEARDOWN(attach)
{
	device_close(&self->dev);
	monitor_close(&self->vmm);
}

static uint64_t page_of(char letter)
{
	return GUEST_DATA + (letter - 'A') * PAGE;
}

static void map(struct monitor *vmm, uint64_t root, char letter)
{
	guest_map(vmm, root, 48, VA, page_of(letter), PAGE, GUEST_RW);
}

/* Another page table of the guest, with one page */
static int other_table(struct monitor *vmm, struct device *dev, char letter,
		       uint32_t *pt_id)
{
	uint64_t root = guest_table(vmm);

	map(vmm, root, letter);
	return pasid_alloc_nested(vmm, dev, root, 48, pt_id);
}

#define READ_BY(dev, pasid, va) ({					\
	unsigned int reason_;						\
	dma_read(dev, variant->request, pasid, va, &reason_);		\
})
#define READ(pasid) READ_BY(&self->dev, pasid, VA)

#define EXPECT_BLOCKED(pasid) do {					\
	unsigned int reason_ = 0;					\
	EXPECT_EQ(-1, dma_read(&self->dev, variant->request, pasid, VA,	\
			       &reason_));				\
	EXPECT_TRUE(reason_ == NO_ENTRY || reason_ == NO_TABLE);	\
} while (0)

TEST_F(attach, nested)
{
	struct monitor *vmm = &self->vmm;
	struct device *dev = &self->dev;

	map(vmm, self->root, 'A');
	EXPECT_BLOCKED(PASID);
	ASSERT_EQ(0, pasid_attach(dev, PASID, self->nested));
	EXPECT_EQ('A', READ(PASID));
	EXPECT_EQ(-EBUSY, monitor_destroy(vmm, self->nested));
	EXPECT_BLOCKED(PASID + 1);

	/* Old before, new after */
	map(vmm, self->root, 'B');
	EXPECT_EQ('A', READ(PASID));
	ASSERT_EQ(0, device_invalidate(vmm, self->nested, VA, 1));
	EXPECT_EQ('B', READ(PASID));

	ASSERT_EQ(0, pasid_detach(dev, PASID));
	EXPECT_BLOCKED(PASID);
	EXPECT_EQ(0, pasid_detach(dev, PASID));
	EXPECT_EQ(0, monitor_destroy(vmm, self->nested));
}

/* One page table, wherever a guest can put it: one flush is for all of them */
TEST_F(attach, nested_everywhere)
{
	struct monitor *vmm = &self->vmm;
	struct device *dev = &self->dev, other;
	const uint32_t pasids[] = { 0, PASID, PASID + 1 };
	unsigned int i;

	map(vmm, self->root, 'A');
	ASSERT_EQ(0, device_open(vmm, &other, 1));
	ASSERT_EQ(0, device_attach(dev, self->nested));
	for (i = 1; i < 3; i++)
		ASSERT_EQ(0, pasid_attach(dev, pasids[i], self->nested));
	ASSERT_EQ(0, pasid_attach(&other, PASID, self->nested));
	for (i = 0; i < 3; i++)
		EXPECT_EQ('A', READ(pasids[i]));
	EXPECT_EQ('A', READ_BY(&other, PASID, VA));

	map(vmm, self->root, 'B');
	ASSERT_EQ(0, device_invalidate(vmm, self->nested, VA, 1));
	for (i = 0; i < 3; i++)
		EXPECT_EQ('B', READ(pasids[i]));
	EXPECT_EQ('B', READ_BY(&other, PASID, VA));

	/* The last one goes as the first did */
	ASSERT_EQ(0, pasid_detach(dev, PASID));
	EXPECT_BLOCKED(PASID);
	ASSERT_EQ(0, device_attach(dev, vmm->parent));
	EXPECT_EQ('B', READ(PASID + 1));
	map(vmm, self->root, 'C');
	ASSERT_EQ(0, device_invalidate(vmm, self->nested, VA, 1));
	EXPECT_EQ('C', READ(PASID + 1));
	EXPECT_EQ('C', READ_BY(&other, PASID, VA));
	device_close(&other);
}

/* The guest passes a PASID through: only the second stage translates it */
TEST_F(attach, stage2_alone)
{
	struct monitor *vmm = &self->vmm;
	unsigned int why;

	ASSERT_EQ(0, pasid_attach(&self->dev, PASID, vmm->parent));
	EXPECT_EQ('C', READ_BY(&self->dev, PASID, page_of('C')));
	EXPECT_EQ(0, dma_write(&self->dev, variant->request, PASID,
			       page_of('C'), 'x', &why));
	EXPECT_EQ('x', *(char *)monitor_at(vmm, page_of('C')));
	ASSERT_EQ(0, monitor_unmap(vmm, GUEST_BASE, GUEST_SIZE));
	EXPECT_EQ(-1, READ_BY(&self->dev, PASID, page_of('C')));
}

TEST_F(attach, replaced)
{
	struct monitor *vmm = &self->vmm;
	struct device *dev = &self->dev;
	uint32_t second;

	map(vmm, self->root, 'A');
	ASSERT_EQ(0, other_table(vmm, dev, 'B', &second));
	ASSERT_EQ(0, pasid_attach(dev, PASID, self->nested));
	EXPECT_EQ('A', READ(PASID));
	ASSERT_EQ(0, pasid_attach(dev, PASID, second));
	EXPECT_EQ('B', READ(PASID));
	EXPECT_EQ(0, monitor_destroy(vmm, self->nested));

	/* By another kind and back */
	ASSERT_EQ(0, pasid_attach(dev, PASID, vmm->parent));
	EXPECT_EQ('C', READ_BY(dev, PASID, page_of('C')));
	EXPECT_EQ(-1, READ(PASID));
	ASSERT_EQ(0, pasid_attach(dev, PASID, second));
	EXPECT_EQ('B', READ(PASID));
	ASSERT_EQ(0, monitor_unmap(vmm, GUEST_BASE, GUEST_SIZE));
	EXPECT_EQ(-1, READ(PASID));
}

/* A table that does not fit leaves the old one, which its flushes still reach */
TEST_F(attach, not_replaced)
{
	struct monitor *vmm = &self->vmm;
	struct device *dev = &self->dev;
	uint32_t narrow, plain;

	map(vmm, self->root, 'A');
	ASSERT_EQ(0, pasid_alloc_nested(vmm, dev, guest_table(vmm), 39,
					&narrow));
	ASSERT_EQ(0, device_alloc_nested(vmm, dev, guest_table(vmm), 0,
					 &plain));
	EXPECT_EQ(-EINVAL, pasid_attach(dev, PASID, narrow));
	EXPECT_BLOCKED(PASID);
	ASSERT_EQ(0, pasid_attach(dev, PASID, self->nested));
	EXPECT_EQ('A', READ(PASID));
	EXPECT_EQ(-EINVAL, pasid_attach(dev, PASID, narrow));
	EXPECT_EQ('A', READ(PASID));
	EXPECT_EQ(-EINVAL, pasid_attach(dev, PASID, plain));
	EXPECT_EQ(-EINVAL, pasid_attach(dev, PASID, vmm->ioas));
	EXPECT_EQ(-ENOENT, pasid_attach(dev, PASID, 0x7fffffff));
	EXPECT_EQ('A', READ(PASID));

	map(vmm, self->root, 'B');
	ASSERT_EQ(0, device_invalidate(vmm, self->nested, VA, 1));
	EXPECT_EQ('B', READ(PASID));
	ASSERT_EQ(0, monitor_destroy(vmm, narrow));
	ASSERT_EQ(0, pasid_detach(dev, PASID));
	EXPECT_BLOCKED(PASID);
}

/* A PASID that one door holds is not to be had at the other */
TEST_F(attach, other_door)
{
	struct monitor *vmm = &self->vmm;
	struct device *dev = &self->dev;
	struct iommu_cache_invalidate_info info = inv_pasid(PASID);
	uint32_t parent = vmm->parent, nested;

	/* A bind takes no stage 2 that tracks */
	EXPECT_EQ(-EINVAL, pasid_bind_local(vmm, dev, PASID, self->root));
	ASSERT_EQ(0, device_alloc_parent_with(vmm, dev,
					      IOMMU_HWPT_ALLOC_PASID));
	ASSERT_NE(parent, vmm->parent);
	ASSERT_EQ(0, other_table(vmm, dev, 'B', &nested));
	map(vmm, self->root, 'A');

	ASSERT_EQ(0, pasid_bind_local(vmm, dev, PASID, self->root));
	EXPECT_EQ(-EBUSY, pasid_attach(dev, PASID, nested));
	EXPECT_EQ(0, pasid_detach(dev, PASID));
	EXPECT_EQ('A', READ(PASID));
	ASSERT_EQ(0, pasid_unbind(vmm, dev, PASID));

	ASSERT_EQ(0, pasid_attach(dev, PASID, nested));
	EXPECT_EQ(-EBUSY, pasid_bind_local(vmm, dev, PASID, self->root));
	EXPECT_EQ(-ENOENT, pasid_unbind(vmm, dev, PASID));
	EXPECT_EQ(-ENOENT, invalidate(vmm, dev, &info, 1, NULL));
	EXPECT_EQ('B', READ(PASID));

	/* Side by side on other PASIDs, each with its own flushes */
	ASSERT_EQ(0, pasid_bind_local(vmm, dev, PASID + 1, self->root));
	EXPECT_EQ('A', READ(PASID + 1));
	map(vmm, self->root, 'C');
	ASSERT_EQ(0, device_invalidate(vmm, nested, VA, 1));
	EXPECT_EQ('A', READ(PASID + 1));
	info = inv_domain();
	ASSERT_EQ(0, invalidate(vmm, dev, &info, 1, NULL));
	EXPECT_EQ('C', READ(PASID + 1));
}

/* A page that many tables lead to goes from all of them */
TEST_F(attach, stage2_unmap_many)
{
	struct monitor *vmm = &self->vmm;
	uint32_t nested;
	unsigned int i;

	for (i = 0; i < 66; i++) {
		ASSERT_EQ(0, other_table(vmm, &self->dev, 'A', &nested));
		ASSERT_EQ(0, pasid_attach(&self->dev, PASID + i, nested));
		EXPECT_EQ('A', READ(PASID + i));
	}
	ASSERT_EQ(0, monitor_unmap(vmm, GUEST_BASE, GUEST_SIZE));
	for (i = 0; i < 66; i++)
		EXPECT_EQ(-1, READ(PASID + i));
}

/* The device is closed while it writes by a PASID: not a byte afterwards */
TEST_F(attach, closed_under_dma)
{
	struct monitor *vmm = &self->vmm, next;
	struct dma dma = { .op = PDMA_OP_FILL | variant->request,
			   .pasid = PASID, .dst = VA, .len = PAGE,
			   .repeat = PDMA_MAX_REPEAT,
			   .data = 0x7878787878787878ULL };
	volatile char *page = monitor_at(vmm, page_of('A'));
	unsigned int i, why = 0;

	map(vmm, self->root, 'A');
	ASSERT_EQ(0, pasid_attach(&self->dev, PASID, self->nested));
	dma_pace(&self->dev, 100000);
	dma_start(&self->dev, &dma);
	while (*page != 'x')
		usleep(100);
	device_close(&self->dev);
	memset((void *)page, 'A', PAGE);
	EXPECT_EQ(0, monitor_destroy(vmm, self->nested));

	/* The next owner of the device finds nothing on its PASIDs */
	ASSERT_EQ(0, monitor_open(&next));
	ASSERT_EQ(0, device_open(&next, &self->dev, 0));
	EXPECT_EQ(-1, dma_read(&self->dev, variant->request, PASID, VA, &why));
	EXPECT_TRUE(why == NO_ENTRY || why == NO_TABLE);
	for (i = 0; i < PAGE; i++)
		ASSERT_EQ('A', page[i]);
	monitor_close(&next);
}

/* Tracking begins before the attachment, and after it */
TEST_F(attach, dirty)
{
	struct monitor *vmm = &self->vmm;
	struct device *dev = &self->dev;
	uint32_t pts[] = { self->nested, vmm->parent };
	unsigned int i, before, why;
	uint64_t va, other;

	map(vmm, self->root, 'A');
	guest_map(vmm, self->root, 48, VA + PAGE, page_of('B'), PAGE, GUEST_RW);
	for (i = 0; i < 2; i++) {
		va = i ? page_of('A') : VA;
		other = i ? page_of('B') : VA + PAGE;
		for (before = 0; before < 2; before++) {
			if (before)
				ASSERT_EQ(0, monitor_track(vmm, true));
			ASSERT_EQ(0, pasid_attach(dev, PASID, pts[i]));
			if (!before) {
				/* What is cached by then does not hide it */
				ASSERT_EQ(0, dma_write(dev, variant->request,
						       PASID, va, 'w', &why));
				ASSERT_EQ(0, monitor_track(vmm, true));
			}
			EXPECT_EQ(0, monitor_dirty(vmm, page_of('A')));
			ASSERT_EQ(0, dma_write(dev, variant->request, PASID,
					       va, 'x', &why));
			EXPECT_EQ(1, monitor_dirty(vmm, page_of('A'))) {
				TH_LOG("kind %u, tracked before: %u", i, before);
			}
			EXPECT_EQ('B', READ_BY(dev, PASID, other));
			EXPECT_EQ(0, monitor_dirty(vmm, page_of('A')));
			ASSERT_EQ(0, monitor_track(vmm, false));
			ASSERT_EQ(0, pasid_detach(dev, PASID));
		}
	}
}

/* Structures as mainline has them */
TEST_F(attach, bad_input)
{
	struct vfio_device_attach_iommufd_pt attach = {
		.flags = VFIO_DEVICE_ATTACH_PASID, .pt_id = self->nested,
		.pasid = PASID,
	};
	struct vfio_device_detach_iommufd_pt detach = {
		.flags = VFIO_DEVICE_DETACH_PASID, .pasid = PASID,
	};
	struct iommu_hwpt_vtd_s1 table = {
		.pgtbl_addr = self->root, .addr_width = 48,
	};
	struct iommu_hwpt_alloc alloc = {
		.size = sizeof(alloc), .flags = IOMMU_HWPT_ALLOC_PASID,
		.dev_id = self->dev.id, .pt_id = self->vmm.parent,
		.data_type = IOMMU_HWPT_DATA_VTD_S1,
		.data_len = offsetof(struct iommu_hwpt_vtd_s1, addr_width),
		.data_uptr = (uintptr_t)&table,
	};
	int fd = self->dev.fd;

	/* Less than the structure ever was is a fault */
	EXPECT_EQ(-1, ioctl(self->vmm.iommu, IOMMU_HWPT_ALLOC, &alloc));
	EXPECT_EQ(EINVAL, errno);
	alloc.data_len = sizeof(table);
	EXPECT_EQ(0, ioctl(self->vmm.iommu, IOMMU_HWPT_ALLOC, &alloc));

	EXPECT_EQ(16, sizeof(attach));
	EXPECT_EQ(12, sizeof(detach));
	attach.argsz = 12;
	EXPECT_EQ(-1, ioctl(fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach));
	EXPECT_EQ(EINVAL, errno);
	detach.argsz = 8;
	EXPECT_EQ(-1, ioctl(fd, VFIO_DEVICE_DETACH_IOMMUFD_PT, &detach));
	EXPECT_EQ(EINVAL, errno);
	detach.argsz = 12;
	detach.flags |= 2;
	EXPECT_EQ(-1, ioctl(fd, VFIO_DEVICE_DETACH_IOMMUFD_PT, &detach));
	EXPECT_EQ(EINVAL, errno);
	attach.argsz = 16;
	attach.flags |= 2;
	EXPECT_EQ(-1, ioctl(fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_BLOCKED(PASID);

	EXPECT_EQ(-EINVAL, pasid_attach(&self->dev, 0, self->nested));
	EXPECT_EQ(-EINVAL, pasid_attach(&self->dev, 1 << 20, self->nested));
	/* More than mainline's structure is no fault, as VFIO has it */
	attach.flags = VFIO_DEVICE_ATTACH_PASID;
	attach.argsz = 64;
	EXPECT_EQ(0, ioctl(fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach));
	EXPECT_EQ(0, pasid_detach(&self->dev, PASID));
}

TEST_HARNESS_MAIN
