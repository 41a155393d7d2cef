#include "xmpp/link.h"

#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "xmpp/pool.h"
#include "xmpp/watchdog.h"

#define TICK_BUSY_MS	20
#define TICK_IDLE_MS	1000
/* After a send without an awaited answer. */
#define AFTERGLOW_MS	1000
/* A TLS record holds 16 KiB, the library reads 4 KiB at a time: once the
 * socket is drained this many calls empty what OpenSSL still holds. */
#define DRAIN_CALLS	5
/* Then other work gets its turn. */
#define PUMP_CALLS	64

struct link {
	struct loop		*loop;
	struct link_config	 config;
	struct link_events	 events;
	void			*arg;
	struct pool		*pool;
	xmpp_log_t		 log;
	xmpp_ctx_t		*ctx;
	xmpp_conn_t		*conn;		/* NULL between tries */
	struct login		 login;
	int			 fd;		/* our dup of the socket */
	unsigned		 watched;
	bool			 up;
	bool			 inside;	/* the library is running */
	bool			 closing;	/* its events mean nothing */
	bool			 hurry;
	int64_t			 afterglow_ms;
	int64_t			 heard_ms;
	uint64_t		 heard_at;	/* taken_bytes() then */
	struct timer		 tick, deadline;
};

static struct link	*current;

static void	 on_tick(void *);

/*
 * libstrophe 0.12.2 walks the children of a <stream:error/> with do/while and
 * so asks for what follows NULL when it has none: a crash that anyone on the
 * path can cause before TLS.  Its own calls come here as well, because the
 * dynamic linker looks in the program first.
 */
xmpp_stanza_t *
xmpp_stanza_get_next(xmpp_stanza_t *stanza)
{
	static xmpp_stanza_t	*(*next)(xmpp_stanza_t *);

	if (stanza == NULL)
		return NULL;
	if (next == NULL)
		*(void **)&next = dlsym(RTLD_NEXT, "xmpp_stanza_get_next");
	return next != NULL ? next(stanza) : NULL;
}

/* How much the library has read from the socket, at least: what came in less
 * what still waits. */
static uint64_t
taken_bytes(const struct link *l)
{
	struct tcp_info	info = { 0 };
	socklen_t	len = sizeof(info);
	int		waiting = 0;

	if (l->fd == -1 || getsockopt(l->fd, IPPROTO_TCP, TCP_INFO, &info,
	    &len) == -1 || ioctl(l->fd, SIOCINQ, &waiting) == -1 ||
	    info.tcpi_bytes_received < (uint64_t)waiting)
		return 0;
	return info.tcpi_bytes_received - (uint64_t)waiting;
}

static bool
stanza_too_long(const struct link *l)
{
	uint64_t	taken;

	if (pool_in_bytes(l->pool) < LINK_STANZA_MAX / 2)
		return false;
	taken = taken_bytes(l);
	return pool_in_bytes(l->pool) > LINK_IN_MAX || (taken > l->heard_at &&
	    taken - l->heard_at > LINK_STANZA_MAX);
}

/* Only the name of a stanza is ever logged: they carry SASL data before the
 * login and sealed reports after it. */
static void
on_log(void *arg, xmpp_log_level_t level, const char *area, const char *msg)
{
	struct link	*l = arg;
	char		 name[40];

	if (strncmp(msg, "RECV: ", 6) == 0) {
		l->heard_ms = clock_mono_ms();
		l->heard_at = taken_bytes(l);
	}
	if (!l->up && l->conn != NULL)
		login_saw(&l->login, area, msg);
	else if (strncmp(msg, "parse error", 11) == 0)
		login_fail(&l->login, LOGIN_FAILED,
		    "what the server sent is not XMPP");
	if (!log_verbose())
		return;
	if (login_element(msg, "RECV", name, sizeof(name)))
		log_debug("uplink", "received <%s>", log_safe(name));
	else if (login_element(msg, "SENT", name, sizeof(name)))
		log_debug("uplink", "sent <%s>", log_safe(name));
	else if (strpbrk(msg, "<[") == NULL)
		log_debug("uplink", "libstrophe %s: %s", area, log_safe(msg));
}

