#include "agent/calls.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "base/bucket.h"
#include "base/clock.h"
#include "base/mem.h"
#include "snmp/hail.h"

#define TICK_MS		10	/* packets leave in small groups */
#define LOOKS_MAX	20000	/* addresses stepped over in a tick */
#define ASK_AGAIN_MS	20	/* whether it is over */

enum phase { IDLE, CALLING, LISTENING, THIRD };

struct calls {
	struct loop			*loop;
	const struct config		*conf;
	const struct calls_events	*events;
	void				*arg;
	struct hail			*hail;
	struct network_set		*set;
	struct rounds			*rounds;
	uint8_t				*answered;	/* a bit each */
	struct bucket			 bucket;

	enum phase			 phase;
	struct timer			 tick;		/* sends */
	struct timer			 turn;		/* to what is next */
	int64_t				 pass_ms;	/* mono: it began */
	uint32_t			 near;		/* the /24 last asked
							 * about; 0 none */
	bool				 near_answers;
};

static void	 on_tick(void *);

/* --- who has answered --------------------------------------------------------- */

static bool
has_answered(const struct calls *c, size_t index)
{
	return (c->answered[index / 8] >> (index % 8) & 1) != 0;
}

bool
calls_spare(struct calls *c, uint32_t address)
{
	size_t index = c->set == NULL ? SIZE_MAX :
	    network_set_index(c->set, address);

	if (index == SIZE_MAX || has_answered(c, index))
		return false;
	c->answered[index / 8] |= (uint8_t)(1u << (index % 8));
	return true;
}

/* In a pass an SNMPv3 engine without credentials is a late answer to an
 * earlier third look: v2c has its turn yet. */
static void
on_answer(void *arg, const struct hail_answer *a)
{
	struct calls *c = arg;
	uint32_t address = ntohl(a->addr.sin_addr.s_addr);
	struct hand hand = { .addr = a->addr, .version = a->version,
	    .elsewhere = a->elsewhere, .enterprise = a->enterprise };
	bool fits = c->rounds != NULL && (a->version != 3 ||
	    rounds_has_v3(c->rounds, address, ntohs(a->addr.sin_port)));
	size_t index;

	if ((!fits && (c->phase == CALLING || c->phase == LISTENING)) ||
	    !calls_spare(c, address) || c->events->known(c->arg, &a->addr))
		return;
	index = network_set_index(c->set, address);
	(void)network_set_address(c->set, index, &hand.zone);
	if (!c->events->answer(c->arg, &hand, fits))
		c->answered[index / 8] &= (uint8_t)~(1u << (index % 8));
}

/* --- calling ------------------------------------------------------------------ */

/* Third looks are for networks where somebody answered: an address in one
 * that is not used at all is asked twice as it is. */
static bool
is_near_an_answer(struct calls *c, const struct look *look)
{
	uint32_t address = look->address & ~UINT32_C(255), i;
	size_t index;

	if (c->near == address)
		return c->near_answers;
	c->near = address;
	c->near_answers = false;
	for (i = 0; i < 256 && !c->near_answers; i++) {
		index = network_set_index(c->set, address + i);
		c->near_answers = index != SIZE_MAX && has_answered(c, index);
	}
	return c->near_answers;
}

static bool
is_worth_a_call(struct calls *c, const struct look *look,
    const struct sockaddr_in *addr)
{
	if (look->version == 0 || has_answered(c, look->index))
		return false;
	if (c->events->known(c->arg, addr)) {
		(void)calls_spare(c, look->address);
		return false;
	}
	return c->phase != THIRD || is_near_an_answer(c, look);
}

/* As many as there are tokens; false when the pass is over. */
static bool
call_out(struct calls *c, int64_t tokens)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	struct look look;
	int n;

	for (n = 0; n < LOOKS_MAX && tokens > 0 && hail_room(c->hail) > 0;
	    n++) {
		if (!rounds_next(c->rounds, &look))
			return false;
		addr.sin_addr.s_addr = htonl(look.address);
		addr.sin_port = htons(look.port);
		if (is_worth_a_call(c, &look, &addr) &&
		    hail_send(c->hail, &addr, look.version, look.community)) {
			bucket_take(&c->bucket, 1);
			tokens--;
		}
	}
	return true;
}

/* --- from pass to pass -------------------------------------------------------- */

