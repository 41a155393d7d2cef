/*
 * A vendor file, as anybody may write one: read, and used on a printer that
 * has the objects which it names.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "snmp/vendorfile.h"

#define LIST_MAX	128

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
complain(void *arg, const char *file, size_t line, const char *what)
{
	size_t	*n = arg;

	if (++*n > VENDORFILE_COMPLAINTS_MAX || what[0] == '\0' ||
	    strcmp(file, "fuzz.ini") != 0 || line > 1000000)
		abort();
}

/* Something of each type, by turns. */
static void
put_value(struct bag *bag, const struct objid *id, size_t n)
{
	static const uint8_t	 record[] = { 0, 1, 4, 0, 0, 1, 0, 1, 1, 4,
				    0, 0, 0, 9, 255 };
	static const uint8_t	 real[] = { 0x42, 0xc8, 0, 0 };

	switch (n % 5) {
	case 0:
		bag_put_number(bag, id, BAG_COUNTER, (int64_t)n * 1000);
		break;
	case 1:
		bag_put_octets(bag, id, BAG_OCTETS, record, sizeof(record));
		break;
	case 2:
		bag_put_octets(bag, id, BAG_OCTETS, "\x01\x15 A1;B:2;", 11);
		break;
	case 3:
		bag_put_octets(bag, id, BAG_OCTETS, real, sizeof(real));
		break;
	default:
		bag_put_octets(bag, id, BAG_OCTETS, "12345", 5);
		break;
	}
}

struct filling {
	struct bag	*bag;
	size_t		 n;
};

static void
fill_object(void *arg, const struct vendor_named *named)
{
	struct filling	*f = arg;
	struct objid	 id;

	if (objid_parse(named->oid, &id) == -1)
		abort();	/* it was checked */
	if (named->column) {
		objid_add(&id, 1);
		objid_add(&id, (uint32_t)f->n % 7);
	}
	put_value(f->bag, &id, f->n++);
}

/* Rows with the labels that the table looks for, and their values. */
static void
fill_table(struct filling *f, const struct vendor_table *t)
{
	const struct vendor_term	*term;
	struct objid			 label, value;
	size_t				 r, k;

	for (r = 0; r < t->rows.count; r++)
		for (k = 0; k < t->rows.item[r].terms; k++) {
			term = &t->rows.item[r].term[k];
			objid_parse(t->label, &label);
			objid_parse(t->value, &value);
			objid_add(&label, (uint32_t)f->n);
			objid_add(&value, (uint32_t)f->n);
			if (term->numbered)
				bag_put_number(f->bag, &label, BAG_INTEGER,
				    term->low);
			else
				bag_put_octets(f->bag, &label, BAG_OCTETS,
				    term->text, strlen(term->text));
			bag_put_number(f->bag, &value, BAG_COUNTER,
			    (int64_t)f->n++);
		}
}

static void
use_counters(const struct vendor *v, const struct bag *bag)
{
	static struct objid	 list[LIST_MAX];
	struct asset		 a;
	size_t			 i;

	if (vendor_objects(v, list, LIST_MAX) > LIST_MAX ||
	    vendor_counter_objects(v, bag, list, LIST_MAX) > LIST_MAX ||
	    vendor_tables(v, list, LIST_MAX) > LIST_MAX)
		abort();
	asset_init(&a);
	vendor_counters(v, bag, 1000, &a);
	for (i = 0; i < a.counters_len; i++)
		if (a.counters[i].value < 0 ||
		    strlen(a.counters[i].oid) > RECORD_TEXT_MAX)
			abort();
	asset_clear(&a);
}

static void
use_texts(const struct vendor *v, const struct bag *bag)
{
	static const char	 descr[] = "Acme X1; S/N 12 ;V 3.4 Rev.1";
	int			 fact;

	for (fact = 0; fact < VENDOR_FACTS; fact++) {
		free(vendor_text(v, bag, (enum vendor_fact)fact, ABSENT));
		free(vendor_descr_text(v, descr, (enum vendor_fact)fact));
	}
	(void)vendor_descr_generic(v, descr);
	(void)vendor_odd_level(v, -100);
	for (fact = 0; fact < 40; fact++)
		if (vendor_supply_percent(v, bag, fact, "black") > 100)
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vendor	 v = { 0 };
	struct filling	 f = { 0 };
	char		*text = xstrndup((const char *)data, size);
	size_t		 complaints = 0, i;

	if (vendorfile_parse("fuzz.ini", text, &v, complain,
	    &complaints) == 0) {
		if (complaints != 0)
			abort();
		f.bag = bag_new();
		vendorfile_each(&v, fill_object, &f);
		for (i = 0; i < v.tables_len; i++)
			fill_table(&f, &v.tables[i]);
		use_counters(&v, f.bag);
		use_texts(&v, f.bag);
		bag_free(f.bag);
	} else if (complaints == 0) {
		abort();
	}
	vendorfile_clear(&v);
	free(text);
	return 0;
}
