/* Reports: round trips, the XSD, and what is refused. */
#include "schema/report.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/mem.h"
#include "schema/xmltree.h"
#include "tests/unit/schema/fill.h"

#define EPOCH	"0b7f5a0e-8a5a-4b1e-9d3c-111111111111"
#define ID	"0b7f5a0e-8a5a-4b1e-9d3c-222222222222"
#define OTHER	"0b7f5a0e-8a5a-4b1e-9d3c-333333333333"
#define OPEN	"<report xmlns='urn:platen:report:1' seq='1' turn='3'>"
#define ASSET(x) OPEN "<asset id='" ID "'>" x "</asset></report>"
#define SUPPLY(x) OPEN "<consumable id='" ID "' asset='" OTHER "'>" x \
		"</consumable></report>"

static void
assert_same(const struct field *f, const void *a, const void *b)
{
	for (; f->name != NULL; f++)
		if (!f->probe_only && !field_equal(f, a, b))
			fail_msg("%s differs", f->name);
}

static void
assert_same_report(const struct report *a, const struct report *b)
{
	size_t i, c;

	assert_true(a->seq == b->seq);
	assert_true(a->turn == b->turn);
	assert_int_equal(a->assets_len, b->assets_len);
	for (i = 0; i < a->assets_len; i++) {
		assert_same(asset_fields, &a->assets[i], &b->assets[i]);
		assert_int_equal(a->assets[i].counters_len,
		    b->assets[i].counters_len);
		for (c = 0; c < a->assets[i].counters_len; c++)
			assert_same(counter_fields, &a->assets[i].counters[c],
			    &b->assets[i].counters[c]);
	}
	assert_int_equal(a->consumables_len, b->consumables_len);
	for (i = 0; i < a->consumables_len; i++)
		assert_same(consumable_fields, &a->consumables[i],
		    &b->consumables[i]);
	assert_int_equal(a->alerts_len, b->alerts_len);
	for (i = 0; i < a->alerts_len; i++)
		assert_same(alert_fields, &a->alerts[i], &b->alerts[i]);
	assert_int_equal(a->agents_len, b->agents_len);
	for (i = 0; i < a->agents_len; i++)
		assert_same(agent_fields, &a->agents[i], &b->agents[i]);
}

static void
fill_report(struct report *r)
{
	bool partial = fill_below(3) != 0;
	struct counter *c;
	struct asset *a;
	int64_t i, k;

	if (fill_below(5) != 0) {
		r->turn = 1 + fill_below(1 << 30);
		r->seq = 1 + fill_below(1 << 30);
	}
	for (i = fill_below(4); i > 0; i--) {
		a = report_asset(r);
		fill_record(asset_fields, a, partial);
		for (k = fill_below(6); k > 0; k--) {
			c = asset_counter_add(a, NULL);
			fill_record(counter_fields, c, false);
		}
	}
	for (i = fill_below(6); i > 0; i--)
		fill_record(consumable_fields, report_consumable(r), partial);
	for (i = fill_below(4); i > 0; i--)
		fill_record(alert_fields, report_alert(r), partial);
	if (fill_below(2))
		fill_record(agent_fields, report_agent(r), partial);
}

static void
test_round_trip(void **state)
{
	struct report r, back;
	struct buf xml = { 0 };
	char why[256];
	int round;

	srandom(4);
	for (round = 0; round < 1000; round++) {
		report_init(&r);
		fill_report(&r);
		buf_reset(&xml);
		report_write(&r, &xml);
		if (report_read(xml.data, xml.len, &back, why,
		    sizeof why) == -1)
			fail_msg("%s: %s", why, xml.data);
		assert_same_report(&r, &back);
		report_clear(&back);
		assert_int_equal(report_read_own(xml.data, xml.len, &back, why,
		    sizeof why), 0);
		assert_same_report(&r, &back);
		report_clear(&r);
		report_clear(&back);
	}
	buf_free(&xml);
}

/* What was stored here and is damaged: no record without its keys, no value
 * that is none. */
