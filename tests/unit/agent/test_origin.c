/* Each field is traced to the object that it came from. */
#include "tests/unit/agent/kit.h"

#include "agent/origin.h"

static struct bag *
some_printer(void)
{
	static const char text[] =
	    "1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.4294967295.1\n"
	    "1.3.6.1.2.1.1.5.0|4|lobby-7\n"
	    "1.3.6.1.2.1.1.6.0|4|Lobby\n"
	    "1.3.6.1.2.1.25.3.2.1.3.1|4|Acme Press 7\n"
	    "1.3.6.1.2.1.25.3.2.1.5.1|2|2\n"
	    "1.3.6.1.2.1.43.5.1.1.17.1|4|AP700012\n"
	    "1.3.6.1.2.1.43.10.2.1.4.1.1|65|4711\n"
	    "1.3.6.1.2.1.43.11.1.1.6.1.2|4|Black Toner\n"
	    "1.3.6.1.2.1.43.11.1.1.8.1.2|2|200\n"
	    "1.3.6.1.2.1.43.11.1.1.9.1.2|2|50\n";
	struct bag *bag = bag_new();
	char why[160];
	FILE *fp = fmemopen((void *)(uintptr_t)text, strlen(text), "r");

	assert_int_equal(bag_read_snmprec(bag, fp, why, sizeof(why)), 0);
	fclose(fp);
	return bag;
}

static const struct origin_field *
field_named(const struct origin *o, const char *name)
{
	size_t i;

	for (i = 0; i < o->fields; i++)
		if (strcmp(o->field[i].name, name) == 0)
			return &o->field[i];
	fail_msg("no field %s", name);
	return NULL;
}

static void
comes_from(const struct origin *o, const char *name, const char *value,
    const char *oid)
{
	const struct origin_field *f = field_named(o, name);
	char text[OBJID_TEXT_MAX];
	size_t i;

	assert_string_equal(f->value, value);
	for (i = 0; i < f->objects; i++)
		if (strcmp(objid_format(f->object[i], text), oid) == 0)
			return;
	fail_msg("%s does not come from %s", name, oid);
}

static void
fields_have_objects(void **state)
{
	struct bag *bag = some_printer();
	size_t count = bag_count(bag);
	struct origin o;

	origin_find(&o, bag, 1, "192.0.2.7", 1800000000000);
	comes_from(&o, "serial", "AP700012", "1.3.6.1.2.1.43.5.1.1.17.1");
	comes_from(&o, "hostname", "lobby-7", "1.3.6.1.2.1.1.5.0");
	comes_from(&o, "location", "Lobby", "1.3.6.1.2.1.1.6.0");
	comes_from(&o, "counter total", "4711",
	    "1.3.6.1.2.1.43.10.2.1.4.1.1");
	comes_from(&o, "supply 2 percent", "25",
	    "1.3.6.1.2.1.43.11.1.1.9.1.2");
	comes_from(&o, "supply 2 percent", "25",
	    "1.3.6.1.2.1.43.11.1.1.8.1.2");
	comes_from(&o, "supply 2 colour", "black",
	    "1.3.6.1.2.1.43.11.1.1.6.1.2");
	assert_int_equal(field_named(&o, "serial")->objects, 1);
	assert_int_equal(bag_count(bag), count);
	origin_clear(&o);
	bag_free(bag);
}

static void
an_empty_bag_has_none(void **state)
{
	struct bag *bag = bag_new();
	struct origin o;

	origin_find(&o, bag, -1, NULL, 0);
	origin_clear(&o);
	assert_int_equal(o.fields, 0);
	bag_free(bag);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_have_objects),
		cmocka_unit_test(an_empty_bag_has_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
