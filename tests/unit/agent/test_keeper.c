/* The keeper: a store that cannot be trusted is set aside, what is authentic
 * in it is saved, and nothing that lies on the disk makes it stumble.  And the
 * check that runs beside the agent. */
#include "kit.h"

#include <sys/stat.h>

#include <dirent.h>
#include <fcntl.h>
#include <sqlite3.h>

#include "agent/audit.h"
#include "agent/keeper.h"
#include "agent/known.h"
#include "agent/outbox.h"
#include "agent/store.h"
#include "base/clock.h"
#include "base/loop.h"
#include "crypto/lock.h"

static struct lock *lock;

static int
set_up(void **state)
{
	char *path;

	if (kit_dir_make(state) != 0)
		return -1;
	path = xasprintf("%s/store.key", kit_dir);
	lock = lock_make(path);
	free(path);
	kit_listen();
	return lock == NULL ? -1 : 0;
}

static int
tear_down(void **state)
{
	kit_listen_no_more();
	lock_free(lock);
	return kit_dir_remove(state);
}

static char *
in_dir(const char *name)
{
	static char path[4][128];
	static int turn;

	turn = (turn + 1) % 4;
	snprintf(path[turn], sizeof(path[turn]), "%s/%s", kit_dir, name);
	return path[turn];
}

static struct store *
open_store(void)
{
	struct store *st = store_open_locked(kit_dir, lock_copy(lock), NULL);

	assert_non_null(st);
	return st;
}

/* Reports that wait, an alert each, and what was told with them. */
static void
fill(struct store *st, int reports)
{
	struct report r;
	struct alert *a;
	struct asset asset;
	int i;

	assert_int_equal(store_begin(st), 0);
	for (i = 1; i <= reports; i++) {
		report_init(&r);
		a = report_alert(&r);
		kit_alert(a, i, 8, 3);
		a->id = xasprintf("33333333-3333-4333-8333-%012d", i);
		a->asset = xstrdup(KIT_ASSET);
		free(a->description);
		a->description = xasprintf("jam %d", i);
		assert_int_equal(outbox_append(st, &r, LANE_URGENT,
		    KIT_ASSET), 1);
		report_clear(&r);
		kit_asset(&asset, KIT_ASSET);
		free(asset.id);
		asset.id = xasprintf("44444444-4444-4444-8444-%012d", i);
		assert_int_equal(known_tell_asset(st, &asset), 0);
		asset_clear(&asset);
	}
	assert_int_equal(store_commit(st), 0);
}

static void
put_device(struct store *st, const char *address, int printer)
{
	struct known_device d = { .printer = printer, .seen_ms = 7 };

	d.address = xstrdup(address);
	d.credentials = xstrdup("office");
	d.memo = xstrdup("v2c");
	d.why = printer ? NULL : xstrdup("a kettle");
	assert_int_equal(known_put_device(st, &d), 0);
	known_device_clear(&d);
}

static void
sql(const char *path, const char *text)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static int64_t
sql_int(const char *text)
{
	sqlite3_stmt *stmt;
	sqlite3 *db;
	int64_t n;

	assert_int_equal(sqlite3_open(in_dir("store.db"), &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, text, -1, &stmt, NULL),
	    SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	n = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return n;
}

static void
scribble(int64_t at, size_t len)
{
	uint8_t noise[4096];
	size_t i;
	int fd = open(in_dir("store.db"), O_WRONLY);

	for (i = 0; i < sizeof(noise); i++)
		noise[i] = (uint8_t)(i * 37 + 11);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, noise, len, at), len);
	close(fd);
}

/* How many stores were set aside. */
static int
aside(void)
{
	struct dirent *e;
	DIR *d = opendir(kit_dir);
	int n = 0;

	while ((e = readdir(d)) != NULL)
		n += strncmp(e->d_name, "store.db.damaged-", 17) == 0 &&
		    strchr(e->d_name + 17, '-') == NULL;
	closedir(d);
	return n;
}

