// SPDX-License-Identifier: GPL-2.0-only
/*
 * All there is of something is taken: PASIDs, the quota of a file, domain ids
 * of the unit, memory and PASIDs of a cgroup, files. More is refused with the
 * error that is documented, a PASID that was bound before moves bytes
 * meanwhile, and when the takers are gone all of it is there again.
 *
 * The unit of tests/guest/exhaust.sh has few domain ids.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"
#include "pasid-dma.h"
#include "vmm.h"

#define PATIENCE_S		30

#define VA		0x7f0000001000ULL
/* Two pages of guest memory, of A and of B */

/* Numbers of the device's own */
#define LOCAL		0x80000
#define MAX_PASID	0xfffff
#define NOBODY		65534

/* A guest that was there before, and to which the others make no difference */
FIXTURE(exhaust) {
	struct in_use before;
	struct monitor vmm;
	struct device dev;
	uint64_t root;
	uint32_t pasid;
	int letter;
};

static int guest_begin(struct monitor *vmm, struct device *dev, unsigned int nr,
		       uint64_t *root)
{
	int ret = device_open(vmm, dev, nr) ?: device_alloc_parent(vmm, dev) ?:
		  device_attach(dev, vmm->parent);

	if (ret)
		return ret;
	memset(monitor_at(vmm, GUEST_DATA), 'A', PAGE);
	memset(monitor_at(vmm, GUEST_DATA + PAGE), 'B', PAGE);
	*root = guest_table(vmm);
	guest_map(vmm, *root, 48, VA, GUEST_DATA, PAGE, GUEST_RW);
	return 0;
}

/* A new PASID with this table */
static int take(struct monitor *vmm, struct device *dev, uint64_t root,
		uint32_t *pasid)
{
	return pasid_alloc(vmm, pasid) ?:
	       pasid_bind(vmm, dev, *pasid, root, 48, 0);
}

#define TAKE(pasid)	take(&self->vmm, &self->dev, self->root, pasid)
#define TAKE_LOCAL()							\
	pasid_bind_local(&self->vmm, &self->dev, LOCAL, self->root)

FIXTURE_SETUP(exhaust)
{
	self->before = in_use();
	ASSERT_LE(0, self->before.pasids);
	ASSERT_LT(0, self->before.domain_ids);
	ASSERT_EQ(0, self->before.entries);
	ASSERT_EQ(0, monitor_open(&self->vmm));
	ASSERT_EQ(0, guest_begin(&self->vmm, &self->dev, 0, &self->root));
	ASSERT_EQ(0, TAKE(&self->pasid));
	self->letter = 'A';
}

static bool all_back(const struct in_use *before)
{
	struct in_use now = in_use();

	return now.pasids == before->pasids &&
	       now.domain_ids == before->domain_ids &&
	       now.entries == before->entries;
}

static time_t now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* A close does not wait for what frees in the background */
#define EXPECT_SOON(condition) do {					\
	time_t end_ = now() + PATIENCE_S;				\
									\
	while (!(condition) && now() < end_)				\
		usleep(1000);						\
	EXPECT_TRUE(condition);						\
} while (0)

FIXTURE_TEARDOWN(exhaust)
{
	device_close(&self->dev);
	monitor_close(&self->vmm);
	EXPECT_SOON(all_back(&self->before));
}

/* The byte at VA, or a negative number */
static int read_by(struct device *dev, uint32_t request, uint32_t pasid)
{
	unsigned int reason;

	return dma_read(dev, request, pasid, VA, &reason);
}

#define EXPECT_READ(dev, pasid)						\
	EXPECT_EQ(self->letter, read_by(dev, 0, pasid))

