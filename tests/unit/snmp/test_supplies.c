/* Supplies (printers.md 5): levels, states, colours, kinds, descriptions,
 * rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "snmp/caption.h"
#include "snmp/lexicon.h"
#include "snmp/supplies.h"
#include "snmp/vendor.h"
#include "tests/unit/snmp/bagtext.h"

#define SHARP	SYS "2.0|6|" PEN "2385.3.1\n"
#define RICOH	SYS "2.0|6|" PEN "367.1.1\n"

struct level_case {
	const char	*vendor;
	int		 class, unit;
	int64_t		 level, capacity;
	int64_t		 percent;
	int64_t		 state;
};

/* ABSENT in level, capacity, class 0 and unit 0: the column is not there. */
static const struct level_case levels[] = {
	{ "", 3, 0, 50, 200, 25, SUPPLY_OK },
	{ "", 3, 0, 200, 200, 100, SUPPLY_OK },
	{ "", 3, 0, 173, 250, 69, SUPPLY_OK },		/* 69.2 */
	{ "", 3, 0, 111, 200, 56, SUPPLY_OK },		/* 55.5 */
	{ "", 3, 0, 22, 200, 11, SUPPLY_OK },
	{ "", 3, 0, 20, 200, 10, SUPPLY_LOW },
	{ "", 3, 0, 1, 1000, 0, SUPPLY_LOW },		/* 0.1, not empty */
	{ "", 3, 0, 0, 200, 0, SUPPLY_EMPTY },
	{ "", 3, 0, 0, 0, 0, SUPPLY_EMPTY },
	{ "", 3, 0, 0, -2, 0, SUPPLY_EMPTY },
	/* Lie 3: more than there can be. */
	{ "", 3, 19, 143065, 100, ABSENT, SUPPLY_NOT_REPORTED },
	{ "", 3, 0, 101, 100, ABSENT, SUPPLY_NOT_REPORTED },
	/* Never a number out of these. */
	{ "", 3, 0, -1, 100, ABSENT, SUPPLY_UNRESTRICTED },
	{ "", 3, 0, -2, 100, ABSENT, SUPPLY_UNKNOWN },
	{ "", 3, 19, -3, 100, ABSENT, SUPPLY_SOME },
	{ "", 3, 0, -3, -2, ABSENT, SUPPLY_SOME },
	{ "", 3, 0, ABSENT, 100, ABSENT, SUPPLY_NOT_REPORTED },
	/* Lie 4: capacity -1, -2 or 0 beside a percentage. */
	{ "", 3, 19, 40, -2, 40, SUPPLY_OK },
	{ "", 3, 19, 40, -1, 40, SUPPLY_OK },
	{ "", 3, 19, 9, 0, 9, SUPPLY_LOW },
	{ "", 3, 19, 40, ABSENT, 40, SUPPLY_OK },
	{ "", 3, 19, 140, -2, ABSENT, SUPPLY_SOME },
	{ "", 3, 13, 40, -2, ABSENT, SUPPLY_SOME },	/* grams */
	{ "", 3, 0, 40, -2, ABSENT, SUPPLY_SOME },
	{ "", 3, 0, 40, ABSENT, ABSENT, SUPPLY_SOME },
	{ SHARP, 3, 0, 9, -2, 9, SUPPLY_LOW },
	{ SHARP, 4, 0, 100, -2, 100, SUPPLY_OK },
	{ SHARP, 3, 0, 101, -2, ABSENT, SUPPLY_SOME },
	{ SHARP, 3, 0, -2, -2, ABSENT, SUPPLY_UNKNOWN },
	/* Lie 5: below -3. */
	{ "", 3, 0, -100, 100, ABSENT, SUPPLY_UNKNOWN },
	{ RICOH, 3, 0, -100, 100, ABSENT, SUPPLY_LOW },
	{ RICOH, 3, 0, -4, 100, ABSENT, SUPPLY_UNKNOWN },
	/* OKI: toner in percent, drums in pages; Kyocera and Lexmark pages;
	 * Fujifilm pages in steps of a tenth; Ricoh tenths of percent. */
	{ "", 3, 19, 80, 100, 80, SUPPLY_OK },
	{ "", 3, 7, 13200, 20000, 66, SUPPLY_OK },
	{ "", 3, 7, 601, 6000, 10, SUPPLY_LOW },
	{ "", 3, 8, 63000, 90000, 70, SUPPLY_OK },
	{ "", 3, 7, -3, 7200, ABSENT, SUPPLY_SOME },
	/* Another unit is no other rule; staples and grams are told raw. */
	{ "", 3, 18, 4200, -2, ABSENT, SUPPLY_SOME },
	{ "", 3, 1, 40, -1, ABSENT, SUPPLY_SOME },
	{ "", 3, 15, 40, -1, ABSENT, SUPPLY_SOME },
	{ "", 3, 13, 40, 0, ABSENT, SUPPLY_SOME },
	{ "", 3, 19, 100, 0, 100, SUPPLY_OK },
	{ "", 3, 19, 101, 0, ABSENT, SUPPLY_SOME },
	{ "", 3, 19, 0, 0, 0, SUPPLY_EMPTY },
	{ SHARP, 3, 0, 9, -1, 9, SUPPLY_LOW },
	{ SHARP, 3, 0, 9, 0, ABSENT, SUPPLY_SOME },
	{ SHARP, 3, 0, -3, -2, ABSENT, SUPPLY_SOME },
	/* A third-party cartridge: nothing is known, nothing is wrong. */
	{ "", 3, 19, -2, -2, ABSENT, SUPPLY_UNKNOWN },
	{ "", 3, 19, -2, 0, ABSENT, SUPPLY_UNKNOWN },
	{ "", 3, 7, -2, ABSENT, ABSENT, SUPPLY_UNKNOWN },
	{ "", 3, 0, ABSENT, -2, ABSENT, SUPPLY_NOT_REPORTED },
	/* A receptacle's level is the space that is left. */
	{ "", 4, 19, 98, 100, 98, SUPPLY_OK },
	{ "", 4, 7, -3, 100, ABSENT, SUPPLY_SOME },
	{ "", 4, 7, -2, 100, ABSENT, SUPPLY_UNKNOWN },
	{ "", 4, 19, 60, -2, 60, SUPPLY_OK },
	{ "", 4, 0, 5, 100, 5, SUPPLY_LOW },
	{ "", 4, 0, 0, 100, 0, SUPPLY_EMPTY },
	{ "", 4, 0, 100, 100, 100, SUPPLY_OK },
	/* Out of range is not there. */
	{ "", 3, 0, INT64_MAX, 100, ABSENT, SUPPLY_NOT_REPORTED },
	{ "", 3, 0, 5, INT64_MAX, ABSENT, SUPPLY_SOME },
	{ "", 3, 0, INT64_MIN + 1, 100, ABSENT, SUPPLY_NOT_REPORTED },
	{ "", 3, 0, INT32_MAX, INT32_MAX, 100, SUPPLY_OK },
	{ "", 3, 0, UINT32_MAX, UINT32_MAX, 100, SUPPLY_OK },
};

