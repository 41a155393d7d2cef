#include "snmp/errand.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum state {
	WANTED,
	GOT,		/* object: has a value */
	MISSING,	/* object: is not there */
	ENDED,		/* column: read to its end */
	GIVEN_UP	/* no word about it */
};

struct object {
	uint32_t	 at;		/* in words: a length, then that many */
	enum state	 state;
};

struct column {
	uint32_t	 at;
	const char	*name;
	unsigned	 rows, rows_max;
	enum state	 state;
	bool		 tried;
	uint32_t	 index_len;	/* where it has come to */
	uint32_t	 index[ERRAND_INDEX_MAX];
};

struct errand {
	uint32_t	*words;
	size_t		 words_len, words_cap;
	struct object	*objects;
	size_t		 objects_len, objects_cap;
	struct column	*columns;
	size_t		 columns_len, columns_cap;
	size_t		 objects_done;	/* so many at the front are */

	enum talk_op	 op;		/* what was asked last */
	size_t		 asked[TALK_VARBINDS_MAX];
	size_t		 asked_len;
	char		 why[ERRAND_WHY_MAX];
};

struct errand *
errand_new(void)
{
	return xcalloc(1, sizeof(struct errand));
}

void
errand_free(struct errand *errand)
{
	if (errand == NULL)
		return;
	free(errand->words);
	free(errand->objects);
	free(errand->columns);
	free(errand);
}

/* Room for one more of size in an array that doubles. */
static void *
grow(void *array, size_t len, size_t *cap, size_t size)
{
	if (len < *cap)
		return array;
	*cap = *cap > 0 ? *cap * 2 : 16;
	return xreallocarray(array, *cap, size);
}

static uint32_t
pack(struct errand *errand, const struct objid *id)
{
	uint32_t at = (uint32_t)errand->words_len;
	size_t need = errand->words_len + 1 + id->len;

	if (need > errand->words_cap) {
		errand->words_cap = need > 2 * errand->words_cap ? need + 64 :
		    2 * errand->words_cap;
		errand->words = xreallocarray(errand->words, errand->words_cap,
		    sizeof(*errand->words));
	}
	errand->words[at] = (uint32_t)id->len;
	memcpy(errand->words + at + 1, id->sub, id->len * sizeof(*id->sub));
	errand->words_len = need;
	return at;
}

static void
unpack(const struct errand *errand, uint32_t at, struct objid *id)
{
	id->len = errand->words[at];
	memcpy(id->sub, errand->words + at + 1, id->len * sizeof(*id->sub));
}

static bool
same(const struct errand *errand, uint32_t at, const struct objid *id)
{
	return errand->words[at] == id->len && memcmp(errand->words + at + 1,
	    id->sub, id->len * sizeof(*id->sub)) == 0;
}

/* id is below the column: prefix equal and something behind it. */
static bool
below(const struct errand *errand, uint32_t at, const struct objid *id)
{
	return id->len > errand->words[at] && memcmp(errand->words + at + 1,
	    id->sub, errand->words[at] * sizeof(*id->sub)) == 0;
}

void
errand_object(struct errand *errand, const struct objid *id)
{
	struct object *object;

	errand->objects = grow(errand->objects, errand->objects_len,
	    &errand->objects_cap, sizeof(*errand->objects));
	object = &errand->objects[errand->objects_len++];
	object->at = pack(errand, id);
	object->state = WANTED;
}

void
errand_column(struct errand *errand, const struct objid *id, const char *name,
    unsigned rows_max)
{
	struct column *column;
	size_t i;

	for (i = 0; i < errand->columns_len; i++)
		if (same(errand, errand->columns[i].at, id))
			return;
	errand->columns = grow(errand->columns, errand->columns_len,
	    &errand->columns_cap, sizeof(*errand->columns));
	column = &errand->columns[errand->columns_len++];
	memset(column, 0, sizeof(*column));
	column->at = pack(errand, id);
	column->name = name;
	column->rows_max = rows_max;
}

