#include "agent/outbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/storedb.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "schema/field.h"

#define TEXT(number)	TEXT_OF(number)
#define TEXT_OF(number)	#number
/* Past this a report is split, well below REPORT_XML_MAX. */
#define BODY_MAX	(32 * 1024)

static const char out_put[] =
    "INSERT INTO outbox(lane, seq, turn, created, asset, body)"
    " VALUES(?,?,?,?,?,?)";
static const char out_close[] =
    "UPDATE outbox SET closed = 1 WHERE lane = 0 AND seq ="
    " (SELECT max(seq) FROM outbox WHERE lane = 0 AND asset = ?1)";
static const char out_supersede[] =
    "DELETE FROM outbox WHERE lane = 0 AND asset IS NULL";
static const char out_next[] =
    "SELECT seq, turn, body FROM outbox WHERE lane = ?1 AND seq > ?2"
    " AND (lane = 1 OR turn < coalesce((SELECT turn FROM outbox WHERE"
    " lane = 1 AND seq > ?3 ORDER BY seq LIMIT 1), 9223372036854775807))"
    " ORDER BY seq LIMIT ?4";
static const char out_ready[] =
    "SELECT count(*), coalesce(sum(size), 0) FROM (SELECT"
    " length(CAST(body AS BLOB)) AS size FROM outbox WHERE lane = ?1"
    " AND seq > ?2 ORDER BY seq LIMIT ?3)";
static const char out_ack[] =
    "DELETE FROM outbox WHERE lane = ?1 AND seq <= ?2";
static const char out_count[] =
    "SELECT count(*), coalesce(sum(length(CAST(body AS"
    " BLOB))), 0) FROM outbox WHERE lane = ?1";
static const char out_each[] =
    "SELECT lane, seq, created, asset, body, NULL"
    " FROM outbox ORDER BY turn";
static const char refuse[] =
    "INSERT INTO refused(epoch, seq, created, lane, asset,"
    " body, why) SELECT ?3, seq, created, lane, asset, body, ?4"
    " FROM outbox WHERE lane = ?1 AND seq = ?2";
static const char refused_old[] =
    "DELETE FROM refused WHERE number <= (SELECT number"
    " FROM refused ORDER BY number DESC LIMIT 1 OFFSET "
    TEXT(OUTBOX_REFUSED_MAX) ")";
static const char refused_count[] =
    "SELECT count(*), 0 FROM refused";
static const char refused_each[] =
    "SELECT lane, seq, created, asset, body, why"
    " FROM refused ORDER BY number";

/* What the store notes of a lane. */
static const char *const next_note[LANES] = {
	[LANE_BULK] = "bulk_next", [LANE_URGENT] = "urgent_next",
};
static const char *const acked_note[LANES] = {
	[LANE_BULK] = "bulk_acked", [LANE_URGENT] = "urgent_acked",
};

static int64_t
next_seq(struct store *st, enum lane lane)
{
	if (st->next_seq[lane] == 0 || !st->open)
		st->next_seq[lane] = store_note_int(st, next_note[lane], 1);
	return st->next_seq[lane];
}

static int64_t
next_turn(struct store *st)
{
	if (st->next_turn == 0 || !st->open)
		st->next_turn = store_note_int(st, "next_turn", 1);
	return st->next_turn;
}

static int
append_body(struct store *st, const struct buf *body, enum lane lane,
    const char *asset)
{
	sqlite3_stmt *stmt;
	int64_t seq, turn;

	if ((stmt = storedb_get(st, out_put)) == NULL)
		return -1;
	seq = next_seq(st, lane);
	turn = next_turn(st);
	sqlite3_bind_int(stmt, 1, (int)lane);
	sqlite3_bind_int64(stmt, 2, seq);
	sqlite3_bind_int64(stmt, 3, turn);
	sqlite3_bind_int64(stmt, 4, clock_wall_ms());
	storedb_text(stmt, 5, asset);
	storedb_put_body(st, stmt, 6, body->data, body->len);
	if (storedb_done(st, stmt) == -1 ||
	    store_set_note_int(st, next_note[lane], seq + 1) == -1 ||
	    store_set_note_int(st, "next_turn", turn + 1) == -1)
		return -1;
	st->next_seq[lane] = seq + 1;
	st->next_turn = turn + 1;
	st->most_bytes += (int64_t)body->len + STOREDB_BODY_MORE;
	return 1;
}

