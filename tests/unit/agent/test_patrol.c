/* The devices over time: found, told, silent, back; whatever the store does
 * meanwhile.  Readings are made up here; everything below is real. */
#include "kit.h"

#include "base/clock.h"

static int64_t	made_up_wall_ms(void);
static void	counted_decode(const struct bag *, int64_t, const char *, int64_t,
		    struct printer *);
#define reading_start	made_up_start
#define network_attached made_up_attached
#define printer_decode	counted_decode
#define reading_cancel	made_up_cancel
#define clock_wall_ms	made_up_wall_ms
#include "agent/known.h"
#include "agent/outbox.h"
#include "agent/storedb.h"
#include "agent/account.c"
#include "agent/remit.c"
#include "agent/visit.c"
#include "agent/patrol.c"
#undef clock_wall_ms

#include <sqlite3.h>

#define ADDRESSES	4

/* The readings that wait for an answer, by the address's last number. */
static struct {
	reading_fn	*fn;
	void		*arg;
	unsigned	 what;
	int		 count;
	const char	*section;	/* what it was asked with */
	uint8_t		 version;
	struct device_memo memo;
	bool		 engine;
} asked[ADDRESSES];
static int64_t wall_off_ms;

static int64_t
made_up_wall_ms(void)
{
	return clock_wall_ms() + wall_off_ms;
}

static int decoded;

#undef printer_decode
static void
counted_decode(const struct bag *bag, int64_t index, const char *ip,
    int64_t now_ms, struct printer *out)
{
	decoded++;
	printer_decode(bag, index, ip, now_ms, out);
}

/* This machine stands in no network. */
size_t
made_up_attached(struct range out[NETWORK_ATTACHED_MAX])
{
	return 0;
}

struct reading *
made_up_start(struct asker *asker, struct loop *loop,
    const struct reading_target *target, unsigned what,
    const struct bag *image, const struct device_memo *memo, reading_fn *fn,
    void *arg)
{
	unsigned i = ntohl(target->addr.sin_addr.s_addr) % 256;

	assert_true(i < ADDRESSES);
	assert_null(asked[i].fn);
	asked[i].fn = fn;
	asked[i].arg = arg;
	asked[i].what = what;
	asked[i].count++;
	asked[i].section = target->credential->name;
	asked[i].version = target->credential->version == 0 ? 2 :
	    (uint8_t)target->credential->version;
	asked[i].memo = *memo;
	asked[i].engine = target->engine != NULL;
	return (struct reading *)&asked[i];
}

void
made_up_cancel(struct reading *reading)
{
	memset(reading, 0, sizeof(asked[0]));
}

/* --- the scene ----------------------------------------------------------- */

static struct config conf;
static struct config_snmp snmp;
static struct loop *loop;
static struct store *st;
static struct patrol *patrol;
static int written;

static void
on_report(void *arg)
{
	written++;
}

static void
begin(void)
{
	loop = loop_new();
	st = store_open(kit_dir);
	assert_non_null(st);
	patrol = patrol_new(loop, &conf, st, on_report, NULL);
	patrol_start(patrol);
}

static void
finish(void)
{
	patrol_free(patrol);
	store_close(st);
	loop_free(loop);
	patrol = NULL;
}

static char *everything[] = { "192.0.2.0/24" };
static char *nothing[] = { "192.0.2.2" };

static int
set_up(void **state)
{
	memset(&conf, 0, sizeof(conf));
	memset(&snmp, 0, sizeof(snmp));
	memset(asked, 0, sizeof(asked));
	wall_off_ms = 0;
	written = 0;
	snmp.credential.name = "default";
	snmp.credential.community = "public";
	snmp.port = 161;
	conf.snmp = &snmp;
	conf.snmp_len = 1;
	conf.networks.item = everything;
	conf.networks.count = 1;
	conf.heartbeat_ms = 10;
	conf.supplies_ms = conf.counters_ms = 3600 * 1000;
	conf.assets_ms = 24 * 3600 * 1000;
	conf.max_size = 1 << 26;
	kit_listen();
	return kit_dir_make(state);
}

static int
tear_down(void **state)
{
	kit_listen_no_more();
	return kit_dir_remove(state);
}

/* Runs the loop until that address is asked, or a second has passed. */
static bool
is_asked(int i)
{
	int64_t until = clock_mono_ms() + 1000;

	while (asked[i].fn == NULL && clock_mono_ms() < until)
		loop_once(loop, 5);
	return asked[i].fn != NULL;
}

/* Until what was told is committed. */
static void
settle_down(void)
{
	int64_t until = clock_mono_ms() + 30;

	while (clock_mono_ms() < until)
		loop_once(loop, 5);
}

/* What the next answer has noticed. */
static struct reading_result news;

