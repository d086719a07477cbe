/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef ROOM_H
#define ROOM_H

#include <stdlib.h>

/*
 * Room for one more element behind the @n of @array, a pointer that starts as NULL: there
 * is room for twice as many each time that it is full, when n is 0 or a power of two.
 * False if there is no memory; the array stays as it is then.
 */
#define room_for_one(array, n) ({						\
	size_t n_ = (n);							\
	void *more_ = n_ & (n_ - 1) ? (array) :					\
		      reallocarray((array), n_ ? 2 * n_ : 1, sizeof(*(array)));	\
										\
	if (more_)								\
		(array) = more_;						\
	!!more_;								\
})

#endif
