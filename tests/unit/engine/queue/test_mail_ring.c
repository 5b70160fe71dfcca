/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: the mailbox of a roaming agent holds what it promises, in order; the agent is scheduled
 * once for as long as there is work, runs on one lcore at a time, and no wake-up is lost.
 * Method: the rules one by one, a sender stopped inside a put among them; random steps of senders
 * and of an lcore beside a list; four senders and two lcores on threads, each with a run ring,
 * for as long as it takes until every signal is accounted for.
 */
#include <pthread.h>

#include "tests/unit/support.h"

#include "engine/queue/mail_ring.h"
#include "engine/queue/run_ring.h"

#include <rte_common.h>
#include <rte_ring_elem.h>

#if defined(__has_feature)
#define SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

static struct tern_mail_ring *make_roam(uint32_t capacity, unsigned flags)
{
	size_t bytes = tern_mail_ring_bytes(capacity);
	struct tern_mail_ring *mail = aligned_alloc(TERN_LINE, bytes);
	assert_non_null(mail);
	memset(mail, 0xEE, bytes);
	assert_int_equal(tern_mail_ring_init(mail, capacity, flags), 0);
	return mail;
}

static struct tern_signal make_signal(uint64_t number)
{
	struct tern_signal signal;
	memset(&signal, 0, sizeof(signal));
	signal.type = (uint16_t)number;
	signal.from = ~number;
	for (size_t i = 0; i < RTE_DIM(signal.payload.words); i++)
		signal.payload.words[i] = number * (2 * i + 1);
	return signal;
}

static bool is_signal(const struct tern_signal *signal, uint64_t number)
{
	struct tern_signal wanted = make_signal(number);
	return signal->type == wanted.type && signal->from == wanted.from &&
	       memcmp(signal->payload.bytes, wanted.payload.bytes, TERN_INLINE_MAX) == 0;
}

static void must_put(struct tern_mail_ring *mail, uint64_t number, uint32_t wanted_count)
{
	struct tern_signal signal = make_signal(number);
	uint32_t count = UINT32_MAX;
	assert_int_equal(tern_mail_ring_put(mail, &signal, &count), 0);
	assert_int_equal(count, wanted_count);
}

static void must_refuse(struct tern_mail_ring *mail)
{
	struct tern_signal signal = make_signal(0);
	uint32_t count = UINT32_MAX;
	assert_int_equal(tern_mail_ring_put(mail, &signal, &count), -EAGAIN);
	assert_int_equal(count, UINT32_MAX);
}

static void must_take(struct tern_mail_ring *mail, uint64_t number)
{
	struct tern_signal signal;
	assert_int_equal(tern_mail_ring_take(mail, &signal, 1), 1);
	assert_true(is_signal(&signal, number));
}

static void test_init(void **state)
{
	struct tern_mail_ring *mail = make_roam(4, 0);
	(void)state;
	assert_int_equal(tern_mail_ring_bytes(0), 0);
	assert_int_equal(tern_mail_ring_bytes(TERN_MAIL_RING_CAPACITY_MAX + 1), 0);
	assert_true(tern_mail_ring_bytes(TERN_MAIL_RING_CAPACITY_MAX) >
		    TERN_MAIL_RING_CAPACITY_MAX * 64ull);
	assert_int_equal(tern_mail_ring_init(mail, 0, 0), -EINVAL);
	assert_int_equal(tern_mail_ring_init(mail, TERN_MAIL_RING_CAPACITY_MAX + 1, 0), -EINVAL);
	assert_int_equal(tern_mail_ring_init(mail, 4, 2 * TERN_MAIL_RING_DROPS), -EINVAL);
	free(mail);
}

