#include "agent/squeeze.h"

#include <stdlib.h>
#include <string.h>

#include "agent/outbox.h"
#include "agent/storedb.h"
#include "base/mem.h"
#include "schema/field.h"

static const char out_pair[] =
    "SELECT o.seq, o.body, l.seq, l.body FROM outbox o"
    " JOIN outbox l ON l.lane = 0 AND l.seq = (SELECT min(seq) FROM outbox"
    " WHERE lane = 0 AND asset = o.asset AND seq > o.seq)"
    " WHERE o.lane = 0 AND o.closed = 0 AND o.asset IS NOT NULL"
    " AND o.seq > ?1 ORDER BY o.seq LIMIT 1";
static const char out_body[] =
    "UPDATE outbox SET body = ?2 WHERE lane = 0 AND seq = ?1";
static const char out_drop[] =
    "DELETE FROM outbox WHERE lane = 0 AND seq = ?1";
/* What may be under way: those before this. */
static const char out_after[] =
    "SELECT coalesce((SELECT seq FROM outbox WHERE lane = 0"
    " ORDER BY seq LIMIT 1 OFFSET ?1), 9223372036854775807)";

/* What later says replaces what to says; unlike record_apply() a value that
 * has gone stays said. */
static void
overlay(const struct field *fields, void *to, const void *later)
{
	const struct field *f;

	for (f = fields; f->name != NULL; f++) {
		if (field_absent(f, later))
			continue;
		if (field_is_text(f))
			field_set_text(f, to, field_text(f, later));
		else
			field_set_int(f, to, field_int(f, later));
	}
}

/* Lays later over earlier: what only the earlier one says goes on living. */
static void
merge_reports(struct report *earlier, struct report *later)
{
	struct consumable *old;
	struct counter *count;
	size_t i, j;

	for (i = 0; i < later->assets_len && earlier->assets_len > 0; i++) {
		overlay(asset_fields, &earlier->assets[0],
		    &later->assets[i]);
		for (j = 0; j < later->assets[i].counters_len; j++) {
			const struct counter *c = &later->assets[i].counters[j];

			if ((count = asset_counter(&earlier->assets[0],
			    c->name)) == NULL)
				count = asset_counter_add(&earlier->assets[0],
				    c->name);
			if (count != NULL)
				overlay(counter_fields, count, c);
		}
	}
	if (earlier->assets_len == 0 && later->assets_len > 0) {
		*report_asset(earlier) = later->assets[0];
		asset_init(&later->assets[0]);
	}
	for (i = 0; i < later->consumables_len; i++) {
		for (old = NULL, j = 0; j < earlier->consumables_len; j++)
			if (strcmp(earlier->consumables[j].id,
			    later->consumables[i].id) == 0)
				old = &earlier->consumables[j];
		if (old == NULL)
			old = report_consumable(earlier);
		overlay(consumable_fields, old, &later->consumables[i]);
	}
	for (i = 0; i < later->alerts_len; i++)
		overlay(alert_fields, report_alert(earlier),
		    &later->alerts[i]);
}

static int
set_body(struct store *st, int64_t seq, const char *body, size_t len)
{
	sqlite3_stmt *stmt;

	if ((stmt = storedb_get(st, out_body)) == NULL)
		return -1;
	sqlite3_bind_int64(stmt, 1, seq);
	storedb_put_body(st, stmt, 2, body, len);
	return storedb_done(st, stmt);
}

/* Its number stays and is empty. */
static int
drop(struct store *st, int64_t seq)
{
	sqlite3_stmt *stmt;

	if ((stmt = storedb_get(st, out_drop)) == NULL)
		return -1;
	sqlite3_bind_int64(stmt, 1, seq);
	return storedb_done(st, stmt);
}

