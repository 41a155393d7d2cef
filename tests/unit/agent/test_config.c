/* The agent's INI file: every mistake is told with file, line, key and what
 * is allowed, and no process gets the other's secrets. */
#include "kit.h"

#include <arpa/inet.h>
#include <sys/stat.h>

#include "agent/config.h"
#include "agent/inispot.h"
#include "agent/supervisor.h"
#include "agent/patrol.h"

#define KEY	"L+V9owNzMaqFQUl6NYb4NhGWuoF3lLyqrYrMKhXTMA0="
#define GOOD	"[agent]\n"						\
		"name = head-office\n"					\
		"[xmpp]\n"						\
		"jid = Agent@Example.com\n"				\
		"password_file = /etc/platen/password\n"		\
		"central = Platen.Example.com\n"			\
		"[crypto]\n"						\
		"central_key = " KEY "\n"				\
		"[discovery]\n"						\
		"networks = 192.0.2.0/24\n"
#define GOOD_LINES 10		/* so line 11 is the next */

static struct config *
read_text(const char *text, unsigned parts)
{
	char *path = kit_write("platen.ini", text, 0600);
	struct config *conf;

	kit_listen();
	conf = config_read(path, parts);
	free(path);
	return conf;
}

/* Refused, and each of the NULL-ended texts was said. */
static void
refused(const char *text, ...)
{
	struct config *conf = read_text(text, CONFIG_ALL);
	const char *want;
	va_list ap;

	if (conf != NULL)
		fail_msg("taken: %s", text);
	va_start(ap, text);
	while ((want = va_arg(ap, const char *)) != NULL)
		assert_said(want);
	va_end(ap);
	kit_listen_no_more();
}

static void
the_least_file_is_fine(void **state)
{
	struct config *conf = read_text(GOOD, CONFIG_ALL);

	assert_non_null(conf);
	assert_int_equal(kit_lines, 0);
	assert_string_equal(conf->name, "head-office");
	assert_string_equal(conf->state_dir, "/var/lib/platen");
	assert_null(conf->user);
	assert_null(conf->host);
	assert_int_equal(conf->port, 5222);
	assert_int_equal(conf->fallback_port, 443);
	assert_int_equal(conf->interval_ms, 6 * 3600 * 1000);
	assert_int_equal(conf->rate, 50);
	assert_int_equal(conf->heartbeat_ms, 60000);
	assert_int_equal(conf->supplies_ms, 900000);
	assert_int_equal(conf->counters_ms, 3600000);
	assert_int_equal(conf->assets_ms, 86400000);
	assert_int_equal(conf->max_size, 64 * 1024 * 1024);
	assert_int_equal(conf->hold_ms, 900000);
	assert_int_equal(conf->window, 16);
	assert_int_equal(conf->snmp_len, 1);
	assert_string_equal(conf->snmp[0].credential.name, "default");
	assert_string_equal(conf->snmp[0].credential.community, "public");
	assert_null(conf->snmp[0].version);
	assert_int_equal(conf->snmp[0].port, 161);
	assert_int_equal(conf->snmp[0].timeout_ms, 1000);
	assert_int_equal(conf->snmp[0].retries, 2);
	assert_true(conf->snmp[0].private);
	config_free(conf);
	config_free(NULL);
	kit_listen_no_more();
}

/* Both ends of the handshake hash the JIDs; servers make them lower case. */
static void
jids_become_lower_case(void **state)
{
	struct config *conf = read_text(GOOD, CONFIG_UPLINK);

	assert_non_null(conf);
	assert_string_equal(conf->jid, "agent@example.com");
	assert_string_equal(conf->central, "platen.example.com");
	config_free(conf);
	kit_listen_no_more();
}

