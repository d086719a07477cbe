// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ways to leave while a device writes by a PASID: its reset, its owner killed,
 * /dev/iommu closed first, the driver unbound, the device gone. Nothing may be
 * written afterwards, and each PASID and domain id has to come back. And what needs
 * the machine that is made for them (tests/guest/leave.sh): devices that ask for
 * pages, a unit in caching mode.
 */
#include <fcntl.h>
#include <glob.h>
#include <libgen.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/pci_regs.h>

#include "harness.h"
#include "pasid-dma.h"
#include "vmm.h"

#define VA		0x7f0000001000ULL
/* Where the device writes, and where it reads an A */
#define TARGET		GUEST_DATA
#define SOURCE		(TARGET + PAGE)

/* A number that no test has so far */
#define MORE		0x80001

#define NO_ENTRY	0x59	/* Table 30: the PASID-table entry is not present */

/* A guest with one device, on whose PASID it has two pages */
struct guest {
	struct monitor vmm;
	struct device dev;
	uint32_t pasid;
	uint64_t root;
};

FIXTURE(leave) {
	char *memory;
	int pasids;
	int domain_ids;
};

FIXTURE_VARIANT(leave) {
	uint32_t request;
	unsigned int unplugged;
	unsigned int pulled_out;
};

FIXTURE_VARIANT_ADD(leave, untranslated) {
	.request = 0,
	.unplugged = 2,
	.pulled_out = 3,
};

FIXTURE_VARIANT_ADD(leave, translated) {
	.request = PDMA_CMD_ATS,
	.unplugged = 4,
	.pulled_out = 5,
};

FIXTURE_SETUP(leave)
{
	self->memory = monitor_memory();
	ASSERT_NE(NULL, self->memory);
	self->pasids = pasids_in_use();
	ASSERT_LE(0, self->pasids);
	self->domain_ids = unit_domain_ids();
	ASSERT_LT(0, self->domain_ids);
}

FIXTURE_TEARDOWN(leave)
{
}

static int guest_start(struct guest *guest, char *memory, unsigned int nr)
{
	struct monitor *vmm = &guest->vmm;
	int ret;

	ret = monitor_open_with(vmm, memory) ?:
	      device_open(vmm, &guest->dev, nr) ?:
	      device_alloc_parent(vmm, &guest->dev) ?:
	      device_attach(&guest->dev, vmm->parent) ?:
	      pasid_alloc(vmm, &guest->pasid);
	if (ret)
		return ret;
	guest->root = guest_table(vmm);
	guest_map(vmm, guest->root, 48, VA, TARGET, PAGE, GUEST_RW);
	guest_map(vmm, guest->root, 48, VA + PAGE, SOURCE, PAGE, GUEST_RW);
	memset(monitor_at(vmm, SOURCE), 'A', PAGE);
	return pasid_bind(vmm, &guest->dev, guest->pasid, guest->root, 48, 0);
}

/* The memory is the test's own, which has a look at it afterwards */
static void guest_end(struct guest *guest)
{
	device_close(&guest->dev);
	close(guest->vmm.iommu);
}

#define READ(guest) ({							\
	unsigned int reason_;						\
	dma_read(&(guest)->dev, variant->request, (guest)->pasid,	\
		 VA + PAGE, &reason_);					\
})

/* Page after page of x, one each millisecond, for a minute */
static void keep_writing(struct guest *guest, uint32_t request)
{
	struct dma dma = {
		.op = PDMA_OP_FILL | request, .pasid = guest->pasid, .dst = VA,
		.len = PAGE, .repeat = 60000, .data = 0x7878787878787878ULL,
	};

	dma_pace(&guest->dev, 1000000);
	dma_start(&guest->dev, &dma);
}

static volatile char *target(char *memory)
{
	return memory + (TARGET - GUEST_BASE);
}

static void wait_for_write(char *memory)
{
	volatile char *byte = target(memory);

	*byte = 'z';
	while (*byte != 'x')
		usleep(1000);
}

static bool page_is_written(volatile char *page, useconds_t us)
{
	unsigned int i;

	memset((char *)page, 'z', PAGE);
	usleep(us);
	for (i = 0; i < PAGE; i++)
		if (page[i] != 'z')
			return true;
	return false;
}

/* As long as 20 writes would take */
static bool is_written(char *memory)
{
	return page_is_written(target(memory), 20000);
}

/* A close does not wait for what frees in the background */
#define EXPECT_ALL_BACK() do {						\
	while (pasids_in_use() != self->pasids)				\
		usleep(1000);						\
	EXPECT_EQ(self->domain_ids, unit_domain_ids());			\
	EXPECT_FALSE(is_written(self->memory));				\
} while (0)

