/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: over vhost and virtio_user, without privileges or hugepages, either side may come first, be
 * killed with -9 and come back, and frames then go again; no socket, descriptor or thread is left.
 * Method: this process has one side, a child the other; virtio_user listens, as vhost's client=1
 * comes again by itself.
 */
#include "far_side.h"

static struct rte_mempool *pool;

static void vhost_comes_and_goes(void **state)
{
	char folder[32], here[128], there[128];
	(void)state;
	leftovers_folder(folder);
	snprintf(here, sizeof(here), "net_virtio_user0,path=%s/s,server=1", folder);
	snprintf(there, sizeof(there), "net_vhost0,iface=%s/s,client=1", folder);
	far_comes_and_goes(here, there, pool, 2);
	assert_true(leftovers_folder_is_empty(folder));
}

static void virtio_user_comes_and_goes(void **state)
{
	char folder[32], socket[64], here[128], there[128];
	(void)state;
	leftovers_folder(folder);
	snprintf(socket, sizeof(socket), "%s/s", folder);
	snprintf(here, sizeof(here), "net_vhost0,iface=%s,client=1", socket);
	snprintf(there, sizeof(there), "net_virtio_user0,path=%s,server=1", socket);
	far_comes_and_goes(here, there, pool, 2);
	unlink(socket); /* that of a server that was killed */
	assert_true(leftovers_folder_is_empty(folder));
}

/* Nobody ever comes: the port can be closed all the same, and its socket is gone. */
static void a_port_that_waits_can_be_closed(void **state)
{
	char folder[32], device[128];
	(void)state;
	for (int is_server = 0; is_server < 2; is_server++)
		for (int i = 0; i < 3; i++) {
			struct tern_port *port;
			leftovers_folder(folder);
			snprintf(device, sizeof(device), "net_virtio_user0,path=%s/s,server=%d",
				 folder, is_server);
			port = far_open(device, pool);
			assert_false(port->ops->is_up(port));
			assert_int_equal(port->frame_max, 1500);
			assert_int_equal(port->mac[0], 2);
			port->ops->destroy(port);
			assert_true(leftovers_folder_is_empty(folder));
		}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vhost_comes_and_goes),
		cmocka_unit_test(virtio_user_comes_and_goes),
		cmocka_unit_test(a_port_that_waits_can_be_closed),
	};
	if (argc == 3)
		return far_echo(argv[2]);
	pool = far_pool();
	return cmocka_run_group_tests_name("vhost", tests, NULL, NULL);
}
