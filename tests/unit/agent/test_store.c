/* The store: numbers without gaps, both sides of a change or neither, and
 * nothing lost whatever happens to the process. */
#include "kit.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include <signal.h>
#include <sqlite3.h>

#include "agent/known.h"
#include "agent/outbox.h"
#include "agent/squeeze.h"
#include "agent/store.h"
#include "base/clock.h"
#include "crypto/lock.h"
#include "snmp/reading.h"

static void
put(struct store *st, const struct report *r, enum lane lane,
    const char *asset, int want)
{
	assert_int_equal(store_begin(st), 0);
	assert_int_equal(outbox_append(st, r, lane, asset), want);
	assert_int_equal(store_commit(st), 0);
}

/* A report about the asset with its counter "total" and nothing else. */
static void
put_total(struct store *st, enum lane lane, const char *asset,
    int64_t total)
{
	struct report r;
	struct asset *a;

	report_init(&r);
	a = report_asset(&r);
	a->id = xstrdup(asset);
	kit_counter(a, "total", total);
	put(st, &r, lane, asset, 1);
	report_clear(&r);
}

static void
put_alert(struct store *st, const char *asset, int64_t code)
{
	struct report r;
	struct alert *a;

	report_init(&r);
	a = report_alert(&r);
	kit_alert(a, 1, code, 3);
	a->id = xstrdup(KIT_THIRD);
	a->asset = xstrdup(asset);
	put(st, &r, LANE_URGENT, asset, 1);
	report_clear(&r);
}

static void
put_level(struct store *st, enum lane lane, const char *asset,
    const char *id, int64_t level)
{
	struct report r;
	struct consumable *c;

	report_init(&r);
	c = report_consumable(&r);
	c->id = xstrdup(id);
	c->asset = xstrdup(asset);
	c->index = 1;
	c->level = level;
	if (lane == LANE_URGENT)
		c->state = SUPPLY_LOW;
	put(st, &r, lane, asset, 1);
	report_clear(&r);
}

/* Reads every report that waits into one model, as a centre does. */
struct model {
	struct report	 all;
	int64_t		 last, last_bulk;
	int		 reports;
};

static struct asset *
model_asset(struct model *m, const char *id)
{
	struct asset *a;
	size_t i;

	for (i = 0; i < m->all.assets_len; i++)
		if (strcmp(m->all.assets[i].id, id) == 0)
			return &m->all.assets[i];
	a = report_asset(&m->all);
	a->id = xstrdup(id);
	return a;
}

static void
model_apply(struct model *m, const struct report *r)
{
	struct consumable *c;
	struct counter *count;
	struct asset *a;
	size_t i, j;

	for (i = 0; i < r->assets_len; i++) {
		a = model_asset(m, r->assets[i].id);
		record_apply(asset_fields, a, &r->assets[i]);
		for (j = 0; j < r->assets[i].counters_len; j++) {
			count = asset_counter(a, r->assets[i].counters[j].name);
			if (count == NULL)
				count = asset_counter_add(a,
				    r->assets[i].counters[j].name);
			record_apply(counter_fields, count,
			    &r->assets[i].counters[j]);
		}
	}
	for (i = 0; i < r->consumables_len; i++) {
		for (c = NULL, j = 0; j < m->all.consumables_len; j++)
			if (strcmp(m->all.consumables[j].id,
			    r->consumables[i].id) == 0)
				c = &m->all.consumables[j];
		if (c == NULL)
			c = report_consumable(&m->all);
		record_apply(consumable_fields, c, &r->consumables[i]);
	}
	for (i = 0; i < r->alerts_len; i++)
		record_copy(alert_fields, report_alert(&m->all),
		    &r->alerts[i]);
}

static int
by_turn(const void *a, const void *b)
{
	const struct report *one = a, *two = b;

	return one->turn < two->turn ? -1 : 1;
}

/* Both lanes, from those numbers on: what they come to in the order of their
 * turns. */
static void
model_read(struct model *m, struct store *st, int64_t urgent, int64_t bulk)
{
	struct report *all = NULL, one;
	int64_t last[LANES] = { [LANE_BULK] = bulk, [LANE_URGENT] = urgent };
	int lane, i;

	memset(m, 0, sizeof(*m));
	report_init(&m->all);
	for (lane = 0; lane < LANES; lane++)
		while (kit_next(st, (enum lane)lane, last[lane], &one) == 1) {
			if (lane == LANE_URGENT)
				assert_int_equal(one.seq, last[lane] + 1);
			last[lane] = one.seq;
			all = xreallocarray(all, (size_t)m->reports + 1,
			    sizeof(one));
			all[m->reports++] = one;
		}
	if (all != NULL)
		qsort(all, (size_t)m->reports, sizeof(*all), by_turn);
	for (i = 0; i < m->reports; i++) {
		if (i > 0)
			assert_true(all[i].turn > all[i - 1].turn);
		model_apply(m, &all[i]);
		report_clear(&all[i]);
	}
	free(all);
	m->last = last[LANE_URGENT];
	m->last_bulk = last[LANE_BULK];
}

static void
model_clear(struct model *m)
{
	report_clear(&m->all);
}

/* As an operator's tool. */
static struct store *
look(void)
{
	char *path = xasprintf("%s/store.key", kit_dir);
	struct store *st;

	st = store_look(kit_dir, lock_load(path, "the store's key"));
	free(path);
	return st;
}

static struct store *
open_store(void)
{
	struct store *st = store_open(kit_dir);

	assert_non_null(st);
	return st;
}

/* --- numbers ------------------------------------------------------------- */

static void
numbers_have_no_gap(void **state)
{
	struct store *st = open_store();
	struct outbox_count box;
	struct model m;
	int i;

	for (i = 1; i <= 20; i++) {
		put_total(st, i % 2 ? LANE_BULK : LANE_URGENT, KIT_ASSET, i);
		if (i % 5 == 0)
			assert_int_equal(outbox_ack(st, LANE_URGENT,
			    i / 2 - 2), 0);
	}
	assert_int_equal(outbox_ack(st, LANE_BULK, 3), 0);
	assert_int_equal(outbox_count(st, &box), 0);
	assert_int_equal(box.lane[LANE_URGENT].next_seq, 11);
	assert_int_equal(box.lane[LANE_URGENT].acked_seq, 8);
	assert_int_equal(box.lane[LANE_URGENT].depth, 2);
	assert_int_equal(box.lane[LANE_BULK].next_seq, 11);
	assert_int_equal(box.lane[LANE_BULK].acked_seq, 3);
	assert_int_equal(box.lane[LANE_BULK].depth, 7);
	assert_int_equal(box.depth, 9);
	assert_true(box.bytes > 0);
	assert_int_equal(box.bytes, box.lane[LANE_URGENT].bytes +
	    box.lane[LANE_BULK].bytes);
	store_close(st);

	/* Emptied and opened again, it counts on. */
	st = open_store();
	assert_int_equal(outbox_ack(st, LANE_URGENT, 10), 0);
	assert_int_equal(outbox_ack(st, LANE_BULK, 10), 0);
	put_total(st, LANE_URGENT, KIT_ASSET, 21);
	put_total(st, LANE_BULK, KIT_ASSET, 22);
	model_read(&m, st, 10, 10);
	assert_int_equal(m.reports, 0 + 1);	/* the bulk waits its turn */
	assert_int_equal(m.last, 11);
	model_clear(&m);
	assert_int_equal(outbox_ack(st, LANE_URGENT, 11), 0);
	model_read(&m, st, 11, 10);
	assert_int_equal(m.last_bulk, 11);
	model_clear(&m);
	store_close(st);
}

