/*
 * What printers are, who they are, what they count and how they are
 * (printers.md 2, 3, 6, 8, 12), and the lies of printers.md 13 as far as
 * decoding goes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "tests/unit/snmp/bagtext.h"

#define PRINTER_TYPE	"1.3.6.1.2.1.25.3.1.5"

static size_t
rows_of(const char *snmprec, int64_t rows[], char why[200])
{
	struct bag	*bag = bag_of(snmprec);
	size_t		 n = printer_rows(bag, rows, why, 200);

	bag_free(bag);
	return n;
}

static void
test_rows(void **state)
{
	int64_t	 rows[PRINTER_ROWS_MAX];
	char	 why[200];

	/* Any of the three columns; the index is the suffix. */
	assert_int_equal(rows_of(PRT "5.1.1.1.7|65|1\n", rows, why), 1);
	assert_int_equal(rows[0], 7);
	assert_string_equal(why, "");
	assert_int_equal(rows_of(PRT "10.2.1.4.3.1|65|1\n", rows, why), 1);
	assert_int_equal(rows_of(SUPPLY "9.2.1|2|1\n", rows, why), 1);
	/* Several, in order, each once; by the first column that has any. */
	assert_int_equal(rows_of(SUPPLY "9.3.1|2|1\n" SUPPLY "9.3.2|2|1\n"
	    PRT "5.1.1.1.3|65|1\n" PRT "5.1.1.1.1|65|1\n"
	    PRT "10.2.1.4.9.1|65|1\n", rows, why), 2);
	assert_int_equal(rows[0], 1);
	assert_int_equal(rows[1], 3);
	/* hrDeviceType decides between several. */
	assert_int_equal(rows_of(HR "2.1.2.3|6|" PRINTER_TYPE "\n"
	    PRT "5.1.1.1.3|65|1\n" PRT "5.1.1.1.1|65|1\n", rows, why), 1);
	assert_int_equal(rows[0], 3);
	/* Supplies under many numbers are the supplies of one. */
	assert_int_equal(rows_of(SUPPLY "9.3.1|2|1\n" SUPPLY "9.4.1|2|1\n"
	    SUPPLY "9.5.1|2|1\n", rows, why), 1);
	assert_int_equal(rows[0], 3);
	/* Lie 1: queues that say printer. */
	assert_int_equal(rows_of(SYS "1.0|4|Hardware: x86\n"
	    HR "2.1.2.1|6|" PRINTER_TYPE "\n", rows, why), 0);
	assert_non_null(strstr(why, "a print server or PC"));
	/* Label printers have nothing else; lie 9: the suffix counts, not
	 * the index column. */
	assert_int_equal(rows_of(SYS "2.0|6|" PEN "10642.1\n"
	    HR "2.1.1.4|2|3\n" HR "2.1.2.4|6|" PRINTER_TYPE "\n"
	    HR "2.1.2.5|6|1.3.6.1.2.1.25.3.1.3\n", rows, why), 1);
	assert_int_equal(rows[0], 4);
	assert_int_equal(rows_of(SYS "2.0|6|" PEN "10642.1\n", rows, why), 0);
	/* Nothing at all. */
	assert_int_equal(rows_of(SYS "1.0|4|Acme Router 9\n", rows, why), 0);
	assert_string_equal(why, "no printer objects at all: sysDescr "
	    "\"Acme Router 9\"");
	assert_int_equal(rows_of(SYS "5.0|4|x\n", rows, why), 0);
	assert_non_null(strstr(why, "no sysDescr"));
	assert_int_equal(rows_of("", rows, why), 0);
	assert_non_null(strstr(why, "none of the objects"));
}

/* A table of a thousand printers gives what fits. */
static void
test_many_rows(void **state)
{
	struct bag	*bag = bag_new();
	struct objid	 id;
	int64_t		 rows[PRINTER_ROWS_MAX];
	char		 why[200];
	uint32_t	 i;

	objid_parse(PRT "5.1.1.1.0", &id);
	for (i = 0; i < 1000; i++) {
		id.sub[id.len - 1] = UINT32_MAX - i;
		bag_put_number(bag, &id, BAG_COUNTER, 1);
	}
	assert_int_equal(printer_rows(bag, rows, why, sizeof(why)),
	    PRINTER_ROWS_MAX);
	bag_free(bag);
}

struct who {
	const char	*said, *make, *model;
};

