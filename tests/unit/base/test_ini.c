/* INI files: what is stored, and what each complaint says. */
#include "base/ini.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/mem.h"

struct agent {
	char		*name;
	char		*token;
	bool		 quiet;
	int64_t		 size;
	struct ini_list	 hosts;
};

struct snmp {
	char		*community;
	char		*version;
	int64_t		 port;
	int64_t		 timeout_ms;
	struct ini_list	 networks;
};

static const struct ini_key keys[] = {
	{ "agent", "name", INI_STRING, offsetof(struct agent, name),
	    0, 0, NULL },
	{ "agent", "token", INI_BOOL, offsetof(struct agent, token),
	    0, 0, NULL },
	{ "agent", "quiet", INI_BOOL, offsetof(struct agent, quiet),
	    0, 0, NULL },
	{ "agent", "max_size", INI_SIZE, offsetof(struct agent, size),
	    1024, 1 << 30, NULL },
	{ "agent", "hosts", INI_LIST, offsetof(struct agent, hosts),
	    0, 0, NULL },
	{ "snmp *", "community", INI_STRING,
	    offsetof(struct snmp, community), 0, 0, "public|private" },
	{ "snmp *", "version", INI_STRING, offsetof(struct snmp, version),
	    0, 0, "1|2c|3" },
	{ "snmp *", "port", INI_INT, offsetof(struct snmp, port),
	    1, 65535, NULL },
	{ "snmp *", "timeout", INI_DURATION,
	    offsetof(struct snmp, timeout_ms), 100, 60000, NULL },
	{ "snmp *", "networks", INI_LIST, offsetof(struct snmp, networks),
	    0, 0, NULL },
	{ NULL, NULL, INI_STRING, 0, 0, 0, NULL }
};

static struct agent	agent;
static struct snmp	snmp[8];
static char		snmp_name[8][80];
static size_t		snmp_len;
static char		said[8192];
static int		said_lines;

static void
sink(void *arg, enum log_level level, const char *line)
{
	size_t at = strlen(said);

	snprintf(said + at, sizeof said - at, "%s\n", line);
	said_lines++;
}

static void *
enter(void *arg, const char *section)
{
	if (strcmp(section, "agent") == 0)
		return &agent;
	if (strncmp(section, "snmp ", 5) != 0 || snmp_len == 8)
		return NULL;
	snprintf(snmp_name[snmp_len], sizeof snmp_name[0], "%s", section + 5);
	return &snmp[snmp_len++];
}

static void
clean(void)
{
	free(agent.name);
	ini_list_free(&agent.hosts);
	while (snmp_len > 0) {
		struct snmp *s = &snmp[--snmp_len];

		free(s->community);
		free(s->version);
		ini_list_free(&s->networks);
		memset(s, 0, sizeof *s);
	}
	memset(&agent, 0, sizeof agent);
	said[0] = '\0';
	said_lines = 0;
}

static int
set_up(void **state)
{
	log_hook(sink, NULL);
	return 0;
}

static int
tear_down(void **state)
{
	clean();
	log_hook(NULL, NULL);
	return 0;
}

static int
run(const char *text)
{
	clean();
	return ini_read_text("platen.ini", text, keys, enter, NULL);
}

/* The text is refused with exactly this one line. */
static void
refused(const char *text, const char *want)
{
	char line[2048];

	if (run(text) != -1)
		fail_msg("taken: %s", text);
	snprintf(line, sizeof line, "config: %s\n", want);
	assert_string_equal(said, line);
}

static void
test_good(void **state)
{
	assert_int_equal(run("\xef\xbb\xbf; a comment\r\n"
	    "# another\n"
	    "[agent]\r\n"
	    "name = Z\xc3\xbcrich 3 \r\n"
	    "   max_size=64M ; behind\n"
	    "\tquiet : yes\n"
	    "hosts = 10.0.0.1, 10.0.0.2:1161\t10.0.0.3,\n"
	    "\n"
	    "  [ snmp   the  office ]  ; behind\n"
	    "version = 2c\n"
	    "timeout = 1500ms\n"
	    "port = 161\n"
	    "[snmp b]\n"
	    "timeout = 1m\n"
	    "networks ="), 0);
	assert_string_equal(said, "");
	assert_string_equal(agent.name, "Z\xc3\xbcrich 3");
	assert_int_equal(agent.size, 64 << 20);
	assert_true(agent.quiet);
	assert_int_equal(agent.hosts.count, 3);
	assert_string_equal(agent.hosts.item[0], "10.0.0.1");
	assert_string_equal(agent.hosts.item[1], "10.0.0.2:1161");
	assert_string_equal(agent.hosts.item[2], "10.0.0.3");
	assert_int_equal(snmp_len, 2);
	assert_string_equal(snmp_name[0], "the office");
	assert_string_equal(snmp[0].version, "2c");
	assert_int_equal(snmp[0].timeout_ms, 1500);
	assert_int_equal(snmp[0].port, 161);
	assert_int_equal(snmp[1].timeout_ms, 60000);
	assert_int_equal(snmp[1].networks.count, 0);
	assert_int_equal(run(""), 0);
	assert_int_equal(run("[agent]"), 0);
}

