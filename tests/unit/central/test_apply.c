/* A report takes effect exactly once, in order, all of it or nothing. */
#include "tests/unit/central/fixture.h"

#define VALUE	"coalesce(text, CAST(number AS TEXT))"
#define LAST	"SELECT last_seq FROM epoch WHERE uuid = '" EPOCH "'"

static void
once(void **state)
{
	struct fixture	*f = *state;

	assert_int_equal(tell(f, 1, WHOLE(LASER, "L1")), APPLY_DONE);
	assert_get(f, "SELECT serial FROM asset", "L1");
	assert_get(f, "SELECT value FROM counter", "100");
	assert_get(f, "SELECT count(*) FROM history WHERE record = 1", "1");
	/* The same again, and even with other contents under its number. */
	assert_int_equal(tell(f, 1, WHOLE(LASER, "L1")), APPLY_SEEN);
	assert_int_equal(tell(f, 1, WHOLE(INKJET, "I1")), APPLY_SEEN);
	assert_get(f, "SELECT count(*) FROM asset", "1");
	assert_get(f, "SELECT count(*) FROM history WHERE record = 1", "1");
	assert_get(f, LAST, "1");
}

static void
in_order(void **state)
{
	struct fixture	*f = *state;

	assert_int_equal(tell(f, 2, WHOLE(LASER, "L1")), APPLY_AGAIN);
	assert_int_equal(f->answer.seq, 0);
	assert_int_equal(tell(f, 1, WHOLE(LASER, "L1")), APPLY_DONE);
	assert_int_equal(tell(f, 3, WHOLE(INKJET, "I1")), APPLY_AGAIN);
	assert_int_equal(f->answer.seq, 1);
	assert_get(f, "SELECT count(*) FROM asset", "1");
	/* Another epoch and another agent count on their own. */
	assert_int_equal(tell_as(f, f->agent, EPOCH2, 1, ""), APPLY_DONE);
	assert_int_equal(tell_as(f, f->other, EPOCH, 1, ""), APPLY_DONE);
}

static void
only_changes(void **state)
{
	struct fixture	*f = *state;

	tell(f, 1, WHOLE(LASER, "L1") SUPPLY(BLACK, LASER, "80"));
	assert_get(f, "SELECT count(*) FROM history WHERE record = 5", "6");
	/* Told whole again: nothing has changed. */
	tell(f, 2, WHOLE(LASER, "L1") SUPPLY(BLACK, LASER, "80"));
	assert_get(f, "SELECT count(*) FROM history WHERE record = 5", "6");
	assert_get(f, "SELECT count(*) FROM history WHERE record = 2", "1");
	tell(f, 3, "<asset id='" LASER "'><location>Floor 3</location>"
	    "<firmware/></asset><consumable id='" BLACK "' asset='" LASER
	    "'><index>1</index><level>79</level></consumable>");
	assert_get(f, "SELECT location FROM asset", "Floor 3");
	assert_get(f, "SELECT model FROM asset", "Laser 9");
	assert_get(f, "SELECT description || level FROM consumable",
	    "Black Toner79");
	assert_get(f, "SELECT group_concat(field || '=' || " VALUE ") FROM "
	    "history WHERE seq = 3", "location=Floor 3,level=79");
	/* An empty element clears. */
	tell(f, 4, "<asset id='" LASER "'><location/></asset>");
	assert_get(f, "SELECT count(*) FROM asset WHERE location IS NULL", "1");
	assert_get(f, "SELECT field || coalesce(" VALUE ", '-') FROM history "
	    "WHERE seq = 4", "location-");
	assert_get(f, "SELECT want_whole FROM agent WHERE id = 1", "0");
}

static void
alerts(void **state)
{
	struct fixture	*f = *state;

	tell(f, 1, WHOLE(LASER, "L1") ALERT(JAM, LASER));
	assert_get(f, "SELECT code_name FROM alert WHERE cleared IS NULL",
	    "jam");
	tell(f, 2, "<alert id='" JAM "' asset='" LASER "'><index>7</index>"
	    "<cleared>2026-11-20T19:40:00.000Z</cleared></alert>");
	assert_get(f, "SELECT count(*) FROM alert WHERE cleared IS NULL",
	    "0");
	assert_get(f, "SELECT group_concat(field || ' ' || " VALUE ") FROM "
	    "history WHERE record = 3", "raised jam,cleared jam");
	/* The times are the agent's. */
	assert_get(f, "SELECT time FROM history WHERE field = 'cleared'",
	    "1795203600000");
}