#define DESCR(s)	SYS "1.0|4|" s "\n"
#define DEVICE(s)	HR "2.1.3.1|4|" s "\n"
#define OBJECT(n)	SYS "2.0|6|" PEN n "\n"
#define ROW		PRT "5.1.1.1.1|65|1\n"

static const struct who people[] = {
	/* hrDeviceDescr, without brand and "series". */
	{ DEVICE("Brother HL-1234DW series"), "Brother", "HL-1234DW" },
	/* ... and without what follows a semicolon. */
	{ DEVICE("Xerox VersaThing C9; SS 11.0, ME 4.0"), "Xerox",
	    "VersaThing C9" },
	{ DEVICE("HP Color LaserJet X99"), "HP", "Color LaserJet X99" },
	{ DEVICE("Hewlett-Packard HP LaserJet 9"), "HP", "LaserJet 9" },
	{ DEVICE("KONICA MINOLTA bizhub 1e"), "Konica Minolta", "bizhub 1e" },
	{ DEVICE("TOSHIBA TEC B-ZZ9"), "Toshiba", "B-ZZ9" },
	{ DEVICE("Samsung X100x Series"), "Samsung", "X100x" },
	{ DEVICE("Hpx 99"), NULL, "Hpx 99" },
	/* Serial and firmware behind the name (Lexmark and its like). */
	{ DEVICE("Lexmark ZZ99de 35ABC99 LW1.AB2.P345"), "Lexmark",
	    "ZZ99de" },
	{ DEVICE("Dell Z99dn 7ABC999 LW1.DN4.P636") PRT
	    "5.1.1.17.1|4|7ABC999-132-13\n", "Dell", "Z99dn" },
	{ DEVICE("Acme Press 2.0x"), NULL, "Acme Press" },
	{ DEVICE("Acme 12345678"), NULL, "Acme 12345678" },
	{ DEVICE("Acme ABC1234567") PRT "5.1.1.17.1|4|ABC1234567\n", NULL,
	    "Acme" },
	/* Lie 10: the IEEE id differs; hrDeviceDescr wins. */
	{ DEVICE("Brother MFC-1DW series") OBJECT("2435.2.3.9.1") PEN
	    "2435.2.3.9.1.1.7.0|4|MFG:Brother;MDL:MFC-2;\n", "Brother",
	    "MFC-1DW" },
	/* The maker's object wins over both, but HP's is the family. */
	{ DEVICE("Generic 99C-1") OBJECT("18334.1") PEN
	    "18334.1.1.1.1.6.2.1.0|4|Develop ineo+ 99\n", "Develop",
	    "ineo+ 99" },
	{ DEVICE("HP LaserJet MFP X1nw") OBJECT("11.2.3.9.1") PEN
	    "11.2.3.9.4.2.1.1.3.2.0|4x|01154850204c617365724a6574205831\n",
	    "HP", "LaserJet MFP X1nw" },
	{ OBJECT("11.2.3.9.1") PEN
	    "11.2.3.9.4.2.1.1.3.2.0|4x|01154850204c617365724a6574205831\n",
	    "HP", "LaserJet X1" },
	/* "Generic" is the controller: sysDescr is better. */
	{ DEVICE("Generic 99C-1") DESCR("KONICA MINOLTA bizhub C9"),
	    "Konica Minolta", "bizhub C9" },
	/* IEEE 1284 where there is nothing better; the Port Monitor's too. */
	{ OBJECT("2001.1") DESCR("OKI OkiLAN 1g Rev.1 : Attached to MC1 "
	    "Rev.2.1 : Copyright") PEN "11.2.3.9.1.1.7.0|4|MANUFACTURE:OKI "
	    "UK LTD;MODEL:MC99;\n", "OKI", "MC99" },
	{ OBJECT("2001.1") DESCR("OKI OkiLAN 1g Rev.1 : Attached to MC1 "
	    "Rev.2.1 : Copyright"), "OKI", "MC1" },
	{ PEN "2699.1.2.1.2.1.1.3.1|4|MFG:Xerox; MDL:Link 9;\n", "Xerox",
	    "Link 9" },
	/* sysDescr by pattern; network cards name no model. */
	{ DESCR("RICOH MP 99 1.09 / RICOH Network Printer C model"), "Ricoh",
	    "MP 99" },
	{ DESCR("NRG SP 9N 1.05 / NRG Network Printer C model")
	    OBJECT("367.1.1"), "NRG", "SP 9N" },
	{ DESCR("Lexmark T9 version NS.NP.N9 kernel 2.6.6 All-N-1"),
	    "Lexmark", "T9" },
	{ DESCR("TOSHIBA e-STUDIO9CS version NH63.GM.N9 kernel")
	    OBJECT("641.2.7"), "Toshiba", "e-STUDIO9CS" },
	{ DESCR("Xerox Phaser 9; System 35.004, MCB 2.50"), "Xerox",
	    "Phaser 9" },
	{ DESCR("Samsung CLX-9 Series;V1.00.01.64 Sep-27-2010;S/N X"),
	    "Samsung", "CLX-9" },
	{ DESCR("Canon D9/MF9 /P"), "Canon", "D9/MF9" },
	{ DESCR("TTP9 Version: 7.02 EZD") OBJECT("51966.2.6"), "TSC",
	    "TTP9" },
	{ DESCR("HP ETHERNET MULTI-ENVIRONMENT,ROM none,JETDIRECT")
	    OBJECT("11.2.3.9.1"), "HP", NULL },
	{ DESCR("HP ETHERNET MULTI-ENVIRONMENT,SN:A1,PID:HP Jet 9")
	    OBJECT("11.2.3.9.1"), "HP", "Jet 9" },
	{ DESCR("EPSON Built-in") OBJECT("1248.1"), "Epson", NULL },
	{ DESCR("Brother NC-9999h, Firmware Ver.1.01") OBJECT("2435.2"),
	    "Brother", NULL },
	/* Lie 22: one engine, other brands. */
	{ DESCR("TA_UTAX Printing System") OBJECT("1347.41") PEN
	    "1347.43.5.1.1.1.1|4|P-9DN\n", "UTAX", "P-9DN" },
	{ DESCR("KYOCERA Document Solutions Printing System")
	    OBJECT("1347.41"), "Kyocera", NULL },
	/* Neither is a printer of ours. */
	{ DESCR("Linux ricohfan 6.1.0"), NULL, NULL },
};

