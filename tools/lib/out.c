// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "out.h"

/* Where data goes, and what the first write that failed came to */
static FILE *data;
static char buffer[65536];	/* glibc would take no more than a block */
static int first_error;
static struct sigaction old_pipe, old_size;

/*
 * A descriptor that is closed would be given to the next file that is opened, a
 * map of the kernel even, and be written to. So its place is taken by something
 * that cannot be used the way that it is used, and fails like a closed one.
 */
static void fill_standard_descriptors(void)
{
	static const int wrong_way[] = { O_WRONLY, O_RDONLY, O_RDONLY };

	for (int fd = 0; fd < 3; fd++) {
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", wrong_way[fd] | O_CLOEXEC) != fd)
			_exit(1);
	}
}

void out_init(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	fill_standard_descriptors();
	sigaction(SIGPIPE, &ignore, &old_pipe);
	sigaction(SIGXFSZ, &ignore, &old_size);
	data = stdout;
	setvbuf(data, buffer, _IOFBF, sizeof(buffer));
	/* our keys are fixed, and early in boot random numbers take seconds */
	json_object_seed(1);
}

bool out_open(const char *file)
{
	FILE *f = fopen(file, "we");

	if (!f)
		return false;
	data = f;
	setvbuf(data, buffer, _IOFBF, sizeof(buffer));
	return true;
}

void out_restore_signals(void)
{
	sigaction(SIGPIPE, &old_pipe, NULL);
	sigaction(SIGXFSZ, &old_size, NULL);
}

static void check(bool failed)
{
	if (failed && !first_error)
		first_error = errno ? errno : EIO;
}

int out_error(void)
{
	return first_error;
}

int out_flush(void)
{
	check(fflush(data));
	return first_error;
}

int out_fd(void)
{
	return fileno(data);
}

FILE *out_file(void)
{
	return data;
}

void out_text(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	check(vfprintf(data, fmt, ap) < 0);
	va_end(ap);
}

void out_json(json_t *obj)
{
	if (json_dumpf(obj, data, JSON_COMPACT | JSON_REAL_PRECISION(6)))
		check(true);
	else
		check(fputc('\n', data) == EOF);
	json_decref(obj);
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

const char *out_took(uint64_t ns, char *buf, size_t size)
{
	static const char *const units[] = { "ns", "us", "ms", "s" };
	double t = ns;
	int i = 0;

	/* what would be rounded to 1000 is 1 of the next unit */
	for (; t >= 999.5 && i < 3; i++)
		t /= 1000;
	snprintf(buf, size, i && t < 9.95 ? "%.1f%s" : "%.0f%s", t, units[i]);
	return buf;
}

const char *out_time(uint64_t ns, bool iso, char *buf, size_t size)
{
	time_t sec = ns / 1000000000;
	struct tm tm;
	/* localtime() would look at the file of the zone each time */
	size_t n = iso ? strftime(buf, size, "%Y-%m-%dT%H:%M:%S", gmtime_r(&sec, &tm)) :
			 strftime(buf, size, "%H:%M:%S", localtime_r(&sec, &tm));

	snprintf(buf + n, size - n, ".%06u%s", (unsigned int)(ns % 1000000000 / 1000),
		 iso ? "Z" : "");
	return buf;
}
