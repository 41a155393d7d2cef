#include "tests/sim/pdu.h"

#include <string.h>

#include "tests/sim/panel.h"

#define NAMES_MAX	1024
#define SUBS_MAX	16384
/* PDU and list heads, three integers. */
#define HEADS_MAX	(4 + 3 * 6 + 4)
#define NOWHERE		SIZE_MAX

enum {
	TOO_BIG = 1, NO_SUCH_NAME = 2, GEN_ERR = 5, AUTHORIZATION = 16,
	NOT_WRITABLE = 17
};

struct name {
	const uint32_t	*sub;
	size_t		 len;
	const uint8_t	*tlv;		/* with tag and length; NULL: it has
					 * to be encoded */
	size_t		 tlv_len;
	size_t		 at;		/* in the view's walk, or NOWHERE */
};

/* Where a GETNEXT or a column of a GETBULK has got to. */
struct place {
	struct name	 name;
	struct cursor	 cursor;
	struct oid	 made;		/* the name, if no value has it */
	bool		 ended;
};

/* One at a time: there is one thread. */
static struct name	 names[NAMES_MAX];
static uint32_t		 subs[SUBS_MAX];
static struct place	 places[NAMES_MAX];
static uint8_t		 room[ANSWER_ROOM];

struct answer {
	const struct question	*q;
	const struct fault	*fault;
	struct ber_out		 list;
	size_t			 count;		/* variables in list */
	int32_t			 error, index;
};

/* A name as it came, found in the walk or decoded; how many of subs it took,
 * or -1. */
static int
take_name(const struct walk *walk, struct ber body, const uint8_t *tlv,
    struct name *n, uint32_t *sub, struct asked *asked)
{
	uint32_t *number;
	int len;

	n->tlv = tlv;
	n->tlv_len = (size_t)(body.at - tlv) + body.left;
	n->at = walk_locate(walk, body.at, body.left);
	if (n->at < walk->len) {
		n->sub = walk->values[n->at].sub;
		n->len = walk->values[n->at].sub_len;
		number = &walk->numbers[n->at];
		if (*number == 0)
			*number = (uint32_t)asked_number(n->sub, n->len) + 1;
		asked_note(asked, *number - 1);
		return 0;
	}
	n->at = NOWHERE;
	len = ber_oid(body, sub, OID_MAX);
	n->sub = sub;
	n->len = len < 0 ? 0 : (size_t)len;
	if (len >= 0)
		asked_note(asked, asked_number(sub, n->len));
	return len;
}

static int
take_names(struct question *q)
{
	const struct walk *walk = q->view != NULL ? q->view->walk :
	    q->device->view.walk;
	struct ber list = q->list, pair, name, value;
	const uint8_t *tlv;
	size_t used = 0;
	uint8_t tag;
	int len;

	for (q->count = 0; list.left > 0; q->count++) {
		if (q->count == NAMES_MAX || SUBS_MAX - used < OID_MAX ||
		    ber_take_tag(&list, BER_SEQUENCE, &pair) < 0)
			return -1;
		tlv = pair.at;
		if (ber_take_tag(&pair, BER_OID, &name) < 0 ||
		    ber_take(&pair, &tag, &value) < 0 || pair.left != 0)
			return -1;
		len = take_name(walk, name, tlv, &names[q->count],
		    subs + used, &q->device->asked);
		if (len < 0)
			return -1;
		used += (size_t)len;
	}
	return 0;
}

