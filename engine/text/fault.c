/* SPDX-License-Identifier: Apache-2.0 */
#include "fault.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#include "capabilities/memory/heap.h"
#include "capabilities/memory/poison.h"
#include "fault_pc.h"
#include "fault_report.h"
#include "fault_walk.h"

#define ALTERNATE_BYTES ((size_t)64 << 10)
#define KERNEL_MASK_BYTES (_NSIG / 8) /* a sigset_t is longer than what the kernel writes */
#define FRAME_SLACK 256 /* red zone (128 bytes on x86-64), alignment, return address */
#define SIGNALS 5

/* The last one is never contained, only reported. */
static const int signals[SIGNALS] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

/* Signal dispositions belong to the process, so this does too. */
static struct {
	pthread_mutex_t lock;
	unsigned users;
	bool installed[SIGNALS];
	struct sigaction before[SIGNALS]; /* written before ours can run */
	struct tern_code_table *table;	  /* handlers read; those before it stay as long */
} process = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Not allocated on first use, which a signal handler must not do. */
static _Thread_local struct tern_fault_scope *thread_scope
	__attribute__((tls_model("initial-exec")));

/* The thread's signal stack, however many scopes it has: several polled engines, say. */
static _Thread_local struct {
	void *base;
	size_t size;
	stack_t before;
	unsigned users;
} thread_alternate __attribute__((tls_model("initial-exec")));

static size_t place_of(int signo)
{
	size_t i = 0;
	while (i < SIGNALS - 1 && signals[i] != signo)
		i++;
	return i;
}

static void die_of(int signo)
{
	struct sigaction otherwise = {.sa_handler = SIG_DFL};
	sigaction(signo, &otherwise, NULL);
	raise(signo);
}

static void pass_on(int signo, siginfo_t *info, void *ucontext)
{
	const struct sigaction *before = &process.before[place_of(signo)];
	if (before->sa_flags & SA_SIGINFO)
		before->sa_sigaction(signo, info, ucontext);
	else if (before->sa_handler == SIG_IGN && info->si_code <= 0)
		return; /* somebody's kill(), which may be ignored as a fault cannot */
	else if (before->sa_handler == SIG_DFL || before->sa_handler == SIG_IGN)
		die_of(signo);
	else
		before->sa_handler(signo);
}

/*
 * Whether the kernel found no space on the fiber's stack for another signal's frame, which it says
 * by a SIGSEGV without an address. This signal's own frame, on the alternate stack, has the same
 * size.
 */
static bool frame_did_not_fit(const struct tern_fault_scope *scope, const siginfo_t *info,
			      const ucontext_t *ucontext)
{
	const struct tern_stack *stack = &scope->context->stack;
	uintptr_t top = (uintptr_t)scope->alternate + scope->alternate_size;
	size_t frame = top - (uintptr_t)ucontext + FRAME_SLACK;
	size_t left = (uintptr_t)tern_fault_sp(ucontext) - (uintptr_t)stack->base;
	return info->si_signo == SIGSEGV && info->si_code == SI_KERNEL && left < stack->size &&
	       left < frame;
}

static bool has_overflowed(const struct tern_fault_scope *scope, const siginfo_t *info,
			   const ucontext_t *ucontext)
{
	if (!scope->context || info->si_signo == SIGFPE || info->si_signo == SIGILL)
		return false;
	return tern_stack_guards(&scope->context->stack, info->si_addr) ||
	       frame_did_not_fit(scope, info, ucontext);
}

static void restore_mask(const ucontext_t *ucontext)
{
	sigset_t mask;
	sigemptyset(&mask);
	memcpy(&mask, &ucontext->uc_sigmask, KERNEL_MASK_BYTES);
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
}

/* A fault being looked into; in the frame of its signal handler. */
struct tern_fault_inquiry {
	struct tern_fault fault;
	struct tern_fault_verdict verdict;
	bool by_machine; /* else a process sent it, or abort() */
	siginfo_t *info;
	ucontext_t *ucontext;
	mcontext_t before;
};

static void leave_by_jump(struct tern_fault_scope *scope, const struct tern_fault_inquiry *inquiry)
{
	scope->fault = inquiry->fault;
	scope->armed = false;
	if (scope->context)
		tern_context_escape(scope->context);
	if (scope->save)
		scope->save(scope->owner);
	restore_mask(inquiry->ucontext);
	siglongjmp(scope->point, 1);
}

