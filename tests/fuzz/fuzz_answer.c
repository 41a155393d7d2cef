/*
 * Answers to a conversation in SNMP v1, v2c or v3, with sockets that are not
 * there.  The first octet says how it asks: version (by 3), user (by 3, of
 * v3), and what.  Then come datagrams, each with a kind and a length in front,
 * 1 and 2 octets:
 *
 *	0	as it came
 *	1	a Response: error-status, error-index, then varbinds
 *	2	a Report: boots and time (4 octets), then varbinds
 *	3	the scoped PDU of a v3 message, or the PDU of others
 *
 * All but the first get the numbers, names and digests that they must have,
 * because nobody guesses those.  Of the kind 64 and 128 are no digest, no
 * encryption; 4: nobody answers any more, and the clock goes on.  It is one of
 * our own, so that nobody waits.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "snmp/asker.h"
#include "snmp/ber.h"
#include "snmp/usmmsg.h"
#include "tests/fuzz/must.h"

#define MESSAGE_MAX	4096
#define QUESTIONS_MAX	20
/* What one question may send when everything is answered. */
#define SENDS_MAX	(64 * 16)

/* --- sockets that are not there ------------------------------------------------ */

struct mux {
	int		 unused;
};

struct line {
	line_fn		*fn;
	void		*arg;
};

static struct line	*open_line;
static uint8_t		 sent[MUX_PAYLOAD_MAX];
static size_t		 sent_len, sends;

struct mux *
mux_new(struct loop *loop)
{
	(void)loop;
	return xcalloc(1, sizeof(struct mux));
}

void
mux_free(struct mux *mux)
{
	free(mux);
}

uint64_t
mux_strays(const struct mux *mux)
{
	(void)mux;
	return 0;
}

struct line *
line_open(struct mux *mux, const struct sockaddr_in *addr, bool alone,
    line_fn *fn, void *arg)
{
	struct line	*line = xcalloc(1, sizeof(*line));

	(void)mux;
	(void)addr;
	(void)alone;
	must(open_line == NULL);
	line->fn = fn;
	line->arg = arg;
	return open_line = line;
}

void
line_close(struct line *line)
{
	if (line != NULL)
		open_line = NULL;
	free(line);
}

void
line_send(struct line *line, const void *bytes, size_t len)
{
	must(line == open_line && len <= sizeof(sent));
	memcpy(sent, bytes, len);
	sent_len = len;
	sends++;
}

/* base/clock.c, as far as it is needed here. */
static int64_t	 now_ms;

int64_t
clock_mono_ms(void)
{
	return now_ms;
}

int64_t
clock_wall_ms(void)
{
	return now_ms;
}

char *
clock_format(int64_t wall_ms, char out[CLOCK_TEXT_MAX])
{
	snprintf(out, CLOCK_TEXT_MAX, "%lld", (long long)wall_ms);
	return out;
}

/* --- the device ----------------------------------------------------------------- */

static const uint8_t	 engine[] = { 0x80, 0, 0, 11, 5, 'f', 'u', 'z', 'z' };

struct device {
	const struct credential	*credential;
	int			 version;
	int32_t			 msg_id, request_id;	/* of what was sent */
	uint8_t			 scratch[USM_MESSAGE_MAX];
};

static struct usmkey_local
keys_of(const struct usm_user *user)
{
	struct usmkey_local	 keys;

	memset(&keys, 0, sizeof(keys));
	must(usmkey_localise(user->auth, user->privacy, &user->key, engine,
	    sizeof(engine), &keys));
	return keys;
}

