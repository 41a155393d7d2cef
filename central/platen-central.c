/*
 * The central component and its operator's tool: platen-central(8).
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/drop.h"
#include "base/ini.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/secret.h"
#include "central/fleet.h"
#include "central/keyring.h"
#include "central/office.h"
#include "central/reception.h"
#include "central/roster.h"
#include "central/settings.h"
#include "central/setup.h"
#include "central/view.h"
#include "crypto/key.h"
#include "schema/report.h"
#include "xmpp/jid.h"

#define CONFIG_DEFAULT	PLATEN_SYSCONFDIR "/platen/platen-central.ini"
#define STOP_MS		300	/* for the last stanzas to leave */

struct options {
	const char	*config;
	const char	*jid, *customer, *valid, *approve, *revoke;
	const char	*since, *limit, *keep;
	struct view_filter filter;
	bool		 foreground, verbose;
	char		**rest;		/* what is left after the options */
	int		 rest_len;
};

struct command {
	const char	*name;
	int		(*run)(const struct options *);
	const char	*allowed;	/* its options, by letter */
	int		 words;		/* after them */
};

enum { OPT_JID = 'j', OPT_CUSTOMER = 'C', OPT_VALID = 'V', OPT_APPROVE = 'A',
	OPT_REVOKE = 'R', OPT_JSON = 'J', OPT_AGENT = 'a', OPT_ASSET = 's',
	OPT_SINCE = 'S', OPT_ALL = 'L', OPT_LIMIT = 'n', OPT_KEEP = 'K' };

static const struct option	long_options[] = {
	{ "jid", required_argument, NULL, OPT_JID },
	{ "customer", required_argument, NULL, OPT_CUSTOMER },
	{ "valid", required_argument, NULL, OPT_VALID },
	{ "approve", required_argument, NULL, OPT_APPROVE },
	{ "revoke", required_argument, NULL, OPT_REVOKE },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "agent", required_argument, NULL, OPT_AGENT },
	{ "asset", required_argument, NULL, OPT_ASSET },
	{ "since", required_argument, NULL, OPT_SINCE },
	{ "all", no_argument, NULL, OPT_ALL },
	{ "limit", required_argument, NULL, OPT_LIMIT },
	{ "keep", required_argument, NULL, OPT_KEEP },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 }
};

static void
usage(FILE *out)
{
	fprintf(out,
	    "usage: platen-central [-c FILE] COMMAND [OPTION ...]\n"
	    "  init                     make the key and the store\n"
	    "  enrol NAME --jid JID [--customer C] [--valid 7d]\n"
	    "                           print the agent's configuration\n"
	    "  agents [--approve JID | --revoke JID] [--json]\n"
	    "  revoke JID               shut an agent out, at once\n"
	    "  keys [--json]            the centre's keys\n"
	    "  rotate [--keep 30d]      a new key; the present one stays good"
	    " so long\n"
	    "  run [-d] [-v]            serve; -d: in front, -v: tell more\n"
	    "  devices | consumables | alerts | history\n"
	    "                           [--agent NAME] [--asset UUID|SERIAL]\n"
	    "                           [--since TIME|AGE] [--all]"
	    " [--limit N] [--json]\n"
	    "FILE is %s unless given\n", CONFIG_DEFAULT);
}

static int
run_init(const struct options *o)
{
	struct settings	s;
	struct key	key;
	char		public[KEY_TEXT_MAX], print[48];
	int		rc = -1;

	if (settings_read(o->config, &s) != 0)
		return 1;
	if (setup_key(&s, &key) == 0) {
		key_format_public(key.public, public);
		key_fingerprint(key.public, print);
		key_wipe(&key);
		if ((rc = setup_store(&s)) == 0)
			printf("store       %s\nkey file    %s\n"
			    "public key  %s\nfingerprint %s\n",
			    s.store_url != NULL ? s.store_url : s.store_path,
			    s.key_file, public, print);
	}
	settings_clear(&s);
	return rc == 0 ? 0 : 1;
}

