// SPDX-License-Identifier: GPL-2.0
/*
 * PASID lifecycle: who allocates and frees PASIDs.
 *
 * Every event has one program for each hook that can see it. User space looks
 * up what the kernel has and loads one of them; the others stay off.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#include "emit.bpf.h"
#include "iommu_core.h"
#include "pasid.h"

char LICENSE[] SEC("license") = "GPL";

const volatile struct pasid_filter cfg_filter;

static __always_inline int emit_pasid(struct pasid_event *e)
{
	struct emit_counters *c = emit_seen(e->type);
	__u64 id = bpf_get_current_pid_tgid();

	if (!c)
		return 0;
	e->tgid = id >> 32;
	e->tid = id;
	if (!pasid_wanted(&cfg_filter, e)) {
		c->filtered++;
		return 0;
	}
	e->ts_ns = bpf_ktime_get_ns();
	e->cpu = bpf_get_smp_processor_id();
	bpf_get_current_comm(e->comm, sizeof(e->comm));
	emit_rare(c, e, sizeof(*e));
	return 0;
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

SEC("tp_btf/ioasid_alloc")
int BPF_PROG(on_ioasid_alloc_tp, struct ioasid_set *set, __u32 min, __u32 max,
	     __u32 ioasid, int ret)
{
	struct pasid_event e = {
		.type = PASID_ALLOC,
		.flags = PASID_HAS_SET | PASID_HAS_RANGE | PASID_HAS_RET,
		.set = set_id(set),
		.pasid = ret < 0 ? PASID_INVALID : ioasid,
		.ret = ret,
		.min = min,
		.max = max,
	};

	return emit_pasid(&e);
}

SEC("tp_btf/ioasid_free")
int BPF_PROG(on_ioasid_free_tp, struct ioasid_set *set, __u32 ioasid, int ret)
{
	struct pasid_event e = {
		.type = PASID_FREE,
		.flags = PASID_HAS_SET | PASID_HAS_RET,
		.set = set_id(set),
		.pasid = ioasid,
		.ret = ret,
	};

	return emit_pasid(&e);
}

/*
 * Stock kernels: the range is 1..max_pasids - 1, as the function has it, and a
 * failure is told by the returned PASID only, without a reason.
 */
SEC("fexit/iommu_alloc_global_pasid")
int BPF_PROG(on_pasid_alloc_fexit, struct device *dev, __u32 pasid)
{
	struct pasid_event e = {
		.type = PASID_ALLOC,
		.pasid = pasid,
		.ret = pasid == PASID_INVALID ? -1 : 0,
	};
	__u32 max_pasids = BPF_CORE_READ(dev, iommu, max_pasids);

	if (max_pasids) {
		e.flags = PASID_HAS_RANGE;
		e.min = 1;
		e.max = max_pasids - 1;
	}
	return emit_pasid(&e);
}

/* On entry: once it returns, another CPU may have been given the same PASID. */
SEC("fentry/iommu_free_global_pasid")
int BPF_PROG(on_pasid_free_fentry, __u32 pasid)
{
	struct pasid_event e = {
		.type = PASID_FREE,
		.pasid = pasid,
	};

	return emit_pasid(&e);
}
