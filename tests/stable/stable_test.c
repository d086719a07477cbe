// SPDX-License-Identifier: GPL-2.0-only
/*
 * Faults of Linux 6.12 itself, one test for each: it fails on the kernel without
 * patches/stable, and passes on the one with it. Only interfaces of 6.12 are used:
 * VFIO, /dev/iommu, and page tables of guests for DMA without PASID.
 *
 * tests/host/stable.sh runs them on both kernels; tests/stable/rows says on what
 * machine, and how the test ends without the patches.
 */
#include <fcntl.h>
#include <limits.h>
#include <linux/userfaultfd.h>
#include <linux/vfio.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"
#include "pasid-dma.h"
#include "vmm.h"

/* Pages of guest memory that hold a letter each, behind those for tables */
#define LETTERS_AT	(GUEST_BASE + GUEST_SIZE / 4)
#define LETTERS		8
/* More than a page of 2 MiB, so that it takes tables of its own */
#define PIECE		GUEST_DATA
#define PIECE_SIZE	(GUEST_BASE + GUEST_SIZE - PIECE)
#define SWITCHES	10000
#define ATTACHES	2000
#define OTHER		2	/* a device below a unit with a level less */
#define PLENTY		(64UL << 20)

FIXTURE(stable) {
	struct monitor vmm;
	struct device dev;
};

/* A guest with one device, without a page table of its own; PIECE comes and goes */
FIXTURE_SETUP(stable)
{
	struct monitor *vmm = &self->vmm;
	unsigned int i;

	ASSERT_EQ(0, monitor_open(vmm));
	ASSERT_EQ(0, monitor_unmap(vmm, GUEST_BASE, GUEST_SIZE));
	ASSERT_EQ(0, monitor_map(vmm, GUEST_BASE, PIECE - GUEST_BASE, true));
	ASSERT_EQ(0, monitor_map(vmm, PIECE, PIECE_SIZE, true));
	ASSERT_EQ(0, device_open(vmm, &self->dev, 0));
	ASSERT_EQ(0, device_alloc_parent(vmm, &self->dev));
	ASSERT_EQ(0, device_attach(&self->dev, vmm->parent));
	for (i = 0; i < LETTERS; i++)
		memset(monitor_at(vmm, LETTERS_AT + i * PAGE), 'A' + i, PAGE);
}

FIXTURE_TEARDOWN(stable)
{
	device_close(&self->dev);
	monitor_close(&self->vmm);
}

static uint64_t page_of(char letter)
{
	return LETTERS_AT + (letter - 'A') * PAGE;
}

/* The byte that the device reads at @va without PASID, or -1 */
static int rid_read(struct device *dev, uint32_t request, uint64_t va)
{
	unsigned int reason;

	return dma_read(dev, request, 0, va, &reason);
}

/* A page table of the guest that maps the first @nr pages to letters from @first */
static void map_letters(struct monitor *vmm, uint64_t root, unsigned int nr,
			char first)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		guest_map(vmm, root, 48, i * PAGE, page_of(first + i), PAGE,
			  GUEST_RW);
}

/* --- A device that goes while a call uses it ----------------------------------- */

struct call {
	int iommu;
	uint32_t dev_id;
	void *out;
	uint64_t capabilities;	/* that any of them told of */
};

static void *get_hw_info(void *arg)
{
	struct call *call = arg;
	struct iommu_hw_info cmd = {
		.size = sizeof(cmd), .dev_id = call->dev_id,
		.data_len = sizeof(struct iommu_hw_info_vtd),
		.data_uptr = (uintptr_t)call->out,
	};
	intptr_t ret = ioctl(call->iommu, IOMMU_GET_HW_INFO, &cmd);

	call->capabilities |= cmd.out_capabilities;
	return (void *)ret;
}

struct closing {
	struct device *dev;
	_Atomic pid_t tid;
	_Atomic int done;
};

static void *close_device(void *arg)
{
	struct closing *closing = arg;

	closing->tid = gettid();
	device_close(closing->dev);
	closing->done = 1;
	return NULL;
}

/* A page whose first access stays in the kernel until it is told to go on */
static int stalling_page(void **page)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC);

	*page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	range.range.start = (uintptr_t)*page;
	range.range.len = PAGE;
	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) ||
	    ioctl(fd, UFFDIO_REGISTER, &range))
		return -1;
	return fd;
}