static void
answer_only(int i, enum reading_status status, struct bag *bag)
{
	struct reading_result r = { .status = status, .fresh = bag };
	struct objid everything_read = { 1, { 1 } };
	reading_fn *fn = asked[i].fn;

	assert_non_null(fn);
	if (status == READING_NO_PRINTER)
		snprintf(r.why, sizeof(r.why), "it is a kettle");
	if (status == READING_DENIED)
		snprintf(r.why, sizeof(r.why), "unknown user name");
	r.restarted = news.restarted;
	r.alerts_moved = news.alerts_moved;
	memset(&news, 0, sizeof(news));
	r.covered = &everything_read;
	r.covered_len = 1;
	r.memo.version = asked[i].version;
	if (r.fresh == NULL)
		r.fresh = bag_new();
	asked[i].fn = NULL;
	fn(asked[i].arg, &r);
}

static void
answer(int i, enum reading_status status, struct bag *bag)
{
	answer_only(i, status, bag);
	settle_down();
}

static void
silence(int i)
{
	assert_true(is_asked(i));
	answer(i, READING_SILENT, NULL);
}

static void
number(struct bag *bag, const char *oid, int64_t value)
{
	struct objid id;

	assert_int_equal(objid_parse(oid, &id), 0);
	assert_int_equal(bag_put_number(bag, &id, BAG_INTEGER, value), 0);
}

static void
octets(struct bag *bag, const char *oid, const char *value)
{
	struct objid id;

	assert_int_equal(objid_parse(oid, &id), 0);
	assert_int_equal(bag_put_octets(bag, &id, BAG_OCTETS, value,
	    strlen(value)), 0);
}

static struct bag *
a_printer(const char *serial, int64_t pages)
{
	struct bag *bag = bag_new();

	octets(bag, "1.3.6.1.2.1.1.1.0", "Nowhere LX 20");
	octets(bag, "1.3.6.1.2.1.25.3.2.1.3.1", "Nowhere LX 20");
	number(bag, "1.3.6.1.2.1.25.3.2.1.5.1", 2);
	number(bag, "1.3.6.1.2.1.25.3.5.1.1.1", 3);
	number(bag, "1.3.6.1.2.1.43.5.1.1.1.1", 1);
	octets(bag, "1.3.6.1.2.1.43.5.1.1.17.1", serial);
	number(bag, "1.3.6.1.2.1.43.10.2.1.4.1.1", pages);
	return bag;
}

static int probed;
static const char *zone = "hall";
static enum patrol_find probe_find;

static void
on_probed(void *arg, enum patrol_find find)
{
	probe_find = find;
	probed = find != PATROL_SILENT ? 1 : -1;
}

static void
look(int i)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
	    .sin_port = htons(161) };

	addr.sin_addr.s_addr = htonl(0xc0000200u + (uint32_t)i);
	probed = 0;
	patrol_probe(patrol, &addr, zone, on_probed, NULL);
}

static void
found(int i, const char *serial)
{
	look(i);
	answer(i, READING_DONE, a_printer(serial, 100));
	assert_int_equal(probed, 1);
}

/* The state that was told of the only asset. */
static void
note_told(void *arg, const struct known_asset *asset)
{
	struct report told;

	report_init(&told);
	assert_int_equal(known_told(st, asset->id, &told), 0);
	if (told.assets_len == 1) {
		assert_null(((struct asset *)arg)->id);
		record_copy(asset_fields, arg, &told.assets[0]);
	}
	report_clear(&told);
}

static int64_t
told_state(void)
{
	struct asset a;
	int64_t told;

	asset_init(&a);
	assert_int_equal(known_each_asset(st, note_told, &a), 0);
	told = a.state;
	asset_clear(&a);
	return told;
}

static char *
told_ip(void)
{
	struct asset a;
	char *ip;

	asset_init(&a);
	assert_int_equal(known_each_asset(st, note_told, &a), 0);
	ip = xstrdup(a.ip);
	asset_clear(&a);
	return ip;
}

static void
sql(const char *text)
{
	char *path = xasprintf("%s/store.db", kit_dir);
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 5000);
	assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	free(path);
}

/* The store takes no reports, as on a full disk. */
#define FULL	"CREATE TRIGGER full BEFORE INSERT ON outbox BEGIN "	\
		"SELECT RAISE(ABORT, 'disk full'); END;"
#define ROOM	"DROP TRIGGER full;"

/* --- tests --------------------------------------------------------------- */

static void
found_it_is_told(void **state)
{
	struct patrol_counts counts;
	struct outbox_count box;

	begin();
	found(1, "KX7731");
	assert_int_equal(written, 1);
	assert_int_equal(told_state(), ASSET_ONLINE);
	patrol_count(patrol, &counts);
	assert_int_equal(counts.online, 1);
	/* Nothing new is nothing, ten times over. */
	for (int i = 0; i < 10; i++) {
		assert_true(is_asked(1));
		answer(1, READING_DONE, a_printer("KX7731", 100));
	}
	assert_int_equal(outbox_count(st, &box), 0);
	assert_int_equal(box.depth, 1);
	finish();
}

