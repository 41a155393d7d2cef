#include "tests/sim/answer.h"

#include <string.h>

#include "tests/sim/ber.h"
#include "tests/sim/panel.h"

#define NAMES_MAX	1024
#define SUBS_MAX	16384
/* Message and PDU heads, community included. */
#define HEADS_MAX	320
#define COMMUNITY_MAX	200

enum { VERSION_1 = 0, VERSION_2C = 1 };
enum {
	PDU_GET = 0xa0, PDU_NEXT = 0xa1, PDU_RESPONSE = 0xa2, PDU_SET = 0xa3,
	PDU_BULK = 0xa5
};
enum {
	TOO_BIG = 1, NO_SUCH_NAME = 2, GEN_ERR = 5, NOT_WRITABLE = 17
};

struct name {
	const uint32_t	*sub;
	size_t		 len;
};

struct request {
	int32_t		 version;
	struct ber	 community;
	uint8_t		 pdu;
	int32_t		 id;
	int32_t		 first, second;	/* non-repeaters, repetitions */
	struct ber	 list;		/* the variables as they came */
	size_t		 count;
	struct name	 names[NAMES_MAX];
	uint32_t	 subs[SUBS_MAX];
};

/* One at a time: there is one thread. */
static struct request	 req;
static uint8_t		 room[ANSWER_ROOM];

struct answer {
	struct lan	*lan;
	struct device	*device;
	struct view	*view;
	int64_t		 now_ms;
	struct ber_out	 list;
	size_t		 count;		/* variables in list */
	int32_t		 error, index;
};

static int
take_names(struct request *r)
{
	struct ber list = r->list, pair, name, value;
	size_t used = 0;
	uint8_t tag;
	int len;

	for (r->count = 0; list.left > 0; r->count++) {
		if (r->count == NAMES_MAX || SUBS_MAX - used < OID_MAX ||
		    ber_take_tag(&list, BER_SEQUENCE, &pair) < 0 ||
		    ber_take_tag(&pair, BER_OID, &name) < 0 ||
		    ber_take(&pair, &tag, &value) < 0 || pair.left != 0)
			return -1;
		len = ber_oid(name, r->subs + used, OID_MAX);
		if (len < 0)
			return -1;
		r->names[r->count] = (struct name){ r->subs + used,
		    (size_t)len };
		used += (size_t)len;
	}
	return 0;
}

static int
take_request(struct request *r, const uint8_t *bytes, size_t len)
{
	struct ber in = { bytes, len }, message, pdu;

	if (ber_take_tag(&in, BER_SEQUENCE, &message) < 0 ||
	    ber_take_int(&message, &r->version) < 0 ||
	    (r->version != VERSION_1 && r->version != VERSION_2C) ||
	    ber_take_tag(&message, BER_OCTETS, &r->community) < 0 ||
	    r->community.left > COMMUNITY_MAX ||
	    ber_take(&message, &r->pdu, &pdu) < 0)
		return -1;
	if (r->pdu != PDU_GET && r->pdu != PDU_NEXT && r->pdu != PDU_SET &&
	    (r->pdu != PDU_BULK || r->version == VERSION_1))
		return -1;
	if (ber_take_int(&pdu, &r->id) < 0 ||
	    ber_take_int(&pdu, &r->first) < 0 ||
	    ber_take_int(&pdu, &r->second) < 0 ||
	    ber_take_tag(&pdu, BER_SEQUENCE, &r->list) < 0)
		return -1;
	return take_names(r);
}

/* Community, or community@CONTEXT; sets the view.  0, or -1. */
static int
admit(struct answer *a, const struct request *r)
{
	const char *want = a->device->community != NULL ?
	    a->device->community : lan_community(a->lan);
	const char *got = (const char *)r->community.at;
	size_t want_len = strlen(want), got_len = r->community.left;

	if (got_len < want_len || memcmp(got, want, want_len) != 0)
		return -1;
	if (got_len == want_len)
		a->view = &a->device->view;
	else if (got[want_len] == '@')
		a->view = device_view(a->device, got + want_len + 1,
		    got_len - want_len - 1);
	return a->view == NULL ? -1 : 0;
}

static bool
is_fault_at(const struct oid *place, const struct name *n)
{
	return place->len > 0 &&
	    oid_within(n->sub, n->len, place->sub, place->len);
}

static void
put_variable(struct answer *a, const uint32_t *sub, size_t sub_len,
    uint8_t tag, const uint8_t *body, size_t body_len)
{
	uint8_t name[BER_OID_MAX];
	size_t name_len = ber_make_oid(sub, sub_len, name);

	ber_put_head(&a->list, BER_SEQUENCE,
	    ber_size(name_len) + ber_size(body_len));
	ber_put(&a->list, BER_OID, name, name_len);
	ber_put(&a->list, tag, body, body_len);
	if (!a->list.full)
		a->count++;
}

