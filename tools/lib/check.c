// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <glob.h>
#include <stdio.h>
#include <string.h>

#include <sys/utsname.h>

#include "cause.h"
#include "check.h"
#include "out.h"

struct facts {
	struct utsname uts;
	char lockdown[32];		/* "": not known */
	bool functions;			/* whether programs on them run */
	bool btf;
	json_t *caps;			/* those that this process has */
	json_t *units;			/* IOMMUs that are on */
};

static json_t *names_of(uint32_t bits, const char *const *names, int nr)
{
	json_t *list = json_array();

	for (int i = 0; i < nr; i++) {
		if (bits & 1U << i)
			json_array_append_new(list, json_string(names[i]));
	}
	return list;
}

static struct facts get_facts(void)
{
	int caps = probe_have_caps();
	struct facts facts = {
		.functions = !probe_functions_off(),
		.btf = probe_has_btf(),
		.caps = names_of(caps < 0 ? 0 : caps, probe_cap_names, PROBE_NR_CAPS),
		.units = json_array(),
	};
	glob_t found;

	uname(&facts.uts);
	cause_read_lockdown(facts.lockdown, sizeof(facts.lockdown));
	if (glob("/sys/class/iommu/*", 0, NULL, &found))
		return facts;
	for (size_t i = 0; i < found.gl_pathc; i++)
		json_array_append_new(facts.units,
				      json_string(strrchr(found.gl_pathv[i], '/') + 1));
	globfree(&found);
	return facts;
}

static const char *hook_name(const struct trace *t, int event, char *buf, size_t size)
{
	return t->chosen[event] ? probe_hook_name(t->chosen[event], buf, size) : NULL;
}

static void print_json(const struct trace *t, const struct facts *facts, json_t *missing,
		       int ret)
{
	json_t *hooks = json_object();
	const char *name;
	char buf[96];

	for (int i = 0; t->tool->names[i]; i++) {
		name = hook_name(t, i, buf, sizeof(buf));
		json_object_set_new(hooks, t->tool->names[i],
				    name ? json_string(name) : json_null());
	}
	out_json(json_pack("{s:s, s:s, s:s, s:s, s:O, s:b, s:o, s:b, s:O, s:o, s:O, s:i}",
			   "type", "check", "tool", t->tool->cli.name,
			   "version", TOOLS_VERSION, "kernel", facts->uts.release,
			   "capabilities", facts->caps, "btf", facts->btf,
			   "lockdown", facts->lockdown[0] ? json_string(facts->lockdown) :
				       json_null(),
			   "functions", facts->functions, "units", facts->units,
			   "hooks", hooks, "missing", missing, "status", ret));
}

static void print_list(const char *title, const json_t *list)
{
	const json_t *name;
	size_t i;

	out_text("%-10s", title);
	json_array_foreach(list, i, name)
		out_text(" %s", json_string_value(name));
	out_text("%s\n", json_array_size(list) ? "" : " -");
}

static void print_text(const struct trace *t, const struct facts *facts, json_t *missing,
		       int ret)
{
	char buf[96];

	out_text("%-10s %s\n", "kernel", facts->uts.release);
	print_list("rights", facts->caps);
	out_text("%-10s %s\n%-10s %s\n%-10s %s\n", "BTF", facts->btf ? "yes" : "no",
		 "lockdown", facts->lockdown[0] ? facts->lockdown : "-",
		 "functions", facts->functions ? "on" : "off");
	print_list("units", facts->units);
	for (int ev = 0; t->tool->names[ev]; ev++)
		out_text("%-10s %s\n", t->tool->names[ev],
			 hook_name(t, ev, buf, sizeof(buf)) ?: "-");
	print_list("missing", missing);
	out_text("%-10s %s\n", "can trace", ret ? "no" : "yes");
}

int check_tell(const struct trace *t, int ret)
{
	struct facts facts = get_facts();
	json_t *missing = names_of(t->missing, t->tool->names, EMIT_SLOTS);
	int error;

	if (t->cli.json)
		print_json(t, &facts, missing, ret);
	else
		print_text(t, &facts, missing, ret);
	json_decref(missing);
	json_decref(facts.caps);
	json_decref(facts.units);
	error = out_flush();
	if (!error)
		return ret;
	msg("cannot write %s: %s.", t->cli.output ?: "the output", strerror(error));
	return EXIT_RUNTIME;
}