static void
a_stranger_is_remembered_and_left_alone(void **state)
{
	struct patrol_counts counts;

	begin();
	look(1);
	answer(1, READING_NO_PRINTER, NULL);
	assert_int_equal(probed, 1);
	assert_said("it is a kettle");
	assert_false(is_asked(1));
	patrol_count(patrol, &counts);
	assert_int_equal(counts.others, 1);
	assert_int_equal(counts.online, 0);
	look(3);
	answer(3, READING_SILENT, NULL);
	assert_int_equal(probed, -1);
	finish();
	/* Nor is it asked after a restart. */
	begin();
	assert_false(is_asked(1));
	finish();
}

static void
silent_twice_it_is_unreachable(void **state)
{
	begin();
	found(1, "KX7731");
	silence(1);
	assert_int_equal(told_state(), ASSET_ONLINE);
	silence(1);
	assert_int_equal(told_state(), ASSET_UNREACHABLE);
	assert_int_equal(written, 2);
	silence(1);
	assert_int_equal(written, 2);
	assert_true(is_asked(1));
	assert_int_equal(asked[1].what, READING_ALL);
	answer(1, READING_DONE, a_printer("KX7731", 100));
	assert_int_equal(told_state(), ASSET_ONLINE);
	assert_int_equal(written, 3);
	finish();
}

/* A printer that is gone when the agent starts is told gone as well. */
static void
silent_since_the_start_it_is_unreachable(void **state)
{
	begin();
	found(1, "KX7731");
	finish();
	asked[1].fn = NULL;
	begin();
	silence(1);
	silence(1);
	assert_int_equal(told_state(), ASSET_UNREACHABLE);
	finish();
}

static void
what_the_store_did_not_take_is_told_again(void **state)
{
	struct outbox_count box;

	begin();
	sql(FULL);
	look(1);
	answer(1, READING_DONE, a_printer("KX7731", 100));
	assert_int_equal(written, 0);
	assert_said("the store does not take changes");
	assert_true(is_asked(1));
	answer(1, READING_DONE, a_printer("KX7731", 100));
	sql(ROOM);
	assert_true(is_asked(1));
	answer(1, READING_DONE, a_printer("KX7731", 100));
	assert_said("the store takes changes again");
	assert_int_equal(told_state(), ASSET_ONLINE);
	assert_int_equal(outbox_count(st, &box), 0);
	assert_int_equal(box.depth, 1);
	finish();
}

/* The same for a printer that falls silent just then. */
static void
unreachable_is_told_when_the_store_is_back(void **state)
{
	begin();
	found(1, "KX7731");
	sql(FULL);
	silence(1);
	silence(1);
	silence(1);
	assert_int_equal(told_state(), ASSET_ONLINE);
	sql(ROOM);
	silence(1);
	assert_int_equal(told_state(), ASSET_UNREACHABLE);
	finish();
}

/* And for one that turns out to be none. */
static void
let_go_when_the_store_is_back(void **state)
{
	struct patrol_counts counts;

	begin();
	found(1, "KX7731");
	sql(FULL);
	for (int i = 0; i < 5; i++) {
		assert_true(is_asked(1));
		answer(1, READING_NO_PRINTER, NULL);
	}
	assert_int_equal(told_state(), ASSET_ONLINE);
	sql(ROOM);
	assert_true(is_asked(1));
	answer(1, READING_NO_PRINTER, NULL);
	assert_int_equal(told_state(), ASSET_UNREACHABLE);
	assert_false(is_asked(1));
	patrol_count(patrol, &counts);
	assert_int_equal(counts.others, 1);
	assert_int_equal(counts.online, 0);
	finish();
}

static const struct sockaddr_in *
address(int i)
{
	static struct sockaddr_in addr = { .sin_family = AF_INET };

	addr.sin_port = htons(161);
	addr.sin_addr.s_addr = htonl(0xc0000200u + (uint32_t)i);
	return &addr;
}

static int64_t
rows(const char *where)
{
	char *path = xasprintf("%s/store.db", kit_dir);
	char *query = xasprintf("SELECT count(*) FROM device WHERE %s",
	    where);
	sqlite3_stmt *stmt;
	sqlite3 *db;
	int64_t n;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, query, -1, &stmt, NULL),
	    SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	n = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	free(query);
	free(path);
	return n;
}

/* A stranger's row goes with the transaction of others: its number is another's
 * then, and must not be taken for its own. */
static void
a_stranger_that_the_store_lost_is_written_again(void **state)
{
	begin();
	sql(FULL);
	look(1);
	look(2);
	answer_only(1, READING_NO_PRINTER, NULL);
	answer_only(2, READING_DONE, a_printer("KX7731", 100));
	settle_down();
	assert_int_equal(rows("1"), 0);
	sql(ROOM);
	assert_true(is_asked(2));
	answer(2, READING_DONE, a_printer("KX7731", 100));
	assert_int_equal(rows("printer"), 1);
	look(1);
	answer(1, READING_NO_PRINTER, NULL);
	assert_int_equal(rows("printer = 0 AND address = '192.0.2.1:161'"),
	    1);
	wall_off_ms = INT64_C(8) * 24 * 3600 * 1000;
	look(1);
	answer(1, READING_SILENT, NULL);
	assert_int_equal(rows("printer"), 1);
	assert_int_equal(rows("1"), 1);
	finish();
}