static int
on_bad_cert(const xmpp_tlscert_t *cert, const char *const reason)
{
	if (current != NULL)
		login_bad_cert(&current->login, cert, reason);
	return 0;
}

/*
 * Only here does the library show its socket.  We keep a dup: it is ours to
 * watch and to shut down, and stays the same file when the library closes
 * its own.
 */
static int
on_socket(xmpp_conn_t *conn, void *sock)
{
	struct link	*l = current;
	int		 fd = *(int *)sock, on = 1, idle, interval, count = 3;
	unsigned	 dead_ms;

	if (l == NULL)
		return -1;
	if (fd >= FD_SETSIZE) {
		/* select() in the library would write past its set.  errno
		 * is looked at even though we have said no. */
		login_fail(&l->login, LOGIN_FAILED,
		    "too many open files for libstrophe");
		errno = EMFILE;
		return -1;
	}
	dead_ms = (unsigned)l->config.dead_ms;
	idle = l->config.dead_ms / 1000 > 0 ? l->config.dead_ms / 1000 : 1;
	interval = idle / 3 > 0 ? idle / 3 : 1;
	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)) == -1 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle,
	    sizeof(idle)) == -1 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval,
	    sizeof(interval)) == -1 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count,
	    sizeof(count)) == -1 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &dead_ms,
	    sizeof(dead_ms)) == -1)
		log_warn("uplink", "socket options");
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) == -1)
		log_warn("uplink", "close on exec");
	watchdog_disarm();
	if (l->fd != -1)
		close(l->fd);
	l->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (l->fd == -1) {
		login_fail(&l->login, LOGIN_FAILED, "cannot dup a socket: %s",
		    strerror(errno));
		errno = EMFILE;
		return -1;
	}
	watchdog_arm(l->fd, l->config.connect_ms);
	return 0;
}

static int
on_stanza(xmpp_conn_t *conn, xmpp_stanza_t *stanza, void *arg)
{
	struct link	*l = arg;
	const char	*name = xmpp_stanza_get_name(stanza);
	const char	*ns = xmpp_stanza_get_ns(stanza);

	if (!l->up || l->login.over || name == NULL)
		return 1;
	if (strcmp(name, "error") == 0 && ns != NULL &&
	    strcmp(ns, XMPP_NS_STREAMS) == 0)
		login_stream_error(&l->login, stanza);
	else
		l->events.on_stanza(l->arg, stanza);
	return 1;
}

static void
on_event(xmpp_conn_t *conn, xmpp_conn_event_t event, int error,
    xmpp_stream_error_t *stream_error, void *arg)
{
	struct link	*l = arg;

	if (l->closing)
		return;
	if (event != XMPP_CONN_CONNECT) {
		if (stream_error != NULL && stream_error->stanza != NULL)
			login_stream_error(&l->login, stream_error->stanza);
		else if (l->up)
			login_fail(&l->login, LOGIN_FAILED,
			    "the connection was lost");
		else
			login_fail(&l->login, LOGIN_FAILED,
			    "the server closed the connection (we waited "
			    "for %s)", l->login.waiting);
		return;
	}
	if (!xmpp_conn_is_secured(conn)) {
		login_fail(&l->login, LOGIN_FAILED,
		    "the login came without TLS");
		return;
	}
	if (l->login.over)
		return;
	watchdog_disarm();
	timer_clear(l->loop, &l->deadline);
	l->up = true;
	l->heard_ms = clock_mono_ms();
	l->events.on_up(l->arg);
}

static void
teardown(struct link *l)
{
	if (l->conn == NULL)
		return;
	timer_clear(l->loop, &l->tick);
	timer_clear(l->loop, &l->deadline);
	watchdog_disarm();
	if (l->watched != 0)
		loop_watch(l->loop, l->fd, 0, NULL, NULL);
	l->watched = 0;
	l->closing = true;
	/* Else the library waits up to a second for the other side's TLS
	 * goodbye. */
	if (l->fd != -1)
		shutdown(l->fd, SHUT_RDWR);
	xmpp_conn_release(l->conn);
	if (l->fd != -1)
		close(l->fd);
	l->fd = -1;
	l->conn = NULL;
	l->up = l->closing = l->hurry = false;
	pool_sweep(l->pool);
}

