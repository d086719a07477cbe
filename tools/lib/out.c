// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "out.h"

void out_init(void)
{
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	/* our keys are fixed, and early in boot random numbers take seconds */
	json_object_seed(1);
}

static int first_error;

static void check(bool failed)
{
	if (failed && !first_error)
		first_error = errno ? errno : EIO;
}

int out_error(void)
{
	check(fflush(stdout));
	return first_error;
}

void out_text(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	check(vprintf(fmt, ap) < 0);
	va_end(ap);
}

void out_json(json_t *obj)
{
	char *line = obj ? json_dumps(obj, JSON_COMPACT) : NULL;

	json_decref(obj);
	if (!line) {
		fputs("out of memory\n", stderr);
		exit(1);
	}
	check(puts(line) < 0);
	free(line);
}

const char *out_ascii(const char *src, size_t len, char *dst, size_t size)
{
	size_t i;

	for (i = 0; i < len && i + 1 < size && src[i]; i++)
		dst[i] = src[i] >= ' ' && src[i] <= '~' ? src[i] : '?';
	dst[i] = '\0';
	return dst;
}

/* Length of the UTF-8 character at s, 0 if it is not valid; jansson is the judge. */
static size_t utf8_len(const char *s, size_t left)
{
	for (size_t n = 1; n <= 4 && n <= left; n++) {
		json_t *one = json_stringn(s, n);

		json_decref(one);
		if (one)
			return n;
	}
	return 0;
}

json_t *out_utf8(const char *src, size_t len)
{
	json_t *valid;
	char dst[3 * 64];
	size_t n, o = 0;

	len = strnlen(src, len > 64 ? 64 : len);
	valid = json_stringn(src, len);
	if (valid)
		return valid;
	for (size_t i = 0; i < len; i += n ? n : 1) {
		n = utf8_len(src + i, len - i);
		memcpy(dst + o, n ? src + i : "\xef\xbf\xbd", n ? n : 3);
		o += n ? n : 3;
	}
	return json_stringn(dst, o);
}

const char *out_errname(int ret, char *buf, size_t size)
{
	const char *name = ret < 0 ? strerrorname_np(-ret) : NULL;

	if (name)
		snprintf(buf, size, "%s", name);
	else
		snprintf(buf, size, "%d", ret);
	return buf;
}

const char *out_seconds(int64_t us, char *buf, size_t size)
{
	snprintf(buf, size, "%s%lld.%06lld", us < 0 ? "-" : "",
		 llabs(us / 1000000), llabs(us % 1000000));
	return buf;
}

const char *out_time(uint64_t ns, bool iso, char *buf, size_t size)
{
	time_t sec = ns / 1000000000;
	size_t n = iso ? strftime(buf, size, "%Y-%m-%dT%H:%M:%S", gmtime(&sec)) :
			 strftime(buf, size, "%H:%M:%S", localtime(&sec));

	snprintf(buf + n, size - n, ".%06u%s", (unsigned int)(ns % 1000000000 / 1000),
		 iso ? "Z" : "");
	return buf;
}
