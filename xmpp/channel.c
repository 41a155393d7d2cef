#include "xmpp/channel.h"

#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/secret.h"

#define CHUNK		16384		/* a TLS record */
#define CHUNKS		16		/* then other work gets its turn */
#define HEAD_LEN	8
/* A buffer that has grown larger is given back once it is empty. */
#define KEEP		65536

struct channel {
	struct loop			*loop;
	const struct channel_events	*events;
	void				*arg;
	int				 fd;
	SSL				*ssl;		/* NULL: plain */
	bool				 secured;	/* handshake is over */
	bool				 over;		/* ended, or mute */
	bool				 lost;		/* and not properly */
	bool				 write_wants_read, read_wants_write;
	struct buf			 out;
	size_t				 written;	/* of out */
	struct later			 flush;
	struct timer			 more;
	char				 head[HEAD_LEN + 1];
	size_t				 head_len;
	int				 error;		/* of the last recv() or
							 * send() */
};

static void	 on_fd(void *, int, unsigned);

/*
 * The socket as OpenSSL sees it: its own would raise SIGPIPE.
 */

static void
note_head(struct channel *c, const char *bytes, size_t len)
{
	size_t	n = HEAD_LEN - c->head_len;

	if (n > len)
		n = len;
	memcpy(c->head + c->head_len, bytes, n);
	c->head_len += n;
}

static ssize_t
receive(struct channel *c, char *bytes, size_t len)
{
	ssize_t	n;

	do
		n = recv(c->fd, bytes, len, 0);
	while (n == -1 && errno == EINTR);
	c->error = n == -1 ? errno : 0;
	if (n > 0)
		note_head(c, bytes, (size_t)n);
	return n;
}

static ssize_t
transmit(struct channel *c, const char *bytes, size_t len)
{
	ssize_t	n;

	do
		n = send(c->fd, bytes, len, MSG_NOSIGNAL);
	while (n == -1 && errno == EINTR);
	c->error = n == -1 ? errno : 0;
	return n;
}

static bool
again(const struct channel *c)
{
	return c->error == EAGAIN || c->error == EWOULDBLOCK;
}

static int
bio_read(BIO *bio, char *bytes, int len)
{
	struct channel	*c = BIO_get_data(bio);
	ssize_t		 n = receive(c, bytes, (size_t)len);

	BIO_clear_retry_flags(bio);
	if (n == -1 && again(c))
		BIO_set_retry_read(bio);
	else if (n == 0)
		BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
	return (int)n;
}

static int
bio_write(BIO *bio, const char *bytes, int len)
{
	struct channel	*c = BIO_get_data(bio);
	ssize_t		 n = transmit(c, bytes, (size_t)len);

	BIO_clear_retry_flags(bio);
	if (n == -1 && again(c))
		BIO_set_retry_write(bio);
	return (int)n;
}

static long
bio_ctrl(BIO *bio, int cmd, long num, void *ptr)
{
	if (cmd == BIO_CTRL_FLUSH)
		return 1;
	if (cmd == BIO_CTRL_EOF)
		return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0;
	return 0;
}

static BIO *
socket_bio(struct channel *c)
{
	static BIO_METHOD	*method;
	BIO			*bio;

	if (method == NULL) {
		method = BIO_meth_new(BIO_get_new_index() |
		    BIO_TYPE_SOURCE_SINK, "channel");
		if (method == NULL ||
		    BIO_meth_set_read(method, bio_read) != 1 ||
		    BIO_meth_set_write(method, bio_write) != 1 ||
		    BIO_meth_set_ctrl(method, bio_ctrl) != 1)
			return NULL;
	}
	if ((bio = BIO_new(method)) == NULL)
		return NULL;
	BIO_set_data(bio, c);
	BIO_set_init(bio, 1);
	return bio;
}

/*
 * The end
 */

static void
stop(struct channel *c)
{
	c->over = true;
	later_clear(c->loop, &c->flush);
	timer_clear(c->loop, &c->more);
	if (c->fd != -1)
		loop_watch(c->loop, c->fd, 0, NULL, NULL);
}

