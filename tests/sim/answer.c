#include "tests/sim/answer.h"

#include <string.h>

#include "tests/sim/v3.h"

#define COMMUNITY_MAX	200
/* Message head, version and community. */
#define HEADS_MAX	(4 + 3 + 4 + COMMUNITY_MAX + 4)

/* Community, or community@CONTEXT.  The view, or NULL. */
static struct view *
admit(struct lan *lan, struct device *d, const struct ber *community)
{
	const char *want = d->community != NULL ? d->community :
	    lan_community(lan);
	const char *got = (const char *)community->at;
	size_t want_len = strlen(want), got_len = community->left;

	if (got_len < want_len || memcmp(got, want, want_len) != 0)
		return NULL;
	if (got_len == want_len)
		return &d->view;
	if (got[want_len] != '@')
		return NULL;
	return device_view(d, got + want_len + 1, got_len - want_len - 1);
}

static size_t
wrap(const struct question *q, const struct ber *community, size_t pdu_len,
    const uint8_t *pdu, uint8_t out[ANSWER_ROOM])
{
	struct ber_out h = { out, 0, ANSWER_ROOM, false };

	ber_put_head(&h, BER_SEQUENCE, ber_size(1) +
	    ber_size(community->left) + pdu_len);
	ber_put_int(&h, BER_INTEGER, q->version);
	ber_put(&h, BER_OCTETS, community->at, community->left);
	if (h.room - h.len < pdu_len)
		return 0;
	memcpy(out + h.len, pdu, pdu_len);
	return h.len + pdu_len;
}

size_t
answer_make(struct lan *lan, struct device *d, const uint8_t *request,
    size_t len, int64_t now_ms, uint8_t out[ANSWER_ROOM])
{
	static uint8_t pdu[ANSWER_ROOM];
	struct question q = { .lan = lan, .device = d, .now_ms = now_ms };
	struct ber in = { request, len }, message, community;
	size_t max = pdu_size_max(d), heads, pdu_len;
	int rc;

	d->traffic.bytes_in += len;
	if (ber_take_tag(&in, BER_SEQUENCE, &message) < 0 ||
	    ber_take_int(&message, &q.version) < 0)
		goto malformed;
	if (q.version == VERSION_3)
		return v3_answer(&q, request, len, message, out);
	if ((q.version != VERSION_1 && q.version != VERSION_2C) ||
	    ber_take_tag(&message, BER_OCTETS, &community) < 0 ||
	    community.left > COMMUNITY_MAX)
		goto malformed;
	q.view = admit(lan, d, &community);
	rc = pdu_take(&q, &message);
	if (rc < 0)
		goto malformed;
	if (rc > 0)
		return 0;
	if (q.view == NULL) {
		d->traffic.denied++;
		return 0;
	}
	heads = 4 + 3 + ber_size(community.left) + 4;
	pdu_len = pdu_answer(&q, max > heads ? max - heads : 0, pdu);
	return pdu_len == 0 ? 0 : wrap(&q, &community, pdu_len, pdu, out);

malformed:
	d->traffic.malformed++;
	return 0;
}
