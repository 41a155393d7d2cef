#include "xmpp/inquiries.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/log.h"
#include "base/mem.h"
#include "xmpp/jid.h"

#define BUCKETS		1024
#define ID_LEN		26	/* 104 bits in hex */

struct inquiry {
	struct inquiry		*next;
	struct inquiries	*owner;
	struct timer		 timer;
	inquiries_fn		*fn;
	void			*arg;
	char			 id[ID_LEN + 1];
	char			*to;
};

struct inquiries {
	struct loop	*loop;
	size_t		 count;
	struct inquiry	*bucket[BUCKETS];
};

struct inquiries *
inquiries_new(struct loop *loop)
{
	struct inquiries	*all;

	all = xcalloc(1, sizeof(*all));
	all->loop = loop;
	return all;
}

void
inquiries_free(struct inquiries *all)
{
	free(all);
}

static void
inquiry_free(struct inquiry *q)
{
	free(q->to);
	free(q);
}

/* The ids are random, so their first digits spread well. */
static struct inquiry **
bucket(struct inquiries *all, const char *id)
{
	char	 digits[9];

	snprintf(digits, sizeof(digits), "%.8s", id);
	return &all->bucket[strtoul(digits, NULL, 16) % BUCKETS];
}

/* Out of the table before its owner hears, who may then do anything. */
static void
take_out(struct inquiries *all, struct inquiry **at)
{
	struct inquiry	*q = *at;

	*at = q->next;
	all->count--;
	timer_clear(all->loop, &q->timer);
}

static void
on_timeout(void *arg)
{
	struct inquiry	*q = arg, **at;

	for (at = bucket(q->owner, q->id); *at != q; at = &(*at)->next)
		continue;
	take_out(q->owner, at);
	q->fn(q->arg, false, "remote-server-timeout", NULL);
	inquiry_free(q);
}

void
inquiries_add(struct inquiries *all, const char *to, int timeout_ms,
    inquiries_fn *fn, void *arg, char id[INQUIRIES_ID_MAX])
{
	unsigned char	 random[ID_LEN / 2];
	struct inquiry	*q, **at;
	size_t		 i;

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		fatal("component", "no random numbers");
	q = xcalloc(1, sizeof(*q));
	q->owner = all;
	q->fn = fn;
	q->arg = arg;
	q->to = xstrdup(to);
	for (i = 0; i < sizeof(random); i++)
		snprintf(q->id + 2 * i, 3, "%02x", random[i]);
	memcpy(id, q->id, sizeof(q->id));
	at = bucket(all, id);
	q->next = *at;
	*at = q;
	all->count++;
	timer_after(all->loop, &q->timer, timeout_ms, on_timeout, q);
}

bool
inquiries_answer(struct inquiries *all, const char *from, const char *id,
    bool result, const char *condition, xmlNode *payload)
{
	struct inquiry	*q, **at;

	if (strlen(id) != ID_LEN || strspn(id, "0123456789abcdef") != ID_LEN)
		return false;
	for (at = bucket(all, id); (q = *at) != NULL; at = &q->next) {
		if (strcmp(q->id, id) != 0 || !jid_same(q->to, from))
			continue;
		take_out(all, at);
		q->fn(q->arg, result, condition, payload);
		inquiry_free(q);
		return true;
	}
	return false;
}

void
inquiries_fail(struct inquiries *all, const char *condition)
{
	struct inquiry	*q, *list = NULL;
	size_t		 i;

	/* All out first: a callback may ask again. */
	for (i = 0; i < BUCKETS; i++)
		while ((q = all->bucket[i]) != NULL) {
			take_out(all, &all->bucket[i]);
			q->next = list;
			list = q;
		}
	while ((q = list) != NULL) {
		list = q->next;
		q->fn(q->arg, false, condition, NULL);
		inquiry_free(q);
	}
}

size_t
inquiries_count(const struct inquiries *all)
{
	return all->count;
}
