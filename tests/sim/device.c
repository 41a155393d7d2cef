#include "tests/sim/device.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tests/sim/ber.h"
#include "tests/sim/doze.h"

static const uint32_t up_time[] = { 1, 3, 6, 1, 2, 1, 1, 3, 0 };
static const uint32_t host_up_time[] = { 1, 3, 6, 1, 2, 1, 25, 1, 1, 0 };

static uint32_t
ticks_of(const struct walk *walk, const uint32_t *sub, size_t len)
{
	const struct value *v = walk_find(walk, sub, len);
	int64_t n;

	return v != NULL && value_number(v, &n) == 0 ? (uint32_t)n : 0;
}

/* Every device of a fleet has printed another number of pages; total is
 * always the sum, so that what agreed in the walk still agrees. */
static void
spread_counters(struct device *d)
{
	const struct walk *walk = d->view.walk;
	int64_t add[3];
	size_t i;

	add[TALLY_MONO] = (int64_t)d->number * 137 % 50021;
	add[TALLY_COLOUR] = 0;
	for (i = 0; i < walk->tallies_len; i++)
		if (walk->tallies[i].kind == TALLY_COLOUR)
			add[TALLY_COLOUR] = (int64_t)d->number * 59 % 30011;
	add[TALLY_TOTAL] = add[TALLY_MONO] + add[TALLY_COLOUR];
	for (i = 0; i < walk->tallies_len; i++)
		device_bump(d, NULL, NULL, &walk->tallies[i].id,
		    walk->tallies[i].offset, add[walk->tallies[i].kind]);
}

struct device *
device_new(const struct walk *walk, uint32_t addr, uint32_t number,
    const struct guise *guise, int64_t now_ms)
{
	struct device *d = xcalloc(1, sizeof(*d));
	const struct walk *other;
	size_t i;

	d->addr = addr;
	d->number = number;
	d->view.walk = walk;
	d->since_ms = now_ms;
	d->ticks = ticks_of(walk, up_time, 9);
	d->host_ticks = ticks_of(walk, host_up_time, 10);
	for (other = walk->next_context; other != NULL;
	    other = other->next_context)
		d->contexts_len++;
	if (d->contexts_len > 0)
		d->contexts = xcalloc(d->contexts_len, sizeof(*d->contexts));
	for (i = 0, other = walk->next_context; other != NULL;
	    other = other->next_context, i++) {
		d->contexts[i].name = other->context;
		d->contexts[i].view.walk = other;
	}
	if (guise != NULL) {
		guise_apply(guise, &d->view);
		for (i = 0; i < d->contexts_len; i++)
			guise_apply(guise, &d->contexts[i].view);
	}
	guise_address(&d->view, 0, addr);
	if (number > 0)
		spread_counters(d);
	return d;
}

void
device_free(struct device *d)
{
	size_t i;

	if (d == NULL)
		return;
	for (i = 0; i < d->contexts_len; i++)
		view_clear(&d->contexts[i].view);
	view_clear(&d->view);
	free(d->contexts);
	free(d->raised);
	free(d->fault);
	engine_free(d->engine);
	doze_free(d->doze);
	asked_free(&d->asked);
	free(d->community);
	free(d->spec);
	free(d);
}

struct view *
device_view(struct device *d, const char *context, size_t len)
{
	size_t i;

	if (len == 0)
		return &d->view;
	for (i = 0; i < d->contexts_len; i++)
		if (strlen(d->contexts[i].name) == len &&
		    memcmp(d->contexts[i].name, context, len) == 0)
			return &d->contexts[i].view;
	return NULL;
}

struct view *
device_view_of(struct device *d, const uint32_t *sub, size_t len)
{
	size_t i;

	if (view_get(&d->view, sub, len) == NULL)
		for (i = 0; i < d->contexts_len; i++)
			if (view_get(&d->contexts[i].view, sub, len) != NULL)
				return &d->contexts[i].view;
	return &d->view;
}

static uint32_t
elapsed(const struct device *d, int64_t now_ms)
{
	return (uint32_t)((now_ms - d->since_ms) / 10);
}

