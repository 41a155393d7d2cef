/* The store outlives power cuts: what was committed is there, whole, and
 * nothing of what was not.  PLATEN_SEED repeats a run. */
#include "kit.h"

#include "agent/known.h"
#include "agent/outbox.h"
#include "agent/store.h"
#include "agent/storedb.h"
#include "base/uuid.h"
#include "tests/power/rounds.h"

#define ASSETS	12

static void
make_id(char out[UUID_TEXT_MAX], unsigned kind, unsigned n)
{
	snprintf(out, UUID_TEXT_MAX, "%08x-0000-4000-8000-%012x", kind, n);
}

/* An asset told whole for the first time, or again with another count. */
static void
tell_asset(struct store *st, struct rounds *r)
{
	struct known_asset known = { .row = 1, .strength = KEY_SERIAL };
	struct known_device device = { .printer = 1 };
	unsigned n = rounds_roll(r, ASSETS);
	struct report report;
	struct asset *a;
	char id[UUID_TEXT_MAX];

	make_id(id, 1, n);
	device.address = xasprintf("192.0.2.%u:161", n);
	assert_int_equal(known_put_device(st, &device), 0);
	snprintf(known.id, sizeof(known.id), "%s", id);
	known.device = device.id;
	known.key = xasprintf("S:nowhere:KX%u", n);
	assert_int_equal(known_put_asset(st, &known), 0);
	report_init(&report);
	a = report_asset(&report);
	kit_asset(a, id);
	kit_counter(a, "total", rounds_number(r));
	assert_int_equal(known_tell(st, &report), 0);
	assert_int_equal(outbox_append(st, &report, LANE_URGENT, id), 1);
	report_clear(&report);
	known_asset_clear(&known);
	known_device_clear(&device);
}

static void
tell_supply(struct store *st, struct rounds *r)
{
	struct report report;
	struct consumable *c;
	char id[UUID_TEXT_MAX], asset[UUID_TEXT_MAX];
	unsigned n = rounds_roll(r, ASSETS);

	make_id(asset, 1, n);
	make_id(id, 2, n * 16 + rounds_roll(r, 4));
	report_init(&report);
	c = report_consumable(&report);
	kit_consumable(c, 1, "black", rounds_roll(r, 101));
	c->id = xstrdup(id);
	c->asset = xstrdup(asset);
	assert_int_equal(known_tell(st, &report), 0);
	assert_int_equal(outbox_append(st, &report, LANE_BULK, asset), 1);
	report_clear(&report);
}

/* More than the cache holds, so that pages go out before the commit. */
static void
tell_much(struct store *st, struct rounds *r)
{
	unsigned i;

	for (i = 0; i < 1500; i++)
		tell_supply(st, r);
}

static void
in_one(struct store *st, struct rounds *r, void (*tell)(struct store *,
    struct rounds *), unsigned times)
{
	assert_int_equal(store_begin(st), 0);
	while (times-- > 0)
		tell(st, r);
	assert_int_equal(store_commit(st), 0);
}

/* The uplink's part: what was acknowledged goes, what was refused aside. */
static void
deliver(struct store *st, struct rounds *r, bool refuse)
{
	enum lane lane = rounds_roll(r, 2) == 0 ? LANE_URGENT : LANE_BULK;
	struct outbox_lane box;
	int64_t seq;

	assert_int_equal(outbox_numbers(st, lane, &box), 0);
	if (box.next_seq == box.acked_seq + 1)
		return;
	if (refuse) {
		assert_int_equal(outbox_refuse(st, lane, box.acked_seq + 1,
		    "nobody likes it"), 0);
		return;
	}
	seq = box.acked_seq + 1 + rounds_roll(r,
	    (unsigned)(box.next_seq - box.acked_seq - 1));
	assert_int_equal(outbox_ack(st, lane, seq), 0);
}

static void
work(void *store, struct rounds *r)
{
	struct store *st = store;

	switch (rounds_roll(r, 16)) {
	case 0: case 1: case 2: case 3:
		in_one(st, r, tell_asset, 1);
		break;
	case 4: case 5: case 6:
		in_one(st, r, tell_supply, 1 + rounds_roll(r, 40));
		break;
	case 7: case 8: case 9:
		deliver(st, r, false);
		break;
	case 10:
		deliver(st, r, true);
		break;
	case 11:
		assert_int_equal(store_set_note_int(st, "uplink_since",
		    rounds_number(r)), 0);
		break;
	case 12:
		if (rounds_roll(r, 4) == 0)
			assert_int_equal(outbox_new_epoch(st), 0);
		break;
	case 13:
		if (rounds_roll(r, 4) == 0)
			in_one(st, r, tell_much, 1);
		break;
	default:
		/* It changes its mind. */
		assert_int_equal(store_begin(st), 0);
		tell_asset(st, r);
		store_rollback(st);
	}
	rounds_promise(r, st);
}

/* --- what is there afterwards --------------------------------------------------- */

static void
count_report(void *arg, const struct outbox_report *report)
{
	int64_t *depth = arg;

	assert_memory_equal(report->body, "<report", 7);
	++*depth;
}

static void
check(void *store)
{
	struct store *st = store;
	char epoch[UUID_TEXT_MAX];
	struct outbox_count box;
	int64_t depth = 0;
	size_t i;

	assert_int_equal(store_epoch(st, epoch), 0);
	assert_int_equal(outbox_count(st, &box), 0);
	assert_int_equal(outbox_each(st, false, count_report, &depth), 0);
	assert_int_equal(depth, box.depth);
	for (i = 0; i < LANES; i++)
		assert_int_equal(box.lane[i].next_seq - 1 -
		    box.lane[i].acked_seq, box.lane[i].depth);
}

static void *
open_it(const char *dir)
{
	return store_open(dir);
}

static void *
open_carelessly(const char *dir)
{
	struct store *st = store_open(dir);

	if (st != NULL)
		assert_int_equal(storedb_run(st, "PRAGMA synchronous = OFF"),
		    0);
	return st;
}

static void
close_it(void *store)
{
	store_close(store);
}

static sqlite3 *
database(void *store)
{
	return ((struct store *)store)->db;
}

static void
power_cuts(void **state)
{
	struct rounds_store s = { open_it, close_it, database, work, check };
	struct rounds_result result;

	rounds_run(&s, rounds_seed(), 16, 40, 32, &result);
	if (rounds_verdict(&result) != NULL)
		fail_msg("%s", rounds_verdict(&result));
	assert_int_equal(result.transactions, 640);
	assert_int_equal(result.cuts, 512);
}

/* The test of the test: without the waits for the disk it does not last. */
static void
carelessness_shows(void **state)
{
	struct rounds_store s = { open_carelessly, close_it, database, work,
	    NULL };
	struct rounds_result result;

	log_hook(kit_sink, NULL);
	rounds_run(&s, 1, 4, 40, 32, &result);
	assert_true(result.lost + result.unopened > 8);
	kit_listen_no_more();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(power_cuts),
		cmocka_unit_test(carelessness_shows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
