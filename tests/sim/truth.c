#include "tests/sim/truth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "tests/sim/oid.h"

struct entry {
	uint64_t	 seq;
	int64_t		 wall_ms;
	const char	*what;
	uint32_t	 addr;
	char		*oid;		/* NULL for an event */
	char		*value;		/* "TAG|TEXT", detail, or NULL */
};

struct truth {
	struct entry	*ring;		/* TRUTH_MAX, made at the first use */
	uint64_t	 next;		/* sequence number */
	uint64_t	 first;
};

struct truth *
truth_new(void)
{
	struct truth *t = xcalloc(1, sizeof(*t));

	t->next = t->first = 1;
	return t;
}

void
truth_reset(struct truth *t)
{
	struct entry *e;

	for (; t->first < t->next; t->first++) {
		e = &t->ring[t->first % TRUTH_MAX];
		free(e->oid);
		free(e->value);
	}
}

void
truth_free(struct truth *t)
{
	if (t == NULL)
		return;
	truth_reset(t);
	free(t->ring);
	free(t);
}

static struct entry *
add(struct truth *t, const char *what, uint32_t addr)
{
	struct entry *e;

	if (t->ring == NULL)
		t->ring = xcalloc(TRUTH_MAX, sizeof(*t->ring));
	e = &t->ring[t->next % TRUTH_MAX];
	if (t->next - t->first == TRUTH_MAX) {
		free(e->oid);
		free(e->value);
		t->first++;
	}
	*e = (struct entry){ .seq = t->next++, .wall_ms = clock_wall_ms(),
	    .what = what, .addr = addr };
	return e;
}

void
truth_value(struct truth *t, const char *what, uint32_t addr,
    const uint32_t *sub, size_t len, const struct value *v)
{
	struct entry *e = add(t, what, addr);
	char text[OID_TEXT_MAX];
	struct buf out = { 0 };

	e->oid = xstrdup(oid_format(sub, len, text));
	if (v != NULL) {
		value_format(v, &out);
		e->value = buf_take(&out);
	}
}

void
truth_event(struct truth *t, const char *what, uint32_t addr,
    const char *detail)
{
	add(t, what, addr)->value = xstrdup(detail);
}

static void
list_entry(struct json *json, const struct entry *e)
{
	char time[CLOCK_TEXT_MAX], address[ADDRESS_TEXT_MAX];
	const char *bar;

	json_object(json, NULL);
	json_int(json, "seq", (int64_t)e->seq);
	json_string(json, "time", clock_format(e->wall_ms, time));
	json_string(json, "host", address_format(e->addr, address));
	json_string(json, "what", e->what);
	if (e->oid == NULL)
		json_string(json, "detail", e->value);
	else {
		json_string(json, "oid", e->oid);
		bar = e->value == NULL ? NULL : strchr(e->value, '|');
		if (bar == NULL)
			json_null(json, "value");
		else {
			json_int(json, "tag", atoi(e->value));
			json_bool(json, "hex", bar[-1] == 'x');
			json_string(json, "value", bar + 1);
		}
	}
	json_object_end(json);
}

void
truth_list(const struct truth *t, uint64_t since, struct buf *out)
{
	struct json json;
	uint64_t i;

	json_start(&json, out);
	json_array(&json, NULL);
	for (i = since >= t->first ? since + 1 : t->first; i < t->next; i++)
		list_entry(&json, &t->ring[i % TRUTH_MAX]);
	json_array_end(&json);
}

char *
address_format(uint32_t addr, char out[ADDRESS_TEXT_MAX])
{
	snprintf(out, ADDRESS_TEXT_MAX, "%u.%u.%u.%u", addr >> 24,
	    addr >> 16 & 255, addr >> 8 & 255, addr & 255);
	return out;
}

int
address_parse(const char *text, uint32_t *addr)
{
	struct oid parts;
	size_t i;

	if (oid_parse(text, &parts) < 0 || parts.len != 4 || *text == '.')
		return -1;
	for (*addr = 0, i = 0; i < 4; i++) {
		if (parts.sub[i] > 255)
			return -1;
		*addr = *addr << 8 | parts.sub[i];
	}
	return 0;
}
