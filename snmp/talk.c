#include "snmp/talk.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"
#include "snmp/ber.h"

/* Pauses between tries grow by this much, up to the longest. */
#define BACKOFF_PERCENT		170
#define JITTER_PERCENT		10
#define PAUSE_MAX_MS		15000
/* How often a device may say in one request that it wants to be asked once
 * more: its engine, then its clock, and once more for bad luck. */
#define ROUNDS_MAX		3

static void	 check_silence(struct talk *);

/* Request and message ids: what is above fits no INTEGER of RFC 3416 and
 * RFC 3412. */
static int32_t
next_id(int32_t id)
{
	return id == INT32_MAX ? 1 : id + 1;
}

static int32_t
random_id(struct asker *asker)
{
	return (int32_t)(asker_random(asker) >> 2) + 1;
}

/* The pause before try number tries + 1. */
static int64_t
pause_ms(const struct talk *talk)
{
	int64_t ms = talk->timeout_ms;
	int i;

	for (i = 0; i < talk->tries && ms < PAUSE_MAX_MS; i++)
		ms = ms * BACKOFF_PERCENT / 100;
	if (ms > PAUSE_MAX_MS && ms > talk->timeout_ms)
		ms = PAUSE_MAX_MS > talk->timeout_ms ? PAUSE_MAX_MS :
		    talk->timeout_ms;
	/* Only ever longer: the first try has what its caller said. */
	return ms + ms * (asker_random(talk->asker) % (JITTER_PERCENT + 1)) /
	    100;
}

/* The last thing that its caller does: talk may be gone afterwards. */
static void
finish(struct talk *talk, enum talk_status status, int error,
    const struct talk_varbind *vb, size_t vb_len)
{
	talk_fn *fn = talk->fn;

	timer_clear(talk->asker->loop, &talk->timer);
	asker_leave(talk);
	if (talk->asker->watch != NULL)
		asker_show(talk, status, error, vb, vb_len);
	talk->fn = NULL;
	fn(talk->arg, status, error, vb, vb_len);
}

static void
on_verdict(void *arg)
{
	struct talk *talk = arg;

	finish(talk, talk->verdict, talk->verdict_error, NULL, 0);
}

/* For what is known inside of talk_ask(): told by the loop. */
static void
finish_soon(struct talk *talk, enum talk_status status, int error)
{
	asker_leave(talk);
	talk->verdict = status;
	talk->verdict_error = error;
	timer_after(talk->asker->loop, &talk->timer, 0, on_verdict, talk);
}

/* --- sending ------------------------------------------------------------------ */

/* Each message of v3 has an id of its own (RFC 3412 section 6.2); answers to
 * any of them since first_id are good. */
static void
compose(struct talk *talk, struct ber_out *out)
{
	if (talk->version != 3) {
		question_put(&talk->question, out, talk->request_id);
		ber_put_message(out, talk->version, talk->community);
		return;
	}
	talk->last_id = next_id(talk->last_id);
	if (!usm_engine_known(talk->engine)) {
		usm_put_discovery(out, talk->last_id);
		return;
	}
	question_put(&talk->question, out, talk->request_id);
	usm_put_message(out, talk->last_id, talk->engine,
	    talk->credential->user, talk->context);
}

static void
send_message(struct talk *talk, const struct ber_out *out)
{
	size_t len = ber_out_len(out);

	line_send(talk->line, out->at, len);
	talk->traffic.requests++;
	talk->traffic.bytes_out += (int64_t)len;
}

static void
await(struct talk *talk, void (*on_over)(void *))
{
	talk->stalled_ms = loop_stalled_ms(talk->asker->loop);
	timer_after(talk->asker->loop, &talk->timer, pause_ms(talk), on_over,
	    talk);
}

/* Sends what is written anew for each try: in v1 and v2c the same octets.
 * False when it does not fit into a datagram. */
