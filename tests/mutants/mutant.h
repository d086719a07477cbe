/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _LINUX_MUTANT_H
#define _LINUX_MUTANT_H

#include <linux/delay.h>
#include <linux/types.h>

bool ioasid_is_mutant(const char *name);
#define MUTANT(name)	ioasid_is_mutant(name)

#endif
