/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a configuration is either taken whole or refused with place, value and remedy, and
 * stays untouched when refused.
 * Method: tables of files and settings beside the words their refusal must hold; every key is
 * tried at and beyond both ends of its range; a dump is read back; affinity is narrowed in a
 * child process.
 */
#include "tern_config.h"

#include "engine/config/config_keys.h"
#include "engine/config/cpu_list.h"

#include <rte_common.h>

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char path[] = "/tmp/tern-test-config-XXXXXX";

static void file_write(const char *text, size_t size)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

static void assert_holds(const struct tern_error *error, const char *part)
{
	if (!strstr(error->text, part))
		fail_msg("\"%s\" lacks \"%s\"", error->text, part);
}

static int load(struct tern_config *config, const char *text, size_t size, struct tern_error *error)
{
	file_write(text, size);
	tern_config_init(config);
	return tern_config_load(config, path, error);
}

static void refused(const char *text, size_t size, unsigned int line, const char *part)
{
	struct tern_config config, before;
	struct tern_error error = {""};
	char where[64];

	tern_config_init(&before);
	assert_int_equal(load(&config, text, size, &error), -EINVAL);
	assert_memory_equal(&config, &before, sizeof(config));
	snprintf(where, sizeof(where), "%s:%u: ", path, line);
	assert_holds(&error, line ? where : path);
	assert_holds(&error, part);
}

#define REFUSED(text, line, part) refused(text, sizeof(text) - 1, line, part)

static void test_defaults(void **state)
{
	struct tern_config config;

	(void)state;
	tern_config_init(&config);
	assert_int_equal(config.mode, TERN_MODE_PARALLEL);
	assert_int_equal(config.lcore_count, 0);
	assert_int_equal(config.max_agents, 65536);
	assert_int_equal(config.idle, TERN_IDLE_BACKOFF);
	assert_int_equal(config.high_water, 800);
	assert_int_equal(config.log_level, TERN_LOG_WARN);
	assert_int_equal(tern_config_check(&config, NULL), 0);
	assert_true(config.lcore_count > 0);
}

static void test_log_environment(void **state)
{
	struct tern_config config;

	(void)state;
	setenv("TERN_LOG", "debug", 1);
	tern_config_init(&config);
	assert_int_equal(config.log_level, TERN_LOG_DEBUG);
	setenv("TERN_LOG", "loud", 1);
	tern_config_init(&config);
	assert_int_equal(config.log_level, TERN_LOG_WARN);
	unsetenv("TERN_LOG");
}

static void test_load(void **state)
{
	static const char text[] =
		"; plain\n# too, with \xc3\xa9 and \\\n\n"
		"[engine]\r\nmode = polled ; how\n\tlcores=3,0-1\t# which\n"
		"seed=18446744073709551615\nstamp_each_signal=true\n"
		"[ log ]\nlevel=debug\n[engine]\nslice_us=7\n[lanes]\ndata_depth=64";
	struct tern_config config;
	struct tern_error error = {""};

	(void)state;
	assert_int_equal(load(&config, text, sizeof(text) - 1, &error), 0);
	assert_int_equal(config.mode, TERN_MODE_POLLED);
	assert_int_equal(config.lcore_count, 3);
	assert_int_equal(config.lcores[0], 3);
	assert_int_equal(config.lcores[2], 1);
	assert_true(config.seed == UINT64_MAX);
	assert_true(config.stamp_each_signal);
	assert_int_equal(config.log_level, TERN_LOG_DEBUG);
	assert_int_equal(config.slice_us, 7);
	assert_int_equal(config.data_depth, 64);
	assert_int_equal(config.max_agents, 65536);
	assert_string_equal(error.text, "");
}

