/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What devices are refused, and pages that they ask for. It happens in an interrupt, of no
 * process; whose the PASID is, and so what is wanted of it, user space knows.
 */
#ifndef FAULT_BPF_H
#define FAULT_BPF_H

#include "emit.bpf.h"
#include "pasid.h"

static __always_inline int emit_fault(struct pasid_event *e, __u64 size)
{
	struct emit_counters *c = emit_seen(e->type);

	if (!c)
		return 0;
	e->ts_ns = bpf_ktime_get_ns();
	e->cpu = bpf_get_smp_processor_id();
	emit_rare(c, e, size);
	return 0;
}

/* No function that tells of a DMA fault can be hooked: only what the driver prints of it. */
static __always_inline bool is_fault_line(const char *text, __u64 len)
{
	static const char begin[] = PASID_FAULT_BEGIN;
	char is[sizeof(begin) - 1];

	if (len < sizeof(is) || bpf_probe_read_kernel(is, sizeof(is), text))
		return false;
	for (__u32 i = 0; i < sizeof(is); i++) {
		if (is[i] != begin[i])
			return false;
	}
	return true;
}

SEC("tp_btf/console")
int BPF_PROG(on_console_tp, const char *text, __u64 len)
{
	struct pasid_line l = {
		.d.e.type = PASID_FAULT,
		.d.e.pasid = PASID_INVALID,
		.d.e.ret = -1,
	};

	if (!is_fault_line(text, len))
		return 0;
	if (len > sizeof(l.line) - 1)
		len = sizeof(l.line) - 1;
	bpf_probe_read_kernel(l.line, len, text);
	return emit_fault(&l.d.e, sizeof(l));
}

/* The descriptor of a page request, 7.4.1 of the specification of VT-d */
#define PRQ_HAS_PASID	(1ULL << 8)
#define PRQ_PASID(dw0)	(((dw0) >> 32) & PASID_MAX)
#define PRQ_EXEC	(1ULL << 52)
#define PRQ_READ	(1ULL << 0)
#define PRQ_WRITE	(1ULL << 1)
#define PRQ_LAST	(1ULL << 2)
#define PRQ_GROUP(dw1)	(((dw1) >> 3) & 0x1ff)
#define PRQ_ADDR(dw1)	((dw1) & ~0xfffULL)

SEC("tp_btf/prq_report")
int BPF_PROG(on_prq_report_tp, void *iommu, struct device *dev, __u64 dw0,
	     __u64 dw1)
{
	struct pasid_dev_event d = {
		.e.type = PASID_PAGE_REQ,
		.e.flags = PASID_HAS_DEV | (dw0 & PRQ_EXEC ? PASID_EXEC : 0) |
			   (dw1 & PRQ_READ ? PASID_READ : 0) |
			   (dw1 & PRQ_WRITE ? PASID_WRITE : 0) |
			   (dw1 & PRQ_LAST ? PASID_LAST : 0),
		.e.pasid = dw0 & PRQ_HAS_PASID ? PRQ_PASID(dw0) : PASID_INVALID,
		.e.group = PRQ_GROUP(dw1),
		.addr = PRQ_ADDR(dw1),
	};

	read_dev_name(d.dev, sizeof(d.dev), dev);
	return emit_fault(&d.e, sizeof(d));
}

static __always_inline int emit_answer(struct device *dev,
				       const struct iommu_page_response *msg)
{
	__u32 code = msg->code;
	struct pasid_dev_event d = {
		.e.type = PASID_PAGE_RESP,
		.e.flags = PASID_HAS_DEV,
		.e.pasid = msg->pasid,
		.e.ret = code ? -1 : 0,
		.e.group = msg->grpid,
		.e.code = code,
	};

	read_dev_name(d.dev, sizeof(d.dev), dev);
	return emit_fault(&d.e, sizeof(d));
}

SEC("fentry/intel_iommu_page_response")
int BPF_PROG(on_page_response_fentry, struct device *dev, void *event,
	     struct iommu_page_response *msg)
{
	return emit_answer(dev, msg);
}

/* Until 6.8 */
SEC("fentry/intel_svm_page_response")
int BPF_PROG(on_svm_page_response_fentry, struct device *dev, void *event,
	     struct iommu_page_response *msg)
{
	return emit_answer(dev, msg);
}

#endif /* FAULT_BPF_H */
