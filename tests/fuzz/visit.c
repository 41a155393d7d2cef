#include "tests/fuzz/visit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "schema/field.h"
#include "schema/report.h"
#include "snmp/ber.h"
#include "snmp/course.h"
#include "snmp/printer.h"
#include "tests/fuzz/must.h"

#define NOW	1800000000000
#define UUID	"11111111-2222-4333-8444-555555555555"

/* The varbinds of a response; 0 when it is none. */
static size_t
decode_answer(const uint8_t *bytes, size_t len, struct talk_varbind *vb)
{
	const uint8_t	*community;
	size_t		 community_len, n = 0;
	struct ber_in	 in;
	struct ber_pdu	 pdu;
	int		 version;

	if (!ber_get_message(bytes, len, &version, &community,
	    &community_len, &in) || !ber_get_pdu(&in, &pdu) ||
	    pdu.type != BER_RESPONSE || pdu.error_status != 0)
		return 0;
	while (n < TALK_ANSWER_MAX && ber_get_varbind(&pdu.varbinds,
	    &vb[n].id, &vb[n].value, &vb[n].missing))
		n++;
	return n;
}

struct bag *
visit(size_t window, bool bulk, visit_answer_fn *answer, void *arg)
{
	static struct talk_varbind	 vb[TALK_ANSWER_MAX];
	struct objid			 ids[TALK_VARBINDS_MAX];
	struct course			 c = { .bulk = bulk };
	struct talk_question		 q;
	const uint8_t			*bytes;
	struct bag			*bag;
	enum course_turn		 turn = COURSE_ON;
	size_t				 n, len;
	int				 requests = 0;

	course_start_all(&c, NULL);
	while (turn == COURSE_ON || turn == COURSE_ON_CONTEXT) {
		n = course_ripe(&c) ? 0 :
		    errand_next(c.errand, window, &q, ids);
		if (n == 0) {
			turn = course_advance(&c);
			continue;
		}
		if (requests++ == VISIT_REQUESTS_MAX ||
		    (bytes = answer(arg, &q, &len)) == NULL)
			break;
		n = decode_answer(bytes, len, vb);
		if (n == 0)
			errand_skip(c.errand, "makes no sense");
		else if (errand_take(c.errand, vb, n, c.fresh) ==
		    ERRAND_BULK_ODD)
			course_set_bulk(&c, false);
	}
	vendor_sample(c.fresh);
	bag = c.fresh;
	c.fresh = NULL;
	course_clear(&c);
	return bag;
}

static void
check_text(const char *text)
{
	if (text == NULL)
		return;
	must(*text != '\0' && strlen(text) <= RECORD_TEXT_MAX);
	for (; *text != '\0'; text++)
		must((unsigned char)*text >= ' ' && *text != 0x7f);
}

static void
check_counters(const struct asset *a)
{
	size_t	 i;

	must(a->counters_len <= RECORD_COUNTERS_MAX);
	for (i = 0; i < a->counters_len; i++) {
		must(a->counters[i].value >= 0);
		must(a->counters[i].check >= CHECK_OK &&
		    a->counters[i].check <= CHECK_NONE);
		check_text(a->counters[i].oid);
	}
}

static void
check_printer(const struct printer *p)
{
	const struct consumable	*c;
	size_t			 i;

	must(p->asset.key != NULL);
	check_text(p->asset.key);
	check_text(p->asset.model);
	check_text(p->asset.serial);
	check_text(p->asset.firmware);
	check_counters(&p->asset);
	must(p->consumables_len <= RECORD_CONSUMABLES_MAX);
	for (i = 0; i < p->consumables_len; i++) {
		c = &p->consumables[i];
		check_text(c->description);
		check_text(c->serial);
		must(c->percent == ABSENT ||
		    (c->percent >= 0 && c->percent <= 100));
	}
	must(p->alerts_len <= RECORD_ALERTS_MAX);
	for (i = 0; i < p->alerts_len; i++)
		check_text(p->alerts[i].description);
}

static void
check_report(const struct printer *p)
{
	struct report		 r, back;
	struct consumable	*c;
	struct alert		*a;
	struct buf		 xml = { 0 };
	char			 why[200] = "";
	size_t			 i;

	report_init(&r);
	r.seq = 1;
	record_copy(asset_fields, report_asset(&r), &p->asset);
	r.assets[0].id = xstrdup(UUID);
	asset_copy_counters(&r.assets[0], &p->asset);
	for (i = 0; i < p->consumables_len; i++) {
		c = report_consumable(&r);
		record_copy(consumable_fields, c, &p->consumables[i]);
		c->id = xstrdup(UUID);
		c->asset = xstrdup(UUID);
	}
	for (i = 0; i < p->alerts_len; i++) {
		a = report_alert(&r);
		record_copy(alert_fields, a, &p->alerts[i]);
		a->id = xstrdup(UUID);
		a->asset = xstrdup(UUID);
	}
	/* Too long for one report: the agent would send several. */
	if (report_try_write(&r, &xml) == 0) {
		if (report_read(xml.data, xml.len, &back, why,
		    sizeof(why)) == -1) {
			fprintf(stderr, "%s: %s\n", why, xml.data);
			abort();
		}
		report_clear(&back);
	}
	report_clear(&r);
	buf_free(&xml);
}

void
visit_decode(const struct bag *bag)
{
	struct printer	 p;
	int64_t		 rows[PRINTER_ROWS_MAX];
	char		 why[160] = "";
	size_t		 n, i;

	n = printer_rows(bag, rows, why, sizeof(why));
	must(n <= PRINTER_ROWS_MAX && (n > 0 || why[0] != '\0'));
	printer_decode(bag, -1, "192.0.2.7", NOW, &p);
	check_printer(&p);
	printer_clear(&p);
	for (i = 0; i < n; i++) {
		printer_decode(bag, rows[i], "192.0.2.7", NOW, &p);
		check_printer(&p);
		check_report(&p);
		printer_clear(&p);
	}
}
