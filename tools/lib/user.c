// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "user.h"

/*
 * The files are read here, as getpwnam() loads libraries, which a static program
 * cannot rely on. Users of a network are not found, and that is said.
 */
#define PASSWD	"/etc/passwd"
#define GROUP	"/etc/group"

static bool is(const struct passwd *pw, const char *name)
{
	uint64_t uid;

	return !strcmp(pw->pw_name, name) ||
	       (parse_u64(name, 0, UINT32_MAX - 1, &uid) && uid == pw->pw_uid);
}

static void add_groups(struct user *user, const char *name)
{
	FILE *f = fopen(GROUP, "re");
	struct group *gr;

	while (f && (gr = fgetgrent(f)) && user->nr_groups < USER_MAX_GROUPS) {
		for (char **member = gr->gr_mem; *member; member++) {
			if (!strcmp(*member, name) && gr->gr_gid != user->gid) {
				user->groups[user->nr_groups++] = gr->gr_gid;
				break;
			}
		}
	}
	if (f)
		fclose(f);
}

const char *user_find(const char *name, struct user *user, char *err, size_t len)
{
	FILE *f = fopen(PASSWD, "re");
	struct passwd *pw = NULL;

	if (!f) {
		snprintf(err, len, "cannot read " PASSWD ": %s", strerror(errno));
		return err;
	}
	while ((pw = fgetpwent(f)) && !is(pw, name))
		;
	if (pw) {
		*user = (struct user){ pw->pw_uid, pw->pw_gid, 1, { pw->pw_gid } };
		add_groups(user, pw->pw_name);
	} else {
		snprintf(err, len, "'%.64s' is not a user in " PASSWD, name);
	}
	fclose(f);
	return pw ? NULL : err;
}

int user_become(const struct user *user)
{
	if (!user)
		return 0;
	return setgroups(user->nr_groups, user->groups) || setgid(user->gid) ||
	       setuid(user->uid) ? -1 : 0;
}
