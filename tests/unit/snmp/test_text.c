/* Foreign octets to text: charsets, prefixes, ends, and hostile input. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "schema/record.h"
#include "snmp/text.h"

#define TEXT(s)	(const uint8_t *)(s), sizeof(s) - 1

static void
expect(char *got, const char *want)
{
	if (want == NULL)
		assert_null(got);
	else
		assert_string_equal(got, want);
	free(got);
}

static void
test_charsets(void **state)
{
	expect(text_decode(TEXT("Black Toner"), ABSENT), "Black Toner");
	/* Valid UTF-8 wins over whatever is declared (printers.md 10). */
	expect(text_decode(TEXT("\xe3\x83\x88"), 2004), "\xe3\x83\x88");
	expect(text_decode(TEXT("\xc3\xa9t\xc3\xa9"), 17), "\xc3\xa9t\xc3\xa9");
	/* Declared: Roman-8, Latin-2, Cyrillic, Shift_JIS. */
	expect(text_decode(TEXT("Lade \xcf""ffnen"), 2004),
	    "Lade \xc3\xbc""ffnen");
	expect(text_decode(TEXT("\xaf\xf6\xbe\xff."), 2004),
	    "\xe2\x82\xa4\xe2\x80\x94\xc6\x92.");
	expect(text_decode(TEXT("\xbb"), 5), "\xc5\xa5");
	expect(text_decode(TEXT("\xc2\xde\xdd\xd5\xe0"), 8),
	    "\xd0\xa2\xd0\xbe\xd0\xbd\xd0\xb5\xd1\x80");
	expect(text_decode(TEXT("\x83\x67\x83\x69\x81\x5b"), 17),
	    "\xe3\x83\x88\xe3\x83\x8a\xe3\x83\xbc");
	/* Undeclared, or declared as something that there is not: Latin-1;
	 * an accent at the very end is no UTF-8 cut short. */
	expect(text_decode(TEXT("Caf\xe9"), ABSENT), "Caf\xc3\xa9");
	expect(text_decode(TEXT("Caf\xe9"), 424242), "Caf\xc3\xa9");
	expect(text_decode(TEXT("Caf\xe9"), 106), "Caf\xc3\xa9");
	expect(text_decode(TEXT("Caf\xe9"), 3), "Caf\xc3\xa9");
	/* Wide characters, and ASCII under a wide charset. */
	expect(text_decode(TEXT("\0T\0r\0a\0y\0 \0\xe9"), 1000),
	    "Tray \xc3\xa9");
	expect(text_decode(TEXT("T\0r\0a\0y\0"), 1014), "Tray");
	expect(text_decode(TEXT("Tray"), 1000), "Tray");
}

static void
test_ends(void **state)
{
	expect(text_decode(TEXT("Black\0"), ABSENT), "Black");
	expect(text_decode(TEXT("Black\0\xff\xffrubbish"), ABSENT), "Black");
	expect(text_decode(TEXT("\0\0\0"), ABSENT), NULL);
	expect(text_decode(TEXT("   \r\n "), ABSENT), NULL);
	expect(text_decode(TEXT(""), ABSENT), NULL);
	expect(text_decode(TEXT("\t a\nb\x07""c\x7f \r\n"), ABSENT), "a bc");
	/* C1 controls and code points that XML has not. */
	expect(text_decode(TEXT("a\xc2\x85""b\xef\xbf\xbe"), ABSENT), "ab");
	/* Agents cut at 64 octets, in the middle of a character. */
	expect(text_decode(TEXT("\xe9\xbb\x91\xe8\x89"), 2004), "\xe9\xbb\x91");
	/* Overlong, surrogates, beyond Unicode: no UTF-8, so Latin-1. */
	expect(text_decode(TEXT("\xc0\xaf"), ABSENT), "\xc3\x80\xc2\xaf");
	expect(text_decode(TEXT("\xed\xa0\x80."), ABSENT), "\xc3\xad\xc2\xa0.");
}

