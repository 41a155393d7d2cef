/*
 * Polls a fleet as the collector does, and nothing else: readings through the
 * asker, merged into each printer's image, decoded where that changed.
 *
 *	fullpoll HOSTS PORT OPEN [USER AUTH PASSWORD [PRIVACY PASSWORD]]
 *
 * HOSTS is a file with an address a line, OPEN how many are read at once.
 * Each line on stdin is a round over all of them: "first" (everything, knowing
 * nothing), "all" (everything, the image known), "cells" (the known cells:
 * heartbeat, alerts, supplies, counters), "heartbeat".  Each answers with a
 * line of JSON.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "snmp/asker.h"
#include "snmp/credential.h"
#include "snmp/printer.h"
#include "snmp/reading.h"

#define TIMEOUT_MS	2000
#define RETRIES		2
#define FD_MAX		65536

struct printer_at {
	struct fleet		*fleet;
	struct sockaddr_in	 addr;
	struct usm_engine	*engine;
	struct device_memo	 memo;
	struct bag		*image;
};

struct fleet {
	struct loop		*loop;
	struct asker		*asker;
	struct credential	 credential;
	struct printer_at	*printer;
	size_t			 len, open;
	/* of one round */
	unsigned		 what;
	bool			 known;
	size_t			 next, left;
	size_t			 done, changed;
	struct talk_traffic	 traffic;
};

static _Noreturn void
die(const char *what)
{
	fprintf(stderr, "fullpoll: %s\n", what);
	exit(1);
}

static void
read_hosts(struct fleet *f, const char *path, int port)
{
	struct printer_at *p;
	FILE *in = fopen(path, "re");
	char line[64];

	if (in == NULL)
		die("the file with addresses cannot be read");
	while (fgets(line, sizeof(line), in) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		f->printer = xreallocarray(f->printer, f->len + 1,
		    sizeof(*f->printer));
		p = &f->printer[f->len++];
		*p = (struct printer_at){ .fleet = f,
		    .addr.sin_family = AF_INET,
		    .addr.sin_port = htons((uint16_t)port) };
		if (inet_pton(AF_INET, line, &p->addr.sin_addr) != 1)
			die("a line is no address");
	}
	fclose(in);
}

static void
make_credential(struct fleet *f, int argc, char **argv)
{
	struct credential *c = &f->credential;
	enum usm_privacy privacy = USM_NOPRIV;
	enum usm_auth auth;
	char why[160];
	size_t i;

	c->name = xstrdup("bench");
	if (argc < 7) {
		c->version = 2;
		c->community = xstrdup("public");
		return;
	}
	c->version = 3;
	if (!usm_parse_auth(argv[5], &auth) ||
	    (argc > 8 && !usm_parse_privacy(argv[7], &privacy)))
		die("no such protocol");
	c->user = usm_user_new(argv[4], auth, argv[6], privacy,
	    argc > 8 ? argv[8] : NULL, why, sizeof(why));
	if (c->user == NULL)
		die(why);
	for (i = 0; i < f->len; i++)
		f->printer[i].engine = usm_engine_new();
}

/* What is told of a printer whose image changed. */
static void
decode(const struct printer_at *p)
{
	int64_t rows[PRINTER_ROWS_MAX];
	char why[160], ip[INET_ADDRSTRLEN];
	struct printer printer;
	size_t i, n;

	inet_ntop(AF_INET, &p->addr.sin_addr, ip, sizeof(ip));
	n = printer_rows(p->image, rows, why, sizeof(why));
	for (i = 0; i < n; i++) {
		printer_decode(p->image, rows[i], ip, clock_wall_ms(),
		    &printer);
		printer_clear(&printer);
	}
}

static void	start_next(struct fleet *);

