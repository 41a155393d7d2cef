#include "snmp/asker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"
#include "snmp/udp.h"

/* Pauses between tries grow by this much, up to the longest. */
#define BACKOFF_PERCENT		170
#define JITTER_PERCENT		10
#define PAUSE_MAX_MS		15000
/* What the library may say in our log within a minute. */
#define LIBRARY_LINES		20

struct asker {
	struct loop	*loop;
	size_t		 open, max_open;
	struct talk	*first, *last;	/* who waits for a socket */
	struct timer	 turn;
	uint32_t	 noise;		/* xorshift state, for jitter */
	struct talk_varbind	 answer[TALK_ANSWER_MAX];
};

struct talk {
	struct asker		*asker;
	struct talk		*next, *before;	/* in the queue */
	bool			 waiting;
	struct sockaddr_in	 addr;
	int			 version;
	char			*community;	/* until the session has it */
	int			 timeout_ms, retries;
	void			*session;	/* net-snmp's; NULL: no socket */
	netsnmp_transport	*transport;
	struct talk_traffic	 traffic;

	/* The request that is outstanding. */
	talk_fn			*fn;		/* NULL: none */
	void			*arg;
	enum talk_op		 op;
	uint32_t		*ids;		/* a length, then that many */
	size_t			 ids_cap;
	size_t			 n;
	uint64_t		 left_out;	/* bits: v1 says noSuchName */
	int			 tries;
	bool			 in_flight;	/* the library waits for it */
	int			 reqid;
	bool			 undecodable;
	struct timer		 timer;
	enum talk_status	 verdict;	/* for on_verdict() */
	int			 verdict_error;

	/* What the library's callback leaves for after its return. */
	bool			 answered;
	long			 error_status, error_index;
	netsnmp_variable_list	*variables;
};

static int
on_library_line(int major, int minor, void *line, void *arg)
{
	static int64_t since_ms;
	static int lines;
	const struct snmp_log_message *message = line;
	int64_t now_ms;

	(void)major;
	(void)minor;
	(void)arg;
	now_ms = clock_mono_ms();
	if (lines == 0 || now_ms - since_ms > 60000) {
		since_ms = now_ms;
		lines = 0;
	}
	if (lines++ < LIBRARY_LINES)
		log_debug("asker", "net-snmp: %s", log_safe(message->msg));
	return 0;
}

/*
 * Only what snmp_sess_init() does by itself, and not init_snmp(): that one
 * reads snmp.conf and MIB files and keeps state under /var.  The switches
 * are for the day when somebody calls it after all.
 */
static void
library_start(void)
{
	static const int on[] = {
		NETSNMP_DS_LIB_DONT_READ_CONFIGS,
		NETSNMP_DS_LIB_DONT_PERSIST_STATE,
		NETSNMP_DS_LIB_DISABLE_PERSISTENT_LOAD,
		NETSNMP_DS_LIB_DISABLE_PERSISTENT_SAVE,
	};
	static bool started;
	netsnmp_session unused;
	netsnmp_log_handler *handler;
	size_t i;

	if (started)
		return;
	started = true;
	for (i = 0; i < sizeof(on) / sizeof(on[0]); i++)
		netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, on[i], 1);
	netsnmp_ds_set_string(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_MIBDIRS,
	    "");
	handler = netsnmp_register_loghandler(NETSNMP_LOGHANDLER_CALLBACK,
	    LOG_DEBUG);
	if (handler != NULL)
		handler->enabled = 1;
	snmp_register_callback(SNMP_CALLBACK_LIBRARY, SNMP_CALLBACK_LOGGING,
	    on_library_line, NULL);
	snmp_sess_init(&unused);
}

struct asker *
asker_new(struct loop *loop, size_t max_open)
{
	struct asker *asker;

	library_start();
	asker = xcalloc(1, sizeof(*asker));
	asker->loop = loop;
	asker->max_open = max_open > 0 ? max_open : 1;
	asker->noise = (uint32_t)clock_wall_ms() | 1;
	return asker;
}