static void
refused_alone(void **state)
{
	struct fixture	*f = *state;

	assert_int_equal(tell_as(f, f->agent, EPOCH, 1, WHOLE(LASER, "L1")),
	    APPLY_DONE);
	assert_int_equal(tell_as(f, f->agent, EPOCH, 2, WHOLE(INKJET, "I1")
	    "<nonsense/>"), TELL_REFUSED);
	assert_true(f->answer.refused[0].reason[0] != '\0');
	/* Good, then bad: what was good in it must not stay. */
	assert_int_equal(tell_as(f, f->agent, EPOCH, 3, WHOLE(INKJET, "I1")
	    SUPPLY(BLACK, AGAIN, "5")), TELL_REFUSED);
	assert_int_equal(tell_as(f, f->agent, EPOCH, 4, "<asset id='" LASER
	    "'><location>Cellar</location></asset>"), APPLY_DONE);
	assert_int_equal(fleet_commit(f->fleet), 0);
	assert_get(f, "SELECT count(*) || min(location) FROM asset", "1Cellar");
	assert_get(f, LAST, "4");
	assert_get(f, "SELECT refused FROM epoch", "2");
	/* Sent again it is refused again, for the same reason. */
	assert_int_equal(tell(f, 3, ""), TELL_REFUSED);
	assert_non_null(strstr(f->answer.refused[0].reason, AGAIN));
	/* It named an asset that we never had: everything, please. */
	assert_get(f, "SELECT want_whole FROM agent WHERE id = 1", "1");
}

static void
absurd(void **state)
{
	struct fixture	*f = *state;

	assert_int_equal(tell(f, 1, "<asset id='" LASER "'><counter "
	    "name='total'>-5</counter></asset>"),
	    TELL_REFUSED);
	assert_int_equal(tell(f, 2, WHOLE(LASER, "L1") "<consumable id='"
	    BLACK "' asset='" LASER "'><index>1</index><pages>-1</pages>"
	    "</consumable>"), TELL_REFUSED);
	assert_int_equal(tell(f, 3, "<x/>"), TELL_REFUSED);
	assert_get(f, "SELECT count(*) FROM asset", "0");
}

static void
partial_first(void **state)
{
	struct fixture	*f = *state;

	assert_int_equal(tell(f, 1, "<asset id='" LASER "'><location>Roof"
	    "</location></asset>"), APPLY_DONE);
	assert_get(f, "SELECT location FROM asset", "Roof");
	assert_get(f, "SELECT want_whole FROM agent WHERE id = 1", "1");
}

static void
others_assets(void **state)
{
	struct fixture	*f = *state;

	tell(f, 1, WHOLE(LASER, "L1") SUPPLY(BLACK, LASER, "80")
	    ALERT(JAM, LASER));
	assert_int_equal(tell_as(f, f->other, EPOCH2, 1, "<asset id='" LASER
	    "'><location>Moon</location></asset>"), TELL_REFUSED);
	assert_int_equal(tell_as(f, f->other, EPOCH2, 2, SUPPLY(BLACK2, LASER,
	    "1")), TELL_REFUSED);
	/* Its own printer, but the other's supply and alert. */
	assert_int_equal(tell_as(f, f->other, EPOCH2, 3, WHOLE(INKJET, "I1")
	    SUPPLY(BLACK, INKJET, "1")), TELL_REFUSED);
	assert_int_equal(tell_as(f, f->other, EPOCH2, 4, WHOLE(INKJET, "I1")
	    ALERT(JAM, INKJET)), TELL_REFUSED);
	/* The same printer seen by two is two rows with one key. */
	assert_int_equal(tell_as(f, f->other, EPOCH2, 5, WHOLE(INKJET,
	    "L1")), APPLY_DONE);
	assert_int_equal(f->answer.same_len, 0);
	assert_int_equal(fleet_commit(f->fleet), 0);
	assert_get(f, "SELECT count(*) FROM asset WHERE key = 'S:acme:L1'",
	    "2");
	assert_get(f, "SELECT location FROM asset WHERE agent = 1",
	    "Floor 2");
	assert_get(f, "SELECT level FROM consumable", "80");
}