/* Reads what was sent last: it is ours, so it must be right. */
static void
read_question(struct device *d)
{
	const struct usm_user	*user = d->credential->user;
	const uint8_t		*community;
	struct usmkey_local	 keys;
	struct ber_pdu		 pdu;
	struct ber_in		 in;
	struct usmmsg		 m;
	size_t			 community_len;
	int			 version;

	if (d->version != 3) {
		must(ber_get_message(sent, sent_len, &version, &community,
		    &community_len, &in) && version == d->version);
	} else {
		must(usmmsg_parse(&m, sent, sent_len));
		d->msg_id = m.msg_id;
		keys = keys_of(user);
		if (!usmmsg_same(m.engine, engine, sizeof(engine)) ||
		    !usmmsg_open(&m, user->privacy, &keys, d->scratch))
			return;		/* to an engine that was made up */
		in = m.pdu;
	}
	must(ber_get_pdu(&in, &pdu));
	d->request_id = pdu.request_id;
}

static void
put_head(struct ber_out *out, const struct device *d, uint8_t type,
    int32_t status, int32_t index)
{
	ber_wrap(out, BER_SEQUENCE, 0);
	ber_put_int(out, BAG_INTEGER, index);
	ber_put_int(out, BAG_INTEGER, status);
	ber_put_int(out, BAG_INTEGER, d->request_id);
	ber_wrap(out, type, 0);
}

static void
enclose(const struct device *d, uint8_t kind, int32_t boots, int32_t time,
    struct ber_out *out)
{
	const struct usm_user	*user = d->credential->user;
	struct usmmsg		 m = { .msg_id = d->msg_id, .boots = boots,
	    .time = time, .engine = { engine, sizeof(engine) } };
	struct usmkey_local	 keys;

	if (d->version != 3) {
		ber_put_message(out, d->version, "public");
		return;
	}
	keys = keys_of(user);
	m.user = (struct usmmsg_octets){ (const uint8_t *)user->name,
	    user->name_len };
	m.context_engine = m.engine;
	if (user->auth != USM_NOAUTH && !(kind & 64))
		m.flags |= USMMSG_AUTH;
	if (user->privacy != USM_NOPRIV && !(kind & (64 | 128)))
		m.flags |= USMMSG_PRIVACY;
	usmmsg_put(out, &m, user->auth, user->privacy, &keys);
}

static void
deliver(const uint8_t *bytes, size_t len)
{
	/* Exactly as large as it is, so that a sanitizer sees its end. */
	uint8_t	*copy = xmalloc(len > 0 ? len : 1);

	memcpy(copy, bytes, len);
	if (open_line != NULL)
		open_line->fn(open_line->arg, LINE_DATAGRAM, copy, len);
	free(copy);
}

static void
answer(struct device *d, uint8_t kind, const uint8_t *bytes, size_t len)
{
	static uint8_t	 room[MESSAGE_MAX];
	struct ber_out	 out;
	int32_t		 boots = 1, time = 1000;

	if (kind % 4 == 0) {
		deliver(bytes, len);
		return;
	}
	if (sent_len == 0)
		return;
	read_question(d);
	ber_out_init(&out, room, sizeof(room));
	if (kind % 4 == 1 && len >= 2) {
		ber_put_raw(&out, bytes + 2, len - 2);
		put_head(&out, d, BER_RESPONSE, bytes[0], bytes[1]);
	} else if (kind % 4 == 2 && len >= 4) {
		boots = (bytes[0] << 8 | bytes[1]) << (bytes[0] & 15);
		time = (bytes[2] << 8 | bytes[3]) << (bytes[2] & 15);
		ber_put_raw(&out, bytes + 4, len - 4);
		put_head(&out, d, BER_REPORT, 0, 0);
	} else
		ber_put_raw(&out, bytes, len);
	enclose(d, kind, boots & INT32_MAX, time & INT32_MAX, &out);
	if (!out.full)
		deliver(out.at, ber_out_len(&out));
}

/* --- who asks ------------------------------------------------------------------- */

static struct credential	 credentials[3];

