/*
 * What comes back to the search for printers, from anybody: the first octet
 * is the last of the sender's address, the rest his datagram.  The key from
 * which the numbers come is zero here, so that a seed can bear the right one.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "snmp/hail.c"

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
on_answer(void *arg, const struct hail_answer *answer)
{
	size_t	*n = arg;

	if (answer->version < 1 || answer->version > 3 ||
	    answer->addr.sin_family != AF_INET)
		abort();
	++*n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct hail	 h;
	struct sockaddr_in	 from = { .sin_family = AF_INET,
	    .sin_port = htons(161) };
	uint8_t			*copy;
	size_t			 answers = 0;

	if (size == 0 || size > ANSWER_MAX)
		return 0;
	memset(&h, 0, sizeof(h));
	h.fn = on_answer;
	h.arg = &answers;
	bucket_init(&h.searches, SEARCHES_S, SEARCHES_S, clock_mono_ms());
	h.recent[0].address = htonl(0xc0000201);	/* 192.0.2.1 */
	h.recent[0].port = htons(161);
	from.sin_addr.s_addr = htonl(0xc0000200 | data[0]);
	copy = malloc(size);
	memcpy(copy, data + 1, size - 1);
	take(&h, copy, size - 1, &from);
	free(copy);
	if (h.count.answers != (int64_t)answers ||
	    h.count.answers + h.count.strays != 1)
		abort();
	return 0;
}