/* What an urgent report rests on comes before it whatever the lane. */
static void
the_bulk_waits_for_what_was_before(void **state)
{
	struct store *st = open_store();
	struct report r;
	int i;

	put_total(st, LANE_BULK, KIT_ASSET, 1);
	put_total(st, LANE_URGENT, KIT_ASSET, 2);
	for (i = 3; i <= 5; i++)
		put_total(st, LANE_BULK, KIT_ASSET, i);
	put_alert(st, KIT_ASSET, 8);
	put_total(st, LANE_BULK, KIT_ASSET, 6);
	assert_int_equal(kit_next(st, LANE_BULK, 0, &r), 1);
	assert_int_equal(r.turn, 1);
	report_clear(&r);
	assert_int_equal(kit_next(st, LANE_BULK, 1, &r), 0);
	assert_int_equal(outbox_ack(st, LANE_URGENT, 1), 0);
	assert_int_equal(kit_next(st, LANE_BULK, 3, &r), 1);
	assert_int_equal(r.turn, 5);
	report_clear(&r);
	assert_int_equal(kit_next(st, LANE_BULK, 4, &r), 0);
	assert_int_equal(outbox_ack(st, LANE_URGENT, 2), 0);
	assert_int_equal(kit_next(st, LANE_BULK, 4, &r), 1);
	assert_int_equal(r.turn, 7);
	report_clear(&r);
	store_close(st);
}

static void
many_go_in_one_message(void **state)
{
	struct outbox_batch batch = { .lane = LANE_BULK, .after = 10,
	    .most_bytes = 1 << 20, .most = 20 };
	struct store *st = open_store();
	struct buf xml = { 0 };
	int64_t bytes;
	int i, n;

	for (i = 1; i <= 50; i++)
		put_total(st, LANE_BULK, KIT_ASSET, i);
	assert_int_equal(outbox_ready(st, LANE_BULK, 10, 1000, &n, &bytes), 0);
	assert_int_equal(n, 40);
	assert_int_equal(outbox_ready(st, LANE_BULK, 10, 7, &n, &bytes), 0);
	assert_int_equal(n, 7);
	assert_true(bytes > 7 * 100 && bytes < 7 * 400);
	assert_int_equal(outbox_batch(st, &batch, &xml), 1);
	assert_int_equal(batch.first, 11);
	assert_int_equal(batch.last, 30);
	assert_int_equal(batch.reports, 20);
	buf_reset(&xml);
	batch.most_bytes = 1000;
	assert_int_equal(outbox_batch(st, &batch, &xml), 1);
	assert_true(batch.reports > 2 && batch.reports < 9);
	assert_true(xml.len < 1200);
	buf_free(&xml);
	batch.after = 50;
	assert_int_equal(outbox_batch(st, &batch, &xml), 0);
	batch.lane = LANE_URGENT;
	batch.after = 0;
	assert_int_equal(outbox_batch(st, &batch, &xml), 0);
	assert_null(xml.data);
	store_close(st);
}

/* Of what the agent says of itself the last word is enough. */
static void
the_agent_supersedes_itself(void **state)
{
	struct store *st = open_store();
	struct outbox_count box;
	struct report r, one;
	int i;

	put_total(st, LANE_BULK, KIT_ASSET, 1);
	for (i = 1; i <= 3; i++) {
		report_init(&r);
		report_agent(&r)->uptime = i;
		put(st, &r, LANE_BULK, NULL, 1);
		report_clear(&r);
	}
	assert_int_equal(outbox_count(st, &box), 0);
	assert_int_equal(box.lane[LANE_BULK].depth, 2);
	assert_int_equal(box.lane[LANE_BULK].next_seq, 5);
	assert_int_equal(box.lost_detail, 0);
	assert_int_equal(kit_next(st, LANE_BULK, 1, &one), 1);
	assert_int_equal(one.seq, 4);
	assert_int_equal(one.agents[0].uptime, 3);
	report_clear(&one);
	store_close(st);
}

static void
rolled_back_numbers_are_given_again(void **state)
{
	struct store *st = open_store();
	struct report r;
	struct model m;

	put_total(st, LANE_URGENT, KIT_ASSET, 1);
	report_init(&r);
	report_asset(&r)->id = xstrdup(KIT_ASSET);
	assert_int_equal(store_begin(st), 0);
	assert_true(store_in_transaction(st));
	assert_int_equal(outbox_append(st, &r, LANE_URGENT, KIT_ASSET), 1);
	store_rollback(st);
	assert_false(store_in_transaction(st));
	report_clear(&r);
	put_total(st, LANE_URGENT, KIT_ASSET, 2);
	model_read(&m, st, 0, 0);
	assert_int_equal(m.reports, 2);
	model_clear(&m);
	store_close(st);
}

static void
epochs_are_for_life(void **state)
{
	char first[UUID_TEXT_MAX], second[UUID_TEXT_MAX], *path;
	struct store *st = open_store();

	assert_int_equal(store_epoch(st, first), 0);
	assert_true(uuid_valid(first));
	store_close(st);
	st = open_store();
	assert_int_equal(store_epoch(st, second), 0);
	assert_string_equal(first, second);
	store_close(st);
	path = xasprintf("%s/store.db", kit_dir);
	assert_int_equal(unlink(path), 0);
	free(path);
	st = open_store();
	assert_int_equal(store_epoch(st, second), 0);
	assert_string_not_equal(first, second);
	store_close(st);
}

static void
a_new_epoch_numbers_from_one(void **state)
{
	char before[UUID_TEXT_MAX], after[UUID_TEXT_MAX];
	struct store *st = open_store();
	struct outbox_count box;
	struct model m;
	int i;

	for (i = 1; i <= 9; i++)
		put_total(st, i % 3 ? LANE_URGENT : LANE_BULK, KIT_ASSET, i);
	put_total(st, LANE_BULK, KIT_OTHER, 1);
	assert_int_equal(outbox_ack(st, LANE_URGENT, 2), 0);
	assert_int_equal(outbox_ack(st, LANE_BULK, 1), 0);
	assert_int_equal(store_epoch(st, before), 0);
	assert_int_equal(outbox_new_epoch(st), 0);
	assert_int_equal(store_epoch(st, after), 0);
	assert_string_not_equal(before, after);
	assert_int_equal(outbox_count(st, &box), 0);
	for (i = 0; i < LANES; i++) {
		assert_int_equal(box.lane[i].acked_seq, 0);
		assert_int_equal(box.lane[i].next_seq,
		    i == LANE_URGENT ? 5 : 4);
	}
	put_total(st, LANE_URGENT, KIT_ASSET, 10);
	/* In the order that they had, each lane without a gap. */
	model_read(&m, st, 0, 0);
	assert_int_equal(m.last, 5);
	assert_int_equal(asset_counter(&m.all.assets[0], "total")->value, 10);
	model_clear(&m);
	assert_int_equal(outbox_ack(st, LANE_URGENT, 5), 0);
	model_read(&m, st, 5, 0);
	assert_int_equal(m.reports, 3);
	assert_int_equal(m.last_bulk, 3);
	assert_int_equal(asset_counter(model_asset(&m, KIT_ASSET),
	    "total")->value, 9);
	model_clear(&m);
	/* And with nothing waiting. */
	assert_int_equal(outbox_ack(st, LANE_BULK, 3), 0);
	assert_int_equal(outbox_new_epoch(st), 0);
	assert_int_equal(outbox_count(st, &box), 0);
	assert_int_equal(box.lane[LANE_URGENT].next_seq, 1);
	put_total(st, LANE_URGENT, KIT_ASSET, 11);
	model_read(&m, st, 0, 0);
	assert_int_equal(m.reports, 1);
	model_clear(&m);
	store_close(st);
}

