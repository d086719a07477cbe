// SPDX-License-Identifier: GPL-2.0
/*
 * One bug of each kind that a debug kernel is there to find:
 *   echo NAME >/sys/module/bugs/parameters/commit
 * Each is harmless to what runs afterwards.
 */
#include <linux/compiler.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#define SIZE 40		/* not the size of a slab object */

static DEFINE_SPINLOCK(first);
static DEFINE_SPINLOCK(second);
static void __rcu *pointer;
static u32 table[4];
static u32 sink;
static u32 counter;

static void *alloc(void)
{
	void *p = kzalloc(SIZE, GFP_KERNEL);

	/* The compiler may neither know what it is nor leave it out */
	OPTIMIZER_HIDE_VAR(p);
	return p;
}

static void leak(void)
{
	alloc();
}

static void sleep(void)
{
	spin_lock(&first);
	kfree(alloc());
	spin_unlock(&first);
}

static void rcu(void)
{
	WRITE_ONCE(sink, !rcu_dereference(pointer));
}

static void list(void)
{
	struct list_head *entry = alloc();
	LIST_HEAD(head);

	if (!entry)
		return;
	list_add(entry, &head);
	list_del(entry);
	list_del(entry);
	kfree(entry);
}

static void shift(void)
{
	u32 by = 32;

	OPTIMIZER_HIDE_VAR(by);
	WRITE_ONCE(sink, 1U << by);
}

static void bounds(void)
{
	u32 i = ARRAY_SIZE(table);

	OPTIMIZER_HIDE_VAR(i);
	/* An address only: what lies behind the table is not ours to read */
	WRITE_ONCE(sink, (uintptr_t)&table[i + 1]);
}

static void order(void)
{
	spin_lock(&first);
	spin_lock(&second);
	spin_unlock(&second);
	spin_unlock(&first);
	spin_lock(&second);
	spin_lock(&first);
	spin_unlock(&first);
	spin_unlock(&second);
}

static void overrun(void)
{
	u8 *p = alloc();

	if (p)
		WRITE_ONCE(sink, READ_ONCE(p[SIZE]));
	kfree(p);
}

static void stale(void)
{
	u8 *p = alloc();

	kfree(p);
	OPTIMIZER_HIDE_VAR(p);
	if (p)
		WRITE_ONCE(sink, READ_ONCE(*p));
}

static void add(void *unused)
{
	unsigned int i;

	for (i = 0; i < 200000; i++) {
		counter++;
		barrier();
	}
}

static void race(void)
{
	on_each_cpu(add, NULL, true);
}

static const struct {
	const char *name;
	void (*commit)(void);
} bugs[] = {
	{ "leak", leak }, { "sleep", sleep }, { "rcu", rcu }, { "list", list },
	{ "shift", shift }, { "bounds", bounds }, { "order", order },
	{ "overrun", overrun }, { "stale", stale },
	{ "race", race },
};

static int commit(const char *name, const struct kernel_param *kp)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bugs); i++) {
		if (sysfs_streq(name, bugs[i].name)) {
			bugs[i].commit();
			return 0;
		}
	}
	return -EINVAL;
}

static const struct kernel_param_ops commit_ops = { .set = commit };

module_param_cb(commit, &commit_ops, NULL, 0200);
MODULE_PARM_DESC(commit, "name of the bug");
MODULE_DESCRIPTION("One bug of each kind");
MODULE_LICENSE("GPL");
