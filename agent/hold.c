#include "agent/hold.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"

void
hold_add(struct hold *h, const char *asset, struct change *change)
{
	struct held *held;

	if (!change_any(change)) {
		change_clear(change);
		return;
	}
	held = xcalloc(1, sizeof(*held));
	snprintf(held->asset, sizeof(held->asset), "%s", asset);
	held->change = *change;
	change_init(change);
	if (h->first == NULL)
		h->last = &h->first;
	*h->last = held;
	h->last = &held->next;
	h->len++;
	h->fresh++;
}

void
hold_drop(struct hold *h, struct held **at)
{
	struct held *held = *at;

	*at = held->next;
	if (h->last == &held->next)
		h->last = at;
	h->len--;
	change_clear(&held->change);
	free(held);
}

void
hold_clear(struct hold *h)
{
	while (h->first != NULL)
		hold_drop(h, &h->first);
	h->fresh = 0;
	h->full = false;
}

/* The newest go when there are too many: what is written must have an order,
 * and what a printer still says is told later anyhow. */
void
hold_keep(struct hold *h)
{
	struct held **at = &h->first;
	size_t i;

	h->fresh = 0;
	if (h->len <= HOLD_MAX)
		return;
	for (i = 0; i < HOLD_MAX; i++)
		at = &(*at)->next;
	while (*at != NULL)
		hold_drop(h, at);
	if (!h->full)
		log_warnx("teller", "%d changes wait for the store's disk: "
		    "what comes and goes from now on is not told", HOLD_MAX);
	h->full = true;
}
