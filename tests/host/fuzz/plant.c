// SPDX-License-Identifier: GPL-2.0
/*
 * A fault for vmm_fuzz to find. One takes three calls in that order: when a PASID is
 * freed that a page table was bound to last, and could be, the kernel warns, or returns
 * an error that is not documented. The other takes two threads: it warns when both get a
 * PASID at the same time.
 */
#include <linux/delay.h>
#include <linux/iommu.h>
#include <linux/kprobes.h>
#include <linux/module.h>

#include <uapi/linux/iommu.h>

static bool errno;
module_param(errno, bool, 0);
MODULE_PARM_DESC(errno, "return -EXDEV instead of a warning");

static bool race;
module_param(race, bool, 0);
MODULE_PARM_DESC(race, "the fault of two threads");

static u32 bound;
static pid_t owner;

static int bind_begins(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	const struct iommu_gpasid_bind_data *data =
		(const void *)regs_get_kernel_argument(regs, 4);

	*(u32 *)instance->data = data->hpasid;
	return 0;
}

static int bind_ends(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	if (!regs_return_value(regs)) {
		WRITE_ONCE(bound, *(u32 *)instance->data);
		WRITE_ONCE(owner, current->tgid);
	}
	return 0;
}

static int free_begins(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	*(u32 *)instance->data = regs_get_kernel_argument(regs, 1);
	return 0;
}

static int free_ends(struct kretprobe_instance *instance, struct pt_regs *regs)
{
	u32 pasid = *(u32 *)instance->data;

	/* Only the calls of one process count: the next one does not repeat them */
	if (regs_return_value(regs) || pasid != READ_ONCE(bound) ||
	    current->tgid != READ_ONCE(owner))
		return 0;
	if (errno)
		regs_set_return_value(regs, -EXDEV);
	else
		WARN(1, "planted: %u is bound\n", pasid);
	return 0;
}

static atomic_t in_alloc;

/* Long enough for a thread that begins at the same time */
static int alloc_begins(struct kprobe *probe, struct pt_regs *regs)
{
	WARN(atomic_inc_return(&in_alloc) > 1, "planted: two threads are in %s\n",
	     probe->symbol_name);
	mdelay(10);
	atomic_dec(&in_alloc);
	return 0;
}

static struct kprobe alloc = {
	.symbol_name = "iommufd_pasid_alloc",
	.pre_handler = alloc_begins,
};

static struct kretprobe bind = {
	.kp.symbol_name = "iommu_sva_bind_gpasid",
	.entry_handler = bind_begins,
	.handler = bind_ends,
	.data_size = sizeof(u32),
};

static struct kretprobe free = {
	.kp.symbol_name = "ioasid_free_sync",
	.entry_handler = free_begins,
	.handler = free_ends,
	.data_size = sizeof(u32),
};

static struct kretprobe *probes[] = { &bind, &free };

static int __init plant_init(void)
{
	if (race)
		return register_kprobe(&alloc);
	return register_kretprobes(probes, ARRAY_SIZE(probes));
}
module_init(plant_init);

static void __exit plant_exit(void)
{
	if (race)
		unregister_kprobe(&alloc);
	else
		unregister_kretprobes(probes, ARRAY_SIZE(probes));
}
module_exit(plant_exit);

MODULE_DESCRIPTION("A fault that takes three calls, or two threads");
MODULE_LICENSE("GPL");