static void
finish(struct link *l)
{
	char			why[sizeof(l->login.why)];
	enum login_fault	fault = l->login.fault;

	if (watchdog_fired() && !l->up) {
		snprintf(why, sizeof(why), "no answer within %d ms (we "
		    "waited for %s)", l->config.connect_ms, l->login.waiting);
		fault = LOGIN_FAILED;
	} else
		memcpy(why, l->login.why, sizeof(why));
	teardown(l);
	l->events.on_down(l->arg, fault, why);
}

static bool
readable(int fd)
{
	struct pollfd	p = { .fd = fd, .events = POLLIN };

	return fd != -1 && poll(&p, 1, 0) > 0 && p.revents != 0;
}

static void	 on_ready(void *, int, unsigned);

static void
rest(struct link *l, bool more)
{
	unsigned	want = LOOP_READ;
	int64_t		now = clock_mono_ms();

	if (!l->login.connected || xmpp_conn_send_queue_len(l->conn) > 0)
		want |= LOOP_WRITE;
	if (l->fd != -1 && want != l->watched) {
		loop_watch(l->loop, l->fd, want, on_ready, l);
		l->watched = want;
	}
	timer_after(l->loop, &l->tick, more ? 0 :
	    !l->up || l->hurry || now < l->afterglow_ms ? TICK_BUSY_MS :
	    TICK_IDLE_MS, on_tick, l);
}

/* Lets the library work until neither the socket nor OpenSSL holds more. */
static void
pump(struct link *l)
{
	int	calls, quiet = 0;

	l->inside = true;
	for (calls = 0; calls < PUMP_CALLS && quiet < DRAIN_CALLS &&
	    !l->login.over; calls++) {
		watchdog_enter();
		xmpp_run_once(l->ctx, 0);
		watchdog_leave();
		if (stanza_too_long(l))
			login_fail(&l->login, LOGIN_FAILED,
			    "the server sent a stanza without end");
		quiet = readable(l->fd) ? 0 : quiet + 1;
	}
	l->inside = false;
	if (l->login.over)
		finish(l);
	else
		rest(l, quiet < DRAIN_CALLS);
}

static void
on_tick(void *arg)
{
	struct link	*l = arg;

	if (l->login.over)
		finish(l);
	else
		pump(l);
}

static void
on_ready(void *arg, int fd, unsigned events)
{
	on_tick(arg);
}

static void
on_deadline(void *arg)
{
	struct link	*l = arg;

	login_fail(&l->login, LOGIN_FAILED, "no answer within %d ms (we "
	    "waited for %s)", l->config.connect_ms, l->login.waiting);
	finish(l);
}

struct link *
link_new(struct loop *loop, const struct link_config *config,
    const struct link_events *events, void *arg)
{
	struct link	*l;

	if (current != NULL)
		fatalx("uplink", "only one link a process");
	/* set_cafile() adds to the system's CAs; with these pointing nowhere
	 * only ours counts, and a client takes a tenth of the memory. */
	if (config->ca_file != NULL &&
	    (setenv("SSL_CERT_FILE", "/dev/null", 1) == -1 ||
	    setenv("SSL_CERT_DIR", "/dev/null", 1) == -1))
		fatal("uplink", "setenv");
	l = xcalloc(1, sizeof(*l));
	l->loop = loop;
	l->config = *config;
	l->events = *events;
	l->arg = arg;
	l->fd = -1;
	l->pool = pool_new();
	l->log.handler = on_log;
	l->log.userdata = l;
	xmpp_initialize();
	l->ctx = xmpp_ctx_new(pool_hooks(l->pool), &l->log);
	if (l->ctx == NULL)
		fatalx("uplink", "libstrophe does not start");
	pool_mark(l->pool);
	watchdog_open();
	current = l;
	return l;
}

