// SPDX-License-Identifier: GPL-2.0
/*
 * For invlat: the time that each invalidation takes goes into a histogram of its CPU.
 * Nothing is sent: user space looks.
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

static __always_inline struct lat_hist *hist_of(const struct inv_event *e)
{
	struct lat_key key = { .submission = !!(e->flags & INV_SUBMISSION) };
	struct lat_hist *h;

	if (cfg_by == LAT_BY_TYPE)
		key.type = lat_type(e);
	else if (cfg_by == LAT_BY_DEVICE)
		__builtin_memcpy(key.dev, e->dev, sizeof(key.dev));
	else
		key.pasid = e->flags & INV_HAS_PASID ? e->pasid : PASID_INVALID;
	h = bpf_map_lookup_elem(&hists, &key);
	if (h)
		return h;
	bpf_map_update_elem(&hists, &key, &no_hist, BPF_NOEXIST);
	return bpf_map_lookup_elem(&hists, &key);
}

static __always_inline void ended(struct emit_counters *c, struct inv_event *e)
{
	struct lat_hist *h = hist_of(e);
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
