#include "snmp/errand.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* With GETBULK one request brings this many times the varbinds: their names
 * are only in the answer. */
#define BULK_FACTOR	2
#define BULK_ROWS_MAX	16	/* of a column in one answer */

enum state {
	WANTED,
	GOT,		/* object: has a value */
	MISSING,	/* object: is not there */
	ENDED,		/* stretch: walked to its end */
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
};

/* From one row of a column to another; 0 in words is an index of length 0. */
struct stretch {
	uint32_t	 column;
	uint32_t	 from;		/* in words: the index it has come to */
	uint32_t	 until;		/* a row that is known; 0: the end */
	uint16_t	 expect;	/* rows and an end; 0: not known */
	uint16_t	 put_off, asked;	/* in that round, if ever */
	uint8_t		 state;
	bool		 tried;
};

struct errand {
	uint32_t	*words;
	size_t		 words_len, words_cap;
	struct object	*objects;
	size_t		 objects_len, objects_cap;
	struct column	*columns;
	size_t		 columns_len, columns_cap;
	struct stretch	*stretches;
	size_t		 stretches_len, stretches_cap;
	size_t		 objects_done;	/* so many at the front are */
	size_t		 stretches_done;
	bool		 bulk, known;
	uint16_t	 round;		/* of questions, from 1 */

	enum talk_op	 op;		/* what was asked last */
	size_t		 singles, repetitions;	/* GETBULK's */
	uint32_t	 asked[TALK_VARBINDS_MAX];
	size_t		 asked_len;
	char		 why[ERRAND_WHY_MAX];
};

/* Room for one more of size in an array that doubles. */
static void *
grow(void *array, size_t len, size_t *cap, size_t size)
{
	if (len < *cap)
		return array;
	*cap = *cap > 0 ? *cap * 2 : 32;
	return xreallocarray(array, *cap, size);
}