void
link_free(struct link *l)
{
	if (l == NULL)
		return;
	link_close(l, 0);
	watchdog_close();
	current = NULL;
	xmpp_ctx_free(l->ctx);
	xmpp_shutdown();
	pool_free(l->pool);
	free(l);
}

void
link_open(struct link *l, const struct endpoint *e)
{
	long	flags = XMPP_CONN_FLAG_MANDATORY_TLS |
		    XMPP_CONN_FLAG_DISABLE_SM;

	link_close(l, 0);
	l->conn = xmpp_conn_new(l->ctx);
	if (l->conn == NULL)
		fatalx("uplink", "libstrophe makes no connection");
	l->heard_at = 0;
	login_start(&l->login, l->ctx, l->conn, l->config.password, e->direct);
	timer_after(l->loop, &l->deadline, l->config.connect_ms, on_deadline,
	    l);
	timer_after(l->loop, &l->tick, 0, on_tick, l);
	if (l->config.ca_file != NULL &&
	    access(l->config.ca_file, R_OK) == -1) {
		login_fail(&l->login, LOGIN_FAILED, "cannot read ca_file %s: "
		    "%s", l->config.ca_file, strerror(errno));
		return;
	}
	if (e->direct)
		flags |= XMPP_CONN_FLAG_LEGACY_SSL;
	if (xmpp_conn_set_flags(l->conn, flags) != XMPP_EOK)
		fatalx("uplink", "libstrophe takes no flags");
	xmpp_conn_set_jid(l->conn, l->config.jid);
	if (l->config.ca_file != NULL)
		xmpp_conn_set_cafile(l->conn, l->config.ca_file);
	xmpp_conn_set_certfail_handler(l->conn, on_bad_cert);
	xmpp_conn_set_sockopt_callback(l->conn, on_socket);
	xmpp_handler_add(l->conn, on_stanza, NULL, NULL, NULL, l);
	errno = 0;
	if (xmpp_connect_client(l->conn, e->address, (unsigned short)e->port,
	    on_event, l) != XMPP_EOK)
		login_fail(&l->login, LOGIN_FAILED, "cannot connect: %s",
		    errno != 0 ? strerror(errno) : "no reason given");
	else
		rest(l, true);
}

void
link_close(struct link *l, int ms)
{
	struct pollfd	p;
	int64_t		until = clock_mono_ms() + ms, left;

	if (l->inside)
		fatalx("uplink", "closed from one of its own callbacks");
	if (l->conn == NULL)
		return;
	if (ms > 0 && l->up && !l->login.over) {
		xmpp_disconnect(l->conn);
		l->inside = true;
		while (!l->login.over && (left = until - clock_mono_ms()) > 0) {
			xmpp_run_once(l->ctx, 0);
			p = (struct pollfd){ .fd = l->fd, .events = POLLIN };
			if (!l->login.over)
				poll(&p, 1, left < TICK_BUSY_MS ? (int)left :
				    TICK_BUSY_MS);
		}
		l->inside = false;
	}
	teardown(l);
}

void
link_drop(struct link *l, const char *why)
{
	if (l->conn == NULL)
		return;
	login_fail(&l->login, LOGIN_FAILED, "%s", why);
	timer_after(l->loop, &l->tick, 0, on_tick, l);
}

bool
link_up(const struct link *l)
{
	return l->up && !l->login.over;
}

int
link_send(struct link *l, const char *stanza, size_t len)
{
	if (!link_up(l) || pool_out_bytes(l->pool) + len > LINK_OUT_MAX)
		return -1;
	pool_outgoing(l->pool, true);
	xmpp_send_raw(l->conn, stanza, len);
	pool_outgoing(l->pool, false);
	l->afterglow_ms = clock_mono_ms() + AFTERGLOW_MS;
	timer_after(l->loop, &l->tick, 0, on_tick, l);
	return 0;
}

void
link_hurry(struct link *l, bool hurry)
{
	l->hurry = hurry;
}

int64_t
link_heard_ms(const struct link *l)
{
	return l->heard_ms;
}

xmpp_ctx_t *
link_context(const struct link *l)
{
	return l->ctx;
}