void
asker_free(struct asker *asker)
{
	if (asker == NULL)
		return;
	timer_clear(asker->loop, &asker->turn);
	free(asker);
}

/* The pause before try number tries + 1. */
static int64_t
pause_ms(struct talk *talk)
{
	struct asker *asker = talk->asker;
	int64_t ms = talk->timeout_ms;
	int i;

	for (i = 0; i < talk->tries && ms < PAUSE_MAX_MS; i++)
		ms = ms * BACKOFF_PERCENT / 100;
	if (ms > PAUSE_MAX_MS && ms > talk->timeout_ms)
		ms = PAUSE_MAX_MS > talk->timeout_ms ? PAUSE_MAX_MS :
		    talk->timeout_ms;
	asker->noise ^= asker->noise << 13;
	asker->noise ^= asker->noise >> 17;
	asker->noise ^= asker->noise << 5;
	/* Only ever longer: the first try has what its caller said. */
	return ms + ms * (asker->noise % (JITTER_PERCENT + 1)) / 100;
}

static void
take_traffic(struct talk *talk)
{
	const struct udp_traffic *udp;

	if (talk->session == NULL)
		return;
	udp = udp_traffic(talk->transport);
	talk->traffic.requests = udp->datagrams_out;
	talk->traffic.bytes_out = udp->bytes_out;
	talk->traffic.bytes_in = udp->bytes_in;
}

/* Makes the library forget what it waits for: with no retries and a timeout
 * of a microsecond everything that is outstanding has expired. */
static void
forget_request(struct talk *talk)
{
	if (talk->in_flight)
		snmp_sess_timeout(talk->session);
	talk->in_flight = false;
}

static void
finish(struct talk *talk, enum talk_status status, int error,
    const struct talk_varbind *vb, size_t vb_len)
{
	talk_fn *fn = talk->fn;

	timer_clear(talk->asker->loop, &talk->timer);
	forget_request(talk);
	take_traffic(talk);
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
	talk->verdict = status;
	talk->verdict_error = error;
	timer_after(talk->asker->loop, &talk->timer, 0, on_verdict, talk);
}

static void
on_try_over(void *arg)
{
	struct talk *talk = arg;

	if (talk->tries >= talk->retries) {
		if (talk->undecodable)
			finish(talk, TALK_ERROR, TALK_UNDECODABLE, NULL, 0);
		else
			finish(talk, TALK_TIMEOUT, 0, NULL, 0);
		return;
	}
	talk->tries++;
	if (!udp_resend(talk->transport)) {
		finish(talk, TALK_REFUSED, 0, NULL, 0);
		return;
	}
	timer_after(talk->asker->loop, &talk->timer, pause_ms(talk),
	    on_try_over, talk);
}

/*
 * Called by the library with what it could decode and whose request id is
 * outstanding.  Anything that returns 1 for a Report makes the library write
 * through magic, which it takes for a struct of its own: so only a Response
 * in our version and with our community ends the request.
 */
static int
on_pdu(int op, netsnmp_session *session, int reqid, netsnmp_pdu *pdu,
    void *magic)
{
	struct talk *talk = magic;

	if (op != NETSNMP_CALLBACK_OP_RECEIVED_MESSAGE || !talk->in_flight ||
	    reqid != talk->reqid)
		return 1;
	if (pdu->command != SNMP_MSG_RESPONSE ||
	    pdu->version != session->version ||
	    pdu->community_len != session->community_len ||
	    memcmp(pdu->community, session->community,
	    session->community_len) != 0)
		return 0;
	talk->answered = true;
	talk->in_flight = false;
	talk->error_status = pdu->errstat;
	talk->error_index = pdu->errindex;
	talk->variables = pdu->variables;
	pdu->variables = NULL;
	return 1;
}