static void
everything_can_be_said(void **state)
{
	struct config *conf = read_text(GOOD
	    "exclude = 192.0.2.1, 192.0.2.250-254\n"
	    "hosts = printer.example.com 192.0.2.9:1161\n"
	    "interval = 30m\nrate = 10\n"
	    "[snmp office]\nversion = 1\ncommunity = abc\nport = 1161\n"
	    "timeout = 500ms\nretries = 0\nprivate = no\nnetworks = 192.0.2.0/25\n"
	    "[snmp  rest]\n"
	    "[schedule]\nheartbeat = 1s\nsupplies = 2m\ncounters = 3h\n"
	    "assets = 4d\n"
	    "[outbox]\nmax_size = 1G\nhold = 40s\nwindow = 64\n"
	    "[privacy]\nomit = location hostname, ip asset_tag\n"
	    "[commands]\nallow = none\n", CONFIG_ALL);

	assert_non_null(conf);
	assert_int_equal(kit_lines, 0);
	assert_int_equal(conf->exclude.count, 2);
	assert_int_equal(conf->hosts.count, 2);
	assert_int_equal(conf->interval_ms, 1800000);
	assert_int_equal(conf->rate, 10);
	assert_int_equal(conf->snmp_len, 2);
	assert_string_equal(conf->snmp[1].version, "1");
	assert_int_equal(conf->snmp[1].port, 1161);
	assert_int_equal(conf->snmp[1].timeout_ms, 500);
	assert_int_equal(conf->snmp[1].retries, 0);
	assert_false(conf->snmp[1].private);
	assert_string_equal(conf->snmp[0].credential.name, "rest");
	assert_string_equal(conf->snmp[0].credential.community, "public");
	assert_int_equal(conf->heartbeat_ms, 1000);
	assert_int_equal(conf->assets_ms, INT64_C(4) * 86400000);
	assert_int_equal(conf->max_size, 1 << 30);
	assert_int_equal(conf->hold_ms, 40000);
	assert_int_equal(conf->window, 64);
	assert_int_equal(conf->omit.count, 4);
	config_free(conf);
	kit_listen_no_more();
}

/* Nothing waits longer for company than for the next of its kind. */
static void
readings_are_held(void **state)
{
	static const struct { const char *more; int64_t ms; } table[] = {
		{ "[schedule]\ncounters = 5m\n", 300000 },
		{ "[schedule]\nsupplies = 2m\ncounters = 3h\n", 120000 },
		{ "[schedule]\nsupplies = 2h\ncounters = 3h\n", 900000 },
		{ "[outbox]\nhold = 0\n", 0 },
		{ "[outbox]\nhold = 1d\n", 86400000 },
	};
	struct config *conf;
	char *text;
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		text = xasprintf("%s%s", GOOD, table[i].more);
		conf = read_text(text, CONFIG_UPLINK);
		assert_non_null(conf);
		assert_int_equal(conf->hold_ms, table[i].ms);
		config_free(conf);
		free(text);
	}
	kit_listen_no_more();
}

static void
what_is_missing_is_named(void **state)
{
	refused("[agent]\n[xmpp]\nhost = a\n[discovery]\nrate = 5\n",
	    "platen.ini:1: [agent] name is missing: say name = head-office",
	    "platen.ini:2: [xmpp] jid is missing: say jid = agent@example.com",
	    "platen.ini:2: [xmpp] password_file is missing",
	    "platen.ini:2: [xmpp] central is missing",
	    "platen.ini: [crypto] central_key is missing",
	    NULL);
	refused("", "[agent] name is missing", NULL);
}

static void
what_is_unknown_is_named(void **state)
{
	refused(GOOD "[outpost]\nsize = 1\n", "platen.ini:11: unknown section "
	    "[outpost]", "[outbox]", "[snmp NAME]", NULL);
	refused(GOOD "speed = 1\n", "platen.ini:11: [discovery] speed: unknown "
	    "key; known are networks, exclude, hosts, interval, rate", NULL);
	refused(GOOD "networks = 192.0.2.1\n", "platen.ini:11: [discovery] "
	    "networks was there before, in line 10", NULL);
	refused(GOOD "[snmp a]\n[snmp b]\n[snmp a]\n", "platen.ini:13: section "
	    "[snmp a] was there before, in line 11", NULL);
	refused("name = x\n" GOOD, "platen.ini:1: name stands before any "
	    "section", NULL);
	refused(GOOD "[snmp]\n", "platen.ini:11: unknown section [snmp]",
	    NULL);
}

