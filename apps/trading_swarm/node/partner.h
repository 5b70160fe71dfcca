/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PARTNER_H
#define PARTNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** What one process tells the other; some words are followed by bytes that both know. */
enum partner_word {
	PARTNER_MEET = 1, /* addresses follow: of the agents that live here */
	PARTNER_READY,	  /* the nodes are connected, as seen from here */
	PARTNER_REPORT,	  /* to node 2: end, and send what was counted; from it: that follows */
	PARTNER_BOOKS,	  /* to node 2: send the books as CSV, then leave; from it: they follow */
	PARTNER_QUIT,	  /* to node 2: leave */
};

/** The other of two processes of one program, and the stream between them. */
struct partner {
	uint32_t node; /* of this process: 1 has started the other, which is 2 */
	pid_t pid;     /* of the other, in node 1 until it is reaped; else 0 */
	int fd;	       /* the stream; -1: closed */
	int status;    /* of waitpid(), once reaped */
};

/**
 * Start a second process of this program, by fork(): it returns in both, `partner->node` differs.
 *
 * Of the descriptors, the second one keeps standard error and its end of the stream alone.
 *
 * @param partner  out: node 1 ends it with partner_end()
 * @return 0 or a negative errno: there is no second process
 *
 * Context: the only thread of the process, before anything else was started.
 */
int partner_start(struct partner *partner);

/** Say a word. Returns 0; -EPIPE: the other is gone; -ETIMEDOUT: it has not listened for 30 s. */
int partner_say(struct partner *partner, enum partner_word word);

/** Send bytes after a word; returns as partner_say(). Borrows `data`. */
int partner_send(struct partner *partner, const void *data, size_t size);

/** Look at the next word. Returns it; 0: none has come; -EPIPE: the other is gone. */
int partner_peek(const struct partner *partner);

/** Take the next word. Returns it; -EPIPE: the other is gone; -ETIMEDOUT: nothing for 30 s. */
int partner_hear(struct partner *partner);

/** Take the bytes that follow a word. Returns 0, or as partner_hear(). */
int partner_receive(struct partner *partner, void *data, size_t size);

/**
 * Wait until the second process has ended, and kill it where it has not within 5 s.
 *
 * @param text  yields how it ended, for a sentence that begins with its name: "was killed by
 *              signal 9"; NULL: not wanted
 * @return 0: it left in good order; else -EPIPE
 *
 * Context: node 1.
 */
int partner_reap(struct partner *partner, char *text, size_t size);

/** Tell the second process to leave, and wait until it has. Context: node 1. */
void partner_end(struct partner *partner);

#endif
