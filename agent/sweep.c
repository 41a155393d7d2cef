#include "agent/sweep.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#define TICK_MS		100
#define UNDER_WAY_MAX	128	/* addresses that are being looked at */
#define HOSTS_AGAIN_MS	30000

/* One that is named in the configuration. */
struct host {
	struct sweep	*sweep;
	const char	*name;
	bool		 warned;	/* does not resolve, said so */
	bool		 silent;	/* does not answer, said so */
};

struct sweep {
	struct loop		*loop;
	const struct config	*conf;
	struct patrol		*patrol;
	struct timer		 tick;		/* paces a pass */
	struct timer		 again;		/* begins the next */
	struct timer		 hosts;
	struct range		*range;		/* networks */
	size_t			 range_len;
	struct range		*exclude;
	size_t			 exclude_len;
	struct host		*host;

	size_t			 at;		/* the range being swept */
	uint32_t		 next;		/* its next address */
	int			 under_way;
	double			 budget;	/* addresses we may start */
	int64_t			 tick_ms;	/* mono: the last */
	struct sweep_progress	 progress;
};

static struct range *
parse_ranges(const struct ini_list *list, size_t *len)
{
	struct range *ranges;
	char why[128];
	size_t i;

	ranges = xcalloc(list->count + 1, sizeof(*ranges));
	for (i = 0, *len = 0; i < list->count; i++)
		if (range_parse(list->item[i], &ranges[*len], why,
		    sizeof(why)) == 0)
			(*len)++;
	return ranges;
}

struct sweep *
sweep_new(struct loop *loop, const struct config *conf, struct patrol *patrol)
{
	struct sweep *s;
	size_t i;

	s = xcalloc(1, sizeof(*s));
	s->loop = loop;
	s->conf = conf;
	s->patrol = patrol;
	s->range = parse_ranges(&conf->networks, &s->range_len);
	s->exclude = parse_ranges(&conf->exclude, &s->exclude_len);
	s->host = xcalloc(conf->hosts.count + 1, sizeof(*s->host));
	for (i = 0; i < conf->hosts.count; i++) {
		s->host[i].sweep = s;
		s->host[i].name = conf->hosts.item[i];
	}
	return s;
}

void
sweep_free(struct sweep *s)
{
	if (s == NULL)
		return;
	timer_clear(s->loop, &s->tick);
	timer_clear(s->loop, &s->again);
	timer_clear(s->loop, &s->hosts);
	free(s->range);
	free(s->exclude);
	free(s->host);
	free(s);
}

static bool
excluded(const struct sweep *s, uint32_t address)
{
	size_t i;

	for (i = 0; i < s->exclude_len; i++)
		if (range_has(&s->exclude[i], address))
			return true;
	return false;
}

static void
on_probed(void *arg, enum patrol_find find)
{
	struct sweep *s = arg;

	s->under_way--;
	s->progress.answered += find != PATROL_SILENT;
}

/* Silence is normal in a range, but not of a host that was named. */
static void
on_host_probed(void *arg, enum patrol_find find)
{
	struct host *host = arg;

	if (find == PATROL_SILENT && !host->silent)
		log_warnx("sweep", "[discovery] hosts: %s does not answer: is "
		    "it on, is SNMP enabled there, is the community right?",
		    host->name);
	host->silent = find == PATROL_SILENT;
	on_probed(host->sweep, find);
}

static void
probe(struct sweep *s, uint32_t address, uint16_t port, const char *zone,
    struct host *host)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };

	addr.sin_addr.s_addr = htonl(address);
	addr.sin_port = htons(port);
	if (excluded(s, address) || patrol_has(s->patrol, &addr))
		return;
	s->under_way++;
	s->budget -= 1;
	if (host != NULL)
		patrol_probe(s->patrol, &addr, zone, on_host_probed, host);
	else
		patrol_probe(s->patrol, &addr, zone, on_probed, s);
}

static void
finish(struct sweep *s)
{
	s->progress.running = false;
	s->progress.finished_ms = clock_wall_ms();
	log_info("sweep", "%lld addresses looked at, %lld answered",
	    (long long)s->progress.done, (long long)s->progress.answered);
}

static void
on_tick(void *arg)
{
	struct sweep *s = arg;
	const struct config_snmp *snmp;
	int64_t now = clock_mono_ms();

	s->budget += (double)(now - s->tick_ms) * (double)s->conf->rate /
	    1000.0;
	if (s->budget > (double)s->conf->rate)
		s->budget = (double)s->conf->rate;
	s->tick_ms = now;
	while (s->at < s->range_len && s->budget >= 1 &&
	    s->under_way < UNDER_WAY_MAX) {
		snmp = config_snmp_for(s->conf, s->next, 0);
		if (snmp != NULL)
			probe(s, s->next, (uint16_t)snmp->port,
			    s->range[s->at].label, NULL);
		s->progress.done++;
		s->progress.left--;
		if (s->next++ == s->range[s->at].last &&
		    ++s->at < s->range_len)
			s->next = s->range[s->at].first;
	}
	if (s->at == s->range_len && s->under_way == 0)
		finish(s);
	else
		timer_after(s->loop, &s->tick, TICK_MS, on_tick, s);
}

static void
on_again(void *arg)
{
	sweep_start(arg);
}

/* The hosts named one by one. */
static void
on_hosts(void *arg)
{
	struct sweep *s = arg;
	const struct config_snmp *snmp;
	struct sockaddr_in addr;
	char why[256];
	struct host *host;
	size_t i;
	int64_t after;

	for (i = 0; i < s->conf->hosts.count; i++) {
		host = &s->host[i];
		if (host_parse(host->name, 161, &addr, why,
		    sizeof(why)) == -1) {
			if (!host->warned)
				log_warnx("sweep", "[discovery] hosts: %s",
				    why);
			host->warned = true;
			continue;
		}
		host->warned = false;
		snmp = config_snmp_for(s->conf, ntohl(addr.sin_addr.s_addr),
		    0);
		if (snmp == NULL)
			continue;
		if (strchr(host->name, ':') == NULL)
			addr.sin_port = htons((uint16_t)snmp->port);
		probe(s, ntohl(addr.sin_addr.s_addr), ntohs(addr.sin_port),
		    NULL, host);
	}
	after = s->conf->interval_ms < HOSTS_AGAIN_MS ?
	    s->conf->interval_ms : HOSTS_AGAIN_MS;
	timer_after(s->loop, &s->hosts, after, on_hosts, s);
}

void
sweep_start(struct sweep *s)
{
	size_t i;

	timer_after(s->loop, &s->again, s->conf->interval_ms, on_again, s);
	if (s->progress.running)
		return;
	if (s->conf->hosts.count > 0)
		on_hosts(s);
	s->progress.running = true;
	s->progress.done = s->progress.left = s->progress.answered = 0;
	for (i = 0; i < s->range_len; i++)
		s->progress.left += s->range[i].last - s->range[i].first + 1;
	s->at = 0;
	if (s->range_len > 0)
		s->next = s->range[0].first;
	s->tick_ms = clock_mono_ms();
	s->budget = 1;
	timer_after(s->loop, &s->tick, 0, on_tick, s);
}

void
sweep_progress(const struct sweep *s, struct sweep_progress *out)
{
	*out = s->progress;
}