static bool
send_try(struct talk *talk)
{
	struct asker *asker = talk->asker;
	struct ber_out out;

	ber_out_init(&out, asker->message, sizeof(asker->message));
	compose(talk, &out);
	if (!out.full)
		send_message(talk, &out);
	return !out.full;
}

static void
give_up(struct talk *talk)
{
	if (talk->forged)
		finish(talk, TALK_DENIED, USM_FORGED, NULL, 0);
	else if (talk->undecodable)
		finish(talk, TALK_ERROR, TALK_UNDECODABLE, NULL, 0);
	else
		finish(talk, TALK_TIMEOUT, 0, NULL, 0);
}

/* While we did not listen no answer could come, and perhaps the question had
 * not left either: waits on for as long as that was. */
static bool
wait_on(struct talk *talk, void (*on_over)(void *))
{
	int64_t stalled = loop_stalled_ms(talk->asker->loop);
	int64_t more = stalled - talk->stalled_ms;

	if (more <= 0)
		return false;
	talk->stalled_ms = stalled;
	timer_after(talk->asker->loop, &talk->timer, more <
	    talk->timeout_ms ? more : talk->timeout_ms, on_over, talk);
	return true;
}

static void
on_check_over(void *arg)
{
	if (!wait_on(arg, on_check_over))
		check_silence(arg);
}

/* v3: nobody answered the question.  Some say nothing to what they cannot
 * decrypt, but answer what shows that: usm_put_check(). */
static void
check_silence(struct talk *talk)
{
	struct ber_out out;
	enum usm_verdict verdict;

	ber_out_init(&out, talk->asker->message,
	    sizeof(talk->asker->message));
	talk->first_id = talk->last_id = next_id(talk->last_id);
	verdict = usm_put_check(&out, talk->last_id, talk->engine,
	    talk->credential->user, talk->context);
	if (verdict == USM_CHECK && !out.full) {
		send_message(talk, &out);
		await(talk, on_check_over);
	} else if (verdict == USM_WRONG_PRIVACY ||
	    verdict == USM_UNKNOWN_CONTEXT)
		finish(talk, TALK_DENIED, (int)verdict, NULL, 0);
	else
		give_up(talk);
}

static void
on_try_over(void *arg)
{
	struct talk *talk = arg;

	if (wait_on(talk, on_try_over))
		return;
	if (talk->tries < talk->retries) {
		talk->tries++;
		send_try(talk);
		await(talk, on_try_over);
	} else if (talk->version == 3)
		check_silence(talk);
	else
		give_up(talk);
}

static void
send_first_try(struct talk *talk)
{
	talk->tries = 0;
	talk->undecodable = talk->forged = false;
	talk->first_id = next_id(talk->last_id);
	if (send_try(talk))
		await(talk, on_try_over);
	else
		finish_soon(talk, TALK_TOO_BIG, 0);
}

static void
send_request(struct talk *talk)
{
	talk->request_id = next_id(talk->request_id);
	talk->rounds = 0;
	talk->forgotten = false;
	send_first_try(talk);
}

/* --- answers ------------------------------------------------------------------ */

/*
 * RFC 1157 section 4.1: one object that is not there spoils a whole v1
 * request and is named by the index.  Some v2c agents do likewise.
 */
static void
take_error(struct talk *talk, const struct ber_pdu *pdu)
{
	static const struct ber_in nothing;
	struct talk_varbind *vb = talk->asker->answer;
	size_t n = 0;

	if ((pdu->error_status == BER_NO_SUCH_NAME ||
	    pdu->error_status == BER_NO_ACCESS) &&
	    question_leave_out(&talk->question, pdu->error_index)) {
		if (question_all_left_out(&talk->question)) {
			question_lay_out(&talk->question, nothing, vb, &n);
			finish(talk, TALK_OK, 0, vb, n);
		} else
			send_request(talk);
		return;
	}
	if (pdu->error_status == BER_TOO_BIG)
		finish(talk, TALK_TOO_BIG, 0, NULL, 0);
	else
		finish(talk, TALK_ERROR, pdu->error_status > 0 &&
		    pdu->error_status < 256 ? pdu->error_status :
		    BER_GEN_ERR, NULL, 0);
}

