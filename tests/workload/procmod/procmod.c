// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver of pasid-dma that gives pages of a process to the device: with pasid=1
 * at their own addresses, in a domain on a PASID, and with also=N on N more, which
 * nobody uses, but which have to be invalidated, too; with sva=1 the process's own page
 * table is on the PASID, for as long as it has the file open; else where the DMA API
 * wants them. The process drives the device's registers itself. For Linux 6.12 and
 * later, without and with the series.
 */
#include <linux/dma-mapping.h>
#include <linux/iommu.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/sched.h>
#include <linux/uaccess.h>

#include "pasid-dma.h"
#include "procmod.h"

#define MOST_PAGES	64
#define MOST_PASIDS	16

static bool with_pasid;
module_param_named(pasid, with_pasid, bool, 0444);

static unsigned int also;
module_param(also, uint, 0444);

static bool with_sva;
module_param_named(sva, with_sva, bool, 0444);

static DEFINE_MUTEX(lock);
static struct device *dev;
static struct iommu_domain *domain;
static struct iommu_attach_handle handles[MOST_PASIDS];
static u32 pasids[MOST_PASIDS];
static struct iommu_sva *sva;
static u32 pasid = IOMMU_PASID_INVALID;		/* the one that is used */

static struct mapping {
	struct page *page;
	u64 at;
} mappings[MOST_PAGES];

static struct mapping *mapping_at(u64 at)
{
	for (int i = 0; i < MOST_PAGES; i++)
		if (mappings[i].page && mappings[i].at == at)
			return &mappings[i];
	return NULL;
}

static struct mapping *mapping_free(void)
{
	for (int i = 0; i < MOST_PAGES; i++)
		if (!mappings[i].page)
			return &mappings[i];
	return NULL;
}

static int map_page(struct mapping *map, u64 addr)
{
	if (domain) {
		map->at = addr;
		return iommu_map(domain, addr, page_to_phys(map->page), PAGE_SIZE,
				 IOMMU_READ | IOMMU_WRITE, GFP_KERNEL);
	}
	map->at = dma_map_page(dev, map->page, 0, PAGE_SIZE, DMA_BIDIRECTIONAL);
	return dma_mapping_error(dev, map->at) ? -EIO : 0;
}

static int give(u64 __user *arg)
{
	struct mapping *map = mapping_free();
	u64 addr;
	int ret;

	if (sva)
		return 0;		/* it is where it is */
	if (!map)
		return -ENOSPC;
	if (get_user(addr, arg))
		return -EFAULT;
	if (addr & ~PAGE_MASK || (domain && mapping_at(addr)))
		return -EINVAL;
	ret = pin_user_pages_fast(addr, 1, FOLL_WRITE | FOLL_LONGTERM, &map->page);
	if (ret != 1)
		return ret < 0 ? ret : -EFAULT;
	ret = map_page(map, addr);
	if (ret) {
		unpin_user_page(map->page);
		map->page = NULL;
		return ret;
	}
	return put_user(map->at, arg);
}

static void take(struct mapping *map)
{
	if (domain)
		iommu_unmap(domain, map->at, PAGE_SIZE);
	else
		dma_unmap_page(dev, map->at, PAGE_SIZE, DMA_BIDIRECTIONAL);
	unpin_user_pages_dirty_lock(&map->page, 1, true);
	map->page = NULL;
}

static int take_back(const u64 __user *arg)
{
	struct mapping *map;
	u64 at;

	if (sva)
		return 0;
	if (get_user(at, arg))
		return -EFAULT;
	map = mapping_at(at);
	if (!map)
		return -ENOENT;
	take(map);
	return 0;
}

static int tell_pasid(u32 __user *arg)
{
	return put_user(domain || sva ? pasid : 0, arg);
}

static long procmod_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	guard(mutex)(&lock);
	switch (cmd) {
	case PROCMOD_MAP:
		return give((u64 __user *)arg);
	case PROCMOD_UNMAP:
		return take_back((u64 __user *)arg);
	case PROCMOD_PASID:
		return tell_pasid((u32 __user *)arg);
	}
	return -ENOTTY;
}

/* One process at a time */
static int bind(void)
{
	if (sva)
		return -EBUSY;
	sva = iommu_sva_bind_device(dev, current->mm);
	if (IS_ERR(sva)) {
		int ret = PTR_ERR(sva);

		sva = NULL;
		return ret;
	}
	pasid = iommu_sva_get_pasid(sva);
	return 0;
}

static int procmod_open(struct inode *inode, struct file *file)
{
	guard(mutex)(&lock);
	return with_sva ? bind() : 0;
}

/* A process that was killed leaves its pages behind */
static int procmod_release(struct inode *inode, struct file *file)
{
	guard(mutex)(&lock);
	if (sva)
		iommu_sva_unbind_device(sva);
	sva = NULL;
	for (int i = 0; i < MOST_PAGES; i++)
		if (mappings[i].page)
			take(&mappings[i]);
	return 0;
}

static const struct file_operations fops = {
	.owner = THIS_MODULE,
	.open = procmod_open,
	.unlocked_ioctl = procmod_ioctl,
	.release = procmod_release,
};

static struct miscdevice misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "procmod",
	.fops = &fops,
};

static int attach_one(unsigned int i)
{
	int ret;

	pasids[i] = iommu_alloc_global_pasid(dev);
	if (pasids[i] == IOMMU_PASID_INVALID)
		return -ENOSPC;
	ret = iommu_attach_device_pasid(domain, dev, pasids[i], &handles[i]);
	if (ret)
		iommu_free_global_pasid(pasids[i]);
	return ret;
}

static void detach_first(unsigned int nr)
{
	while (nr--) {
		iommu_detach_device_pasid(domain, dev, pasids[nr]);
		iommu_free_global_pasid(pasids[nr]);
	}
	iommu_domain_free(domain);
}

static int attach(void)
{
	int ret;

	if (also >= MOST_PASIDS)
		return -EINVAL;
	domain = iommu_paging_domain_alloc(dev);
	if (IS_ERR(domain))
		return PTR_ERR(domain);
	for (unsigned int i = 0; i <= also; i++) {
		ret = attach_one(i);
		if (ret) {
			detach_first(i);
			return ret;
		}
	}
	pasid = pasids[0];
	return 0;
}

static void detach(void)
{
	detach_first(also + 1);
}

static int probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	int ret = pcim_enable_device(pdev);

	if (ret)
		return ret;
	if (dev)
		return -EBUSY;		/* one is enough */
	dev = &pdev->dev;
	pci_set_master(pdev);
	ret = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(64));
	if (!ret && with_pasid)
		ret = attach();
	if (!ret) {
		ret = misc_register(&misc);
		if (ret && with_pasid)
			detach();
	}
	if (ret)
		dev = NULL;
	return ret;
}

static void remove(struct pci_dev *pdev)
{
	misc_deregister(&misc);
	if (with_pasid)
		detach();
	dev = NULL;
}

static const struct pci_device_id ids[] = {
	{ PCI_DEVICE(0x1234, PASID_DMA_DEVICE_ID) },
	{ }
};
MODULE_DEVICE_TABLE(pci, ids);

static struct pci_driver procmod = {
	.name = "procmod",
	.id_table = ids,
	.probe = probe,
	.remove = remove,
};
module_pci_driver(procmod);
MODULE_DESCRIPTION("Pages of a process for a device");
MODULE_LICENSE("GPL");
