// SPDX-License-Identifier: GPL-2.0-only
/*
 * A process that gives pages from its malloc() to a pasid-dma, by procmod.
 *
 *	procdma [-a] [-f] [-n STEPS] [-s SEED] [-t]
 *
 * The device fills, reads and copies them. Then each of STEPS (0) takes a random
 * page away while the device writes to it, keeps what was there in sight, and gives
 * the device another one at the same address. Nothing may be written to the old
 * page, nothing be read of it. With -a the device uses its translation cache, and with
 * -f it leaves one request to invalidate that unanswered, at the first page that goes.
 * A seed gives the same steps.
 *
 * Prints "moved BYTES" and "steps NR stale NR"; status 1 if a byte was wrong. With -t
 * also "munmap BEGIN END", what the time-stamp counter says before and after a page
 * that the device has read goes away.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <x86intrin.h>

#include "pasid-dma.h"
#include "procmod.h"
#include "vmm.h"

#define PAGES	8

static struct device dev;
static int procmod;
static uint32_t pasid, flags;
static unsigned int unanswered;
static char *pages;			/* of the process */
static uint64_t at[PAGES];		/* where the device has them */
static char *aside;			/* where an old one goes */
static uint64_t state;

static void die(const char *what)
{
	fprintf(stderr, "procdma: %s: %s\n", what, strerror(errno));
	exit(2);
}

static uint32_t rnd(uint32_t below)
{
	/* xorshift64*: the same everywhere */
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (uint32_t)((state * 2685821657736338717ULL) >> 33) % below;
}

static char *page_at(unsigned int page)
{
	return pages + page * PAGE;
}

static void give(unsigned int page)
{
	at[page] = (uintptr_t)page_at(page);
	if (ioctl(procmod, PROCMOD_MAP, &at[page]))
		die("PROCMOD_MAP");
}

static void take_back(unsigned int page)
{
	if (ioctl(procmod, PROCMOD_UNMAP, &at[page]))
		die("PROCMOD_UNMAP");
}

