// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver that wants host SVA for the device dev=: at insmod it logs the result of
 * enabling, and if that was 0, of binding insmod's own page table, as
 * "svamod: enable RET" and "svamod: bind RET".
 */
#define pr_fmt(fmt) "svamod: " fmt

#include <linux/device.h>
#include <linux/iommu.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/sched.h>

static char *dev;
module_param(dev, charp, 0);
MODULE_PARM_DESC(dev, "a PCI device, such as 0000:00:1d.0");

static void try_bind(struct device *device)
{
	struct iommu_sva *handle = iommu_sva_bind_device(device, current->mm);

	pr_info("bind %d\n", PTR_ERR_OR_ZERO(handle));
	if (!IS_ERR(handle))
		iommu_sva_unbind_device(handle);
}

static int __init svamod_init(void)
{
	struct device *device = bus_find_device_by_name(&pci_bus_type, NULL, dev);
	int ret;

	if (!device)
		return -ENOENT;
	ret = iommu_dev_enable_feature(device, IOMMU_DEV_FEAT_SVA);
	pr_info("enable %d\n", ret);
	if (!ret) {
		try_bind(device);
		iommu_dev_disable_feature(device, IOMMU_DEV_FEAT_SVA);
	}
	put_device(device);
	return 0;
}

static void __exit svamod_exit(void)
{
}

module_init(svamod_init);
module_exit(svamod_exit);
MODULE_DESCRIPTION("Logs what a driver is told that wants host SVA");
MODULE_LICENSE("GPL");
