#include "agent/findings.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/config.h"
#include "agent/known.h"
#include "base/clock.h"
#include "base/mem.h"
#include "snmp/bag.h"
#include "snmp/vendor.h"

#define WRITE_MS	500
#define WAITING_MAX	512	/* then they are written at once */

struct finding {
	struct sockaddr_in	 addr;
	char			*zone;
	int64_t			 seen_ms;
	bool			 there;		/* in the store already */
	char			 why[FINDINGS_WHY_MAX];
};

struct findings {
	struct loop	*loop;
	struct store	*store;
	struct timer	 write;
	struct finding	*waiting;
	size_t		 len;
};

struct findings *
findings_new(struct loop *loop, struct store *store)
{
	struct findings *f;

	f = xcalloc(1, sizeof(*f));
	f->loop = loop;
	f->store = store;
	f->waiting = xcalloc(WAITING_MAX, sizeof(*f->waiting));
	return f;
}

/* --- words -------------------------------------------------------------------- */

/* " (HP)", " (enterprise 9)", or nothing. */
static void
maker_of(uint32_t enterprise, char *out, size_t size)
{
	static const struct objid sys_object_id = { 9,
	    { 1, 3, 6, 1, 2, 1, 1, 2, 0 } };
	struct objid id = { 7, { 1, 3, 6, 1, 4, 1, enterprise } };
	const struct vendor *vendor;
	struct bag *bag;

	out[0] = '\0';
	if (enterprise == 0)
		return;
	bag = bag_new();
	(void)bag_put_objid(bag, &sys_object_id, &id);
	vendor = vendor_match(bag);
	if (vendor != NULL && vendor_make(vendor) != NULL)
		snprintf(out, size, " (%s)", vendor_make(vendor));
	else
		snprintf(out, size, " (enterprise %lu)",
		    (unsigned long)enterprise);
	bag_free(bag);
}

char *
findings_why(const struct hand *hand, enum patrol_find find,
    char out[FINDINGS_WHY_MAX])
{
	const char *version = hand->version == 3 ? "v3" : hand->version == 1 ?
	    "v1" : hand->version == 2 ? "v2c" : "";
	char maker[64];

	maker_of(hand->enterprise, maker, sizeof(maker));
	if (find == PATROL_DENIED ||
	    (find == PATROL_SILENT && hand->version == 3))
		snprintf(out, FINDINGS_WHY_MAX, "answers SNMP%s%s, but none "
		    "of the credentials fits: a printer with other "
		    "credentials?", version, maker);
	else if (hand->elsewhere)
		snprintf(out, FINDINGS_WHY_MAX, "answers SNMP%s%s from "
		    "another address than was asked, and cannot be read",
		    version, maker);
	else
		snprintf(out, FINDINGS_WHY_MAX, "answers SNMP%s%s, but cannot "
		    "be read", version, maker);
	return out;
}

/* --- writing ------------------------------------------------------------------ */

static char *
address_of(const struct sockaddr_in *addr)
{
	char ip[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, &addr->sin_addr, ip, sizeof(ip));
	return xasprintf("%s:%u", ip, (unsigned)ntohs(addr->sin_port));
}

/* What the patrol wrote down about the address says more. */
static void
on_row(void *arg, const struct known_device *row)
{
	struct findings *f = arg;
	struct sockaddr_in addr;
	char why[128];
	size_t i;

	if (host_parse(row->address, 161, &addr, why, sizeof(why)) == -1)
		return;
	for (i = 0; i < f->len; i++)
		if (f->waiting[i].addr.sin_addr.s_addr ==
		    addr.sin_addr.s_addr &&
		    f->waiting[i].addr.sin_port == addr.sin_port &&
		    (row->printer || row->seen_ms >= f->waiting[i].seen_ms -
		    60 * 1000))
			f->waiting[i].there = true;
}

