/* SPDX-License-Identifier: Apache-2.0 */
#ifndef INSPECT_NODE_H
#define INSPECT_NODE_H

#include "inspect_wire.h"

struct tern_engine;

/*
 * What an inspector answers of its engine's network. None of them waits for an lcore: a ping is
 * begun by one request, and looked at by others.
 */
int tern_inspect_answer_peers(const struct tern_engine *engine,
			      const union tern_inspect_request *request,
			      union tern_inspect_reply *reply);
int tern_inspect_answer_ping(const struct tern_engine *engine,
			     const union tern_inspect_request *request,
			     union tern_inspect_reply *reply);
int tern_inspect_answer_fault(const struct tern_engine *engine,
			      const union tern_inspect_request *request,
			      union tern_inspect_reply *reply);
int tern_inspect_answer_fault_set(const struct tern_engine *engine,
				  const union tern_inspect_request *request,
				  union tern_inspect_reply *reply);

#endif
