/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Filters by process and device: do they name something that exists, and what do
 * events call it? Events have the numbers of the initial PID namespace.
 */
#ifndef WHO_H
#define WHO_H

#include <stdbool.h>
#include <stdint.h>

struct cli;

/*
 * Makes the numbers that the filters have those of events, and tells what was
 * changed, what names nothing, and if there is no IOMMU at all. False after telling
 * an error.
 */
bool who_resolve(struct cli *cli);
/* Is it an IOMMU, such as dmar0, not a device behind one? */
bool who_is_unit(const char *name);
/* Has this machine IOMMUs, of which none is a unit of VT-d? */
bool who_has_other_units(void);
/* The number of this thread in events; 0: there is none, -1: an error was told. */
int64_t who_global(uint32_t number, bool process);

/* Of one filter, with the process table in proc, for the unit tests too. */
uint32_t who_process(const char *proc, uint32_t pid);
uint32_t who_thread(const char *proc, uint32_t tid);

#endif /* WHO_H */
