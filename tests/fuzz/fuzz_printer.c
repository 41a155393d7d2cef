/*
 * What a printer sends, or a file says that it sent: responses as they come
 * from the network, or an snmprec text, down to the report.
 *
 * The first octet chooses: 'r' for text, anything else for responses, asked
 * (octet modulo 25) + 1 at a time, with GETBULK above 127.  A response has its
 * length in front, two octets, the higher first.
 */
#include <stdio.h>

#include "tests/fuzz/visit.h"

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

struct wire {
	const uint8_t	*at, *end;
};

static const uint8_t *
next_answer(void *arg, const struct talk_question *q, size_t *len)
{
	struct wire	*w = arg;
	const uint8_t	*bytes;

	(void)q;
	if (w->end - w->at < 2)
		return NULL;
	*len = (size_t)w->at[0] << 8 | w->at[1];
	bytes = w->at + 2;
	if (*len > (size_t)(w->end - bytes))
		*len = (size_t)(w->end - bytes);
	w->at = bytes + *len;
	return bytes;
}

static struct bag *
read_text(const uint8_t *data, size_t size)
{
	struct bag	*bag = bag_new();
	char		 why[200];
	FILE		*fp;

	if (size == 0)
		return bag;
	if ((fp = fmemopen((void *)(uintptr_t)data, size, "r")) != NULL) {
		(void)bag_read_snmprec(bag, fp, why, sizeof(why));
		fclose(fp);
	}
	return bag;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire	 w = { data + 1, data + size };
	struct bag	*bag;

	if (size == 0)
		return 0;
	bag = data[0] == 'r' ? read_text(data + 1, size - 1) :
	    visit(data[0] % 25 + 1, data[0] > 127, next_answer, &w);
	visit_decode(bag);
	bag_free(bag);
	return 0;
}
