#include "snmp/hail.h"

#include <sys/random.h>
#include <sys/socket.h>

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bucket.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "snmp/ber.h"
#include "snmp/usm.h"

#define BATCH		64
#define PACKET_MAX	512
#define ANSWER_MAX	2048		/* what is longer is none of ours */
#define ROUNDS_MAX	8		/* of receiving, then others' turn */
#define AGAIN_MS	50		/* after the system took none */
#define BUFFER_SIZE	(1024 * 1024)
/*
 * Some devices answer from another address than was asked (printers.md 1).
 * Of the last questions the addresses are kept, and an answer that belongs to
 * nobody is tried against them; that costs, so it is done seldom.
 */
#define RECENT		8192
#define SEARCHES_S	50

static const uint32_t sys_object_id[] = { 9, 1, 3, 6, 1, 2, 1, 1, 2, 0 };
static const struct objid enterprises = { 6, { 1, 3, 6, 1, 4, 1 } };

struct asked {				/* both in network byte order */
	uint32_t	 address;
	uint16_t	 port;		/* 0: nobody */
};

struct hail {
	struct loop		*loop;
	hail_fn			*fn;
	void			*arg;
	int			 fd;
	uint8_t			 key[crypto_shorthash_KEYBYTES];

	uint8_t			 packet[BATCH][PACKET_MAX];
	struct iovec		 iov[BATCH];
	struct sockaddr_in	 to[BATCH];
	struct mmsghdr		 out[BATCH];
	unsigned		 queued;
	bool			 stopped;	/* the system takes none */
	bool			 warned;
	struct timer		 flush;

	struct asked		 recent[RECENT];
	size_t			 next;
	struct bucket		 searches;
	struct hail_count	 count;
};

/* --- numbers ------------------------------------------------------------------ */

/* Always four octets long and positive: 30 bits of it are not to be guessed. */
static int32_t
number_for(const struct hail *h, const struct sockaddr_in *addr, int version)
{
	uint8_t text[7], hash[crypto_shorthash_BYTES];
	uint32_t number;

	memcpy(text, &addr->sin_addr.s_addr, 4);
	memcpy(text + 4, &addr->sin_port, 2);
	text[6] = (uint8_t)version;
	crypto_shorthash(hash, text, sizeof(text), h->key);
	memcpy(&number, hash, sizeof(number));
	return (int32_t)((number & 0x3fffffff) | 0x40000000);
}

/* Who was asked with that number, if the answer came from from: itself, or
 * one of those that were asked lately. */
static bool
find_asked(struct hail *h, const struct sockaddr_in *from, int version,
    int32_t number, struct hail_answer *out)
{
	size_t i;

	out->addr = *from;
	if (number == number_for(h, from, version))
		return true;
	if (bucket_look(&h->searches, clock_mono_ms()) == 0)
		return false;
	bucket_take(&h->searches, 1);
	for (i = 0; i < RECENT && h->recent[i].port != 0; i++) {
		out->addr.sin_addr.s_addr = h->recent[i].address;
		out->addr.sin_port = h->recent[i].port;
		if (number == number_for(h, &out->addr, version)) {
			out->elsewhere = true;
			return true;
		}
	}
	return false;
}

/* --- sending ------------------------------------------------------------------ */

static void	 on_flush(void *);

/*
 * An address that the system refuses (no route, a broadcast address) is no
 * printer's.  ENOBUFS is a full neighbour table: there are more addresses
 * being looked for in an attached network than the kernel has room for
 * (net.ipv4.neigh.default.gc_thresh3), and waiting helps.
 */
static void
send_queued(struct hail *h)
{
	unsigned sent = 0;
	int n;

	h->stopped = false;
	while (sent < h->queued && !h->stopped) {
		n = sendmmsg(h->fd, h->out + sent, h->queued - sent, 0);
		if (n > 0) {
			h->count.sent += n;
			sent += (unsigned)n;
		} else if (errno == EAGAIN || errno == ENOBUFS) {
			if (errno == ENOBUFS && !h->warned)
				log_info("hail", "the kernel's neighbour "
				    "table is full: going slower; a lower "
				    "[discovery] rate spares it");
			h->warned |= errno == ENOBUFS;
			h->stopped = true;
		} else if (errno != EINTR)
			sent++;
	}
	/* Back to the front, contents and all. */
	h->queued -= sent;
	for (n = 0; n < (int)h->queued; n++) {
		memmove(h->packet[n], h->packet[(unsigned)n + sent],
		    PACKET_MAX);
		h->iov[n].iov_base = h->packet[n] + ((uint8_t *)
		    h->iov[(unsigned)n + sent].iov_base -
		    h->packet[(unsigned)n + sent]);
		h->iov[n].iov_len = h->iov[(unsigned)n + sent].iov_len;
		h->to[n] = h->to[(unsigned)n + sent];
	}
	if (h->queued > 0)
		timer_after(h->loop, &h->flush, AGAIN_MS, on_flush, h);
}

