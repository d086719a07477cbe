// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver of pasid-dma whose pages are there once the device asks for them: it
 * gives a PASID an empty domain that has a handler of page faults, and has the
 * device write through it. The outcome is logged as "faultmod: NAME CODE",
 * CODE being PDMA_ST_*, or what the device asked the handler for.
 */
#define pr_fmt(fmt) "faultmod: " fmt

#include <linux/delay.h>
#include <linux/iommu.h>
#include <linux/module.h>
#include <linux/pci.h>

#include "pasid-dma.h"

#define HERE	0x10000000UL		/* pages that the handler provides .. */
#define NR	4
#define NOWHERE	0x20000000UL		/* .. and none of those */
#define WORD	0x5eed5eed5eed5eedUL

static struct device *dev;
static void __iomem *bar;
static struct iommu_domain *domain;
static struct iommu_attach_handle handle;
static ioasid_t pasid = IOMMU_PASID_INVALID;
static u64 *memory;
static u32 slot;

static int provide(unsigned long addr)
{
	if (addr < HERE || addr >= HERE + NR * PAGE_SIZE)
		return -EFAULT;
	return iommu_map(domain, addr, virt_to_phys(memory) + (addr - HERE),
			 PAGE_SIZE, IOMMU_READ | IOMMU_WRITE, GFP_KERNEL);
}

static int on_fault(struct iopf_group *group)
{
	enum iommu_page_response_code code = IOMMU_PAGE_RESP_SUCCESS;
	struct iopf_fault *fault;

	list_for_each_entry(fault, &group->faults, list)
		if (provide(fault->fault.prm.addr & PAGE_MASK))
			code = IOMMU_PAGE_RESP_INVALID;
	pr_info("asked %zu\n", group->fault_count);
	iopf_group_response(group, code);
	iopf_free_group(group);
	return 0;
}

static void set(u32 offset, u32 value)
{
	writel(value, bar + PDMA_SLOTS + slot * PDMA_SLOT_SIZE + offset);
}

static u32 wait(void)
{
	void __iomem *status = bar + PDMA_SLOTS + slot * PDMA_SLOT_SIZE +
			       PDMA_SLOT_STATUS;

	for (int i = 0; i < 60000; i++) {
		if (readl(status) & PDMA_ST_CODE)
			return readl(status) & PDMA_ST_CODE;
		usleep_range(500, 1000);
	}
	return PDMA_ST_PENDING;
}

static void run(const char *name, u32 cmd, unsigned long addr, u32 len, u64 data)
{
	set(PDMA_SLOT_CMD, cmd);
	set(PDMA_SLOT_PASID, pasid);
	set(PDMA_SLOT_SRC, addr);
	set(PDMA_SLOT_SRC + 4, 0);
	set(PDMA_SLOT_DST, addr);
	set(PDMA_SLOT_DST + 4, 0);
	set(PDMA_SLOT_LEN, len);
	set(PDMA_SLOT_DATA, data);
	set(PDMA_SLOT_DATA + 4, data >> 32);
	set(PDMA_SLOT_STATUS, PDMA_ST_PENDING);
	writel(slot + 1, bar + PDMA_TAIL);
	pr_info("%s 0x%x\n", name, wait());
	slot++;
}

/* Pages that come one at a time, together, and not at all; and no handler */
static void run_all(void)
{
	const u32 ask = PDMA_CMD_PASID | PDMA_CMD_ATS | PDMA_CMD_PRI;

	writel(PDMA_CTL_RUN, bar + PDMA_CTL);
	run("one", PDMA_OP_FILL | ask, HERE, 8, WORD);
	writel(NR, bar + PDMA_PRI_PAGES);
	run("group", PDMA_OP_FILL | ask, HERE + PAGE_SIZE, 3 * PAGE_SIZE, WORD);
	run("nowhere", PDMA_OP_FILL | ask, NOWHERE, 8, WORD);
	run("no-pasid", PDMA_OP_PAGE_REQ, NOWHERE, 8, PDMA_PAGE_R);
	run("marker", PDMA_OP_PAGE_REQ | PDMA_CMD_PASID, 0, 8, 0);
	for (unsigned long i = 0; i < NR * PAGE_SIZE; i += PAGE_SIZE)
		if (memory[i / sizeof(*memory)] != WORD)
			pr_err("page %lu was not written\n", i / PAGE_SIZE);
}

static int open(struct pci_dev *pdev)
{
	int ret = pcim_enable_device(pdev);

	if (ret)
		return ret;
	pci_set_master(pdev);
	bar = pcim_iomap(pdev, 0, 0);
	memory = (void *)devm_get_free_pages(dev, GFP_KERNEL | __GFP_ZERO,
					     get_order(NR * PAGE_SIZE));
	return bar && memory ? 0 : -ENOMEM;
}

static int attach(void)
{
	int ret;

	domain = iommu_paging_domain_alloc(dev);
	if (IS_ERR(domain))
		return PTR_ERR(domain);
	domain->iopf_handler = on_fault;
	pasid = iommu_alloc_global_pasid(dev);
	if (pasid == IOMMU_PASID_INVALID) {
		ret = -ENOSPC;
		goto free_domain;
	}
	ret = iommu_dev_enable_feature(dev, IOMMU_DEV_FEAT_IOPF);
	if (ret)
		goto free_pasid;
	ret = iommu_attach_device_pasid(domain, dev, pasid, &handle);
	if (ret)
		goto disable;
	return 0;
disable:
	iommu_dev_disable_feature(dev, IOMMU_DEV_FEAT_IOPF);
free_pasid:
	iommu_free_global_pasid(pasid);
free_domain:
	iommu_domain_free(domain);
	return ret;
}

static int probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	int ret;

	if (dev)
		return -ENODEV;		/* one is enough */
	dev = &pdev->dev;
	ret = open(pdev) ?: attach();
	if (ret) {
		pr_err("probe: %d\n", ret);
		dev = NULL;
		return ret;
	}
	run_all();
	return 0;
}

static void remove(struct pci_dev *pdev)
{
	iommu_detach_device_pasid(domain, dev, pasid);
	iommu_dev_disable_feature(dev, IOMMU_DEV_FEAT_IOPF);
	iommu_free_global_pasid(pasid);
	iommu_domain_free(domain);
	dev = NULL;
}

static const struct pci_device_id ids[] = {
	{ PCI_DEVICE(0x1234, PASID_DMA_DEVICE_ID) },
	{ }
};
MODULE_DEVICE_TABLE(pci, ids);

static struct pci_driver faultmod = {
	.name = "faultmod",
	.id_table = ids,
	.probe = probe,
	.remove = remove,
};
module_pci_driver(faultmod);
MODULE_DESCRIPTION("Page requests of pasid-dma, and pages on demand");
MODULE_LICENSE("GPL");