static void
test_own_but_damaged(void **state)
{
	static const char *const bad[] = { "", "<report", "<a/>",
	    OPEN "<asset><make>x</make></asset></report>",
	    OPEN "<consumable id='" ID "'/></report>",
	    OPEN "<alert asset='" ID "'/></report>",
	    ASSET("<counter>5</counter>"), ASSET("<state>perhaps</state>"),
	    ASSET("<mistake/>"), SUPPLY("<level>much</level>"),
	    OPEN "<agent/><agent/></report>" };
	struct report back;
	char why[256];
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		why[0] = '\0';
		if (report_read_own(bad[i], strlen(bad[i]), &back, why,
		    sizeof why) != -1 && back.assets_len +
		    back.consumables_len + back.alerts_len > 0)
			fail_msg("taken: %s", bad[i]);
		report_clear(&back);
	}
}

/* A partial record, to the letter. */
static void
test_letters(void **state)
{
	struct report r;
	struct asset *a;
	struct counter *c;
	struct buf xml = { 0 };

	report_init(&r);
	r.seq = 7;
	r.turn = 9;
	a = report_asset(&r);
	a->id = xstrdup(ID);
	a->location = xstrdup("2nd floor, <left>");
	a->zone = xstrdup("");
	a->errors = 0;
	a->state = CLEARED;
	c = asset_counter_add(a, "total");
	c->value = 1234;
	c->unit = 7;
	c->oid = xstrdup("1.3.6.1.2.1.43.10.2.1.4.1.1");
	c->check = CHECK_OK;
	asset_counter_add(a, "mono");		/* without a value */
	report_write(&r, &xml);
	assert_string_equal(xml.data,
	    "<report xmlns='urn:platen:report:1' seq='7' turn='9'>"
	    "<asset id='" ID "'>"
	    "<location>2nd floor, &lt;left&gt;</location><zone/><state/>"
	    "<errors>none</errors>"
	    "<counter name='total' unit='impressions'"
	    " oid='1.3.6.1.2.1.43.10.2.1.4.1.1' check='ok'>1234</counter>"
	    "</asset></report>");
	report_clear(&r);
	buf_free(&xml);
}

/* Every keyword of every table is valid, and comes back. */
static void
test_every_keyword(void **state)
{
	static const struct field *const tables[] = { asset_fields,
	    consumable_fields, alert_fields, counter_fields };
	struct report r, back;
	struct buf xml = { 0 };
	const struct field *f;
	const struct keyword *k;
	char why[256];
	void *record;
	struct asset *a;
	size_t t;

	for (t = 0; t < 4; t++) {
		for (f = tables[t]; f->name != NULL; f++) {
			for (k = f->words; k != NULL && k->word != NULL; k++) {
				report_init(&r);
				a = t == 0 || t == 3 ? report_asset(&r) : NULL;
				record = t == 0 ? (void *)a :
				    t == 1 ? (void *)report_consumable(&r) :
				    t == 2 ? (void *)report_alert(&r) :
				    (void *)asset_counter_add(a, "total");
				if (t == 3) {
					fill_record(asset_fields, a, false);
					field_set_int(field_find(tables[t],
					    "value"), record, 1);
				} else
					fill_record(tables[t], record, false);
				field_set_int(f, record,
				    f->kind == FIELD_BITS ?
				    INT64_C(1) << k->value : k->value);
				buf_reset(&xml);
				report_write(&r, &xml);
				assert_non_null(strstr(xml.data, k->word));
				if (report_read(xml.data, xml.len, &back, why,
				    sizeof why) == -1)
					fail_msg("%s: %s", k->word, why);
				assert_same_report(&r, &back);
				report_clear(&r);
				report_clear(&back);
			}
		}
	}
	buf_free(&xml);
}