/* --- what was told ------------------------------------------------------- */

static void
told_comes_back_as_it_was(void **state)
{
	struct store *st = open_store();
	struct consumable c, none;
	struct report told;
	struct asset a;
	struct alert l;

	kit_asset(&a, KIT_ASSET);
	kit_consumable(&c, 1, "black", 80);
	c.id = xstrdup(KIT_OTHER);
	c.asset = xstrdup(KIT_ASSET);
	kit_alert(&l, 4, 8, 3);
	l.id = xstrdup(KIT_THIRD);
	l.asset = xstrdup(KIT_ASSET);
	l.raised = KIT_TIME;
	assert_int_equal(store_begin(st), 0);
	assert_int_equal(known_tell_asset(st, &a), 0);
	assert_int_equal(known_tell_consumable(st, &c), 0);
	assert_int_equal(known_tell_alert(st, &l), 0);
	assert_int_equal(store_commit(st), 0);
	store_close(st);

	st = open_store();
	report_init(&told);
	assert_int_equal(known_told(st, KIT_ASSET, &told), 0);
	assert_int_equal(told.assets_len, 1);
	assert_int_equal(told.consumables_len, 1);
	assert_int_equal(told.alerts_len, 1);
	assert_string_equal(told.assets[0].location, "Hall & <entrance>");
	assert_int_equal(told.assets[0].errors, 0);
	assert_int_equal(told.assets[0].counters_len, 2);
	consumable_init(&none);
	assert_int_equal(record_diff(consumable_fields, &c,
	    &told.consumables[0], ~0u, &none), 0);
	consumable_clear(&none);
	assert_int_equal(told.alerts[0].raised, KIT_TIME);
	report_clear(&told);
	/* Of another asset nothing was told. */
	assert_int_equal(known_told(st, KIT_OTHER, &told), 0);
	assert_int_equal(told.assets_len + told.consumables_len, 0);
	assert_int_equal(known_forget(st, KIT_ASSET, KIT_THIRD), 0);
	assert_int_equal(known_told(st, KIT_ASSET, &told), 0);
	assert_int_equal(told.alerts_len, 0);
	report_clear(&told);
	store_close(st);
	asset_clear(&a);
	consumable_clear(&c);
	alert_clear(&l);
}

static void
renamed_it_was_told_all_the_same(void **state)
{
	struct known_asset row = { .id = KIT_ASSET, .device = 3, .row = 1,
	    .key = xstrdup("S:nowhere:KX7731"), .strength = KEY_SERIAL }, found;
	struct store *st = open_store();
	struct report told;
	struct asset a;
	struct alert l;

	kit_asset(&a, KIT_ASSET);
	kit_alert(&l, 4, 8, 3);
	l.id = xstrdup(KIT_THIRD);
	l.asset = xstrdup(KIT_ASSET);
	assert_int_equal(store_begin(st), 0);
	assert_int_equal(known_put_asset(st, &row), 0);
	assert_int_equal(known_tell_asset(st, &a), 0);
	assert_int_equal(known_tell_alert(st, &l), 0);
	assert_int_equal(known_rename_asset(st, KIT_ASSET, KIT_OTHER), 0);
	assert_int_equal(known_rename_asset(st, "'; DROP TABLE told; --",
	    KIT_OTHER), -1);
	assert_int_equal(store_commit(st), 0);
	assert_int_equal(known_asset_at(st, 3, 1, &found), 1);
	assert_string_equal(found.id, KIT_OTHER);
	known_asset_clear(&found);
	report_init(&told);
	assert_int_equal(known_told(st, KIT_ASSET, &told), 0);
	assert_int_equal(told.assets_len + told.alerts_len, 0);
	assert_int_equal(known_told(st, KIT_OTHER, &told), 0);
	assert_int_equal(told.assets_len, 1);
	assert_string_equal(told.assets[0].id, KIT_OTHER);
	assert_string_equal(told.assets[0].serial, "KX7731");
	assert_int_equal(told.assets[0].counters_len, 2);
	assert_int_equal(told.alerts_len, 1);
	assert_string_equal(told.alerts[0].id, KIT_THIRD);
	assert_string_equal(told.alerts[0].asset, KIT_OTHER);
	report_clear(&told);
	store_close(st);
	known_asset_clear(&row);
	asset_clear(&a);
	alert_clear(&l);
}

static void
notes_are_kept(void **state)
{
	struct store *st = open_store();
	char *note;

	assert_int_equal(store_note_int(st, "nothing", 7), 7);
	note = store_note(st, "nothing");
	assert_string_equal(note, "");
	free(note);
	assert_int_equal(store_set_note_int(st, "n", -3), 0);
	assert_int_equal(store_note_int(st, "n", 7), -3);
	assert_int_equal(store_set_note(st, "n", "text"), 0);
	assert_int_equal(store_note_int(st, "n", 7), 7);
	assert_int_equal(store_set_note(st, "n", NULL), 0);
	note = store_note(st, "n");
	assert_string_equal(note, "");
	free(note);
	store_close(st);
}

static void
count_device(void *arg, const struct known_device *d)
{
	struct known_device *out = arg;

	out->id++;
	free(out->memo);
	out->memo = xstrdup(d->memo);
	out->printer = d->printer;
	out->seen_ms = d->seen_ms;
}

static void
devices_are_known_by_address(void **state)
{
	struct known_device d = { .address = xstrdup("192.0.2.7:161"),
	    .credentials = xstrdup("office"), .memo = xstrdup("v2c"),
	    .printer = 1, .seen_ms = 5 }, seen = { 0 };
	struct known_asset asset = { .id = KIT_ASSET, .row = 1,
	    .key = xstrdup("S:a:1"), .strength = KEY_SERIAL }, found;
	struct store *st = open_store();
	int64_t id;

	assert_int_equal(known_put_device(st, &d), 0);
	id = d.id;
	assert_true(id > 0);
	free(d.memo);
	d.memo = xstrdup("v1 no-bulk");
	d.id = 0;
	assert_int_equal(known_put_device(st, &d), 0);
	assert_int_equal(d.id, id);
	assert_int_equal(known_each_device(st, count_device, &seen), 0);
	assert_int_equal(seen.id, 1);
	assert_string_equal(seen.memo, "v1 no-bulk");
	free(seen.memo);
	asset.device = id;
	assert_int_equal(known_put_asset(st, &asset), 0);
	assert_int_equal(known_asset_at(st, id, 1, &found), 1);
	assert_string_equal(found.id, KIT_ASSET);
	known_asset_clear(&found);
	assert_int_equal(known_asset_at(st, id, 2, &found), 0);
	assert_int_equal(known_asset_by_key(st, "S:a:1", &found), 1);
	known_asset_clear(&found);
	/* A dropped device leaves its assets without one. */
	assert_int_equal(known_drop_device(st, id), 0);
	assert_int_equal(known_asset_by_key(st, "S:a:1", &found), 1);
	assert_int_equal(found.device, 0);
	known_asset_clear(&found);
	known_asset_clear(&asset);
	known_device_clear(&d);
	store_close(st);
}

