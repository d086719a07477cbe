/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Addresses in the kernel by name, for stacks. */
#ifndef KSYM_H
#define KSYM_H

#include <stddef.h>
#include <stdint.h>
#include <linux/types.h>

#include <jansson.h>

/* "qi_submit_sync+0x1a7", or "0xffffffff81000000" where the kernel does not tell names */
const char *ksym_name(uint64_t address, char *buf, size_t size);
/*
 * Where in stack, which ends with a 0 or at max, the kernel's own functions begin: above
 * them are those by which the program was called.
 */
size_t ksym_first(const __u64 *stack, size_t max);
json_t *ksym_json(const __u64 *stack, size_t max);
/* One frame a line, below a line of text */
void ksym_text(const __u64 *stack, size_t max);

/* Reads symbols from there instead, for the unit tests. */
void ksym_load(const char *file);

#endif /* KSYM_H */
