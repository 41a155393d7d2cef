#include "agent/rounds.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* At a low rate a chunk takes seconds, at a high one there must be enough in
 * it that answers arrive before the next credentials have their turn. */
#define CHUNK_MIN	256
#define STEPS_MAX	(2 * CONFIG_CREDENTIALS_MAX)

struct step {
	const struct config_snmp	*snmp;
	const struct network_set	*where;		/* NULL: everywhere */
	int				 version;
};

struct pass {
	struct step	 step[STEPS_MAX];
	size_t		 len;
};

struct rounds {
	const struct config		*conf;
	const struct network_set	*set;
	struct network_set		*where[CONFIG_CREDENTIALS_MAX];
	struct pass			 pass[ROUNDS_THIRD];
	size_t				 chunk_len;

	int				 at;	/* the pass, from 0 */
	size_t				 chunk;	/* its first index */
	size_t				 step;
	size_t				 next;	/* index */
};

static struct network_set *
where_of(const struct config_snmp *snmp)
{
	struct network_set *set;
	struct range *ranges;
	size_t n;

	if (snmp->networks.count == 0)
		return NULL;
	ranges = range_parse_list(&snmp->networks, 0, &n);
	set = network_set_new(ranges, n, NULL, 0);
	free(ranges);
	return set;
}

/* A section of version 0 goes for v2c in both passes, for v1 in the second. */
static bool
speaks(const struct config_snmp *snmp, int version, int pass)
{
	int said = snmp->credential.version;

	if (pass == ROUNDS_THIRD - 1)
		return version == 3 && said != 3;
	if (said == 0)
		return version == 2 || (version == 1 && pass > 0);
	return version == said;
}

static void
add_steps(struct rounds *r, int pass)
{
	struct pass *p = &r->pass[pass];
	size_t i;
	int version;

	for (version = 3; version >= 1; version--)
		for (i = 0; i < r->conf->snmp_len; i++)
			if (speaks(&r->conf->snmp[i], version, pass))
				p->step[p->len++] = (struct step){
				    .snmp = &r->conf->snmp[i],
				    .where = r->where[i], .version = version };
}

struct rounds *
rounds_new(const struct config *conf, const struct network_set *set)
{
	struct rounds *r;
	size_t i;
	int pass;

	r = xcalloc(1, sizeof(*r));
	r->conf = conf;
	r->set = set;
	r->chunk_len = (size_t)conf->rate / 2 < CHUNK_MIN ? CHUNK_MIN :
	    (size_t)conf->rate / 2;
	for (i = 0; i < conf->snmp_len; i++)
		r->where[i] = where_of(&conf->snmp[i]);
	for (pass = 0; pass < ROUNDS_THIRD; pass++)
		add_steps(r, pass);
	return r;
}

void
rounds_free(struct rounds *r)
{
	size_t i;

	if (r == NULL)
		return;
	for (i = 0; i < r->conf->snmp_len; i++)
		network_set_free(r->where[i]);
	free(r);
}

/* --- whom to ask what --------------------------------------------------------- */

static bool
is_for(const struct step *step, uint32_t address)
{
	return step->where == NULL ||
	    network_set_index(step->where, address) != SIZE_MAX;
}

static bool
same_question(const struct step *a, const struct step *b)
{
	return a->version == b->version && a->snmp->port == b->snmp->port &&
	    (a->version == 3 || strcmp(a->snmp->credential.community,
	    b->snmp->credential.community) == 0);
}

bool
rounds_has_v3(const struct rounds *r, uint32_t address, uint16_t port)
{
	const struct pass *p = &r->pass[0];
	size_t i;

	for (i = 0; i < p->len; i++)
		if (p->step[i].version == 3 &&
		    p->step[i].snmp->port == port &&
		    is_for(&p->step[i], address))
			return true;
	return false;
}

/* Is it the first step that would put this question to the address? */
static bool
is_asked(const struct rounds *r, const struct step *step, uint32_t address)
{
	const struct step *s;

	if (!is_for(step, address))
		return false;
	for (s = r->pass[r->at].step; s < step; s++)
		if (same_question(s, step) && is_for(s, address))
			return false;
	return r->at < ROUNDS_PASSES ||
	    !rounds_has_v3(r, address, (uint16_t)step->snmp->port);
}

