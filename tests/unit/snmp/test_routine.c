/* What was worked out for one printer, for others: only where all fits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "snmp/routine.h"

#define DEVICE	"1.3.6.1.2.1.43.10.2.1.4.1.1|65|7\n" \
		"1.3.6.1.4.1.77.1.1|4|Prints\n"

static struct objid
oid(const char *text)
{
	struct objid	 id;

	assert_int_equal(objid_parse(text, &id), 0);
	return id;
}

static struct bag *
image_of(const char *snmprec)
{
	struct bag	*bag = bag_new(), *image = bag_new();
	FILE		*fp = fmemopen((void *)(uintptr_t)snmprec,
			    strlen(snmprec), "r");
	char		 why[200] = "";

	assert_int_equal(bag_read_snmprec(bag, fp, why, sizeof(why)), 0);
	fclose(fp);
	bag_merge(image, bag, NULL, 0);
	bag_free(bag);
	return image;
}

/* Whether it is recalled, and says to ask for that object. */
static bool
recalls(const struct routine_key *key, const char *snmprec)
{
	static struct objid	 ids[TALK_VARBINDS_MAX];
	struct bag		*image = image_of(snmprec);
	struct errand		*errand = routine_recall(key, image);
	struct talk_question	 question;
	struct objid		 wanted = oid("1.3.6.1.2.1.43.10.2.1.4.1.1");
	bool			 found = errand != NULL;

	if (found) {
		assert_int_equal(errand_next(errand, 8, &question, ids), 1);
		assert_int_equal(objid_cmp(&ids[0], &wanted), 0);
	}
	errand_free(errand);
	bag_free(image);
	return found;
}

static void
test_recall(void **state)
{
	const struct routine_key	 key = { .what = 8 };
	struct routine_key		 other;
	struct objid			 label = oid("1.3.6.1.4.1.77.1");
	struct objid			 life =
					     oid("1.3.6.1.2.1.43.10.2.1.4.1.1");
	struct bag			*image = image_of(DEVICE);
	struct errand			*errand = errand_new();

	assert_false(recalls(&key, DEVICE));
	errand_object(errand, &life);
	routine_keep(&key, image, &label, 1, errand);
	errand_free(errand);
	bag_free(image);
	assert_true(recalls(&key, DEVICE));
	assert_true(recalls(&key, DEVICE));
	assert_true(recalls(&key, "1.3.6.1.2.1.43.10.2.1.4.1.1|65|8\n"
	    "1.3.6.1.4.1.77.1.1|4|Prints\n"));
	assert_false(recalls(&key, "1.3.6.1.2.1.43.10.2.1.4.1.1|65|7\n"
	    "1.3.6.1.4.1.77.1.1|4|Copies\n"));
	assert_false(recalls(&key, DEVICE "1.3.6.1.4.1.77.1.2|4|Copies\n"));
	assert_false(recalls(&key, "1.3.6.1.2.1.43.10.2.1.4.1.1|65|7\n"));
	other = key;
	other.what = 4;
	assert_false(recalls(&other, DEVICE));
	other = key;
	other.bulk = true;
	assert_false(recalls(&other, DEVICE));
	other = key;
	other.standard_only = true;
	assert_false(recalls(&other, DEVICE));
	other = key;
	other.vendor = vendor_nth(0);
	assert_false(recalls(&other, DEVICE));
	/* Other files name other objects. */
	vendor_unload();
	assert_false(recalls(&key, DEVICE));
}

/* More shapes than there is room for: each is either as it was or gone. */
static void
test_many(void **state)
{
	const struct routine_key	 key = { .what = 1 };
	struct objid			 id = oid("1.3.6.1.2.1.43.5.1.1.1.1");
	struct talk_question		 question;
	static struct objid		 ids[TALK_VARBINDS_MAX];
	struct bag			*fresh, *image;
	struct errand			*errand;
	size_t				 i, kept = 0, round;

	for (round = 0; round < 2; round++)
		for (i = 1; i <= 500; i++) {
			id.sub[10] = (uint32_t)i;
			fresh = bag_new();
			image = bag_new();
			bag_put_number(fresh, &id, BAG_INTEGER, 1);
			bag_merge(image, fresh, NULL, 0);
			errand = routine_recall(&key, image);
			if (errand == NULL) {
				errand = errand_new();
				errand_object(errand, &id);
				routine_keep(&key, image, NULL, 0, errand);
			} else
				kept++;
			assert_int_equal(errand_next(errand, 8, &question,
			    ids), 1);
			assert_int_equal(objid_cmp(&ids[0], &id), 0);
			errand_free(errand);
			bag_free(image);
			bag_free(fresh);
		}
	assert_true(kept < 500);
	vendor_unload();
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_recall),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
