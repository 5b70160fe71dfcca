/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAYOUT_H
#define LAYOUT_H

struct tern_engine;
struct tern_error;

/** Lay out and map everything but threads. 0 or negative errno. */
int tern_layout_map(struct tern_engine *engine, struct tern_error *error);

void tern_layout_unmap(struct tern_engine *engine);

#endif