static void
values_have_ranges(void **state)
{
	static const struct {
		const char	*section, *key, *bad, *want;
	} table[] = {
		{ "xmpp", "port", "0", "a whole number (between 1 and 65535)" },
		{ "xmpp", "port", "http", "a whole number" },
		{ "xmpp", "fallback_port", "65536", "between 0 and 65535" },
		{ "discovery", "interval", "10", "a duration such as" },
		{ "discovery", "interval", "500ms", "between 1s and 30d" },
		{ "discovery", "rate", "0", "between 1 and 10000" },
		{ "snmp a", "version", "2", "one of 1, 2c, 3" },
		{ "snmp a", "port", "-1", "between 1 and 65535" },
		{ "snmp a", "timeout", "49ms", "between 50ms and 1m" },
		{ "snmp a", "timeout", "61s", "between 50ms and 1m" },
		{ "snmp a", "retries", "11", "between 0 and 10" },
		{ "schedule", "heartbeat", "199ms", "between 200ms and 1d" },
		{ "schedule", "supplies", "8d", "between 200ms and 7d" },
		{ "schedule", "counters", "x", "between 200ms and 7d" },
		{ "schedule", "assets", "31d", "between 1s and 30d" },
		{ "outbox", "max_size", "63K", "a size such as" },
		{ "outbox", "max_size", "2000G", "between 64K and 1024G" },
		{ "outbox", "hold", "25h", "between 0s and 1d" },
		{ "outbox", "window", "0", "between 1 and 64" },
		{ "outbox", "window", "65", "between 1 and 64" },
	};
	char *text, *want;
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		text = xasprintf(GOOD "[%s]\n%s = %s\n", table[i].section,
		    table[i].key, table[i].bad);
		want = xasprintf("platen.ini:12: [%s] %s = \"%s\": want ",
		    table[i].section, table[i].key, table[i].bad);
		refused(text, want, table[i].want, NULL);
		free(text);
		free(want);
	}
}

static void
a_proxy_is_whole(void **state)
{
	static const struct {
		const char	*keys, *want;
	} table[] = {
		{ "proxy = proxy:80", "12: [xmpp] proxy: want http://" },
		{ "proxy = http://proxy", "12: [xmpp] proxy: the port is" },
		{ "proxy = http://p:80\nproxy_user = u", "13: [xmpp] "
		    "proxy_user: needs proxy_password_file" },
		{ "proxy = http://p:80\nproxy_password_file = f", "13: [xmpp]"
		    " proxy_password_file: needs proxy_user" },
		{ "proxy_user = u\nproxy_password_file = f", "12: [xmpp] "
		    "proxy_user: is for a proxy" },
		{ "proxy = http://p:80\nproxy_user = a:b\n"
		    "proxy_password_file = f", "13: [xmpp] proxy_user: cannot "
		    "have a colon" },
	};
	struct config *conf;
	char *text;
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		text = xasprintf(GOOD "[xmpp]\n%s\n", table[i].keys);
		refused(text, table[i].want, NULL);
		free(text);
	}
	assert_null(read_text(GOOD "[xmpp]\nproxy = http://u:geheim@p:80\n",
	    CONFIG_ALL));
	assert_said("12: [xmpp] proxy: a user and password do not belong");
	assert_false(kit_said("geheim"));
	conf = read_text(GOOD "[xmpp]\nproxy = socks5://[::1]:1080\n"
	    "proxy_user = a:b\nproxy_password_file = f\n", CONFIG_ALL);
	assert_non_null(conf);
	assert_string_equal(conf->proxy, "socks5://[::1]:1080");
	assert_string_equal(conf->proxy_password_file, "f");
	config_free(conf);
	conf = read_text(GOOD "[xmpp]\nproxy = http://p:80\nproxy_user = u\n"
	    "proxy_password_file = f\n", CONFIG_COLLECTOR);
	assert_non_null(conf);
	assert_null(conf->proxy_password_file);
	config_free(conf);
	kit_listen_no_more();
}

#define PIN	"sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="