/* Exactly `capacity`, whatever it is, over several laps, whole and in order. */
static void test_capacity(void **state)
{
	static const uint32_t capacities[] = {1, 2, 3, 4, 7, 8, 9, 100, 1000, 1024};
	struct tern_signal signals[16];
	(void)state;
	for (size_t c = 0; c < 2 * RTE_DIM(capacities); c++) {
		uint32_t capacity = capacities[c / 2];
		struct tern_mail_ring *mail = make_roam(capacity, c % 2 ? TERN_MAIL_RING_DROPS : 0);
		uint64_t put = 0, taken = 0;
		for (int lap = 0; lap < 5; lap++) {
			for (uint32_t i = 0; i < capacity; i++) {
				assert_int_equal(tern_mail_ring_count(mail), i);
				must_put(mail, put++, i + 1);
			}
			must_refuse(mail);
			while (taken < put) {
				unsigned n = tern_mail_ring_take(mail, signals, RTE_DIM(signals));
				assert_int_equal(n, RTE_MIN(put - taken, RTE_DIM(signals)));
				for (unsigned i = 0; i < n; i++)
					assert_true(is_signal(&signals[i], taken++));
			}
			assert_int_equal(tern_mail_ring_take(mail, signals, RTE_DIM(signals)), 0);
		}
		free(mail);
	}
}

static void test_state_word(void **state)
{
	struct tern_mail_ring *mail = make_roam(8, 0);
	(void)state;
	assert_int_equal(mail->state, TERN_MAIL_RING_IDLE);
	assert_true(tern_mail_ring_wake(mail));
	assert_int_equal(mail->state, TERN_MAIL_RING_QUEUED);
	assert_false(tern_mail_ring_wake(mail));
	assert_int_equal(mail->state, TERN_MAIL_RING_QUEUED);
	tern_mail_ring_begin(mail);
	assert_int_equal(mail->state, TERN_MAIL_RING_RUNNING);
	assert_false(tern_mail_ring_wake(mail));
	assert_false(tern_mail_ring_wake(mail));
	assert_int_equal(mail->state, TERN_MAIL_RING_NOTIFIED);
	assert_false(tern_mail_ring_rest(mail));
	assert_int_equal(mail->state, TERN_MAIL_RING_QUEUED);
	tern_mail_ring_begin(mail);
	tern_mail_ring_requeue(mail);
	assert_int_equal(mail->state, TERN_MAIL_RING_QUEUED);
	tern_mail_ring_begin(mail);
	assert_false(tern_mail_ring_wake(mail));
	tern_mail_ring_requeue(mail);
	assert_int_equal(mail->state, TERN_MAIL_RING_QUEUED);
	tern_mail_ring_begin(mail);
	assert_true(tern_mail_ring_rest(mail));
	assert_int_equal(mail->state, TERN_MAIL_RING_IDLE);
	assert_true(tern_mail_ring_wake(mail));
	free(mail);
}

static void test_drop_oldest(void **state)
{
	struct tern_mail_ring *mail = make_roam(3, TERN_MAIL_RING_DROPS);
	struct tern_signal signal;
	(void)state;
	assert_false(tern_mail_ring_drop_oldest(mail, &signal));
	for (uint32_t i = 0; i < 3; i++)
		must_put(mail, i, i + 1);
	for (uint64_t i = 3; i < 50; i++) {
		must_refuse(mail);
		assert_true(tern_mail_ring_drop_oldest(mail, &signal));
		assert_true(is_signal(&signal, i - 3));
		must_put(mail, i, 3);
	}
	must_take(mail, 47);
	must_take(mail, 48);
	must_take(mail, 49);
	free(mail);
}

/* One run of the agent that finds nothing. */
static void run_in_vain(struct tern_mail_ring *mail)
{
	struct tern_signal signal;
	tern_mail_ring_begin(mail);
	assert_int_equal(tern_mail_ring_take(mail, &signal, 1), 0);
	assert_true(tern_mail_ring_rest(mail));
}

/*
 * A sender that is stopped between its two CASes: the steps of DPDK's enqueue, one at a time.
 * Nobody waits, nothing is seen, and its own wake is the one that counts.
 */
