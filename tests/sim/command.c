#include "tests/sim/command.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tests/sim/run.h"

int
command_split(char *line, char *words[COMMAND_WORDS_MAX])
{
	char *to, *from = line;
	int count = 0;
	bool quoted;

	for (;;) {
		while (*from == ' ' || *from == '\t')
			from++;
		if (*from == '\0')
			return count;
		if (count == COMMAND_WORDS_MAX)
			return -1;
		words[count++] = to = from;
		for (quoted = false; *from != '\0'; from++) {
			if (*from == '"')
				quoted = !quoted;
			else if (*from == '\\' && from[1] != '\0')
				*to++ = *++from;
			else if (!quoted && (*from == ' ' || *from == '\t'))
				break;
			else
				*to++ = *from;
		}
		if (quoted)
			return -1;
		if (*from != '\0')
			from++;
		*to = '\0';
	}
}

void
command_quote(const char *word, struct buf *out)
{
	buf_putc(out, '"');
	for (; *word != '\0'; word++) {
		if (*word == '"' || *word == '\\')
			buf_putc(out, '\\');
		buf_putc(out, *word == '\n' ? ' ' : *word);
	}
	buf_putc(out, '"');
}

enum needs { NO_DEVICE, A_DEVICE, MAYBE_A_DEVICE };

static const struct command {
	const char	*name;
	enum needs	 needs;
	int		 min, max;	/* arguments after the address */
	int		(*run)(struct run *);
} commands[] = {
	{ "list",	NO_DEVICE,	0, 0,	run_list },
	{ "get",	A_DEVICE,	1, 1,	run_get },
	{ "set",	A_DEVICE,	2, 60,	run_set },
	{ "unset",	A_DEVICE,	1, 1,	run_unset },
	{ "bump",	A_DEVICE,	2, 2,	run_bump },
	{ "alert",	A_DEVICE,	1, 13,	run_alert },
	{ "level",	A_DEVICE,	2, 2,	run_level },
	{ "replace",	A_DEVICE,	1, 2,	run_replace },
	{ "print",	A_DEVICE,	1, 2,	run_print },
	{ "config",	A_DEVICE,	0, 0,	run_config },
	{ "restart",	A_DEVICE,	0, 0,	run_restart },
	{ "uptime",	A_DEVICE,	1, 1,	run_uptime },
	{ "asleep",	A_DEVICE,	1, 2,	run_asleep },
	{ "asleepdata",	A_DEVICE,	1, 60,	run_asleepdata },
	{ "move",	A_DEVICE,	1, 1,	run_move },
	{ "swap",	A_DEVICE,	1, 1,	run_swap },
	{ "add",	NO_DEVICE,	1, 1,	run_add },
	{ "remove",	A_DEVICE,	0, 0,	run_remove },
	{ "latency",	NO_DEVICE,	2, 2,	run_latency },
	{ "engine",	A_DEVICE,	0, 1,	run_engine },
	{ "skew",	A_DEVICE,	1, 1,	run_skew },
	{ "trap",	A_DEVICE,	1, 3,	run_trap },
	{ "record",	NO_DEVICE,	1, 1,	run_record },
	{ "stats",	MAYBE_A_DEVICE,	0, 0,	run_stats },
	{ "asked",	A_DEVICE,	0, 0,	run_asked },
	{ "changes",	NO_DEVICE,	0, 1,	run_changes },
	{ "reset",	NO_DEVICE,	0, 0,	run_reset },
};

/* What is no command may be a fault: NAME ADDR ARGUMENT. */
static int
run_fault(struct run *r, const char *name)
{
	char *detail;
	int rc;

	if (r->device == NULL || r->args != 1)
		return run_wrong(r, "no such command");
	rc = fault_set(device_fault(r->device), name, r->arg[0]);
	if (rc > 0)
		return run_wrong(r, "no such command");
	if (rc < 0)
		return run_wrong(r, "takes on or off, a number or off, or an "
		    "OID or off");
	detail = xasprintf("%s %s", name, r->arg[0]);
	truth_event(lan_truth(r->lan), "fault", r->device->addr, detail);
	free(detail);
	return 0;
}

static int
run_words(struct run *r, char **words, int count)
{
	const struct command *c, *end = commands + sizeof(commands) /
	    sizeof(*commands);
	uint32_t addr;
	int used = 1;

	for (c = commands; c < end; c++)
		if (strcmp(words[0], c->name) == 0)
			break;
	if (count > 1 && (c == end || c->needs != NO_DEVICE)) {
		used = 2;
		if (address_parse(words[1], &addr) < 0)
			return run_wrong(r, "not an address");
		r->device = lan_find(r->lan, addr);
		if (r->device == NULL)
			return run_wrong(r, "no such device");
	}
	r->arg = words + used;
	r->args = count - used;
	if (c == end)
		return run_fault(r, words[0]);
	if ((c->needs == A_DEVICE && r->device == NULL) || r->args < c->min ||
	    r->args > c->max)
		return run_wrong(r, "too few or too many arguments");
	return c->run(r);
}

/* Answers are one line: what line breaks JSON has are only for the eye. */
static void
put_flat(struct buf *out, const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (text[i] != '\n') {
			buf_putc(out, text[i]);
			continue;
		}
		while (i + 1 < len && text[i + 1] == ' ')
			i++;
	}
}

bool
command_run(struct lan *lan, char *line, struct buf *answer)
{
	char *words[COMMAND_WORDS_MAX];
	struct buf text = { 0 };
	struct run r = { .lan = lan, .out = &text };
	int count, rc;
	bool quit;

	count = command_split(line, words);
	quit = count == 1 && strcmp(words[0], "quit") == 0;
	if (count < 1)
		rc = run_wrong(&r, count < 0 ? "an open quote, or too many "
		    "words" : "no command");
	else
		rc = quit ? 0 : run_words(&r, words, count);
	buf_puts(answer, rc == 0 ? "ok" : "error");
	if (text.len > 0) {
		buf_putc(answer, ' ');
		put_flat(answer, text.data, text.len);
	}
	buf_putc(answer, '\n');
	buf_free(&text);
	return quit;
}
