// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two monitors with a device each, whose guests share page tables with them:
 *
 *	vmm_demo
 *
 * Each guest has two PASIDs. Its device copies memory by each of them, the guest
 * maps another page in the place of one that was copied, invalidates, and the
 * device copies again. The second monitor is killed while its device copies.
 * Prints what was done, and what was found, as one JSON object.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "pasid-dma.h"
#include "vmm.h"

#define PASIDS		2
#define ROUNDS		3
#define BUFFER		(16 * PAGE)
#define SRC		0x10000000ULL
#define DST		0x10100000ULL
#define PAUSE_US	150000

/* In shared memory: what a monitor did outlives it */
static struct counts {
	uint64_t bytes, copies, wrong, calls, requests, failed;
	volatile bool running;
} *counts;

static void must(int ret, const char *what)
{
	if (!ret)
		return;
	fprintf(stderr, "vmm_demo: %s: %s\n", what, strerror(-ret));
	exit(1);
}

/* Of guest memory: a buffer to read from and one to write to for each PASID */
static uint64_t buffer(unsigned int nr, bool dst)
{
	return GUEST_DATA + (2 * nr + dst) * BUFFER;
}

/* Behind these: what comes in the place of one in each round */
static uint64_t spare(unsigned int round)
{
	return buffer(PASIDS + round / 2, round % 2);
}

static void map_buffers(struct monitor *vmm, uint64_t root, unsigned int nr)
{
	uint64_t at;

	for (at = 0; at < BUFFER; at += PAGE) {
		guest_map(vmm, root, 48, SRC + at, buffer(nr, false) + at, PAGE,
			  GUEST_RW);
		guest_map(vmm, root, 48, DST + at, buffer(nr, true) + at, PAGE,
			  GUEST_RW);
	}
}

static void copy(struct monitor *vmm, struct device *dev, uint32_t pasid,
		 unsigned int nr, uint64_t first)
{
	struct dma dma = { .op = PDMA_OP_COPY | PDMA_CMD_ATS, .pasid = pasid,
			   .src = SRC, .dst = DST, .len = BUFFER };
	char *to = monitor_at(vmm, buffer(nr, true));

	memset(to, 0, BUFFER);
	must(dma_run(dev, &dma), "DMA");
	counts->copies++;
	counts->bytes += BUFFER;
	if (DMA_CODE(&dma) != PDMA_ST_OK ||
	    memcmp(to, monitor_at(vmm, first), PAGE) ||
	    memcmp(to + PAGE, monitor_at(vmm, buffer(nr, false) + PAGE),
		   BUFFER - PAGE))
		counts->wrong++;
}

/* Another page takes the place of the first: by a table of the guest alone */
static void remap(struct monitor *vmm, struct device *dev, uint32_t pasid,
		  uint64_t root, uint64_t page)
{
	struct iommu_cache_invalidate_info info =
		inv_range(pasid, SRC, PAGE, 1);

	guest_map(vmm, root, 48, SRC, page, PAGE, GUEST_RW);
	counts->calls++;
	counts->requests++;
	if (invalidate(vmm, dev, &info, 1, NULL))
		counts->failed++;
}

static void run(struct monitor *vmm, unsigned int nr, bool stays)
{
	uint32_t pasid[PASIDS];
	uint64_t root[PASIDS];
	struct device dev;
	char name[16];
	unsigned int i, round;

	snprintf(name, sizeof(name), "vmm-%u", nr + 1);
	prctl(PR_SET_NAME, name);
	must(device_open(vmm, &dev, nr), "device");
	must(device_alloc_parent(vmm, &dev), "stage 2");
	must(device_attach(&dev, vmm->parent), "attach");
	for (i = 0; i < PASIDS; i++) {
		root[i] = guest_table(vmm);
		map_buffers(vmm, root[i], i);
		must(pasid_alloc(vmm, &pasid[i]), "PASID");
		must(pasid_bind(vmm, &dev, pasid[i], root[i], 48, 0), "bind");
		usleep(PAUSE_US);
	}
	for (round = 0; round < ROUNDS; round++) {
		for (i = 0; i < PASIDS; i++) {
			uint64_t old = buffer(i, false);
			uint64_t new = spare(round) + i * PAGE;

			copy(vmm, &dev, pasid[i], i,
			     round ? spare(round - 1) + i * PAGE : old);
			remap(vmm, &dev, pasid[i], root[i], new);
			copy(vmm, &dev, pasid[i], i, new);
			usleep(PAUSE_US);
		}
	}
	if (stays) {
		struct dma dma = { .op = PDMA_OP_COPY | PDMA_CMD_ATS,
				   .pasid = pasid[0], .src = SRC, .dst = DST,
				   .len = BUFFER, .repeat = PDMA_MAX_REPEAT };

		dma_start(&dev, &dma);
		counts->running = true;
		pause();
	}
	for (i = 0; i < PASIDS; i++) {
		must(pasid_unbind(vmm, &dev, pasid[i]), "unbind");
		must(pasid_free(vmm, pasid[i]), "free");
	}
	device_close(&dev);
	exit(0);
}

static void fill(struct monitor *vmm)
{
	uint64_t i, *at = monitor_at(vmm, GUEST_DATA);

	for (i = 0; i < 16 * BUFFER / sizeof(*at); i++)
		at[i] = i * 0x9e3779b97f4a7c15ULL;
}

/* The bytes that change in the memory of the dead one's guest from now on */
static unsigned int landed_after(struct monitor *vmm)
{
	char *to = monitor_at(vmm, buffer(0, true));
	unsigned int i, count = 0;

	memset(to, 0x55, BUFFER);
	usleep(4 * PAUSE_US);
	for (i = 0; i < BUFFER; i++)
		count += to[i] != 0x55;
	return count;
}

int main(void)
{
	struct monitor vmm[2];
	pid_t pid[2];
	unsigned int i, landed;

	counts = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (i = 0; i < 2; i++) {
		/* Each opens /dev/iommu itself: nobody else keeps it open */
		vmm[i].memory = monitor_memory();
		fill(&vmm[i]);
		pid[i] = fork();
		if (!pid[i]) {
			must(monitor_open_with(&vmm[i], vmm[i].memory), "monitor");
			run(&vmm[i], i, i == 1);
		}
		if (!i)
			waitpid(pid[0], NULL, 0);
	}
	while (!counts->running)
		usleep(1000);
	usleep(PAUSE_US);
	kill(pid[1], SIGKILL);
	waitpid(pid[1], NULL, 0);
	landed = landed_after(&vmm[1]);
	printf("{\"pids\": [%d, %d], \"pasids\": %d, \"bytes\": %" PRIu64
	       ", \"copies\": %" PRIu64 ", \"wrong\": %" PRIu64
	       ", \"calls\": %" PRIu64 ", \"requests\": %" PRIu64
	       ", \"failed\": %" PRIu64 ", \"landed_after\": %u}\n",
	       pid[0], pid[1], 2 * PASIDS, counts->bytes, counts->copies,
	       counts->wrong, counts->calls, counts->requests, counts->failed,
	       landed);
	return 0;
}
