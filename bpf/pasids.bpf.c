// SPDX-License-Identifier: GPL-2.0-only
/*
 * The PASIDs that are alive, as text, for everybody who can read a file:
 *
 *	bpftool iter pin pasids.bpf.o /sys/fs/bpf/pasids
 *	cat /sys/fs/bpf/pasids
 *
 * It is installed as it is compiled, and needs the iterator of the series, and no tool.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "iommu_core.h"

/* include/linux/bpf.h: 0 when the program is called first */
struct bpf_iter_meta___seq_num {
	__u64 seq_num;
} __attribute__((preserve_access_index));

char LICENSE[] SEC("license") = "GPL";

SEC("iter/ioasid")
int pasids(struct bpf_iter__ioasid *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct ioasid_info *info = ctx->ioasid;
	struct bpf_iter_meta___seq_num *meta = (void *)ctx->meta;
	char comm[16] = "";

	if (!meta->seq_num)
		BPF_SEQ_PRINTF(seq, "PASID    SET      PID      COMM             REFS  GUEST    STATE\n");
	if (!info)
		return 0;
	bpf_probe_read_kernel_str(comm, sizeof(comm), info->comm);
	BPF_SEQ_PRINTF(seq, "%-8u %-8u %-8u %-16s %-5u ", info->ioasid, info->set,
		       info->tgid, comm, info->refs);
	if (info->spid)
		BPF_SEQ_PRINTF(seq, "%-8u ", info->spid);
	else
		BPF_SEQ_PRINTF(seq, "-        ");
	BPF_SEQ_PRINTF(seq, "%s\n", info->state == IOASID_STATE_PENDING ?
		       "pending" : "allocated");
	return 0;
}