/* What was bound is bound after a reset, and the device has ATS and PASIDs on */
TEST_F(leave, reset)
{
	struct guest guest;

	ASSERT_EQ(0, guest_start(&guest, self->memory, 0));
	keep_writing(&guest, variant->request);
	wait_for_write(self->memory);
	ASSERT_EQ(0, device_reset(&guest.dev));
	EXPECT_FALSE(is_written(self->memory));
	EXPECT_EQ('A', READ(&guest));
	guest_end(&guest);
	EXPECT_ALL_BACK();
}

static void *flush_one_page(void *arg)
{
	struct guest *guest = arg;
	struct iommu_cache_invalidate_info info =
		inv_range(guest->pasid, VA + PAGE, PAGE, 1);
	int32_t result = 0;

	invalidate(&guest->vmm, &guest->dev, &info, 1, &result);
	return (void *)(intptr_t)result;
}

/* An answer that a reset loses is one that did not come; the next one does */
TEST_F(leave, reset_loses_answer)
{
	struct guest guest;
	pthread_t thread;
	uint64_t before;
	void *result;

	ASSERT_EQ(0, guest_start(&guest, self->memory, 0));
	EXPECT_EQ('A', READ(&guest));
	dma_answer_after(&guest.dev, 3600000000U);
	before = dma_count(&guest.dev, PDMA_N_INV_REQUESTS);
	ASSERT_EQ(0, pthread_create(&thread, NULL, flush_one_page, &guest));
	while (dma_count(&guest.dev, PDMA_N_INV_REQUESTS) == before)
		usleep(1000);
	ASSERT_EQ(0, device_reset(&guest.dev));
	ASSERT_EQ(0, pthread_join(thread, &result));
	EXPECT_EQ(-ETIMEDOUT, (intptr_t)result);

	memset(monitor_at(&guest.vmm, TARGET), 'B', PAGE);
	guest_map(&guest.vmm, guest.root, 48, VA + PAGE, TARGET, PAGE, GUEST_RW);
	EXPECT_EQ(NULL, flush_one_page(&guest));
	EXPECT_EQ('B', READ(&guest));
	guest_end(&guest);
	EXPECT_ALL_BACK();
}

/* Its owner dies in the middle of it. The next owner finds no entry. */
TEST_F(leave, killed)
{
	uint32_t *pasid = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned int reason = 0;
	struct guest guest;
	int status;
	pid_t pid;

	ASSERT_NE(MAP_FAILED, pasid);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		if (guest_start(&guest, self->memory, 0))
			_exit(1);
		*pasid = guest.pasid;
		keep_writing(&guest, variant->request);
		for (;;)
			pause();
	}
	wait_for_write(self->memory);
	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_ALL_BACK();

	ASSERT_EQ(0, monitor_open_with(&guest.vmm, self->memory));
	ASSERT_EQ(0, device_open(&guest.vmm, &guest.dev, 0));
	EXPECT_EQ(-1, dma_read(&guest.dev, 0, *pasid, VA + PAGE, &reason));
	EXPECT_EQ(NO_ENTRY, reason);
	guest_end(&guest);
}

/* The device holds what it is bound to, until it is closed as well */
TEST_F(leave, iommufd_first)
{
	struct guest guest;

	ASSERT_EQ(0, guest_start(&guest, self->memory, 0));
	keep_writing(&guest, variant->request);
	wait_for_write(self->memory);
	ASSERT_EQ(0, close(guest.vmm.iommu));
	wait_for_write(self->memory);
	device_close(&guest.dev);
	EXPECT_ALL_BACK();
}

/* The directory of the PCI device that is /dev/vfio/devices/vfio@nr */
static bool device_path(unsigned int nr, char path[PATH_MAX])
{
	char link[64];

	snprintf(link, sizeof(link), "/sys/class/vfio-dev/vfio%u/device", nr);
	return realpath(link, path);
}

static int write_name(const char *path, const char *name)
{
	ssize_t len = strlen(name);
	int fd = open(path, O_WRONLY), ret;

	if (fd < 0)
		return -errno;
	ret = write(fd, name, len) == len ? 0 : -errno;
	close(fd);
	return ret;
}

/*
 * Write @text to @file, for which the kernel waits until the owner has closed. Without
 * @file it is the machine that wants the device back.
 */
static void leave_behind(struct __test_metadata *_metadata,
			 FIXTURE_DATA(leave) *self, uint32_t request,
			 unsigned int nr, const char *file, const char *text)
{
	char path[PATH_MAX], driver[PATH_MAX + 8];
	struct guest guest;
	int status;
	pid_t pid;

	ASSERT_TRUE(device_path(nr, path));
	snprintf(driver, sizeof(driver), "%s/driver", path);
	ASSERT_EQ(0, guest_start(&guest, self->memory, nr));
	keep_writing(&guest, request);
	wait_for_write(self->memory);
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		close(guest.dev.fd);
		close(guest.vmm.iommu);
		munmap((void *)guest.dev.bar, guest.dev.bar_size);
		_exit(file ? write_name(file, text) : 0);
	}
	if (!file)
		TH_LOG("unplug it now");
	while (!access(driver, F_OK))
		usleep(1000);
	wait_for_write(self->memory);
	guest_end(&guest);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

