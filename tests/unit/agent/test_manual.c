/* What the manual says is so: the worked example of platen-protocol(7) comes
 * out the same here, platen.ini(5) names every key, the sample is right. */
#include "kit.h"

#include <ctype.h>

#include "agent/config.c"
#include "base/buf.h"
#include "crypto/base64.h"
#include "crypto/noise.h"
#include "schema/squash.h"

static char *
read_file(const char *path)
{
	struct buf text = { 0 };
	char part[4096];
	size_t n;
	FILE *f;

	if ((f = fopen(path, "r")) == NULL)
		fail_msg("%s: run this from the root of the source", path);
	while ((n = fread(part, 1, sizeof(part), f)) > 0)
		buf_put(&text, part, n);
	fclose(f);
	return buf_take(&text);
}

/* --- the worked example -------------------------------------------------- */

static char *page;

/* The octets as the page shows them: 64 characters a line. */
static void
shown(const char *text, size_t len)
{
	struct buf lines = { 0 };
	size_t i;

	for (i = 0; i < len; i += 64) {
		buf_put(&lines, text + i, len - i < 64 ? len - i : 64);
		buf_putc(&lines, '\n');
	}
	if (strstr(page, lines.data) == NULL)
		fail_msg("the page does not show %s", lines.data);
	buf_free(&lines);
}

static void
shown_base64(const void *bytes, size_t len)
{
	struct buf text = { 0 };

	base64_encode(&text, bytes, len);
	shown(text.data, text.len);
	buf_free(&text);
}

static void
shown_hex(const uint8_t *bytes, size_t len)
{
	struct buf text = { 0 };
	size_t i;

	for (i = 0; i < len; i++)
		buf_printf(&text, "%02x", bytes[i]);
	shown(text.data, text.len);
	buf_free(&text);
}

/* Something of the page that is one line on the wire: it starts with start and
 * ends with stop; broken lines are put together again. */
static char *
unbroken(const char *start, const char *stop)
{
	const char *at = strstr(page, start), *end;
	struct buf out = { 0 };

	assert_non_null(at);
	/* The first is the template; the example is the last. */
	while (strstr(at + 1, start) != NULL)
		at = strstr(at + 1, start);
	end = strstr(at, stop);
	assert_non_null(end);
	for (end += strlen(stop); at < end; at++)
		if (*at != '\n')
			buf_putc(&out, *at);
	return buf_take(&out);
}

struct both {
	struct noise_cipher	 send, receive;
};

static void
carry(struct noise *from, struct noise *to, const char *payload)
{
	uint8_t message[1024], back[1024];
	size_t len, back_len;

	assert_int_equal(noise_write(from, payload, strlen(payload), message,
	    sizeof(message), &len), 0);
	shown_base64(message, len);
	assert_int_equal(noise_read(to, message, len, back, sizeof(back),
	    &back_len), 0);
	assert_int_equal(back_len, strlen(payload));
}

/* The page shows the plaintext after the envelope with that in it: another
 * compressor than ours may have made it. */
static void
seal(struct noise_cipher *cipher, const char *envelope, const char *inside,
    size_t want)
{
	const char *at = strstr(page, inside), *end;
	struct buf text = { 0 }, xml = { 0 };
	uint8_t plain[1024], out[1024];
	char why[160];
	size_t len;

	assert_non_null(at);
	assert_non_null(at = strstr(at, "\n\n"));
	assert_non_null(end = strstr(at + 2, "\n\n"));
	for (; at < end; at++)
		if (*at != '\n')
			buf_putc(&text, *at);
	assert_int_equal(base64_decode(text.data, text.len, plain,
	    sizeof(plain), &len), 0);
	assert_int_equal(len, want);
	assert_int_equal(squash_take((char *)plain, len, 1024, &xml, why,
	    sizeof(why)), 0);
	assert_string_equal(xml.data, envelope);
	assert_int_equal(noise_encrypt(cipher, plain, len, out), 0);
	shown_base64(out, len + NOISE_TAG_LEN);
	buf_free(&text);
	buf_free(&xml);
}

static void
the_dictionary_is_shown(void **state)
{
	const char *dictionary, *at, *end;
	struct buf lines = { 0 };
	size_t len;

	page = read_file("man/platen-protocol.7");
	dictionary = squash_dictionary(&len);
	assert_non_null(at = strstr(page, "hello and welcome.\n.Bd -literal\n"));
	at = strstr(at, "literal\n") + strlen("literal\n");
	assert_non_null(end = strstr(at, "\n.Ed"));
	for (; at < end; at++)
		if (*at != '\n')
			buf_putc(&lines, *at);
	assert_int_equal(lines.len, len);
	assert_memory_equal(lines.data, dictionary, len);
	buf_free(&lines);
	free(page);
}

