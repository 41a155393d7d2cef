#include "base/bucket.h"

void
bucket_init(struct bucket *b, int64_t rate, int64_t burst, int64_t now_ms)
{
	b->rate = rate;
	b->burst = burst < 1 ? 1 : burst;
	b->milli = 1000;
	b->at_ms = now_ms;
}

int64_t
bucket_look(struct bucket *b, int64_t now_ms)
{
	int64_t most = b->burst * 1000, ms = now_ms - b->at_ms;

	/* A second a step, so that no product is too large: what is more
	 * fills the bucket anyway, or pays a debt like any other second. */
	while (ms > 0 && b->milli < most) {
		b->milli += b->rate * (ms < 1000 ? ms : 1000);
		ms -= 1000;
	}
	if (b->milli > most)
		b->milli = most;
	b->at_ms = now_ms;
	return b->milli > 0 ? b->milli / 1000 : 0;
}

void
bucket_take(struct bucket *b, int64_t n)
{
	b->milli -= n * 1000;
}

int64_t
bucket_wait_ms(const struct bucket *b, int64_t n)
{
	int64_t want = (n < b->burst ? n : b->burst) * 1000 - b->milli;

	return want <= 0 ? 0 : (want + b->rate - 1) / b->rate;
}
