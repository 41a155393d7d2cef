/* The listings: what people and programs read. */
#include "central/view.h"
#include "tests/unit/central/fixture.h"

typedef int	 view_fn(struct fleet *, const struct view_filter *, FILE *,
		    int64_t);

static char	*shown;

static const char *
show(struct fixture *f, view_fn *view, struct view_filter filter)
{
	size_t	 len;
	FILE	*out;

	free(shown);
	if (filter.since == 0)
		filter.since = ABSENT;
	if (filter.limit == 0)
		filter.limit = ABSENT;
	filter.width = 100;
	out = open_memstream(&shown, &len);
	assert_int_equal(view(f->fleet, &filter, out, f->now), 0);
	fclose(out);
	return shown;
}

#define SHOW(f, view, ...) \
	show(f, view, (struct view_filter){ __VA_ARGS__ })
#define assert_in(text, part) do { \
	if (strstr(text, part) == NULL) \
		fail_msg("no %s in %s", part, text); \
} while (0)
#define assert_not_in(text, part) assert_null(strstr(text, part))

static int
count(const char *text, const char *part)
{
	int	n = 0;

	for (; (text = strstr(text, part)) != NULL; text++)
		n++;
	return n;
}

static void
fill(struct fixture *f)
{
	tell(f, 1, WHOLE(LASER, "L1") SUPPLY(BLACK, LASER, "80")
	    ALERT(JAM, LASER) "<agent><version>0.1.0</version>"
	    "<online>1</online><asleep>0</asleep>"
	    "<unreachable>2</unreachable><queue_depth>3</queue_depth>"
	    "</agent>");
	tell(f, 2, "<asset id='" LASER "'><errors>jammed lowPaper</errors>"
	    "<counter name='total' unit='impressions'>101</counter></asset>");
	assert_int_equal(tell_as(f, f->other, EPOCH2, 1, WHOLE(INKJET,
	    "I1")), APPLY_DONE);
	assert_int_equal(fleet_commit(f->fleet), 0);
}

static void
empty(void **state)
{
	struct fixture	*f = *state;

	assert_string_equal(SHOW(f, view_devices, .json = true), "[]\n");
	assert_string_equal(SHOW(f, view_history, .json = true), "[]\n");
	assert_string_equal(SHOW(f, view_alerts, .all = false),
	    "no active alerts\n");
}

static void
devices(void **state)
{
	struct fixture	*f = *state;
	const char	*text;

	fill(f);
	text = SHOW(f, view_devices, .json = true);
	assert_in(text, "\"agent\": \"site7\"");
	assert_in(text, "\"asset\": \"" LASER "\"");
	assert_in(text, "\"serial\": \"L1\"");
	assert_in(text, "\"mac\": null");
	assert_in(text, "\"received_at\": \"2026-09-2");
	assert_in(text, "\"jammed\"");
	assert_in(text, "\"counters\": [");
	assert_in(text, "\"value\": 101");
	assert_in(text, "\"unit\": \"impressions\"");
	assert_int_equal(count(text, "\"make\""), 2);
	text = SHOW(f, view_devices, .all = false);
	assert_in(text, "Acme Laser 9");
	assert_in(text, "lowPaper jammed");
	assert_in(text, "101");
}

static void
filters(void **state)
{
	struct fixture	*f = *state;

	fill(f);
	assert_int_equal(count(SHOW(f, view_devices, .json = true,
	    .agent = "site8"), "\"make\""), 1);
	assert_in(shown, "I1");
	assert_int_equal(count(SHOW(f, view_devices, .json = true,
	    .agent = "site7@example.org"), "\"make\""), 1);
	assert_int_equal(count(SHOW(f, view_devices, .json = true,
	    .asset = "l1"), "\"make\""), 1);
	assert_int_equal(count(SHOW(f, view_devices, .json = true,
	    .asset = INKJET), "\"make\""), 1);
	assert_in(shown, "I1");
	assert_int_equal(count(SHOW(f, view_devices, .json = true,
	    .since = f->now), "\"make\""), 1);
	assert_int_equal(count(SHOW(f, view_devices, .json = true,
	    .limit = 1), "\"make\""), 1);
	assert_string_equal(SHOW(f, view_devices, .json = true,
	    .asset = "x' OR 1 --"), "[]\n");
}

