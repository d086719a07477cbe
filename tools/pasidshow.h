/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The lines of pasidsnoop: an event or a finished PASID as columns or JSON. */
#ifndef PASIDSHOW_H
#define PASIDSHOW_H

#include "lib/cli.h"
#include "lib/record.h"
#include "pasidlife.h"
#include "../bpf/pasid.h"

extern const char *const pasid_names[];	/* by enum pasid_type, NULL at the end */
extern const struct member pasid_members[];	/* of struct pasid_line */

void pasid_head(const struct cli *cli);
/* Of a fault the line is parsed. */
void pasid_event(const struct cli *cli, const struct session *s, const struct pasid_line *l);
/* e is the free that ended it. */
void pasid_life(const struct cli *cli, const struct session *s, const struct pasid_event *e,
		const struct life *life);

#endif /* PASIDSHOW_H */
