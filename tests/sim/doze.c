#include "tests/sim/doze.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct entry {
	struct oid	 id;
	uint8_t		 tag;
	uint8_t		*body;
	size_t		 len;
	bool		 gone, tree;
};

struct entries {
	struct entry	*entry;
	size_t		 len;
};

struct doze {
	struct entries	 night;		/* what is shown asleep */
	struct entries	 day;		/* what that hides, while it does */
	bool		 on;
};

static struct entry *
append(struct entries *list, const struct oid *id)
{
	struct entry *e;

	list->entry = xreallocarray(list->entry, list->len + 1,
	    sizeof(*list->entry));
	e = &list->entry[list->len++];
	*e = (struct entry){ .id = *id };
	return e;
}

static void
keep(struct entry *e, uint8_t tag, const void *body, size_t len)
{
	e->tag = tag;
	e->len = len;
	e->body = xmalloc(len + 1);
	if (len > 0)
		memcpy(e->body, body, len);
}

static void
clear(struct entries *list)
{
	size_t i;

	for (i = 0; i < list->len; i++)
		free(list->entry[i].body);
	free(list->entry);
	*list = (struct entries){ 0 };
}

void
doze_add(struct device *d, const struct oid *id, uint8_t tag,
    const void *body, size_t len, bool gone, bool tree)
{
	struct entry *e;

	if (d->doze == NULL)
		d->doze = xcalloc(1, sizeof(*d->doze));
	e = append(&d->doze->night, id);
	e->gone = gone;
	e->tree = tree;
	keep(e, tag, body, len);
}

/* Remembers what stands at a name. */
static void
save(struct device *d, const struct oid *id)
{
	const struct value *v = view_get(device_view_of(d, id->sub, id->len),
	    id->sub, id->len);
	struct entry *e = append(&d->doze->day, id);

	if (v == NULL)
		e->gone = true;
	else
		keep(e, v->tag, v->body, v->body_len);
}

static void
save_tree(struct device *d, const struct oid *top)
{
	const struct value *v = view_next(&d->view, top->sub, top->len);
	struct oid id;

	for (; v != NULL && oid_within(v->sub, v->sub_len, top->sub,
	    top->len); v = view_next(&d->view, id.sub, id.len)) {
		id.len = v->sub_len;
		memcpy(id.sub, v->sub, id.len * sizeof(*id.sub));
		save(d, &id);
	}
}

void
doze_start(struct device *d, struct truth *truth)
{
	const struct entry *e;
	size_t i;

	if (d->doze == NULL || d->doze->on)
		return;
	d->doze->on = true;
	for (i = 0; i < d->doze->night.len; i++) {
		e = &d->doze->night.entry[i];
		if (e->tree)
			save_tree(d, &e->id);
		else
			save(d, &e->id);
		if (e->gone)
			device_unset(d, truth, "asleep", &e->id, e->tree);
		else
			device_set(d, truth, "asleep", &e->id, e->tag,
			    e->body, e->len);
	}
}

void
doze_end(struct device *d, struct truth *truth)
{
	const struct entry *e;
	size_t i;

	if (d->doze == NULL || !d->doze->on)
		return;
	/* backwards: what was saved first stood there before everything */
	for (i = d->doze->day.len; i > 0; i--) {
		e = &d->doze->day.entry[i - 1];
		if (e->gone)
			device_unset(d, truth, "asleep", &e->id, false);
		else
			device_set(d, truth, "asleep", &e->id, e->tag,
			    e->body, e->len);
	}
	clear(&d->doze->day);
	d->doze->on = false;
}

void
doze_forget(struct device *d)
{
	if (d->doze != NULL)
		clear(&d->doze->night);
}

void
doze_free(struct doze *doze)
{
	if (doze == NULL)
		return;
	clear(&doze->night);
	clear(&doze->day);
	free(doze);
}