/* Bytes move, and after a flush they are those of a changed table */
#define EXPECT_WORKS() do {						\
	struct iommu_cache_invalidate_info info_ =			\
		inv_range(self->pasid, VA, PAGE, 1);			\
									\
	self->letter ^= 'A' ^ 'B';					\
	guest_map(&self->vmm, self->root, 48, VA,			\
		  GUEST_DATA + (self->letter - 'A') * PAGE, PAGE, GUEST_RW);	\
	EXPECT_EQ(0, invalidate(&self->vmm, &self->dev, &info_, 1, NULL)); \
	EXPECT_EQ(self->letter, read_by(&self->dev, 0, self->pasid));	\
	EXPECT_EQ(self->letter,						\
		  read_by(&self->dev, PDMA_CMD_ATS, self->pasid));	\
} while (0)

/* A file that has nothing but PASIDs */
static int open_file(struct monitor *file)
{
	file->iommu = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	return file->iommu < 0 ? -errno : 0;
}

/* Each file takes one in its turn, to the last: how many, or an errno */
static int fill(struct monitor *files, unsigned int nr, uint32_t *last)
{
	uint32_t pasid;
	int n = 0, ret;

	while (!(ret = pasid_alloc(&files[n % nr], &pasid))) {
		*last = pasid;
		n++;
	}
	return ret == -ENOSPC ? n : ret;
}

#define FILES		4
#define KERNEL_SHARE	1024	/* those that no file may have */

static long chunks(void)
{
	return number_in("/proc/slabinfo", "ioasid_chunk");
}

TEST_F(exhaust, pasids)
{
	struct monitor files[FILES];
	int nr, used, first = 0;
	unsigned int i, round;
	uint32_t pasid, last;
	long memory;

	used = pasids_in_use();
	memory = chunks();
	ASSERT_LE(0, memory);
	for (round = 0; round < 2; round++) {
		for (i = 0; i < FILES; i++) {
			ASSERT_EQ(0, open_file(&files[i]));
			ASSERT_EQ(0, monitor_quota(&files[i], MAX_PASID));
		}
		nr = fill(files, FILES, &last);
		EXPECT_EQ(MAX_PASID - KERNEL_SHARE, nr + used);
		EXPECT_EQ(pasids_in_use(), nr + used);
		for (i = 0; i < FILES; i++)
			EXPECT_EQ(-ENOSPC, pasid_alloc(&files[i], &pasid));
		EXPECT_EQ(-ENOSPC, pasid_alloc(&self->vmm, &pasid));
		EXPECT_WORKS();

		/* A number of the device's own is none of them */
		EXPECT_EQ(0, TAKE_LOCAL());
		EXPECT_READ(&self->dev, LOCAL);
		EXPECT_EQ(0, pasid_unbind(&self->vmm, &self->dev, LOCAL));

		/* One is freed, one is to be had, by whomever */
		EXPECT_EQ(0, pasid_free(&files[(nr - 1) % FILES], last));
		EXPECT_EQ(0, TAKE(&pasid));
		EXPECT_READ(&self->dev, pasid);
		EXPECT_EQ(-ENOSPC, pasid_alloc(&files[0], &last));
		EXPECT_EQ(0, pasid_free(&self->vmm, pasid));
		EXPECT_EQ(-1, read_by(&self->dev, 0, pasid));

		for (i = 0; i < FILES; i++)
			close(files[i].iommu);
		EXPECT_SOON(pasids_in_use() == used);
		if (round)
			EXPECT_EQ(first, nr);
		first = nr;
		EXPECT_WORKS();
	}
	/* It is freed after a grace period; each processor keeps some */
	EXPECT_SOON(chunks() <= memory + 100);
}

#define QUOTA		8

