// SPDX-License-Identifier: GPL-2.0-only
/*
 * A PASID that is taken back while the RID of its device is attached to nothing:
 * loading fails with EBADE if an unmap flushes the device by it afterwards. User
 * space cannot attach PASIDs on 6.12, so this is done by a driver.
 */
#include <linux/gfp.h>
#include <linux/iommu.h>
#include <linux/module.h>
#include <linux/pci.h>

#include <pasid-dma.h>

#define PASID	5
#define IOVA	0x100000

static u32 flushes(void __iomem *bar)
{
	return readl(bar + PDMA_COUNTERS + 8 * PDMA_N_INV_REQUESTS);
}

static int take_back(struct device *dev, struct iommu_domain *rid,
		     struct iommu_domain *pasid)
{
	int ret = iommu_attach_device(rid, dev);

	if (ret)
		return ret;
	ret = iommu_attach_device_pasid(pasid, dev, PASID, NULL);
	iommu_detach_device(rid, dev);
	if (ret)
		return ret;
	iommu_detach_device_pasid(pasid, dev, PASID);
	return iommu_attach_device(rid, dev);
}

static int try(struct pci_dev *pdev, void __iomem *bar, struct page *page)
{
	struct iommu_domain *rid = iommu_paging_domain_alloc(&pdev->dev);
	struct iommu_domain *pasid = iommu_paging_domain_alloc(&pdev->dev);
	u32 before;
	int ret;

	if (IS_ERR(rid) || IS_ERR(pasid))
		return -ENOMEM;
	ret = iommu_map(pasid, IOVA, page_to_phys(page), PAGE_SIZE, IOMMU_READ,
			GFP_KERNEL) ?: take_back(&pdev->dev, rid, pasid);
	if (ret)
		return ret;

	before = flushes(bar);
	iommu_unmap(pasid, IOVA, PAGE_SIZE);
	if (flushes(bar) != before)
		ret = -EBADE;
	iommu_detach_device(rid, &pdev->dev);
	iommu_domain_free(pasid);
	iommu_domain_free(rid);
	return ret;
}

static int __init stale_tag_init(void)
{
	struct pci_dev *pdev = pci_get_device(0x1234, 0x11e9, NULL);
	struct page *page = alloc_page(GFP_KERNEL);
	void __iomem *bar;
	int ret;

	if (!pdev || !page || pci_enable_device(pdev))
		return -ENODEV;
	bar = pci_iomap(pdev, 0, 0);
	ret = iommu_device_claim_dma_owner(&pdev->dev, page);
	if (bar && !ret) {
		ret = try(pdev, bar, page);
		iommu_device_release_dma_owner(&pdev->dev);
	}
	pci_dev_put(pdev);
	return ret;
}
module_init(stale_tag_init);

MODULE_DESCRIPTION("A PASID that is taken back while its RID is blocked");
MODULE_LICENSE("GPL");