bool
device_clock(const struct device *d, const uint32_t *sub, size_t len,
    int64_t now_ms, uint32_t *ticks)
{
	if (len == 9 && memcmp(sub, up_time, sizeof(up_time)) == 0)
		*ticks = d->ticks + elapsed(d, now_ms);
	else if (len == 10 &&
	    memcmp(sub, host_up_time, sizeof(host_up_time)) == 0)
		*ticks = d->host_ticks + elapsed(d, now_ms);
	else
		return false;
	return true;
}

uint32_t
device_uptime(const struct device *d, int64_t now_ms)
{
	return d->ticks + elapsed(d, now_ms);
}

void
device_set_uptime(struct device *d, uint32_t ticks, int64_t now_ms)
{
	d->ticks = ticks - elapsed(d, now_ms);
}

void
device_set(struct device *d, struct truth *truth, const char *what,
    const struct oid *id, uint8_t tag, const void *body, size_t len)
{
	struct view *view = device_view_of(d, id->sub, id->len);

	view_set(view, id->sub, id->len, tag, body, len);
	if (truth != NULL)
		truth_value(truth, what, d->addr, id->sub, id->len,
		    view_get(view, id->sub, id->len));
}

void
device_set_number(struct device *d, struct truth *truth, const char *what,
    const struct oid *id, uint8_t tag, int64_t number)
{
	uint8_t body[9];

	device_set(d, truth, what, id, tag, body,
	    value_make(tag, number, body));
}

size_t
device_unset(struct device *d, struct truth *truth, const char *what,
    const struct oid *id, bool tree)
{
	struct view *view = device_view_of(d, id->sub, id->len);
	size_t count;

	if (tree)
		count = view_unset_tree(view, id->sub, id->len);
	else {
		count = view_get(view, id->sub, id->len) != NULL;
		view_unset(view, id->sub, id->len);
	}
	if (truth != NULL && count > 0)
		truth_value(truth, what, d->addr, id->sub, id->len, NULL);
	return count;
}

int
device_number(struct device *d, const struct oid *id, int64_t *number)
{
	struct view *view = device_view_of(d, id->sub, id->len);
	const struct value *v = view_get(view, id->sub, id->len);

	return v == NULL ? -1 : value_number(v, number);
}

int
device_bump(struct device *d, struct truth *truth, const char *what,
    const struct oid *id, int offset, int64_t delta)
{
	struct view *view = device_view_of(d, id->sub, id->len);
	const struct value *v = view_get(view, id->sub, id->len);
	uint8_t body[VALUE_BODY_MAX];
	uint32_t n;
	int64_t number;
	int i;

	if (v == NULL)
		return -1;
	if (offset < 0) {
		if (value_number(v, &number) < 0)
			return -1;
		device_set_number(d, truth, what, id, v->tag, number + delta);
		return 0;
	}
	if (v->body_len > sizeof(body) || (size_t)offset + 4 > v->body_len)
		return -1;
	memcpy(body, v->body, v->body_len);
	for (n = 0, i = 0; i < 4; i++)
		n = n << 8 | body[offset + i];
	n += (uint32_t)delta;
	for (i = 0; i < 4; i++)
		body[offset + i] = (uint8_t)(n >> 8 * (3 - i));
	device_set(d, truth, what, id, v->tag, body, v->body_len);
	return 0;
}

void
device_move(struct device *d, uint32_t addr)
{
	guise_address(&d->view, d->addr, addr);
	d->addr = addr;
}

/* The maker's enterprise number, as sysObjectID says it. */
static uint32_t
enterprise(struct device *d)
{
	static const uint32_t id[] = { 1, 3, 6, 1, 2, 1, 1, 2, 0 };
	const struct value *v = view_get(&d->view, id, 9);
	uint32_t sub[OID_MAX];

	if (v == NULL || v->tag != BER_OID || ber_oid((struct ber){ v->body,
	    v->body_len }, sub, OID_MAX) < 7 || sub[4] != 4)
		return 1;
	return sub[6];
}

struct engine *
device_engine(struct device *d)
{
	if (d->engine == NULL)
		d->engine = engine_new(enterprise(d), d->addr, d->since_ms -
		    (int64_t)d->ticks * 10);
	return d->engine;
}

struct fault *
device_fault(struct device *d)
{
	if (d->fault == NULL)
		d->fault = fault_new(d->addr);
	return d->fault;
}
