/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CAPABILITY_TEST_H
#define CAPABILITY_TEST_H

/* What several tests of this folder need: a seed, several heaps, a child that dies. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <rte_common.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capabilities/memory/heap.h"
#include "capabilities/memory/poison.h"
#include "capabilities/rng.h"

/** A generator seeded by TERN_SEED, or by `otherwise`; prints the seed, so that a failure repeats.
 */
static inline struct tern_rng test_rng(uint64_t otherwise)
{
	const char *given = getenv("TERN_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 0) : otherwise;
	print_message("TERN_SEED=%llu\n", (unsigned long long)seed);
	return (struct tern_rng){.state = seed};
}

/** A number 0 .. bound - 1. */
static inline uint64_t draw(struct tern_rng *rng, uint64_t bound)
{
	return tern_rng_next(rng) % bound;
}

#define HEAPS_MAX 4

/** Heaps that know each other, as the lcores of an engine have them. */
struct heaps {
	struct tern_arena arena;
	uint32_t count;
	struct tern_heap heap[HEAPS_MAX];
	struct tern_block_chain away[HEAPS_MAX][HEAPS_MAX];
};

/** `bytes` for each heap, a multiple of 4 KiB. */
static inline void heaps_init(struct heaps *heaps, uint32_t count, size_t bytes)
{
	struct tern_arena_request request = {.size = count * bytes, .page_bytes_max = TERN_PAGE_4K};
	*heaps = (struct heaps){.count = count};
	assert_int_equal(tern_arena_map(&heaps->arena, &request, NULL), 0);
	for (uint32_t i = 0; i < count; i++) {
		unsigned char *from = heaps->arena.base + i * bytes;
		struct tern_span span = {.next = from, .end = from + bytes};
		assert_int_equal(tern_heap_init(&heaps->heap[i], i, count, span, heaps->away[i]),
				 0);
	}
}

/** Hand the chain that `holder` keeps for `home` over. */
static inline void heaps_hand_over(struct heaps *heaps, uint32_t holder, uint32_t home)
{
	struct tern_block_chain *chain = &heaps->away[holder][home];
	struct tern_block *first = chain->first;
	heaps->heap[holder].away_count -= chain->count;
	*chain = (struct tern_block_chain){0};
	tern_heap_collect(&heaps->heap[home], first);
}

static inline void heaps_collect(struct heaps *heaps)
{
	for (uint32_t i = 0; i < heaps->count; i++)
		tern_heap_settle(&heaps->heap[i]);
	for (uint32_t i = 0; i < heaps->count; i++)
		for (uint32_t j = 0; j < heaps->count; j++)
			heaps_hand_over(heaps, i, j);
}

/** Bring all blocks home, check that none is missing, and unmap. */
static inline void heaps_fini(struct heaps *heaps)
{
	heaps_collect(heaps);
	for (uint32_t i = 0; i < heaps->count; i++) {
		assert_int_equal(heaps->heap[i].in_use, 0);
		assert_int_equal(heaps->heap[i].away_count, 0);
		tern_heap_fini(&heaps->heap[i]);
	}
	tern_arena_unmap(&heaps->arena);
}

static inline struct tern_block *block_of_iso(tern_iso *iso)
{
	return (struct tern_block *)(void *)iso;
}

/** Run `body` in a child and wait for its end; yields what it wrote to stderr and its status. */
static inline int run_in_child(void (*body)(void *), void *argument, char *text, size_t size)
{
	int ends[2], status = 0;
	size_t length = 0;
	ssize_t got;
	assert_int_equal(pipe(ends), 0);
	fflush(NULL);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		dup2(ends[1], STDERR_FILENO);
		close(ends[0]);
		/* cmocka would catch these and go on with the tests, here in the child. */
		signal(SIGSEGV, SIG_DFL);
		signal(SIGABRT, SIG_DFL);
		body(argument);
		_exit(0);
	}
	close(ends[1]);
	while (length < size - 1 && (got = read(ends[0], text + length, size - 1 - length)) > 0)
		length += (size_t)got;
	text[length] = '\0';
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

/** Whether `text` contains `part`; prints both where it does not. */
static inline void assert_contains(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("met: '%s'; needed in it: '%s'", text, part);
}

#endif