static void
send_request(struct talk *talk)
{
	netsnmp_pdu *pdu;
	oid name[OBJID_MAX];
	const uint32_t *id = talk->ids;
	size_t i, j;

	pdu = snmp_pdu_create(talk->op == TALK_GET ? SNMP_MSG_GET :
	    SNMP_MSG_GETNEXT);
	if (pdu == NULL)
		fatalx("asker", "out of memory");
	for (i = 0; i < talk->n; i++) {
		for (j = 0; j < id[0]; j++)
			name[j] = id[1 + j];
		if (!(talk->left_out & (UINT64_C(1) << i)))
			snmp_add_null_var(pdu, name, id[0]);
		id += 1 + id[0];
	}
	talk->tries = 0;
	talk->undecodable = false;
	talk->answered = false;
	talk->reqid = snmp_sess_async_send(talk->session, pdu, on_pdu, talk);
	if (talk->reqid == 0) {
		/* Our transport takes everything: it did not fit. */
		snmp_free_pdu(pdu);
		finish_soon(talk, TALK_TOO_BIG, 0);
		return;
	}
	/* The library keeps the request to send it again, which it never
	 * does here, at 1,136 bytes a varbind. */
	snmp_free_varbind(pdu->variables);
	pdu->variables = NULL;
	talk->in_flight = true;
	if (udp_refused(talk->transport)) {
		finish_soon(talk, TALK_REFUSED, 0);
		return;
	}
	timer_after(talk->asker->loop, &talk->timer, pause_ms(talk),
	    on_try_over, talk);
}

/* The types that a bag knows; others are handed on as octets. */
static void
take_value(const netsnmp_variable_list *var, struct talk_varbind *vb)
{
	struct bag_value *value = &vb->value;
	size_t i;

	vb->missing = false;
	switch (var->type) {
	case ASN_INTEGER:
		value->type = BAG_INTEGER;
		value->number = *var->val.integer;
		break;
	case ASN_COUNTER:
	case ASN_GAUGE:
	case ASN_TIMETICKS:
		value->type = (enum bag_type)var->type;
		value->number = (int64_t)(uint32_t)*var->val.integer;
		break;
	case ASN_UINTEGER:	/* RFC 1442: a gauge by today's name */
		value->type = BAG_GAUGE;
		value->number = (int64_t)(uint32_t)*var->val.integer;
		break;
	case ASN_COUNTER64:
		value->type = BAG_COUNTER64;
		if (var->val.counter64->high > INT32_MAX)
			value->number = INT64_MAX;
		else
			value->number =
			    (int64_t)(var->val.counter64->high << 32 |
			    (var->val.counter64->low & UINT32_MAX));
		break;
	case ASN_OBJECT_ID:
		value->type = BAG_OBJID;
		value->objid.len = var->val_len / sizeof(oid);
		if (value->objid.len > OBJID_MAX)
			value->objid.len = OBJID_MAX;
		for (i = 0; i < value->objid.len; i++)
			value->objid.sub[i] = (uint32_t)var->val.objid[i];
		break;
	case ASN_NULL:
	case SNMP_NOSUCHOBJECT:
	case SNMP_NOSUCHINSTANCE:
	case SNMP_ENDOFMIBVIEW:
		vb->missing = true;
		break;
	default:
		value->type = var->type == ASN_IPADDRESS ? BAG_IPADDRESS :
		    BAG_OCTETS;
		value->octets = var->val.string;
		value->octets_len = var->val.string == NULL ? 0 : var->val_len;
		break;
	}
}

/* Lays the answer out in the order of the question, those that were left out
 * as missing.  Returns how many there are. */
static size_t
lay_out(struct talk *talk, struct talk_varbind *out)
{
	const netsnmp_variable_list *var = talk->variables;
	const uint32_t *id = talk->ids;
	size_t i, j;

	for (i = 0; i < talk->n; i++, id += 1 + id[0]) {
		if (talk->left_out & (UINT64_C(1) << i)) {
			out[i].id.len = id[0];
			memcpy(out[i].id.sub, id + 1, id[0] * sizeof(*id));
			out[i].missing = true;
			continue;
		}
		if (var == NULL)
			break;
		out[i].id.len = var->name_length < OBJID_MAX ?
		    var->name_length : OBJID_MAX;
		for (j = 0; j < out[i].id.len; j++)
			out[i].id.sub[j] = (uint32_t)var->name[j];
		take_value(var, &out[i]);
		var = var->next_variable;
	}
	return i;
}