static size_t
chunk_end(const struct rounds *r)
{
	size_t count = network_set_count(r->set);

	return count - r->chunk < r->chunk_len ? count :
	    r->chunk + r->chunk_len;
}

bool
rounds_next(struct rounds *r, struct look *out)
{
	const struct pass *p = &r->pass[r->at];
	const struct step *step;

	if (r->next == chunk_end(r)) {
		if (++r->step < p->len)
			r->next = r->chunk;
		else {
			r->chunk = r->next;
			r->step = 0;
		}
	}
	if (r->next == network_set_count(r->set) || p->len == 0)
		return false;
	step = &p->step[r->step];
	out->index = r->next;
	out->address = network_set_address(r->set, r->next, &out->zone);
	out->port = (uint16_t)step->snmp->port;
	out->community = step->snmp->credential.community;
	out->version = is_asked(r, step, out->address) ? step->version : 0;
	r->next++;
	return true;
}

/* --- where it is -------------------------------------------------------------- */

/* The first index whose address is not below address. */
static size_t
index_from(const struct network_set *set, uint32_t address)
{
	size_t low = 0, high = network_set_count(set), mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (network_set_address(set, mid, NULL) < address)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

void
rounds_go(struct rounds *r, int pass, uint32_t address)
{
	r->at = pass - 1;
	r->chunk = index_from(r->set, address);
	r->step = 0;
	r->next = r->chunk;
}

int
rounds_pass(const struct rounds *r)
{
	return r->at + 1;
}

uint32_t
rounds_where(const struct rounds *r)
{
	size_t count = network_set_count(r->set);

	if (r->chunk == 0 || count == 0)
		return 0;
	/* At the end of a pass it is behind the last one. */
	return r->chunk < count ?
	    network_set_address(r->set, r->chunk, NULL) : UINT32_MAX;
}

size_t
rounds_count(const struct rounds *r)
{
	return network_set_count(r->set);
}

void
rounds_steps(const struct rounds *r, uint64_t *done, uint64_t *left)
{
	uint64_t count = network_set_count(r->set), total = 0;
	const struct pass *p;
	int pass;

	*done = 0;
	for (pass = 0; pass < ROUNDS_PASSES; pass++) {
		p = &r->pass[pass];
		total += p->len * count;
		if (pass < r->at)
			*done += p->len * count;
		else if (pass == r->at)
			*done += p->len * r->chunk + r->step *
			    (chunk_end(r) - r->chunk) + (r->next - r->chunk);
	}
	if (*done > total)
		*done = total;
	*left = total - *done;
}

size_t
rounds_done(const struct rounds *r)
{
	uint64_t done, left;

	rounds_steps(r, &done, &left);
	return done + left == 0 ? 0 : (size_t)(done *
	    network_set_count(r->set) / (done + left));
}

/* FNV-1a, for no enemy. */
static uint64_t
mix(uint64_t hash, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;

	while (len-- > 0)
		hash = (hash ^ *at++) * UINT64_C(0x100000001b3);
	return hash;
}

uint64_t
rounds_fingerprint(const struct rounds *r)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	const struct config_snmp *snmp;
	const struct range *range;
	size_t i, j;

	for (i = 0; (range = network_set_stretch(r->set, i)) != NULL; i++) {
		hash = mix(hash, &range->first, sizeof(range->first));
		hash = mix(hash, &range->last, sizeof(range->last));
	}
	for (i = 0; i < r->conf->snmp_len; i++) {
		snmp = &r->conf->snmp[i];
		hash = mix(hash, snmp->credential.name,
		    strlen(snmp->credential.name) + 1);
		hash = mix(hash, &snmp->credential.version,
		    sizeof(snmp->credential.version));
		hash = mix(hash, &snmp->port, sizeof(snmp->port));
		for (j = 0; j < snmp->networks.count; j++)
			hash = mix(hash, snmp->networks.item[j],
			    strlen(snmp->networks.item[j]) + 1);
	}
	return hash;
}
