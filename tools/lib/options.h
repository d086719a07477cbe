/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* An option is a row: parsing, --help and their tests come from it. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli.h"

enum row_type {
	ROW_SELF,			/* --help, --version */
	ROW_BOOL,
	ROW_COUNT,			/* how often it is given */
	ROW_U32,
	ROW_U64,
	ROW_POWER,			/* of two, as the kernel asks of a ring buffer */
	ROW_TIME,			/* milliseconds */
	ROW_STRING,
	ROW_DEVICE,
	ROW_PASIDS,
	ROW_EVENTS,
	ROW_USER,
};

struct row {
	char letter;			/* 0: it has none */
	bool hidden;
	const char *name, *arg, *help;	/* "[=ARG]": it may be left out */
	enum row_type type;
	size_t offset;			/* in struct cli */
	uint64_t min, max;		/* of numbers */
};

extern const struct row rows[CLI_NR];

bool option_of(const struct cli_tool *tool, int id);
/* May its argument be left out? */
bool option_is_optional(int id);

#endif /* OPTIONS_H */
