#include "snmp/mux.h"

#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "snmp/sendqueue.h"
#include "snmp/udpsock.h"

/*
 * Lines are spread over a few sockets, because the kernel bounds what may
 * wait in one, and an unprivileged process cannot raise that.
 */
#define SOCKETS		4
#define BATCH		64
/* Sent at most in one turn by one socket: then answers have their turn. */
#define TURN_BATCHES	4
/* Most answers fit into so much; the octets beyond go elsewhere, so that the
 * usual ones lie close together. */
#define NEAR_SIZE	2048
#define FAR_SIZE	(MUX_PAYLOAD_MAX + 1 - NEAR_SIZE)
/* When the interface's queue is full, which IP_RECVERR tells: try again
 * after, and so many times for one datagram. */
#define NOBUFS_MS	2
#define NOBUFS_TRIES	50

struct line {
	struct mux	*mux;
	struct line	*next;		/* in its bucket */
	line_fn		*fn;
	void		*arg;
	uint64_t	 key;		/* address and port */
	int		 fd;		/* its own; -1: a shared one */
};

struct sock {
	struct mux		*mux;
	int			 fd;		/* -1: not needed yet */
	size_t			 lines;
	bool			 blocked;	/* its buffer is full */
	int			 nobufs;
	struct sendqueue	 queue;
};

struct inbox {
	struct mmsghdr		 msgs[BATCH];
	struct iovec		 iov[BATCH][2];
	struct sockaddr_in	 from[BATCH];
	uint8_t			 near[BATCH][NEAR_SIZE];
	uint8_t			 far[BATCH][FAR_SIZE];
	uint8_t			 whole[MUX_PAYLOAD_MAX + 1];
};

struct mux {
	struct loop	*loop;
	struct sock	 socks[SOCKETS];
	struct line	**buckets;
	unsigned	 bits;		/* 2^bits buckets */
	size_t		 lines;
	struct line	*cursor;	/* who is told next */
	uint64_t	 strays;
	struct later	 flush;
	struct timer	 again;
	struct inbox	*inbox;		/* pages that are used are there */
	int		 busy;		/* inside of a callback of the loop */
	bool		 dead;		/* to be freed after that */
};

static void	 on_flush(void *);

/* --- who has which address ---------------------------------------------------- */

static uint64_t
key_of(const struct sockaddr_in *addr)
{
	return (uint64_t)addr->sin_addr.s_addr << 16 | addr->sin_port;
}

static uint64_t
scatter(uint64_t key)
{
	key *= UINT64_C(0x9e3779b97f4a7c15);
	return key ^ key >> 29;
}

static struct line **
bucket_of(const struct mux *mux, uint64_t key)
{
	return &mux->buckets[scatter(key) >> (64 - mux->bits)];
}

static struct sock *
sock_of(struct mux *mux, uint64_t key)
{
	return &mux->socks[scatter(key) % SOCKETS];
}

static void
grow(struct mux *mux)
{
	size_t i, was = (size_t)1 << mux->bits;
	struct line **old = mux->buckets, *line, **to;

	while (mux->lines > (size_t)1 << mux->bits)
		mux->bits++;
	mux->buckets = xcalloc((size_t)1 << mux->bits, sizeof(*mux->buckets));
	for (i = 0; i < was; i++) {
		while ((line = old[i]) != NULL) {
			old[i] = line->next;
			to = bucket_of(mux, line->key);
			line->next = *to;
			*to = line;
		}
	}
	free(old);
}

static void
table_put(struct mux *mux, struct line *line)
{
	struct line **bucket = bucket_of(mux, line->key);

	line->next = *bucket;
	*bucket = line;
	/* Not under the feet of tell(): leave() does it then. */
	if (++mux->lines > (size_t)1 << mux->bits && mux->busy == 0)
		grow(mux);
}

static void
table_take(struct mux *mux, struct line *line)
{
	struct line **at = bucket_of(mux, line->key);

	while (*at != line)
		at = &(*at)->next;
	*at = line->next;
	if (mux->cursor == line)
		mux->cursor = line->next;
	mux->lines--;
}

/* False when nobody has that address. */
static bool
tell(struct mux *mux, const struct sockaddr_in *addr, enum line_event event,
    const uint8_t *bytes, size_t len)
{
	uint64_t key = key_of(addr);
	struct line *line;
	bool found = false;

	for (line = *bucket_of(mux, key); line != NULL && !mux->dead;
	    line = mux->cursor) {
		mux->cursor = line->next;
		if (line->key != key)
			continue;
		found = true;
		line->fn(line->arg, event, bytes, len);
	}
	return found;
}

/* --- sockets ------------------------------------------------------------------ */

/* One turn's worth of the socket's error queue, in which the kernel says
 * whose datagram it was that failed.  Returns how many there were. */
static int
drain_errors(struct mux *mux, int fd, struct line *alone)
{
	struct sockaddr_in to;
	enum udpsock_news news;
	int n;

	for (n = 0; n < BATCH && !mux->dead; n++) {
		news = udpsock_news(fd, &to);
		if (news == UDPSOCK_NONE)
			break;
		if (news != UDPSOCK_REFUSED)
			continue;
		if (alone == NULL)
			tell(mux, &to, LINE_REFUSED, NULL, 0);
		else if (alone->key == key_of(&to)) {
			alone->fn(alone->arg, LINE_REFUSED, NULL, 0);
			return n + 1;		/* it may be gone */
		}
	}
	return n;
}

