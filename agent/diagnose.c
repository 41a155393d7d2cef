#include "agent/diagnose.h"

#include <sys/random.h>
#include <sys/stat.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/config.h"
#include "agent/credopts.h"
#include "agent/ladder.h"
#include "agent/origin.h"
#include "agent/examine.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "snmp/printer.h"
#include "snmp/redact.h"
#include "snmp/standard.h"
#include "snmp/vendor.h"

#define TIMEOUT_MS	2000
#define RETRIES		1
#define HEADERS		28	/* IPv4 and UDP, octets a datagram */

struct diagnose {
	const char		*host, *record, *config_path;
	bool			 json, config_said;
	int			 timeout_ms;
	struct credopts		 credopts;
	struct credential	 said;		/* from the options */
	struct config		*conf;
	struct sockaddr_in	 addr;
	char			 ip[INET_ADDRSTRLEN];
	const struct credential	*list[CONFIG_CREDENTIALS_MAX];
	size_t			 list_len;
	bool			 standard_only;
	struct examine		 exam;
};

static const char usage_short[] =
	"usage: platen diagnose [-c FILE | CREDENTIALS] [--json] "
	"[--record FILE]\n"
	"                       [--timeout SECONDS] HOST[:PORT]\n";

static const char usage_long[] =
	"\nTries every credential on one device, reads it, and shows what it "
	"answered, what\nit can do and which object each value came from.\n\n"
	"  -c FILE             credentials of this configuration (default: "
	CONFIG_DEFAULT ",\n"
	"                      if you may read it; else community public)\n"
	"  --json              for programs\n"
	"  --record FILE       what it answered, as snmprec, with serial "
	"numbers, addresses,\n"
	"                      names and places replaced: for a support "
	"case\n"
	"  --timeout S         of the first of two tries; default: 2\n";

static const char usage_end[] =
	"\nExit status: 0 when it is a printer, 1 when not, 2 for bad usage.\n";

/* --- what to ask with -------------------------------------------------------------- */

static int
use_config(struct diagnose *d)
{
	const struct config_snmp *snmp;
	struct ladder *ladder;
	uint32_t address;
	size_t n;

	if ((d->conf = config_read(d->config_path, CONFIG_COLLECTOR)) == NULL)
		return -1;
	address = ntohl(d->addr.sin_addr.s_addr);
	ladder = ladder_new(d->conf);
	for (n = 0; n < CONFIG_CREDENTIALS_MAX &&
	    (snmp = ladder_rung(ladder, address, n)) != NULL; n++) {
		if (n == 0 && strchr(d->host, ':') == NULL)
			d->addr.sin_port = htons((uint16_t)snmp->port);
		d->list[d->list_len++] = &snmp->credential;
		d->standard_only |= !snmp->private;
	}
	ladder_free(ladder);
	if (n == 0)
		fprintf(stderr, "platen diagnose: no [snmp] section of %s is "
		    "for %s\n", d->config_path, d->ip);
	return n > 0 ? 0 : -1;
}

static int
choose_credentials(struct diagnose *d)
{
	if (d->credopts.any && d->config_said) {
		fprintf(stderr, "platen diagnose: -c and credentials exclude "
		    "each other\n");
		return -1;
	}
	if (d->config_said || (!d->credopts.any &&
	    access(d->config_path, R_OK) == 0))
		return use_config(d);
	d->list[d->list_len++] = &d->said;
	return 0;
}

/* --- for people ---------------------------------------------------------------------- */

static const char *
version_name(int version)
{
	return version == 1 ? "v1" : version == 2 ? "v2c" : "v3";
}

static const char *
plural(int64_t n)
{
	return n == 1 ? "" : "s";
}

static void
print_sum(const char *name, const struct examine_sum *sum)
{
	const struct talk_traffic *t = &sum->traffic;

	printf("%-11s%d request%s for %d object%s (%d not there), %lld and "
	    "%lld octets, %lld ms\n", name, sum->requests,
	    plural(sum->requests), sum->varbinds, plural(sum->varbinds),
	    sum->absent,
	    (long long)(t->bytes_out + HEADERS * t->requests),
	    (long long)(t->bytes_in + HEADERS * sum->requests),
	    (long long)sum->took_ms);
	printf("%-11sanswers took %d, %d, %d ms (fastest, median, slowest)\n",
	    "", sum->fastest_ms, sum->median_ms, sum->slowest_ms);
}

