#include "xmpp/race.h"

#include <netdb.h>
#include <sys/socket.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

/* RFC 8305 section 8. */
#define RESOLUTION_DELAY_MS	50
#define ATTEMPT_DELAY_MS	250

#define IPV6	0
#define IPV4	1

enum lane_state {
	WAITING,		/* to be tried */
	TRYING,
	SPENT
};

struct lane {
	struct race		*race;
	struct sockaddr_storage	 to;
	char			 address[ENDPOINT_ADDRESS_MAX];
	enum lane_state		 state;
	int			 fd;
	struct timer		 deadline;
};

/* The addresses of one family. */
struct family {
	struct race	*race;
	int		 af;
	bool		 answered;
	enum names_found found;
	char		*why;
	struct lane	 lane[NAMES_ADDRESSES];
	int		 count;
};

struct race {
	struct loop		*loop;
	struct names		*names;
	char			*host, *first;
	int			 port, connect_ms, names_ms;
	struct race_events	 events;
	void			*arg;
	struct family		 family[2];
	int			 last;		/* family tried */
	bool			 begun;		/* the first try was made */
	bool			 paused;	/* someone is first */
	struct timer		 step;
};

static void	 on_step(void *);

static void
step_after(struct race *r, int ms)
{
	timer_after(r->loop, &r->step, ms, on_step, r);
}

static void
lane_close(struct lane *lane)
{
	timer_clear(lane->race->loop, &lane->deadline);
	if (lane->fd == -1)
		return;
	loop_watch(lane->race->loop, lane->fd, 0, NULL, NULL);
	close(lane->fd);
	lane->fd = -1;
}

static void
lane_failed(struct lane *lane, const char *why)
{
	struct race	*r = lane->race;

	lane_close(lane);
	lane->state = SPENT;
	step_after(r, 0);
	r->events.on_failed(r->arg, lane->address, why);
}

static void
on_deadline(void *arg)
{
	struct lane	*lane = arg;
	char		 why[64];

	snprintf(why, sizeof(why), "no answer within %.1f s",
	    lane->race->connect_ms / 1000.0);
	lane_failed(lane, why);
}

/* Those that were under way are to be tried again when this one is no use. */
static void
lane_won(struct lane *winner)
{
	struct race	*r = winner->race;
	struct lane	*lane;
	int		 f, i, fd = winner->fd;

	loop_watch(r->loop, fd, 0, NULL, NULL);
	winner->fd = -1;
	for (f = 0; f < 2; f++)
		for (i = 0; i < r->family[f].count; i++) {
			lane = &r->family[f].lane[i];
			if (lane->state == TRYING)
				lane->state = WAITING;
			lane_close(lane);
		}
	winner->state = SPENT;
	timer_clear(r->loop, &r->step);
	r->paused = true;
	r->events.on_first(r->arg, fd, winner->address);
}

static void
on_writable(void *arg, int fd, unsigned events)
{
	struct lane	*lane = arg;
	int		 error = 0;
	socklen_t	 len = sizeof(error);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1)
		error = errno;
	if (error != 0)
		lane_failed(lane, strerror(error));
	else
		lane_won(lane);
}

static void
lane_try(struct lane *lane)
{
	struct race	*r = lane->race;
	socklen_t	 len = lane->to.ss_family == AF_INET6 ?
			    sizeof(struct sockaddr_in6) :
			    sizeof(struct sockaddr_in);

	lane->state = TRYING;
	lane->fd = socket(lane->to.ss_family, SOCK_STREAM | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, 0);
	if (lane->fd == -1 || (connect(lane->fd, (struct sockaddr *)&lane->to,
	    len) == -1 && errno != EINPROGRESS)) {
		lane_failed(lane, strerror(errno));
		return;
	}
	timer_after(r->loop, &lane->deadline, r->connect_ms, on_deadline,
	    lane);
	loop_watch(r->loop, lane->fd, LOOP_WRITE, on_writable, lane);
	step_after(r, ATTEMPT_DELAY_MS);
}

/*
 * Whose turn it is
 */

static struct lane *
waiting_in(struct family *family)
{
	int	i;

	for (i = 0; i < family->count; i++)
		if (family->lane[i].state == WAITING)
			return &family->lane[i];
	return NULL;
}

static struct lane *
preferred(struct race *r)
{
	struct lane	*lane;
	int		 f, i;

	for (f = 0; r->first != NULL && f < 2; f++)
		for (i = 0; i < r->family[f].count; i++) {
			lane = &r->family[f].lane[i];
			if (lane->state == WAITING &&
			    strcmp(lane->address, r->first) == 0)
				return lane;
		}
	return NULL;
}