static int
count_begin(unsigned what, void *arg, void *stmt, void *sql)
{
	if (strncmp(sql, "BEGIN", 5) == 0)
		++*(int *)arg;
	return 0;
}

/* Somebody else holds the store: it is said once, and who has waited once does
 * not keep the printers waiting for it. */
static void
a_store_that_is_held_keeps_nobody(void **state)
{
	char *path = xasprintf("%s/store.db", kit_dir);
	int i, lines, begins = 0, before;
	sqlite3 *db;

	begin();
	found(1, "KX7731");
	found(2, "KX7732");
	found(3, "KX7733");
	assert_int_equal(sqlite3_trace_v2(st->db, SQLITE_TRACE_STMT,
	    count_begin, &begins), SQLITE_OK);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL),
	    SQLITE_OK);
	kit_listen();
	/* The first wait may be one of some seconds. */
	assert_int_equal(sqlite3_busy_timeout(st->db, 100), SQLITE_OK);
	assert_int_equal(store_begin(st), -1);
	for (i = 0; i < 6; i++) {
		assert_true(is_asked(1) && is_asked(2) && is_asked(3));
		before = begins;
		answer_only(1, READING_SILENT, NULL);
		answer_only(2, READING_SILENT, NULL);
		answer_only(3, READING_SILENT, NULL);
		settle_down();
		/* One wait of 50 ms, not one for each. */
		assert_true(begins <= before + 1);
	}
	assert_true(begins > 2);
	lines = kit_lines;
	assert_said("database is locked");
	assert_said("does not take changes");
	assert_int_equal(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL),
	    SQLITE_OK);
	sqlite3_close(db);
	(void)sqlite3_trace_v2(st->db, 0, NULL, NULL);
	/* The two of the store, and three that are unreachable. */
	assert_int_equal(lines, 5);
	for (i = 1; i <= 3; i++)
		silence(i);
	assert_int_equal(rows("printer"), 3);
	assert_said("takes changes again");
	free(path);
	finish();
}

/* What discovery has not met any more goes, from memory too. */
static void
what_is_not_met_is_forgotten(void **state)
{
	struct patrol_counts counts;
	int64_t before;

	begin();
	look(1);
	answer(1, READING_NO_PRINTER, NULL);
	found(2, "KX7731");
	before = clock_wall_ms() - 1000;
	assert_true(patrol_met(patrol, address(1), before));
	assert_false(patrol_forget(patrol, address(1), before));
	assert_false(patrol_met(patrol, address(3), before));
	assert_true(patrol_forget(patrol, address(3), before));
	/* A printer is never forgotten for that. */
	assert_false(patrol_forget(patrol, address(2), before + 9000));
	assert_true(patrol_met(patrol, address(2), before + 9000));
	assert_true(patrol_forget(patrol, address(1), before + 9000));
	patrol_count(patrol, &counts);
	assert_int_equal(counts.others, 0);
	assert_int_equal(counts.online, 1);
	finish();
}

/* One printer, two addresses: which one tells must not change with every
 * restart, whichever is asked first. */
static void
two_addresses_stay_as_they_were(void **state)
{
	char *ip;

	begin();
	found(1, "KX7731");
	found(3, "KX7731");
	assert_said("192.0.2.3:161 answers at another address as well");
	finish();
	asked[1].fn = asked[3].fn = NULL;
	begin();
	assert_true(is_asked(3));
	answer(3, READING_DONE, a_printer("KX7731", 100));
	ip = told_ip();
	assert_string_equal(ip, "192.0.2.1");
	free(ip);
	assert_true(is_asked(1));
	answer(1, READING_DONE, a_printer("KX7731", 100));
	assert_int_equal(written, 1);
	/* When the one falls silent the other takes over. */
	silence(1);
	assert_true(is_asked(3));
	answer(3, READING_DONE, a_printer("KX7731", 100));
	ip = told_ip();
	assert_string_equal(ip, "192.0.2.3");
	free(ip);
	finish();
}

/* What the configuration names no longer is not asked any more. */
static void
taken_out_it_is_let_go(void **state)
{
	begin();
	found(2, "KX7731");
	finish();
	asked[2].fn = NULL;
	conf.exclude.item = nothing;
	conf.exclude.count = 1;
	begin();
	settle_down();
	assert_said("192.0.2.2:161 is not in the configuration any more");
	assert_false(is_asked(2));
	assert_int_equal(told_state(), ASSET_UNREACHABLE);
	finish();
	/* And taken in again it is the same one. */
	conf.exclude.count = 0;
	begin();
	assert_false(is_asked(2));
	found(2, "KX7731");
	assert_int_equal(told_state(), ASSET_ONLINE);
	finish();
}

