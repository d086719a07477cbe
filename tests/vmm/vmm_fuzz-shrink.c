// SPDX-License-Identifier: GPL-2.0-only
/*
 * A round after which something is wrong has thousands of calls. This leaves out as many
 * as it can, and writes the others as a C program that makes them again.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "vmm_fuzz.h"

#define TRIES		3	/* how threads meet differs each time */
#define TWICE		2	/* one thread does the same each time, but for chance */
#define PLAYS		1000

struct finding {
	struct play play;
	int kind;		/* of what complains */
	unsigned int plays;
};

/* ---- which calls ---- */

static bool shows_once(struct finding *finding, struct record **script, unsigned int calls)
{
	struct play again = finding->play;

	again.script = script;
	again.calls = calls;
	finding->plays++;
	return play(&again) == finding->kind;
}

static bool shows(struct finding *finding, struct record **script, unsigned int calls)
{
	bool alone = finding->play.threads == 1;
	unsigned int nr = alone ? TWICE : TRIES;

	for (unsigned int i = 0; i < nr && finding->plays < PLAYS; i++) {
		if (shows_once(finding, script, calls) != alone)
			return !alone;
	}
	return alone && finding->plays < PLAYS;
}

/* Leaves out more and more, and then less and less of what is left */
static unsigned int reduce(struct finding *finding, struct record **script,
			   unsigned int calls)
{
	struct record **fewer = calloc(calls, sizeof(*fewer));
	unsigned int length = (calls + 1) / 2, from;

	while (fewer && length) {
		for (from = 0; from < calls;) {
			unsigned int to = from + length < calls ? from + length : calls;
			unsigned int left = calls - (to - from);

			memcpy(fewer, script, from * sizeof(*fewer));
			memcpy(fewer + from, script + to, (calls - to) * sizeof(*fewer));
			if (left && shows(finding, fewer, left)) {
				memcpy(script, fewer, left * sizeof(*fewer));
				calls = left;
			} else {
				from = to;
			}
		}
		length = length > 1 ? (length + 1) / 2 : 0;
	}
	free(fewer);
	return calls;
}

/*
 * No byte that is of no kind and no allocation that fails where it shows without. Which
 * allocation that would be differs in a process that has done nothing before.
 */
static void simplify(struct finding *finding, struct record **script, unsigned int calls)
{
	static const unsigned int odd[] = { DRAW_FAILING, DRAW_WILD };

	for (unsigned int i = 0; i < calls * 2; i++) {
		uint32_t *draw = &script[i / 2]->tape.draw[odd[i % 2]];

		if (*draw)
			continue;
		*draw = 1;
		if (!shows(finding, script, calls))
			*draw = 0;
	}
}

/* ---- as C ---- */

