/* SPDX-License-Identifier: GPL-2.0 */
/* A PASID as the iterator over those in use tells of it. */
#ifndef ALIVE_BPF_H
#define ALIVE_BPF_H

#include "iommu_core.h"
#include "pasid.h"

/* False behind the last one */
static __always_inline bool set_alive(struct pasid_event *e,
				      struct ioasid_info *info)
{
	*e = (struct pasid_event){
		.type = PASID_ALIVE,
		.flags = PASID_HAS_SET | PASID_HAS_REFS,
	};
	if (!info)
		return false;
	if (info->state == IOASID_STATE_PENDING)
		e->flags |= PASID_FREED;
	e->ts_ns = info->born;
	e->tgid = info->tgid;
	e->tid = info->tgid;
	e->set = info->set;
	e->pasid = info->ioasid;
	e->refs = info->refs;
	e->spid = info->spid;
	bpf_probe_read_kernel_str(e->comm, sizeof(e->comm), info->comm);
	return true;
}

#endif /* ALIVE_BPF_H */
