/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * --prom: a file for the textfile collector of Prometheus, which is there as a whole or
 * not at all. No label is a PASID or a process: there would be too many.
 */
#ifndef PROM_H
#define PROM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct prom {
	const char *path;
	char tmp[4096];
	FILE *f;
};

/* False with errno set */
bool prom_open(struct prom *p, const char *path);
bool prom_close(struct prom *p);
/* Once for all of that name, before them */
void prom_head(struct prom *p, const char *name, const char *type, const char *help);
/* labels: "a=\"b\",c=\"d\"" or NULL */
void prom_value(struct prom *p, const char *name, const char *labels, double value);
/* With what is special in a label's value escaped */
const char *prom_escape(const char *value, char *buf, size_t size);

#endif /* PROM_H */
