// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random calls of the ioctls that know PASIDs, by threads that share a file.
 *
 *	vmm_fuzz [-r] mock|vfio [STEPS [SEED]]
 *
 * Each round is a process with a device and a stage 2, and four threads that
 * call with values of a known kind: numbers that are in use, numbers at an edge,
 * flags, pointers; now and then with a byte that is none of these, or with an
 * allocation that fails. With KCOV they also follow calls that reached what none had
 * reached, but not with -r. A round ends as monitors do: orderly, killed, with its file
 * closed under its threads, or with its device unplugged. This has to hold:
 * no call returns an error that its documentation does not list, and the kernel does not
 * complain. If it does, the round is made as small as it can be, and printed in C.
 * Without KCOV numbers are the same for a seed; how the threads meet is not.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "iommufd_test.h"
#include "pasid-dma.h"
#include "vmm.h"
#include "vmm_fuzz.h"

#define ROUND		1000		/* steps of a round's thread */
#define LATE		20		/* seconds, when the kernel has complained */
/*
 * The kernel writes results where it is told. With one bit of the address wrong that
 * is a place where nothing else is, with any number of them it is this page.
 */
#define RESULTS(thread)	(0x550000000000UL + ((thread) << 22))

struct monitor vmm;
struct device dev = { .fd = -1 };
volatile uint32_t pasids[PASIDS];	/* that some thread was given */
bool on_mock;

/* Of all rounds: how often each kind of call succeeded, and was refused */
struct count {
	unsigned long done, refused;
};

uint32_t fresh(struct thread *thread, uint32_t below)
{
	/* xorshift64*: the same everywhere */
	thread->state ^= thread->state >> 12;
	thread->state ^= thread->state << 25;
	thread->state ^= thread->state >> 27;
	return (uint32_t)((thread->state * 2685821657736338717ULL) >> 33) % below;
}

/* Of a call that is followed most numbers are kept, of one that is repeated all. */
static uint32_t rnd(struct thread *thread, uint32_t below)
{
	const struct tape *from = thread->from;
	uint32_t value;

	if (from && thread->at < from->nr && (thread->play->script || fresh(thread, 16)))
		value = from->draw[thread->at] % below;
	else
		value = fresh(thread, below);
	if (thread->at < DRAWS)
		thread->tape->draw[thread->at++] = value;
	thread->tape->nr = thread->at;
	return value;
}

#define PICK(thread, of) ((of)[rnd(thread, sizeof(of) / sizeof(*(of)))])

static uint64_t edge(struct thread *thread)
{
	static const uint64_t edges[] = {
		0, 1, 2, 3, 7, 8, 12, 48, 57, 63, 64, 65, 511, 512, 4095, 4096,
		1 << 16, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 1 << 21, 1 << 30,
		0x7fffffff, 0x80000000, 0xffffffff, 1ULL << 32, 1ULL << 47,
		1ULL << 52, 1ULL << 63, ~0ULL, ~0ULL - 1, ~0ULL << 12,
	};

	return PICK(thread, edges);
}

static uint32_t pasid(struct thread *thread)
{
	return rnd(thread, 8) ? pasids[rnd(thread, PASIDS)] : edge(thread);
}

static uint32_t object(struct thread *thread)
{
	const uint32_t ids[] = { dev.id, vmm.parent, vmm.ioas };

	return rnd(thread, 8) ? PICK(thread, ids) : rnd(thread, 16);
}

static uint32_t device(struct thread *thread)
{
	return rnd(thread, 16) ? dev.id : object(thread);
}

/* None in most calls, one of those that there are in others, seldom any */
static uint32_t flags(struct thread *thread, uint32_t known)
{
	switch (rnd(thread, 8)) {
	case 0:
		return edge(thread);
	case 1: case 2: case 3:
		return known & rnd(thread, 1 << 16);
	default:
		return 0;
	}
}

static uint64_t pointer(struct thread *thread, void *good)
{
	return rnd(thread, 32) ? (uintptr_t)good : edge(thread);
}

/* ---- the calls ---- */

