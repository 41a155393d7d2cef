#include "xmpp/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/resolve.h"

#define CHUNK		(32 * 1024)
#define CHUNKS		8	/* then the others in the loop have a turn */
#define USER_TIMEOUT_MS	30000

struct wire {
	struct loop			*loop;
	const struct wire_events	*events;
	void				*arg;
	struct resolve			*resolve;
	struct resolve_address		 address[RESOLVE_MAX];
	size_t				 count, next;
	int				 deadline_ms;
	struct timer			 deadline;
	struct timer			 flush;
	int				 fd;
	unsigned			 life;	/* counts closes */
	bool				 up;
	bool				 paused;	/* not reading */
	struct buf			 out;
	size_t				 written;	/* of out */
	int64_t				 heard_ms, put_ms;
	char				 in[CHUNK];
};

static void	 try_next(struct wire *, const char *why);
static void	 on_fd(void *, int, unsigned);

struct wire *
wire_new(struct loop *loop, const struct wire_events *events, void *arg)
{
	struct wire	*w;

	w = xcalloc(1, sizeof(*w));
	w->loop = loop;
	w->events = events;
	w->arg = arg;
	w->fd = -1;
	return w;
}

void
wire_free(struct wire *w)
{
	if (w == NULL)
		return;
	wire_close(w);
	free(w);
}

static void
fd_close(struct wire *w)
{
	if (w->fd == -1)
		return;
	loop_watch(w->loop, w->fd, 0, NULL, NULL);
	close(w->fd);
	w->fd = -1;
}

void
wire_close(struct wire *w)
{
	w->life++;
	resolve_free(w->resolve);
	w->resolve = NULL;
	timer_clear(w->loop, &w->deadline);
	timer_clear(w->loop, &w->flush);
	fd_close(w);
	w->up = w->paused = false;
	w->written = 0;
	buf_free(&w->out);
}

static void
down(struct wire *w, const char *why)
{
	wire_close(w);
	w->events->on_down(w->arg, why);
}

static void
down_errno(struct wire *w, const char *what)
{
	char	 why[160];

	snprintf(why, sizeof(why), "%s: %s", what, strerror(errno));
	down(w, why);
}

static void
watch(struct wire *w)
{
	unsigned	 events = 0;

	if (wire_queued(w) >= WIRE_HIGH)
		w->paused = true;
	else if (wire_queued(w) < WIRE_HIGH / 2)
		w->paused = false;
	if (!w->paused)
		events |= LOOP_READ;
	if (wire_queued(w) > 0)
		events |= LOOP_WRITE;
	loop_watch(w->loop, w->fd, events, on_fd, w);
}

/* 0, or -1 when the connection is gone and has been told. */
static int
write_out(struct wire *w)
{
	ssize_t	 n;

	while (wire_queued(w) > 0) {
		n = send(w->fd, w->out.data + w->written, wire_queued(w),
		    MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && errno == EAGAIN)
			break;
		if (n == -1) {
			down_errno(w, "sending failed");
			return -1;
		}
		w->written += (size_t)n;
		if (w->paused)
			w->heard_ms = clock_mono_ms();
	}
	if (wire_queued(w) == 0) {
		w->written = 0;
		if (w->out.cap > WIRE_HIGH / 4)
			buf_free(&w->out);
		else
			buf_reset(&w->out);
	} else if (w->written > w->out.len / 2) {
		buf_drop(&w->out, w->written);
		w->written = 0;
	}
	watch(w);
	return 0;
}

/* 1 there may be more, 0 nothing more for now, -1 the connection is gone. */
static int
read_in(struct wire *w)
{
	unsigned	 life = w->life;
	ssize_t		 n;

	n = recv(w->fd, w->in, sizeof(w->in), MSG_DONTWAIT);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n == -1) {
		down_errno(w, "receiving failed");
		return -1;
	}
	if (n == 0) {
		down(w, "the server closed the connection");
		return -1;
	}
	w->heard_ms = clock_mono_ms();
	w->events->on_bytes(w->arg, w->in, (size_t)n);
	if (w->life != life)
		return -1;
	return (size_t)n == sizeof(w->in) && wire_queued(w) < WIRE_HIGH;
}

static void
on_flush(void *arg)
{
	(void)write_out(arg);
}

