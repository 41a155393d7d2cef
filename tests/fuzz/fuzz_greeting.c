/*
 * What the handshake carries: with an even first octet an agent's <hello/> as
 * the centre reads it, else the centre's <welcome/> as the agent does.
 */
#include "central/handshake.c"

#include "agent/greeting.h"
#include "tests/fuzz/must.h"

static void
try_hello(const struct buf *payload)
{
	struct hello	 hello, again;
	struct buf	 copy = { 0 };
	int		 i;

	if (read_hello(payload, &hello) != 0) {
		clear_hello(&hello);
		return;
	}
	must(uuid_valid(hello.epoch));
	for (i = 0; i < LANES; i++)
		must(hello.acked[i] >= 0 && hello.first[i] >= 1);
	/* It is read up to a number that is written with one digit more. */
	for (i = 0; i < LANES; i++)
		if (hello.acked[i] >= INT64_C(999999999999999999))
			hello.acked[i] = 0;
	greeting_hello(&copy, hello.epoch, hello.acked,
	    hello.token == NULL ? "" : hello.token);
	must(read_hello(&copy, &again) == 0);
	must(strcmp(hello.epoch, again.epoch) == 0);
	for (i = 0; i < LANES; i++)
		must(hello.acked[i] == again.acked[i] &&
		    again.first[i] == hello.acked[i] + 1);
	must(hello.token == NULL || hello.token[0] == '\0' ?
	    again.token == NULL : strcmp(hello.token, again.token) == 0);
	clear_hello(&hello);
	clear_hello(&again);
	buf_free(&copy);
}

static void
must_be_in_order(const struct greeting_lane *lane)
{
	size_t	 i;

	must(lane->seq >= 0 && lane->seq <= lane->committed);
	must(lane->refused_len <= GREETING_REFUSED_MOST);
	for (i = 0; i < lane->refused_len; i++)
		must(lane->refused[i].seq > (i == 0 ? 0 :
		    lane->refused[i - 1].seq) &&
		    lane->refused[i].seq <= lane->seq);
}

static void
try_welcome(const struct buf *payload)
{
	struct greeting	 welcome;

	if (greeting_welcome(payload, &welcome) != 0)
		return;
	must_be_in_order(&welcome.lane[LANE_BULK]);
	must_be_in_order(&welcome.lane[LANE_URGENT]);
	greeting_clear(&welcome);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf	 payload = { 0 };

	if (size == 0)
		return 0;
	log_hook(must_be_quiet, NULL);
	if (size > 1)
		buf_put(&payload, data + 1, size - 1);
	if ((data[0] & 1) == 0)
		try_hello(&payload);
	else
		try_welcome(&payload);
	buf_free(&payload);
	return 0;
}