static void
test_make_and_model(void **state)
{
	struct printer	 p;
	char		*text;
	size_t		 i;

	for (i = 0; i < sizeof(people) / sizeof(people[0]); i++) {
		text = xasprintf("%s%s", people[i].said, ROW);
		decode(text, &p);
		if (strcmp_null(p.asset.make, people[i].make) != 0 ||
		    strcmp_null(p.asset.model, people[i].model) != 0)
			fail_msg("%s: \"%s\" \"%s\"", people[i].said,
			    p.asset.make, p.asset.model);
		printer_clear(&p);
		free(text);
	}
}

/* A device that is no printer still says who it is. */
static void
test_no_printer(void **state)
{
	struct printer	 p;

	decode_at(DESCR("KYOCERA Document Solutions Printing System")
	    OBJECT("1347.41") PEN "1347.43.5.1.1.1.1|4|FS-9MFP\n" PEN
	    "1347.43.5.1.1.28.1|4|ABC9600001\n" PEN
	    "1347.43.5.4.1.5.1.1|4|9H9_2F00.002\n", -1, "192.0.2.7", &p);
	assert_text(p.asset.make, "Kyocera");
	assert_text(p.asset.model, "FS-9MFP");
	assert_text(p.asset.serial, "ABC9600001");
	assert_text(p.asset.firmware, "9H9_2F00.002");
	assert_text(p.asset.key, "S:kyocera:ABC9600001");
	assert_int_equal(p.asset.errors, ABSENT);
	assert_int_equal(p.asset.counters_len, 0);
	assert_int_equal(p.consumables_len + p.alerts_len, 0);
	printer_clear(&p);
}

static void
expect_key(const char *said, const char *serial, const char *key,
    int64_t strength)
{
	struct printer	 p;

	decode(said, &p);
	assert_text(p.asset.serial, serial);
	assert_text(p.asset.key, key);
	assert_int_equal(p.asset.strength, strength);
	printer_clear(&p);
}

#define SERIAL(s)	PRT "5.1.1.17.1|4|" s "\n"
#define MAC1		IF "6.1|4x|001ba9000001\n"

