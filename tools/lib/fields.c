// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "fields.h"
#include "out.h"

static bool is_text(const struct field *f)
{
	return f->form <= FIELD_LIST;
}

static double number(const struct field *f, const void *row)
{
	return *(const double *)(row + f->offset);
}

/* Three digits or four: "999", "1.2k", "12k" */
static const char *scaled(double v, double unit, const char *names, char *buf, size_t size)
{
	int i = 0;

	for (; v >= unit - 0.5 && names[i + 1]; i++)
		v /= unit;
	snprintf(buf, size, v < 9.95 && (i || (v > 0 && v < 0.995 * unit && v != floor(v))) ?
		 "%.1f%.*s" : "%.0f%.*s", v, i > 0, names + i);
	return buf;
}

static const char *age(double ms, char *buf, size_t size)
{
	static const struct {
		double ms;
		const char *name;
	} units[] = {
		{ 86400e3, "d" }, { 3600e3, "h" }, { 60e3, "m" }, { 1e3, "s" }, { 1, "ms" },
	};
	size_t i = 0;

	/* from two of a unit on, so that at least two digits tell how long */
	while (i < 3 && ms < 2 * units[i].ms)
		i++;
	if (i == 3 && ms < 1e3)
		i++;
	snprintf(buf, size, "%.0f%s", floor(ms / units[i].ms), units[i].name);
	return buf;
}

const char *field_number(enum field_form form, double v, char *buf, size_t size)
{
	if (isnan(v))
		return "-";
	switch (form) {
	case FIELD_HEX:
		snprintf(buf, size, "%#llx", (unsigned long long)v);
		return buf;
	case FIELD_AGE:
		return age(v, buf, size);
	case FIELD_RATE:
		return scaled(v, 1000, " kMG", buf, size);
	case FIELD_SIZES:
		return scaled(v, 1024, " KMGTPE", buf, size);
	case FIELD_TOOK:
		return out_took(v, buf, size);
	default:
		snprintf(buf, size, "%.0f", v);
		return buf;
	}
}

static const char *text(const struct field *f, const void *row, char *buf, size_t size)
{
	const char *from = row + f->offset;

	if (!is_text(f))
		return field_number(f->form, number(f, row), buf, size);
	if (!*from)
		return "-";
	return f->form == FIELD_NAME ? out_ascii(from, 16, buf, size) : from;
}

static void print(const struct field *fields, bool wide, const void *row)
{
	char line[512], buf[64];
	size_t n = 0;

	for (const struct field *f = fields; (f->column || f->key) && n < sizeof(line); f++) {
		if (!f->column || (f->wide && !wide))
			continue;
		n += snprintf(line + n, sizeof(line) - n, "%*s ", f->width,
			      row ? text(f, row, buf, sizeof(buf)) : f->column);
	}
	/* nothing is to be seen behind the last column */
	n = n < sizeof(line) ? n : sizeof(line) - 1;
	while (n && line[n - 1] == ' ')
		n--;
	out_text("%.*s\n", (int)n, line);
}

void fields_head(const struct field *fields, bool wide)
{
	print(fields, wide, NULL);
}

void fields_text(const struct field *fields, bool wide, const void *row)
{
	print(fields, wide, row);
}

static json_t *list(const char *words)
{
	json_t *array = json_array();

	for (size_t n; *words; words += n + !!words[n]) {
		n = strcspn(words, ",");
		json_array_append_new(array, json_stringn(words, n));
	}
	return array;
}

static json_t *value(const struct field *f, const void *row)
{
	const char *from = row + f->offset;
	double v;

	if (f->form == FIELD_NAME)
		return *from ? out_utf8(from, 16) : json_null();
	if (f->form == FIELD_WORDS)
		return *from ? json_string(from) : json_null();
	if (f->form == FIELD_LIST)
		return list(from);
	v = number(f, row);
	if (isnan(v))
		return json_null();
	if (f->form == FIELD_RATE || f->form == FIELD_SIZES)
		return json_real(v);
	return json_integer(llround(v));
}

void fields_json(json_t *o, const struct field *fields, const void *row)
{
	for (const struct field *f = fields; f->column || f->key; f++) {
		if (f->key)
			json_object_set_new(o, f->key, value(f, row));
	}
}

const struct field *fields_find(const struct field *fields, const char *key)
{
	for (const struct field *f = fields; f->column || f->key; f++) {
		if (f->key && !strcmp(f->key, key))
			return is_text(f) ? NULL : f;
	}
	return NULL;
}

int fields_compare(const struct field *field, const void *a, const void *b)
{
	double x = number(field, a), y = number(field, b);

	if (isnan(x) || isnan(y))
		return isnan(x) - isnan(y);
	return x < y ? 1 : x > y ? -1 : 0;
}
