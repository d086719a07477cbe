// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "prom.h"

bool prom_open(struct prom *p, const char *path)
{
	size_t n = snprintf(p->tmp, sizeof(p->tmp), "%s.%d", path, getpid());

	p->path = path;
	errno = ENAMETOOLONG;
	p->f = n < sizeof(p->tmp) ? fopen(p->tmp, "we") : NULL;
	return p->f;
}

/* An error of before is as bad as one now, but only now there is an errno. */
bool prom_close(struct prom *p)
{
	bool failed = ferror(p->f);
	int err;

	errno = EIO;
	failed |= !!fclose(p->f);
	if (!failed && !rename(p->tmp, p->path))
		return true;
	err = errno;
	unlink(p->tmp);
	errno = err;
	return false;
}

void prom_head(struct prom *p, const char *name, const char *type, const char *help)
{
	fprintf(p->f, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void prom_value(struct prom *p, const char *name, const char *labels, double value)
{
	fprintf(p->f, "%s%s%s%s %.15g\n", name, labels ? "{" : "", labels ?: "",
		labels ? "}" : "", value);
}

const char *prom_escape(const char *value, char *buf, size_t size)
{
	size_t n = 0;

	for (; *value && n + 3 < size; value++) {
		if (strchr("\\\"\n", *value))
			buf[n++] = '\\';
		buf[n++] = *value == '\n' ? 'n' : *value;
	}
	buf[n] = '\0';
	return buf;
}
