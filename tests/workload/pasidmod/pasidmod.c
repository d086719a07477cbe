// SPDX-License-Identifier: GPL-2.0-only
/*
 * A known load of PASIDs for kernels on which no user space can cause one: at
 * insmod it calls iommu_alloc_global_pasid() and iommu_free_global_pasid() and
 * logs each result as "pasidmod: alloc PASID" or "pasidmod: free PASID". With
 * refs= some are "pasidmod: pending PASID" instead, until rmmod drops the two
 * references that there are to each of them. With allocators= it first registers
 * that many and unregisters them, each twice, the second time in vain.
 */
#define pr_fmt(fmt) "pasidmod: " fmt

#include <linux/device.h>
#include <linux/iommu.h>
#include <linux/ioasid.h>
#include <linux/module.h>

static int allocs = 23;
module_param(allocs, int, 0);
MODULE_PARM_DESC(allocs, "PASIDs to allocate, at most 64");
static int frees = 17;
module_param(frees, int, 0);
MODULE_PARM_DESC(frees, "how many of them to free at once; rmmod frees the rest");

static int refs;
module_param(refs, int, 0);
MODULE_PARM_DESC(refs, "how many of those to free at once are referenced until rmmod");

static int allocators;
module_param(allocators, int, 0);
MODULE_PARM_DESC(allocators, "how many allocators come and go, at most 8");

static ioasid_t pasids[64];

#ifdef HAVE_IOASID_GET
static void free_referenced(ioasid_t pasid)
{
	if (ioasid_get(NULL, pasid) || ioasid_get(NULL, pasid))
		pr_err("no reference to %u\n", pasid);
	pr_info("pending %u\n", pasid);
	iommu_free_global_pasid(pasid);
}

static void put_twice(ioasid_t pasid)
{
	ioasid_put(pasid);
	pr_info("free %u\n", pasid);
	ioasid_put(pasid);
}
#else
static void free_referenced(ioasid_t pasid)
{
}

static void put_twice(ioasid_t pasid)
{
}
#endif

#ifdef HAVE_IOASID_ALLOCATORS
static int no_alloc(ioasid_t min, ioasid_t max, void *pdata)
{
	return -ENOSPC;
}

static int no_free(ioasid_t ioasid, void *pdata)
{
	return 0;
}

/* All of one group */
static int come_and_go(void)
{
	static struct ioasid_allocator_ops ops[8];

	for (int i = 0; i < allocators; i++) {
		ops[i].alloc = no_alloc;
		ops[i].free = no_free;
		if (ioasid_register_allocator(&ops[i]) ||
		    ioasid_register_allocator(&ops[i]) != -EEXIST)
			return -EBUSY;
	}
	for (int i = 0; i < allocators; i++)
		if (ioasid_unregister_allocator(&ops[i]) ||
		    ioasid_unregister_allocator(&ops[i]) != -ENOENT)
			return -EBUSY;
	return 0;
}
#else
static int come_and_go(void)
{
	return allocators ? -EOPNOTSUPP : 0;
}
#endif

static void free_some(int from, int to)
{
	for (int i = from; i < to; i++) {
		if (i < refs) {
			free_referenced(pasids[i]);
			continue;
		}
		pr_info("free %u\n", pasids[i]);
		iommu_free_global_pasid(pasids[i]);
	}
}

static int __init pasidmod_init(void)
{
	/* All that iommu_alloc_global_pasid() looks at is max_pasids. */
	static struct dev_iommu iommu = { .max_pasids = 1000 };
	static struct dev_iommu none;
	static struct device dev;
	int ret;

	if (allocs < 0 || allocs > 64 || frees < 0 || frees > allocs ||
	    refs < 0 || refs > frees || allocators < 0 || allocators > 8)
		return -EINVAL;
	if (refs && !IS_ENABLED(HAVE_IOASID_GET))
		return -EOPNOTSUPP;
	ret = come_and_go();
	if (ret)
		return ret;
	dev.iommu = &iommu;
	for (int i = 0; i < allocs; i++) {
		pasids[i] = iommu_alloc_global_pasid(&dev);
		pr_info("alloc %u\n", pasids[i]);
	}
	dev.iommu = &none;	/* cannot have one */
	pr_info("alloc %d\n", (int)iommu_alloc_global_pasid(&dev));
	free_some(0, frees);
	return 0;
}

static void __exit pasidmod_exit(void)
{
	free_some(frees, allocs);
	for (int i = 0; i < refs; i++)
		put_twice(pasids[i]);
}

module_init(pasidmod_init);
module_exit(pasidmod_exit);
MODULE_DESCRIPTION("Known load of global PASIDs for tests of the trace tools");
MODULE_LICENSE("GPL");
#ifdef HAVE_IOASID_GET
MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);	/* no module needs references yet */
#endif