/* Whoever unbinds the driver waits for the owner, who goes on until it closes */
TEST_F(leave, driver_unbound)
{
	char path[PATH_MAX];
	struct guest guest;
	const char *name;

	ASSERT_TRUE(device_path(0, path));
	name = strrchr(path, '/') + 1;
	leave_behind(_metadata, self, variant->request, 0,
		     "/sys/bus/pci/drivers/vfio-pci/unbind", name);
	EXPECT_ALL_BACK();
	EXPECT_EQ(0, write_name("/sys/bus/pci/drivers_probe", name));
	ASSERT_EQ(0, guest_start(&guest, self->memory, 0));
	EXPECT_EQ('A', READ(&guest));
	guest_end(&guest);
}

#define CGROUP		"/sys/fs/cgroup/leave"

static int enter_cgroup(const char *procs)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", getpid());
	return write_name(procs, pid);
}

static long memory_of_cgroup(void)
{
	return number_in(CGROUP "/memory.current", "");
}

static int take_away(const char *path)
{
	char file[PATH_MAX + 8];

	snprintf(file, sizeof(file), "%s/remove", path);
	return write_name(file, "1");
}

/* As vfio.sh does it for all of them */
static int probe_again(const char *path)
{
	char override[PATH_MAX + 20];

	snprintf(override, sizeof(override), "%s/driver_override", path);
	return write_name("/sys/bus/pci/rescan", "1") ?:
	       write_name(override, "vfio-pci") ?:
	       write_name("/sys/bus/pci/drivers_probe", strrchr(path, '/') + 1);
}

#define TABLES		1000	/* of 64 PASIDs each: a page */
/* The kernel charges in advance, for each processor */
#define SLACK		(TABLES / 4 * (long)PAGE)

/* Tables of PASIDs are charged to who binds, and go with the device */
TEST_F(leave, accounted)
{
	char path[PATH_MAX];
	struct guest guest;
	unsigned int i;
	long before;

	ASSERT_TRUE(device_path(0, path));
	ASSERT_EQ(0, guest_start(&guest, self->memory, 0));
	ASSERT_EQ(0, write_name("/sys/fs/cgroup/cgroup.subtree_control",
				"+memory"));
	ASSERT_EQ(0, mkdir(CGROUP, 0700));
	ASSERT_EQ(0, enter_cgroup(CGROUP "/cgroup.procs"));
	before = memory_of_cgroup();
	for (i = 1; i <= TABLES; i++) {
		ASSERT_EQ(0, pasid_bind_local(&guest.vmm, &guest.dev, MORE + i * 64,
					      guest.root));
		ASSERT_EQ(0, pasid_unbind(&guest.vmm, &guest.dev, MORE + i * 64));
	}
	EXPECT_LT(before + TABLES * (long)PAGE - SLACK, memory_of_cgroup());
	ASSERT_EQ(0, enter_cgroup("/sys/fs/cgroup/cgroup.procs"));
	guest_end(&guest);
	ASSERT_EQ(0, take_away(path));
	EXPECT_GT(before + SLACK, memory_of_cgroup());
	EXPECT_EQ(0, rmdir(CGROUP));
	EXPECT_EQ(0, probe_again(path));
	EXPECT_ALL_BACK();
	/* It left with ATS switched off first, and came with it switched on last */
	ASSERT_EQ(0, guest_start(&guest, self->memory, 0));
	EXPECT_EQ(0, dma_count(&guest.dev, PDMA_N_PASID_CHANGED));
	guest_end(&guest);
}

/*
 * A page goes, whether or not the device says that it has forgotten it: if not, the
 * device has no ATS any more, until it is found anew. What is bound stays.
 */
TEST_F(leave, never_answers)
{
	char path[PATH_MAX];
	struct guest guest;
	unsigned int reason;

	ASSERT_TRUE(device_path(0, path));
	ASSERT_EQ(0, guest_start(&guest, self->memory, 0));
	/* So that it is by the PASID alone that the device is asked */
	ASSERT_EQ(0, device_detach(&guest.dev));
	EXPECT_EQ('A', READ(&guest));
	dma_fail(&guest.dev, NEVER, false);
	EXPECT_EQ(0, monitor_unmap(&guest.vmm, GUEST_BASE, GUEST_SIZE));
	EXPECT_EQ(-1, READ(&guest));

	ASSERT_EQ(0, monitor_map(&guest.vmm, GUEST_BASE, GUEST_SIZE, true));
	EXPECT_EQ('A', dma_read(&guest.dev, 0, guest.pasid, VA + PAGE, &reason));
	EXPECT_EQ(-1, dma_read(&guest.dev, PDMA_CMD_ATS, guest.pasid, VA + PAGE,
			       &reason));
	guest_end(&guest);
	ASSERT_EQ(0, take_away(path));
	ASSERT_EQ(0, probe_again(path));
	EXPECT_ALL_BACK();
	ASSERT_EQ(0, guest_start(&guest, self->memory, 0));
	EXPECT_EQ('A', dma_read(&guest.dev, PDMA_CMD_ATS, guest.pasid, VA + PAGE,
				&reason));
	guest_end(&guest);
}

