/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The judgement of pasidwhy on what it read. */
#ifndef WHYCHECKS_H
#define WHYCHECKS_H

#include "whyfacts.h"

enum why_goal {
	WHY_SVA,	/* the page table of a process on a PASID of a device */
	WHY_NEST,	/* that of a guest for a whole device, without PASIDs */
	WHY_GUEST,	/* that of a guest on a PASID, with this series */
	WHY_NR_GOALS,
};
#define WHY_S	(1U << WHY_SVA)
#define WHY_N	(1U << WHY_NEST)
#define WHY_G	(1U << WHY_GUEST)

enum why_state {
	WHY_OK,
	WHY_MISSING,
	WHY_UNKNOWN,	/* it could not be read */
	WHY_NOTE,	/* nothing needs it, but it explains something */
};

struct why_check {
	enum why_state state;
	unsigned int goals;	/* what needs it, as bits WHY_S and so on */
	const char *of;		/* kernel, processor, unit or device */
	char what[64];		/* "ECAP.NEST (26) = 0" */
	char where[WHY_PATH];	/* where that was read */
	const char *advice;	/* NULL, or what to do if it is missing or unknown */
};

struct why_result {
	struct why_check checks[1024];	/* 64 units need less */
	int nr;
};

void why_judge(const struct why_facts *f, struct why_result *r);
/* Missing before unknown before ok */
enum why_state why_verdict(const struct why_result *r, enum why_goal goal);

#endif /* WHYCHECKS_H */
