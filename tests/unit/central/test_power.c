/* The fleet outlives power cuts: what was acknowledged is there, whole, and
 * nothing of what was not.  PLATEN_SEED repeats a run. */
#include "tests/unit/central/fixture.h"

#include "tests/power/rounds.h"

#define ASSETS	12
#define NOW	INT64_C(1790000000000)

/* db only looks. */
struct held {
	struct fixture	 f;		/* its fleet */
	sqlite3		*db;
};

static void
close_it(void *store)
{
	struct held	*held = store;

	apply_answer_clear(&held->f.answer);
	sqlite3_close(held->db);
	fleet_close(held->f.fleet);
	free(held);
}

static void
enrol(struct held *held, struct rounds *r)
{
	struct fleet	*fleet = held->f.fleet;
	char	token[ROSTER_TOKEN_MAX], why[120], name[32], jid[64];
	int64_t	agent;

	snprintf(name, sizeof(name), "site%d", rounds_number(r));
	snprintf(jid, sizeof(jid), "%s@example.org", name);
	assert_int_equal(roster_enrol(fleet, name, jid, NULL, 1000, NOW,
	    token, why, sizeof(why)), 0);
	assert_int_equal(fleet_commit(fleet), 0);
	rounds_promise(r, held);
	assert_int_equal(roster_admit(fleet, jid, key_a, token, NOW, &agent,
	    why, sizeof(why)), ROSTER_ADMITTED);
	assert_int_equal(fleet_commit(fleet), 0);
	rounds_promise(r, held);
}

/* Some records about one asset. */
static char *
make_records(struct rounds *r)
{
	unsigned	asset = rounds_roll(r, ASSETS);
	char		id[40], *text;

	snprintf(id, sizeof(id), "00000000-0000-4000-8000-%012x", asset);
	switch (rounds_roll(r, 4)) {
	case 0:
		text = xasprintf("<asset id='%s'><key>S:acme:L%u</key>"
		    "<strength>serial</strength><make>Acme</make>"
		    "<model>Laser 9</model><serial>L%u</serial>"
		    "<state>online</state>" AT "<counter name='total' "
		    "unit='impressions'>%d</counter></asset>", id, asset,
		    asset, rounds_number(r));
		break;
	case 1:
		text = xasprintf("<asset id='%s'><counter name='total'>%d"
		    "</counter></asset>", id, rounds_number(r));
		break;
	case 2:
		text = xasprintf("<alert id='00000000-0000-4000-8000-"
		    "0000a%07x' asset='%s'><index>7</index><code>8</code>"
		    "<severity>critical</severity>"
		    "<description>Paper jam %d</description></alert>",
		    (unsigned)rounds_number(r), id, rounds_number(r));
		break;
	default:
		/* Refused, now and then: no such element. */
		text = xstrdup("<nonsense/>");
	}
	return text;
}

static int64_t
last_seq(struct fleet *fleet)
{
	int64_t	seq;

	assert_int_equal(fleet_int(fleet, &seq, "SELECT max(last_seq) FROM "
	    "epoch", ""), 0);
	return seq == ABSENT ? 0 : seq;
}

/* All reports that came together are one transaction. */
static void
work(void *store, struct rounds *r)
{
	struct held	*held = store;
	unsigned	 reports = 1 + rounds_roll(r, 5);
	char		*records;
	int		 verdict;

	if (rounds_number(r) == 0 || rounds_roll(r, 20) == 0)
		enrol(held, r);
	if (rounds_roll(r, 30) == 0)
		reports = 400;
	for (; reports > 0; reports--) {
		records = make_records(r);
		verdict = tell_as(&held->f, 1, EPOCH,
		    last_seq(held->f.fleet) + 1, records);
		assert_true(verdict == APPLY_DONE || verdict == TELL_REFUSED);
		free(records);
	}
	assert_int_equal(fleet_commit(held->f.fleet), 0);
	rounds_promise(r, held);
}

static void *
open_it(const char *dir)
{
	struct fleet_source	 source = { 0 };
	struct held		*held;
	char			*path;

	held = xcalloc(1, sizeof(*held));
	source.path = path = xasprintf("%s/fleet.db", dir);
	held->f.now = NOW;
	held->f.fleet = fleet_open(&source, FLEET_CREATE);
	if (held->f.fleet == NULL || sqlite3_open_v2(path, &held->db,
	    SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK) {
		close_it(held);
		held = NULL;
	}
	free(path);
	return held;
}

static void *
open_carelessly(const char *dir)
{
	struct held	*held = open_it(dir);

	if (held != NULL)
		assert_int_equal(fleet_exec(held->f.fleet,
		    "PRAGMA synchronous = OFF"), 0);
	return held;
}

static sqlite3 *
database(void *store)
{
	return ((struct held *)store)->db;
}

static void
power_cuts(void **state)
{
	struct rounds_store	s = { open_it, close_it, database, work, NULL };
	struct rounds_result	result;

	rounds_run(&s, rounds_seed(), 12, 40, 40, &result);
	if (rounds_verdict(&result) != NULL)
		fail_msg("%s", rounds_verdict(&result));
	assert_true(result.transactions >= 480);
	assert_int_equal(result.cuts, 480);
}

/* The test of the test: without the waits for the disk it does not last. */
static void
carelessness_shows(void **state)
{
	struct rounds_store	s = { open_carelessly, close_it, database, work,
	    NULL };
	struct rounds_result	result;

	rounds_run(&s, 1, 4, 40, 32, &result);
	assert_true(result.lost + result.unopened > 8);
}

static int
begin(void **state)
{
	log_hook(quiet, NULL);
	return key_library_init();
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		cmocka_unit_test(power_cuts),
		cmocka_unit_test(carelessness_shows),
	};

	return cmocka_run_group_tests(tests, begin, NULL);
}
