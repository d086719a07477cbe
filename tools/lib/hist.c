// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "hist.h"
#include "out.h"

__u64 hist_low(size_t slot)
{
	return slot ? 1ULL << slot : 0;
}

__u64 hist_high(size_t slot)
{
	return (2ULL << slot) - 1;
}

/* The shape that tools of this kind have, which eyes and scripts know */
#define NUMBER	10	/* columns, of numbers with up to 31 bits */
#define WIDE	20
#define STARS	40

static void print_row(__u64 low, __u64 high, __u64 count, __u64 most, int width)
{
	int stars = width == NUMBER ? STARS : STARS / 2;
	int n = count * (double)stars / most;

	out_text("%*llu -> %-*llu : %-8llu |%.*s%*s|\n", width, low, width, high, count,
		 n, "****************************************", stars - n, "");
}

void hist_text(const __u64 *slots, size_t n, const char *unit)
{
	size_t first = n, last = 0;
	__u64 most = 0;
	int width;

	for (size_t i = 0; i < n; i++) {
		if (!slots[i])
			continue;
		first = first < i ? first : i;
		last = i;
		most = most > slots[i] ? most : slots[i];
	}
	if (!most)
		return;
	width = last < 32 ? NUMBER : WIDE;
	out_text("%*s%-*s : count    distribution\n", width - 5, "", width + 9,
		 unit);
	for (size_t i = first; i <= last; i++)
		print_row(hist_low(i), hist_high(i), slots[i], most, width);
}

json_t *hist_json(const __u64 *slots, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++) {
		if (slots[i])
			json_array_append_new(list, json_pack("{s:I, s:I, s:I}",
				"low", (json_int_t)hist_low(i),
				"high", (json_int_t)hist_high(i),
				"count", (json_int_t)slots[i]));
	}
	return list;
}
