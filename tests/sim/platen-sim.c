/*
 * platen-sim: a fleet of simulated printers on 127.0.0.0/8, for tests and the
 * demo.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "tests/sim/builtin.h"
#include "tests/sim/control.h"
#include "tests/sim/lan.h"
#include "tests/sim/serve.h"

struct options {
	int		 port;
	const char	*control, *community, *files, *send, *record;
	char		**users;	/* options and what they say, in turn */
	int		 users_len;
	uint32_t	 base;
	size_t		 fleet, scatter;
	int		 prefix;
	uint32_t	 seed, latency_ms;
	int		 ready_fd;
	bool		 strict, refuse, verbose;
};

static void
usage(FILE *out)
{
	fputs("usage: platen-sim --port P --control PATH\n"
	    "                  [--fleet N | --scatter N [--prefix BITS] "
	    "[--seed S]] [--base ADDR]\n"
	    "                  [--files DIR] [--community C] [--user U] "
	    "[--users FILE]\n"
	    "                  [--latency MS] [--record FILE] [--strict] "
	    "[--refuse]\n"
	    "                  [--ready-fd N] [-v] [DEVICE ...]\n"
	    "       platen-sim --send PATH COMMAND ...\n"
	    "       platen-sim --printers\n"
	    "DEVICE is ADDRESS=FILE.snmprec or ADDRESS=@NAME, followed by\n"
	    "any of ,serial=TEXT ,mac=XX:XX:XX:XX:XX:XX ,name=TEXT "
	    ",community=TEXT ,number=N\n"
	    "U is NAME:AUTH:PASSWORD:PRIV:PASSWORD\n", out);
}

static void
list_printers(void)
{
	size_t i;

	for (i = 0; builtin_name(i) != NULL; i++)
		if (strchr(builtin_name(i), '@') == NULL)
			puts(builtin_name(i));
}

static long
number(const char *option, const char *text, long max)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (*text == '\0' || *end != '\0' || n < 0 || n > max) {
		fprintf(stderr, "platen-sim: %s takes a number up to %ld, "
		    "not \"%s\"\n", option, max, text);
		exit(2);
	}
	return n;
}

static uint32_t
address(const char *option, const char *text)
{
	uint32_t addr;

	if (address_parse(text, &addr) == 0 && addr >> 24 == 127)
		return addr;
	fprintf(stderr, "platen-sim: %s takes an address in 127.0.0.0/8\n",
	    option);
	exit(2);
}

static void
keep_user(struct options *o, const char *option, char *value)
{
	o->users = xreallocarray(o->users, (size_t)o->users_len + 2,
	    sizeof(*o->users));
	o->users[o->users_len++] = (char *)(uintptr_t)option;
	o->users[o->users_len++] = value;
}

enum { PORT = 256, CONTROL, FLEET, SCATTER, PREFIX, SEED, BASE, FILES,
    COMMUNITY, USER, USERS, LATENCY, RECORD, STRICT, REFUSE, READY_FD, SEND,
    PRINTERS };