static int call(struct thread *thread, unsigned long request, void *cmd)
{
	uint32_t size = *(uint32_t *)cmd;
	unsigned int nth = 0;
	int ret;

	if (thread->wild && size)
		((uint8_t *)cmd)[rnd(thread, size)] ^= 1 << rnd(thread, 8);
	if (thread->failing)
		nth = 1 + rnd(thread, 12);
	write_call(thread, request, cmd, nth);
	if (nth)
		dprintf(thread->fail_nth, "%u", nth);
	ret = ioctl(vmm.iommu, request, cmd) ? -errno : 0;
	if (nth)
		dprintf(thread->fail_nth, "0");
	return ret;
}

static int do_alloc(struct thread *thread)
{
	struct iommu_pasid_alloc cmd = {
		.size = sizeof(cmd), .flags = flags(thread, IOMMU_PASID_ALLOC_PRIVATE),
		.min = rnd(thread, 8) ? 1 : edge(thread),
		.max = rnd(thread, 4) ? (1 << MOCK_PASID_WIDTH) - 2 : edge(thread),
	};
	int ret;

	if (cmd.flags)
		cmd.private_id = rnd(thread, 8) ? 1 + rnd(thread, 99) : edge(thread);
	thread->slot = rnd(thread, PASIDS);
	ret = call(thread, IOMMU_PASID_ALLOC, &cmd);
	if (!ret)
		pasids[thread->slot] = cmd.out_pasid;
	return ret;
}

static int do_free(struct thread *thread)
{
	struct iommu_pasid_free cmd = { .size = sizeof(cmd), .pasid = pasid(thread) };

	return call(thread, IOMMU_PASID_FREE, &cmd);
}

static int do_info(struct thread *thread)
{
	struct iommu_pasid_info cmd = { .size = sizeof(cmd), .flags = flags(thread, 0) };

	return call(thread, IOMMU_PASID_INFO, &cmd);
}

static int do_lookup(struct thread *thread)
{
	struct iommu_pasid_lookup cmd = {
		.size = sizeof(cmd), .flags = flags(thread, IOMMU_PASID_LOOKUP_PRIVATE),
		.pasid = pasid(thread), .private_id = rnd(thread, 99),
	};

	return call(thread, IOMMU_PASID_LOOKUP, &cmd);
}

/* Mostly to something that leaves PASIDs for the others */
static int do_quota(struct thread *thread)
{
	struct iommu_option cmd = {
		.size = sizeof(cmd), .option_id = IOMMU_OPTION_PASID_QUOTA,
		.op = IOMMU_OPTION_OP_SET,
		.val64 = rnd(thread, 4) ? 40 : edge(thread),
	};

	return call(thread, IOMMU_OPTION, &cmd);
}

static int do_gpasid_info(struct thread *thread)
{
	struct iommu_gpasid_info_cmd cmd = {
		.size = sizeof(cmd), .flags = flags(thread, 0), .dev_id = device(thread),
	};

	return call(thread, IOMMU_GPASID_INFO, &cmd);
}

static int do_bind(struct thread *thread)
{
	struct iommu_gpasid_bind cmd = {
		.size = sizeof(cmd), .flags = rnd(thread, 16) ? 0 : edge(thread),
		.dev_id = device(thread),
		.pt_id = rnd(thread, 16) ? vmm.parent : object(thread),
		.data_uptr = pointer(thread, &thread->bind),
	};
	struct iommu_gpasid_bind_data *data = &thread->bind;

	*data = (struct iommu_gpasid_bind_data) {
		.argsz = rnd(thread, 16) ? sizeof(*data) : edge(thread), .version = 1,
		.format = IOMMU_PASID_FORMAT_INTEL_VTD,
		.addr_width = rnd(thread, 8) ? 48 : edge(thread),
		.flags = flags(thread, IOMMU_SVA_GPASID_VAL | IOMMU_SVA_GPASID_LOCAL),
		.hpasid = pasid(thread),
		.gpgd = GUEST_BASE + rnd(thread, 64) * PAGE + (rnd(thread, 8) ? 0 : edge(thread)),
		.vendor.vtd.flags = rnd(thread, 8) ? 0 : edge(thread),
	};
	if (data->flags == IOMMU_SVA_GPASID_VAL)
		data->gpasid = rnd(thread, 99);
	if (thread->wild)
		((uint8_t *)data)[rnd(thread, sizeof(*data))] ^= 1 << rnd(thread, 8);
	return call(thread, IOMMU_GPASID_BIND, &cmd);
}

