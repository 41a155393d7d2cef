#include "tests/sim/lan.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "tests/sim/builtin.h"
#include "tests/sim/panel.h"

#define BUCKETS		16384		/* a power of two */

struct lan {
	char		*community;
	bool		 strict;
	struct device	*bucket[BUCKETS];
	size_t		 count;
	struct device	**sorted;	/* NULL when it must be made again */
	struct walk	**walks;
	size_t		 walks_len;
	struct truth	*truth;
	struct traffic	 stray;
	struct users	 users;
	struct record	 record;
	uint32_t	 latency_ms;
	lan_send_fn	*send;
	void		*send_arg;
};

struct lan *
lan_new(const char *community, bool strict)
{
	struct lan *f = xcalloc(1, sizeof(*f));

	f->community = xstrdup(community);
	f->strict = strict;
	f->truth = truth_new();
	return f;
}

void
lan_free(struct lan *f)
{
	struct device *d, *next;
	size_t i;

	if (f == NULL)
		return;
	for (i = 0; i < BUCKETS; i++)
		for (d = f->bucket[i]; d != NULL; d = next) {
			next = d->next;
			device_free(d);
		}
	for (i = 0; i < f->walks_len; i++)
		walk_free(f->walks[i]);
	asked_forget_all();
	free(f->sorted);
	free(f->walks);
	truth_free(f->truth);
	users_clear(&f->users);
	record_stop(&f->record);
	free(f->community);
	free(f);
}

static size_t
bucket(uint32_t addr)
{
	return (addr * 2654435761u) >> 18 & (BUCKETS - 1);
}

struct device *
lan_find(const struct lan *f, uint32_t addr)
{
	struct device *d = f->bucket[bucket(addr)];

	while (d != NULL && d->addr != addr)
		d = d->next;
	return d;
}

static void
link_device(struct lan *f, struct device *d)
{
	struct device **head = &f->bucket[bucket(d->addr)];

	d->next = *head;
	*head = d;
	f->count++;
	free(f->sorted);
	f->sorted = NULL;
}

static void
unlink_device(struct lan *f, struct device *d)
{
	struct device **at = &f->bucket[bucket(d->addr)];

	while (*at != d)
		at = &(*at)->next;
	*at = d->next;
	f->count--;
	free(f->sorted);
	f->sorted = NULL;
}

static struct walk *
get_walk(struct lan *f, const char *name)
{
	struct walk *walk;
	size_t i;

	for (i = 0; i < f->walks_len; i++)
		if (strcmp(f->walks[i]->name, name) == 0)
			return f->walks[i];
	walk = name[0] == '@' ? builtin_read(name + 1) :
	    walk_read(name, f->strict);
	if (walk == NULL)
		return NULL;
	free(walk->name);
	walk->name = xstrdup(name);
	f->walks = xreallocarray(f->walks, f->walks_len + 1, sizeof(walk));
	f->walks[f->walks_len++] = walk;
	return walk;
}

static bool
loopback(uint32_t addr)
{
	return addr >> 24 == 127;
}

static int
parse_mac(const char *text, uint8_t mac[6])
{
	unsigned part[6];
	int end = 0, i;

	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &part[0], &part[1],
	    &part[2], &part[3], &part[4], &part[5], &end) != 6 ||
	    text[end] != '\0')
		return -1;
	for (i = 0; i < 6; i++)
		mac[i] = (uint8_t)part[i];
	return 0;
}

static int
parse_number(const char *text, uint32_t *number)
{
	unsigned long n;
	char *end;

	n = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end != '\0' || n > 999999)
		return -1;
	*number = (uint32_t)n;
	return 0;
}

struct wish {
	struct guise	 guise;
	uint32_t	 number;
	const char	*community;
};

/* One key=value of a spec.  Points into the option. */
static int
parse_wish(char *option, struct wish *wish)
{
	char *value = strchr(option, '=');

	if (value == NULL)
		return -1;
	*value++ = '\0';
	if (strcmp(option, "serial") == 0)
		snprintf(wish->guise.serial, sizeof(wish->guise.serial),
		    "%s", value);
	else if (strcmp(option, "name") == 0)
		snprintf(wish->guise.sys_name,
		    sizeof(wish->guise.sys_name), "%s", value);
	else if (strcmp(option, "mac") == 0) {
		if (parse_mac(value, wish->guise.mac) < 0)
			return -1;
		wish->guise.has_mac = true;
	} else if (strcmp(option, "number") == 0)
		return parse_number(value, &wish->number);
	else if (strcmp(option, "community") == 0)
		wish->community = value;
	else
		return -1;
	return 0;
}

