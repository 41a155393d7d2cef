#include "tests/sim/serve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "tests/sim/answer.h"
#include "tests/sim/late.h"

#define BATCH		128
#define REQUEST_MAX	4096
/* Answers of one batch lie one after the other. */
#define HEAP_SIZE	(BATCH * 2048 + 2 * ANSWER_ROOM)
#define CONTROL_SIZE	CMSG_SPACE(sizeof(struct in_pktinfo))
#define SOCKET_BUFFER	(64 * 1024 * 1024)

struct slot {
	struct iovec		 iov;
	struct sockaddr_in	 peer;
	_Alignas(struct cmsghdr) char control[CONTROL_SIZE];
};

struct serve {
	struct loop	*loop;
	struct lan	*lan;
	int		 fd;
	int		 raw;		/* -1 unless refusing */
	int		 port;
	struct mmsghdr	 in[BATCH], out[BATCH];
	struct slot	 in_slot[BATCH], out_slot[BATCH];
	uint8_t		 requests[BATCH][REQUEST_MAX];
	uint8_t		 heap[HEAP_SIZE];
	size_t		 heap_used;
	unsigned	 out_len;
	int64_t		 now_ms;
	struct late	*late;
	struct timer	 timer;
};

static bool
loopback(uint32_t addr)
{
	return addr >> 24 == 127;
}

static void
flush(struct serve *s)
{
	unsigned sent = 0;
	int n;

	while (sent < s->out_len) {
		n = sendmmsg(s->fd, s->out + sent, s->out_len - sent, 0);
		if (n > 0)
			sent += (unsigned)n;
		else if (errno != EINTR)
			sent++;		/* this one is lost */
	}
	s->out_len = 0;
	s->heap_used = 0;
}

/* bytes already lie in the heap. */
static void
queue(struct serve *s, const uint8_t *bytes, size_t len, uint32_t from,
    const struct sockaddr_in *to)
{
	struct slot *slot = &s->out_slot[s->out_len];
	struct msghdr *h = &s->out[s->out_len].msg_hdr;
	struct in_pktinfo info = { 0 };
	struct cmsghdr *c;

	slot->iov.iov_base = (void *)(uintptr_t)bytes;
	slot->iov.iov_len = len;
	slot->peer = *to;
	memset(h, 0, sizeof(*h));
	h->msg_name = &slot->peer;
	h->msg_namelen = sizeof(slot->peer);
	h->msg_iov = &slot->iov;
	h->msg_iovlen = 1;
	h->msg_control = slot->control;
	h->msg_controllen = sizeof(slot->control);
	c = CMSG_FIRSTHDR(h);
	c->cmsg_level = IPPROTO_IP;
	c->cmsg_type = IP_PKTINFO;
	c->cmsg_len = CMSG_LEN(sizeof(info));
	info.ipi_spec_dst.s_addr = htonl(from);
	memcpy(CMSG_DATA(c), &info, sizeof(info));
	s->out_len++;
}

static void	set_timer(struct serve *);

static void
send_late(void *arg)
{
	struct serve *s = arg;
	struct late_answer *first = late_take(s->late, clock_mono_ms());
	struct late_answer *a, *next;

	for (a = first; a != NULL; a = a->next) {
		if (s->out_len == BATCH)
			flush(s);
		queue(s, a->bytes, a->len, a->from, &a->to);
	}
	flush(s);
	for (a = first; a != NULL; a = next) {
		next = a->next;
		free(a);
	}
	set_timer(s);
}

static void
set_timer(struct serve *s)
{
	int64_t next_ms = late_next(s->late);

	if (next_ms >= 0)
		timer_set(s->loop, &s->timer, next_ms, send_late, s);
}