/* The XSD knows no keyword that the tables do not. */
static void
test_xsd_words(void **state)
{
	static const struct {
		const char *type;
		const struct keyword *words;
	} types[] = {
		{ "errorWord", words_error }, { "check", words_check },
		{ "strengthWord", words_strength },
		{ "assetStateWord", words_asset_state },
		{ "supplyStateWord", words_supply_state },
		{ "unitWord", words_unit },
		{ "supplyKindWord", words_supply_kind },
		{ "supplyClassWord", words_supply_class },
		{ "deviceStatusWord", words_device_status },
		{ "printerStatusWord", words_printer_status },
		{ "alertSeverityWord", words_alert_severity },
		{ "alertGroupWord", words_alert_group },
		{ "alertTrainingWord", words_alert_training },
	};
	const char *xsd = report_schema_text();
	xmlDoc *doc = xmlReadMemory(xsd, (int)strlen(xsd), NULL, NULL,
	    XML_PARSE_NONET);
	xmlNode *n, *e;
	char *name, *word;
	size_t i, found = 0;
	const struct keyword *k;

	assert_non_null(doc);
	for (n = xmltree_child(xmlDocGetRootElement(doc), NULL, NULL);
	    n != NULL; n = xmltree_next(n)) {
		name = xmltree_attr(n, "name");
		for (i = 0; i < sizeof types / sizeof types[0]; i++) {
			if (name == NULL || strcmp(name, types[i].type) != 0)
				continue;
			found++;
			k = types[i].words;
			e = xmltree_child(xmltree_child(n, "restriction",
			    NULL), NULL, NULL);
			for (; e != NULL; e = xmltree_next(e), k++) {
				word = xmltree_attr(e, "value");
				assert_non_null(k->word);
				assert_string_equal(word, k->word);
				free(word);
			}
			assert_null(k->word);
		}
		free(name);
	}
	assert_int_equal(found, sizeof types / sizeof types[0]);
	xmlFreeDoc(doc);
}

static void
taken(const char *xml)
{
	struct report r;
	char why[256];

	if (report_read(xml, strlen(xml), &r, why, sizeof why) == -1)
		fail_msg("%s: %s", why, xml);
	report_clear(&r);
}

static void
refused(const char *xml)
{
	struct report r;
	char why[256] = "";

	if (report_read(xml, strlen(xml), &r, why, sizeof why) == 0)
		fail_msg("taken: %s", xml);
	assert_true(strlen(why) > 3);
	assert_null(strchr(why, '\n'));
	/* There is nothing to clear. */
	assert_null(r.assets);
}

static void
test_taken(void **state)
{
	taken("<report xmlns='urn:platen:report:1'/>");
	taken(OPEN "</report>");
	taken("<p:report xmlns:p='urn:platen:report:1' seq=' 5 '/>");
	taken(ASSET(""));
	taken(ASSET("<key/><model>x</model>\n<errors> jammed\nlowPaper "
	    "</errors>"));
	taken(ASSET("<time>2026-11-20T19:30:00Z</time>"));
	taken(ASSET("<model><![CDATA[a<b]]></model>"));
	taken(SUPPLY("<index> 1 </index><kind>99</kind><unit>-5</unit>"));
}

