/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One table says what a row has: columns, JSON keys and keys to sort by come from it.
 * All numbers of a row are doubles, and NAN is what is not known.
 */
#ifndef FIELDS_H
#define FIELDS_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

enum field_form {
	FIELD_NAME,		/* char[16], whatever is in it; "": not known */
	FIELD_WORDS,		/* char[], printable; "": not known */
	FIELD_LIST,		/* the same, with commas between; in JSON an array */
	FIELD_NUMBER,
	FIELD_HEX,		/* in columns; a number in JSON */
	FIELD_AGE,		/* milliseconds */
	FIELD_RATE,		/* per second */
	FIELD_SIZES,		/* bytes per second */
	FIELD_TOOK,		/* nanoseconds */
};

struct field {
	const char *column;	/* NULL: only in JSON */
	int width;		/* negative: to the left */
	const char *key;	/* NULL: not in JSON; the table ends where both are */
	enum field_form form;
	size_t offset;
	bool wide;		/* a column of -w */
};

void fields_head(const struct field *fields, bool wide);
void fields_text(const struct field *fields, bool wide, const void *row);
void fields_json(json_t *o, const struct field *fields, const void *row);
/* NULL: there is none, or it is no number */
const struct field *fields_find(const struct field *fields, const char *key);
/* -1, 0 or 1; the largest first, what is not known last */
int fields_compare(const struct field *field, const void *a, const void *b);

/* Of one number, for the unit tests too: "-", "12", "1.2k", "35s", .. */
const char *field_number(enum field_form form, double v, char *buf, size_t size);

#endif /* FIELDS_H */
