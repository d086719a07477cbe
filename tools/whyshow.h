/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The output of pasidwhy, for people and for programs. */
#ifndef WHYSHOW_H
#define WHYSHOW_H

#include "whychecks.h"
#include "whytrace.h"

/* Of each goal, as options and JSON name it */
extern const char *const why_words[WHY_NR_GOALS];

/* Only what these need, as bits WHY_S and so on */
void why_show(const struct why_facts *f, const struct why_result *r, unsigned int goals,
	      bool json);
void why_show_error(const struct why_error *e, bool json);

#endif /* WHYSHOW_H */
