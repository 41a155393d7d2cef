/*
 * Drives an uplink for the system tests: what it is told comes on stdin, one
 * command a line, what happens goes to stdout, one event a line.
 *
 *	uplink_probe KEY=VALUE ...	keys of struct uplink_config, and
 *		dns=PORT	ask the name server on 127.0.0.1:PORT
 *		pin=PIN,PIN	and cert=FILE key=FILE, whose text they are
 *		fds=N		open N files first
 *	ask N TIMEOUT_MS PAYLOAD	-> answer N result|error|lost ...
 *	big N TIMEOUT_MS BYTES		an ask with a payload of that size
 *	reply on|off			whether requests get a <yes/>
 *	status [TEXT]			what is wrong with us
 *	reset WHY	stop	start	cpu	rss	quit
 */
#include <sys/resource.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "xmpp/names.h"
#include "xmpp/uplink.h"

static struct loop	*loop;
static struct uplink	*uplink;
static bool		 replying = true;

static void
on_state(void *arg, enum uplink_state state, const char *why)
{
	static const char *const names[] = { "down", "connecting", "online",
	    "ready" };

	printf("state %s %s\n", names[state], why != NULL ? why : "");
}

static void
on_request(void *arg, const char *id, const struct uplink_element *e)
{
	printf("request %s %s %s %s\n", e->name, e->ns != NULL ? e->ns : "-",
	    e->n != NULL ? e->n : "-", e->text != NULL ? e->text : "-");
	if (replying)
		uplink_reply(uplink, id, "<yes xmlns='urn:test'/>", 23);
	else
		uplink_refuse(uplink, id, "not-allowed", "no & never");
}

static void
on_answer(void *arg, enum uplink_answer answer, const char *condition,
    const struct uplink_element *e)
{
	char	*name = arg;

	if (answer == UPLINK_RESULT)
		printf("answer %s result %s %s %s\n", name,
		    e != NULL ? e->name : "-",
		    e != NULL && e->n != NULL ? e->n : "-",
		    e != NULL && e->text != NULL ? e->text : "-");
	else
		printf("answer %s %s %s\n", name, answer == UPLINK_ERROR ?
		    "error" : "lost", condition != NULL ? condition : "-");
	free(name);
}

static void
ask(char *rest, bool big)
{
	char		*name = strtok(rest, " "), *ms = strtok(NULL, " ");
	char		*payload = strtok(NULL, "");
	struct buf	 b = { 0 };
	long		 left;

	if (payload == NULL)
		return;
	if (big) {
		buf_puts(&b, "<big xmlns='urn:test'>");
		for (left = strtol(payload, NULL, 10); left > 0; left--)
			buf_putc(&b, 'x');
		buf_puts(&b, "</big>");
	} else
		buf_puts(&b, payload);
	name = xstrdup(name);
	if (uplink_ask(uplink, b.data, b.len, atoi(ms), on_answer,
	    name) == -1) {
		printf("answer %s not-sent\n", name);
		free(name);
	}
	buf_free(&b);
}

static void
say_usage(bool memory)
{
	struct rusage	ru;
	char		line[256];
	FILE		*f;

	if (!memory) {
		getrusage(RUSAGE_SELF, &ru);
		printf("cpu %ld\n", (long)(ru.ru_utime.tv_sec * 1000000L +
		    ru.ru_utime.tv_usec + ru.ru_stime.tv_sec * 1000000L +
		    ru.ru_stime.tv_usec));
		return;
	}
	f = fopen("/proc/self/status", "r");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, "VmRSS:", 6) == 0)
			printf("rss %ld\n", strtol(line + 6, NULL, 10));
	if (f != NULL)
		fclose(f);
}

