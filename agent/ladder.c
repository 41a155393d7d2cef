#include "agent/ladder.h"

#include <stdlib.h>
#include <string.h>

#include "agent/network.h"
#include "base/mem.h"

struct rung {
	const struct config_snmp *snmp;
	struct range		*range;		/* none: for all addresses */
	size_t			 range_len;
};

struct ladder {
	struct rung	*rung;
	size_t		 len;
};

static void
rung_set(struct rung *rung, const struct config_snmp *snmp)
{
	const struct ini_list *list = &snmp->networks;
	char why[128];
	size_t i;

	rung->snmp = snmp;
	rung->range = xcalloc(list->count + 1, sizeof(*rung->range));
	for (i = 0; i < list->count; i++)
		if (range_parse(list->item[i], &rung->range[rung->range_len],
		    why, sizeof(why)) == 0)
			rung->range_len++;
}

struct ladder *
ladder_new(const struct config *conf)
{
	struct ladder *l;
	size_t i;
	int p;

	l = xcalloc(1, sizeof(*l));
	l->rung = xcalloc(conf->snmp_len + 1, sizeof(*l->rung));
	for (p = 0; p < CREDENTIAL_RANKS; p++)
		for (i = 0; i < conf->snmp_len; i++)
			if (credential_rank(&conf->snmp[i].credential) == p)
				rung_set(&l->rung[l->len++], &conf->snmp[i]);
	return l;
}

void
ladder_free(struct ladder *l)
{
	size_t i;

	if (l == NULL)
		return;
	for (i = 0; i < l->len; i++)
		free(l->rung[i].range);
	free(l->rung);
	free(l);
}

static bool
is_for(const struct rung *rung, uint32_t address)
{
	size_t i;

	for (i = 0; i < rung->range_len; i++)
		if (range_has(&rung->range[i], address))
			return true;
	return rung->snmp->networks.count == 0;
}

const struct config_snmp *
ladder_rung(const struct ladder *l, uint32_t address, size_t n)
{
	size_t i;

	for (i = 0; i < l->len; i++)
		if (is_for(&l->rung[i], address) && n-- == 0)
			return l->rung[i].snmp;
	return NULL;
}

const struct config_snmp *
ladder_named(const struct ladder *l, uint32_t address, const char *name)
{
	size_t i;

	for (i = 0; i < l->len; i++)
		if (strcmp(l->rung[i].snmp->credential.name, name) == 0 &&
		    is_for(&l->rung[i], address))
			return l->rung[i].snmp;
	return NULL;
}
