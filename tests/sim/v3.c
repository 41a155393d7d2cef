#include "tests/sim/v3.h"

#include <string.h>

#define MODEL_USM	3
#define WINDOW_S	150		/* RFC 3414 section 2.2.3 */
#define REQUEST_MAX	65507
#define UNKNOWN_ID	2147483647	/* RFC 3412 section 7.1 */
/* Message, header and parameters around a scoped PDU, generously. */
#define HEADS_MAX	256

enum { FLAG_AUTH = 1, FLAG_PRIV = 2, FLAG_REPORT = 4 };

struct message {
	int32_t		 id, max_size, model, boots, time;
	uint8_t		 flags;
	struct ber	 engine, user, mac, salt;
	struct ber	 data;		/* scoped PDU, in clear or not */
	uint8_t		 data_tag;
	struct ber	 context_engine, context;
	struct ber	 pdu;
};

static int
take_parameters(struct message *m, struct ber octets)
{
	struct ber in;

	if (ber_take_tag(&octets, BER_SEQUENCE, &in) < 0 ||
	    ber_take_tag(&in, BER_OCTETS, &m->engine) < 0 ||
	    ber_take_int(&in, &m->boots) < 0 ||
	    ber_take_int(&in, &m->time) < 0 ||
	    ber_take_tag(&in, BER_OCTETS, &m->user) < 0 ||
	    ber_take_tag(&in, BER_OCTETS, &m->mac) < 0 ||
	    ber_take_tag(&in, BER_OCTETS, &m->salt) < 0)
		return -1;
	return m->engine.left <= ENGINE_ID_MAX && m->boots >= 0 &&
	    m->time >= 0 && m->user.left <= 32 ? 0 : -1;
}

static int
take_message(struct message *m, struct ber in)
{
	struct ber header, flags, parameters;

	if (ber_take_tag(&in, BER_SEQUENCE, &header) < 0 ||
	    ber_take_int(&header, &m->id) < 0 ||
	    ber_take_int(&header, &m->max_size) < 0 ||
	    ber_take_tag(&header, BER_OCTETS, &flags) < 0 ||
	    flags.left != 1 || ber_take_int(&header, &m->model) < 0 ||
	    m->model != MODEL_USM || m->id < 0 || m->max_size < 484 ||
	    ber_take_tag(&in, BER_OCTETS, &parameters) < 0 ||
	    take_parameters(m, parameters) < 0)
		return -1;
	m->flags = flags.at[0];
	if ((m->flags & (FLAG_AUTH | FLAG_PRIV)) == FLAG_PRIV)
		return -1;
	return ber_take(&in, &m->data_tag, &m->data);
}

/* The inside of a scoped PDU. */
static int
take_scoped(struct message *m, struct ber in)
{
	if (ber_take_tag(&in, BER_OCTETS, &m->context_engine) < 0 ||
	    ber_take_tag(&in, BER_OCTETS, &m->context) < 0)
		return -1;
	m->pdu = in;
	return m->context.left <= 255 ? 0 : -1;
}

struct reply {
	const struct engine		*engine;
	const struct user		*user;
	const struct engine_keys	*keys;
	uint8_t				 level;	/* FLAG_AUTH, FLAG_PRIV */
	uint32_t			 boots, time;
	uint8_t				 salt[CIPHER_SALT];
};

/* The header and the security parameters, with a digest of zeros; where that
 * is. */
