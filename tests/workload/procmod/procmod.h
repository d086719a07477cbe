/* SPDX-License-Identifier: GPL-2.0-only */
/* The calls of procdma to procmod, on /dev/procmod */
#ifndef PROCMOD_H
#define PROCMOD_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* A page of the caller: addr is where it is, and then where the device has it */
#define PROCMOD_MAP	_IOWR('p', 0, __u64)
/* By the address that the device has; when it returns, the device has it not */
#define PROCMOD_UNMAP	_IOW('p', 1, __u64)
/* The PASID, or 0 for none */
#define PROCMOD_PASID	_IOR('p', 2, __u32)

#endif