/* --- long reports -------------------------------------------------------- */

static void
long_reports_are_split(void **state)
{
	struct store *st = open_store();
	struct consumable *c;
	struct report r;
	struct model m;
	size_t i;
	int n;

	report_init(&r);
	kit_asset(report_asset(&r), KIT_ASSET);
	for (i = 0; i < 300; i++) {
		c = report_consumable(&r);
		kit_consumable(c, (int64_t)i, "black", 50);
		c->id = xasprintf("00000000-0000-4000-8000-%012zu", i);
		c->asset = xstrdup(KIT_ASSET);
	}
	assert_int_equal(store_begin(st), 0);
	n = outbox_append(st, &r, LANE_URGENT, KIT_ASSET);
	assert_int_equal(store_commit(st), 0);
	assert_true(n >= 3 && n < 20);
	model_read(&m, st, 0, 0);
	assert_int_equal(m.reports, n);
	assert_int_equal(m.all.assets_len, 1);
	assert_int_equal(m.all.consumables_len, 300);
	model_clear(&m);
	report_clear(&r);
	report_init(&r);
	put(st, &r, LANE_URGENT, NULL, 0);	/* nothing is no report */
	store_close(st);
}

/* What a centre would refuse costs itself, not its neighbours. */
static void
a_bad_record_goes_alone(void **state)
{
	struct store *st = open_store();
	struct report r;
	struct model m;
	int i;

	report_init(&r);
	kit_asset(report_asset(&r), KIT_ASSET);
	for (i = 0; i < 3; i++) {
		kit_consumable(report_consumable(&r), i, "black", 50);
		r.consumables[i].id = xasprintf("0000000%d-0000-4000-8000-"
		    "000000000000", i);
		r.consumables[i].asset = xstrdup(KIT_ASSET);
	}
	r.consumables[1].percent = 250;
	kit_listen();
	put(st, &r, LANE_URGENT, KIT_ASSET, 3);
	assert_int_equal(kit_lines, 1);
	assert_said("a record of asset " KIT_ASSET " cannot be sent");
	kit_listen_no_more();
	model_read(&m, st, 0, 0);
	assert_int_equal(m.all.assets_len, 1);
	assert_string_equal(m.all.assets[0].serial, "KX7731");
	assert_int_equal(m.all.consumables_len, 2);
	model_clear(&m);
	report_clear(&r);
	store_close(st);
}

/* The longest names there are, and all of it must be escaped. */
static void
a_record_too_long_is_left_out(void **state)
{
	struct store *st = open_store();
	char name[RECORD_TEXT_MAX + 1];
	struct report r, told;
	struct counter *c;
	struct model m;
	int i;

	report_init(&r);
	kit_asset(report_asset(&r), KIT_ASSET);
	memset(name, '\'', RECORD_TEXT_MAX);
	name[RECORD_TEXT_MAX] = '\0';
	for (i = 0; i < 60; i++) {
		name[0] = (char)('0' + i);
		c = asset_counter_add(&r.assets[0], name);
		c->value = i;
	}
	kit_consumable(report_consumable(&r), 1, "black", 50);
	r.consumables[0].id = xstrdup(KIT_OTHER);
	r.consumables[0].asset = xstrdup(KIT_ASSET);
	kit_listen();
	put(st, &r, LANE_URGENT, KIT_ASSET, 1);
	assert_int_equal(kit_lines, 1);
	assert_said("too long");
	assert_int_equal(known_tell_asset(st, &r.assets[0]), 0);
	kit_listen_no_more();
	report_init(&told);
	assert_int_equal(known_told(st, KIT_ASSET, &told), 0);
	assert_int_equal(told.assets_len, 0);
	model_read(&m, st, 0, 0);
	assert_int_equal(m.all.consumables_len, 1);
	model_clear(&m);
	report_clear(&r);
	store_close(st);
}

/* --- acknowledgement and refusal ----------------------------------------- */

static void
acknowledged_is_gone(void **state)
{
	struct store *st = open_store();
	struct outbox_lane lane;
	struct report r;
	int i;

	for (i = 1; i <= 5; i++)
		put_total(st, LANE_URGENT, KIT_ASSET, i);
	assert_int_equal(kit_next(st, LANE_URGENT, 0, &r), 1);
	assert_int_equal(r.seq, 1);
	report_clear(&r);
	assert_int_equal(outbox_ack(st, LANE_URGENT, 3), 0);
	assert_int_equal(outbox_ack(st, LANE_URGENT, 2), 0);	/* late */
	outbox_numbers(st, LANE_URGENT, &lane);
	assert_int_equal(lane.acked_seq, 3);
	outbox_numbers(st, LANE_BULK, &lane);
	assert_int_equal(lane.acked_seq, 0);
	assert_int_equal(kit_next(st, LANE_URGENT, 3, &r), 1);
	assert_int_equal(r.seq, 4);
	report_clear(&r);
	assert_int_equal(kit_next(st, LANE_URGENT, 5, &r), 0);
	store_close(st);
}

struct aside {
	int	 count;
	int64_t	 seq;
	char	 why[300];
};

static void
note_aside(void *arg, const struct outbox_report *r)
{
	struct aside *a = arg;

	a->count++;
	a->seq = r->seq;
	snprintf(a->why, sizeof(a->why), "%s", r->why == NULL ? "" : r->why);
	assert_non_null(strstr(r->body, "<report"));
}

static void
refused_is_kept_aside(void **state)
{
	struct store *st = open_store();
	struct aside aside = { 0 };
	struct outbox_count box;
	int i;

	for (i = 1; i <= 4; i++)
		put_total(st, LANE_URGENT, KIT_ASSET, i);
	assert_int_equal(outbox_refuse(st, LANE_URGENT, 2,
	    "it makes no sense"), 0);
	assert_false(store_in_transaction(st));
	assert_int_equal(outbox_each(st, true, note_aside, &aside), 0);
	assert_int_equal(aside.count, 1);
	assert_int_equal(aside.seq, 2);
	assert_string_equal(aside.why, "it makes no sense");
	assert_int_equal(outbox_count(st, &box), 0);
	assert_int_equal(box.depth, 2);
	assert_int_equal(box.lane[LANE_URGENT].acked_seq, 2);
	assert_int_equal(box.refused, 1);
	/* The same answer once more. */
	assert_int_equal(outbox_refuse(st, LANE_URGENT, 2, "again"), 0);
	assert_int_equal(outbox_count(st, &box), 0);
	assert_int_equal(box.refused, 1);
	assert_int_equal(box.depth, 2);
	store_close(st);
}