int
pdu_take(struct question *q, struct ber *message)
{
	struct traffic *t = &q->device->traffic;
	struct ber pdu;

	if (ber_take(message, &q->type, &pdu) < 0)
		return -1;
	if (q->type == PDU_RESPONSE) {
		t->acknowledged++;
		return 1;
	}
	if (q->type != PDU_GET && q->type != PDU_NEXT && q->type != PDU_SET &&
	    (q->type != PDU_BULK || q->version == VERSION_1))
		return -1;
	if (ber_take_int(&pdu, &q->id) < 0 ||
	    ber_take_int(&pdu, &q->first) < 0 ||
	    ber_take_int(&pdu, &q->second) < 0 ||
	    ber_take_tag(&pdu, BER_SEQUENCE, &q->list) < 0 ||
	    take_names(q) < 0)
		return -1;
	t->requests++;
	t->v1 += q->version == VERSION_1;
	t->v2c += q->version == VERSION_2C;
	t->v3 += q->version == VERSION_3;
	t->gets += q->type == PDU_GET;
	t->nexts += q->type == PDU_NEXT;
	t->bulks += q->type == PDU_BULK;
	t->sets += q->type == PDU_SET;
	t->varbinds += q->count;
	return 0;
}

static bool
is_fault_at(const struct oid *place, const struct name *n)
{
	return place->len > 0 &&
	    oid_within(n->sub, n->len, place->sub, place->len);
}

static void
put_variable(struct answer *a, const struct name *n, uint8_t tag,
    const uint8_t *body, size_t body_len)
{
	struct ber_out *out = &a->list;
	uint8_t name[BER_OID_MAX];
	size_t name_len = n->tlv_len, inner;

	if (n->tlv == NULL) {
		name_len = ber_make_oid(n->sub, n->len, name);
		inner = ber_size(name_len) + ber_size(body_len);
	} else
		inner = name_len + ber_size(body_len);
	if (out->full || out->room - out->len < ber_size(inner)) {
		out->full = true;
		return;
	}
	ber_put_head(out, BER_SEQUENCE, inner);
	if (n->tlv == NULL)
		ber_put(out, BER_OID, name, name_len);
	else {
		memcpy(out->at + out->len, n->tlv, name_len);
		out->len += name_len;
	}
	ber_put(out, tag, body, body_len);
	a->count++;
}

static struct name
name_of(const struct value *v)
{
	return (struct name){ v->sub, v->sub_len, v->name, v->name_len,
	    v->owns_name ? NOWHERE : v->at };
}

static void
put_value(struct answer *a, const struct value *v)
{
	struct name n = name_of(v);
	uint8_t body[9];
	uint32_t ticks;

	if (v->tag == BER_TIMETICKS && device_clock(a->q->device, v->sub,
	    v->sub_len, a->q->now_ms, &ticks))
		put_variable(a, &n, v->tag, body,
		    value_make(v->tag, ticks, body));
	else
		put_variable(a, &n, v->tag, v->body, v->body_len);
}

/* RFC 3416 section 4.2.1: is the object unknown, or only this instance?
 * A neighbour under the same parent tells. */
static uint8_t
why_missing(const struct view *view, const struct name *n)
{
	const struct value *v;

	if (n->len < 9)		/* sysDescr.0 is as short as they get */
		return BER_NO_OBJECT;
	v = view_next(view, n->sub, n->len - 1);
	return v != NULL && oid_within(v->sub, v->sub_len, n->sub,
	    n->len - 1) ? BER_NO_INSTANCE : BER_NO_OBJECT;
}

static void
answer_get(struct answer *a, const struct name *n, int32_t index)
{
	const struct view *view = a->q->view;
	const struct value *v;

	v = n->at != NOWHERE ? view_at(view, n->at) :
	    view_get(view, n->sub, n->len);
	/* RFC 2576 section 4.2.2.1: v1 has no Counter64 */
	if (v != NULL && a->q->version == VERSION_1 &&
	    v->tag == BER_COUNTER64)
		v = NULL;
	if (v != NULL)
		put_value(a, v);
	else if (a->q->version == VERSION_1) {
		a->error = NO_SUCH_NAME;
		a->index = index;
	} else
		put_variable(a, n, why_missing(view, n), NULL, 0);
}

static void
start_place(const struct answer *a, const struct name *n, struct place *p)
{
	p->name = *n;
	p->ended = false;
	p->cursor = n->at != NOWHERE ? view_seek_at(a->q->view, n->at) :
	    view_seek(a->q->view, n->sub, n->len);
}

