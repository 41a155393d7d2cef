/*
 * Drives a dial for the system tests: commands come on stdin, one a line,
 * what happens goes to stdout, one event a line.
 *
 *	dial_probe KEY=VALUE ...	keys of struct dial_config, and
 *		dns=PORT	ask the name server on 127.0.0.1:PORT
 *		proxy=URL	user=USER	pass=PASSWORD
 *	start			begins a round
 *	again			another, with what was given last first
 *	next WHY	stop	quit
 *
 *	socket HOST ADDRESS PORT starttls|direct [proxied] FLAGS
 *				kept open until next, stop or the end
 *	heard TEXT		what came over it
 *	end denied|open WHY
 *	tick			every 100 ms that the loop is alive
 */
#include <sys/socket.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/loop.h"
#include "xmpp/dial.h"
#include "xmpp/names.h"

static struct loop	*loop;
static struct dial	*dial;
static struct endpoint	 given;
static struct timer	 beat;
static int		 held = -1;

static void
let_go(void)
{
	if (held == -1)
		return;
	loop_watch(loop, held, 0, NULL, NULL);
	close(held);
	held = -1;
}

static void
on_heard(void *arg, int fd, unsigned events)
{
	char	text[256];
	ssize_t	n = read(fd, text, sizeof(text));

	if (n <= 0) {
		printf("heard nothing more\n");
		let_go();
		return;
	}
	printf("heard %s\n", log_safe_n(text, (size_t)n));
}

static void
on_socket(void *arg, int fd, const struct endpoint *e)
{
	printf("socket %s %s %d %s%s%s%s\n", e->host, e->address, e->port,
	    e->direct ? "direct" : "starttls", e->proxied ? " proxied" : "",
	    fcntl(fd, F_GETFL) & O_NONBLOCK ? " nonblock" : "",
	    fcntl(fd, F_GETFD) & FD_CLOEXEC ? " cloexec" : "");
	given = *e;
	held = fd;
	if (send(fd, "hello\n", 6, MSG_NOSIGNAL) == -1)
		printf("cannot send\n");
	loop_watch(loop, fd, LOOP_READ, on_heard, NULL);
}

static void
on_end(void *arg, const char *why, bool denied)
{
	printf("end %s %s\n", denied ? "denied" : "open", why);
}

static void
on_beat(void *arg)
{
	printf("tick\n");
	timer_after(loop, &beat, 100, on_beat, NULL);
}

static void
command(char *line)
{
	if (strcmp(line, "start") == 0)
		dial_start(dial, NULL);
	else if (strcmp(line, "again") == 0) {
		let_go();
		dial_start(dial, &given);
	} else if (strncmp(line, "next ", 5) == 0) {
		let_go();
		dial_next(dial, line + 5);
	} else if (strcmp(line, "stop") == 0) {
		let_go();
		dial_stop(dial);
	} else if (strcmp(line, "tick") == 0)
		on_beat(NULL);
	else if (strcmp(line, "quit") == 0)
		loop_stop(loop);
}

static void
on_input(void *arg, int fd, unsigned events)
{
	static struct buf	in;
	char			bytes[1024], *end;
	ssize_t			n = read(fd, bytes, sizeof(bytes));

	if (n <= 0) {
		buf_free(&in);
		loop_watch(loop, fd, 0, NULL, NULL);
		loop_stop(loop);
		return;
	}
	buf_put(&in, bytes, (size_t)n);
	while ((end = memchr(in.data, '\n', in.len)) != NULL) {
		*end = '\0';
		command(in.data);
		buf_drop(&in, (size_t)(end + 1 - in.data));
	}
	if (in.len == 0)
		buf_free(&in);
}

static void
use_name_server(int port)
{
	struct sockaddr_in	sin = { .sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port) };

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	names_ask(&sin);
}

static void
option(struct dial_config *c, struct proxy *proxy, char *key)
{
	char	*value = strchr(key, '='), why[PROXY_WHY_MAX];

	if (value == NULL)
		return;
	*value++ = '\0';
	if (strcmp(key, "domain") == 0)
		c->domain = value;
	else if (strcmp(key, "host") == 0)
		c->host = value;
	else if (strcmp(key, "port") == 0)
		c->port = atoi(value);
	else if (strcmp(key, "fallback_port") == 0)
		c->fallback_port = atoi(value);
	else if (strcmp(key, "connect_ms") == 0)
		c->connect_ms = atoi(value);
	else if (strcmp(key, "names_ms") == 0)
		c->names_ms = atoi(value);
	else if (strcmp(key, "dns") == 0)
		use_name_server(atoi(value));
	else if (strcmp(key, "proxy") == 0) {
		if (proxy_parse(value, proxy, why, sizeof(why)) == -1)
			fatalx("dial_probe", "%s", why);
		c->proxy = proxy;
	} else if (strcmp(key, "user") == 0)
		proxy->user = value;
	else if (strcmp(key, "pass") == 0)
		proxy->password = value;
}

int
main(int argc, char *argv[])
{
	static const struct dial_events	events = { on_socket, on_end };
	struct dial_config		config = { .domain = "agents.test",
					    .port = 5222 };
	struct proxy			proxy = { 0 };
	int				i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	log_init("dial_probe", true, true);
	for (i = 1; i < argc; i++)
		option(&config, &proxy, argv[i]);
	loop = loop_new();
	dial = dial_new(loop, &config, &events, NULL);
	loop_watch(loop, STDIN_FILENO, LOOP_READ, on_input, NULL);
	loop_run(loop);
	let_go();
	dial_free(dial);
	timer_clear(loop, &beat);
	loop_free(loop);
	return 0;
}
