/* For tests of decoding: a bag out of snmprec text. */
#ifndef TESTS_BAGTEXT_H
#define TESTS_BAGTEXT_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "snmp/bag.h"
#include "snmp/printer.h"

#define SYS	"1.3.6.1.2.1.1."
#define IF	"1.3.6.1.2.1.2.2.1."
#define IP	"1.3.6.1.2.1.4.20.1.2."
#define HR	"1.3.6.1.2.1.25.3."
#define PRT	"1.3.6.1.2.1.43."
#define SUPPLY	PRT "11.1.1."
#define ALERT	PRT "18.1.1."
#define PEN	"1.3.6.1.4.1."
#define NOW	1800000000000

static inline struct bag *
bag_of(const char *snmprec)
{
	struct bag	*bag = bag_new();
	char		 why[200] = "";
	FILE		*fp;

	if (*snmprec == '\0')
		return bag;
	fp = fmemopen((void *)(uintptr_t)snmprec, strlen(snmprec), "r");
	if (bag_read_snmprec(bag, fp, why, sizeof(why)) == -1)
		fail_msg("%s", why);
	fclose(fp);
	return bag;
}

static inline void
decode_at(const char *snmprec, int64_t index, const char *ip,
    struct printer *out)
{
	struct bag	*bag = bag_of(snmprec);

	printer_decode(bag, index, ip, NOW, out);
	bag_free(bag);
}

static inline void
decode(const char *snmprec, struct printer *out)
{
	decode_at(snmprec, 1, "192.0.2.7", out);
}

/* assert_string_equal() that takes NULL on both sides. */
#define assert_text(got, want) do { \
	const char *got_ = (got), *want_ = (want); \
	if (want_ == NULL) \
		assert_null(got_); \
	else { \
		assert_non_null(got_); \
		assert_string_equal(got_, want_); \
	} \
} while (0)

#endif