static void
test_levels(void **state)
{
	const struct level_case	*c;
	struct printer		 p;
	char			 text[1024];
	size_t			 i, n;

	for (i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		c = &levels[i];
		n = (size_t)snprintf(text, sizeof(text), "%s" SUPPLY
		    "6.1.1|4|Thing\n" SUPPLY "4.1.1|2|%d\n", c->vendor,
		    c->class);
		if (c->unit > 0)
			n += (size_t)snprintf(text + n, sizeof(text) - n,
			    SUPPLY "7.1.1|2|%d\n", c->unit);
		if (c->capacity != ABSENT)
			n += (size_t)snprintf(text + n, sizeof(text) - n,
			    SUPPLY "8.1.1|70|%lld\n",
			    (long long)c->capacity);
		if (c->level != ABSENT)
			snprintf(text + n, sizeof(text) - n,
			    SUPPLY "9.1.1|70|%lld\n", (long long)c->level);
		decode(text, &p);
		assert_int_equal(p.consumables_len, 1);
		if (p.consumables[0].percent != c->percent ||
		    p.consumables[0].state != c->state)
			fail_msg("case %zu: level %lld of %lld gives %lld %%, "
			    "state %lld", i, (long long)c->level,
			    (long long)c->capacity,
			    (long long)p.consumables[0].percent,
			    (long long)p.consumables[0].state);
		if (c->level != ABSENT && c->level > INT32_MIN &&
		    c->level <= UINT32_MAX)
			assert_int_equal(p.consumables[0].level, c->level);
		printer_clear(&p);
	}
}

