#include "agent/config.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/credconf.h"
#include "agent/inispot.h"
#include "agent/loginconf.h"
#include "agent/proxyconf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"
#include "crypto/key.h"
#include "snmp/ignore.h"
#include "xmpp/jid.h"

#define DAY_MS	(INT64_C(24) * 3600 * 1000)
#define HOLD_MOST_MS	(15 * 60 * 1000)
#define C(m)	offsetof(struct config, m)
#define S(m)	offsetof(struct config_snmp, m)

static const struct ini_key keys[] = {
	{ "agent", "name", INI_STRING, C(name), 0, 0, NULL },
	{ "agent", "state_dir", INI_STRING, C(state_dir), 0, 0, NULL },
	{ "agent", "user", INI_STRING, C(user), 0, 0, NULL },
	{ "agent", "vendors", INI_STRING, C(vendors), 0, 0, NULL },
	{ "agent", "store_key_file", INI_STRING, C(store_key_file), 0, 0,
	    NULL },
	{ "xmpp", "jid", INI_STRING, C(jid), 0, 0, NULL },
	{ "xmpp", "password_file", INI_STRING, C(password_file), 0, 0, NULL },
	{ "xmpp", "host", INI_STRING, C(host), 0, 0, NULL },
	{ "xmpp", "port", INI_INT, C(port), 1, 65535, NULL },
	{ "xmpp", "fallback_port", INI_INT, C(fallback_port), 0, 65535, NULL },
	{ "xmpp", "proxy", INI_STRING, C(proxy), 0, 0, NULL },
	{ "xmpp", "proxy_user", INI_STRING, C(proxy_user), 0, 0, NULL },
	{ "xmpp", "proxy_password_file", INI_STRING, C(proxy_password_file),
	    0, 0, NULL },
	{ "xmpp", "ca_file", INI_STRING, C(ca_file), 0, 0, NULL },
	{ "xmpp", "client_cert", INI_STRING, C(client_cert), 0, 0, NULL },
	{ "xmpp", "client_key", INI_STRING, C(client_key), 0, 0, NULL },
	{ "xmpp", "allow_plain", INI_BOOL, C(allow_plain), 0, 0, NULL },
	{ "xmpp", "pin", INI_LIST, C(pins), 0, 0, NULL },
	{ "xmpp", "central", INI_STRING, C(central), 0, 0, NULL },
	{ "crypto", "central_key", INI_STRING, C(central_key), 0, 0, NULL },
	{ "crypto", "token", INI_STRING, C(token), 0, 0, NULL },
	{ "crypto", "token_file", INI_STRING, C(token_file), 0, 0, NULL },
	{ "discovery", "networks", INI_LIST, C(networks), 0, 0, NULL },
	{ "discovery", "exclude", INI_LIST, C(exclude), 0, 0, NULL },
	{ "discovery", "hosts", INI_LIST, C(hosts), 0, 0, NULL },
	{ "discovery", "interval", INI_DURATION, C(interval_ms), 1000,
	    30 * DAY_MS, NULL },
	{ "discovery", "rate", INI_INT, C(rate), 1, 10000, NULL },
	{ "snmp *", "version", INI_STRING, S(version), 0, 0, "1|2c|3" },
	{ "snmp *", "community", INI_STRING, S(credential.community), 0, 0, NULL },
	{ "snmp *", "port", INI_INT, S(port), 1, 65535, NULL },
	{ "snmp *", "timeout", INI_DURATION, S(timeout_ms), 50, 60000, NULL },
	{ "snmp *", "retries", INI_INT, S(retries), 0, 10, NULL },
	{ "snmp *", "private", INI_BOOL, S(private), 0, 0, NULL },
	{ "snmp *", "user", INI_STRING, S(user), 0, 0, NULL },
	{ "snmp *", "auth", INI_STRING, S(auth), 0, 0, NULL },
	{ "snmp *", "auth_password_file", INI_STRING, S(auth_password_file),
	    0, 0, NULL },
	{ "snmp *", "privacy", INI_STRING, S(privacy), 0, 0, NULL },
	{ "snmp *", "privacy_password_file", INI_STRING,
	    S(privacy_password_file), 0, 0, NULL },
	{ "snmp *", "context", INI_STRING, S(credential.context), 0, 0, NULL },
	{ "snmp *", "networks", INI_LIST, S(networks), 0, 0, NULL },
	{ "schedule", "heartbeat", INI_DURATION, C(heartbeat_ms), 200,
	    DAY_MS, NULL },
	{ "schedule", "supplies", INI_DURATION, C(supplies_ms), 200,
	    7 * DAY_MS, NULL },
	{ "schedule", "counters", INI_DURATION, C(counters_ms), 200,
	    7 * DAY_MS, NULL },
	{ "schedule", "assets", INI_DURATION, C(assets_ms), 1000,
	    30 * DAY_MS, NULL },
	{ "alerts", "ignore", INI_LIST, C(ignore), 0, 0, NULL },
	{ "traps", "listen", INI_LIST, C(traps_listen), 0, 0, NULL },
	{ "outbox", "max_size", INI_SIZE, C(max_size), 64 * 1024,
	    INT64_C(1) << 40, NULL },
	{ "outbox", "hold", INI_DURATION, C(hold_ms), 0, DAY_MS, NULL },
	{ "outbox", "window", INI_INT, C(window), 1, 64, NULL },
	{ "privacy", "omit", INI_LIST, C(omit), 0, 0, NULL },
	{ "commands", "allow", INI_LIST, C(allow), 0, 0, NULL },
	{ NULL, NULL, INI_STRING, 0, 0, 0, NULL }
};

