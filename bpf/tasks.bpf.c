// SPDX-License-Identifier: GPL-2.0
/*
 * The numbers that the threads of a PID namespace have outside of it, where
 * events come from. /proc tells a container nothing of that.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#include "iommu_core.h"
#include "tasks.h"

char LICENSE[] SEC("license") = "GPL";

/* The number on that level of nested namespaces; all here have the reader's. */
static __always_inline __u32 number(struct pid *pid, __u32 level)
{
	struct upid *first = (void *)pid + bpf_core_field_offset(pid->numbers);

	return BPF_CORE_READ((struct upid *)
			     ((void *)first + level *
			      bpf_core_type_size(struct upid)), nr);
}

SEC("iter/task")
int on_task(struct bpf_iter__task *ctx)
{
	struct task_struct *me = (void *)bpf_get_current_task();
	struct task_struct *task = ctx->task;
	struct task_numbers numbers = {};

	if (!task)
		return 0;
	numbers.here = number(BPF_CORE_READ(task, thread_pid),
			      BPF_CORE_READ(me, thread_pid, level));
	numbers.tid = BPF_CORE_READ(task, pid);
	numbers.tgid = BPF_CORE_READ(task, tgid);
	bpf_seq_write(ctx->meta->seq, &numbers, sizeof(numbers));
	return 0;
}
