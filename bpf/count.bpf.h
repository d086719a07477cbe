/* SPDX-License-Identifier: GPL-2.0 */
/* Counts of what each program saw and did with it; and names, which all need. */
#ifndef COUNT_BPF_H
#define COUNT_BPF_H

#include <stdbool.h>

#include "emit.h"
#include "iommu_core.h"

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, EMIT_SLOTS);
	__type(key, __u32);
	__type(value, struct emit_counters);
} counters SEC(".maps");

/*
 * Plain increments are enough. A slot belongs to one program, each CPU has its
 * own copy, and the kernel does not let a program run inside itself on the same
 * CPU: such a call is skipped and counted in the program's recursion_misses.
 */
static __always_inline struct emit_counters *emit_seen(__u32 slot)
{
	struct emit_counters *c = bpf_map_lookup_elem(&counters, &slot);

	if (c)
		c->seen++;
	return c;
}

/*
 * As dev_name() of the kernel has it, of a device that is an argument of the
 * program. The bytes behind it in name are left alone.
 */
static __always_inline void read_dev_name(char *name, __u32 size,
					  struct device *dev)
{
	const char *from = dev->init_name;

	if (!from)
		from = dev->kobj.name;
	bpf_probe_read_kernel_str(name, size, from);
}

#endif /* COUNT_BPF_H */