static struct lane *
next_lane(struct race *r)
{
	struct lane	*lane = preferred(r);
	int		 other = r->last == IPV6 ? IPV4 : IPV6;

	if (lane == NULL)
		lane = waiting_in(&r->family[other]);
	if (lane == NULL)
		lane = waiting_in(&r->family[r->last]);
	return lane;
}

static bool
any_trying(const struct race *r)
{
	int	f, i;

	for (f = 0; f < 2; f++)
		for (i = 0; i < r->family[f].count; i++)
			if (r->family[f].lane[i].state == TRYING)
				return true;
	return false;
}

static void
tell_name(struct race *r)
{
	const struct family	*v6 = &r->family[IPV6], *v4 = &r->family[IPV4];

	/* One family without addresses is as it should be. */
	if (v6->count == 0 && v4->count == 0)
		r->events.on_failed(r->arg, NULL,
		    v4->found == NAMES_UNKNOWN || v6->found == NAMES_NONE ?
		    v4->why : v6->why);
}

static void
on_step(void *arg)
{
	struct race	*r = arg;
	struct lane	*lane = next_lane(r);

	if (lane != NULL) {
		r->begun = true;
		r->last = lane->to.ss_family == AF_INET6 ? IPV6 : IPV4;
		lane_try(lane);
		return;
	}
	if (any_trying(r) || !r->family[IPV6].answered ||
	    !r->family[IPV4].answered)
		return;
	r->paused = true;
	r->events.on_over(r->arg);
}

/*
 * Addresses come in
 */

static void
set_port(struct sockaddr_storage *to, int port)
{
	if (to->ss_family == AF_INET6)
		((struct sockaddr_in6 *)to)->sin6_port = htons((uint16_t)port);
	else
		((struct sockaddr_in *)to)->sin_port = htons((uint16_t)port);
}

static void
add_lane(struct family *family, const struct sockaddr_storage *to)
{
	struct lane	*lane = &family->lane[family->count];
	socklen_t	 len = family->af == AF_INET6 ?
			    sizeof(struct sockaddr_in6) :
			    sizeof(struct sockaddr_in);

	lane->race = family->race;
	lane->fd = -1;
	lane->to = *to;
	set_port(&lane->to, family->race->port);
	if (getnameinfo((const struct sockaddr *)to, len, lane->address,
	    sizeof(lane->address), NULL, 0, NI_NUMERICHOST) == 0)
		family->count++;
}

static void
on_addresses(void *arg, enum names_found found,
    const struct sockaddr_storage *address, int count, const char *why)
{
	struct family	*family = arg;
	struct race	*r = family->race;
	bool		 first = !r->begun;
	int		 i;

	family->answered = true;
	family->found = found;
	family->why = xstrdup(why);
	for (i = 0; i < count; i++)
		add_lane(family, &address[i]);
	if (r->family[IPV6].answered && r->family[IPV4].answered)
		tell_name(r);
	if (r->paused)
		return;
	if (first && family->af == AF_INET && count > 0 &&
	    !r->family[IPV6].answered && preferred(r) == NULL)
		step_after(r, RESOLUTION_DELAY_MS);
	else if (first || !timer_pending(&r->step))
		step_after(r, 0);
}

/*
 * The interface
 */

struct race *
race_new(struct loop *loop, struct names *names,
    const struct race_config *config, const struct race_events *events,
    void *arg)
{
	struct race	*r = xcalloc(1, sizeof(*r));
	int		 f;

	r->loop = loop;
	r->names = names;
	r->host = xstrdup(config->host);
	r->first = xstrdup_null(config->first);
	r->port = config->port;
	r->connect_ms = config->connect_ms;
	r->names_ms = config->names_ms;
	r->events = *events;
	r->arg = arg;
	r->last = IPV4;
	for (f = 0; f < 2; f++) {
		r->family[f].race = r;
		r->family[f].af = f == IPV6 ? AF_INET6 : AF_INET;
		names_host(names, r->host, r->family[f].af, r->names_ms,
		    on_addresses, &r->family[f]);
	}
	return r;
}

void
race_free(struct race *r)
{
	int	f, i;

	if (r == NULL)
		return;
	for (f = 0; f < 2; f++) {
		names_forget(r->names, &r->family[f]);
		for (i = 0; i < r->family[f].count; i++)
			lane_close(&r->family[f].lane[i]);
		free(r->family[f].why);
	}
	timer_clear(r->loop, &r->step);
	free(r->host);
	free(r->first);
	free(r);
}

void
race_next(struct race *r)
{
	r->paused = false;
	step_after(r, 0);
}