static void
test_refused(void **state)
{
	/* the frame */
	refused("<report/>");
	refused("<report xmlns='urn:platen:report:2'/>");
	refused("<asset xmlns='urn:platen:report:1' id='" ID "'/>");
	refused("<ack xmlns='urn:platen:report:1' seq='1'/>");
	refused("<report xmlns='urn:platen:report:1' seq='0'/>");
	refused("<report xmlns='urn:platen:report:1' seq='-1'/>");
	refused("<report xmlns='urn:platen:report:1' seq='x'/>");
	refused("<report xmlns='urn:platen:report:1'"
	    " seq='9223372036854775807'/>");
	refused("<report xmlns='urn:platen:report:1' turn='0'/>");
	refused("<report xmlns='urn:platen:report:1' epoch='" EPOCH "'/>");
	refused("<report xmlns='urn:platen:report:1' more='x'/>");
	refused(OPEN "text</report>");
	refused(OPEN "<other/></report>");
	refused(OPEN "<agent/><agent/></report>");
	refused(OPEN "<agent/><asset id='" ID "'/></report>");
	refused(OPEN "<asset/></report>");
	refused(OPEN "<asset id='X'/></report>");
	refused(OPEN "<asset id='" ID "' x='y'/></report>");
	refused(OPEN "<asset xmlns='' id='" ID "'/></report>");
	refused(OPEN "<consumable id='" ID "'/></report>");
	refused(OPEN "<alert asset='" ID "'/></report>");
	/* another namespace's ways */
	refused(OPEN "<asset id='" ID "' xmlns:xsi="
	    "'http://www.w3.org/2001/XMLSchema-instance' xsi:type='asset'/>"
	    "</report>");
	refused("<report xmlns='urn:platen:report:1' xmlns:xsi="
	    "'http://www.w3.org/2001/XMLSchema-instance' xsi:schemaLocation="
	    "'urn:platen:report:1 http://127.0.0.1:1/x.xsd'/>");
	refused(ASSET("<model xml:lang='de'>x</model>"));
	/* order, number, names */
	refused(ASSET("<model>x</model><make>y</make>"));
	refused(ASSET("<model>x</model><model>y</model>"));
	refused(ASSET("<colour>x</colour>"));
	refused(ASSET("<model>x<b/>y</model>"));
	refused(ASSET("x"));
	refused(OPEN "<alert id='" ID "' asset='" OTHER "'><time_ticks>5"
	    "</time_ticks></alert></report>");
	/* values */
	refused(ASSET("<model>a&#9;b</model>"));
	refused(ASSET("<model>a&#10;b</model>"));
	refused(ASSET("<model>a\nb</model>"));
	refused(ASSET("<model>a&#127;b</model>"));
	refused(ASSET("<model>a&#133;b</model>"));
	refused(ASSET("<state>99</state>"));
	refused(ASSET("<state>Online</state>"));
	refused(ASSET("<strength>weak</strength>"));
	refused(ASSET("<device_status>fine</device_status>"));
	refused(ASSET("<device_status>2147483648</device_status>"));
	refused(ASSET("<errors>none jammed</errors>"));
	refused(ASSET("<errors>jam</errors>"));
	refused(ASSET("<errors>5</errors>"));
	refused(ASSET("<time>2026-11-20T19:30:00+01:00</time>"));
	refused(ASSET("<time>2026-02-30T19:30:00Z</time>"));
	refused(ASSET("<time>2026-11-20T24:00:00Z</time>"));
	refused(SUPPLY("<index/>"));
	refused(SUPPLY("<index>1.5</index>"));
	refused(SUPPLY("<index>+1</index>"));
	refused(SUPPLY("<index>1</index><level>1e3</level>"));
	refused(SUPPLY("<level>9223372036854775808</level>"));
	refused(SUPPLY("<level>-9223372036854775807</level>"));
	refused(SUPPLY("<percent>101</percent>"));
	refused(SUPPLY("<percent>-3</percent>"));
	refused(OPEN "<agent><uptime>-1</uptime></agent></report>");
	/* counters are whole */
	refused(ASSET("<counter name='total'/>"));
	refused(ASSET("<counter>5</counter>"));
	refused(ASSET("<counter name=''>5</counter>"));
	refused(ASSET("<counter name='total' check='maybe'>5</counter>"));
	refused(ASSET("<counter name='total' unit=''>5</counter>"));
	refused(ASSET("<counter name='total'>5</counter><time/>"));
	/* not even XML */
	refused("");
	refused("<!DOCTYPE report>" OPEN "</report>");
}

static void
refused_made(const char *before, const char *part, size_t times,
    const char *after)
{
	struct buf xml = { 0 };

	buf_puts(&xml, before);
	while (times-- > 0)
		buf_puts(&xml, part);
	buf_puts(&xml, after);
	refused(xml.data);
	buf_free(&xml);
}