/* The switch of the slot that a device is in: its number is another than its path */
static bool slot_power(const char *name, char power[PATH_MAX])
{
	char line[32];
	glob_t slots;
	FILE *file;
	size_t i;
	bool found = false;

	if (glob("/sys/bus/pci/slots/*/address", 0, NULL, &slots))
		return false;
	for (i = 0; i < slots.gl_pathc && !found; i++) {
		file = fopen(slots.gl_pathv[i], "r");
		found = file && fscanf(file, "%31s", line) == 1 &&
			!strncmp(name, line, strlen(line));
		if (file)
			fclose(file);
		if (found)
			snprintf(power, PATH_MAX, "%s/power",
				 dirname(slots.gl_pathv[i]));
	}
	globfree(&slots);
	return found;
}

/*
 * The slot is switched off, as by its button: once the owner has closed the device.
 * With UNPLUG set it is the machine that unplugs it, see tests/host/unplug.sh.
 */
TEST_F(leave, unplugged)
{
	char path[PATH_MAX], power[PATH_MAX];
	struct guest guest;

	ASSERT_TRUE(device_path(variant->unplugged, path));
	ASSERT_TRUE(slot_power(strrchr(path, '/') + 1, power));
	leave_behind(_metadata, self, variant->request, variant->unplugged,
		     getenv("UNPLUG") ? NULL : power, "0");
	while (!access(path, F_OK))
		usleep(1000);
	/* The host's own domain of the device is gone, too */
	self->domain_ids--;
	EXPECT_ALL_BACK();
	EXPECT_NE(0, guest_start(&guest, self->memory, variant->unplugged));
}

/* Where the registers of the slot are in the configuration of its port, or 0 */
static unsigned int slot_registers(int config)
{
	uint8_t regs[256];
	unsigned int at;

	if (pread(config, regs, sizeof(regs), 0) != sizeof(regs))
		return 0;
	at = regs[PCI_CAPABILITY_LIST];
	while (at && regs[at] != PCI_CAP_ID_EXP)
		at = regs[at + PCI_CAP_LIST_NEXT];
	return at;
}

/*
 * A slot without power is empty at once. The driver of the port gets to know when the
 * power is back: to the kernel it is as if the card had been pulled out.
 */
static int pull_out(const char *path)
{
	const uint16_t off = PCI_EXP_SLTCTL_PWR_IND_OFF | PCI_EXP_SLTCTL_PWR_OFF;
	char file[PATH_MAX + 16];
	uint16_t control, dark;
	unsigned int at;
	int config, ret = -EIO;

	snprintf(file, sizeof(file), "%s/../config", path);
	config = open(file, O_RDWR);
	at = slot_registers(config) + PCI_EXP_SLTCTL;
	if (pread(config, &control, 2, at) == 2) {
		dark = (control | off) & ~PCI_EXP_SLTCTL_HPIE;
		if (pwrite(config, &dark, 2, at) == 2 &&
		    pwrite(config, &control, 2, at) == 2)
			ret = 0;
	}
	close(config);
	return ret;
}

/*
 * It owes an answer then, which will not come. Its owner takes back what it had, the
 * owner of another device is not kept waiting.
 */
TEST_F(leave, pulled_out)
{
	char path[PATH_MAX], driver[PATH_MAX + 8];
	struct guest guest, other;
	pthread_t thread;
	uint64_t before;
	void *result;

	ASSERT_TRUE(device_path(variant->pulled_out, path));
	snprintf(driver, sizeof(driver), "%s/driver", path);
	ASSERT_EQ(0, guest_start(&guest, self->memory, variant->pulled_out));
	ASSERT_EQ(0, guest_start(&other, monitor_memory(), 0));
	keep_writing(&guest, variant->request);
	wait_for_write(self->memory);
	dma_answer_after(&guest.dev, 3600000000U);
	before = dma_count(&guest.dev, PDMA_N_INV_REQUESTS);
	ASSERT_EQ(0, pthread_create(&thread, NULL, flush_one_page, &guest));
	while (dma_count(&guest.dev, PDMA_N_INV_REQUESTS) == before)
		usleep(1000);

	ASSERT_EQ(0, pull_out(path));
	ASSERT_EQ(0, pthread_join(thread, &result));
	EXPECT_EQ(-ETIMEDOUT, (intptr_t)result);
	while (!access(driver, F_OK))
		usleep(1000);
	EXPECT_FALSE(is_written(self->memory));
	EXPECT_EQ(NULL, flush_one_page(&guest));
	EXPECT_EQ(0, monitor_unmap(&guest.vmm, GUEST_BASE, GUEST_SIZE));
	EXPECT_EQ(NULL, flush_one_page(&other));
	EXPECT_EQ('A', READ(&other));
	EXPECT_EQ(0, pasid_unbind(&guest.vmm, &guest.dev, guest.pasid));
	guest_end(&guest);
	while (!access(path, F_OK))
		usleep(1000);
	guest_end(&other);
	self->domain_ids--;
	EXPECT_ALL_BACK();
	EXPECT_NE(0, guest_start(&guest, self->memory, variant->pulled_out));
}

