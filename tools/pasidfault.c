// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdio.h>
#include <string.h>

#include "pasidfault.h"

bool is_fault(const struct pasid_event *e)
{
	return FAULT_EVENTS & 1U << e->type;
}

/* What comes behind the PASID; bus, device and function without their segment */
#define FAULT_REST	" Request device [%7[0-9a-f:.]] fault addr %llx [fault reason %x] %n"

void fault_parse(struct pasid_line *l)
{
	struct pasid_event *e = &l->d.e;
	unsigned int pasid = PASID_INVALID, code;
	char access[8], dev[8];
	int words = 0;
	__u64 addr;

	l->line[sizeof(l->line) - 1] = '\0';
	if (sscanf(l->line, PASID_FAULT_BEGIN "%7s PASID %x]" FAULT_REST, access, &pasid, dev,
		   &addr, &code, &words) < 5)
		sscanf(l->line, PASID_FAULT_BEGIN "%7s NO_PASID]" FAULT_REST, access, dev,
		       &addr, &code, &words);
	if (!words)
		return;
	e->flags |= PASID_HAS_DEV | (strcmp(access, "Write") ? PASID_READ : PASID_WRITE);
	e->pasid = pasid;
	e->code = code;
	l->d.addr = addr;
	strcpy(l->d.dev, dev);
	memmove(l->line, l->line + words, sizeof(l->line) - words);
}