static void test_stopped_sender(void **state)
{
	static const uint32_t capacities[] = {2, 7, 64, 1000};
	(void)state;
	for (size_t c = 0; c < RTE_DIM(capacities); c++) {
		uint32_t capacity = capacities[c], head, room;
		struct tern_mail_ring *mail = make_roam(capacity, 0);
		struct tern_signal signal = make_signal(0);
		struct rte_ring *ring = &mail->ring;
		assert_int_equal(
			__rte_ring_rts_move_prod_head(ring, 1, RTE_RING_QUEUE_FIXED, &head, &room),
			1);
		for (uint32_t i = 1; i < capacity; i++) {
			must_put(mail, i, i + 1);
			assert_true(tern_mail_ring_wake(mail));
			assert_int_equal(tern_mail_ring_count(mail), 0);
			run_in_vain(mail);
		}
		must_refuse(mail);
		__rte_ring_enqueue_elems(ring, head, &signal, sizeof(signal), 1);
		__rte_ring_rts_update_tail(&ring->rts_prod);
		assert_true(tern_mail_ring_wake(mail));
		assert_int_equal(tern_mail_ring_count(mail), capacity);
		for (uint32_t i = 0; i < capacity; i++)
			must_take(mail, i);
		free(mail);
	}
}

enum { MODEL_SENDERS = 3, MODEL_CAPACITY = 5 };

/* The mailbox as it should be: numbers below `put` went in, below `taken` out. */
struct model {
	struct tern_mail_ring *mail;
	uint64_t put, taken;
	uint32_t state;
	uint32_t listed;	   /* places in run queues */
	bool owing[MODEL_SENDERS]; /* put, and not woken yet */
	bool found_none;	   /* the last take of this run */
};

static void step_put(struct model *model, uint32_t sender)
{
	if (model->owing[sender])
		return;
	if (model->put - model->taken == MODEL_CAPACITY) {
		must_refuse(model->mail);
		return;
	}
	must_put(model->mail, model->put, (uint32_t)(model->put + 1 - model->taken));
	model->put++;
	model->owing[sender] = true;
}

static void step_wake(struct model *model, uint32_t sender)
{
	bool idle = model->state == TERN_MAIL_RING_IDLE;
	if (!model->owing[sender])
		return;
	assert_int_equal(tern_mail_ring_wake(model->mail), idle);
	model->owing[sender] = false;
	model->state |= TERN_MAIL_RING_QUEUED;
	model->listed += idle;
}

static void step_take(struct model *model, uint32_t most)
{
	struct tern_signal signals[MODEL_CAPACITY];
	unsigned n = tern_mail_ring_take(model->mail, signals, most);
	assert_int_equal(n, RTE_MIN(most, model->put - model->taken));
	for (unsigned i = 0; i < n; i++)
		assert_true(is_signal(&signals[i], model->taken++));
	model->found_none = n < most;
}

static void step_end(struct model *model)
{
	bool notified = model->state == TERN_MAIL_RING_NOTIFIED;
	if (model->found_none) {
		assert_int_equal(tern_mail_ring_rest(model->mail), !notified);
		model->state = notified ? TERN_MAIL_RING_QUEUED : TERN_MAIL_RING_IDLE;
		model->listed += notified;
	} else {
		tern_mail_ring_requeue(model->mail);
		model->state = TERN_MAIL_RING_QUEUED;
		model->listed++;
	}
}

static void step_lcore(struct model *model, struct tern_rng *rng)
{
	if (model->state >= TERN_MAIL_RING_RUNNING) {
		if (pick(rng, 3))
			step_take(model, 1 + pick(rng, MODEL_CAPACITY));
		else
			step_end(model);
	} else if (model->listed > 0) {
		model->listed--;
		tern_mail_ring_begin(model->mail);
		model->state = TERN_MAIL_RING_RUNNING;
		model->found_none = false;
	}
}

/* Signals in the ring and nobody who will look at it. */
static bool forgotten(const struct model *model)
{
	bool owing = false;
	for (uint32_t i = 0; i < MODEL_SENDERS; i++)
		owing |= model->owing[i];
	return model->put > model->taken && model->state == TERN_MAIL_RING_IDLE && !owing;
}

