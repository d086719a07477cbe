/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* DMA faults, page requests and their answers, which are of a device and of no process. */
#ifndef PASIDFAULT_H
#define PASIDFAULT_H

#include <stdbool.h>

#include "../bpf/pasid.h"

#define FAULT_EVENTS	(1U << PASID_FAULT | 1U << PASID_PAGE_REQ | 1U << PASID_PAGE_RESP)
/* Those that tell whose a PASID is */
#define OWNER_EVENTS	(1U << PASID_ALLOC | 1U << PASID_FREE | 1U << PASID_SPID | \
			 1U << PASID_ALIVE)

bool is_fault(const struct pasid_event *e);
/*
 * Takes what the driver printed apart; of l->line the reason in words is left. A line of
 * another form stays whole, and nothing else is known of its fault.
 */
void fault_parse(struct pasid_line *l);

#endif /* PASIDFAULT_H */
