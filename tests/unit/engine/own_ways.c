/* SPDX-License-Identifier: Apache-2.0 */
#include "own_ways.h"

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <wchar.h>

/* What the sanitizers would report first. */
#define FAULTY __attribute__((no_sanitize("thread", "undefined", "address")))
#define HELPER FAULTY static __attribute__((noinline))

static char *volatile bad = (char *)8;
static char *volatile worse; /* far from NULL, and nobody's: sanitizers map a great deal */
static volatile size_t small = 24, large = 1 << 20;
static char *volatile good;
static char room[256] = "twenty-four bytes and so on";
static volatile int zero, sink;

__attribute__((constructor)) static void reserve(void)
{
	worse = mmap(NULL, 1 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

HELPER void use_room(void)
{
	good = room;
}

HELPER int book_best(const int *levels, int depth)
{
	int sum = 0;
	for (int i = 0; i < depth; i++)
		sum += levels[i] * (i ^ 3);
	return sum;
}

FAULTY static void in_a_helper(void)
{
	sink = book_best((const int *)(void *)bad, 4 + zero);
}

HELPER int go_down(int depth) // NOLINT(misc-no-recursion)
{
	return depth ? go_down(depth - 1) + 1 : *worse;
}

FAULTY static void deep_in_helpers(void)
{
	sink = go_down(50 + zero);
}

FAULTY static void by_division(void)
{
#if defined(__x86_64__)
	sink = 7 / zero;
#else
	__builtin_trap(); /* a division by zero gives 0 on arm64 */
#endif
}

FAULTY static void by_a_trap(void)
{
	__builtin_trap();
}

/* Nobody can walk a stack that is not there. */
FAULTY static void without_a_stack(void)
{
#if defined(__x86_64__)
	__asm__ volatile("mov $16, %%rsp\n\tpush %%rax" ::: "memory");
#else
	__builtin_trap();
#endif
}

/* Functions of libc; those that end in a call leave no frame where the compiler optimises. */
#define LIBC(name, expression)        \
	FAULTY static void name(void) \
	{                             \
		use_room();           \
		expression;           \
	}

LIBC(memcpy_to, memcpy(bad, good, small))
LIBC(memcpy_from, memcpy(good, worse, small))
LIBC(memcpy_much, memcpy(worse, bad, large))
LIBC(memmove_to, memmove(bad, good, small))
LIBC(memset_little, memset(bad, 0, small))
LIBC(memset_much, memset(bad, 0, large))
LIBC(memcmp_with, sink = memcmp(good, bad, small))
LIBC(memchr_in, sink = memchr(worse, 'x', large) != NULL)
LIBC(strlen_of, sink = (int)strlen(bad))
LIBC(strnlen_of, sink = (int)strnlen(worse, large))
LIBC(strcpy_from, strcpy(good, bad))
LIBC(strncpy_to, strncpy(bad, good, small))
LIBC(strcat_to, strcat(bad, good))
LIBC(strcmp_with, sink = strcmp(good, bad))
LIBC(strncmp_with, sink = strncmp(bad, good, small))
LIBC(strcasecmp_with, sink = strcasecmp(bad, good))
LIBC(strchr_in, sink = strchr(worse, 'x') != NULL)
LIBC(strrchr_in, sink = strrchr(bad, 'x') != NULL)
LIBC(strstr_in, sink = strstr(bad, good) != NULL)
LIBC(strspn_in, sink = (int)strspn(bad, good))
LIBC(strtok_in, char *rest; sink = strtok_r(bad, good, &rest) != NULL)
LIBC(strdup_of, good = strdup(bad); sink = *good; free(good))
LIBC(strtol_of, sink = (int)strtol(bad, NULL, 10))
LIBC(strtod_of, sink = (int)strtod(bad, NULL))
LIBC(atoi_of, sink = atoi(bad))
LIBC(snprintf_of, sink = snprintf(good, sizeof(room), "%d %s", 7, bad))
LIBC(snprintf_to, sink = snprintf(bad, small, "%d %d", 7, 8))
LIBC(sscanf_of, sink = sscanf(bad, "%d", (int *)(void *)good))
LIBC(wcslen_of, sink = (int)wcslen((const wchar_t *)(void *)bad))
LIBC(frexp_to, sink = (int)frexp(zero + 3.5, (int *)(void *)bad))

FAULTY static int compare_badly(const void *a, const void *b)
{
	return *(const char *)a - *(const char *)b - *bad;
}

static int (*volatile no_comparison)(const void *a, const void *b);

LIBC(qsort_with, qsort(good, 20, 1, compare_badly))
LIBC(qsort_with_none, qsort(good, 20, 1, no_comparison))
LIBC(qsort_of, qsort(worse, 20, 1, compare_badly))
LIBC(bsearch_with, sink = bsearch(good, good, 20, 1, compare_badly) != NULL)

static void (*volatile nowhere)(void);

HELPER void go(uintptr_t to)
{
	nowhere = (void (*)(void))to;
	nowhere();
	sink = 1;
}

FAULTY static void to_null(void)
{
	go(0);
}

FAULTY static void to_nobodys_memory(void)
{
	go((uintptr_t)worse);
}

FAULTY static void to_data(void)
{
	go((uintptr_t)room);
}

FAULTY static void to_no_address(void)
{
	go((uintptr_t)0x5a5a5a5a5a5a5a5a);
}

/* The last call: a jump, where the compiler optimises. */
FAULTY static void to_null_at_last(void)
{
	nowhere = NULL;
	nowhere();
}

#define OWN(name)                  \
	{                          \
#name, name, false \
	}
#define ALSO(name)                \
	{                         \
#name, name, true \
	}

const struct own_way own_ways[] = {
	OWN(in_a_helper),     OWN(deep_in_helpers),  OWN(by_division),	     OWN(by_a_trap),
	OWN(to_null),	      OWN(to_data),	     OWN(to_nobodys_memory), OWN(to_no_address),
	OWN(to_null_at_last), ALSO(without_a_stack), ALSO(memcpy_to),	     ALSO(memcpy_from),
	ALSO(memcpy_much),    ALSO(memmove_to),	     ALSO(memset_little),    ALSO(memset_much),
	ALSO(memcmp_with),    ALSO(memchr_in),	     ALSO(strlen_of),	     ALSO(strnlen_of),
	ALSO(strcpy_from),    ALSO(strncpy_to),	     ALSO(strcat_to),	     ALSO(strcmp_with),
	ALSO(strncmp_with),   ALSO(strcasecmp_with), ALSO(strchr_in),	     ALSO(strrchr_in),
	ALSO(strstr_in),      ALSO(strspn_in),	     ALSO(strtok_in),	     ALSO(strdup_of),
	ALSO(strtol_of),      ALSO(strtod_of),	     ALSO(atoi_of),	     ALSO(snprintf_of),
	ALSO(snprintf_to),    ALSO(sscanf_of),	     ALSO(wcslen_of),	     ALSO(frexp_to),
	ALSO(qsort_with),     ALSO(qsort_with_none), ALSO(qsort_of),	     ALSO(bsearch_with),
	{NULL, NULL, false},
};
