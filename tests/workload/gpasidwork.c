// SPDX-License-Identifier: GPL-2.0-only
/*
 * A known load of guest PASIDs, on the mock IOMMU of the iommufd selftests:
 * processes that each open /dev/iommu with a mock device, allocate PASIDs, bind
 * page tables to them, invalidate, unbind and free, and leave the rest to the
 * kernel, at exit or when they are killed half way.
 *
 * Prints one JSON object with counts and lists of all that a tracer must see,
 * in the process' order: "inv", strings "PID PASID CACHES GRANULARITY ADDR
 * GRANULE GRANULES ENTRIES RET" with 0 for what a request has not; "bind",
 * "PID PASID GPASID GPGD RET"; "unbind", "PID PASID GPASID REVOKED RET", of which
 * those that are revoked are really done by a worker of the kernel.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/iommu.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "iommufd_test.h"

#define MAX_PROCS	16
#define MAX_PASIDS	64
#define MAX_LINES	20000
#define MAX_BATCH	256
#define FIRST_GPASID	100
#define TABLE_SIZE	4096
#define MEMORY		(MAX_PASIDS * TABLE_SIZE)

static int procs = 1, pasids = 5, unbinds = 3, frees = 4;
static int singles = 11, failing, batches, batch_size = 16, pause_ms;
static unsigned int min = 1, max = (1 << MOCK_PASID_WIDTH) - 2;
static bool kill_last;
static const char *name, *go_file;

enum kind {
	INV, BIND, UNBIND, NR_KINDS,
};

static const char *const kinds[] = { "inv", "bind", "unbind" };

struct line {
	enum kind kind;
	char text[92];
};

/* In shared memory: what a process did must outlive its death. */
struct log {
	int pid;
	volatile bool waits;
	volatile int n;
	struct slot {
		unsigned int pasid;
		volatile bool bound;
	} slot[MAX_PASIDS];
	struct line line[MAX_LINES];
};

static struct log *logs[MAX_PROCS], *my_log;
static int fd;
static unsigned int device, parent;