static void
enter(struct mux *mux)
{
	mux->busy++;
}

static void
leave(struct mux *mux)
{
	if (--mux->busy > 0)
		return;
	if (mux->dead)
		mux_free(mux);
	else if (mux->lines > (size_t)1 << mux->bits)
		grow(mux);
}

static struct inbox *
inbox_of(struct mux *mux)
{
	struct inbox *in = mux->inbox;
	size_t i;

	if (in != NULL)
		return in;
	/* Not zeroed: most of its pages are never touched. */
	mux->inbox = in = xmalloc(sizeof(*in));
	memset(in->msgs, 0, sizeof(in->msgs));
	for (i = 0; i < BATCH; i++) {
		in->iov[i][0].iov_base = in->near[i];
		in->iov[i][0].iov_len = NEAR_SIZE;
		in->iov[i][1].iov_base = in->far[i];
		in->iov[i][1].iov_len = FAR_SIZE;
		in->msgs[i].msg_hdr.msg_iov = in->iov[i];
		in->msgs[i].msg_hdr.msg_iovlen = 2;
		in->msgs[i].msg_hdr.msg_name = &in->from[i];
		in->msgs[i].msg_hdr.msg_namelen = sizeof(in->from[i]);
	}
	return in;
}

static const uint8_t *
in_one_piece(struct inbox *in, size_t i, size_t len)
{
	if (len <= NEAR_SIZE)
		return in->near[i];
	memcpy(in->whole, in->near[i], NEAR_SIZE);
	memcpy(in->whole + NEAR_SIZE, in->far[i], len - NEAR_SIZE);
	return in->whole;
}

static void
receive(struct sock *sock)
{
	struct mux *mux = sock->mux;
	struct inbox *in = inbox_of(mux);
	size_t i, n;
	int got;

	got = recvmmsg(sock->fd, in->msgs, BATCH, MSG_DONTWAIT, NULL);
	if (got == -1) {
		/* An error of one destination, or readable for nothing but
		 * what waits in the error queue. */
		drain_errors(mux, sock->fd, NULL);
		return;
	}
	for (i = 0, n = (size_t)got; i < n && !mux->dead; i++) {
		size_t len = in->msgs[i].msg_len;

		in->msgs[i].msg_hdr.msg_namelen = sizeof(in->from[i]);
		if (!tell(mux, &in->from[i], LINE_DATAGRAM,
		    in_one_piece(in, i, len), len))
			mux->strays++;
	}
	for (; i < n; i++)
		in->msgs[i].msg_hdr.msg_namelen = sizeof(in->from[i]);
}

static void	 on_sock(void *, int, unsigned);

static void
watch(struct sock *sock)
{
	loop_watch(sock->mux->loop, sock->fd,
	    (sock->lines > 0 ? LOOP_READ : 0u) |
	    (sock->blocked ? LOOP_WRITE : 0u), on_sock, sock);
}

static void
flush_later(struct mux *mux)
{
	loop_later(mux->loop, &mux->flush, on_flush, mux);
}

static void
on_again(void *arg)
{
	flush_later(arg);
}

enum after { GO_ON, WAIT };

/*
 * Nothing left: says why.  sendmmsg() also reports what became of earlier
 * datagrams to others; then the error queue has it, and this one was not
 * tried yet.
 */
static enum after
send_failed(struct sock *sock, int *own)
{
	struct mux *mux = sock->mux;

	switch (errno) {
	case EAGAIN:
		sock->blocked = true;
		watch(sock);
		return WAIT;
	case ENOBUFS:
	case ENOMEM:
		if (++sock->nobufs < NOBUFS_TRIES) {
			if (!timer_pending(&mux->again))
				timer_after(mux->loop, &mux->again,
				    NOBUFS_MS, on_again, mux);
			return WAIT;
		}
		break;
	case EINTR:
		return GO_ON;
	default:
		if (drain_errors(mux, sock->fd, NULL) > 0 || ++*own < 2)
			return GO_ON;
	}
	/* No route, forbidden: lost like any other. */
	sendqueue_drop(&sock->queue, 1);
	sock->nobufs = 0;
	*own = 0;
	return GO_ON;
}

static void
flush(struct sock *sock)
{
	struct mux *mux = sock->mux;
	struct mmsghdr msgs[BATCH];
	struct iovec iov[BATCH];
	size_t n;
	int sent, batches, own = 0;

	for (batches = 0; sock->queue.len > 0 && !mux->dead; batches++) {
		if (batches == TURN_BATCHES) {
			flush_later(mux);
			return;
		}
		n = sendqueue_peek(&sock->queue, msgs, iov, BATCH);
		sent = sendmmsg(sock->fd, msgs, (unsigned)n,
		    MSG_DONTWAIT | MSG_NOSIGNAL);
		if (sent > 0) {
			sendqueue_drop(&sock->queue, (size_t)sent);
			sock->nobufs = 0;
			own = 0;
		} else if (send_failed(sock, &own) == WAIT)
			return;
	}
}