static void
test_serial_and_key(void **state)
{
	expect_key(ROW SERIAL(" ab 123 ") OBJECT("2435.2"), "ab 123",
	    "S:brother:AB123", KEY_SERIAL);
	/* Leading zeros stay in what is shown and count not in the key. */
	expect_key(ROW SERIAL("000A5J1") OBJECT("2435.2"), "000A5J1",
	    "S:brother:A5J1", KEY_SERIAL);
	/* An unknown maker by number; the maker's object before the standard
	 * one; HP's under Brother's machine not at all. */
	expect_key(ROW SERIAL("AB1234") OBJECT("99999.1.2"), "AB1234",
	    "S:99999:AB1234", KEY_SERIAL);
	expect_key(ROW SERIAL("AB1234"), "AB1234", "S:0:AB1234", KEY_SERIAL);
	expect_key(ROW SERIAL("TAG-0001") OBJECT("367.1.1") PEN
	    "367.3.2.1.2.1.4.0|4|E999R1\n", "E999R1", "S:ricoh:E999R1",
	    KEY_SERIAL);
	expect_key(ROW SERIAL("B9J1") OBJECT("2435.2") PEN
	    "11.2.3.9.4.2.1.1.3.3.0|4x|01154142434445\n", "B9J1",
	    "S:brother:B9J1", KEY_SERIAL);
	/* Placeholders are no serials: the next source, or none. */
	expect_key(ROW SERIAL("XXXXXXXXXX") MAC1, NULL, "M:00:1b:a9:00:00:01",
	    KEY_MAC);
	expect_key(ROW SERIAL("X") MAC1, NULL, "M:00:1b:a9:00:00:01", KEY_MAC);
	expect_key(ROW SERIAL("Unknown") MAC1, NULL, "M:00:1b:a9:00:00:01",
	    KEY_MAC);
	expect_key(ROW SERIAL("0123456789") MAC1, NULL,
	    "M:00:1b:a9:00:00:01", KEY_MAC);
	expect_key(ROW SERIAL("00000000") OBJECT("11.2.3.9.1")
	    DESCR("HP ETHERNET,SN:VN0001,FN:9"), "VN0001", "S:hp:VN0001",
	    KEY_SERIAL);
	expect_key(ROW PEN "2699.1.2.1.2.1.1.3.1|4|MFG:Acme;SN:ZX81-7;\n",
	    "ZX81-7", "S:0:ZX81-7", KEY_SERIAL);
	/* Shown, but too short or too common to go by. */
	expect_key(ROW SERIAL("A12") MAC1, "A12", "M:00:1b:a9:00:00:01",
	    KEY_MAC);
	expect_key(ROW SERIAL("prn-7") SYS "5.0|4|PRN-7\n" MAC1, "prn-7",
	    "M:00:1b:a9:00:00:01", KEY_MAC);
	expect_key(ROW SERIAL("MX 9") DEVICE("SHARP MX9"), "MX 9",
	    "I:192.0.2.7:MX9", KEY_ADDRESS);
	expect_key(ROW, NULL, "I:192.0.2.7:", KEY_ADDRESS);
}

/* Several printers on one host: each row its own key, and its own serial
 * before the host's. */
static void
test_several(void **state)
{
	static const char	 said[] = PRT "5.1.1.1.1|65|1\n" PRT
				    "5.1.1.1.2|65|1\n" SERIAL("AAA001") PRT
				    "5.1.1.17.2|4|AAA002\n" OBJECT("367.1") PEN
				    "367.3.2.1.2.1.4.0|4|HOST01\n" MAC1;
	struct printer		 p;

	decode_at(said, 1, NULL, &p);
	assert_text(p.asset.key, "S:ricoh:AAA001#1");
	printer_clear(&p);
	decode_at(said, 2, NULL, &p);
	assert_text(p.asset.key, "S:ricoh:AAA002#2");
	printer_clear(&p);
	decode_at(PRT "5.1.1.1.1|65|1\n" PRT "5.1.1.1.2|65|1\n" MAC1, 2, NULL,
	    &p);
	assert_text(p.asset.key, "M:00:1b:a9:00:00:01#2");
	printer_clear(&p);
}

static void
expect_mac(const char *said, const char *ip, const char *mac)
{
	struct printer	 p;

	decode_at(said, 1, ip, &p);
	assert_text(p.asset.mac, mac);
	printer_clear(&p);
}