/* All is known that can be. Comes back only if the fault is not to be contained. */
static void conclude_inquiry(struct tern_fault_scope *scope, struct tern_fault_inquiry *inquiry)
{
	struct tern_fault *fault = &inquiry->fault;
	const struct tern_fault_verdict *verdict = &inquiry->verdict;
	scope->inquiry = NULL;
	inquiry->ucontext->uc_mcontext = inquiry->before;
	fault->function = verdict->name;
	fault->own = (void *)verdict->own;
	fault->entry = (void *)verdict->entry;
	bool own = verdict->where == TERN_FAULT_IN_OWN && !scope->beside;
	if (inquiry->by_machine && (fault->overflow || own))
		leave_by_jump(scope, inquiry);
	if (!inquiry->by_machine)
		inquiry->verdict.where = TERN_FAULT_SENT;
}

static void inquire_frames(struct tern_fault_scope *scope, struct tern_fault_inquiry *inquiry)
{
	const struct tern_code_table *table = __atomic_load_n(&process.table, __ATOMIC_ACQUIRE);
	inquiry->fault.overflow =
		inquiry->by_machine && has_overflowed(scope, inquiry->info, inquiry->ucontext);
	inquiry->before = inquiry->ucontext->uc_mcontext;
	scope->inquiry = inquiry;
	if (!inquiry->fault.overflow)
		tern_fault_judge(table, scope->text, inquiry->info, inquiry->ucontext,
				 &inquiry->verdict);
	conclude_inquiry(scope, inquiry);
}

/* A stack that was written over cannot be walked: then the instruction alone counts. */
static void inquire_no_further(struct tern_fault_scope *scope)
{
	struct tern_fault_inquiry *inquiry = scope->inquiry;
	inquiry->ucontext->uc_mcontext = inquiry->before;
	tern_fault_judge_alone(process.table, scope->text, inquiry->info, inquiry->ucontext,
			       &inquiry->verdict);
	conclude_inquiry(scope, inquiry);
	tern_fault_report(process.table, scope, &inquiry->fault, &inquiry->verdict);
	pass_on(inquiry->fault.signo, inquiry->info, inquiry->ucontext);
}

static void on_fault(int signo, siginfo_t *info, void *ucontext)
{
	int error = errno;
	struct tern_fault_scope *scope = thread_scope;
	/* Up to 0 it was sent by a process, and there is no address. */
	bool by_machine = info->si_code > 0 && signo != SIGABRT;
	bool armed = scope && scope->armed;
	struct tern_fault_inquiry inquiry = {
		.fault = {.signo = signo,
			  .address = by_machine ? info->si_addr : NULL,
			  .pc = tern_fault_pc(ucontext)},
		.verdict = {.where = TERN_FAULT_SENT},
		.by_machine = by_machine,
		.info = info,
		.ucontext = ucontext,
	};
	if (by_machine && armed && scope->inquiry)
		inquire_no_further(scope);
	/* A block touched after it was sent ends the process with its sender's name. */
	bool departed = by_machine && tern_block_departed(inquiry.fault.address);
	if (armed && !departed && (by_machine || signo == SIGABRT))
		inquire_frames(scope, &inquiry);
	/* What aborts beside agents is no concern of ours. */
	if (!departed && (signo != SIGABRT || armed))
		tern_fault_report(process.table, scope, &inquiry.fault, &inquiry.verdict);
	pass_on(signo, info, ucontext);
	errno = error;
}

static bool is_ours(const struct sigaction *action)
{
	return action->sa_flags & SA_SIGINFO && action->sa_sigaction == on_fault;
}

static int install_handler(size_t i)
{
	struct sigaction ours = {.sa_sigaction = on_fault,
				 .sa_flags = SA_ONSTACK | SA_NODEFER | SA_SIGINFO};
	if (process.installed[i])
		return 0; /* below somebody else's */
	sigemptyset(&ours.sa_mask);
	if (sigaction(signals[i], NULL, &process.before[i]) || sigaction(signals[i], &ours, NULL))
		return -errno;
	process.installed[i] = true;
	return 0;
}

static void uninstall_handler(size_t i)
{
	struct sigaction now;
	if (!process.installed[i] || sigaction(signals[i], NULL, &now) || !is_ours(&now))
		return;
	if (sigaction(signals[i], &process.before[i], NULL) == 0)
		process.installed[i] = false;
}

/* Also for those who come later: modules may have been loaded since. */
static int look_at_modules(void)
{
	struct tern_code_table *table = tern_code_table_make(process.table);
	if (!table)
		return -ENOMEM;
	__atomic_store_n(&process.table, table, __ATOMIC_RELEASE);
	return 0;
}

/* Called under the lock. */
static void uninstall_all(void)
{
	struct tern_code_table *table = process.table;
	for (size_t i = 0; i < SIGNALS; i++)
		uninstall_handler(i);
	__atomic_store_n(&process.table, NULL, __ATOMIC_RELEASE);
	tern_code_table_free(table);
}