#define FIELD(type, member) \
	{ #member, offsetof(struct type, member), sizeof(((struct type *)0)->member) }

struct field {
	const char *name;
	unsigned int at, size;
};

static const struct kind {
	unsigned long request;
	const char *number, *type;
	struct field fields[10];
	size_t size;
} kinds[] = {
	{ IOMMU_PASID_ALLOC, "IOMMU_PASID_ALLOC", "iommu_pasid_alloc", {
		FIELD(iommu_pasid_alloc, size), FIELD(iommu_pasid_alloc, flags),
		FIELD(iommu_pasid_alloc, min), FIELD(iommu_pasid_alloc, max),
		FIELD(iommu_pasid_alloc, out_pasid),
		FIELD(iommu_pasid_alloc, private_id) },
		sizeof(struct iommu_pasid_alloc) },
	{ IOMMU_PASID_FREE, "IOMMU_PASID_FREE", "iommu_pasid_free", {
		FIELD(iommu_pasid_free, size), FIELD(iommu_pasid_free, flags),
		FIELD(iommu_pasid_free, pasid), FIELD(iommu_pasid_free, __reserved) },
		sizeof(struct iommu_pasid_free) },
	{ IOMMU_PASID_INFO, "IOMMU_PASID_INFO", "iommu_pasid_info", {
		FIELD(iommu_pasid_info, size), FIELD(iommu_pasid_info, flags),
		FIELD(iommu_pasid_info, out_max), FIELD(iommu_pasid_info, out_quota),
		FIELD(iommu_pasid_info, out_used), FIELD(iommu_pasid_info, __reserved) },
		sizeof(struct iommu_pasid_info) },
	{ IOMMU_PASID_LOOKUP, "IOMMU_PASID_LOOKUP", "iommu_pasid_lookup", {
		FIELD(iommu_pasid_lookup, size), FIELD(iommu_pasid_lookup, flags),
		FIELD(iommu_pasid_lookup, pasid),
		FIELD(iommu_pasid_lookup, private_id) },
		sizeof(struct iommu_pasid_lookup) },
	{ IOMMU_OPTION, "IOMMU_OPTION", "iommu_option", {
		FIELD(iommu_option, size), FIELD(iommu_option, option_id),
		FIELD(iommu_option, op), FIELD(iommu_option, __reserved),
		FIELD(iommu_option, object_id), FIELD(iommu_option, val64) },
		sizeof(struct iommu_option) },
	{ IOMMU_GPASID_INFO, "IOMMU_GPASID_INFO", "iommu_gpasid_info_cmd", {
		FIELD(iommu_gpasid_info_cmd, size), FIELD(iommu_gpasid_info_cmd, flags),
		FIELD(iommu_gpasid_info_cmd, dev_id),
		FIELD(iommu_gpasid_info_cmd, out_max_pasid),
		FIELD(iommu_gpasid_info_cmd, out_formats),
		FIELD(iommu_gpasid_info_cmd, out_max_entries),
		FIELD(iommu_gpasid_info_cmd, out_addr_widths),
		FIELD(iommu_gpasid_info_cmd, out_vtd_flags) },
		sizeof(struct iommu_gpasid_info_cmd) },
	{ IOMMU_GPASID_BIND, "IOMMU_GPASID_BIND", "iommu_gpasid_bind", {
		FIELD(iommu_gpasid_bind, size), FIELD(iommu_gpasid_bind, flags),
		FIELD(iommu_gpasid_bind, dev_id), FIELD(iommu_gpasid_bind, pt_id),
		FIELD(iommu_gpasid_bind, data_uptr) },
		sizeof(struct iommu_gpasid_bind) },
	{ IOMMU_GPASID_UNBIND, "IOMMU_GPASID_UNBIND", "iommu_gpasid_unbind", {
		FIELD(iommu_gpasid_unbind, size), FIELD(iommu_gpasid_unbind, flags),
		FIELD(iommu_gpasid_unbind, dev_id), FIELD(iommu_gpasid_unbind, pasid) },
		sizeof(struct iommu_gpasid_unbind) },
	{ IOMMU_GPASID_INVALIDATE, "IOMMU_GPASID_INVALIDATE", "iommu_gpasid_invalidate", {
		FIELD(iommu_gpasid_invalidate, size),
		FIELD(iommu_gpasid_invalidate, flags),
		FIELD(iommu_gpasid_invalidate, dev_id),
		FIELD(iommu_gpasid_invalidate, entry_len),
		FIELD(iommu_gpasid_invalidate, data_uptr),
		FIELD(iommu_gpasid_invalidate, result_uptr),
		FIELD(iommu_gpasid_invalidate, entry_num),
		FIELD(iommu_gpasid_invalidate, __reserved) },
		sizeof(struct iommu_gpasid_invalidate) },
};

static const struct field bind_fields[] = {
	FIELD(iommu_gpasid_bind_data, argsz), FIELD(iommu_gpasid_bind_data, version),
	FIELD(iommu_gpasid_bind_data, format), FIELD(iommu_gpasid_bind_data, addr_width),
	FIELD(iommu_gpasid_bind_data, flags), FIELD(iommu_gpasid_bind_data, gpgd),
	FIELD(iommu_gpasid_bind_data, hpasid), FIELD(iommu_gpasid_bind_data, gpasid),
	FIELD(iommu_gpasid_bind_data, padding),
	FIELD(iommu_gpasid_bind_data, vendor.vtd.flags),
	FIELD(iommu_gpasid_bind_data, vendor.vtd.pat),
	FIELD(iommu_gpasid_bind_data, vendor.vtd.emt), {}
};

/* The fields of a PASID are the first of those of addresses. */
static const struct field entry_fields[] = {
	FIELD(iommu_cache_invalidate_info, argsz),
	FIELD(iommu_cache_invalidate_info, version),
	FIELD(iommu_cache_invalidate_info, cache),
	FIELD(iommu_cache_invalidate_info, granularity),
	FIELD(iommu_cache_invalidate_info, padding),
	FIELD(iommu_cache_invalidate_info, granu.addr_info.flags),
	FIELD(iommu_cache_invalidate_info, granu.addr_info.archid),
	FIELD(iommu_cache_invalidate_info, granu.addr_info.pasid),
	FIELD(iommu_cache_invalidate_info, granu.addr_info.addr),
	FIELD(iommu_cache_invalidate_info, granu.addr_info.granule_size),
	FIELD(iommu_cache_invalidate_info, granu.addr_info.nb_granules), {}
};

void write_c(struct thread *thread, const char *format, ...)
{
	va_list args;

	if (!thread->c)
		return;
	va_start(args, format);
	vfprintf(thread->c, format, args);
	va_end(args);
	fflush(thread->c);		/* the process may not live */
}

static bool ends(const char *name, const char *with)
{
	return strlen(name) >= strlen(with) &&
	       !strcmp(name + strlen(name) - strlen(with), with);
}

/* Numbers that are others the next time have a name; true if this is one. */
static bool write_name(struct thread *thread, const char *field, uint64_t value)
{
	const struct {
		const char *field, *name;
		uint64_t value;
	} names[] = {
		{ "_id", "dev.id", dev.id }, { "_id", "vmm.parent", vmm.parent },
		{ "_id", "vmm.ioas", vmm.ioas },
		{ "data_uptr", "(uintptr_t)&data", (uintptr_t)&thread->bind },
		{ "data_uptr", "(uintptr_t)entries", (uintptr_t)thread->entries },
		{ "result_uptr", "(uintptr_t)results", (uintptr_t)thread->results },
	};

	for (unsigned int i = 0; ends(field, "pasid") && i < PASIDS; i++) {
		if (value != pasids[i])
			continue;
		write_c(thread, "pasids[%u]", i);
		return true;
	}
	for (unsigned int i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (value != names[i].value || !ends(field, names[i].field))
			continue;
		write_c(thread, "%s", names[i].name);
		return true;
	}
	return false;
}

/*
 * Fields that are 0 are left out; those of bytes are padding. The first is the size of
 * all, which @name has.
 */
static void write_fields(struct thread *thread, const char *indent, const char *name,
			 size_t size, const struct field *fields, const void *from)
{
	for (const struct field *field = fields; field->name; field++) {
		const uint8_t *bytes = (const uint8_t *)from + field->at;
		uint64_t value = 0;

		if (strstr(field->name, "padding")) {
			for (unsigned int i = 0; i < field->size; i++) {
				if (bytes[i])
					write_c(thread, "%s.%s[%u] = 0x%x,\n", indent,
						field->name, i, bytes[i]);
			}
			continue;
		}
		memcpy(&value, bytes, field->size);
		if (!value)
			continue;
		write_c(thread, "%s.%s = ", indent, field->name);
		if (!field->at && value == size)
			write_c(thread, "sizeof(%s)", name);
		else if (!write_name(thread, field->name, value))
			write_c(thread, "0x%llx", (unsigned long long)value);
		write_c(thread, ",\n");
	}
}

void write_pasid(struct thread *thread, const char *indent, uint32_t pasid)
{
	static const struct field field[] = { { "pasid", 0, sizeof(pasid) }, {} };

	if (thread->c)
		write_fields(thread, indent, "", 0, field, &pasid);
}

/* Before the call is made, of which the nth allocation fails */
void write_call(struct thread *thread, unsigned long request, const void *cmd,
		unsigned int nth)
{
	const struct kind *kind = kinds;

	if (!thread->c)
		return;
	while (kind->request != request)
		kind++;
	write_c(thread, "\t{\n");
	if (request == IOMMU_GPASID_BIND) {
		write_c(thread, "\t\tstruct iommu_gpasid_bind_data data = {\n");
		write_fields(thread, "\t\t\t", "data", sizeof(thread->bind), bind_fields,
			     &thread->bind);
		write_c(thread, "\t\t};\n");
	}
	if (request == IOMMU_GPASID_INVALIDATE) {
		write_c(thread, "\t\tstruct iommu_cache_invalidate_info entries[%u] = {\n",
			ENTRIES);
		for (unsigned int i = 0; i < ENTRIES; i++) {
			write_c(thread, "\t\t\t{\n");
			write_fields(thread, "\t\t\t\t", "*entries",
				     sizeof(*thread->entries), entry_fields,
				     &thread->entries[i]);
			write_c(thread, "\t\t\t},\n");
		}
		write_c(thread, "\t\t};\n");
	}
	write_c(thread, "\t\tstruct %s cmd = {\n", kind->type);
	write_fields(thread, "\t\t\t", "cmd", kind->size, kind->fields, cmd);
	write_c(thread, "\t\t};\n\n");
	if (nth)
		write_c(thread, "\t\tfail_nth(%u);\n", nth);
	if (request == IOMMU_PASID_ALLOC)
		write_c(thread, "\t\tif (!did(\"%s\", ioctl(vmm.iommu, %s, &cmd)))\n"
			"\t\t\tpasids[%u] = cmd.out_pasid;\n", kind->number, kind->number,
			thread->slot);
	else
		write_c(thread, "\t\tdid(\"%s\", ioctl(vmm.iommu, %s, &cmd));\n",
			kind->number, kind->number);
	if (nth)
		write_c(thread, "\t\tfail_nth(0);\n");
	write_c(thread, "\t}\n");
}

static const char head[] =
	"#include <errno.h>\n"
	"#include <fcntl.h>\n"
	"#include <pthread.h>\n"
	"#include <signal.h>\n"
	"#include <stdio.h>\n"
	"#include <string.h>\n"
	"#include <unistd.h>\n"
	"#include <sys/ioctl.h>\n\n"
	"#include \"pasid-dma.h\"\n"
	"#include \"vmm.h\"\n\n"
	"static struct monitor vmm;\n"
	"static struct device dev;\n";

/* The program has those that its calls need */
static const struct {
	const char *word, *text;
} parts[] = {
	{ "pasids[", "static volatile uint32_t pasids[16];\n" },
	{ "results", "static int32_t results[1024];\n" },
	{ "did(", "\nstatic int did(const char *what, int ret)\n"
		"{\n"
		"\tprintf(\"%s: %s\\n\", what, ret ? strerror(errno) : \"done\");\n"
		"\tfflush(stdout);\n"
		"\treturn ret;\n"
		"}\n" },
	{ "fail_nth(", "\n/* The nth allocation from here on fails; 0: none */\n"
		"static void fail_nth(unsigned int nth)\n"
		"{\n"
		"\tint file = open(\"/proc/thread-self/fail-nth\", O_RDWR);\n\n"
		"\tdprintf(file, \"%u\", nth);\n"
		"\tclose(file);\n"
		"}\n" },
};

static const char *const endings[] = {
	[ORDERLY] = "", [KILLED] = "\tkill(getpid(), SIGKILL);\n",
	[CLOSED] = "\tclose(vmm.iommu);\n", [UNPLUGGED] = "",
};

/* All that was written, and the file goes */
static char *text_of(FILE *file)
{
	long length = ftell(file);
	char *text = calloc(1, length + 1);

	rewind(file);
	if (!text || fread(text, 1, length, file) != (size_t)length)
		perror("vmm_fuzz: the reproducer");
	fclose(file);
	return text;
}

static bool has(char *const *texts, unsigned int threads, const char *word)
{
	for (unsigned int i = 0; i < threads; i++) {
		if (strstr(texts[i], word))
			return true;
	}
	return false;
}

static void write_program(const struct play *play, char *const *texts, const char *said)
{
	printf("# ---- reproducer.c\n/*\n * vmm_fuzz %s, seed %llu, round %u:\n * %s\n *\n"
	       " * tests/README says how to build and run it.%s\n */\n%s",
	       on_mock ? "mock" : "vfio", (unsigned long long)play->seed, play->nr, said,
	       play->ending == UNPLUGGED ? " Meanwhile the device is unplugged." : "", head);
	for (unsigned int i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		if (has(texts, play->threads, parts[i].word))
			printf("%s", parts[i].text);
	}
	for (unsigned int i = 0; i < play->threads; i++)
		printf("\nstatic void *thread%u(void *unused)\n{\n%s\treturn unused;\n}\n",
		       i, texts[i]);
	printf("\nint main(void)\n{\n\tpthread_t threads[%u];\n\n"
	       "\tif (monitor_open(&vmm) || %s ||\n"
	       "\t    device_alloc_parent(&vmm, &dev))\n\t\treturn 2;\n",
	       play->threads, on_mock ? "mock_open(&vmm, &dev)" : "device_open(&vmm, &dev, 0)");
	for (unsigned int i = 0; i < play->threads; i++)
		printf("\tpthread_create(&threads[%u], NULL, thread%u, NULL);\n", i, i);
	for (unsigned int i = 0; i < play->threads; i++)
		printf("\tpthread_join(threads[%u], NULL);\n", i);
	printf("%s\treturn 0;\n}\n# ---- end\n", endings[play->ending]);
}

/* Its calls with their values are known when they are made */
static void write_it(struct finding *finding)
{
	struct play *last = &finding->play;
	char *texts[THREADS] = {};
	char said[256];

	for (unsigned int i = 0; i < last->threads; i++)
		last->c[i] = tmpfile();
	play(last);
	snprintf(said, sizeof(said), "%s", complaint());
	for (unsigned int i = 0; i < last->threads; i++) {
		fseek(last->c[i], 0, SEEK_END);
		texts[i] = text_of(last->c[i]);
	}
	write_program(last, texts, said);
	fflush(stdout);
}

/*
 * By one thread if that shows it, as the same calls then do the same; or by all of them.
 * @found is the round that found it, and @kind of which kind it is.
 */
void shrink(const struct play *found, int kind)
{
	unsigned int nr = log_length();
	struct record **script = calloc(nr + 1, sizeof(*script));
	struct record *copies = calloc(nr + 1, sizeof(*copies));
	struct finding finding = { .play = *found, .kind = kind };

	if (!script || !copies)
		return;
	for (unsigned int i = 0; i < nr; i++) {
		copies[i] = *log_at(i);
		script[i] = &copies[i];
	}
	finding.play.threads = 1;
	if (!shows(&finding, script, nr)) {
		finding.play.threads = THREADS;
		if (!shows(&finding, script, nr)) {
			printf("# not seen again: it needs what was before, or is a race\n");
			return;
		}
	}
	printf("# %u calls by %u thread%s show it again\n", nr, finding.play.threads,
	       finding.play.threads > 1 ? "s" : "");
	fflush(stdout);
	finding.play.calls = reduce(&finding, script, nr);
	simplify(&finding, script, finding.play.calls);
	finding.play.script = script;
	printf("# %u of them after %u plays\n", finding.play.calls, finding.plays);
	write_it(&finding);
}
