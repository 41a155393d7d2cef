#include "snmp/question.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Of one varbind: its OID, three heads and a NULL. */
#define VARBIND_MAX	(5 * OBJID_MAX + 16)

static bool
is_left_out(const struct question *q, size_t i)
{
	return i < TALK_VARBINDS_MAX &&
	    (q->left_out & UINT64_C(1) << i) != 0;
}

void
question_set(struct question *q, const struct talk_question *asked)
{
	uint8_t octets[TALK_VARBINDS_MAX * VARBIND_MAX];
	struct ber_out out;
	size_t i, mark;

	ber_out_init(&out, octets, sizeof(octets));
	for (i = asked->n; i > 0; i--) {
		mark = ber_out_len(&out);
		ber_put_octets(&out, BER_NULL, NULL, 0);
		ber_put_objid(&out, asked->ids[i - 1].sub,
		    asked->ids[i - 1].len);
		ber_wrap(&out, BER_SEQUENCE, mark);
	}
	q->unfit = out.full;
	q->list_len = ber_out_len(&out);
	if (q->list_len > q->list_size) {
		/* The old ones are not worth copying. */
		free(q->list);
		q->list = xmalloc(q->list_len);
		q->list_size = q->list_len;
	}
	memcpy(q->list, out.at, q->list_len);
	q->op = asked->op;
	q->non_repeaters = asked->non_repeaters;
	q->repetitions = asked->repetitions;
	q->n = asked->n;
	q->left_out = 0;
}

void
question_clear(struct question *q)
{
	free(q->list);
	memset(q, 0, sizeof(*q));
}

/* The next of the varbinds that were written above. */
static void
next_id(struct ber_in *list, struct objid *id)
{
	struct ber_in varbind;

	if (!ber_enter(list, BER_SEQUENCE, &varbind) ||
	    !ber_get_objid(&varbind, id))
		id->len = 0;
}

void
question_ids(const struct question *q, struct objid *ids)
{
	struct ber_in list;
	size_t i;

	ber_in_init(&list, q->list, q->list_len);
	for (i = 0; i < q->n; i++)
		next_id(&list, &ids[i]);
}

static int32_t
bounded(unsigned value)
{
	return value > INT32_MAX ? INT32_MAX : (int32_t)value;
}

/* All but what was left out. */
static void
put_list(const struct question *q, struct ber_out *out)
{
	const uint8_t *start[TALK_VARBINDS_MAX + 1];
	struct ber_in list, varbind;
	size_t i;

	if (q->left_out == 0) {
		ber_put_raw(out, q->list, q->list_len);
		return;
	}
	ber_in_init(&list, q->list, q->list_len);
	for (i = 0; i < q->n; i++) {
		start[i] = list.at;
		(void)ber_enter(&list, BER_SEQUENCE, &varbind);
	}
	start[i] = list.at;
	for (; i > 0; i--)
		if (!is_left_out(q, i - 1))
			ber_put_raw(out, start[i - 1],
			    (size_t)(start[i] - start[i - 1]));
}

void
question_put(const struct question *q, struct ber_out *out,
    int32_t request_id)
{
	static const uint8_t type[] = { [TALK_GET] = BER_GET,
		[TALK_GETNEXT] = BER_GETNEXT, [TALK_GETBULK] = BER_GETBULK };
	bool bulk = q->op == TALK_GETBULK;
	size_t mark = ber_out_len(out);

	if (q->unfit)
		out->full = true;
	put_list(q, out);
	ber_wrap(out, BER_SEQUENCE, mark);
	ber_put_int(out, BAG_INTEGER, bulk ? bounded(q->repetitions) : 0);
	ber_put_int(out, BAG_INTEGER, bulk ? bounded(q->non_repeaters) : 0);
	ber_put_int(out, BAG_INTEGER, request_id);
	ber_wrap(out, type[q->op], mark);
}

bool
question_leave_out(struct question *q, int32_t error_index)
{
	size_t i;
	int32_t at = 0;

	if (q->op == TALK_GETBULK)
		return false;
	if ((int)q->n - __builtin_popcountll(q->left_out) == 1)
		error_index = 1;	/* some say 0 */
	for (i = 0; i < q->n; i++) {
		if (!is_left_out(q, i) && ++at == error_index) {
			q->left_out |= UINT64_C(1) << i;
			return true;
		}
	}
	return false;
}

bool
question_all_left_out(const struct question *q)
{
	return __builtin_popcountll(q->left_out) == (int)q->n;
}

static bool
take(struct ber_in *varbinds, struct talk_varbind *vb)
{
	return ber_get_varbind(varbinds, &vb->id, &vb->value, &vb->missing);
}

bool
question_lay_out(const struct question *q, struct ber_in varbinds,
    struct talk_varbind *vb, size_t *n)
{
	size_t i, max = q->op == TALK_GETBULK ? TALK_ANSWER_MAX : q->n;
	struct ber_in list;

	ber_in_init(&list, q->list, q->list_len);
	for (i = 0; i < max; i++) {
		if (q->left_out != 0 && i < q->n)
			next_id(&list, &vb[i].id);
		if (is_left_out(q, i)) {
			vb[i].missing = true;
		} else if (varbinds.at == varbinds.end)
			break;
		else if (!take(&varbinds, &vb[i]))
			return false;
	}
	*n = i;
	return true;
}