static void
a_named_host_is_kept(void **state)
{
	char *hosts[] = { "192.0.2.1:161" }, *name[] = { "printer.example" };

	begin();
	zone = NULL;
	found(1, "KX7731");
	zone = "hall";
	found(3, "KX7733");
	finish();
	asked[1].fn = asked[3].fn = NULL;
	conf.networks.count = 0;
	conf.hosts.item = hosts;
	conf.hosts.count = 1;
	begin();
	assert_true(is_asked(1));
	finish();
	asked[1].fn = NULL;
	/* May be the one, but not the other, which a network had. */
	conf.hosts.item = name;
	begin();
	assert_true(is_asked(1));
	assert_false(is_asked(3));
	finish();
	asked[1].fn = NULL;
	hosts[0] = "192.0.2.9";
	conf.hosts.item = hosts;
	begin();
	assert_false(is_asked(1));
	finish();
}

/* What is held back has a time; a clock set back must not put it off. */
static void
a_clock_set_back_puts_nothing_off(void **state)
{
	struct outbox_count box;

	begin();
	found(1, "KX7731");
	assert_true(is_asked(1));
	answer(1, READING_DONE, a_printer("KX7731", 101));
	assert_int_equal(outbox_count(st, &box), 0);
	assert_int_equal(box.depth, 1);
	/* Let the interval be over in the teller's eyes. */
	sql("UPDATE asset SET counters_ms = 1");
	wall_off_ms = INT64_C(-24) * 3600 * 1000;
	assert_true(is_asked(1));
	answer(1, READING_DONE, a_printer("KX7731", 101));
	assert_int_equal(outbox_count(st, &box), 0);
	assert_int_equal(box.depth, 2);
	finish();
}

static void
left_out_means_left_out(void **state)
{
	char *omit[] = { "ip", "hostname" };
	struct buf xml = { 0 };
	struct outbox_batch batch = { .lane = LANE_URGENT, .most = 1 };
	struct bag *bag;

	conf.omit.item = omit;
	conf.omit.count = 2;
	begin();
	/* No serial: the key would be made of the address. */
	bag = a_printer("x", 100);
	octets(bag, "1.3.6.1.2.1.1.5.0", "the-boss");
	look(1);
	answer(1, READING_DONE, bag);
	assert_int_equal(outbox_batch(st, &batch, &xml), 1);
	assert_non_null(strstr(xml.data, "<strength>address</strength>"));
	if (strstr(xml.data, "192.0.2.1") != NULL ||
	    strstr(xml.data, "the-boss") != NULL)
		fail_msg("%s", xml.data);
	buf_free(&xml);
	assert_true(is_asked(1));
	answer(1, READING_DONE, a_printer("x", 100));
	assert_int_equal(written, 1);
	finish();
}

/* Assets that were told and are at no device. */
static void
tell_more(int n)
{
	struct known_asset row = { .row = 1 };
	struct asset a;

	assert_int_equal(store_begin(st), 0);
	while (n-- > 0) {
		snprintf(row.id, sizeof(row.id),
		    "00000000-0000-4000-8000-%012d", n);
		kit_asset(&a, row.id);
		assert_int_equal(known_put_asset(st, &row), 0);
		assert_int_equal(known_tell_asset(st, &a), 0);
		asset_clear(&a);
	}
	assert_int_equal(store_commit(st), 0);
}

/* Many more than are told in one turn. */
static void
the_whole_is_told_in_parts(void **state)
{
	struct outbox_count box;
	int64_t until;

	begin();
	found(1, "KX7731");
	tell_more(250);
	sql("INSERT INTO note VALUES('whole', '1');"
	    /* The store fails on the way: everything again, later. */
	    "CREATE TRIGGER full BEFORE INSERT ON outbox WHEN"
	    " (SELECT count(*) FROM outbox) > 150 BEGIN"
	    " SELECT RAISE(ABORT, 'disk full'); END;");
	written = 0;
	patrol_whole(patrol);
	for (int i = 0; i < 10; i++)
		settle_down();
	assert_int_equal(written, 1);
	assert_int_equal(store_note_int(st, "whole", 0), 1);
	assert_int_equal(outbox_count(st, &box), 0);
	assert_int_equal(box.depth, 101);
	sql(ROOM);
	until = clock_mono_ms() + 5000;
	while (store_note_int(st, "whole", 0) != 0 &&
	    clock_mono_ms() < until) {
		loop_once(loop, 100);
		if (asked[1].fn != NULL)
			answer(1, READING_DONE, a_printer("KX7731", 100));
	}
	settle_down();
	assert_int_equal(outbox_count(st, &box), 0);
	assert_int_equal(box.depth, 101 + 251);
	assert_said("251 printers are told whole again");
	finish();
}

/* --- credentials ---------------------------------------------------------- */

static struct config_snmp sections[4];

static void
section(size_t i, const char *name, int version)
{
	memset(&sections[i], 0, sizeof(sections[i]));
	sections[i].credential.name = (char *)(uintptr_t)name;
	sections[i].credential.version = version;
	sections[i].port = 161;
	conf.snmp = sections;
	conf.snmp_len = i + 1;
}

/* The credentials with which it is asked next; what is asked gets no answer
 * if silent. */
static const char *
next_section(int i, bool silent)
{
	const char *name;

	assert_true(is_asked(i));
	name = asked[i].section;
	if (silent)
		answer(i, READING_SILENT, NULL);
	return name;
}

