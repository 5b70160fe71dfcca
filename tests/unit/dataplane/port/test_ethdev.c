/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a port that cannot be is refused with its errno and with a message that says what was met
 * and what is needed, and leaves nothing; EAL is started once, takes no CPU, and says who needs it
 * otherwise.
 * Method: a table of wrong devices and options, between ports that work.
 */
#include "tests/unit/support.h"

#include <dirent.h>

#include "dataplane/port/eal.h"
#include "dataplane/port/ethdev.h"
#include "dataplane/port/frames.h"
#include "leftovers.h"

enum { FRAMES = 1024 };

static struct rte_mempool *pool;

static int ethdev_try(const char *device, uint16_t queues, uint16_t queues_min, uint16_t mtu,
		      struct tern_error *error)
{
	struct rte_mempool *pools[8] = {pool, pool, pool, pool, pool, pool, pool, pool};
	struct tern_ethdev_options options = {.device = device,
					      .queues = queues,
					      .queues_min = queues_min,
					      .mtu = mtu,
					      .frames = pools};
	struct tern_port *port = NULL;
	int code = tern_ethdev_create(&options, &port, error);
	if (code == 0)
		port->ops->destroy(port);
	else
		assert_null(port);
	return code;
}

static void what_cannot_be_is_refused_with_a_message(void **state)
{
	static const struct {
		const char *device;
		uint16_t queues, queues_min, mtu;
		int code;
		const char *met, *needed;
	} cases[] = {
		{"ffff:ff:1f.7", 1, 0, 0, -ENODEV, "ffff:ff:1f.7", "lspci -D"},
		{"ff:1f.6", 1, 0, 0, -ENODEV, "0000:ff:1f.6", "lspci -D"},
		{"nosuchif0", 1, 0, 0, -ENODEV, "nosuchif0", "ip link"},
		{"xdp:nosuchif0", 1, 0, 0, -ENODEV, "nosuchif0", "ip link"},
		{"net_nosuch0,a=b", 1, 0, 0, -ENODEV, "net_nosuch0", "needed: a device of DPDK's"},
		{"a text that is no device", 1, 0, 0, -EINVAL, "a text", "net_memif0"},
		{"net_memif0,role=both", 1, 0, 0, -EINVAL, "both", "needed"},
		{"net_memif0,nosuch=1", 1, 0, 0, -EINVAL, "nosuch", "socket-abstract"},
		{"net_memif0,role=server,socket-abstract=no,socket=/nosuch/s", 1, 0, 0, -EINVAL,
		 "net_memif0", "folder"},
		{"net_memif0,role=server,bsize=1024", 1, 0, 0, -EMSGSIZE, "1024", "bsize=1536"},
		{"net_virtio_user0", 1, 0, 0, -EINVAL, "no socket", "path=FILE"},
		{"net_null0", 0, 0, 0, -EINVAL, "0 queues", "1 to"},
		{"net_null0", 2000, 0, 0, -EINVAL, "2000 queues", "1 to"},
		{"net_null0", 1, 2, 0, -EINVAL, "at least 2", "no more"},
		{"net_pcap0,iface=nosuchif0", 1, 0, 0, -EINVAL, "No such device", "needed"},
		{"net_ring0", 8, 0, 0, 0, "", ""},
		{"net_null0", 1, 0, 9000, -EMSGSIZE, "hold 2048", "needed: 9018"},
	};
	unsigned before;
	struct tern_error error = {""};
	(void)state;
	assert_int_equal(ethdev_try("net_null0", 1, 0, 0, &error), 0);
	before = leftovers_descriptors();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int code;
		error.text[0] = '\0';
		code = ethdev_try(cases[i].device, cases[i].queues, cases[i].queues_min,
				  cases[i].mtu, &error);
		print_message("%s: %d: %s\n", cases[i].device, code, error.text);
		if (code != cases[i].code || !strstr(error.text, cases[i].met) ||
		    !strstr(error.text, cases[i].needed))
			fail_msg("%s: code %d: %s", cases[i].device, code, error.text);
	}
	assert_int_equal(leftovers_descriptors(), before);
	assert_int_equal(ethdev_try("net_null0", 1, 0, 0, &error), 0);
}

static void too_few_queues_are_refused_or_taken_as_asked_for(void **state)
{
	struct rte_mempool *pools[8] = {pool, pool, pool, pool, pool, pool, pool, pool};
	struct tern_ethdev_options options = {
		.device = "net_pcap0,rx_pcap=/dev/null,tx_pcap=/dev/null",
		.queues = 4,
		.frames = pools};
	struct tern_error error = {""};
	struct tern_ethdev_report report;
	struct tern_port *port;
	char file[] = "/tmp/tern-pcap-XXXXXX", device[128];
	int fd = mkstemp(file);
	(void)state;
	assert_int_equal(
		write(fd, "\xd4\xc3\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\4\0\1\0\0\0", 24), 24);
	close(fd);
	snprintf(device, sizeof(device), "net_pcap0,rx_pcap=%s,tx_pcap=/dev/null", file);
	options.device = device;
	assert_int_equal(tern_ethdev_create(&options, &port, &error), 0);
	assert_int_equal(port->queues, 1);
	tern_ethdev_report(port, &report);
	assert_int_equal(report.queues, 1);
	assert_int_equal(report.queues_most, 1);
	port->ops->destroy(port);
	options.queues_min = 4;
	assert_int_equal(tern_ethdev_create(&options, &port, &error), -ENOSPC);
	assert_non_null(strstr(error.text, "1 pairs of queues; needed: 4"));
	unlink(file);
}