static void
on_connected(struct wire *w)
{
	int		 error = 0;
	socklen_t	 len = sizeof(error);

	if (getsockopt(w->fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1)
		error = errno;
	if (error != 0) {
		try_next(w, strerror(error));
		return;
	}
	timer_clear(w->loop, &w->deadline);
	w->up = true;
	w->heard_ms = w->put_ms = clock_mono_ms();
	watch(w);
	w->events->on_up(w->arg);
}

static void
on_fd(void *arg, int fd, unsigned events)
{
	struct wire	*w = arg;
	unsigned	 life = w->life;
	int		 i, more = 1;

	if (!w->up) {
		on_connected(w);
		return;
	}
	if ((events & LOOP_WRITE) && write_out(w) == -1)
		return;
	if (!(events & LOOP_READ) || w->paused)
		return;
	for (i = 0; i < CHUNKS && more == 1; i++)
		more = read_in(w);
	if (more == -1)
		return;
	w->events->on_turn(w->arg);
	if (w->life == life)
		(void)write_out(w);
}

static void
on_deadline(void *arg)
{
	struct wire	*w = arg;

	if (w->fd != -1)
		try_next(w, "no answer");
	else
		down(w, "cannot connect: the name server does not answer");
}

static void
options(int fd)
{
	static const struct {
		int	 level, name, value;
	} opts[] = {
		/* Or a first stanza stalls for 40 ms. */
		{ IPPROTO_TCP, TCP_NODELAY, 1 },
		/* Dead links: idle ones, and those with data in flight. */
		{ SOL_SOCKET, SO_KEEPALIVE, 1 },
		{ IPPROTO_TCP, TCP_KEEPIDLE, 30 },
		{ IPPROTO_TCP, TCP_KEEPINTVL, 10 },
		{ IPPROTO_TCP, TCP_KEEPCNT, 3 },
		{ IPPROTO_TCP, TCP_USER_TIMEOUT, USER_TIMEOUT_MS },
	};
	size_t	 i;

	for (i = 0; i < sizeof(opts) / sizeof(*opts); i++)
		if (setsockopt(fd, opts[i].level, opts[i].name,
		    &opts[i].value, sizeof(opts[i].value)) == -1)
			log_debug("wire", "socket option %d: %s",
			    opts[i].name, strerror(errno));
}

/* The next address; why is what came of the one before. */
static void
try_next(struct wire *w, const char *why)
{
	const struct resolve_address	*a;
	char				 text[160];

	snprintf(text, sizeof(text), "cannot connect: %s", why);
	fd_close(w);
	while (w->next < w->count) {
		a = &w->address[w->next++];
		w->fd = socket(a->addr.ss_family,
		    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (w->fd != -1) {
			options(w->fd);
			if (connect(w->fd, (const struct sockaddr *)&a->addr,
			    a->len) == 0 || errno == EINPROGRESS) {
				loop_watch(w->loop, w->fd, LOOP_WRITE, on_fd,
				    w);
				timer_after(w->loop, &w->deadline,
				    w->deadline_ms, on_deadline, w);
				return;
			}
		}
		snprintf(text, sizeof(text), "cannot connect: %s",
		    strerror(errno));
		fd_close(w);
	}
	down(w, text);
}

static void
on_resolved(void *arg, const struct resolve_address *address, size_t count,
    const char *why)
{
	struct wire	*w = arg;

	memcpy(w->address, address, count * sizeof(*address));
	w->count = count;
	w->next = 0;
	resolve_free(w->resolve);
	w->resolve = NULL;
	timer_clear(w->loop, &w->deadline);
	try_next(w, why != NULL ? why : "");
}

void
wire_open(struct wire *w, const char *host, int port, int deadline_ms)
{
	wire_close(w);
	w->deadline_ms = deadline_ms;
	w->resolve = resolve_start(w->loop, host, port, AF_UNSPEC,
	    on_resolved, w);
	timer_after(w->loop, &w->deadline, deadline_ms, on_deadline, w);
}

void
wire_put(struct wire *w, const void *bytes, size_t len)
{
	if (!w->up)
		return;
	w->put_ms = clock_mono_ms();
	buf_put(&w->out, bytes, len);
	if (!timer_pending(&w->flush))
		timer_after(w->loop, &w->flush, 0, on_flush, w);
}

/* Waits until fd can be written or read.  False when the time is over. */
static bool
wait_until(int fd, short what, int64_t until_ms)
{
	struct pollfd	 p = { .fd = fd, .events = what };
	int64_t		 left = until_ms - clock_mono_ms();

	return left > 0 && (poll(&p, 1, (int)left) > 0 || errno == EINTR);
}

void
wire_finish(struct wire *w, int wait_ms)
{
	int64_t	 until = clock_mono_ms() + wait_ms;
	ssize_t	 n;

	if (!w->up) {
		wire_close(w);
		return;
	}
	while (wire_queued(w) > 0) {
		n = send(w->fd, w->out.data + w->written, wire_queued(w),
		    MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n > 0)
			w->written += (size_t)n;
		else if ((errno != EAGAIN && errno != EINTR) ||
		    !wait_until(w->fd, POLLOUT, until))
			break;
	}
	/* A close with octets unread would send a reset, and the other side
	 * might lose what it has not read yet. */
	shutdown(w->fd, SHUT_WR);
	while (wait_until(w->fd, POLLIN, until)) {
		n = recv(w->fd, w->in, sizeof(w->in), MSG_DONTWAIT);
		if (n == 0 || (n == -1 && errno != EAGAIN && errno != EINTR))
			break;
	}
	wire_close(w);
}

size_t
wire_queued(const struct wire *w)
{
	return w->out.len - w->written;
}

int64_t
wire_heard_ms(const struct wire *w)
{
	return w->heard_ms;
}

int64_t
wire_put_ms(const struct wire *w)
{
	return w->put_ms;
}
