/* SPDX-License-Identifier: Apache-2.0 */

/*
 * An engine in a process with an odd name and an agent with an odd name and behaviour, until its
 * input ends.
 *
 * usage: odd_names NAME
 */
#include <stdio.h>
#include <sys/prctl.h>

#include <tern.h>

TERN_HANDLER(static, on_nothing)
{
}

int main(int argc, char **argv)
{
	struct tern_engine *engine;
	struct tern_config config;
	struct tern_error error;
	tern_address agent;
	if (argc != 2)
		return 2;
	prctl(PR_SET_NAME, argv[1]);
	tern_config_init(&config);
	config.pages = TERN_PAGES_4K;
	config.block_mib = config.mailbox_mib = 1;
	if (tern_config_check(&config, &error) != 0 ||
	    tern_engine_start(&engine, &config, &error) != 0)
		return fprintf(stderr, "odd_names: %s\n", error.text), 1;
	struct tern_agent *self = tern_thread_attach(engine, NULL, NULL);
	const struct tern_behaviour behaviour = {.name = argv[1], .handler = on_nothing};
	struct tern_spawn_options options = {.name = argv[1]};
	if (tern_spawn(self, &behaviour, NULL, &options, &agent) != 0)
		return fputs("odd_names: spawn refused\n", stderr), 1;
	while (getchar() != EOF)
		;
	tern_thread_detach(self);
	return tern_engine_stop(engine, 1000000000, NULL) != 0;
}