static const char *
saved(const char *column)
{
	static char text[128];
	char *path = xasprintf("%s/store.db", kit_dir);
	char *query = xasprintf("SELECT %s FROM device", column);
	sqlite3_stmt *stmt;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, query, -1, &stmt, NULL),
	    SQLITE_OK);
	text[0] = '\0';
	if (sqlite3_step(stmt) == SQLITE_ROW)
		snprintf(text, sizeof(text), "%s",
		    (const char *)sqlite3_column_text(stmt, 0));
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	free(query);
	free(path);
	return text;
}

static void
the_ladder_is_climbed_from_v3_down(void **state)
{
	section(0, "one", 1);
	section(1, "any", 0);
	section(2, "three", 3);
	section(3, "two", 2);
	begin();
	look(1);
	assert_string_equal(asked[1].section, "three");
	assert_true(asked[1].engine);
	answer(1, READING_DENIED, NULL);
	assert_string_equal(asked[1].section, "any");
	assert_false(asked[1].engine);
	assert_int_equal(probed, 0);
	answer(1, READING_SILENT, NULL);
	assert_string_equal(asked[1].section, "two");
	answer(1, READING_NO_PRINTER, NULL);
	assert_string_equal(asked[1].section, "one");
	answer(1, READING_DONE, a_printer("KX7731", 100));
	assert_int_equal(probe_find, PATROL_PRINTER);
	/* From now on with this, and so after a restart. */
	assert_string_equal(next_section(1, false), "one");
	answer(1, READING_DONE, a_printer("KX7731", 100));
	assert_string_equal(saved("credentials"), "one");
	finish();
	memset(asked, 0, sizeof(asked));
	begin();
	assert_string_equal(next_section(1, false), "one");
	assert_int_equal(asked[1].memo.version, 1);
	finish();
}

/* A section that has another version now keeps its name, and nothing of what
 * was learnt in the old one. */
static void
another_version_is_learnt_anew(void **state)
{
	section(0, "office", 3);
	begin();
	found(1, "KX7731");
	finish();
	memset(asked, 0, sizeof(asked));
	conf.snmp_len = 0;
	section(0, "office", 0);
	begin();
	assert_string_equal(next_section(1, false), "office");
	assert_int_equal(asked[1].memo.version, 0);
	answer(1, READING_DONE, a_printer("KX7731", 100));
	assert_string_equal(saved("memo"), "v2c");
	finish();
}

static void
check_why(void *arg, const struct known_device *device)
{
	int *whys = arg;

	assert_string_equal(device->why,
	    "may be a printer with other credentials: unknown user name");
	++*whys;
}

static void
what_denies_all_may_be_a_printer(void **state)
{
	struct patrol_counts counts;
	int whys = 0;

	section(0, "three", 3);
	section(1, "two", 2);
	begin();
	kit_listen();
	look(1);
	answer(1, READING_DENIED, NULL);
	answer(1, READING_SILENT, NULL);
	assert_int_equal(probe_find, PATROL_DENIED);
	assert_int_equal(known_each_device(st, check_why, &whys), 0);
	assert_int_equal(whys, 1);
	patrol_count(patrol, &counts);
	assert_int_equal(counts.others, 1);
	assert_int_equal(kit_lines, 1);
	/* Said once, however often it is looked at. */
	look(1);
	answer(1, READING_DENIED, NULL);
	answer(1, READING_SILENT, NULL);
	assert_int_equal(kit_lines, 1);
	finish();
	begin();
	kit_listen();
	patrol_count(patrol, &counts);
	assert_int_equal(counts.others, 1);
	look(1);
	answer(1, READING_DENIED, NULL);
	answer(1, READING_SILENT, NULL);
	assert_int_equal(kit_lines, 0);
	/* Then somebody corrects the password. */
	look(1);
	answer(1, READING_DONE, a_printer("KX7731", 100));
	assert_int_equal(probe_find, PATROL_PRINTER);
	patrol_count(patrol, &counts);
	assert_int_equal(counts.others, 0);
	assert_int_equal(counts.online, 1);
	finish();
}

static void
other_credentials_are_for_other_networks(void **state)
{
	static char *there[] = { "198.51.100.0/24" }, *here[] = {
	    "192.0.2.0/30" };

	section(0, "there", 3);
	section(1, "here", 2);
	sections[0].networks.item = there;
	sections[1].networks.item = here;
	sections[0].networks.count = sections[1].networks.count = 1;
	begin();
	look(1);
	assert_string_equal(asked[1].section, "here");
	answer(1, READING_SILENT, NULL);
	assert_null(asked[1].fn);
	assert_int_equal(probe_find, PATROL_SILENT);
	finish();
}