static void
same_asset(void **state)
{
	struct fixture	*f = *state;

	tell(f, 1, WHOLE(LASER, "L1") SUPPLY(BLACK, LASER, "80")
	    ALERT(JAM, LASER));
	/* The store was lost: new epoch, new ids, the same printer. */
	assert_int_equal(tell_as(f, f->agent, EPOCH2, 1, WHOLE(AGAIN, "L1")
	    SUPPLY(BLACK2, AGAIN, "79") ALERT(JAM2, AGAIN)), APPLY_DONE);
	assert_int_equal(f->answer.same_len, 1);
	assert_string_equal(f->answer.same[0].id, AGAIN);
	assert_string_equal(f->answer.same[0].known, LASER);
	assert_get(f, "SELECT count(*) || min(uuid) FROM asset", "1" LASER);
	assert_get(f, "SELECT count(*) || min(uuid) || min(level) FROM consumable",
	    "1" BLACK "79");
	assert_get(f, "SELECT count(*) || min(uuid) FROM alert WHERE cleared IS "
	    "NULL", "1" JAM);
	/* Nothing but the level has changed. */
	assert_get(f, "SELECT group_concat(field) FROM history WHERE "
	    "received_at = (SELECT max(received_at) FROM history)", "level");
	/* The alias holds for ever, told until the agent renames. */
	assert_int_equal(tell_as(f, f->agent, EPOCH2, 2, "<asset id='" AGAIN
	    "'><location>Attic</location></asset><consumable id='" BLACK2
	    "' asset='" AGAIN "'><index>1</index><level>70</level>"
	    "</consumable>"), APPLY_DONE);
	assert_int_equal(f->answer.same_len, 1);
	assert_get(f, "SELECT location FROM asset", "Attic");
	assert_int_equal(tell_as(f, f->agent, EPOCH2, 3, "<asset id='" LASER
	    "'><location>Den</location></asset>"), APPLY_DONE);
	assert_int_equal(f->answer.same_len, 0);
	assert_get(f, "SELECT location || level FROM asset, consumable",
	    "Den70");
}

/* A UUID that is an alias for a thing of one kind, given to another kind. */
static void
one_uuid_for_two_kinds(void **state)
{
	struct fixture	*f = *state;

	tell(f, 1, WHOLE(LASER, "L1") SUPPLY(BLACK, LASER, "80")
	    ALERT(JAM, LASER));
	assert_int_equal(tell_as(f, f->agent, EPOCH2, 1, WHOLE(AGAIN, "L1")),
	    APPLY_DONE);
	assert_int_equal(tell_as(f, f->agent, EPOCH2, 2, SUPPLY(AGAIN, LASER,
	    "70")), APPLY_DONE);
	assert_int_equal(tell_as(f, f->agent, EPOCH2, 3, ALERT(AGAIN, LASER)),
	    APPLY_DONE);
	assert_int_equal(fleet_commit(f->fleet), 0);
	assert_get(f, "SELECT level FROM consumable WHERE uuid = '" BLACK "'",
	    "70");
	assert_get(f, "SELECT known FROM alias", LASER);
}

static void
weak_keys_are_not_the_same(void **state)
{
	struct fixture	*f = *state;
	static const char asset[] = "<key>I:10.0.0.1:Acme</key><strength>"
	    "address</strength><make>Acme</make><state>online</state>"
	    "</asset>";
	char		*one, *two;

	one = xasprintf("<asset id='" LASER "'>%s", asset);
	two = xasprintf("<asset id='" INKJET "'>%s", asset);
	assert_int_equal(tell(f, 1, one), APPLY_DONE);
	assert_int_equal(tell(f, 2, two), APPLY_DONE);
	assert_int_equal(f->answer.same_len, 0);
	assert_get(f, "SELECT count(*) FROM asset", "2");
	free(one);
	free(two);
}