/* The XML of a report that a centre will take: 0, or -1 and why. */
static int
write_body(const struct report *report, struct buf *xml, char *why,
    size_t why_size)
{
	struct report check;
	int rc;

	if (report_try_write(report, xml) == -1) {
		snprintf(why, why_size, "too long");
		return -1;
	}
	report_init(&check);
	rc = report_read(xml->data, xml->len, &check, why, why_size);
	report_clear(&check);
	return rc;
}

/*
 * Fills one report after the other with records, and starts a new one when
 * the next record would make it too long.  part borrows them.
 */
struct splitter {
	struct store		*st;
	enum lane		 lane;
	const char		*asset;
	struct report		 part;
	size_t			 records, size;
	int			 reports;	/* -1: failed */
};

static void
complain(const char *asset, const char *why)
{
	log_warnx("store", "a record of asset %s cannot be sent: %s",
	    asset == NULL ? "-" : asset, why);
}

#define BORROW(to, from, kind, i) do {					\
	report_init(to);						\
	(to)->kind = (from)->kind + (i);				\
	(to)->kind ## _len = 1;						\
} while (0)

#define EACH_ALONE(s, from, kind) do {					\
	struct report one_;						\
	size_t i_;							\
	for (i_ = 0; i_ < (from)->kind ## _len; i_++) {			\
		BORROW(&one_, from, kind, i_);				\
		put_part((s), &one_, 1);				\
	}								\
} while (0)

/*
 * A report that no centre would take is a promise of ours, broken by some
 * printer's data.  Its records go one by one, so that the bad one costs
 * nothing but itself.
 */
static void
put_part(struct splitter *s, const struct report *part, size_t records)
{
	struct buf xml = { 0 };
	char why[160];
	int rc = 0;

	if (s->reports == -1)
		return;
	if (write_body(part, &xml, why, sizeof(why)) == 0)
		rc = append_body(s->st, &xml, s->lane, s->asset);
	else if (records == 1)
		complain(s->asset, why);
	else {
		EACH_ALONE(s, part, assets);
		EACH_ALONE(s, part, consumables);
		EACH_ALONE(s, part, alerts);
		EACH_ALONE(s, part, agents);
	}
	if (s->reports != -1)
		s->reports = rc == -1 ? -1 : s->reports + rc;
	buf_free(&xml);
}

static void
flush_part(struct splitter *s)
{
	if (s->records > 0)
		put_part(s, &s->part, s->records);
	s->part.assets_len = s->part.consumables_len = 0;
	s->part.alerts_len = s->part.agents_len = 0;
	s->records = s->size = 0;
}

/* False when the record alone is too long; nothing can be done about it. */
static bool
make_room(struct splitter *s, const struct report *one)
{
	struct buf xml = { 0 };
	size_t size;

	if (report_try_write(one, &xml) == -1) {
		complain(s->asset, "it is too long");
		flush_part(s);
		buf_free(&xml);
		return false;
	}
	size = xml.len;
	buf_free(&xml);
	if (s->records > 0 && s->size + size > BODY_MAX)
		flush_part(s);
	s->size += size;
	s->records++;
	return true;
}

