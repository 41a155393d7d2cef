#include "agent/device.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#define ADDRESS_MAX	24
#define SIZE_FIRST	64
#define SAID_MS		(60 * 60 * 1000)	/* until a complaint is new */

static void	 forget_rows(struct device *);

/* --- the table -------------------------------------------------------------- */

static size_t
bucket(const struct device_table *table, uint64_t key)
{
	return (key * UINT64_C(11400714819323198485) >> 32) &
	    (table->size - 1);
}

/* By the IP alone: device_at() looks for every port there. */
static struct device **
there(const struct device_table *table, struct in_addr ip)
{
	return &table->there[bucket(table, ntohl(ip.s_addr))];
}

static struct device **
by_id(const struct device_table *table, int64_t id)
{
	return &table->by_id[bucket(table, (uint64_t)id)];
}

static void
link_in(struct device_table *table, struct device *d)
{
	struct device **head = there(table, d->addr.sin_addr);

	d->next_there = *head;
	*head = d;
	if (d->id == 0)
		return;
	head = by_id(table, d->id);
	d->next_id = *head;
	*head = d;
}

static void
grow(struct device_table *table)
{
	struct device_table old = *table;
	struct device *d, *next;
	size_t i;

	table->size = old.size == 0 ? SIZE_FIRST : 2 * old.size;
	table->there = xcalloc(table->size, sizeof(*table->there));
	table->by_id = xcalloc(table->size, sizeof(*table->by_id));
	for (i = 0; i < old.size; i++)
		for (d = old.there[i]; d != NULL; d = next) {
			next = d->next_there;
			link_in(table, d);
		}
	free(old.there);
	free(old.by_id);
}

void
device_table_clear(struct device_table *table)
{
	size_t i;

	for (i = 0; i < table->zone_len; i++)
		free(table->zone[i]);
	free(table->zone);
	free(table->there);
	free(table->by_id);
	memset(table, 0, sizeof(*table));
}

struct device *
device_find(const struct device_table *table, const struct sockaddr_in *addr)
{
	struct device *d = NULL;

	while ((d = device_at(table, addr->sin_addr, d)) != NULL)
		if (d->addr.sin_port == addr->sin_port)
			break;
	return d;
}

struct device *
device_at(const struct device_table *table, struct in_addr ip,
    const struct device *after)
{
	struct device *d;

	if (table->size == 0)
		return NULL;
	d = after == NULL ? *there(table, ip) : after->next_there;
	while (d != NULL && d->addr.sin_addr.s_addr != ip.s_addr)
		d = d->next_there;
	return d;
}

struct device *
device_by_id(const struct device_table *table, int64_t id)
{
	struct device *d;

	if (table->size == 0 || id == 0)
		return NULL;
	for (d = *by_id(table, id); d != NULL; d = d->next_id)
		if (d->id == id)
			return d;
	return NULL;
}

void
device_each(struct device_table *table, void (*fn)(void *, struct device *),
    void *arg)
{
	struct device *d, *next;
	size_t i;

	for (i = 0; i < table->size; i++)
		for (d = table->there[i]; d != NULL; d = next) {
			next = d->next_there;
			fn(arg, d);
		}
}

/* Thousands of devices stand in a few zones. */
static const char *
intern(struct device_table *table, const char *zone)
{
	size_t i;

	if (zone == NULL)
		return NULL;
	for (i = 0; i < table->zone_len; i++)
		if (strcmp(table->zone[i], zone) == 0)
			return table->zone[i];
	table->zone = xreallocarray(table->zone, table->zone_len + 1,
	    sizeof(*table->zone));
	table->zone[table->zone_len] = xstrdup(zone);
	return table->zone[table->zone_len++];
}

struct device *
device_new(struct device_table *table, const struct sockaddr_in *addr,
    const char *zone)
{
	struct device *d;

	if (table->count >= table->size)
		grow(table);
	d = xcalloc(1, sizeof(*d));
	d->addr = *addr;
	d->zone = intern(table, zone);
	d->state = ASSET_ONLINE;
	tiers_init(&d->tiers);
	link_in(table, d);
	table->count++;
	table->of_class[d->class]++;
	return d;
}