static void
print_memo(const struct device_memo *memo)
{
	printf("can do     %s", version_name(memo->version));
	if (memo->varbinds != 0)
		printf(", at most %d objects in a request", memo->varbinds);
	printf(", GETBULK %s", memo->bulk == MEMO_BULK_YES ? "works" :
	    memo->bulk == MEMO_BULK_NO ? "does not work" : "not tried");
	if (memo->jetdirect)
		printf(", supplies in context Jetdirect");
	if (memo->alone)
		printf(", answers from another address");
	putchar('\n');
}

static void
print_fields(const struct diagnose *d, int64_t row)
{
	struct origin o;
	const struct origin_field *f;
	char text[OBJID_TEXT_MAX];
	size_t i, j;

	origin_find(&o, d->exam.all.fresh, row, d->ip, clock_wall_ms());
	printf("\nprinter    hrDeviceIndex %lld\n", (long long)row);
	for (i = 0; i < o.fields; i++) {
		f = &o.field[i];
		printf("  %-28s %s\n", f->name, log_safe(f->value));
		for (j = 0; j < f->objects; j++)
			printf("  %-28s   %s\n", "",
			    objid_format(f->object[j], text));
	}
	for (i = 0; i < o.gates; i++)
		printf("%-11s%s\n", i == 0 ? "decides" : "",
		    objid_format(&o.gate[i], text));
	origin_clear(&o);
}

static void
print_tries(const struct examine *v)
{
	size_t i;

	for (i = 0; i < v->tries; i++)
		printf("%-11s%-16s %-4s %s\n", i == 0 ? "tried" : "",
		    v->tried[i].name, version_name(v->tried[i].version),
		    v->tried[i].outcome);
}

static void
print_text(const struct diagnose *d, const int64_t *rows, size_t n,
    const char *why)
{
	const struct examine *v = &d->exam;
	const char *maker;
	size_t i;

	printf("device     %s:%d\n", d->ip, ntohs(d->addr.sin_port));
	print_tries(v);
	if (v->credential == NULL)
		return;
	maker = vendor_name(vendor_match(v->all.fresh));
	printf("maker      %s%s\n", maker != NULL ? maker : "none that is known",
	    d->standard_only ? " (private = no: not asked for its own "
	    "objects)" : "");
	print_memo(&v->all.memo);
	print_sum("reading", &v->whole);
	if (v->heartbeat.requests > 0)
		print_sum("heartbeat", &v->heartbeat);
	if (n > 0 && v->all.why[0] != '\0')
		printf("odd        %s\n", v->all.why);
	for (i = 0; i < v->faults; i++)
		printf("%-11s%s\n", i == 0 ? "faults" : "", v->fault[i]);
	if (n == 0)
		printf("no printer %s\n", why);
	for (i = 0; i < n; i++)
		print_fields(d, rows[i]);
}

/* --- for programs ---------------------------------------------------------------------- */

static void
json_sum(struct json *js, const char *key, const struct examine_sum *sum)
{
	json_object(js, key);
	json_int(js, "requests", sum->requests);
	json_int(js, "objects", sum->varbinds);
	json_int(js, "absent", sum->absent);
	json_int(js, "bytes_out", sum->traffic.bytes_out);
	json_int(js, "bytes_in", sum->traffic.bytes_in);
	json_int(js, "took_ms", sum->took_ms);
	json_int(js, "fastest_ms", sum->fastest_ms);
	json_int(js, "median_ms", sum->median_ms);
	json_int(js, "slowest_ms", sum->slowest_ms);
	json_object_end(js);
}

static void
json_fields(struct json *js, const struct diagnose *d, int64_t row)
{
	struct origin o;
	char text[OBJID_TEXT_MAX];
	size_t i, j;

	origin_find(&o, d->exam.all.fresh, row, d->ip, clock_wall_ms());
	json_object(js, NULL);
	json_int(js, "row", row);
	json_array(js, "fields");
	for (i = 0; i < o.fields; i++) {
		json_object(js, NULL);
		json_string(js, "name", o.field[i].name);
		json_string(js, "value", o.field[i].value);
		json_array(js, "objects");
		for (j = 0; j < o.field[i].objects; j++)
			json_string(js, NULL,
			    objid_format(o.field[i].object[j], text));
		json_array_end(js);
		json_object_end(js);
	}
	json_array_end(js);
	json_array(js, "decides");
	for (i = 0; i < o.gates; i++)
		json_string(js, NULL, objid_format(&o.gate[i], text));
	json_array_end(js);
	json_object_end(js);
	origin_clear(&o);
}