TEST_F(exhaust, quota)
{
	struct monitor other;
	uint32_t pasid[QUOTA], more;
	unsigned int i;

	ASSERT_EQ(0, monitor_quota(&self->vmm, QUOTA));
	pasid[0] = self->pasid;
	for (i = 1; i < QUOTA; i++)
		ASSERT_EQ(0, TAKE(&pasid[i]));
	EXPECT_EQ(-EDQUOT, pasid_alloc(&self->vmm, &more));
	EXPECT_WORKS();
	for (i = 0; i < QUOTA; i++)
		EXPECT_READ(&self->dev, pasid[i]);

	/* It is the file's, and a number of the device's own does not count */
	ASSERT_EQ(0, open_file(&other));
	EXPECT_EQ(0, pasid_alloc(&other, &more));
	close(other.iommu);
	EXPECT_EQ(0, TAKE_LOCAL());
	EXPECT_READ(&self->dev, LOCAL);

	/* To unbind is not to free */
	EXPECT_EQ(0, pasid_unbind(&self->vmm, &self->dev, pasid[1]));
	EXPECT_EQ(-EDQUOT, pasid_alloc(&self->vmm, &more));
	for (i = 1; i < QUOTA; i++) {
		EXPECT_EQ(0, pasid_free(&self->vmm, pasid[i]));
		EXPECT_EQ(-1, read_by(&self->dev, 0, pasid[i]));
		EXPECT_EQ(0, TAKE(&pasid[i]));
		EXPECT_READ(&self->dev, pasid[i]);
		EXPECT_EQ(-EDQUOT, pasid_alloc(&self->vmm, &more));
	}

	/* Below what is in use it takes nothing away */
	EXPECT_EQ(0, monitor_quota(&self->vmm, 0));
	EXPECT_EQ(0, pasid_free(&self->vmm, pasid[1]));
	EXPECT_EQ(-EDQUOT, pasid_alloc(&self->vmm, &more));
	EXPECT_WORKS();
	for (i = 2; i < QUOTA; i++)
		EXPECT_READ(&self->dev, pasid[i]);
}

#define IDS		192	/* of the 256 of the unit, those that PASIDs may have */
#define ID_REFUSALS	100	/* more than a stage 2 may have of its own */

/* A page table on each number, as long as there are ids: how many */
static int take_ids(struct monitor *vmm, struct device *dev, uint64_t root,
		    uint32_t *tables)
{
	unsigned int i;
	int ret;

	for (i = 0; i < IDS; i++) {
		ret = pasid_alloc_nested(vmm, dev, root, 48, &tables[i]) ?:
		      pasid_attach(dev, LOCAL + i, tables[i]);
		if (ret == -ENOSPC)
			return i;
		if (ret)
			return ret;
	}
	return -E2BIG;
}

static void give_ids_back(struct monitor *vmm, struct device *dev,
			  const uint32_t *tables, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i <= nr; i++) {
		pasid_detach(dev, LOCAL + i);
		monitor_destroy(vmm, tables[i]);
	}
}