/* Records follow each other in memory: a part is a run of them. */
#define SPLIT(s, from, kind) do {					\
	struct report one_;						\
	size_t i_;							\
	for (i_ = 0; i_ < (from)->kind ## _len; i_++) {			\
		BORROW(&one_, from, kind, i_);				\
		if (!make_room((s), &one_))				\
			continue;					\
		if ((s)->part.kind ## _len == 0)			\
			(s)->part.kind = (from)->kind + i_;		\
		(s)->part.kind ## _len++;				\
	}								\
} while (0)

static bool
has_readings(const struct report *r)
{
	const struct field *f;
	size_t i;

	for (i = 0; i < r->assets_len; i++)
		if (r->assets[i].counters_len > 0)
			return true;
	for (i = 0; i < r->consumables_len; i++)
		for (f = consumable_fields; f->name != NULL; f++)
			if (f->class == FIELD_READING &&
			    !field_absent(f, &r->consumables[i]))
				return true;
	return false;
}

/*
 * What an urgent report reads is newer than what waits in the bulk, and
 * overtakes it.  So what waits of its asset must not be folded past it: it
 * would seem to be newer.  squeeze_outbox() ends at a closed one.
 */
static int
close_bulk(struct store *st, const char *asset)
{
	sqlite3_stmt *stmt;

	if ((stmt = storedb_get(st, out_close)) == NULL)
		return -1;
	storedb_text(stmt, 1, asset);
	return storedb_done(st, stmt);
}

/* Of what the agent says of itself the last word is enough.  What is under
 * way may arrive all the same. */
static int
supersede(struct store *st)
{
	sqlite3_stmt *stmt;

	stmt = storedb_get(st, out_supersede);
	return stmt == NULL ? -1 : storedb_done(st, stmt);
}

int
outbox_append(struct store *st, const struct report *report,
    enum lane lane, const char *asset)
{
	struct splitter s = { .st = st, .lane = lane, .asset = asset };

	if (lane == LANE_BULK && asset == NULL && supersede(st) == -1)
		return -1;
	if (lane == LANE_URGENT && asset != NULL && has_readings(report) &&
	    close_bulk(st, asset) == -1)
		return -1;
	report_init(&s.part);
	SPLIT(&s, report, assets);
	SPLIT(&s, report, consumables);
	SPLIT(&s, report, alerts);
	SPLIT(&s, report, agents);
	flush_part(&s);
	return s.reports;
}

/* The body as it leaves: the numbers go into the start tag, where the
 * namespace was, which the element around it has.  False for an empty one. */
static bool
put_numbers(struct buf *xml, const char *body, int64_t seq, int64_t turn)
{
	static const char start[] = "<report xmlns='" REPORT_NS "'";

	/* So a report that was folded away was kept once. */
	if (strcmp(body, "<report xmlns=\"" REPORT_NS "\"/>") == 0)
		return false;
	if (strncmp(body, start, sizeof(start) - 1) != 0) {
		log_warnx("store", "report %lld is damaged and cannot be "
		    "sent", (long long)seq);
		return false;
	}
	buf_printf(xml, "<report seq='%lld' turn='%lld'", (long long)seq,
	    (long long)turn);
	buf_puts(xml, body + sizeof(start) - 1);
	return true;
}

/* Reports while there is room: 0, or -1. */
static int
put_reports(struct store *st, sqlite3_stmt *stmt, struct outbox_batch *b,
    struct buf *xml)
{
	char *body;
	size_t len;
	int rc;

	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		if ((body = storedb_body(st, stmt, 2, &len)) == NULL)
			return -1;
		if (b->reports > 0 && xml->len + len > b->most_bytes) {
			free(body);
			return 0;
		}
		b->last = sqlite3_column_int64(stmt, 0);
		if (put_numbers(xml, body, b->last,
		    sqlite3_column_int64(stmt, 1)))
			b->reports++;
		free(body);
	}
	return rc == SQLITE_DONE ? 0 : storedb_failed(st, "outbox");
}

