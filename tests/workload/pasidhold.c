// SPDX-License-Identifier: GPL-2.0-only
/*
 * Holds PASIDs for a test script, which tells it on standard input what to do:
 *
 *   alloc N [MIN MAX]   allocate N, or as many as the kernel gives
 *   free N              free the N that are held longest
 *
 * It answers each line with how many it did, and the error that stopped it. At
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

static unsigned int held[MAX_HELD];
static int nr_held, fd;

static bool alloc_one(unsigned int min, unsigned int max)
{
	struct iommu_pasid_alloc cmd = {
		.size = sizeof(cmd), .min = min, .max = max,
	};

	if (nr_held == MAX_HELD) {
		errno = EOVERFLOW;
		return false;
	}
	if (ioctl(fd, IOMMU_PASID_ALLOC, &cmd))
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

static int obey(const char *line)
{
	unsigned int min = 1, max = 0xfffff;
	int n, done = 0;

	if (sscanf(line, "alloc %d %i %i", &n, &min, &max) >= 1)
		while (done < n && alloc_one(min, max))
			done++;
	else if (sscanf(line, "free %d", &n) == 1)
		while (done < n && free_one())
			done++;
	else
		return -1;
	if (done == n)
		printf("%d\n", done);
	else
		printf("%d %s\n", done, strerrorname_np(errno));
	return 0;
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
