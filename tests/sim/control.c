#include "tests/sim/control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "tests/sim/command.h"

#define LINE_MAX_LEN	65536
#define CLIENTS_MAX	64

struct client {
	struct control	*control;
	struct client	*next;
	int		 fd;
	struct buf	 in, out;
};

struct control {
	struct loop	*loop;
	struct lan	*lan;
	char		*path;
	int		 fd;
	struct client	*clients;
	int		 count;
	bool		 quit;
};

static void
close_client(struct client *c)
{
	struct client **at = &c->control->clients;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	c->control->count--;
	loop_watch(c->control->loop, c->fd, 0, NULL, NULL);
	close(c->fd);
	buf_free(&c->in);
	buf_free(&c->out);
	free(c);
}

static void
run_lines(struct client *c)
{
	char *eol;

	while (c->in.len > 0 && (eol = memchr(c->in.data, '\n',
	    c->in.len)) != NULL) {
		*eol = '\0';
		if (command_run(c->control->lan, c->in.data, &c->out))
			c->control->quit = true;
		buf_drop(&c->in, (size_t)(eol - c->in.data) + 1);
	}
}

static void	on_client(void *, int, unsigned);

/* 0, or -1 when the client is gone. */
static int
write_out(struct client *c)
{
	ssize_t n;

	while (c->out.len > 0) {
		n = send(c->fd, c->out.data, c->out.len,
		    MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			break;
		if (n <= 0)
			return -1;
		buf_drop(&c->out, (size_t)n);
	}
	loop_watch(c->control->loop, c->fd, c->out.len > 0 ?
	    LOOP_READ | LOOP_WRITE : LOOP_READ, on_client, c);
	return 0;
}

static void
on_client(void *arg, int fd, unsigned events)
{
	struct client *c = arg;
	struct control *control = c->control;
	char bytes[8192];
	ssize_t n;

	n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
	if (n > 0) {
		buf_put(&c->in, bytes, (size_t)n);
		run_lines(c);
	}
	if (write_out(c) < 0 || n == 0 || c->in.len > LINE_MAX_LEN ||
	    (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK &&
	    errno != EINTR))
		close_client(c);
	if (control->quit)
		loop_stop(control->loop);
}

static void
on_connect(void *arg, int fd, unsigned events)
{
	struct control *control = arg;
	struct client *c;
	int peer;

	peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (peer < 0)
		return;
	if (control->count == CLIENTS_MAX) {
		close(peer);
		return;
	}
	c = xcalloc(1, sizeof(*c));
	c->control = control;
	c->fd = peer;
	c->next = control->clients;
	control->clients = c;
	control->count++;
	loop_watch(control->loop, peer, LOOP_READ, on_client, c);
}

static int
make_address(const char *path, struct sockaddr_un *addr)
{
	memset(addr, 0, sizeof(*addr));
	addr->sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(addr->sun_path)) {
		log_warnx("control", "%s: longer than %zu characters", path,
		    sizeof(addr->sun_path) - 1);
		return -1;
	}
	strcpy(addr->sun_path, path);
	return 0;
}

struct control *
control_start(struct loop *loop, struct lan *lan, const char *path)
{
	struct control *control;
	struct sockaddr_un addr;
	struct stat st;
	mode_t mask;
	int fd, rc;

	if (make_address(path, &addr) < 0)
		return NULL;
	/* only ever a socket is removed */
	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
		unlink(path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mask = umask(0177);
	rc = fd < 0 ? -1 : bind(fd, (struct sockaddr *)&addr, sizeof(addr));
	umask(mask);
	if (rc < 0 || listen(fd, CLIENTS_MAX) < 0) {
		log_warn("control", "%s", path);
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	control = xcalloc(1, sizeof(*control));
	control->loop = loop;
	control->lan = lan;
	control->path = xstrdup(path);
	control->fd = fd;
	loop_watch(loop, fd, LOOP_READ, on_connect, control);
	return control;
}

void
control_stop(struct control *control)
{
	if (control == NULL)
		return;
	while (control->clients != NULL)
		close_client(control->clients);
	loop_watch(control->loop, control->fd, 0, NULL, NULL);
	close(control->fd);
	unlink(control->path);
	free(control->path);
	free(control);
}

static int
send_all(int fd, const char *bytes, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = send(fd, bytes, len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		bytes += n;
		len -= (size_t)n;
	}
	return 0;
}

int
control_send(const char *path, char *const *words, size_t count)
{
	struct sockaddr_un addr;
	struct buf line = { 0 };
	char bytes[8192];
	ssize_t n = 0;
	size_t i;
	int fd, rc = 2;

	if (make_address(path, &addr) < 0)
		return 2;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&addr,
	    sizeof(addr)) < 0) {
		log_warn("control", "%s", path);
		goto out;
	}
	for (i = 0; i < count; i++) {
		if (i > 0)
			buf_putc(&line, ' ');
		command_quote(words[i], &line);
	}
	buf_putc(&line, '\n');
	if (send_all(fd, line.data, line.len) < 0)
		goto out;
	buf_reset(&line);
	while ((line.len == 0 || line.data[line.len - 1] != '\n') &&
	    (n = recv(fd, bytes, sizeof(bytes), 0)) > 0)
		buf_put(&line, bytes, (size_t)n);
	if (line.len > 0) {
		fwrite(line.data, 1, line.len, stdout);
		rc = strncmp(line.data, "ok", 2) == 0 ? 0 : 1;
	}
out:
	if (fd >= 0)
		close(fd);
	buf_free(&line);
	return rc;
}