static void
test_mac(void **state)
{
	static const char	 two[] = IF "6.1|4x|001BA9000009\n" IF
				    "6.2|4x|001BA9000002\n" IF
				    "6.3|4x|C2B5D7000001\n" IP
				    "192.0.2.7|2|1\n" IP "127.0.0.1|2|2\n" IP
				    "198.51.100.1|2|2\n";
	char			 text[512];

	/* The owner of the address that was asked; else the only one that
	 * has addresses; else the lowest. */
	expect_mac(two, "192.0.2.7", "00:1b:a9:00:00:09");
	expect_mac(two, "198.51.100.1", "00:1b:a9:00:00:02");
	expect_mac(two, "203.0.113.1", "00:1b:a9:00:00:02");
	expect_mac(IF "6.1|4x|001BA9000009\n" IF "6.2|4x|001BA9000002\n" IP
	    "127.0.0.1|2|2\n" IP "192.0.2.7|2|1\n", "127.0.0.9",
	    "00:1b:a9:00:00:09");
	expect_mac(IF "6.1|4x|001BA9000009\n" IF "6.2|4x|001BA9000002\n",
	    NULL, "00:1b:a9:00:00:02");
	/* Empty, zero, group, local, too long, wrong type: none of these. */
	snprintf(text, sizeof(text), IF "6.1|4|\n" IF "6.2|4x|000000000000\n"
	    IF "6.3|4x|010000000001\n" IF "6.4|4x|C20000000001\n" IF
	    "6.5|4x|00112233445566\n" IF "6.6|2|7\n" IP "192.0.2.7|2|4\n");
	expect_mac(text, "192.0.2.7", NULL);
	strcat(text, IF "6.9|4x|0017C8000001\n");
	expect_mac(text, "192.0.2.7", "00:17:c8:00:00:01");
	expect_mac(IP "192.0.2.7|2|-5\n" MAC1, "192.0.2.7",
	    "00:1b:a9:00:00:01");
	expect_mac(MAC1, "not an address", "00:1b:a9:00:00:01");
}

static void
test_names_and_places(void **state)
{
	struct printer	 p;

	decode(ROW SYS "5.0|4|prn-hall\n" SYS "6.0|4x|466cfc7200\n"
	    OBJECT("11.2.3.9.1") PEN
	    "11.2.3.9.4.2.1.1.3.12.0|4x|0115412d3137\n", &p);
	assert_text(p.asset.hostname, "prn-hall");
	assert_text(p.asset.location, "Fl\xc3\xbcr");
	assert_text(p.asset.asset_tag, "A-17");
	assert_text(p.asset.engine, "hp");
	assert_null(p.asset.id);
	assert_null(p.asset.ip);
	printer_clear(&p);
	/* A name that repeats the model names nothing; then the maker's. */
	decode(ROW SYS "5.0|4|RICOH MP 9\n" DEVICE("RICOH MP 9")
	    OBJECT("367.1.1") PEN "367.3.2.1.6.1.1.7.1|4|ricoh mp 9\n", &p);
	assert_null(p.asset.hostname);
	printer_clear(&p);
	decode(ROW SYS "5.0|4|mp 9\n" DEVICE("RICOH MP 9")
	    OBJECT("367.1.1") PEN "367.3.2.1.6.1.1.7.1|4|RNP0001\n", &p);
	assert_text(p.asset.hostname, "RNP0001");
	printer_clear(&p);
	decode(ROW SYS "5.0|4|RICOH-MP_9\n" DEVICE("RICOH MP 9"), &p);
	assert_null(p.asset.hostname);
	printer_clear(&p);
	decode(ROW SYS "5.0|4|Brother HL-9DW series\n"
	    DEVICE("Brother HL-9DW series"), &p);
	assert_null(p.asset.hostname);
	printer_clear(&p);
	decode(ROW SYS "5.0|4|MP9-hall\n" DEVICE("RICOH MP 9"), &p);
	assert_text(p.asset.hostname, "MP9-hall");
	printer_clear(&p);
	/* By the declared charset: Roman-8. */
	decode(ROW PRT "5.1.1.2.1|2|3\n" PRT "7.1.1.4.1.3|2|2004\n"
	    SYS "6.0|4x|466ccf72\n" SYS "5.0|4|\n", &p);
	assert_text(p.asset.location, "Fl\xc3\xbcr");
	assert_null(p.asset.hostname);
	printer_clear(&p);
}