static void
refused_does_not_grow_for_ever(void **state)
{
	struct store *st = open_store();
	struct aside aside = { 0 };
	struct outbox_count box;
	int i;

	for (i = 1; i <= OUTBOX_REFUSED_MAX + 5; i++) {
		put_total(st, LANE_URGENT, KIT_ASSET, i);
		assert_int_equal(outbox_refuse(st, LANE_URGENT, i, "no"), 0);
	}
	assert_int_equal(outbox_count(st, &box), 0);
	assert_int_equal(box.refused, OUTBOX_REFUSED_MAX);
	assert_int_equal(outbox_each(st, true, note_aside, &aside), 0);
	assert_int_equal(aside.seq, OUTBOX_REFUSED_MAX + 5);
	store_close(st);
}

/* --- a full outbox ------------------------------------------------------- */

/* The first OUTBOX_IN_FLIGHT_MAX of the bulk may be under way. */
static void
fill_window(struct store *st)
{
	int i;

	for (i = 0; i < OUTBOX_IN_FLIGHT_MAX; i++)
		put_total(st, LANE_BULK, KIT_OTHER, i);
}

static void
squeezing_keeps_alerts_and_the_last_word(void **state)
{
	struct store *st = open_store();
	struct outbox_count before, after;
	struct model m;
	int i, folded;

	fill_window(st);
	for (i = 1; i <= 50; i++) {
		put_total(st, LANE_BULK, KIT_ASSET, i);
		put_level(st, LANE_BULK, KIT_ASSET, KIT_OTHER, 100 - i);
		put_alert(st, KIT_ASSET, i);
	}
	assert_int_equal(outbox_count(st, &before), 0);
	assert_int_equal(store_begin(st), 0);
	assert_int_equal(squeeze_outbox(st, before.bytes), 0);
	folded = squeeze_outbox(st, 1);
	assert_int_equal(store_commit(st), 0);
	assert_int_equal(folded, 99);
	assert_int_equal(outbox_count(st, &after), 0);
	assert_true(after.bytes < before.bytes);
	assert_int_equal(after.lost_detail, folded);
	/* Numbers are empty, but none is new. */
	assert_int_equal(after.depth, before.depth - folded);
	assert_int_equal(after.lane[LANE_URGENT].depth, 50);
	assert_int_equal(after.lane[LANE_BULK].next_seq,
	    before.lane[LANE_BULK].next_seq);
	model_read(&m, st, 0, 0);
	assert_int_equal(m.all.alerts_len, 50);
	model_clear(&m);
	assert_int_equal(outbox_ack(st, LANE_URGENT, 50), 0);
	model_read(&m, st, 50, OUTBOX_IN_FLIGHT_MAX);
	assert_int_equal(m.reports, 1);
	assert_int_equal(m.all.assets_len, 1);
	assert_int_equal(asset_counter(&m.all.assets[0], "total")->value, 50);
	assert_int_equal(m.all.consumables_len, 1);
	assert_int_equal(m.all.consumables[0].level, 50);
	model_clear(&m);
	store_close(st);
}

/* An urgent report between two of the bulk brings newer values than the first
 * of them: what that says must not seem to be as new as the second. */
static void
squeezing_keeps_the_order_of_values(void **state)
{
	struct store *st = open_store();
	struct report r;
	int i;

	fill_window(st);
	for (i = 1; i <= 3; i++)
		put_total(st, LANE_BULK, KIT_ASSET, 100 + i);
	put_level(st, LANE_BULK, KIT_ASSET, KIT_OTHER, 50);
	put_level(st, LANE_URGENT, KIT_ASSET, KIT_OTHER, 9);
	put_level(st, LANE_BULK, KIT_ASSET, KIT_THIRD, 44);
	put_alert(st, KIT_ASSET, 8);	/* reads nothing, parts nothing */
	put_level(st, LANE_BULK, KIT_ASSET, KIT_THIRD, 43);
	assert_int_equal(store_begin(st), 0);
	assert_int_equal(squeeze_outbox(st, 1), 4);
	/* However often. */
	assert_int_equal(squeeze_outbox(st, 1), 0);
	assert_int_equal(store_commit(st), 0);
	assert_int_equal(outbox_ack(st, LANE_URGENT, 2), 0);
	assert_int_equal(kit_next(st, LANE_BULK, OUTBOX_IN_FLIGHT_MAX, &r), 1);
	assert_int_equal(r.seq, OUTBOX_IN_FLIGHT_MAX + 4);
	assert_int_equal(r.turn, OUTBOX_IN_FLIGHT_MAX + 4);
	assert_int_equal(asset_counter(&r.assets[0], "total")->value, 103);
	assert_int_equal(r.consumables_len, 1);
	assert_int_equal(r.consumables[0].level, 50);
	report_clear(&r);
	assert_int_equal(kit_next(st, LANE_BULK, OUTBOX_IN_FLIGHT_MAX + 4,
	    &r), 1);
	assert_int_equal(r.turn, OUTBOX_IN_FLIGHT_MAX + 8);
	assert_int_equal(r.assets_len, 0);
	assert_int_equal(r.consumables_len, 1);
	assert_int_equal(r.consumables[0].level, 43);
	report_clear(&r);
	store_close(st);
}

/* Two that are too long together stay two: nothing ends the process. */
static void
squeezing_knows_the_limit(void **state)
{
	struct store *st = open_store();
	struct consumable *c;
	struct report r;
	struct model m;
	char *id;
	int i, j;

	fill_window(st);
	for (i = 0; i < 8; i++) {
		report_init(&r);
		for (j = 0; j < 64; j++) {
			id = xasprintf("0000000%d-0000-4000-8000-%012d", i, j);
			c = report_consumable(&r);
			c->id = id;
			c->asset = xstrdup(KIT_ASSET);
			c->index = j;
			c->level = i;
		}
		put(st, &r, LANE_BULK, KIT_ASSET, 1);
		report_clear(&r);
	}
	assert_int_equal(store_begin(st), 0);
	i = squeeze_outbox(st, 1);
	assert_true(i > 0 && i < 7);
	assert_int_equal(store_commit(st), 0);
	model_read(&m, st, 0, 0);
	assert_int_equal(m.all.consumables_len, 8 * 64);
	model_clear(&m);
	store_close(st);
}

/* As the collector does it: after each report, and what is folded stays so
 * whatever else goes wrong. */
static void
squeezing_again_and_again(void **state)
{
	struct store *st = open_store();
	const int64_t most = 84 * 1024;
	struct outbox_count box;
	struct report r;
	struct model m;
	int i;

	report_init(&r);
	report_asset(&r)->id = xstrdup(KIT_ASSET);
	for (i = 1; i <= 1000; i++) {
		kit_counter(&r.assets[0], "total", i);
		assert_int_equal(store_begin(st), 0);
		assert_int_equal(outbox_append(st, &r, LANE_BULK,
		    KIT_ASSET), 1);
		assert_true(squeeze_outbox(st, most) >= 0);
		if (i % 10 == 0) {
			store_rollback(st);
			continue;
		}
		assert_int_equal(store_commit(st), 0);
		assert_int_equal(outbox_count(st, &box), 0);
		assert_true(box.bytes <= most);
	}
	assert_int_equal(box.lane[LANE_BULK].next_seq, 901);
	assert_true(box.lost_detail > 500);
	model_read(&m, st, 0, 0);
	assert_int_equal(asset_counter(&m.all.assets[0], "total")->value, 999);
	model_clear(&m);
	report_clear(&r);
	store_close(st);
}

