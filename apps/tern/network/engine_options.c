/* SPDX-License-Identifier: Apache-2.0 */
#include "engine_options.h"

#include "app.h"

#include <errno.h>
#include <limits.h>

uint64_t engine_option_number(const struct argp_state *state, const char *option, const char *text,
			      uint64_t min, uint64_t max)
{
	uint64_t value = min;
	if (!app_number_parse(text, min, max, &value))
		app_argument_fail(state, "%s is \"%s\"; allowed: %llu..%llu", option, text,
				  (unsigned long long)min, (unsigned long long)max);
	return value;
}

error_t engine_option_take(int key, char *arg, struct argp_state *state,
			   struct engine_choice *choice)
{
	switch (key) {
	case OPTION_ENGINE_PID:
		choice->pid = (pid_t)engine_option_number(state, "--pid", arg, 1, INT_MAX);
		choice->pid_given = true;
		return 0;
	case OPTION_ENGINE_NUMBER:
		choice->number = (uint32_t)engine_option_number(state, "--engine", arg, 0, INT_MAX);
		choice->number_given = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int engine_asked_refuse(const struct engine_asked *asked, int code, const struct tern_error *error)
{
	return app_fail_error(code == -EPERM	? APP_PERMISSION
			      : code == -EINVAL ? APP_USAGE
						: APP_UNAVAILABLE,
			      asked->program, error);
}

int engine_asked_open(const char *program, const struct engine_choice *choice,
		      struct engine_asked *asked)
{
	struct engine_asked opened = {.program = program};
	struct tern_error error;
	int code = engine_choose(program, choice, &opened.engine);
	if (code != APP_OK)
		return code;
	code = tern_inspect_open(&opened.inspect, opened.engine.pid, opened.engine.number, &error);
	if (code < 0)
		return engine_asked_refuse(&opened, code, &error);
	*asked = opened;
	return APP_OK;
}

void engine_asked_close(struct engine_asked *asked)
{
	tern_inspect_close(asked->inspect);
}
