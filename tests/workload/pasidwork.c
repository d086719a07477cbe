// SPDX-License-Identifier: GPL-2.0-only
/*
 * A known load of PASIDs: processes that each open /dev/iommu, allocate, free,
 * and leave the rest to the kernel, at exit or when they are killed half way.
 *
 * With -i they have private IDs, with -q a quota, which kernels with sets know.
 *
 * Prints one JSON object with the totals and "events", a list of all that a
 * tracer must have seen: "alloc PID PASID RET" and "free PID PASID RET", with
 * null for the PASID of an allocation that failed, and "spids", a list of
 * "PID PASID PRIVATE-ID".
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/types.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

/* As in the series' include/uapi/linux/iommufd.h, so that no header is needed. */
struct iommu_pasid_alloc {
	__u32 size, flags, min, max, out_pasid, private_id;
};

struct iommu_pasid_free {
	__u32 size, flags, pasid, __reserved;
};

/* Of linux/iommufd.h, for the quota. */
struct iommu_option {
	__u32 size, option_id;
	__u16 op, __reserved;
	__u32 object_id;
	__u64 val64;
};

#define IOMMU_OPTION		_IO(';', 0x87)
#define IOMMU_OPTION_PASID_QUOTA	0xe0
#define IOMMU_PASID_ALLOC_PRIVATE	(1 << 0)
#define IOMMU_PASID_ALLOC	_IO(';', 0xe0)
#define IOMMU_PASID_FREE	_IO(';', 0xe1)

#define MAX_PROCS	64
#define MAX_ALLOCS	100000

static int procs = 3, allocs = 23, frees = 17, pause_ms;
static unsigned int min = 1, max = 0xfffff, first_private, quota;
static bool kill_last;
static const char *name, *go_file, *stay_file;

/* In shared memory: what a process did must outlive its death. */
struct entry {
	unsigned int pasid;
	int ret;
	bool freed;
};

struct log {
	int pid;
	volatile bool waits;
	volatile int n;
	struct entry entry[];
};

static struct log *logs[MAX_PROCS];