static void
test_length(void **state)
{
	uint8_t	 big[65536];
	char	*text;
	size_t	 i;

	for (i = 0; i < sizeof(big); i += 2)
		memcpy(big + i, "\xc3\xa9", 2);
	text = text_decode(big, sizeof(big), ABSENT);
	/* Cut between characters: 255 is odd. */
	assert_int_equal(strlen(text), RECORD_TEXT_MAX - 1);
	free(text);
	memset(big, 0xe9, sizeof(big));
	text = text_decode(big, sizeof(big), ABSENT);
	assert_int_equal(strlen(text), RECORD_TEXT_MAX - 1);
	free(text);
}

static void
test_pml(void **state)
{
	expect(text_decode_pml(TEXT("\x01\x15Lade \xcf""ffnen"), ABSENT),
	    "Lade \xc3\xbc""ffnen");
	expect(text_decode_pml(TEXT("\x01\x15"), ABSENT), NULL);
	expect(text_decode_pml(TEXT("plain"), ABSENT), "plain");
	expect(text_decode_pml(TEXT("\x01"), ABSENT), NULL);
}

/* What net-snmp's tools print of a string that ends in NUL. */
static void
test_unprint(void **state)
{
	expect(text_decode(TEXT("Violet Cartridge\n20 41 42 31 32 33 00 "),
	    ABSENT), "Violet Cartridge AB123");
	expect(text_decode_pml(TEXT("\x01\x15LaserWriter 99\n30 30 20 2D \n"
	    "42 00 "), ABSENT), "LaserWriter 9900 -B");
	/* Sixteen characters and a second line that is text stay text. */
	expect(text_decode(TEXT("Violet Cartridge\n20 4 is text"), ABSENT),
	    "Violet Cartridge 20 4 is text");
	expect(text_decode(TEXT("Short\n41 42"), ABSENT), "Short 41 42");
}

static void
test_1284(void **state)
{
	static const char	 id[] = "MFG:Acme; CMD:A,B;MDL : L 1 ;mdlx:no;"
				    "EMPTY:;SN:A;trailing";

	expect(text_1284(id, "MFG"), "Acme");
	expect(text_1284(id, "mdl"), "L 1");
	expect(text_1284(id, "SN"), "A");
	expect(text_1284(id, "EMPTY"), NULL);
	expect(text_1284(id, "CLS"), NULL);
	expect(text_1284(";;:;", "MFG"), NULL);
	expect(text_1284("", "MFG"), NULL);
}

static void
test_words(void **state)
{
	assert_non_null(text_find_word("the Red one", "red"));
	assert_null(text_find_word("colored", "red"));
	assert_non_null(text_find_word("colored red", "red"));
	assert_non_null(text_find_word("NC-6800h", "NC-"));
	assert_true(text_starts("HEWLETT x", "Hewlett"));
	assert_false(text_starts("HE", "Hewlett"));
}

/* No octets bring out anything but clean UTF-8 of bounded length. */
static void
test_random(void **state)
{
	static const int64_t	 sets[] = { ABSENT, 3, 5, 17, 18, 39, 106, 113,
		114, 1000, 1014, 1015, 1017, 2004, 2024, 2026, 2259, -1 };
	uint8_t			 octets[300];
	char			*text;
	const unsigned char	*p;
	size_t			 round, len, i;

	srandom(3);
	for (round = 0; round < 20000; round++) {
		len = (size_t)random() % sizeof(octets);
		for (i = 0; i < len; i++)
			octets[i] = (uint8_t)random();
		text = round % 2 ? text_decode(octets, len, sets[round % 18])
		    : text_decode_pml(octets, len, sets[round / 2 % 18]);
		if (text == NULL)
			continue;
		assert_in_range(strlen(text), 1, RECORD_TEXT_MAX);
		for (p = (const unsigned char *)text; *p != '\0'; p++)
			assert_true(*p >= 0x20 && *p != 0x7f && *p != 0xff);
		free(text);
	}
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_charsets),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_pml),
		cmocka_unit_test(test_unprint),
		cmocka_unit_test(test_1284),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
