#include "agent/pace.h"

void
pace_start(struct pace *p, size_t least, size_t window, size_t most,
    int64_t soon_ms, int64_t late_ms)
{
	p->window = window;
	p->least = least;
	p->most = most;
	p->soon_ms = soon_ms;
	p->late_ms = late_ms;
	p->way_ms = -1;
	p->shrunk_ms = 0;
}

void
pace_answer(struct pace *p, size_t octets, size_t under_way, int64_t sent_ms,
    int64_t now_ms)
{
	int64_t took = now_ms - sent_ms, delay;

	if (took < 0)
		return;
	if (p->way_ms == -1 || took < p->way_ms)
		p->way_ms = took;
	delay = took - p->way_ms;
	if (delay > p->late_ms) {
		/* Once for all that had been sent before it was known. */
		if (sent_ms < p->shrunk_ms)
			return;
		p->window = p->window / 2 < p->least ? p->least :
		    p->window / 2;
		p->shrunk_ms = now_ms;
	} else if (delay <= p->soon_ms && under_way >= p->window / 2) {
		/* By what got through: that doubles it with each round, as
		 * long as there is enough to send. */
		p->window += octets;
		if (p->window > p->most)
			p->window = p->most;
	}
}

size_t
pace_room(const struct pace *p, size_t under_way)
{
	size_t room, half = p->window / 2;

	if (under_way >= p->window)
		return 0;
	room = p->window - under_way;
	/* Crumbs make many messages. */
	if (under_way > 0 && room < p->window / 4)
		return 0;
	if (under_way == 0 && half < p->least)
		return room < p->least ? room : p->least;
	return room < half ? room : half;
}
