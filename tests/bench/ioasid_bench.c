// SPDX-License-Identifier: GPL-2.0
/*
 * The cost to allocate, free and find an ID, next to what IOASID replaces (the
 * IDA), next to the IOASID that Linux 6.1 had (with OLD: ioasid_old.c) and next
 * to a bare XArray. It runs with -icount shift=0 on one CPU: the clock then
 * counts instructions, so the results repeat.
 *
 * One line for each measurement, for the script that loads this:
 *	bench <what> <live> <alloc> <free> <find> <bytes per live ID>
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/idr.h>
#include <linux/ioasid.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/vmalloc.h>
#include <linux/vmstat.h>
#include <linux/xarray.h>

#define OPS	20000U

static DEFINE_IDA(bench_ida);
static DEFINE_XARRAY_ALLOC1(bench_xa);
static struct ioasid_set *bench_set;
static int bench_object;

struct subject {
	const char *name;
	int (*alloc)(void);
	void (*free)(int id);
	void *(*find)(int id);
};

static int ida_get(void)
{
	return ida_alloc_range(&bench_ida, 1, IOASID_MAX, GFP_KERNEL);
}

static void ida_put(int id)
{
	ida_free(&bench_ida, id);
}

static int xa_get(void)
{
	int ret;
	u32 id;

	ret = xa_alloc_irq(&bench_xa, &id, &bench_object,
			   XA_LIMIT(1, IOASID_MAX), GFP_KERNEL);
	return ret < 0 ? ret : id;
}

static void xa_put(int id)
{
	xa_erase_irq(&bench_xa, id);
}

static void *xa_find_id(int id)
{
	return xa_load(&bench_xa, id);
}

static int ioasid_get_id(void)
{
	return ioasid_alloc(bench_set, 1, IOASID_MAX, &bench_object,
			    GFP_KERNEL);
}

static void ioasid_put_id(int id)
{
	ioasid_free(bench_set, id);
}

static void *ioasid_find_id(int id)
{
	return ioasid_find(bench_set, id, NULL);
}

/* With a private ID, which is the ID itself here, and found by that */
static int private_get_id(void)
{
	int id = ioasid_get_id();
	int ret = id < 0 ? id : ioasid_attach_spid(bench_set, id, id,
						   GFP_KERNEL);

	return ret < 0 ? ret : id;
}

static void *private_find_id(int id)
{
	return ioasid_find_by_spid(bench_set, id) == id ? &bench_object : NULL;
}

static void *private_find_back(int id)
{
	return ioasid_find_spid(bench_set, id) == id ? &bench_object : NULL;
}

#ifdef OLD	/* of ioasid_old.c */
unsigned int old_ioasid_alloc(void *set, unsigned int min, unsigned int max,
			      void *private);
void old_ioasid_free(unsigned int id);
void *old_ioasid_find(void *set, unsigned int id, bool (*getter)(void *object));

static int old_get_id(void)
{
	return old_ioasid_alloc(&bench_object, 1, IOASID_MAX, &bench_object);
}

static void old_put_id(int id)
{
	old_ioasid_free(id);
}

static void *old_find_id(int id)
{
	return old_ioasid_find(&bench_object, id, NULL);
}
#endif

static const struct subject subjects[] = {
	{ "ida", ida_get, ida_put, NULL },
	{ "xarray", xa_get, xa_put, xa_find_id },
	{ "ioasid", ioasid_get_id, ioasid_put_id, ioasid_find_id },
	{ "private", private_get_id, ioasid_put_id, private_find_id },
	{ "reverse", private_get_id, ioasid_put_id, private_find_back },
#ifdef OLD
	{ "old", old_get_id, old_put_id, old_find_id },
#endif
};

static const unsigned int populations[] = { 1, 1000, 100000, 1000000 };

static u64 slab_bytes(void)
{
	rcu_barrier();
	return (global_node_page_state_pages(NR_SLAB_UNRECLAIMABLE_B) +
		global_node_page_state_pages(NR_SLAB_RECLAIMABLE_B)) *
	       PAGE_SIZE;
}

static void noop_put(int id)
{
}

/* The cost of the loop itself is that of a call to an empty function */
static u64 loop_cost(const int *ids)
{
	void (*put)(int id) = noop_put;
	u64 start = ktime_get_ns();
	unsigned int i;

	OPTIMIZER_HIDE_VAR(put);
	for (i = 0; i < OPS; i++)
		put(ids[i]);
	return ktime_get_ns() - start;
}

