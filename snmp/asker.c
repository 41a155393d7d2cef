#include "snmp/asker.h"

#include <sys/random.h>

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"
#include "snmp/talk.h"

struct asker *
asker_new(struct loop *loop, size_t max_open)
{
	struct asker *asker;

	asker = xcalloc(1, sizeof(*asker));
	asker->loop = loop;
	asker->mux = mux_new(loop);
	asker->max_open = max_open > 0 ? max_open : 1;
	return asker;
}

void
asker_free(struct asker *asker)
{
	if (asker == NULL)
		return;
	later_clear(asker->loop, &asker->turn);
	mux_free(asker->mux);
	free(asker->watch_ids);
	if (asker->scratch != NULL)
		secret_wipe(asker->scratch, USM_MESSAGE_MAX);
	free(asker->scratch);
	secret_wipe(asker->message, sizeof(asker->message));
	free(asker);
}

struct mux *
asker_mux(struct asker *asker)
{
	return asker->mux;
}

void
asker_watch(struct asker *asker, void (*fn)(void *, const struct talk_event *),
    void *arg)
{
	asker->watch = fn;
	asker->watch_arg = arg;
	if (fn != NULL && asker->watch_ids == NULL)
		asker->watch_ids = xcalloc(TALK_VARBINDS_MAX,
		    sizeof(*asker->watch_ids));
}

uint32_t
asker_random(struct asker *asker)
{
	if (asker->random_left == 0) {
		if (getrandom(asker->random, sizeof(asker->random), 0) !=
		    (ssize_t)sizeof(asker->random))
			fatal("asker", "no random numbers");
		asker->random_left = sizeof(asker->random) /
		    sizeof(asker->random[0]);
	}
	return asker->random[--asker->random_left];
}

/* --- whose turn it is --------------------------------------------------------- */

static void
queue_put(struct talk *talk)
{
	struct asker *asker = talk->asker;

	talk->waiting = true;
	talk->next = NULL;
	talk->before = asker->last;
	if (asker->last != NULL)
		asker->last->next = talk;
	else
		asker->first = talk;
	asker->last = talk;
}

static void
queue_take(struct talk *talk)
{
	struct asker *asker = talk->asker;

	if (talk->before != NULL)
		talk->before->next = talk->next;
	else
		asker->first = talk->next;
	if (talk->next != NULL)
		talk->next->before = talk->before;
	else
		asker->last = talk->before;
	talk->waiting = false;
}

static void
on_turn(void *arg)
{
	struct asker *asker = arg;
	struct talk *talk;

	while ((talk = asker->first) != NULL &&
	    asker->under_way < asker->max_open) {
		queue_take(talk);
		talk_begin(talk);
	}
}

/* Who has not begun (and has no line) goes behind those who wait. */
void
asker_join(struct talk *talk)
{
	struct asker *asker = talk->asker;

	if (asker->under_way >= asker->max_open ||
	    (asker->first != NULL && talk->line == NULL))
		queue_put(talk);
	else
		talk_begin(talk);
}

void
asker_count(struct talk *talk)
{
	talk->under_way = true;
	talk->asker->under_way++;
}

/*
 * Others have the place after this turn of the loop: until then it is for
 * the conversation's own next question, so that visits which have begun come
 * to their end before others begin.
 */
void
asker_leave(struct talk *talk)
{
	struct asker *asker = talk->asker;

	if (talk->waiting)
		queue_take(talk);
	if (!talk->under_way)
		return;
	talk->under_way = false;
	asker->under_way--;
	if (asker->first != NULL)
		loop_later(asker->loop, &asker->turn, on_turn, asker);
}

/* --- for those who watch ------------------------------------------------------ */

void
asker_show(struct talk *talk, enum talk_status status, int error,
    const struct talk_varbind *vb, size_t vb_len)
{
	struct asker *asker = talk->asker;
	const struct question *q = &talk->question;
	struct talk_question question = { .op = q->op,
	    .ids = asker->watch_ids, .n = q->n,
	    .non_repeaters = q->non_repeaters,
	    .repetitions = q->repetitions };
	struct talk_event event = { .addr = talk->addr,
	    .version = talk->version, .context = talk->context,
	    .question = &question, .status = status, .error_status = error,
	    .vb = vb, .vb_len = vb_len, .tries = talk->tries + 1,
	    .took_ms = clock_mono_ms() - talk->asked_ms };

	question_ids(q, asker->watch_ids);
	asker->watch(asker->watch_arg, &event);
}
