/*
 * A recording for others holds nothing that tells one device from another,
 * and what agreed before still agrees.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "snmp/redact.h"
#include "snmp/standard.h"
#include "tests/unit/snmp/bagtext.h"

#define DEVICE								\
	SYS "1.0|4|Acme 5; S/N QX7700123; mail ops@acme.example\n"	\
	SYS "2.0|6|1.3.6.1.4.1.11.1\n"					\
	SYS "3.0|67|500\n"						\
	SYS "5.0|4|PRN001BA90BA752\n"					\
	SYS "6.0|4|Rm 7\n"						\
	IF "6.1|4x|001ba90ba752\n"					\
	IF "6.2|4x|000000000000\n"					\
	IP "10.20.30.40|2|1\n"						\
	IP "127.0.0.1|2|2\n"						\
	"1.3.6.1.2.1.4.20.1.1.10.20.30.40|64|10.20.30.40\n"		\
	PRT "5.1.1.17.1|4|QX7700123\n"					\
	SUPPLY "6.1.1|4|Black Toner, PN 55;SNCRUM9912AB\n"		\
	SUPPLY "9.1.1|2|42\n"						\
	PEN "11.2.3.9.1.1.7.0|4|MFG:Acme;MDL:5;SN:qx7700123;IP:10.20.30.40;\n" \
	PEN "11.9.0|4x|ff001ba90ba752ff\n"				\
	PEN "11.10.0|4|00:1B:A9:0B:A7:52 FW 10.2.0.1.5\n"

static char *
printed(const struct bag *bag)
{
	char *text = NULL;
	size_t len = 0;
	FILE *fp = open_memstream(&text, &len);

	bag_write_snmprec(bag, fp);
	fclose(fp);
	return text;
}

static char *
redacted(uint8_t seed)
{
	struct bag *bag = bag_of(DEVICE), *clean;
	uint8_t key[32];
	struct redact *r;
	char *text;

	memset(key, seed, sizeof(key));
	r = redact_new(key);
	redact_learn(r, bag);
	clean = redact_bag(r, bag);
	assert_int_equal(bag_count(clean), bag_count(bag));
	text = printed(clean);
	bag_free(clean);
	bag_free(bag);
	redact_free(r);
	return text;
}

/* The text behind OID|TAG|, in a static buffer. */
static const char *
value_at(const char *text, const char *oid)
{
	static char out[2][256];
	static int turn;
	char *to = out[turn++ % 2];
	const char *at = strstr(text, oid);

	if (at == NULL)
		fail_msg("%s is not in\n%s", oid, text);
	at = strchr(strchr(at, '|') + 1, '|') + 1;
	snprintf(to, 256, "%.*s", (int)strcspn(at, "\n"), at);
	return to;
}

static void
test_nothing_is_left(void **state)
{
	static const char *const secrets[] = { "QX7700123", "qx7700123",
	    "001BA90BA752", "001ba90ba752", "1B:A9", "Rm 7", "10.20.30.40",
	    "acme.example", "ops@", "CRUM9912AB", "9912AB" };
	char *text = redacted(1);
	size_t i;

	for (i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
		if (strstr(text, secrets[i]) != NULL)
			fail_msg("%s is left in\n%s", secrets[i], text);
	free(text);
}

static void
test_the_rest_stays(void **state)
{
	char *text = redacted(1);

	assert_non_null(strstr(text, "Acme 5; S/N "));
	assert_non_null(strstr(text, "Black Toner, PN 55;SN"));
	assert_non_null(strstr(text, SUPPLY "9.1.1|2|42\n"));
	assert_non_null(strstr(text, SYS "2.0|6|1.3.6.1.4.1.11.1\n"));
	assert_non_null(strstr(text, IP "127.0.0.1|2|2\n"));
	assert_non_null(strstr(text, IF "6.2|4x|000000000000\n"));
	/* A version of firmware is no address. */
	assert_non_null(strstr(text, "FW 10.2.0.1.5"));
	free(text);
}

/* One serial number in three places, one MAC in four. */
static void
test_it_still_agrees(void **state)
{
	char *text = redacted(7), low[64];
	const char *serial, *mac;
	size_t i;

	serial = value_at(text, PRT "5.1.1.17.1");
	assert_int_equal(strlen(serial), 9);
	assert_int_equal(strspn(serial, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"), 2);
	assert_non_null(strstr(value_at(text, SYS "1.0"), serial));
	for (i = 0; serial[i] != '\0'; i++)
		low[i] = serial[i] >= 'A' ? (char)(serial[i] | 0x20) :
		    serial[i];
	low[i] = '\0';
	assert_non_null(strstr(value_at(text, PEN "11.2.3.9.1.1.7.0"), low));
	mac = value_at(text, IF "6.1");
	assert_int_equal(strlen(mac), 12);
	assert_memory_equal(mac, "00005e0053", 10);
	assert_non_null(strstr(value_at(text, PEN "11.9.0"), mac));
	assert_non_null(strstr(text, "00:00:5e:00:53:"));
	assert_non_null(strstr(text, IP "192.0.2."));
	free(text);
}

static void
test_keys_differ(void **state)
{
	char *one = redacted(1), *again = redacted(1), *other = redacted(2);

	assert_string_equal(one, again);
	assert_string_not_equal(one, other);
	free(one);
	free(again);
	free(other);
}

static void
test_words_of_others(void **state)
{
	static const uint8_t key[32] = { 3 };
	struct redact *r = redact_new(key);
	struct bag *bag = bag_of(SYS "1.0|4|in HALL north, tag AB-1\n"), *clean;
	char *text, many[32];
	int i;

	redact_word(r, NULL);
	redact_word(r, "AB");		/* too short to be found safely */
	redact_word(r, "hall north");
	redact_word(r, "Hall");
	for (i = 0; i < 2 * REDACT_WORDS_MAX; i++) {
		snprintf(many, sizeof(many), "word%d", i);
		redact_word(r, many);
	}
	clean = redact_bag(r, bag);
	text = printed(clean);
	assert_null(strcasestr(text, "hall"));
	assert_null(strcasestr(text, "north"));
	assert_non_null(strstr(text, "tag AB-1"));
	free(text);
	bag_free(clean);
	bag_free(bag);
	redact_free(r);
	redact_free(NULL);
}

/* Longer than sysLocation may be, to its last letter. */
static void
test_long_name(void **state)
{
	static const struct objid location = { 9, { 1, 3, 6, 1, 2, 1, 1, 6,
	    0 } };
	uint8_t key[32] = { 1 };
	char text[600];
	struct bag *bag = bag_new(), *clean;
	struct bag_value value;
	struct redact *r = redact_new(key);

	memset(text, 'q', sizeof(text));
	memcpy(text + sizeof(text) - 9, "cellar 23", 9);
	bag_put_octets(bag, &location, BAG_OCTETS, text, sizeof(text));
	redact_learn(r, bag);
	clean = redact_bag(r, bag);
	assert_true(bag_get(clean, &location, &value));
	assert_int_equal(value.octets_len, sizeof(text));
	assert_memory_not_equal(value.octets + sizeof(text) - 9, "cellar 23",
	    9);
	bag_free(clean);
	bag_free(bag);
	redact_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_is_left),
		cmocka_unit_test(test_the_rest_stays),
		cmocka_unit_test(test_it_still_agrees),
		cmocka_unit_test(test_keys_differ),
		cmocka_unit_test(test_words_of_others),
		cmocka_unit_test(test_long_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
