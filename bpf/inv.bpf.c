// SPDX-License-Identifier: GPL-2.0
/* Each request or submission, sent when it has ended. */
#include "inv.bpf.h"
#include "emit.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* --stuck: of what is under way the stack is kept, and what has ended is not sent. */
const volatile bool cfg_stuck;

/* By the same keys */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);		/* as many with --stuck */
	__type(key, __u64);
	__type(value, struct inv_stack);
} stacks SEC(".maps");

static const struct inv_stack no_stack;

static __always_inline void keep_stack(void *ctx, __u64 key)
{
	struct inv_stack *stack;

	if (bpf_map_update_elem(&stacks, &key, &no_stack, BPF_ANY))
		return;
	stack = bpf_map_lookup_elem(&stacks, &key);
	if (stack)
		bpf_get_stack(ctx, stack->ip, sizeof(stack->ip), 0);
}

/* -w: submissions are seen that are made for a request which is seen, and no others. */
const volatile bool cfg_below;

/*
 * The first request of those that a thread has under way, which are of one call, and how
 * many these are. The driver submits in the context of who asks.
 */
struct asking {
	__u64 id;
	__u32 n;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct asking);
} asking SEC(".maps");

static __always_inline struct asking *current_asking(__u64 flags)
{
	return bpf_task_storage_get(&asking, bpf_get_current_task_btf(), NULL, flags);
}

static __always_inline void begun(void *ctx, __u64 key, const struct inv_event *e)
{
	struct asking *a;

	if (cfg_stuck)
		keep_stack(ctx, key);
	if (!cfg_below || e->flags & INV_SUBMISSION)
		return;
	a = current_asking(BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (a && !a->n++)
		a->id = e->id;
}

static __always_inline void forgotten(__u64 key, const struct inv_event *e)
{
	struct asking *a;

	if (cfg_stuck)
		bpf_map_delete_elem(&stacks, &key);
	if (!cfg_below || e->flags & INV_SUBMISSION)
		return;
	a = current_asking(0);
	if (a && a->n)
		a->n--;
}

static __always_inline bool submission_wanted(struct inv_event *e)
{
	struct asking *a;

	if (!cfg_below)
		return wanted(e);
	a = current_asking(0);
	if (!a || !a->n)
		return false;
	e->id = a->id;
	e->flags |= INV_BELOW;
	return true;
}

static __always_inline void ended(struct emit_counters *c, struct inv_event *e)
{
	if (cfg_stuck)
		c->filtered++;
	else
		emit_hot(c, e, sizeof(*e));
}