static size_t
put_heads(struct ber_out *out, const struct message *m,
    const struct reply *r)
{
	static const uint8_t zeros[CIPHER_MAC_MAX];
	uint8_t bytes[HEADS_MAX];
	struct ber_out in = { bytes, 0, sizeof(bytes), false };
	size_t salt_len = r->level & FLAG_PRIV ? CIPHER_SALT : 0, mac_len;

	mac_len = r->level & FLAG_AUTH ? cipher_mac_len(r->user->auth) : 0;
	ber_put_int(&in, BER_INTEGER, m->id);
	ber_put_int(&in, BER_INTEGER, REQUEST_MAX);
	ber_put(&in, BER_OCTETS, &r->level, 1);
	ber_put_int(&in, BER_INTEGER, MODEL_USM);
	ber_put(out, BER_SEQUENCE, in.at, in.len);
	in.len = 0;
	ber_put(&in, BER_OCTETS, r->engine->id, r->engine->id_len);
	ber_put_int(&in, BER_INTEGER, r->boots);
	ber_put_int(&in, BER_INTEGER, r->time);
	ber_put(&in, BER_OCTETS, m->user.at, m->user.left);
	ber_put(&in, BER_OCTETS, zeros, mac_len);
	ber_put(&in, BER_OCTETS, r->salt, salt_len);
	ber_put_head(out, BER_OCTETS, ber_size(in.len));
	ber_put(out, BER_SEQUENCE, in.at, in.len);
	return out->len - ber_size(salt_len) - mac_len;
}

/* The message around a scoped PDU, encrypted and signed as the level says. */
static size_t
seal(const struct message *m, const struct reply *r, const uint8_t *scoped,
    size_t len, uint8_t out[ANSWER_ROOM])
{
	static uint8_t closed[ANSWER_ROOM + 8];
	uint8_t heads[2 * HEADS_MAX];
	struct ber_out in = { heads, 0, sizeof(heads), false };
	struct ber_out all = { out, 0, ANSWER_ROOM, false };
	size_t mac_at = put_heads(&in, m, r), data_len = len;
	uint8_t mac[CIPHER_MAC_MAX];

	if (r->level & FLAG_PRIV) {
		long n = cipher_close(r->user->priv, r->keys->priv, r->boots,
		    r->time, r->salt, scoped, len, closed);

		if (n < 0)
			return 0;
		scoped = closed;
		len = (size_t)n;
		data_len = ber_size(len);
	}
	if (ber_size(3 + in.len + data_len) > ANSWER_ROOM)
		return 0;
	ber_put_head(&all, BER_SEQUENCE, 3 + in.len + data_len);
	ber_put_int(&all, BER_INTEGER, VERSION_3);
	memcpy(out + all.len, heads, in.len);
	mac_at += all.len;
	all.len += in.len;
	if (r->level & FLAG_PRIV)
		ber_put(&all, BER_OCTETS, scoped, len);
	else {
		memcpy(out + all.len, scoped, len);
		all.len += len;
	}
	if (r->level & FLAG_AUTH) {
		cipher_mac(r->user->auth, r->keys->auth, out, all.len, mac);
		memcpy(out + mac_at, mac, cipher_mac_len(r->user->auth));
	}
	return all.len;
}

/* A scoped PDU around a PDU; its length, 0 when it is too large. */
static size_t
scope(const struct engine *e, const struct ber *context, const uint8_t *pdu,
    size_t pdu_len, uint8_t out[ANSWER_ROOM])
{
	struct ber_out all = { out, 0, ANSWER_ROOM, false };

	ber_put_head(&all, BER_SEQUENCE, ber_size(e->id_len) +
	    ber_size(context->left) + pdu_len);
	ber_put(&all, BER_OCTETS, e->id, e->id_len);
	ber_put(&all, BER_OCTETS, context->at, context->left);
	if (all.full || all.room - all.len < pdu_len)
		return 0;
	memcpy(out + all.len, pdu, pdu_len);
	return all.len + pdu_len;
}

/* The id of the request, where it can be read. */
static int32_t
request_id(const struct message *m)
{
	struct message copy = *m;
	struct ber pdu;
	uint8_t tag;
	int32_t id;

	if ((m->flags & FLAG_PRIV) || m->data_tag != BER_SEQUENCE ||
	    take_scoped(&copy, m->data) < 0 ||
	    ber_take(&copy.pdu, &tag, &pdu) < 0 ||
	    ber_take_int(&pdu, &id) < 0)
		return UNKNOWN_ID;
	return id;
}