/* Lie 7: the same text twice, holes in the index; joined by suffix. */
static void
test_rows(void **state)
{
	struct printer	 p;

	decode(SUPPLY "5.1.1|2|3\n" SUPPLY "5.1.30|2|3\n" SUPPLY "5.1.5|2|9\n"
	    SUPPLY "6.1.30|4|Black Toner\n" SUPPLY "6.1.1|4|Black Toner\n"
	    SUPPLY "8.1.1|2|-2\n" SUPPLY "8.1.30|2|-2\n"
	    SUPPLY "9.1.1|2|0\n" SUPPLY "9.1.30|2|-3\n"
	    SUPPLY "9.2.7|2|50\n" PRT "5.1.1.1.1|65|4\n", &p);
	assert_int_equal(p.consumables_len, 3);
	assert_int_equal(p.consumables[0].index, 1);
	assert_int_equal(p.consumables[0].state, SUPPLY_EMPTY);
	assert_int_equal(p.consumables[1].index, 5);
	assert_null(p.consumables[1].description);
	assert_int_equal(p.consumables[1].state, SUPPLY_NOT_REPORTED);
	assert_int_equal(p.consumables[2].index, 30);
	assert_int_equal(p.consumables[2].state, SUPPLY_SOME);
	printer_clear(&p);
}

/* Two black toners (Fujifilm): the row is the identity. */
static void
test_two_blacks(void **state)
{
	struct printer	 p;

	decode(SUPPLY "5.1.30|2|3\n" SUPPLY "6.1.30|4|Black Toner 1\n"
	    SUPPLY "5.1.31|2|3\n" SUPPLY "6.1.31|4|Black Toner 2\n"
	    SUPPLY "7.1.30|2|7\n" SUPPLY "8.1.30|2|30000\n"
	    SUPPLY "9.1.30|2|0\n" SUPPLY "7.1.31|2|7\n"
	    SUPPLY "8.1.31|2|30000\n" SUPPLY "9.1.31|2|27000\n"
	    HR "5.1.2.1|4x|30\n", &p);
	assert_int_equal(p.consumables_len, 2);
	assert_int_equal(p.consumables[0].index, 30);
	assert_int_equal(p.consumables[0].state, SUPPLY_EMPTY);
	assert_text(p.consumables[0].colour, "black");
	assert_int_equal(p.consumables[1].index, 31);
	assert_int_equal(p.consumables[1].percent, 90);
	assert_int_equal(p.consumables[1].state, SUPPLY_OK);
	assert_text(p.consumables[1].colour, "black");
	printer_clear(&p);
}

/* Lie 17: rows with the device's index alone. */
static void
test_one_level(void **state)
{
	struct printer	 p;
	struct bag	*bag;
	int64_t		 rows[PRINTER_ROWS_MAX];
	char		 why[100];

	bag = bag_of(SUPPLY "6.1|4|Toner\n" SUPPLY "8.1|2|1500\n"
	    SUPPLY "9.1|2|750\n" PRT "10.2.1.4.1|65|42\n");
	assert_int_equal(printer_rows(bag, rows, why, sizeof(why)), 1);
	printer_decode(bag, rows[0], NULL, NOW, &p);
	assert_int_equal(p.consumables_len, 1);
	assert_int_equal(p.consumables[0].index, 1);
	assert_int_equal(p.consumables[0].percent, 50);
	assert_text(p.consumables[0].description, "Toner");
	assert_int_equal(p.total_pages, 42);
	assert_text(p.asset.counters[0].oid, "1.3.6.1.2.1.43.10.2.1.4.1");
	printer_clear(&p);
	bag_free(bag);
}

static void
test_too_many(void **state)
{
	struct bag	*bag = bag_new();
	struct objid	 id;
	struct printer	 p;
	uint32_t	 i;

	objid_parse(SUPPLY "9.1", &id);
	id.len = 12;
	for (i = 3000; i > 0; i--) {
		id.sub[11] = 1;
		id.sub[12] = i;
		id.len = 13;
		bag_put_number(bag, &id, BAG_INTEGER, (int64_t)i % 100);
	}
	printer_decode(bag, 1, NULL, NOW, &p);
	assert_int_equal(p.consumables_len, RECORD_CONSUMABLES_MAX);
	assert_int_equal(p.consumables[0].index, 1);
	assert_int_equal(p.consumables[RECORD_CONSUMABLES_MAX - 1].index,
	    RECORD_CONSUMABLES_MAX);
	printer_clear(&p);
	bag_free(bag);
}

static void
expect_row(const char *rows, int64_t kind, int64_t class, const char *colour)
{
	struct printer	 p;

	decode(rows, &p);
	assert_int_equal(p.consumables_len, 1);
	if (p.consumables[0].kind != kind || p.consumables[0].class != class)
		fail_msg("%s: kind %lld class %lld", rows,
		    (long long)p.consumables[0].kind,
		    (long long)p.consumables[0].class);
	assert_text(p.consumables[0].colour, colour);
	printer_clear(&p);
}