/* Does the thread wait in iommufd? Its way there takes its time, too */
static bool waits_in_iommufd(pid_t tid)
{
	char path[64], where[64] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/wchan", tid);
	file = fopen(path, "r");
	if (!file)
		return false;
	if (!fgets(where, sizeof(where), file))
		where[0] = 0;
	fclose(file);
	return strstr(where, "iommufd");
}

/* The end of the call ends the wait, not a timeout of 60 s */
TEST_F(stable, closed_in_a_call)
{
	struct call call = { .iommu = self->vmm.iommu, .dev_id = self->dev.id };
	struct closing closing = { .dev = &self->dev };
	struct uffdio_zeropage zero = { .range.len = PAGE };
	pthread_t caller, closer;
	struct uffd_msg msg;
	int uffd, i;

	uffd = stalling_page(&call.out);
	ASSERT_LE(0, uffd);
	ASSERT_EQ(0, pthread_create(&caller, NULL, get_hw_info, &call));
	ASSERT_EQ(sizeof(msg), read(uffd, &msg, sizeof(msg)));
	ASSERT_EQ(0, pthread_create(&closer, NULL, close_device, &closing));
	while (!closing.tid || !waits_in_iommufd(closing.tid))
		usleep(1000);

	zero.range.start = (uintptr_t)call.out;
	ASSERT_EQ(0, ioctl(uffd, UFFDIO_ZEROPAGE, &zero));
	ASSERT_EQ(0, pthread_join(caller, NULL));
	for (i = 0; i < 30 && !closing.done; i++)
		sleep(1);
	EXPECT_EQ(1, closing.done);
	pthread_join(closer, NULL);
	ASSERT_EQ(0, device_open(&self->vmm, &self->dev, 0));
}

static _Atomic bool enough;

static void *get_hw_infos(void *arg)
{
	while (!enough)
		get_hw_info(arg);
	return NULL;
}

/* The kernel warns of what it sees of the device in a reset, and panics if told to */
TEST_F(stable, reset_in_a_call)
{
	struct iommu_hw_info_vtd out;
	struct call call = { .iommu = self->vmm.iommu, .dev_id = self->dev.id,
			     .out = &out };
	uint64_t at_rest;
	pthread_t caller;
	unsigned int i;

	get_hw_info(&call);
	at_rest = call.capabilities;
	ASSERT_EQ(0, pthread_create(&caller, NULL, get_hw_infos, &call));
	for (i = 0; i < 5; i++)
		EXPECT_EQ(0, device_reset(&self->dev));
	enough = true;
	ASSERT_EQ(0, pthread_join(caller, NULL));
	EXPECT_EQ(at_rest, call.capabilities);
}

/* --- Unchecked requests of a monitor ------------------------------------------- */

/* The bits beside the address are other fields of the PASID entry */
TEST_F(stable, table_address)
{
	struct monitor *vmm = &self->vmm;
	uint64_t root = guest_table(vmm);
	unsigned int bit;
	uint32_t pt_id;

	for (bit = 0; bit < 12; bit++)
		EXPECT_EQ(-EINVAL, device_alloc_nested(vmm, &self->dev,
						       root | 1 << bit, 0,
						       &pt_id));
	for (bit = 48; bit < 64; bit++)
		EXPECT_EQ(-EINVAL, device_alloc_nested(vmm, &self->dev,
						       root | 1ULL << bit, 0,
						       &pt_id));
	EXPECT_EQ(-EOPNOTSUPP, device_alloc_nested(vmm, &self->dev, root, 8,
						   &pt_id));
	EXPECT_EQ(0, device_alloc_nested(vmm, &self->dev, root, 0, &pt_id));
}

/* All that was asked for is flushed, or refused */
TEST_F(stable, range_overflow)
{
	struct {
		uint64_t va, pages;
		int ret;
	} range[] = {
		{ 0, 1ULL << 52, 0 }, { 0, -1ULL, 0 }, { 0, 1ULL << 51, 0 },
		{ 0, 4, 0 }, { 0, (1ULL << 52) + 1, -EINVAL },
		{ 0, 1ULL << 63, -EINVAL }, { 0, 0, -EINVAL },
		{ PAGE, 1ULL << 52, -EINVAL }, { PAGE, -1ULL, -EINVAL },
		{ -PAGE, 2, -EINVAL }, { -PAGE, 1, 0 },
	};
	struct monitor *vmm = &self->vmm;
	uint64_t root = guest_table(vmm);
	unsigned int i, page;
	uint32_t pt_id;

	ASSERT_EQ(0, device_alloc_nested(vmm, &self->dev, root, 0, &pt_id));
	ASSERT_EQ(0, device_attach(&self->dev, pt_id));
	for (i = 0; i < sizeof(range) / sizeof(*range); i++) {
		map_letters(vmm, root, 4, 'A');
		ASSERT_EQ(0, device_invalidate(vmm, pt_id, 0, 4));
		for (page = 0; page < 4; page++)
			EXPECT_EQ('A' + page, rid_read(&self->dev, 0, page * PAGE));
		map_letters(vmm, root, 4, 'E');
		EXPECT_EQ(range[i].ret, device_invalidate(vmm, pt_id, range[i].va,
							  range[i].pages));
		if (range[i].ret || range[i].va)
			continue;
		for (page = 0; page < 4; page++)
			EXPECT_EQ('E' + page, rid_read(&self->dev, 0, page * PAGE));
	}
}

