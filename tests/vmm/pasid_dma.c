// SPDX-License-Identifier: GPL-2.0-only
/* The driver of pasid-dma: a ring of commands, and what came of each. */
#include <errno.h>
#include <time.h>

#include "pasid-dma.h"
#include "vmm.h"

#define TIMEOUT_S	60

static volatile uint32_t *reg(struct device *dev, unsigned int offset)
{
	return dev->bar + offset / sizeof(uint32_t);
}

static volatile uint32_t *slot(struct device *dev, unsigned int nr)
{
	return reg(dev, PDMA_SLOTS + nr * PDMA_SLOT_SIZE);
}

static uint32_t read_slot(struct device *dev, unsigned int nr, unsigned int at)
{
	return slot(dev, nr)[at / sizeof(uint32_t)];
}

static void put64(volatile uint32_t *at, uint64_t value)
{
	at[0] = value;
	at[1] = value >> 32;
}

/* Queue a command, and let the device begin */
void dma_start(struct device *dev, struct dma *dma)
{
	volatile uint32_t *cmd = slot(dev, dev->slot);

	cmd[PDMA_SLOT_CMD / 4] = dma->op | (dma->pasid ? PDMA_CMD_PASID : 0);
	cmd[PDMA_SLOT_PASID / 4] = dma->pasid;
	put64(cmd + PDMA_SLOT_SRC / 4, dma->src);
	put64(cmd + PDMA_SLOT_DST / 4, dma->dst);
	cmd[PDMA_SLOT_LEN / 4] = dma->len;
	cmd[PDMA_SLOT_REPEAT / 4] = dma->repeat;
	put64(cmd + PDMA_SLOT_DATA / 4, dma->data);
	cmd[PDMA_SLOT_STATUS / 4] = PDMA_ST_PENDING;
	dev->slot = (dev->slot + 1) % PDMA_SLOT_COUNT;
	*reg(dev, PDMA_TAIL) = dev->slot;
	*reg(dev, PDMA_CTL) = PDMA_CTL_RUN;
}

/* Wait for the command that was queued last */
int dma_wait(struct device *dev, struct dma *dma)
{
	unsigned int nr = (dev->slot + PDMA_SLOT_COUNT - 1) % PDMA_SLOT_COUNT;
	struct timespec nap = { .tv_nsec = 100000 }, now;
	time_t end;

	clock_gettime(CLOCK_MONOTONIC, &now);
	end = now.tv_sec + TIMEOUT_S;
	for (;;) {
		dma->status = read_slot(dev, nr, PDMA_SLOT_STATUS);
		if ((dma->status & PDMA_ST_CODE) != PDMA_ST_PENDING)
			break;
		nanosleep(&nap, NULL);
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec > end)
			return -ETIMEDOUT;
	}
	dma->result = read_slot(dev, nr, PDMA_SLOT_RESULT) |
		      (uint64_t)read_slot(dev, nr, PDMA_SLOT_RESULT + 4) << 32;
	return 0;
}

int dma_run(struct device *dev, struct dma *dma)
{
	dma_start(dev, dma);
	return dma_wait(dev, dma);
}

/* The byte that the device reads at @va, or -1 and *@reason; -2: no answer */
int dma_read(struct device *dev, uint32_t request, uint32_t pasid, uint64_t va,
	     unsigned int *reason)
{
	struct dma dma = { .op = PDMA_OP_READ | request, .pasid = pasid,
			   .src = va, .len = 1 };

	if (dma_run(dev, &dma) || DMA_CODE(&dma) == PDMA_ST_PENDING)
		return -2;
	*reason = DMA_REASON(&dma);
	return DMA_CODE(&dma) == PDMA_ST_OK ? (int)dma.result : -1;
}

int dma_write(struct device *dev, uint32_t request, uint32_t pasid, uint64_t va,
	      char byte, unsigned int *reason)
{
	struct dma dma = { .op = PDMA_OP_WRITE | request, .pasid = pasid,
			   .dst = va, .len = 1, .data = byte };

	if (dma_run(dev, &dma))
		return -2;
	*reason = DMA_REASON(&dma);
	return DMA_CODE(&dma) == PDMA_ST_OK ? 0 : -1;
}

uint64_t dma_count(struct device *dev, unsigned int counter)
{
	unsigned int at = PDMA_COUNTERS + 8 * counter;

	return *reg(dev, at) | (uint64_t)*reg(dev, at + 4) << 32;
}

/* The next invalidations get no answer, or a bad one, and are not done */
void dma_fail(struct device *dev, unsigned int answers, bool bad)
{
	*reg(dev, PDMA_INV_FAIL) = answers | (bad ? PDMA_INV_FAIL_BAD : 0);
}

/* How long the device takes to answer an invalidation, in microseconds */
void dma_answer_after(struct device *dev, uint32_t us)
{
	*reg(dev, PDMA_INV_DELAY) = us;
}

/* The device does a page, or less, of its work each @ns of the guest's time */
void dma_pace(struct device *dev, uint32_t ns)
{
	*reg(dev, PDMA_SLICE) = PAGE;
	*reg(dev, PDMA_PACE) = ns;
}

/* How many page requests have no response so far */
uint32_t dma_pages_wanted(struct device *dev)
{
	return *reg(dev, PDMA_PRI_COUNT);
}