static void
squeezing_leaves_what_is_under_way(void **state)
{
	struct store *st = open_store();
	int i;

	for (i = 1; i <= OUTBOX_IN_FLIGHT_MAX; i++)
		put_total(st, LANE_BULK, KIT_ASSET, i);
	assert_int_equal(store_begin(st), 0);
	assert_int_equal(squeeze_outbox(st, 1), 0);
	assert_int_equal(store_commit(st), 0);
	store_close(st);
}

/* --- more than one process ----------------------------------------------- */

static void
two_connections_see_the_same(void **state)
{
	struct store *a = open_store(), *b = open_store();
	struct outbox_count box;
	struct report r;

	report_init(&r);
	report_asset(&r)->id = xstrdup(KIT_ASSET);
	assert_int_equal(store_begin(a), 0);
	assert_int_equal(outbox_append(a, &r, LANE_URGENT, KIT_ASSET), 1);
	assert_int_equal(outbox_count(b, &box), 0);
	assert_int_equal(box.depth, 0);		/* not before the commit */
	assert_int_equal(store_commit(a), 0);
	assert_int_equal(outbox_count(b, &box), 0);
	assert_int_equal(box.depth, 1);
	assert_int_equal(outbox_ack(b, LANE_URGENT, 1), 0);
	assert_int_equal(outbox_count(a, &box), 0);
	assert_int_equal(box.depth, 0);
	assert_int_equal(box.lane[LANE_URGENT].acked_seq, 1);
	/* The other changed next_seq behind a's back. */
	assert_int_equal(outbox_new_epoch(b), 0);
	put(a, &r, LANE_URGENT, KIT_ASSET, 1);
	assert_int_equal(outbox_count(b, &box), 0);
	assert_int_equal(box.lane[LANE_URGENT].next_seq, 2);
	report_clear(&r);
	store_close(a);
	store_close(b);
}

#define MANY	150

static void
write_many(void)
{
	struct store *st = store_open(kit_dir);
	struct report r;
	int i;

	report_init(&r);
	report_asset(&r)->id = xstrdup(KIT_ASSET);
	for (i = 0; i < MANY; i++)
		if (st == NULL || store_begin(st) == -1 ||
		    outbox_append(st, &r, LANE_URGENT, KIT_ASSET) != 1 ||
		    store_commit(st) == -1)
			_exit(1);
	report_clear(&r);
	store_close(st);
	_exit(0);
}

static void
one_writes_while_the_other_takes(void **state)
{
	struct store *st;
	struct report r;
	int64_t last = 0, end;
	int status;
	pid_t pid;

	if ((pid = fork()) == 0)
		write_many();
	st = open_store();
	end = clock_mono_ms() + 60000;
	while (last < MANY && clock_mono_ms() < end) {
		if (kit_next(st, LANE_URGENT, last, &r) != 1)
			continue;
		assert_int_equal(r.seq, last + 1);
		last = r.seq;
		report_clear(&r);
		if (last % 7 == 0)
			assert_int_equal(outbox_ack(st, LANE_URGENT, last),
			    0);
	}
	assert_int_equal(last, MANY);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	store_close(st);
}

/* Both children of the supervisor make the store at the same time. */
static void
two_make_it_at_once(void **state)
{
	char first[UUID_TEXT_MAX];
	struct store *st;
	int i, j, status;
	pid_t pid[2];

	for (i = 0; i < 40; i++) {
		for (j = 0; j < 2; j++)
			if ((pid[j] = fork()) == 0) {
				st = store_open(kit_dir);
				status = st == NULL ||
				    store_epoch(st, first) == -1;
				store_close(st);
				_exit(status);
			}
		for (j = 0; j < 2; j++) {
			assert_int_equal(waitpid(pid[j], &status, 0), pid[j]);
			assert_true(WIFEXITED(status) &&
			    WEXITSTATUS(status) == 0);
		}
		assert_int_equal(kit_dir_remove(NULL), 0);
		assert_int_equal(mkdir(kit_dir, 0700), 0);
	}
}

/* One change after the other: the told total and a report that says it. The
 * first says that it has begun. */
static void
change_for_ever(int fd)
{
	struct store *st = store_open(kit_dir);
	struct report r, told;
	struct asset *a;
	int64_t n;

	for (;;) {
		report_init(&told);
		if (st == NULL || store_begin(st) == -1 ||
		    known_told(st, KIT_ASSET, &told) == -1)
			_exit(1);
		n = told.assets_len == 0 ? 0 :
		    told.assets[0].counters[0].value;
		report_clear(&told);
		report_init(&r);
		a = report_asset(&r);
		a->id = xstrdup(KIT_ASSET);
		kit_counter(a, "total", n + 1);
		if (outbox_append(st, &r, LANE_URGENT, KIT_ASSET) != 1 ||
		    known_tell_asset(st, a) == -1 || store_commit(st) == -1)
			_exit(1);
		report_clear(&r);
		if (fd != -1 && write(fd, "", 1) != 1)
			_exit(1);
		fd = -1;
	}
}

static void
killed_it_has_both_sides_or_none(void **state)
{
	struct store *st;
	struct outbox_count box;
	struct report told;
	struct model m;
	int64_t total = 0;
	int i, status, begun[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(begun), 0);
	srandom(4711);
	for (i = 0; i < 20; i++) {
		if ((pid = fork()) == 0)
			change_for_ever(begun[1]);
		assert_int_equal(read(begun[0], &byte, 1), 1);
		usleep((useconds_t)(random() % 30000));
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		st = open_store();
		report_init(&told);
		assert_int_equal(known_told(st, KIT_ASSET, &told), 0);
		if (told.assets_len > 0)
			total = told.assets[0].counters[0].value;
		report_clear(&told);
		model_read(&m, st, 0, 0);
		assert_int_equal(m.reports, total);
		assert_int_equal(m.last, total);
		model_clear(&m);
		assert_int_equal(outbox_count(st, &box), 0);
		assert_int_equal(box.lane[LANE_URGENT].next_seq, total + 1);
		store_close(st);
	}
	assert_true(total >= 20);
	close(begun[0]);
	close(begun[1]);
}