/*
 * The unit forgets what leads to a page table before that is free. The range begins
 * behind a large page's place, so it goes in two pieces, the second of whole tables.
 */
TEST_F(stable, unmap_in_pieces)
{
	struct monitor *vmm = &self->vmm;
	uint64_t from = PIECE + PAGE, len = PIECE_SIZE - PAGE, at;

	ASSERT_EQ(0, monitor_unmap(vmm, PIECE, PIECE_SIZE));
	memset(monitor_at(vmm, PIECE), 'P', PIECE_SIZE);
	ASSERT_EQ(0, monitor_map(vmm, from, len, true));
	for (at = from; at < from + len; at += 2 << 20)
		EXPECT_EQ('P', rid_read(&self->dev, 0, at));
	ASSERT_EQ(0, monitor_unmap(vmm, from, len));
	for (at = from; at < from + len; at += 2 << 20)
		EXPECT_EQ(-1, rid_read(&self->dev, 0, at));
}

/* UBSAN tells of it, once a boot: a shift by a number that the guest chose */
TEST_F(stable, first_nested_attach)
{
	uint64_t root = guest_table(&self->vmm);
	uint32_t pt_id;

	guest_map(&self->vmm, root, 48, 0, page_of('A'), PAGE, GUEST_RW);
	ASSERT_EQ(0, device_alloc_nested(&self->vmm, &self->dev, root, 0, &pt_id));
	ASSERT_EQ(0, device_attach(&self->dev, pt_id));
	EXPECT_EQ('A', rid_read(&self->dev, 0, 0));
}

/* --- ATS, and devices that fail ------------------------------------------------- */

/* A device keeps ATS when its page table becomes one of the guest */
TEST_F(stable, nested_with_ats)
{
	struct monitor *vmm = &self->vmm;
	uint64_t root = guest_table(vmm), asked;
	uint32_t pt_id;

	EXPECT_EQ('A', rid_read(&self->dev, PDMA_CMD_ATS, page_of('A')));
	map_letters(vmm, root, 1, 'A');
	ASSERT_EQ(0, device_alloc_nested(vmm, &self->dev, root, 0, &pt_id));
	ASSERT_EQ(0, device_attach(&self->dev, pt_id));
	EXPECT_EQ('A', rid_read(&self->dev, PDMA_CMD_ATS, 0));

	asked = dma_count(&self->dev, PDMA_N_INV_REQUESTS);
	map_letters(vmm, root, 1, 'B');
	EXPECT_EQ(0, device_invalidate(vmm, pt_id, 0, 1));
	EXPECT_EQ(asked + 1, dma_count(&self->dev, PDMA_N_INV_REQUESTS));
	EXPECT_EQ('B', rid_read(&self->dev, PDMA_CMD_ATS, 0));
}

/* A guest is told what became of its flush, once. Before, it has no ATS either. */
TEST_F(stable, guest_is_told)
{
	struct monitor *vmm = &self->vmm;
	uint64_t root = guest_table(vmm);
	uint32_t pt_id;

	map_letters(vmm, root, 1, 'A');
	ASSERT_EQ(0, device_alloc_nested(vmm, &self->dev, root, 0, &pt_id));
	ASSERT_EQ(0, device_attach(&self->dev, pt_id));
	EXPECT_EQ('A', rid_read(&self->dev, PDMA_CMD_ATS, 0));
	map_letters(vmm, root, 1, 'B');
	dma_fail(&self->dev, 1, false);
	EXPECT_EQ(-ETIMEDOUT, device_invalidate(vmm, pt_id, 0, 1));
	dma_fail(&self->dev, 1, true);
	EXPECT_EQ(-EIO, device_invalidate(vmm, pt_id, 0, 1));
	EXPECT_EQ(0, device_invalidate(vmm, pt_id, 0, 1));
	EXPECT_EQ('B', rid_read(&self->dev, PDMA_CMD_ATS, 0));
}