/* A subtree without end: 1, 2, 3 ... below it, each the number itself. */
static void
put_endless(struct answer *a, struct place *p, const struct oid *top)
{
	const struct name *n = &p->name;
	uint8_t body[9];

	memmove(p->made.sub, n->sub, n->len * sizeof(*n->sub));
	p->made.len = n->len;
	if (n->len == top->len)
		p->made.sub[p->made.len++] = 1;
	else
		p->made.sub[p->made.len - 1]++;
	p->name = (struct name){ p->made.sub, p->made.len, NULL, 0, NOWHERE };
	p->cursor = view_seek(a->q->view, p->name.sub, p->name.len);
	put_variable(a, &p->name, BER_INTEGER, body, value_make(BER_INTEGER,
	    p->made.sub[p->made.len - 1] & INT32_MAX, body));
}

/* Puts what comes after the place and moves there; false at the end. */
static bool
answer_next(struct answer *a, struct place *p)
{
	const struct fault *f = a->fault;
	const struct name *n = &p->name;
	const struct view *view = a->q->view;
	const struct value *v;

	if (f != NULL && is_fault_at(&f->endless, n) && n->len < OID_MAX &&
	    n->sub[n->len - 1] < UINT32_MAX) {
		put_endless(a, p, &f->endless);
		return true;
	}
	/* the loop is the subtree that the given name is in */
	if (f != NULL && f->loop.len > 0 && oid_within(n->sub, n->len,
	    f->loop.sub, f->loop.len - 1) && oid_cmp(n->sub, n->len,
	    f->loop.sub, f->loop.len) >= 0)
		p->cursor = view_seek(view, n->sub, f->loop.len - 1);
	do
		v = view_step(view, &p->cursor);
	while (v != NULL && a->q->version == VERSION_1 &&
	    v->tag == BER_COUNTER64);
	if (v == NULL && f != NULL && f->no_end) {
		p->cursor = (struct cursor){ 0, 0 };
		v = view_step(view, &p->cursor);
	}
	if (v == NULL) {
		if (a->q->version != VERSION_1)
			put_variable(a, n, BER_END_OF_MIB, NULL, 0);
		return false;
	}
	put_value(a, v);
	p->name = name_of(v);
	return true;
}

static void
answer_each(struct answer *a)
{
	const struct question *q = a->q;
	size_t i;

	for (i = 0; i < q->count && a->error == 0; i++) {
		if (q->type == PDU_GET) {
			answer_get(a, &names[i], (int32_t)i + 1);
			continue;
		}
		start_place(a, &names[i], &places[i]);
		if (!answer_next(a, &places[i]) &&
		    q->version == VERSION_1) {
			a->error = NO_SUCH_NAME;
			a->index = (int32_t)i + 1;
		}
	}
	if (a->list.full && a->error == 0)
		a->error = TOO_BIG;
}

/* One step of a column in a GETBULK; false when there is no more room. */
static bool
answer_repeater(struct answer *a, struct place *p, size_t max)
{
	size_t keep = a->list.len;
	struct cursor was = p->cursor;

	if (a->list.full || a->count >= max)
		return false;
	p->ended = !answer_next(a, p);
	if (a->list.full) {
		a->list.len = keep;
		return false;
	}
	if (a->fault != NULL && a->fault->bulk_lie == LIE_SKIP)
		view_step(a->q->view, &p->cursor);
	if (a->fault != NULL && a->fault->bulk_lie == LIE_REPEAT)
		p->cursor = was;
	return true;
}