/* An item in quotes keeps them, and what is between them. */
static void
test_quotes(void **state)
{
	assert_int_equal(run("[agent]\nhosts = a, \"b, c d\",e\"f \"\" "
	    "\"no end, of it\n"), 0);
	assert_int_equal(agent.hosts.count, 5);
	assert_string_equal(agent.hosts.item[0], "a");
	assert_string_equal(agent.hosts.item[1], "\"b, c d\"");
	assert_string_equal(agent.hosts.item[2], "e\"f");
	assert_string_equal(agent.hosts.item[3], "\"\"");
	assert_string_equal(agent.hosts.item[4], "\"no end, of it");
}

static void
test_defaults_stay(void **state)
{
	clean();
	agent.name = xstrdup("default");
	agent.size = 4096;
	assert_int_equal(ini_read_text("x", "[agent]\nmax_size = 1\n", keys,
	    enter, NULL), -1);
	assert_string_equal(agent.name, "default");
	assert_int_equal(agent.size, 4096);
	assert_int_equal(ini_read_text("x", "[agent]\nname = other\n", keys,
	    enter, NULL), 0);
	assert_string_equal(agent.name, "other");
}

static void
test_values(void **state)
{
	refused("[snmp office]\n\n\ntimeout = abc\n", "platen.ini:4: "
	    "[snmp office] timeout = \"abc\": want a duration such as "
	    "500ms, 30s, 15m, 6h, 1d (between 100ms and 1m)");
	refused("[snmp o]\ntimeout = 61s", "platen.ini:2: [snmp o] timeout "
	    "= \"61s\": want a duration such as 500ms, 30s, 15m, 6h, 1d "
	    "(between 100ms and 1m)");
	refused("[snmp o]\nport = 0", "platen.ini:2: [snmp o] port = \"0\": "
	    "want a whole number (between 1 and 65535)");
	refused("[snmp o]\nport = 161x", "platen.ini:2: [snmp o] port = "
	    "\"161x\": want a whole number (between 1 and 65535)");
	refused("[snmp o]\nversion = 4", "platen.ini:2: [snmp o] version = "
	    "\"4\": want one of 1, 2c, 3");
	refused("[snmp o]\nversion = 1|2c", "platen.ini:2: [snmp o] version "
	    "= \"1|2c\": want one of 1, 2c, 3");
	refused("[agent]\nquiet = maybe", "platen.ini:2: [agent] quiet = "
	    "\"maybe\": want yes or no");
	refused("[agent]\nmax_size = 2T", "platen.ini:2: [agent] max_size = "
	    "\"2T\": want a size such as 512, 10K, 64M, 1G "
	    "(between 1K and 1G)");
	refused("[agent]\nname =", "platen.ini:2: [agent] name = \"\": "
	    "want some text");
}

static void
test_structure(void **state)
{
	refused("[agent]\nnmae = x", "platen.ini:2: [agent] nmae: unknown "
	    "key; known are name, token, quiet, max_size, hosts");
	refused("[agnet]\nname = x\nquiet = 5", "platen.ini:1: unknown "
	    "section [agnet]; known are [agent], [snmp NAME]");
	refused("[snmp]\n", "platen.ini:1: unknown section [snmp]; known are "
	    "[agent], [snmp NAME]");
	refused("[agent]\nname = a\n[snmp x]\n[agent]\nname = b",
	    "platen.ini:5: [agent] name was there before, in line 2");
	refused("[snmp x]\nport = 1\n[snmp  x]\n",
	    "platen.ini:3: section [snmp x] was there before, in line 1");
	refused("name = x", "platen.ini:1: name stands before any section");
	refused("[agent\nname = x", "platen.ini:1: want ] at the end of the "
	    "section's name");
	refused("[agent] x\n", "platen.ini:1: [agent]: want nothing behind "
	    "the ]");
	refused("[]\n", "platen.ini:1: want a section name of 1 to 64 octets");
	refused("[agent]\nhello\nname = x", "platen.ini:2: want a line such "
	    "as name = value");
	refused("[agent]\nhello", "platen.ini:2: want a line such as name = "
	    "value");
	/* no more of the value before, as inih would have it */
	refused("[agent]\nhosts = a\n  b\n", "platen.ini:3: want a line such "
	    "as name = value");
}

