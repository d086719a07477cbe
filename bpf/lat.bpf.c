// SPDX-License-Identifier: GPL-2.0
/*
 * For invlat: the time that each invalidation or virtual command takes goes into a
 * histogram of its CPU. Nothing is sent: user space looks.
 */
#include "inv.bpf.h"
#include "lat.h"

char LICENSE[] SEC("license") = "GPL";

const volatile __u32 cfg_by;	/* enum lat_by */

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct lat_key);
	__type(value, struct lat_hist);
} hists SEC(".maps");

static const struct lat_hist no_hist;

static __always_inline void begun(void *ctx, __u64 key, const struct inv_event *e) {}
static __always_inline void forgotten(__u64 key, const struct inv_event *e) {}

static __always_inline bool submission_wanted(struct inv_event *e)
{
	return wanted(e);
}

/* Key has the kind and the type; the latter stays in it if histograms are by type. */
static __always_inline struct lat_hist *hist_of(struct lat_key key, const struct inv_event *e)
{
	struct lat_hist *h;

	if (cfg_by != LAT_BY_TYPE)
		key.type = 0;
	if (cfg_by == LAT_BY_DEVICE)
		__builtin_memcpy(key.dev, e->dev, sizeof(key.dev));
	else if (cfg_by == LAT_BY_PASID)
		key.pasid = e->flags & INV_HAS_PASID ? e->pasid : PASID_INVALID;
	h = bpf_map_lookup_elem(&hists, &key);
	if (h)
		return h;
	bpf_map_update_elem(&hists, &key, &no_hist, BPF_NOEXIST);
	return bpf_map_lookup_elem(&hists, &key);
}

static __always_inline void count(struct emit_counters *c, struct lat_key key,
				  const struct inv_event *e)
{
	struct lat_hist *h = hist_of(key, e);
	__u32 slot;

	if (!h) {
		c->lost++;
		return;
	}
	c->sent++;
	h->requests++;
	h->failed += !!e->ret;
	if (!(e->flags & INV_HAS_BEGIN))
		return;
	slot = lat_slot(e->end_ns - e->ts_ns);
	if (slot >= LAT_SLOTS)	/* for the verifier */
		return;
	h->timed++;
	h->total_ns += e->end_ns - e->ts_ns;
	h->slots[slot]++;
}

static __always_inline void ended(struct emit_counters *c, struct inv_event *e)
{
	struct lat_key key = {
		.submission = !!(e->flags & INV_SUBMISSION),
		.type = lat_type(e),
	};

	count(c, key, e);
}

/* The kernel has measured it. A response that was late is taken by a worker. */
SEC("tp_btf/vcmd")
int BPF_PROG(on_vcmd_tp, struct intel_iommu *iommu, unsigned int cmd, __u32 pasid,
	     bool late, __u64 ns, int ret)
{
	struct lat_key key = { .vcmd = 1, .type = cmd | (late ? LAT_LATE : 0) };
	struct inv_event e = {
		.flags = INV_HAS_BEGIN | (pasid ? INV_HAS_PASID : 0),
		.pasid = pasid,
		.end_ns = ns,
		.ret = ret,
	};
	struct emit_counters *c;

	if (!active)
		return 0;
	c = emit_seen(LAT_VCMD);
	if (!c)
		return 0;
	set_caller(&e);
	bpf_probe_read_kernel_str(e.dev, sizeof(iommu->name), iommu->name);
	if (wanted(&e) && inv_result_wanted(&cfg_filter, &e))
		count(c, key, &e);
	else
		c->filtered++;
	return 0;
}