static void
test_class_and_colour(void **state)
{
	/* Class derived from the type, the type from the text. */
	expect_row(SUPPLY "5.1.1|2|4\n", 4, CLASS_FILLED, NULL);
	expect_row(SUPPLY "5.1.1|2|3\n", 3, CLASS_CONSUMED, NULL);
	expect_row(SUPPLY "5.1.1|2|3\n" SUPPLY "4.1.1|2|1\n", 3, CLASS_OTHER,
	    NULL);
	expect_row(SUPPLY "6.1.1|4|Waste Toner Box\n", 4, CLASS_FILLED, NULL);
	expect_row(SUPPLY "6.1.1|4|Gadget\n", ABSENT, ABSENT, NULL);
	/* "other" stays what the printer said; the text settles the class. */
	expect_row(SUPPLY "5.1.1|2|1\n" SUPPLY "6.1.1|4|Waste Toner\n", 1,
	    CLASS_FILLED, NULL);
	expect_row(SUPPLY "5.1.1|2|1\n" SUPPLY "6.1.1|4|Maintenance Kit\n", 1,
	    ABSENT, NULL);

	/* The colorant table by index, whatever the text says. */
	expect_row(SUPPLY "5.1.1|2|3\n" SUPPLY "3.1.1|2|4\n"
	    PRT "12.1.1.4.1.4|4|Cyan\n" SUPPLY "6.1.1|4|Toner 1\n", 3,
	    CLASS_CONSUMED, "cyan");
	expect_row(SUPPLY "5.1.1|2|3\n" SUPPLY "3.1.1|2|4\n"
	    PRT "12.1.1.4.1.4|4|Chartreuse\n", 3, CLASS_CONSUMED,
	    "chartreuse");
	/* No colorant, one without a row, one that says nothing. */
	expect_row(SUPPLY "5.1.1|2|3\n" SUPPLY "3.1.1|2|0\n"
	    SUPPLY "6.1.1|4|Yellow Toner\n", 3, CLASS_CONSUMED, "yellow");
	expect_row(SUPPLY "5.1.1|2|9\n" SUPPLY "3.1.1|2|5\n"
	    SUPPLY "6.1.1|4|Black Drum\n", 9, CLASS_CONSUMED, "black");
	expect_row(SUPPLY "5.1.1|2|3\n" SUPPLY "3.1.1|2|4\n"
	    PRT "12.1.1.4.1.4|4|unknown\n" SUPPLY "6.1.1|4|Toner (M)\n", 3,
	    CLASS_CONSUMED, "magenta");
	/* By the index and not by the place: 2 is behind 1 and says black. */
	expect_row(SUPPLY "5.1.1|2|3\n" SUPPLY "3.1.1|2|2\n"
	    PRT "12.1.1.4.1.1|4|yellow\n" PRT "12.1.1.4.1.2|4|black\n", 3,
	    CLASS_CONSUMED, "black");
	/* "other" and "unknown" are what their text says, and told as said. */
	expect_row(SUPPLY "5.1.1|2|1\n" SUPPLY "6.1.1|4|Toner (Y)\n", 1,
	    CLASS_CONSUMED, "yellow");
	expect_row(SUPPLY "5.1.1|2|2\n" SUPPLY "6.1.1|4|Waste Ink C\n", 2,
	    CLASS_FILLED, NULL);
	expect_row(SUPPLY "5.1.1|2|3\n" SUPPLY "6.1.1|4|TK-9517M\n", 3,
	    CLASS_CONSUMED, "magenta");
	expect_row(SUPPLY "5.1.1|2|1\n" SUPPLY "6.1.1|4|MK-9517C\n", 1,
	    ABSENT, NULL);
	/* Each receptacle by its type. */
	expect_row(SUPPLY "5.1.1|2|8\n", 8, CLASS_FILLED, NULL);
	expect_row(SUPPLY "5.1.1|2|14\n", 14, CLASS_FILLED, NULL);
	expect_row(SUPPLY "5.1.1|2|24\n", 24, CLASS_FILLED, NULL);
	expect_row(SUPPLY "5.1.1|2|26\n", 26, CLASS_FILLED, NULL);
	expect_row(SUPPLY "5.1.1|2|9\n", 9, CLASS_CONSUMED, NULL);
	expect_row(SUPPLY "5.1.1|2|4\n" SUPPLY "4.1.1|2|9\n", 4,
	    CLASS_FILLED, NULL);
	/* Never black for want of better; a waste box has no colour, not
	 * even where the colorant says one. */
	expect_row(SUPPLY "5.1.1|2|4\n" SUPPLY "3.1.1|2|1\n"
	    PRT "12.1.1.4.1.1|4|black\n", 4, CLASS_FILLED, NULL);
	expect_row(SUPPLY "5.1.1|2|3\n" SUPPLY "6.1.1|4|Toner\n", 3,
	    CLASS_CONSUMED, NULL);
	expect_row(SUPPLY "5.1.1|2|4\n" SUPPLY "6.1.1|4|Waste Black\n", 4,
	    CLASS_FILLED, NULL);
	expect_row(SUPPLY "5.1.1|2|1\n" SUPPLY "6.1.1|4|Roller K\n", 1,
	    ABSENT, NULL);
}