static void
json_memo(struct json *js, const struct device_memo *memo)
{
	json_object(js, "can_do");
	json_string(js, "version", version_name(memo->version));
	json_int(js, "objects_a_request", memo->varbinds != 0 ?
	    memo->varbinds : ABSENT);
	json_string(js, "getbulk", memo->bulk == MEMO_BULK_YES ? "yes" :
	    memo->bulk == MEMO_BULK_NO ? "no" : "unknown");
	json_bool(js, "jetdirect", memo->jetdirect);
	json_bool(js, "other_address", memo->alone);
	json_object_end(js);
}

static void
print_json(const struct diagnose *d, const int64_t *rows, size_t n,
    const char *why)
{
	const struct examine *v = &d->exam;
	struct buf out = { 0 };
	struct json js;
	size_t i;

	json_start(&js, &out);
	json_object(&js, NULL);
	json_string(&js, "host", d->host);
	json_bool(&js, "printer", n > 0);
	json_string(&js, "reason", n > 0 ? NULL : why);
	json_array(&js, "tried");
	for (i = 0; i < v->tries; i++) {
		json_object(&js, NULL);
		json_string(&js, "name", v->tried[i].name);
		json_string(&js, "version", version_name(v->tried[i].version));
		json_bool(&js, "works", v->tried[i].works);
		json_string(&js, "outcome", v->tried[i].outcome);
		json_object_end(&js);
	}
	json_array_end(&js);
	if (v->credential != NULL) {
		json_string(&js, "maker",
		    vendor_name(vendor_match(v->all.fresh)));
		json_memo(&js, &v->all.memo);
		json_sum(&js, "reading", &v->whole);
		json_sum(&js, "heartbeat", &v->heartbeat);
		json_string(&js, "odd", v->all.why[0] != '\0' ? v->all.why :
		    NULL);
		json_array(&js, "faults");
		for (i = 0; i < v->faults; i++)
			json_string(&js, NULL, v->fault[i]);
		json_array_end(&js);
	}
	json_array(&js, "printers");
	for (i = 0; i < n; i++)
		json_fields(&js, d, rows[i]);
	json_array_end(&js);
	json_object_end(&js);
	fwrite(out.data, 1, out.len, stdout);
	putchar('\n');
	buf_free(&out);
}

/* --- the recording ---------------------------------------------------------------------- */

/* FILE.snmprec and context Jetdirect: FILE@Jetdirect.snmprec, as platen-sim
 * wants it. */
static char *
recording_path(const char *path, const char *context)
{
	const char *dot = strrchr(path, '.'), *slash = strrchr(path, '/');
	size_t stem = dot == NULL || (slash != NULL && dot < slash) ?
	    strlen(path) : (size_t)(dot - path);

	return *context == '\0' ? xstrdup(path) : xasprintf("%.*s@%s%s",
	    (int)stem, path, context, path + stem);
}

static int
write_recording(const char *path, const struct bag *bag)
{
	FILE *out;
	int fd;

	/* It may still hold what no rule knew: for its owner's eyes first. */
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd == -1 || (out = fdopen(fd, "w")) == NULL) {
		fprintf(stderr, "platen diagnose: cannot write %s: %s\n",
		    path, strerror(errno));
		if (fd != -1)
			close(fd);
		return -1;
	}
	bag_write_snmprec(bag, out);
	if (fclose(out) != 0) {
		fprintf(stderr, "platen diagnose: cannot write %s: %s\n",
		    path, strerror(errno));
		return -1;
	}
	fprintf(stderr, "platen diagnose: recorded %zu values in %s; look "
	    "through it before you give it away\n", bag_count(bag), path);
	return 0;
}

static void
learn_printer(struct redact *r, const struct printer *p)
{
	size_t i;

	redact_word(r, p->asset.serial);
	redact_word(r, p->asset.hostname);
	redact_word(r, p->asset.location);
	redact_word(r, p->asset.asset_tag);
	for (i = 0; i < p->consumables_len; i++)
		redact_word(r, p->consumables[i].serial);
}

static int
record(const struct diagnose *d, const int64_t *rows, size_t n)
{
	const struct examine *v = &d->exam;
	struct printer printer;
	struct redact *r;
	struct bag *clean;
	uint8_t key[32];
	char *path;
	size_t i;
	int rc = 0;

