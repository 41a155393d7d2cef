#include "xmpp/tunnel.h"

#include <sys/socket.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/secret.h"

struct tunnel {
	struct loop		*loop;
	int			 fd, wait_ms;
	tunnel_fn		*fn;
	void			*arg;
	struct proxy_talk	 talk;
	struct buf		 out;
	unsigned char		 in[PROXY_ANSWER_MAX + 1];
	size_t			 in_len;
	struct timer		 deadline;
};

static void
forget_fd(struct tunnel *t)
{
	timer_clear(t->loop, &t->deadline);
	if (t->fd != -1)
		loop_watch(t->loop, t->fd, 0, NULL, NULL);
}

static void
end(struct tunnel *t, enum proxy_step step, const char *why)
{
	int	fd = t->fd;

	forget_fd(t);
	t->fd = -1;
	if (step != PROXY_OPEN) {
		close(fd);
		fd = -1;
	}
	t->fn(t->arg, step, fd, why);
}

static void
on_deadline(void *arg)
{
	struct tunnel	*t = arg;
	char		 why[64];

	snprintf(why, sizeof(why), "it has not answered within %.1f s",
	    t->wait_ms / 1000.0);
	end(t, PROXY_REFUSED, why);
}

static void
wipe_out(struct tunnel *t)
{
	if (t->out.data != NULL)
		secret_wipe(t->out.data, t->out.cap);
	buf_reset(&t->out);
}

/* Of the octets come in, all that can be understood.  False when it is over. */
static bool
hear(struct tunnel *t)
{
	enum proxy_step	step;
	size_t		used;

	do {
		step = proxy_hear(&t->talk, t->in, t->in_len, &used, &t->out);
		if (step != PROXY_MORE) {
			end(t, step, t->talk.why);
			return false;
		}
		t->in_len -= used;
		memmove(t->in, t->in + used, t->in_len);
	} while (used > 0 && t->in_len > 0);
	return true;
}

static void	 on_ready(void *, int, unsigned);

static void
watch(struct tunnel *t)
{
	loop_watch(t->loop, t->fd, LOOP_READ | (t->out.len > 0 ? LOOP_WRITE :
	    0), on_ready, t);
}

static void
on_ready(void *arg, int fd, unsigned events)
{
	struct tunnel	*t = arg;
	ssize_t		 n;

	if (events & LOOP_WRITE && t->out.len > 0) {
		n = send(fd, t->out.data, t->out.len, MSG_NOSIGNAL);
		if (n > 0) {
			buf_drop(&t->out, (size_t)n);
			if (t->out.len == 0)
				wipe_out(t);
		}
	}
	n = recv(fd, t->in + t->in_len, sizeof(t->in) - t->in_len, 0);
	if (n == -1 && errno != EAGAIN && errno != EINTR) {
		end(t, PROXY_REFUSED, strerror(errno));
		return;
	}
	if (n == 0) {
		end(t, PROXY_REFUSED, "it closes the connection without an "
		    "answer");
		return;
	}
	if (n > 0) {
		t->in_len += (size_t)n;
		if (!hear(t))
			return;
	}
	watch(t);
}

struct tunnel *
tunnel_new(struct loop *loop, int fd, const struct proxy *proxy,
    const char *host, int port, int wait_ms, tunnel_fn *fn, void *arg)
{
	struct tunnel	*t = xcalloc(1, sizeof(*t));

	t->loop = loop;
	t->fd = fd;
	t->wait_ms = wait_ms;
	t->fn = fn;
	t->arg = arg;
	proxy_begin(&t->talk, proxy, host, port, &t->out);
	timer_after(loop, &t->deadline, wait_ms, on_deadline, t);
	watch(t);
	return t;
}

void
tunnel_free(struct tunnel *t)
{
	if (t == NULL)
		return;
	forget_fd(t);
	if (t->fd != -1)
		close(t->fd);
	wipe_out(t);
	buf_free(&t->out);
	free(t);
}