static uint16_t
checksum(const uint8_t *bytes, size_t len)
{
	uint32_t sum = 0;
	size_t i;

	for (i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)(bytes[i] << 8 | bytes[i + 1]);
	if (len % 2 != 0)
		sum += (uint32_t)(bytes[len - 1] << 8);
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void
put16(uint8_t *out, unsigned n)
{
	out[0] = (uint8_t)(n >> 8);
	out[1] = (uint8_t)n;
}

static void
put32(uint8_t *out, uint32_t n)
{
	put16(out, n >> 16);
	put16(out + 2, n & 0xffff);
}

/* RFC 792: port unreachable, with the IP and UDP head that caused it. */
static void
refuse(struct serve *s, uint32_t addr, const struct sockaddr_in *peer,
    size_t len)
{
	uint8_t icmp[8 + 20 + 8] = { ICMP_DEST_UNREACH, ICMP_PORT_UNREACH };
	uint8_t *ip = icmp + 8, *udp = ip + 20;
	struct sockaddr_in to = *peer;

	if (s->raw < 0)
		return;
	ip[0] = 0x45;
	put16(ip + 2, (unsigned)(28 + len));
	ip[8] = 64;
	ip[9] = IPPROTO_UDP;
	put32(ip + 12, ntohl(peer->sin_addr.s_addr));
	put32(ip + 16, addr);
	put16(ip + 10, checksum(ip, 20));
	put16(udp, ntohs(peer->sin_port));
	put16(udp + 2, (unsigned)s->port);
	put16(udp + 4, (unsigned)(8 + len));
	put16(icmp + 2, checksum(icmp, sizeof(icmp)));
	to.sin_port = 0;
	/* as good as lost when it fails: nobody is at that address */
	if (sendto(s->raw, icmp, sizeof(icmp), 0, (struct sockaddr *)&to,
	    sizeof(to)) < 0)
		log_debug("serve", "port unreachable not sent");
}

static uint32_t
asked_address(struct msghdr *h)
{
	struct in_pktinfo info;
	struct cmsghdr *c;

	for (c = CMSG_FIRSTHDR(h); c != NULL; c = CMSG_NXTHDR(h, c))
		if (c->cmsg_level == IPPROTO_IP &&
		    c->cmsg_type == IP_PKTINFO) {
			memcpy(&info, CMSG_DATA(c), sizeof(info));
			return ntohl(info.ipi_addr.s_addr);
		}
	return 0;
}

/* The answer's way out, through whatever ails the device. */
static void
dispatch(struct serve *s, struct device *d, uint8_t *bytes, size_t len,
    uint32_t wait_ms, const struct sockaddr_in *peer)
{
	struct fault *f = d->fault;
	uint32_t from = d->addr;
	int copies;

	if (f != NULL) {
		if (fault_loses(f))
			return;
		len = fault_spoil(f, bytes, len, ANSWER_ROOM);
		if (f->wrong_source)	/* 127.254/16 is nobody's */
			from = 127u << 24 | 254u << 16 | (from & 0xffff);
	}
	d->traffic.answers++;
	d->traffic.bytes_out += len;
	for (copies = f != NULL && f->twice ? 2 : 1; copies > 0; copies--) {
		if (wait_ms > 0) {
			late_put(s->late, s->now_ms + wait_ms, bytes, len,
			    from, peer);
			continue;
		}
		if (s->out_len == BATCH)
			break;		/* a copy too many is no loss */
		queue(s, bytes, len, from, peer);
	}
	if (wait_ms == 0)
		s->heap_used += len;
}

static void
take(struct serve *s, struct mmsghdr *m)
{
	struct slot *slot = &s->in_slot[m - s->in];
	uint32_t to = asked_address(&m->msg_hdr), wait_ms = 0;
	struct traffic *stray = lan_stray(s->lan);
	struct device *d;
	uint8_t *bytes;
	size_t len;

	if (!loopback(to) || !loopback(ntohl(slot->peer.sin_addr.s_addr)))
		return;
	d = lan_find(s->lan, to);
	if (d == NULL) {
		stray->requests++;
		stray->bytes_in += m->msg_len;
		refuse(s, to, &slot->peer, m->msg_len);
		return;
	}
	if (d->fault != NULL) {
		if (d->fault->silent)
			return;
		wait_ms = fault_delay_ms(d->fault, s->now_ms);
	}
	wait_ms += lan_latency(s->lan, d);
	if (m->msg_hdr.msg_flags & MSG_TRUNC) {
		d->traffic.malformed++;
		return;
	}
	if (s->out_len == BATCH || HEAP_SIZE - s->heap_used < ANSWER_ROOM)
		flush(s);
	record_put(lan_record(s->lan), to, s->requests[m - s->in],
	    m->msg_len);
	bytes = s->heap + s->heap_used;
	len = answer_make(s->lan, d, s->requests[m - s->in], m->msg_len,
	    s->now_ms, bytes);
	if (len > 0)
		dispatch(s, d, bytes, len, wait_ms, &slot->peer);
}

static void
on_readable(void *arg, int fd, unsigned events)
{
	struct serve *s = arg;
	int n, i, rounds;

	s->now_ms = clock_mono_ms();
	for (rounds = 0; rounds < 16; rounds++) {
		for (i = 0; i < BATCH; i++) {
			s->in[i].msg_hdr.msg_namelen =
			    sizeof(s->in_slot[i].peer);
			s->in[i].msg_hdr.msg_controllen = CONTROL_SIZE;
		}
		n = recvmmsg(fd, s->in, BATCH, MSG_DONTWAIT, NULL);
		for (i = 0; i < n; i++)
			take(s, &s->in[i]);
		flush(s);
		if (n < BATCH)
			break;
	}
	set_timer(s);
}

static int
open_socket(int port)
{
	struct sockaddr_in any = { .sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port) };
	int fd, on = 1, size = SOCKET_BUFFER;

	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		log_warn("serve", "socket");
		return -1;
	}
	/* Bound to every address, because Linux has no socket for a whole
	 * network; tied to lo, so that nothing else ever reaches it (take()
	 * looks again, for kernels that do not let us). */
	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3) < 0)
		log_debug("serve", "not tied to lo");
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size,
	    sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size,
	    sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	if (setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)) < 0 ||
	    bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0) {
		log_warn("serve", "UDP port %d", port);
		close(fd);
		return -1;
	}
	return fd;
}