static void
test_lexicon(void **state)
{
	static const struct {
		const char	*text, *colour;
		int64_t		 kind;
	} words[] = {
		{ "Black Toner Cartridge", "black", 21 },
		{ "SCHWARZER TONER", "black", 3 },
		{ "Schwarztoner", "black", 3 },
		{ "Tonerkassette Gelb", "yellow", 21 },
		{ "Cartouche de toner noir", "black", 21 },
		{ "Toner jaune", "yellow", 3 },
		{ "Cartucho de tinta negra", "black", 6 },
		{ "Tóner amarillo", "yellow", 3 },
		{ "Cartuccia inchiostro nero", "black", 6 },
		{ "Zwarte toner", "black", 3 },
		{ "Gele inktcartridge", "yellow", 6 },
		{ "Toner preto", "black", 3 },
		{ "Toner czarny", "black", 3 },
		{ "Toner żółty", "yellow", 3 },
		{ "黒トナー", "black", 3 },
		{ "マゼンタ トナー", "magenta", 3 },
		{ "品红色墨粉", "magenta", 3 },
		{ "Чёрный тонер", "black", 3 },
		{ "Matte Black Ink Tank", "matte black", 5 },
		{ "Photo Black", "photo black", ABSENT },
		{ "Light Cyan Ink", "light cyan", 5 },
		{ "Tri-color Ink Cartridge", "colour", 6 },
		{ "Cyan/Magenta/Yellow Drum", NULL, 9 },
		{ "Resttonerbehälter", NULL, 4 },
		{ "Waste Ink Tank", NULL, 8 },
		{ "Fixiereinheit", NULL, 15 },
		{ "Unité de fusion", NULL, 15 },
		{ "Transfer Belt Cleaner", NULL, 18 },
		{ "Image Transfer Belt Unit", NULL, 20 },
		{ "Trommeleinheit", NULL, 9 },
		{ "Imaging Unit", NULL, 9 },
		{ "Developer Cartridge", NULL, 10 },
		{ "Staple Cartridge", NULL, 32 },
		{ "Ozone Filter", NULL, ABSENT },
		{ "Colored Thing", NULL, ABSENT },
		{ "Maintenance Kit", NULL, ABSENT },
	};
	size_t	 i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		assert_text(lexicon_colour(words[i].text), words[i].colour);
		if (lexicon_kind(words[i].text) != words[i].kind)
			fail_msg("%s: kind %lld", words[i].text,
			    (long long)lexicon_kind(words[i].text));
	}
	/* Capitals beyond ASCII. */
	assert_text(lexicon_colour("ЧЁРНЫЙ ТОНЕР"), "black");
	assert_text(lexicon_colour("ŻÓŁTY TONER"), "yellow");
	assert_text(lexicon_colour("ŽLUTÝ"), "yellow");
	assert_text(lexicon_colour("ÜBERTRAG"), NULL);
	assert_int_equal(lexicon_kind("ÜBERTRAGUNGSEINHEIT"), 20);
	assert_int_equal(lexicon_kind("ТОНЕР-КАРТРИДЖ"), 21);
	assert_text(lexicon_colour_letter("Toner (K)"), "black");
	/* A part, and a machine. */
	assert_text(lexicon_colour_letter("Toner C-EXV 99"), NULL);
	assert_text(lexicon_colour_letter("Print Cartridge M C250"), NULL);
	assert_text(lexicon_colour_letter("C-Toner"), "cyan");
	assert_text(lexicon_colour_part("TK-9517K"), "black");
	assert_text(lexicon_colour_part("Toner PK-9931M"), "magenta");
	assert_text(lexicon_colour_part("TN947BK"), "black");
	assert_text(lexicon_colour_part("TNP99Y"), "yellow");
	assert_text(lexicon_colour_part("TK-9170"), NULL);
	assert_text(lexicon_colour_part("TK-9K"), NULL);
	assert_text(lexicon_colour_part("TK-9517CM"), NULL);
	assert_text(lexicon_colour_part("MK-9517C"), NULL);
	assert_text(lexicon_colour_part("XTK-9517C"), NULL);
	assert_text(lexicon_colour_letter("Drum C/M"), NULL);
	assert_text(lexicon_colour_letter("Kit"), NULL);
	assert_text(lexicon_colour_letter("toner m"), NULL);
}

