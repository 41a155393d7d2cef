#include "agent/handover.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define READING_MAX	128	/* at one time */
#define KNOWN_MAX	16384	/* waiting, being read and to be tried again:
				 * a network where everything answers must
				 * not fill the memory */
#define BUCKETS		256

enum where { WAITING, READING, LATER };

struct entry {
	struct entry		*next;		/* in its bucket */
	struct entry		*after;		/* in the queue */
	struct handover		*handover;
	struct hand		 hand;
	char			*zone;
	enum where		 where;
	struct timer		 timer;
};

struct handover {
	struct loop	*loop;
	struct patrol	*patrol;
	handover_fn	*fn;
	void		*arg;
	struct entry	*bucket[BUCKETS];
	struct entry	*first, **last;		/* the queue */
	size_t		 count, waiting, reading;
};

static void	 on_later(void *);

struct handover *
handover_new(struct loop *loop, struct patrol *patrol, handover_fn *fn,
    void *arg)
{
	struct handover *h;

	h = xcalloc(1, sizeof(*h));
	h->loop = loop;
	h->patrol = patrol;
	h->fn = fn;
	h->arg = arg;
	h->last = &h->first;
	return h;
}

static void
entry_free(struct entry *e)
{
	timer_clear(e->handover->loop, &e->timer);
	free(e->zone);
	free(e);
}

void
handover_free(struct handover *h)
{
	struct entry *e, *next;
	size_t i;

	if (h == NULL)
		return;
	for (i = 0; i < BUCKETS; i++)
		for (e = h->bucket[i]; e != NULL; e = next) {
			next = e->next;
			entry_free(e);
		}
	free(h);
}

/* Where the entry for the address is, or would be put. */
static struct entry **
find(struct handover *h, const struct sockaddr_in *addr)
{
	uint32_t address = ntohl(addr->sin_addr.s_addr);
	struct entry **at;

	at = &h->bucket[(address ^ address >> 8 ^ addr->sin_port) % BUCKETS];
	for (; *at != NULL; at = &(*at)->next)
		if ((*at)->hand.addr.sin_addr.s_addr ==
		    addr->sin_addr.s_addr &&
		    (*at)->hand.addr.sin_port == addr->sin_port)
			break;
	return at;
}

static void
enqueue(struct entry *e)
{
	struct handover *h = e->handover;

	e->where = WAITING;
	e->after = NULL;
	*h->last = e;
	h->last = &e->after;
	h->waiting++;
}

bool
handover_add(struct handover *h, const struct hand *hand)
{
	struct entry **at = find(h, &hand->addr), *e = *at;

	if (e != NULL) {
		if (e->where != LATER)
			return true;
		/* It answers again: no need to wait any longer. */
		timer_clear(h->loop, &e->timer);
	} else {
		if (h->count == KNOWN_MAX)
			return false;
		e = *at = xcalloc(1, sizeof(*e));
		e->handover = h;
		h->count++;
	}
	free(e->zone);
	e->zone = xstrdup_null(hand->zone);
	e->hand = *hand;
	e->hand.zone = e->zone;
	e->hand.tries = 0;
	enqueue(e);
	return true;
}

int64_t
handover_pause_ms(int tries)
{
	static const int64_t minutes[] = { 1, 5, 15 };

	if (tries < 1 || (size_t)tries > sizeof(minutes) / sizeof(minutes[0]))
		return 0;
	return minutes[tries - 1] * 60 * 1000;
}

/* What denies all credentials will do so in a minute as well, and hosts have
 * their own turn. */
static bool
is_tried_again(const struct hand *hand, enum patrol_find find)
{
	return hand->host == NULL &&
	    (find == PATROL_SILENT || find == PATROL_UNREADABLE) &&
	    handover_pause_ms(hand->tries) != 0;
}

static void
on_found(void *arg, enum patrol_find result)
{
	struct entry *e = arg;
	struct handover *h = e->handover;
	struct hand hand = e->hand;
	char *zone = NULL;

	h->reading--;
	if (is_tried_again(&hand, result)) {
		e->where = LATER;
		timer_after(h->loop, &e->timer, handover_pause_ms(hand.tries),
		    on_later, e);
	} else {
		*find(h, &hand.addr) = e->next;
		h->count--;
		zone = e->zone;
		e->zone = NULL;
		entry_free(e);
	}
	h->fn(h->arg, &hand, result);
	free(zone);
}

static void
on_later(void *arg)
{
	enqueue(arg);
}

size_t
handover_start(struct handover *h, size_t n)
{
	struct entry *e;
	size_t begun;

	for (begun = 0; begun < n && h->first != NULL &&
	    h->reading < READING_MAX; begun++) {
		e = h->first;
		if ((h->first = e->after) == NULL)
			h->last = &h->first;
		h->waiting--;
		h->reading++;
		e->where = READING;
		e->hand.tries++;
		patrol_probe(h->patrol, &e->hand.addr, e->hand.zone, on_found,
		    e);
	}
	return begun;
}

size_t
handover_waiting(const struct handover *h)
{
	return h->waiting;
}

size_t
handover_reading(const struct handover *h)
{
	return h->reading;
}

size_t
handover_later(const struct handover *h)
{
	return h->count - h->waiting - h->reading;
}