/*
 * The error index counts the varbinds that were sent; takes that one out.
 * False when it points nowhere.
 */
static bool
leave_out(struct talk *talk, long error_index)
{
	size_t i;
	long at = 0, asked;

	asked = (long)talk->n - __builtin_popcountll(talk->left_out);
	if (asked == 1)
		error_index = 1;	/* some say 0 */
	for (i = 0; i < talk->n; i++) {
		if (talk->left_out & (UINT64_C(1) << i))
			continue;
		if (++at == error_index) {
			talk->left_out |= UINT64_C(1) << i;
			return true;
		}
	}
	return false;
}

/*
 * RFC 1157 section 4.1: one object that is not there spoils a whole v1
 * request and is named by the index.  Some v2c agents do likewise.
 */
static void
take_error(struct talk *talk)
{
	long error = talk->error_status;

	if ((error == SNMP_ERR_NOSUCHNAME || error == SNMP_ERR_NOACCESS) &&
	    leave_out(talk, talk->error_index)) {
		if (__builtin_popcountll(talk->left_out) < (int)talk->n)
			send_request(talk);
		else
			finish(talk, TALK_OK, 0, talk->asker->answer,
			    lay_out(talk, talk->asker->answer));
		return;
	}
	if (error == SNMP_ERR_TOOBIG)
		finish(talk, TALK_TOO_BIG, 0, NULL, 0);
	else
		finish(talk, TALK_ERROR, error > 0 && error < 256 ?
		    (int)error : SNMP_ERR_GENERR, NULL, 0);
}

static void
take_answer(struct talk *talk)
{
	netsnmp_variable_list *variables = talk->variables;

	timer_clear(talk->asker->loop, &talk->timer);
	if (talk->error_status != SNMP_ERR_NOERROR) {
		talk->variables = NULL;
		take_error(talk);
	} else {
		struct talk_varbind *vb = talk->asker->answer;
		size_t n = lay_out(talk, vb);

		talk->variables = NULL;
		finish(talk, TALK_OK, 0, vb, n);
	}
	/* talk may be gone; the values were lent from here. */
	snmp_free_varbind(variables);
}

static void
on_udp(void *arg, enum udp_event event)
{
	struct talk *talk = arg;

	if (talk->fn == NULL)
		return;			/* late, or nobody asked */
	if (event == UDP_REFUSED) {
		finish(talk, TALK_REFUSED, 0, NULL, 0);
		return;
	}
	talk->answered = false;
	if (snmp_sess_read2(talk->session, udp_ready()) != 0)
		talk->undecodable = true;
	if (talk->answered)
		take_answer(talk);
}

static bool
open_session(struct talk *talk)
{
	netsnmp_session wanted;

	talk->transport = udp_open(talk->asker->loop, &talk->addr, on_udp,
	    talk);
	if (talk->transport == NULL) {
		log_warn("asker", "cannot open a socket");
		return false;
	}
	snmp_sess_init(&wanted);
	wanted.version = talk->version == 1 ? SNMP_VERSION_1 :
	    SNMP_VERSION_2c;
	wanted.community = (u_char *)talk->community;
	wanted.community_len = strlen(talk->community);
	wanted.retries = 0;
	wanted.timeout = 1;
	talk->session = snmp_sess_add(&wanted, talk->transport, NULL, NULL);
	if (talk->session == NULL) {
		log_warnx("asker", "net-snmp makes no session: %s",
		    snmp_api_errstring(snmp_errno));
		return false;
	}
	secret_wipe(talk->community, strlen(talk->community));
	free(talk->community);
	talk->community = NULL;
	talk->asker->open++;
	return true;
}