static void
command(char *line)
{
	if (strncmp(line, "ask ", 4) == 0)
		ask(line + 4, false);
	else if (strncmp(line, "big ", 4) == 0)
		ask(line + 4, true);
	else if (strncmp(line, "reset ", 6) == 0)
		uplink_reset(uplink, line + 6);
	else if (strncmp(line, "status", 6) == 0)
		uplink_status(uplink, line[6] == ' ' ? line + 7 : NULL);
	else if (strncmp(line, "reply ", 6) == 0)
		replying = strcmp(line + 6, "on") == 0;
	else if (strcmp(line, "stop") == 0)
		uplink_stop(uplink);
	else if (strcmp(line, "start") == 0)
		uplink_start(uplink);
	else if (strcmp(line, "cpu") == 0 || strcmp(line, "rss") == 0)
		say_usage(line[0] == 'r');
	else if (strcmp(line, "quit") == 0)
		loop_stop(loop);
}

static void
on_input(void *arg, int fd, unsigned events)
{
	static struct buf	in;
	char			bytes[4096], *end;
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
use_nameserver(int port)
{
	struct sockaddr_in	sin = { .sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port) };

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	names_ask(&sin);
}

/* Never freed, as all that the options name. */
static char *
text_of(const char *path)
{
	static char	texts[2][16384];
	static int	count;
	FILE		*f = fopen(path, "r");

	if (f == NULL || count == 2)
		fatal("probe", "%s", path);
	texts[count][fread(texts[count], 1, sizeof(texts[0]) - 1, f)] = '\0';
	fclose(f);
	return texts[count++];
}

static void
use_pins(struct uplink_config *c, char *list)
{
	static char	*pins[4];
	char		*pin;

	for (pin = strtok(list, ","); pin != NULL && c->pin_count < 4;
	    pin = strtok(NULL, ","))
		pins[c->pin_count++] = pin;
	c->pins = pins;
}

static void
option(struct uplink_config *c, char *key)
{
	char	*value = strchr(key, '=');

	if (value == NULL)
		return;
	*value++ = '\0';
	if (strcmp(key, "jid") == 0)
		c->jid = value;
	else if (strcmp(key, "password") == 0)
		c->password = value;
	else if (strcmp(key, "host") == 0)
		c->host = value;
	else if (strcmp(key, "port") == 0)
		c->port = atoi(value);
	else if (strcmp(key, "fallback_port") == 0)
		c->fallback_port = atoi(value);
	else if (strcmp(key, "ca_file") == 0)
		c->ca_file = value;
	else if (strcmp(key, "central") == 0)
		c->central = value;
	else if (strcmp(key, "connect_ms") == 0)
		c->connect_ms = atoi(value);
	else if (strcmp(key, "ping_ms") == 0)
		c->ping_ms = atoi(value);
	else if (strcmp(key, "retry_min_ms") == 0)
		c->retry_min_ms = atoi(value);
	else if (strcmp(key, "retry_max_ms") == 0)
		c->retry_max_ms = atoi(value);
	else if (strcmp(key, "allow_plain") == 0)
		c->allow_plain = strcmp(value, "yes") == 0;
	else if (strcmp(key, "cert") == 0)
		c->client_cert = text_of(value);
	else if (strcmp(key, "key") == 0)
		c->client_key = text_of(value);
	else if (strcmp(key, "pin") == 0)
		use_pins(c, value);
	else if (strcmp(key, "dns") == 0)
		use_nameserver(atoi(value));
	else if (strcmp(key, "fds") == 0)
		for (int i = atoi(value); i > 0; i--)
			if (open("/dev/null", O_RDONLY | O_CLOEXEC) == -1)
				break;
}

int
main(int argc, char *argv[])
{
	struct uplink_config	config = { .version = "0.0.test" };
	struct uplink_events	events = { on_state, on_request };
	int			i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	log_init("uplink_probe", true, getenv("PROBE_VERBOSE") != NULL);
	for (i = 1; i < argc; i++)
		option(&config, argv[i]);
	loop = loop_new();
	uplink = uplink_new(loop, &config, &events, NULL);
	if (uplink == NULL)
		return 2;
	loop_watch(loop, STDIN_FILENO, LOOP_READ, on_input, NULL);
	uplink_start(uplink);
	loop_run(loop);
	uplink_stop(uplink);
	uplink_free(uplink);
	loop_free(loop);
	return 0;
}
