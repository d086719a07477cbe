// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "cli.h"
#include "loop.h"
#include "out.h"
#include "user.h"

const char *const stop_names[] = {
	[GO_ON] = "none",
	[STOP_SIGNAL] = "signal",
	[STOP_DURATION] = "duration",
	[STOP_LIMIT] = "limit",
	[STOP_COMMAND] = "command",
	[STOP_OUTPUT] = "output",
};

/* A command that has been told to end is given that long. */
#define GRACE_MS	5000

static int wake_fd = -1;
static volatile sig_atomic_t got_signal, got_child;
static volatile sig_atomic_t child_pid;	/* while it is ours to kill */

uint64_t now_ns(int clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static void end_at_once(void)
{
	if (child_pid)
		kill(child_pid, SIGKILL);
	_exit(EXIT_INTERRUPT);
}

/*
 * The eventfd makes a signal that comes just before poll() wake it. A write()
 * to a pipe that is full goes on after a first Ctrl-C, so a second one must be
 * able to end the tool from here.
 */
static void on_signal(int sig)
{
	int saved = errno;
	uint64_t one = 1;
	ssize_t ret;

	if (sig == SIGCHLD)
		got_child = 1;
	else if (got_signal && sig == SIGINT)
		end_at_once();
	else
		got_signal = 1;
	ret = write(wake_fd, &one, sizeof(one));
	(void)ret;	/* full means it is readable, which is all we want */
	errno = saved;
}

/* As sent to the command: by whatever the tool ends, the command does not stay. */
#define END_SIGNAL	SIGTERM

static void run_child(const struct command *cmd, int go, int failed)
{
	char c;

	out_restore_signals();
	if (read(go, &c, 1) != 1)	/* nothing is traced, so nothing is run */
		_exit(127);
	/* a change of user would take the signal back, so it comes last */
	if (!user_become(cmd->user) && !prctl(PR_SET_PDEATHSIG, END_SIGNAL))
		execvp(cmd->argv[0], cmd->argv);
	c = errno;
	if (write(failed, &c, 1) != 1)
		_exit(126);
	_exit(127);
}

/*
 * The pipe back closes at exec, so the errno of a failed exec comes before the
 * end of file. It is read in loop_start().
 */
static int child_failed = -1;

static bool start_child(struct loop *loop, const struct command *cmd)
{
	int go[2], failed[2];

	if (pipe2(go, O_CLOEXEC) || pipe2(failed, O_CLOEXEC))
		return false;
	loop->child = fork();
	if (loop->child < 0)
		return false;
	if (!loop->child) {
		close(go[1]);
		run_child(cmd, go[0], failed[1]);
	}
	child_pid = loop->child;
	close(go[0]);
	close(failed[1]);
	loop->child_go = go[1];
	child_failed = failed[0];
	return true;
}

/* A signal that is ignored from outside stays so, as with nohup. */
static void catch_hangup(const struct sigaction *sa)
{
	struct sigaction old;

	if (!sigaction(SIGHUP, NULL, &old) && old.sa_handler != SIG_IGN)
		sigaction(SIGHUP, sa, NULL);
}

bool loop_init(struct loop *loop, const struct command *cmd)
{
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

	*loop = (struct loop){ .tick_ms = loop->tick_ms ?: 1000, .drain_ms = loop->drain_ms };
	wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (wake_fd < 0 || (cmd->argv && !start_child(loop, cmd))) {
		msg("cannot start: %s.", strerror(errno));
		return false;
	}
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	catch_hangup(&sa);
	sigaction(SIGCHLD, &sa, NULL);
	return true;
}

bool loop_start(struct loop *loop, const char *ready_file, uint64_t duration_ms)
{
	uint64_t now = now_ns(CLOCK_MONOTONIC);

	loop->next_tick_ns = now + loop->tick_ms * 1000000ULL;
	if (duration_ms)
		loop->deadline_ns = now + duration_ms * 1000000;
	if (ready_file) {
		int fd = open(ready_file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

		if (fd < 0) {
			msg("cannot write %s: %s.", ready_file, strerror(errno));
			return false;
		}
		close(fd);
	}
	if (loop->child) {
		char err = 0;

		if (write(loop->child_go, &err, 1) != 1 || read(child_failed, &err, 1)) {
			msg("cannot run the command: %s.", strerror(err));
			return false;
		}
	}
	return true;
}

static void reap(struct loop *loop)
{
	siginfo_t info = {};

	got_child = 0;
	if (!loop->child || loop->child_done ||
	    waitid(P_PID, loop->child, &info, WEXITED | WNOHANG | WNOWAIT) || !info.si_pid)
		return;
	child_pid = 0;	/* from here on the number may be another's */
	waitpid(loop->child, &loop->child_status, 0);
	loop->child_done = true;
}

bool loop_stopping(struct loop *loop)
{
	if (loop->stop)
		return true;
	if (got_child)
		reap(loop);
	if (got_signal)
		loop->stop = STOP_SIGNAL;
	else if (out_error())
		loop->stop = STOP_OUTPUT;
	else if (loop->child_done)
		loop->stop = STOP_COMMAND;
	else if (loop->deadline_ns && now_ns(CLOCK_MONOTONIC) >= loop->deadline_ns)
		loop->stop = STOP_DURATION;
	return loop->stop;
}

/* Never longer than a tick, so it fits an int whatever the deadline is. */
int loop_timeout_ms(const struct loop *loop)
{
	uint64_t now = now_ns(CLOCK_MONOTONIC), until = loop->next_tick_ns;
	int ms;

	if (loop->deadline_ns && loop->deadline_ns < until)
		until = loop->deadline_ns;
	ms = until > now ? (until - now) / 1000000 + 1 : 0;
	return loop->drain_ms && ms > loop->drain_ms ? loop->drain_ms : ms;
}

/* A late tick is not made up for: the next one is a whole period away. */
bool loop_tick(struct loop *loop)
{
	uint64_t now = now_ns(CLOCK_MONOTONIC);

	if (now < loop->next_tick_ns)
		return false;
	loop->next_tick_ns = now + loop->tick_ms * 1000000ULL;
	return true;
}

bool loop_wait(struct loop *loop, struct ring_buffer *rb)
{
	struct pollfd fds[] = {
		{ .fd = wake_fd, .events = POLLIN },
		{ .fd = rb ? ring_buffer__epoll_fd(rb) : -1, .events = POLLIN },
		{ .fd = out_fd() },	/* only for POLLERR: the reader went away */
	};
	uint64_t count;

	/* all that was read since the last time is one write */
	if (out_flush() && loop_stopping(loop))
		return true;
	if (poll(fds, 3, loop_timeout_ms(loop)) < 0 && errno != EINTR) {
		msg("cannot wait for events: %s.", strerror(errno));
		return false;
	}
	if (read(wake_fd, &count, sizeof(count)) < 0 && !loop_stopping(loop) &&
	    fds[2].revents & (POLLERR | POLLHUP))
		loop->stop = STOP_OUTPUT;
	return true;
}

/* False if it has not ended by then. */
static bool wait_child(struct loop *loop, int ms)
{
	struct pollfd fd = { .fd = wake_fd, .events = POLLIN };
	uint64_t count, until = now_ns(CLOCK_MONOTONIC) + ms * 1000000ULL;

	while (reap(loop), !loop->child_done) {
		int64_t left = (int64_t)(until - now_ns(CLOCK_MONOTONIC)) / 1000000;

		if (left <= 0)
			return false;
		if (poll(&fd, 1, left) > 0 && read(wake_fd, &count, sizeof(count)) < 0)
			return false;
	}
	return true;
}

void loop_end(struct loop *loop)
{
	reap(loop);
	if (!loop->child || loop->child_done)
		return;
	kill(loop->child, END_SIGNAL);
	kill(loop->child, SIGCONT);
	if (wait_child(loop, GRACE_MS))
		return;
	msg("the command goes on after SIGTERM; it is killed.");
	kill(loop->child, SIGKILL);
	wait_child(loop, GRACE_MS);
}

/* A core of the tool would tell nothing of the command. */
static void die_of(int sig)
{
	struct rlimit none = {};

	setrlimit(RLIMIT_CORE, &none);
	signal(sig, SIG_DFL);
	raise(sig);
}

int loop_status(const struct loop *loop)
{
	int status = loop->child_status;

	if (loop->stop != STOP_COMMAND)
		return EXIT_OK;
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	die_of(WTERMSIG(status));
	return 128 + WTERMSIG(status);
}