/*
 * Page requests are on, for any PASID, while there is a page table for DMA without
 * one that takes them. Nobody reads those: an open file of them keeps /dev/iommu open.
 */
static int turn_on_page_requests(struct guest *guest)
{
	uint64_t root = guest_table(&guest->vmm);
	uint32_t pt_id;
	int fault, ret;

	ret = device_alloc_faulting(&guest->vmm, &guest->dev, root, &pt_id,
				    &fault);
	if (ret)
		return ret;
	close(fault);
	return device_attach(&guest->dev, pt_id);
}

/* Nobody maps pages on demand for a guest's table: the device is told so at once */
TEST_F(leave, page_request)
{
	struct dma dma = {
		.op = PDMA_OP_READ | PDMA_CMD_ATS | PDMA_CMD_PRI,
		.src = VA + 16 * PAGE, .len = 1,
	};
	struct guest guest;

	ASSERT_EQ(0, guest_start(&guest, self->memory, 0));
	ASSERT_EQ(0, turn_on_page_requests(&guest));
	dma.pasid = guest.pasid;
	ASSERT_EQ(0, dma_run(&guest.dev, &dma));
	EXPECT_EQ(PDMA_ST_PRI_INVALID, DMA_CODE(&dma));
	EXPECT_EQ(0, dma_pages_wanted(&guest.dev));
	EXPECT_EQ('A', READ(&guest));
	guest_end(&guest);
	EXPECT_ALL_BACK();
}

#define ROUNDS		50
#define PAGES		32	/* in a group */

/* A device asks for @pages in one group, @how, as often as @repeat says and once */
static int ask_for_pages(struct guest *guest, uint32_t pasid, unsigned int pages,
			 uint64_t how, uint32_t repeat)
{
	struct dma ask = {
		.op = PDMA_OP_PAGE_REQ, .pasid = pasid, .src = VA + 16 * PAGE,
		.len = pages * PAGE, .data = how, .repeat = repeat,
	};

	return dma_run(&guest->dev, &ask) ?:
	       DMA_CODE(&ask) == PDMA_ST_OK ? 0 : -EIO;
}

/* What a device asks for, without waiting, while its PASID is taken from it */
static void *ask_and_unbind(void *arg)
{
	struct guest *guest = arg;
	unsigned int i;
	int ret = 0;

	for (i = 0; i < ROUNDS && !ret; i++) {
		ret = pasid_bind_local(&guest->vmm, &guest->dev, MORE,
				       guest->root) ?:
		      ask_for_pages(guest, MORE, PAGES,
				    PDMA_PAGE_R | PDMA_PAGE_NO_WAIT, 0) ?:
		      pasid_unbind(&guest->vmm, &guest->dev, MORE);
		while (dma_pages_wanted(&guest->dev))
			usleep(1000);
	}
	return (void *)(intptr_t)ret;
}

/* Two devices by one number: each is drained, and neither waits for the other */
TEST_F(leave, drained)
{
	char *memory = monitor_memory();
	struct guest guest[2];
	pthread_t thread;
	unsigned int i;
	void *result;

	ASSERT_NE(NULL, memory);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, guest_start(&guest[i], i ? memory : self->memory, i));
		ASSERT_EQ(0, turn_on_page_requests(&guest[i]));
	}
	ASSERT_EQ(0, pthread_create(&thread, NULL, ask_and_unbind, &guest[1]));
	EXPECT_EQ(NULL, ask_and_unbind(&guest[0]));
	ASSERT_EQ(0, pthread_join(thread, &result));
	EXPECT_EQ(NULL, result);
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(ROUNDS * PAGES,
			  dma_count(&guest[i].dev, PDMA_N_PAGE_REQUESTS));
		EXPECT_EQ(ROUNDS,	/* one for a group */
			  dma_count(&guest[i].dev, PDMA_N_PAGE_RESPONSES));
		guest_end(&guest[i]);
	}
	EXPECT_ALL_BACK();
}

static FILE *open_task(pid_t tid, const char *file)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", tid, file);
	return fopen(path, "r");
}