static void
end(struct channel *c, enum channel_end how, const char *why)
{
	stop(c);
	c->lost = how != CHANNEL_CLOSED;
	c->events->on_end(c->arg, how, why);
}

static void
end_plain(struct channel *c, ssize_t n)
{
	if (n == 0)
		end(c, CHANNEL_CLOSED, "closed");
	else
		end(c, CHANNEL_LOST, strerror(c->error));
}

/* After an SSL_...() that failed with code. */
static void
end_tls(struct channel *c, int code)
{
	unsigned long	 error = ERR_peek_last_error();
	const char	*text = error != 0 ? ERR_reason_error_string(error) :
			    NULL;
	int		 system = c->error;

	ERR_clear_error();
	if (code == SSL_ERROR_ZERO_RETURN)
		end(c, CHANNEL_CLOSED, "closed");
	else if (system != 0 && !again(c))
		end(c, CHANNEL_LOST, strerror(system));
	else if (ERR_GET_REASON(error) == SSL_R_UNEXPECTED_EOF_WHILE_READING ||
	    text == NULL)
		end(c, CHANNEL_LOST, "closed");
	else
		end(c, CHANNEL_NO_TLS, text);
}

/*
 * Work
 */

static void
watch(struct channel *c)
{
	unsigned	events = LOOP_READ;

	if (c->over)
		return;
	if (c->read_wants_write || (channel_queued(c) > 0 &&
	    !c->write_wants_read && (c->ssl == NULL || c->secured)))
		events |= LOOP_WRITE;
	loop_watch(c->loop, c->fd, events, on_fd, c);
}

/* What SSL_...() waits for, or that it is the end. */
static void
tls_failed(struct channel *c, int n, bool *wants_other, int other)
{
	int	code = SSL_get_error(c->ssl, n);

	*wants_other = code == other;
	if (code != SSL_ERROR_WANT_READ && code != SSL_ERROR_WANT_WRITE)
		end_tls(c, code);
}

static void
handshake(struct channel *c)
{
	int	n;

	ERR_clear_error();
	n = SSL_do_handshake(c->ssl);
	if (n == 1) {
		c->secured = true;
		c->read_wants_write = false;
		c->events->on_secure(c->arg);
	} else
		tls_failed(c, n, &c->read_wants_write, SSL_ERROR_WANT_WRITE);
}

/* Writes some of what waits; false when no more can be written now. */
static bool
write_some(struct channel *c)
{
	const char	*bytes = c->out.data + c->written;
	size_t		 len = channel_queued(c);
	ssize_t		 n;

	if (c->ssl == NULL) {
		if ((n = transmit(c, bytes, len)) == -1 && !again(c))
			end_plain(c, n);
	} else {
		ERR_clear_error();
		c->error = 0;
		n = SSL_write(c->ssl, bytes, len < CHUNK ? (int)len : CHUNK);
		if (n <= 0)
			tls_failed(c, (int)n, &c->write_wants_read,
			    SSL_ERROR_WANT_READ);
	}
	if (n <= 0)
		return false;
	c->written += (size_t)n;
	return true;
}

static void
flush(struct channel *c)
{
	c->write_wants_read = false;
	while (!c->over && channel_queued(c) > 0)
		if (!write_some(c))
			break;
	if (channel_queued(c) == 0) {
		/* Logins pass here, too. */
		if (c->out.data != NULL)
			secret_wipe(c->out.data, c->out.len);
		c->written = 0;
		if (c->out.cap > KEEP)
			buf_free(&c->out);
		else
			buf_reset(&c->out);
	} else if (c->written > c->out.len / 2) {
		buf_drop(&c->out, c->written);
		c->written = 0;
	}
}

static void
on_flush(void *arg)
{
	struct channel	*c = arg;

	if (c->over || (c->ssl != NULL && !c->secured))
		return;
	flush(c);
	watch(c);
}

