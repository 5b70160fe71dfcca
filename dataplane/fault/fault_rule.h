/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAULT_RULE_H
#define FAULT_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "label.h"
#include "tern_error.h"

/*
 * Which faults which frames meet, as text for the configuration and the command line:
 *
 *   loss=1%,kind=data; partition,node=3,way=in; delay=100us,jitter=20us
 *
 * `;` or `|` stands between rules, `,` between the words of one: a configuration file takes `;` for
 * the beginning of a comment. Blanks do not count. `off` is no rule.
 * The first rule that applies to a frame decides, so that `loss=0%,kind=ack; loss=5%` spares
 * acknowledgements.
 */

#define TERN_FAULT_RULES 16u
#define TERN_FAULT_BITS_MAX 16u
#define TERN_FAULT_BEHIND_MAX 1000u
#define TERN_FAULT_MILLION 1000000u
#define TERN_FAULT_DELAY_NS_MAX 10000000000u

/** The way that frames go. */
enum tern_fault_way {
	TERN_FAULT_EITHER,  /* of a rule */
	TERN_FAULT_INWARD,  /* from the port */
	TERN_FAULT_OUTWARD, /* to the port */
};

/**
 * What happens to the frames that it applies to. Rates are in millionths, each drawn for itself.
 * A rule of zeros applies to all frames, and nothing happens to them.
 */
struct tern_fault_rule {
	/* which frames; 0 is all */
	uint32_t kind;	     /* enum tern_wire_kind; TERN_LABEL_OTHER: no frame of Tern's */
	uint32_t flow_class; /* of DATA, where by_class */
	bool by_class;
	uint32_t node; /* that it comes from or goes to */
	uint32_t way;  /* enum tern_fault_way */
	/* what happens */
	bool is_partition; /* all are lost */
	uint32_t loss, duplicate, reorder, delayed, corrupt;
	uint32_t behind;    /* reordered: overtaken by 1 .. so many frames; 0: 4 */
	uint32_t bits;	    /* corrupt: 1 .. so many bits flipped; 0: 1 */
	uint64_t delay_ns;  /* delayed: so long, ... */
	uint64_t jitter_ns; /* ... and 0 .. so long more */
};

/**
 * A rule with what it leaves open: `behind` and `bits` within their ranges, and all frames delayed
 * where a time is given and no rate.
 */
struct tern_fault_rule tern_fault_rule_complete(const struct tern_fault_rule *rule);

/** Whether a rule applies to a frame so labelled. */
bool tern_fault_rule_applies(const struct tern_fault_rule *rule, const struct tern_label *label);

/**
 * Read rules.
 *
 * Words: loss, duplicate, reorder, corrupt and delayed with a rate (`1%`, `0.05%`, `20ppm`);
 * behind=FRAMES with reorder (1 .. 1000; 4 where not said); bits=BITS with corrupt (1 .. 16; 1);
 * delay=TIME and jitter=TIME (ns, us, ms, s; to 10 s), for all frames where `delayed` gives no
 * rate; partition; and, to choose frames, kind=hello|welcome|reset|data|ack|heartbeat|nak|gone|bye|
 * other, class=0..15, node=1..16383, way=in|out|either.
 *
 * @param rules  out: TERN_FAULT_RULES places
 * @return how many, 0 for `off`; -EINVAL: the text is wrong, `rules` untouched
 *
 * Context: any thread. Borrows all arguments.
 */
int tern_fault_rules_read(const char *text, struct tern_fault_rule *rules,
			  struct tern_error *error);

/**
 * Write rules as tern_fault_rules_read() reads them.
 *
 * @param text  `size` bytes, 1 or more
 * @return 0; -ENOSPC: cut; -ENOMEM
 *
 * Context: any thread. Borrows all arguments.
 */
int tern_fault_rules_write(const struct tern_fault_rule *rules, unsigned count, char *text,
			   size_t size);

#endif
