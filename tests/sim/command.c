#include "tests/sim/command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "tests/sim/listing.h"
#include "tests/sim/panel.h"

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

/* One running command. */
struct run {
	struct lan	*lan;
	struct device	*device;	/* when the command names one */
	char		**arg;		/* after command and address */
	int		 args;
	struct buf	*out;		/* what follows "ok" or "error" */
};

static int
wrong(struct run *r, const char *text)
{
	buf_reset(r->out);
	buf_puts(r->out, text);
	return -1;
}

static int
parse_integer(const char *text, int64_t *out)
{
	char *end;
	long long n;

	errno = 0;
	n = strtoll(text, &end, 10);
	if (end == text || *end != '\0' || errno != 0)
		return -1;
	*out = n;
	return 0;
}

/* An OID, with the last word of it possibly ".*". */
static int
parse_place(struct run *r, char *text, struct oid *id, bool *tree)
{
	size_t len = strlen(text);

	*tree = len > 2 && strcmp(text + len - 2, ".*") == 0;
	if (*tree)
		text[len - 2] = '\0';
	return oid_parse(text, id) < 0 ? wrong(r, "not an OID") : 0;
}

static int
run_get(struct run *r)
{
	const struct value *v;
	struct oid id;
	uint32_t ticks;

	if (oid_parse(r->arg[0], &id) < 0)
		return wrong(r, "not an OID");
	if (device_clock(r->device, id.sub, id.len, clock_mono_ms(), &ticks)) {
		buf_printf(r->out, "67|%u", ticks);
		return 0;
	}
	v = view_get(device_view_of(r->device, id.sub, id.len), id.sub,
	    id.len);
	if (v == NULL)
		return wrong(r, "no such value");
	value_format(v, r->out);
	return 0;
}

static int
run_set(struct run *r)
{
	struct buf text = { 0 }, body = { 0 };
	struct oid id;
	uint32_t ticks;
	int64_t now_ms = clock_mono_ms(), n;
	uint8_t tag;
	int i, rc = -1;

	for (i = 2; i < r->args; i++)
		buf_printf(&text, "%s%s", i > 2 ? " " : "", r->arg[i]);
	buf_put(&text, "", 0);
	if (oid_parse(r->arg[0], &id) < 0)
		wrong(r, "not an OID");
	else if (value_parse(r->arg[1], text.data != NULL ? text.data : "",
	    text.len, &tag, &body) < 0)
		wrong(r, "tag and value do not fit together");
	else {
		rc = 0;
		device_set(r->device, lan_truth(r->lan), "set", &id, tag,
		    body.data, body.len);
		/* set while it runs, the clock runs on from there */
		if (device_clock(r->device, id.sub, id.len, now_ms, &ticks) &&
		    device_number(r->device, &id, &n) == 0) {
			if (id.len == 9)
				r->device->ticks += (uint32_t)n - ticks;
			else
				r->device->host_ticks += (uint32_t)n - ticks;
		}
	}
	buf_free(&body);
	buf_free(&text);
	return rc;
}

static int
run_unset(struct run *r)
{
	struct oid id;
	bool tree;

	if (parse_place(r, r->arg[0], &id, &tree) < 0)
		return -1;
	buf_printf(r->out, "%zu", device_unset(r->device,
	    lan_truth(r->lan), "unset", &id, tree));
	return 0;
}

static int
run_bump(struct run *r)
{
	struct oid id;
	int64_t delta;

	if (oid_parse(r->arg[0], &id) < 0 ||
	    parse_integer(r->arg[1], &delta) < 0)
		return wrong(r, "usage: bump ADDR OID DELTA");
	if (device_bump(r->device, lan_truth(r->lan), "bump", &id, -1,
	    delta) < 0)
		return wrong(r, "no such number");
	return run_get(r);
}

