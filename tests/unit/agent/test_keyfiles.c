/* The keys in the state directory: every step survives being the last. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/keyfiles.h"
#include "base/log.h"
#include "base/mem.h"

static char		dir[] = "/tmp/platen-keyfiles-XXXXXX";
static char		logged[2048];
static struct key	centre, centre2, centre3;

static void
hear(void *arg, enum log_level level, const char *line)
{
	snprintf(logged, sizeof(logged), "%s", line);
}

static char *
in_dir(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static bool
there(const char *name)
{
	return access(in_dir(name), F_OK) == 0;
}

static int
setup(void **state)
{
	log_hook(hear, NULL);
	logged[0] = '\0';
	unlink(in_dir("agent.key"));
	unlink(in_dir("agent.key.next"));
	unlink(in_dir("central.pin"));
	return 0;
}

static void
put(const char *name, const char *text)
{
	FILE *f = fopen(in_dir(name), "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fchmod(fileno(f), 0600), 0);
	fclose(f);
}

static void
test_first_start(void **state)
{
	struct keyfiles a, b;
	struct stat st;

	assert_int_equal(keyfiles_load(&a, dir, centre.public), 0);
	assert_false(a.has_next);
	assert_false(a.has_learned);
	assert_int_equal(stat(in_dir("agent.key"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(keyfiles_load(&b, dir, centre.public), 0);
	assert_memory_equal(&a.own, &b.own, sizeof(a.own));
	keyfiles_clear(&a);
	keyfiles_clear(&b);
}

/* Between any two steps the process may die: what is loaded then goes on. */
static void
test_own_changes(void **state)
{
	struct keyfiles a, b;
	struct key old, next;

	assert_int_equal(keyfiles_load(&a, dir, centre.public), 0);
	old = a.own;
	assert_int_equal(keyfiles_settle(&a), 0);	/* nothing to do */
	assert_memory_equal(&a.own, &old, sizeof(old));

	assert_int_equal(keyfiles_begin(&a), 0);
	assert_true(a.has_next);
	next = a.next;
	assert_memory_not_equal(&next, &old, sizeof(old));
	assert_int_equal(keyfiles_begin(&a), 0);	/* keeps it */
	assert_memory_equal(&a.next, &next, sizeof(next));

	assert_int_equal(keyfiles_load(&b, dir, centre.public), 0);
	assert_true(b.has_next);
	assert_memory_equal(&b.own, &old, sizeof(old));
	assert_memory_equal(&b.next, &next, sizeof(next));
	keyfiles_clear(&b);

	assert_int_equal(keyfiles_settle(&a), 0);
	assert_false(a.has_next);
	assert_false(there("agent.key.next"));
	assert_memory_equal(&a.own, &next, sizeof(next));
	keyfiles_clear(&a);

	assert_int_equal(keyfiles_load(&a, dir, centre.public), 0);
	assert_memory_equal(&a.own, &next, sizeof(next));
	assert_false(a.has_next);
	keyfiles_clear(&a);
}

/* A successor that was cut off while it was written is none. */
static void
test_half_a_successor(void **state)
{
	struct keyfiles a;
	struct key own;

	assert_int_equal(keyfiles_load(&a, dir, centre.public), 0);
	own = a.own;
	keyfiles_clear(&a);
	put("agent.key.next", "platen-key-1 AbC");
	assert_int_equal(keyfiles_load(&a, dir, centre.public), 0);
	assert_false(a.has_next);
	assert_memory_equal(&a.own, &own, sizeof(own));
	assert_false(there("agent.key.next"));
	assert_int_equal(keyfiles_begin(&a), 0);
	keyfiles_clear(&a);
}

static void
test_centre_changes(void **state)
{
	struct keyfiles a;

	assert_int_equal(keyfiles_load(&a, dir, centre.public), 0);
	assert_int_equal(keyfiles_prove(&a), 0);	/* nothing learned */
	assert_false(there("central.pin"));
	assert_int_equal(keyfiles_learn(&a, centre2.public), 0);
	keyfiles_clear(&a);

	assert_int_equal(keyfiles_load(&a, dir, centre.public), 0);
	assert_true(a.has_learned);
	assert_false(a.proven);
	assert_memory_equal(a.learned, centre2.public, KEY_LEN);
	assert_int_equal(keyfiles_prove(&a), 0);
	keyfiles_clear(&a);

	/* A third one follows the second. */
	assert_int_equal(keyfiles_load(&a, dir, centre.public), 0);
	assert_true(a.proven);
	assert_int_equal(keyfiles_learn(&a, centre2.public), 0);
	assert_true(a.proven);		/* said again, not anew */
	assert_int_equal(keyfiles_learn(&a, centre3.public), 0);
	assert_false(a.proven);
	keyfiles_clear(&a);
	assert_int_equal(keyfiles_load(&a, dir, centre.public), 0);
	assert_memory_equal(a.learned, centre3.public, KEY_LEN);
	keyfiles_clear(&a);

	/* The operator's word goes first. */
	assert_int_equal(keyfiles_load(&a, dir, centre3.public), 0);
	assert_false(a.has_learned);
	assert_false(a.proven);
	assert_non_null(strstr(logged, "central_key"));
	keyfiles_clear(&a);
}