/* As "ps" has it, or 0 */
static char task_state(pid_t tid)
{
	FILE *file = open_task(tid, "stat");
	char state;

	if (!file)
		return 0;
	if (fscanf(file, "%*[^)]) %c", &state) != 1)
		state = 0;
	fclose(file);
	return state;
}

static bool task_waits_in(pid_t tid, const char *function)
{
	FILE *file = open_task(tid, "wchan");
	char where[64];
	bool found;

	if (!file)
		return false;
	found = fscanf(file, "%63s", where) == 1 && !strcmp(where, function);
	fclose(file);
	return found;
}

/* The thread of the unit that handles page requests */
static pid_t page_request_thread(void)
{
	pid_t tid = -ESRCH;
	glob_t all;
	FILE *file;
	size_t i;

	if (glob("/proc/[0-9]*/comm", 0, NULL, &all))
		return -ESRCH;
	for (i = 0; i < all.gl_pathc && tid < 0; i++) {
		char comm[32] = "";

		file = fopen(all.gl_pathv[i], "r");
		if (!file)
			continue;
		if (fgets(comm, sizeof(comm), file) && strstr(comm, "-dmar0-pr"))
			tid = atoi(all.gl_pathv[i] + strlen("/proc/"));
		fclose(file);
	}
	globfree(&all);
	return tid;
}

static int run_on(pid_t tid, int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	return sched_setaffinity(tid, sizeof(cpus), &cpus) ? -errno : 0;
}

/* A processor on which nobody handles page requests, as it has more urgent work */
struct busy {
	pid_t handler;
	pthread_t thread;
	volatile bool stop;
};

static void *work_urgently(void *arg)
{
	struct busy *busy = arg;

	while (!busy->stop)
		;
	return NULL;
}

/* Page requests stay in the queue from now on. The test has the other processor. */
static int busy_begin(struct busy *busy)
{
	struct sched_param urgent = { .sched_priority = 99 };
	pthread_attr_t attr;
	cpu_set_t cpus;
	int ret;

	*busy = (struct busy) { .handler = page_request_thread() };
	if (busy->handler < 0)
		return busy->handler;
	CPU_ZERO(&cpus);
	CPU_SET(1, &cpus);
	pthread_attr_init(&attr);
	pthread_attr_setaffinity_np(&attr, sizeof(cpus), &cpus);
	pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
	pthread_attr_setschedpolicy(&attr, SCHED_FIFO);
	pthread_attr_setschedparam(&attr, &urgent);
	ret = run_on(0, 0) ?: run_on(busy->handler, 1);
	return ret ?: -pthread_create(&busy->thread, &attr, work_urgently, busy);
}

/* Returns when what is in the queue, something at least, has been handled */
static void busy_end(struct busy *busy)
{
	while (task_state(busy->handler) != 'R')
		usleep(1000);
	busy->stop = true;
	pthread_join(busy->thread, NULL);
	while (task_state(busy->handler) != 'S')
		usleep(1000);
}

/* Who takes a PASID from a device */
struct taker {
	struct guest *guest;
	pthread_t thread;
	volatile pid_t tid;
	volatile bool done;
	int ret;
};

static void *take(void *arg)
{
	struct taker *taker = arg;

	taker->tid = gettid();
	taker->ret = pasid_unbind(&taker->guest->vmm, &taker->guest->dev, MORE);
	taker->done = true;
	return NULL;
}

static int take_begin(struct taker *taker, struct guest *guest)
{
	*taker = (struct taker) { .guest = guest };
	return -pthread_create(&taker->thread, NULL, take, taker);
}

static int take_end(struct taker *taker)
{
	pthread_join(taker->thread, NULL);
	return taker->ret;
}

/* Does it wait for page requests to be handled, or has it come to its end? */
static bool is_held_up(struct taker *taker)
{
	while (!taker->done &&
	       !task_waits_in(taker->tid, "intel_iommu_drain_pasid_prq"))
		usleep(1000);
	return !taker->done;
}

/* Two guests may use one number; each with the memory and the device of its own */
static int two_guests(struct guest guest[2], char *memory)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < 2 && !ret; i++)
		ret = guest_start(&guest[i], i ? monitor_memory() : memory, i) ?:
		      turn_on_page_requests(&guest[i]) ?:
		      pasid_bind_local(&guest[i].vmm, &guest[i].dev, MORE,
				       guest[i].root);
	return ret;
}

/* What one device asked for is nothing to who drains another's */
TEST_F(leave, drained_apart)
{
	struct taker takers[2];
	struct guest guest[2];
	struct busy busy;
	unsigned int i;

	ASSERT_EQ(0, two_guests(guest, self->memory));
	ASSERT_EQ(0, busy_begin(&busy));
	ASSERT_EQ(0, ask_for_pages(&guest[1], MORE, 1,
				   PDMA_PAGE_R | PDMA_PAGE_NO_WAIT, 0));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, take_begin(&takers[i], &guest[i]));
		EXPECT_EQ(i == 1, is_held_up(&takers[i]));
	}
	busy_end(&busy);
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(0, take_end(&takers[i]));
		guest_end(&guest[i]);
	}
	EXPECT_ALL_BACK();
}

