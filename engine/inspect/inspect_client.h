/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INSPECT_CLIENT_H
#define INSPECT_CLIENT_H

#include "inspect_wire.h"

/** An engine that is asked, and its last reply. */
struct tern_inspect {
	int fd; /* negative: the inspector has let us go */
	pid_t pid;
	uint32_t number;
	union tern_inspect_reply reply;
};

/** Ask it. 0: the reply is there, and in order; negative errno of tern_inspect_stat(). */
int tern_inspect_ask(struct tern_inspect *inspect, const union tern_inspect_request *request,
		     struct tern_error *error);

#endif
