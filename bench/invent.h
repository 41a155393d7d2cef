/* Printers that exist nowhere, and what an agent would tell of them. */
#ifndef BENCH_INVENT_H
#define BENCH_INVENT_H

#include <stdint.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/uuid.h"
#include "schema/report.h"

#define INVENT	static __attribute__((unused))
#define INVENT_SUPPLIES	4

struct invented {
	char	 id[UUID_TEXT_MAX], alert[UUID_TEXT_MAX];
	char	 supply[INVENT_SUPPLIES][UUID_TEXT_MAX];
	int64_t	 number, pages;
};

static const char *const invent_colours[INVENT_SUPPLIES] = {
	"black", "cyan", "magenta", "yellow"
};

INVENT void
invent_printer(struct invented *p, int64_t number)
{
	int i;

	uuid_make(p->id);
	for (i = 0; i < INVENT_SUPPLIES; i++)
		uuid_make(p->supply[i]);
	p->number = number;
	p->pages = 1000 + number % 100000;
}

INVENT void
invent_counter(struct counter *c, const char *name, int64_t value,
    const char *oid)
{
	counter_init(c);
	c->name = xstrdup(name);
	c->value = value;
	c->unit = 7;			/* impressions */
	c->oid = xstrdup(oid);
	c->check = CHECK_OK;
}

/* All counters, as each report of them has. */
INVENT struct asset *
invent_counters(const struct invented *p, struct report *r)
{
	struct asset *a = report_asset(r);

	a->id = xstrdup(p->id);
	a->time = clock_wall_ms();
	a->counters = xcalloc(3, sizeof(*a->counters));
	a->counters_len = 3;
	invent_counter(&a->counters[0], "total", p->pages,
	    "1.3.6.1.2.1.43.10.2.1.4.1.1");
	invent_counter(&a->counters[1], "mono", p->pages / 2,
	    "1.3.6.1.4.1.2435.2.3.9.4.2.1.5.5.52.1.3");
	invent_counter(&a->counters[2], "colour", p->pages - p->pages / 2,
	    "1.3.6.1.4.1.2435.2.3.9.4.2.1.5.5.52.1.4");
	return a;
}

INVENT void
invent_level(const struct invented *p, int i, struct report *r)
{
	struct consumable *c = report_consumable(r);

	c->id = xstrdup(p->supply[i]);
	c->asset = xstrdup(p->id);
	c->index = i + 1;
	c->percent = 100 - (p->pages / 10 + i) % 100;
	c->level = c->percent * 60;
	c->pages = p->pages;
	c->time = clock_wall_ms();
}

/* What the first report of it says. */
INVENT void
invent_whole(const struct invented *p, struct report *r)
{
	struct asset *a = invent_counters(p, r);
	struct consumable *c;
	int i;

	a->key = xasprintf("S:brother:BN%09lld", (long long)p->number);
	a->strength = KEY_SERIAL;
	a->make = xstrdup("brother");
	a->model = xstrdup("Brother MFC-L8900CDW series");
	a->serial = xasprintf("BN%09lld", (long long)p->number);
	a->hostname = xasprintf("BRN%09lld", (long long)p->number);
	a->ip = xasprintf("10.%d.%d.%d", (int)(p->number >> 16 & 255),
	    (int)(p->number >> 8 & 255), (int)(p->number & 255));
	a->state = ASSET_ONLINE;
	a->device_status = 2;
	a->printer_status = 3;
	a->errors = 0;
	for (i = 0; i < INVENT_SUPPLIES; i++) {
		invent_level(p, i, r);
		c = &r->consumables[i];
		c->kind = 3;		/* toner */
		c->class = CLASS_CONSUMED;
		c->colour = xstrdup(invent_colours[i]);
		c->description = xasprintf("%s toner cartridge",
		    invent_colours[i]);
		c->unit = 7;
		c->capacity = 6000;
		c->state = SUPPLY_OK;
	}
}

/* A jam; cleared says that it is over. */
INVENT void
invent_jam(struct invented *p, bool cleared, struct report *r)
{
	struct alert *a = report_alert(r);

	if (!cleared)
		uuid_make(p->alert);
	a->id = xstrdup(p->alert);
	a->asset = xstrdup(p->id);
	if (cleared) {
		a->cleared = clock_wall_ms();
		return;
	}
	a->index = 1;
	a->code = 8;
	a->code_name = xstrdup("jam");
	a->severity = 3;
	a->group = 8;
	a->group_index = 1;
	a->training = 4;
	a->description = xstrdup("Paper jam in tray 1");
	a->source = ALERT_ROW;
	a->pages = p->pages;
	a->raised = clock_wall_ms();
}

#endif