/* Where the column has come to, which was asked for the next of. */
static void
position(const struct errand *errand, const struct column *column,
    struct objid *id)
{
	unpack(errand, column->at, id);
	memcpy(id->sub + id->len, column->index,
	    column->index_len * sizeof(*column->index));
	id->len += column->index_len;
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
			errand->asked[errand->asked_len++] = i;
}

static void
pick_columns(struct errand *errand, size_t limit, bool tried)
{
	size_t i;

	for (i = 0; i < errand->columns_len && errand->asked_len < limit; i++)
		if (errand->columns[i].state == WANTED &&
		    errand->columns[i].tried == tried)
			errand->asked[errand->asked_len++] = i;
}

size_t
errand_next(struct errand *errand, size_t limit, enum talk_op *op,
    struct objid ids[TALK_VARBINDS_MAX])
{
	size_t i;

	if (limit > TALK_VARBINDS_MAX)
		limit = TALK_VARBINDS_MAX;
	if (limit == 0)
		limit = 1;
	errand->asked_len = 0;
	pick_objects(errand, limit);
	errand->op = *op = errand->asked_len > 0 ? TALK_GET : TALK_GETNEXT;
	if (*op == TALK_GET) {
		for (i = 0; i < errand->asked_len; i++)
			unpack(errand, errand->objects[errand->asked[i]].at,
			    &ids[i]);
		return errand->asked_len;
	}
	pick_columns(errand, limit, false);
	pick_columns(errand, limit, true);
	for (i = 0; i < errand->asked_len; i++)
		position(errand, &errand->columns[errand->asked[i]], &ids[i]);
	return errand->asked_len;
}

static void
complain(struct errand *errand, const struct column *column, const char *what)
{
	char text[OBJID_TEXT_MAX], index[OBJID_TEXT_MAX] = "";
	struct objid id;

	if (errand->why[0] != '\0')
		return;
	if (column->index_len > 0) {
		id.len = column->index_len;
		memcpy(id.sub, column->index,
		    column->index_len * sizeof(*column->index));
		objid_format(&id, index);
	}
	unpack(errand, column->at, &id);
	snprintf(errand->why, sizeof(errand->why), "walk of %s %s%s%s",
	    column->name != NULL ? column->name : objid_format(&id, text),
	    what, index[0] != '\0' ? " at row " : "", index);
}

static bool
store(struct errand *errand, struct bag *into, const struct talk_varbind *vb)
{
	int rc;

	switch (vb->value.type) {
	case BAG_OCTETS:
	case BAG_IPADDRESS:
		rc = bag_put_octets(into, &vb->id, vb->value.type,
		    vb->value.octets, vb->value.octets_len);
		break;
	case BAG_OBJID:
		rc = bag_put_objid(into, &vb->id, &vb->value.objid);
		break;
	default:
		rc = bag_put_number(into, &vb->id, vb->value.type,
		    vb->value.number);
		break;
	}
	if (rc == -1 && errand->why[0] == '\0')
		snprintf(errand->why, sizeof(errand->why),
		    "more than %d values", BAG_VALUES_MAX);
	return rc == 0;
}

/* Only what was asked for is taken, wherever it stands in the answer.  True
 * when this varbind answered something. */
static bool
take_object(struct errand *errand, const struct talk_varbind *vb, size_t at,
    struct bag *into, bool *full)
{
	struct object *object = NULL;
	size_t i;

	if (at < errand->asked_len &&
	    same(errand, errand->objects[errand->asked[at]].at, &vb->id))
		object = &errand->objects[errand->asked[at]];
	for (i = 0; object == NULL && i < errand->asked_len; i++)
		if (same(errand, errand->objects[errand->asked[i]].at, &vb->id))
			object = &errand->objects[errand->asked[i]];
	if (object == NULL || object->state != WANTED)
		return false;
	object->state = vb->missing ? MISSING : GOT;
	if (!vb->missing && !store(errand, into, vb))
		*full = true;
	return true;
}

/* The next row of one column.  The row that the device gives must lie below
 * the column and come after the last one, or there will be no end. */