static void
prepare(struct serve *s)
{
	struct msghdr *h;
	int i;

	for (i = 0; i < BATCH; i++) {
		h = &s->in[i].msg_hdr;
		s->in_slot[i].iov.iov_base = s->requests[i];
		s->in_slot[i].iov.iov_len = REQUEST_MAX;
		h->msg_name = &s->in_slot[i].peer;
		h->msg_iov = &s->in_slot[i].iov;
		h->msg_iovlen = 1;
		h->msg_control = s->in_slot[i].control;
	}
}

static int
send_now(void *arg, uint32_t from, const struct sockaddr_in *to,
    const void *bytes, size_t len)
{
	struct serve *s = arg;

	flush(s);
	queue(s, bytes, len, from, to);
	flush(s);
	return 0;
}

struct serve *
serve_start(struct loop *loop, struct lan *lan, int port, bool refusing)
{
	struct serve *s = xcalloc(1, sizeof(*s));
	struct sockaddr_in bound;
	socklen_t len = sizeof(bound);

	s->loop = loop;
	s->lan = lan;
	s->raw = -1;
	s->fd = open_socket(port);
	if (s->fd < 0) {
		free(s);
		return NULL;
	}
	if (getsockname(s->fd, (struct sockaddr *)&bound, &len) == 0)
		s->port = ntohs(bound.sin_port);
	if (refusing) {
		s->raw = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC |
		    SOCK_NONBLOCK, IPPROTO_ICMP);
		if (s->raw < 0)
			log_warn("serve", "cannot refuse, only keep silent");
	}
	prepare(s);
	s->late = late_new(clock_mono_ms());
	lan_on_send(lan, send_now, s);
	loop_watch(loop, s->fd, LOOP_READ, on_readable, s);
	return s;
}

int
serve_port(const struct serve *s)
{
	return s->port;
}

void
serve_stop(struct serve *s)
{
	if (s == NULL)
		return;
	loop_watch(s->loop, s->fd, 0, NULL, NULL);
	close(s->fd);
	if (s->raw >= 0)
		close(s->raw);
	timer_clear(s->loop, &s->timer);
	late_free(s->late);
	free(s);
}