static void
on_reading(void *arg, struct reading_result *r)
{
	struct printer_at *p = arg;
	struct fleet *f = p->fleet;

	f->traffic.requests += r->traffic.requests;
	f->traffic.bytes_out += r->traffic.bytes_out;
	f->traffic.bytes_in += r->traffic.bytes_in;
	if (r->status == READING_DONE) {
		f->done++;
		p->memo = r->memo;
		if (p->image == NULL)
			p->image = bag_new();
		if (bag_merge(p->image, r->fresh, r->covered,
		    r->covered_len)) {
			f->changed++;
			decode(p);
		}
	}
	bag_free(r->fresh);
	start_next(f);
	if (--f->left == 0)
		loop_stop(f->loop);
}

static void
start_next(struct fleet *f)
{
	struct reading_target target = { .credential = &f->credential,
	    .timeout_ms = TIMEOUT_MS, .retries = RETRIES };
	struct printer_at *p;

	if (f->next == f->len)
		return;
	p = &f->printer[f->next++];
	target.addr = p->addr;
	target.engine = p->engine;
	reading_start(f->asker, f->loop, &target, f->what,
	    f->known ? p->image : NULL, &p->memo, on_reading, p);
}

static double
seconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static long
resident_kb(void)
{
	struct rusage used;

	getrusage(RUSAGE_SELF, &used);
	return used.ru_maxrss;
}

/* One round over all printers. */
static void
poll_all(struct fleet *f, unsigned what, bool known)
{
	double wall = seconds(CLOCK_MONOTONIC);
	double cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
	size_t i;

	f->what = what;
	f->known = known;
	f->next = 0;
	f->done = f->changed = 0;
	f->left = f->len;
	f->traffic = (struct talk_traffic){ 0 };
	for (i = 0; i < f->open; i++)
		start_next(f);
	loop_run(f->loop);
	cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	wall = seconds(CLOCK_MONOTONIC) - wall;
	printf("{\"devices\": %zu, \"done\": %zu, \"changed\": %zu, "
	    "\"requests\": %lld, \"bytes_out\": %lld, \"bytes_in\": %lld, "
	    "\"wall_s\": %.6f, \"cpu_s\": %.6f, \"rss_kb\": %ld}\n", f->len,
	    f->done, f->changed, (long long)f->traffic.requests,
	    (long long)f->traffic.bytes_out, (long long)f->traffic.bytes_in,
	    wall, cpu, resident_kb());
	fflush(stdout);
}

static void
serve(struct fleet *f)
{
	char line[64];

	while (fgets(line, sizeof(line), stdin) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (strcmp(line, "first") == 0)
			poll_all(f, READING_ALL, false);
		else if (strcmp(line, "all") == 0)
			poll_all(f, READING_ALL, true);
		else if (strcmp(line, "cells") == 0)
			poll_all(f, READING_HEARTBEAT | READING_ALERTS |
			    READING_SUPPLIES | READING_COUNTERS, true);
		else if (strcmp(line, "heartbeat") == 0)
			poll_all(f, READING_HEARTBEAT, true);
		else
			die("first, all, cells or heartbeat");
	}
}

int
main(int argc, char **argv)
{
	struct rlimit files = { FD_MAX, FD_MAX };
	struct fleet f = { 0 };
	size_t i;

	if (argc != 4 && argc != 7 && argc != 9)
		die("HOSTS PORT OPEN [USER AUTH PASSWORD [PRIVACY "
		    "PASSWORD]]");
	log_init("fullpoll", true, false);
	(void)setrlimit(RLIMIT_NOFILE, &files);
	read_hosts(&f, argv[1], atoi(argv[2]));
	make_credential(&f, argc, argv);
	f.loop = loop_new();
	f.open = (size_t)atoi(argv[3]);
	f.asker = asker_new(f.loop, f.open);
	/* a signal counts as something to wait for */
	loop_signal(f.loop, SIGTERM, NULL, NULL);
	serve(&f);
	for (i = 0; i < f.len; i++) {
		bag_free(f.printer[i].image);
		usm_engine_free(f.printer[i].engine);
	}
	asker_free(f.asker);
	loop_free(f.loop);
	credential_clear(&f.credential);
	free(f.printer);
	return 0;
}
