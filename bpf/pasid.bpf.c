// SPDX-License-Identifier: GPL-2.0
/*
 * PASID lifecycle: who allocates, references and frees PASIDs, and their sets.
 *
 * Every event has one program for each hook that can see it. User space looks
 * up what the kernel has and loads one of them; the others stay off.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#include "alive.bpf.h"
#include "emit.bpf.h"
#include "fault.bpf.h"
#include "follow.bpf.h"
#include "pasid.h"

char LICENSE[] SEC("license") = "GPL";

const volatile struct pasid_filter cfg_filter;

static __always_inline int emit_sized(struct pasid_event *e, __u64 size)
{
	struct emit_counters *c = emit_seen(e->type);
	__u64 id = bpf_get_current_pid_tgid();

	if (!c)
		return 0;
	e->tgid = id >> 32;
	e->tid = id;
	if (!pasid_wanted(&cfg_filter, e) || !current_wanted(e->tgid)) {
		c->filtered++;
		return 0;
	}
	e->ts_ns = bpf_ktime_get_ns();
	e->cpu = bpf_get_smp_processor_id();
	bpf_get_current_comm(e->comm, sizeof(e->comm));
	emit_rare(c, e, size);
	return 0;
}

static __always_inline int emit_pasid(struct pasid_event *e)
{
	return emit_sized(e, sizeof(*e));
}

/*
 * A NULL set is the kernel's own, which is shown as set 0. The verifier takes
 * tp_btf arguments for non-NULL and may drop a test for it, so this relies on
 * the probe read leaving 0 behind when it faults.
 */
static __always_inline __u32 set_id(struct ioasid_set *set)
{
	return BPF_CORE_READ(set, id);
}

/* @a and @b go to the members that share a place, by the flags */
static __always_inline int emit_ioasid(__u16 type, __u32 flags,
				       struct ioasid_set *set, __u32 ioasid,
				       int ret, __u32 a, __u32 b)
{
	struct pasid_event e = {
		.type = type,
		.flags = flags | PASID_HAS_SET,
		.set = set_id(set),
		.pasid = ioasid,
		.ret = ret,
		.min = a,
		.max = b,
	};

	return emit_pasid(&e);
}

/*
 * It is attached first, as programs are in the order of this file. A PASID whose free
 * was missed, but not its allocation, would be told of as given out twice.
 */
SEC("tp_btf/ioasid_free")
int BPF_PROG(on_ioasid_free_tp, struct ioasid_set *set, __u32 ioasid, int ret)
{
	return emit_ioasid(PASID_FREE, PASID_HAS_RET, set, ioasid, ret, 0, 0);
}

SEC("tp_btf/ioasid_alloc")
int BPF_PROG(on_ioasid_alloc_tp, struct ioasid_set *set, __u32 min, __u32 max,
	     __u32 ioasid, int ret)
{
	return emit_ioasid(PASID_ALLOC, PASID_HAS_RANGE | PASID_HAS_RET, set,
			   ret < 0 ? PASID_INVALID : ioasid, ret, min, max);
}

SEC("tp_btf/ioasid_free_pending")
int BPF_PROG(on_ioasid_pending_tp, struct ioasid_set *set, __u32 ioasid,
	     __u32 refs)
{
	return emit_ioasid(PASID_PENDING, PASID_HAS_REFS, set, ioasid, 0, refs,
			   0);
}

SEC("tp_btf/ioasid_put")
int BPF_PROG(on_ioasid_put_tp, struct ioasid_set *set, __u32 ioasid, __u32 refs)
{
	return emit_ioasid(PASID_PUT, PASID_HAS_REFS, set, ioasid, 0, refs, 0);
}

SEC("tp_btf/ioasid_get")
int BPF_PROG(on_ioasid_get_tp, struct ioasid_set *set, __u32 ioasid, __u32 refs,
	     int ret)
{
	return emit_ioasid(PASID_GET, PASID_HAS_RET | PASID_HAS_REFS, set,
			   ioasid, ret, refs, 0);
}

SEC("tp_btf/ioasid_spid")
int BPF_PROG(on_ioasid_spid_tp, struct ioasid_set *set, __u32 ioasid,
	     __u32 spid, int ret)
{
	struct pasid_event e = {
		.type = PASID_SPID,
		.flags = PASID_HAS_SET | PASID_HAS_RET,
		.set = set_id(set),
		.pasid = ioasid,
		.ret = ret,
		.spid = spid,
	};

	return emit_pasid(&e);
}

static __always_inline int emit_set(__u16 type, struct ioasid_set *set)
{
	return emit_ioasid(type, PASID_HAS_QUOTA, set, PASID_INVALID, 0,
			   BPF_CORE_READ(set, nr), BPF_CORE_READ(set, quota));
}

SEC("tp_btf/ioasid_set_create")
int BPF_PROG(on_ioasid_set_create_tp, struct ioasid_set *set)
{
	return emit_set(PASID_SET_NEW, set);
}

SEC("tp_btf/ioasid_set_quota")
int BPF_PROG(on_ioasid_set_quota_tp, struct ioasid_set *set)
{
	return emit_set(PASID_SET_QUOTA, set);
}

SEC("tp_btf/ioasid_set_destroy")
int BPF_PROG(on_ioasid_set_destroy_tp, struct ioasid_set *set)
{
	return emit_set(PASID_SET_END, set);
}

static __always_inline int emit_allocator(__u16 type, __u32 group, int ret)
{
	struct pasid_event e = {
		.type = type,
		.flags = PASID_HAS_GROUP | PASID_HAS_RET,
		.pasid = PASID_INVALID,
		.ret = ret,
		.group = group,
	};

	return emit_pasid(&e);
}