TEST_F(exhaust, domain_ids)
{
	struct monitor *vmm = &self->vmm;
	struct device *dev = &self->dev, other;
	uint32_t tables[IDS], pasid, nested;
	int nr, used, round;
	uint64_t root;

	ASSERT_EQ(0, device_open(vmm, &other, 1));
	ASSERT_EQ(0, device_attach(&other, vmm->parent));
	root = guest_table(vmm);
	guest_map(vmm, root, 48, VA, GUEST_DATA, PAGE, GUEST_RW);
	used = unit_domain_ids();
	for (round = 0; round < 2; round++) {
		nr = take_ids(vmm, dev, self->root, tables);
		EXPECT_EQ(IDS, nr + used);
		EXPECT_EQ(IDS, unit_domain_ids());
		EXPECT_WORKS();
		EXPECT_READ(dev, LOCAL);
		EXPECT_READ(dev, LOCAL + nr - 1);
		EXPECT_EQ(-1, read_by(dev, 0, LOCAL + nr));

		/* Another device goes back to the host, for which there is one */
		device_close(&other);
		EXPECT_EQ(IDS + 1, unit_domain_ids());
		ASSERT_EQ(0, device_open(vmm, &other, 1));
		ASSERT_EQ(0, device_attach(&other, vmm->parent));

		/* So there is for a page table of its guest, without a PASID */
		ASSERT_EQ(0, device_alloc_nested(vmm, &other, root, 0, &nested));
		EXPECT_EQ(0, device_attach(&other, nested));
		EXPECT_EQ(IDS + 1, unit_domain_ids());
		ASSERT_EQ(0, device_attach(&other, vmm->parent));
		ASSERT_EQ(0, monitor_destroy(vmm, nested));

		/* A binding that shares an id works, one of its own does not */
		for (unsigned int i = 0; i < ID_REFUSALS; i++)
			EXPECT_EQ(-ENOSPC, pasid_bind(vmm, &other, self->pasid,
						      root, 48, 0));
		EXPECT_EQ(0, take(vmm, dev, root, &pasid));
		EXPECT_EQ('A', read_by(dev, 0, pasid));
		EXPECT_EQ(0, pasid_free(vmm, pasid));

		/* An attachment that cannot be replaced stays as it was */
		EXPECT_EQ(-ENOSPC, pasid_attach(dev, LOCAL, tables[nr]));
		EXPECT_READ(dev, LOCAL);
		EXPECT_EQ(IDS, unit_domain_ids());

		/* One that is given back is there for whoever asks next */
		EXPECT_EQ(0, pasid_detach(dev, LOCAL));
		EXPECT_EQ(0, pasid_bind(vmm, &other, self->pasid, root, 48, 0));
		EXPECT_EQ('A', read_by(&other, 0, self->pasid));
		EXPECT_EQ(-ENOSPC, pasid_attach(dev, LOCAL, tables[0]));
		EXPECT_EQ(0, pasid_unbind(vmm, &other, self->pasid));
		EXPECT_EQ(0, pasid_attach(dev, LOCAL, tables[0]));
		EXPECT_READ(dev, LOCAL);

		give_ids_back(vmm, dev, tables, nr);
		EXPECT_EQ(used, unit_domain_ids());
		EXPECT_WORKS();
	}
	device_close(&other);
}

/* ---- cgroups ---- */

#define CGROUPS		"/sys/fs/cgroup/"
#define CGROUP		CGROUPS "exhaust/"

static int write_text(const char *path, const char *text)
{
	ssize_t len = strlen(text);
	int fd = open(path, O_WRONLY), ret;

	if (fd < 0)
		return -errno;
	ret = write(fd, text, len) == len ? 0 : -errno;
	close(fd);
	return ret;
}

static int make_cgroup(void)
{
	int ret = write_text(CGROUPS "cgroup.subtree_control", "+misc +memory");

	return ret ?: mkdir(CGROUP, 0700) ? -errno : 0;
}

static int enter(const char *procs)
{
	return write_text(procs, "0");
}

#define LIMIT		8

TEST_F(exhaust, cgroup)
{
	uint32_t pasid[LIMIT], more;
	unsigned int i;

	ASSERT_EQ(0, make_cgroup());
	ASSERT_EQ(0, write_text(CGROUP "misc.max", "pasid 8"));
	ASSERT_EQ(0, enter(CGROUP "cgroup.procs"));
	for (i = 0; i < LIMIT; i++)
		ASSERT_EQ(0, TAKE(&pasid[i]));
	EXPECT_EQ(-EAGAIN, pasid_alloc(&self->vmm, &more));
	EXPECT_WORKS();
	for (i = 0; i < LIMIT; i++)
		EXPECT_READ(&self->dev, pasid[i]);
	EXPECT_EQ(0, TAKE_LOCAL());
	EXPECT_READ(&self->dev, LOCAL);

	/* A bound one counts as long as it is not freed, and not longer */
	for (i = 0; i < LIMIT; i++) {
		EXPECT_EQ(0, pasid_free(&self->vmm, pasid[i]));
		EXPECT_EQ(-1, read_by(&self->dev, 0, pasid[i]));
		EXPECT_EQ(0, TAKE(&pasid[i]));
		EXPECT_READ(&self->dev, pasid[i]);
		EXPECT_EQ(-EAGAIN, pasid_alloc(&self->vmm, &more));
	}
	EXPECT_EQ(LIMIT, number_in(CGROUP "misc.current", "pasid"));

	/* The file has room, it is the cgroup that has not */
	ASSERT_EQ(0, enter(CGROUPS "cgroup.procs"));
	EXPECT_EQ(0, pasid_alloc(&self->vmm, &more));
	for (i = 0; i < LIMIT; i++)
		EXPECT_EQ(0, pasid_free(&self->vmm, pasid[i]));
	EXPECT_EQ(0, number_in(CGROUP "misc.current", "pasid"));
	EXPECT_EQ(0, rmdir(CGROUP));
	EXPECT_WORKS();
}

