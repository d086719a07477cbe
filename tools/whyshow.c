// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdio.h>
#include <string.h>

#include "whyshow.h"

#define WIDTH		79

const char *const why_words[WHY_NR_GOALS] = {
	[WHY_SVA] = "sva",
	[WHY_NEST] = "nest",
	[WHY_GUEST] = "guest",
};

static const struct {
	const char *title;
	char letter;
} titles[WHY_NR_GOALS] = {
	[WHY_SVA] = { "host SVA", 'S' },
	[WHY_NEST] = { "nesting, whole devices", 'N' },
	[WHY_GUEST] = { "PASIDs of guests", 'G' },
};

static const struct {
	const char *word, *verdict;
} states[] = {
	[WHY_OK] = { "ok", "yes" },
	[WHY_MISSING] = { "missing", "no" },
	[WHY_UNKNOWN] = { "unknown", "unknown" },
	[WHY_NOTE] = { "note", NULL },
};

/* --- text ----------------------------------------------------------------- */

static const char *letters(unsigned int of)
{
	static char text[WHY_NR_GOALS + 1];

	for (int i = 0; i < WHY_NR_GOALS; i++)
		text[i] = of & 1U << i ? titles[i].letter : '-';
	return text;
}

static unsigned int asked_for;	/* as bits WHY_S and so on */

static bool asked(const struct why_check *c)
{
	return !c->goals || c->goals & asked_for;
}

/* Words up to the width, later lines indented as the first */
static void wrap(int indent, const char *text)
{
	int column = 0;

	while (*text) {
		int len = strcspn(text, " ");

		if (column && column + 1 + len > WIDTH) {
			putchar('\n');
			column = 0;
		}
		column += printf("%*s%.*s", column ? 1 : indent, "", len, text);
		text += len;
		text += strspn(text, " ");
	}
	putchar('\n');
}

/* The same advice for several checks, as of several units, is given once. */
static bool advised_before(const struct why_result *r, int nr)
{
	for (int i = 0; i < nr; i++) {
		if (asked(&r->checks[i]) && r->checks[i].advice == r->checks[nr].advice)
			return true;
	}
	return false;
}

/* Under each file what was read there */
static void print_table(const struct why_result *r)
{
	const char *where = "";

	printf("FOR STATE   WHAT\n");
	for (int i = 0; i < r->nr; i++) {
		const struct why_check *c = &r->checks[i];

		if (!asked(c))
			continue;
		if (strcmp(c->where, where))
			printf("%s, %s:\n", c->of, c->where);
		where = c->where;
		printf("%s %-7s %s\n", letters(c->goals), states[c->state].word, c->what);
		if (c->advice && !advised_before(r, i))
			wrap(12, c->advice);
	}
}

static void print_verdicts(const struct why_result *r)
{
	putchar('\n');
	for (int i = 0; i < WHY_NR_GOALS; i++) {
		if (asked_for & 1U << i)
			printf("%c   %-7s %s\n", titles[i].letter,
			       states[why_verdict(r, i)].verdict, titles[i].title);
	}
}

/* --- JSON ----------------------------------------------------------------- */

/* Device names and paths of sysfs are printable ASCII; all else becomes '?'. */
static void json_text(const char *key, const char *text, const char *end)
{
	printf("\"%s\":\"", key);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			printf("\\%c", *text);
		else
			putchar(*text >= ' ' && *text <= '~' ? *text : '?');
	}
	printf("\"%s", end);
}

static void json_nullable(const char *key, const char *text, const char *end)
{
	if (text && text[0])
		json_text(key, text, end);
	else
		printf("\"%s\":null%s", key, end);
}

static void json_check(const struct why_check *c)
{
	const char *comma = "";

	printf("{\"type\":\"check\",");
	json_text("state", states[c->state].word, ",");
	printf("\"for\":[");
	for (int i = 0; i < WHY_NR_GOALS; i++) {
		if (!(c->goals & 1U << i))
			continue;
		printf("%s\"%s\"", comma, why_words[i]);
		comma = ",";
	}
	printf("],");
	json_text("of", c->of, ",");
	json_text("what", c->what, ",");
	json_text("where", c->where, ",");
	json_nullable("advice", c->advice, "}\n");
}

static void print_json(const struct why_facts *f, const struct why_result *r)
{
	printf("{\"type\":\"start\",\"tool\":\"pasidwhy\",\"version\":1,");
	json_text("kernel", f->release, ",");
	json_nullable("device", f->dev.name, ",");
	json_nullable("unit", f->dev.unit, "}\n");
	for (int i = 0; i < r->nr; i++) {
		if (asked(&r->checks[i]))
			json_check(&r->checks[i]);
	}
	printf("{\"type\":\"end\"");
	for (int i = 0; i < WHY_NR_GOALS; i++) {
		putchar(',');
		json_nullable(why_words[i], asked_for & 1U << i ?
			      states[why_verdict(r, i)].verdict : NULL, "");
	}
	printf("}\n");
}

/* --- errors ------------------------------------------------------------------- */

/* From the call to where the error is from, each line a function further in */
static void print_error(const struct why_error *e)
{
	const char *name = strerrorname_np(-e->ret);

	printf("%s %d: %s (%d)", e->comm, e->pid, name ?: "?", e->ret);
	if (e->times > 1)
		printf(", %d times", e->times);
	putchar('\n');
	for (int i = e->depth; i--; )
		printf("%*s%s%s\n", 2 + 2 * (e->depth - 1 - i), "", e->functions[i],
		       i ? "" : "  <- from here");
}

static void json_error(const struct why_error *e)
{
	const char *name = strerrorname_np(-e->ret);

	printf("{\"type\":\"error\",");
	json_text("comm", e->comm, ",");
	printf("\"pid\":%d,\"ret\":%d,", e->pid, e->ret);
	json_nullable("err", name, ",");
	printf("\"times\":%d,\"functions\":[", e->times);
	for (int i = e->depth; i--; )
		printf("\"%s\"%s", e->functions[i], i ? "," : "");
	printf("]}\n");
}

void why_show_error(const struct why_error *e, bool json)
{
	if (json)
		json_error(e);
	else
		print_error(e);
}

void why_show(const struct why_facts *f, const struct why_result *r, unsigned int goals,
	      bool json)
{
	asked_for = goals;
	if (json) {
		print_json(f, r);
		return;
	}
	print_table(r);
	print_verdicts(r);
}