static void
on_flush(void *arg)
{
	send_queued(arg);
}

size_t
hail_room(const struct hail *h)
{
	return h->stopped ? 0 : BATCH - h->queued;
}

bool
hail_send(struct hail *h, const struct sockaddr_in *addr, int version,
    const char *community)
{
	int32_t number = number_for(h, addr, version);
	struct ber_out out;
	unsigned at = h->queued;

	if (hail_room(h) == 0)
		return false;
	ber_out_init(&out, h->packet[at], PACKET_MAX);
	if (version == 3)
		usm_put_discovery(&out, number);
	else {
		ber_put_request(&out, BER_GET, number, 0, 0, sys_object_id, 1);
		ber_put_message(&out, version, community);
	}
	if (out.full)
		return false;
	h->to[at] = *addr;
	h->iov[at].iov_base = out.at;
	h->iov[at].iov_len = ber_out_len(&out);
	h->count.bytes_out += (int64_t)ber_out_len(&out);
	h->recent[h->next].address = addr->sin_addr.s_addr;
	h->recent[h->next].port = addr->sin_port;
	h->next = (h->next + 1) % RECENT;
	if (++h->queued == BATCH)
		send_queued(h);
	else if (!timer_pending(&h->flush))
		timer_after(h->loop, &h->flush, 0, on_flush, h);
	return true;
}

/* --- answers ------------------------------------------------------------------ */

/* A Response to our GET, whatever it says: even an error is an answer. */
static bool
read_response(struct hail *h, const void *bytes, size_t len,
    const struct sockaddr_in *from, struct hail_answer *out)
{
	const uint8_t *community;
	struct bag_value value;
	struct ber_pdu pdu;
	struct ber_in in;
	struct objid id;
	size_t community_len;
	bool missing;

	if (!ber_get_message(bytes, len, &out->version, &community,
	    &community_len, &in) || !ber_get_pdu(&in, &pdu) ||
	    pdu.type != BER_RESPONSE ||
	    !find_asked(h, from, out->version, pdu.request_id, out))
		return false;
	if (ber_get_varbind(&pdu.varbinds, &id, &value, &missing) &&
	    !missing && value.type == BAG_OBJID && value.objid.len > 6 &&
	    objid_within(&value.objid, &enterprises))
		out->enterprise = value.objid.sub[6];
	return true;
}

/* The number of a v3 message and the id of the engine that sent it. */
static bool
read_header(const void *bytes, size_t len, int64_t *number,
    const uint8_t **engine, size_t *engine_len, struct ber_in *scoped)
{
	struct ber_in in, message, header, security, inner;
	const uint8_t *octets;
	int64_t version;
	size_t octets_len;

	ber_in_init(&in, bytes, len);
	if (!ber_enter(&in, BER_SEQUENCE, &message) ||
	    !ber_get_int(&message, BAG_INTEGER, &version) || version != 3 ||
	    !ber_enter(&message, BER_SEQUENCE, &header) ||
	    !ber_get_int(&header, BAG_INTEGER, number) ||
	    !ber_get_octets(&message, BAG_OCTETS, &octets, &octets_len))
		return false;
	*scoped = message;
	ber_in_init(&security, octets, octets_len);
	return ber_enter(&security, BER_SEQUENCE, &inner) &&
	    ber_get_octets(&inner, BAG_OCTETS, engine, engine_len);
}

/* A Report (RFC 3414 section 4): somebody is there, and says who made him
 * (RFC 3411 SnmpEngineID: a bit, then the enterprise number). */