static void
consumables(void **state)
{
	struct fixture	*f = *state;
	const char	*text;

	fill(f);
	text = SHOW(f, view_consumables, .json = true);
	assert_in(text, "\"asset\": \"" LASER "\"");
	assert_in(text, "\"asset_name\": \"Acme Laser 9\"");
	assert_in(text, "\"asset_serial\": \"L1\"");
	assert_in(text, "\"id\": \"" BLACK "\"");
	assert_in(text, "\"kind\": \"toner\"");
	assert_in(text, "\"class\": \"consumed\"");
	assert_in(text, "\"percent\": 80");
	assert_in(text, "\"state\": \"ok\"");
	text = SHOW(f, view_consumables, .all = false);
	assert_in(text, "[##########--]");
	assert_in(text, "80%");
	tell(f, 3, "<consumable id='" BLACK "' asset='" LASER "'><index>1"
	    "</index><removed>2026-11-20T21:00:00.000Z</removed>"
	    "</consumable>");
	assert_string_equal(SHOW(f, view_consumables, .json = true), "[]\n");
	assert_in(SHOW(f, view_consumables, .all = true), "removed");
}

static void
alerts(void **state)
{
	struct fixture	*f = *state;
	const char	*text;

	fill(f);
	text = SHOW(f, view_alerts, .json = true);
	assert_in(text, "\"code\": 8");
	assert_in(text, "\"code_name\": \"jam\"");
	assert_in(text, "\"severity\": \"critical\"");
	assert_in(text, "\"raised\": \"2026-11-20T19:31:00.000Z\"");
	assert_in(text, "\"cleared\": null");
	assert_in(SHOW(f, view_alerts, .all = false), "critical     0s  Paper jam");
	tell(f, 3, "<alert id='" JAM "' asset='" LASER "'><index>7</index>"
	    "<cleared>2026-11-20T19:40:00.000Z</cleared></alert>");
	assert_string_equal(SHOW(f, view_alerts, .json = true), "[]\n");
	assert_in(SHOW(f, view_alerts, .json = true, .all = true),
	    "\"cleared\": \"2026-11-20T19:40:00.000Z\"");
}

static void
history(void **state)
{
	struct fixture	*f = *state;
	const char	*text, *one, *two;

	fill(f);
	text = SHOW(f, view_history, .json = true);
	one = strstr(text, "\"value\": 100,");
	two = strstr(text, "\"value\": 101,");
	assert_true(one != NULL && two > one);
	assert_in(text, "\"record\": \"counter\"");
	assert_in(text, "\"record\": \"level\"");
	assert_in(text, "\"record\": \"alert\"");
	assert_in(text, "\"record\": \"state\"");
	assert_in(text, "\"record\": \"asset\"");
	assert_in(text, "\"name\": \"total\"");
	assert_in(text, "\"field\": \"raised\"");
	assert_in(text, "\"value\": \"lowPaper jammed\"");
	assert_in(text, "\"epoch\": \"" EPOCH "\"");
	assert_in(text, "\"seq\": 2");
	/* The latest, in order. */
	text = SHOW(f, view_history, .json = true, .limit = 2,
	    .agent = "site7");
	assert_int_equal(count(text, "\"record\""), 2);
	one = strstr(text, "\"field\": \"errors\"");
	two = strstr(text, "\"name\": \"total\"");
	assert_true(one != NULL && two > one);
	text = SHOW(f, view_history, .asset = "L1");
	assert_in(text, "raised");
	assert_in(text, "jam");
	assert_in(text, "80 (80%)");
	assert_not_in(text, "I1");
}

/* A counter that began anew says so once, and what it was before. */
static void
epochs(void **state)
{
	struct fixture	*f = *state;
	const char	*text;

	fill(f);
	tell(f, 3, "<asset id='" LASER "'><counter name='total' "
	    "unit='impressions' epoch='1' before='101'>7</counter></asset>");
	tell(f, 4, "<asset id='" LASER "'><counter name='total' "
	    "unit='impressions' epoch='1' before='101'>8</counter></asset>");
	/* The same value, from another source. */
	tell(f, 5, "<asset id='" LASER "'><counter name='total' "
	    "unit='impressions' epoch='2' before='8'>8</counter></asset>");
	tell(f, 6, "<asset id='" LASER "'><counter name='mono' "
	    "unit='impressions'>4294967290</counter></asset>");
	tell(f, 7, "<asset id='" LASER "'><counter name='mono' "
	    "unit='impressions' before='4294967290'>3</counter></asset>");
	assert_int_equal(tell(f, 8, "<asset id='" LASER "'><counter "
	    "name='mono' epoch='-1'>3</counter></asset>"), TELL_REFUSED);
	assert_int_equal(fleet_commit(f->fleet), 0);
	text = SHOW(f, view_history, .json = true, .asset = "L1");
	assert_int_equal(count(text, "\"counter_epoch\": 1"), 2);
	assert_int_equal(count(text, "\"before\": 101"), 1);
	assert_int_equal(count(text, "\"before\": 8"), 1);
	assert_int_equal(count(text, "\"before\": 4294967290"), 1);
	text = SHOW(f, view_history, .asset = "L1");
	assert_int_equal(count(text, "started anew, was"), 2);
	assert_int_equal(count(text, "ran over at"), 1);
	text = SHOW(f, view_devices, .json = true);
	assert_in(text, "\"epoch\": 2");
	assert_in(text, "\"before\": 8");
}

