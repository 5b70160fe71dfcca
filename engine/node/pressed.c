/* SPDX-License-Identifier: Apache-2.0 */
#include "pressed.h"

#include <errno.h>
#include <stdlib.h>

#define PLACES TERN_PRESSED_PLACES

int tern_pressed_init(struct tern_pressed *pressed)
{
	*pressed = (struct tern_pressed){
		.entries = calloc(TERN_PRESSED_MAX, sizeof(*pressed->entries)),
		.places = calloc(PLACES, sizeof(*pressed->places))};
	return pressed->entries && pressed->places ? 0 : -ENOMEM;
}

void tern_pressed_fini(struct tern_pressed *pressed)
{
	free(pressed->entries);
	free(pressed->places);
	*pressed = (struct tern_pressed){0};
}

static uint32_t first_place(tern_address agent, uint32_t link)
{
	uint64_t mixed = (agent + link) * 0x9E3779B97F4A7C15u;
	return (uint32_t)(mixed >> 32) % PLACES;
}

/* Where it is, or where it would go. */
static uint32_t find_place(const struct tern_pressed *pressed, tern_address agent, uint32_t link)
{
	uint32_t place = first_place(agent, link), at;
	while ((at = pressed->places[place]) != 0 &&
	       (pressed->entries[at - 1].agent != agent || pressed->entries[at - 1].link != link))
		place = (place + 1) % PLACES;
	return place;
}

bool tern_pressed_has(const struct tern_pressed *pressed, tern_address agent, uint32_t link)
{
	return pressed->places[find_place(pressed, agent, link)] != 0;
}

bool tern_pressed_add(struct tern_pressed *pressed, tern_address agent, uint32_t link)
{
	uint32_t place = find_place(pressed, agent, link);
	if (pressed->places[place] || pressed->count == TERN_PRESSED_MAX)
		return false;
	pressed->entries[pressed->count] =
		(struct tern_pressed_entry){.agent = agent, .link = link};
	pressed->places[place] = (uint16_t)++pressed->count;
	return true;
}

/* Those behind it close up, so that a search never meets a gap before its end. */
static void clear_place(struct tern_pressed *pressed, uint32_t place)
{
	uint16_t *places = pressed->places;
	for (uint32_t next = (place + 1) % PLACES; places[next]; next = (next + 1) % PLACES) {
		const struct tern_pressed_entry *entry = &pressed->entries[places[next] - 1];
		uint32_t home = first_place(entry->agent, entry->link);
		if ((next - home) % PLACES < (next - place) % PLACES)
			continue;
		places[place] = places[next];
		place = next;
	}
	places[place] = 0;
}

/* The last entry takes the place of one that goes. */
static void remove_entry(struct tern_pressed *pressed, uint32_t at)
{
	struct tern_pressed_entry *gone = &pressed->entries[at];
	const struct tern_pressed_entry last = pressed->entries[pressed->count - 1];
	clear_place(pressed, find_place(pressed, gone->agent, gone->link));
	if (at != pressed->count - 1) {
		pressed->places[find_place(pressed, last.agent, last.link)] = (uint16_t)(at + 1);
		*gone = last;
	}
	pressed->count--;
}

void tern_pressed_remove(struct tern_pressed *pressed, tern_address agent, uint32_t link)
{
	uint32_t at = pressed->places[find_place(pressed, agent, link)];
	if (at)
		remove_entry(pressed, at - 1);
}

void tern_pressed_forget(struct tern_pressed *pressed, uint32_t link)
{
	for (uint32_t at = pressed->count; at; at--)
		if (pressed->entries[at - 1].link == link)
			remove_entry(pressed, at - 1);
}

struct tern_pressed_entry tern_pressed_next(struct tern_pressed *pressed)
{
	pressed->looked = (pressed->looked + 1) % pressed->count;
	return pressed->entries[pressed->looked];
}
