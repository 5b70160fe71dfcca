/* SPDX-License-Identifier: Apache-2.0 */

/* Runs in signal handlers: text is put together without stdio. */
#include "fault_report.h"

#include "tern_plain.h"

#include <string.h>
#include <unistd.h>

#define REPORT_BYTES 400

struct line {
	size_t length;
	char text[REPORT_BYTES];
};

static void add_text(struct line *line, const char *text)
{
	/* The last byte is kept for the end of the line. */
	while (*text && line->length < sizeof(line->text) - 1)
		line->text[line->length++] = *text++;
}

/* Names of agents and of files are anything. */
static void add_plain(struct line *line, const char *text)
{
	tern_plain_text(line->text + line->length, sizeof(line->text) - line->length, text);
	line->length += strlen(line->text + line->length);
}

static void add_hex(struct line *line, uintptr_t number)
{
	char digits[2 + 2 * sizeof(number) + 1];
	char *at = digits + sizeof(digits);
	*--at = '\0';
	do {
		*--at = "0123456789abcdef"[number & 15];
		number >>= 4;
	} while (number);
	*--at = 'x';
	*--at = '0';
	add_text(line, at);
}

static const char *name_of(int signo)
{
	switch (signo) {
	case SIGSEGV:
		return "SIGSEGV";
	case SIGBUS:
		return "SIGBUS";
	case SIGFPE:
		return "SIGFPE";
	case SIGILL:
		return "SIGILL";
	default:
		return "SIGABRT";
	}
}

static void add_place(struct line *line, const struct tern_code_table *table,
		      const struct tern_fault *fault)
{
	uintptr_t begin;
	const char *module = tern_code_module(table, (uintptr_t)fault->pc, &begin);
	add_text(line, "tern: ");
	add_text(line, name_of(fault->signo));
	if (fault->signo != SIGABRT) {
		add_text(line, " at address ");
		add_hex(line, (uintptr_t)fault->address);
	}
	add_text(line, ", pc ");
	add_hex(line, (uintptr_t)fault->pc);
	if (!module)
		return;
	add_text(line, " (");
	add_plain(line, module);
	add_text(line, "+");
	add_hex(line, (uintptr_t)fault->pc - begin);
	add_text(line, ")");
}

static void add_agent(struct line *line, const struct tern_fault_scope *scope,
		      const struct tern_fault *fault)
{
	const char *which =
		scope->which && fault->entry ? scope->which(scope->owner, fault->entry) : NULL;
	add_text(line, ", in agent ");
	add_plain(line, scope->label ? scope->label : scope->who ? scope->who(scope->owner) : "");
	if (!which)
		return;
	add_text(line, ", ");
	add_text(line, which);
}

static void add_why(struct line *line, const struct tern_fault_verdict *verdict)
{
	const char *name = verdict->name;
	switch (verdict->where) {
	case TERN_FAULT_IN_ENGINE:
		add_text(line, ": in the engine, which cannot go on");
		break;
	case TERN_FAULT_BY_ENGINE:
		add_text(line, ": below the engine, which cannot go on");
		break;
	case TERN_FAULT_IN_LIBC:
		add_text(line, name ? ": in " : ": in code that cannot be left");
		add_text(line, name ? name : "");
		add_text(line, name ? "(), which cannot be left: it may hold a lock"
				    : ": it may hold a lock");
		break;
	case TERN_FAULT_IN_FOREIGN:
		add_text(line, ": in code that was not marked, of a program linked with its libc");
		break;
	case TERN_FAULT_NOWHERE:
		add_text(line, ": went nowhere, and it is not known from where");
		break;
	case TERN_FAULT_SENT:
	case TERN_FAULT_IN_OWN:
		break;
	}
}

static void add_other(struct line *line, const struct tern_fault *fault,
		      const struct tern_fault_scope *scope)
{
	if (scope->beside) {
		add_text(line, ": in ");
		add_text(line, scope->beside);
	} else if (fault->signo == SIGABRT) {
		add_text(line, ": abort() ends the process");
	} else {
		add_text(line, ": sent by a process");
	}
}

void tern_fault_report(const struct tern_code_table *table, const struct tern_fault_scope *scope,
		       const struct tern_fault *fault, const struct tern_fault_verdict *verdict)
{
	struct line line = {0};
	add_place(&line, table, fault);
	if (!scope || !scope->armed) {
		add_text(&line, ", no agent ran");
	} else {
		add_agent(&line, scope, fault);
		if (verdict->where == TERN_FAULT_SENT || scope->beside)
			add_other(&line, fault, scope);
		else
			add_why(&line, verdict);
	}
	line.text[line.length++] = '\n';
	/* Nothing can be done about a stderr that takes no more. */
	ssize_t written = write(STDERR_FILENO, line.text, line.length);
	(void)written;
}