/* Black, cyan, magenta and yellow as panels say them. */
static void
test_languages(void **state)
{
	static const char *const	 colours[] = { "black", "cyan",
		"magenta", "yellow" };
	static const struct {
		const char	*language, *said[4];
	} words[] = {
		{ "en", { "Black Toner", "Cyan Toner", "Magenta Toner",
		    "Yellow Toner" } },
		{ "de", { "Schwarzer Toner", "Toner Cyan", "Toner Magenta",
		    "Gelber Toner" } },
		{ "fr", { "Toner (noir)", "Toner cyan", "Toner magenta",
		    "Toner jaune" } },
		{ "es", { "Tóner negro", "Tóner cian", "Tóner magenta",
		    "Tóner amarillo" } },
		{ "it", { "Toner nero", "Toner ciano", "Toner magenta",
		    "Toner giallo" } },
		{ "pt", { "Toner preto", "Toner ciano", "Toner magenta",
		    "Toner amarelo" } },
		{ "nl", { "Zwarte toner", "Cyaan toner", "Magenta toner",
		    "Gele toner" } },
		{ "sv", { "Svart toner", "Cyan toner", "Magenta toner",
		    "Gul toner" } },
		{ "da", { "Sort toner", "Cyan toner", "Magenta toner",
		    "Gul toner" } },
		{ "no", { "Svart toner", "Cyan toner", "Magenta toner",
		    "Gul toner" } },
		{ "fi", { "Musta värikasetti", "Syaani värikasetti",
		    "Magenta värikasetti", "Keltainen värikasetti" } },
		{ "pl", { "Toner czarny", "Toner błękitny",
		    "Toner purpurowy", "Toner żółty" } },
		{ "cs", { "Černý toner", "Azurový toner", "Purpurový toner",
		    "Žlutý toner" } },
		{ "ru", { "Чёрный тонер", "Голубой тонер", "Пурпурный тонер",
		    "Жёлтый тонер" } },
		{ "tr", { "Siyah toner", "Camgöbeği toner", "Macenta toner",
		    "Sarı toner" } },
		{ "zh", { "黑色墨粉", "青色墨粉", "品红色墨粉", "黄色墨粉" } },
		{ "zh-TW", { "黑色碳粉", "青色碳粉", "洋紅色碳粉",
		    "黃色碳粉" } },
		{ "ja", { "ブラックトナー", "シアントナー", "マゼンタトナー",
		    "イエロートナー" } },
		{ "ja, half width", { "ﾄﾅｰ ﾌﾞﾗｯｸ", "ﾄﾅｰ ｼｱﾝ", "ﾄﾅｰ ﾏｾﾞﾝﾀ",
		    "ﾄﾅｰ ｲｴﾛｰ" } },
		{ "ko", { "검정 토너", "시안 토너", "마젠타 토너",
		    "노랑 토너" } },
	};
	static const struct {
		const char	*said;
		int64_t		 kind;
	} rest[] = {
		{ "Resttoner-Behälter", 4 }, { "Récupérateur de toner", 4 },
		{ "Depósito de residuos", 4 }, { "Vaschetta di recupero", 4 },
		{ "Caixa de resíduos", 4 }, { "Afvaltonerbak", 4 },
		{ "Spilltonerbehållare", 4 }, { "Spildtonerbeholder", 4 },
		{ "Avfallstoner", 4 }, { "Hukkavärisäiliö", 4 },
		{ "Pojemnik na zużyty toner", 4 },
		{ "Odpadní nádobka", 4 }, { "Atık toner kutusu", 4 },
		{ "Отработанный тонер", 4 }, { "废粉盒", 4 },
		{ "廃トナーボトル", 4 }, { "Toner Collection Unit", 4 },
		{ "Trumma", 9 }, { "Tromle", 9 }, { "Rumpu", 9 },
		{ "Фотобарабан", 9 }, { "Fixerenhet", 15 },
		{ "Mürekkep kartuşu", 6 }, { "Bläckpatron gul", 6 },
	};
	size_t	 i, k;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		for (k = 0; k < 4; k++) {
			if (strcmp_null(lexicon_colour(words[i].said[k]),
			    colours[k]) != 0 ||
			    (lexicon_kind(words[i].said[k]) != 3 &&
			    lexicon_kind(words[i].said[k]) != 21))
				fail_msg("%s: %s", words[i].language,
				    words[i].said[k]);
		}
	}
	for (i = 0; i < sizeof(rest) / sizeof(rest[0]); i++) {
		if (lexicon_kind(rest[i].said) != rest[i].kind)
			fail_msg("%s: %lld", rest[i].said,
			    (long long)lexicon_kind(rest[i].said));
	}
}