SEC("tp_btf/ioasid_register_allocator")
int BPF_PROG(on_ioasid_register_tp, void *ops, __u32 group, int ret)
{
	return emit_allocator(PASID_REGISTER, group, ret);
}

SEC("tp_btf/ioasid_unregister_allocator")
int BPF_PROG(on_ioasid_unregister_tp, void *ops, __u32 group, int ret)
{
	return emit_allocator(PASID_UNREGISTER, group, ret);
}

static __always_inline int emit_dev(struct pasid_dev_event *d,
				    struct device *dev)
{
	d->e.flags |= PASID_HAS_DEV | PASID_HAS_RET;
	read_dev_name(d->dev, sizeof(d->dev), dev);
	return emit_sized(&d->e, sizeof(*d));
}

static __always_inline int emit_attach(__u16 type, struct device *dev,
				       __u32 pasid, int ret)
{
	struct pasid_dev_event d = {
		.e.type = type,
		.e.pasid = pasid,
		.e.ret = ret,
	};

	return emit_dev(&d, dev);
}

SEC("tp_btf/attach_device_pasid")
int BPF_PROG(on_attach_device_pasid_tp, struct device *dev, __u32 pasid,
	     void *domain, int ret)
{
	return emit_attach(PASID_ATTACH, dev, pasid, ret);
}

SEC("tp_btf/detach_device_pasid")
int BPF_PROG(on_detach_device_pasid_tp, struct device *dev, __u32 pasid,
	     void *domain, int ret)
{
	return emit_attach(PASID_DETACH, dev, pasid, ret);
}

/* As in linux/iommu.h of the series */
#define IOMMU_SVA_GPASID_VAL	(1ULL << 0)

SEC("tp_btf/gpasid_bind")
int BPF_PROG(on_gpasid_bind_tp, struct device *dev,
	     const struct iommu_gpasid_bind_data *data, int ret)
{
	__u64 pasid = BPF_CORE_READ(data, hpasid);
	struct pasid_dev_event d = {
		.e.type = PASID_BIND,
		.e.flags = PASID_HAS_TABLE,
		.e.pasid = pasid > PASID_MAX ? PASID_INVALID : pasid,
		.e.ret = ret,
		.e.gpasid = BPF_CORE_READ(data, gpasid),
		.e.width = BPF_CORE_READ(data, addr_width),
		.table = BPF_CORE_READ(data, gpgd),
	};

	if (BPF_CORE_READ(data, flags) & IOMMU_SVA_GPASID_VAL)
		d.e.flags |= PASID_HAS_GPASID;
	return emit_dev(&d, dev);
}

/* No guest's PASID is 0, which the kernel says if it does not know it. */
SEC("tp_btf/gpasid_unbind")
int BPF_PROG(on_gpasid_unbind_tp, struct device *dev, __u32 pasid, __u32 gpasid,
	     bool revoked, int ret)
{
	struct pasid_dev_event d = {
		.e.type = PASID_UNBIND,
		.e.flags = (gpasid ? PASID_HAS_GPASID : 0) |
			   (revoked ? PASID_REVOKED : 0),
		.e.pasid = pasid,
		.e.ret = ret,
		.e.gpasid = gpasid,
	};

	return emit_dev(&d, dev);
}

/*
 * It is read once, before the first event is: its records do not go through the ring
 * buffer and are not counted.
 */
SEC("iter/ioasid")
int on_ioasid_iter(struct bpf_iter__ioasid *ctx)
{
	struct pasid_event e;

	/* in which cgroup their owners are is not known */
	if (!set_alive(&e, ctx->ioasid) || cfg_cgroup)
		return 0;
	if (pasid_wanted(&cfg_filter, &e) && follow_wanted(e.tgid))
		bpf_seq_write(ctx->meta->seq, &e, sizeof(e));
	return 0;
}

/* --- stock kernels: a failure is told by the returned PASID, without a reason ------- */

static __always_inline int emit_allocated(__u32 pasid, __u32 flags, __u32 min,
					  __u32 max)
{
	struct pasid_event e = {
		.type = PASID_ALLOC,
		.flags = flags,
		.pasid = pasid,
		.ret = pasid == PASID_INVALID ? -1 : 0,
		.min = min,
		.max = max,
	};

	return emit_pasid(&e);
}

/* On entry: once it returns, another CPU may have been given the same PASID. */
static __always_inline int emit_freed(__u32 pasid)
{
	struct pasid_event e = {
		.type = PASID_FREE,
		.pasid = pasid,
	};

	return emit_pasid(&e);
}

/* The range is 1..max_pasids - 1, as the function has it. */
SEC("fexit/iommu_alloc_global_pasid")
int BPF_PROG(on_pasid_alloc_fexit, struct device *dev, __u32 pasid)
{
	/* not copied, which a kernel that is locked down may not allow */
	__u32 max_pasids = dev->iommu->max_pasids;

	return emit_allocated(pasid, max_pasids ? PASID_HAS_RANGE : 0,
			      max_pasids ? 1 : 0, max_pasids ? max_pasids - 1 : 0);
}

SEC("fentry/iommu_free_global_pasid")
int BPF_PROG(on_pasid_free_fentry, __u32 pasid)
{
	return emit_freed(pasid);
}

/* Until 6.2; the sets of that time had no numbers. */
SEC("fexit/ioasid_alloc")
int BPF_PROG(on_old_ioasid_alloc_fexit, void *set, __u32 min, __u32 max,
	     void *private, __u32 pasid)
{
	return emit_allocated(pasid, PASID_HAS_RANGE, min, max);
}

SEC("fentry/ioasid_free")
int BPF_PROG(on_old_ioasid_free_fentry, __u32 pasid)
{
	return emit_freed(pasid);
}