/* Everything that the model has of an alert, in the listing. */
static void
alert_fields_all(void **state)
{
	struct fixture	*f = *state;
	const char	*text;

	fill(f);
	assert_int_equal(tell(f, 3, "<alert id='"
	    "a1a1a1a1-0000-4000-8000-00000000000a' asset='" LASER "'>"
	    "<index>12</index><code>808</code>"
	    "<code_name>inputMediaSupplyEmpty</code_name>"
	    "<vendor_code>41.03</vendor_code><severity>critical</severity>"
	    "<group>input</group><group_index>2</group_index>"
	    "<training>untrained</training><description>Tray 2 empty"
	    "</description><location>-2</location><source>row</source>"
	    "<pages>4711</pages><raised>2026-09-21T10:00:00.000Z</raised>"
	    "</alert>"), APPLY_DONE);
	assert_int_equal(tell(f, 4, "<alert id='"
	    "a1a1a1a1-0000-4000-8000-00000000000b' asset='" LASER "'>"
	    "<code>5206</code><group>scanMediaPath</group>"
	    "<source>error-bits</source>"
	    "<raised>2026-09-21T10:00:00.000Z</raised></alert>"),
	    APPLY_DONE);
	assert_int_equal(fleet_commit(f->fleet), 0);
	text = SHOW(f, view_alerts, .json = true);
	assert_in(text, "\"index\": 12");
	assert_in(text, "\"code\": 808");
	assert_in(text, "\"code_name\": \"inputMediaSupplyEmpty\"");
	assert_in(text, "\"vendor_code\": \"41.03\"");
	assert_in(text, "\"severity\": \"critical\"");
	assert_in(text, "\"group\": \"input\"");
	assert_in(text, "\"group_index\": 2");
	assert_in(text, "\"training\": \"untrained\"");
	assert_in(text, "\"description\": \"Tray 2 empty\"");
	assert_in(text, "\"location\": -2");
	assert_in(text, "\"source\": \"row\"");
	assert_in(text, "\"pages\": 4711");
	assert_in(text, "\"raised\": \"2026-09-21T10:00:00.000Z\"");
	assert_in(text, "\"cleared\": null");
	assert_in(text, "\"group\": \"scanMediaPath\"");
	assert_in(text, "\"source\": \"error-bits\"");
	assert_in(text, "\"index\": null");
}

static void
agents(void **state)
{
	struct fixture	*f = *state;
	const char	*text;
	char		 why[120];
	int64_t		 agent;

	fill(f);
	assert_int_equal(roster_admit(f->fleet, "site7@example.org", key_b,
	    NULL, f->now, &agent, why, sizeof(why)), ROSTER_WRONG);
	assert_int_equal(roster_admit(f->fleet, "site9@example.org", key_b,
	    NULL, f->now, &agent, why, sizeof(why)), ROSTER_WAITS);
	assert_int_equal(fleet_commit(f->fleet), 0);
	tell(f, 3, "<rubbish/>");
	text = SHOW(f, view_agents, .json = true);
	assert_in(text, "\"jid\": \"site7@example.org\"");
	assert_in(text, "\"version\": \"0.1.0\"");
	assert_in(text, "\"queue_depth\": 3");
	assert_in(text, "\"unreachable\": 2");
	assert_in(text, "\"last_seq\": 3");
	assert_in(text, "\"refused\": 1");
	assert_in(text, "\"state\": \"pending\"");
	assert_in(text, "\"other_key\": \"");
	text = SHOW(f, view_agents, .all = false);
	assert_in(text, "1/0/2");
	assert_in(text, "another key tried at");
	assert_in(text, "waits for approval, its key is");
	assert_in(text, "reports refused: 1");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(fn)	cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
		TEST(empty), TEST(devices), TEST(filters), TEST(consumables),
		TEST(alerts), TEST(alert_fields_all), TEST(history), TEST(epochs),
		TEST(agents),
	};
	int	rc;

	rc = cmocka_run_group_tests(tests, NULL, NULL);
	free(shown);
	return rc;
}
