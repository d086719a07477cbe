/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Histograms by powers of two: slot n counts from 2^n to 2^(n+1) - 1, slot 0 from 0. */
#ifndef HIST_H
#define HIST_H

#include <stddef.h>

#include <jansson.h>
#include <linux/types.h>

__u64 hist_low(size_t slot);
__u64 hist_high(size_t slot);
/* From the first to the last slot that has something; nothing if none has */
void hist_text(const __u64 *slots, size_t n, const char *unit);
/* Those that have something, as { low, high, count } */
json_t *hist_json(const __u64 *slots, size_t n);

#endif /* HIST_H */