/* The driver has given its name to the one device that it drives */
static void open_bar(void)
{
	glob_t found;
	int fd;

	if (glob("/sys/bus/pci/drivers/procmod/*:*/resource0", 0, NULL, &found))
		die("no device of procmod");
	fd = open(found.gl_pathv[0], O_RDWR | O_SYNC);
	if (fd < 0)
		die(found.gl_pathv[0]);
	dev.bar = mmap(NULL, PDMA_BAR_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (dev.bar == MAP_FAILED)
		die("mmap of resource0");
	close(fd);
}

/* The device forgets its commands, and takes a page every 100 us from now on */
static void reset(void)
{
	dev.bar[PDMA_CTL / 4] = PDMA_CTL_RESET;
	dev.slot = 0;
	dev.bar[PDMA_SLICE / 4] = PAGE;
	dev.bar[PDMA_PACE / 4] = 100000;
}

static void setup(void)
{
	procmod = open("/dev/procmod", O_RDWR);
	if (procmod < 0)
		die("/dev/procmod");
	if (ioctl(procmod, PROCMOD_PASID, &pasid))
		die("PROCMOD_PASID");
	open_bar();
	reset();
	pages = aligned_alloc(PAGE, PAGES * PAGE);
	aside = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (!pages || aside == MAP_FAILED)
		die("no memory");
	for (unsigned int i = 0; i < PAGES; i++) {
		memset(page_at(i), i + 1, PAGE);
		give(i);
	}
}

static struct dma command(unsigned int op, unsigned int src, unsigned int dst,
			  uint64_t data)
{
	return (struct dma){ .op = op | flags, .pasid = pasid, .src = at[src],
			     .dst = at[dst], .len = PAGE, .data = data };
}

static unsigned int run(struct dma dma)
{
	if (dma_run(&dev, &dma))
		die("DMA does not end");
	if (DMA_CODE(&dma) == PDMA_ST_OK)
		return 0;
	printf("# op %u ended with 0x%x\n", dma.op & PDMA_CMD_OP, dma.status);
	return 1;
}

/* Each page is filled and copied to the next; returns how many are wrong */
static unsigned int move_all(void)
{
	unsigned int wrong = 0, to;

	for (unsigned int i = 0; i < PAGES; i++) {
		uint64_t word = 0x5eed000000000000 + i, *end;

		to = (i + 1) % PAGES;
		wrong += run(command(PDMA_OP_FILL, i, i, word));
		wrong += run(command(PDMA_OP_COPY, i, to, 0));
		end = (uint64_t *)(page_at(to) + PAGE);
		for (uint64_t *p = (uint64_t *)page_at(to); p < end; p++)
			if (*p != word) {
				wrong++;
				break;
			}
	}
	return wrong;
}

static bool written(const char *page)
{
	for (unsigned int i = 0; i < PAGE; i++)
		if (page[i])
			return true;
	return false;
}

static bool pending(unsigned int slot)
{
	return dev.bar[(PDMA_SLOTS + slot * PDMA_SLOT_SIZE + PDMA_SLOT_STATUS) / 4] ==
	       PDMA_ST_PENDING;
}

/* The command either ends, or writes that much more */
static void let_write(unsigned int slot, uint64_t bytes)
{
	uint64_t until = dma_count(&dev, PDMA_N_BYTES_WRITTEN) + bytes;

	while (pending(slot) && dma_count(&dev, PDMA_N_BYTES_WRITTEN) < until)
		;
}

/* The device writes to a page, which is taken away; true if it writes elsewhere */
static bool writes_stale(unsigned int page, uint64_t word)
{
	volatile uint64_t *first = (uint64_t *)page_at(page);
	struct dma dma = command(PDMA_OP_FILL, page, page, word);
	unsigned int slot = dev.slot;
	bool elsewhere;

	dma.repeat = PDMA_MAX_REPEAT;
	dma_start(&dev, &dma);
	let_write(slot, PAGE);
	elsewhere = *first != word;
	if (unanswered)
		dma_fail(&dev, unanswered, false);
	unanswered = 0;
	take_back(page);
	if (mremap(page_at(page), PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
		   aside) == MAP_FAILED)
		die("mremap");
	memset(aside, 0, PAGE);
	let_write(slot, 4 * PAGE);
	if (pending(slot))
		reset();
	return elsewhere || written(aside);
}

/* Another page at the same address; true if the device reads something else */
static bool reads_stale(unsigned int page, uint64_t word)
{
	struct dma dma;

	if (mmap(page_at(page), PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		die("mmap");
	*(uint64_t *)page_at(page) = word;
	give(page);
	dma = command(PDMA_OP_READ, page, page, 0);
	dma.len = 8;
	if (dma_run(&dev, &dma))
		die("DMA does not end");
	return DMA_CODE(&dma) != PDMA_ST_OK || dma.result != word;
}

static unsigned int remap(unsigned int steps)
{
	unsigned int stale = 0;

	for (unsigned int i = 1; i <= steps; i++) {
		unsigned int page = rnd(PAGES);
		bool bad = writes_stale(page, (uint64_t)i << 32 | 1);

		bad |= reads_stale(page, (uint64_t)i << 32 | 2);
		stale += bad;
	}
	return stale;
}

/* For somebody who looks from outside; returns how much of it went wrong */
static unsigned int time_munmap(void)
{
	unsigned int wrong = run(command(PDMA_OP_READ, 0, 0, 0));
	uint64_t begin = __rdtsc();

	if (munmap(page_at(0), PAGE))
		die("munmap");
	printf("munmap %llu %llu\n", (unsigned long long)begin, __rdtsc());
	return wrong;
}

int main(int argc, char **argv)
{
	unsigned int steps = 0, wrong, stale;
	bool timed = false;
	int opt;

	state = 1;
	while ((opt = getopt(argc, argv, "afn:s:t")) != -1) {
		switch (opt) {
		case 'a':
			flags = PDMA_CMD_ATS;
			break;
		case 'f':
			unanswered = 1;
			break;
		case 'n':
			steps = strtoul(optarg, NULL, 0);
			break;
		case 's':
			state = strtoull(optarg, NULL, 0) ?: 1;
			break;
		case 't':
			timed = true;
			break;
		default:
			return 2;
		}
	}
	setup();
	wrong = move_all();
	printf("moved %llu wrong %u\n", 2 * PAGES * PAGE, wrong);
	stale = remap(steps);
	printf("steps %u stale %u\n", steps, stale);
	if (timed)
		wrong += time_munmap();
	return wrong || stale;
}