static const char *const may_omit[] = { "hostname", "location", "ip",
    "asset_tag", NULL };

static void *
find_section(void *arg, const char *section)
{
	static const char *const plain[] = { "agent", "xmpp", "crypto",
	    "discovery", "schedule", "alerts", "traps", "outbox", "privacy",
	    "commands", NULL };
	struct config *conf = arg;
	struct config_snmp *snmp;
	size_t i;

	for (i = 0; plain[i] != NULL; i++)
		if (strcmp(section, plain[i]) == 0)
			return conf;
	if (strncmp(section, "snmp ", 5) != 0 || section[5] == '\0')
		return NULL;
	for (i = 0; i < conf->snmp_len; i++)
		if (strcmp(conf->snmp[i].credential.name, section + 5) == 0)
			return &conf->snmp[i];
	if (conf->snmp_len == CONFIG_CREDENTIALS_MAX) {
		log_warnx("config", "%s: more than %d sections [snmp NAME]",
		    conf->path, CONFIG_CREDENTIALS_MAX);
		return NULL;
	}
	snmp = &conf->snmp[conf->snmp_len++];
	snmp->credential.name = xstrdup(section + 5);
	snmp->port = 161;
	snmp->timeout_ms = 1000;
	snmp->retries = 2;
	snmp->private = true;
	return snmp;
}

static struct config *
config_new(const char *path)
{
	struct config *conf;

	conf = xcalloc(1, sizeof(*conf));
	conf->path = xstrdup(path);
	/* Never moved while the INI reader holds a pointer to a section. */
	conf->snmp = xcalloc(CONFIG_CREDENTIALS_MAX, sizeof(*conf->snmp));
	conf->state_dir = xstrdup("/var/lib/platen");
	conf->port = 5222;
	conf->fallback_port = 443;
	conf->interval_ms = 6 * 3600 * 1000;
	conf->rate = 50;
	conf->heartbeat_ms = 60 * 1000;
	conf->supplies_ms = 15 * 60 * 1000;
	conf->counters_ms = 3600 * 1000;
	conf->assets_ms = DAY_MS;
	conf->max_size = 64 * 1024 * 1024;
	conf->hold_ms = -1;
	conf->window = 16;
	return conf;
}

static void
wipe_string(char **text)
{
	secret_free(*text);
	*text = NULL;
}

static void
snmp_section_free(struct config_snmp *snmp)
{
	free(snmp->version);
	credential_clear(&snmp->credential);
	ini_list_free(&snmp->networks);
	free(snmp->user);
	free(snmp->auth);
	free(snmp->auth_password_file);
	free(snmp->privacy);
	free(snmp->privacy_password_file);
	memset(snmp, 0, sizeof(*snmp));
}

void
config_free(struct config *conf)
{
	size_t i;

	if (conf == NULL)
		return;
	for (i = 0; i < conf->snmp_len; i++)
		snmp_section_free(&conf->snmp[i]);
	free(conf->snmp);
	free(conf->path);
	free(conf->name);
	free(conf->state_dir);
	free(conf->user);
	free(conf->vendors);
	free(conf->store_key_file);
	free(conf->jid);
	free(conf->password_file);
	free(conf->host);
	free(conf->proxy);
	free(conf->proxy_user);
	free(conf->proxy_password_file);
	free(conf->ca_file);
	free(conf->client_cert);
	free(conf->client_key);
	ini_list_free(&conf->pins);
	free(conf->central);
	free(conf->central_key);
	wipe_string(&conf->token);
	free(conf->token_file);
	ini_list_free(&conf->networks);
	ini_list_free(&conf->exclude);
	ini_list_free(&conf->hosts);
	ini_list_free(&conf->ignore);
	ini_list_free(&conf->traps_listen);
	ini_list_free(&conf->omit);
	ini_list_free(&conf->allow);
	free(conf);
}

