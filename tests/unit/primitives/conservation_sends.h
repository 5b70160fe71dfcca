/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONSERVATION_SENDS_H
#define CONSERVATION_SENDS_H

/* How parties send, and how they read what they are sent: a number in bytes, iso, val or tag. */
#include "conservation.h"

/* What a signal carries as bytes; the key follows from the number. */
struct numbered {
	uint64_t number;
	uint64_t key;
};

static uint32_t key_of(const struct party *to, uint64_t number, bool has_key)
{
	return to->policy != TERN_POLICY_CONFLATE ? 0 : has_key ? number & 1 : KEYS - 1;
}

static uint64_t number_in(const struct tern_signal *signal, bool *has_key)
{
	uint64_t number;
	*has_key = false;
	if (tern_signal_tag_of(signal))
		return tern_tag_address(tern_signal_tag_of(signal));
	const void *bytes = tern_signal_data(signal);
	*has_key = tern_signal_size(signal) == sizeof(struct numbered);
	if (tern_signal_size(signal) == 0)
		bytes = tern_signal_has_iso(signal) ? tern_iso_data(signal->payload.iso)
						    : tern_val_data(signal->payload.val);
	memcpy(&number, bytes, sizeof(number));
	return number;
}

static tern_iso *make_block(struct tern_agent *self, uint64_t number, size_t size)
{
	tern_iso *iso = tern_iso_create(tern_heap(self), size);
	if (iso)
		memcpy(tern_iso_data(iso), &number, sizeof(number));
	return iso;
}

static int send_bytes(struct tern_agent *self, tern_address to, uint64_t number)
{
	struct numbered data = {.number = number, .key = number & 1};
	return tern_signal_bytes(self, to, TYPE_DATA, &data, sizeof(data));
}

/* Without a block, by value: refusals are to be those of sends. */
static int send_iso(struct tern_agent *self, tern_address to, uint64_t number, size_t size)
{
	tern_iso *iso = make_block(self, number, size);
	if (!iso)
		return send_bytes(self, to, number);
	iso = tern_signal(self, to, TYPE_DATA, iso);
	int code = iso ? -tern_errno : 0;
	tern_iso_drop(tern_heap(self), iso);
	return code;
}

static int send_val(struct tern_agent *self, tern_address to, uint64_t number)
{
	tern_iso *iso = make_block(self, number, BLOCK_SMALL);
	if (!iso)
		return send_bytes(self, to, number);
	const tern_val *val = tern_iso_freeze(iso);
	const tern_val *left = tern_signal(self, to, TYPE_DATA, tern_val_share(val));
	int code = left ? -tern_errno : 0;
	tern_val_drop(tern_heap(self), left);
	tern_val_drop(tern_heap(self), val);
	return code;
}

static int send_form(struct tern_agent *self, struct party *party, tern_address to, uint64_t number)
{
	switch (pick(&party->rng, 8)) {
	case 0:
		return send_iso(self, to, number, BLOCK_SMALL);
	case 1:
		return send_iso(self, to, number, BLOCK_LARGE);
	case 2:
		return send_val(self, to, number);
	case 3:
		return tern_signal(self, to, TYPE_DATA, tern_tag_make(number));
	default:
		return send_bytes(self, to, number);
	}
}

static void send_some(struct tern_agent *self, struct party *party, struct party *to,
		      uint32_t count)
{
	tern_address address = seen(&to->address);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t number = enter(party, to);
		if (!number)
			return;
		int code = send_form(self, party, address, number);
		enter_result(party, to, number, code);
		if (code != 0 && i > 3)
			return;
	}
}

/* Sends that may wait; on_stop knows if the fiber did not come back from one. */
static void send_patiently(struct tern_agent *self, struct party *party, struct party *to)
	TERN_OWNS(self);
static void send_patiently(struct tern_agent *self, struct party *party, struct party *to)
{
	struct run *run = party->run;
	tern_address address = seen(&to->address);
	uint64_t timeout = pick(&party->rng, 20000);
	uint32_t number = enter(party, to);
	int code = 0;
	if (!number)
		return;
	tern_iso *block = pick(&party->rng, 2) ? make_block(self, number, BLOCK_SMALL) : NULL;
	struct numbered data = {.number = number, .key = number & 1};
	party->sending = number;
	note(&run->waiting);
	if (block) {
		block = tern_signal_wait(self, address, TYPE_DATA, block, timeout);
		code = block ? -tern_errno : 0;
	} else {
		code = tern_send(self, address, TYPE_DATA, &data, sizeof(data), timeout);
	}
	party->sending = 0;
	tern_iso_drop(tern_heap(self), block);
	enter_result(party, to, number, code);
	__atomic_fetch_sub(&run->waiting, 1, __ATOMIC_RELEASE);
}

#endif
