/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"

#include "app.h"
#include "json_text.h"

#include <argp.h>
#include <errno.h>
#include <stdbool.h>

#include <rte_common.h>
#include <rte_version.h>

#ifdef __clang__
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

#define DPDK_VERSION RTE_STR(RTE_VER_YEAR) "." DPDK_MONTH "." RTE_STR(RTE_VER_MINOR) RTE_VER_SUFFIX
#if RTE_VER_MONTH < 10
#define DPDK_MONTH "0" RTE_STR(RTE_VER_MONTH)
#else
#define DPDK_MONTH RTE_STR(RTE_VER_MONTH)
#endif

/* Instruction sets the compiler was allowed to use. */
static const char *const cpu_features[] = {
#ifdef __x86_64__
	"x86-64",
#endif
#ifdef __SSE4_2__
	"sse4.2",
#endif
#ifdef __POPCNT__
	"popcnt",
#endif
#ifdef __AES__
	"aes",
#endif
#ifdef __PCLMUL__
	"pclmul",
#endif
#ifdef __AVX__
	"avx",
#endif
#ifdef __AVX2__
	"avx2",
#endif
#ifdef __BMI2__
	"bmi2",
#endif
#ifdef __AVX512F__
	"avx512f",
#endif
#ifdef __AVX512BW__
	"avx512bw",
#endif
#ifdef __AVX512DQ__
	"avx512dq",
#endif
#ifdef __AVX512VL__
	"avx512vl",
#endif
#ifdef __aarch64__
	"aarch64",
#endif
};

static const struct argp_option options[] = {
	{"json", 'j', NULL, 0, "Print one JSON object", 0},
	{0},
};

static error_t parse_key(int key, char *arg, struct argp_state *state)
{
	(void)arg;
	if (key == ARGP_KEY_ARG)
		argp_usage(state);
	if (key != 'j')
		return ARGP_ERR_UNKNOWN;
	*(bool *)state->input = true;
	return 0;
}

static const struct argp argp = {
	.options = options,
	.parser = parse_key,
	.doc = "Say what this program was built from: version, licence, compiler, build type, the "
	       "instruction sets that the compiler was allowed to use, and the DPDK release whose "
	       "headers it was built with."
	       "\v"
	       "A report about a fault should carry this output.\n",
};

static void print_text(void)
{
	printf("tern %s\nlicence   Apache-2.0\ncompiler  %s\nbuild     %s\ndpdk      %s\ncpu      ",
	       TERN_VERSION, COMPILER, TERN_BUILD_TYPE, DPDK_VERSION);
	for (size_t i = 0; i < RTE_DIM(cpu_features); i++)
		printf(" %s", cpu_features[i]);
	putchar('\n');
}

static int print_json(const char *program)
{
	json_t *cpu = json_array();

	for (size_t i = 0; i < RTE_DIM(cpu_features); i++)
		json_array_append_new(cpu, json_string(cpu_features[i]));
	json_t *root = json_pack("{ss ss ss ss ss so}", "version", TERN_VERSION, "licence",
				 "Apache-2.0", "compiler", COMPILER, "build_type", TERN_BUILD_TYPE,
				 "dpdk", DPDK_VERSION, "cpu_features", cpu);
	if (app_json_print(root, JSON_INDENT(2)) == -ENOMEM) /* a failed write is seen at exit */
		return (int)app_fail(APP_UNAVAILABLE, program, "no memory");
	putchar('\n');
	return APP_OK;
}

int version_command(int argc, char **argv)
{
	bool json = false;

	app_parse(&argp, argc, argv, 0, &json);
	if (json)
		return print_json(argv[0]);
	print_text();
	return APP_OK;
}