static void test_random_steps(void **state)
{
	struct tern_rng rng = {.state = test_seed(61)};
	struct model model = {.mail = make_roam(MODEL_CAPACITY, 0)};
	uint64_t idle = 0, notified = 0;
	(void)state;
	for (uint32_t i = 0; i < 500000; i++) {
		uint32_t choice = pick(&rng, 10), sender = pick(&rng, MODEL_SENDERS);
		if (choice < 2)
			step_put(&model, sender);
		else if (choice < 5)
			step_wake(&model, sender);
		else
			step_lcore(&model, &rng);
		assert_int_equal(model.mail->state, model.state);
		assert_int_equal(tern_mail_ring_count(model.mail), model.put - model.taken);
		assert_int_equal(model.listed, model.state == TERN_MAIL_RING_QUEUED);
		assert_false(forgotten(&model));
		idle += model.state == TERN_MAIL_RING_IDLE;
		notified += model.state == TERN_MAIL_RING_NOTIFIED;
	}
	assert_true(model.taken > 0 && idle > 0 && notified > 0);
	free(model.mail);
}

enum { SENDERS = 4, LCORES = 2, AGENTS = 3, BURST = 16 };

/* One agent; what is plain here belongs to the lcore that runs it. */
struct stress_agent {
	struct tern_mail_ring *mail;
	uint32_t inside; /* lcores that run it */
	uint64_t next[SENDERS];
	uint64_t handled;
};

struct stress_run {
	uint32_t capacity;
	unsigned flags;
	uint64_t window; /* a sender waits until no more of its own are under way; 0: never */
	uint64_t each;	 /* signals per sender */
};

/* A thread: 0 to SENDERS - 1 send, the others are lcores. Each owns a run ring. */
struct stress_thread {
	alignas(TERN_LINE) struct tern_run_ring ring;
	alignas(TERN_LINE) uint64_t done; /* a sender's signals that are handled or dropped */
	struct stress *stress;
	pthread_t id;
	uint32_t index;
	struct tern_rng rng;
	uint64_t sum; /* of the numbers sent less those handled and dropped */
	uint64_t wrong, scheduled, dropped;
};

struct stress {
	struct stress_run run;
	struct stress_agent agents[AGENTS];
	struct stress_thread threads[SENDERS + LCORES];
	uint64_t done; /* handled or dropped, all senders' */
	uint32_t given_up;
};

/* The number of a signal, which is known by all of its bytes. */
static uint64_t number_for(uint64_t agent, uint64_t sender, uint64_t sequence)
{
	return sequence * SENDERS * AGENTS + agent * SENDERS + sender;
}

static void schedule(struct stress_thread *thread, uint32_t agent)
{
	thread->scheduled++;
	thread->wrong += !tern_run_ring_push(&thread->ring, agent);
}

/* One signal has left the mailbox of an agent: check it, and let its sender know. */
static uint64_t account(struct stress_thread *thread, uint32_t agent,
			const struct tern_signal *signal)
{
	struct stress *stress = thread->stress;
	uint64_t number = signal->payload.words[0];
	thread->wrong += !is_signal(signal, number) || number / SENDERS % AGENTS != agent;
	thread->sum -= tern_rng_next(&(struct tern_rng){.state = number});
	__atomic_fetch_add(&stress->threads[number % SENDERS].done, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&stress->done, 1, __ATOMIC_RELAXED);
	return number;
}

static void handle(struct stress_thread *thread, uint32_t index, const struct tern_signal *signal)
{
	struct stress_agent *agent = &thread->stress->agents[index];
	uint64_t number = account(thread, index, signal);
	uint64_t sequence = number / (SENDERS * AGENTS), *next = &agent->next[number % SENDERS];
	bool gaps = thread->stress->run.flags & TERN_MAIL_RING_DROPS;
	thread->wrong += gaps ? sequence < *next : sequence != *next;
	*next = sequence + 1;
	agent->handled++;
}

