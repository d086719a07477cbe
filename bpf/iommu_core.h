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
};

/* include/linux/iommu.h */
struct dev_iommu {
	__u32 max_pasids;
};

/* include/linux/device.h */
struct device {
	struct dev_iommu *iommu;
};

#pragma clang attribute pop

#endif /* IOMMU_CORE_H */
