/*
 * Answers that wait for their time: a wheel of milliseconds, so that ten
 * thousand of them at once cost no more than one each.
 */
#ifndef SIM_LATE_H
#define SIM_LATE_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

struct late;			/* the wheel */

struct late_answer {
	struct late_answer	*next;
	int64_t			 due_ms;	/* monotonic */
	struct sockaddr_in	 to;
	uint32_t		 from;
	size_t			 len;
	uint8_t			 bytes[];
};

struct late	*late_new(int64_t now_ms);
void		 late_free(struct late *);
/* Copies the bytes.  What is too much is lost, as in a real network. */
void		 late_put(struct late *, int64_t due_ms, const void *bytes,
		    size_t len, uint32_t from, const struct sockaddr_in *to);
/* What is due, in order, as a chain that the caller frees one by one. */
struct late_answer *late_take(struct late *, int64_t now_ms);
/* When late_take() is worth a call again: at or before the first one's time;
 * -1: nothing waits. */
int64_t		 late_next(const struct late *);

#endif