static void
count_jam(void *arg, const struct outbox_report *r)
{
	int *last = arg, n;
	const char *at = strstr(r->body, "jam ");

	assert_non_null(at);
	n = atoi(at + 4);
	assert_true(n > *last);		/* in their order */
	*last = n;
	assert_string_equal(r->asset, KIT_ASSET);
}

/* --- what is well ---------------------------------------------------------- */

static void
what_is_sound_stays(void **state)
{
	char first[UUID_TEXT_MAX], epoch[UUID_TEXT_MAX];
	struct keeper_loss loss;
	struct store *st;

	/* None at all is made. */
	assert_int_equal(keeper_prepare(kit_dir, lock, NULL), 0);
	st = open_store();
	fill(st, 3);
	assert_int_equal(store_epoch(st, first), 0);
	store_close(st);
	assert_int_equal(keeper_prepare(kit_dir, lock, NULL), 0);
	st = open_store();
	assert_int_equal(store_epoch(st, epoch), 0);
	assert_string_equal(first, epoch);
	keeper_loss(st, &loss);
	assert_int_equal(loss.at_ms, 0);
	keeper_loss_clear(&loss);
	store_close(st);
	assert_int_equal(aside(), 0);
	assert_false(kit_said("damaged"));
}

/* --- what is not ------------------------------------------------------------ */

static void
ruin_header(void)
{
	scribble(0, 100);
}

static void
ruin_told(void)
{
	int64_t page = sql_int("PRAGMA page_size");

	scribble((sql_int("SELECT rootpage FROM sqlite_schema WHERE name ="
	    " 'told'") - 1) * page, (size_t)page);
}

static void
ruin_length(void)
{
	struct stat sb;

	assert_int_equal(stat(in_dir("store.db"), &sb), 0);
	assert_int_equal(truncate(in_dir("store.db"), sb.st_size / 2 - 5), 0);
}

static void
ruin_all(void)
{
	assert_int_equal(truncate(in_dir("store.db"), 0), 0);
}

static void
ruin_kind(void)
{
	assert_int_equal(unlink(in_dir("store.db")), 0);
	assert_int_equal(mkdir(in_dir("store.db"), 0700), 0);
}

static void
ruin_identity(void)
{
	sql(in_dir("store.db"), "PRAGMA application_id = 1");
}

static void
ruin_seal(void)
{
	sql(in_dir("store.db"), "UPDATE note SET value = 'x' WHERE key ="
	    " 'seal'");
}

static void
what_is_damaged_is_set_aside(void **state)
{
	static const struct {
		void	(*ruin)(void);
		bool	 saves;
	} cases[] = {
		{ ruin_header, false }, { ruin_told, true },
		{ ruin_length, false }, { ruin_all, false },
		{ ruin_kind, false }, { ruin_identity, true },
		{ ruin_seal, true },
	};
	char first[UUID_TEXT_MAX], epoch[UUID_TEXT_MAX];
	struct keeper_loss loss;
	struct store *st;
	size_t i;
	int last;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		st = open_store();
		assert_int_equal(outbox_new_epoch(st), 0);
		fill(st, 40);
		put_device(st, "192.0.2.3:161", 1);
		put_device(st, "192.0.2.9:161", 0);
		assert_int_equal(store_epoch(st, first), 0);
		store_close(st);
		kit_listen();
		cases[i].ruin();
		assert_int_equal(keeper_prepare(kit_dir, lock, NULL), 0);
		assert_said("is damaged: ");
		assert_said("a new one begins");
		st = open_store();
		assert_int_equal(store_epoch(st, epoch), 0);
		assert_string_not_equal(first, epoch);
		keeper_loss(st, &loss);
		assert_true(clock_wall_ms() - loss.at_ms < 60000);
		assert_true(loss.why[0] != '\0');
		if (cases[i].saves) {
			assert_int_equal(loss.saved % 40, 0);
			assert_true(loss.saved >= 40);
			assert_int_equal(loss.lost, 0);
			assert_int_equal(sql_int("SELECT count(*) FROM device"),
			    1);
		}
		last = 0;
		if (i < 2)
			assert_int_equal(outbox_each(st, false, count_jam,
			    &last), 0);
		keeper_loss_clear(&loss);
		/* The next one begins with nothing. */
		assert_int_equal(outbox_ack(st, LANE_URGENT, 1000000), 0);
		store_close(st);
	}
	assert_int_equal(aside(), KEEPER_KEPT);
}