/* --- addresses ----------------------------------------------------------- */

int
host_parse(const char *text, uint16_t default_port, struct sockaddr_in *out,
    char *why, size_t why_size)
{
	struct addrinfo hints, *found;
	char copy[256], *colon;
	unsigned long port = default_port;
	int error;

	if (snprintf(copy, sizeof(copy), "%s", text) >= (int)sizeof(copy)) {
		snprintf(why, why_size, "%.60s...: too long", text);
		return -1;
	}
	if ((colon = strrchr(copy, ':')) != NULL) {
		*colon = '\0';
		if (network_digits(colon + 1, 65535, &port) == -1 || port == 0) {
			snprintf(why, why_size, "%.200s: the port must be 1 to "
			    "65535", text);
			return -1;
		}
	}
	memset(&hints, 0, sizeof(hints));
	hints.ai_family = AF_INET;
	hints.ai_socktype = SOCK_DGRAM;
	if ((error = getaddrinfo(copy, NULL, &hints, &found)) != 0) {
		snprintf(why, why_size, "%.120s: %.100s", copy,
		    gai_strerror(error));
		return -1;
	}
	memcpy(out, found->ai_addr, sizeof(*out));
	out->sin_port = htons((uint16_t)port);
	freeaddrinfo(found);
	return 0;
}

bool
traps_address(const char *text, struct sockaddr_in *out)
{
	char ip[INET_ADDRSTRLEN];
	unsigned long port;
	size_t len = strcspn(text, ":");

	memset(out, 0, sizeof(*out));
	out->sin_family = AF_INET;
	if (text[len] != ':' || len >= sizeof(ip) ||
	    network_digits(text + len + 1, 65535, &port) == -1 || port == 0)
		return false;
	memcpy(ip, text, len);
	ip[len] = '\0';
	out->sin_port = htons((uint16_t)port);
	return inet_pton(AF_INET, ip, &out->sin_addr) == 1;
}

const struct config_snmp *
config_snmp_for(const struct config *conf, uint32_t address, size_t n)
{
	const struct config_snmp *snmp;
	struct range range;
	char why[128];
	size_t i, j;

	for (i = 0; i < conf->snmp_len; i++) {
		snmp = &conf->snmp[i];
		for (j = 0; j < snmp->networks.count; j++)
			if (range_parse(snmp->networks.item[j], &range, why,
			    sizeof(why)) == 0 && range_has(&range, address))
				break;
		if ((snmp->networks.count == 0 ||
		    j < snmp->networks.count) && n-- == 0)
			return snmp;
	}
	return NULL;
}

/* --- checks that need the whole file -------------------------------------- */