/* The page goes, and the device does not get at it any more, whatever it says */
static void unmap_from_broken(struct __test_metadata *_metadata,
			      FIXTURE_DATA(stable) *self, bool bad)
{
	struct monitor *vmm = &self->vmm;

	memset(monitor_at(vmm, PIECE), 'P', PAGE);
	EXPECT_EQ('P', rid_read(&self->dev, PDMA_CMD_ATS, PIECE));
	dma_fail(&self->dev, NEVER, bad);
	EXPECT_EQ(0, monitor_unmap(vmm, PIECE, PIECE_SIZE));
	EXPECT_EQ(-1, rid_read(&self->dev, PDMA_CMD_ATS, PIECE));

	/* It lost ATS, and nothing else */
	EXPECT_EQ(0, monitor_map(vmm, PIECE, PIECE_SIZE, true));
	EXPECT_EQ('P', rid_read(&self->dev, 0, PIECE));
	EXPECT_EQ(-1, rid_read(&self->dev, PDMA_CMD_ATS, PIECE));
}

TEST_F(stable, bad_answer)
{
	unmap_from_broken(_metadata, self, true);
}

/* Two devices of a page table answer badly, the second one later */
TEST_F(stable, bad_answers)
{
	struct monitor *vmm = &self->vmm;
	struct device other;

	ASSERT_EQ(0, device_open(vmm, &other, 1));
	ASSERT_EQ(0, device_attach(&other, vmm->parent));
	memset(monitor_at(vmm, PIECE), 'P', PAGE);
	EXPECT_EQ('P', rid_read(&self->dev, PDMA_CMD_ATS, PIECE));
	EXPECT_EQ('P', rid_read(&other, PDMA_CMD_ATS, PIECE));
	dma_fail(&self->dev, NEVER, true);
	dma_fail(&other, NEVER, true);
	dma_answer_after(&other, 20000);
	EXPECT_EQ(0, monitor_unmap(vmm, PIECE, PIECE_SIZE));
	EXPECT_EQ(-1, rid_read(&self->dev, PDMA_CMD_ATS, PIECE));
	EXPECT_EQ(-1, rid_read(&other, PDMA_CMD_ATS, PIECE));
	dma_answer_after(&other, 0);
	device_close(&other);
}

TEST_F(stable, no_answer)
{
	unmap_from_broken(_metadata, self, false);
}

/* One answer that got lost costs a device nothing */
TEST_F(stable, one_answer_lost)
{
	memset(monitor_at(&self->vmm, PIECE), 'P', PAGE);
	EXPECT_EQ('P', rid_read(&self->dev, PDMA_CMD_ATS, PIECE));
	dma_fail(&self->dev, 1, false);
	EXPECT_EQ(0, monitor_unmap(&self->vmm, PIECE, PIECE_SIZE));
	EXPECT_EQ(-1, rid_read(&self->dev, PDMA_CMD_ATS, PIECE));
	EXPECT_EQ(0, monitor_map(&self->vmm, PIECE, PIECE_SIZE, true));
	EXPECT_EQ('P', rid_read(&self->dev, PDMA_CMD_ATS, PIECE));
}

/* --- The queue ------------------------------------------------------------------ */

/* Flushes of two descriptors, and the wait */
static void flush_often(struct __test_metadata *_metadata,
			FIXTURE_DATA(stable) *self, unsigned int times)
{
	while (times--) {
		ASSERT_EQ(0, monitor_unmap(&self->vmm, PIECE, PIECE_SIZE));
		ASSERT_EQ(0, monitor_map(&self->vmm, PIECE, PIECE_SIZE, true));
	}
}

/* The unit refuses one of them: x-inv-refuse */
TEST_F(stable, refused_descriptor)
{
	flush_often(_metadata, self, 1000);
}

