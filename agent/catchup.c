#include "agent/catchup.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void
catchup_begin(struct catchup *c, const struct outbox_lane *lane,
    int64_t wall_ms)
{
	int64_t waiting = 0;
	int i;

	memset(c, 0, sizeof(*c));
	for (i = 0; i < LANES; i++) {
		c->from[i] = lane[i].acked_seq;
		c->to[i] = lane[i].next_seq - 1;
		waiting += c->to[i] - c->from[i];
	}
	if (waiting >= CATCHUP_FROM)
		c->since_ms = wall_ms;
}

void
catchup_progress(const struct catchup *c, const int64_t acked[LANES],
    int64_t *done, int64_t *total)
{
	int64_t at;
	int i;

	*done = *total = 0;
	for (i = 0; i < LANES; i++) {
		at = acked[i] > c->to[i] ? c->to[i] : acked[i];
		*total += c->to[i] - c->from[i];
		*done += at > c->from[i] ? at - c->from[i] : 0;
	}
}

int64_t
catchup_left_ms(const struct catchup *c, int64_t done, int64_t total,
    int64_t wall_ms)
{
	int64_t spent = wall_ms - c->since_ms;

	/* A clock that was set tells nothing. */
	if (done <= 0 || spent < 0)
		return -1;
	return (int64_t)((double)spent * (double)(total - done) /
	    (double)done);
}

char *
catchup_format(const struct catchup *c, char out[CATCHUP_TEXT_MAX])
{
	snprintf(out, CATCHUP_TEXT_MAX, "%" PRId64 " %" PRId64 " %" PRId64
	    " %" PRId64 " %" PRId64, c->since_ms, c->from[LANE_URGENT],
	    c->to[LANE_URGENT], c->from[LANE_BULK], c->to[LANE_BULK]);
	return out;
}

bool
catchup_parse(const char *text, struct catchup *c)
{
	int end = -1, i;

	memset(c, 0, sizeof(*c));
	if (strlen(text) < CATCHUP_TEXT_MAX && sscanf(text, "%" SCNd64
	    " %" SCNd64 " %" SCNd64 " %" SCNd64 " %" SCNd64 "%n",
	    &c->since_ms, &c->from[LANE_URGENT], &c->to[LANE_URGENT],
	    &c->from[LANE_BULK], &c->to[LANE_BULK], &end) == 5 &&
	    text[end] == '\0' && c->since_ms > 0) {
		for (i = 0; i < LANES; i++)
			if (c->from[i] < 0 || c->to[i] < c->from[i])
				break;
		if (i == LANES)
			return true;
	}
	memset(c, 0, sizeof(*c));
	return false;
}
