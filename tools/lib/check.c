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
	json_t *units;			/* IOMMUs that are on */
};

static struct facts get_facts(void)
{
	struct facts facts = { .functions = !probe_functions_off(), .units = json_array() };
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

static void print_json(const struct trace *t, const struct facts *facts, int ret)
{
	json_t *hooks = json_object();
	const char *name;
	char buf[96];

	for (int i = 0; t->tool->names[i]; i++) {
		name = hook_name(t, i, buf, sizeof(buf));
		json_object_set_new(hooks, t->tool->names[i],
				    name ? json_string(name) : json_null());
	}
	out_json(json_pack("{s:s, s:s, s:s, s:s, s:o, s:b, s:O, s:o, s:i}", "type", "check",
			   "tool", t->tool->cli.name, "version", TOOLS_VERSION,
			   "kernel", facts->uts.release,
			   "lockdown", facts->lockdown[0] ? json_string(facts->lockdown) :
				       json_null(),
			   "functions", facts->functions, "units", facts->units,
			   "hooks", hooks, "status", ret));
}

static void print_text(const struct trace *t, const struct facts *facts, int ret)
{
	size_t i;
	json_t *unit;
	char buf[96];

	out_text("%-10s %s\n%-10s %s\n%-10s %s\n%-10s", "kernel", facts->uts.release,
		 "lockdown", facts->lockdown[0] ? facts->lockdown : "-",
		 "functions", facts->functions ? "on" : "off", "units");
	json_array_foreach(facts->units, i, unit)
		out_text(" %s", json_string_value(unit));
	out_text("%s\n", json_array_size(facts->units) ? "" : " -");
	for (int ev = 0; t->tool->names[ev]; ev++)
		out_text("%-10s %s\n", t->tool->names[ev],
			 hook_name(t, ev, buf, sizeof(buf)) ?: "-");
	out_text("%-10s %s\n", "can trace", ret ? "no" : "yes");
}

int check_tell(const struct trace *t, int ret)
{
	struct facts facts = get_facts();
	int error;

	if (t->cli.json)
		print_json(t, &facts, ret);
	else
		print_text(t, &facts, ret);
	json_decref(facts.units);
	error = out_flush();
	if (!error)
		return ret;
	msg("cannot write %s: %s.", t->cli.output ?: "the output", strerror(error));
	return EXIT_RUNTIME;
}