static void
on_flush(void *arg)
{
	struct mux *mux = arg;
	struct sock *sock;
	size_t i;

	enter(mux);
	for (i = 0; i < SOCKETS && !mux->dead; i++) {
		sock = &mux->socks[i];
		if (!sock->blocked &&
		    (sock->nobufs == 0 || !timer_pending(&mux->again)))
			flush(sock);
	}
	leave(mux);
}

static void
on_sock(void *arg, int fd, unsigned events)
{
	struct sock *sock = arg;
	struct mux *mux = sock->mux;

	(void)fd;
	enter(mux);
	if ((events & LOOP_WRITE) != 0) {
		sock->blocked = false;
		watch(sock);
		flush(sock);
	}
	if ((events & LOOP_READ) != 0 && !mux->dead)
		receive(sock);
	leave(mux);
}

/* --- a line with a socket of its own ------------------------------------------ */

static void
on_alone(void *arg, int fd, unsigned events)
{
	struct line *line = arg;
	struct mux *mux = line->mux;
	uint8_t *bytes = inbox_of(mux)->whole;
	ssize_t n;

	(void)events;
	enter(mux);
	n = recv(fd, bytes, MUX_PAYLOAD_MAX + 1, MSG_DONTWAIT);
	if (n == -1)
		drain_errors(mux, fd, line);
	else
		line->fn(line->arg, LINE_DATAGRAM, bytes, (size_t)n);
	leave(mux);
}

/* The news of an earlier datagram may be in the way, and stay in the error
 * queue for on_alone(). */
static void
send_alone(const struct line *line, const struct sockaddr_in *to,
    const void *bytes, size_t len)
{
	int tries = 3;

	while (sendto(line->fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL,
	    (const struct sockaddr *)to, sizeof(*to)) == -1 &&
	    errno != EAGAIN && --tries > 0)
		;
}

/* --- what others call --------------------------------------------------------- */

struct mux *
mux_new(struct loop *loop)
{
	struct mux *mux;
	size_t i;

	mux = xcalloc(1, sizeof(*mux));
	mux->loop = loop;
	mux->bits = 6;
	mux->buckets = xcalloc((size_t)1 << mux->bits, sizeof(*mux->buckets));
	for (i = 0; i < SOCKETS; i++) {
		mux->socks[i].mux = mux;
		mux->socks[i].fd = -1;
	}
	return mux;
}

void
mux_free(struct mux *mux)
{
	size_t i;

	if (mux == NULL)
		return;
	if (mux->busy > 0) {
		mux->dead = true;
		return;
	}
	later_clear(mux->loop, &mux->flush);
	timer_clear(mux->loop, &mux->again);
	for (i = 0; i < SOCKETS; i++) {
		if (mux->socks[i].fd == -1)
			continue;
		loop_watch(mux->loop, mux->socks[i].fd, 0, NULL, NULL);
		close(mux->socks[i].fd);
		sendqueue_clear(&mux->socks[i].queue);
	}
	free(mux->inbox);
	free(mux->buckets);
	free(mux);
}

uint64_t
mux_strays(const struct mux *mux)
{
	return mux->strays;
}

struct line *
line_open(struct mux *mux, const struct sockaddr_in *addr, bool alone,
    line_fn *fn, void *arg)
{
	struct line *line;
	struct sock *sock = sock_of(mux, key_of(addr));
	int fd = alone ? -1 : sock->fd;

	if (fd == -1 && (fd = udpsock_open()) == -1)
		return NULL;
	line = xmalloc(sizeof(*line));
	line->mux = mux;
	line->next = NULL;
	line->fn = fn;
	line->arg = arg;
	line->key = key_of(addr);
	line->fd = alone ? fd : -1;
	if (alone) {
		loop_watch(mux->loop, fd, LOOP_READ, on_alone, line);
		return line;
	}
	sock->fd = fd;
	table_put(mux, line);
	if (sock->lines++ == 0)
		watch(sock);
	return line;
}

void
line_close(struct line *line)
{
	struct sock *sock;

	if (line == NULL)
		return;
	if (line->fd != -1) {
		loop_watch(line->mux->loop, line->fd, 0, NULL, NULL);
		close(line->fd);
	} else {
		sock = sock_of(line->mux, line->key);
		table_take(line->mux, line);
		/* Not watched it does not keep the loop running. */
		if (--sock->lines == 0)
			watch(sock);
	}
	free(line);
}

void
line_send(struct line *line, const void *bytes, size_t len)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
	    .sin_port = (in_port_t)line->key,
	    .sin_addr.s_addr = (in_addr_t)(line->key >> 16) };
	struct sock *sock;

	if (len > MUX_PAYLOAD_MAX)
		return;
	if (line->fd != -1) {
		send_alone(line, &to, bytes, len);
		return;
	}
	sock = sock_of(line->mux, line->key);
	if (sendqueue_put(&sock->queue, &to, bytes, len) && !sock->blocked)
		flush_later(line->mux);
}