static int
parse_alert(struct run *r, struct alert *a)
{
	const struct { const char *name; int32_t *n; } numbers[] = {
		{ "code=", &a->code }, { "severity=", &a->severity },
		{ "group=", &a->group }, { "index=", &a->group_index },
		{ "training=", &a->training }, { "location=", &a->location },
	};
	const size_t known = sizeof(numbers) / sizeof(*numbers);
	int64_t n;
	size_t k;
	int i;

	*a = (struct alert){ .code = 1, .severity = 5, .training = 3,
	    .group = 5, .group_index = -1, .location = -2, .text = "" };
	for (i = 1; i < r->args; i++) {
		for (k = 0; k < known; k++)
			if (strncmp(r->arg[i], numbers[k].name,
			    strlen(numbers[k].name)) == 0)
				break;
		if (k < known && parse_integer(r->arg[i] +
		    strlen(numbers[k].name), &n) == 0)
			*numbers[k].n = (int32_t)n;
		else if (k == known && strncmp(r->arg[i], "text=", 5) == 0)
			a->text = r->arg[i] + 5;
		else if (k < known || strncmp(r->arg[i], "bits=", 5) != 0 ||
		    panel_bits(r->arg[i] + 5, &a->bits) < 0)
			return wrong(r, "raise takes code= severity= group= "
			    "index= training= location= text= bits=");
	}
	return 0;
}

static int
clear_alert(struct run *r)
{
	struct truth *truth = lan_truth(r->lan);
	int64_t now_ms = clock_mono_ms(), index;
	bool trace = r->args == 3 && strcmp(r->arg[2], "trace") == 0;

	if (r->args < 2 || (r->args > 2 && !trace))
		return wrong(r, "usage: alert ADDR clear INDEX|all [trace]");
	if (strcmp(r->arg[1], "all") == 0) {
		buf_printf(r->out, "%zu", panel_clear_all(r->device, truth,
		    now_ms));
		return 0;
	}
	if (parse_integer(r->arg[1], &index) < 0 || index < 1 ||
	    panel_clear(r->device, truth, (uint32_t)index, trace, now_ms) < 0)
		return wrong(r, "no such alert");
	return 0;
}

static int
run_alert(struct run *r)
{
	struct alert a;

	if (strcmp(r->arg[0], "clear") == 0)
		return clear_alert(r);
	if (strcmp(r->arg[0], "raise") != 0)
		return wrong(r, "alert takes raise or clear");
	if (parse_alert(r, &a) < 0)
		return -1;
	buf_printf(r->out, "%u", panel_raise(r->device,
	    lan_truth(r->lan), &a, clock_mono_ms()));
	return 0;
}

static int
run_level(struct run *r)
{
	int64_t row, level;

	if (parse_integer(r->arg[0], &row) < 0 ||
	    parse_integer(r->arg[1], &level) < 0)
		return wrong(r, "usage: level ADDR ROW VALUE");
	return panel_level(r->device, lan_truth(r->lan), (uint32_t)row,
	    level) < 0 ? wrong(r, "no such supply") : 0;
}

static int
run_replace(struct run *r)
{
	const char *serial = NULL;
	int64_t row;

	if (parse_integer(r->arg[0], &row) < 0 || (r->args > 1 &&
	    strncmp(r->arg[1], "serial=", 7) != 0))
		return wrong(r, "usage: replace ADDR ROW [serial=TEXT]");
	if (r->args > 1)
		serial = r->arg[1] + 7;
	return panel_replace(r->device, lan_truth(r->lan), (uint32_t)row,
	    serial, clock_mono_ms()) < 0 ? wrong(r, "no such supply") : 0;
}

static int
run_print(struct run *r)
{
	bool colour = r->args > 1 && strcmp(r->arg[1], "colour") == 0;
	int64_t pages;

	if (parse_integer(r->arg[0], &pages) < 0 || pages < 0 ||
	    pages > UINT32_MAX || (r->args > 1 && !colour &&
	    strcmp(r->arg[1], "mono") != 0))
		return wrong(r, "usage: print ADDR PAGES [mono|colour]");
	panel_print(r->device, lan_truth(r->lan), (uint32_t)pages, colour);
	return 0;
}

static int
run_config(struct run *r)
{
	return panel_config(r->device, lan_truth(r->lan)) < 0 ?
	    wrong(r, "it does not count configuration changes") : 0;
}

static int
run_restart(struct run *r)
{
	panel_restart(r->device, lan_truth(r->lan), clock_mono_ms());
	return 0;
}

/* asleep ADDR on [WAKE_MS] | off */
static int
run_asleep(struct run *r)
{
	bool on = strcmp(r->arg[0], "on") == 0;
	const char *wake = on && r->args > 1 ? r->arg[1] : "off";

	if ((!on && strcmp(r->arg[0], "off") != 0) ||
	    fault_set(device_fault(r->device), "wake", wake) != 0)
		return wrong(r, "usage: asleep ADDR on [WAKE_MS] | off");
	panel_sleep(r->device, lan_truth(r->lan), on);
	return 0;
}

