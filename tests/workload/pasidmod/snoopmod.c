// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver that wants all DMA of the device dev= to snoop, whose unit may not be able to
 * force it. At insmod it logs if it can be forced for a page table that nothing uses,
 * what becomes of a PASID that is attached to that, and if it can be forced for one that
 * only a PASID uses, and for one that maps something: "snoopmod: unused 1", "snoopmod:
 * attach RET", "snoopmod: used 0", "snoopmod: mapped 0".
 */
#define pr_fmt(fmt) "snoopmod: " fmt

#include <linux/device.h>
#include <linux/iommu.h>
#include <linux/module.h>
#include <linux/pci.h>

#define PASID	1

static char *dev;
module_param(dev, charp, 0);
MODULE_PARM_DESC(dev, "a PCI device, such as 0000:00:1d.0");

static bool force(struct iommu_domain *domain)
{
	return domain->ops->enforce_cache_coherency(domain);
}

static void try_unused(struct device *device)
{
	struct iommu_domain *domain = iommu_paging_domain_alloc(device);
	int ret;

	if (IS_ERR(domain))
		return;
	pr_info("unused %d\n", force(domain));
	ret = iommu_attach_device_pasid(domain, device, PASID, NULL);
	pr_info("attach %d\n", ret);
	if (!ret)
		iommu_detach_device_pasid(domain, device, PASID);
	iommu_domain_free(domain);
}

static void try_used(struct device *device)
{
	struct iommu_domain *domain = iommu_paging_domain_alloc(device);

	if (IS_ERR(domain))
		return;
	if (!iommu_attach_device_pasid(domain, device, PASID, NULL)) {
		pr_info("used %d\n", force(domain));
		iommu_detach_device_pasid(domain, device, PASID);
	}
	iommu_domain_free(domain);
}

static void try_mapped(struct device *device)
{
	struct iommu_domain *domain = iommu_paging_domain_alloc(device);

	if (IS_ERR(domain))
		return;
	if (!iommu_map(domain, PAGE_SIZE, 0, PAGE_SIZE, IOMMU_READ, GFP_KERNEL)) {
		pr_info("mapped %d\n", force(domain));
		iommu_unmap(domain, PAGE_SIZE, PAGE_SIZE);
	}
	iommu_domain_free(domain);
}

static int __init snoopmod_init(void)
{
	struct device *device = bus_find_device_by_name(&pci_bus_type, NULL, dev);

	if (!device)
		return -ENOENT;
	try_unused(device);
	try_used(device);
	try_mapped(device);
	put_device(device);
	return 0;
}

static void __exit snoopmod_exit(void)
{
}

module_init(snoopmod_init);
module_exit(snoopmod_exit);
MODULE_DESCRIPTION("Forced snooping for page tables that only PASIDs use");
MODULE_LICENSE("GPL");
