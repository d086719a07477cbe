/* SPDX-License-Identifier: GPL-2.0 */
/* The way of an event to user space, on which nothing gets lost silently. */
#ifndef EMIT_BPF_H
#define EMIT_BPF_H

#include <stdbool.h>

#include "emit.h"
#include "iommu_core.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);	/* --buffer-kb changes it before load */
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, EMIT_SLOTS);
	__type(key, __u32);
	__type(value, struct emit_counters);
} counters SEC(".maps");

/*
 * Plain increments are enough. A slot belongs to one program, each CPU has its
 * own copy, and the kernel does not let a program run inside itself on the same
 * CPU: such a call is skipped and counted in the program's recursion_misses.
 */
static __always_inline struct emit_counters *emit_seen(__u32 slot)
{
	struct emit_counters *c = bpf_map_lookup_elem(&counters, &slot);

	if (c)
		c->seen++;
	return c;
}

/*
 * For rare events: with flags 0 the consumer is woken for each one that finds
 * it idle. Programs on hot paths must not use this.
 */
static __always_inline void emit_rare(struct emit_counters *c, void *event,
				      __u64 size)
{
	if (bpf_ringbuf_output(&events, event, size, 0))
		c->lost++;
	else
		c->sent++;
}

/*
 * For hot paths: to be woken costs more than all the rest of an event. The
 * consumer looks every few milliseconds by itself, and is woken only to keep a
 * buffer that is half full from running over.
 */
static __always_inline void emit_hot(struct emit_counters *c, void *event,
				     __u64 size)
{
	bool full = bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA) >
		    bpf_ringbuf_query(&events, BPF_RB_RING_SIZE) / 2;

	if (bpf_ringbuf_output(&events, event, size,
			       full ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP))
		c->lost++;
	else
		c->sent++;
}

/*
 * As dev_name() of the kernel has it, of a device that is an argument of the
 * program. What is behind it in name is left alone.
 */
static __always_inline void read_dev_name(char *name, __u32 size,
					  struct device *dev)
{
	const char *from = dev->init_name;

	if (!from)
		from = dev->kobj.name;
	bpf_probe_read_kernel_str(name, size, from);
}

#endif /* EMIT_BPF_H */