static bool
read_report(struct hail *h, const void *bytes, size_t len,
    const struct sockaddr_in *from, struct hail_answer *out)
{
	struct ber_in scoped, inner;
	const uint8_t *engine, *octets;
	size_t engine_len, octets_len;
	struct ber_pdu pdu;
	int64_t number;

	out->version = 3;
	if (!read_header(bytes, len, &number, &engine, &engine_len,
	    &scoped) || number < 0 || number > INT32_MAX ||
	    !ber_enter(&scoped, BER_SEQUENCE, &inner) ||
	    !ber_get_octets(&inner, BAG_OCTETS, &octets, &octets_len) ||
	    !ber_get_octets(&inner, BAG_OCTETS, &octets, &octets_len) ||
	    !ber_get_pdu(&inner, &pdu) || pdu.type != BER_REPORT ||
	    !find_asked(h, from, 3, (int32_t)number, out))
		return false;
	if (engine_len >= 5)
		out->enterprise = (uint32_t)(engine[0] & 0x7f) << 24 |
		    (uint32_t)engine[1] << 16 | (uint32_t)engine[2] << 8 |
		    engine[3];
	return true;
}

static void
take(struct hail *h, const void *bytes, size_t len,
    const struct sockaddr_in *from)
{
	struct hail_answer answer = { .elsewhere = false };
	bool ours;

	h->count.bytes_in += (int64_t)len;
	ours = ber_message_version(bytes, len) == 3 ?
	    read_report(h, bytes, len, from, &answer) :
	    read_response(h, bytes, len, from, &answer);
	if (ours) {
		h->count.answers++;
		h->fn(h->arg, &answer);
	} else
		h->count.strays++;
}

/* The callback may not free us. */
static void
on_readable(void *arg, int fd, unsigned events)
{
	static uint8_t bytes[BATCH][ANSWER_MAX];
	struct sockaddr_in from[BATCH];
	struct mmsghdr in[BATCH];
	struct iovec iov[BATCH];
	struct hail *h = arg;
	int round, i, n = BATCH;

	for (round = 0; n == BATCH && round < ROUNDS_MAX; round++) {
		memset(in, 0, sizeof(in));
		for (i = 0; i < BATCH; i++) {
			iov[i].iov_base = bytes[i];
			iov[i].iov_len = ANSWER_MAX;
			in[i].msg_hdr.msg_iov = &iov[i];
			in[i].msg_hdr.msg_iovlen = 1;
			in[i].msg_hdr.msg_name = &from[i];
			in[i].msg_hdr.msg_namelen = sizeof(from[i]);
		}
		n = recvmmsg(fd, in, BATCH, MSG_DONTWAIT, NULL);
		for (i = 0; i < n; i++)
			if (!(in[i].msg_hdr.msg_flags & MSG_TRUNC))
				take(h, bytes[i], in[i].msg_len, &from[i]);
	}
}

/* --- exports ------------------------------------------------------------------ */

struct hail *
hail_new(struct loop *loop, hail_fn *fn, void *arg)
{
	int size = BUFFER_SIZE;
	struct hail *h;
	unsigned i;

	h = xcalloc(1, sizeof(*h));
	h->loop = loop;
	h->fn = fn;
	h->arg = arg;
	h->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (h->fd == -1 ||
	    getrandom(h->key, sizeof(h->key), 0) != sizeof(h->key)) {
		log_warn("hail", "no socket to look for printers");
		hail_free(h);
		return NULL;
	}
	/*
	 * As much as we may have.  What does not fit of the answers is asked
	 * again; what waits in an attached network until the kernel has given
	 * up looking for the address (3 s) counts as not sent yet.
	 */
	(void)setsockopt(h->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	(void)setsockopt(h->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	for (i = 0; i < BATCH; i++) {
		h->out[i].msg_hdr.msg_iov = &h->iov[i];
		h->out[i].msg_hdr.msg_iovlen = 1;
		h->out[i].msg_hdr.msg_name = &h->to[i];
		h->out[i].msg_hdr.msg_namelen = sizeof(h->to[i]);
	}
	bucket_init(&h->searches, SEARCHES_S, SEARCHES_S, clock_mono_ms());
	loop_watch(loop, h->fd, LOOP_READ, on_readable, h);
	return h;
}

void
hail_free(struct hail *h)
{
	if (h == NULL)
		return;
	timer_clear(h->loop, &h->flush);
	if (h->fd != -1) {
		loop_watch(h->loop, h->fd, 0, NULL, NULL);
		close(h->fd);
	}
	free(h);
}

void
hail_count(const struct hail *h, struct hail_count *out)
{
	*out = h->count;
}
