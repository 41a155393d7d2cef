#include "kit.h"

#include "agent/progress.h"

static void
what_is_written_is_read(void **state)
{
	struct progress p = { .running = true, .pass = 2, .done = 70,
	    .left = 30, .found = 12, .fresh = 3, .others = 4,
	    .started_ms = KIT_TIME, .finished_ms = KIT_TIME - 5,
	    .seconds_left = 77, .where = UINT32_MAX,
	    .fingerprint = UINT64_MAX }, q;
	struct store *st = store_open(kit_dir);

	progress_read(st, &q);
	assert_false(q.running);
	assert_int_equal(q.started_ms, 0);
	assert_int_equal(progress_write(st, &p), 0);
	progress_read(st, &q);
	assert_true(q.running);
	assert_int_equal(q.pass, 2);
	assert_int_equal(q.done, 70);
	assert_int_equal(q.left, 30);
	assert_int_equal(q.found, 12);
	assert_int_equal(q.fresh, 3);
	assert_int_equal(q.others, 4);
	assert_int_equal(q.started_ms, KIT_TIME);
	assert_int_equal(q.finished_ms, KIT_TIME - 5);
	assert_int_equal(q.seconds_left, 77);
	assert_int_equal(q.where, UINT32_MAX);
	assert_true(q.fingerprint == UINT64_MAX);
	/* Within somebody's transaction it goes with that. */
	assert_int_equal(store_begin(st), 0);
	p.done = 71;
	assert_int_equal(progress_write(st, &p), 0);
	assert_true(store_in_transaction(st));
	store_rollback(st);
	progress_read(st, &q);
	assert_int_equal(q.done, 70);
	/* A note that makes no sense is none. */
	assert_int_equal(store_set_note(st, "scan", "1 1 x"), 0);
	progress_read(st, &q);
	assert_false(q.running);
	assert_int_equal(q.pass, 0);
	store_close(st);
}

static void
words_fit_the_state(void **state)
{
	struct progress p = { .running = true, .pass = 1, .done = 20,
	    .left = 80, .found = 12, .fresh = 3, .others = 4,
	    .seconds_left = 119 };
	char text[PROGRESS_TEXT_MAX];

	assert_string_equal(progress_text(&p, true, text), "pass 1 of 2, 20 "
	    "of 100 addresses, 12 printers (3 new), 4 others, 119 s to go");
	p.seconds_left = 150;
	assert_non_null(strstr(progress_text(&p, true, text),
	    ", 3 min to go"));
	p.seconds_left = 7200;
	assert_non_null(strstr(progress_text(&p, true, text), ", 2 h to go"));
	p.fresh = -1;
	assert_string_equal(progress_text(&p, false, text), "20 of 100 "
	    "addresses, 12 printers, 4 others");
	p.pass = 2000000000;
	p.done = p.left = p.found = p.fresh = p.others = p.seconds_left =
	    INT64_MAX / 2;
	assert_true(strlen(progress_text(&p, true, text)) <
	    PROGRESS_TEXT_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_written_is_read,
		    kit_dir_make, kit_dir_remove),
		cmocka_unit_test(words_fit_the_state),
	};

	return cmocka_run_group_tests_name("progress", tests, NULL, NULL);
}
