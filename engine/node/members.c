/* SPDX-License-Identifier: Apache-2.0 */

/* The list of a cluster's nodes. */
#include "members.h"

#include "tern_router.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_BYTES 512

/* A file on its way in. */
struct reading {
	const struct tern_config *config;
	const char *path;
	unsigned line;
	struct tern_member *members;
	uint32_t count;
	struct tern_error *error;
};

static int refuse_word(const struct reading *reading, const char *word, const char *why)
{
	return tern_error_set(reading->error, -EINVAL,
			      "%.120s:%u: \"%.60s\" %s; a line is a node's number, its address and "
			      "mac=... where it is known, for instance: 2 10.0.0.2",
			      reading->path, reading->line, word, why);
}

bool tern_address_read(enum tern_carrier carrier, const char *text, uint8_t address[16])
{
	if (carrier == TERN_CARRIER_ETHERNET)
		return false;
	memset(address, 0, 16);
	return inet_pton(carrier == TERN_CARRIER_IPV4 ? AF_INET : AF_INET6, text, address) == 1;
}

static int read_mac(const struct reading *reading, struct tern_member *member, const char *text)
{
	unsigned bytes[6];
	int end = 0;
	int found = sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &bytes[0], &bytes[1], &bytes[2],
			   &bytes[3], &bytes[4], &bytes[5], &end);
	if (found != 6 || text[end] || bytes[0] & 1)
		return refuse_word(reading, text, "is no MAC address of one machine");
	for (int i = 0; i < 6; i++)
		member->endpoint.mac[i] = (uint8_t)bytes[i];
	member->has_mac = true;
	return 0;
}

static int read_node(const struct reading *reading, struct tern_member *member, const char *word)
{
	char *end;
	unsigned long node = strtoul(word, &end, 10);
	if (!isdigit((unsigned char)*word) || *end || node == 0 || node > TERN_NODE_MAX)
		return refuse_word(reading, word, "is no node's number; allowed: 1..8191");
	for (uint32_t i = 0; i < reading->count; i++)
		if (reading->members[i].node == node)
			return refuse_word(reading, word, "is there twice");
	member->node = (uint16_t)node;
	return 0;
}

static int read_word(const struct reading *reading, struct tern_member *member, const char *word,
		     bool *has_address)
{
	if (strncmp(word, "mac=", 4) == 0)
		return read_mac(reading, member, word + 4);
	if (*has_address ||
	    !tern_address_read(member->endpoint.carrier, word, member->endpoint.address))
		return refuse_word(reading, word, "is no address of node.carrier");
	*has_address = true;
	return 0;
}

static int check_address(const struct reading *reading, const struct tern_member *member,
			 bool has_address, const char *word)
{
	if (!has_address && member->endpoint.carrier != TERN_CARRIER_ETHERNET)
		return refuse_word(reading, word, "has no address");
	for (uint32_t i = 0; has_address && i < reading->count; i++)
		if (memcmp(reading->members[i].endpoint.address, member->endpoint.address, 16) == 0)
			return refuse_word(reading, word, "has the address of a node before it");
	return 0;
}

static int read_line(struct reading *reading, char *line)
{
	const struct tern_config *config = reading->config;
	struct tern_member *member = &reading->members[reading->count];
	bool has_address = false;
	char *rest, *first;
	line[strcspn(line, "#\r\n")] = '\0';
	first = strtok_r(line, " \t", &rest);
	if (!first)
		return 0;
	if (reading->count == TERN_MEMBERS_MAX)
		return refuse_word(reading, first, "is one too many: 1024 nodes at most");
	*member = (struct tern_member){.endpoint = {.carrier = (enum tern_carrier)config->carrier,
						    .vlan = (uint16_t)config->vlan,
						    .udp_port = (uint16_t)config->udp_port}};
	int code = read_node(reading, member, first);
	for (char *word; code == 0 && (word = strtok_r(NULL, " \t", &rest)) != NULL;)
		code = read_word(reading, member, word, &has_address);
	if (code == 0)
		code = check_address(reading, member, has_address, first);
	reading->count += code == 0;
	return code;
}

static int compare_nodes(const void *left, const void *right)
{
	const struct tern_member *a = left, *b = right;
	return (int)a->node - (int)b->node;
}

static int read_lines(struct reading *reading, FILE *file)
{
	char line[LINE_MAX_BYTES];
	int code = 0;
	while (code == 0 && fgets(line, sizeof(line), file)) {
		reading->line++;
		bool is_whole = strchr(line, '\n') || feof(file);
		code = is_whole ? read_line(reading, line)
				: refuse_word(reading, line, "is a line of more than 510 bytes");
	}
	if (code == 0 && ferror(file))
		code = tern_error_set(reading->error, -errno, "%.120s: cannot read: %m",
				      reading->path);
	return code;
}

int tern_members_read(const struct tern_config *config, struct tern_member **members,
		      struct tern_error *error)
{
	struct reading reading = {.config = config, .path = config->members, .error = error};
	FILE *file = fopen(config->members, "re");
	if (!file)
		return tern_error_set(error, -errno, "node.members: %.120s: cannot open: %m",
				      config->members);
	reading.members = calloc(TERN_MEMBERS_MAX, sizeof(*reading.members));
	int code = reading.members ? read_lines(&reading, file)
				   : tern_error_set(error, -ENOMEM, "node.members: no memory");
	fclose(file);
	if (code < 0) {
		free(reading.members);
		return code;
	}
	qsort(reading.members, reading.count, sizeof(*reading.members), compare_nodes);
	*members = reading.members;
	return (int)reading.count;
}
