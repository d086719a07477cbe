/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* From "everything is attached" to "time to end": signals, limits, the command. */
#ifndef LOOP_H
#define LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include <bpf/libbpf.h>

enum stop_reason {
	GO_ON,
	STOP_SIGNAL,
	STOP_DURATION,
	STOP_LIMIT,
	STOP_COMMAND,
	STOP_OUTPUT,		/* nobody reads it any more, or it cannot be written */
};
extern const char *const stop_names[];

/* The program to run, as whom */
struct command {
	char **argv;		/* NULL: nothing */
	const struct user *user;	/* NULL: as the tool */
};

struct loop {
	enum stop_reason stop;
	uint64_t deadline_ns;	/* CLOCK_MONOTONIC, 0: none */
	int drain_ms;		/* look for events that often, 0: when woken only */
	int tick_ms;
	uint64_t next_tick_ns;	/* CLOCK_MONOTONIC */
	int child;		/* pid of the command, 0: none */
	int child_go;		/* a byte into it lets the command run */
	int child_status;	/* from waitpid() */
	bool child_done;
};

uint64_t now_ns(int clock);
/* Starts to catch signals and prepares the command, if there is one, which waits. */
bool loop_init(struct loop *loop, const struct command *cmd);
/* Writes the ready file, lets the command run, starts the clock. */
bool loop_start(struct loop *loop, const char *ready_file, uint64_t duration_ms);
/*
 * Waits for events of rb, which may be NULL, for a signal, or until it is time to look.
 * False after an error was told.
 */
bool loop_wait(struct loop *loop, struct ring_buffer *rb);
/* True once each loop->tick_ms, also if there are no events. */
bool loop_tick(struct loop *loop);
/* How long to wait for events; for the unit tests */
int loop_timeout_ms(const struct loop *loop);
/* True when it is time to end. Cheap, for use in each ring buffer callback. */
bool loop_stopping(struct loop *loop);
/* Ends a command that still runs, and waits for that. */
void loop_end(struct loop *loop);
/*
 * The last thing to do: the exit code that the command stands for, if it ended the
 * trace. Does not return if a signal ended the command: this process dies of it.
 */
int loop_status(const struct loop *loop);

#endif /* LOOP_H */
