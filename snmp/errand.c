#include "snmp/errand_form.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "snmp/objkey.h"


/* Room for one more of size in an array that doubles. */
static void *
grow(void *array, size_t len, size_t *cap, size_t size)
{
	if (len < *cap)
		return array;
	*cap = *cap > 16 ? *cap * 2 : 32;
	return xreallocarray(array, *cap, size);
}

uint32_t
errand_pack(struct errand *errand, const uint32_t *sub, size_t len)
{
	uint32_t at = (uint32_t)errand->words_len;
	size_t need = errand->words_len + 1 + len;

	if (need + OBJID_USUAL > errand->words_cap) {
		errand->words_cap = 2 * need + 254;
		errand->words = xreallocarray(errand->words, errand->words_cap,
		    sizeof(*errand->words));
	}
	errand->words[at] = (uint32_t)len;
	if (len > 0)
		memcpy(errand->words + at + 1, sub, len * sizeof(*sub));
	errand->words_len = need;
	return at;
}

void
errand_unpack(const struct errand *errand, uint32_t at, struct objid *id)
{
	const uint32_t *words = errand->words + at;

	id->len = words[0];
	if (id->len <= OBJID_USUAL)	/* errand_pack() left room behind */
		memcpy(id->sub, words + 1, OBJID_USUAL * sizeof(*words));
	else
		memcpy(id->sub, words + 1, id->len * sizeof(*words));
}

struct errand *
errand_new(void)
{
	struct errand *errand = xmalloc(sizeof(*errand));

	memset(errand, 0, sizeof(*errand));
	errand_pack(errand, NULL, 0);	/* so that 0 is nobody's place */
	errand->round = 1;
	return errand;
}

void
errand_free(struct errand *errand)
{
	if (errand == NULL)
		return;
	free(errand->words);
	free(errand->keys);
	free(errand->objects);
	free(errand->columns);
	free(errand->stretches);
	free(errand);
}

static void *
copy(const void *from, size_t len, size_t cap, size_t size)
{
	void *out = NULL;

	if (cap > 0)
		out = xreallocarray(NULL, cap, size);
	if (len > 0)
		memcpy(out, from, len * size);
	return out;
}

struct errand *
errand_copy(const struct errand *from, bool more)
{
	struct errand *errand = xmalloc(sizeof(*errand));

	*errand = *from;
	errand->words_cap = from->words_len + (more ? 254 : OBJID_USUAL);
	errand->objects_cap = from->objects_len;
	errand->columns_cap = from->columns_len + (more ? 16 : 0);
	errand->stretches_cap = from->stretches_len + (more ? 32 : 0);
	errand->keys_cap = from->keys_len;
	errand->keys = copy(from->keys, from->keys_len, errand->keys_cap, 1);
	errand->words = copy(from->words, from->words_len,
	    errand->words_cap, sizeof(*from->words));
	errand->objects = copy(from->objects, from->objects_len,
	    errand->objects_cap, sizeof(*from->objects));
	errand->columns = copy(from->columns, from->columns_len,
	    errand->columns_cap, sizeof(*from->columns));
	errand->stretches = copy(from->stretches, from->stretches_len,
	    errand->stretches_cap, sizeof(*from->stretches));
	return errand;
}

static const uint8_t *
object_key(const struct errand *errand, size_t i, size_t *len)
{
	const uint8_t *p = errand->keys + errand->objects[i].key;

	*len = (size_t)p[0] << 8 | p[1];
	return p + 2;
}

static void
object_id(const struct errand *errand, size_t i, struct objid *id)
{
	size_t len;
	const uint8_t *key = object_key(errand, i, &len);

	objkey_decode(key, len, id);
}

static bool
is_object(const struct errand *errand, size_t i, const struct objid *id)
{
	size_t len;
	const uint8_t *key = object_key(errand, i, &len);

	return objkey_is(key, len, id);
}

void
errand_object(struct errand *errand, const struct objid *id)
{
	struct object *object;
	size_t need, len;
	uint8_t *key;

	errand->objects = grow(errand->objects, errand->objects_len,
	    &errand->objects_cap, sizeof(*errand->objects));
	object = &errand->objects[errand->objects_len++];
	object->key = (uint32_t)errand->keys_len;
	object->state = WANTED;
	need = errand->keys_len + 2 + 5 * id->len;
	if (need > errand->keys_cap) {
		errand->keys_cap = 2 * need + 400;
		errand->keys = xrealloc(errand->keys, errand->keys_cap);
	}
	key = errand->keys + errand->keys_len;
	len = objkey_write(key + 2, id);
	key[0] = (uint8_t)(len >> 8);
	key[1] = (uint8_t)len;
	errand->keys_len += 2 + len;
}