static void test_refused_lines(void **state)
{
	(void)state;
	REFUSED("", 0, "empty");
	REFUSED("[engine]\nmax_agents 5\n", 2,
		"\"max_agents 5\" is neither [section] nor key=value");
	REFUSED("\n\nseed=1\n[engine]\n", 3, "before the first [section]");
	REFUSED("[engine\nseed=1\n", 1, "lacks its closing ]");
	REFUSED("[engine] seed=1\n", 1, "goes on after its ]");
	REFUSED("[engine]\n=1\n", 2, "lacks the key");
	REFUSED("[engine]\nseed= ; none\n", 2, "lacks the value");
	REFUSED("[engine]\nse\0ed=1\n", 2, "byte 0x00 in column 3");
	REFUSED("[engine]\n; \x1b[2J\n", 2, "byte 0x1b in column 3");
	REFUSED("[engine]\nseed=1\rslice_us=1\n", 2, "byte 0x0d in column 7");
	REFUSED("\xef\xbb\xbf[engine]\n", 1, "byte 0xef in column 1");
	REFUSED("[engine]\nseed=1 \\; x\n", 2, "byte 0x5c in column 8");
}

static void test_refused_content(void **state)
{
	(void)state;
	REFUSED("[engin]\n", 1, "[engin] is no section: did you mean [engine]?");
	REFUSED("[]\n", 1,
		"[] is no section; there are [engine] [scheduler] [lanes] [mailbox] [memory] [node] "
		"[router] [log] [routes]");
	REFUSED("[engine]\nmax_agent=5\n", 2, "did you mean engine.max_agents?");
	REFUSED("[lanes]\nblock_mib=5\n", 2,
		"lanes.block_mib is no key: did you mean memory.block_mib?");
	REFUSED("[log]\ncolour=5\n", 2, "log.colour is no key; `tern config show` lists all");
	REFUSED("[engine]\nseed=1\n[log]\n[engine]\nseed=1\n", 5,
		"engine.seed was set in line 2 already");
	REFUSED("[engine]\nmax_agents=0\n", 2,
		"engine.max_agents is \"0\"; allowed: 1..67043328 agents");
	REFUSED("[engine]\nidle=spinn\n", 2, "did you mean spin?; allowed: spin, pause, backoff");
	REFUSED("[memory]\nblock_mib=64MiB\n", 2, "it counts MiB; allowed: 1..65536 MiB");
	REFUSED("[lanes]\ndata_depth=1000\n", 2, "allowed: power of two, 64..65536 slots");
}

static void set_refused(const char *assignment, const char *part)
{
	struct tern_config config, before;
	struct tern_error error = {""};

	tern_config_init(&config);
	before = config;
	assert_int_equal(tern_config_set(&config, assignment, &error), -EINVAL);
	assert_holds(&error, part);
	assert_memory_equal(&config, &before, sizeof(config));
	assert_int_equal(tern_config_set(&config, assignment, NULL), -EINVAL);
}

static void test_routes(void **state)
{
	struct tern_config config, again;
	static const char text[] = "[routes]\nrisk=2:77:1\n"
				   "0123456789abcdef0123456789abcdef = 8191:67108863:16777215 \t "
				   "quotes,orders ; far\n";

	(void)state;
	assert_int_equal(load(&config, text, sizeof(text) - 1, NULL), 0);
	assert_int_equal(config.route_count, 2);
	assert_string_equal(config.routes[0].name, "risk");
	assert_int_equal(config.routes[0].address, tern_address_make(2, 77, 1));
	assert_string_equal(config.routes[0].capabilities, "");
	assert_int_equal(config.routes[1].address, tern_address_make(8191, 67108863, 16777215));
	assert_string_equal(config.routes[1].capabilities, "quotes,orders");
	FILE *file = fopen(path, "w");
	assert_int_equal(tern_config_dump(&config, file), 0);
	fclose(file);
	tern_config_init(&again);
	assert_int_equal(tern_config_load(&again, path, NULL), 0);
	assert_memory_equal(&config, &again, sizeof(config));
	assert_int_equal(tern_config_set(&config, "routes.risk=3:4:5 a", NULL), 0);
	assert_int_equal(config.route_count, 2);
	assert_int_equal(config.routes[0].address, tern_address_make(3, 4, 5));
}