/* A row that somebody changed is no report of ours, whatever it says. */
static void
only_what_is_authentic_is_saved(void **state)
{
	struct keeper_loss loss;
	struct store *st = open_store();
	int last = 0;

	fill(st, 20);
	store_close(st);
	sql(in_dir("store.db"),
	    "UPDATE outbox SET body = zeroblob(200) WHERE seq = 3;"
	    "UPDATE outbox SET body = '<report xmlns=\"urn:platen:report:1\"/>'"
	    " WHERE seq = 4;"
	    "UPDATE outbox SET body = (SELECT body FROM told LIMIT 1)"
	    " WHERE seq = 5;"
	    "UPDATE outbox SET body = substr(body, 1, 30) WHERE seq = 6;");
	assert_int_equal(keeper_prepare(kit_dir, lock, "a child said so"), 0);
	st = open_store();
	keeper_loss(st, &loss);
	assert_string_equal(loss.why, "a child said so");
	assert_int_equal(loss.saved, 16);
	assert_int_equal(loss.lost, 4);
	assert_int_equal(store_note_int(st, "lost_detail", 0), 4);
	keeper_loss_clear(&loss);
	assert_int_equal(outbox_each(st, false, count_jam, &last), 0);
	assert_int_equal(last, 20);
	store_close(st);
}

static void
with_another_key_nothing_is_saved(void **state)
{
	struct store *st = open_store();

	fill(st, 5);
	store_close(st);
	lock_free(lock);
	assert_int_equal(unlink(in_dir("store.key")), 0);
	lock = lock_make(in_dir("store.key"));
	assert_int_equal(keeper_prepare(kit_dir, lock, NULL), 0);
	assert_said("sealed with another key");
	assert_int_equal(aside(), 1);
	assert_int_equal(sql_int("SELECT count(*) FROM outbox"), 0);
}

static void
a_newer_store_is_not_damaged(void **state)
{
	store_close(open_store());
	sql(in_dir("store.db"), "PRAGMA user_version = 99");
	assert_int_equal(keeper_prepare(kit_dir, lock, NULL), -1);
	assert_said("newer Platen");
	assert_int_equal(aside(), 0);
}

/* Killed between setting aside and the end: the note is there. */
static void
what_was_begun_is_ended(void **state)
{
	struct keeper_loss loss;
	struct store *st = open_store();

	fill(st, 5);
	store_close(st);
	assert_int_equal(rename(in_dir("store.db"),
	    in_dir("store.db.damaged-1")), 0);
	st = open_store();
	assert_int_equal(store_set_note(st, "salvage",
	    in_dir("store.db.damaged-1")), 0);
	store_close(st);
	assert_int_equal(keeper_prepare(kit_dir, lock, NULL), 0);
	st = open_store();
	keeper_loss(st, &loss);
	assert_int_equal(loss.saved, 5);
	keeper_loss_clear(&loss);
	store_close(st);
	/* Once. */
	assert_int_equal(keeper_prepare(kit_dir, lock, NULL), 0);
	assert_int_equal(sql_int("SELECT count(*) FROM outbox"), 5);
}

/* Whatever octet of the file is another: it opens or is set aside, and
 * nothing else happens. */
static void
any_page_may_be_ruined(void **state)
{
	struct store *st;
	struct stat sb;
	int64_t at;

	st = open_store();
	fill(st, 60);
	store_close(st);
	assert_int_equal(stat(in_dir("store.db"), &sb), 0);
	for (at = 0; at < sb.st_size; at += 4096) {
		st = open_store();
		fill(st, 60);
		store_close(st);
		scribble(at + at / 64 % 2048, 600);
		assert_int_equal(keeper_prepare(kit_dir, lock, NULL), 0);
		assert_int_equal(keeper_prepare(kit_dir, lock, "again"), 0);
		assert_true(aside() <= KEEPER_KEPT);
	}
}