/* Two who wait at once go on at once: nobody sleeps until a page is asked for again */
TEST_F(leave, drained_together)
{
	struct taker takers[2];
	struct guest guest[2];
	struct busy busy;
	unsigned int i;

	ASSERT_EQ(0, two_guests(guest, self->memory));
	ASSERT_EQ(0, busy_begin(&busy));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, ask_for_pages(&guest[i], MORE, 1,
					   PDMA_PAGE_R | PDMA_PAGE_NO_WAIT, 0));
		ASSERT_EQ(0, take_begin(&takers[i], &guest[i]));
		EXPECT_TRUE(is_held_up(&takers[i]));
	}
	busy_end(&busy);
	for (i = 0; i < 2; i++) {
		EXPECT_FALSE(is_held_up(&takers[i]));
		while (!takers[i].done)
			ask_for_pages(&guest[i], guest[i].pasid, 1, PDMA_PAGE_R, 0);
	}
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(0, take_end(&takers[i]));
		guest_end(&guest[i]);
	}
	EXPECT_ALL_BACK();
}

/* More than the queue takes. Nobody waits for an answer to a Stop Marker. */
#define STOP_MARKER	0
#define TOO_MANY	3000

/* What was asked for may have been lost: a drain waits until that is dealt with */
TEST_F(leave, drained_overflow)
{
	struct taker taker;
	struct guest guest;
	struct busy busy;

	ASSERT_EQ(0, guest_start(&guest, self->memory, 0));
	ASSERT_EQ(0, turn_on_page_requests(&guest));
	ASSERT_EQ(0, pasid_bind_local(&guest.vmm, &guest.dev, MORE, guest.root));
	dma_pace(&guest.dev, 1000);
	ASSERT_EQ(0, busy_begin(&busy));
	ASSERT_EQ(0, ask_for_pages(&guest, guest.pasid, 1, STOP_MARKER, TOO_MANY));
	/* The unit answers by itself what has no room */
	ASSERT_EQ(0, ask_for_pages(&guest, MORE, 1, PDMA_PAGE_R, 0));
	ASSERT_EQ(0, take_begin(&taker, &guest));
	EXPECT_TRUE(is_held_up(&taker));
	busy_end(&busy);
	EXPECT_EQ(0, take_end(&taker));
	EXPECT_EQ('A', READ(&guest));
	guest_end(&guest);
	EXPECT_ALL_BACK();
}

/* The page that comes and goes in the stage 2 */
#define EDGE		(GUEST_BASE + GUEST_SIZE - PAGE)

struct other {
	struct guest *guest;
	pthread_t thread;
	bool may_be_unbound;
	volatile bool stop;
	int ret;
};

static void *bind_and_unbind(void *arg)
{
	struct other *other = arg;
	struct guest *guest = other->guest;

	while (!other->stop && !other->ret)
		other->ret = pasid_bind_local(&guest->vmm, &guest->dev, MORE,
					      guest->root) ?:
			     pasid_unbind(&guest->vmm, &guest->dev, MORE);
	return NULL;
}

static void *flush_all_the_time(void *arg)
{
	struct other *other = arg;
	struct guest *guest = other->guest;
	struct iommu_cache_invalidate_info info = inv_pasid(guest->pasid);

	while (!other->stop && !other->ret) {
		other->ret = invalidate(&guest->vmm, &guest->dev, &info, 1, NULL);
		if (other->ret == -ENOENT && other->may_be_unbound)
			other->ret = 0;
	}
	return NULL;
}

static void others_end(struct __test_metadata *_metadata, struct other *others,
		       unsigned int nr)
{
	while (nr--) {
		others[nr].stop = true;
		pthread_join(others[nr].thread, NULL);
		EXPECT_EQ(0, others[nr].ret);
	}
}