static void
the_example_is_right(void **state)
{
	static const char prologue[] = "platen/1\0agent@example.com\0"
	    "platen.example.com";
	uint8_t secret[4][32];
	uint8_t public[32];
	struct noise *agent, *centre;
	struct both a, c;
	char *hello, *welcome, *report, *ack;
	int i;

	page = read_file("man/platen-protocol.7");
	for (i = 0; i < 4; i++)
		memset(secret[i], 0x11 * (i + 1), 32);
	/* The centre's public key is what its own side starts from. */
	centre = noise_responder(secret[1], prologue, sizeof(prologue) - 1,
	    secret[3]);
	assert_int_equal(key_library_init(), 0);
	assert_int_equal(key_parse_public("D6poTtKIZ7l/Smot7l34zpdOdrcBjj8ioc"
	    "TPJnhXDyA=", public), 0);
	shown_base64(public, sizeof(public));
	shown_hex((const uint8_t *)prologue, sizeof(prologue) - 1);
	agent = noise_initiator(secret[0], public, prologue,
	    sizeof(prologue) - 1, secret[2]);
	hello = unbroken("<hello xmlns=", "</hello>");
	welcome = unbroken("<welcome xmlns=", "</welcome>");
	assert_int_equal(strlen(hello), 192);
	assert_int_equal(strlen(welcome), 174);
	carry(agent, centre, hello);
	carry(centre, agent, welcome);
	shown_hex(noise_hash(agent), 32);
	assert_int_equal(noise_split(agent, &a.send, &a.receive), 0);
	assert_int_equal(noise_split(centre, &c.send, &c.receive), 0);
	shown_hex(a.send.key, 32);
	shown_hex(c.send.key, 32);
	report = unbroken("<envelope xmlns='urn:xmpp:sce:1'><content><report",
	    "</envelope>");
	ack = unbroken("<envelope xmlns='urn:xmpp:sce:1'><content><ack",
	    "</envelope>");
	assert_int_equal(strlen(report), 451);
	assert_int_equal(strlen(ack), 232);
	seal(&a.send, report, "stamp='2026-11-20T19:30:01.200Z'", 128);
	seal(&c.send, ack, "stamp='2026-11-20T19:30:01.250Z'", 64);
	free(hello);
	free(welcome);
	free(report);
	free(ack);
	noise_free(agent);
	noise_free(centre);
	free(page);
}

/* --- the configuration --------------------------------------------------- */

/* Whether the page has word in a line that starts with ".It Ic". */
static bool
described(const char *text, const char *word)
{
	size_t len = strlen(word);
	const char *line, *end, *at;

	for (line = strstr(text, "\n.It Ic "); line != NULL;
	    line = strstr(end, "\n.It Ic ")) {
		end = line + 1 + strcspn(line + 1, "\n");
		for (at = line + 8; at + len <= end; at++)
			if (strncmp(at, word, len) == 0 && at[-1] == ' ' &&
			    isspace((unsigned char)at[len]))
				return true;
	}
	return false;
}

static void
every_key_is_described(void **state)
{
	char *text = read_file("man/platen.ini.5");
	char *sample = read_file("etc/platen.ini"), *line;
	const struct ini_key *k;

	for (k = keys; k->section != NULL; k++) {
		if (!described(text, k->name))
			fail_msg("platen.ini(5) does not say [%s] %s",
			    k->section, k->name);
		/* SNMPv3 is for later. */
		if (strncmp(k->name, "auth", 4) == 0 ||
		    strncmp(k->name, "privacy", 7) == 0 ||
		    strcmp(k->name, "context") == 0)
			continue;
		line = xasprintf("%s =", k->name);
		if (strstr(sample, line) == NULL)
			fail_msg("the sample does not show [%s] %s",
			    k->section, k->name);
		free(line);
	}
	free(text);
	free(sample);
}

static void
the_sample_is_right(void **state)
{
	struct config *conf;

	kit_listen();
	conf = config_read("etc/platen.ini", CONFIG_ALL);
	if (conf == NULL || kit_lines > 0)
		fail_msg("%s", kit_log.data);
	config_free(conf);
	kit_listen_no_more();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_example_is_right),
		cmocka_unit_test(the_dictionary_is_shown),
		cmocka_unit_test(every_key_is_described),
		cmocka_unit_test(the_sample_is_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