/* The community was changed at the printer. */
static void
what_worked_no_longer_is_replaced(void **state)
{
	section(0, "new", 2);
	section(1, "old", 2);
	section(2, "three", 3);
	begin();
	look(1);
	answer(1, READING_SILENT, NULL);
	answer(1, READING_SILENT, NULL);
	assert_string_equal(asked[1].section, "old");
	answer(1, READING_DONE, a_printer("KX7731", 100));
	/* One reading without an answer may be bad luck. */
	assert_string_equal(next_section(1, true), "old");
	assert_string_equal(next_section(1, true), "old");
	/* Then, before it is told, the others. */
	assert_string_equal(next_section(1, true), "three");
	assert_int_equal(told_state(), ASSET_ONLINE);
	assert_string_equal(next_section(1, false), "new");
	answer(1, READING_DONE, a_printer("KX7731", 100));
	assert_said("answers to [snmp new] now, no longer to [snmp old]");
	assert_int_equal(told_state(), ASSET_ONLINE);
	assert_string_equal(saved("credentials"), "new");
	assert_string_equal(next_section(1, false), "new");
	finish();
}

/* Switched off: with each visit one of the others is tried, in turn. */
static void
unreachable_it_is_asked_gently(void **state)
{
	const char *want[] = { "a", "b", "c", "d" };
	size_t i;

	section(0, "a", 2);
	section(1, "b", 2);
	section(2, "c", 2);
	section(3, "d", 2);
	begin();
	found(1, "KX7731");
	assert_string_equal(next_section(1, true), "a");
	for (i = 0; i < 4; i++)
		assert_string_equal(next_section(1, true), want[i]);
	assert_int_equal(told_state(), ASSET_UNREACHABLE);
	for (i = 0; i < 8; i++) {
		const char *name = next_section(1, true);

		assert_string_equal(name, i % 2 == 0 ? "a" :
		    i == 1 ? "b" : i == 3 ? "c" : i == 5 ? "d" : "b");
	}
	assert_string_equal(next_section(1, false), "a");
	answer(1, READING_DONE, a_printer("KX7731", 100));
	assert_int_equal(told_state(), ASSET_ONLINE);
	finish();
}

/* What no printer was and has not answered for a week is nothing. */
static void
a_stranger_is_forgotten(void **state)
{
	struct patrol_counts counts;

	begin();
	look(1);
	answer(1, READING_NO_PRINTER, NULL);
	wall_off_ms = INT64_C(6) * 24 * 3600 * 1000;
	look(1);
	answer(1, READING_SILENT, NULL);
	patrol_count(patrol, &counts);
	assert_int_equal(counts.others, 1);
	wall_off_ms = INT64_C(8) * 24 * 3600 * 1000;
	look(1);
	answer(1, READING_SILENT, NULL);
	patrol_count(patrol, &counts);
	assert_int_equal(counts.others, 0);
	assert_string_equal(saved("why"), "");
	finish();
}

/* --- what is read ----------------------------------------------------------- */

static struct bag *
counting(struct bag *bag)
{
	number(bag, "1.3.6.1.2.1.43.5.1.1.18.1", 4);
	return bag;
}

static void
a_visit_goes_on_where_it_is_worth_while(void **state)
{
	conf.heartbeat_ms = 200;
	begin();
	look(1);
	answer(1, READING_DONE, counting(a_printer("KX7731", 100)));
	assert_true(is_asked(1));
	assert_int_equal(asked[1].what, READING_HEARTBEAT);
	news.alerts_moved = true;
	answer(1, READING_DONE, counting(a_printer("KX7731", 100)));
	assert_non_null(asked[1].fn);
	assert_int_equal(asked[1].what, READING_ALERTS);
	answer(1, READING_DONE, counting(a_printer("KX7731", 100)));
	assert_null(asked[1].fn);
	assert_true(is_asked(1));
	assert_int_equal(asked[1].what, READING_HEARTBEAT);
	news.restarted = true;
	answer(1, READING_DONE, counting(a_printer("KX7731", 100)));
	assert_non_null(asked[1].fn);
	assert_int_equal(asked[1].what, READING_ALL);
	answer(1, READING_DONE, counting(a_printer("KX7731", 100)));
	finish();
}

/* What only says that pages came out is looked at when it may be told. */
static void
pages_alone_wait_for_their_time(void **state)
{
	struct outbox_count box;
	struct bag *bag;
	int64_t pages;

	begin();
	look(1);
	answer(1, READING_DONE, counting(a_printer("KX7731", 100)));
	for (decoded = 0, pages = 101; pages < 110; pages++) {
		assert_true(is_asked(1));
		assert_int_equal(asked[1].what, READING_HEARTBEAT);
		answer(1, READING_DONE, counting(a_printer("KX7731", pages)));
	}
	assert_int_equal(decoded, 1);
	/* Anything else is told at once. */
	assert_true(is_asked(1));
	bag = counting(a_printer("KX7731", 111));
	number(bag, "1.3.6.1.2.1.25.3.5.1.1.1", 4);
	answer(1, READING_DONE, bag);
	assert_int_equal(decoded, 2);
	assert_int_equal(outbox_count(st, &box), 0);
	assert_int_equal(box.depth, 2);
	finish();
}

static struct bag *
sleeping(struct bag *bag)
{
	number(bag, "1.3.6.1.2.1.25.3.5.1.1.1", 1);
	return counting(bag);
}

