/* A secret that was written is there after a power cut; one that was being
 * written is there whole or not at all, and can be written again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/secret.h"
#include "tests/power/oplog.h"
#include "tests/power/outage.h"

#define WORDS	"platen-key-1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define TIMES	60	/* cuts at each moment */

static void
check(const char *path, bool promised)
{
	char got[SECRET_MAX];

	if (access(path, F_OK) == 0) {
		assert_int_equal(secret_read(path, "key", got, sizeof(got)),
		    0);
		assert_string_equal(got, WORDS);
		return;
	}
	assert_false(promised);
	assert_int_equal(secret_write(path, WORDS), 0);
}

static void
quiet(void *arg, enum log_level level, const char *line)
{
}

static void
a_secret_lasts(void **state)
{
	char top[] = "/tmp/platen-power-XXXXXX", dir[64], left[64], log[64],
	    path[80];
	struct outage *o;
	int64_t mark;
	size_t moment;
	uint64_t seed;

	assert_non_null(mkdtemp(top));
	snprintf(dir, sizeof(dir), "%s/dir", top);
	snprintf(left, sizeof(left), "%s/left", top);
	snprintf(log, sizeof(log), "%s/log", top);
	outage_empty(dir);
	oplog_begin(dir, log);
	snprintf(path, sizeof(path), "%s/secret", dir);
	assert_int_equal(secret_write(path, WORDS), 0);
	oplog_mark(1);
	oplog_end();
	o = outage_load(log);
	snprintf(path, sizeof(path), "%s/secret", left);
	for (moment = 0; moment < outage_moments(o); moment++)
		for (seed = 0; seed < TIMES; seed++) {
			outage_empty(left);
			mark = outage_leave(o, moment, seed, left);
			check(path, mark == 1);
		}
	outage_free(o);
	outage_empty(top);
	assert_int_equal(rmdir(top), 0);
}

static void
one_that_is_there_stays(void **state)
{
	char dir[] = "/tmp/platen-power-XXXXXX", path[64], got[SECRET_MAX];

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/secret", dir);
	assert_int_equal(secret_write(path, WORDS), 0);
	log_hook(quiet, NULL);
	assert_int_equal(secret_write(path, "another"), -1);
	log_hook(NULL, NULL);
	assert_int_equal(secret_read(path, "key", got, sizeof(got)), 0);
	assert_string_equal(got, WORDS);
	/* Nothing else is left behind. */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_secret_lasts),
		cmocka_unit_test(one_that_is_there_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
