/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel structs that the programs read, cut down to the members that they
 * use. libbpf finds the real offsets in the running kernel's BTF at load time
 * (CO-RE), so neither a vmlinux.h nor the kernel's headers are needed. This is
 * the only place where a kernel struct is spelled.
 */
#ifndef IOMMU_CORE_H
#define IOMMU_CORE_H

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* include/linux/ioasid.h, from this series */
struct ioasid_set {
	__u32 id;
	__u32 nr;
	__u32 quota;
};

/* drivers/iommu/ioasid_priv.h, from this series */
enum ioasid_state {
	IOASID_STATE_ALLOCATED,
	IOASID_STATE_PENDING,
};

struct ioasid_info {
	__u32 ioasid;
	__u32 set;
	__u32 refs;
	__u32 spid;
	enum ioasid_state state;
	__u32 tgid;
	__u64 born;
	char comm[16];
};

/* what a program of an iterator is called with */
struct bpf_iter_meta {
	struct seq_file *seq;
};

struct bpf_iter__ioasid {
	struct bpf_iter_meta *meta;
	struct ioasid_info *ioasid;
};

/* include/linux/pid.h */
struct upid {
	int nr;
};

struct pid {
	unsigned int level;
	struct upid numbers[1];
};

/* include/linux/sched.h */
struct task_struct {
	int pid;
	int tgid;
	struct pid *thread_pid;
	struct task_struct *group_leader;
	__u64 start_boottime;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

/* include/linux/iommu.h */
struct dev_iommu {
	__u32 max_pasids;
};

struct iommu_page_response {
	__u32 pasid;
	__u32 grpid;
	__u32 code;
};

/* include/linux/kobject.h */
struct kobject {
	const char *name;
};

/* include/linux/device.h */
struct device {
	struct kobject kobj;
	const char *init_name;
	struct dev_iommu *iommu;
};

/* include/uapi/linux/iommu.h, from this series */
struct iommu_gpasid_bind_data {
	__u32 addr_width;
	__u64 flags;
	__u64 gpgd;
	__u64 hpasid;
	__u64 gpasid;
};

struct iommu_inv_addr_info {
	__u32 flags;
	__u64 pasid;
	__u64 addr;
	__u64 granule_size;
	__u64 nb_granules;
};

struct iommu_inv_pasid_info {
	__u32 flags;
	__u64 pasid;
};

struct iommu_cache_invalidate_info {
	__u32 argsz;
	__u8 cache;
	__u8 granularity;
	union {
		struct iommu_inv_pasid_info pasid_info;
		struct iommu_inv_addr_info addr_info;
	} granu;
};

/* drivers/iommu/intel/iommu.h */
struct qi_desc {
	__u64 qw0;
	__u64 qw1;
};

struct intel_iommu {
	unsigned char name[13];
};

#pragma clang attribute pop

#endif /* IOMMU_CORE_H */
