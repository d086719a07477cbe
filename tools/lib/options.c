// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "options.h"

#define IN(member)	offsetof(struct cli, member)
#define MAX_PID		4194304
#define MAX_SIZE	(1 << 20)

/*
 * The letters of all tools. A tool may leave rows out, but a letter never means
 * something else. I is kept free for what comes: iommu.
 */
const struct row rows[CLI_NR] = {
	[CLI_PID] = { 'p', 0, "pid", "PID", "only this process (thread group)",
		      ROW_U32, IN(filter.tgid), 1, MAX_PID },
	[CLI_TID] = { 't', 0, "tid", "TID", "only this thread", ROW_U32, IN(tid), 1, MAX_PID },
	[CLI_PASID] = { 'P', 0, "pasid", "LIST", "only these PASIDs, e.g. 33,0x40-0x4f",
			ROW_PASIDS, IN(filter) },
	[CLI_DEVICE] = { 'D', 0, "device", "NAME", "only this device, e.g. 0000:3a:01.0",
			 ROW_DEVICE, IN(device) },
	[CLI_EVENT] = { 'e', 0, "event", "LIST", "only these events",
			ROW_EVENTS, IN(events) },
	[CLI_FAILED] = { 'x', 0, "failed", NULL, "only what failed",
			 ROW_COUNT, IN(filter.failed_only) },
	[CLI_CGROUP] = { 'c', 0, "cgroup", "CGROUP", "only what is done in it, or below it",
			 ROW_STRING, IN(cgroup) },
	[CLI_DURATION] = { 'd', 0, "duration", "TIME",
			   "end after TIME, e.g. 10, 0.5 (s), 500ms, 2m",
			   ROW_TIME, IN(duration_ms) },
	[CLI_LIMIT] = { 'n', 0, "limit", "N", "end after N events",
			ROW_U64, IN(limit), 1, UINT64_MAX },
	[CLI_TIME] = { 'T', 0, "time", NULL, "time of day instead of seconds",
		       ROW_BOOL, IN(wall) },
	[CLI_WIDE] = { 'w', 0, "wide", NULL, "more columns", ROW_BOOL, IN(wide) },
	[CLI_JSON] = { 'j', 0, "json", NULL, "one JSON object per line", ROW_BOOL, IN(json) },
	[CLI_OUTPUT] = { 'o', 0, "output", "FILE", "write there, and leave stdout to CMD",
			 ROW_STRING, IN(output) },
	[CLI_LIFE] = { 0, 0, "life", NULL, "one line per PASID, when it is free again",
		       ROW_BOOL, IN(life) },
	[CLI_STUCK] = { 0, 0, "stuck", "[=TIME]",
			"only what waits for TIME (default 1 s) or longer",
			ROW_TIME, IN(stuck_ms) },
	[CLI_ONCE] = { 0, 0, "once", NULL, "list what is there, and end", ROW_BOOL, IN(once) },
	[CLI_OLDER] = { 0, 0, "older", "TIME", "who has allocated what lives longer, and where",
			ROW_TIME, IN(older_ms) },
	[CLI_BY] = { 'b', 0, "by", "KEY", "one for each of these: type, device, pasid",
		     ROW_STRING, IN(by) },
	[CLI_SORT] = { 's', 0, "sort", "KEY", "by this key of the JSON, the largest first",
		       ROW_STRING, IN(sort) },
	[CLI_ROWS] = { 'r', 0, "rows", "N", "so many rows at most", ROW_U32, IN(rows), 1, MAX_SIZE },
	[CLI_PROM] = { 0, 0, "prom", "FILE", "write it each time, for Prometheus",
		       ROW_STRING, IN(prom) },
	[CLI_FOLLOW] = { 0, 0, "follow", NULL, "only CMD and what it starts",
			 ROW_BOOL, IN(follow) },
	[CLI_USER] = { 'u', 0, "user", "USER", "run CMD as this user", ROW_USER, IN(user) },
	[CLI_STRICT] = { 0, 0, "strict", NULL, "exit 1 if any event was lost or missed",
			 ROW_BOOL, IN(strict) },
	[CLI_BUFFER] = { 0, 0, "buffer-kb", "N", "ring buffer, a power of two (default 1024)",
			 ROW_POWER, IN(buffer_kb), 4, MAX_SIZE },
	[CLI_IN_FLIGHT] = { 0, 0, "in-flight", "N",
			    "requests under way at a time (default 8192)",
			    ROW_U32, IN(in_flight), 1, MAX_SIZE },
	[CLI_CHECK] = { 0, 0, "check", NULL, "tell whether it can trace here, and how; then end",
			ROW_BOOL, IN(check) },
	[CLI_VERBOSE] = { 'v', 0, "verbose", NULL, "print the plan; -vv: libbpf's log too",
			  ROW_COUNT, IN(verbose) },
	[CLI_VERSION] = { 0, 0, "version", NULL, "print the version" },
	[CLI_HELP] = { 'h', 0, "help", NULL, "print this text" },
	[CLI_READY] = { 0, 1, "ready-file", "FILE", "", ROW_STRING, IN(ready) },
	[CLI_RECORD] = { 0, 0, "record", "FILE", "also write what was seen there, for --replay",
			 ROW_STRING, IN(record) },
	[CLI_REPLAY] = { 0, 0, "replay", "FILE", "show that instead of what happens now",
			 ROW_STRING, IN(replay) },
	[CLI_RECORD_MB] = { 0, 0, "record-mb", "N", "keep two files of so many MiB, FILE and FILE.1",
			    ROW_U32, IN(record_mb), 1, MAX_SIZE },
	[CLI_MEMBERS] = { 0, 1, "members", NULL, "", ROW_BOOL, IN(members) },
	[CLI_HOOKS] = { 0, 1, "no-tracepoints", NULL, "", ROW_BOOL, IN(no_tracepoints) },
};

bool option_of(const struct cli_tool *tool, int id)
{
	return tool->options & (1ULL << id);
}

bool option_is_optional(int id)
{
	return rows[id].arg && rows[id].arg[0] == '[';
}