static void
asleep_it_sleeps(void **state)
{
	struct patrol_counts counts;

	conf.supplies_ms = conf.counters_ms = 1;
	begin();
	look(1);
	answer(1, READING_DONE, sleeping(a_printer("KX7731", 100)));
	assert_said("192.0.2.1:161 is asleep");
	assert_int_equal(told_state(), ASSET_ASLEEP);
	patrol_count(patrol, &counts);
	assert_int_equal(counts.asleep, 1);
	for (int i = 0; i < 5; i++) {
		assert_true(is_asked(1));
		assert_int_equal(asked[1].what, READING_HEARTBEAT);
		answer(1, READING_DONE, sleeping(a_printer("KX7731", 100)));
	}
	/* It wakes up: what was put off is read in the same visit. */
	assert_true(is_asked(1));
	answer(1, READING_DONE, counting(a_printer("KX7731", 101)));
	assert_int_equal(asked[1].what, READING_SUPPLIES | READING_COUNTERS);
	answer(1, READING_DONE, counting(a_printer("KX7731", 101)));
	assert_said("192.0.2.1:161 is awake");
	patrol_count(patrol, &counts);
	assert_int_equal(counts.asleep, 0);
	assert_int_equal(counts.online, 1);
	finish();
}

/* --- called to look --------------------------------------------------------- */

static struct in_addr
ip(int i)
{
	struct in_addr in = { htonl(0xc0000200u + (uint32_t)i) };

	return in;
}

static void
called_it_looks_at_once(void **state)
{
	conf.heartbeat_ms = 3600 * 1000;
	begin();
	look(1);
	answer(1, READING_DONE, counting(a_printer("KX7731", 100)));
	assert_false(patrol_wake(patrol, ip(2)));
	assert_true(patrol_wake(patrol, ip(1)));
	loop_once(loop, 100);
	assert_int_equal(asked[1].what, READING_HEARTBEAT | READING_ALERTS);
	assert_int_equal(asked[1].count, 2);
	answer(1, READING_DONE, counting(a_printer("KX7731", 100)));
	finish();
}

/* However many traps there are: one look now, one after the pause. */
static void
a_burst_is_two_looks(void **state)
{
	int64_t start = clock_mono_ms();

	conf.heartbeat_ms = 3600 * 1000;
	begin();
	look(1);
	answer(1, READING_DONE, counting(a_printer("KX7731", 100)));
	for (int i = 0; i < 100; i++)
		assert_true(patrol_wake(patrol, ip(1)));
	loop_once(loop, 100);
	assert_int_equal(asked[1].count, 2);
	/* More of them while it is being read, and after that. */
	for (int i = 0; i < 100; i++)
		patrol_wake(patrol, ip(1));
	answer(1, READING_DONE, counting(a_printer("KX7731", 100)));
	for (int i = 0; i < 100; i++)
		patrol_wake(patrol, ip(1));
	assert_null(asked[1].fn);
	while (asked[1].fn == NULL && clock_mono_ms() < start + 4000)
		loop_once(loop, 100);
	assert_true(clock_mono_ms() >= start + PATROL_WAKE_MS);
	assert_int_equal(asked[1].what, READING_HEARTBEAT | READING_ALERTS);
	answer(1, READING_DONE, counting(a_printer("KX7731", 100)));
	assert_int_equal(asked[1].count, 3);
	assert_false(is_asked(1));
	finish();
}

static void
strangers_are_not_woken(void **state)
{
	begin();
	look(1);
	answer(1, READING_NO_PRINTER, NULL);
	assert_false(patrol_wake(patrol, ip(1)));
	assert_false(is_asked(1));
	finish();
}

#define TEST(f)	cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(found_it_is_told),
		TEST(a_stranger_is_remembered_and_left_alone),
		TEST(silent_twice_it_is_unreachable),
		TEST(silent_since_the_start_it_is_unreachable),
		TEST(what_the_store_did_not_take_is_told_again),
		TEST(unreachable_is_told_when_the_store_is_back),
		TEST(let_go_when_the_store_is_back),
		TEST(a_stranger_that_the_store_lost_is_written_again),
		TEST(a_store_that_is_held_keeps_nobody),
		TEST(what_is_not_met_is_forgotten),
		TEST(two_addresses_stay_as_they_were),
		TEST(taken_out_it_is_let_go),
		TEST(a_named_host_is_kept),
		TEST(a_clock_set_back_puts_nothing_off),
		TEST(left_out_means_left_out),
		TEST(the_whole_is_told_in_parts),
		TEST(the_ladder_is_climbed_from_v3_down),
		TEST(another_version_is_learnt_anew),
		TEST(what_denies_all_may_be_a_printer),
		TEST(other_credentials_are_for_other_networks),
		TEST(what_worked_no_longer_is_replaced),
		TEST(unreachable_it_is_asked_gently),
		TEST(a_stranger_is_forgotten),
		TEST(a_visit_goes_on_where_it_is_worth_while),
		TEST(asleep_it_sleeps),
		TEST(pages_alone_wait_for_their_time),
		TEST(called_it_looks_at_once),
		TEST(a_burst_is_two_looks),
		TEST(strangers_are_not_woken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
