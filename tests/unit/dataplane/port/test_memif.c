/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: over memif, without privileges or hugepages, either side may come first, be killed with -9
 * and come back, and frames then go again; no socket, descriptor or thread is left.
 * Method: this process has one side, a child the other, in both roles, by abstract name and by
 * file.
 */
#include "far_side.h"

#include <sys/socket.h>
#include <sys/un.h>

#include "dataplane/port/device.h"

static struct rte_mempool *pool;

static void pair_of(char here[128], char there[128], const char *socket, bool is_file,
		    bool is_server)
{
	const char *kind = is_file ? ",socket-abstract=no" : "";
	snprintf(here, 128, "net_memif_a,role=%s,socket=%s%s", is_server ? "server" : "client",
		 socket, kind);
	snprintf(there, 128, "net_memif_b,role=%s,socket=%s%s", is_server ? "client" : "server",
		 socket, kind);
}

static void comes_and_goes(bool is_file, bool is_server)
{
	char folder[32], socket[64], here[128], there[128];
	leftovers_folder(folder);
	snprintf(socket, sizeof(socket), "%s/s", folder);
	pair_of(here, there, socket, is_file, is_server);
	far_comes_and_goes(here, there, pool, 2);
	unlink(is_server ? "" : socket); /* that of a server that was killed */
	assert_true(leftovers_folder_is_empty(folder));
}

static void a_server_comes_and_goes(void **state)
{
	(void)state;
	comes_and_goes(false, false);
}

static void a_client_comes_and_goes(void **state)
{
	(void)state;
	comes_and_goes(false, true);
}

static void a_server_at_a_file_comes_and_goes(void **state)
{
	(void)state;
	comes_and_goes(true, false);
}

static void a_client_of_a_file_comes_and_goes(void **state)
{
	(void)state;
	comes_and_goes(true, true);
}

/* Bursts without a pause, while the far side dies: in whatever part of one its rings go away. */
static void burst_until_down(struct tern_port *port, pid_t far, uint64_t kill_ns)
{
	struct patience patience = {0};
	bool is_killed = false;
	clock_gettime(CLOCK_MONOTONIC, &patience.from);
	while (!is_killed || patience_ns(&patience) < kill_ns + 60000000u) {
		if (!is_killed && patience_ns(&patience) > kill_ns) {
			far_kill(far);
			is_killed = true;
		}
		for (int i = 0; i < 100; i++) {
			struct rte_mbuf *frame = far_frame(pool, 0), *got[32];
			if (!tern_port_tx(port, 0, &frame, 1))
				rte_pktmbuf_free(frame);
			rte_pktmbuf_free_bulk(got, tern_port_rx(port, 0, got, 32));
		}
	}
}

static void bursts_under_way_survive_the_far_side(void **state)
{
	struct tern_rng rng = {.state = test_seed(4)};
	char socket[64], here[128], there[128];
	(void)state;
	snprintf(socket, sizeof(socket), "tern-test-%d", getpid());
	for (int is_server = 0; is_server < 2; is_server++) {
		struct tern_port *port;
		pair_of(here, there, socket, false, is_server);
		port = far_open(here, pool);
		for (int i = 0; i < 6; i++) {
			pid_t far = far_start(there);
			far_await(port, true);
			burst_until_down(port, far, pick(&rng, 10000000));
			far_await(port, false);
		}
		port->ops->destroy(port);
	}
	assert_int_equal(rte_mempool_avail_count(pool), FAR_FRAMES);
}

/* Both sides in one process; the name is free again each time. */
static void ports_that_are_closed_leave_nothing(void **state)
{
	char socket[64], here[128], there[128];
	unsigned before = 0, after = 0;
	(void)state;
	snprintf(socket, sizeof(socket), "tern-test-%d", getpid());
	pair_of(here, there, socket, false, true);
	for (int i = 0; i < 4; i++) {
		struct tern_port *server = far_open(here, pool), *client = far_open(there, pool);
		far_await(client, true);
		far_await(server, true);
		client->ops->destroy(client);
		server->ops->destroy(server);
		before = after;
		after = leftovers_descriptors();
	}
	/* DPDK needs the number of the server's socket still: a silent event has it */
	assert_in_range(after, before, before + 1);
}

/* DPDK's interrupt thread may panic of a client that connects and goes at once. */
static void a_socket_in_use_is_left_alone(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct tern_device device = {0};
	char folder[32];
	(void)state;
	leftovers_folder(folder);
	snprintf(device.socket, sizeof(device.socket), "%s/s", folder);
	strcpy(address.sun_path, device.socket);
	const int types[] = {SOCK_SEQPACKET, SOCK_STREAM};
	for (int i = 0; i < 2; i++) {
		int fd = socket(AF_UNIX, types[i] | SOCK_NONBLOCK, 0);
		assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
		assert_int_equal(listen(fd, 5), 0);
		tern_device_clear_socket(&device);
		assert_int_equal(access(device.socket, F_OK), 0);
		assert_int_equal(accept(fd, NULL, NULL), -1);
		assert_int_equal(errno, EAGAIN);
		close(fd);
		tern_device_clear_socket(&device);
		assert_int_equal(access(device.socket, F_OK), -1);
	}
	assert_true(leftovers_folder_is_empty(folder));
}

/* DPDK would give both the same, of its seed from before the fork. */
static void forked_processes_have_macs_of_their_own(void **state)
{
	struct tern_device devices[2];
	struct tern_error error;
	int results[2], status;
	(void)state;
	assert_int_equal(pipe(results), 0);
	for (int i = 0; i < 2; i++) {
		pid_t child = fork();
		if (child == 0) {
			int code = tern_device_read("net_memif0,role=client,socket=x", 1, 1500,
						    &devices[0], &error);
			_exit(code != 0 || write(results[1], devices, sizeof(devices[0])) < 0);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_int_equal(status, 0);
		assert_int_equal(read(results[0], &devices[i], sizeof(devices[i])),
				 sizeof(devices[i]));
		assert_non_null(strstr(devices[i].args, ",mac=02:54:"));
	}
	assert_string_not_equal(devices[0].args, devices[1].args);
	close(results[0]);
	close(results[1]);
	const char *given = "net_memif0,role=client,socket=x,mac=02:00:00:00:00:07";
	assert_int_equal(tern_device_read(given, 1, 1500, &devices[0], &error), 0);
	assert_string_equal(devices[0].args, given);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_server_comes_and_goes),
		cmocka_unit_test(a_client_comes_and_goes),
		cmocka_unit_test(a_server_at_a_file_comes_and_goes),
		cmocka_unit_test(a_client_of_a_file_comes_and_goes),
		cmocka_unit_test(bursts_under_way_survive_the_far_side),
		cmocka_unit_test(ports_that_are_closed_leave_nothing),
		cmocka_unit_test(a_socket_in_use_is_left_alone),
		cmocka_unit_test(forked_processes_have_macs_of_their_own),
	};
	if (argc == 3)
		return far_echo(argv[2]);
	pool = far_pool();
	return cmocka_run_group_tests_name("memif", tests, NULL, NULL);
}