/* In a new epoch a whole printer that mentions an alert no more ends it. */
static void
nothing_immortal(void **state)
{
	struct fixture	*f = *state;

	tell(f, 1, WHOLE(LASER, "L1") SUPPLY(BLACK, LASER, "80")
	    ALERT(JAM, LASER));
	tell_as(f, f->agent, EPOCH2, 1, "<agent><uptime>1</uptime></agent>");
	assert_get(f, "SELECT count(*) FROM alert WHERE cleared IS NULL",
	    "1");
	tell_as(f, f->agent, EPOCH2, 2, WHOLE(LASER, "L1"));
	assert_get(f, "SELECT count(*) FROM alert WHERE cleared IS NULL",
	    "0");
	assert_get(f, "SELECT count(*) FROM consumable WHERE removed IS "
	    "NULL", "0");
	/* It was only in the next report: it is back. */
	tell_as(f, f->agent, EPOCH2, 3, SUPPLY(BLACK, LASER, "80")
	    ALERT(JAM, LASER));
	assert_int_equal(fleet_commit(f->fleet), 0);
	assert_get(f, "SELECT count(*) FROM alert WHERE cleared IS NULL",
	    "1");
	assert_get(f, "SELECT count(*) FROM consumable WHERE removed IS "
	    "NULL", "1");
	assert_get(f, "SELECT group_concat(field) FROM history WHERE record "
	    "= 3", "raised,lapsed,reopened");
	/* And in its own epoch nothing is ever in doubt. */
	tell_as(f, f->agent, EPOCH2, 4, WHOLE(LASER, "L1"));
	assert_get(f, "SELECT count(*) FROM alert WHERE cleared IS NULL",
	    "1");
}

static void
gaps(void **state)
{
	struct fixture	*f = *state;
	int64_t		 seq[LANES], gap;
	int64_t		 first[LANES] = { [LANE_BULK] = 1, [LANE_URGENT] = 2 };
	bool		 whole;

	tell(f, 1, WHOLE(LASER, "L1") ALERT(JAM, LASER));
	assert_int_equal(epoch_greet(f->fleet, f->agent, EPOCH, first, seq,
	    &whole), 0);
	assert_int_equal(seq[LANE_URGENT], 1);
	assert_int_equal(seq[LANE_BULK], 0);
	assert_false(whole);
	/* 2 to 5 are gone, and one of the bulk; nothing happens before the
	 * session is proven. */
	first[LANE_URGENT] = 6;
	first[LANE_BULK] = 2;
	assert_int_equal(epoch_greet(f->fleet, f->agent, EPOCH, first, seq,
	    &whole), 0);
	assert_int_equal(seq[LANE_URGENT], 1);
	assert_true(whole);
	assert_get(f, LAST, "1");
	assert_int_equal(epoch_resume(f->fleet, f->agent, EPOCH, first, whole,
	    f->now, &gap), 0);
	assert_int_equal(gap, 5);
	assert_get(f, "SELECT last_bulk FROM epoch", "1");
	assert_int_equal(tell(f, 5, ""), APPLY_SEEN);
	assert_int_equal(tell(f, 6, WHOLE(LASER, "L1")), APPLY_DONE);
	assert_get(f, "SELECT gaps FROM epoch", "1");
	assert_get(f, "SELECT count(*) FROM alert WHERE cleared IS NULL",
	    "0");
	/* We know more than the agent still has: no gap. */
	first[LANE_URGENT] = 3;
	first[LANE_BULK] = 1;
	assert_int_equal(epoch_resume(f->fleet, f->agent, EPOCH, first, false,
	    f->now, &gap), 0);
	assert_int_equal(gap, 0);
	assert_int_equal(fleet_commit(f->fleet), 0);
	assert_get(f, LAST, "6");
}

#define FRAME(lane, first, last) "<reports xmlns='" REPORT_NS "' epoch='" \
	EPOCH "' lane='" lane "' first='" first "' last='" last "'>"
#define NUMBERED(seq, turn, x) "<report seq='" seq "' turn='" turn "'>" x \
	"</report>"
#define END "</reports>"

