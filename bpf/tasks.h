/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The numbers of a thread; shared with user space. */
#ifndef TASKS_H
#define TASKS_H

#include <linux/types.h>

struct task_numbers {
	__u32 here;		/* as the reader's PID namespace has it */
	__u32 tid;		/* as the initial one has it, and events */
	__u32 tgid;
};

#endif /* TASKS_H */