static void test_refused_routes(void **state)
{
	static char text[8192];
	size_t used = (size_t)snprintf(text, sizeof(text), "[routes]\n");

	(void)state;
#define ROUTE(value, part) REFUSED("[routes]\nrisk=" value "\n", 2, part)
	ROUTE("2:77", "routes.risk is \"2:77\"; allowed: NODE:SLOT:GENERATION");
	ROUTE("0:77:1", "1..8191");
	ROUTE("8192:77:1", "1..8191");
	ROUTE("2:67108864:1", "0..67108863");
	ROUTE("2:77:0", "1..16777215");
	ROUTE("2:77:16777216", "1..16777215");
	ROUTE("2:77:1:", "allowed:");
	ROUTE("2:-7:1", "allowed:");
	ROUTE("99999999999999999999:7:1", "allowed:");
	ROUTE("2:77:1 a,,b", "CAPABILITY,CAPABILITY");
	ROUTE("2:77:1 a,", "CAPABILITY,CAPABILITY");
	ROUTE("2:77:1 a b", "CAPABILITY,CAPABILITY");
#undef ROUTE
	REFUSED("[routes]\nrisk=2:77:1\n[routes]\nrisk=2:78:1\n", 4,
		"routes.risk was set in line 2 already");
	REFUSED("[route]\n", 1, "[route] is no section: did you mean [router]?");
	for (unsigned i = 0; i <= TERN_CONFIG_ROUTES_MAX; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "r%u=2:%u:1\n", i, i);
	refused(text, used, TERN_CONFIG_ROUTES_MAX + 2, "is one route too many; allowed: 64 here");
	set_refused("routes.=2:77:1", "allowed:");
	set_refused("routes.a b=2:77:1", "allowed:");
}

static void test_refused_sizes(void **state)
{
	static char text[2 << 20];
	struct tern_config config;

	(void)state;
	int size = snprintf(text, sizeof(text), "[engine]\nseed=%0249d\n", 1);
	assert_int_equal(load(&config, text, (size_t)size, NULL), 0);
	size = snprintf(text, sizeof(text), "[engine]\nseed=%0256d\n", 1);
	refused(text, (size_t)size, 2, "too long a value; allowed: 255 bytes");
	size = snprintf(text, sizeof(text), "[engine]\n%064d=1\n", 1);
	refused(text, (size_t)size, 2, "too long a key; allowed: 63 bytes");
	size = snprintf(text, sizeof(text), "[%064d]\n", 1);
	refused(text, (size_t)size, 1, "too long for a section");
	size = snprintf(text, sizeof(text), ";%0321d\n[engine]\nseed=7;%0315d", 1, 1);
	assert_int_equal(load(&config, text, (size_t)size, NULL), 0);
	assert_int_equal(config.seed, 7);
	size = snprintf(text, sizeof(text), ";%0322d\n", 1);
	refused(text, (size_t)size, 1, "the line is 323 bytes long; allowed: 322");
	memset(text, '\n', sizeof(text));
	refused(text, (1 << 20) + 1, 0, "allowed: 1 MiB");
	assert_int_equal(load(&config, text, 1 << 20, NULL), 0);
}

static void test_many_entries(void **state)
{
	static char text[64 * 64];
	size_t used = (size_t)snprintf(text, sizeof(text), "[engine]\n");

	(void)state;
	for (int i = 0; i < 60; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "seed=%d\n", i);
	refused(text, used, 3, "engine.seed was set in line 2 already");
	used = 0;
	for (int i = 0; i < 60; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "[log]\n");
	used += (size_t)snprintf(text + used, sizeof(text) - used, "level=9\n");
	refused(text, used, 61, "log.level is \"9\"");
}

static void test_unreadable(void **state)
{
	struct tern_config config;
	struct tern_error error = {""};

	(void)state;
	tern_config_init(&config);
	assert_int_equal(tern_config_load(&config, "/nowhere/tern.ini", &error), -ENOENT);
	assert_holds(&error, "/nowhere/tern.ini: cannot open: No such file or directory");
	assert_int_equal(tern_config_load(&config, "/tmp", &error), -EISDIR);
	assert_holds(&error, "/tmp: cannot read: Is a directory");
	assert_int_equal(tern_config_load(&config, "/nowhere", NULL), -ENOENT);
	if (geteuid() == 0)
		return; /* root reads everything */
	file_write("[engine]\n", 9);
	assert_int_equal(chmod(path, 0), 0);
	assert_int_equal(tern_config_load(&config, path, &error), -EACCES);
	assert_int_equal(chmod(path, 0600), 0);
}