/* So is one of a guest's: the guest is told, once, that it was not its fault */
static void flush_until_refused(struct __test_metadata *_metadata,
				FIXTURE_DATA(stable) *self)
{
	struct monitor *vmm = &self->vmm;
	uint64_t root = guest_table(vmm);
	unsigned int i;
	uint32_t pt_id;
	int ret = 0;

	map_letters(vmm, root, 1, 'A');
	ASSERT_EQ(0, device_alloc_nested(vmm, &self->dev, root, 0, &pt_id));
	ASSERT_EQ(0, device_attach(&self->dev, pt_id));
	for (i = 0; i < 3000 && !ret; i++)
		ret = device_invalidate(vmm, pt_id, 0, 1);
	EXPECT_EQ(-EIO, ret);
	map_letters(vmm, root, 1, 'B');
	EXPECT_EQ(0, device_invalidate(vmm, pt_id, 0, 1));
	EXPECT_EQ('B', rid_read(&self->dev, 0, 0));
}

TEST_F(stable, refused_is_told)
{
	flush_until_refused(_metadata, self);
}

/* The unit refuses the wait itself: x-inv-refuse-type */
TEST_F(stable, refused_wait)
{
	flush_until_refused(_metadata, self);
}

/* --- The order of tear-down ------------------------------------------------------ */

static void *detach(void *arg)
{
	device_detach(arg);
	return NULL;
}

/*
 * An unmap beside a detach, on a unit that takes its time: when it returns, no DMA
 * reaches the page. Which of the two is first is up to chance, so there are several
 * tries.
 */
TEST_F(stable, unmap_in_detach)
{
	struct monitor *vmm = &self->vmm;
	unsigned int try, reached = 0;
	pthread_t detacher;

	memset(monitor_at(vmm, PIECE), 'P', PAGE);
	for (try = 0; try < 6; try++) {
		ASSERT_EQ('P', rid_read(&self->dev, 0, PIECE));
		ASSERT_EQ(0, pthread_create(&detacher, NULL, detach, &self->dev));
		usleep(30000 * try);
		ASSERT_EQ(0, monitor_unmap(vmm, PIECE, PIECE_SIZE));
		reached += rid_read(&self->dev, 0, PIECE) == 'P';
		pthread_join(detacher, NULL);
		ASSERT_EQ(0, monitor_map(vmm, PIECE, PIECE_SIZE, true));
		ASSERT_EQ(0, device_attach(&self->dev, vmm->parent));
	}
	EXPECT_EQ(0, reached);
}

/* A page table whose dirty pages are tracked, with none; lockdep tells of the locks */
TEST_F(stable, tracked_while_attached)
{
	struct monitor *vmm = &self->vmm;
	struct device *dev = &self->dev;
	unsigned int why;

	ASSERT_EQ(0, device_detach(dev));
	ASSERT_EQ(0, monitor_destroy(vmm, vmm->parent));
	ASSERT_EQ(0, device_alloc_parent_with(vmm, dev,
					      IOMMU_HWPT_ALLOC_DIRTY_TRACKING));
	ASSERT_EQ(0, device_attach(dev, vmm->parent));
	ASSERT_EQ(0, monitor_track(vmm, true));
	EXPECT_EQ(0, monitor_dirty(vmm, PIECE));
	ASSERT_EQ(0, dma_write(dev, 0, 0, PIECE, 'x', &why));
	EXPECT_EQ(1, monitor_dirty(vmm, PIECE));
	/* What is attached while it is tracked is tracked, too */
	ASSERT_EQ(0, device_detach(dev));
	ASSERT_EQ(0, device_attach(dev, vmm->parent));
	EXPECT_EQ(0, monitor_dirty(vmm, PIECE));
	ASSERT_EQ(0, dma_write(dev, 0, 0, PIECE, 'y', &why));
	EXPECT_EQ(1, monitor_dirty(vmm, PIECE));
	ASSERT_EQ(0, monitor_track(vmm, false));
	ASSERT_EQ(0, device_detach(dev));
	ASSERT_EQ(0, device_attach(dev, vmm->parent));
}

struct maps {
	struct monitor *vmm;
	_Atomic bool stop;
	int ret;
};

static void *map_and_unmap(void *arg)
{
	struct maps *maps = arg;

	while (!maps->stop && !maps->ret)
		maps->ret = monitor_map(maps->vmm, PIECE, PAGE, true) ?:
			    monitor_unmap(maps->vmm, PIECE, PAGE);
	return NULL;
}

/*
 * Each map writes a flag of the page table, beside that which says what is tracked.
 * One that is lost is seen too seldom to wait for it; KCSAN tells that it can be.
 * And an attach writes what maps read.
 */
