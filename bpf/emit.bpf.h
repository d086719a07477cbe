/* SPDX-License-Identifier: GPL-2.0 */
/* The way of an event to user space, on which nothing gets lost silently. */
#ifndef EMIT_BPF_H
#define EMIT_BPF_H

#include "count.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);	/* --buffer-kb changes it before load */
} events SEC(".maps");

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

#endif /* EMIT_BPF_H */