static int
put(struct findings *f)
{
	struct known_device row;
	size_t i;
	int rc = 0;

	for (i = 0; i < f->len && rc == 0; i++) {
		if (f->waiting[i].there)
			continue;
		memset(&row, 0, sizeof(row));
		row.address = address_of(&f->waiting[i].addr);
		row.zone = xstrdup_null(f->waiting[i].zone);
		row.why = xstrdup(f->waiting[i].why);
		row.seen_ms = f->waiting[i].seen_ms;
		rc = known_put_device(f->store, &row);
		known_device_clear(&row);
	}
	return rc;
}

static void
on_write(void *arg)
{
	struct findings *f = arg;
	bool own = !store_in_transaction(f->store);
	size_t i;

	timer_clear(f->loop, &f->write);
	(void)known_each_device(f->store, on_row, f);
	/* What fails is found again by the next scan. */
	if (!own || store_begin(f->store) == 0) {
		if (put(f) == 0) {
			if (own)
				(void)store_commit(f->store);
		} else if (own)
			store_rollback(f->store);
	}
	for (i = 0; i < f->len; i++)
		free(f->waiting[i].zone);
	f->len = 0;
}

void
findings_add(struct findings *f, const struct hand *hand,
    enum patrol_find find)
{
	struct finding *one;

	if (find == PATROL_PRINTER || find == PATROL_STRANGER ||
	    (find == PATROL_SILENT && hand->version == 0))
		return;
	one = &f->waiting[f->len++];
	memset(one, 0, sizeof(*one));
	one->addr = hand->addr;
	one->zone = xstrdup_null(hand->zone);
	one->seen_ms = clock_wall_ms();
	findings_why(hand, find, one->why);
	if (f->len == WAITING_MAX)
		on_write(f);
	else if (!timer_pending(&f->write))
		timer_after(f->loop, &f->write, WRITE_MS, on_write, f);
}

void
findings_free(struct findings *f)
{
	if (f == NULL)
		return;
	if (f->len > 0)
		on_write(f);
	timer_clear(f->loop, &f->write);
	free(f->waiting);
	free(f);
}

/* --- reading ------------------------------------------------------------------ */

struct each {
	int64_t	 since_ms;
	void	(*fn)(void *, uint32_t, bool);
	void	*arg;
};

static void
on_each(void *arg, const struct known_device *row)
{
	struct each *e = arg;
	struct sockaddr_in addr;
	char why[128];

	if ((row->printer || row->seen_ms >= e->since_ms) &&
	    host_parse(row->address, 161, &addr, why, sizeof(why)) == 0)
		e->fn(e->arg, ntohl(addr.sin_addr.s_addr), row->printer != 0);
}

void
findings_each(struct findings *f, int64_t since_ms,
    void (*fn)(void *, uint32_t, bool), void *arg)
{
	struct each e = { .since_ms = since_ms, .fn = fn, .arg = arg };

	(void)known_each_device(f->store, on_each, &e);
}

struct gone {
	const struct network_set	*set;
	int64_t				 since_ms;
	int64_t				*id;
	size_t				 len, room;
};

static void
on_maybe_gone(void *arg, const struct known_device *row)
{
	struct gone *g = arg;
	struct sockaddr_in addr;
	char why[128];

	if (row->printer || row->seen_ms >= g->since_ms ||
	    host_parse(row->address, 161, &addr, why, sizeof(why)) == -1 ||
	    network_set_index(g->set, ntohl(addr.sin_addr.s_addr)) ==
	    SIZE_MAX)
		return;
	if (g->len == g->room) {
		g->room = g->room == 0 ? 64 : g->room * 2;
		g->id = xreallocarray(g->id, g->room, sizeof(*g->id));
	}
	g->id[g->len++] = row->id;
}

void
findings_forget(struct findings *f, const struct network_set *set,
    int64_t since_ms)
{
	struct gone g = { .set = set, .since_ms = since_ms };
	bool own = !store_in_transaction(f->store);
	size_t i;

	if (f->len > 0)
		on_write(f);
	(void)known_each_device(f->store, on_maybe_gone, &g);
	if (g.len > 0 && (!own || store_begin(f->store) == 0)) {
		for (i = 0; i < g.len; i++)
			if (known_drop_device(f->store, g.id[i]) == -1)
				break;
		if (own)
			(void)store_commit(f->store);
	}
	free(g.id);
}