static int
run_enrol(const struct options *o)
{
	struct settings	s;
	struct keyring	ring;
	char		jid[JID_MAX];
	int64_t		valid_ms = ROSTER_VALID_MS;
	int		rc = -1;

	if (!roster_name_valid(o->rest[0])) {
		log_warnx("enrol", "%s: no such name; 1 to %d characters "
		    "without ; # = [ ] \" @ and / are one",
		    log_safe(o->rest[0]), ROSTER_NAME_MAX);
		return 2;
	}
	if (o->jid == NULL || roster_jid(o->jid, jid, sizeof(jid)) != 0 ||
	    strchr(jid, '@') == NULL) {
		log_warnx("enrol", "--jid wants the agent's bare JID, such "
		    "as site7@print.example.org");
		return 2;
	}
	if (o->customer != NULL && !roster_name_valid(o->customer)) {
		log_warnx("enrol", "%s: no such customer name",
		    log_safe(o->customer));
		return 2;
	}
	if (o->valid != NULL && (ini_parse_duration(o->valid,
	    &valid_ms) != 0 || valid_ms < 1000)) {
		log_warnx("enrol", "--valid %s: such as 12h or 7d is right",
		    log_safe(o->valid));
		return 2;
	}
	if (settings_read(o->config, &s) != 0)
		return 1;
	if (keyring_load(s.key_file, clock_wall_ms(), &ring) == 0) {
		rc = office_enrol(&s, &ring.key[0], o->rest[0], jid, o->customer,
		    valid_ms);
		keyring_clear(&ring);
	}
	settings_clear(&s);
	return rc == 0 ? 0 : 1;
}

static int
run_agents(const struct options *o)
{
	struct settings	 s;
	struct fleet	*fleet;
	bool		 write = o->approve != NULL || o->revoke != NULL;
	int		 rc = 1;

	if (o->approve != NULL && o->revoke != NULL) {
		log_warnx("agents", "--approve or --revoke, not both");
		return 2;
	}
	if (settings_read(o->config, &s) != 0)
		return 1;
	fleet = fleet_open(&s.store, write ? FLEET_WRITE : FLEET_READ);
	if (fleet != NULL && write)
		rc = office_decide(fleet, o->approve, o->revoke);
	else if (fleet != NULL)
		rc = view_agents(fleet, &o->filter, stdout,
		    clock_wall_ms()) == 0 ? 0 : 1;
	fleet_close(fleet);
	settings_clear(&s);
	return rc;
}

static int
run_revoke(const struct options *o)
{
	struct options	mine = *o;

	mine.revoke = o->rest[0];
	return run_agents(&mine);
}

static int
run_keys(const struct options *o)
{
	struct settings	s;
	int		rc;

	if (settings_read(o->config, &s) != 0)
		return 1;
	rc = office_keys(&s, o->filter.json, stdout);
	settings_clear(&s);
	return rc == 0 ? 0 : 1;
}

#define KEEP_MS	(INT64_C(30) * 24 * 3600 * 1000)

static int
run_rotate(const struct options *o)
{
	struct settings	s;
	int64_t		keep_ms = KEEP_MS;
	int		rc;

	if (o->keep != NULL && (ini_parse_duration(o->keep, &keep_ms) != 0 ||
	    keep_ms < 1000)) {
		log_warnx("rotate", "--keep %s: such as 12h or 30d is right",
		    log_safe(o->keep));
		return 2;
	}
	if (settings_read(o->config, &s) != 0)
		return 1;
	rc = office_rotate(&s, keep_ms);
	settings_clear(&s);
	return rc == 0 ? 0 : 1;
}

typedef int	 view_fn(struct fleet *, const struct view_filter *, FILE *,
		    int64_t);

static int
list(const struct options *o, view_fn *view)
{
	struct settings	 s;
	struct fleet	*fleet;
	int		 rc = 1;

	if (settings_read(o->config, &s) != 0)
		return 1;
	if ((fleet = fleet_open(&s.store, FLEET_READ)) != NULL)
		rc = view(fleet, &o->filter, stdout, clock_wall_ms()) == 0 ?
		    0 : 1;
	fleet_close(fleet);
	settings_clear(&s);
	return rc;
}

static int
run_devices(const struct options *o)
{
	return list(o, view_devices);
}

static int
run_consumables(const struct options *o)
{
	return list(o, view_consumables);
}