/* A message has many; some are empty, some are seen, one is bad. */
static void
many_at_once(void **state)
{
	struct fixture	*f = *state;

	assert_int_equal(tell_message(f, f->agent, FRAME("urgent", "1", "4")
	    NUMBERED("1", "1", WHOLE(LASER, "L1"))
	    NUMBERED("3", "5", "<asset id='" LASER "'><location>Den"
	    "</location></asset>") END), APPLY_DONE);
	assert_int_equal(f->answer.seq, 4);
	assert_get(f, LAST, "4");
	assert_get(f, "SELECT location FROM asset", "Den");
	/* Overlapping: what was taken stays, what is new is taken. */
	assert_int_equal(tell_message(f, f->agent, FRAME("urgent", "3", "6")
	    NUMBERED("3", "5", "<asset id='" LASER "'><location>Attic"
	    "</location></asset>")
	    NUMBERED("5", "6", "<nonsense/>")
	    NUMBERED("6", "7", "<asset id='" LASER "'><asset_tag>T1"
	    "</asset_tag></asset>") END), TELL_REFUSED);
	assert_int_equal(f->answer.verdict, APPLY_DONE);
	assert_int_equal(f->answer.seq, 6);
	assert_int_equal(f->answer.refused_len, 1);
	assert_int_equal(f->answer.refused[0].seq, 5);
	assert_get(f, "SELECT location || asset_tag FROM asset", "DenT1");
	/* Again, it says the same. */
	assert_int_equal(tell_message(f, f->agent, FRAME("urgent", "3", "6")
	    END), TELL_REFUSED);
	assert_int_equal(f->answer.verdict, APPLY_SEEN);
	assert_int_equal(f->answer.refused[0].seq, 5);
	/* The other lane counts for itself, and has its own refusals. */
	assert_int_equal(tell_message(f, f->agent, FRAME("bulk", "2", "2")
	    NUMBERED("2", "9", "") END), APPLY_AGAIN);
	assert_int_equal(f->answer.seq, 0);
	assert_int_equal(f->answer.lane, LANE_BULK);
	assert_int_equal(tell_message(f, f->agent, FRAME("bulk", "1", "5")
	    NUMBERED("5", "9", "<nonsense/>") END), TELL_REFUSED);
	assert_int_equal(fleet_commit(f->fleet), 0);
	assert_get(f, "SELECT last_seq || ',' || last_bulk FROM epoch",
	    "6,5");
	assert_get(f, "SELECT count(*) FROM refused", "2");
}

/* Behind so many refusals the rest is left for the next message. */
static void
an_answer_has_an_end(void **state)
{
	struct fixture	*f = *state;
	struct buf	 xml = { 0 };
	int		 i;

	buf_puts(&xml, FRAME("urgent", "1", "40"));
	for (i = 1; i <= 40; i++)
		buf_printf(&xml, "<report seq='%d' turn='%d'><bad/></report>",
		    i, i);
	buf_puts(&xml, END);
	assert_int_equal(tell_message(f, f->agent, xml.data), TELL_REFUSED);
	assert_int_equal(f->answer.refused_len, APPLY_REFUSED_MOST);
	assert_int_equal(f->answer.seq, APPLY_REFUSED_MOST);
	/* The same message again: what it says is the same. */
	assert_int_equal(tell_message(f, f->agent, xml.data), TELL_REFUSED);
	assert_int_equal(f->answer.verdict, APPLY_SEEN);
	assert_int_equal(f->answer.seq, APPLY_REFUSED_MOST);
	assert_int_equal(fleet_commit(f->fleet), 0);
	assert_get(f, LAST, "16");
	buf_free(&xml);
}

#define TOTAL(n) "<asset id='" LASER "'><time>2026-11-20T19:20:00.000Z</time>" \
	"<counter name='total' unit='impressions'>" n "</counter></asset>"

/* What is urgent overtakes the bulk: an older reading comes into the history,
 * and into nothing else. */
