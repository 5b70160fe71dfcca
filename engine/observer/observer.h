/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OBSERVER_H
#define OBSERVER_H

struct tern_engine;
struct tern_error;

/*
 * The helper thread that watches an engine. It looks at the lcores from outside, by plain loads:
 * which agent holds its lcore past its slice (the watchdog), and what each agent's load is and will
 * be (the profiler). Between looks it waits for the file descriptors of agents. In polled mode
 * there is no thread: the caller's polls do all but the watchdog's part.
 */

/** Start the helper thread, where the configuration gives it something to do. */
int tern_observer_start(struct tern_engine *engine, struct tern_error *error);

/** End the helper thread. What others see of the observer stays until it is freed. */
void tern_observer_stop(struct tern_engine *engine);
void tern_observer_free(struct tern_engine *engine);

/** Close its descriptors, before all of it is freed. */
void tern_observer_close(struct tern_engine *engine);

/** Polled mode: look if it is time. */
void tern_observer_poll(struct tern_engine *engine);

#endif
