/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Debug builds: a sent block moves to a fresh place; the old place stays untouchable for the next
 * QUARANTINE_DEPTH sends of its heap. A touch ends the process with the name of the agent that
 * sent the block. The list of quarantines is global because a fault handler has no argument.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "poison.h"
#include "tern_plain.h"

#define QUARANTINE_DEPTH 256

struct departed {
	struct tern_block *block;
	size_t bytes;
	const char *name;
	tern_address sender;
};

struct tern_quarantine {
	struct tern_quarantine *next;
	struct departed ring[QUARANTINE_DEPTH];
	uint32_t at;
};

static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;
static struct tern_quarantine *list;
static struct sigaction before; /* whose faults these are when no block is to blame */

static const struct departed *find_departed(const void *address)
{
	for (const struct tern_quarantine *q = list; q; q = q->next)
		for (uint32_t i = 0; i < QUARANTINE_DEPTH; i++) {
			const unsigned char *from = (const void *)q->ring[i].block;
			if (from && (const unsigned char *)address >= from &&
			    (const unsigned char *)address < from + q->ring[i].bytes)
				return &q->ring[i];
		}
	return NULL;
}

bool tern_block_departed(const void *address)
{
	return find_departed(address);
}

static void report_touch(const struct departed *departed, const void *address)
{
	char text[320], name[128];
	int length = snprintf(text, sizeof(text),
			      "tern: touch after send: block %p at %p was sent by agent '%s' "
			      "(address 0x%llx) and is no longer its own\n",
			      (void *)departed->block, address,
			      tern_plain_text(name, sizeof(name), departed->name),
			      (unsigned long long)departed->sender);
	if (length > 0 && write(STDERR_FILENO, text, (size_t)length) < 0)
		_exit(127);
}

static void on_fault(int number, siginfo_t *info, void *context)
{
	(void)context;
	const struct departed *departed = find_departed(info->si_addr);
	if (departed) {
		report_touch(departed, info->si_addr);
		signal(number, SIG_DFL);
	} else {
		sigaction(number, &before, NULL);
	}
	/* The fault happens again on return; a signal sent by kill() does not. */
	if (info->si_code <= 0)
		raise(number);
}

void tern_quarantine_init(struct tern_heap *heap)
{
	struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
	heap->quarantine = calloc(1, sizeof(*heap->quarantine));
	if (!heap->quarantine)
		return;
	pthread_mutex_lock(&list_lock);
	if (!list)
		sigaction(SIGSEGV, &action, &before);
	heap->quarantine->next = list;
	list = heap->quarantine;
	pthread_mutex_unlock(&list_lock);
}

static void release_departed(struct tern_heap *heap, struct departed *departed)
{
	if (!departed->block)
		return;
	mprotect(departed->block, departed->bytes, PROT_READ | PROT_WRITE);
	tern_block_release(heap, departed->block);
	departed->block = NULL;
}

void tern_heap_settle(struct tern_heap *heap)
{
	for (uint32_t i = 0; heap->quarantine && i < QUARANTINE_DEPTH; i++)
		release_departed(heap, &heap->quarantine->ring[i]);
}

void tern_quarantine_fini(struct tern_heap *heap)
{
	pthread_mutex_lock(&list_lock);
	struct tern_quarantine **link = &list;
	while (*link && *link != heap->quarantine)
		link = &(*link)->next;
	if (*link)
		*link = heap->quarantine->next;
	if (heap->quarantine && !list)
		sigaction(SIGSEGV, &before, NULL);
	pthread_mutex_unlock(&list_lock);
	free(heap->quarantine);
	heap->quarantine = NULL;
}

struct tern_block *tern_block_depart(struct tern_heap *heap, struct tern_block *block,
				     const char *name, tern_address sender)
{
	struct tern_block *fresh = NULL;
	if (heap->quarantine)
		fresh = (struct tern_block *)(void *)tern_iso_create(heap, block->size);
	if (!fresh)
		return block;
	memcpy((unsigned char *)fresh + TERN_BLOCK_OFFSET,
	       (unsigned char *)block + TERN_BLOCK_OFFSET, block->size);
	struct departed *departed = &heap->quarantine->ring[heap->quarantine->at];
	heap->quarantine->at = (heap->quarantine->at + 1) % QUARANTINE_DEPTH;
	release_departed(heap, departed);
	*departed = (struct departed){.block = block,
				      .bytes = (size_t)1 << (block->class + TERN_BLOCK_SHIFT_MIN),
				      .name = name,
				      .sender = sender};
	mprotect(block, departed->bytes, PROT_NONE);
	return fresh;
}

void tern_block_stay(struct tern_heap *heap, const struct tern_block *block,
		     struct tern_block *departed)
{
	struct tern_quarantine *quarantine = heap->quarantine;
	if (departed == block)
		return;
	quarantine->at = (quarantine->at + QUARANTINE_DEPTH - 1) % QUARANTINE_DEPTH;
	struct departed *last = &quarantine->ring[quarantine->at];
	mprotect(last->block, last->bytes, PROT_READ | PROT_WRITE);
	last->block = NULL;
	tern_block_release(heap, departed);
}

void tern_block_die(const struct tern_heap *heap, const struct tern_block *block, const char *how)
{
	fprintf(stderr, "tern: block %p %s on lcore %u\n", (const void *)block, how, heap->index);
	abort();
}
