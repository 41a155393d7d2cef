#include "tests/sim/run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "tests/sim/doze.h"
#include "tests/sim/panel.h"

int
run_wrong(struct run *r, const char *text)
{
	buf_reset(r->out);
	buf_puts(r->out, text);
	return -1;
}

int
run_integer(const char *text, int64_t *out)
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
	return oid_parse(text, id) < 0 ? run_wrong(r, "not an OID") : 0;
}

int
run_get(struct run *r)
{
	const struct value *v;
	struct oid id;
	uint32_t ticks;

	if (oid_parse(r->arg[0], &id) < 0)
		return run_wrong(r, "not an OID");
	if (device_clock(r->device, id.sub, id.len, clock_mono_ms(), &ticks)) {
		buf_printf(r->out, "67|%u", ticks);
		return 0;
	}
	v = view_get(device_view_of(r->device, id.sub, id.len), id.sub,
	    id.len);
	if (v == NULL)
		return run_wrong(r, "no such value");
	value_format(v, r->out);
	return 0;
}

int
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
		run_wrong(r, "not an OID");
	else if (value_parse(r->arg[1], text.data != NULL ? text.data : "",
	    text.len, &tag, &body) < 0)
		run_wrong(r, "tag and value do not fit together");
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

int
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

int
run_bump(struct run *r)
{
	struct oid id;
	int64_t delta;

	if (oid_parse(r->arg[0], &id) < 0 ||
	    run_integer(r->arg[1], &delta) < 0)
		return run_wrong(r, "usage: bump ADDR OID DELTA");
	if (device_bump(r->device, lan_truth(r->lan), "bump", &id, -1,
	    delta) < 0)
		return run_wrong(r, "no such number");
	return run_get(r);
}

static int
parse_alert(struct run *r, struct alert *a, char **trap)
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
		if (k < known && run_integer(r->arg[i] +
		    strlen(numbers[k].name), &n) == 0)
			*numbers[k].n = (int32_t)n;
		else if (k == known && strncmp(r->arg[i], "text=", 5) == 0)
			a->text = r->arg[i] + 5;
		else if (k == known && strncmp(r->arg[i], "trap=", 5) == 0)
			*trap = r->arg[i] + 5;
		else if (k < known || strncmp(r->arg[i], "bits=", 5) != 0 ||
		    panel_bits(r->arg[i] + 5, &a->bits) < 0)
			return run_wrong(r, "raise takes code= severity= "
			    "group= index= training= location= text= bits= trap=");
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
		return run_wrong(r, "usage: alert ADDR clear INDEX|all "
		    "[trace]");
	if (strcmp(r->arg[1], "all") == 0) {
		buf_printf(r->out, "%zu", panel_clear_all(r->device, truth,
		    now_ms));
		return 0;
	}
	if (run_integer(r->arg[1], &index) < 0 || index < 1 ||
	    panel_clear(r->device, truth, (uint32_t)index, trace, now_ms) < 0)
		return run_wrong(r, "no such alert");
	return 0;
}

int
run_alert(struct run *r)
{
	char *words[2] = { (char[]){ "v2c" }, NULL };
	struct run trap = *r;
	struct alert a;

	if (strcmp(r->arg[0], "clear") == 0)
		return clear_alert(r);
	if (strcmp(r->arg[0], "raise") != 0)
		return run_wrong(r, "alert takes raise or clear");
	if (parse_alert(r, &a, &words[1]) < 0)
		return -1;
	buf_printf(r->out, "%u", panel_raise(r->device,
	    lan_truth(r->lan), &a, clock_mono_ms()));
	if (words[1] == NULL)
		return 0;
	trap.arg = words;
	trap.args = 2;
	return run_trap(&trap);
}

int
run_level(struct run *r)
{
	int64_t row, level;

	if (run_integer(r->arg[0], &row) < 0 ||
	    run_integer(r->arg[1], &level) < 0)
		return run_wrong(r, "usage: level ADDR ROW VALUE");
	return panel_level(r->device, lan_truth(r->lan), (uint32_t)row,
	    level) < 0 ? run_wrong(r, "no such supply") : 0;
}

