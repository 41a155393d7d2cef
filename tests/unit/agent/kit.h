/* What the tests of the agent share: a directory of their own, the lines
 * that were logged, and a printer that exists nowhere. */
#ifndef TESTS_UNIT_AGENT_KIT_H
#define TESTS_UNIT_AGENT_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/outbox.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "schema/field.h"
#include "schema/report.h"
#include "schema/xmltree.h"
#include "snmp/printer.h"

#define KIT	static __attribute__((unused))

/* --- a directory --------------------------------------------------------- */

KIT char kit_dir[64];

KIT int
kit_dir_make(void **state)
{
	snprintf(kit_dir, sizeof(kit_dir), "/tmp/platen-agent-XXXXXX");
	return mkdtemp(kit_dir) == NULL ? -1 : 0;
}

KIT int
kit_remove_one(const char *path, const struct stat *st, int type,
    struct FTW *ftw)
{
	return remove(path);
}

KIT int
kit_dir_remove(void **state)
{
	return nftw(kit_dir, kit_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

KIT char *
kit_write(const char *name, const char *text, mode_t mode)
{
	char *path = xasprintf("%s/%s", kit_dir, name);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
	return path;
}

/* --- what is logged ------------------------------------------------------ */

KIT struct buf kit_log;
KIT int kit_lines;

KIT void
kit_sink(void *arg, enum log_level level, const char *line)
{
	if (level == LOG_LEVEL_DEBUG)
		return;
	buf_puts(&kit_log, line);
	buf_putc(&kit_log, '\n');
	kit_lines++;
}

KIT void
kit_listen(void)
{
	buf_free(&kit_log);
	kit_lines = 0;
	log_hook(kit_sink, NULL);
}

KIT void
kit_listen_no_more(void)
{
	log_hook(NULL, NULL);
	buf_free(&kit_log);
}

KIT bool
kit_said(const char *what)
{
	return kit_log.data != NULL && strstr(kit_log.data, what) != NULL;
}

#define assert_said(what) do {						\
	if (!kit_said(what))						\
		fail_msg("not said: \"%s\"; but: %s", (what),		\
		    kit_log.data == NULL ? "nothing" : kit_log.data);	\
} while (0)

/* --- a printer ----------------------------------------------------------- */

#define KIT_ASSET	"11111111-1111-4111-8111-111111111111"
#define KIT_OTHER	"22222222-2222-4222-8222-222222222222"
#define KIT_THIRD	"33333333-3333-4333-8333-333333333333"
#define KIT_TIME	INT64_C(1800000000000)

KIT void
kit_text(char **to, const char *value)
{
	char *copy = xstrdup_null(value);

	free(*to);
	*to = copy;
}

KIT void
kit_counter(struct asset *a, const char *name, int64_t value)
{
	struct counter *c = asset_counter(a, name);

	if (c == NULL)
		c = asset_counter_add(a, name);
	c->value = value;
	c->unit = 7;
	c->check = CHECK_NONE;
	kit_text(&c->oid, "1.3.6.1.2.1.43.10.2.1.4.1.1");
}

KIT void
kit_asset(struct asset *a, const char *id)
{
	asset_init(a);
	a->id = xstrdup(id);
	a->key = xstrdup("S:nowhere:KX7731");
	a->strength = KEY_SERIAL;
	a->make = xstrdup("Nowhere");
	a->model = xstrdup("Nowhere LX 20");
	a->engine = xstrdup("nowhere");
	a->serial = xstrdup("KX7731");
	a->mac = xstrdup("00:11:22:33:44:55");
	a->hostname = xstrdup("lx-hall");
	a->ip = xstrdup("192.0.2.7");
	a->location = xstrdup("Hall & <entrance>");
	a->zone = xstrdup("192.0.2.0/24");
	a->firmware = xstrdup("1.02");
	a->state = ASSET_ONLINE;
	a->device_status = 2;
	a->printer_status = 3;
	a->errors = 0;
	a->time = KIT_TIME;
	kit_counter(a, "total", 1000);
	kit_counter(a, "mono", 600);
}

KIT void
kit_consumable(struct consumable *c, int64_t index, const char *colour,
    int64_t percent)
{
	consumable_init(c);
	c->index = index;
	c->kind = 3;
	c->colour = xstrdup(colour);
	c->class = CLASS_CONSUMED;
	c->description = xasprintf("%s toner", colour);
	c->unit = 19;
	c->level = percent;
	c->capacity = 100;
	c->percent = percent;
	c->state = percent == 0 ? SUPPLY_EMPTY : percent <= 10 ? SUPPLY_LOW :
	    SUPPLY_OK;
	c->time = KIT_TIME;
}

KIT void
kit_alert(struct alert *a, int64_t index, int64_t code, int64_t severity)
{
	alert_init(a);
	a->index = index;
	a->code = code;
	a->severity = severity;
	a->group = 8;
	a->group_index = 1;
	a->training = 3;
	a->location = -2;
	a->description = xasprintf("alert %d", (int)code);
}

/* Asset KIT_ASSET with a black and a cyan toner and no alerts. */
KIT void
kit_printer(struct printer *p)
{
	memset(p, 0, sizeof(*p));
	p->index = 1;
	kit_asset(&p->asset, KIT_ASSET);
	p->total_pages = 1000;
	p->uptime = ABSENT;
	p->consumables = xcalloc(8, sizeof(*p->consumables));
	p->consumables_len = 2;
	kit_consumable(&p->consumables[0], 1, "black", 80);
	kit_consumable(&p->consumables[1], 2, "cyan", 60);
	p->alerts = xcalloc(8, sizeof(*p->alerts));
}

KIT void
kit_level(struct printer *p, size_t i, int64_t percent)
{
	struct consumable *c = &p->consumables[i];

	c->level = c->percent = percent;
	c->state = percent == 0 ? SUPPLY_EMPTY : percent <= 10 ? SUPPLY_LOW :
	    SUPPLY_OK;
}

/* --- what waits to be sent ----------------------------------------------- */

/* The next report of a lane behind after, with its numbers: 1, or 0 when there
 * is none. */
KIT int
kit_next(struct store *st, enum lane lane, int64_t after, struct report *out)
{
	struct outbox_batch batch = { .lane = lane, .after = after,
	    .most_bytes = 1, .most = 1 };
	struct buf xml = { 0 };
	char why[200] = "";
	xmlNode *first;
	xmlDoc *doc;
	int rc;

	rc = outbox_batch(st, &batch, &xml);
	assert_true(rc == 0 || rc == 1);
	if (rc == 0) {
		buf_free(&xml);
		return 0;
	}
	assert_int_equal(batch.first, after + 1);
	assert_int_equal(batch.reports, 1);
	doc = xmltree_parse(xml.data, xml.len, why, sizeof(why));
	assert_non_null(doc);
	if (report_validate(xmlDocGetRootElement(doc), why,
	    sizeof(why)) == -1)
		fail_msg("%s: %s", why, xml.data);
	first = xmltree_child(xmlDocGetRootElement(doc), NULL, NULL);
	assert_int_equal(report_read_node(first, out, why, sizeof(why)), 0);
	assert_int_equal(out->seq, batch.last);
	assert_true(out->turn > 0);
	xmlFreeDoc(doc);
	buf_free(&xml);
	return 1;
}

#endif