/* ---- memory of a cgroup ---- */

/* Beyond what the kernel charges in advance, for each processor */
#define ROOM		(2L << 20)
#define MOST		20000	/* bindings that would take far more */
#define REFUSALS	4	/* each is some lines in the log */

/* The taker and the test tell each other how far they are */
struct taker {
	volatile bool ready, limited, full, wide, done;
	volatile int nr;	/* bindings */
	volatile int error;	/* that should not be */
	struct monitor vmm;
	struct device dev;
	uint64_t root;
	uint32_t pasid;
};

static void wait_for(volatile bool *what)
{
	while (!*what)
		usleep(1000);
}

/* Bind until memory is refused, and then some times more */
static int take_memory(struct taker *taker)
{
	int ret, refused = 0;
	uint32_t pasid = LOCAL;

	while (refused < REFUSALS && pasid < LOCAL + MOST) {
		ret = pasid_bind_local(&taker->vmm, &taker->dev, pasid,
				       taker->root);
		if (ret && ret != -ENOMEM)
			return ret;
		refused += !!ret;
		taker->nr += !ret;
		pasid += !ret;
	}
	return refused ? 0 : -ERANGE;
}

/* It goes on when there is memory again */
static int take_more(struct taker *taker)
{
	struct iommu_cache_invalidate_info info =
		inv_range(taker->pasid, VA, PAGE, 1);
	uint32_t pasid = LOCAL + taker->nr;

	return pasid_bind_local(&taker->vmm, &taker->dev, pasid, taker->root) ?:
	       invalidate(&taker->vmm, &taker->dev, &info, 1, NULL) ?:
	       read_by(&taker->dev, 0, pasid) == 'A' ? 0 : -EIO;
}

/*
 * A process with the second device. All of its memory is there before the limit
 * is: a page fault that is refused would come again and again.
 */
static void taker_run(struct taker *taker, char *memory, bool is_spared)
{
	const char *score = is_spared ? "-1000" : "0";
	int ret = enter(CGROUP "cgroup.procs") ?:
		  write_text("/proc/self/oom_score_adj", score) ?:
		  monitor_open_with(&taker->vmm, memory) ?:
		  guest_begin(&taker->vmm, &taker->dev, 1, &taker->root) ?:
		  take(&taker->vmm, &taker->dev, taker->root, &taker->pasid) ?:
		  mlockall(MCL_CURRENT);

	if (ret)
		goto out;
	taker->ready = true;
	wait_for(&taker->limited);
	ret = take_memory(taker);
	if (!ret && read_by(&taker->dev, PDMA_CMD_ATS, taker->pasid) != 'A')
		ret = -EIO;
	taker->full = true;
	if (ret)
		goto out;
	wait_for(&taker->wide);
	ret = take_more(taker);
out:
	taker->error = ret;
	taker->ready = taker->full = taker->done = true;
	for (;;)
		pause();
}