static void fail(const char *what)
{
	fprintf(stderr, "gpasidwork: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void nap(void)
{
	if (pause_ms)
		usleep(pause_ms * 1000);
}

__attribute__((format(printf, 2, 3)))
static void log_line(enum kind kind, const char *fmt, ...)
{
	struct line *line = &my_log->line[my_log->n];
	va_list ap;

	if (my_log->n == MAX_LINES) {
		fprintf(stderr, "gpasidwork: too much to do\n");
		exit(1);
	}
	line->kind = kind;
	va_start(ap, fmt);
	vsnprintf(line->text, sizeof(line->text), fmt, ap);
	va_end(ap);
	my_log->n++;
}

static void must(unsigned long request, void *cmd, const char *what)
{
	if (ioctl(fd, request, cmd))
		fail(what);
}

/* Something that must be refused, or the log would be wrong */
static int result(unsigned long request, void *cmd, int want, const char *what)
{
	int ret = ioctl(fd, request, cmd) ? -errno : 0;

	if (ret == want)
		return ret;
	fprintf(stderr, "gpasidwork: %s: got %d, not %d\n", what, ret, want);
	exit(1);
}

/* A mock device with guest memory, and the stage 2 that leads to it */
static void set_up(void)
{
	struct iommu_ioas_alloc ioas = { .size = sizeof(ioas) };
	struct iommu_ioas_map map = {
		.size = sizeof(map), .length = MEMORY, .iova = MOCK_APERTURE_START,
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |
			 IOMMU_IOAS_MAP_WRITEABLE,
	};
	struct iommu_test_cmd mock = {
		.size = sizeof(mock), .op = IOMMU_TEST_OP_MOCK_DOMAIN_FLAGS,
		.mock_domain_flags.dev_flags = MOCK_FLAGS_DEVICE_PASID,
	};
	struct iommu_hwpt_alloc hwpt = {
		.size = sizeof(hwpt), .flags = IOMMU_HWPT_ALLOC_NEST_PARENT,
	};
	void *memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (memory == MAP_FAILED)
		fail("mmap");
	must(IOMMU_IOAS_ALLOC, &ioas, "IOMMU_IOAS_ALLOC");
	map.ioas_id = ioas.out_ioas_id;
	map.user_va = (unsigned long)memory;
	must(IOMMU_IOAS_MAP, &map, "IOMMU_IOAS_MAP");
	mock.id = ioas.out_ioas_id;
	must(IOMMU_TEST_CMD, &mock, "IOMMU_TEST_OP_MOCK_DOMAIN_FLAGS");
	device = hwpt.dev_id = mock.mock_domain_flags.out_idev_id;
	hwpt.pt_id = ioas.out_ioas_id;
	must(IOMMU_HWPT_ALLOC, &hwpt, "IOMMU_HWPT_ALLOC");
	parent = hwpt.out_hwpt_id;
}

static void bind(int i, int want)
{
	struct iommu_gpasid_bind_data data = {
		.argsz = sizeof(data), .version = IOMMU_GPASID_BIND_VERSION_1,
		.format = IOMMU_PASID_FORMAT_INTEL_VTD, .addr_width = 48,
		.flags = IOMMU_SVA_GPASID_VAL, .gpasid = FIRST_GPASID + i,
		.gpgd = MOCK_APERTURE_START + i * TABLE_SIZE,
		.hpasid = my_log->slot[i].pasid,
	};
	struct iommu_gpasid_bind cmd = {
		.size = sizeof(cmd), .dev_id = device, .pt_id = parent,
		.data_uptr = (unsigned long)&data,
	};

	nap();
	result(IOMMU_GPASID_BIND, &cmd, want, "IOMMU_GPASID_BIND");
	if (!want)
		my_log->slot[i].bound = true;
	log_line(BIND, "%llu %llu 0x%llx %d", data.hpasid, data.gpasid, data.gpgd, want);
}

static void unbind(int i, int want)
{
	struct iommu_gpasid_unbind cmd = {
		.size = sizeof(cmd), .dev_id = device, .pasid = my_log->slot[i].pasid,
	};

	nap();
	result(IOMMU_GPASID_UNBIND, &cmd, want, "IOMMU_GPASID_UNBIND");
	my_log->slot[i].bound = false;
	log_line(UNBIND, "%u %d 0 %d", cmd.pasid, want ? 0 : FIRST_GPASID + i, want);
}

static unsigned int nr_bound(void)
{
	struct iommu_test_cmd cmd = {
		.size = sizeof(cmd), .op = IOMMU_TEST_OP_GPASID_COUNT, .id = device,
	};

	must(IOMMU_TEST_CMD, &cmd, "IOMMU_TEST_OP_GPASID_COUNT");
	return cmd.gpasid_count.out_bound;
}

/* A PASID that is bound is revoked by a worker; it must not find it closed. */
static void free_pasid(int i)
{
	struct slot *slot = &my_log->slot[i];
	struct iommu_pasid_free cmd = { .size = sizeof(cmd), .pasid = slot->pasid };

	unsigned int before = nr_bound();

	nap();
	must(IOMMU_PASID_FREE, &cmd, "IOMMU_PASID_FREE");
	if (!slot->bound)
		return;
	while (nr_bound() == before)
		usleep(1000);
	log_line(UNBIND, "%u %d 1 0", cmd.pasid, FIRST_GPASID + i);
	slot->bound = false;
}

/* One of each kind that the mock does, in turn */
static struct iommu_cache_invalidate_info good(int i)
{
	unsigned int pasid = my_log->slot[i % pasids].pasid;
	struct iommu_cache_invalidate_info info = {
		.argsz = sizeof(info), .version = IOMMU_CACHE_INVALIDATE_INFO_VERSION_1,
		.cache = IOMMU_CACHE_INV_TYPE_IOTLB,
	};

	switch (i % 4) {
	case 0:
		info.cache |= IOMMU_CACHE_INV_TYPE_DEV_IOTLB;
		info.granularity = IOMMU_INV_GRANU_PASID;
		info.granu.pasid_info.flags = IOMMU_INV_PASID_FLAGS_PASID;
		info.granu.pasid_info.pasid = pasid;
		return info;
	case 1:
		info.granularity = IOMMU_INV_GRANU_DOMAIN;
		return info;
	case 2:
		info.granu.addr_info.flags = IOMMU_INV_ADDR_FLAGS_PASID |
					     IOMMU_INV_ADDR_FLAGS_LEAF;
		info.granu.addr_info.pasid = pasid;
		break;
	case 3:
		info.cache = IOMMU_CACHE_INV_TYPE_DEV_IOTLB;
		break;
	}
	info.granularity = IOMMU_INV_GRANU_ADDR;
	info.granu.addr_info.addr = 0x7f0000000000 + i * 4096ULL;
	info.granu.addr_info.granule_size = i % 8 == 2 ? 2 << 20 : 4096;
	info.granu.addr_info.nb_granules = 1 + i % 7;
	return info;
}

/* One of each way to be refused, in turn */
static struct iommu_cache_invalidate_info wrong(int i, int *want)
{
	struct iommu_cache_invalidate_info info = good(2);

	*want = -EINVAL;
	switch (i % 5) {
	case 0:
		info.granu.addr_info.pasid = 0xffff;
		*want = -ENOENT;
		break;
	case 1:
		info.granu.addr_info.granule_size = 3;
		break;
	case 2:
		info.cache = IOMMU_CACHE_INV_TYPE_PASID;
		info.granularity = IOMMU_INV_GRANU_PASID;
		info.granu.pasid_info = (struct iommu_inv_pasid_info){
			.flags = IOMMU_INV_PASID_FLAGS_PASID,
			.pasid = my_log->slot[0].pasid,
		};
		memset(&info.granu.pasid_info + 1, 0,
		       sizeof(info.granu) - sizeof(info.granu.pasid_info));
		*want = -EOPNOTSUPP;
		break;
	case 3:
		info.granu.addr_info.granule_size = 1ULL << 63;
		info.granu.addr_info.nb_granules = ~0ULL;
		*want = -EOVERFLOW;
		break;
	case 4:
		info.argsz = 4;	/* the kernel does not read the rest */
		break;
	}
	return info;
}

static void log_inv(const struct iommu_cache_invalidate_info *info, int nr, int ret)
{
	const struct iommu_inv_addr_info *addr = &info->granu.addr_info;

	if (info->argsz < 16)
		log_line(INV, "0 0 0 0x0 0x0 0x0 %d %d", nr, ret);
	else if (info->granularity == IOMMU_INV_GRANU_ADDR)
		log_line(INV, "%llu %u %u 0x%llx 0x%llx 0x%llx %d %d", addr->pasid, info->cache,
			 info->granularity, addr->addr, addr->granule_size,
			 addr->nb_granules, nr, ret);
	else
		log_line(INV, "%llu %u %u 0x0 0x0 0x0 %d %d",
			 info->granularity ? info->granu.pasid_info.pasid : 0,
			 info->cache, info->granularity, nr, ret);
}

static void invalidate(struct iommu_cache_invalidate_info *infos, int nr, bool go_on,
		       int want)
{
	__s32 results[MAX_BATCH];
	struct iommu_gpasid_invalidate cmd = {
		.size = sizeof(cmd), .dev_id = device, .entry_len = sizeof(*infos),
		.flags = go_on ? IOMMU_GPASID_INVALIDATE_GO_ON : 0,
		.data_uptr = (unsigned long)infos, .entry_num = nr,
		.result_uptr = (unsigned long)results,
	};

	nap();
	result(IOMMU_GPASID_INVALIDATE, &cmd, want, "IOMMU_GPASID_INVALIDATE");
	for (int i = 0; i < nr; i++)
		log_inv(&infos[i], nr, results[i]);
}

/* Every second one has a wrong entry in the middle, in turn left out or gone over */
static void invalidate_batch(int nr)
{
	struct iommu_cache_invalidate_info infos[MAX_BATCH];
	int want = 0;

	for (int i = 0; i < batch_size; i++)
		infos[i] = good(i);
	if (nr % 2)
		infos[batch_size / 2] = wrong(nr / 2, &want);
	invalidate(infos, batch_size, nr % 4 == 3, want);
}

static void work(bool die)
{
	fd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		fail("/dev/iommu");
	my_log->pid = getpid();
	set_up();
	for (int i = 0; i < pasids; i++) {
		struct iommu_pasid_alloc cmd = {
			.size = sizeof(cmd), .min = min, .max = max,
		};

		nap();
		must(IOMMU_PASID_ALLOC, &cmd, "IOMMU_PASID_ALLOC");
		my_log->slot[i].pasid = cmd.out_pasid;
		bind(i, 0);
	}
	for (int i = 0; i < singles; i++) {
		struct iommu_cache_invalidate_info info = good(i);

		if (die && i == singles / 2) {
			my_log->waits = true;
			pause();
		}
		invalidate(&info, 1, false, 0);
	}
	for (int i = 0, want; i < failing; i++) {
		struct iommu_cache_invalidate_info info = wrong(i, &want);

		invalidate(&info, 1, false, want);
	}
	for (int i = 0; i < batches; i++)
		invalidate_batch(i);
	if (failing)
		bind(0, -EBUSY);
	for (int i = 0; i < unbinds; i++)
		unbind(i, 0);
	if (failing && unbinds)
		unbind(0, -ENOENT);
	for (int i = 0; i < frees; i++)
		free_pasid(i);
	nap();
}

static void start(int nr)
{
	char comm[16];
	int pid = fork();

	if (pid < 0)
		fail("fork");
	if (pid)
		return;
	if (name) {
		snprintf(comm, sizeof(comm), "%s%d", name, nr + 1);
		prctl(PR_SET_NAME, comm);
	}
	my_log = logs[nr];
	work(kill_last && nr == procs - 1);
	_exit(0);
}

/* A close of the file unbinds what is bound. */
static void add_closing(void)
{
	for (int i = 0; i < pasids; i++) {
		if (my_log->slot[i].bound)
			log_line(UNBIND, "%u %d 0 0", my_log->slot[i].pasid, FIRST_GPASID + i);
	}
}

static void print_lines(enum kind kind)
{
	const char *comma = "";

	printf("\"%s\":[", kinds[kind]);
	for (int p = 0; p < procs; p++) {
		for (int i = 0; i < logs[p]->n; i++) {
			if (logs[p]->line[i].kind != kind)
				continue;
			printf("%s\"%d %s\"", comma, logs[p]->pid, logs[p]->line[i].text);
			comma = ",";
		}
	}
	printf("],");
}

static int number(const char *s, int max)
{
	char *end;
	long v = strtol(s, &end, 0);

	if (*end || v < 0 || v > max) {
		fprintf(stderr, "gpasidwork: '%s' is not a number in 0..%d\n", s, max);
		exit(2);
	}
	return v;
}

static void options(int argc, char **argv)
{
	int opt;

	while ((opt = getopt(argc, argv, "n:a:r:u:f:i:x:b:B:kp:c:g:")) != -1) {
		switch (opt) {
		case 'n': procs = number(optarg, MAX_PROCS); break;
		case 'a': pasids = number(optarg, MAX_PASIDS); break;
		case 'r':
			if (sscanf(optarg, "%u-%u", &min, &max) != 2)
				exit(2);
			break;
		case 'u': unbinds = number(optarg, MAX_PASIDS); break;
		case 'f': frees = number(optarg, MAX_PASIDS); break;
		case 'i': singles = number(optarg, MAX_LINES); break;
		case 'x': failing = number(optarg, MAX_LINES); break;
		case 'b': batches = number(optarg, MAX_LINES); break;
		case 'B': batch_size = number(optarg, MAX_BATCH); break;
		case 'k': kill_last = true; break;
		case 'p': pause_ms = number(optarg, 10000); break;
		case 'c': name = optarg; break;
		case 'g': go_file = optarg; break;		/* wait for it */
		default: exit(2);
		}
	}
	if (!procs || !pasids || !batch_size || unbinds > pasids || frees > pasids)
		exit(2);
}

int main(int argc, char **argv)
{
	int status, bad = 0;

	options(argc, argv);
	for (int i = 0; i < procs; i++) {
		logs[i] = mmap(NULL, sizeof(struct log), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (logs[i] == MAP_FAILED)
			fail("mmap");
	}
	while (go_file && access(go_file, F_OK))
		usleep(10000);
	for (int i = 0; i < procs; i++)
		start(i);
	while (kill_last && !logs[procs - 1]->waits) {
		usleep(1000);
		if (waitpid(-1, &status, WNOHANG) > 0 && status)
			exit(1);
	}
	if (kill_last)
		kill(logs[procs - 1]->pid, SIGKILL);
	while (wait(&status) > 0)
		bad += !(WIFEXITED(status) && !WEXITSTATUS(status));
	for (int i = 0; i < procs; i++) {
		my_log = logs[i];
		add_closing();
	}
	printf("{");
	for (enum kind kind = 0; kind < NR_KINDS; kind++)
		print_lines(kind);
	printf("\"pids\":[");
	for (int i = 0; i < procs; i++)
		printf("%s%d", i ? "," : "", logs[i]->pid);
	printf("]}\n");
	return bad == kill_last ? 0 : 1;
}