/* A report of what is wrong with a message; level says how it is signed. */
static size_t
report(const struct question *q, struct engine *e, const struct message *m,
    struct reply *r, enum engine_report what, uint8_t out[ANSWER_ROOM])
{
	static const uint32_t stats[] = { 1, 3, 6, 1, 6, 3, 15, 1, 1 };
	static const uint32_t contexts[] = { 1, 3, 6, 1, 6, 3, 12, 1, 5, 0 };
	static const struct ber none;
	static uint8_t scoped[ANSWER_ROOM];
	uint8_t bytes[128], list[64];
	struct ber_out in = { list, 0, sizeof(list), false };
	struct ber_out pdu = { bytes, 0, sizeof(bytes), false };
	struct ber_out ids = { scoped, 0, 32, false };
	uint32_t name[11] = { 0 };
	size_t len = 10;

	q->device->traffic.reports++;
	e->reports[what]++;
	if (!(m->flags & FLAG_REPORT))
		return 0;
	if (what == REPORT_CONTEXT)
		memcpy(name, contexts, sizeof(contexts));
	else {
		memcpy(name, stats, sizeof(stats));
		name[9] = (uint32_t)what;
		len = 11;
	}
	ber_put_oid(&in, name, len);
	ber_put_int(&in, BER_COUNTER32, e->reports[what]);
	ber_put_int(&ids, BER_INTEGER, request_id(m));
	ber_put_int(&ids, BER_INTEGER, 0);
	ber_put_int(&ids, BER_INTEGER, 0);
	ber_put_head(&pdu, PDU_REPORT, ids.len + ber_size(ber_size(in.len)));
	memcpy(pdu.at + pdu.len, ids.at, ids.len);
	pdu.len += ids.len;
	ber_put_head(&pdu, BER_SEQUENCE, ber_size(in.len));
	ber_put(&pdu, BER_SEQUENCE, in.at, in.len);
	len = scope(e, &none, pdu.at, pdu.len, scoped);
	return len == 0 ? 0 : seal(m, r, scoped, len, out);
}

/* RFC 3414 section 3.2, step 6: the digest with zeros in its own place. */
static bool
is_signed(const struct message *m, const struct reply *r,
    const uint8_t *request, size_t len)
{
	static uint8_t copy[REQUEST_MAX];
	uint8_t mac[CIPHER_MAC_MAX];
	size_t mac_len = cipher_mac_len(r->user->auth);

	if (m->mac.left != mac_len || len > sizeof(copy))
		return false;
	memcpy(copy, request, len);
	memset(copy + (m->mac.at - request), 0, mac_len);
	cipher_mac(r->user->auth, r->keys->auth, copy, len, mac);
	return memcmp(mac, m->mac.at, mac_len) == 0;
}

static bool
in_window(const struct message *m, const struct reply *r)
{
	int64_t late = (int64_t)m->time - (int64_t)r->time;

	return m->boots == (int32_t)r->boots && late >= -WINDOW_S &&
	    late <= WINDOW_S;
}

/* Step 8; what was encrypted is then in clear. */
static int
decrypt(struct message *m, const struct reply *r)
{
	static uint8_t opened[REQUEST_MAX + 16];
	struct ber in;
	long n;

	if (m->data_tag != BER_OCTETS || m->salt.left != CIPHER_SALT ||
	    m->data.left > REQUEST_MAX)
		return -1;
	n = cipher_open(r->user->priv, r->keys->priv, (uint32_t)m->boots,
	    (uint32_t)m->time, m->salt.at, m->data.at, m->data.left, opened);
	if (n < 0)
		return -1;
	in = (struct ber){ opened, (size_t)n };
	return ber_take_tag(&in, BER_SEQUENCE, &m->data);
}