static void a_device_that_is_taken_is_refused(void **state)
{
	struct tern_ethdev_options options = {.device = "net_null1", .queues = 1, .frames = &pool};
	struct tern_error error = {""};
	struct tern_port *port, *other = NULL;
	(void)state;
	assert_int_equal(tern_ethdev_create(&options, &port, &error), 0);
	assert_int_equal(tern_ethdev_create(&options, &other, &error), -EBUSY);
	assert_non_null(strstr(error.text, "another port of this process has it"));
	assert_null(other);
	port->ops->destroy(port);
	assert_int_equal(tern_ethdev_create(&options, &port, &error), 0);
	port->ops->destroy(port);
}

static void a_pci_device_that_the_kernel_has_is_refused(void **state)
{
	DIR *folder = opendir("/sys/bus/pci/devices");
	struct dirent *entry;
	char path[300];
	struct tern_error error = {""};
	(void)state;
	while (folder && (entry = readdir(folder)) != NULL) {
		snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver", entry->d_name);
		if (entry->d_name[0] == '.' || access(path, F_OK) != 0)
			continue;
		assert_int_equal(ethdev_try(entry->d_name, 1, 0, 0, &error), -EBUSY);
		assert_non_null(strstr(error.text, "dpdk-devbind.py"));
		closedir(folder);
		return;
	}
	if (folder)
		closedir(folder);
	print_message("skipped: no PCI device here has a driver of the kernel's\n");
	skip();
}

static void a_mempool_of_too_short_frames_is_refused(void **state)
{
	struct rte_mempool *small, *kept = pool;
	struct tern_error error = {""};
	(void)state;
	assert_int_equal(tern_frames_create("small", 64, 500, 0, -1, &small, &error), 0);
	pool = small;
	assert_int_equal(ethdev_try("net_null2", 1, 0, 2500, &error), -EMSGSIZE);
	assert_non_null(strstr(error.text, "pool small"));
	pool = kept;
	rte_mempool_free(small);
}

static void frames_that_cannot_be_are_refused(void **state)
{
	struct rte_mempool *other = NULL;
	struct tern_error error = {""};
	(void)state;
	assert_int_equal(tern_frames_create("ethdev", 64, 1500, 0, -1, &other, &error), -EEXIST);
	assert_int_equal(tern_frames_create("x", 64, 63, 0, -1, &other, &error), -EINVAL);
	assert_int_equal(tern_frames_create("x", 64, 65281, 0, -1, &other, &error), -EINVAL);
	assert_int_equal(tern_frames_create("x", 100000000, 1500, 0, -1, &other, &error), -ENOMEM);
	assert_non_null(strstr(error.text, "memory_mib"));
	assert_null(other);
}

static void eal_is_started_once(void **state)
{
	struct tern_eal_needs needs = {.pci = "0000:ff:1f.6"};
	struct tern_error error = {""};
	(void)state;
	assert_int_equal(tern_eal_start(&needs, &error), -EBUSY);
	assert_non_null(strstr(error.text, "--no-pci"));
	needs = (struct tern_eal_needs){.memory_mib = 100000};
	assert_int_equal(tern_eal_start(&needs, &error), -EBUSY);
	assert_non_null(strstr(error.text, "memory_mib=512"));
	needs = (struct tern_eal_needs){.memory_mib = 512};
	assert_int_equal(tern_eal_start(&needs, &error), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_cannot_be_is_refused_with_a_message),
		cmocka_unit_test(too_few_queues_are_refused_or_taken_as_asked_for),
		cmocka_unit_test(a_device_that_is_taken_is_refused),
		cmocka_unit_test(a_pci_device_that_the_kernel_has_is_refused),
		cmocka_unit_test(a_mempool_of_too_short_frames_is_refused),
		cmocka_unit_test(frames_that_cannot_be_are_refused),
		cmocka_unit_test(eal_is_started_once),
	};
	const struct tern_eal_needs needs = {0};
	struct tern_error error = {""};
	cpu_set_t before, after;
	sched_getaffinity(0, sizeof(before), &before);
	if (tern_eal_start(&needs, &error) != 0 ||
	    tern_frames_create("ethdev", FRAMES, 1500, 0, -1, &pool, &error) != 0) {
		fprintf(stderr, "%s\n", error.text);
		return 1;
	}
	sched_getaffinity(0, sizeof(after), &after);
	if (!CPU_EQUAL(&before, &after)) {
		fprintf(stderr, "EAL has changed where this thread may run\n");
		return 1;
	}
	return cmocka_run_group_tests_name("ethdev", tests, NULL, NULL);
}