static void
a_login_is_whole(void **state)
{
	static const struct {
		const char	*keys, *want;
	} table[] = {
		{ "client_cert = c", "12: [xmpp] client_cert and "
		    "password_file exclude each other" },
		{ "client_cert = c", "12: [xmpp] client_cert needs "
		    "client_key" },
		{ "client_key = k", "12: [xmpp] client_key needs "
		    "client_cert" },
		{ "pin = " PIN ", sha256/AAAA", "12: [xmpp] pin: sha256/AAAA "
		    "is not" },
		{ "pin = sha1/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
		    "12: [xmpp] pin: sha1/" },
		{ "pin = " PIN "=", "12: [xmpp] pin: sha256/47" },
	};
	struct config *conf;
	char *text, *at, *end;
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		text = xasprintf(GOOD "[xmpp]\n%s\n", table[i].keys);
		refused(text, table[i].want, NULL);
		free(text);
	}
	text = xstrdup(GOOD "[xmpp]\nclient_cert = c\nclient_key = k\n");
	at = strstr(text, "password_file");
	end = strchr(at, '\n') + 1;
	memmove(at, end, strlen(end) + 1);
	conf = read_text(text, CONFIG_ALL);
	assert_non_null(conf);
	assert_null(conf->password_file);
	assert_string_equal(conf->client_key, "k");
	config_free(conf);
	free(text);
	conf = read_text(GOOD "[xmpp]\nallow_plain = yes\npin = " PIN " " PIN
	    "\n", CONFIG_ALL);
	assert_non_null(conf);
	assert_true(conf->allow_plain);
	assert_int_equal(conf->pins.count, 2);
	config_free(conf);
	kit_listen_no_more();
}

static void
words_have_a_meaning(void **state)
{
	refused(GOOD "[privacy]\nomit = serial\n", "platen.ini:12: [privacy] "
	    "omit: serial cannot be left out: want any of hostname, location, "
	    "ip, asset_tag", NULL);
	refused(GOOD "[commands]\nallow = reboot\n", "platen.ini:12: [commands]"
	    " allow: reboot: this version takes no commands", NULL);
	refused(GOOD "[crypto]\ntoken = a\ntoken_file = b\n",
	    "platen.ini:13: [crypto] token and token_file exclude", NULL);
	refused(GOOD "[snmp a]\nnetworks = 10.0.0.0/8\n", "platen.ini:12: "
	    "[snmp a] networks: 10.0.0.0/8: a network may be /16 at most",
	    NULL);
	refused(GOOD "exclude = 1.2.3\n", "platen.ini:11: [discovery] exclude: "
	    "1.2.3: want an address a.b.c.d, a range a.b.c.d-e or a network "
	    "a.b.c.d/24", NULL);
}

static uint32_t
ip(const char *text)
{
	struct in_addr in;

	assert_int_equal(inet_pton(AF_INET, text, &in), 1);
	return ntohl(in.s_addr);
}

/* What of a [snmp] section goes together. */
static void
snmpv3_is_looked_at(void **state)
{
	static const struct {
		const char	*lines, *want;
	} table[] = {
		{ "version = 3", "12: [snmp a] version 3 needs a user" },
		{ "user = u\ncommunity = c", "13: [snmp a] community goes "
		    "with version 1 and 2c" },
		{ "version = 2c\nuser = u", "13: [snmp a] user goes with "
		    "version 3" },
		{ "context = c", "12: [snmp a] context goes with version 3" },
		{ "user = u\nauth = rot13", "13: [snmp a] auth = rot13: want "
		    "md5, sha1, sha224" },
		{ "user = u\nprivacy = xor", "13: [snmp a] privacy = xor: "
		    "want des, aes128" },
		{ "user = u\nauth = sha1", "13: [snmp a] auth needs "
		    "auth_password_file" },
		{ "user = u\nauth_password_file = f", "13: [snmp a] which "
		    "protocol" },
		{ "user = u\nprivacy = des", "13: [snmp a] privacy needs "
		    "auth" },
		{ "user = u\nauth = md5\nauth_password_file = f\n"
		    "privacy = aes", "15: [snmp a] privacy needs "
		    "privacy_password_file" },
		{ "user = u\nprivacy_password_file = f", "13: [snmp a] which "
		    "protocol" },
		{ "user = u\nauth = md5\nauth_password_file = /nonexistent",
		    "[snmp a] auth_password_file" },
	};
	char *text;
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		text = xasprintf(GOOD "[snmp a]\n%s\n", table[i].lines);
		refused(text, table[i].want, NULL);
		free(text);
	}
}