int
outbox_batch(struct store *st, struct outbox_batch *b, struct buf *xml)
{
	char epoch[UUID_TEXT_MAX];
	struct buf reports = { 0 };
	sqlite3_stmt *stmt;
	int rc;

	b->first = b->after + 1;
	b->last = b->after;
	b->reports = 0;
	if (store_epoch(st, epoch) == -1 ||
	    (stmt = storedb_get(st, out_next)) == NULL)
		return -1;
	sqlite3_bind_int(stmt, 1, (int)b->lane);
	sqlite3_bind_int64(stmt, 2, b->after);
	sqlite3_bind_int64(stmt, 3, b->urgent_acked);
	sqlite3_bind_int(stmt, 4, b->most);
	rc = put_reports(st, stmt, b, &reports);
	storedb_finish(stmt);
	if (rc == 0 && b->last > b->after) {
		buf_printf(xml, "<reports xmlns='" REPORT_NS "' epoch='%s' "
		    "lane='%s' first='%lld' last='%lld'>", epoch,
		    lane_name(b->lane), (long long)b->first,
		    (long long)b->last);
		if (reports.data != NULL)
			buf_put(xml, reports.data, reports.len);
		buf_puts(xml, "</reports>");
		rc = 1;
	}
	buf_free(&reports);
	return rc;
}

int
outbox_ack(struct store *st, enum lane lane, int64_t seq)
{
	sqlite3_stmt *stmt;
	bool own = !st->open;

	if (seq <= store_note_int(st, acked_note[lane], 0))
		return 0;
	if (own && store_begin(st) == -1)
		return -1;
	if ((stmt = storedb_get(st, out_ack)) == NULL)
		goto bad;
	sqlite3_bind_int(stmt, 1, (int)lane);
	sqlite3_bind_int64(stmt, 2, seq);
	if (storedb_done(st, stmt) == -1 ||
	    store_set_note_int(st, acked_note[lane], seq) == -1)
		goto bad;
	return own ? store_commit(st) : 0;
bad:
	if (own)
		store_rollback(st);
	return -1;
}

int
outbox_refuse(struct store *st, enum lane lane, int64_t seq, const char *why)
{
	char epoch[UUID_TEXT_MAX];
	sqlite3_stmt *stmt;

	if (store_begin(st) == -1)
		return -1;
	(void)store_epoch(st, epoch);
	if ((stmt = storedb_get(st, refuse)) == NULL)
		goto bad;
	sqlite3_bind_int(stmt, 1, (int)lane);
	sqlite3_bind_int64(stmt, 2, seq);
	storedb_text(stmt, 3, epoch);
	storedb_put_sealed(st, stmt, 4, STOREDB_WHY_NAME, why,
	    why == NULL ? 0 : strlen(why));
	if (storedb_done(st, stmt) == -1 ||
	    (stmt = storedb_get(st, refused_old)) == NULL ||
	    storedb_done(st, stmt) == -1 || outbox_ack(st, lane, seq) == -1)
		goto bad;
	return store_commit(st);
bad:
	store_rollback(st);
	return -1;
}

/* Runs what is bound and gives two numbers. */
static int
two_numbers(struct store *st, sqlite3_stmt *stmt, int64_t *a, int64_t *b)
{
	int rc;

	if (stmt == NULL)
		return -1;
	rc = sqlite3_step(stmt);
	*a = sqlite3_column_int64(stmt, 0);
	*b = sqlite3_column_int64(stmt, 1);
	storedb_finish(stmt);
	return rc == SQLITE_ROW ? 0 : storedb_failed(st, "counting");
}

int
outbox_ready(struct store *st, enum lane lane, int64_t after, int most,
    int *reports, int64_t *bytes)
{
	sqlite3_stmt *stmt = storedb_get(st, out_ready);
	int64_t n = 0;
	int rc;

	*bytes = 0;
	if (stmt != NULL) {
		sqlite3_bind_int(stmt, 1, (int)lane);
		sqlite3_bind_int64(stmt, 2, after);
		sqlite3_bind_int(stmt, 3, most);
	}
	rc = two_numbers(st, stmt, &n, bytes);
	*reports = (int)n;
	return rc;
}