/* --- beside the agent -------------------------------------------------------- */

struct beside {
	struct loop	*loop;
	struct audit	*audit;
	enum store_state state;
	int		 news;
	struct timer	 timer;
};

static void
on_state(void *arg, enum store_state state, const char *why)
{
	struct beside *b = arg;

	b->state = state;
	b->news++;
	loop_stop(b->loop);
}

static void
on_timer(void *arg)
{
	struct beside *b = arg;

	if (audit_rounds(b->audit) > 0)
		loop_stop(b->loop);
	else
		timer_after(b->loop, &b->timer, 20, on_timer, b);
}

/* A round, or until something is said. */
static enum store_state
audited(struct store *st)
{
	struct beside b = { .loop = loop_new() };

	b.audit = audit_new(b.loop, st);
	store_watch(st, on_state, &b);
	audit_now(b.audit);
	timer_after(b.loop, &b.timer, 20, on_timer, &b);
	loop_run(b.loop);
	store_watch(st, NULL, NULL);
	timer_clear(b.loop, &b.timer);
	audit_free(b.audit);
	loop_free(b.loop);
	return b.state;
}

static void
the_check_reads_everything(void **state)
{
	static const char *const ruin[] = {
		"UPDATE told SET body = zeroblob(100) WHERE id = (SELECT id FROM"
		" told ORDER BY id DESC LIMIT 1)",
		/* Exchanged, each is another's. */
		"UPDATE told SET body = (SELECT body FROM told ORDER BY id LIMIT"
		" 1) WHERE id = (SELECT id FROM told ORDER BY id DESC LIMIT 1)",
		"UPDATE outbox SET body = 'x' WHERE seq = 100",
		"UPDATE asset SET key = 'S:in:clear'",
		"UPDATE device SET why = 'in clear' WHERE printer = 0",
		"INSERT INTO refused(number, body) VALUES(1, 'x')",
	};
	struct known_asset asset = { .id = KIT_ASSET, .row = 1 };
	struct store *st = open_store();
	size_t i;

	fill(st, 200);
	put_device(st, "192.0.2.9:161", 0);
	asset.key = xstrdup("S:maker:KX7731");
	assert_int_equal(known_put_asset(st, &asset), 0);
	known_asset_clear(&asset);
	assert_int_equal(audited(st), STORE_FINE);
	store_close(st);
	for (i = 0; i < sizeof(ruin) / sizeof(ruin[0]); i++) {
		sql(in_dir("store.db"), ruin[i]);
		st = open_store();
		kit_listen();
		if (audited(st) != STORE_DAMAGED)
			fail_msg("not found: %s", ruin[i]);
		assert_said("is damaged");
		store_close(st);
		assert_int_equal(keeper_prepare(kit_dir, lock, "found"), 0);
		st = open_store();
		fill(st, 200);
		put_device(st, "192.0.2.9:161", 0);
		asset = (struct known_asset){ .id = KIT_ASSET, .row = 1 };
		asset.key = xstrdup("S:maker:KX7731");
		assert_int_equal(known_put_asset(st, &asset), 0);
		known_asset_clear(&asset);
		store_close(st);
	}
}

static void
the_check_sees_files_go(void **state)
{
	struct store *st = open_store();

	fill(st, 3);
	assert_int_equal(unlink(in_dir("store.db-wal")), 0);
	assert_int_equal(audited(st), STORE_DAMAGED);
	assert_said("store.db-wal was removed");
	store_close(st);
	st = open_store();
	assert_int_equal(rename(in_dir("store.db"), in_dir("other")), 0);
	assert_int_equal(audited(st), STORE_DAMAGED);
	assert_said("removed or replaced");
	store_close(st);
}

#define TEST(f)	cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_sound_stays),
		TEST(what_is_damaged_is_set_aside),
		TEST(only_what_is_authentic_is_saved),
		TEST(with_another_key_nothing_is_saved),
		TEST(a_newer_store_is_not_damaged),
		TEST(what_was_begun_is_ended),
		TEST(any_page_may_be_ruined),
		TEST(the_check_reads_everything),
		TEST(the_check_sees_files_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