static void
test_too_much(void **state)
{
	refused_made(OPEN "<asset id='" ID "'><model>", "x", 256,
	    "</model></asset></report>");
	/* 255 characters, but 256 octets */
	refused_made(OPEN "<asset id='" ID "'><model>\xc3\xbc", "x", 254,
	    "</model></asset></report>");
	refused_made(OPEN "<asset id='" ID "'>",
	    "<counter name='c'>1</counter>", 65, "</asset></report>");
	refused_made(OPEN, "<asset id='" ID "'/>", 513, "</report>");
	refused_made(OPEN, " ", REPORT_XML_MAX, "</report>");
}

static void
test_full_house(void **state)
{
	struct buf xml = { 0 };
	struct report r;
	char why[256];
	int i;

	buf_puts(&xml, OPEN "<asset id='" ID "'>");
	for (i = 0; i < 64; i++)
		buf_printf(&xml, "<counter name='c%d'>%d</counter>", i, i);
	buf_puts(&xml, "</asset>");
	for (i = 1; i < 512; i++)
		buf_puts(&xml, "<asset id='" ID "'/>");
	buf_puts(&xml, "</report>");
	assert_int_equal(report_read(xml.data, xml.len, &r, why, sizeof why),
	    0);
	assert_int_equal(r.assets_len, 512);
	assert_int_equal(r.assets[0].counters_len, 64);
	report_clear(&r);
	buf_free(&xml);
}

/* What no reader would take is mended on the way out. */
static void
test_writer_mends(void **state)
{
	struct report r, back;
	struct asset *a;
	struct buf xml = { 0 };
	char text[1000], why[256];
	size_t i;

	for (i = 0; i < sizeof text - 1; i += 3)
		memcpy(text + i, "\xe6\x96\x87", 3);
	text[999] = '\0';
	report_init(&r);
	a = report_asset(&r);
	a->id = xstrdup(ID);
	a->model = xstrdup(text);
	a->hostname = xstrdup("a\tb\nc\x01\x7f\xc2\x85\xef\xbf\xbf\xff");
	report_write(&r, &xml);
	assert_int_equal(report_read(xml.data, xml.len, &back, why,
	    sizeof why), 0);
	assert_int_equal(strlen(back.assets[0].model), 255);
	assert_string_equal(back.assets[0].hostname, "abc?");
	report_clear(&r);
	report_clear(&back);
	buf_free(&xml);
}

static void
test_too_long(void **state)
{
	struct report r;
	struct buf xml = { 0 };
	int i, status;
	pid_t pid;

	report_init(&r);
	buf_puts(&xml, "before");
	for (i = 0; i < 400; i++)
		fill_record(consumable_fields, report_consumable(&r), false);
	assert_int_equal(report_try_write(&r, &xml), -1);
	assert_string_equal(xml.data, "before");
	if ((pid = fork()) == 0) {
		int null = open("/dev/null", O_WRONLY);

		dup2(null, STDERR_FILENO);
		report_write(&r, &xml);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) != 0);
	report_clear(&r);
	buf_free(&xml);
}

static int
valid(const char *xml)
{
	char why[256];
	xmlDoc *doc = xmltree_parse(xml, strlen(xml), why, sizeof why);
	int rc;

	assert_non_null(doc);
	rc = report_validate(xmlDocGetRootElement(doc), why, sizeof why);
	xmlFreeDoc(doc);
	return rc;
}

#define NS "xmlns='urn:platen:report:1'"
#define U " lane='urgent'"

static void
test_many(void **state)
{
#define FRAME "<reports " NS " epoch='" EPOCH "' lane='urgent' "
	assert_int_equal(valid(FRAME "first='1' last='1'/>"), 0);
	assert_int_equal(valid(FRAME "first='1' last='9'><report seq='2' "
	    "turn='5'><asset id='" ID "'/></report><report seq='9' turn='7'/>"
	    "</reports>"), 0);
	assert_int_equal(valid(FRAME "first='1'/>"), -1);
	assert_int_equal(valid(FRAME "first='0' last='1'/>"), -1);
	assert_int_equal(valid(FRAME "first='1' last='1'><asset id='" ID
	    "'/></reports>"), -1);
	assert_int_equal(valid("<reports " NS U " first='1' last='1'/>"), -1);
}