static void
probe_free(struct device_probe *probe)
{
	if (probe != NULL)
		free(probe->why);
	free(probe);
}

void
device_free(struct device_table *table, struct device *d)
{
	struct device **link;

	device_set_id(table, d, 0);
	for (link = there(table, d->addr.sin_addr); *link != d;
	    link = &(*link)->next_there)
		;
	*link = d->next_there;
	table->of_class[d->class]--;
	table->count--;
	usm_engine_free(d->engine);
	bag_free(d->image);
	probe_free(d->probe);
	forget_rows(d);
	free(d->why);
	free(d);
}

void
device_set_id(struct device_table *table, struct device *d, int64_t id)
{
	struct device **link;

	if (d->id == id)
		return;
	if (d->id != 0) {
		for (link = by_id(table, d->id); *link != d;
		    link = &(*link)->next_id)
			;
		*link = d->next_id;
	}
	d->id = id;
	if (id == 0)
		return;
	link = by_id(table, id);
	d->next_id = *link;
	*link = d;
}

static enum device_class
class_of(const struct device *d)
{
	if (d->elsewhere)
		return DEVICE_NOTHING;
	if (!d->printer)
		return d->id != 0 ? DEVICE_OTHER : DEVICE_NOTHING;
	switch (d->state) {
	case ASSET_ONLINE:
		return DEVICE_ONLINE;
	case ASSET_ASLEEP:
		return DEVICE_ASLEEP;
	default:
		return DEVICE_UNREACHABLE;
	}
}

void
device_count(struct device_table *table, struct device *d)
{
	table->of_class[d->class]--;
	d->class = (uint8_t)class_of(d);
	table->of_class[d->class]++;
}

/* --- rows --------------------------------------------------------------------- */

const int64_t *
device_rows(const struct device *d)
{
	return d->rows_len > 1 ? d->rows : &d->only_row;
}

static void
forget_rows(struct device *d)
{
	size_t i;

	for (i = 0; i < d->rows_len; i++)
		recall_clear(device_recall(d, i));
	free(d->recalls);
	d->recalls = NULL;
	free(d->rows);
	d->rows = NULL;
	d->rows_len = 0;
}

void
device_note_rows(struct device *d, const int64_t *rows, size_t n)
{
	if (n == d->rows_len && memcmp(rows, device_rows(d),
	    n * sizeof(*rows)) == 0)
		return;
	forget_rows(d);
	if (n > 1) {
		d->rows = xreallocarray(NULL, n, sizeof(*rows));
		memcpy(d->rows, rows, n * sizeof(*rows));
		d->recalls = xcalloc(n, sizeof(*d->recalls));
	} else if (n == 1)
		d->only_row = rows[0];
	d->rows_len = (uint8_t)n;
}

struct recall *
device_recall(struct device *d, size_t n)
{
	return d->rows_len > 1 ? &d->recalls[n] : &d->only_recall;
}

/* --- what is said of it --------------------------------------------------------- */

const char *
device_name(const struct device *d)
{
	static char name[4][ADDRESS_MAX];
	static unsigned turn;
	char ip[INET_ADDRSTRLEN], *out = name[turn++ % 4];

	inet_ntop(AF_INET, &d->addr.sin_addr, ip, sizeof(ip));
	snprintf(out, ADDRESS_MAX, "%s:%u", ip, ntohs(d->addr.sin_port));
	return out;
}

void
device_complain(struct device *d, enum reading_status status, const char *why)
{
	if ((d->said & 1u << status) == 0)
		log_warnx("printer", "%s: %s", device_name(d), why);
	else if (strcmp_null(d->why, why) != 0)
		log_debug("printer", "%s: %s", device_name(d), why);
	d->said |= (uint8_t)(1u << status);
	d->said_ms = clock_mono_ms();
	if (strcmp_null(d->why, why) == 0)
		return;
	free(d->why);
	d->why = xstrdup(why);
}

void
device_content(struct device *d)
{
	free(d->why);
	d->why = NULL;
	d->odd = 0;
	if (clock_mono_ms() - d->said_ms > SAID_MS)
		d->said = 0;
}