static void
late_readings(void **state)
{
	struct fixture	*f = *state;

	tell(f, 1, WHOLE(LASER, "L1") SUPPLY(BLACK, LASER, "80"));
	assert_int_equal(tell_message(f, f->agent, FRAME("urgent", "2", "2")
	    NUMBERED("2", "5", "<asset id='" LASER "'><time>2026-11-20T20:"
	    "00:00.000Z</time><counter name='total' unit='impressions'>130"
	    "</counter></asset><consumable id='" BLACK "' asset='" LASER
	    "'><index>1</index><level>9</level><percent>9</percent><state>low"
	    "</state></consumable>") END), APPLY_DONE);
	assert_int_equal(tell_message(f, f->agent, FRAME("bulk", "1", "3")
	    NUMBERED("1", "2", TOTAL("110"))
	    NUMBERED("3", "3", TOTAL("120")) END), APPLY_DONE);
	assert_int_equal(tell_message(f, f->agent, FRAME("bulk", "4", "4")
	    NUMBERED("4", "4", "<consumable id='" BLACK "' asset='" LASER
	    "'><index>1</index><level>40</level><percent>40</percent>"
	    "</consumable>") END), APPLY_DONE);
	assert_int_equal(fleet_commit(f->fleet), 0);
	assert_get(f, "SELECT value FROM counter", "130");
	assert_get(f, "SELECT level || ',' || state || ',' || percent FROM "
	    "consumable", "9,2,9");		/* low */
	assert_get(f, "SELECT time FROM asset", "1795204800000");
	/* In the order of the story. */
	assert_get(f, "SELECT group_concat(v) FROM (SELECT CAST(number AS "
	    "TEXT) AS v FROM history WHERE record = 1 ORDER BY turn) AS x",
	    "100,110,120,130");
	assert_get(f, "SELECT group_concat(v) FROM (SELECT CAST(number AS "
	    "TEXT) AS v FROM history WHERE record = 2 ORDER BY turn) AS x",
	    "80,40,9");
	/* Nobody takes the older one for a counter that began anew. */
	assert_get(f, "SELECT count(*) FROM history WHERE \"before\" IS NOT "
	    "NULL", "0");
	/* The next one of the bulk is news again. */
	assert_int_equal(tell_message(f, f->agent, FRAME("bulk", "5", "5")
	    NUMBERED("5", "6", TOTAL("131")) END), APPLY_DONE);
	assert_get(f, "SELECT value FROM counter", "131");
	/* And in a new epoch every turn is. */
	assert_int_equal(tell_as(f, f->agent, EPOCH2, 1, TOTAL("132")),
	    APPLY_DONE);
	assert_get(f, "SELECT value FROM counter", "132");
}

/* A new cartridge overtakes all that was used of the one before it: its level
 * is what we had anyway, and yet it stands in the story. */
static void
a_replacement_overtakes(void **state)
{
	struct fixture	*f = *state;

	tell(f, 1, WHOLE(LASER, "L1") SUPPLY(BLACK, LASER, "100"));
	assert_int_equal(tell_message(f, f->agent, FRAME("urgent", "2", "2")
	    NUMBERED("2", "3", "<consumable id='" BLACK "' asset='" LASER
	    "'><index>1</index><level>100</level><percent>100</percent>"
	    "<replaced>2026-11-20T20:00:00.000Z</replaced></consumable>")
	    END), APPLY_DONE);
	assert_int_equal(tell_message(f, f->agent, FRAME("bulk", "1", "1")
	    NUMBERED("1", "2", "<consumable id='" BLACK "' asset='" LASER
	    "'><index>1</index><level>9</level><percent>9</percent>"
	    "</consumable>") END), APPLY_DONE);
	assert_int_equal(fleet_commit(f->fleet), 0);
	assert_get(f, "SELECT group_concat(v) FROM (SELECT CAST(number AS "
	    "TEXT) AS v FROM history WHERE record = 2 ORDER BY turn) AS x",
	    "100,9,100");
	assert_get(f, "SELECT count(*) FROM history WHERE record = 7", "1");
	assert_get(f, "SELECT level FROM consumable", "100");
}

static void
frames(void **state)
{
	static const char *const	 bad[] = {
		"<report xmlns='" REPORT_NS "' seq='1' turn='1'/>",
		"<reports xmlns='urn:x' epoch='" EPOCH "' lane='bulk' "
		    "first='1' last='1'/>",
		"<reports xmlns='" REPORT_NS "' lane='bulk' first='1' "
		    "last='1'/>",
		"<reports xmlns='" REPORT_NS "' epoch='x' lane='bulk' "
		    "first='1' last='1'/>",
		FRAME("slow", "1", "1") END, FRAME("bulk", "0", "1") END,
		FRAME("bulk", "2", "1") END, FRAME("bulk", "1", "x") END,
		FRAME("bulk", "1", "9999999999999999999") END,
		FRAME("bulk", "2", "3") NUMBERED("1", "1", "") END,
		FRAME("bulk", "2", "3") NUMBERED("4", "1", "") END,
		FRAME("bulk", "2", "3") NUMBERED("2", "0", "") END,
		FRAME("bulk", "2", "3") NUMBERED("3", "1", "")
		    NUMBERED("2", "2", "") END,
		FRAME("bulk", "2", "3") NUMBERED("2", "1", "")
		    NUMBERED("3", "1", "") END,
		FRAME("bulk", "2", "3") NUMBERED("2", "1", "")
		    NUMBERED("2", "2", "") END,
		FRAME("bulk", "2", "3") "<report seq='2'/>" END,
		FRAME("bulk", "2", "3") "<asset id='" LASER "'/>" END,
	};
	struct apply_frame		 frame;
	xmlDoc				*doc;
	char				 why[100];
	size_t				 i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		doc = xmltree_parse(bad[i], strlen(bad[i]), why, sizeof(why));
		assert_non_null(doc);
		if (apply_frame_read(xmlDocGetRootElement(doc), &frame) == 0)
			fail_msg("taken: %s", bad[i]);
		xmlFreeDoc(doc);
	}
}

