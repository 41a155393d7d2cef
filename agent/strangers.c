#include "agent/strangers.h"

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
#define MET_MS		(60 * 1000)	/* a reading takes no longer */
#define WAITING_MAX	512	/* then they are written at once */

struct stranger {
	struct sockaddr_in	 addr;
	char			*zone;
	int64_t			 seen_ms;
	char			 why[STRANGERS_WHY_MAX];
};

struct strangers {
	struct loop	*loop;
	struct store	*store;
	struct patrol	*patrol;
	struct timer	 write;
	struct stranger	*waiting;
	size_t		 len;
};

struct strangers *
strangers_new(struct loop *loop, struct store *store, struct patrol *patrol)
{
	struct strangers *s;

	s = xcalloc(1, sizeof(*s));
	s->loop = loop;
	s->store = store;
	s->patrol = patrol;
	s->waiting = xcalloc(WAITING_MAX, sizeof(*s->waiting));
	return s;
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
strangers_why(const struct hand *hand, enum patrol_find find,
    char out[STRANGERS_WHY_MAX])
{
	const char *version = hand->version == 3 ? "v3" : hand->version == 1 ?
	    "v1" : hand->version == 2 ? "v2c" : "";
	char maker[64];

	maker_of(hand->enterprise, maker, sizeof(maker));
	if (find == PATROL_DENIED ||
	    (find == PATROL_SILENT && hand->version == 3))
		snprintf(out, STRANGERS_WHY_MAX, "answers SNMP%s%s, but none "
		    "of the credentials fits: a printer with other "
		    "credentials?", version, maker);
	else if (hand->elsewhere)
		snprintf(out, STRANGERS_WHY_MAX, "answers SNMP%s%s from "
		    "another address than was asked, and cannot be read",
		    version, maker);
	else
		snprintf(out, STRANGERS_WHY_MAX, "answers SNMP%s%s, but cannot "
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

static int
put(struct strangers *s)
{
	struct known_device row;
	size_t i;
	int rc = 0;

	for (i = 0; i < s->len && rc == 0; i++) {
		/* What the patrol wrote down about it says more. */
		if (patrol_met(s->patrol, &s->waiting[i].addr,
		    s->waiting[i].seen_ms - MET_MS))
			continue;
		memset(&row, 0, sizeof(row));
		row.address = address_of(&s->waiting[i].addr);
		row.zone = xstrdup_null(s->waiting[i].zone);
		row.why = xstrdup(s->waiting[i].why);
		row.seen_ms = s->waiting[i].seen_ms;
		rc = known_put_device(s->store, &row);
		known_device_clear(&row);
	}
	return rc;
}

static void
on_write(void *arg)
{
	struct strangers *s = arg;
	bool own = !store_in_transaction(s->store);
	size_t i;

	timer_clear(s->loop, &s->write);
	/* What fails is found again by the next scan. */
	if (!own || store_begin(s->store) == 0) {
		if (put(s) == 0) {
			if (own)
				(void)store_commit(s->store);
		} else if (own)
			store_rollback(s->store);
	}
	for (i = 0; i < s->len; i++)
		free(s->waiting[i].zone);
	s->len = 0;
}

void
strangers_add(struct strangers *s, const struct hand *hand,
    enum patrol_find find)
{
	struct stranger *one;

	if (find == PATROL_PRINTER || find == PATROL_STRANGER ||
	    (find == PATROL_SILENT && hand->version == 0))
		return;
	one = &s->waiting[s->len++];
	memset(one, 0, sizeof(*one));
	one->addr = hand->addr;
	one->zone = xstrdup_null(hand->zone);
	one->seen_ms = clock_wall_ms();
	strangers_why(hand, find, one->why);
	if (s->len == WAITING_MAX)
		on_write(s);
	else if (!timer_pending(&s->write))
		timer_after(s->loop, &s->write, WRITE_MS, on_write, s);
}

void
strangers_free(struct strangers *s)
{
	if (s == NULL)
		return;
	if (s->len > 0)
		on_write(s);
	timer_clear(s->loop, &s->write);
	free(s->waiting);
	free(s);
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
strangers_each(struct strangers *s, int64_t since_ms,
    void (*fn)(void *, uint32_t, bool), void *arg)
{
	struct each e = { .since_ms = since_ms, .fn = fn, .arg = arg };

	(void)known_each_device(s->store, on_each, &e);
}

struct gone {
	struct patrol			*patrol;
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
	    SIZE_MAX || !patrol_forget(g->patrol, &addr, g->since_ms))
		return;
	if (g->len == g->room) {
		g->room = g->room == 0 ? 64 : g->room * 2;
		g->id = xreallocarray(g->id, g->room, sizeof(*g->id));
	}
	g->id[g->len++] = row->id;
}

void
strangers_forget(struct strangers *s, const struct network_set *set,
    int64_t since_ms)
{
	struct gone g = { .patrol = s->patrol, .set = set,
	    .since_ms = since_ms };
	bool own = !store_in_transaction(s->store);
	size_t i;

	if (s->len > 0)
		on_write(s);
	(void)known_each_device(s->store, on_maybe_gone, &g);
	if (g.len > 0 && (!own || store_begin(s->store) == 0)) {
		for (i = 0; i < g.len; i++)
			if (known_drop_device(s->store, g.id[i]) == -1)
				break;
		if (own)
			(void)store_commit(s->store);
	}
	free(g.id);
}