static void drop(struct stress_thread *thread, uint32_t agent)
{
	struct tern_signal oldest;
	if (!tern_mail_ring_drop_oldest(thread->stress->agents[agent].mail, &oldest))
		return;
	account(thread, agent, &oldest);
	thread->dropped++;
}

/* False: the test was given up. */
static bool send_one(struct stress_thread *thread, uint32_t agent, uint64_t sequence)
{
	struct stress *stress = thread->stress;
	struct tern_mail_ring *mail = stress->agents[agent].mail;
	uint64_t number = number_for(agent, thread->index, sequence);
	struct tern_signal signal = make_signal(number);
	uint32_t count = 0;
	while (tern_mail_ring_put(mail, &signal, &count) != 0) {
		if (seen(&stress->given_up))
			return false;
		if (stress->run.flags & TERN_MAIL_RING_DROPS)
			drop(thread, agent);
		sched_yield();
	}
	thread->wrong += count == 0 || count > stress->run.capacity;
	thread->sum += tern_rng_next(&(struct tern_rng){.state = number});
	if (tern_mail_ring_wake(mail))
		schedule(thread, agent);
	return true;
}

static void *send_all(void *argument)
{
	struct stress_thread *thread = argument;
	struct stress *stress = thread->stress;
	uint64_t sequences[AGENTS] = {0}, window = stress->run.window;
	for (uint64_t i = 0; i < stress->run.each; i++) {
		uint32_t agent = pick(&thread->rng, AGENTS);
		while (window && i - seen(&thread->done) >= window && !seen(&stress->given_up))
			sched_yield();
		if (!send_one(thread, agent, sequences[agent]++))
			break;
	}
	return NULL;
}

/* Bursts until none is left, or until enough. */
static void run_agent(struct stress_thread *thread, uint32_t index)
{
	struct stress_agent *agent = &thread->stress->agents[index];
	struct tern_signal signals[BURST];
	unsigned most, n;
	thread->wrong += __atomic_fetch_add(&agent->inside, 1, __ATOMIC_RELAXED) != 0;
	tern_mail_ring_begin(agent->mail);
	do {
		most = 1 + pick(&thread->rng, BURST);
		n = tern_mail_ring_take(agent->mail, signals, most);
		for (unsigned i = 0; i < n; i++)
			handle(thread, index, &signals[i]);
	} while (n == most && pick(&thread->rng, 4));
	__atomic_fetch_sub(&agent->inside, 1, __ATOMIC_RELAXED);
	if (n == most)
		tern_mail_ring_requeue(agent->mail);
	if (n == most || !tern_mail_ring_rest(agent->mail))
		schedule(thread, index);
}

static bool run_any(struct stress_thread *thread)
{
	uint64_t entry;
	for (uint32_t i = 0; i < SENDERS + LCORES; i++)
		if (tern_run_ring_pop(&thread->stress->threads[i].ring, &entry)) {
			run_agent(thread, tern_run_entry_slot(entry));
			return true;
		}
	return false;
}

static void *be_lcore(void *argument)
{
	struct stress_thread *thread = argument;
	struct stress *stress = thread->stress;
	uint64_t total = stress->run.each * SENDERS;
	struct patience patience = {0};
	while (seen(&stress->done) < total && !seen(&stress->given_up)) {
		if (run_any(thread)) {
			patience.rounds = 0;
			continue;
		}
		if (patience.rounds++ == 0)
			clock_gettime(CLOCK_MONOTONIC, &patience.from);
		if (patience.rounds % 1024 == 0 && patience_ns(&patience) > PATIENCE_NS)
			put(&stress->given_up, 1);
		sched_yield();
	}
	return NULL;
}