static void
killed_in_the_middle_it_has_nothing(void **state)
{
	struct outbox_count box;
	struct store *st = open_store();
	struct report r, told;
	int status;
	pid_t pid;

	store_close(st);
	if ((pid = fork()) == 0) {
		report_init(&r);
		kit_asset(report_asset(&r), KIT_ASSET);
		st = store_open(kit_dir);
		if (st == NULL || store_begin(st) == -1 ||
		    outbox_append(st, &r, LANE_URGENT, KIT_ASSET) != 1 ||
		    known_tell_asset(st, &r.assets[0]) == -1)
			_exit(1);
		kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	st = open_store();
	assert_int_equal(outbox_count(st, &box), 0);
	assert_int_equal(box.depth, 0);
	assert_int_equal(box.lane[LANE_URGENT].next_seq, 1);
	report_init(&told);
	assert_int_equal(known_told(st, KIT_ASSET, &told), 0);
	assert_int_equal(told.assets_len, 0);
	store_close(st);
}

/* --- opening ------------------------------------------------------------- */

static void
reading_only_never_writes(void **state)
{
	struct outbox_count box;
	struct store *st, *ro;

	kit_listen();
	assert_null(look());
	st = open_store();
	put_total(st, LANE_URGENT, KIT_ASSET, 1);
	ro = look();
	assert_non_null(ro);
	assert_int_equal(outbox_count(ro, &box), 0);
	assert_int_equal(box.depth, 1);
	assert_int_equal(outbox_ack(ro, LANE_URGENT, 1), -1);
	assert_false(store_in_transaction(ro));
	store_close(ro);
	store_close(st);
	/* And after it was closed in peace. */
	ro = look();
	assert_non_null(ro);
	assert_int_equal(outbox_count(ro, &box), 0);
	assert_int_equal(box.depth, 1);
	store_close(ro);
	kit_listen_no_more();
}

static void
sql(const char *text)
{
	char *path = xasprintf("%s/store.db", kit_dir);
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	free(path);
}

static void
a_newer_store_is_not_touched(void **state)
{
	store_close(open_store());
	sql("PRAGMA user_version = 99");
	kit_listen();
	assert_null(store_open(kit_dir));
	assert_said("version 99");
	assert_said("newer Platen");
	kit_listen();
	assert_null(look());
	assert_said("newer Platen");
	kit_listen_no_more();
}

static void
make_key(void)
{
	char *path = xasprintf("%s/store.key", kit_dir);
	struct lock *lock = lock_make(path);

	assert_non_null(lock);
	lock_free(lock);
	free(path);
}

/* As version 1 of the store had it. */
static const char version_1[] =
    "CREATE TABLE note(key TEXT PRIMARY KEY, value TEXT NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE TABLE device(id INTEGER PRIMARY KEY, address TEXT NOT NULL"
    " UNIQUE, zone TEXT, credentials TEXT, version INTEGER, varbinds"
    " INTEGER, jetdirect INTEGER, printer INTEGER, why TEXT, seen INTEGER);"
    "CREATE TABLE asset(id TEXT PRIMARY KEY, device INTEGER NOT NULL,"
    " row INTEGER NOT NULL, key TEXT, strength INTEGER, counters_ms INTEGER"
    " NOT NULL DEFAULT 0, levels_ms INTEGER NOT NULL DEFAULT 0)"
    " WITHOUT ROWID;"
    "CREATE INDEX asset_device ON asset(device, row);"
    "CREATE INDEX asset_key ON asset(key);"
    "CREATE TABLE told(id TEXT NOT NULL, asset TEXT NOT NULL,"
    " body TEXT NOT NULL, PRIMARY KEY(asset, id)) WITHOUT ROWID;"
    "CREATE TABLE outbox(seq INTEGER PRIMARY KEY, created INTEGER NOT NULL,"
    " lane INTEGER NOT NULL, asset TEXT, body TEXT NOT NULL);"
    "CREATE INDEX outbox_asset ON outbox(asset, seq);"
    "CREATE TABLE refused(number INTEGER PRIMARY KEY, epoch TEXT, seq"
    " INTEGER, created INTEGER, lane INTEGER, asset TEXT, body TEXT,"
    " why TEXT);"
    "INSERT INTO note VALUES('epoch', '" KIT_ASSET "'), ('next_seq', '11'),"
    " ('acked_seq', '7');"
    "INSERT INTO device VALUES(3, '192.0.2.3:161', 'hall', 'old', 2, 5, 1,"
    " 1, NULL, 30), (4, '192.0.2.4:161', NULL, 'old', 1, 0, 0, 1, NULL, 20),"
    " (9, '192.0.2.9:161', NULL, 'old', NULL, NULL, NULL, 0, 'a kettle', 10);"
    "INSERT INTO asset VALUES('" KIT_ASSET "', 3, 1, 'S:a:1', 0, 11, 12);"
    "PRAGMA user_version = 1;";

/* And what waited in it, one emptied for want of space, and one refused. */
static const char waiting_1[] =
    "INSERT INTO outbox VALUES(8, 5, 0, '" KIT_ASSET "', \""
    "<report xmlns='urn:platen:report:1'><asset id='" KIT_ASSET "'>"
    "<location>Hall</location></asset></report>\"), (9, 5, 1, NULL,"
    " '<report xmlns=\"urn:platen:report:1\"/>'), (10, 6, 1, '" KIT_ASSET
    "', \"<report xmlns='urn:platen:report:1'><asset id='" KIT_ASSET "'>"
    "<location>Den</location></asset></report>\");"
    "INSERT INTO refused VALUES(1, '" KIT_ASSET "', 3, 4, 0, NULL,"
    " '<report/>', 'no');";

static void
list_device(void *arg, const struct known_device *d)
{
	struct buf *list = arg;
	struct device_memo memo;

	memo_parse(d->memo, &memo);
	buf_printf(list, "%d %s %s: %u %u %u;", (int)d->id, d->address,
	    d->credentials, memo.version, memo.varbinds, memo.jetdirect);
}

static void
an_older_store_is_brought_up_to_date(void **state)
{
	struct known_asset asset;
	struct outbox_count box;
	struct buf list = { 0 };
	struct store *st;
	struct model m;
	char epoch[UUID_TEXT_MAX];

	sql(version_1);
	sql(waiting_1);
	make_key();
	kit_listen();
	assert_null(look());
	assert_said("platend has not been started since it was updated");
	st = open_store();
	assert_said("the store had version 1");
	assert_int_equal(known_each_device(st, list_device, &list), 0);
	assert_string_equal(list.data, "3 192.0.2.3:161 old: 2 5 1;"
	    "4 192.0.2.4:161 old: 1 0 0;9 192.0.2.9:161 old: 0 0 0;");
	buf_free(&list);
	assert_int_equal(known_asset_at(st, 3, 1, &asset), 1);
	assert_int_equal(asset.counters_ms, 11);
	known_asset_clear(&asset);
	assert_int_equal(store_epoch(st, epoch), 0);
	assert_string_equal(epoch, KIT_ASSET);
	/* The one queue is the urgent lane now, and goes on. */
	assert_int_equal(outbox_count(st, &box), 0);
	assert_int_equal(box.lane[LANE_URGENT].next_seq, 11);
	assert_int_equal(box.lane[LANE_URGENT].acked_seq, 7);
	assert_int_equal(box.lane[LANE_URGENT].depth, 3);
	assert_int_equal(box.lane[LANE_BULK].next_seq, 1);
	assert_int_equal(box.refused, 1);
	put_total(st, LANE_URGENT, KIT_ASSET, 5);
	put_total(st, LANE_BULK, KIT_ASSET, 6);
	assert_int_equal(outbox_ack(st, LANE_URGENT, 8), 0);
	model_read(&m, st, 9, 0);
	assert_int_equal(m.last, 11);
	assert_string_equal(m.all.assets[0].location, "Den");
	model_clear(&m);
	store_close(st);
	/* Once, and it is like one that was made today. */
	kit_listen();
	st = open_store();
	assert_int_equal(kit_lines, 0);
	store_close(st);
	st = look();
	assert_non_null(st);
	store_close(st);
	kit_listen_no_more();
}

/* Is the text anywhere in the files of the store? */
static bool
in_files(const char *text)
{
	static const char *const names[] = { "store.db", "store.db-wal" };
	char *path, *data;
	struct stat sb;
	bool found = false;
	size_t i;
	FILE *f;

	for (i = 0; i < 2; i++) {
		path = xasprintf("%s/%s", kit_dir, names[i]);
		if (stat(path, &sb) == 0 && sb.st_size > 0) {
			assert_non_null(f = fopen(path, "r"));
			data = xmalloc((size_t)sb.st_size);
			assert_int_equal(fread(data, 1, (size_t)sb.st_size, f),
			    sb.st_size);
			found |= memmem(data, (size_t)sb.st_size, text,
			    strlen(text)) != NULL;
			free(data);
			fclose(f);
		}
		free(path);
	}
	return found;
}

static void
note_report(void *arg, const struct outbox_report *r)
{
	buf_printf(arg, "%d %s %s;", (int)r->seq, r->body, r->why == NULL ?
	    "-" : r->why);
}

static void
note_why(void *arg, const struct known_device *d)
{
	buf_printf(arg, "%s;", d->why == NULL ? "-" : d->why);
}

/* What lay in clear is sealed, and nowhere in the file any more. */
static void
a_store_in_clear_is_sealed(void **state)
{
	static const char *const clear[] = { "KX7731", "Secretaria", "a kettle",
	    "bad words" };
	struct buf said = { 0 };
	struct known_asset asset;
	struct report told;
	struct store *st;
	const char *xml;
	size_t i;

	sql(version_1);
	sql("INSERT INTO told VALUES('" KIT_ASSET "', '" KIT_ASSET "', "
	    "'<report xmlns=\"urn:platen:report:1\"><asset id=\"" KIT_ASSET
	    "\"><serial>KX7731</serial><location>Secretaria</location></asset>"
	    "</report>');"
	    "INSERT INTO outbox VALUES(8, 1, 1, '" KIT_ASSET "', '<report "
	    "xmlns=\"urn:platen:report:1\"><asset id=\"" KIT_ASSET "\">"
	    "<serial>KX7731</serial></asset></report>');"
	    "INSERT INTO refused VALUES(1, 'e', 2, 3, 1, NULL, '<report "
	    "xmlns=\"urn:platen:report:1\"/>', 'bad words');"
	    "UPDATE asset SET key = 'S:maker:KX7731';");
	for (i = 0; i < sizeof(clear) / sizeof(clear[0]); i++)
		assert_true(in_files(clear[i]));
	st = open_store();
	for (i = 0; i < sizeof(clear) / sizeof(clear[0]); i++)
		if (in_files(clear[i]))
			fail_msg("still there: %s", clear[i]);
	report_init(&told);
	assert_int_equal(known_told(st, KIT_ASSET, &told), 0);
	assert_int_equal(told.assets_len, 1);
	assert_string_equal(told.assets[0].location, "Secretaria");
	report_clear(&told);
	assert_int_equal(known_asset_by_key(st, "S:maker:KX7731", &asset), 1);
	assert_string_equal(asset.key, "S:maker:KX7731");
	assert_string_equal(asset.id, KIT_ASSET);
	known_asset_clear(&asset);
	assert_int_equal(outbox_each(st, false, note_report, &said), 0);
	xml = "8 <report xmlns=\"urn:platen:report:1\"><asset id=\"" KIT_ASSET
	    "\"><serial>KX7731</serial></asset></report> -;";
	assert_string_equal(said.data, xml);
	buf_reset(&said);
	assert_int_equal(outbox_each(st, true, note_report, &said), 0);
	assert_string_equal(said.data, "2 <report xmlns=\"urn:platen:report:1\""
	    "/> bad words;");
	buf_reset(&said);
	assert_int_equal(known_each_device(st, note_why, &said), 0);
	assert_string_equal(said.data, "-;-;a kettle;");
	buf_free(&said);
	assert_int_equal(store_state(st), STORE_FINE);
	store_close(st);
}

/* Under another row's name nothing opens. */
static void
rows_cannot_be_exchanged(void **state)
{
	struct store *st = open_store();
	struct report told;
	struct asset a;

	kit_asset(&a, KIT_ASSET);
	assert_int_equal(known_tell_asset(st, &a), 0);
	asset_clear(&a);
	kit_asset(&a, KIT_OTHER);
	assert_int_equal(known_tell_asset(st, &a), 0);
	asset_clear(&a);
	sql("UPDATE told SET body = (SELECT body FROM told WHERE id = '"
	    KIT_OTHER "') WHERE id = '" KIT_ASSET "'");
	report_init(&told);
	kit_listen();
	assert_int_equal(known_told(st, KIT_OTHER, &told), 0);
	assert_int_equal(told.assets_len, 1);
	assert_int_equal(store_state(st), STORE_FINE);
	assert_int_equal(known_told(st, KIT_ASSET, &told), 0);
	assert_int_equal(told.assets_len, 1);
	assert_int_equal(store_state(st), STORE_DAMAGED);
	assert_said("is damaged");
	kit_listen_no_more();
	report_clear(&told);
	store_close(st);
}

/* What it was made of stays if that fails. */
static void
an_older_store_that_is_broken_stays_as_it_is(void **state)
{
	sql("CREATE TABLE device(id INTEGER PRIMARY KEY, memo TEXT);"
	    "PRAGMA user_version = 1;");
	make_key();
	kit_listen();
	assert_null(store_open(kit_dir));
	sql("INSERT INTO device VALUES(1, 'still here')");
	kit_listen();
	assert_null(look());
	assert_said("has not been started");
	kit_listen_no_more();
}

static void
what_is_no_store_is_refused(void **state)
{
	free(kit_write("store.db", "this is a text and no database at all, "
	    "whatever its name may say about it\n", 0600));
	kit_listen();
	assert_null(store_open(kit_dir));
	assert_true(kit_lines >= 1);
	kit_listen();
	assert_null(look());
	assert_true(kit_lines >= 1);
	kit_listen_no_more();
}

#define TEST(f)	cmocka_unit_test_setup_teardown(f, kit_dir_make, kit_dir_remove)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(numbers_have_no_gap),
		TEST(the_bulk_waits_for_what_was_before),
		TEST(many_go_in_one_message),
		TEST(the_agent_supersedes_itself),
		TEST(rolled_back_numbers_are_given_again),
		TEST(epochs_are_for_life),
		TEST(a_new_epoch_numbers_from_one),
		TEST(told_comes_back_as_it_was),
		TEST(renamed_it_was_told_all_the_same),
		TEST(notes_are_kept),
		TEST(devices_are_known_by_address),
		TEST(long_reports_are_split),
		TEST(a_bad_record_goes_alone),
		TEST(a_record_too_long_is_left_out),
		TEST(acknowledged_is_gone),
		TEST(refused_is_kept_aside),
		TEST(refused_does_not_grow_for_ever),
		TEST(squeezing_keeps_alerts_and_the_last_word),
		TEST(squeezing_keeps_the_order_of_values),
		TEST(squeezing_knows_the_limit),
		TEST(squeezing_again_and_again),
		TEST(squeezing_leaves_what_is_under_way),
		TEST(two_connections_see_the_same),
		TEST(one_writes_while_the_other_takes),
		TEST(two_make_it_at_once),
		TEST(killed_it_has_both_sides_or_none),
		TEST(killed_in_the_middle_it_has_nothing),
		TEST(reading_only_never_writes),
		TEST(a_newer_store_is_not_touched),
		TEST(an_older_store_is_brought_up_to_date),
		TEST(a_store_in_clear_is_sealed),
		TEST(rows_cannot_be_exchanged),
		TEST(an_older_store_that_is_broken_stays_as_it_is),
		TEST(what_is_no_store_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
