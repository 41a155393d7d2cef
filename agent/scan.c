#include "agent/scan.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/config.h"
#include "agent/credopts.h"
#include "agent/direct.h"
#include "agent/inspect.h"
#include "agent/meter.h"
#include "agent/network.h"
#include "agent/progress.h"
#include "agent/store.h"
#include "agent/storekey.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "snmp/vendor.h"

#define LOOK_US		250000
#define BEGIN_MS	15000	/* the collector may just be starting */
#define TIMEOUT_MS	1000	/* of --direct without a configuration */
#define RATE		50

struct scan {
	const char	*path;		/* the INI file; NULL: not said */
	struct config	*conf;
	struct store	*store;
	struct progress	 progress;
	struct meter	 meter;
	bool		 json;
	/* --direct */
	bool		 direct;
	struct credopts	 credopts;
	int64_t		 port, rate;	/* 0: not said */
};

static const char usage_short[] =
	"usage: platen scan [-c FILE] [--json]\n"
	"       platen scan --direct [-c FILE | --community C ...] [--port N] "
	"[--rate N]\n"
	"                   [--json] [NETWORK ...]\n";
static const char usage_long[] =
	"\nHas the running agent look for printers and shows how far it is.\n"
	"  --json              the result, for programs\n"
	"\nWith --direct it looks by itself, without an agent, and keeps "
	"nothing: in\nthe networks named (192.0.2.0/24, 192.0.2.10-40), in "
	"those of the file, or\nin those that this machine stands in.\n"
	"  -c FILE             credentials and networks from there\n"
	"  --port N            default: 161\n"
	"  --rate N            packets a second; default: 50\n";
static const char usage_end[] =
	"\nExit status: 0 when the scan has finished, 1 when not, 2 for bad "
	"usage.\n";

/* --- through the agent -------------------------------------------------------- */

/* Asks for a scan unless one is running: -1 when nobody can be asked. */
static int
begin(struct scan *s)
{
	pid_t pid = inspect_running(s->conf);

	if (pid == 0) {
		log_warnx("scan", "no platend is running with %s: start it, "
		    "or look without it: platen scan --direct -c %s",
		    s->conf->path, s->conf->path);
		return -1;
	}
	if (s->progress.running)
		return 0;
	if (kill(pid, SIGUSR1) == -1) {
		log_warn("scan", "cannot ask platend (process %d); be root "
		    "or its user", (int)pid);
		return -1;
	}
	return 0;
}

/* Until a scan that began after before is over: 0, or -1 when there is none
 * or it does not come to its end. */
static int
follow(struct scan *s, int64_t before_ms)
{
	int64_t asked = clock_mono_ms();
	bool begun = s->progress.running;

	for (;;) {
		progress_read(s->store, &s->progress);
		begun |= s->progress.started_ms != before_ms;
		if (begun && !s->progress.running)
			return 0;
		if (begun)
			meter_show(&s->meter, &s->progress);
		else if (clock_mono_ms() - asked > BEGIN_MS) {
			log_warnx("scan", "platend does not begin a scan; "
			    "its log says why");
			return -1;
		}
		if (inspect_running(s->conf) == 0) {
			meter_stop(&s->meter);
			log_warnx("scan", "platend has stopped; it goes on "
			    "with the scan when it is started again");
			return -1;
		}
		usleep(LOOK_US);
	}
}

static int
print_result(struct scan *s)
{
	char text[PROGRESS_TEXT_MAX];
	struct buf out = { 0 };
	struct json js;
	int rc;

	if (!s->json) {
		meter_stop(&s->meter);
		printf("%s\n\n", progress_text(&s->progress, false, text));
		return inspect_devices_table(s->store, true);
	}
	json_start(&js, &out);
	json_object(&js, NULL);
	progress_json(&s->progress, true, &js, "scan");
	rc = inspect_devices_json(s->store, true, &js, "devices");
	json_object_end(&js);
	fwrite(out.data, 1, out.len, stdout);
	putchar('\n');
	buf_free(&out);
	return rc;
}

static int
run_agent(struct scan *s)
{
	int rc = 1;

	s->conf = config_read(s->path == NULL ? CONFIG_DEFAULT : s->path, 0);
	if (s->conf == NULL)
		return 1;
	if ((s->store = storekey_look(s->conf)) != NULL) {
		meter_start(&s->meter, s->json);
		progress_read(s->store, &s->progress);
		if (begin(s) == 0 && follow(s, s->progress.started_ms) == 0 &&
		    print_result(s) == 0)
			rc = 0;
	}
	store_close(s->store);
	config_free(s->conf);
	return rc;
}

/* --- without it --------------------------------------------------------------- */