	if (getrandom(key, sizeof(key), 0) != (ssize_t)sizeof(key))
		fatal("diagnose", "no random numbers");
	r = redact_new(key);
	for (i = 0; i < n; i++) {
		printer_decode(v->all.fresh, rows[i], d->ip, clock_wall_ms(),
		    &printer);
		learn_printer(r, &printer);
		printer_clear(&printer);
	}
	for (i = 0; i < v->recordings; i++)
		redact_learn(r, v->recording[i].bag);
	for (i = 0; i < v->recordings && rc == 0; i++) {
		clean = redact_bag(r, v->recording[i].bag);
		path = recording_path(d->record, v->recording[i].context);
		rc = write_recording(path, clean);
		free(path);
		bag_free(clean);
	}
	redact_free(r);
	return rc;
}

/* --- the command line -------------------------------------------------------------------- */

enum { OPT_JSON = 256, OPT_RECORD, OPT_TIMEOUT, OPT_HELP };

/* 0, -1 for bad usage (said), 1 when --help was all. */
static int
parse_options(struct diagnose *d, int argc, char **argv)
{
	static const struct option known[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "json", no_argument, NULL, OPT_JSON },
		{ "record", required_argument, NULL, OPT_RECORD },
		{ "timeout", required_argument, NULL, OPT_TIMEOUT },
		{ "help", no_argument, NULL, OPT_HELP },
		CREDOPTS_OPTIONS,
		{ NULL, 0, NULL, 0 }
	};
	int c, rc = 0;

	optind = 0;		/* glibc: start over, with another argv */
	while (rc == 0 && (c = getopt_long(argc, argv, "c:h", known,
	    NULL)) != -1)
		switch (c) {
		case 'c':
			d->config_path = optarg;
			d->config_said = true;
			break;
		case OPT_JSON:
			d->json = true;
			break;
		case OPT_RECORD:
			d->record = optarg;
			break;
		case OPT_TIMEOUT:
			rc = credopts_timeout(&d->credopts, optarg,
			    &d->timeout_ms);
			break;
		case 'h':
		case OPT_HELP:
			printf("%s%s%s%s", usage_short, usage_long,
			    credopts_help, usage_end);
			return 1;
		default:
			rc = credopts_take(&d->credopts, c, optarg);
			if (rc == 1) {
				fputs(usage_short, stderr);
				rc = -1;
			}
		}
	if (rc == 0 && optind != argc - 1) {
		fprintf(stderr, "platen diagnose: want one host\n%s",
		    usage_short);
		return -1;
	}
	return rc;
}

static int
run(struct diagnose *d)
{
	int64_t rows[PRINTER_ROWS_MAX];
	char why[160] = "";
	size_t n = 0;
	int rc;

	vendor_load(vendor_installed(), d->conf != NULL &&
	    d->conf->vendors != NULL ? d->conf->vendors : VENDOR_OWN, NULL,
	    NULL);
	examine_make(&d->exam, &d->addr, d->list, d->list_len, d->timeout_ms,
	    RETRIES, d->standard_only);
	if (d->exam.credential == NULL)
		snprintf(why, sizeof(why), "no credential works");
	else
		n = printer_rows(d->exam.all.fresh, rows, why, sizeof(why));
	if (d->json)
		print_json(d, rows, n, why);
	else
		print_text(d, rows, n, why);
	rc = n > 0 ? 0 : 1;
	if (d->record != NULL && d->exam.recordings > 0 &&
	    record(d, rows, n) == -1)
		rc = 1;
	return rc;
}

int
diagnose_main(int argc, char **argv)
{
	struct diagnose d = { .credopts.command = "platen diagnose",
	    .config_path = CONFIG_DEFAULT, .timeout_ms = TIMEOUT_MS };
	char why[256];
	int rc;

	rc = parse_options(&d, argc, argv);
	if (rc == 0)
		rc = credopts_make(&d.credopts, &d.said);
	credopts_clear(&d.credopts);
	if (rc != 0) {
		credential_clear(&d.said);
		return rc == -1 ? 2 : 0;
	}
	d.host = argv[optind];
	if (host_parse(d.host, 161, &d.addr, why, sizeof(why)) == -1) {
		fprintf(stderr, "platen diagnose: %s\n", why);
		rc = 1;
	} else {
		inet_ntop(AF_INET, &d.addr.sin_addr, d.ip, sizeof(d.ip));
		rc = choose_credentials(&d) == -1 ? 2 : run(&d);
	}
	examine_clear(&d.exam);
	credential_clear(&d.said);
	config_free(d.conf);
	return rc != 0 ? rc : ferror(stdout) || fflush(stdout) != 0;
}
