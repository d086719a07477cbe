// SPDX-License-Identifier: GPL-2.0-only
/*
 * Holds PASIDs for a test script, which tells it on standard input what to do:
 *
 *   alloc N [MIN MAX]   allocate N, or as many as the kernel gives
 *   free N              free the N that are held longest
 *   fill                allocate all there are, without remembering them
 *   refused N           ask N times in each of RACERS processes at once
 *
 * It answers each line with how many it did, and the error that stopped it; to
 * "refused" with how many failed, and the error if all had the same. At
 * the end of its input it exits, and leaves the rest to the kernel.
 *
 * With a number as argument it works on that inherited file descriptor of
 * /dev/iommu; else it opens its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/types.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* As in the series' include/uapi/linux/iommufd.h, so that no header is needed. */
struct iommu_pasid_alloc {
	__u32 size, flags, min, max, out_pasid, private_id;
};

struct iommu_pasid_free {
	__u32 size, flags, pasid, __reserved;
};

#define IOMMU_PASID_ALLOC	_IO(';', 0xe0)
#define IOMMU_PASID_FREE	_IO(';', 0xe1)

#define MAX_HELD	4096
#define RACERS		4

static unsigned int held[MAX_HELD];
static int nr_held, fd;

static int alloc_any(struct iommu_pasid_alloc *cmd)
{
	cmd->size = sizeof(*cmd);
	return ioctl(fd, IOMMU_PASID_ALLOC, cmd);
}

static bool alloc_one(unsigned int min, unsigned int max)
{
	struct iommu_pasid_alloc cmd = { .min = min, .max = max };

	if (nr_held == MAX_HELD) {
		errno = EOVERFLOW;
		return false;
	}
	if (alloc_any(&cmd))
		return false;
	held[nr_held++] = cmd.out_pasid;
	return true;
}

static bool free_one(void)
{
	struct iommu_pasid_free cmd = { .size = sizeof(cmd), .pasid = held[0] };

	if (ioctl(fd, IOMMU_PASID_FREE, &cmd))
		return false;
	memmove(held, held + 1, --nr_held * sizeof(*held));
	return true;
}

static int fill(void)
{
	struct iommu_pasid_alloc cmd = { .min = 1, .max = 0xfffff };
	int n = 0;

	while (!alloc_any(&cmd))
		n++;
	return n;
}

/* In a process of its own: 0 if all failed the same way, with that error */
static int racer(int n)
{
	struct iommu_pasid_alloc cmd = { .min = 1, .max = 0xfffff };
	int first = 0;

	while (n--) {
		if (!alloc_any(&cmd))
			return 0;
		if (first && errno != first)
			return 0;
		first = errno;
	}
	return first;
}

/* Returns how many attempts failed with @error, which the first racer met */
static int refused(int n, int *error)
{
	int i, status, failed = 0;

	*error = 0;
	fflush(stdout);
	for (i = 0; i < RACERS; i++)
		if (!fork())
			_exit(racer(n));
	for (i = 0; i < RACERS && wait(&status) > 0; i++) {
		status = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
		if (!*error)
			*error = status;
		if (status && status == *error)
			failed += n;
	}
	return failed;
}

static int answer(int done, int error)
{
	if (error)
		printf("%d %s\n", done, strerrorname_np(error));
	else
		printf("%d\n", done);
	return 0;
}

static int obey(const char *line)
{
	unsigned int min = 1, max = 0xfffff;
	int n, error, done = 0;

	if (!strcmp(line, "fill\n")) {
		done = fill();
		return answer(done, errno);
	}
	if (sscanf(line, "refused %d", &n) == 1) {
		done = refused(n, &error);
		return answer(done, error);
	}
	if (sscanf(line, "alloc %d %i %i", &n, &min, &max) >= 1)
		while (done < n && alloc_one(min, max))
			done++;
	else if (sscanf(line, "free %d", &n) == 1)
		while (done < n && free_one())
			done++;
	else
		return -1;
	return answer(done, done == n ? 0 : errno);
}

int main(int argc, char **argv)
{
	char line[80];

	fd = argc > 1 ? atoi(argv[1]) : open("/dev/iommu", O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		fprintf(stderr, "pasidhold: /dev/iommu: %s\n", strerror(errno));
		return 1;
	}
	setlinebuf(stdout);
	while (fgets(line, sizeof(line), stdin))
		if (obey(line)) {
			fprintf(stderr, "pasidhold: what is '%s'?\n", line);
			return 2;
		}
	return 0;
}