/* The last of those that may be under way. */
static int
under_way(struct store *st, int64_t *seq)
{
	sqlite3_stmt *stmt;
	int rc;

	if ((stmt = storedb_get(st, out_after)) == NULL)
		return -1;
	sqlite3_bind_int(stmt, 1, OUTBOX_IN_FLIGHT_MAX - 1);
	rc = sqlite3_step(stmt);
	*seq = sqlite3_column_int64(stmt, 0);
	storedb_finish(stmt);
	return rc == SQLITE_ROW ? 0 : storedb_failed(st, "squeeze");
}

/* A report of the bulk and the next one of the same asset. */
struct pair {
	int64_t	 a, b;
	char	*body_a, *body_b;
	size_t	 len_a, len_b;
};

/* The first pair behind after: 1, 0 when there is none, -1. */
static int
next_pair(struct store *st, int64_t after, struct pair *pair)
{
	sqlite3_stmt *stmt;
	int rc;

	if ((stmt = storedb_get(st, out_pair)) == NULL)
		return -1;
	sqlite3_bind_int64(stmt, 1, after);
	rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW) {
		pair->a = sqlite3_column_int64(stmt, 0);
		pair->body_a = storedb_body(st, stmt, 1, &pair->len_a);
		pair->b = sqlite3_column_int64(stmt, 2);
		pair->body_b = storedb_body(st, stmt, 3, &pair->len_b);
	}
	storedb_finish(stmt);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return storedb_failed(st, "squeeze");
	return rc == SQLITE_ROW;
}

/* Folds a into b.  The octets that this freed, 0 when both stay as they are
 * because together they are too long, -1. */
static int64_t
fold(struct store *st, const struct pair *pair)
{
	size_t len_a = pair->len_a, len_b = pair->len_b;
	struct report earlier, later;
	struct buf xml = { 0 };
	char why[160];
	int64_t freed = 0;

	if (pair->body_a == NULL || pair->body_b == NULL)
		return 0;
	report_init(&earlier);
	report_init(&later);
	if (report_read_own(pair->body_a, len_a, &earlier, why,
	    sizeof(why)) == 0 &&
	    report_read_own(pair->body_b, len_b, &later, why,
	    sizeof(why)) == 0) {
		merge_reports(&earlier, &later);
		if (report_try_write(&earlier, &xml) == -1)
			;
		else if (set_body(st, pair->b, xml.data, xml.len) == -1 ||
		    drop(st, pair->a) == -1)
			freed = -1;
		else
			freed = (int64_t)(len_a + len_b) - (int64_t)xml.len;
	}
	buf_free(&xml);
	report_clear(&earlier);
	report_clear(&later);
	return freed;
}

/*
 * What a report of the bulk says is superseded by the next one of its asset,
 * and goes on living in it where that says nothing.  An urgent one between
 * them that brings readings too has closed the first (outbox_append()).
 */
int
squeeze_outbox(struct store *st, int64_t max_bytes)
{
	struct outbox_count box;
	struct pair pair = { 0 };
	int64_t after, freed, least;
	int folded = 0, rc = 0;

	/* Counting reads all that waits; only we make it more. */
	if (st->squeeze_max == max_bytes && st->most_bytes < st->squeeze_at)
		return 0;
	if (outbox_count(st, &box) == -1)
		return -1;
	/* What is in flight (the lowest few) must not change. */
	if (under_way(st, &after) == -1)
		return -1;
	least = box.bytes <= max_bytes ? max_bytes : max_bytes - max_bytes / 16;
	while (box.bytes > least && rc == 0 &&
	    (rc = next_pair(st, after, &pair)) == 1) {
		freed = fold(st, &pair);
		rc = freed < 0 ? -1 : 0;
		folded += freed > 0;
		box.bytes -= freed;
		after = pair.a;
		free(pair.body_a);
		free(pair.body_b);
	}
	if (rc == 0 && folded > 0)
		rc = store_set_note_int(st, "lost_detail",
		    box.lost_detail + folded);
	st->squeeze_max = max_bytes;
	st->most_bytes = box.bytes;
	st->squeeze_at = box.bytes <= max_bytes ? max_bytes :
	    box.bytes + max_bytes / 64;
	return rc == 0 ? folded : -1;
}