static struct stretch *
stretch_add(struct errand *errand, size_t column, uint32_t from)
{
	struct stretch *stretch;

	errand->stretches = grow(errand->stretches, errand->stretches_len,
	    &errand->stretches_cap, sizeof(*errand->stretches));
	stretch = &errand->stretches[errand->stretches_len++];
	memset(stretch, 0, sizeof(*stretch));
	stretch->column = (uint32_t)column;
	stretch->from = from;
	return stretch;
}

void
errand_column(struct errand *errand, const struct objid *id, const char *name,
    unsigned rows_max)
{
	struct column *column;

	errand->columns = grow(errand->columns, errand->columns_len,
	    &errand->columns_cap, sizeof(*errand->columns));
	column = &errand->columns[errand->columns_len];
	column->at = errand_pack(errand, id->sub, id->len);
	column->name = name;
	column->rows = 0;
	column->rows_max = rows_max;
	stretch_add(errand, errand->columns_len++, 0);
}

void
errand_row(struct errand *errand, const struct objid *id)
{
	struct stretch *last = &errand->stretches[errand->stretches_len - 1];
	const struct column *column = &errand->columns[last->column];
	size_t len = errand->words[column->at];

	if (column->rows_max == 1 || id->len - len > ERRAND_INDEX_MAX)
		return;
	if (errand->bulk) {
		/* One too many is enough to see its end. */
		last->expect = (uint16_t)(last->expect == 0 ? 2 :
		    last->expect + 1);
		return;
	}
	last->until = errand_pack(errand, id->sub + len, id->len - len);
	stretch_add(errand, last->column, last->until);
}

bool
errand_counts_rows(const struct errand *errand)
{
	return errand->bulk;
}

static bool
is_column(const struct errand *errand, const struct stretch *stretch,
    const struct objid *id)
{
	const uint32_t *words = errand->words +
	    errand->columns[stretch->column].at;

	return words[0] == id->len && memcmp(words + 1, id->sub,
	    id->len * sizeof(*id->sub)) == 0;
}

void
errand_rows(struct errand *errand, const struct objid *id, size_t n)
{
	struct stretch *stretch;
	size_t i;

	/* Mostly it was the last to be added. */
	for (i = errand->stretches_len; i-- > 0; ) {
		stretch = &errand->stretches[i];
		if (!is_column(errand, stretch, id))
			continue;
		if (errand->columns[stretch->column].rows_max == 1)
			n = 0;
		/* One too many is enough to see its end. */
		stretch->expect = (uint16_t)(n == 0 ? 0 : n + 1);
		return;
	}
}

void
errand_row_last(struct errand *errand, const struct objid *id)
{
	struct stretch *last = &errand->stretches[errand->stretches_len - 1];
	size_t len = errand->words[errand->columns[last->column].at];

	if (!errand->bulk || last->expect == 0)
		return;
	last->expect--;
	last->until = errand_pack(errand, id->sub + len, id->len - len);
}

void
errand_known(struct errand *errand)
{
	errand->known = true;
}

void
errand_bulk(struct errand *errand, bool bulk)
{
	errand->bulk = bulk;
}

static void
pick_objects(struct errand *errand, size_t limit)
{
	size_t i;

	while (errand->objects_done < errand->objects_len &&
	    errand->objects[errand->objects_done].state != WANTED)
		errand->objects_done++;
	for (i = errand->objects_done; i < errand->objects_len &&
	    errand->asked_len < limit; i++)
		if (errand->objects[i].state == WANTED)
			errand->asked[errand->asked_len++] = (uint32_t)i;
}

size_t
errand_next(struct errand *errand, size_t limit, struct talk_question *question,
    struct objid ids[TALK_VARBINDS_MAX])
{
	struct stretch *stretch;
	size_t i;

	if (limit > TALK_VARBINDS_MAX)
		limit = TALK_VARBINDS_MAX;
	if (limit == 0)
		limit = 1;
	memset(question, 0, sizeof(*question));
	question->ids = ids;
	errand->asked_len = 0;
	errand->repetitions = 1;
	errand->singles = 0;
	pick_objects(errand, limit);
	errand->op = TALK_GET;
	for (i = 0; i < errand->asked_len; i++)
		object_id(errand, errand->asked[i], &ids[i]);
	if (errand->asked_len == 0) {
		walk_pick(errand, limit);
		errand->op = errand->repetitions > 1 ? TALK_GETBULK :
		    TALK_GETNEXT;
		for (i = 0; i < errand->asked_len; i++) {
			stretch = &errand->stretches[errand->asked[i]];
			stretch->asked = errand->round;
			walk_position(errand, stretch, &ids[i]);
		}
	}
	question->op = errand->op;
	question->non_repeaters = (unsigned)errand->singles;
	question->repetitions = (unsigned)errand->repetitions;
	question->n = errand->asked_len;
	return errand->asked_len;
}

