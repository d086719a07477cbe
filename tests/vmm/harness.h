/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's harness of selftests, with more patience */
#ifndef VMM_HARNESS_H
#define VMM_HARNESS_H

#include "kselftest_harness.h"

/* With KASAN and on a busy machine tests take longer than the harness thinks */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	240

#endif