/* The longest that anybody is given for a first answer. */
static int64_t
patience_ms(const struct calls *c)
{
	int64_t most = 0;
	size_t i;

	for (i = 0; i < c->conf->snmp_len; i++)
		if (c->conf->snmp[i].timeout_ms > most)
			most = c->conf->snmp[i].timeout_ms;
	return most;
}

int64_t
calls_listen_ms(const struct calls *c)
{
	return 2 * patience_ms(c);
}

/*
 * Between the first call and the second an address is given time to answer,
 * and twice that after the second.  The second pass comes to each address in
 * the same order and at the same pace, so what the first took is time given.
 */
static int64_t
pause_ms(const struct calls *c)
{
	int64_t patience = patience_ms(c), took;

	if (network_set_count(c->set) == 0)
		return 0;
	if (rounds_pass(c->rounds) == ROUNDS_PASSES)
		return 2 * patience;
	took = clock_mono_ms() - c->pass_ms;
	return took < patience ? patience - took : 0;
}

static void
on_turn(void *arg)
{
	struct calls *c = arg;

	if (rounds_pass(c->rounds) < ROUNDS_PASSES)
		calls_begin(c, rounds_pass(c->rounds) + 1, 0);
	else if (!c->events->over(c->arg))
		timer_after(c->loop, &c->turn, ASK_AGAIN_MS, on_turn, c);
	else {
		rounds_go(c->rounds, ROUNDS_THIRD, 0);
		c->phase = THIRD;
		c->near = 0;
		calls_wake(c);
	}
}

static void
pass_over(struct calls *c)
{
	if (c->phase == THIRD) {
		c->phase = IDLE;
		c->events->done(c->arg);
	} else {
		c->phase = LISTENING;
		timer_after(c->loop, &c->turn, pause_ms(c), on_turn, c);
	}
}

static void
on_tick(void *arg)
{
	struct calls *c = arg;
	int64_t now = clock_mono_ms(), tokens, wait;
	bool more = false;

	if ((tokens = bucket_look(&c->bucket, now)) > 0) {
		bucket_take(&c->bucket, c->events->spend(c->arg, tokens,
		    &more));
		tokens = bucket_look(&c->bucket, now);
	} else
		more = true;
	if ((c->phase == CALLING || c->phase == THIRD) && tokens > 0 &&
	    !call_out(c, tokens))
		pass_over(c);
	if (more || c->phase == CALLING || c->phase == THIRD) {
		wait = bucket_wait_ms(&c->bucket, 1);
		timer_after(c->loop, &c->tick, wait > TICK_MS ? wait :
		    TICK_MS, on_tick, c);
	}
}

void
calls_wake(struct calls *c)
{
	if (!timer_pending(&c->tick))
		timer_after(c->loop, &c->tick, 0, on_tick, c);
}

void
calls_begin(struct calls *c, int pass, uint32_t where)
{
	rounds_go(c->rounds, pass, where);
	c->phase = CALLING;
	c->pass_ms = clock_mono_ms();
	calls_wake(c);
}

/* --- exports ------------------------------------------------------------------ */

struct calls *
calls_new(struct loop *loop, const struct config *conf,
    const struct calls_events *events, void *arg)
{
	struct calls *c;

	c = xcalloc(1, sizeof(*c));
	c->loop = loop;
	c->conf = conf;
	c->events = events;
	c->arg = arg;
	if ((c->hail = hail_new(loop, on_answer, c)) == NULL) {
		free(c);
		return NULL;
	}
	bucket_init(&c->bucket, conf->rate, conf->rate / 20,
	    clock_mono_ms());
	return c;
}

void
calls_free(struct calls *c)
{
	if (c == NULL)
		return;
	timer_clear(c->loop, &c->tick);
	timer_clear(c->loop, &c->turn);
	hail_free(c->hail);
	rounds_free(c->rounds);
	network_set_free(c->set);
	free(c->answered);
	free(c);
}

void
calls_set(struct calls *c, struct network_set *set)
{
	timer_clear(c->loop, &c->turn);
	c->phase = IDLE;
	rounds_free(c->rounds);
	network_set_free(c->set);
	free(c->answered);
	c->set = set;
	c->rounds = rounds_new(c->conf, set);
	c->answered = xcalloc(network_set_count(set) / 8 + 1, 1);
}

const struct rounds *
calls_rounds(const struct calls *c)
{
	return c->rounds;
}

const struct network_set *
calls_network(const struct calls *c)
{
	return c->set;
}