int
outbox_numbers(struct store *st, enum lane lane, struct outbox_lane *out)
{
	memset(out, 0, sizeof(*out));
	out->next_seq = store_note_int(st, next_note[lane], -1);
	out->acked_seq = store_note_int(st, acked_note[lane], -1);
	return out->next_seq < 1 || out->acked_seq < 0 ? -1 : 0;
}

int
outbox_count(struct store *st, struct outbox_count *out)
{
	struct outbox_lane *lane;
	sqlite3_stmt *stmt;
	int64_t none;
	int i;

	memset(out, 0, sizeof(*out));
	for (i = 0; i < LANES; i++) {
		lane = &out->lane[i];
		if (outbox_numbers(st, (enum lane)i, lane) == -1)
			return -1;
		if ((stmt = storedb_get(st, out_count)) != NULL)
			sqlite3_bind_int(stmt, 1, i);
		if (two_numbers(st, stmt, &lane->depth, &lane->bytes) == -1)
			return -1;
		out->depth += lane->depth;
		out->bytes += lane->bytes;
	}
	if (two_numbers(st, storedb_get(st, refused_count), &out->refused,
	    &none) == -1)
		return -1;
	out->lost_detail = store_note_int(st, "lost_detail", 0);
	return 0;
}

int
outbox_each(struct store *st, bool refused, void (*fn)(void *,
    const struct outbox_report *), void *arg)
{
	struct outbox_report report;
	sqlite3_stmt *stmt;
	char *body, *why;
	size_t len;
	int rc;

	if ((stmt = storedb_get(st, refused ? refused_each : out_each)) == NULL)
		return -1;
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		report.lane = sqlite3_column_int(stmt, 0) == LANE_BULK ?
		    LANE_BULK : LANE_URGENT;
		report.seq = sqlite3_column_int64(stmt, 1);
		report.created_ms = sqlite3_column_int64(stmt, 2);
		report.asset = (const char *)sqlite3_column_text(stmt, 3);
		report.body = body = storedb_body(st, stmt, 4, &len);
		report.why = why = storedb_open_sealed(st, stmt, 5,
		    STOREDB_WHY_NAME, NULL);
		if (body != NULL)
			fn(arg, &report);
		free(why);
		free(body);
	}
	storedb_finish(stmt);
	return rc == SQLITE_DONE ? 0 : storedb_failed(st, "reports");
}

/*
 * By way of negative numbers, so that no two rows ever share one.  Those that
 * were folded away leave no number behind: the order is what counts.
 */
static const char renumber[] =
    "UPDATE outbox SET seq = -r.place, turn = r.turn FROM (SELECT rowid AS id,"
    " row_number() OVER (PARTITION BY lane ORDER BY seq) AS place,"
    " row_number() OVER (ORDER BY turn) AS turn FROM outbox) AS r"
    " WHERE outbox.rowid = r.id;"
    "UPDATE outbox SET seq = -seq;";

int
outbox_new_epoch(struct store *st)
{
	char uuid[UUID_TEXT_MAX];
	struct outbox_count box;
	int i;

	uuid_make(uuid);
	if (store_begin(st) == -1)
		return -1;
	if (outbox_count(st, &box) == -1 ||
	    storedb_run(st, renumber) == -1 ||
	    store_set_note(st, "epoch", uuid) == -1 ||
	    store_set_note_int(st, "next_turn", box.depth + 1) == -1)
		goto bad;
	for (i = 0; i < LANES; i++)
		if (store_set_note_int(st, acked_note[i], 0) == -1 ||
		    store_set_note_int(st, next_note[i],
		    box.lane[i].depth + 1) == -1)
			goto bad;
	return store_commit(st);
bad:
	store_rollback(st);
	return -1;
}
