/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: ports on the kernel's interfaces carry frames without root, through af_packet, and with
 * root through AF_XDP; a link that goes down, and an interface that is taken away, is a state.
 * Method: a pair of veth in a user and network namespace of the test's own; where the kernel
 * allows none, the tests are skipped and say so. AF_XDP is tried as real root only.
 */
#include "far_side.h"

/* libxdp keeps 160 bytes of a port that is closed. */
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:xsk_umem__create\n";
}

static struct rte_mempool *pool;
static const char *why_not; /* NULL: there is veth */
static bool is_root;	    /* outside the namespace */

static int interface_run(const char *command)
{
	int code = system(command);
	return WIFEXITED(code) ? WEXITSTATUS(code) : -1;
}

static bool interface_write(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");
	bool is_written = file && fputs(text, file) >= 0;
	return (file && fclose(file) == 0) && is_written;
}

/* What `unshare -Urn` does; root need not become another user. */
static const char *interface_unshare(void)
{
	char map[64];
	unsigned uid = geteuid();
	if (uid == 0)
		return unshare(CLONE_NEWNET) == 0 ? NULL : "no network namespace";
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
		return "user namespaces are not allowed";
	snprintf(map, sizeof(map), "0 %u 1", uid);
	if (!interface_write("/proc/self/setgroups", "deny") ||
	    !interface_write("/proc/self/uid_map", map))
		return "user namespaces cannot be set up";
	return NULL;
}

static int interface_setup(void **state)
{
	(void)state;
	if (why_not)
		return 0;
	return interface_run("ip link add tern0 type veth peer name tern1 && "
			     "ip link set tern0 up && ip link set tern1 up");
}

static int interface_teardown(void **state)
{
	(void)state;
	if (!why_not)
		interface_run("ip link del tern0 2>/dev/null");
	return rte_mempool_avail_count(pool) == FAR_FRAMES ? 0 : -1;
}

static void interface_need(void)
{
	if (!why_not)
		return;
	print_message("skipped: %s\n", why_not);
	skip();
}

/* A number from one port to the other; whatever the kernel sends of its own is passed over. */
static void interface_carry(struct tern_port *from, struct tern_port *to, uint32_t count)
{
	for (uint32_t number = 1; number <= count; number++) {
		struct rte_mbuf *frame = far_frame(pool, number);
		uint32_t got = 0;
		memcpy(rte_pktmbuf_mtod(frame, void *), to->mac, 6);
		memcpy(rte_pktmbuf_mtod_offset(frame, void *, 6), from->mac, 6);
		memcpy(rte_pktmbuf_mtod_offset(frame, void *, 12), "\x88\xb5", 2);
		assert_int_equal(tern_port_tx(from, 0, &frame, 1), 1);
		while (got != number) {
			frame = far_receive(to, 5000000000u);
			assert_non_null(frame);
			memcpy(&got, rte_pktmbuf_mtod_offset(frame, void *, 16), sizeof(got));
			rte_pktmbuf_free(frame);
		}
	}
}

static void carry_both_ways(const char *prefix)
{
	char a[16], b[16];
	struct tern_port *ports[2];
	snprintf(a, sizeof(a), "%stern0", prefix);
	snprintf(b, sizeof(b), "%stern1", prefix);
	ports[0] = far_open(a, pool);
	ports[1] = far_open(b, pool);
	far_await(ports[0], true);
	far_await(ports[1], true);
	interface_carry(ports[0], ports[1], 200);
	interface_carry(ports[1], ports[0], 200);
	ports[0]->ops->destroy(ports[0]);
	ports[1]->ops->destroy(ports[1]);
}

static void af_packet_carries_frames(void **state)
{
	unsigned before;
	(void)state;
	interface_need();
	before = leftovers_descriptors();
	carry_both_ways("");
	carry_both_ways("");
	assert_int_equal(leftovers_descriptors(), before);
}

static void af_xdp_carries_frames(void **state)
{
	struct rte_mempool *kept = pool;
	struct tern_error error = {""};
	(void)state;
	interface_need();
	if (!is_root) {
		print_message("skipped: AF_XDP needs root\n");
		skip();
	}
	/* its rings hold thousands of frames, and what the kernel had of them does not come back */
	assert_int_equal(tern_frames_create("xdp", 16384, 1500, 0, -1, &pool, &error), 0);
	carry_both_ways("xdp:");
	pool = kept;
}

static void a_link_that_goes_is_a_state(void **state)
{
	struct tern_port *port;
	struct rte_mbuf *frame;
	(void)state;
	interface_need();
	port = far_open("tern0", pool);
	far_await(port, true);
	assert_int_equal(interface_run("ip link set tern1 down"), 0);
	far_await(port, false);
	assert_int_equal(interface_run("ip link set tern1 up"), 0);
	far_await(port, true);
	assert_int_equal(interface_run("ip link del tern0"), 0);
	far_await(port, false);
	frame = far_frame(pool, 1);
	if (!tern_port_tx(port, 0, &frame, 1))
		rte_pktmbuf_free(frame);
	while (tern_port_rx(port, 0, &frame, 1))
		rte_pktmbuf_free(frame);
	port->ops->destroy(port);
}

static void an_mtu_that_the_interface_has_not_is_refused(void **state)
{
	struct tern_ethdev_options options = {
		.device = "tern0", .queues = 1, .frames = &pool, .mtu = 9000};
	struct tern_error error = {""};
	struct tern_port *port;
	(void)state;
	interface_need();
	assert_int_equal(tern_ethdev_create(&options, &port, &error), -EMSGSIZE);
	assert_non_null(strstr(error.text, "ip link set dev tern0 mtu 9000"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(af_packet_carries_frames, interface_setup,
						interface_teardown),
		cmocka_unit_test_setup_teardown(a_link_that_goes_is_a_state, interface_setup,
						interface_teardown),
		cmocka_unit_test_setup_teardown(an_mtu_that_the_interface_has_not_is_refused,
						interface_setup, interface_teardown),
		cmocka_unit_test_setup_teardown(af_xdp_carries_frames, interface_setup,
						interface_teardown),
	};
	is_root = geteuid() == 0;
	why_not = interface_unshare();
	if (!why_not &&
	    interface_run("ip link add tern0 type veth peer name tern1 2>/dev/null") == 0)
		interface_run("ip link del tern0");
	else if (!why_not)
		why_not = "no veth here, or no `ip`";
	pool = far_pool();
	return cmocka_run_group_tests_name("interface", tests, NULL, NULL);
}