static void
supplies(void **state)
{
	struct fixture	*f = *state;

	tell(f, 1, WHOLE(LASER, "L1") SUPPLY(BLACK, LASER, "3"));
	tell(f, 2, "<consumable id='" BLACK "' asset='" LASER "'><index>1"
	    "</index><serial>T42</serial><level>100</level><percent>100"
	    "</percent><replaced>2026-11-20T20:00:00.000Z</replaced>"
	    "</consumable>");
	assert_get(f, "SELECT " VALUE " FROM history WHERE record = 7", "T42");
	assert_get(f, "SELECT group_concat(" VALUE ") FROM history WHERE record "
	    "= 2", "3,100");
	tell(f, 3, "<consumable id='" BLACK "' asset='" LASER "'><index>1"
	    "</index><removed>2026-11-20T21:00:00.000Z</removed>"
	    "</consumable>");
	assert_get(f, "SELECT removed FROM consumable", "1795208400000");
	assert_get(f, "SELECT " VALUE " FROM history WHERE field = 'removed'",
	    "2026-11-20T21:00:00.000Z");
}

/* The disk is full: nothing lasts, and later all of it works. */
static void
disk_full(void **state)
{
	struct fixture	*f = *state;
	int64_t		 seq = 1;
	int		 i;

	assert_int_equal(tell(f, seq++, WHOLE(LASER, "L1")), APPLY_DONE);
	break_store(f);
	for (i = 0; i < 5000 && !fleet_failed(f->fleet); i++) {
		char	*records;

		records = xasprintf("<asset id='" LASER "'><location>place "
		    "%d</location></asset>", i);
		if (tell_as(f, f->agent, EPOCH, seq, records) == APPLY_DONE)
			seq++;
		free(records);
	}
	assert_int_equal(f->answer.verdict, APPLY_FAILED);
	assert_int_equal(fleet_commit(f->fleet), -1);
	assert_get(f, LAST, "1");
	assert_get(f, "SELECT location FROM asset", "Floor 2");
	mend_store(f);
	assert_int_equal(tell(f, 2, "<asset id='" LASER "'><location>Barn"
	    "</location></asset>"), APPLY_DONE);
	assert_get(f, "SELECT location FROM asset", "Barn");
	if (on_postgresql())
		return;
	assert_get(f, "SELECT integrity_check FROM pragma_integrity_check",
	    "ok");
	assert_get(f, "SELECT count(*) FROM pragma_foreign_key_check", "0");
}

static void
not_committed(void **state)
{
	struct fixture	*f = *state;

	assert_int_equal(tell_as(f, f->agent, EPOCH, 1, WHOLE(LASER, "L1")),
	    APPLY_DONE);
	fleet_close(f->fleet);
	f->fleet = fleet_open(&f->source, FLEET_WRITE);
	assert_non_null(f->fleet);
	assert_get(f, "SELECT count(*) FROM asset", "0");
	assert_int_equal(tell(f, 1, WHOLE(LASER, "L1")), APPLY_DONE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(fn)	cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
		TEST(once), TEST(in_order), TEST(only_changes), TEST(alerts),
		TEST(refused_alone), TEST(absurd), TEST(partial_first),
		TEST(others_assets), TEST(same_asset),
		TEST(one_uuid_for_two_kinds),
		TEST(weak_keys_are_not_the_same), TEST(nothing_immortal),
		TEST(gaps), TEST(many_at_once),
		TEST(an_answer_has_an_end), TEST(late_readings),
		TEST(a_replacement_overtakes),
		TEST(frames),
		TEST(supplies), TEST(disk_full),
		TEST(not_committed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