/* Look up what is live, one after the other, round and round */
static int find_cost(const struct subject *subject, unsigned int live,
		     const int *ids, u64 *cost)
{
	unsigned int i, next = 0;
	u64 start;
	int ret = 0;

	if (!subject->find)
		return 0;
	start = ktime_get_ns();
	for (i = 0; i < OPS; i++) {
		if (subject->find(ids[next]) != &bench_object)
			ret = -ENOENT;
		if (++next == live)
			next = 0;
	}
	*cost = ktime_get_ns() - start;
	return ret;
}

#define RESTING	64

/*
 * The last IDs that were freed rest. Let these be low ones, so that no earlier
 * measurement keeps the XArray higher than its IDs in use need. The bare XArray
 * holds as many entries more, so that both are of the same height.
 */
static int settle(void)
{
	unsigned int i;
	int id;

	for (i = 0; i < RESTING; i++) {
		id = ioasid_get_id();
		if (id < 0)
			return id;
		ioasid_put_id(id);
	}
	return 0;
}

static int measure(const struct subject *subject, unsigned int live, int *ids)
{
	u64 memory, start, alloc, free, find = 0, loop;
	unsigned int i;
	int ret;

	ret = settle();
	if (ret)
		return ret;
	memory = slab_bytes();
	for (i = 0; i < live; i++) {
		ids[i] = subject->alloc();
		if (ids[i] < 0)
			return ids[i];
	}
	memory = slab_bytes() - memory;
	ret = find_cost(subject, live, ids, &find);

	ids += live;
	start = ktime_get_ns();
	for (i = 0; i < OPS; i++)
		ids[i] = subject->alloc();
	alloc = ktime_get_ns() - start;

	start = ktime_get_ns();
	for (i = 0; i < OPS; i++)
		subject->free(ids[i]);
	free = ktime_get_ns() - start;

	loop = loop_cost(ids);
	pr_info("bench %s %u %llu %llu %llu %llu\n", subject->name, live,
		div_u64(alloc - loop, OPS), div_u64(free - loop, OPS),
		find ? div_u64(find - loop, OPS) : 0,
		/* what others freed meanwhile can be more */
		(s64)memory > 0 ? div_u64(memory, live) : 0);

	for (ids -= live, i = 0; i < live; i++)
		subject->free(ids[i]);
	return ret;
}

#define REFUSALS	1000

/* The cost to be told that a range is full */
static int measure_refused(unsigned int live)
{
	struct ioasid_set *set = ioasid_set_alloc(IOASID_MAX);
	unsigned int i, n = 0;
	u64 start = 0;

	if (!set)
		return -ENOMEM;
	while (ioasid_alloc(set, 1, live, NULL, GFP_KERNEL) > 0)
		n++;
	/* the first few also say so in the kernel log */
	for (i = 0; i < 2 * REFUSALS; i++) {
		if (i == REFUSALS)
			start = ktime_get_ns();
		if (ioasid_alloc(set, 1, live, NULL, GFP_KERNEL) != -ENOSPC)
			n = 0;
	}
	pr_info("bench refused %u %llu 0 0 0\n", live,
		div_u64(ktime_get_ns() - start, REFUSALS));
	ioasid_set_free(set);
	return n == live ? 0 : -EINVAL;
}

static int __init bench_init(void)
{
	unsigned int s, p, i;
	int ret = 0;
	int *ids;

	ids = vmalloc_array(1000000 + OPS, sizeof(*ids));
	bench_set = ioasid_set_alloc(IOASID_MAX);
	if (!ids || !bench_set)
		ret = -ENOMEM;
	for (i = 0; i < RESTING && ret >= 0; i++)
		ret = min(xa_get(), 0);

	for (p = 0; p < ARRAY_SIZE(populations) && !ret; p++) {
		for (s = 0; s < ARRAY_SIZE(subjects) && !ret; s++)
			ret = measure(&subjects[s], populations[p], ids);
		if (!ret)
			ret = measure_refused(populations[p]);
	}

	ida_destroy(&bench_ida);
	xa_destroy(&bench_xa);
	ioasid_set_free(bench_set);
	vfree(ids);
	pr_info("bench done %d\n", ret);
	return ret;
}
module_init(bench_init);

static void __exit bench_exit(void)
{
}
module_exit(bench_exit);

MODULE_DESCRIPTION("Cost of the I/O address space ID allocator");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);	/* ioasid_find() */
