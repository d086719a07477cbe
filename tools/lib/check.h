/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* --check: what there is to trace with here, and whether it is enough. */
#ifndef CHECK_H
#define CHECK_H

#include "trace.h"

/*
 * To be called with what came of the plan, of loading and of attaching, which has told why
 * not. The exit code, which is that.
 */
int check_tell(const struct trace *t, int ret);

#endif /* CHECK_H */