/* RFC 3416 section 4.2.3.  What does not fit is left out. */
static void
answer_bulk(struct answer *a, size_t max)
{
	const struct question *q = a->q;
	size_t plain = q->first < 0 ? 0 : (size_t)q->first, i;
	int32_t turn;
	bool more = true;

	for (i = 0; i < q->count; i++)
		start_place(a, &names[i], &places[i]);
	if (plain > q->count)
		plain = q->count;
	for (i = 0; i < plain && !a->list.full && a->count < max; i++)
		answer_next(a, &places[i]);
	if (a->fault != NULL && a->fault->bulk_lie == LIE_ORDER) {
		/* column by column, where row by row is asked for */
		for (i = plain; i < q->count; i++)
			for (turn = 0; turn < q->second &&
			    !places[i].ended; turn++)
				if (!answer_repeater(a, &places[i], max))
					return;
		return;
	}
	for (turn = 0; turn < q->second && more; turn++) {
		more = false;
		for (i = plain; i < q->count; i++) {
			if (!answer_repeater(a, &places[i], max))
				return;
			more |= !places[i].ended;
		}
	}
}

/* Heads and list together. */
static size_t
finish(const struct answer *a, uint8_t *out)
{
	const struct question *q = a->q;
	uint8_t fixed[HEADS_MAX];
	struct ber_out p = { fixed, 0, sizeof(fixed), false };
	struct ber_out h = { out, 0, ANSWER_ROOM, false };
	const uint8_t *list = a->list.at;
	size_t list_len = a->list.len;

	if (a->error != 0) {
		/* v1 gives the request's own list back; so does v2c, except
		 * for tooBig (RFC 3416 section 4.2.1) */
		list = q->list.at;
		list_len = q->list.left;
		if (a->error == TOO_BIG && q->version != VERSION_1)
			list_len = 0;
	}
	ber_put_int(&p, BER_INTEGER, a->fault != NULL && a->fault->wrong_id ?
	    q->id ^ 0x55 : q->id);
	ber_put_int(&p, BER_INTEGER, a->error);
	ber_put_int(&p, BER_INTEGER, a->index);
	ber_put_head(&h, PDU_RESPONSE, p.len + ber_size(list_len));
	memcpy(out + h.len, fixed, p.len);
	h.len += p.len;
	ber_put(&h, BER_SEQUENCE, list, list_len);
	return h.full ? 0 : h.len;
}

/* Faults that decide before the values are looked up.  False: no answer. */
static bool
meet_faults(struct answer *a)
{
	const struct question *q = a->q;
	const struct fault *f = a->fault;
	size_t i;

	if (f == NULL)
		return true;
	if ((f->v1_only && q->version != VERSION_1) ||
	    (f->no_bulk && q->type == PDU_BULK))
		return false;
	for (i = 0; i < q->count; i++) {
		if (is_fault_at(&f->poison, &names[i])) {
			panel_restart(q->device, lan_truth(q->lan),
			    q->now_ms);
			return false;
		}
		if (a->error == 0 && is_fault_at(&f->generr, &names[i])) {
			a->error = GEN_ERR;
			a->index = (int32_t)i + 1;
		}
	}
	if (f->too_big > 0 && q->count > f->too_big) {
		a->error = TOO_BIG;
		a->index = 0;
	}
	return true;
}

size_t
pdu_size_max(const struct device *d)
{
	return d->fault != NULL && d->fault->max_size > 0 ?
	    d->fault->max_size : ANSWER_MAX;
}

size_t
pdu_answer(struct question *q, size_t max, uint8_t out[ANSWER_ROOM])
{
	const struct fault *f = q->device->fault;
	struct answer a = { .q = q, .fault = f };

	if (!meet_faults(&a))
		return 0;
	if (q->refused)
		a.error = AUTHORIZATION;
	a.list = (struct ber_out){ room, 0,
	    max > HEADS_MAX ? max - HEADS_MAX : 0, false };
	if (a.error != 0)
		return finish(&a, out);
	switch (q->type) {
	case PDU_GET:
	case PDU_NEXT:
		answer_each(&a);
		break;
	case PDU_BULK:
		answer_bulk(&a, f != NULL && f->too_big > 0 ? f->too_big :
		    SIZE_MAX);
		break;
	default:
		a.error = q->version == VERSION_1 ? NO_SUCH_NAME :
		    NOT_WRITABLE;
		a.index = 1;
	}
	return finish(&a, out);
}