static int
check_missing(const struct config *conf)
{
	const struct {
		const char	*value, *section, *key, *example;
	} want[] = {
		{ conf->name, "agent", "name", "head-office" },
		{ conf->jid, "xmpp", "jid", "agent@example.com" },
		{ conf->central, "xmpp", "central", "platen.example.com" },
		{ conf->central_key, "crypto", "central_key",
		    "(from platen-central enrol)" },
	};
	size_t i;
	int rc = 0;

	for (i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		if (want[i].value == NULL || *want[i].value == '\0') {
			log_warnx("config", "%s: [%s] %s is missing: say %s = "
			    "%s", inispot(conf->path, want[i].section,
			    want[i].key), want[i].section, want[i].key,
			    want[i].key, want[i].example);
			rc = -1;
		}
	return rc;
}

static int
check_ranges(const struct config *conf, const char *section, const char *key,
    const struct ini_list *list)
{
	struct range range;
	char why[128];
	size_t i;
	int rc = 0;

	for (i = 0; i < list->count; i++)
		if (range_parse(list->item[i], &range, why,
		    sizeof(why)) == -1) {
			log_warnx("config", "%s: [%s] %s: %s",
			    inispot(conf->path, section, key), section, key,
			    why);
			rc = -1;
		}
	return rc;
}

static int
check_snmp(const struct config *conf)
{
	const struct config_snmp *snmp;
	char section[80];
	size_t i;
	int rc = credconf_check(conf);

	for (i = 0; i < conf->snmp_len; i++) {
		snmp = &conf->snmp[i];
		snprintf(section, sizeof(section), "snmp %.60s", snmp->credential.name);
		rc |= check_ranges(conf, section, "networks",
		    &snmp->networks);
	}
	return rc;
}

static int
check_words(const struct config *conf)
{
	uint8_t key[KEY_LEN];
	size_t i, j;
	int rc = 0;

	for (i = 0; i < conf->omit.count; i++) {
		for (j = 0; may_omit[j] != NULL; j++)
			if (strcmp(conf->omit.item[i], may_omit[j]) == 0)
				break;
		if (may_omit[j] == NULL) {
			log_warnx("config", "%s: [privacy] omit: %s cannot be "
			    "left out: want any of hostname, location, ip, "
			    "asset_tag", inispot(conf->path, "privacy",
			    "omit"), log_safe(conf->omit.item[i]));
			rc = -1;
		}
	}
	for (i = 0; i < conf->allow.count; i++)
		if (strcmp(conf->allow.item[i], "none") != 0) {
			log_warnx("config", "%s: [commands] allow: %s: this "
			    "version takes no commands from the centre: say "
			    "none, or leave it out", inispot(conf->path,
			    "commands", "allow"),
			    log_safe(conf->allow.item[i]));
			rc = -1;
		}
	if (conf->jid != NULL && (!jid_valid_bare(conf->jid) ||
	    strchr(conf->jid, '@') == NULL)) {
		log_warnx("config", "%s: [xmpp] jid = %s: want "
		    "name@domain", inispot(conf->path, "xmpp", "jid"),
		    log_safe(conf->jid));
		rc = -1;
	}
	if (conf->central != NULL && !jid_valid_bare(conf->central)) {
		log_warnx("config", "%s: [xmpp] central = %s: want the "
		    "component's name, such as platen.example.com",
		    inispot(conf->path, "xmpp", "central"),
		    log_safe(conf->central));
		rc = -1;
	}
	if (key_library_init() == -1)
		return -1;
	if (conf->central_key != NULL &&
	    key_parse_public(conf->central_key, key) == -1) {
		log_warnx("config", "%s: [crypto] central_key is no key: copy "
		    "the line that platen-central enrol printed (44 "
		    "characters)", inispot(conf->path, "crypto",
		    "central_key"));
		rc = -1;
	}
	if (conf->token != NULL && conf->token_file != NULL) {
		log_warnx("config", "%s: [crypto] token and token_file "
		    "exclude each other: say one of them", inispot(conf->path,
		    "crypto", "token_file"));
		rc = -1;
	}
	return rc;
}

/* HOST or HOST:PORT by its looks: names may come to exist later.  Ranges are
 * for networks. */
static bool
host_plausible(const char *text)
{
	size_t host = strcspn(text, ":");
	unsigned long port = 1;
	char number[INET_ADDRSTRLEN];
	struct in_addr in;

	if (host == 0 || host > 253 || strpbrk(text, "/@") != NULL ||
	    (strspn(text, "0123456789.-") >= host &&
	    memchr(text, '-', host) != NULL))
		return false;
	if (host < sizeof(number)) {
		memcpy(number, text, host);
		number[host] = '\0';
		if (inet_pton(AF_INET, number, &in) == 1 &&
		    !network_unicast(ntohl(in.s_addr)))
			return false;
	}
	return text[host] == '\0' || (network_digits(text + host + 1, 65535,
	    &port) == 0 && port != 0);
}

static int
check_discovery(const struct config *conf)
{
	size_t i;
	int rc = 0;

	rc |= check_ranges(conf, "discovery", "networks", &conf->networks);
	rc |= check_ranges(conf, "discovery", "exclude", &conf->exclude);
	for (i = 0; i < conf->hosts.count; i++) {
		if (!host_plausible(conf->hosts.item[i])) {
			log_warnx("config", "%s: [discovery] hosts: %s: want "
			    "HOST or HOST:PORT; ranges go into networks",
			    inispot(conf->path, "discovery", "hosts"),
			    log_safe(conf->hosts.item[i]));
			rc = -1;
		}
	}
	return rc;
}

static int
check_ignore(const struct config *conf)
{
	struct ignore *ignore;
	char why[200];

	if (conf->ignore.count == 0)
		return 0;
	ignore = ignore_new(conf->ignore.item, conf->ignore.count, why,
	    sizeof(why));
	if (ignore == NULL)
		log_warnx("config", "%s: [alerts] ignore: %s",
		    inispot(conf->path, "alerts", "ignore"), why);
	ignore_free(ignore);
	return ignore != NULL ? 0 : -1;
}

static int
check_traps(const struct config *conf)
{
	struct sockaddr_in addr;
	size_t i;
	int rc = 0;

	for (i = 0; i < conf->traps_listen.count; i++)
		if (!traps_address(conf->traps_listen.item[i], &addr)) {
			log_warnx("config", "%s: [traps] listen: %s: want "
			    "ADDRESS:PORT of this host, such as 0.0.0.0:162",
			    inispot(conf->path, "traps", "listen"),
			    log_safe(conf->traps_listen.item[i]));
			rc = -1;
		}
	return rc;
}

/* Words in the file itself that are worth hiding from other users. */
static void
warn_mode(const struct config *conf)
{
	struct stat st;
	bool secret = conf->token != NULL;
	size_t i;

	for (i = 0; i < conf->snmp_len; i++)
		if (conf->snmp[i].credential.community != NULL &&
		    strcmp(conf->snmp[i].credential.community, "public") != 0)
			secret = true;
	if (secret && stat(conf->path, &st) == 0 && (st.st_mode & S_IROTH))
		log_warnx("config", "%s holds a token or community and every "
		    "user can read it: chmod 640 %s", conf->path, conf->path);
}

/* As servers do, so that both ends hash the same names (crypto/seal.h). */
static void
lower_jids(struct config *conf)
{
	char bare[JID_MAX];

	if (jid_bare(conf->jid, bare, sizeof(bare)) == 0)
		memcpy(conf->jid, bare, strlen(bare) + 1);
	if (jid_bare(conf->central, bare, sizeof(bare)) == 0)
		memcpy(conf->central, bare, strlen(bare) + 1);
}

/* A file without any [snmp] section means the community "public". */
static void
add_default_snmp(struct config *conf)
{
	if (conf->snmp_len == 0)
		(void)find_section(conf, "snmp default");
}

static void
settle_jid(char **jid)
{
	char bare[JID_MAX];

	if (jid_bare(*jid, bare, sizeof(bare)) == -1)
		return;		/* checked before */
	free(*jid);
	*jid = xstrdup(bare);
}

/* A reading shall not wait longer for company than for the next of its kind. */
static int64_t
default_hold(const struct config *conf)
{
	int64_t hold = conf->supplies_ms < conf->counters_ms ?
	    conf->supplies_ms : conf->counters_ms;

	return hold < HOLD_MOST_MS ? hold : HOLD_MOST_MS;
}

struct config *
config_read(const char *path, unsigned parts)
{
	struct config *conf;
	int rc;

	conf = config_new(path);
	rc = ini_read(path, keys, find_section, conf);
	if (rc == 0) {
		add_default_snmp(conf);
		rc |= check_missing(conf);
		rc |= loginconf_check(conf);
		rc |= check_snmp(conf);
		rc |= check_discovery(conf);
		rc |= check_ignore(conf);
		rc |= check_traps(conf);
		rc |= check_words(conf);
		rc |= proxyconf_check(conf);
	}
	if (rc == 0)
		rc = credconf_make(conf, (parts & CONFIG_COLLECTOR) != 0);
	if (rc != 0) {
		config_free(conf);
		return NULL;
	}
	if (conf->hold_ms == -1)
		conf->hold_ms = default_hold(conf);
	/* One spelling from here on: JIDs go into the session's hash. */
	settle_jid(&conf->jid);
	settle_jid(&conf->central);
	lower_jids(conf);
	if (parts == CONFIG_ALL)
		warn_mode(conf);
	if (!(parts & CONFIG_COLLECTOR))
		while (conf->snmp_len > 0)
			snmp_section_free(&conf->snmp[--conf->snmp_len]);
	if (!(parts & CONFIG_UPLINK)) {
		wipe_string(&conf->token);
		free(conf->token_file);
		conf->token_file = NULL;
		free(conf->password_file);
		conf->password_file = NULL;
		free(conf->proxy_password_file);
		conf->proxy_password_file = NULL;
	}
	return conf;
}

char *
config_state_path(const struct config *conf, const char *name)
{
	return xasprintf("%s/%s", conf->state_dir, name);
}