static void test_pipe(void **state)
{
	static const char text[] = "[engine]\nseed=9\n";
	struct tern_config config;
	char name[32];
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], text, sizeof(text) - 1), sizeof(text) - 1);
	close(ends[1]);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", ends[0]);
	tern_config_init(&config);
	assert_int_equal(tern_config_load(&config, name, NULL), 0);
	assert_int_equal(config.seed, 9);
	close(ends[0]);
}

static void test_set(void **state)
{
	struct tern_config config;

	(void)state;
	tern_config_init(&config);
	assert_int_equal(tern_config_set(&config, "log.format=json", NULL), 0);
	assert_int_equal(config.log_format, TERN_LOG_JSON);
	assert_int_equal(tern_config_set(&config, "memory.pages_required=true", NULL), 0);
	assert_true(config.pages_required);
	assert_int_equal(tern_config_set(&config, "engine.lcores=1", NULL), 0);
	assert_int_equal(tern_config_set(&config, "engine.lcores=all", NULL), 0);
	assert_int_equal(config.lcore_count, 0);
	set_refused("", "write section.key=value");
	set_refused("engine.seed", "write section.key=value");
	set_refused("=1", "write section.key=value");
	set_refused("seed=1", "seed is no key");
	set_refused("engine.sed=1", "did you mean engine.seed?");
	set_refused("engine.seed=", "not a decimal number");
	set_refused("engine.seed=-1", "not a decimal number");
	set_refused("engine.seed= 1", "not a decimal number");
	set_refused("engine.seed=0x10", "not a decimal number");
	set_refused("engine.seed=18446744073709551616", "allowed: 0..18446744073709551615");
	set_refused("engine.idle_sleep_us_max=5ms", "it counts us; allowed: 1..10000 us");
	assert_int_equal(tern_config_set(&config, "engine.slice_us=1000000", NULL), 0);
	assert_int_equal(config.slice_us, 1000000);
	set_refused("engine.slice_us=1000001",
		    "engine.slice_us is \"1000001\"; allowed: 1..1000000 us");
	set_refused("engine.slice_us=0", "engine.slice_us is \"0\"; allowed: 1..1000000 us");
	set_refused("memory.pages_required=yes", "allowed: false, true");
	set_refused("log.level=DEBUG", "allowed: error, warn, info, debug");
}

static void test_lcore_lists(void **state)
{
	(void)state;
	set_refused("engine.lcores=", "not a list of CPUs");
	set_refused("engine.lcores=,", "not a list of CPUs");
	set_refused("engine.lcores=1,", "not a list of CPUs");
	set_refused("engine.lcores=1-", "not a list of CPUs");
	set_refused("engine.lcores=3-1", "not a list of CPUs");
	set_refused("engine.lcores=1-2-3", "not a list of CPUs");
	set_refused("engine.lcores=-1", "not a list of CPUs");
	set_refused("engine.lcores=1 2", "not a list of CPUs");
	set_refused("engine.lcores=65536", "not a list of CPUs");
	set_refused("engine.lcores=99999999999999999999", "not a list of CPUs");
	set_refused("engine.lcores=0-3,2", "a CPU is there twice");
	set_refused("engine.lcores=0-128", "too many; allowed: all, or CPUs such as 0,2-5");
}

static void test_cpu_list_write(void **state)
{
	static const uint16_t cpus[] = {0, 2, 3, 4, 9, 8, 65534, 65535};
	char text[64];

	(void)state;
	tern_cpu_list_write(text, sizeof(text), cpus, RTE_DIM(cpus));
	assert_string_equal(text, "0,2-4,9,8,65534-65535");
	tern_cpu_list_write(text, sizeof(text), cpus, 0);
	assert_string_equal(text, "");
	for (size_t size = 8; size < sizeof(text); size++) {
		memset(text, '!', sizeof(text));
		tern_cpu_list_write(text, size, cpus, RTE_DIM(cpus));
		assert_true(memchr(text, '\0', size) != NULL);
		assert_true(size > 25 || strstr(text, "..."));
	}
}

