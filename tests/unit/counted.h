/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COUNTED_H
#define COUNTED_H

/*
 * What a piece of code comes to, without a clock: its instructions, and those among them that a hot
 * path has no use for. A child process runs it, traced and stepped from one COUNTED_BEGIN() to the
 * next COUNTED_END(); between passages it runs freely. The count includes the end's own step, and
 * is the same on an idle machine and on a busy one. Whoever uses this includes cmocka first.
 */
#include <dlfcn.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capabilities/sanitizer.h"

enum { COUNTED_MAX = 1024 };

/** One passage. */
struct counted {
	uint64_t instructions;
	uint64_t locked; /* read and write a line at once: what a lock is made of */
	uint64_t system_calls;
	uint64_t allocations; /* calls of malloc() and its like, of free() too */
	uint64_t clock_reads; /* of the TSC */
};

struct counts {
	struct counted passages[COUNTED_MAX];
	uint32_t count;
};

#define COUNTED_BEGIN() __asm__ volatile("int3" ::: "memory")
#define COUNTED_END() __asm__ volatile("int3" ::: "memory")

/* Sanitizers and -O0 have instructions of their own. */
#if TERN_ASAN || TERN_TSAN || !defined(__OPTIMIZE__)
#define COUNTED_POSSIBLE false
#else
#define COUNTED_POSSIBLE true
#endif

#define COUNTED_OPCODE_END 0xCC

/** What an instruction begins with, behind its prefixes. */
struct counted_code {
	bool lock;
	uint8_t opcode[3];
};

static inline bool counted_is_prefix(uint8_t byte)
{
	return byte == 0x66 || byte == 0x67 || byte == 0x2E || byte == 0x36 || byte == 0x3E ||
	       byte == 0x26 || byte == 0x64 || byte == 0x65 || byte == 0xF0 || byte == 0xF2 ||
	       byte == 0xF3 || (byte & 0xF0) == 0x40;
}

/* The first eight bytes are enough: compilers set four prefixes at most. */
static inline struct counted_code counted_decode(uint64_t word)
{
	struct counted_code code = {.lock = false};
	while (counted_is_prefix((uint8_t)word)) {
		code.lock = code.lock || (uint8_t)word == 0xF0;
		word >>= 8;
	}
	for (int i = 0; i < 3; i++, word >>= 8)
		code.opcode[i] = (uint8_t)word;
	/* Exchange with memory locks without being told to. */
	if ((code.opcode[0] == 0x86 || code.opcode[0] == 0x87) && code.opcode[1] < 0xC0)
		code.lock = true;
	return code;
}

static inline bool counted_is_allocator(uint64_t address)
{
	static const char *const names[] = {"malloc",	     "calloc",	       "realloc", "free",
					    "aligned_alloc", "posix_memalign", "memalign"};
	static uint64_t places[sizeof(names) / sizeof(names[0])];
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (places[i] == 0)
			places[i] = (uint64_t)(uintptr_t)dlsym(RTLD_DEFAULT, names[i]);
		if (places[i] == address)
			return true;
	}
	return false;
}

static inline void counted_note(struct counted *counted, uint64_t address, uint64_t word)
{
	struct counted_code code = counted_decode(word);
	const uint8_t *opcode = code.opcode;
	counted->instructions++;
	counted->locked += code.lock;
	counted->allocations += counted_is_allocator(address);
	counted->system_calls += opcode[0] == 0x0F && opcode[1] == 0x05;
	counted->clock_reads += opcode[0] == 0x0F &&
				(opcode[1] == 0x31 || (opcode[1] == 0x01 && opcode[2] == 0xF9));
}

/* Let the child go on, and wait until it stops. Returns its status. */
static inline int counted_go(pid_t child, enum __ptrace_request how)
{
	int status = 0;
	assert_int_equal(ptrace(how, child, NULL, NULL), 0);
	while (waitpid(child, &status, 0) < 0)
		assert_int_equal(errno, EINTR);
	return status;
}