TEST_F(stable, tracked_beside_maps)
{
	struct monitor *vmm = &self->vmm;
	struct maps maps = { .vmm = vmm };
	pthread_t thread;
	unsigned int i;

	ASSERT_EQ(0, device_detach(&self->dev));
	ASSERT_EQ(0, monitor_destroy(vmm, vmm->parent));
	ASSERT_EQ(0, device_alloc_parent_with(vmm, &self->dev,
					      IOMMU_HWPT_ALLOC_DIRTY_TRACKING));
	/* To switch it on takes as long as there is memory */
	ASSERT_EQ(0, monitor_unmap(vmm, GUEST_BASE, PIECE - GUEST_BASE));
	ASSERT_EQ(0, monitor_unmap(vmm, PIECE, PIECE_SIZE));
	ASSERT_EQ(0, pthread_create(&thread, NULL, map_and_unmap, &maps));
	for (i = 0; i < SWITCHES; i++)
		ASSERT_EQ(0, monitor_track(vmm, i & 1));
	for (i = 0; i < ATTACHES; i++) {
		ASSERT_EQ(0, device_attach(&self->dev, vmm->parent));
		ASSERT_EQ(0, device_detach(&self->dev));
	}
	maps.stop = true;
	pthread_join(thread, NULL);
	EXPECT_EQ(0, maps.ret);
}

/* --- Units of different widths -------------------------------------------------- */

/* VFIO's group of /dev/vfio/devices/vfio@nr, and the name of the device in it */
static int group_open(unsigned int nr, char *name, size_t size)
{
	char path[64], link[PATH_MAX];

	snprintf(path, sizeof(path), "/sys/class/vfio-dev/vfio%u/device", nr);
	if (!realpath(path, link))
		return -1;
	snprintf(name, size, "%s", strrchr(link, '/') + 1);
	strcat(path, "/iommu_group");
	if (!realpath(path, link))
		return -1;
	snprintf(path, sizeof(path), "/dev/vfio%s", strrchr(link, '/'));
	return open(path, O_RDWR | O_CLOEXEC);
}

/*
 * The device joins a container of VFIO's type 1, which gives it a domain that is
 * there, if the driver lets it. Returns the group, which is to be closed last.
 */
static int join(int container, struct device *dev, unsigned int nr)
{
	char name[NAME_MAX];
	int group = group_open(nr, name, sizeof(name));

	*dev = (struct device) { .fd = -1 };
	if (group < 0 || ioctl(group, VFIO_GROUP_SET_CONTAINER, &container))
		return -1;
	ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU);
	dev->fd = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, name);
	return dev->fd < 0 || device_start(dev) ? -1 : group;
}

/* A device that joins from below a narrower unit takes nothing from the others */
TEST_F(stable, narrower_unit)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)self->vmm.memory,
		.iova = GUEST_BASE, .size = GUEST_SIZE,
	};
	int container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	struct device narrow;
	int groups[2];
	void *memory;

	device_close(&self->dev);
	groups[0] = join(container, &self->dev, 0);
	ASSERT_LE(0, groups[0]);
	ASSERT_EQ(0, ioctl(container, VFIO_IOMMU_MAP_DMA, &map));
	groups[1] = join(container, &narrow, OTHER);
	ASSERT_LE(0, groups[1]);
	/* A page that is free now becomes something else */
	memory = mmap(NULL, PLENTY, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	ASSERT_NE(MAP_FAILED, memory);
	EXPECT_EQ('A', rid_read(&self->dev, 0, page_of('A')));
	EXPECT_EQ('A', rid_read(&narrow, 0, page_of('A')));
	munmap(memory, PLENTY);
	device_close(&narrow);
	close(groups[1]);
	EXPECT_EQ('B', rid_read(&self->dev, 0, page_of('B')));
	close(groups[0]);
	close(container);
}

/* A page table does not get wider than it is, and goes with all its pages */
TEST_F(stable, wider_unit)
{
	struct monitor *vmm = &self->vmm;
	struct device narrow;

	ASSERT_EQ(0, device_open(vmm, &narrow, OTHER));
	ASSERT_EQ(0, device_detach(&self->dev));
	ASSERT_EQ(0, monitor_destroy(vmm, vmm->parent));
	ASSERT_EQ(0, device_alloc_parent(vmm, &narrow));
	ASSERT_EQ(0, device_attach(&narrow, vmm->parent));
	ASSERT_EQ(0, device_attach(&self->dev, vmm->parent));
	EXPECT_EQ('A', rid_read(&narrow, 0, page_of('A')));
	EXPECT_EQ('A', rid_read(&self->dev, 0, page_of('A')));
	device_close(&narrow);
}

TEST_HARNESS_MAIN