/* Reads some; false when there is no more now. */
static bool
read_some(struct channel *c)
{
	char	bytes[CHUNK];
	ssize_t	n;

	if (c->ssl == NULL) {
		if ((n = receive(c, bytes, sizeof(bytes))) <= 0 &&
		    (n == 0 || !again(c)))
			end_plain(c, n);
	} else {
		ERR_clear_error();
		c->error = 0;
		n = SSL_read(c->ssl, bytes, sizeof(bytes));
		if (n <= 0)
			tls_failed(c, (int)n, &c->read_wants_write,
			    SSL_ERROR_WANT_WRITE);
	}
	if (n <= 0)
		return false;
	c->events->on_bytes(c->arg, bytes, (size_t)n);
	return true;
}

static void
work(void *arg)
{
	struct channel	*c = arg;
	int		 i;

	if (c->ssl != NULL && !c->secured) {
		handshake(c);
		if (c->over || !c->secured) {
			watch(c);
			return;
		}
	}
	c->read_wants_write = false;
	for (i = 0; i < CHUNKS && !c->over; i++)
		if ((c->ssl != NULL && !c->secured) || !read_some(c))
			break;
	if (c->over)
		return;
	/* poll() does not see what OpenSSL holds already. */
	if (i == CHUNKS)
		timer_after(c->loop, &c->more, 0, work, c);
	if (channel_queued(c) > 0 && (c->ssl == NULL || c->secured))
		flush(c);
	watch(c);
}

static void
on_fd(void *arg, int fd, unsigned events)
{
	work(arg);
}

/*
 * The interface
 */

struct channel *
channel_new(struct loop *loop, int fd, const struct channel_events *events,
    void *arg)
{
	struct channel	*c = xcalloc(1, sizeof(*c));

	c->loop = loop;
	c->fd = fd;
	c->events = events;
	c->arg = arg;
	watch(c);
	return c;
}

void
channel_free(struct channel *c)
{
	if (c == NULL)
		return;
	stop(c);
	SSL_free(c->ssl);
	close(c->fd);
	buf_free(&c->out);
	free(c);
}

void
channel_mute(struct channel *c)
{
	if (c != NULL)
		stop(c);
}

void
channel_secure(struct channel *c, SSL *ssl)
{
	BIO	*bio = socket_bio(c);

	c->ssl = ssl;
	c->secured = false;
	memset(c->head, 0, sizeof(c->head));
	c->head_len = c->written = 0;
	buf_reset(&c->out);
	if (bio == NULL) {
		end(c, CHANNEL_NO_TLS, "OpenSSL has no memory");
		return;
	}
	SSL_set_bio(ssl, bio, bio);
	/* Never from within a callback of its own. */
	timer_after(c->loop, &c->more, 0, work, c);
}

SSL *
channel_ssl(const struct channel *c)
{
	return c->ssl;
}

void
channel_put(struct channel *c, const void *bytes, size_t len)
{
	if (c->over)
		return;
	buf_put(&c->out, bytes, len);
	loop_later(c->loop, &c->flush, on_flush, c);
}

size_t
channel_queued(const struct channel *c)
{
	return c->out.len - c->written;
}

const char *
channel_head(const struct channel *c)
{
	return c->head;
}

void
channel_flush(struct channel *c)
{
	if (!c->over && (c->ssl == NULL || c->secured))
		flush(c);
}

void
channel_finish(struct channel *c, int ms)
{
	struct pollfd	p = { .fd = c->fd };
	int64_t		until = clock_mono_ms() + ms, left;

	if (c->over || (c->ssl != NULL && !c->secured))
		return;
	while (!c->over && (left = until - clock_mono_ms()) > 0) {
		if (channel_queued(c) > 0)
			flush(c);
		while (!c->over && read_some(c))
			;
		p.events = channel_queued(c) > 0 ? POLLIN | POLLOUT : POLLIN;
		if (!c->over)
			poll(&p, 1, (int)left);
	}
	if (c->ssl != NULL && !c->lost && SSL_shutdown(c->ssl) < 0)
		ERR_clear_error();
}
