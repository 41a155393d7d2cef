#include "agent/probe.h"

#include <sys/socket.h>

#include <arpa/inet.h>
#include <getopt.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/credopts.h"
#include "agent/finding.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "snmp/asker.h"
#include "snmp/reading.h"
#include "snmp/vendor.h"

#define SNMP_PORT	161
#define AT_ONCE		64
#define RETRIES		1
#define WIDTH		80

enum form { FORM_TEXT, FORM_JSON, FORM_XML };

struct probe {
	enum form	 form;
	struct credential credential;
	struct credopts	 credopts;
	int		 timeout_ms;
	struct loop	*loop;
	size_t		 open;			/* readings under way */
};

struct host {
	struct probe	*probe;
	const char	*name;
	char		 ip[INET_ADDRSTRLEN];
	struct finding	 finding;
};

static const char usage_short[] =
	"usage: platen probe [--json | --xml] [--timeout SECONDS] "
	"[--version 1|2c|3]\n"
	"                    [--community C | --community-file FILE | --user U "
	"...]\n"
	"                    HOST[:PORT] ...\n";

static const char usage_long[] =
	"\nAsks printers over SNMP and shows what they say.\n\n"
	"  --json              an array with an object for each printer\n"
	"  --xml               the report that an agent would send, one a "
	"host\n"
	"  --timeout S         of the first of two tries; default: 2\n";
static const char usage_end[] =
	"\nExit status: 0 when every host answered as a printer, 1 when not, 2 "
	"for bad\nusage.\n";

enum { OPT_JSON = 256, OPT_XML, OPT_TIMEOUT, OPT_HELP };

/* 0, or -1 for bad usage (said), 1 when --help was all. */
static int
parse_options(struct probe *probe, int argc, char **argv)
{
	static const struct option known[] = {
		{ "json", no_argument, NULL, OPT_JSON },
		{ "xml", no_argument, NULL, OPT_XML },
		CREDOPTS_OPTIONS,
		{ "timeout", required_argument, NULL, OPT_TIMEOUT },
		{ "help", no_argument, NULL, OPT_HELP },
		{ NULL, 0, NULL, 0 }
	};
	int c, rc = 0;

	optind = 0;		/* glibc: start over, with another argv */
	while (rc == 0 && (c = getopt_long(argc, argv, "h", known,
	    NULL)) != -1) {
		switch (c) {
		case OPT_JSON:
		case OPT_XML:
			if (probe->form != FORM_TEXT) {
				fprintf(stderr, "platen probe: --json and "
				    "--xml are one or the other\n");
				rc = -1;
			}
			probe->form = c == OPT_JSON ? FORM_JSON : FORM_XML;
			break;
		case OPT_TIMEOUT:
			rc = credopts_timeout(&probe->credopts, optarg,
			    &probe->timeout_ms);
			break;
		case 'h':
		case OPT_HELP:
			printf("%s%s%s%s", usage_short, usage_long,
			    credopts_help, usage_end);
			return 1;
		default:
			rc = credopts_take(&probe->credopts, c, optarg);
			if (rc == 1) {
				fputs(usage_short, stderr);
				return -1;
			}
		}
	}
	if (rc == 0 && optind == argc) {
		fprintf(stderr, "platen probe: which host?\n%s",
		    usage_short);
		return -1;
	}
	return rc;
}

/* HOST[:PORT]; 0, or -1 with the reason in why. */
static int
resolve(const char *text, struct sockaddr_in *addr, char *why,
    size_t why_size)
{
	struct addrinfo hints = { .ai_family = AF_INET,
	    .ai_socktype = SOCK_DGRAM }, *found;
	char *name = xstrdup(text), *colon = strrchr(name, ':'), *end;
	long port = SNMP_PORT;
	int rc = -1, error;

	if (colon != NULL) {
		*colon = '\0';
		port = strtol(colon + 1, &end, 10);
		if (colon[1] < '0' || colon[1] > '9' || *end != '\0' ||
		    port < 1 || port > 65535) {
			snprintf(why, why_size, "\"%s\" is no port",
			    colon + 1);
			goto out;
		}
	}
	error = getaddrinfo(name, NULL, &hints, &found);
	if (error != 0) {
		snprintf(why, why_size, "\"%s\" has no IPv4 address: %s",
		    name, gai_strerror(error));
		goto out;
	}
	memcpy(addr, found->ai_addr, sizeof(*addr));
	addr->sin_port = htons((uint16_t)port);
	freeaddrinfo(found);
	rc = 0;
out:
	free(name);
	return rc;
}

static void
on_reading(void *arg, struct reading_result *result)
{
	struct host *host = arg;

	finding_make(&host->finding, host->name, host->ip, result,
	    clock_wall_ms());
	bag_free(result->fresh);
	if (--host->probe->open == 0)
		loop_stop(host->probe->loop);
}

/* Starts a reading; what cannot even be asked is found out at once. */
static void
host_start(struct host *host, struct asker *asker)
{
	static const struct device_memo nothing_known;
	struct probe *probe = host->probe;
	struct reading_target target = {
	    .credential = &probe->credential, .timeout_ms = probe->timeout_ms,
	    .retries = RETRIES };
	char why[256];

	if (resolve(host->name, &target.addr, why, sizeof(why)) == -1) {
		finding_none(&host->finding, host->name, why);
		return;
	}
	inet_ntop(AF_INET, &target.addr.sin_addr, host->ip,
	    sizeof(host->ip));
	probe->open++;
	reading_start(asker, probe->loop, &target, READING_ALL, NULL,
	    &nothing_known, on_reading, host);
}

static void
show(enum form form, const struct host *host, size_t n)
{
	struct buf buf = { 0 };
	struct json json;
	size_t i;

	json_start(&json, &buf);
	json_array(&json, NULL);
	for (i = 0; i < n; i++) {
		if (form == FORM_JSON)
			finding_json(&json, &host[i].finding);
		else if (form == FORM_XML)
			finding_xml(stdout, &host[i].finding);
		else
			finding_text(stdout, &host[i].finding, WIDTH);
	}
	json_array_end(&json);
	if (form == FORM_JSON) {
		fwrite(buf.data, 1, buf.len, stdout);
		putchar('\n');
	}
	buf_free(&buf);
}

int
probe_main(int argc, char **argv)
{
	struct probe probe = { .credopts.command = "platen probe",
	    .timeout_ms = 2000 };
	struct asker *asker;
	struct host *host;
	size_t i, n;
	int rc;

	rc = parse_options(&probe, argc, argv);
	if (rc == 0)
		rc = credopts_make(&probe.credopts, &probe.credential);
	credopts_clear(&probe.credopts);
	if (rc != 0) {
		credential_clear(&probe.credential);
		return rc == -1 ? 2 : 0;
	}
	vendor_load(vendor_installed(), VENDOR_OWN, NULL, NULL);
	n = (size_t)(argc - optind);
	host = xcalloc(n, sizeof(*host));
	probe.loop = loop_new();
	asker = asker_new(probe.loop, AT_ONCE);
	for (i = 0; i < n; i++) {
		host[i].probe = &probe;
		host[i].name = argv[optind + (int)i];
		host_start(&host[i], asker);
	}
	if (probe.open > 0)
		loop_run(probe.loop);
	show(probe.form, host, n);
	rc = ferror(stdout) || fflush(stdout) != 0;
	for (i = 0; i < n; i++) {
		if (!host[i].finding.printer)
			rc = 1;
		finding_clear(&host[i].finding);
	}
	asker_free(asker);
	credential_clear(&probe.credential);
	loop_free(probe.loop);
	free(host);
	return rc;
}