static void fail(const char *what)
{
	fprintf(stderr, "pasidwork: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void nap(void)
{
	if (pause_ms)
		usleep(pause_ms * 1000);
}

/* Has allocated what it should, and keeps it until the file is gone. */
static void stay(void)
{
	int fd = open(stay_file, O_WRONLY | O_CREAT, 0600);

	if (fd < 0)
		fail(stay_file);
	close(fd);
	while (!access(stay_file, F_OK))
		usleep(10000);
}

static void set_quota(int fd)
{
	struct iommu_option cmd = {
		.size = sizeof(cmd), .option_id = IOMMU_OPTION_PASID_QUOTA, .val64 = quota,
	};

	if (ioctl(fd, IOMMU_OPTION, &cmd))
		fail("IOMMU_OPTION_PASID_QUOTA");
}

static void work(struct log *log, bool die)
{
	int fd = open("/dev/iommu", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		fail("/dev/iommu");
	log->pid = getpid();
	if (quota)
		set_quota(fd);
	for (int i = 0; i < allocs; i++) {
		struct iommu_pasid_alloc cmd = {
			.size = sizeof(cmd), .min = min, .max = max,
			.flags = first_private ? IOMMU_PASID_ALLOC_PRIVATE : 0,
			.private_id = first_private ? first_private + i : 0,
		};
		struct entry *e = &log->entry[i];

		if (die && i == allocs / 2) {
			log->waits = true;
			pause();
		}
		nap();
		e->ret = ioctl(fd, IOMMU_PASID_ALLOC, &cmd) ? -errno : 0;
		if (e->ret && e->ret != (quota ? -EDQUOT : -ENOSPC))
			fail("IOMMU_PASID_ALLOC");
		e->pasid = cmd.out_pasid;
		log->n = i + 1;
	}
	if (stay_file)
		stay();
	for (int i = 0, done = 0; i < log->n && done < frees; i++) {
		struct entry *e = &log->entry[i];
		struct iommu_pasid_free cmd = { .size = sizeof(cmd), .pasid = e->pasid };

		if (e->ret)
			continue;
		nap();
		if (ioctl(fd, IOMMU_PASID_FREE, &cmd))
			fail("IOMMU_PASID_FREE");
		e->freed = true;
		done++;
	}
	nap();
	close(fd);
}

static void start(int nr)
{
	bool die = kill_last && nr == procs - 1;
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
	work(logs[nr], die);
	_exit(0);
}

static void print_events(void)
{
	int ok = 0, failed = 0, freed = 0;
	const char *comma = "";

	printf("\"events\":[");
	for (int p = 0; p < (procs ? procs : 1); p++) {
		for (int i = 0; i < logs[p]->n; i++, comma = ",") {
			struct entry *e = &logs[p]->entry[i];

			if (e->ret) {
				failed++;
				printf("%s\"alloc %d null %d\"", comma, logs[p]->pid, e->ret);
				continue;
			}
			ok++;
			freed += e->freed;
			printf("%s\"alloc %d %u 0\",\"free %d %u 0\"", comma, logs[p]->pid,
			       e->pasid, logs[p]->pid, e->pasid);
		}
	}
	/* returned: freed by the kernel, when the file was closed */
	printf("],\"alloc\":%d,\"alloc_failed\":%d,\"free\":%d,\"returned\":%d}\n",
	       ok, failed, freed, ok - freed);
}

static void print_spids(void)
{
	const char *comma = "";

	printf("\"spids\":[");
	for (int p = 0; first_private && p < (procs ? procs : 1); p++) {
		for (int i = 0; i < logs[p]->n; i++) {
			if (logs[p]->entry[i].ret)
				continue;
			printf("%s\"%d %u %u\"", comma, logs[p]->pid,
			       logs[p]->entry[i].pasid, first_private + i);
			comma = ",";
		}
	}
	printf("],");
}

static int number(const char *s)
{
	char *end;
	long v = strtol(s, &end, 0);

	if (*end || v < 0 || v > MAX_ALLOCS) {
		fprintf(stderr, "pasidwork: bad number '%s'\n", s);
		exit(2);
	}
	return v;
}

static void options(int argc, char **argv)
{
	int opt;

	while ((opt = getopt(argc, argv, "n:a:f:r:i:q:kp:c:g:s:u")) != -1) {
		switch (opt) {
		case 'n': procs = number(optarg); break;	/* 0: no child */
		case 'a': allocs = number(optarg); break;
		case 'f': frees = number(optarg); break;
		case 'r':
			if (sscanf(optarg, "%u-%u", &min, &max) != 2)
				exit(2);
			break;
		case 'i': first_private = number(optarg); break;
		case 'q': quota = number(optarg); break;
		case 'k': kill_last = true; break;
		case 'p': pause_ms = number(optarg); break;
		case 'c': name = optarg; break;
		case 'g': go_file = optarg; break;		/* wait for it */
		case 's': stay_file = optarg; break;
		case 'u':					/* rest as nobody */
			if (setgroups(0, NULL) || setgid(65534) || setuid(65534))
				fail("setuid");
			execvp(argv[optind], argv + optind);
			fail(argv[optind]);
			break;
		default:
			exit(2);
		}
	}
	if (procs > MAX_PROCS)
		exit(2);
}

int main(int argc, char **argv)
{
	int status, bad = 0;

	options(argc, argv);
	for (int i = 0; i < (procs ? procs : 1); i++) {
		size_t len = sizeof(struct log) + allocs * sizeof(struct entry);

		logs[i] = mmap(NULL, len, PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (logs[i] == MAP_FAILED)
			fail("mmap");
	}
	while (go_file && access(go_file, F_OK))
		usleep(10000);
	if (!procs)
		work(logs[0], false);
	for (int i = 0; i < procs; i++)
		start(i);
	while (kill_last && !logs[procs - 1]->waits)
		usleep(1000);
	if (kill_last)
		kill(logs[procs - 1]->pid, SIGKILL);
	while (wait(&status) > 0)
		bad += !(WIFEXITED(status) && !WEXITSTATUS(status));
	printf("{\"pids\":[");
	for (int i = 0; i < (procs ? procs : 1); i++)
		printf("%s%d", i ? "," : "", logs[i]->pid);
	printf("],");
	print_spids();
	print_events();
	return bad == kill_last ? 0 : 1;
}
