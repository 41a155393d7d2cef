#include "agent/delivery.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/collector.h"
#include "agent/keeper.h"
#include "base/clock.h"
#include "base/log.h"
#include "crypto/key.h"

#define STORE_NEWS_MS	20000		/* the collector says it again sooner */
#define LOSS_MS		(INT64_C(24) * 3600 * 1000)	/* told for so long */

void
bulletin_write(struct courier *c)
{
	c->seen.unwritten = true;
	if (store_begin(c->store) == -1)
		return;
	if (store_set_note(c->store, "uplink_state", c->seen.state) == -1 ||
	    store_set_note(c->store, "uplink_why", c->seen.why) == -1 ||
	    store_set_note_int(c->store, "uplink_since",
	    c->seen.since_ms) == -1)
		store_rollback(c->store);
	else if (store_commit(c->store) == 0)
		c->seen.unwritten = false;
}

/* A disk that takes it not is asked again, by on_poll(). */
void
bulletin_state(struct courier *c, const char *state, const char *why)
{
	if (why == NULL)
		why = "";
	if (strcmp(c->seen.state, state) == 0 &&
	    strncmp(c->seen.why, why, sizeof(c->seen.why) - 1) == 0)
		return;
	snprintf(c->seen.state, sizeof(c->seen.state), "%s", state);
	snprintf(c->seen.why, sizeof(c->seen.why), "%s", why);
	c->seen.since_ms = clock_wall_ms();
	bulletin_write(c);
}

static void
note_catchup(struct courier *c)
{
	char text[CATCHUP_TEXT_MAX];

	/* Only for the eye: it is no matter if it is not stored. */
	(void)store_set_note(c->store, "catchup", c->catchup.since_ms == 0 ?
	    NULL : catchup_format(&c->catchup, text));
}

void
bulletin_catchup(struct courier *c, const struct outbox_lane *lane)
{
	bool before = c->catchup.since_ms != 0;
	char *note;

	catchup_begin(&c->catchup, lane, clock_wall_ms());
	note = store_note(c->store, "catchup");
	if (c->catchup.since_ms != 0) {
		c->draining = true;
		log_info("courier", "catching up: %lld urgent reports wait, "
		    "%lld of the bulk",
		    (long long)(c->catchup.to[LANE_URGENT] -
		    c->catchup.from[LANE_URGENT]),
		    (long long)(c->catchup.to[LANE_BULK] -
		    c->catchup.from[LANE_BULK]));
	}
	if (c->catchup.since_ms != 0 || before || *note != '\0')
		note_catchup(c);
	free(note);
}

void
bulletin_caught_up(struct courier *c)
{
	const int64_t acked[LANES] = {
		[LANE_BULK] = c->way[LANE_BULK].acked,
		[LANE_URGENT] = c->way[LANE_URGENT].acked };
	int64_t done, total;

	if (c->catchup.since_ms == 0)
		return;
	catchup_progress(&c->catchup, acked, &done, &total);
	if (done < total)
		return;
	log_info("courier", "caught up: the centre has all %lld reports that "
	    "had waited, in %lld messages", (long long)total,
	    (long long)c->posted);
	c->catchup.since_ms = 0;
	note_catchup(c);
}

/* What is to be told of it: the worse of both. */
static enum store_state
worst_store(const struct courier *c)
{
	enum store_state there = c->store_there;

	if (clock_mono_ms() - c->there_ms > STORE_NEWS_MS)
		there = STORE_FINE;
	return there > c->store_here ? there : c->store_here;
}

/* In our presence: what is wrong now, else for a day that a store was lost. */
void
bulletin_store(struct courier *c)
{
	enum store_state state = worst_store(c);
	struct keeper_loss loss;
	char text[UPLINK_STATUS_MAX], when[CLOCK_TEXT_MAX];

	if (state == STORE_DAMAGED)
		return;
	text[0] = '\0';
	if (state != STORE_FINE)
		snprintf(text, sizeof(text), "%s", store_state_text(state));
	else if (c->lost_ms != 0 && clock_wall_ms() - c->lost_ms < LOSS_MS) {
		keeper_loss(c->store, &loss);
		snprintf(text, sizeof(text), "the store was damaged and began "
		    "anew at %s, %lld reports saved",
		    clock_format(loss.at_ms, when), (long long)loss.saved);
		keeper_loss_clear(&loss);
	}
	if (strcmp(text, c->shown) == 0)
		return;
	memcpy(c->shown, text, sizeof(text));
	uplink_status(c->uplink, text[0] == '\0' ? NULL : text);
}

static void
on_news(void *arg)
{
	bulletin_store(arg);
}

void
bulletin_on_store(void *arg, enum store_state state, const char *why)
{
	struct courier *c = arg;

	c->store_here = state;
	if (state == STORE_DAMAGED)
		loop_stop(c->loop);
	else	/* the store is not to be asked here */
		timer_after(c->loop, &c->news, 0, on_news, c);
}

/* Single bytes; see collector.h. */
void
bulletin_store_news(struct courier *c, const char *bytes, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (bytes[i] >= WAKE_STORE &&
		    bytes[i] < WAKE_STORE + (int)STORE_DAMAGED) {
			c->store_there = (enum store_state)(bytes[i] -
			    WAKE_STORE);
			c->there_ms = clock_mono_ms();
		}
	bulletin_store(c);
}

/* The keys, for `platen status` and `platen rekey`. */
void
bulletin_keys(struct courier *c)
{
	char print[48], *old = store_note(c->store, "key");

	key_fingerprint(c->keys.own.public, print);
	if (strcmp(old, print) != 0)
		(void)store_set_note(c->store, "key", print);
	free(old);
}