static void
test_answers(void **state)
{
	assert_int_equal(valid("<ack " NS U " seq='0'/>"), 0);
	assert_int_equal(valid("<ack " NS U " seq='5'><same asset='" ID
	    "' known='" OTHER "'/><refused seq='5' reason='x'/></ack>"), 0);
	assert_int_equal(valid("<ack " NS " lane='bulk' seq='5'><refused "
	    "seq='2' reason='x'/><refused seq='4' reason=''/></ack>"), 0);
	assert_int_equal(valid("<again " NS U " seq='0'/>"), 0);
	assert_int_equal(valid("<ack " NS U "/>"), -1);
	assert_int_equal(valid("<ack " NS " seq='1'/>"), -1);
	assert_int_equal(valid("<ack " NS " lane='slow' seq='1'/>"), -1);
	assert_int_equal(valid("<ack " NS U " seq='-1'/>"), -1);
	assert_int_equal(valid("<ack " NS U " seq='1'>x</ack>"), -1);
	assert_int_equal(valid("<ack " NS U " seq='1'><same asset='" ID
	    "'/></ack>"), -1);
	assert_int_equal(valid("<ack " NS U " seq='5'><refused seq='5'/>"
	    "</ack>"), -1);
	assert_int_equal(valid("<ack " NS U " seq='5'><refused seq='0' "
	    "reason='x'/></ack>"), -1);
	assert_int_equal(valid("<refused " NS " seq='5' reason='x'/>"), -1);
	assert_int_equal(valid("<again " NS U " seq='0'><x/></again>"), -1);
	assert_int_equal(valid("<again " NS " seq='0'/>"), -1);
	assert_int_equal(valid("<same " NS " asset='" ID "' known='" OTHER
	    "'/>"), -1);
	assert_int_equal(valid("<ack seq='1'/>"), -1);
}

/* Bent at random: an answer, never a crash, and nothing on stderr. */
static void
test_mutations(void **state)
{
	struct report r, back;
	struct buf xml = { 0 };
	char why[256], *copy, c;
	int fds[2], round, saved = dup(STDERR_FILENO);
	size_t i;

	assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
	dup2(fds[1], STDERR_FILENO);
	srandom(5);
	for (round = 0; round < 3000; round++) {
		if (round % 50 == 0) {
			report_init(&r);
			fill_report(&r);
			buf_reset(&xml);
			report_write(&r, &xml);
			report_clear(&r);
		}
		copy = xmalloc(xml.len);
		memcpy(copy, xml.data, xml.len);
		for (i = 0; i < 1 + (size_t)random() % 3; i++)
			copy[(size_t)random() % xml.len] = random() % 2 ?
			    (char)random() : "<>&'\"/ -09az"[random() % 12];
		if (report_read(copy, xml.len, &back, why, sizeof why) == 0)
			report_clear(&back);
		if (report_read_own(copy, xml.len, &back, why,
		    sizeof why) == 0)
			report_clear(&back);
		free(copy);
	}
	dup2(saved, STDERR_FILENO);
	assert_int_equal(read(fds[0], &c, 1), -1);
	close(saved);
	close(fds[0]);
	close(fds[1]);
	buf_free(&xml);
}

static int
set_up(void **state)
{
	report_schema_load();
	return 0;
}

static int
tear_down(void **state)
{
	report_schema_free();
	report_schema_free();
	xmlCleanupParser();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_own_but_damaged),
		cmocka_unit_test(test_letters),
		cmocka_unit_test(test_every_keyword),
		cmocka_unit_test(test_xsd_words),
		cmocka_unit_test(test_taken),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_too_much),
		cmocka_unit_test(test_full_house),
		cmocka_unit_test(test_writer_mends),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_mutations),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
