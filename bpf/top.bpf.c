// SPDX-License-Identifier: GPL-2.0
/*
 * For pasidtop: which PASIDs are in use, who has allocated them, where they are
 * attached, and what is invalidated of each. Nothing is sent: user space looks.
 */
#include "inv.bpf.h"
#include "alive.bpf.h"
#include "top.h"

char LICENSE[] SEC("license") = "GPL";

/* --older: the stack of who allocates is kept. */
const volatile bool cfg_stacks;

/* Counts up when user space looks; which begins with 1, as 0 is of no period. */
volatile __u32 period;

#define MAX_ENTRIES	65536

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_ENTRIES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct top_alloc);
} allocs SEC(".maps");

/* 1: attached, 0: detached again */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_ENTRIES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct top_key);
	__type(value, __u32);
} attached SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, MAX_ENTRIES);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct top_key);
	__type(value, struct top_busy);
} busy SEC(".maps");

static const struct top_alloc no_alloc;
static const struct top_busy no_busy;

/* --- invalidations ------------------------------------------------------------- */

static __always_inline void begun(void *ctx, __u64 key, const struct inv_event *e) {}
static __always_inline void forgotten(__u64 key, const struct inv_event *e) {}

static __always_inline bool submission_wanted(struct inv_event *e)
{
	return wanted(e);
}

static __always_inline struct top_busy *busy_of(const struct inv_event *e)
{
	struct top_key key = { .pasid = PASID_INVALID };
	struct top_busy *b;

	if (e->flags & INV_HAS_PASID)
		key.pasid = e->pasid;
	__builtin_memcpy(key.dev, e->dev, sizeof(key.dev));
	b = bpf_map_lookup_elem(&busy, &key);
	if (b)
		return b;
	bpf_map_update_elem(&busy, &key, &no_busy, BPF_NOEXIST);
	return bpf_map_lookup_elem(&busy, &key);
}

/* A range too long for 64 bits was refused. */
static __always_inline __u64 bytes_of(const struct inv_event *e)
{
	if (e->ret || e->flags & INV_SUBMISSION || !(e->flags & INV_HAS_BEGIN) ||
	    e->granularity != INV_ADDR)
		return 0;
	return e->granule * e->granules;
}

static __always_inline void count_time(struct top_busy *b, __u64 ns)
{
	__u32 now = period, i = now & 1;

	b->timed++;
	b->total_ns += ns;
	if (b->period[i] != now || b->max_ns[i] < ns)
		b->max_ns[i] = ns;
	b->period[i] = now;
}

static __always_inline void ended(struct emit_counters *c, struct inv_event *e)
{
	struct top_busy *b = busy_of(e);

	if (!b) {
		c->lost++;
		return;
	}
	b->requests++;
	b->failed += !!e->ret;
	b->bytes += bytes_of(e);
	if (e->flags & INV_HAS_BEGIN)
		count_time(b, e->end_ns - e->ts_ns);
	c->sent++;
}

/* --- PASIDs -------------------------------------------------------------------------- */

SEC("iter/ioasid")
int on_top_iter(struct bpf_iter__ioasid *ctx)
{
	struct pasid_event e;

	if (set_alive(&e, ctx->ioasid))
		bpf_seq_write(ctx->meta->seq, &e, sizeof(e));
	return 0;
}

static __always_inline int allocated(void *ctx, __u32 pasid)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct emit_counters *c = emit_seen(TOP_ALLOC);
	struct top_alloc *a = NULL;

	if (!bpf_map_update_elem(&allocs, &pasid, &no_alloc, BPF_ANY))
		a = bpf_map_lookup_elem(&allocs, &pasid);
	if (c && a)
		c->sent++;
	else if (c)
		c->lost++;
	if (!a)
		return 0;
	a->born_ns = bpf_ktime_get_ns();
	a->start_ns = BPF_CORE_READ(task, group_leader, start_boottime);
	a->tgid = bpf_get_current_pid_tgid() >> 32;
	bpf_get_current_comm(a->comm, sizeof(a->comm));
	if (cfg_stacks)
		bpf_get_stack(ctx, a->ip, sizeof(a->ip), 0);
	return 0;
}

static __always_inline int freed(__u32 pasid)
{
	bpf_map_delete_elem(&allocs, &pasid);
	return 0;
}

/*
 * It is attached first, as programs are in the order of this file. A PASID whose free
 * was missed, but not its allocation, would be in use for ever.
 */
SEC("tp_btf/ioasid_free")
int BPF_PROG(on_top_free_tp, struct ioasid_set *set, __u32 ioasid, int ret)
{
	return ret ? 0 : freed(ioasid);
}

SEC("fentry/iommu_free_global_pasid")
int BPF_PROG(on_top_free_fentry, __u32 pasid)
{
	return freed(pasid);
}

SEC("fentry/ioasid_free")
int BPF_PROG(on_top_old_free_fentry, __u32 pasid)
{
	return freed(pasid);
}

SEC("tp_btf/ioasid_alloc")
int BPF_PROG(on_top_alloc_tp, struct ioasid_set *set, __u32 min, __u32 max,
	     __u32 ioasid, int ret)
{
	return ret ? 0 : allocated(ctx, ioasid);
}

SEC("fexit/iommu_alloc_global_pasid")
int BPF_PROG(on_top_alloc_fexit, struct device *dev, __u32 pasid)
{
	return pasid == PASID_INVALID ? 0 : allocated(ctx, pasid);
}

SEC("fexit/ioasid_alloc")
int BPF_PROG(on_top_old_alloc_fexit, void *set, __u32 min, __u32 max,
	     void *private, __u32 pasid)
{
	return pasid == PASID_INVALID ? 0 : allocated(ctx, pasid);
}

static __always_inline int set_attached(__u32 slot, struct device *dev,
					__u32 pasid, __u32 is)
{
	struct emit_counters *c = emit_seen(slot);
	struct top_key key = { .pasid = pasid };
	long err;

	read_dev_name(key.dev, sizeof(key.dev), dev);
	err = bpf_map_update_elem(&attached, &key, &is, BPF_ANY);
	if (c && err)
		c->lost++;
	else if (c)
		c->sent++;
	return 0;
}

SEC("tp_btf/attach_device_pasid")
int BPF_PROG(on_top_attach_tp, struct device *dev, __u32 pasid, void *domain,
	     int ret)
{
	return ret ? 0 : set_attached(TOP_ATTACH, dev, pasid, 1);
}

SEC("tp_btf/detach_device_pasid")
int BPF_PROG(on_top_detach_tp, struct device *dev, __u32 pasid, void *domain,
	     int ret)
{
	return ret ? 0 : set_attached(TOP_DETACH, dev, pasid, 0);
}