static void
test_firmware(void **state)
{
	static const struct {
		const char	*said, *firmware;
	} cases[] = {
		{ OBJECT("2435.2") DESCR("Brother NC-1h, Firmware Ver.1.01  "
		    "(08.12.12),MID 8"), "1.01" },
		{ OBJECT("2435.2") PEN "2435.2.4.3.1240.6.5.0|4|Firmware "
		    "Ver.2.02 (1)\n", "2.02" },
		{ OBJECT("2435.2") PEN "2435.2.4.3.1240.6.5.0|4|Firmware "
		    "Ver.2.02 (1)\n" PEN
		    "2435.2.3.9.4.2.1.5.5.17.0|4|T9999\n", "T9999" },
		{ OBJECT("641.1") DESCR("Lexmark T9 version NS.NP.N9 kernel "
		    "2"), "NS.NP.N9" },
		{ OBJECT("2001.1") DESCR("OKI OkiLAN 9g Rev.00.69 x: Attached "
		    "to MC9 Rev.07.87 : C"), "07.87" },
		{ DESCR("RICOH MP 9 1.09 / RICOH Network Printer C model"),
		    "1.09" },
		{ DESCR("Xerox Link C9; SS 100.002, NC 9"), "100.002" },
		{ OBJECT("11.2.3.9.1") PEN
		    "11.2.3.9.4.2.1.1.3.5.0|4x|01153230323031303233\n",
		    "20201023" },
		{ DESCR("Linux 6.1"), NULL },
	};
	struct printer	 p;
	char		*text;
	size_t		 i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		text = xasprintf(ROW "%s", cases[i].said);
		decode(text, &p);
		assert_text(p.asset.firmware, cases[i].firmware);
		printer_clear(&p);
		free(text);
	}
}

static void
test_serial_rules(void **state)
{
	static const char *const	 rejected[] = { " AB ", "AB\t\t1",
		"MX 9", "mx9", "00MX9", "prn-7", "PRN-7", "Serial Number",
		"Not Set", "NULL", "Default", "123456789" };
	struct asset			 a;
	char				 out[32];
	size_t				 i;

	asset_init(&a);
	a.model = xstrdup("MX 9");
	a.hostname = xstrdup("prn-7");

	printer_serial_normal(" 00cn 12\t3a ", out, sizeof(out));
	assert_string_equal(out, "CN123A");
	printer_serial_normal("0000", out, sizeof(out));
	assert_string_equal(out, "");
	printer_serial_normal("abcdef", out, 4);
	assert_string_equal(out, "ABC");
	printer_serial_normal("CN123A", out, sizeof(out));
	assert_string_equal(out, "CN123A");
	assert_true(printer_serial_usable("AB12", NULL));
	assert_true(printer_serial_usable("00CN123A", NULL));
	assert_true(printer_serial_usable("000A5J123456", NULL));
	assert_true(printer_serial_usable("0012", NULL));
	assert_false(printer_serial_usable(NULL, NULL));
	assert_false(printer_serial_usable("", NULL));
	assert_false(printer_serial_usable("AB1", NULL));
	assert_false(printer_serial_usable("XXXXXXXXXX", NULL));
	assert_false(printer_serial_usable("00000", NULL));
	assert_false(printer_serial_usable("0123456789", NULL));
	assert_false(printer_serial_usable("not available", NULL));
	assert_false(printer_serial_usable("none", NULL));
	for (i = 0; i < sizeof(rejected) / sizeof(rejected[0]); i++)
		if (printer_serial_usable(rejected[i], &a))
			fail_msg("\"%s\" is no serial", rejected[i]);
	asset_clear(&a);
}

/* Each kind of placeholder: not told at all, or at least no key. */
static void
test_placeholders(void **state)
{
	static const char *const	 never[] = { "XXXXXXXXXX", "X",
		"0000000000", "---", "-", "Unknown", "NONE", "none",
		"Not Available", "N/A", "0123456789", "1234567890",
		"123456789", "????????", "not set", "Default",
		"Serial Number" };
	char				 text[200];
	size_t				 i;

	for (i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
		snprintf(text, sizeof(text), ROW PRT "5.1.1.17.1|4|%s\n"
		    MAC1, never[i]);
		expect_key(text, NULL, "M:00:1b:a9:00:00:01", KEY_MAC);
		/* The next source is asked instead. */
		snprintf(text, sizeof(text), ROW PRT "5.1.1.17.1|4|%s\n"
		    PEN "2699.1.2.1.2.1.1.3.1|4|MFG:Acme;SN:ZX81-7;\n",
		    never[i]);
		expect_key(text, "ZX81-7", "S:0:ZX81-7", KEY_SERIAL);
	}
	/* Without a MAC the address has to do, and is never more than that. */
	expect_key(ROW SERIAL("XXXXXXXXXX"), NULL, "I:192.0.2.7:",
	    KEY_ADDRESS);
	/* A locally administered address is nobody's. */
	expect_key(ROW IF "6.1|4x|C2B5D7000001\n", NULL, "I:192.0.2.7:",
	    KEY_ADDRESS);
}

