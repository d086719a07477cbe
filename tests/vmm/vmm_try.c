// SPDX-License-Identifier: GPL-2.0-only
/*
 * Nests, and binds a page table to a PASID, on the first device that VFIO has. Prints
 * "nest RET" and "guest RET", each the first error of the calls that it takes.
 */
#include <errno.h>
#include <stdio.h>

#include "vmm.h"

static int try_nest(struct monitor *vmm, struct device *dev, uint64_t root)
{
	uint32_t nested;
	int ret = device_alloc_nested(vmm, dev, root, 0, &nested);

	if (!ret)
		ret = device_attach(dev, nested);
	if (!ret)
		device_detach(dev);
	return ret;
}

static int try_guest(struct monitor *vmm, struct device *dev, uint64_t root)
{
	uint32_t pasid;
	int ret = pasid_alloc(vmm, &pasid);

	if (!ret)
		ret = device_attach(dev, vmm->parent);
	if (!ret)
		ret = pasid_bind(vmm, dev, pasid, root, 48, 0);
	return ret;
}

int main(void)
{
	struct monitor vmm;
	struct device dev;
	uint64_t root = 0;
	int ret = monitor_open(&vmm);

	if (!ret)
		ret = device_open(&vmm, &dev, 0);
	if (!ret)
		ret = device_alloc_parent(&vmm, &dev);
	if (!ret)
		root = guest_table(&vmm);
	printf("nest %d\n", ret ? ret : try_nest(&vmm, &dev, root));
	printf("guest %d\n", ret ? ret : try_guest(&vmm, &dev, root));
	return 0;
}
