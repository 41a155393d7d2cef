#include "agent/outbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/storedb.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#define TEXT(number)	TEXT_OF(number)
#define TEXT_OF(number)	#number
/* Past this a report is split, well below REPORT_XML_MAX. */
#define BODY_MAX	(32 * 1024)

static const char out_put[] =
    "INSERT INTO outbox VALUES(?,?,?,?,?)";
static const char out_next[] =
    "SELECT seq, body FROM outbox WHERE seq > ?"
    " ORDER BY seq LIMIT 1";
static const char out_ack[] =
    "DELETE FROM outbox WHERE seq <= ?";
static const char out_count[] =
    "SELECT count(*), coalesce(sum(length(CAST(body AS"
    " BLOB))), 0) FROM outbox";
static const char out_seqs[] =
    "SELECT coalesce(min(seq), 0), coalesce(max(seq), 0)"
    " FROM outbox";
static const char out_each[] =
    "SELECT seq, created, lane, asset, body, NULL"
    " FROM outbox ORDER BY seq";
static const char refuse[] =
    "INSERT INTO refused(epoch, seq, created, lane, asset,"
    " body, why) SELECT ?2, seq, created, lane, asset, body, ?3"
    " FROM outbox WHERE seq = ?1";
static const char refused_old[] =
    "DELETE FROM refused WHERE number <= (SELECT number"
    " FROM refused ORDER BY number DESC LIMIT 1 OFFSET "
    TEXT(OUTBOX_REFUSED_MAX) ")";
static const char refused_count[] =
    "SELECT count(*) FROM refused";
static const char refused_each[] =
    "SELECT seq, created, lane, asset, body, why"
    " FROM refused ORDER BY number";

static int64_t
next_seq(struct store *st)
{
	if (st->next_seq == 0 || !st->open)
		st->next_seq = store_note_int(st, "next_seq", 1);
	return st->next_seq;
}

static int
append_body(struct store *st, const struct buf *body, enum outbox_lane lane,
    const char *asset)
{
	sqlite3_stmt *stmt;
	int64_t seq;

	if ((stmt = storedb_get(st, out_put)) == NULL)
		return -1;
	seq = next_seq(st);
	sqlite3_bind_int64(stmt, 1, seq);
	sqlite3_bind_int64(stmt, 2, clock_wall_ms());
	sqlite3_bind_int(stmt, 3, (int)lane);
	storedb_text(stmt, 4, asset);
	storedb_put_body(st, stmt, 5, body->data, body->len);
	if (storedb_done(st, stmt) == -1 ||
	    store_set_note_int(st, "next_seq", seq + 1) == -1)
		return -1;
	st->next_seq = seq + 1;
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
	enum outbox_lane		 lane;
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

int
outbox_append(struct store *st, const struct report *report,
    enum outbox_lane lane, const char *asset)
{
	struct splitter s = { .st = st, .lane = lane, .asset = asset };

	report_init(&s.part);
	SPLIT(&s, report, assets);
	SPLIT(&s, report, consumables);
	SPLIT(&s, report, alerts);
	SPLIT(&s, report, agents);
	flush_part(&s);
	return s.reports;
}

/* The body as it leaves: epoch and seq go into the start tag. */
static void
put_numbers(struct buf *xml, const char *body, const char *epoch, int64_t seq)
{
	static const char start[] = "<report";

	buf_puts(xml, start);
	buf_printf(xml, " epoch='%s' seq='%lld'", epoch, (long long)seq);
	buf_puts(xml, body + sizeof(start) - 1);
}

int
outbox_next(struct store *st, int64_t after, int64_t *seq, struct buf *xml)
{
	char epoch[UUID_TEXT_MAX], *body = NULL;
	sqlite3_stmt *stmt;
	size_t len;
	int rc;

	if (store_epoch(st, epoch) == -1 ||
	    (stmt = storedb_get(st, out_next)) == NULL)
		return -1;
	sqlite3_bind_int64(stmt, 1, after);
	rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW) {
		*seq = sqlite3_column_int64(stmt, 0);
		if ((body = storedb_body(st, stmt, 1, &len)) != NULL)
			put_numbers(xml, body, epoch, *seq);
	}
	storedb_finish(stmt);
	free(body);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return storedb_failed(st, "outbox");
	return rc == SQLITE_ROW;
}

