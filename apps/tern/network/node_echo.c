/* SPDX-License-Identifier: Apache-2.0 */
#include "node_echo.h"

static int echo_bytes(struct tern_agent *self, const struct tern_signal *signal)
{
	return tern_signal_bytes(self, tern_signal_from(signal), tern_signal_type(signal),
				 tern_signal_data(signal), tern_signal_size(signal));
}

TERN_HANDLER(static, echo_signal)
{
	tern_address to = tern_signal_from(signal);
	uint16_t type = tern_signal_type(signal);
	tern_iso *iso = tern_signal_take_iso(signal);
	const tern_val *val = tern_signal_take_val(signal);

	if (iso)
		iso = tern_signal_iso(self, to, type, iso);
	else if (val)
		val = tern_signal_val(self, to, type, val);
	else
		(void)!echo_bytes(self, signal);
	tern_iso_drop(tern_heap(self), iso);
	tern_val_drop(tern_heap(self), val);
}

const struct tern_behaviour node_echo = {.name = "echo", .handler = echo_signal};