static void
merge_guise(const struct walk *walk, struct wish *wish)
{
	struct guise base;

	if (wish->number == 0)
		return;
	guise_number(walk, wish->number, &base);
	if (wish->guise.serial[0] != '\0')
		memcpy(base.serial, wish->guise.serial,
		    sizeof(base.serial));
	if (wish->guise.sys_name[0] != '\0')
		memcpy(base.sys_name, wish->guise.sys_name,
		    sizeof(base.sys_name));
	if (wish->guise.has_mac) {
		memcpy(base.mac, wish->guise.mac, 6);
		base.has_mac = true;
	}
	wish->guise = base;
}

static int
add_parts(struct lan *f, char *text, struct buf *why)
{
	char *walk_name, *option, *rest, *spec = xstrdup(text);
	struct wish wish = { .number = 0 };
	struct walk *walk;
	struct device *d;
	uint32_t addr;
	int rc = -1;

	walk_name = strchr(text, '=');
	if (walk_name == NULL) {
		buf_printf(why, "\"%s\" is not ADDRESS=WALK", text);
		goto out;
	}
	*walk_name++ = '\0';
	rest = walk_name;
	strsep(&rest, ",");
	if (address_parse(text, &addr) < 0 || !loopback(addr)) {
		buf_printf(why, "\"%s\" is not in 127.0.0.0/8", text);
		goto out;
	}
	if (lan_find(f, addr) != NULL) {
		buf_printf(why, "%s is taken", text);
		goto out;
	}
	while ((option = strsep(&rest, ",")) != NULL)
		if (parse_wish(option, &wish) < 0) {
			buf_printf(why, "\"%s\": allowed are serial, mac, "
			    "name, community, number", option);
			goto out;
		}
	walk = get_walk(f, walk_name);
	if (walk == NULL) {
		buf_printf(why, "no walk \"%s\"", walk_name);
		goto out;
	}
	merge_guise(walk, &wish);
	d = device_new(walk, addr, wish.number, &wish.guise,
	    clock_mono_ms());
	d->community = xstrdup_null(wish.community);
	d->spec = xstrdup(strchr(spec, '=') + 1);
	panel_start(d);
	link_device(f, d);
	rc = 0;
out:
	free(spec);
	return rc;
}

int
lan_add(struct lan *f, const char *spec, struct buf *why)
{
	char *text = xstrdup(spec);
	int rc = add_parts(f, text, why);

	free(text);
	return rc;
}

static int
add_numbered(struct lan *f, uint32_t addr, const char *walk, size_t number,
    struct buf *why)
{
	char text[ADDRESS_TEXT_MAX], *spec;
	int rc;

	spec = xasprintf("%s=%s,number=%zu", address_format(addr, text), walk,
	    number);
	rc = lan_add(f, spec, why);
	free(spec);
	return rc;
}

/* The walks that a fleet is made of, in turn: count names, freed by caller. */
static char **
fleet_walks(struct lan *f, const char *dir, size_t *count)
{
	char **names = NULL, *pattern, *name;
	struct walk *walk;
	glob_t found;
	size_t i;

	*count = 0;
	if (dir != NULL) {
		pattern = xasprintf("%s/*.snmprec", dir);
		if (glob(pattern, 0, NULL, &found) != 0)
			found.gl_pathc = 0;
		for (i = 0; i < found.gl_pathc; i++) {
			if (strchr(strrchr(found.gl_pathv[i], '/'), '@'))
				continue;
			names = xreallocarray(names, *count + 1,
			    sizeof(*names));
			names[(*count)++] = xstrdup(found.gl_pathv[i]);
		}
		if (found.gl_pathc > 0)
			globfree(&found);
		free(pattern);
		return names;
	}
	for (i = 0; builtin_name(i) != NULL; i++) {
		if (strchr(builtin_name(i), '@') != NULL)
			continue;
		name = xasprintf("@%s", builtin_name(i));
		walk = get_walk(f, name);
		if (walk == NULL || walk->special) {
			free(name);
			continue;
		}
		names = xreallocarray(names, *count + 1, sizeof(*names));
		names[(*count)++] = name;
	}
	return names;
}

static void
free_walks(char **names, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		free(names[i]);
	free(names);
}

static bool
is_place(const struct lan *f, uint32_t addr)
{
	return (addr & 255) != 0 && (addr & 255) != 255 &&
	    lan_find(f, addr) == NULL;
}

int
lan_many(struct lan *f, uint32_t base, size_t count, const char *dir,
    struct buf *why)
{
	char **names;
	size_t kinds, i;
	int rc = 0;