static int do_unbind(struct thread *thread)
{
	struct iommu_gpasid_unbind cmd = {
		.size = sizeof(cmd), .flags = rnd(thread, 16) ? 0 : edge(thread),
		.dev_id = device(thread), .pasid = pasid(thread),
	};

	return call(thread, IOMMU_GPASID_UNBIND, &cmd);
}

static struct iommu_cache_invalidate_info entry(struct thread *thread)
{
	struct iommu_cache_invalidate_info info;

	switch (rnd(thread, 4)) {
	case 0:
		info = inv_domain();
		break;
	case 1:
		info = inv_pasid(pasid(thread));
		break;
	default:
		info = inv_range(pasid(thread), edge(thread),
				 rnd(thread, 8) ? PAGE : edge(thread),
				 rnd(thread, 4) ? 1 + rnd(thread, 99) : edge(thread));
	}
	if (!rnd(thread, 16))
		info.cache = edge(thread);
	if (!rnd(thread, 16))
		info.argsz = edge(thread);
	if (thread->wild)
		((uint8_t *)&info)[rnd(thread, sizeof(info))] ^= 1 << rnd(thread, 8);
	return info;
}

static int do_invalidate(struct thread *thread)
{
	struct iommu_gpasid_invalidate cmd = {
		.size = sizeof(cmd), .flags = flags(thread, IOMMU_GPASID_INVALIDATE_GO_ON),
		.dev_id = device(thread),
		.entry_len = rnd(thread, 32) ? sizeof(*thread->entries) : edge(thread),
		.data_uptr = pointer(thread, thread->entries),
		.result_uptr = rnd(thread, 4) ? pointer(thread, thread->results) : 0,
		.entry_num = rnd(thread, 32) ? 1 + rnd(thread, ENTRIES) : edge(thread),
	};

	for (unsigned int i = 0; i < ENTRIES; i++)
		thread->entries[i] = entry(thread);
	return call(thread, IOMMU_GPASID_INVALIDATE, &cmd);
}

/* The stage 2 loses its first pages, and has them back */
static int do_remap(struct thread *thread)
{
	uint64_t gpa = GUEST_BASE + rnd(thread, 16) * PAGE;

	write_c(thread, "\tif (!monitor_unmap(&vmm, 0x%llx, PAGE))\n"
		"\t\tmonitor_map(&vmm, 0x%llx, PAGE, true);\n",
		(unsigned long long)gpa, (unsigned long long)gpa);
	if (monitor_unmap(&vmm, gpa, PAGE))
		return 0;
	monitor_map(&vmm, gpa, PAGE, true);
	return 0;
}

/* The device's own attachment comes and goes */
static int do_attach(struct thread *thread)
{
	if (on_mock)
		return 0;
	if (rnd(thread, 2)) {
		write_c(thread, "\tdevice_attach(&dev, vmm.parent);\n");
		device_attach(&dev, vmm.parent);
	} else {
		write_c(thread, "\tdevice_detach(&dev);\n");
		device_detach(&dev);
	}
	return 0;
}

static void write_dma(struct thread *thread, const struct dma *dma)
{
	write_c(thread, "\t{\n\t\tstruct dma dma = {\n\t\t\t.op = PDMA_OP_COPY, "
		".len = 64,\n\t\t\t.src = 0x%llx, .dst = 0x%llx,\n",
		(unsigned long long)dma->src, (unsigned long long)dma->dst);
	write_pasid(thread, "\t\t\t", dma->pasid);
	write_c(thread, "\t\t};\n\n\t\tdma_start(&dev, &dma);\n\t}\n");
}

static int do_dma(struct thread *thread)
{
	static pthread_mutex_t registers = PTHREAD_MUTEX_INITIALIZER;
	struct dma dma = {
		.op = PDMA_OP_COPY, .pasid = pasid(thread), .len = 64,
		.src = rnd(thread, 64) * PAGE, .dst = rnd(thread, 64) * PAGE,
	};

	if (on_mock)
		return 0;
	write_dma(thread, &dma);
	pthread_mutex_lock(&registers);
	dma_start(&dev, &dma);
	pthread_mutex_unlock(&registers);
	return 0;
}