/* Both ends of each range are taken, the numbers beyond them refused. */
static void test_ranges(void **state)
{
	struct tern_config config;
	char text[96];

	(void)state;
	tern_config_init(&config);
	for (size_t i = 0; i < TERN_CONFIG_KEYS; i++) {
		const struct config_key *key = &tern_config_keys[i];
		if (key->type != CONFIG_NUMBER && key->type != CONFIG_POWER)
			continue;
		snprintf(text, sizeof(text), "%s=%" PRIu64, key->path, key->min);
		assert_int_equal(tern_config_set(&config, text, NULL), 0);
		snprintf(text, sizeof(text), "%s=%" PRIu64, key->path, key->max);
		assert_int_equal(tern_config_set(&config, text, NULL), 0);
		snprintf(text, sizeof(text), "%s=%" PRIu64, key->path, key->min - 1);
		if (key->min)
			set_refused(text, key->path);
		snprintf(text, sizeof(text), "%s=%" PRIu64 "0", key->path, key->max);
		set_refused(text, key->path);
	}
}

static void test_dump(void **state)
{
	struct tern_config config, again;
	FILE *file;

	(void)state;
	tern_config_init(&config);
	for (size_t i = 0; i < TERN_CONFIG_KEYS; i++) {
		char text[64];
		const struct config_key *key = &tern_config_keys[i];
		if (key->type == CONFIG_WORD || key->type == CONFIG_WORDS)
			snprintf(text, sizeof(text), "%s=%s", key->path, key->words[key->max]);
		else
			snprintf(text, sizeof(text), "%s=%" PRIu64, key->path, key->max);
		assert_int_equal(tern_config_set(&config, text, NULL), 0);
	}
	assert_int_equal(tern_config_set(&config, "engine.lcores=5,0-3", NULL), 0);
	file = fopen(path, "w");
	assert_int_equal(tern_config_dump(&config, file), 0);
	fclose(file);
	tern_config_init(&again);
	assert_int_equal(tern_config_load(&again, path, NULL), 0);
	assert_memory_equal(&config, &again, sizeof(config));
	file = fopen(path, "r");
	assert_int_equal(tern_config_dump(&config, file), -EIO);
	fclose(file);
}

static void check_refused(const struct tern_config *config, int rc, const char *part)
{
	struct tern_config checked = *config;
	struct tern_error error = {""};

	assert_int_equal(tern_config_check(&checked, &error), rc);
	assert_holds(&error, part);
	assert_memory_equal(&checked, config, sizeof(checked));
}

static void test_check_values(void **state)
{
	struct tern_config good, config;

	(void)state;
	tern_config_init(&good);
#define WITH(assignment, part)                         \
	do {                                           \
		config = good;                         \
		config.assignment;                     \
		check_refused(&config, -EINVAL, part); \
	} while (0)
	WITH(max_agents = 0, "engine.max_agents is \"0\"; allowed: 1..67043328");
	WITH(mode = (enum tern_mode)7, "engine.mode is \"7\"; allowed: parallel, polled");
	WITH(data_depth = 65, "allowed: power of two");
	WITH(lcore_count = TERN_LCORES_MAX + 1, "engine.lcores is \"129\"");
	WITH(lcore_count = 2, "engine.lcores names CPU 0 twice");
	WITH(high_water = 1001, "mailbox.high_water is 1001; allowed: 1..1000");
	WITH(low_water = 800, "mailbox.low_water is 800; allowed: 0..799");
	WITH(clock = TERN_CLOCK_VIRTUAL, "write engine.mode=polled");
	WITH(router.shards = 3, "router.shards is \"3\"; allowed: power of two, 0..64");
	WITH(router.node = 8192, "router.node is \"8192\"; allowed: 0..8191");
	WITH(router = ((struct tern_router_config){.node = 2,
						   .remote_max = 1,
						   .absent_max = 1,
						   .sets_max = 1,
						   .ttl_ms = 9999,
						   .absent_ms = 1,
						   .drift_max = 1,
						   .drift_ms = 1,
						   .tell_ms = 5000,
						   .compare_ms = 1}),
	     "router.tell_ms is 5000; allowed: 1..4999, up to half of router.ttl_ms");
	WITH(route_count = 65, "routes: 65 routes; allowed: 0..64");
	WITH(route_count = 1, "routes.? is no route");
	struct tern_config_route risk = {.name = "risk", .address = tern_address_make(2, 77, 1)};
	good.routes[0] = risk;
	good.route_count = 1;
	WITH(router.node = 2, "routes.risk leads to node 2, which is this one: router.node");
	WITH(routes[0].name[0] = ';', "routes.? is no route");
	WITH(routes[0].address = 77, "routes.risk is no route; allowed: NODE:SLOT");
	memset(risk.capabilities, 'a', sizeof(risk.capabilities));
	WITH(routes[0] = risk, "routes.risk is no route");
	good.routes[1] = good.routes[0];
	good.route_count = 2;
	WITH(seed = 1, "routes.risk is there twice");
	good.routes[1].name[0] = 'R';
	WITH(seed = 1, "routes.Risk leads where routes.risk does");
#undef WITH
}

