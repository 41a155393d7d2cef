/*
 * A token bucket: so many a second, smoothly, and a few at once after a
 * pause.  Time is an argument.  Counts in thousandths, so that no rate loses
 * anything to rounding.
 */
#ifndef BASE_BUCKET_H
#define BASE_BUCKET_H

#include <stdint.h>

struct bucket {
	int64_t	 rate;			/* tokens a second */
	int64_t	 burst;			/* most that it holds */
	int64_t	 milli;			/* thousandths in it; may be a debt */
	int64_t	 at_ms;			/* until when that was reckoned */
};

/* Starts with one token. */
void	 bucket_init(struct bucket *, int64_t rate, int64_t burst,
	    int64_t now_ms);
/* How many whole tokens there are now; 0 with a debt. */
int64_t	 bucket_look(struct bucket *, int64_t now_ms);
/* Takes n, even when there are fewer: the rest is a debt. */
void	 bucket_take(struct bucket *, int64_t n);
/* The time from the last look until there are n, at most burst. */
int64_t	 bucket_wait_ms(const struct bucket *, int64_t n);

#endif
