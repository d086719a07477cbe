// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The completion of bash for a tool, made from the rows of its options. */
#include <string.h>

#include "options.h"

/* What completes the argument, as words of bash; NULL: nothing can */
static const char *completes(const struct cli_tool *tool, int id)
{
	switch (id) {
	case CLI_PID: return "-W \"$(cd /proc && echo [0-9]*)\"";
	case CLI_BY: return "-W \"type device pasid\"";
	default: break;
	}
	switch (rows[id].type) {
	case ROW_USER: return "-u";
	case ROW_STRING: return !strcmp(rows[id].arg, "FILE") ? "-f" : NULL;
	case ROW_EVENTS: return tool->events ? "-W \"$events\"" : NULL;
	default: return NULL;
	}
}

static void print_case(const struct cli_tool *tool, int id, FILE *f)
{
	const char *words = completes(tool, id);

	fprintf(f, "\t");
	if (rows[id].letter)
		fprintf(f, "-%c | ", rows[id].letter);
	fprintf(f, "--%s)\n", rows[id].name);
	if (words)
		fprintf(f, "\t\tmapfile -t COMPREPLY < <(compgen %s -- \"$cur\")\n", words);
	fprintf(f, "\t\treturn ;;\n");
}

void cli_completion(const struct cli_tool *tool, FILE *f)
{
	const char *blank = "";

	fprintf(f, "# bash completion for %s(8), made by itself\n_%s() {\n"
		"\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}\n",
		tool->name, tool->name);
	if (tool->events) {
		fprintf(f, "\tlocal events=\"");
		for (int i = 0; tool->events[i]; i++)
			fprintf(f, "%s%s", i ? " " : "", tool->events[i]);
		fprintf(f, "\"\n");
	}
	fprintf(f, "\tif [[ \" ${COMP_WORDS[*]:1:COMP_CWORD - 1} \" == *\" -- \"* ]]; then\n"
		"\t\tmapfile -t COMPREPLY < <(compgen -c -- \"$cur\")\n\t\treturn\n\tfi\n"
		"\tcase $prev in\n");
	for (int i = 0; i < CLI_NR; i++) {
		if (option_of(tool, i) && !rows[i].hidden && rows[i].arg &&
		    !option_is_optional(i))
			print_case(tool, i, f);
	}
	fprintf(f, "\tesac\n\tmapfile -t COMPREPLY < <(compgen -W \"");
	for (int i = 0; i < CLI_NR; i++) {
		if (!option_of(tool, i) || rows[i].hidden)
			continue;
		fprintf(f, "%s--%s", blank, rows[i].name);
		blank = " ";
	}
	fprintf(f, "\" -- \"$cur\")\n}\ncomplete -o default -F _%s %s\n", tool->name, tool->name);
}