static void
put_value(struct answer *a, const struct value *v)
{
	uint8_t body[9];
	uint32_t ticks;

	if (v->tag == BER_TIMETICKS && device_clock(a->device, v->sub,
	    v->sub_len, a->now_ms, &ticks))
		put_variable(a, v->sub, v->sub_len, v->tag, body,
		    value_make(v->tag, ticks, body));
	else
		put_variable(a, v->sub, v->sub_len, v->tag, v->body,
		    v->body_len);
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
	const struct value *v = view_get(a->view, n->sub, n->len);

	/* RFC 2576 section 4.2.2.1: v1 has no Counter64 */
	if (v != NULL && req.version == VERSION_1 &&
	    v->tag == BER_COUNTER64)
		v = NULL;
	if (v != NULL)
		put_value(a, v);
	else if (req.version == VERSION_1) {
		a->error = NO_SUCH_NAME;
		a->index = index;
	} else
		put_variable(a, n->sub, n->len, why_missing(a->view, n), NULL,
		    0);
}

/* A subtree without end: 1, 2, 3 ... below it, each the number itself. */
static void
put_endless(struct answer *a, const struct name *n, const struct oid *place,
    struct oid *next)
{
	uint8_t body[9];

	next->len = n->len;
	memcpy(next->sub, n->sub, n->len * sizeof(*n->sub));
	if (n->len == place->len)
		next->sub[next->len++] = 1;
	else
		next->sub[next->len - 1]++;
	put_variable(a, next->sub, next->len, BER_INTEGER, body,
	    value_make(BER_INTEGER, next->sub[next->len - 1] & INT32_MAX,
	    body));
}

/* Puts the successor of n; true with its name in next, false at the end. */
static bool
answer_next(struct answer *a, const struct name *n, struct oid *next)
{
	const struct fault *f = a->device->fault;
	struct name from = *n;
	const struct value *v;

	if (f != NULL && is_fault_at(&f->endless, n) && n->len < OID_MAX &&
	    n->sub[n->len - 1] < UINT32_MAX) {
		put_endless(a, n, &f->endless, next);
		return true;
	}
	/* the loop is the subtree that the given name is in */
	if (f != NULL && f->loop.len > 0 && oid_within(n->sub, n->len,
	    f->loop.sub, f->loop.len - 1) && oid_cmp(n->sub, n->len,
	    f->loop.sub, f->loop.len) >= 0)
		from.len = f->loop.len - 1;
	do {
		v = view_next(a->view, from.sub, from.len);
		if (v != NULL)
			from = (struct name){ v->sub, v->sub_len };
	} while (v != NULL && req.version == VERSION_1 &&
	    v->tag == BER_COUNTER64);
	if (v == NULL) {
		if (req.version != VERSION_1)
			put_variable(a, n->sub, n->len, BER_END_OF_MIB, NULL,
			    0);
		return false;
	}
	put_value(a, v);
	next->len = v->sub_len;
	memcpy(next->sub, v->sub, v->sub_len * sizeof(*v->sub));
	return true;
}

static void
answer_each(struct answer *a, const struct request *r)
{
	struct oid next;
	size_t i;

	for (i = 0; i < r->count && a->error == 0; i++) {
		if (r->pdu == PDU_GET)
			answer_get(a, &r->names[i], (int32_t)i + 1);
		else if (!answer_next(a, &r->names[i], &next) &&
		    r->version == VERSION_1) {
			a->error = NO_SUCH_NAME;
			a->index = (int32_t)i + 1;
		}
	}
	if (a->list.full && a->error == 0)
		a->error = TOO_BIG;
}

/* RFC 3416 section 4.2.3.  What does not fit is left out. */
static void
answer_bulk(struct answer *a, const struct request *r, size_t max)
{
	static struct oid at[NAMES_MAX];
	static bool ended[NAMES_MAX];
	size_t plain = r->first < 0 ? 0 : (size_t)r->first, i, keep;
	int32_t turn;
	bool more = true;

	for (i = 0; i < r->count; i++) {
		at[i].len = r->names[i].len;
		memcpy(at[i].sub, r->names[i].sub,
		    at[i].len * sizeof(*at[i].sub));
		ended[i] = false;
	}
	if (plain > r->count)
		plain = r->count;
	for (i = 0; i < plain && !a->list.full && a->count < max; i++)
		answer_next(a, &r->names[i], &at[i]);
	for (turn = 0; turn < r->second && more; turn++) {
		more = false;
		for (i = plain; i < r->count; i++) {
			struct name n = { at[i].sub, at[i].len };

			if (a->list.full || a->count >= max)
				return;
			keep = a->list.len;
			ended[i] = !answer_next(a, &n, &at[i]);
			if (a->list.full)
				a->list.len = keep;
			more |= !ended[i];
		}
	}
}

