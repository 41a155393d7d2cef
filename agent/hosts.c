#include "agent/hosts.h"

#include <sys/socket.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/resolve.h"

#define AGAIN_MS	30000	/* who is not polled is looked at again */
#define LOOKUPS_MAX	4	/* at one time: each is a process */
#define LOOKUP_MS	20000	/* a resolver may take long, not for ever */
#define PAUSE_MIN_MS	30000	/* before a name that failed is tried again */

struct host {
	struct hosts		*hosts;
	const char		*text;		/* as in the INI */
	char			*name;		/* without the port */
	uint16_t		 port;		/* 0: none was named */
	bool			 number;	/* no name at all */
	bool			 found;		/* addr is set */
	bool			 wanted;	/* look it up when it is time */
	bool			 warned;	/* does not resolve, said so */
	bool			 silent;	/* does not answer, said so */
	int64_t			 pause_ms;
	int64_t			 not_before;	/* mono */
	struct sockaddr_in	 addr;
	struct resolve		*resolve;
	struct timer		 deadline;
};

struct hosts {
	struct loop		*loop;
	const struct config	*conf;
	struct patrol		*patrol;
	hosts_fn		*fn;
	void			*arg;
	struct host		*host;
	size_t			 len;
	size_t			 lookups;
	struct timer		 again;
};

static void	 look_up_some(struct hosts *);

struct hosts *
hosts_new(struct loop *loop, const struct config *conf, struct patrol *patrol,
    hosts_fn *fn, void *arg)
{
	struct host *host;
	struct hosts *h;
	size_t i;

	h = xcalloc(1, sizeof(*h));
	h->loop = loop;
	h->conf = conf;
	h->patrol = patrol;
	h->fn = fn;
	h->arg = arg;
	h->len = conf->hosts.count;
	h->host = xcalloc(h->len + 1, sizeof(*h->host));
	for (i = 0; i < h->len; i++) {
		host = &h->host[i];
		host->hosts = h;
		host->text = conf->hosts.item[i];
		host->name = xstrndup(host->text, strcspn(host->text, ":"));
		if (host->text[strlen(host->name)] == ':')
			host->port = (uint16_t)strtoul(host->text +
			    strlen(host->name) + 1, NULL, 10);
		host->pause_ms = PAUSE_MIN_MS;
		host->addr.sin_family = AF_INET;
		host->number = host->found = inet_pton(AF_INET, host->name,
		    &host->addr.sin_addr) == 1;
	}
	return h;
}

void
hosts_free(struct hosts *h)
{
	size_t i;

	if (h == NULL)
		return;
	timer_clear(h->loop, &h->again);
	for (i = 0; i < h->len; i++) {
		timer_clear(h->loop, &h->host[i].deadline);
		resolve_free(h->host[i].resolve);
		free(h->host[i].name);
	}
	free(h->host);
	free(h);
}

/* --- reading ------------------------------------------------------------------ */

static void
offer(struct host *host)
{
	struct hosts *h = host->hosts;
	const struct config_snmp *snmp;

	snmp = config_snmp_for(h->conf, ntohl(host->addr.sin_addr.s_addr), 0);
	if (snmp == NULL)
		return;
	host->addr.sin_port = htons(host->port != 0 ? host->port :
	    (uint16_t)snmp->port);
	if (!patrol_has(h->patrol, &host->addr))
		h->fn(h->arg, host, &host->addr);
}

void
hosts_answered(void *arg, enum patrol_find find)
{
	struct host *host = arg;

	if (find == PATROL_SILENT && !host->silent)
		log_warnx("sweep", "[discovery] hosts: %s does not answer: is "
		    "it on, is SNMP enabled there, is the community right?",
		    log_safe(host->text));
	host->silent = find == PATROL_SILENT;
}

/* --- names -------------------------------------------------------------------- */

static void
lookup_over(struct host *host, const struct sockaddr_in *in, const char *why)
{
	struct hosts *h = host->hosts;

	timer_clear(h->loop, &host->deadline);
	resolve_free(host->resolve);
	host->resolve = NULL;
	h->lookups--;
	if (in != NULL) {
		host->addr.sin_addr = in->sin_addr;
		host->found = true;
		host->warned = false;
		host->pause_ms = PAUSE_MIN_MS;
		offer(host);
	} else {
		if (!host->warned)
			log_warnx("sweep", "[discovery] hosts: %s: %s",
			    log_safe(host->name), why);
		host->warned = true;
		host->wanted = true;
		host->not_before = clock_mono_ms() + host->pause_ms;
		host->pause_ms = host->pause_ms * 2 < h->conf->interval_ms ?
		    host->pause_ms * 2 : h->conf->interval_ms;
	}
	look_up_some(h);
}

static void
on_resolved(void *arg, const struct resolve_address *list, size_t count,
    const char *why)
{
	struct sockaddr_in in;

	if (count > 0)
		memcpy(&in, &list[0].addr, sizeof(in));
	lookup_over(arg, count > 0 ? &in : NULL, why);
}

static void
on_deadline(void *arg)
{
	lookup_over(arg, NULL, "the name service does not answer");
}

static void
look_up_some(struct hosts *h)
{
	int64_t now = clock_mono_ms();
	struct host *host;
	size_t i;

	for (i = 0; i < h->len && h->lookups < LOOKUPS_MAX; i++) {
		host = &h->host[i];
		if (!host->wanted || host->not_before > now)
			continue;
		host->wanted = false;
		h->lookups++;
		timer_after(h->loop, &host->deadline, LOOKUP_MS, on_deadline,
		    host);
		host->resolve = resolve_start(h->loop, host->name, 161,
		    AF_INET, on_resolved, host);
	}
}

/* --- the rhythm --------------------------------------------------------------- */

static void
on_again(void *arg)
{
	struct hosts *h = arg;
	int64_t after = h->conf->interval_ms;
	size_t i;

	look_up_some(h);
	for (i = 0; i < h->len; i++)
		if (h->host[i].found && h->host[i].resolve == NULL)
			offer(&h->host[i]);
	timer_after(h->loop, &h->again, after < AGAIN_MS ? after : AGAIN_MS,
	    on_again, h);
}

void
hosts_start(struct hosts *h)
{
	size_t i;

	for (i = 0; i < h->len; i++)
		if (!h->host[i].number && h->host[i].resolve == NULL) {
			h->host[i].wanted = true;
			h->host[i].not_before = 0;
		}
	if (h->len > 0)
		on_again(h);
}