static void
parse(int argc, char **argv, struct options *o)
{
	static const struct option known[] = {
		{ "port", 1, NULL, PORT }, { "control", 1, NULL, CONTROL },
		{ "fleet", 1, NULL, FLEET }, { "base", 1, NULL, BASE },
		{ "scatter", 1, NULL, SCATTER },
		{ "prefix", 1, NULL, PREFIX }, { "seed", 1, NULL, SEED },
		{ "files", 1, NULL, FILES }, { "user", 1, NULL, USER },
		{ "users", 1, NULL, USERS },
		{ "latency", 1, NULL, LATENCY },
		{ "record", 1, NULL, RECORD },
		{ "community", 1, NULL, COMMUNITY },
		{ "strict", 0, NULL, STRICT }, { "refuse", 0, NULL, REFUSE },
		{ "ready-fd", 1, NULL, READY_FD }, { "send", 1, NULL, SEND },
		{ "printers", 0, NULL, PRINTERS }, { "help", 0, NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	int c;

	/* what follows --send PATH is not ours to read: return at once */
	while ((c = getopt_long(argc, argv, "hv", known, NULL)) != -1) {
		switch (c) {
		case PORT:
			o->port = (int)number("--port", optarg, 65535);
			break;
		case CONTROL:
			o->control = optarg;
			break;
		case FLEET:
			o->fleet = (size_t)number("--fleet", optarg, 1000000);
			break;
		case BASE:
			o->base = address("--base", optarg);
			break;
		case SCATTER:
			o->scatter = (size_t)number("--scatter", optarg,
			    1000000);
			break;
		case PREFIX:
			o->prefix = (int)number("--prefix", optarg, 30);
			break;
		case SEED:
			o->seed = (uint32_t)number("--seed", optarg,
			    INT32_MAX);
			break;
		case USER:
		case USERS:
			keep_user(o, c == USER ? "user" : "users", optarg);
			break;
		case LATENCY:
			o->latency_ms = (uint32_t)number("--latency", optarg,
			    60000);
			break;
		case RECORD:
			o->record = optarg;
			break;
		case FILES:
			o->files = optarg;
			break;
		case COMMUNITY:
			o->community = optarg;
			break;
		case STRICT:
			o->strict = true;
			break;
		case REFUSE:
			o->refuse = true;
			break;
		case READY_FD:
			o->ready_fd = (int)number("--ready-fd", optarg, 65535);
			break;
		case SEND:
			o->send = optarg;
			return;
		case PRINTERS:
			list_printers();
			exit(0);
		case 'v':
			o->verbose = true;
			break;
		default:
			usage(c == 'h' ? stdout : stderr);
			exit(c == 'h' ? 0 : 2);
		}
	}
}

static int
populate(struct lan *lan, const struct options *o, char **specs,
    int count)
{
	struct buf why = { 0 };
	int i, rc = 0;

	for (i = 0; i < o->users_len && rc == 0; i += 2)
		rc = (strcmp(o->users[i], "user") == 0 ? users_add :
		    users_read)(lan_users(lan), o->users[i + 1], &why);
	for (i = 0; i < count && rc == 0; i++)
		rc = lan_add(lan, specs[i], &why);
	if (rc == 0 && o->fleet > 0)
		rc = lan_many(lan, o->base, o->fleet, o->files, &why);
	if (rc == 0 && o->scatter > 0)
		rc = lan_scatter(lan, o->base, o->prefix, o->scatter, o->seed,
		    o->files, &why);
	if (rc < 0)
		log_warnx("lan", "%s", why.data);
	buf_free(&why);
	return rc;
}

static void
say_ready(const struct options *o, const struct lan *lan, int port)
{
	char line[64];
	int len;

	len = snprintf(line, sizeof(line), "ready %d %zu\n", port,
	    lan_count(lan));
	if (write(o->ready_fd, line, (size_t)len) != len)
		log_warn("ready", "descriptor %d", o->ready_fd);
}

static void
on_signal(void *arg, int signo)
{
	loop_stop(arg);
}

int
main(int argc, char **argv)
{
	struct options o = { .port = -1, .community = "public",
	    .base = 127u << 24 | 10u << 16 | 1, .prefix = 16,
	    .ready_fd = STDOUT_FILENO };
	struct control *control = NULL;
	struct serve *serve = NULL;
	struct lan *lan;
	struct loop *loop;
	int rc = 1;

	parse(argc, argv, &o);
	log_init("platen-sim", true, o.verbose);
	if (o.send != NULL)
		return control_send(o.send, argv + optind,
		    (size_t)(argc - optind));
	if (o.port < 0) {
		usage(stderr);
		return 2;
	}
	if (o.scatter > 0 && (o.prefix < 8 || o.scatter >
	    lan_places(o.base, o.prefix))) {
		fprintf(stderr, "platen-sim: --scatter %zu does not fit into "
		    "a /%d of 127.0.0.0/8\n", o.scatter, o.prefix);
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	lan = lan_new(o.community, o.strict);
	lan_set_latency(lan, o.latency_ms);
	loop = loop_new();
	loop_signal(loop, SIGINT, on_signal, loop);
	loop_signal(loop, SIGTERM, on_signal, loop);
	if (populate(lan, &o, argv + optind, argc - optind) < 0)
		goto out;
	serve = serve_start(loop, lan, o.port, o.refuse);
	if (serve == NULL ||
	    (o.record != NULL && record_start(lan_record(lan),
	    o.record) < 0))
		goto out;
	if (o.control != NULL) {
		control = control_start(loop, lan, o.control);
		if (control == NULL)
			goto out;
	}
	say_ready(&o, lan, serve_port(serve));
	loop_run(loop);
	rc = 0;
out:
	control_stop(control);
	serve_stop(serve);
	loop_free(loop);
	lan_free(lan);
	free(o.users);
	return rc;
}