/* The same machine, read with and without leading zeros, in capitals or not,
 * with blanks and with a NUL behind it. */
static void
test_one_machine(void **state)
{
	static const char *const	 said[] = { "CN12A3B4", "00CN12A3B4",
		"00cn12a3b4", "CN 12A3 B4", " 0CN12A3B4 " };
	char				 text[200];
	struct printer			 p;
	size_t				 i;

	for (i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
		snprintf(text, sizeof(text), ROW OBJECT("11.2.3.9.1")
		    PRT "5.1.1.17.1|4|%s\n", said[i]);
		decode(text, &p);
		assert_text(p.asset.key, "S:hp:CN12A3B4");
		/* What is shown is what was said, but for blanks around. */
		assert_text(p.asset.serial, i == 4 ? "0CN12A3B4" : said[i]);
		printer_clear(&p);
	}
	decode(ROW OBJECT("11.2.3.9.1") PRT
	    "5.1.1.17.1|4x|4346313233340000\n", &p);
	assert_text(p.asset.serial, "CF1234");
	assert_text(p.asset.key, "S:hp:CF1234");
	printer_clear(&p);
}

/* Lie 11 and 12; the most significant bit of the first octet is bit 0. */
static void
test_errors(void **state)
{
	static const struct {
		const char	*said;
		int64_t		 errors;
	} cases[] = {
		{ "", ABSENT },
		{ HR "5.1.2.1|4|\n", 0 },
		{ HR "5.1.2.1|4x|00\n", 0 },
		{ HR "5.1.2.1|4x|0000\n", 0 },
		{ HR "5.1.2.1|4x|8000\n", 1 << 0 },
		{ HR "5.1.2.1|4x|20\n", 1 << 2 },
		{ HR "5.1.2.1|4x|0C\n", 1 << 4 | 1 << 5 },
		{ HR "5.1.2.1|4x|0180\n", 1 << 7 | 1 << 8 },
		{ HR "5.1.2.1|4x|0002\n", 1 << 14 },
		{ HR "5.1.2.1|4x|0001\n", 0 },
		{ HR "5.1.2.1|4x|0000ffff\n", 0 },
		{ HR "5.1.2.1|4x|ffff\n", (1 << 15) - 1 },
		{ HR "5.1.2.1|2|8\n", ABSENT },
		{ HR "5.1.2.2|4x|ff\n", ABSENT },
	};
	struct printer	 p;
	char		*text;
	size_t		 i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		text = xasprintf(ROW "%s", cases[i].said);
		decode(text, &p);
		assert_int_equal(p.asset.errors, cases[i].errors);
		printer_clear(&p);
		free(text);
	}
}

static void
test_state(void **state)
{
	struct printer	 p;

	decode(ROW HR "2.1.5.1|2|2\n" HR "5.1.1.1|2|3\n", &p);
	assert_int_equal(p.asset.state, ASSET_ONLINE);
	assert_int_equal(p.asset.device_status, 2);
	assert_int_equal(p.asset.printer_status, 3);
	assert_int_equal(p.asset.time, NOW);
	printer_clear(&p);
	decode(ROW HR "2.1.5.1|2|2\n" HR "5.1.1.1|2|1\n", &p);
	assert_int_equal(p.asset.state, ASSET_ASLEEP);
	printer_clear(&p);
	/* Down and other is a fault, not sleep. */
	decode(ROW HR "2.1.5.1|2|5\n" HR "5.1.1.1|2|1\n", &p);
	assert_int_equal(p.asset.state, ASSET_ONLINE);
	printer_clear(&p);
	decode(ROW HR "2.1.5.1|2|2\n", &p);
	assert_int_equal(p.asset.state, ASSET_ONLINE);
	assert_int_equal(p.asset.printer_status, ABSENT);
	printer_clear(&p);
}

