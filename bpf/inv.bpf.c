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

static __always_inline void begins(void *ctx, __u64 key)
{
	struct inv_stack *stack;

	if (!cfg_stuck || bpf_map_update_elem(&stacks, &key, &no_stack, BPF_ANY))
		return;
	stack = bpf_map_lookup_elem(&stacks, &key);
	if (stack)
		bpf_get_stack(ctx, stack->ip, sizeof(stack->ip), 0);
}

static __always_inline void forgotten(__u64 key)
{
	if (cfg_stuck)
		bpf_map_delete_elem(&stacks, &key);
}

static __always_inline void ended(struct emit_counters *c, struct inv_event *e)
{
	if (cfg_stuck)
		c->filtered++;
	else
		emit_hot(c, e, sizeof(*e));
}
