// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

#define MAX_DURATION_MS	(366ULL * 86400 * 1000)

bool parse_u64(const char *s, uint64_t lo, uint64_t hi, uint64_t *val)
{
	bool hex = s[0] == '0' && s[1] == 'x';
	const char *digits = hex ? s + 2 : s;
	char *end;
	uint64_t v;

	/* strtoull() alone would take blanks, signs and an empty string */
	if (!*digits || digits[strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789")])
		return false;
	errno = 0;
	v = strtoull(digits, &end, hex ? 16 : 10);
	if (errno || *end || v < lo || v > hi)
		return false;
	*val = v;
	return true;
}

/* A part of a second has up to six digits: more would be lost. */
static bool parse_decimal(const char *s, size_t len, uint64_t *micros)
{
	uint64_t whole = 0, part = 0, unit = 1000000;
	size_t i = 0;

	for (; i < len && isdigit((unsigned char)s[i]); i++) {
		whole = whole * 10 + (s[i] - '0');
		if (whole > UINT32_MAX)
			return false;
	}
	if (!i)
		return false;
	if (i < len && s[i] == '.') {
		for (i++; i < len && isdigit((unsigned char)s[i]) && unit > 1; i++)
			part += (s[i] - '0') * (unit /= 10);
		if (unit == 1000000)
			return false;
	}
	*micros = whole * 1000000 + part;
	return i == len;
}

bool parse_duration(const char *s, uint64_t *ms)
{
	static const struct {
		const char *unit;
		uint32_t ms;
	} units[] = { { "", 1000 }, { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 } };
	size_t len = strspn(s, "0123456789.");
	uint64_t micros;

	if (!parse_decimal(s, len, &micros))
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(s + len, units[i].unit))
			continue;
		*ms = micros * units[i].ms / 1000000;
		return *ms && *ms <= MAX_DURATION_MS;
	}
	return false;
}

bool parse_device(const char *s, char *name, size_t size)
{
	unsigned int domain, bus, dev, fn, n = 0;

	if (!*s || strlen(s) >= size)
		return false;
	if (sscanf(s, "%2x:%2x.%1u%n", &bus, &dev, &fn, &n) == 3 && !s[n])
		snprintf(name, size, "0000:%02x:%02x.%u", bus, dev, fn);
	else if (sscanf(s, "%8x:%2x:%2x.%1u%n", &domain, &bus, &dev, &fn, &n) == 4 && !s[n])
		snprintf(name, size, "%04x:%02x:%02x.%u", domain, bus, dev, fn);
	else
		strcpy(name, s);
	return true;
}

/* Cuts the next comma-separated item off s; *s is NULL after the last. */
static bool next_item(const char **s, char *item, size_t len)
{
	size_t n;

	if (!*s)
		return false;
	n = strcspn(*s, ",");
	snprintf(item, len, "%.*s", (int)n, *s);
	*s = (*s)[n] ? *s + n + 1 : NULL;
	return true;
}

const char *parse_pasids(const char *s, struct pasid_filter *f, char *err, size_t len)
{
	char item[64];

	while (next_item(&s, item, sizeof(item))) {
		char *dash = strchr(item, '-');
		uint64_t lo, hi;
		bool ok;

		if (dash)
			*dash = '\0';
		ok = parse_u64(item, 0, PASID_MAX, &lo);
		hi = lo;
		if (ok && dash)
			ok = parse_u64(dash + 1, lo, PASID_MAX, &hi);
		if (dash)
			*dash = '-';
		if (!ok) {
			snprintf(err, len, "'%s' is not a PASID or a range of them (0..%u)",
				 item, PASID_MAX);
			return err;
		}
		if (f->nr_ranges == PASID_MAX_RANGES) {
			snprintf(err, len, "more than %u PASIDs; give ranges, e.g. 1-99",
				 PASID_MAX_RANGES);
			return err;
		}
		f->range[f->nr_ranges++] = (struct pasid_range){ lo, hi };
	}
	return NULL;
}

const char *parse_events(const char *s, const char *const *names, uint32_t *bits,
			 char *err, size_t len)
{
	char item[64];

	while (next_item(&s, item, sizeof(item))) {
		size_t n = strlen(item);
		uint32_t found = 0;

		for (int i = 0; n && names[i]; i++) {
			if (!strncmp(names[i], item, n) && (!names[i][n] || names[i][n] == '_'))
				found |= 1U << i;
		}
		if (!found) {
			snprintf(err, len, "'%s' is not an event of this tool", item);
			return err;
		}
		*bits |= found;
	}
	return NULL;
}
