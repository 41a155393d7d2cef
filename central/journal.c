#include "central/journal.h"

#include <stddef.h>
#include <stdlib.h>

#include "schema/record.h"

const struct keyword	journal_words[] = {
	{ JOURNAL_COUNTER, "counter" },
	{ JOURNAL_LEVEL, "level" },
	{ JOURNAL_ALERT, "alert" },
	{ JOURNAL_STATE, "state" },
	{ JOURNAL_ASSET, "asset" },
	{ JOURNAL_CONSUMABLE, "consumable" },
	{ JOURNAL_REPLACEMENT, "replacement" },
	{ 0, NULL }
};

struct row {
	enum journal_record	 record;
	int64_t			 asset, thing;
	const char		*field;
	const char		*text;		/* the value, or number */
	int64_t			 number;
	int64_t			 unit, capacity, percent, state, pages, time;
	int64_t			 counter_epoch, before;
	int64_t			 lane, turn;	/* only for their columns */
};

const struct field	journal_extra[] = {
	{ .name = "counter_epoch", .kind = FIELD_INT,
	    .offset = offsetof(struct row, counter_epoch) },
	{ .name = "before", .kind = FIELD_INT,
	    .offset = offsetof(struct row, before) },
	{ .name = "lane", .kind = FIELD_INT,
	    .offset = offsetof(struct row, lane) },
	{ .name = "turn", .kind = FIELD_INT,
	    .offset = offsetof(struct row, turn) },
	{ .name = NULL }
};

static int
put(const struct journal *j, const struct row *row)
{
	static const char *const	 insert =
	    "INSERT INTO history (asset, record, thing, field, unit, "
	    "capacity, percent, state, pages, time, received_at, epoch, seq, "
	    "lane, turn, counter_epoch, \"before\", number, text) VALUES "
	    "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
	int64_t				 time;

	time = row->time == ABSENT || row->time == CLEARED ? j->received_at :
	    row->time;
	return fleet_do(j->fleet, insert, "iiitiiiiiiiiiiiiiit", row->asset,
	    (int64_t)row->record, row->thing, row->field, row->unit,
	    row->capacity, row->percent, row->state, row->pages, time,
	    j->received_at, j->epoch, j->seq, (int64_t)j->lane, j->turn,
	    row->counter_epoch, row->before,
	    row->text != NULL ? ABSENT : row->number, row->text);
}

static struct row
blank(enum journal_record record, int64_t asset, int64_t thing,
    const char *field)
{
	return (struct row){ .record = record, .asset = asset, .thing = thing,
	    .field = field, .number = ABSENT, .unit = ABSENT,
	    .capacity = ABSENT, .percent = ABSENT, .state = ABSENT,
	    .pages = ABSENT, .time = ABSENT, .counter_epoch = ABSENT,
	    .before = ABSENT };
}

int
journal_counter(const struct journal *j, int64_t asset,
    const struct counter *counter, const struct counter *before, int64_t time)
{
	struct row	row;

	row = blank(JOURNAL_COUNTER, asset, ABSENT, counter->name);
	row.number = counter->value;
	row.unit = counter->unit;
	row.counter_epoch = counter->epoch;
	if (before != NULL && (counter->epoch != before->epoch ||
	    counter->value < before->value))
		row.before = counter->before;
	row.time = time;
	return put(j, &row);
}

static struct row
consumable_row(enum journal_record record, int64_t asset, int64_t thing,
    const struct consumable *c)
{
	struct row	row;

	row = blank(record, asset, thing, "level");
	row.number = c->level;
	row.unit = c->unit;
	row.capacity = c->capacity;
	row.percent = c->percent;
	row.state = c->state;
	row.pages = c->pages;
	row.time = c->time;
	return row;
}

int
journal_level(const struct journal *j, int64_t asset, int64_t thing,
    const struct consumable *c)
{
	struct row	row;

	row = consumable_row(JOURNAL_LEVEL, asset, thing, c);
	return put(j, &row);
}

int
journal_replacement(const struct journal *j, int64_t asset, int64_t thing,
    const struct consumable *c)
{
	struct row	row;

	row = consumable_row(JOURNAL_REPLACEMENT, asset, thing, c);
	row.field = "replaced";
	row.number = ABSENT;
	row.text = c->serial;
	row.time = c->replaced;
	return put(j, &row);
}

int
journal_alert(const struct journal *j, int64_t asset, int64_t thing,
    const char *event, const struct alert *alert, int64_t time)
{
	struct row	row;

	row = blank(JOURNAL_ALERT, asset, thing, event);
	row.text = alert->code_name;
	row.number = alert->code;
	row.pages = alert->pages;
	row.time = time;
	return put(j, &row);
}

int
journal_field(const struct journal *j, enum journal_record record,
    int64_t asset, int64_t thing, const struct field *f, const void *from,
    int64_t time)
{
	struct row	 row;
	char		*text = NULL;
	int		 rc;

	row = blank(record, asset, thing, f->name);
	if (!field_absent(f, from)) {
		if (f->kind == FIELD_INT)
			row.number = field_int(f, from);
		else
			row.text = text = field_format(f, from);
	}
	row.time = time;
	rc = put(j, &row);
	free(text);
	return rc;
}