bool
errand_store(struct errand *errand, struct bag *into,
    const struct talk_varbind *vb)
{
	if (bag_put(into, &vb->id, &vb->value) == 0)
		return true;
	if (errand->why[0] == '\0')
		snprintf(errand->why, sizeof(errand->why),
		    "more than %d values", BAG_VALUES_MAX);
	return false;
}

/* Only what was asked for is taken, wherever it stands in the answer.  True
 * when this varbind answered something. */
static bool
take_object(struct errand *errand, const struct talk_varbind *vb, size_t at,
    struct bag *into, bool *full)
{
	struct object *object = NULL;
	size_t i;

	if (vb->id.len == 0)
		return false;
	if (at < errand->asked_len &&
	    is_object(errand, errand->asked[at], &vb->id))
		object = &errand->objects[errand->asked[at]];
	for (i = 0; object == NULL && i < errand->asked_len; i++)
		if (is_object(errand, errand->asked[i], &vb->id))
			object = &errand->objects[errand->asked[i]];
	if (object == NULL || object->state != WANTED)
		return false;
	object->state = vb->missing ? MISSING : GOT;
	if (!vb->missing && !errand_store(errand, into, vb))
		*full = true;
	return true;
}

enum errand_take
errand_take(struct errand *errand, const struct talk_varbind *vb, size_t n,
    struct bag *into)
{
	bool full = false, any = false;
	size_t i, most = errand->singles + (errand->asked_len -
	    errand->singles) * errand->repetitions;

	if (errand->op == TALK_GET) {
		for (i = 0; i < n; i++)
			any |= take_object(errand, &vb[i], i, into, &full);
	} else {
		if (n > most)
			n = most;
		if (errand->op == TALK_GETBULK && !walk_sane(errand, vb, n))
			return ERRAND_BULK_ODD;
		walk_take(errand, vb, n, into, &full);
		any = n > 0;
	}
	errand->round++;
	/* Less than was asked: the rest is asked again, if there is a hope. */
	if (!any)
		errand_skip(errand, "is answered with something else");
	return full ? ERRAND_FULL : ERRAND_TAKEN;
}

void
errand_skip(struct errand *errand, const char *reason)
{
	char text[OBJID_TEXT_MAX];
	struct stretch *stretch;
	struct objid id;
	size_t i;

	errand->round++;
	for (i = 0; i < errand->asked_len; i++) {
		if (errand->op != TALK_GET) {
			stretch = &errand->stretches[errand->asked[i]];
			walk_complain(errand, stretch, reason);
			stretch->state = GIVEN_UP;
			stretch->tried = true;
			continue;
		}
		if (errand->objects[errand->asked[i]].state != WANTED)
			continue;
		errand->objects[errand->asked[i]].state = GIVEN_UP;
		if (errand->why[0] != '\0')
			continue;
		object_id(errand, errand->asked[i], &id);
		snprintf(errand->why, sizeof(errand->why), "request for %s %s",
		    objid_format(&id, text), reason);
	}
	errand->asked_len = 0;
}

void
errand_stop(struct errand *errand)
{
	size_t i;

	for (i = 0; i < errand->objects_len; i++)
		if (errand->objects[i].state == WANTED)
			errand->objects[i].state = GIVEN_UP;
	for (i = 0; i < errand->stretches_len; i++)
		if (errand->stretches[i].state == WANTED)
			errand->stretches[i].state = GIVEN_UP;
	errand->asked_len = 0;
}

bool
errand_idle(const struct errand *errand)
{
	return errand->objects_len == 0 && errand->columns_len == 0;
}

bool
errand_untried(const struct errand *errand)
{
	size_t i;

	for (i = errand->stretches_done; i < errand->stretches_len; i++)
		if (errand->stretches[i].state == WANTED &&
		    !errand->stretches[i].tried)
			return true;
	return false;
}

void
errand_covered(const struct errand *errand, struct objid **out, size_t *len)
{
	size_t i, j, c, most = errand->columns_len;
	bool ended;

	for (i = 0; i < errand->objects_len; i++)
		most += errand->objects[i].state == MISSING;
	if (most == 0)
		return;
	*out = xreallocarray(*out, *len + most, sizeof(**out));
	for (i = 0; i < errand->objects_len; i++)
		if (errand->objects[i].state == MISSING)
			object_id(errand, i, &(*out)[(*len)++]);
	for (i = 0; i < errand->stretches_len; i = j) {
		c = errand->stretches[i].column;
		ended = true;
		for (j = i; j < errand->stretches_len &&
		    errand->stretches[j].column == c; j++)
			ended = ended && errand->stretches[j].state == ENDED;
		if (ended)
			errand_unpack(errand, errand->columns[c].at,
			    &(*out)[(*len)++]);
	}
}

const char *
errand_why(const struct errand *errand)
{
	return errand->why;
}