static struct stress *stress_create(const struct stress_run *run, uint64_t seed)
{
	struct stress *stress = aligned_alloc(TERN_LINE, sizeof(*stress));
	assert_non_null(stress);
	memset(stress, 0, sizeof(*stress));
	stress->run = *run;
	for (uint32_t i = 0; i < AGENTS; i++)
		stress->agents[i].mail = make_roam(run->capacity, run->flags);
	for (uint32_t i = 0; i < SENDERS + LCORES; i++) {
		struct stress_thread *thread = &stress->threads[i];
		tern_run_ring_init(&thread->ring);
		thread->stress = stress;
		thread->index = i;
		thread->rng = tern_rng_stream(seed, i);
	}
	return stress;
}

static void stress_check(const struct stress *stress)
{
	uint64_t total = stress->run.each * SENDERS, handled = 0, dropped = 0, scheduled = 0,
		 sum = 0;
	for (uint32_t i = 0; i < SENDERS + LCORES; i++) {
		assert_int_equal(stress->threads[i].wrong, 0);
		assert_int_equal(tern_run_ring_count(&stress->threads[i].ring), 0);
		dropped += stress->threads[i].dropped;
		scheduled += stress->threads[i].scheduled;
		sum += stress->threads[i].sum;
	}
	for (uint32_t i = 0; i < AGENTS; i++) {
		assert_int_equal(stress->agents[i].inside, 0);
		assert_int_equal(tern_mail_ring_count(stress->agents[i].mail), 0);
		assert_int_equal(stress->agents[i].mail->state, TERN_MAIL_RING_IDLE);
		handled += stress->agents[i].handled;
	}
	print_message("%" PRIu64 " handled, %" PRIu64 " dropped, %" PRIu64 " runs\n", handled,
		      dropped, scheduled);
	assert_int_equal(handled + dropped, total);
	assert_int_equal(sum, 0);
	if (!(stress->run.flags & TERN_MAIL_RING_DROPS))
		assert_int_equal(dropped, 0);
}

static void stress_run(const struct stress_run *run)
{
	struct stress *stress = stress_create(run, test_seed(62));
	for (uint32_t i = 0; i < SENDERS + LCORES; i++) {
		struct stress_thread *thread = &stress->threads[i];
		assert_int_equal(pthread_create(&thread->id, NULL,
						i < SENDERS ? send_all : be_lcore, thread),
				 0);
	}
	for (uint32_t i = 0; i < SENDERS + LCORES; i++)
		pthread_join(stress->threads[i].id, NULL);
	while (run_any(&stress->threads[SENDERS])) /* woken for signals taken since */
		;
	if (stress->given_up)
		fail_msg("a wake-up was lost: %" PRIu64 " of %" PRIu64 " signals handled",
			 stress->done, run->each * SENDERS);
	stress_check(stress);
	for (uint32_t i = 0; i < AGENTS; i++)
		free(stress->agents[i].mail);
	free(stress);
}

/* Signals per sender that a run takes, fewer under sanitizers. */
#define EACH(n) (SANITIZED ? (n) / 20 : (n))

static void test_threads_deep(void **state)
{
	(void)state;
	stress_run(&(struct stress_run){.capacity = 1000, .each = EACH(250000)});
}

static void test_threads_shallow(void **state)
{
	(void)state;
	stress_run(&(struct stress_run){.capacity = 3, .each = EACH(50000)});
}

/* The agents go idle all the time: a wake meets each step of a rest. */
static void test_threads_one_at_a_time(void **state)
{
	(void)state;
	stress_run(&(struct stress_run){.capacity = 8, .window = 1, .each = EACH(50000)});
}

static void test_threads_dropping(void **state)
{
	(void)state;
	stress_run(&(struct stress_run){
		.capacity = 8, .flags = TERN_MAIL_RING_DROPS, .each = EACH(100000)});
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_init),
		cmocka_unit_test(test_capacity),
		cmocka_unit_test(test_state_word),
		cmocka_unit_test(test_drop_oldest),
		cmocka_unit_test(test_stopped_sender),
		cmocka_unit_test(test_random_steps),
		cmocka_unit_test(test_threads_deep),
		cmocka_unit_test(test_threads_shallow),
		cmocka_unit_test(test_threads_one_at_a_time),
		cmocka_unit_test(test_threads_dropping),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
