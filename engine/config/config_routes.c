/* SPDX-License-Identifier: Apache-2.0 */

/* Routes to agents of other nodes, as a person writes them down. */
#include "config_routes.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define NODE_MAX 8191u
#define CAPABILITY_MAX 63u

#define ALLOWED                                                          \
	"NODE:SLOT:GENERATION, such as 2:77:1, of 1..8191, 0..67108863 " \
	"and 1..16777215, and CAPABILITY,CAPABILITY behind it"

const char *tern_config_route_name(const char *path)
{
	size_t length = strlen(TERN_CONFIG_ROUTES_SECTION);
	bool is_route = strncmp(path, TERN_CONFIG_ROUTES_SECTION, length) == 0;
	return is_route && path[length] == '.' ? path + length + 1 : NULL;
}

uint32_t tern_config_route_find(const struct tern_config *config, const char *name)
{
	uint32_t at = 0;
	while (at < config->route_count && strcmp(config->routes[at].name, name) != 0)
		at++;
	return at;
}

/* What the file can hold on either side of the equals sign. */
static bool is_word(const char *text, size_t length, size_t length_max)
{
	if (length == 0 || length > length_max)
		return false;
	for (size_t i = 0; i < length; i++)
		if (!isgraph((unsigned char)text[i]) || strchr(";#=[]\\,", text[i]))
			return false;
	return true;
}

static bool is_word_list(const char *text)
{
	size_t length;
	for (const char *word = text; *text; word += length + 1) {
		length = strcspn(word, ",");
		if (!is_word(word, length, CAPABILITY_MAX))
			return false;
		if (!word[length])
			break;
	}
	return true;
}

static bool is_name(const char name[TERN_CONFIG_ROUTE_NAME])
{
	size_t length = strnlen(name, TERN_CONFIG_ROUTE_NAME);
	return is_word(name, length, TERN_CONFIG_ROUTE_NAME - 1);
}

static bool is_address(tern_address address)
{
	uint32_t node = tern_address_node(address);
	return node > 0 && node <= NODE_MAX && tern_address_generation(address) > 0;
}

/* A decimal number up to the character that must follow it. */
static bool read_part(const char **text, uint64_t max, char end, uint32_t *part)
{
	char *rest;
	if (!isdigit((unsigned char)**text))
		return false;
	errno = 0;
	unsigned long long value = strtoull(*text, &rest, 10);
	if (errno || value > max || *rest != end)
		return false;
	*part = (uint32_t)value;
	*text = rest + (end != '\0');
	return true;
}

static bool read_address(const char *text, tern_address *address)
{
	uint32_t node, slot, generation;
	if (!read_part(&text, NODE_MAX, ':', &node) ||
	    !read_part(&text, TERN_AGENTS_MAX - 1, ':', &slot) ||
	    !read_part(&text, TERN_ADDRESS_GENERATION_MASK, '\0', &generation))
		return false;
	*address = tern_address_make(node, slot, generation);
	return is_address(*address);
}

static bool read_route(const char *name, const char *text, struct tern_config_route *route)
{
	char address[64];
	size_t length = strcspn(text, " \t"), skipped = strspn(text + length, " \t");
	const char *capabilities = text + length + skipped;
	*route = (struct tern_config_route){0};
	if (length >= sizeof(address) || strlen(name) >= sizeof(route->name) ||
	    strlen(capabilities) >= sizeof(route->capabilities))
		return false;
	memcpy(address, text, length);
	address[length] = '\0';
	memcpy(route->name, name, strlen(name));
	memcpy(route->capabilities, capabilities, strlen(capabilities));
	return is_name(route->name) && is_word_list(route->capabilities) &&
	       read_address(address, &route->address);
}

int tern_config_route_read(const char *name, const char *text, struct tern_config *config,
			   const char *where, struct tern_error *error)
{
	uint32_t at = tern_config_route_find(config, name);
	struct tern_config_route route;

	if (!read_route(name, text, &route))
		return tern_error_set(error, -EINVAL, "%sroutes.%.64s is \"%.60s\"; allowed: %s",
				      where, name, text, ALLOWED);
	if (at == TERN_CONFIG_ROUTES_MAX)
		return tern_error_set(
			error, -EINVAL,
			"%sroutes.%.64s is one route too many; allowed: %u here, more "
			"through tern_engine_router()",
			where, name, TERN_CONFIG_ROUTES_MAX);
	config->routes[at] = route;
	config->route_count += at == config->route_count;
	return 0;
}

static int check_route(const struct tern_config *config, const struct tern_config_route *route,
		       struct tern_error *error)
{
	size_t size = sizeof(route->capabilities);
	if (!is_name(route->name) || strnlen(route->capabilities, size) == size ||
	    !is_word_list(route->capabilities) || !is_address(route->address))
		return tern_error_set(error, -EINVAL, "routes.%.63s is no route; allowed: %s",
				      is_name(route->name) ? route->name : "?", ALLOWED);
	if (tern_address_node(route->address) == config->router.node)
		return tern_error_set(error, -EINVAL,
				      "routes.%s leads to node %u, which is this one: "
				      "router.node; allowed: other nodes",
				      route->name, config->router.node);
	return 0;
}

static int check_others(const struct tern_config *config, uint32_t at, struct tern_error *error)
{
	const struct tern_config_route *route = &config->routes[at];
	for (uint32_t i = 0; i < at; i++) {
		const struct tern_config_route *other = &config->routes[i];
		if (strcmp(other->name, route->name) == 0)
			return tern_error_set(error, -EINVAL, "routes.%s is there twice",
					      route->name);
		if (other->address == route->address)
			return tern_error_set(error, -EINVAL,
					      "routes.%s leads where routes.%s does; allowed: one "
					      "name for each agent",
					      route->name, other->name);
	}
	return 0;
}

int tern_config_routes_check(const struct tern_config *config, struct tern_error *error)
{
	int rc = 0;

	if (config->route_count > TERN_CONFIG_ROUTES_MAX)
		return tern_error_set(error, -EINVAL, "routes: %u routes; allowed: 0..%u",
				      config->route_count, TERN_CONFIG_ROUTES_MAX);
	for (uint32_t i = 0; rc == 0 && i < config->route_count; i++) {
		rc = check_route(config, &config->routes[i], error);
		if (rc == 0)
			rc = check_others(config, i, error);
	}
	return rc;
}

void tern_config_routes_dump(const struct tern_config *config, FILE *file)
{
	if (config->route_count)
		fprintf(file, "\n[%s]\n", TERN_CONFIG_ROUTES_SECTION);
	for (uint32_t i = 0; i < config->route_count; i++) {
		const struct tern_config_route *route = &config->routes[i];
		fprintf(file, "%.63s=%u:%u:%u%s%.*s\n", route->name,
			tern_address_node(route->address), tern_address_slot(route->address),
			tern_address_generation(route->address), route->capabilities[0] ? " " : "",
			(int)sizeof(route->capabilities) - 1, route->capabilities);
	}
}
