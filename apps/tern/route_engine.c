/* SPDX-License-Identifier: Apache-2.0 */
#include "route_engine.h"

#include "app.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ENGINES_MAX 256

struct found {
	struct tern_inspect_engine engines[ENGINES_MAX];
	uint32_t count;	  /* of those that are meant */
	uint32_t foreign; /* meant, but other users' */
};

static bool is_meant(const struct engine_choice *choice, const struct tern_inspect_engine *engine)
{
	return (!choice->pid_given || engine->pid == choice->pid) &&
	       (!choice->number_given || engine->number == choice->number);
}

static bool may_ask(const struct tern_inspect_engine *engine)
{
	return geteuid() == 0 || engine->uid == geteuid();
}

static int find(const struct engine_choice *choice, struct found *found)
{
	int listed = tern_inspect_list(found->engines, ENGINES_MAX);
	if (listed < 0)
		return listed;
	for (int i = 0; i < listed && i < ENGINES_MAX; i++) {
		struct tern_inspect_engine engine = found->engines[i];
		if (!is_meant(choice, &engine))
			continue;
		if (may_ask(&engine))
			found->engines[found->count++] = engine;
		else
			found->foreign++;
	}
	return 0;
}

static int fail_none(const char *program, const struct engine_choice *choice)
{
	static const char needs[] = "a program of Tern has one while it runs, unless it sets "
				    "engine.inspect=false or engine.mode=polled";
	if (choice->pid_given && choice->number_given)
		return app_fail(APP_UNAVAILABLE, program, "process %d has no engine %u to look at",
				(int)choice->pid, choice->number);
	if (choice->pid_given)
		return app_fail(APP_UNAVAILABLE, program, "process %d has no engine to look at: %s",
				(int)choice->pid, needs);
	return app_fail(APP_UNAVAILABLE, program,
			"there is no engine to look at: %s; to try it, start trading_swarm in "
			"another terminal",
			needs);
}

static int fail_foreign(const char *program, uint32_t count)
{
	return app_fail(APP_PERMISSION, program,
			"%u engine%s there, of other users: run this as that user, or as root",
			count, count == 1 ? " is" : "s are");
}

static int fail_several(const char *program, const struct found *found)
{
	int code = app_fail(APP_USAGE, program,
			    "%u engines are there; look at one of them:", found->count);
	for (uint32_t i = 0; i < found->count; i++) {
		const struct tern_inspect_engine *engine = &found->engines[i];
		char name[TERN_PLAIN_MAX(sizeof(engine->program))];
		fprintf(stderr, "  %s --pid %d --engine %u    # %s\n", program, (int)engine->pid,
			engine->number, tern_plain_text(name, sizeof(name), engine->program));
	}
	return code;
}

int engine_choose(const char *program, const struct engine_choice *choice,
		  struct tern_inspect_engine *engine)
{
	struct found found = {.count = 0};
	int code = find(choice, &found);
	if (code < 0)
		return app_fail(APP_UNAVAILABLE, program, "/proc/net/unix cannot be read: %s",
				strerror(-code));
	if (found.count > 1)
		return fail_several(program, &found);
	if (found.count == 0 && found.foreign)
		return fail_foreign(program, found.foreign);
	if (found.count == 0)
		return fail_none(program, choice);
	*engine = found.engines[0];
	return APP_OK;
}