/* Heads and list together. */
static size_t
finish(const struct answer *a, const struct request *r, uint8_t *out)
{
	const struct fault *f = a->device->fault;
	uint8_t heads[HEADS_MAX], fixed[HEADS_MAX];
	struct ber_out h = { heads, 0, sizeof(heads), false };
	struct ber_out p = { fixed, 0, sizeof(fixed), false };
	const uint8_t *list = a->list.at;
	size_t list_len = a->list.len, pdu_len, all;

	if (a->error != 0) {
		/* v1 gives the request's own list back; so does v2c, except
		 * for tooBig (RFC 3416 section 4.2.1) */
		list = r->list.at;
		list_len = r->list.left;
		if (a->error == TOO_BIG && r->version != VERSION_1)
			list_len = 0;
	}
	ber_put_int(&p, BER_INTEGER, f != NULL && f->wrong_id ?
	    r->id ^ 0x55 : r->id);
	ber_put_int(&p, BER_INTEGER, a->error);
	ber_put_int(&p, BER_INTEGER, a->index);
	pdu_len = p.len + ber_size(list_len);
	all = ber_size(1) + ber_size(r->community.left) + ber_size(pdu_len);
	ber_put_head(&h, BER_SEQUENCE, all);
	ber_put_int(&h, BER_INTEGER, r->version);
	ber_put(&h, BER_OCTETS, r->community.at, r->community.left);
	ber_put_head(&h, PDU_RESPONSE, pdu_len);
	memcpy(h.at + h.len, p.at, p.len);
	h.len += p.len;
	ber_put_head(&h, BER_SEQUENCE, list_len);
	if (h.len + list_len > ANSWER_ROOM)
		return 0;
	memcpy(out, heads, h.len);
	memcpy(out + h.len, list, list_len);
	return h.len + list_len;
}

static void
count_request(struct answer *a, const struct request *r)
{
	struct traffic *t = &a->device->traffic;
	size_t i;

	t->requests++;
	t->v1 += r->version == VERSION_1;
	t->v2c += r->version == VERSION_2C;
	t->gets += r->pdu == PDU_GET;
	t->nexts += r->pdu == PDU_NEXT;
	t->bulks += r->pdu == PDU_BULK;
	t->sets += r->pdu == PDU_SET;
	t->varbinds += r->count;
	for (i = 0; i < r->count; i++)
		asked_note(&a->device->asked, r->names[i].sub,
		    r->names[i].len);
}

/* Faults that decide before the values are looked up.  False: no answer. */
static bool
meet_faults(struct answer *a, const struct request *r)
{
	const struct fault *f = a->device->fault;
	size_t i;

	if (f == NULL)
		return true;
	if ((f->v1_only && r->version != VERSION_1) ||
	    (f->no_bulk && r->pdu == PDU_BULK))
		return false;
	for (i = 0; i < r->count; i++) {
		if (is_fault_at(&f->poison, &r->names[i])) {
			panel_restart(a->device, lan_truth(a->lan),
			    a->now_ms);
			return false;
		}
		if (a->error == 0 && is_fault_at(&f->generr, &r->names[i])) {
			a->error = GEN_ERR;
			a->index = (int32_t)i + 1;
		}
	}
	if (f->too_big > 0 && r->count > f->too_big) {
		a->error = TOO_BIG;
		a->index = 0;
	}
	return true;
}

static size_t
room_for_list(const struct answer *a, const struct request *r)
{
	const struct fault *f = a->device->fault;
	size_t max = f != NULL && f->max_size > 0 ? f->max_size : ANSWER_MAX;
	/* message, version, community, PDU, three integers, list: heads */
	size_t heads = 4 + 3 + ber_size(r->community.left) + 4 + 3 * 6 + 4;

	return max > heads ? max - heads : 0;
}

size_t
answer_make(struct lan *lan, struct device *d, const uint8_t *request,
    size_t len, int64_t now_ms, uint8_t out[ANSWER_ROOM])
{
	struct answer a = { .lan = lan, .device = d, .now_ms = now_ms };
	const struct fault *f = d->fault;

	d->traffic.bytes_in += len;
	if (take_request(&req, request, len) < 0) {
		d->traffic.malformed++;
		return 0;
	}
	count_request(&a, &req);
	if (admit(&a, &req) < 0) {
		d->traffic.denied++;
		return 0;
	}
	if (!meet_faults(&a, &req))
		return 0;
	a.list = (struct ber_out){ room, 0, room_for_list(&a, &req), false };
	if (a.error != 0)
		return finish(&a, &req, out);
	switch (req.pdu) {
	case PDU_GET:
	case PDU_NEXT:
		answer_each(&a, &req);
		break;
	case PDU_BULK:
		answer_bulk(&a, &req, f != NULL && f->too_big > 0 ?
		    f->too_big : SIZE_MAX);
		break;
	default:
		a.error = req.version == VERSION_1 ? NO_SUCH_NAME :
		    NOT_WRITABLE;
		a.index = 1;
	}
	return finish(&a, &req, out);
}
