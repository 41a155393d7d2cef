#include "agent/device.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#define ADDRESS_MAX	24
#define SAID_MS		(60 * 60 * 1000)	/* until a complaint is new */

static size_t
bucket_of(const struct sockaddr_in *addr)
{
	uint32_t h = ntohl(addr->sin_addr.s_addr) * 2654435761u ^
	    ntohs(addr->sin_port);

	return (h >> 12) % DEVICE_BUCKETS;
}

struct device *
device_find(const struct device_table *table, const struct sockaddr_in *addr)
{
	struct device *d;

	for (d = table->bucket[bucket_of(addr)]; d != NULL; d = d->next)
		if (d->addr.sin_addr.s_addr == addr->sin_addr.s_addr &&
		    d->addr.sin_port == addr->sin_port)
			return d;
	return NULL;
}

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

struct device *
device_new(struct device_table *table, const struct sockaddr_in *addr,
    const char *zone)
{
	struct device *d;
	size_t h = bucket_of(addr);

	d = xcalloc(1, sizeof(*d));
	d->addr = *addr;
	d->zone = xstrdup_null(zone);
	d->read_all = true;
	d->state = ASSET_ONLINE;
	d->next = table->bucket[h];
	table->bucket[h] = d;
	return d;
}

void
device_free(struct device_table *table, struct device *d)
{
	struct device **link;

	for (link = &table->bucket[bucket_of(&d->addr)]; *link != d;
	    link = &(*link)->next)
		;
	*link = d->next;
	bag_free(d->image);
	free(d->suspects);
	free(d->zone);
	free(d->why);
	free(d);
}

void
device_complain(struct device *d, enum reading_status status, const char *why)
{
	if ((d->said & 1u << status) == 0)
		log_warnx("printer", "%s: %s", device_name(d), why);
	else if (strcmp_null(d->why, why) != 0)
		log_debug("printer", "%s: %s", device_name(d), why);
	d->said |= 1u << status;
	d->said_ms = clock_mono_ms();
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