	names = fleet_walks(f, dir, &kinds);
	if (kinds == 0) {
		buf_printf(why, "no *.snmprec in %s", dir == NULL ? "" : dir);
		rc = -1;
	}
	for (i = 0; rc == 0 && i < count; base++) {
		if (!is_place(f, base))
			continue;
		rc = add_numbered(f, base, names[i % kinds], i + 1, why);
		i++;
	}
	free_walks(names, kinds);
	return rc;
}

size_t
lan_places(uint32_t base, int prefix)
{
	size_t all = (size_t)1 << (32 - prefix);

	/* half of them, so that a free one is soon found */
	return all < 256 ? all / 2 : all / 256 * 127;
}

int
lan_scatter(struct lan *f, uint32_t base, int prefix, size_t count,
    uint32_t seed, const char *dir, struct buf *why)
{
	uint32_t mask = UINT32_MAX >> prefix, addr;
	uint64_t random = 0x9e3779b97f4a7c15u * (seed + 1u);
	size_t kinds, i;
	char **names;
	int rc = 0;

	names = fleet_walks(f, dir, &kinds);
	if (kinds == 0) {
		buf_printf(why, "no *.snmprec in %s", dir == NULL ? "" : dir);
		rc = -1;
	}
	for (i = 0; rc == 0 && i < count;) {
		random ^= random >> 12;
		random ^= random << 25;
		random ^= random >> 27;
		addr = (base & ~mask) |
		    ((uint32_t)(random * 0x2545f4914f6cdd1du >> 32) & mask);
		if (!is_place(f, addr))
			continue;
		rc = add_numbered(f, addr, names[i % kinds], i + 1, why);
		i++;
	}
	free_walks(names, kinds);
	return rc;
}

void
lan_remove(struct lan *f, struct device *d)
{
	unlink_device(f, d);
	device_free(d);
}

int
lan_move(struct lan *f, struct device *d, uint32_t to)
{
	if (!loopback(to) || lan_find(f, to) != NULL)
		return -1;
	unlink_device(f, d);
	device_move(d, to);
	link_device(f, d);
	return 0;
}

size_t
lan_count(const struct lan *f)
{
	return f->count;
}

static int
by_address(const void *a, const void *b)
{
	uint32_t x = (*(struct device *const *)a)->addr;
	uint32_t y = (*(struct device *const *)b)->addr;

	return x < y ? -1 : x > y;
}

struct device *
lan_from(const struct lan *f, uint32_t addr)
{
	/* the order is only a memory of what the buckets hold */
	struct lan *cache = (struct lan *)(uintptr_t)f;
	struct device *d;
	size_t i, n = 0, low = 0, high = f->count, mid;

	if (f->count == 0)
		return NULL;
	if (f->sorted == NULL) {
		cache->sorted = xcalloc(f->count, sizeof(*f->sorted));
		for (i = 0; i < BUCKETS; i++)
			for (d = f->bucket[i]; d != NULL; d = d->next)
				cache->sorted[n++] = d;
		qsort(cache->sorted, n, sizeof(*f->sorted), by_address);
	}
	while (low < high) {
		mid = low + (high - low) / 2;
		if (f->sorted[mid]->addr < addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low < f->count ? f->sorted[low] : NULL;
}

const char *
lan_community(const struct lan *f)
{
	return f->community;
}

struct users *
lan_users(struct lan *f)
{
	return &f->users;
}

struct record *
lan_record(struct lan *f)
{
	return &f->record;
}

uint32_t
lan_latency(const struct lan *f, const struct device *d)
{
	return d->has_latency ? d->latency_ms : f->latency_ms;
}

void
lan_set_latency(struct lan *f, uint32_t ms)
{
	f->latency_ms = ms;
}

struct truth *
lan_truth(struct lan *f)
{
	return f->truth;
}

struct traffic *
lan_stray(struct lan *f)
{
	return &f->stray;
}

void
lan_on_send(struct lan *f, lan_send_fn *fn, void *arg)
{
	f->send = fn;
	f->send_arg = arg;
}

int
lan_send(struct lan *f, uint32_t from, const struct sockaddr_in *to,
    const void *bytes, size_t len)
{
	return f->send(f->send_arg, from, to, bytes, len);
}

void
lan_reset(struct lan *f)
{
	struct device *d;
	size_t i;

	for (i = 0; i < BUCKETS; i++)
		for (d = f->bucket[i]; d != NULL; d = d->next) {
			d->traffic = (struct traffic){ 0 };
			asked_clear(&d->asked);
		}
	f->stray = (struct traffic){ 0 };
}
