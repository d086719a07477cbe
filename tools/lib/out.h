/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Output to stdout, for people and for programs, which notices when nobody reads. */
#ifndef OUT_H
#define OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

/*
 * First of all: standard descriptors that are closed take no other file, and a
 * write that cannot be done is an error, not a signal.
 */
void out_init(void);
/* Data go there instead; false with errno set. */
bool out_open(const char *file);
/* In a child, before it becomes another program */
void out_restore_signals(void);
/* Neither tells whether it went well: the first error is kept. */
void out_text(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Prints obj as one line and drops it. */
void out_json(json_t *obj);
/* 0, or the errno of the first write that failed */
int out_error(void);
/* The same, once all is written */
int out_flush(void);
int out_fd(void);
FILE *out_file(void);

/* src, up to len bytes or a NUL, with everything but printable ASCII as '?'. */
const char *out_ascii(const char *src, size_t len, char *dst, size_t size);
/* The same as a JSON string: valid UTF-8 is kept, every other byte is U+FFFD. */
json_t *out_utf8(const char *src, size_t len);
/* "ENOSPC" for -28, "0" for 0, "-9999" for what is no errno. */
const char *out_errname(int ret, char *buf, size_t size);
/* Microseconds as "12.345678" */
const char *out_seconds(int64_t us, char *buf, size_t size);
/* Nanoseconds as "765us", "1.5ms", "12s": five columns up to a day */
const char *out_took(uint64_t ns, char *buf, size_t size);
/* CLOCK_REALTIME ns as local "06:51:02.123456", or "2025-11-22T06:51:02.123456Z" */
const char *out_time(uint64_t ns, bool iso, char *buf, size_t size);

#endif /* OUT_H */