/* in is where a PDU should be. */
static void
take_pdu(struct talk *talk, struct ber_in *in)
{
	struct talk_varbind *vb = talk->asker->answer;
	struct ber_pdu pdu;
	size_t n;

	if (!ber_get_pdu(in, &pdu))
		talk->undecodable = true;
	else if (pdu.type != BER_RESPONSE ||
	    pdu.request_id != talk->request_id)
		;
	else if (pdu.error_status != 0)
		take_error(talk, &pdu);
	else if (!question_lay_out(&talk->question, pdu.varbinds, vb, &n))
		talk->undecodable = true;
	else
		finish(talk, TALK_OK, 0, vb, n);
}

static void
take_v1_v2c(struct talk *talk, const uint8_t *bytes, size_t len)
{
	const uint8_t *community;
	size_t community_len;
	int version;
	struct ber_in in;

	if (!ber_get_message(bytes, len, &version, &community,
	    &community_len, &in))
		talk->undecodable = true;
	else if (version == talk->version &&
	    community_len == strlen(talk->community) &&
	    memcmp(community, talk->community, community_len) == 0)
		take_pdu(talk, &in);
}

/* The id of a v3 message (RFC 3412 section 6) if it is one of ours. */
static bool
is_ours(const struct talk *talk, const uint8_t *bytes, size_t len,
    int32_t *id)
{
	struct ber_in in, message, header;
	int64_t version, found;

	ber_in_init(&in, bytes, len);
	if (!ber_enter(&in, BER_SEQUENCE, &message) ||
	    !ber_get_int(&message, BAG_INTEGER, &version) || version != 3 ||
	    !ber_enter(&message, BER_SEQUENCE, &header) ||
	    !ber_get_int(&header, BAG_INTEGER, &found) || found < 0 ||
	    found > INT32_MAX)
		return false;
	*id = (int32_t)found;
	if (talk->first_id <= talk->last_id)
		return *id >= talk->first_id && *id <= talk->last_id;
	return *id >= talk->first_id || (*id > 0 && *id <= talk->last_id);
}

/* The device told its engine or its clock, or shall tell them: now it can be
 * asked. */
static void
ask_again(struct talk *talk, enum usm_verdict verdict)
{
	if (++talk->rounds <= ROUNDS_MAX)
		send_first_try(talk);
	else if (verdict == USM_AGAIN)
		finish(talk, TALK_DENIED, USM_TIME_WINDOW, NULL, 0);
	else
		finish(talk, TALK_ERROR, TALK_UNDECODABLE, NULL, 0);
}

static void
take_v3(struct talk *talk, const uint8_t *bytes, size_t len)
{
	struct asker *asker = talk->asker;
	enum usm_verdict verdict;
	struct ber_in in;
	int32_t id;

	if (!is_ours(talk, bytes, len, &id)) {
		/* Late ones are sound, and pass without a word. */
		if (ber_message_version(bytes, len) != 3)
			talk->undecodable = true;
		return;
	}
	if (asker->scratch == NULL)
		asker->scratch = xmalloc(USM_MESSAGE_MAX);
	verdict = usm_get_message(bytes, len, id, talk->engine,
	    talk->credential->user, asker->scratch, &in);
	switch (verdict) {
	case USM_OK:
		take_pdu(talk, &in);
		break;
	case USM_OTHER:
		talk->undecodable = true;
		break;
	case USM_FORGED:
		/* The true one may still come. */
		talk->forged = true;
		break;
	case USM_CHECK:
		check_silence(talk);
		break;
	case USM_DISCOVERED:
	case USM_AGAIN:
		ask_again(talk, verdict);
		break;
	case USM_TIME_WINDOW:
		if (!talk->forgotten) {
			talk->forgotten = true;
			usm_engine_forget(talk->engine);
			ask_again(talk, USM_AGAIN);
			break;
		}
		/* FALLTHROUGH */
	default:
		finish(talk, TALK_DENIED, (int)verdict, NULL, 0);
	}
}

