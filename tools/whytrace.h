/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* pasidwhy -e: the functions of the kernel that return errors while a command runs. */
#ifndef WHYTRACE_H
#define WHYTRACE_H

#include <stdbool.h>

#define WHY_TRACE_DEPTH	32

/* An error on its way out: the functions that returned it, from the first on */
struct why_error {
	char comm[16];
	int pid, ret;			/* ret: -errno */
	char functions[WHY_TRACE_DEPTH][64];
	int depth;
	int times;			/* the same, one after the other */
};

/*
 * Runs the command, and calls show for each. The status of the command as a shell has it,
 * or -1 after telling why it cannot be traced.
 */
int why_trace(char **command, void (*show)(const struct why_error *e));

#endif /* WHYTRACE_H */