static void
credentials_are_tried_in_order(void **state)
{
	struct config *conf = read_text(GOOD "[snmp one]\nversion = 1\n"
	    "[snmp any]\n[snmp two]\nversion = 2c\ncommunity = c\n"
	    "[snmp three]\nuser = u\ncontext = x\n", CONFIG_ALL);
	static const char *const names[] = { "three", "any", "two", "one" };
	static const int versions[] = { 3, 0, 2, 1 };
	const struct config_snmp *snmp;
	size_t i;

	assert_non_null(conf);
	for (i = 0; i < 4; i++) {
		snmp = config_snmp_for(conf, ip("192.0.2.9"), i);
		assert_non_null(snmp);
		assert_string_equal(snmp->credential.name, names[i]);
		assert_int_equal(snmp->credential.version, versions[i]);
		assert_int_equal(snmp->credential.user != NULL, i == 0);
		assert_int_equal(snmp->credential.community != NULL, i != 0);
	}
	config_free(conf);
	kit_listen_no_more();
}

static void
traps_are_looked_at(void **state)
{
	struct config *conf;

	refused(GOOD "[traps]\nlisten = 162\n", "platen.ini:12: [traps] "
	    "listen: 162: want ADDRESS:PORT", NULL);
	refused(GOOD "[traps]\nlisten = 0.0.0.0:162, host:162\n", "host:162",
	    NULL);
	refused(GOOD "[traps]\nlisten = 0.0.0.0:0\n", "want ADDRESS:PORT",
	    NULL);
	conf = read_text(GOOD "[traps]\nlisten = 0.0.0.0:162 127.0.0.1:9162\n",
	    CONFIG_ALL);
	assert_non_null(conf);
	assert_int_equal(conf->traps_listen.count, 2);
	config_free(conf);
	kit_listen_no_more();
}

/* GOOD with one line put in place of another. */
static void
refused_instead(const char *old, const char *line, const char *want)
{
	struct buf text = { 0 };
	const char *at = strstr(GOOD, old);

	assert_non_null(at);
	buf_put(&text, GOOD, (size_t)(at - GOOD));
	buf_puts(&text, line);
	buf_puts(&text, at + strcspn(at, "\n"));
	refused(text.data, want, NULL);
	buf_free(&text);
}

static void
names_and_keys_are_looked_at(void **state)
{
	refused_instead("jid =", "jid = nobody",
	    "platen.ini:4: [xmpp] jid = nobody: want name@domain");
	refused_instead("jid =", "jid = a@b/c", "want name@domain");
	refused_instead("central =", "central = a b",
	    "platen.ini:6: [xmpp] central = a b: want the component's name");
	refused_instead("central_key", "central_key = abc",
	    "platen.ini:8: [crypto] central_key is no key: copy the line");
	refused_instead("central_key", "central_key = "
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
	    "platen.ini:8: [crypto] central_key is no key");
	refused_instead("central_key", "central_key =",
	    "platen.ini:8: [crypto] central_key");
}

static void
hosts_are_looked_at(void **state)
{
	static const char *const bad[] = { "192.0.2.0/24", "192.0.2.1-9",
	    "a@b", "224.0.0.251", "255.255.255.255:161", ":161", "a:0", "a:65536", "a:b", "a:", "a:1:2", NULL };
	static const char *const good[] = { "a", "a-b.example", "192.0.2.1",
	    "192.0.2.1:161", "a:65535", NULL };
	struct config *conf;
	char *text, *want;
	size_t i;

	for (i = 0; bad[i] != NULL; i++) {
		text = xasprintf(GOOD "hosts = %s\n", bad[i]);
		want = xasprintf("platen.ini:11: [discovery] hosts: %s: want "
		    "HOST or HOST:PORT", bad[i]);
		refused(text, want, NULL);
		free(text);
		free(want);
	}
	for (i = 0; good[i] != NULL; i++) {
		text = xasprintf(GOOD "hosts = %s\n", good[i]);
		conf = read_text(text, CONFIG_ALL);
		if (conf == NULL)
			fail_msg("%s: %s", good[i], kit_log.data);
		config_free(conf);
		kit_listen_no_more();
		free(text);
	}
}

