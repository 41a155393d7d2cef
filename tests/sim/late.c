#include "tests/sim/late.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define SLOTS		4096		/* milliseconds once round */
#define WAITING_MAX	500000

struct slot {
	struct late_answer	*first, **last;
};

struct late {
	struct slot	 slot[SLOTS];
	int64_t		 done_ms;	/* all up to here was looked at */
	size_t		 waiting;
};

struct late *
late_new(int64_t now_ms)
{
	struct late *l = xcalloc(1, sizeof(*l));
	size_t i;

	for (i = 0; i < SLOTS; i++)
		l->slot[i].last = &l->slot[i].first;
	l->done_ms = now_ms;
	return l;
}

void
late_free(struct late *l)
{
	struct late_answer *a, *next;
	size_t i;

	if (l == NULL)
		return;
	for (i = 0; i < SLOTS; i++)
		for (a = l->slot[i].first; a != NULL; a = next) {
			next = a->next;
			free(a);
		}
	free(l);
}

void
late_put(struct late *l, int64_t due_ms, const void *bytes, size_t len,
    uint32_t from, const struct sockaddr_in *to)
{
	struct late_answer *a;
	struct slot *slot;

	if (l->waiting == WAITING_MAX)
		return;
	if (due_ms <= l->done_ms)
		due_ms = l->done_ms + 1;
	a = xmalloc(sizeof(*a) + len);
	a->next = NULL;
	a->due_ms = due_ms;
	a->to = *to;
	a->from = from;
	a->len = len;
	memcpy(a->bytes, bytes, len);
	slot = &l->slot[due_ms % SLOTS];
	*slot->last = a;
	slot->last = &a->next;
	l->waiting++;
}

struct late_answer *
late_take(struct late *l, int64_t now_ms)
{
	struct late_answer *found = NULL, **end = &found, **at, *a;
	struct slot *slot;
	int64_t ms = l->done_ms + 1;

	/* once round looks at all of them */
	if (now_ms - ms > SLOTS)
		ms = now_ms - SLOTS;
	for (; ms <= now_ms && l->waiting > 0; ms++) {
		slot = &l->slot[ms % SLOTS];
		for (at = &slot->first; (a = *at) != NULL;) {
			if (a->due_ms > now_ms) {
				at = &a->next;	/* of another round */
				continue;
			}
			*at = a->next;
			a->next = NULL;
			*end = a;
			end = &a->next;
			l->waiting--;
		}
		slot->last = at;
	}
	if (now_ms > l->done_ms)
		l->done_ms = now_ms;
	return found;
}

int64_t
late_next(const struct late *l)
{
	int64_t ms;

	if (l->waiting == 0)
		return -1;
	for (ms = l->done_ms + 1; ms < l->done_ms + SLOTS; ms++)
		if (l->slot[ms % SLOTS].first != NULL)
			break;
	return ms;
}