static void
test_counters(void **state)
{
	struct printer	 p;
	struct counter	*c;

	decode(PRT "10.2.1.4.1.1|65|4294967295\n" PRT "10.2.1.3.1.1|2|8\n"
	    PRT "10.2.1.4.1.2|65|77\n" PRT "10.2.1.5.1.1|65|5\n", &p);
	assert_int_equal(p.asset.counters_len, 1);
	c = &p.asset.counters[0];
	assert_text(c->name, "total");
	assert_int_equal(c->value, 4294967295);
	assert_int_equal(c->unit, 8);
	assert_int_equal(c->check, CHECK_NONE);
	assert_text(c->oid, "1.3.6.1.2.1.43.10.2.1.4.1.1");
	assert_int_equal(p.total_pages, 4294967295);
	printer_clear(&p);
	/* Absent is not 0; 0 is. */
	decode(ROW, &p);
	assert_int_equal(p.asset.counters_len, 0);
	assert_int_equal(p.total_pages, ABSENT);
	printer_clear(&p);
	decode(PRT "10.2.1.4.1.1|65|0\n", &p);
	assert_int_equal(p.total_pages, 0);
	assert_int_equal(p.asset.counters[0].unit, ABSENT);
	printer_clear(&p);
	/* -2 is no count; the next marker is. */
	decode(PRT "10.2.1.4.1.1|2|-2\n" PRT "10.2.1.4.1.2|65|9\n", &p);
	assert_int_equal(p.total_pages, 9);
	printer_clear(&p);
}

#define HP	OBJECT("11.2.3.9.1")
#define ENGINE	PEN "11.2.3.9.4.2.1."

/* Lie 13 and 15: garbage that is never asked for, two totals. */
static void
test_hp_counters(void **state)
{
	struct printer	 p;

	decode(HP PRT "10.2.1.4.1.1|65|500\n" PRT "10.2.1.3.1.1|2|7\n"
	    ENGINE "4.1.2.5.0|2|500\n" ENGINE "4.1.2.6.0|2|400\n"
	    ENGINE "4.1.2.34.0|2|3\n" ENGINE "2.2.1.44.0|2|0\n"
	    ENGINE "2.2.1.45.0|2|10884743\n" ENGINE "2.2.1.74.0|2|12\n", &p);
	assert_int_equal(asset_counter(&p.asset, "total")->check, CHECK_OK);
	assert_int_equal(asset_counter(&p.asset, "mono")->value, 400);
	assert_int_equal(asset_counter(&p.asset, "jams")->value, 3);
	assert_int_equal(asset_counter(&p.asset, "jams")->unit, 18);
	assert_int_equal(asset_counter(&p.asset, "scan-adf")->value, 0);
	assert_int_equal(asset_counter(&p.asset, "scan-flatbed")->value, 12);
	assert_int_equal(p.asset.counters_len, 6);
	printer_clear(&p);
	decode(HP PRT "10.2.1.4.1.1|65|504\n" PRT "10.2.1.3.1.1|2|7\n"
	    ENGINE "4.1.2.5.0|2|500\n", &p);
	assert_int_equal(p.total_pages, 504);
	assert_int_equal(asset_counter(&p.asset, "total")->check,
	    CHECK_MISMATCH);
	assert_int_equal(asset_counter(&p.asset, "vendor-total")->value, 500);
	printer_clear(&p);
	/* Without a life count the maker's total is the total. */
	decode(HP ROW ENGINE "4.1.2.5.0|2|500\n", &p);
	assert_int_equal(p.total_pages, 500);
	assert_text(asset_counter(&p.asset, "total")->oid,
	    "1.3.6.1.4.1.11.2.3.9.4.2.1.4.1.2.5.0");
	printer_clear(&p);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_many_rows),
		cmocka_unit_test(test_make_and_model),
		cmocka_unit_test(test_no_printer),
		cmocka_unit_test(test_serial_and_key),
		cmocka_unit_test(test_several),
		cmocka_unit_test(test_mac),
		cmocka_unit_test(test_names_and_places),
		cmocka_unit_test(test_firmware),
		cmocka_unit_test(test_serial_rules),
		cmocka_unit_test(test_placeholders),
		cmocka_unit_test(test_one_machine),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_state),
		cmocka_unit_test(test_counters),
		cmocka_unit_test(test_hp_counters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
