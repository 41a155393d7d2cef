/* Columns: which stretches to ask about next, and what their answers say. */
#include "snmp/errand_form.h"

#include <stdio.h>
#include <string.h>

/* With GETBULK one request brings this many times the varbinds: their names
 * are only in the answer. */
#define BULK_FACTOR	2
#define BULK_ROWS_MAX	16	/* of a column in one answer */

/* id is below the column: prefix equal and something behind it. */
static bool
walk_below(const struct errand *errand, uint32_t at, const struct objid *id)
{
	return id->len > errand->words[at] && memcmp(errand->words + at + 1,
	    id->sub, errand->words[at] * sizeof(*id->sub)) == 0;
}

void
walk_position(const struct errand *errand, const struct stretch *stretch,
    struct objid *id)
{
	const uint32_t *index = errand->words + stretch->from;
	size_t i;

	errand_unpack(errand, errand->columns[stretch->column].at, id);
	for (i = 1; i <= index[0]; i++)
		id->sub[id->len++] = index[i];
}

void
walk_complain(struct errand *errand, const struct stretch *stretch,
    const char *what)
{
	const struct column *column = &errand->columns[stretch->column];
	char text[OBJID_TEXT_MAX], index[OBJID_TEXT_MAX] = "";
	struct objid id;

	if (errand->why[0] != '\0')
		return;
	errand_unpack(errand, stretch->from, &id);
	if (id.len > 0)
		objid_format(&id, index);
	errand_unpack(errand, column->at, &id);
	snprintf(errand->why, sizeof(errand->why), "walk of %s %s%s%s",
	    column->name != NULL ? column->name : objid_format(&id, text),
	    what, index[0] != '\0' ? " at row " : "", index);
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

void
walk_pick(struct errand *errand, size_t limit)
{
	while (errand->stretches_done < errand->stretches_len &&
	    errand->stretches[errand->stretches_done].state != WANTED)
		errand->stretches_done++;
	pick_singles(errand, limit);
	errand->singles = errand->asked_len;
	if (errand->bulk)
		pick_repeaters(errand, limit);
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
		walk_complain(errand, stretch, complaint);
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
	if (vb->missing || !walk_below(errand, column->at, &vb->id)) {
		walk_position(errand, stretch, &asked);
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
	if (!errand_store(errand, into, vb))
		*full = true;
	/* A scalar: there is no need to see its end. */
	if (reached >= 0 || column->rows_max == 1)
		stretch->state = ENDED;
	else
		stretch->from = errand_pack(errand, index, len);
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

	walk_position(errand, &errand->stretches[at], &from);
	while (++at < errand->stretches_len) {
		stretch = &errand->stretches[at];
		if (stretch->state != WANTED || stretch->tried ||
		    stretch->asked == errand->round)
			break;
		walk_position(errand, stretch, &here);
		if (objid_cmp(&here, &from) < 0 ||
		    (!vb->missing && objid_cmp(&vb->id, &here) <= 0))
			break;
		take_row(errand, stretch, vb, into, full);
	}
}

bool
walk_sane(const struct errand *errand, const struct talk_varbind *vb, size_t n)
{
	const struct stretch *stretch;
	const struct objid *last;
	struct objid asked;
	size_t i, at, step;

	for (i = 0; i < errand->asked_len && i < n; i++) {
		stretch = &errand->stretches[errand->asked[i]];
		walk_position(errand, stretch, &asked);
		last = &asked;
		step = i < errand->singles ? n : errand->asked_len -
		    errand->singles;
		for (at = i; at < n && !vb[at].missing; at += step) {
			if (objid_cmp(&vb[at].id, last) <= 0)
				return false;
			last = &vb[at].id;
			if (!walk_below(errand,
			    errand->columns[stretch->column].at, last))
				break;
		}
	}
	return n > 0;
}

void
walk_take(struct errand *errand, const struct talk_varbind *vb, size_t n,
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
