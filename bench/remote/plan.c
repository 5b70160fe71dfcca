/* SPDX-License-Identifier: Apache-2.0 */

/* A plan as the arguments of a process, and starting processes by it. */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "party.h"

enum { SIDE = 2, PORT, TASK, NEAR_CPU, FAR_CPU, SMOKE, ROUNDS, SEED, FOLDER, FAULT, ARGUMENTS };

extern char **environ;

/* Interfaces in a network of their own; then the arguments' program. */
static const char make_net[] =
	"echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6;"
	"for pair in tern bare; do"
	" ip link add ${pair}0 type veth peer name ${pair}1 && ip link set ${pair}0 up &&"
	" ip link set ${pair}1 up || exit 77;"
	"done; exec \"$0\" \"$@\"";

static uint32_t number(char **argv, int at)
{
	return (uint32_t)strtoul(argv[at], NULL, 10);
}

bool party_plan_read(int argc, char **argv, struct party_plan *plan, uint32_t *side)
{
	if (argc != ARGUMENTS)
		return false;
	*side = number(argv, SIDE);
	*plan = (struct party_plan){.port = (enum party_port)number(argv, PORT),
				    .task = (enum party_task)number(argv, TASK),
				    .cpus = {number(argv, NEAR_CPU), number(argv, FAR_CPU)},
				    .smoke = number(argv, SMOKE),
				    .rounds = number(argv, ROUNDS),
				    .seed = number(argv, SEED)};
	snprintf(plan->folder, sizeof(plan->folder), "%s", argv[FOLDER]);
	snprintf(plan->fault, sizeof(plan->fault), "%s", argv[FAULT]);
	return *side < 2 && plan->port < PARTY_PORTS && plan->task < PARTY_TASKS &&
	       plan->rounds > 0;
}

/* Words of one process's arguments. */
struct words {
	char text[ARGUMENTS][64];
	char *argv[ARGUMENTS + 6];
	int count;
};

static void add_word(struct words *words, const char *word)
{
	words->argv[words->count++] = (char *)(uintptr_t)word;
}

static void add_number(struct words *words, int at, uint32_t value)
{
	snprintf(words->text[at], sizeof(words->text[at]), "%u", value);
	add_word(words, words->text[at]);
}

static void write_plan(const struct party_plan *plan, uint32_t side, struct words *words)
{
	const uint32_t numbers[] = {side,	   plan->port,	plan->task,   plan->cpus[0],
				    plan->cpus[1], plan->smoke, plan->rounds, plan->seed};
	add_word(words, BENCH_PARTY);
	for (int i = 0; i < FOLDER - SIDE; i++)
		add_number(words, SIDE + i, numbers[i]);
	add_word(words, plan->folder);
	add_word(words, plan->fault);
}

/* The near process of kernel interfaces makes them, in a network that ends with it. */
static void write_net(const struct party_plan *plan, struct words *words)
{
	add_word(words, "unshare");
	add_word(words, plan->port == PARTY_XDP ? "-n" : "-Urn");
	add_word(words, "sh");
	add_word(words, "-c");
	add_word(words, make_net);
}

int party_spawn(const struct party_plan *plan, uint32_t side, const int fds[2])
{
	struct words words = {.count = 0};
	static char program[4096];
	posix_spawn_file_actions_t actions;
	pid_t pid;
	if (readlink("/proc/self/exe", program, sizeof(program) - 1) <= 0)
		return -1;
	if (side == 0 && plan->port >= PARTY_PACKET)
		write_net(plan, &words);
	add_word(&words, program);
	write_plan(plan, side, &words);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fds[0], STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, fds[1], PARTY_FD);
	errno = posix_spawnp(&pid, words.argv[0], &actions, NULL, words.argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return errno == 0 ? pid : -1;
}