static void
queue_put(struct talk *talk)
{
	struct asker *asker = talk->asker;

	talk->waiting = true;
	talk->next = NULL;
	talk->before = asker->last;
	if (asker->last != NULL)
		asker->last->next = talk;
	else
		asker->first = talk;
	asker->last = talk;
}

static void
queue_take(struct talk *talk)
{
	struct asker *asker = talk->asker;

	if (talk->before != NULL)
		talk->before->next = talk->next;
	else
		asker->first = talk->next;
	if (talk->next != NULL)
		talk->next->before = talk->before;
	else
		asker->last = talk->before;
	talk->waiting = false;
}

static void
open_and_send(struct talk *talk)
{
	if (talk->session != NULL || open_session(talk))
		send_request(talk);
	else
		finish_soon(talk, TALK_ERROR, TALK_NO_SOCKET);
}

static void
on_turn(void *arg)
{
	struct asker *asker = arg;
	struct talk *talk;

	while ((talk = asker->first) != NULL && asker->open < asker->max_open) {
		queue_take(talk);
		open_and_send(talk);
	}
}

struct talk *
talk_new(struct asker *asker, const struct talk_target *target)
{
	struct talk *talk;
	const char *context;

	talk = xcalloc(1, sizeof(*talk));
	talk->asker = asker;
	talk->addr = target->addr;
	talk->version = target->version;
	context = target->context;
	talk->community = xasprintf("%s%s%s",
	    target->credential->community, context != NULL ? "@" : "",
	    context != NULL ? context : "");
	talk->timeout_ms = target->timeout_ms > 0 ? target->timeout_ms : 1;
	talk->retries = target->retries > 0 ? target->retries : 0;
	return talk;
}

void
talk_free(struct talk *talk)
{
	struct asker *asker;

	if (talk == NULL)
		return;
	asker = talk->asker;
	timer_clear(asker->loop, &talk->timer);
	if (talk->waiting)
		queue_take(talk);
	if (talk->session != NULL) {
		/* Tells on_pdu() about what is outstanding: harmless. */
		snmp_sess_close(talk->session);
		asker->open--;
		if (asker->first != NULL)
			timer_after(asker->loop, &asker->turn, 0, on_turn,
			    asker);
	}
	if (talk->community != NULL)
		secret_wipe(talk->community, strlen(talk->community));
	free(talk->community);
	free(talk->ids);
	free(talk);
}

const struct talk_traffic *
talk_traffic(const struct talk *talk)
{
	return &talk->traffic;
}

void
talk_ask(struct talk *talk, const struct talk_question *question,
    talk_fn *fn, void *arg)
{
	const struct objid *ids = question->ids;
	size_t i, n = question->n, words = 0;
	uint32_t *out;

	if (talk->fn != NULL || n == 0 || n > TALK_VARBINDS_MAX)
		fatalx("asker", "asked wrongly: %zu objects%s", n,
		    talk->fn != NULL ? ", another request is out" : "");
	for (i = 0; i < n; i++)
		words += 1 + ids[i].len;
	if (words > talk->ids_cap) {
		talk->ids = xreallocarray(talk->ids, words, sizeof(uint32_t));
		talk->ids_cap = words;
	}
	for (i = 0, out = talk->ids; i < n; i++) {
		*out++ = (uint32_t)ids[i].len;
		memcpy(out, ids[i].sub, ids[i].len * sizeof(*out));
		out += ids[i].len;
	}
	talk->op = question->op;
	talk->n = n;
	talk->left_out = 0;
	talk->fn = fn;
	talk->arg = arg;
	if (talk->session == NULL &&
	    talk->asker->open >= talk->asker->max_open)
		queue_put(talk);
	else
		open_and_send(talk);
}

const char *
talk_why(enum talk_status status, int error)
{
	return status == TALK_DENIED ? "the credentials are wrong" :
	    "it does not answer as it should";
}