static void
test_damaged_pin(void **state)
{
	static const char *const bad[] = { "", "\n", "platen-pin-1\n",
	    "platen-pin-1 a b told\n", "platen-pin-2 x y proven\n",
	    "platen-pin-1 "
	    "D6poTtKIZ7l/Smot7l34zpdOdrcBjj8iocTPJnhXDyA= "
	    "D6poTtKIZ7l/Smot7l34zpdOdrcBjj8iocTPJnhXDyA= maybe\n",
	    "platen-pin-1 "
	    "D6poTtKIZ7l/Smot7l34zpdOdrcBjj8iocTPJnhXDyA= "
	    "D6poTtKIZ7l/Smot7l34zpdOdrcBjj8iocTPJnhXDyA= told more\n" };
	struct keyfiles a;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		put("central.pin", bad[i]);
		logged[0] = '\0';
		assert_int_equal(keyfiles_load(&a, dir, centre.public), -1);
		assert_non_null(strstr(logged, "central.pin"));
		assert_true(there("central.pin"));
	}
}

/* The agent's key: offered, refused as long as the centre has not heard of
 * it, and taken. */
static void
test_choice_of_own(void **state)
{
	struct keyfiles a;
	struct key next;

	assert_int_equal(keyfiles_load(&a, dir, centre.public), 0);
	assert_ptr_equal(keyfiles_own(&a), &a.own);
	assert_false(keyfiles_refused(&a, "not-authorized"));
	assert_int_equal(keyfiles_welcomed(&a, NULL), KEYFILES_STAY);

	assert_int_equal(keyfiles_begin(&a), 0);
	next = a.next;
	assert_memory_equal(keyfiles_own(&a), &next, sizeof(next));
	assert_false(keyfiles_refused(&a, "resource-constraint"));
	assert_true(keyfiles_refused(&a, "not-authorized"));
	assert_ptr_equal(keyfiles_own(&a), &a.own);
	assert_int_equal(keyfiles_welcomed(&a, NULL), KEYFILES_OFFER);
	assert_true(a.has_next);
	keyfiles_offered(&a);
	assert_memory_equal(keyfiles_own(&a), &next, sizeof(next));
	/* In use: the centre hears of that at once. */
	assert_int_equal(keyfiles_welcomed(&a, NULL), KEYFILES_OFFER);
	assert_false(a.has_next);
	assert_memory_equal(keyfiles_own(&a), &next, sizeof(next));
	assert_int_equal(keyfiles_welcomed(&a, NULL), KEYFILES_STAY);
	keyfiles_clear(&a);
}

/* The centre's: what was told is tried first, until it is proven in turn with
 * the configured one, and from then on alone. */
static void
test_choice_of_centre(void **state)
{
	struct keyfiles a;

	assert_int_equal(keyfiles_load(&a, dir, centre.public), 0);
	assert_memory_equal(keyfiles_central(&a), centre.public, KEY_LEN);
	assert_false(keyfiles_refused(&a, "bad-request"));
	assert_int_equal(keyfiles_welcomed(&a, centre2.public),
	    KEYFILES_ANEW);
	assert_memory_equal(keyfiles_central(&a), centre2.public, KEY_LEN);
	assert_true(keyfiles_refused(&a, ""));
	assert_memory_equal(keyfiles_central(&a), centre.public, KEY_LEN);
	assert_false(keyfiles_refused(&a, "bad-request"));
	assert_memory_equal(keyfiles_central(&a), centre2.public, KEY_LEN);
	assert_false(keyfiles_refused(&a, "forbidden"));
	assert_int_equal(keyfiles_welcomed(&a, NULL), KEYFILES_STAY);
	assert_true(a.proven);
	assert_memory_equal(keyfiles_central(&a), centre2.public, KEY_LEN);
	assert_false(keyfiles_refused(&a, "bad-request"));
	assert_memory_equal(keyfiles_central(&a), centre2.public, KEY_LEN);

	/* A centre that names another key each time is followed once. */
	assert_int_equal(keyfiles_welcomed(&a, centre3.public),
	    KEYFILES_ANEW);
	assert_int_equal(keyfiles_welcomed(&a, centre.public),
	    KEYFILES_STAY);
	keyfiles_clear(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_first_start, setup),
		cmocka_unit_test_setup(test_own_changes, setup),
		cmocka_unit_test_setup(test_half_a_successor, setup),
		cmocka_unit_test_setup(test_centre_changes, setup),
		cmocka_unit_test_setup(test_damaged_pin, setup),
		cmocka_unit_test_setup(test_choice_of_own, setup),
		cmocka_unit_test_setup(test_choice_of_centre, setup),
	};
	int rc;

	if (key_library_init() == -1 || mkdtemp(dir) == NULL)
		return 1;
	key_make(&centre);
	key_make(&centre2);
	key_make(&centre3);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	setup(NULL);
	rmdir(dir);
	return rc;
}
