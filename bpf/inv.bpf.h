/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Requests to invalidate IOMMU caches, or what the driver submits for them: when one
 * has ended, ended() of the program that includes this has what was asked for, what
 * came of it, and how long it took. The data of the begin waits in a map for the end.
 */
#ifndef INV_BPF_H
#define INV_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#include "count.bpf.h"
#include "follow.bpf.h"
#include "inv.h"

/* Of the program that includes this: c counts what it does with e, which it may change. */
static void ended(struct emit_counters *c, struct inv_event *e);
/* Its own data beside in_flight, by the same keys */
static void begun(void *ctx, __u64 key, const struct inv_event *e);
static void forgotten(__u64 key, const struct inv_event *e);
/* It may wish to see others than those that the filter lets pass, as wanted() does. */
static bool submission_wanted(struct inv_event *e);

/* Flags of the kernel's structs: include/uapi/linux/iommu.h of the series */
#define ADDR_FLAGS_PASID	(1U << 0)
#define ADDR_FLAGS_LEAF		(1U << 2)
#define PASID_FLAGS_PASID	(1U << 0)

#define MAP_FULL	(-7)	/* -E2BIG, of a hash map; others are of its locks */

const volatile struct inv_filter cfg_filter;

/*
 * User space sets it once all programs are attached, and clears it before the first
 * is detached. So a request is missing here only if it began before the trace,
 * whichever of the programs was attached first.
 */
volatile __u32 active;

/* Requests that have begun, allocated beforehand: no waiting, no failing later. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);	/* --in-flight changes it before load */
	__type(key, __u64);
	__type(value, struct inv_event);
} in_flight SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct inv_pairs);
} pairs SEC(".maps");

static __always_inline struct inv_pairs *count_pairs(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&pairs, &zero);
}

/* Both events are made in the context of the caller, who may wait in between. */
static __always_inline void set_caller(struct inv_event *e)
{
	__u64 id = bpf_get_current_pid_tgid();

	e->tgid = id >> 32;
	e->tid = id;
}

static __always_inline bool wanted(const struct inv_event *e)
{
	return inv_wanted(&cfg_filter, e) && current_wanted(e->tgid);
}

/* No filter looks at these members. */
static __always_inline void describe_caller(struct inv_event *e)
{
	e->cpu = bpf_get_smp_processor_id();
	bpf_get_current_comm(e->comm, sizeof(e->comm));
}

/* The arguments of a tracepoint have types: what they point to is loaded as it is. */
static __always_inline void
set_request(struct inv_event *e, const struct iommu_cache_invalidate_info *info)
{
	__u32 flags;

	e->caches = info->cache;
	e->granularity = info->granularity;
	if (!info->argsz)
		e->flags |= INV_UNREADABLE;
	switch (e->granularity) {
	case INV_PASID:
		flags = info->granu.pasid_info.flags;
		e->pasid = info->granu.pasid_info.pasid;
		if (flags & PASID_FLAGS_PASID)
			e->flags |= INV_HAS_PASID;
		break;
	case INV_ADDR:
		flags = info->granu.addr_info.flags;
		e->pasid = info->granu.addr_info.pasid;
		e->addr = info->granu.addr_info.addr;
		e->granule = info->granu.addr_info.granule_size;
		e->granules = info->granu.addr_info.nb_granules;
		if (flags & ADDR_FLAGS_PASID)
			e->flags |= INV_HAS_PASID;
		if (flags & ADDR_FLAGS_LEAF)
			e->flags |= INV_LEAF;
		break;
	}
}

/* Until its end */
static __always_inline void store(void *ctx, struct inv_event *e, __u64 key)
{
	struct inv_pairs *p;
	long err;

	err = bpf_map_update_elem(&in_flight, &key, e, BPF_NOEXIST);
	if (!err) {
		begun(ctx, key, e);
		return;
	}
	p = count_pairs();
	if (p && err == MAP_FULL)
		p->overflow++;
	else if (p)
		p->refused++;
}

static __always_inline void forget(__u64 key, const struct inv_event *e)
{
	forgotten(key, e);
	bpf_map_delete_elem(&in_flight, &key);
}