static uint32_t
pack(struct errand *errand, const uint32_t *sub, size_t len)
{
	uint32_t at = (uint32_t)errand->words_len;
	size_t need = errand->words_len + 1 + len;

	if (need > errand->words_cap) {
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

static void
unpack(const struct errand *errand, uint32_t at, struct objid *id)
{
	id->len = errand->words[at];
	memcpy(id->sub, errand->words + at + 1, id->len * sizeof(*id->sub));
}

struct errand *
errand_new(void)
{
	struct errand *errand = xcalloc(1, sizeof(*errand));

	pack(errand, NULL, 0);		/* so that 0 is nobody's place */
	errand->round = 1;
	return errand;
}

void
errand_free(struct errand *errand)
{
	if (errand == NULL)
		return;
	free(errand->words);
	free(errand->objects);
	free(errand->columns);
	free(errand->stretches);
	free(errand);
}

static bool
same(const struct errand *errand, uint32_t at, const struct objid *id)
{
	const uint32_t *words = errand->words + at;

	return words[0] == id->len && words[id->len] == id->sub[id->len - 1] &&
	    memcmp(words + 1, id->sub, id->len * sizeof(*id->sub)) == 0;
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
	object->at = pack(errand, id->sub, id->len);
	object->state = WANTED;
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
	column->at = pack(errand, id->sub, id->len);
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
	last->until = pack(errand, id->sub + len, id->len - len);
	stretch_add(errand, last->column, last->until);
}

void
errand_row_last(struct errand *errand, const struct objid *id)
{
	struct stretch *last = &errand->stretches[errand->stretches_len - 1];
	size_t len = errand->words[errand->columns[last->column].at];

	if (!errand->bulk || last->expect == 0)
		return;
	last->expect--;
	last->until = pack(errand, id->sub + len, id->len - len);
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

/* Where the walk has come to, which is asked for the next of. */
static void
position(const struct errand *errand, const struct stretch *stretch,
    struct objid *id)
{
	const uint32_t *index = errand->words + stretch->from;

	unpack(errand, errand->columns[stretch->column].at, id);
	memcpy(id->sub + id->len, index + 1, index[0] * sizeof(*index));
	id->len += index[0];
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

/* How many rows to ask for at once: what is known, or as many again as have
 * come.  A first row is asked for alone: most columns have no more. */
static size_t
rows_ahead(const struct errand *errand, const struct stretch *stretch)
{
	size_t rows = errand->columns[stretch->column].rows;

	if (!errand->bulk || (stretch->until != 0 && stretch->expect == 0))
		return 1;
	if (stretch->expect > rows)
		rows = stretch->expect - rows;
	else if (!stretch->tried)
		return 1;
	else if (rows < 2)
		rows = 2;
	return rows < BULK_ROWS_MAX ? rows : BULK_ROWS_MAX;
}

/*
 * Where all is known, the end of one column is mostly the beginning of the
 * next: what is asked just now will tell.  Put off once, and no more.
 */
static bool
put_off(struct errand *errand, size_t i)
{
	struct stretch *stretch = &errand->stretches[i];
	const struct stretch *before = stretch - 1;

	if (!errand->known || errand->bulk || i == 0 || stretch->from != 0 ||
	    stretch->expect != 0 || before->state != WANTED ||
	    errand->columns[stretch->column].rows_max == 1)
		return false;
	if (stretch->put_off == 0)
		stretch->put_off = errand->round;
	return stretch->put_off == errand->round;
}

static bool
is_due(struct errand *errand, size_t i)
{
	return errand->stretches[i].state == WANTED && !put_off(errand, i);
}

/* One row of each, those first that were not tried. */
static void
pick_singles(struct errand *errand, size_t limit)
{
	const struct stretch *stretch;
	size_t i, tried;

	for (tried = 0; tried < 2; tried++)
		for (i = errand->stretches_done; i < errand->stretches_len &&
		    errand->asked_len < limit; i++) {
			stretch = &errand->stretches[i];
			if (stretch->tried == (tried == 1) &&
			    is_due(errand, i) && rows_ahead(errand,
			    stretch) == 1)
				errand->asked[errand->asked_len++] =
				    (uint32_t)i;
		}
}

/*
 * Several rows of each, for what is left of the limit with its factor: as many
 * as the first one has ahead.  Those that have more go on later; those with
 * much fewer wait, as what they got would mostly be their neighbours' rows.
 */
static void
pick_repeaters(struct errand *errand, size_t limit)
{
	size_t i, ahead, room, names = limit;

	for (i = errand->stretches_done; i < errand->stretches_len &&
	    errand->asked_len < names; i++) {
		if (!is_due(errand, i) || (ahead = rows_ahead(errand,
		    &errand->stretches[i])) == 1)
			continue;
		if (errand->repetitions == 1) {
			room = BULK_FACTOR * limit - errand->asked_len;
			errand->repetitions = ahead < room ? ahead : room;
			names = errand->asked_len + room /
			    errand->repetitions;
			if (names > limit)
				names = limit;
		} else if (2 * ahead <= errand->repetitions)
			continue;
		errand->asked[errand->asked_len++] = (uint32_t)i;
	}
}

static void
pick_stretches(struct errand *errand, size_t limit)
{
	while (errand->stretches_done < errand->stretches_len &&
	    errand->stretches[errand->stretches_done].state != WANTED)
		errand->stretches_done++;
	pick_singles(errand, limit);
	errand->singles = errand->asked_len;
	if (errand->bulk)
		pick_repeaters(errand, limit);
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
		unpack(errand, errand->objects[errand->asked[i]].at, &ids[i]);
	if (errand->asked_len == 0) {
		pick_stretches(errand, limit);
		errand->op = errand->repetitions > 1 ? TALK_GETBULK :
		    TALK_GETNEXT;
		for (i = 0; i < errand->asked_len; i++) {
			stretch = &errand->stretches[errand->asked[i]];
			stretch->asked = errand->round;
			position(errand, stretch, &ids[i]);
		}
	}
	question->op = errand->op;
	question->non_repeaters = (unsigned)errand->singles;
	question->repetitions = (unsigned)errand->repetitions;
	question->n = errand->asked_len;
	return errand->asked_len;
}

static void
complain(struct errand *errand, const struct stretch *stretch,
    const char *what)
{
	const struct column *column = &errand->columns[stretch->column];
	char text[OBJID_TEXT_MAX], index[OBJID_TEXT_MAX] = "";
	struct objid id;

	if (errand->why[0] != '\0')
		return;
	unpack(errand, stretch->from, &id);
	if (id.len > 0)
		objid_format(&id, index);
	unpack(errand, column->at, &id);
	snprintf(errand->why, sizeof(errand->why), "walk of %s %s%s%s",
	    column->name != NULL ? column->name : objid_format(&id, text),
	    what, index[0] != '\0' ? " at row " : "", index);
}

static bool
store(struct errand *errand, struct bag *into, const struct talk_varbind *vb)
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

/* -1, 0, 1 as the index comes before, is, or comes after the one in words. */
static int
index_cmp(const struct errand *errand, const uint32_t *index, size_t len,
    uint32_t at)
{
	const uint32_t *other = errand->words + at + 1;
	size_t other_len = errand->words[at], i;

	for (i = 0; i < len && i < other_len; i++)
		if (index[i] != other[i])
			return index[i] < other[i] ? -1 : 1;
	return len < other_len ? -1 : len > other_len;
}

static void
end(struct errand *errand, struct stretch *stretch, const char *complaint)
{
	if (complaint != NULL)
		complain(errand, stretch, complaint);
	stretch->state = ENDED;
}

/* The next row of a walk.  The row that the device gives must lie below the
 * column and come after the last one, or there will be no end. */
static void
take_row(struct errand *errand, struct stretch *stretch,
    const struct talk_varbind *vb, struct bag *into, bool *full)
{
	struct column *column = &errand->columns[stretch->column];
	const uint32_t *index;
	struct objid asked;
	size_t len;
	int reached = -1;

	stretch->tried = true;
	if (vb->missing || !below(errand, column->at, &vb->id)) {
		position(errand, stretch, &asked);
		end(errand, stretch, !vb->missing &&
		    objid_cmp(&vb->id, &asked) <= 0 ? "goes backwards" : NULL);
		return;
	}
	len = vb->id.len - errand->words[column->at];
	index = vb->id.sub + errand->words[column->at];
	if (index_cmp(errand, index, len, stretch->from) <= 0) {
		end(errand, stretch, "loops");
		return;
	}
	if (stretch->until != 0)
		reached = index_cmp(errand, index, len, stretch->until);
	if (len > ERRAND_INDEX_MAX) {
		end(errand, stretch, "finds an index too long");
		return;
	}
	if (column->rows == column->rows_max) {
		end(errand, stretch, "finds too many rows");
		return;
	}
	/* Past the row that was to come, which has gone: this one is the next
	 * stretch's as well. */
	if (reached <= 0)
		column->rows++;
	if (!store(errand, into, vb))
		*full = true;
	/* A scalar: there is no need to see its end. */
	if (reached >= 0 || column->rows_max == 1)
		stretch->state = ENDED;
	else
		stretch->from = pack(errand, index, len);
}

/*
 * What is next to one place is next to all places before it: a walk that has
 * left its column may so end or begin those behind it.
 */
static void
take_onward(struct errand *errand, size_t at, const struct talk_varbind *vb,
    struct bag *into, bool *full)
{
	struct objid from, here;
	struct stretch *stretch;

	position(errand, &errand->stretches[at], &from);
	while (++at < errand->stretches_len) {
		stretch = &errand->stretches[at];
		if (stretch->state != WANTED || stretch->tried ||
		    stretch->asked == errand->round)
			break;
		position(errand, stretch, &here);
		if (objid_cmp(&here, &from) < 0 ||
		    (!vb->missing && objid_cmp(&vb->id, &here) <= 0))
			break;
		take_row(errand, stretch, vb, into, full);
	}
}

/* Whether each column goes forward until it leaves itself, as RFC 3416
 * section 4.2.3 lays it out: row by row, and in each all columns. */
static bool
bulk_sane(const struct errand *errand, const struct talk_varbind *vb, size_t n)
{
	const struct stretch *stretch;
	const struct objid *last;
	struct objid asked;
	size_t i, at, step;

	for (i = 0; i < errand->asked_len && i < n; i++) {
		stretch = &errand->stretches[errand->asked[i]];
		position(errand, stretch, &asked);
		last = &asked;
		step = i < errand->singles ? n : errand->asked_len -
		    errand->singles;
		for (at = i; at < n && !vb[at].missing; at += step) {
			if (objid_cmp(&vb[at].id, last) <= 0)
				return false;
			last = &vb[at].id;
			if (!below(errand, errand->columns[stretch->column].at,
			    last))
				break;
		}
	}
	return n > 0;
}

static void
take_rows(struct errand *errand, const struct talk_varbind *vb, size_t n,
    struct bag *into, bool *full)
{
	struct stretch *stretch;
	size_t at, i;

	for (at = 0; at < n; at++) {
		i = errand->asked[at < errand->asked_len ? at :
		    errand->singles + (at - errand->singles) %
		    (errand->asked_len - errand->singles)];
		stretch = &errand->stretches[i];
		if (stretch->state != WANTED)
			continue;
		take_row(errand, stretch, &vb[at], into, full);
		if (errand->known && stretch->state == ENDED &&
		    stretch->until == 0)
			take_onward(errand, i, &vb[at], into, full);
	}
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
		if (errand->op == TALK_GETBULK && !bulk_sane(errand, vb, n))
			return ERRAND_BULK_ODD;
		take_rows(errand, vb, n, into, &full);
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
			complain(errand, stretch, reason);
			stretch->state = GIVEN_UP;
			stretch->tried = true;
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

static void
cover(const struct errand *errand, uint32_t at, struct objid **out, size_t *len)
{
	*out = xreallocarray(*out, *len + 1, sizeof(**out));
	unpack(errand, at, &(*out)[(*len)++]);
}

void
errand_covered(const struct errand *errand, struct objid **out, size_t *len)
{
	size_t i, j, c;
	bool ended;

	for (i = 0; i < errand->objects_len; i++)
		if (errand->objects[i].state == MISSING)
			cover(errand, errand->objects[i].at, out, len);
	for (i = 0; i < errand->stretches_len; i = j) {
		c = errand->stretches[i].column;
		ended = true;
		for (j = i; j < errand->stretches_len &&
		    errand->stretches[j].column == c; j++)
			ended = ended && errand->stretches[j].state == ENDED;
		if (ended)
			cover(errand, errand->columns[c].at, out, len);
	}
}

const char *
errand_why(const struct errand *errand)
{
	return errand->why;
}
