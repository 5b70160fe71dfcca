/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MEMBERS_H
#define MEMBERS_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/frame/frame.h"
#include "tern_config.h"

/** Nodes of a cluster, this one included, at most. */
#define TERN_MEMBERS_MAX 1024u

/** A node of the cluster, as its list says. */
struct tern_member {
	uint16_t node;
	bool has_mac;
	struct tern_endpoint endpoint;
};

/**
 * Read the list of a cluster's nodes: node.members, and what node.carrier, udp_port and vlan say of
 * all of them. A line is a node, its address and what else is known, in any order:
 *
 *     1  10.0.0.1
 *     2  10.0.0.2  mac=02:00:00:00:00:02
 *
 * Over raw Ethernet a node has no address. Empty lines and what follows a # do not count.
 *
 * @param members  yields them, rising by node; the caller's, to be freed with free()
 * @return how many; -EINVAL: a line is refused; or what open() says; -ENOMEM
 */
int tern_members_read(const struct tern_config *config, struct tern_member **members,
		      struct tern_error *error);

/** Read an address of a carrier: 10.0.0.1, fe80::1. false: it is none. */
bool tern_address_read(enum tern_carrier carrier, const char *text, uint8_t address[16]);

#endif
