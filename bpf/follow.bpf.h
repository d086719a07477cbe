/* SPDX-License-Identifier: GPL-2.0 */
/* --follow: only a command, and what comes of it. -c: only a cgroup. */
#ifndef FOLLOW_BPF_H
#define FOLLOW_BPF_H

#include "count.bpf.h"
#include "follow.h"

const volatile bool cfg_follow;
const volatile bool cfg_cgroup;

struct {
	__uint(type, BPF_MAP_TYPE_CGROUP_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} cgroup SEC(".maps");

/* Processes by number; user space adds the first one before it runs. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, FOLLOW_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, __u8);
} followed SEC(".maps");

/* Children for which there was no room */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} unfollowed SEC(".maps");

static __always_inline void count_unfollowed(void)
{
	__u32 zero = 0;
	__u64 *n = bpf_map_lookup_elem(&unfollowed, &zero);

	if (n)
		__sync_fetch_and_add(n, 1);
}

static __always_inline bool follow_wanted(__u32 tgid)
{
	return !cfg_follow || bpf_map_lookup_elem(&followed, &tgid);
}

/* Is it this process that does it? */
static __always_inline bool current_wanted(__u32 tgid)
{
	if (cfg_cgroup && bpf_current_task_under_cgroup(&cgroup, 0) != 1)
		return false;
	return follow_wanted(tgid);
}

/* Before the child runs */
SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_process_fork, struct task_struct *parent,
	     struct task_struct *child)
{
	__u32 from = parent->tgid, to = child->tgid;
	__u8 one = 1;

	if (from == to || !bpf_map_lookup_elem(&followed, &from))
		return 0;
	if (bpf_map_update_elem(&followed, &to, &one, BPF_ANY))
		count_unfollowed();
	return 0;
}

/*
 * Not when it exits: what it has open is closed after that, in its context. Of
 * threads nothing is known here.
 */
SEC("tp_btf/sched_process_free")
int BPF_PROG(on_process_free, struct task_struct *task)
{
	__u32 tgid = task->tgid;

	if (task->tgid == task->pid)
		bpf_map_delete_elem(&followed, &tgid);
	return 0;
}

#endif /* FOLLOW_BPF_H */