static void
on_line(void *arg, enum line_event event, const uint8_t *bytes, size_t len)
{
	struct talk *talk = arg;

	talk->traffic.bytes_in += (int64_t)len;
	if (!talk->under_way)
		return;			/* late, or nobody asked */
	if (event == LINE_REFUSED)
		finish(talk, TALK_REFUSED, 0, NULL, 0);
	else if (talk->version == 3)
		take_v3(talk, bytes, len);
	else
		take_v1_v2c(talk, bytes, len);
}

/* --- what others call --------------------------------------------------------- */

struct talk *
talk_new(struct asker *asker, const struct talk_target *target)
{
	const struct credential *credential = target->credential;
	struct talk *talk;

	talk = xmalloc(sizeof(*talk));
	memset(talk, 0, sizeof(*talk));
	talk->asker = asker;
	talk->addr = target->addr;
	talk->alone = target->alone;
	talk->version = target->version;
	talk->credential = credential;
	talk->context = target->context;
	talk->timeout_ms = target->timeout_ms > 0 ? target->timeout_ms : 1;
	talk->retries = target->retries > 0 ? target->retries : 0;
	talk->request_id = random_id(asker);
	if (talk->version == 3) {
		if (talk->context == NULL)
			talk->context = credential->context;
		talk->last_id = random_id(asker);
		talk->engine = target->engine;
		talk->own_engine = target->engine == NULL;
		if (talk->own_engine)
			talk->engine = usm_engine_new();
		return talk;
	}
	talk->community = credential->community != NULL ?
	    credential->community : "";
	if (talk->context != NULL)
		talk->community = talk->our_community = xasprintf("%s@%s",
		    talk->community, talk->context);
	return talk;
}

void
talk_free(struct talk *talk)
{
	if (talk == NULL)
		return;
	asker_leave(talk);
	timer_clear(talk->asker->loop, &talk->timer);
	line_close(talk->line);
	secret_free(talk->our_community);
	if (talk->own_engine)
		usm_engine_free(talk->engine);
	question_clear(&talk->question);
	free(talk);
}

const struct talk_traffic *
talk_traffic(const struct talk *talk)
{
	return &talk->traffic;
}

void
talk_begin(struct talk *talk)
{
	if (talk->version == 3 && talk->credential->user == NULL) {
		finish_soon(talk, TALK_DENIED, USM_UNKNOWN_USER);
		return;
	}
	if (talk->line == NULL)
		talk->line = line_open(talk->asker->mux, &talk->addr,
		    talk->alone, on_line, talk);
	if (talk->line == NULL) {
		log_warn("asker", "cannot open a socket");
		finish_soon(talk, TALK_ERROR, TALK_NO_SOCKET);
		return;
	}
	asker_count(talk);
	send_request(talk);
}

void
talk_ask(struct talk *talk, const struct talk_question *question,
    talk_fn *fn, void *arg)
{
	if (talk->fn != NULL || question->n == 0 ||
	    question->n > TALK_VARBINDS_MAX ||
	    (question->op == TALK_GETBULK && talk->version == 1))
		fatalx("asker", "asked wrongly: %zu objects of v%d%s",
		    question->n, talk->version,
		    talk->fn != NULL ? ", another request is out" : "");
	question_set(&talk->question, question);
	talk->fn = fn;
	talk->arg = arg;
	if (talk->asker->watch != NULL)
		talk->asked_ms = clock_mono_ms();
	asker_join(talk);
}