static const struct {
	const char *name;
	unsigned int weight;
	int (*call)(struct thread *thread);
	int errors[16];			/* that are documented */
} calls[] = {
	{ "PASID_ALLOC", 4, do_alloc, { EINVAL, ENOSPC, EDQUOT, EAGAIN, EEXIST,
					ENOENT, ENOMEM, EOPNOTSUPP } },
	{ "PASID_FREE", 3, do_free, { ENOENT, EOPNOTSUPP } },
	{ "PASID_INFO", 1, do_info, { EOPNOTSUPP } },
	{ "PASID_LOOKUP", 2, do_lookup, { ENOENT, ENODATA, EOPNOTSUPP } },
	{ "OPTION", 1, do_quota, { EINVAL, EPERM } },
	{ "GPASID_INFO", 1, do_gpasid_info, { ENOENT, EOPNOTSUPP } },
	{ "GPASID_BIND", 6, do_bind, { ENOENT, EBUSY, EINVAL, E2BIG, EOPNOTSUPP,
				       ENOMEM, EFAULT, ENOSPC } },
	{ "GPASID_UNBIND", 3, do_unbind, { ENOENT, EOPNOTSUPP } },
	{ "GPASID_INVALIDATE", 8, do_invalidate, {
		EINVAL, E2BIG, EOVERFLOW, EOPNOTSUPP, ENOENT, EFAULT, ETIMEDOUT,
		EIO, ECANCELED, ENOMEM } },
	{ "remap", 2, do_remap, {} },
	{ "attach", 1, do_attach, {} },
	{ "dma", 4, do_dma, {} },
};

#define NR_CALLS	(sizeof(calls) / sizeof(*calls))

/* The processes of all rounds share this */
static struct shared {
	struct count counts[NR_CALLS];
	unsigned int length;		/* of the log of this round */
	struct record log[ROUND * THREADS];
	char wrong[100];		/* an error that is not documented */
	unsigned int wrong_kind;
} *common;
static volatile bool closed;

static bool documented(const struct thread *thread, unsigned int nr, int error)
{
	if (closed && error == EBADF)
		return true;
	/* The door itself: unknown size or number, what cannot be read */
	if (thread->wild && (error == EINVAL || error == E2BIG || error == EFAULT ||
			     error == EOPNOTSUPP || error == ENOENT || error == ENOTTY))
		return true;
	if (thread->failing && (error == ENOMEM || error == EFAULT))
		return true;
	for (const int *known = calls[nr].errors; *known; known++) {
		if (*known == error)
			return true;
	}
	return false;
}

static unsigned int choose(struct thread *thread)
{
	unsigned int all = 0, nr;

	for (nr = 0; nr < NR_CALLS; nr++)
		all += calls[nr].weight;
	all = rnd(thread, all);
	for (nr = 0; all >= calls[nr].weight; nr++)
		all -= calls[nr].weight;
	return nr;
}

static void step(struct thread *thread)
{
	unsigned int nr;
	int ret;

	/* In this order: DRAW_WILD, DRAW_FAILING */
	thread->at = 0;
	nr = choose(thread);
	thread->wild = !rnd(thread, 16);
	thread->failing = !rnd(thread, 16) && thread->fail_nth >= 0;
	guide_begin(thread);
	ret = calls[nr].call(thread);
	guide_end(thread);
	__atomic_add_fetch(ret ? &common->counts[nr].refused : &common->counts[nr].done, 1,
			   __ATOMIC_RELAXED);
	if (!ret || documented(thread, nr, -ret))
		return;
	snprintf(common->wrong, sizeof(common->wrong), "IOMMU_%s: %s is not documented%s%s",
		 calls[nr].name, strerror(-ret), thread->wild ? ", wild" : "",
		 thread->failing ? ", failing" : "");
	common->wrong_kind = (nr + 1) << 16 | -ret;
}

/* The calls of a script that are this thread's; one thread makes all. */
static void repeat(struct thread *thread, const struct play *play)
{
	thread->tape = &thread->scratch;
	for (unsigned int i = 0; i < play->calls; i++) {
		if (play->threads > 1 && play->script[i]->thread != thread->nr)
			continue;
		thread->from = &play->script[i]->tape;
		step(thread);
	}
}

