/*
 * Makes a seed for fuzz_printer out of a walk: the responses that a printer
 * with these values gives to a reading, in order.
 *
 *	seed_printer OCTET FILE.snmprec >tests/fuzz/seeds/printer/NAME
 *
 * OCTET (decimal) is the seed's first, see fuzz_printer.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "snmp/ber.h"
#include "tests/fuzz/visit.h"

#define MESSAGE_MAX	8192

struct agent {
	struct bag	*bag;
	struct buf	 seed;
	uint8_t		 message[MESSAGE_MAX];
	struct ber_out	 out;
};

static void
put_varbind(struct ber_out *out, const struct objid *id,
    const struct bag_value *value, uint8_t missing)
{
	size_t	 mark = ber_out_len(out);

	if (value == NULL)
		ber_put_octets(out, missing, NULL, 0);
	else if (value->type == BAG_OBJID)
		ber_put_objid(out, value->objid.sub, value->objid.len);
	else if (value->type == BAG_OCTETS || value->type == BAG_IPADDRESS)
		ber_put_octets(out, (uint8_t)value->type, value->octets,
		    value->octets_len);
	else
		ber_put_int(out, (uint8_t)value->type, value->number);
	ber_put_objid(out, id->sub, id->len);
	ber_wrap(out, BER_SEQUENCE, mark);
}

/* The first value behind id. */
static bool
value_behind(const struct bag *bag, const struct objid *id,
    struct objid *next, struct bag_value *value)
{
	static const struct objid	 all;
	size_t				 cursor = 0;

	while (bag_next(bag, &all, &cursor, next, value))
		if (objid_cmp(next, id) > 0)
			return true;
	return false;
}

/* Varbinds are put from the last to the first: so these are collected. */
struct reply {
	struct objid		 id[TALK_ANSWER_MAX];
	struct bag_value	 value[TALK_ANSWER_MAX];
	bool			 there[TALK_ANSWER_MAX];
	size_t			 n;
};

static void
reply_add(struct reply *r, const struct agent *a, const struct objid *id,
    bool next)
{
	if (r->n == TALK_ANSWER_MAX)
		return;
	r->there[r->n] = next ? value_behind(a->bag, id, &r->id[r->n],
	    &r->value[r->n]) : bag_get(a->bag, id, &r->value[r->n]);
	if (!next || !r->there[r->n])
		r->id[r->n] = *id;
	r->n++;
}

static void
reply_fill(struct reply *r, const struct agent *a,
    const struct talk_question *q)
{
	size_t		 i, k, step = q->n - q->non_repeaters;

	r->n = 0;
	for (i = 0; i < q->n; i++)
		reply_add(r, a, &q->ids[i], q->op != TALK_GET);
	if (q->op != TALK_GETBULK)
		return;
	for (k = 1; k < q->repetitions && r->n + step < TALK_ANSWER_MAX; k++)
		for (i = 0; i < step; i++)
			reply_add(r, a, &r->id[r->n - step], true);
}

static const uint8_t *
answer(void *arg, const struct talk_question *q, size_t *len)
{
	static struct reply	 r;
	struct agent		*a = arg;
	struct ber_out		*out = &a->out;
	size_t			 i;
	uint8_t			 prefix[2];

	reply_fill(&r, a, q);
	ber_out_init(out, a->message, sizeof(a->message));
	for (i = r.n; i-- > 0; )
		put_varbind(out, &r.id[i], r.there[i] ? &r.value[i] : NULL,
		    q->op == TALK_GET ? BER_NO_SUCH_INSTANCE :
		    BER_END_OF_MIB_VIEW);
	ber_wrap(out, BER_SEQUENCE, 0);
	ber_put_int(out, BAG_INTEGER, 0);
	ber_put_int(out, BAG_INTEGER, 0);
	ber_put_int(out, BAG_INTEGER, 1);
	ber_wrap(out, BER_RESPONSE, 0);
	ber_put_message(out, 2, "public");
	if (out->full) {
		fprintf(stderr, "an answer is longer than %d octets\n",
		    MESSAGE_MAX);
		exit(1);
	}
	*len = ber_out_len(out);
	prefix[0] = (uint8_t)(*len >> 8);
	prefix[1] = (uint8_t)*len;
	buf_put(&a->seed, prefix, 2);
	buf_put(&a->seed, out->at, *len);
	return out->at;
}

int
main(int argc, char *argv[])
{
	struct agent	 a = { .bag = bag_new() };
	struct bag	*fresh;
	char		 why[200];
	FILE		*fp;
	int		 first;

	if (argc != 3 || (fp = fopen(argv[2], "r")) == NULL) {
		fprintf(stderr, "usage: seed_printer OCTET FILE\n");
		return 1;
	}
	bag_read_snmprec(a.bag, fp, why, sizeof(why));
	fclose(fp);
	first = atoi(argv[1]) & 0xff;
	fresh = visit((size_t)first % 25 + 1, first > 127, answer, &a);
	visit_decode(fresh);
	putchar(first);
	fwrite(a.seed.data, 1, a.seed.len, stdout);
	bag_free(fresh);
	bag_free(a.bag);
	buf_free(&a.seed);
	return 0;
}