static void
take_row(struct errand *errand, struct column *column,
    const struct talk_varbind *vb, struct bag *into, bool *full)
{
	const uint32_t *index;
	struct objid asked;
	size_t len, i, common;

	column->tried = true;
	if (vb->missing || !below(errand, column->at, &vb->id)) {
		position(errand, column, &asked);
		if (!vb->missing && objid_cmp(&vb->id, &asked) <= 0)
			complain(errand, column, "goes backwards");
		column->state = ENDED;
		return;
	}
	len = vb->id.len - errand->words[column->at];
	index = vb->id.sub + errand->words[column->at];
	common = len < column->index_len ? len : column->index_len;
	for (i = 0; i < common && index[i] == column->index[i]; i++)
		;
	if (i < common ? index[i] < column->index[i] :
	    len <= column->index_len) {
		complain(errand, column, "loops");
		column->state = ENDED;
		return;
	}
	if (len > ERRAND_INDEX_MAX) {
		complain(errand, column, "finds an index too long");
		column->state = ENDED;
		return;
	}
	if (column->rows == column->rows_max) {
		complain(errand, column, "finds too many rows");
		column->state = ENDED;
		return;
	}
	memcpy(column->index, index, len * sizeof(*index));
	column->index_len = (uint32_t)len;
	column->rows++;
	if (!store(errand, into, vb))
		*full = true;
	/* A scalar: there is no need to see its end. */
	if (column->rows_max == 1)
		column->state = ENDED;
}

bool
errand_take(struct errand *errand, const struct talk_varbind *vb, size_t n,
    struct bag *into)
{
	bool full = false, any = false;
	size_t i;

	if (errand->op == TALK_GET) {
		for (i = 0; i < n; i++)
			any |= take_object(errand, &vb[i], i, into, &full);
	} else {
		for (i = 0; i < n && i < errand->asked_len; i++) {
			take_row(errand, &errand->columns[errand->asked[i]], &vb[i],
			    into, &full);
			any = true;
		}
	}
	/* Less than was asked: the rest is asked again, if there is a hope. */
	if (!any)
		errand_skip(errand, "is answered with something else");
	return !full;
}

void
errand_skip(struct errand *errand, const char *reason)
{
	char text[OBJID_TEXT_MAX];
	struct objid id;
	size_t i;

	for (i = 0; i < errand->asked_len; i++) {
		if (errand->op == TALK_GETNEXT) {
			errand->columns[errand->asked[i]].state = GIVEN_UP;
			errand->columns[errand->asked[i]].tried = true;
			complain(errand, &errand->columns[errand->asked[i]], reason);
			continue;
		}
		if (errand->objects[errand->asked[i]].state != WANTED)
			continue;
		errand->objects[errand->asked[i]].state = GIVEN_UP;
		if (errand->why[0] != '\0')
			continue;
		unpack(errand, errand->objects[errand->asked[i]].at, &id);
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
	for (i = 0; i < errand->columns_len; i++)
		if (errand->columns[i].state == WANTED)
			errand->columns[i].state = GIVEN_UP;
	errand->asked_len = 0;
}

bool
errand_untried(const struct errand *errand)
{
	size_t i;

	for (i = 0; i < errand->columns_len; i++)
		if (errand->columns[i].state == WANTED && !errand->columns[i].tried)
			return true;
	return false;
}

static void
cover(const struct errand *errand, uint32_t at, struct objid **out, size_t *len)
{
	*out = xreallocarray(*out, *len + 1, sizeof(**out));
	unpack(errand, at, &(*out)[(*len)++]);
}

void
errand_covered(const struct errand *errand, struct objid **out, size_t *len)
{
	size_t i;

	for (i = 0; i < errand->objects_len; i++)
		if (errand->objects[i].state == MISSING)
			cover(errand, errand->objects[i].at, out, len);
	for (i = 0; i < errand->columns_len; i++)
		if (errand->columns[i].state == ENDED)
			cover(errand, errand->columns[i].at, out, len);
}

const char *
errand_why(const struct errand *errand)
{
	return errand->why;
}