static void *run(void *arg)
{
	struct thread *thread = arg;
	const struct play *play = thread->play;
	unsigned int nr, calls = play->calls;

	thread->results = mmap((void *)RESULTS(thread->nr), PAGE, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	thread->fail_nth = open("/proc/thread-self/fail-nth", O_RDWR);
	if (play->script) {
		repeat(thread, play);
		return NULL;
	}
	guide_open(thread);
	if (play->ending == KILLED && !thread->nr)
		calls /= 2;
	for (unsigned int i = 0; i < calls; i++) {
		nr = __atomic_fetch_add(&common->length, 1, __ATOMIC_RELAXED);
		common->log[nr].thread = thread->nr;
		thread->tape = &common->log[nr].tape;
		thread->from = guide_pick(thread);
		step(thread);
	}
	return NULL;
}

unsigned int log_length(void)
{
	return common->length;
}

const struct record *log_at(unsigned int nr)
{
	return &common->log[nr];
}

/* ---- a round ---- */

static void set_up(void)
{
	int ret = monitor_open(&vmm);

	if (!ret)
		ret = on_mock ? mock_open(&vmm, &dev) : device_open(&vmm, &dev, 0);
	if (!ret)
		ret = device_alloc_parent(&vmm, &dev);
	if (!ret)
		return;
	printf("# no device: %s\n", strerror(-ret));
	fflush(stdout);
	_exit(1);
}

/* In a process of its own */
static void round_of(const struct play *play)
{
	struct thread threads[THREADS] = { };

	set_up();
	for (unsigned int i = 0; i < play->threads; i++) {
		threads[i].state = (play->seed + play->nr) * 0x9e3779b97f4a7c15ULL + i + 1;
		threads[i].nr = i;
		threads[i].play = play;
		threads[i].c = play->c[i];
		pthread_create(&threads[i].id, NULL, run, &threads[i]);
	}
	pthread_join(threads[0].id, NULL);
	if (play->ending == KILLED)
		kill(getpid(), SIGKILL);
	if (play->ending == CLOSED) {
		closed = true;
		close(vmm.iommu);
	}
	for (unsigned int i = 1; i < play->threads; i++)
		pthread_join(threads[i].id, NULL);
	_exit(0);
}

/*
 * The device of a round is unplugged in its midst: which the kernel does as soon as the
 * device is closed, and then it is plugged in again.
 */
static pid_t unplug(const char *device, const struct play *play)
{
	char path[PATH_MAX];
	pid_t pid = fork();

	if (pid)
		return pid;
	while (!play->script && common->length < play->calls * play->threads / 2)
		usleep(1000);
	snprintf(path, sizeof(path), "%s/remove", device);
	put(path, "1");
	_exit(0);
}

static void plug_in(const char *device)
{
	char path[PATH_MAX];

	put("/sys/bus/pci/rescan", "1");
	snprintf(path, sizeof(path), "%s/driver_override", device);
	put(path, "vfio-pci");
	put("/sys/bus/pci/drivers_probe", strrchr(device, '/') + 1);
}

/* ---- what the kernel says ---- */

/* As tests/lab/vm/splats, less what is a warning only */
static const char *const complaints[] = {
	"WARNING: ", "BUG: ", "UBSAN: ", "refcount_t: ", "Oops: ", "general protection fault",
	"possible circular locking", "inconsistent lock state", "list_add corruption",
	"list_del corruption", "INFO: trying to register", "INFO: task ",
};

#define NR_COMPLAINTS	(sizeof(complaints) / sizeof(*complaints))

static char said[256];

const char *complaint(void)
{
	return said;
}

/* Reads on; the first complaint stays in @said. Its number from 2, or 0 */
static unsigned int read_log(int kmsg)
{
	static char text[8192];
	unsigned int found = 0;
	ssize_t length;

	for (;;) {
		length = read(kmsg, text, sizeof(text) - 1);
		if (length < 0 && errno == EPIPE)
			continue;		/* some was overwritten */
		if (length <= 0)
			return found;
		text[length] = '\0';
		for (unsigned int i = 0; i < NR_COMPLAINTS && !found; i++) {
			char *at = strstr(text, complaints[i]);

			if (!at)
				continue;
			found = 2 + i;
			snprintf(said, sizeof(said), "%.*s", (int)strcspn(at, "\n"), at);
		}
	}
}

/* Waits for a process; one that a kernel in trouble does not let go is left behind. */
static bool wait_for(pid_t pid, int kmsg, unsigned int *kind, int *status)
{
	unsigned int ms, late = 0;
	pid_t gone;

	for (ms = 0; !(gone = waitpid(pid, status, WNOHANG)); ms++) {
		usleep(1000);
		if (!*kind && ms % 256 == 255)
			*kind = read_log(kmsg);
		if (*kind && ++late > LATE * 1000)
			return false;
	}
	return gone == pid;
}

int play(const struct play *play)
{
	int kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	char device[PATH_MAX] = "";
	unsigned int kind = 0;
	pid_t pid, remover = 0;
	bool ended_badly = false;
	int status = 0, removed;

	lseek(kmsg, 0, SEEK_END);
	put("/sys/kernel/debug/clear_warn_once", "1");
	*common->wrong = '\0';
	*said = '\0';
	if (!play->script)
		common->length = 0;
	fflush(NULL);
	pid = fork();
	if (!pid)
		round_of(play);
	if (play->ending == UNPLUGGED && realpath("/sys/class/vfio-dev/vfio0/device", device))
		remover = unplug(device, play);
	if (!wait_for(pid, kmsg, &kind, &status))
		snprintf(said, sizeof(said), "%s", *said ? said : "a round that does not end");
	else if (play->ending == KILLED ? !WIFSIGNALED(status) : status)
		ended_badly = true;
	if (remover && wait_for(remover, kmsg, &kind, &removed))
		plug_in(device);
	if (!kind)
		kind = read_log(kmsg);
	close(kmsg);
	if (!kind && *common->wrong) {
		kind = common->wrong_kind;
		snprintf(said, sizeof(said), "%s", common->wrong);
	} else if (!kind && ended_badly) {
		kind = 1;
		snprintf(said, sizeof(said), "a round ended with status 0x%x", status);
	}
	return kind;
}

/* Some of these are only there in the debug kernel, and some have no such file. */
static void prepare_failures(void)
{
	static const char *const dirs[] = {
		"failslab", "fail_page_alloc", "fail_iommufd", "fail_usercopy",
	};
	char path[64];

	for (unsigned int i = 0; i < sizeof(dirs) / sizeof(*dirs); i++) {
		snprintf(path, sizeof(path), "/sys/kernel/debug/%s/ignore-gfp-wait", dirs[i]);
		put(path, "N");
		snprintf(path, sizeof(path), "/sys/kernel/debug/%s/verbose", dirs[i]);
		put(path, "0");
	}
}

void *shared(size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (at != MAP_FAILED)
		return at;
	perror("vmm_fuzz: mmap");
	exit(1);
}

/* A kind of call that always or never succeeds tries nothing. */
static bool report(void)
{
	bool good = true;

	for (unsigned int i = 0; i < NR_CALLS; i++) {
		printf("# %s: %lu done, %lu refused\n", calls[i].name, common->counts[i].done,
		       common->counts[i].refused);
		if (*calls[i].errors && (!common->counts[i].done || !common->counts[i].refused))
			good = false;
	}
	guide_report();
	return good;
}

int main(int argc, char **argv)
{
	bool random = argc > 1 && !strcmp(argv[1], "-r");
	unsigned long steps;
	struct play round;
	int kind = 0;

	argc -= random;
	argv += random;
	on_mock = argc > 1 && !strcmp(argv[1], "mock");
	if (argc < 2 || (!on_mock && strcmp(argv[1], "vfio"))) {
		fprintf(stderr, "usage: vmm_fuzz [-r] mock|vfio [STEPS [SEED]]\n");
		return 2;
	}
	steps = argc > 2 ? strtoul(argv[2], NULL, 0) : 10000;
	common = shared(sizeof(*common));
	guide_init(!random);
	prepare_failures();
	put("/proc/sys/kernel/panic_on_oops", "0");	/* for shrink() to go on */
	round = (struct play) {
		.seed = argc > 3 ? strtoull(argv[3], NULL, 0) : 1,
		.calls = ROUND, .threads = THREADS,
	};
	printf("# seed %llu\n", (unsigned long long)round.seed);
	for (; (unsigned long)round.nr * ROUND * THREADS < steps && !kind; round.nr++) {
		round.ending = round.nr % (on_mock ? UNPLUGGED : UNPLUGGED + 1);
		kind = play(&round);
		if (kind) {
			printf("# round %u: %s\n", round.nr, complaint());
			fflush(stdout);
			shrink(&round, kind);
		}
	}
	put("/proc/sys/kernel/panic_on_oops", "1");
	return report() && !kind ? 0 : 1;
}