static pid_t taker_start(struct taker **taker, char **memory, bool is_spared)
{
	pid_t pid;

	*memory = monitor_memory();
	*taker = mmap(NULL, sizeof(**taker), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (!*memory || *taker == MAP_FAILED)
		return -1;
	/* The test's, so that what the cgroup has is the kernel's */
	memset(*memory, 0, GUEST_SIZE);
	memset(*taker, 0, sizeof(**taker));
	pid = fork();
	if (!pid)
		taker_run(*taker, *memory, is_spared);
	return pid;
}

static int limit_memory(void)
{
	char text[32];

	snprintf(text, sizeof(text), "%ld",
		 number_in(CGROUP "memory.current", "") + ROOM);
	return write_text(CGROUP "memory.max", text);
}

/* A new process has the device, and as much of it as the one before */
static void expect_device_works(struct __test_metadata *_metadata, char *memory)
{
	struct monitor vmm;
	struct device dev;
	uint64_t root;
	uint32_t pasid;

	ASSERT_EQ(0, monitor_open_with(&vmm, memory));
	ASSERT_EQ(0, guest_begin(&vmm, &dev, 1, &root));
	ASSERT_EQ(0, take(&vmm, &dev, root, &pasid));
	EXPECT_EQ('A', read_by(&dev, 0, pasid));
	device_close(&dev);
	monitor_close(&vmm);
}

/* Without its process a cgroup has little left, and what is in advance */
static void expect_memory_back(struct __test_metadata *_metadata)
{
	EXPECT_SOON(number_in(CGROUP "memory.current", "") < ROOM / 2);
	EXPECT_EQ(0, number_in(CGROUP "misc.current", "pasid"));
	EXPECT_EQ(0, rmdir(CGROUP));
}

/* It has what it needs when the limit comes, and takes more from then on */
static pid_t taker_limited(struct __test_metadata *_metadata,
			   struct taker **taker, char **memory, bool is_spared)
{
	pid_t pid;

	EXPECT_EQ(0, make_cgroup());
	pid = taker_start(taker, memory, is_spared);
	ASSERT_LT(0, pid);
	wait_for(&(*taker)->ready);
	ASSERT_EQ(0, (*taker)->error);
	ASSERT_EQ(0, limit_memory());
	(*taker)->limited = true;
	return pid;
}

/* Nobody can be killed for it: the calls fail */
TEST_F(exhaust, memory_refused)
{
	struct in_use before = in_use();
	struct taker *taker;
	char *memory;
	int status;
	pid_t pid;

	pid = taker_limited(_metadata, &taker, &memory, true);
	wait_for(&taker->full);
	EXPECT_EQ(0, taker->error);
	EXPECT_LT(0, taker->nr);
	EXPECT_EQ(before.entries + 1 + taker->nr, unit_pasid_entries());
	EXPECT_WORKS();
	ASSERT_EQ(0, write_text(CGROUP "memory.max", "max"));
	taker->wide = true;
	wait_for(&taker->done);
	EXPECT_EQ(0, taker->error);

	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_SOON(all_back(&before));
	expect_memory_back(_metadata);
	EXPECT_WORKS();
	expect_device_works(_metadata, memory);
}

/* The kernel kills who takes too much, in the middle of a call */
TEST_F(exhaust, memory_killed)
{
	struct in_use before = in_use();
	struct taker *taker;
	char *memory;
	int status;
	pid_t pid;

	pid = taker_limited(_metadata, &taker, &memory, false);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	EXPECT_FALSE(taker->full);
	EXPECT_LT(0, taker->nr);
	EXPECT_SOON(all_back(&before));
	expect_memory_back(_metadata);
	EXPECT_WORKS();
	expect_device_works(_metadata, memory);
}

/* ---- files ---- */

#define MAX_FILES	100

/* As many files with a PASID as can be opened: the error, and how many */
static int take_files(struct monitor *files, unsigned int max, unsigned int *nr)
{
	uint32_t pasid;
	int ret;

	for (*nr = 0; *nr < max; ++*nr) {
		ret = open_file(&files[*nr]) ?:
		      pasid_alloc(&files[*nr], &pasid);
		if (ret)
			return ret;
	}
	return 0;
}

/* The process has no number for one more */
TEST_F(exhaust, files)
{
	struct rlimit limit = { .rlim_cur = MAX_FILES, .rlim_max = MAX_FILES };
	struct monitor files[MAX_FILES];
	unsigned int i, nr, round, first = 0;
	int used = pasids_in_use(), fault;
	struct device other;
	uint32_t table;

	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	for (round = 0; round < 2; round++) {
		EXPECT_EQ(-EMFILE, take_files(files, MAX_FILES, &nr));
		EXPECT_EQ(-EMFILE, device_open(&self->vmm, &other, 1));
		EXPECT_EQ(-EMFILE, device_alloc_faulting(&self->vmm, &self->dev,
							 self->root, &table,
							 &fault));
		EXPECT_WORKS();
		/* To look takes a file, too */
		close(files[0].iommu);
		EXPECT_EQ(used + (int)nr - 1, pasids_in_use());
		ASSERT_EQ(0, device_open(&self->vmm, &other, 1));
		EXPECT_EQ(0, pasid_bind_local(&self->vmm, &other, LOCAL,
					      self->root));
		EXPECT_READ(&other, LOCAL);
		device_close(&other);
		for (i = 1; i < nr; i++)
			close(files[i].iommu);
		EXPECT_SOON(pasids_in_use() == used);
		if (round)
			EXPECT_EQ(first, nr);
		first = nr;
	}
}

#define OPENED		8000

/* What a file took is given back when it is closed, if not at once */
TEST_F(exhaust, files_one_by_one)
{
	unsigned int i;
	long before;
	int fd;

	ASSERT_EQ(0, make_cgroup());
	ASSERT_EQ(0, enter(CGROUP "cgroup.procs"));
	before = number_in(CGROUP "memory.current", "");
	for (i = 0; i < OPENED; i++) {
		fd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
		ASSERT_LE(0, fd);
		close(fd);
	}
	EXPECT_SOON(number_in(CGROUP "memory.current", "") < before + ROOM / 4);
	ASSERT_EQ(0, enter(CGROUPS "cgroup.procs"));
	EXPECT_EQ(0, rmdir(CGROUP));
}

#define FILE_MAX	"/proc/sys/fs/file-max"
#define ALL_FILES	1000	/* twice as many as the limit leaves */

/* The system has few more without privilege. The kernel counts roughly. */
static int limit_files(void)
{
	char text[32];

	snprintf(text, sizeof(text), "%ld",
		 number_in("/proc/sys/fs/file-nr", "") + ALL_FILES / 2);
	return write_text(FILE_MAX, text);
}

static void take_all_files(int *result)
{
	static struct monitor files[ALL_FILES];
	unsigned int nr;

	if (setgid(NOBODY) || setuid(NOBODY))
		*result = -errno;
	else
		*result = take_files(files, ALL_FILES, &nr);
	for (;;)
		pause();
}

TEST_F(exhaust, files_of_all)
{
	volatile int *result = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	long max = number_in(FILE_MAX, "");
	struct in_use before = in_use();
	struct device other;
	char text[32];
	int status;
	pid_t pid;

	ASSERT_NE(MAP_FAILED, result);
	ASSERT_EQ(0, chmod("/dev/iommu", 0666));
	ASSERT_EQ(0, limit_files());
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid)
		take_all_files((int *)result);
	while (!*result)
		usleep(1000);
	EXPECT_EQ(-ENFILE, *result);
	EXPECT_LT(before.pasids, pasids_in_use());
	EXPECT_WORKS();
	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	snprintf(text, sizeof(text), "%ld", max);
	ASSERT_EQ(0, write_text(FILE_MAX, text));
	ASSERT_EQ(0, chmod("/dev/iommu", 0600));
	EXPECT_SOON(all_back(&before));
	EXPECT_EQ(0, device_open(&self->vmm, &other, 1));
	device_close(&other);
}

TEST_HARNESS_MAIN