int
outbox_ack(struct store *st, int64_t seq)
{
	sqlite3_stmt *stmt;
	bool own = !st->open;

	if (seq <= store_note_int(st, "acked_seq", 0))
		return 0;
	if (own && store_begin(st) == -1)
		return -1;
	if ((stmt = storedb_get(st, out_ack)) == NULL)
		goto bad;
	sqlite3_bind_int64(stmt, 1, seq);
	if (storedb_done(st, stmt) == -1 ||
	    store_set_note_int(st, "acked_seq", seq) == -1)
		goto bad;
	return own ? store_commit(st) : 0;
bad:
	if (own)
		store_rollback(st);
	return -1;
}

int
outbox_refuse(struct store *st, int64_t seq, const char *why)
{
	char epoch[UUID_TEXT_MAX];
	sqlite3_stmt *stmt;

	if (store_begin(st) == -1)
		return -1;
	(void)store_epoch(st, epoch);
	if ((stmt = storedb_get(st, refuse)) == NULL)
		goto bad;
	sqlite3_bind_int64(stmt, 1, seq);
	storedb_text(stmt, 2, epoch);
	storedb_put_sealed(st, stmt, 3, STOREDB_WHY_NAME, why,
	    why == NULL ? 0 : strlen(why));
	if (storedb_done(st, stmt) == -1 || (stmt = storedb_get(st, refused_old)) == NULL ||
	    storedb_done(st, stmt) == -1 || outbox_ack(st, seq) == -1)
		goto bad;
	return store_commit(st);
bad:
	store_rollback(st);
	return -1;
}

static int
two_numbers(struct store *st, const char *which, int64_t *a, int64_t *b)
{
	sqlite3_stmt *stmt;
	int rc;

	if ((stmt = storedb_get(st, which)) == NULL)
		return -1;
	rc = sqlite3_step(stmt);
	*a = sqlite3_column_int64(stmt, 0);
	if (b != NULL)
		*b = sqlite3_column_int64(stmt, 1);
	storedb_finish(stmt);
	return rc == SQLITE_ROW ? 0 : storedb_failed(st, "counting");
}

int
outbox_count(struct store *st, struct outbox_count *out)
{
	int64_t last;

	memset(out, 0, sizeof(*out));
	if (two_numbers(st, out_count, &out->depth, &out->bytes) == -1 ||
	    two_numbers(st, out_seqs, &out->first_seq, &last) == -1 ||
	    two_numbers(st, refused_count, &out->refused, NULL) == -1)
		return -1;
	out->next_seq = store_note_int(st, "next_seq", 1);
	out->acked_seq = store_note_int(st, "acked_seq", 0);
	out->lost_detail = store_note_int(st, "lost_detail", 0);
	if (out->depth == 0)
		out->first_seq = out->next_seq;
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
		report.seq = sqlite3_column_int64(stmt, 0);
		report.created_ms = sqlite3_column_int64(stmt, 1);
		report.lane = sqlite3_column_int(stmt, 2) == OUTBOX_DETAIL ?
		    OUTBOX_DETAIL : OUTBOX_EVENT;
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

int
outbox_new_epoch(struct store *st)
{
	char uuid[UUID_TEXT_MAX], renumber[160];
	struct outbox_count box;

	uuid_make(uuid);
	if (store_begin(st) == -1)
		return -1;
	if (outbox_count(st, &box) == -1)
		goto bad;
	/* Numbers have no gaps, so they move together; by way of negative
	 * ones, so that no two rows ever share one. */
	snprintf(renumber, sizeof(renumber), "UPDATE outbox SET seq = -(seq - "
	    "%lld); UPDATE outbox SET seq = -seq;",
	    (long long)box.first_seq - 1);
	if (storedb_run(st, renumber) == -1 ||
	    store_set_note(st, "epoch", uuid) == -1 ||
	    store_set_note_int(st, "acked_seq", 0) == -1 ||
	    store_set_note_int(st, "next_seq", box.depth + 1) == -1)
		goto bad;
	return store_commit(st);
bad:
	store_rollback(st);
	return -1;
}