static void
all_mistakes_are_told(void **state)
{
	refused(GOOD "rate = none\n[outbox]\nmax_size = big\n[nothing]\n",
	    "platen.ini:11:", "platen.ini:13:", "platen.ini:14:", NULL);
}

static void
a_file_that_is_not_there(void **state)
{
	kit_listen();
	assert_null(config_read("/nonexistent/platen.ini", CONFIG_ALL));
	assert_said("/nonexistent/platen.ini");
	kit_listen_no_more();
}

static void
too_many_credentials(void **state)
{
	struct buf text = { 0 };
	int i;

	buf_puts(&text, GOOD);
	for (i = 0; i <= CONFIG_CREDENTIALS_MAX; i++)
		buf_printf(&text, "[snmp n%d]\n", i);
	refused(text.data, "more than 32 sections [snmp NAME]", NULL);
	buf_free(&text);
}

/* --- secrets ------------------------------------------------------------- */

#define SECRETS	GOOD "[crypto]\ntoken = geheim\n"			\
		"[snmp a]\ncommunity = verborgen\n"

static void
each_part_gets_its_own_secrets(void **state)
{
	struct config *conf = read_text(SECRETS, CONFIG_COLLECTOR);

	assert_non_null(conf);
	assert_string_equal(conf->snmp[0].credential.community, "verborgen");
	assert_null(conf->token);
	assert_null(conf->token_file);
	assert_null(conf->password_file);
	config_free(conf);
	conf = read_text(SECRETS, CONFIG_UPLINK);
	assert_non_null(conf);
	assert_string_equal(conf->token, "geheim");
	assert_non_null(conf->password_file);
	assert_int_equal(conf->snmp_len, 0);
	assert_null(conf->snmp[0].credential.community);
	config_free(conf);
	conf = read_text(SECRETS, 0);
	assert_non_null(conf);
	assert_null(conf->token);
	assert_null(conf->password_file);
	assert_int_equal(conf->snmp_len, 0);
	assert_string_equal(conf->name, "head-office");
	config_free(conf);
	kit_listen_no_more();
}

static void
secrets_are_never_said(void **state)
{
	struct config *conf;
	char *path;

	refused(SECRETS "community = verborgen\nretries = 99\n",
	    "was there before", NULL);
	conf = read_text(SECRETS "[outbox]\nmax_size = 1\n", CONFIG_ALL);
	assert_null(conf);
	assert_false(kit_said("geheim") || kit_said("verborgen"));
	/* And everybody can read them here. */
	path = kit_write("open.ini", SECRETS, 0644);
	kit_listen();
	conf = config_read(path, CONFIG_ALL);
	assert_non_null(conf);
	assert_said("holds a token or community and every user can read it: "
	    "chmod 640");
	assert_false(kit_said("geheim") || kit_said("verborgen"));
	config_free(conf);
	free(path);
	kit_listen_no_more();
}

/* --- addresses ----------------------------------------------------------- */

static void
hosts_have_ports(void **state)
{
	struct sockaddr_in addr;
	char why[256];

	assert_int_equal(host_parse("127.0.0.9", 161, &addr, why,
	    sizeof(why)), 0);
	assert_int_equal(ntohs(addr.sin_port), 161);
	assert_int_equal(ntohl(addr.sin_addr.s_addr), ip("127.0.0.9"));
	assert_int_equal(host_parse("127.0.0.9:1161", 161, &addr, why,
	    sizeof(why)), 0);
	assert_int_equal(ntohs(addr.sin_port), 1161);
	assert_int_equal(host_parse("localhost:1161", 161, &addr, why,
	    sizeof(why)), 0);
	assert_int_equal(host_parse("127.0.0.9:0", 161, &addr, why,
	    sizeof(why)), -1);
	assert_non_null(strstr(why, "the port must be 1 to 65535"));
	assert_int_equal(host_parse("127.0.0.9:-1", 161, &addr, why,
	    sizeof(why)), -1);
	assert_int_equal(host_parse("no-such-host.invalid", 161, &addr, why,
	    sizeof(why)), -1);
	assert_non_null(strstr(why, "no-such-host.invalid"));
}