static void
expect_split(const char *text, const char *name, const char *part,
    const char *serial)
{
	struct consumable	 c;

	consumable_init(&c);
	c.description = xstrdup(text);
	caption_split(&c);
	assert_text(c.description, name);
	assert_text(c.part_number, part);
	assert_text(c.serial, serial);
	consumable_clear(&c);
}

static void
test_split(void **state)
{
	expect_split("Black Toner, PN 999X00001;SN4A4A", "Black Toner",
	    "999X00001", "4A4A");
	expect_split("Fuser, PN unknown;SNunknown", "Fuser", NULL, NULL);
	expect_split("Belt, PN 999X00002;SNunknown", "Belt", "999X00002",
	    NULL);
	expect_split("Belt, PN 999X00002", "Belt", "999X00002", NULL);
	expect_split(", PN 1;SN2", NULL, "1", "2");
	expect_split("Toner S/N:CRUM-001122", "Toner", NULL, "CRUM-001122");
	expect_split("Toner S/N:CRUM-0011, 2", "Toner", NULL, "CRUM-0011");
	/* No chip, or not the maker's: nothing to take out. */
	expect_split("Toner S/N:", "Toner S/N:", NULL, NULL);
	expect_split("Toner S/N:CRUM-", "Toner S/N:CRUM-", NULL, NULL);
	expect_split(" S/N:X1", NULL, NULL, "X1");
	expect_split("Black Cartridge HP XY123A",
	    "Black Cartridge HP XY123A", "XY123A", NULL);
	expect_split("Fuser HP 110V-A1B23A, 220V-A1B24A",
	    "Fuser HP 110V-A1B23A, 220V-A1B24A", "110V-A1B23A, 220V-A1B24A",
	    NULL);
	expect_split("Rollers HP None", "Rollers HP None", NULL, NULL);
	expect_split("Black Cartridge HP XY123A and more text",
	    "Black Cartridge HP XY123A and more text", "XY123A", NULL);
	expect_split("TK-9999K", "TK-9999K", "TK-9999K", NULL);
	expect_split("T-shirt", "T-shirt", NULL, NULL);
	/* OKI's name is neither part nor serial. */
	expect_split("Cyan Toner Cartridge OKI DATA CORP",
	    "Cyan Toner Cartridge OKI DATA CORP", NULL, NULL);
}

/* Parts by the way that their makers number them; the name stays whole,
 * because people order by it. */
static void
test_parts(void **state)
{
	static const struct {
		const char	*text, *part;
	} cases[] = {
		/* Brother */
		{ "Black Toner Cartridge (TN-9410)", "TN-9410" },
		{ "TN-947BK", "TN-947BK" },
		{ "Drum Unit DR-9400", "DR-9400" },
		/* Kyocera, UTAX */
		{ "TK-9517K", "TK-9517K" },
		{ "Black Toner TK-9170", "TK-9170" },
		{ "PK-9931C", "PK-9931C" },
		{ "Maintenance Kit MK-9517A", "MK-9517A" },
		/* Konica Minolta */
		{ "Toner (Black) TN921K", "TN921K" },
		{ "TNP99Y", "TNP99Y" },
		{ "Drum Unit DR 919", "DR 919" },
		/* Canon */
		{ "Canon GPR-99 Black Toner", "GPR-99" },
		{ "NPG-97 Cyan Toner", "NPG-97" },
		{ "C-EXV 99 Toner Black", "C-EXV 99" },
		{ "C-EXV9 Toner", "C-EXV9" },
		{ "CRG-952H", "CRG-952H" },
		{ "PFI-1900 MBK", "PFI-1900" },
		/* Epson: one tank, several numbers */
		{ "Black Ink Supply Unit T9841/T9851/T9861",
		    "T9841/T9851/T9861" },
		{ "Cyan Ink Supply Unit T91C2", "T91C2" },
		{ "C13T999140", "C13T999140" },
		/* Samsung, Lexmark, Xerox, Fujifilm, Sharp, Pantum */
		{ "Toner CLT-K909S", "CLT-K909S" },
		{ "Toner MLT-D909L", "MLT-D909L" },
		{ "Black Cartridge 98C9XK0", "98C9XK0" },
		{ "Drum 013R99999", "013R99999" },
		{ "Toner CT299999", "CT299999" },
		{ "MX-99GTBA", "MX-99GTBA" },
		{ "TL-9410X", "TL-9410X" },
		/* Names, machines, places: none of them is a part. */
		{ "Black Toner", NULL },
		{ "Print Cartridge Black M C250", NULL },
		{ "Black Toner 2", NULL },
		{ "Drum Cartridge (R1)", NULL },
		{ "Tray 1 Roller", NULL },
		{ "MP Roller", NULL },
		{ "Toner TN", NULL },
		{ "TK-", NULL },
		{ "Lexmark T654 Toner", NULL },
		{ "T-9999 Toner", NULL },
		{ "XTN-9410 Toner", NULL },
		{ "2000-sheet Stapler", NULL },
		{ "Fuser 220V", NULL },
		{ "DRUM 12", NULL },
		{ "T9841X9", NULL },
	};
	size_t	 i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect_split(cases[i].text, cases[i].text, cases[i].part,
		    NULL);
}

