/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The user that a command runs as. */
#ifndef USER_H
#define USER_H

#include <stdbool.h>
#include <sys/types.h>

#define USER_MAX_GROUPS	64

struct user {
	uid_t uid;
	gid_t gid;
	int nr_groups;
	gid_t groups[USER_MAX_GROUPS];
};

/* By name or number; NULL, or what is wrong in err. */
const char *user_find(const char *name, struct user *user, char *err, size_t len);
/* 0, or -1 with errno set. NULL: nothing to do */
int user_become(const struct user *user);

#endif /* USER_H */