static void test_check_lcores(void **state)
{
	struct tern_config config;

	(void)state;
	tern_config_init(&config);
	config.lcore_count = 1;
	config.lcores[0] = 65535;
	check_refused(&config, -ENODEV, "names CPU 65535, which this machine does not have");
	config.mode = TERN_MODE_POLLED;
	config.clock = TERN_CLOCK_VIRTUAL;
	assert_int_equal(tern_config_check(&config, NULL), 0);
	config.lcore_count = 0;
	assert_int_equal(tern_config_check(&config, NULL), 0);
	assert_int_equal(config.lcore_count, 1);
	assert_int_equal(config.lcores[0], 0);
}

/* Runs in a child that may use its first CPU only; the exit status is the step that failed. */
static int narrowed(uint16_t first, uint16_t second)
{
	struct tern_config config;
	struct tern_error error = {""};
	char wanted[80];
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(first, &set);
	if (sched_setaffinity(0, sizeof(set), &set) < 0)
		return 1;
	tern_config_init(&config);
	if (tern_config_check(&config, NULL) != 0 || config.lcore_count != 1 ||
	    config.lcores[0] != first)
		return 2;
	config.lcores[1] = second;
	config.lcore_count = 2;
	if (tern_config_check(&config, &error) != -ENODEV)
		return 3;
	snprintf(wanted, sizeof(wanted), "names CPU %u, which is offline or outside", second);
	if (!strstr(error.text, wanted))
		return 4;
	snprintf(wanted, sizeof(wanted), "write engine.lcores=%u or start with taskset", first);
	return strstr(error.text, wanted) ? 0 : 5;
}

static void test_check_affinity(void **state)
{
	struct tern_config config;
	int status;

	(void)state;
	tern_config_init(&config);
	assert_int_equal(tern_config_check(&config, NULL), 0);
	if (config.lcore_count < 2 || config.lcores[1] >= CPU_SETSIZE) {
		print_message("needs two CPUs below 1024\n");
		skip();
	}
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(narrowed(config.lcores[0], config.lcores[1]));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static int setup(void **state)
{
	(void)state;
	unsetenv("TERN_LOG");
	int fd = mkstemp(path);
	return fd < 0 ? -1 : close(fd);
}

static int teardown(void **state)
{
	(void)state;
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_log_environment),
		cmocka_unit_test(test_load),
		cmocka_unit_test(test_refused_lines),
		cmocka_unit_test(test_refused_content),
		cmocka_unit_test(test_routes),
		cmocka_unit_test(test_refused_routes),
		cmocka_unit_test(test_refused_sizes),
		cmocka_unit_test(test_many_entries),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_pipe),
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_lcore_lists),
		cmocka_unit_test(test_cpu_list_write),
		cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_dump),
		cmocka_unit_test(test_check_values),
		cmocka_unit_test(test_check_lcores),
		cmocka_unit_test(test_check_affinity),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