static void
credentials_are_for_networks(void **state)
{
	struct config *conf = read_text(GOOD
	    "[snmp one]\nnetworks = 192.0.2.0/25\n"
	    "[snmp any]\n"
	    "[snmp two]\nnetworks = 192.0.2.128/25 192.0.2.5\n", CONFIG_ALL);
	uint32_t low = ip("192.0.2.5"), high = ip("192.0.2.200");

	assert_non_null(conf);
	assert_string_equal(config_snmp_for(conf, low, 0)->credential.name, "one");
	assert_string_equal(config_snmp_for(conf, low, 1)->credential.name, "any");
	assert_string_equal(config_snmp_for(conf, low, 2)->credential.name, "two");
	assert_null(config_snmp_for(conf, low, 3));
	assert_string_equal(config_snmp_for(conf, high, 0)->credential.name, "any");
	assert_string_equal(config_snmp_for(conf, high, 1)->credential.name, "two");
	assert_null(config_snmp_for(conf, high, 2));
	config_free(conf);
	kit_listen_no_more();
}

/* --- small things -------------------------------------------------------- */

static void
spots_are_found(void **state)
{
	char *path = kit_write("spot.ini", "; [a]\n [ a  b ]\n\tk = 1\n"
	    "key=2\n[c]\nk: 3\n", 0600), *want;
	static const struct { const char *section, *key; int line; } table[] = {
		{ "a b", "k", 3 }, { "a b", "key", 4 }, { "a b", NULL, 2 },
		{ "a b", "other", 2 }, { "c", "k", 6 }, { "a", "k", 0 },
	};
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		want = table[i].line == 0 ? xstrdup(path) :
		    xasprintf("%s:%d", path, table[i].line);
		assert_string_equal(inispot(path, table[i].section,
		    table[i].key), want);
		free(want);
	}
	assert_string_equal(inispot("/nonexistent", "a", "b"),
	    "/nonexistent");
	free(path);
}

static void
pauses_grow_and_end(void **state)
{
	int64_t last = 0, pause;
	int i;

	assert_true(supervisor_pause_ms(1) <= 1000);
	for (i = 1; i < 100; i++) {
		pause = supervisor_pause_ms(i);
		assert_true(pause >= last && pause <= 60000);
		last = pause;
	}
	assert_int_equal(last, 60000);
	assert_int_equal(supervisor_pause_ms(INT32_MAX), 60000);

	last = 0;
	for (i = 0; i < 100; i++) {
		pause = patrol_backoff_ms(i, 1000);
		assert_true(pause >= last && pause >= 1000 &&
		    pause <= 15 * 60 * 1000);
		last = pause;
	}
	assert_int_equal(patrol_backoff_ms(2, 1000), 1000);
	assert_int_equal(patrol_backoff_ms(4, 1000), 4000);
	assert_int_equal(last, 15 * 60 * 1000);
	/* A slow heartbeat is never hurried. */
	assert_int_equal(patrol_backoff_ms(50, 3600 * 1000), 3600 * 1000);
	assert_int_equal(patrol_backoff_ms(INT32_MAX, 200), 15 * 60 * 1000);
}

#define TEST(f)	cmocka_unit_test_setup_teardown(f, kit_dir_make, kit_dir_remove)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_least_file_is_fine),
		TEST(jids_become_lower_case),
		TEST(everything_can_be_said),
		TEST(readings_are_held),
		TEST(what_is_missing_is_named),
		TEST(what_is_unknown_is_named),
		TEST(values_have_ranges),
		TEST(a_proxy_is_whole),
		TEST(a_login_is_whole),
		TEST(words_have_a_meaning),
		TEST(snmpv3_is_looked_at),
		TEST(credentials_are_tried_in_order),
		TEST(traps_are_looked_at),
		TEST(names_and_keys_are_looked_at),
		TEST(hosts_are_looked_at),
		TEST(all_mistakes_are_told),
		TEST(a_file_that_is_not_there),
		TEST(too_many_credentials),
		TEST(each_part_gets_its_own_secrets),
		TEST(secrets_are_never_said),
		TEST(hosts_have_ports),
		TEST(credentials_are_for_networks),
		TEST(spots_are_found),
		TEST(pauses_grow_and_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
