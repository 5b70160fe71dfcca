/* SPDX-License-Identifier: Apache-2.0 */
#include "preempt.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "fault_pc.h"

#define SECOND_NS 1000000000u
#define SLICE_NS_MAX ((uint64_t)1000 * SECOND_NS)
#define HANDLER_BYTES ((size_t)1024) /* of stack, for the handler's own frames */

/* glibc 2.36 has the member, not yet its name. */
#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

/* A signal's disposition belongs to the process, so this does too. */
static struct {
	pthread_mutex_t lock;
	unsigned users;
	struct sigaction before;
} process = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Not allocated on first use, which a signal handler must not do. */
static _Thread_local struct tern_preempt *thread_preempt __attribute__((tls_model("initial-exec")));

int tern_preempt_signo(void)
{
	return SIGRTMIN + 4;
}

size_t tern_preempt_stack_room(void)
{
	return 2 * (getauxval(AT_MINSIGSTKSZ) + HANDLER_BYTES);
}

static bool is_due(const struct tern_preempt *preempt)
{
	return tern_load(&preempt->current) &&
	       rte_rdtsc() - preempt->entered > preempt->slice_ticks;
}

static bool is_in_own_text(const struct tern_preempt *preempt, const ucontext_t *ucontext)
{
	return !TERN_SIGNALS_DELAYED && tern_text_has(preempt->text, tern_fault_pc(ucontext)) &&
	       tern_stack_holds(&preempt->current->stack, tern_fault_sp(ucontext));
}

/* The thread goes on without returning from its handler. */
static void unblock_ticks(void)
{
	sigset_t ticks;
	sigemptyset(&ticks);
	sigaddset(&ticks, tern_preempt_signo());
	pthread_sigmask(SIG_UNBLOCK, &ticks, NULL);
}

static void on_tick(int signo, siginfo_t *info, void *ucontext)
{
	int error = errno;
	struct tern_preempt *preempt = thread_preempt;
	(void)signo;
	if (!preempt || info->si_code != SI_TIMER || !is_due(preempt))
		return;
	if (!is_in_own_text(preempt, ucontext)) {
		tern_count(&preempt->refused, 1);
		return;
	}
	struct tern_context *context = preempt->current;
	tern_count(&preempt->preempted, 1);
	context->preempted = true;
	unblock_ticks();
	tern_context_leave(context);
	context->preempted = false;
	errno = error;
}

/*
 * Restarting. Ticks are blocked in the handler, so that its frames do not pile up: besides the
 * one that a fiber is suspended in there is at most one more, of a tick that is refused.
 */
static int install_handler(void)
{
	struct sigaction ours = {.sa_sigaction = on_tick, .sa_flags = SA_SIGINFO | SA_RESTART};
	sigemptyset(&ours.sa_mask);
	if (sigaction(tern_preempt_signo(), NULL, &process.before))
		return -errno;
	if (process.before.sa_flags & SA_SIGINFO || process.before.sa_handler != SIG_DFL)
		return -EBUSY;
	return sigaction(tern_preempt_signo(), &ours, NULL) ? -errno : 0;
}

static int handler_get(void)
{
	pthread_mutex_lock(&process.lock);
	int code = process.users == 0 ? install_handler() : 0;
	if (code == 0)
		process.users++;
	pthread_mutex_unlock(&process.lock);
	return code;
}

static void handler_put(void)
{
	pthread_mutex_lock(&process.lock);
	if (--process.users == 0)
		sigaction(tern_preempt_signo(), &process.before, NULL);
	pthread_mutex_unlock(&process.lock);
}

int tern_preempt_thread_init(struct tern_preempt *preempt, const struct tern_clock *clock,
			     uint64_t slice_ns)
{
	struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID,
				 .sigev_signo = tern_preempt_signo(),
				 .sigev_notify_thread_id = gettid()};
	if (slice_ns == 0 || slice_ns > SLICE_NS_MAX)
		return -EINVAL;
	if (clock->is_virtual)
		return -ENOTSUP;
	*preempt = (struct tern_preempt){.slice_ns = slice_ns,
					 .slice_ticks = tern_clock_from_ns(clock, slice_ns)};
	int code = handler_get();
	if (code)
		return code;
	if (timer_create(CLOCK_MONOTONIC, &event, &preempt->timer)) {
		code = -errno;
		handler_put();
		return code;
	}
	thread_preempt = preempt;
	return 0;
}

void tern_preempt_thread_fini(struct tern_preempt *preempt)
{
	/* A tick already sent to this thread arrives before the system call returns. */
	timer_delete(preempt->timer);
	if (thread_preempt == preempt)
		thread_preempt = NULL;
	handler_put();
}

void tern_preempt_use(struct tern_preempt *preempt)
{
	thread_preempt = preempt;
}

static void set_period(struct tern_preempt *preempt, uint64_t ns)
{
	struct timespec period = {.tv_sec = (time_t)(ns / SECOND_NS),
				  .tv_nsec = (long)(ns % SECOND_NS)};
	struct itimerspec spec = {.it_interval = period, .it_value = period};
	timer_settime(preempt->timer, 0, &spec, NULL);
}

void tern_preempt_start(struct tern_preempt *preempt)
{
	if (!preempt->started)
		set_period(preempt, preempt->slice_ns);
	preempt->started = true;
}

void tern_preempt_stop(struct tern_preempt *preempt)
{
	if (preempt->started)
		set_period(preempt, 0);
	preempt->started = false;
}