static void
test_every_error(void **state)
{
	assert_int_equal(run("x = 1\n[agent]\nquiet = 2\nbad\n[snmp a]\n"
	    "port = -1\nfoo = 1\n[nothing]\na = b\n[snmp b]\nport = 5\n"), -1);
	assert_int_equal(said_lines, 6);
	assert_non_null(strstr(said, "platen.ini:1: "));
	assert_non_null(strstr(said, "platen.ini:3: "));
	assert_non_null(strstr(said, "platen.ini:4: "));
	assert_non_null(strstr(said, "platen.ini:6: "));
	assert_non_null(strstr(said, "platen.ini:7: "));
	assert_non_null(strstr(said, "platen.ini:8: "));
	assert_int_equal(snmp[1].port, 5);
}

static void
test_secrets(void **state)
{
	refused("[snmp o]\ncommunity = s3cret", "platen.ini:2: [snmp o] "
	    "community: want one of public, private");
	refused("[agent]\ntoken = s3cret", "platen.ini:2: [agent] token: "
	    "want yes or no");
	run("[agent]\ns3cret\npasswort s3cret\nxs = s3cret\n");
	assert_int_equal(said_lines, 3);
	assert_null(strstr(said, "s3cret"));
}

static void
test_lines(void **state)
{
	char text[5000];
	size_t at;

	at = (size_t)sprintf(text, "[agent]\nname = ");
	memset(text + at, 'x', 4096 - 7);
	text[at + 4096 - 7] = '\0';
	assert_int_equal(run(text), 0);
	assert_int_equal(strlen(agent.name), 4096 - 7);
	strcat(text, "x");
	refused(text, "platen.ini:2: line is too long (4096 octets at most)");
	memset(text, 'y', 70);
	text[0] = '[';
	strcpy(text + 68, "]");
	refused(text, "platen.ini:1: want a section name of 1 to 64 octets");
	refused("[agent]\nname = a\033[2J\n",
	    "platen.ini:2: line holds a control character");
	refused("[agent]\nname = \xfc\n", "platen.ini:2: line is not UTF-8 "
	    "text");
	refused("; \xfc\n", "platen.ini:1: line is not UTF-8 text");
}

static void
test_files(void **state)
{
	char path[] = "/tmp/platen-ini-XXXXXX", want[128];
	int fd = mkstemp(path);

	assert_int_equal(write(fd, "[agent]\nname = a\0b\n", 19), 19);
	close(fd);
	clean();
	assert_int_equal(ini_read(path, keys, enter, NULL), -1);
	snprintf(want, sizeof want,
	    "config: %s:2: line holds a control character\n", path);
	assert_string_equal(said, want);
	fd = open(path, O_WRONLY);
	assert_int_equal(write(fd, "[agent]\nname = a b\n", 19), 19);
	close(fd);
	clean();
	assert_int_equal(ini_read(path, keys, enter, NULL), 0);
	assert_string_equal(agent.name, "a b");
	assert_int_equal(truncate(path, 2 << 20), 0);
	clean();
	assert_int_equal(ini_read(path, keys, enter, NULL), -1);
	assert_non_null(strstr(said, "longer than 1048576 octets"));
	unlink(path);
	clean();
	assert_int_equal(ini_read(path, keys, enter, NULL), -1);
	assert_non_null(strstr(said, "No such file"));
}

static void
test_durations(void **state)
{
	static const struct { const char *text; int64_t ms; } good[] = {
		{ "500ms", 500 }, { "30s", 30000 }, { "15m", 900000 },
		{ "6h", 21600000 }, { "1d", 86400000 }, { "0", 0 },
		{ "0s", 0 },
	};
	static const char *const bad[] = { "", "s", "5", "-5s", "1.5h",
	    "5 s", " 5s", "5S", "5sx", "99999999999999999999s",
	    "9223372036854775807d" };
	int64_t ms;
	size_t i;

	for (i = 0; i < sizeof good / sizeof good[0]; i++) {
		assert_int_equal(ini_parse_duration(good[i].text, &ms), 0);
		assert_true(ms == good[i].ms);
	}
	ms = 42;
	for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (ini_parse_duration(bad[i], &ms) != -1)
			fail_msg("taken: %s", bad[i]);
	assert_true(ms == 42);
}

static void
test_sizes(void **state)
{
	static const char *const bad[] = { "", "M", "-1", "1.5M", "1MB",
	    "1 M", "99999999999999999999", "9223372036854775807G" };
	int64_t bytes;
	size_t i;

	assert_int_equal(ini_parse_size("512", &bytes), 0);
	assert_true(bytes == 512);
	assert_int_equal(ini_parse_size("10K", &bytes), 0);
	assert_true(bytes == 10240);
	assert_int_equal(ini_parse_size("64m", &bytes), 0);
	assert_true(bytes == 64 << 20);
	assert_int_equal(ini_parse_size("3G", &bytes), 0);
	assert_true(bytes == INT64_C(3) << 30);
	for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (ini_parse_size(bad[i], &bytes) != -1)
			fail_msg("taken: %s", bad[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_quotes),
		cmocka_unit_test(test_defaults_stay),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_structure),
		cmocka_unit_test(test_every_error),
		cmocka_unit_test(test_secrets),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_sizes),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
