// SPDX-License-Identifier: GPL-2.0
/*
 * The IOASID of Linux 6.1 by other names, beside that of this series. "run" puts
 * the files of that kernel into a folder; nothing of them is kept.
 */
#define ioasid_alloc			old_ioasid_alloc
#define ioasid_free			old_ioasid_free
#define ioasid_find			old_ioasid_find
#define ioasid_set_data			old_ioasid_set_data
#define ioasid_register_allocator	old_ioasid_register_allocator
#define ioasid_unregister_allocator	old_ioasid_unregister_allocator

#include "linux-6.1/ioasid.c"