static int
run_alerts(const struct options *o)
{
	return list(o, view_alerts);
}

/* A terminal is no place for a million lines. */
#define HISTORY_LINES	200

static int
run_history(const struct options *o)
{
	struct options	mine = *o;

	if (!o->filter.json && !o->filter.all && o->filter.limit == ABSENT)
		mine.filter.limit = HISTORY_LINES;
	return list(&mine, view_history);
}

struct service {
	struct loop		*loop;
	struct reception	*reception;
	struct timer		 last;
	bool			 stopping;
};

static void
finish(void *arg)
{
	struct service	*service = arg;

	loop_stop(service->loop);
}

static void
on_signal(void *arg, int signo)
{
	struct service	*service = arg;

	if (signo == SIGHUP) {
		log_info("run", "nothing to read again; restart for a new "
		    "configuration");
		return;
	}
	if (service->stopping)
		return;
	service->stopping = true;
	log_info("run", "stops");
	reception_stop(service->reception);
	timer_after(service->loop, &service->last, STOP_MS, finish, service);
}

static int
serve(const struct settings *s, const char *secret,
    const struct keyring *ring)
{
	struct service	 service = { .loop = NULL };
	struct fleet	*fleet;

	if ((fleet = fleet_open(&s->store, FLEET_WRITE)) == NULL)
		return 1;
	report_schema_load();
	service.loop = loop_new();
	service.reception = reception_new(service.loop, s, secret, ring,
	    fleet);
	loop_signal(service.loop, SIGTERM, on_signal, &service);
	loop_signal(service.loop, SIGINT, on_signal, &service);
	loop_signal(service.loop, SIGHUP, on_signal, &service);
	reception_start(service.reception);
	loop_run(service.loop);
	reception_free(service.reception);
	loop_free(service.loop);
	fleet_close(fleet);
	report_schema_free();
	return 0;
}

/*
 * Gives up what root may, and goes to the background; whatever is wrong is
 * said before that, where the operator sees it.
 */
static int
settle(const struct options *o, const struct settings *s)
{
	struct fleet	*fleet;

	if (drop_privileges(s->user) != 0)
		return -1;
	if (geteuid() == 0)
		log_warnx("run", "stays root; give it a user of its own: "
		    "[component] user");
	if (o->foreground)
		return 0;
	/* The store's handles do not survive a fork: this is a try. */
	if ((fleet = fleet_open(&s->store, FLEET_WRITE)) == NULL)
		return -1;
	fleet_close(fleet);
	if (daemon(1, 0) == -1) {
		log_warn("run", "cannot go to the background");
		return -1;
	}
	log_init("platen-central", false, o->verbose);
	return 0;
}

/* Secrets are read while we may, the store is opened as who we become. */
static int
run_run(const struct options *o)
{
	struct settings	s;
	struct keyring	ring;
	char		secret[SECRET_MAX];
	int		rc = 1;

	signal(SIGPIPE, SIG_IGN);
	if (settings_read(o->config, &s) != 0)
		return 1;
	if (secret_read(s.secret_file, "[component] secret_file", secret,
	    sizeof(secret)) == 0 && keyring_load(s.key_file, clock_wall_ms(),
	    &ring) == 0) {
		if (settle(o, &s) == 0)
			rc = serve(&s, secret, &ring);
		keyring_clear(&ring);
	}
	secret_wipe(secret, sizeof(secret));
	settings_clear(&s);
	return rc;
}

static const struct command	commands[] = {
	{ "init", run_init, "", 0 },
	{ "enrol", run_enrol, "jCV", 1 },
	{ "agents", run_agents, "ARJaSnL", 0 },
	{ "revoke", run_revoke, "", 1 },
	{ "keys", run_keys, "J", 0 },
	{ "rotate", run_rotate, "K", 0 },
	{ "run", run_run, "dv", 0 },
	{ "devices", run_devices, "JasSLn", 0 },
	{ "consumables", run_consumables, "JasSLn", 0 },
	{ "alerts", run_alerts, "JasSLn", 0 },
	{ "history", run_history, "JasSLn", 0 },
	{ NULL, NULL, NULL, 0 }
};