static void
prepare(void)
{
	char	 why[200];
	size_t	 i;

	if (credentials[0].community != NULL)
		return;
	for (i = 0; i < 3; i++)
		credentials[i].community = xstrdup("public");
	credentials[0].user = usm_user_new("none", USM_NOAUTH, NULL,
	    USM_NOPRIV, NULL, why, sizeof(why));
	credentials[1].user = usm_user_new("auth", USM_MD5, "fuzzfuzz",
	    USM_NOPRIV, NULL, why, sizeof(why));
	credentials[2].user = usm_user_new("both", USM_SHA1, "fuzzfuzz",
	    USM_AES128, "fuzzfuzz", why, sizeof(why));
	for (i = 0; i < 3; i++)
		must(credentials[i].user != NULL);
}

struct asking {
	struct talk	*talk;
	enum talk_op	 op;
	size_t		 n;
	int		 questions;
	bool		 waiting;
};

static void	 ask(struct asking *);

static void
on_answer(void *arg, enum talk_status status, int error,
    const struct talk_varbind *vb, size_t n)
{
	struct asking	*a = arg;
	size_t		 i, sum = 0;

	must(a->waiting);
	a->waiting = false;
	must(n <= TALK_ANSWER_MAX && (status == TALK_OK || n == 0));
	must(a->op == TALK_GETBULK || n <= a->n);
	must((error != 0) == (status == TALK_ERROR || status == TALK_DENIED));
	must(talk_why(status, error)[0] != '\0' || status == TALK_OK);
	for (i = 0; i < n; i++) {
		must(vb[i].id.len <= OBJID_MAX);
		if (!vb[i].missing && vb[i].value.octets_len > 0)
			sum += vb[i].value.octets[0] + vb[i].value.octets[
			    vb[i].value.octets_len - 1];
	}
	must(sum <= n * 510);
	ask(a);
}

static void
ask(struct asking *a)
{
	static const struct objid	 base = { 7, { 1, 3, 6, 1, 2, 1, 1 } };
	struct objid			 ids[TALK_VARBINDS_MAX];
	struct talk_question		 q = { .op = a->op, .ids = ids,
	    .n = a->n, .non_repeaters = 1, .repetitions = 5 };
	size_t				 i;

	if (a->questions++ == QUESTIONS_MAX)
		return;
	must(sends <= SENDS_MAX);
	sends = 0;
	for (i = 0; i < a->n; i++) {
		ids[i] = base;
		objid_add(&ids[i], (uint32_t)i);
	}
	a->waiting = true;
	talk_ask(a->talk, &q, on_answer, a);
}

static void
converse(struct device *d, struct asking *a, struct loop *loop,
    const uint8_t *at, const uint8_t *end)
{
	uint8_t	 kind;
	size_t	 len;

	ask(a);
	while (a->waiting && end - at >= 3) {
		kind = at[0];
		len = (size_t)at[1] << 8 | at[2];
		at += 3;
		if (len > (size_t)(end - at))
			len = (size_t)(end - at);
		if (kind & 4) {
			now_ms += 20000;
			loop_once(loop, 0);
		} else
			answer(d, kind, at, len);
		at += len;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct device	 d;
	struct talk_target	 target = { .timeout_ms = 1, .retries = 1 };
	struct asking		 a = { .op = TALK_GET };
	struct asker		*asker;
	struct loop		*loop;

	prepare();
	if (size == 0 || size > MESSAGE_MAX)
		return 0;
	memset(&d, 0, sizeof(d));
	sent_len = sends = 0;
	d.version = target.version = data[0] % 3 + 1;
	d.credential = target.credential = &credentials[data[0] / 3 % 3];
	a.n = data[0] / 9 % 4 * 5 + 1;
	a.op = data[0] & 128 ? TALK_GETNEXT : TALK_GET;
	if (data[0] & 64 && d.version != 1)
		a.op = TALK_GETBULK;
	loop = loop_new();
	asker = asker_new(loop, 1);
	a.talk = talk_new(asker, &target);
	converse(&d, &a, loop, data + 1, data + size);
	talk_free(a.talk);
	asker_free(asker);
	loop_free(loop);
	return 0;
}