int tern_fault_install(void)
{
	pthread_mutex_lock(&process.lock);
	int code = look_at_modules();
	tern_fault_walk_warm();
	if (process.users == 0)
		for (size_t i = 0; i < SIGNALS && code == 0; i++)
			code = install_handler(i);
	if (code == 0)
		process.users++;
	else if (process.users == 0)
		uninstall_all();
	pthread_mutex_unlock(&process.lock);
	return code;
}

void tern_fault_remove(void)
{
	pthread_mutex_lock(&process.lock);
	if (--process.users == 0)
		uninstall_all();
	pthread_mutex_unlock(&process.lock);
}

/* Twice the kernel's frame and space for a handler, with a page below that nothing may touch. */
static int map_alternate(size_t page)
{
	long recommended = sysconf(_SC_SIGSTKSZ);
	size_t size = 2 * getauxval(AT_MINSIGSTKSZ) + ALTERNATE_BYTES / 2;
	if (recommended > 0 && size < (size_t)recommended)
		size = (size_t)recommended;
	if (size < ALTERNATE_BYTES)
		size = ALTERNATE_BYTES;
	size = ((size + page - 1) & ~(page - 1)) + page;
	void *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (base == MAP_FAILED)
		return -ENOMEM;
	thread_alternate.base = base;
	thread_alternate.size = size;
	return mprotect(base, page, PROT_NONE) ? -ENOMEM : 0;
}

static void unmap_alternate(void)
{
	TERN_UNPOISON(thread_alternate.base, thread_alternate.size);
	munmap(thread_alternate.base, thread_alternate.size);
	thread_alternate.base = NULL;
}

static int enter_alternate(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	int code = map_alternate(page);
	stack_t alternate = {.ss_sp = (unsigned char *)thread_alternate.base + page,
			     .ss_size = thread_alternate.size - page};
	if (code == 0 && sigaltstack(&alternate, &thread_alternate.before))
		code = -errno;
	if (code != 0 && thread_alternate.base)
		unmap_alternate();
	return code;
}

int tern_fault_thread_init(struct tern_fault_scope *scope)
{
	*scope = (struct tern_fault_scope){0};
	int code = thread_alternate.users == 0 ? enter_alternate() : 0;
	if (code != 0)
		return code;
	thread_alternate.users++;
	scope->alternate = thread_alternate.base;
	scope->alternate_size = thread_alternate.size;
	thread_scope = scope;
	return 0;
}

const char *tern_fault_module(const void *pc, uintptr_t *begin)
{
	return tern_code_module(process.table, (uintptr_t)pc, begin);
}

bool tern_fault_is_here(const struct tern_fault_scope *scope)
{
	return scope->alternate && scope->alternate == thread_alternate.base;
}

struct tern_fault_scope *tern_fault_use(struct tern_fault_scope *scope)
{
	struct tern_fault_scope *before = thread_scope;
	thread_scope = scope;
	return before;
}

void tern_fault_thread_fini(struct tern_fault_scope *scope)
{
	if (thread_scope == scope)
		thread_scope = NULL;
	/* Another thread's stack stays with that thread. */
	bool own = tern_fault_is_here(scope);
	scope->alternate = NULL;
	if (!own || --thread_alternate.users != 0)
		return;
	sigaltstack(&thread_alternate.before, NULL);
	unmap_alternate();
}

/* Of threads that only come to poll: their signal stack goes when they do. */
static struct {
	pthread_once_t once;
	pthread_key_t key;
	bool made;
} visitors = {.once = PTHREAD_ONCE_INIT};

static void forget_visitor(void *scope)
{
	tern_fault_thread_fini(scope);
	free(scope);
}

static void make_visitors(void)
{
	visitors.made = pthread_key_create(&visitors.key, forget_visitor) == 0;
}

bool tern_fault_visit(struct tern_fault_scope *scope)
{
	pthread_once(&visitors.once, make_visitors);
	if (!visitors.made)
		return false;
	struct tern_fault_scope *visitor = pthread_getspecific(visitors.key);
	if (!visitor) {
		visitor = malloc(sizeof(*visitor));
		struct tern_fault_scope *before = thread_scope;
		int code = visitor ? tern_fault_thread_init(visitor) : -ENOMEM;
		thread_scope = before;
		if (code == 0)
			code = pthread_setspecific(visitors.key, visitor);
		if (code != 0) {
			free(visitor);
			return false;
		}
	}
	scope->alternate = visitor->alternate;
	scope->alternate_size = visitor->alternate_size;
	return true;
}