/* The error bits decide only where they can mean but one supply. */
static void
test_error_bits(void **state)
{
	static const char	 one[] = SUPPLY "5.1.1|2|3\n" SUPPLY
				    "9.1.1|2|-3\n" SUPPLY "5.1.2|2|9\n" SUPPLY
				    "9.1.2|2|-3\n" HR "5.1.2.1|4x|";
	char			 text[512];
	struct printer		 p;

	snprintf(text, sizeof(text), "%s20\n", one);
	decode(text, &p);
	assert_int_equal(p.consumables[0].state, SUPPLY_LOW);
	assert_int_equal(p.consumables[0].percent, ABSENT);
	assert_int_equal(p.consumables[1].state, SUPPLY_SOME);
	printer_clear(&p);
	snprintf(text, sizeof(text), "%s30\n", one);
	decode(text, &p);
	assert_int_equal(p.consumables[0].state, SUPPLY_EMPTY);
	printer_clear(&p);
	snprintf(text, sizeof(text), "%s20\n" SUPPLY "5.1.3|2|3\n"
	    SUPPLY "9.1.3|2|-3\n", one);
	decode(text, &p);
	assert_int_equal(p.consumables[0].state, SUPPLY_SOME);
	printer_clear(&p);
	/* A toner that calls itself "other" is one, too. */
	decode(SUPPLY "5.1.1|2|1\n" SUPPLY "6.1.1|4|Black Toner\n" SUPPLY
	    "9.1.1|2|-3\n" HR "5.1.2.1|4x|20\n", &p);
	assert_int_equal(p.consumables[0].state, SUPPLY_LOW);
	assert_int_equal(p.consumables[0].kind, 1);
	printer_clear(&p);
	/* A percentage is better than a bit. */
	snprintf(text, sizeof(text), "%s20\n" SUPPLY "8.1.1|2|100\n" SUPPLY
	    "9.1.1|2|60\n", one);
	decode(text, &p);
	assert_int_equal(p.consumables[0].state, SUPPLY_OK);
	printer_clear(&p);
}

/* An alert that names the supply is worse than its level. */
static void
test_alerted(void **state)
{
	struct printer	 p;

	decode(SUPPLY "5.1.1|2|3\n" SUPPLY "8.1.1|2|-2\n" SUPPLY
	    "9.1.1|2|-3\n" SUPPLY "5.1.2|2|4\n" SUPPLY "9.1.2|2|-3\n"
	    SUPPLY "5.1.3|2|9\n" SUPPLY "9.1.3|2|-3\n"
	    ALERT "2.1.1|2|5\n" ALERT "4.1.1|2|11\n" ALERT "5.1.1|2|1\n"
	    ALERT "7.1.1|2|1104\n"
	    ALERT "2.1.2|2|3\n" ALERT "4.1.2|2|11\n" ALERT "5.1.2|2|2\n"
	    ALERT "7.1.2|2|1109\n"
	    ALERT "2.1.3|2|4\n" ALERT "4.1.3|2|11\n" ALERT "5.1.3|2|3\n"
	    ALERT "7.1.3|2|1112\n", &p);
	assert_int_equal(p.consumables[0].state, SUPPLY_LOW);
	assert_int_equal(p.consumables[1].state, SUPPLY_EMPTY);
	assert_int_equal(p.consumables[2].state, SUPPLY_SOME);
	printer_clear(&p);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_two_blacks),
		cmocka_unit_test(test_one_level),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_class_and_colour),
		cmocka_unit_test(test_lexicon),
		cmocka_unit_test(test_languages),
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_error_bits),
		cmocka_unit_test(test_alerted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