/* Steps 3 to 8 of RFC 3414 section 3.2: 0, or what is to be reported. */
static int
check(struct question *q, struct engine *e, struct message *m,
    struct reply *r, const uint8_t *request, size_t len)
{
	const struct users *users = lan_users(q->lan);
	uint8_t level = m->flags & (FLAG_AUTH | FLAG_PRIV);
	int n;

	if (m->engine.left != e->id_len ||
	    memcmp(m->engine.at, e->id, e->id_len) != 0)
		return REPORT_ENGINE;
	n = users_find(users, m->user.at, m->user.left);
	if (n < 0)
		return REPORT_USER;
	r->user = &users->user[n];
	if ((level & FLAG_AUTH && r->user->auth == AUTH_NONE) ||
	    (level & FLAG_PRIV && r->user->priv == PRIV_NONE))
		return REPORT_LEVEL;
	if (level == 0)
		return 0;
	r->keys = engine_keys(e, users, (size_t)n);
	if (!is_signed(m, r, request, len))
		return REPORT_DIGEST;
	r->level = FLAG_AUTH;
	if (!in_window(m, r))
		return REPORT_WINDOW;
	r->level = level;
	if (level & FLAG_PRIV && decrypt(m, r) < 0) {
		r->level = 0;
		return REPORT_DECRYPTION;
	}
	return 0;
}

static void
next_salt(struct engine *e, struct reply *r)
{
	uint64_t n = ++e->salt;
	int i;

	/* DES: boots and a counter (RFC 3414 8.1.1.1); AES: any that does
	 * not repeat */
	if (r->user != NULL && r->user->priv == PRIV_DES)
		n = (uint64_t)r->boots << 32 | (n & UINT32_MAX);
	for (i = 0; i < CIPHER_SALT; i++)
		r->salt[i] = (uint8_t)(n >> 8 * (7 - i));
}

/* A user is held to his own level: less of it is an authorizationError. */
static bool
is_below(const struct reply *r)
{
	return (r->user->auth != AUTH_NONE && !(r->level & FLAG_AUTH)) ||
	    (r->user->priv != PRIV_NONE && !(r->level & FLAG_PRIV));
}

size_t
v3_answer(struct question *q, const uint8_t *request, size_t len,
    struct ber in, uint8_t out[ANSWER_ROOM])
{
	static uint8_t pdu[ANSWER_ROOM], scoped[ANSWER_ROOM];
	const struct fault *f = q->device->fault;
	struct engine *e = device_engine(q->device);
	struct message m = { 0 };
	struct reply r = { .engine = e, .boots = e->boots,
	    .time = engine_time(e, q->now_ms) };
	size_t max = pdu_size_max(q->device), n;
	int wrong;

	if (f != NULL && f->v1_only)
		return 0;
	if (take_message(&m, in) < 0)
		goto malformed;
	wrong = check(q, e, &m, &r, request, len);
	if (wrong == REPORT_DECRYPTION && f != NULL && f->mute_privacy)
		return 0;
	if (wrong != 0)
		return report(q, e, &m, &r, (enum engine_report)wrong, out);
	if (((m.flags & FLAG_PRIV) == 0 && m.data_tag != BER_SEQUENCE) ||
	    take_scoped(&m, m.data) < 0)
		goto malformed;
	next_salt(e, &r);
	q->view = device_view(q->device, (const char *)m.context.at,
	    m.context.left);
	if (q->view == NULL)
		return report(q, e, &m, &r, REPORT_CONTEXT, out);
	q->refused = is_below(&r);
	wrong = pdu_take(q, &m.pdu);
	if (wrong < 0)
		goto malformed;
	if (wrong > 0)
		return 0;
	if ((size_t)m.max_size < max)
		max = (size_t)m.max_size;
	n = HEADS_MAX + m.context.left;
	n = pdu_answer(q, max > n ? max - n : 0, pdu);
	n = n == 0 ? 0 : scope(e, &m.context, pdu, n, scoped);
	return n == 0 ? 0 : seal(&m, &r, scoped, n, out);

malformed:
	q->device->traffic.malformed++;
	return 0;
}