static inline bool counted_is_trap(int status)
{
	return WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP;
}

/* From behind the trap of the beginning to that of the end. Returns the status there. */
static inline int counted_step(pid_t child, struct counted *counted)
{
	for (;;) {
		struct user_regs_struct regs;
		assert_int_equal(ptrace(PTRACE_GETREGS, child, NULL, &regs), 0);
		uint64_t word = (uint64_t)ptrace(PTRACE_PEEKTEXT, child, regs.rip, NULL);
		counted_note(counted, regs.rip, word);
		int status = counted_go(child, PTRACE_SINGLESTEP);
		if (!counted_is_trap(status) || (uint8_t)word == COUNTED_OPCODE_END)
			return status;
	}
}

/* Both on one CPU: a step from one to another takes several times as long. */
static inline void counted_pin(cpu_set_t *before)
{
	cpu_set_t here;
	int cpu = sched_getcpu();
	CPU_ZERO(&here);
	CPU_SET(cpu < 0 ? 0 : (size_t)cpu, &here);
	(void)sched_getaffinity(0, sizeof(*before), before);
	(void)sched_setaffinity(0, sizeof(here), &here);
}

static inline void counted_child(void (*body)(void *), void *context)
{
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
		_exit(1);
	COUNTED_BEGIN();
	body(context);
	_exit(0);
}

/* A child that has stopped at its first trap, or has ended because nobody may trace it. */
static inline pid_t counted_fork(void (*body)(void *), void *context, int *status)
{
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0)
		counted_child(body, context);
	while (waitpid(child, status, 0) < 0)
		assert_int_equal(errno, EINTR);
	if (!WIFEXITED(*status))
		(void)ptrace(PTRACE_SETOPTIONS, child, NULL, PTRACE_O_EXITKILL);
	return child;
}

static inline void counted_skip(const char *why)
{
	print_message("skipped: %s\n", why);
	skip();
}

/**
 * Run body(context) in a child and count its passages, COUNTED_MAX at most. Skips the test where
 * nothing can be counted.
 */
static inline void count_passages(void (*body)(void *), void *context, struct counts *counts)
{
	cpu_set_t cpus;
	int status = 0;
	if (!COUNTED_POSSIBLE)
		counted_skip("this build has instructions of its own");
	counts->count = 0;
	counted_pin(&cpus);
	pid_t child = counted_fork(body, context, &status);
	bool traced = !WIFEXITED(status);
	while (traced && counted_is_trap(status = counted_go(child, PTRACE_CONT))) {
		assert_true(counts->count < COUNTED_MAX);
		struct counted *passage = &counts->passages[counts->count++];
		*passage = (struct counted){0};
		status = counted_step(child, passage);
	}
	(void)sched_setaffinity(0, sizeof(cpus), &cpus);
	if (!traced)
		counted_skip("the kernel allows no tracing here");
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		fail_msg("the child ended with status %#x after %u passages", (unsigned)status,
			 counts->count);
}

/** Of the passages from `first` on, `count` of them: all together. */
static inline struct counted counted_sum(const struct counts *counts, uint32_t first,
					 uint32_t count)
{
	struct counted sum = {0};
	assert_true(first + count <= counts->count);
	for (uint32_t i = first; i < first + count; i++) {
		sum.instructions += counts->passages[i].instructions;
		sum.locked += counts->passages[i].locked;
		sum.system_calls += counts->passages[i].system_calls;
		sum.allocations += counts->passages[i].allocations;
		sum.clock_reads += counts->passages[i].clock_reads;
	}
	return sum;
}

/** Of the same: the most instructions of one. */
static inline uint64_t counted_most(const struct counts *counts, uint32_t first, uint32_t count)
{
	uint64_t most = 0;
	assert_true(first + count <= counts->count);
	for (uint32_t i = first; i < first + count; i++)
		if (counts->passages[i].instructions > most)
			most = counts->passages[i].instructions;
	return most;
}

#endif
