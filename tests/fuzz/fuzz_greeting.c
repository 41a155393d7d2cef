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

	if (read_hello(payload, &hello) != 0) {
		clear_hello(&hello);
		return;
	}
	must(uuid_valid(hello.epoch));
	must(hello.acked >= 0 && hello.first >= 1);
	greeting_hello(&copy, hello.epoch, hello.acked, hello.first,
	    hello.token == NULL ? "" : hello.token);
	must(read_hello(&copy, &again) == 0);
	must(strcmp(hello.epoch, again.epoch) == 0 &&
	    hello.acked == again.acked && hello.first == again.first);
	must(hello.token == NULL || hello.token[0] == '\0' ?
	    again.token == NULL : strcmp(hello.token, again.token) == 0);
	clear_hello(&hello);
	clear_hello(&again);
	buf_free(&copy);
}

static void
try_welcome(const struct buf *payload)
{
	struct greeting	 welcome;
	size_t		 i;

	if (greeting_welcome(payload, &welcome) != 0)
		return;
	must(welcome.seq >= 0);
	must(welcome.refused_len <= GREETING_REFUSED_MOST);
	for (i = 0; i < welcome.refused_len; i++)
		must(welcome.refused[i].seq > (i == 0 ? 0 :
		    welcome.refused[i - 1].seq) &&
		    welcome.refused[i].seq <= welcome.seq);
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
