// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ksym.h"
#include "out.h"
#include "room.h"

struct symbol {
	uint64_t address;
	char *name;
};

static struct symbol *symbols;
static size_t nr_symbols;
static bool loaded;

static int by_address(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	return x->address < y->address ? -1 : x->address > y->address;
}

static void add(uint64_t address, const char *name)
{
	if (!room_for_one(symbols, nr_symbols))
		return;
	symbols[nr_symbols++] = (struct symbol){ address, strdup(name) };
}

/* Addresses are 0 for those who may not see them. */
void ksym_load(const char *file)
{
	FILE *f = fopen(file, "re");
	unsigned long long address;
	char type, name[512];

	loaded = true;
	nr_symbols = 0;
	while (f && fscanf(f, "%llx %c %511s%*[^\n]", &address, &type, name) == 3) {
		if (address && strchr("tTwW", type))
			add(address, name);
	}
	if (f)
		fclose(f);
	qsort(symbols, nr_symbols, sizeof(*symbols), by_address);
}

/* The last one that is not behind the address */
static const struct symbol *find(uint64_t address)
{
	size_t low = 0, high = nr_symbols;

	if (!loaded) {
		ksym_load("/proc/kallsyms");
		high = nr_symbols;
	}
	while (low < high) {
		size_t middle = (low + high) / 2;

		if (symbols[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? &symbols[low - 1] : NULL;
}

const char *ksym_name(uint64_t address, char *buf, size_t size)
{
	const struct symbol *s = find(address);

	if (s && s->name)
		snprintf(buf, size, "%s+%#llx", s->name,
			 (unsigned long long)(address - s->address));
	else
		snprintf(buf, size, "%#llx", (unsigned long long)address);
	return buf;
}

/* Of the tracing, by the names that the kernel gives what it generates for it */
static bool is_tracing(uint64_t address)
{
	static const char *const prefixes[] = {
		"bpf_", "__bpf_", "__traceiter_", "trace_call_bpf", "__kprobe", "ftrace_",
	};
	const struct symbol *s = find(address);

	for (size_t i = 0; s && s->name && i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		if (!strncmp(s->name, prefixes[i], strlen(prefixes[i])))
			return true;
	}
	return false;
}

size_t ksym_first(const __u64 *stack, size_t max)
{
	size_t i = 0;

	while (i < max && stack[i] && is_tracing(stack[i]))
		i++;
	return i;
}

json_t *ksym_json(const __u64 *stack, size_t max)
{
	json_t *list = json_array();
	char name[600];

	for (size_t i = ksym_first(stack, max); i < max && stack[i]; i++)
		json_array_append_new(list, json_string(ksym_name(stack[i], name, sizeof(name))));
	return list;
}

void ksym_text(const __u64 *stack, size_t max)
{
	char name[600];

	for (size_t i = ksym_first(stack, max); i < max && stack[i]; i++)
		out_text("        %s\n", ksym_name(stack[i], name, sizeof(name)));
}