/* An age ("2h"), a time, or a day. */
static int
parse_since(const char *text, int64_t *out)
{
	char	day[CLOCK_TEXT_MAX];
	int64_t	age;

	if (ini_parse_duration(text, &age) == 0) {
		*out = clock_wall_ms() - age;
		return 0;
	}
	if (clock_parse(text, out) == 0)
		return 0;
	if (strlen(text) != 10)
		return -1;
	snprintf(day, sizeof(day), "%sT00:00:00Z", text);
	return clock_parse(day, out);
}

static int
parse_values(struct options *o)
{
	char	*end;

	o->filter.since = o->filter.limit = ABSENT;
	if (o->since != NULL && parse_since(o->since, &o->filter.since) != 0) {
		log_warnx("usage", "--since %s: such as 2h, 2026-11-20 or "
		    "2026-11-20T19:30:00Z is right", log_safe(o->since));
		return -1;
	}
	if (o->limit == NULL)
		return 0;
	errno = 0;
	o->filter.limit = strtoll(o->limit, &end, 10);
	if (errno != 0 || *end != '\0' || end == o->limit ||
	    o->filter.limit < 1) {
		log_warnx("usage", "--limit %s: a number from 1 on is right",
		    log_safe(o->limit));
		return -1;
	}
	return 0;
}

static void
take_option(struct options *o, int letter)
{
	switch (letter) {
	case 'd': o->foreground = true; break;
	case 'v': o->verbose = true; break;
	case OPT_JID: o->jid = optarg; break;
	case OPT_CUSTOMER: o->customer = optarg; break;
	case OPT_VALID: o->valid = optarg; break;
	case OPT_APPROVE: o->approve = optarg; break;
	case OPT_REVOKE: o->revoke = optarg; break;
	case OPT_KEEP: o->keep = optarg; break;
	case OPT_JSON: o->filter.json = true; break;
	case OPT_AGENT: o->filter.agent = optarg; break;
	case OPT_ASSET: o->filter.asset = optarg; break;
	case OPT_SINCE: o->since = optarg; break;
	case OPT_ALL: o->filter.all = true; break;
	case OPT_LIMIT: o->limit = optarg; break;
	}
}

/* Options and words in any order; -1 after a complaint, 1 after --help. */
static int
parse_options(int argc, char **argv, struct options *o, char *given)
{
	int	letter;
	size_t	n = 0;

	while ((letter = getopt_long(argc, argv, "c:dvh", long_options,
	    NULL)) != -1) {
		if (letter == '?')
			return -1;
		if (letter == 'h') {
			usage(stdout);
			return 1;
		}
		if (letter == 'c') {
			o->config = optarg;
			continue;
		}
		if (strchr(given, letter) == NULL)
			given[n++] = (char)letter;
		take_option(o, letter);
	}
	o->rest = argv + optind;
	o->rest_len = argc - optind;
	return 0;
}

static const struct command *
find_command(struct options *o, const char *given)
{
	const struct command	*c;

	if (o->rest_len == 0)
		return NULL;
	for (c = commands; c->name != NULL; c++)
		if (strcmp(c->name, o->rest[0]) == 0)
			break;
	if (c->name == NULL) {
		log_warnx("usage", "%s: no such command",
		    log_safe(o->rest[0]));
		return NULL;
	}
	o->rest++;
	o->rest_len--;
	if (given[strspn(given, c->allowed)] != '\0' ||
	    o->rest_len != c->words) {
		log_warnx("usage", "%s is not used like that", c->name);
		return NULL;
	}
	return c;
}

int
main(int argc, char **argv)
{
	struct options		 o = { .config = CONFIG_DEFAULT };
	const struct command	*command;
	char			 given[32] = "";
	int			 rc;

	log_init("platen-central", true, false);
	if ((rc = parse_options(argc, argv, &o, given)) == 1)
		return 0;
	if (rc != 0 || (command = find_command(&o, given)) == NULL ||
	    parse_values(&o) != 0) {
		usage(stderr);
		return 2;
	}
	log_init("platen-central", true, o.verbose);
	if (key_library_init() != 0)
		return 1;
	return command->run(&o);
}
