// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
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

void prom_invalidations(struct prom *p, const char *tool, const struct session *s,
			const struct prom_inv *inv)
{
	const struct {
		const char *name, *type, *help;
		double value;
	} rows[] = {
		{ "iommu_invalidations_in_flight", "gauge",
		  "Invalidations under way.", inv->in_flight },
		{ "iommu_invalidation_oldest_seconds", "gauge",
		  "How long the oldest invalidation under way takes so far, 0 if there is none.",
		  inv->oldest_ns / 1e9 },
		{ "iommu_invalidations_total", "counter",
		  "Invalidations that have ended.", inv->requests },
		{ "iommu_invalidation_failures_total", "counter",
		  "Invalidations that have failed.", inv->failed },
		{ "iommu_trace_lost_total", "counter",
		  "Events that could not be counted.", inv->lost },
	};
	char labels[256], kernel[140];

	snprintf(labels, sizeof(labels), "tool=\"%s\"", tool);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		prom_head(p, rows[i].name, rows[i].type, rows[i].help);
		prom_value(p, rows[i].name, labels, rows[i].value);
	}
	snprintf(labels, sizeof(labels), "tool=\"%s\",version=\"%s\",kernel=\"%s\"", tool,
		 TOOLS_VERSION, prom_escape(s->kernel, kernel, sizeof(kernel)));
	prom_head(p, "iommu_trace_info", "gauge", "Which tool wrote this, on which kernel.");
	prom_value(p, "iommu_trace_info", labels, 1);
}
