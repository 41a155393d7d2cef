#include "base/resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"

/* What the child writes into the pipe, at once. */
struct answer {
	int			 failure;	/* getaddrinfo()'s */
	size_t			 count;
	struct resolve_address	 address[RESOLVE_MAX];
};

struct resolve {
	struct loop	*loop;
	resolve_fn	*fn;
	void		*arg;
	struct timer	 now;
	pid_t		 child;		/* 0: none */
	int		 fd;		/* -1: none */
	size_t		 got;
	struct answer	 answer;
};

static void
look_up(const char *host, int port, int family, int flags,
    struct answer *out)
{
	struct addrinfo	 hints = { 0 }, *list = NULL, *ai;
	char		 service[16];

	memset(out, 0, sizeof(*out));
	snprintf(service, sizeof(service), "%d", port);
	hints.ai_family = family;
	hints.ai_socktype = SOCK_STREAM;
	hints.ai_flags = flags | AI_NUMERICSERV;
	out->failure = getaddrinfo(host, service, &hints, &list);
	if (out->failure != 0)
		return;
	for (ai = list; ai != NULL && out->count < RESOLVE_MAX;
	    ai = ai->ai_next) {
		if (ai->ai_addrlen > sizeof(out->address->addr))
			continue;
		memcpy(&out->address[out->count].addr, ai->ai_addr,
		    ai->ai_addrlen);
		out->address[out->count++].len = ai->ai_addrlen;
	}
	freeaddrinfo(list);
}

static void
answer(struct resolve *r)
{
	const char	*why = NULL;

	if (r->answer.count == 0 || r->answer.count > RESOLVE_MAX) {
		r->answer.count = 0;
		why = r->answer.failure != 0 ?
		    gai_strerror(r->answer.failure) : "no address";
	}
	r->fn(r->arg, r->answer.address, r->answer.count, why);
}

static void
on_now(void *arg)
{
	answer(arg);
}

static void
pipe_close(struct resolve *r)
{
	if (r->fd == -1)
		return;
	loop_watch(r->loop, r->fd, 0, NULL, NULL);
	close(r->fd);
	r->fd = -1;
}

static void
on_pipe(void *arg, int fd, unsigned events)
{
	struct resolve	*r = arg;
	ssize_t		 n;

	n = read(fd, (char *)&r->answer + r->got,
	    sizeof(r->answer) - r->got);
	if (n == -1 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n > 0) {
		r->got += (size_t)n;
		if (r->got < sizeof(r->answer))
			return;
	} else {
		memset(&r->answer, 0, sizeof(r->answer));
		r->answer.failure = EAI_SYSTEM;
	}
	pipe_close(r);
	answer(r);
}

/* Only the resolver, and then out, without our exit handlers.  A name that
 * takes longer than a minute is no use to anyone, nor is one when who asked
 * has gone: what it had open (a lock) would stay so. */
static _Noreturn void
child_run(int fd, const char *host, int port, int family, pid_t parent)
{
	struct answer	 found;
	ssize_t		 n;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	signal(SIGTERM, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	alarm(60);
	look_up(host, port, family, AI_ADDRCONFIG, &found);
	if (found.failure != 0)
		look_up(host, port, family, 0, &found);
	n = write(fd, &found, sizeof(found));
	_exit(n == (ssize_t)sizeof(found) ? 0 : 1);
}

struct resolve *
resolve_start(struct loop *loop, const char *host, int port, int family,
    resolve_fn *fn, void *arg)
{
	struct resolve	*r;
	pid_t		 self = getpid();
	int		 pair[2];

	r = xcalloc(1, sizeof(*r));
	r->loop = loop;
	r->fn = fn;
	r->arg = arg;
	r->fd = -1;
	look_up(host, port, family, AI_NUMERICHOST, &r->answer);
	if (r->answer.failure == EAI_NONAME && host[0] != '\0' &&
	    pipe2(pair, O_CLOEXEC | O_NONBLOCK) == 0) {
		r->child = fork();
		if (r->child == 0)
			child_run(pair[1], host, port, family, self);
		close(pair[1]);
		if (r->child > 0) {
			memset(&r->answer, 0, sizeof(r->answer));
			r->fd = pair[0];
			loop_watch(loop, r->fd, LOOP_READ, on_pipe, r);
			return r;
		}
		log_warn("resolve", "no process to look up %s",
		    log_safe(host));
		r->child = 0;
		close(pair[0]);
	}
	timer_after(loop, &r->now, 0, on_now, r);
	return r;
}

void
resolve_free(struct resolve *r)
{
	if (r == NULL)
		return;
	timer_clear(r->loop, &r->now);
	pipe_close(r);
	if (r->child > 0) {
		/* It has answered, or is of no use any more: either way this
		 * does not wait. */
		kill(r->child, SIGKILL);
		while (waitpid(r->child, NULL, 0) == -1 && errno == EINTR)
			continue;
	}
	free(r);
}
