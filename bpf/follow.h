/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
#ifndef FOLLOW_H
#define FOLLOW_H

#define FOLLOW_MAX	65536	/* processes at a time */

#endif /* FOLLOW_H */