/* What is named, or in the file, or around us; NULL for bad usage, said. */
static struct network_set *
wanted(const struct config *conf, int argc, char **argv)
{
	const struct ini_list none = { 0 };
	struct network_set *set = NULL;
	struct range *in, *out;
	char why[128];
	size_t n, m;
	int i;

	in = range_parse_list(argc > 0 ? &none : &conf->networks,
	    (size_t)argc + NETWORK_ATTACHED_MAX, &n);
	out = range_parse_list(&conf->exclude, 0, &m);
	for (i = 0; i < argc; i++, n++)
		if (range_parse(argv[i], &in[n], why, sizeof(why)) == -1) {
			fprintf(stderr, "platen scan: %s\n", why);
			goto out;
		}
	if (n == 0 && conf->hosts.count > 0) {
		fputs("platen scan: the file names single hosts and no "
		    "networks: say which to look at\n", stderr);
		goto out;
	}
	if (n == 0)
		n = network_attached(in);
	set = network_set_new(in, n, out, m);
out:
	free(in);
	free(out);
	return set;
}

static int
run_with(const struct scan *s, struct config *conf, int argc, char **argv)
{
	struct network_set *set;

	if (s->rate != 0)
		conf->rate = s->rate;
	if ((set = wanted(conf, argc, argv)) == NULL)
		return 2;
	vendor_load(vendor_installed(), conf->vendors != NULL ?
	    conf->vendors : VENDOR_OWN, NULL, NULL);
	return direct_run(conf, set, s->json);
}

static int
run_direct(struct scan *s, int argc, char **argv)
{
	struct config_snmp snmp = { .timeout_ms = TIMEOUT_MS, .retries = 1,
	    .private = true, .port = s->port != 0 ? s->port : 161 };
	struct config bare = { .snmp = &snmp, .snmp_len = 1, .rate = RATE },
	    *conf;
	int rc = 2;

	if (s->path == NULL) {
		if (credopts_make(&s->credopts, &snmp.credential) == 0)
			rc = run_with(s, &bare, argc, argv);
		credential_clear(&snmp.credential);
	} else if (s->credopts.any || s->port != 0)
		fputs(usage_short, stderr);
	else if ((conf = config_read(s->path, CONFIG_COLLECTOR)) == NULL)
		rc = 1;
	else {
		rc = run_with(s, conf, argc, argv);
		config_free(conf);
	}
	return rc;
}

/* --- the command line --------------------------------------------------------- */

enum { OPT_JSON = 256, OPT_DIRECT, OPT_PORT, OPT_RATE, OPT_HELP };

static int
parse_number(const char *option, const char *text, int64_t max, int64_t *out)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (end == text || *end != '\0' || n < 1 || n > max) {
		fprintf(stderr, "platen scan: %s is 1 to %lld, not \"%s\"\n",
		    option, (long long)max, text);
		return -1;
	}
	*out = n;
	return 0;
}

/* 0, or -1 for bad usage (said), 1 when --help was all. */
static int
parse_options(struct scan *s, int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "json", no_argument, NULL, OPT_JSON },
		{ "direct", no_argument, NULL, OPT_DIRECT },
		{ "port", required_argument, NULL, OPT_PORT },
		{ "rate", required_argument, NULL, OPT_RATE },
		{ "help", no_argument, NULL, OPT_HELP },
		CREDOPTS_OPTIONS,
		{ NULL, 0, NULL, 0 }
	};
	int ch, rc = 0;

	while (rc == 0 &&
	    (ch = getopt_long(argc, argv, "c:h", options, NULL)) != -1)
		switch (ch) {
		case 'c':
			s->path = optarg;
			break;
		case OPT_JSON:
			s->json = true;
			break;
		case OPT_DIRECT:
			s->direct = true;
			break;
		case OPT_PORT:
			rc = parse_number("--port", optarg, 65535, &s->port);
			break;
		case OPT_RATE:
			rc = parse_number("--rate", optarg, 10000, &s->rate);
			break;
		case 'h':
		case OPT_HELP:
			printf("%s%s%s%s", usage_short, usage_long,
			    credopts_help, usage_end);
			return 1;
		default:
			if ((rc = credopts_take(&s->credopts, ch,
			    optarg)) == 1) {
				fputs(usage_short, stderr);
				return -1;
			}
		}
	if (rc == 0 && !s->direct && (optind != argc || s->credopts.any ||
	    s->port != 0 || s->rate != 0)) {
		fputs(usage_short, stderr);
		return -1;
	}
	return rc;
}

int
scan_main(int argc, char **argv)
{
	struct scan s = { .credopts.command = "platen scan" };
	int rc;

	if ((rc = parse_options(&s, argc, argv)) != 0)
		rc = rc == 1 ? 0 : 2;
	else if (s.direct)
		rc = run_direct(&s, argc - optind, argv + optind);
	else
		rc = run_agent(&s);
	credopts_clear(&s.credopts);
	return rc;
}