SEC("tp_btf/cache_inv_begin")
int BPF_PROG(on_cache_inv_begin_tp, struct device *dev, __u64 id,
	     const struct iommu_cache_invalidate_info *info, __u32 entries)
{
	struct inv_event e = {
		.id = id,
		.flags = INV_HAS_BEGIN,
		.entries = entries,
	};

	if (!active)
		return 0;
	set_caller(&e);
	set_request(&e, info);
	read_dev_name(e.dev, sizeof(e.dev), dev);
	if (!wanted(&e))
		return 0;
	describe_caller(&e);
	e.ts_ns = bpf_ktime_get_ns();
	store(ctx, &e, id);
	return 0;
}

/* NULL if the trace did not see it begin */
static __always_inline struct inv_event *known_of(__u64 *key)
{
	struct inv_event *known = bpf_map_lookup_elem(&in_flight, key);
	struct inv_pairs *p = known ? NULL : count_pairs();

	if (p)
		p->unpaired++;
	return known;
}

static __always_inline void finish(struct emit_counters *c, struct inv_event *e,
				   __u64 now, int ret)
{
	e->ret = ret;
	if (!inv_result_wanted(&cfg_filter, e)) {
		c->filtered++;
		return;
	}
	e->end_ns = now;
	e->cpu = bpf_get_smp_processor_id();
	ended(c, e);
}

SEC("tp_btf/cache_inv_end")
int BPF_PROG(on_cache_inv_end_tp, struct device *dev, __u64 id, __u32 pasid,
	     int ret)
{
	__u64 now = bpf_ktime_get_ns();
	struct inv_event e = { .pasid = pasid, .ret = ret }, *known;
	struct emit_counters *c;

	if (!active)
		return 0;
	c = emit_seen(INV_END);
	if (!c)
		return 0;
	set_caller(&e);
	if (cfg_filter.dev[0])
		read_dev_name(e.dev, sizeof(e.dev), dev);
	if (!wanted(&e)) {
		c->filtered++;
		return 0;
	}
	known = known_of(&id);
	if (!known) {
		e.ts_ns = now;
		e.id = id;
		e.flags = pasid ? INV_HAS_PASID : 0;
		read_dev_name(e.dev, sizeof(e.dev), dev);
		describe_caller(&e);
	}
	finish(c, known ?: &e, now, ret);
	if (known)
		forget(id, known);
	return 0;
}

/* --- what the driver gives to the hardware, on kernels without these events, too --------- */

static __always_inline void set_submission(struct inv_event *e,
					   struct intel_iommu *iommu,
					   struct qi_desc *desc, __u32 count)
{
	e->flags = INV_SUBMISSION;
	e->entries = count;
	e->qw0 = desc->qw0;
	e->qw1 = desc->qw1;
	if (inv_desc_has_pasid(e->qw0)) {
		e->flags |= INV_HAS_PASID;
		e->pasid = e->qw0 >> 32 & PASID_MAX;
	}
	set_caller(e);
	bpf_probe_read_kernel_str(e->dev, sizeof(iommu->name), iommu->name);
}

/*
 * No two submissions at a time have the same descriptors, which are on the stack of
 * the caller, or in a batch that it has locked: so their address is the number.
 */
SEC("fentry/qi_submit_sync")
int BPF_PROG(on_qi_submit_fentry, struct intel_iommu *iommu,
	     struct qi_desc *desc, __u32 count)
{
	struct inv_event e = {};

	if (!active)
		return 0;
	set_submission(&e, iommu, desc, count);
	if (!submission_wanted(&e))
		return 0;
	e.flags |= INV_HAS_BEGIN;
	describe_caller(&e);
	e.ts_ns = bpf_ktime_get_ns();
	store(ctx, &e, (__u64)desc);
	return 0;
}

SEC("fexit/qi_submit_sync")
int BPF_PROG(on_qi_submit_fexit, struct intel_iommu *iommu,
	     struct qi_desc *desc, __u32 count, unsigned long options, int ret)
{
	__u64 now = bpf_ktime_get_ns(), key = (__u64)desc;
	struct inv_event e = { .ret = ret }, *known;
	struct emit_counters *c;

	if (!active)
		return 0;
	c = emit_seen(INV_SUBMITTED);
	if (!c)
		return 0;
	set_submission(&e, iommu, desc, count);
	if (!submission_wanted(&e)) {
		c->filtered++;
		return 0;
	}
	known = known_of(&key);
	if (!known) {
		e.ts_ns = now;
		describe_caller(&e);
	}
	finish(c, known ?: &e, now, ret);
	if (known)
		forget(key, known);
	return 0;
}

#endif /* INV_BPF_H */