static int
run_move(struct run *r)
{
	uint32_t to;

	if (address_parse(r->arg[0], &to) < 0)
		return wrong(r, "not an address");
	if (lan_move(r->lan, r->device, to) < 0)
		return wrong(r, "that address is taken or not in 127/8");
	truth_event(lan_truth(r->lan), "move", to, r->arg[0]);
	return 0;
}

/* Two devices change places, as after a muddle of DHCP leases. */
static int
run_swap(struct run *r)
{
	uint32_t here = r->device->addr, there, aside = 0x7fffffffu;
	struct device *other;

	if (address_parse(r->arg[0], &there) < 0 || there == here ||
	    (other = lan_find(r->lan, there)) == NULL)
		return wrong(r, "no device there");
	if (lan_move(r->lan, other, aside) < 0 ||
	    lan_move(r->lan, r->device, there) < 0 ||
	    lan_move(r->lan, other, here) < 0)
		return wrong(r, "no room to swap");
	truth_event(lan_truth(r->lan), "swap", here, r->arg[0]);
	return 0;
}

static int
run_add(struct run *r)
{
	return lan_add(r->lan, r->arg[0], r->out);
}

static int
run_remove(struct run *r)
{
	truth_event(lan_truth(r->lan), "remove", r->device->addr, "");
	lan_remove(r->lan, r->device);
	return 0;
}

static int
run_list(struct run *r)
{
	listing_devices(r->lan, r->out);
	return 0;
}

static int
run_stats(struct run *r)
{
	listing_traffic(r->lan, r->device, r->out);
	return 0;
}

static int
run_asked(struct run *r)
{
	listing_names(r->device, r->out);
	return 0;
}

static int
run_changes(struct run *r)
{
	int64_t since = 0;

	if (r->args > 0 && (parse_integer(r->arg[0], &since) < 0 || since < 0))
		return wrong(r, "usage: changes [SINCE]");
	truth_list(lan_truth(r->lan), (uint64_t)since, r->out);
	return 0;
}

static int
run_reset(struct run *r)
{
	lan_reset(r->lan);
	truth_reset(lan_truth(r->lan));
	return 0;
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
	{ "alert",	A_DEVICE,	1, 12,	run_alert },
	{ "level",	A_DEVICE,	2, 2,	run_level },
	{ "replace",	A_DEVICE,	1, 2,	run_replace },
	{ "print",	A_DEVICE,	1, 2,	run_print },
	{ "config",	A_DEVICE,	0, 0,	run_config },
	{ "restart",	A_DEVICE,	0, 0,	run_restart },
	{ "asleep",	A_DEVICE,	1, 2,	run_asleep },
	{ "move",	A_DEVICE,	1, 1,	run_move },
	{ "swap",	A_DEVICE,	1, 1,	run_swap },
	{ "add",	NO_DEVICE,	1, 1,	run_add },
	{ "remove",	A_DEVICE,	0, 0,	run_remove },
	{ "stats",	MAYBE_A_DEVICE,	0, 0,	run_stats },
	{ "asked",	A_DEVICE,	0, 0,	run_asked },
	{ "changes",	NO_DEVICE,	0, 1,	run_changes },
	{ "reset",	NO_DEVICE,	0, 0,	run_reset },
};

/* What is no command may be a fault: NAME ADDR ARGUMENT. */
static int
run_fault(struct run *r, const char *name)
{
	int rc;

	if (r->device == NULL || r->args != 1)
		return wrong(r, "no such command");
	rc = fault_set(device_fault(r->device), name, r->arg[0]);
	if (rc > 0)
		return wrong(r, "no such command");
	if (rc < 0)
		return wrong(r, "takes on or off, a number or off, or an OID "
		    "or off");
	truth_event(lan_truth(r->lan), "fault", r->device->addr, name);
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
			return wrong(r, "not an address");
		r->device = lan_find(r->lan, addr);
		if (r->device == NULL)
			return wrong(r, "no such device");
	}
	r->arg = words + used;
	r->args = count - used;
	if (c == end)
		return run_fault(r, words[0]);
	if ((c->needs == A_DEVICE && r->device == NULL) || r->args < c->min ||
	    r->args > c->max)
		return wrong(r, "too few or too many arguments");
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
		rc = wrong(&r, count < 0 ? "an open quote, or too many words" :
		    "no command");
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
