/*
 * How much may be under way, so that what is urgent never waits long behind
 * what is not and a slow line or a server that lets through so many octets a
 * second has no more before it than it passes on in time.  A window of octets
 * that grows while answers come soon, and shrinks when they are late; what the
 * way alone takes (the quickest answer so far) does not count.  Pure: times
 * come in.
 */
#ifndef AGENT_PACE_H
#define AGENT_PACE_H

#include <stddef.h>
#include <stdint.h>

struct pace {
	size_t	 window;	/* octets */
	size_t	 least, most;
	int64_t	 soon_ms;	/* a delay up to this lets it grow */
	int64_t	 late_ms;	/* and from here on it shrinks */
	int64_t	 way_ms;	/* the quickest answer, -1: none yet */
	int64_t	 shrunk_ms;	/* mono: then; 0 never */
};

/* A new line, of which nothing is known: window octets to start with. */
void	 pace_start(struct pace *, size_t least, size_t window, size_t most,
	    int64_t soon_ms, int64_t late_ms);
/* A message of so many octets was sent at sent_ms (mono) and is answered now;
 * under_way is what was on the way then, with it. */
void	 pace_answer(struct pace *, size_t octets, size_t under_way,
	    int64_t sent_ms, int64_t now_ms);
/* The octets that the next message may have while under_way are on the way; 0:
 * it has to wait.  Not more than half of the window at a time, so that there is
 * always one more behind the one that is answered. */
size_t	 pace_room(const struct pace *, size_t under_way);

#endif
