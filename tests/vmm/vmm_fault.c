// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest whose device does one thing that is refused, "vmm_fault KIND". Prints what the
 * device did and was told: {"pid", "pasid", "access", "addr", "code"}, and of a page
 * request how many of them and of their answers it counted.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "pasid-dma.h"
#include "vmm.h"

#define VA		0x7f0000001000ULL	/* read only */
#define BEYOND		0x7f0000002000ULL	/* a page that the guest has no memory for */
#define NOWHERE		0x7f0000003000ULL

static const struct kind {
	const char *name;
	uint32_t op;
	uint64_t addr;
	enum { MINE, FOREIGN, NONE } pasid;
} kinds[] = {
	{ "unmapped", PDMA_OP_READ, NOWHERE, MINE },
	{ "read-only", PDMA_OP_WRITE, VA, MINE },
	{ "beyond", PDMA_OP_READ, BEYOND, MINE },
	{ "unbound", PDMA_OP_WRITE, NOWHERE, FOREIGN },
	{ "no-pasid", PDMA_OP_READ, NOWHERE, NONE },
	{ "page", PDMA_OP_READ | PDMA_CMD_ATS | PDMA_CMD_PRI, NOWHERE, MINE },
};

static int guest_start(struct monitor *vmm, struct device *dev, uint32_t *pasid)
{
	uint64_t root;
	int ret = monitor_open(vmm);

	if (!ret)
		ret = device_open(vmm, dev, 0);
	if (!ret)
		ret = device_alloc_parent(vmm, dev);
	if (!ret)
		ret = device_attach(dev, vmm->parent);
	if (!ret)
		ret = pasid_alloc(vmm, pasid);
	if (ret)
		return ret;
	root = guest_table(vmm);
	guest_map(vmm, root, 48, VA, GUEST_DATA, PAGE, GUEST_RO);
	guest_map(vmm, root, 48, BEYOND, GUEST_BASE + GUEST_SIZE, PAGE, GUEST_RW);
	return pasid_bind(vmm, dev, *pasid, root, 48, 0);
}

/* They are on while there is a page table for DMA without PASID that takes them. */
static int turn_on_page_requests(struct monitor *vmm, struct device *dev)
{
	uint32_t pt_id;
	int fault, ret = device_alloc_faulting(vmm, dev, guest_table(vmm), &pt_id, &fault);

	if (ret)
		return ret;
	close(fault);
	return device_attach(dev, pt_id);
}

static int provoke(const struct kind *kind)
{
	struct dma dma = { .op = kind->op, .src = kind->addr, .dst = kind->addr, .len = 1 };
	bool page = kind->op & PDMA_CMD_PRI;
	struct monitor vmm;
	struct device dev;
	uint32_t pasid;
	int ret = guest_start(&vmm, &dev, &pasid);

	if (!ret && page)
		ret = turn_on_page_requests(&vmm, &dev);
	if (ret)
		return ret;
	dma.pasid = kind->pasid == MINE ? pasid : kind->pasid == FOREIGN ? pasid + 1 : 0;
	ret = dma_run(&dev, &dma);
	printf("{\"pid\": %d, \"pasid\": %" PRIu32 ", \"access\": \"%s\", \"addr\": \"%#" PRIx64
	       "\", \"status\": %u, \"code\": %u, \"requests\": %" PRIu64
	       ", \"answers\": %" PRIu64 "}\n",
	       getpid(), dma.pasid, dma.status & PDMA_ST_WRITE ? "write" : "read", kind->addr,
	       DMA_CODE(&dma), DMA_REASON(&dma), dma_count(&dev, PDMA_N_PAGE_REQUESTS),
	       dma_count(&dev, PDMA_N_PAGE_RESPONSES));
	return ret;
}

int main(int argc, char **argv)
{
	for (unsigned int i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (argc == 2 && !strcmp(argv[1], kinds[i].name))
			return -provoke(&kinds[i]);
	}
	fprintf(stderr, "usage: vmm_fault unmapped|read-only|beyond|unbound|no-pasid|page\n");
	return 2;
}