int
run_replace(struct run *r)
{
	const char *serial = NULL;
	int64_t row;

	if (run_integer(r->arg[0], &row) < 0 || (r->args > 1 &&
	    strncmp(r->arg[1], "serial=", 7) != 0))
		return run_wrong(r, "usage: replace ADDR ROW [serial=TEXT]");
	if (r->args > 1)
		serial = r->arg[1] + 7;
	return panel_replace(r->device, lan_truth(r->lan), (uint32_t)row,
	    serial, clock_mono_ms()) < 0 ? run_wrong(r, "no such supply") : 0;
}

int
run_print(struct run *r)
{
	bool colour = r->args > 1 && strcmp(r->arg[1], "colour") == 0;
	int64_t pages;

	if (run_integer(r->arg[0], &pages) < 0 || pages < 0 ||
	    pages > UINT32_MAX || (r->args > 1 && !colour &&
	    strcmp(r->arg[1], "mono") != 0))
		return run_wrong(r, "usage: print ADDR PAGES [mono|colour]");
	panel_print(r->device, lan_truth(r->lan), (uint32_t)pages, colour);
	return 0;
}

int
run_config(struct run *r)
{
	return panel_config(r->device, lan_truth(r->lan)) < 0 ?
	    run_wrong(r, "it does not count configuration changes") : 0;
}

int
run_restart(struct run *r)
{
	panel_restart(r->device, lan_truth(r->lan), clock_mono_ms());
	return 0;
}

/* asleep ADDR on [WAKE_MS] | off */
int
run_asleep(struct run *r)
{
	bool on = strcmp(r->arg[0], "on") == 0;
	const char *wake = on && r->args > 1 ? r->arg[1] : "off";

	if ((!on && strcmp(r->arg[0], "off") != 0) ||
	    fault_set(device_fault(r->device), "wake", wake) != 0)
		return run_wrong(r, "usage: asleep ADDR on [WAKE_MS] | off");
	truth_event(lan_truth(r->lan), on ? "asleep" : "awake",
	    r->device->addr, "");
	if (!on)
		doze_end(r->device, lan_truth(r->lan));
	panel_sleep(r->device, lan_truth(r->lan), on);
	if (on)
		doze_start(r->device, lan_truth(r->lan));
	return 0;
}

/* asleepdata ADDR OID TAG VALUE | OID[.*] none | off */
int
run_asleepdata(struct run *r)
{
	struct buf text = { 0 }, body = { 0 };
	uint8_t tag = 0;
	struct oid id;
	bool tree;
	int i, rc = -1;

	if (r->args == 1 && strcmp(r->arg[0], "off") == 0) {
		doze_forget(r->device);
		return 0;
	}
	if (parse_place(r, r->arg[0], &id, &tree) < 0)
		return -1;
	if (r->args == 2 && strcmp(r->arg[1], "none") == 0) {
		doze_add(r->device, &id, 0, NULL, 0, true, tree);
		return 0;
	}
	for (i = 2; i < r->args; i++)
		buf_printf(&text, "%s%s", i > 2 ? " " : "", r->arg[i]);
	buf_put(&text, "", 0);
	if (tree || r->args < 3 || value_parse(r->arg[1],
	    text.data != NULL ? text.data : "", text.len, &tag, &body) < 0)
		run_wrong(r, "usage: asleepdata ADDR OID TAG VALUE | "
		    "OID[.*] none | off");
	else {
		doze_add(r->device, &id, tag, body.data, body.len, false,
		    false);
		rc = 0;
	}
	buf_free(&body);
	buf_free(&text);
	return rc;
}

int
run_uptime(struct run *r)
{
	int64_t ticks;

	if (run_integer(r->arg[0], &ticks) < 0 || ticks < 0 ||
	    ticks > UINT32_MAX)
		return run_wrong(r, "usage: uptime ADDR TICKS");
	device_set_uptime(r->device, (uint32_t)ticks, clock_mono_ms());
	truth_event(lan_truth(r->lan), "uptime", r->device->addr, r->arg[0]);
	return 0;
}