/* An unmap takes the page away, whatever else is done to the device meanwhile */
TEST_F(leave, unmap_races)
{
	struct dma fill = {
		.op = PDMA_OP_FILL | variant->request, .dst = VA, .len = PAGE,
		.repeat = 60000, .data = 0x7878787878787878ULL,
	};
	volatile char *byte = self->memory + (EDGE - GUEST_BASE);
	struct guest guest;
	struct other others[2] = { { .guest = &guest }, { .guest = &guest } };
	unsigned int i;

	ASSERT_EQ(0, guest_start(&guest, self->memory, 0));
	ASSERT_EQ(0, monitor_unmap(&guest.vmm, GUEST_BASE, GUEST_SIZE));
	ASSERT_EQ(0, monitor_map(&guest.vmm, GUEST_BASE, EDGE - GUEST_BASE,
				 true));
	guest_map(&guest.vmm, guest.root, 48, VA, EDGE, PAGE, GUEST_RW);
	fill.pasid = guest.pasid;
	dma_pace(&guest.dev, 100000);
	ASSERT_EQ(0, pthread_create(&others[0].thread, NULL, bind_and_unbind,
				    &others[0]));
	ASSERT_EQ(0, pthread_create(&others[1].thread, NULL, flush_all_the_time,
				    &others[1]));
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, monitor_map(&guest.vmm, EDGE, PAGE, true));
		*byte = 'z';
		dma_start(&guest.dev, &fill);
		while (*byte != 'x')
			usleep(100);
		ASSERT_EQ(0, monitor_unmap(&guest.vmm, EDGE, PAGE));
		EXPECT_FALSE(page_is_written(byte, 5000));
		ASSERT_EQ(0, dma_wait(&guest.dev, &fill));
		EXPECT_NE(PDMA_ST_OK, DMA_CODE(&fill));
	}
	others_end(_metadata, others, 2);
	guest_end(&guest);
	EXPECT_ALL_BACK();
}

/*
 * What is bound under DMA is this table or none, never the one before, while one
 * thread flushes that PASID, bound or not, and one binds another.
 */
TEST_F(leave, bind_races)
{
	struct dma fill = {
		.op = PDMA_OP_FILL | variant->request, .dst = VA, .len = PAGE,
		.repeat = 60000, .data = 0x7878787878787878ULL,
	};
	struct guest guest;
	struct other others[2] = {
		{ .guest = &guest }, { .guest = &guest, .may_be_unbound = true },
	};
	volatile char *page[2];
	uint64_t root[2];
	unsigned int i;

	ASSERT_EQ(0, guest_start(&guest, self->memory, 0));
	for (i = 0; i < 2; i++) {
		page[i] = self->memory + (TARGET + (2 + i) * PAGE - GUEST_BASE);
		root[i] = guest_table(&guest.vmm);
		guest_map(&guest.vmm, root[i], 48, VA, TARGET + (2 + i) * PAGE,
			  PAGE, GUEST_RW);
	}
	fill.pasid = guest.pasid;
	dma_pace(&guest.dev, 1000000);
	ASSERT_EQ(0, pthread_create(&others[0].thread, NULL, bind_and_unbind,
				    &others[0]));
	ASSERT_EQ(0, pthread_create(&others[1].thread, NULL, flush_all_the_time,
				    &others[1]));
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, pasid_unbind(&guest.vmm, &guest.dev, guest.pasid));
		EXPECT_FALSE(page_is_written(page[~i & 1], 5000));
		if (i) {
			ASSERT_EQ(0, dma_wait(&guest.dev, &fill));
			EXPECT_NE(PDMA_ST_OK, DMA_CODE(&fill));
		}
		ASSERT_EQ(0, pasid_bind(&guest.vmm, &guest.dev, guest.pasid,
					root[i & 1], 48, 0));
		*page[i & 1] = 'z';
		dma_start(&guest.dev, &fill);
		while (*page[i & 1] != 'x')
			usleep(100);
		EXPECT_FALSE(page_is_written(page[~i & 1], 5000));
	}
	others_end(_metadata, others, 2);
	guest_end(&guest);
	EXPECT_ALL_BACK();
}

/* A unit in caching mode remembers that a PASID was not bound, until it is told */
TEST_F(leave, bound_later)
{
	unsigned int reason = 0;
	struct guest guest;

	ASSERT_EQ(0, guest_start(&guest, self->memory, 0));
	ASSERT_EQ(0, pasid_unbind(&guest.vmm, &guest.dev, guest.pasid));
	EXPECT_EQ(-1, dma_read(&guest.dev, 0, guest.pasid, VA + PAGE, &reason));
	EXPECT_EQ(NO_ENTRY, reason);
	ASSERT_EQ(0, pasid_bind(&guest.vmm, &guest.dev, guest.pasid, guest.root,
				48, 0));
	EXPECT_EQ('A', READ(&guest));
	guest_end(&guest);
	EXPECT_ALL_BACK();
}

/* A unit in caching mode remembers that there was no page, until it is told */
TEST_F(leave, mapped_later)
{
	struct guest guest;

	ASSERT_EQ(0, guest_start(&guest, self->memory, 0));
	ASSERT_EQ(0, device_detach(&guest.dev));
	ASSERT_EQ(0, monitor_unmap(&guest.vmm, GUEST_BASE, GUEST_SIZE));
	ASSERT_EQ(0, monitor_map(&guest.vmm, GUEST_BASE, SOURCE - GUEST_BASE,
				 true));
	EXPECT_EQ(-1, READ(&guest));
	ASSERT_EQ(0, monitor_map(&guest.vmm, SOURCE, PAGE, true));
	EXPECT_EQ('A', READ(&guest));
	guest_end(&guest);
	EXPECT_ALL_BACK();
}

TEST_HARNESS_MAIN
