#include "snmp/question.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static bool
is_left_out(const struct question *q, size_t i)
{
	return (q->left_out & UINT64_C(1) << i) != 0;
}

void
question_set(struct question *q, const struct talk_question *asked)
{
	const struct objid *id;
	size_t i, size = 0;
	uint32_t *out;

	for (i = 0; i < asked->n; i++)
		size += 1 + asked->ids[i].len;
	if (size > q->ids_size) {
		/* The old ones are not worth copying. */
		free(q->ids);
		q->ids = xmalloc(size * sizeof(*q->ids));
		q->ids_size = size;
	}
	for (i = 0, out = q->ids; i < asked->n; i++) {
		id = &asked->ids[i];
		*out++ = (uint32_t)id->len;
		memcpy(out, id->sub, id->len * sizeof(*out));
		out += id->len;
	}
	q->op = asked->op;
	q->non_repeaters = asked->non_repeaters;
	q->repetitions = asked->repetitions;
	q->n = asked->n;
	q->left_out = 0;
}

void
question_clear(struct question *q)
{
	free(q->ids);
	memset(q, 0, sizeof(*q));
}

static void
unpack(const uint32_t *packed, struct objid *id)
{
	id->len = packed[0];
	memcpy(id->sub, packed + 1, id->len * sizeof(id->sub[0]));
}

void
question_ids(const struct question *q, struct objid *ids)
{
	const uint32_t *id = q->ids;
	size_t i;

	for (i = 0; i < q->n; i++, id += 1 + id[0])
		unpack(id, &ids[i]);
}

static int32_t
bounded(unsigned value)
{
	return value > INT32_MAX ? INT32_MAX : (int32_t)value;
}

void
question_put(const struct question *q, struct ber_out *out,
    int32_t request_id)
{
	uint32_t rest[TALK_VARBINDS_MAX * (1 + OBJID_MAX)];
	const uint32_t *id = q->ids;
	size_t i, n = 0, at = 0;

	if (q->op == TALK_GETBULK) {
		ber_put_request(out, BER_GETBULK, request_id,
		    bounded(q->non_repeaters), bounded(q->repetitions),
		    q->ids, q->n);
		return;
	}
	if (q->left_out != 0) {
		for (i = 0; i < q->n; i++, id += 1 + id[0]) {
			if (is_left_out(q, i))
				continue;
			memcpy(rest + at, id, (1 + id[0]) * sizeof(*id));
			at += 1 + id[0];
			n++;
		}
	}
	ber_put_request(out, q->op == TALK_GET ? BER_GET : BER_GETNEXT,
	    request_id, 0, 0, n > 0 ? rest : q->ids, n > 0 ? n : q->n);
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
	const uint32_t *id = q->ids;
	size_t i, max = q->op == TALK_GETBULK ? TALK_ANSWER_MAX : q->n;

	for (i = 0; i < max; i++) {
		if (q->left_out != 0 && is_left_out(q, i)) {
			unpack(id, &vb[i].id);
			vb[i].missing = true;
		} else if (varbinds.at == varbinds.end)
			break;
		else if (!take(&varbinds, &vb[i]))
			return false;
		if (q->left_out != 0)
			id += 1 + id[0];
	}
	*n = i;
	return true;
}
