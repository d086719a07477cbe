/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The last lines of a trace: how much was seen, what was not, and why it ended. */
#ifndef SUMMARY_H
#define SUMMARY_H

#include "trace.h"

/* With more keys and words of the tool. The exit code they stand for */
int summary_print(const struct trace *t, json_t *more, const char *text);

#endif /* SUMMARY_H */
