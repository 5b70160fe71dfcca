/* SPDX-License-Identifier: Apache-2.0 */
// tool: gcc | analyzer | clang | clang-thread-safety
/* Goal: create, fill, send, handle the refused block: the idiom is accepted as it is documented. */
#include "tern_signal.h"

#include <errno.h>

struct order {
	long price;
	unsigned char text[200];
};
TERN_BLOCK_TYPE(order, struct order);

int send_once(struct tern_agent *self, tern_address to);
int send_again(struct tern_agent *self, tern_address to, tern_address other);
int send_wait(struct tern_agent *self, tern_address to);

int send_once(struct tern_agent *self, tern_address to)
{
	tern_iso *iso = order_create(tern_heap(self));
	if (!iso)
		return -tern_errno;
	order_iso(iso)->price = 7;
	tern_iso *back = tern_signal(self, to, 1, iso);
	if (!back)
		return 0;
	tern_iso_drop(tern_heap(self), back);
	return -tern_errno;
}

int send_again(struct tern_agent *self, tern_address to, tern_address other)
{
	tern_iso *iso = tern_iso_create(tern_heap(self), sizeof(struct order));
	if (!iso)
		return -tern_errno;
	order_iso(iso)->price = 8;
	iso = tern_signal(self, to, 1, iso);
	if (iso && tern_errno == ESRCH)
		iso = tern_signal(self, other, 1, iso);
	bool refused = iso;
	tern_iso_drop(tern_heap(self), iso);
	return refused ? -tern_errno : 0;
}

int send_wait(struct tern_agent *self, tern_address to)
{
	tern_iso *iso = tern_iso_create(tern_heap(self), 1000);
	if (!iso)
		return -tern_errno;
	iso = tern_signal_wait(self, to, 1, iso, 1000000);
	if (iso) {
		tern_iso_drop(tern_heap(self), iso);
		return -tern_errno;
	}
	return 0;
}

/* Takes what it was sent, changes it and sends it back. */
TERN_HANDLER(, on_order)
{
	tern_iso *iso = tern_signal_take_iso(signal);
	if (!iso)
		return;
	order_iso(iso)->price++;
	tern_iso_drop(tern_heap(self), tern_signal(self, tern_signal_from(signal), 2, iso));
}
