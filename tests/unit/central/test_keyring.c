/* The centre's keys: a change of key leaves the old one good for a while, and
 * may be cut short anywhere. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/mem.h"
#include "central/keyring.h"

/* 2026-11-30T12:00:00Z */
#define NOW	INT64_C(1796040000000)
#define DAY	(INT64_C(24) * 3600 * 1000)

static char	dir[] = "/tmp/platen-keyring-XXXXXX";
static char	path[64], logged[2048];

static void
hear(void *arg, enum log_level level, const char *line)
{
	snprintf(logged, sizeof(logged), "%s", line);
}

static char *
named(const char *end)
{
	static char name[2][128];
	static int which;

	which = !which;
	snprintf(name[which], sizeof(name[which]), "%s%s", path, end);
	return name[which];
}

static int
setup(void **state)
{
	struct key key;
	char *command = xasprintf("rm -f %s/*", dir);

	log_hook(hear, NULL);
	logged[0] = '\0';
	assert_int_equal(system(command), 0);
	free(command);
	key_make(&key);
	assert_int_equal(key_save(path, &key), 0);
	return 0;
}

static void
public_of(uint8_t out[KEY_LEN], size_t n, int64_t now)
{
	struct keyring ring;

	assert_int_equal(keyring_load(path, now, &ring), 0);
	assert_true(n < ring.len);
	memcpy(out, ring.key[n].public, KEY_LEN);
	keyring_clear(&ring);
}

static void
test_one(void **state)
{
	struct keyring ring;

	assert_int_equal(keyring_load(path, NOW, &ring), 0);
	assert_int_equal(ring.len, 1);
	keyring_clear(&ring);
	assert_int_equal(ring.len, 0);
}

static void
test_rotate(void **state)
{
	uint8_t first[KEY_LEN], now[KEY_LEN], old[KEY_LEN];
	struct keyring ring;

	public_of(first, 0, NOW);
	assert_int_equal(keyring_rotate(path, NOW, NOW + 30 * DAY), 0);
	assert_int_equal(access(named(".until-20261230T120000Z"), F_OK), 0);
	assert_int_equal(access(named(".next"), F_OK), -1);
	public_of(now, 0, NOW);
	public_of(old, 1, NOW);
	assert_memory_not_equal(now, first, KEY_LEN);
	assert_memory_equal(old, first, KEY_LEN);
	assert_int_equal(keyring_load(path, NOW, &ring), 0);
	assert_int_equal(ring.len, 2);
	assert_true(ring.until_ms[1] == NOW + 30 * DAY);
	keyring_clear(&ring);

	/* Its time is over. */
	assert_int_equal(keyring_load(path, NOW + 30 * DAY, &ring), 0);
	assert_int_equal(ring.len, 1);
	assert_memory_equal(ring.key[0].public, now, KEY_LEN);
	keyring_clear(&ring);
	assert_int_equal(keyring_rotate(path, NOW + 31 * DAY,
	    NOW + 61 * DAY), 0);
	assert_int_equal(access(named(".until-20261230T120000Z"), F_OK), -1);
}

static void
test_not_too_many(void **state)
{
	struct keyring ring;
	int i;

	for (i = 1; i < KEYRING_MAX; i++)
		assert_int_equal(keyring_rotate(path, NOW, NOW + i * DAY), 0);
	assert_int_equal(keyring_rotate(path, NOW, NOW + i * DAY), -1);
	assert_non_null(strstr(logged, "remove one"));
	assert_int_equal(keyring_load(path, NOW, &ring), 0);
	assert_int_equal(ring.len, KEYRING_MAX);
	keyring_clear(&ring);
	/* One has expired: there is room again. */
	assert_int_equal(keyring_rotate(path, NOW + DAY, NOW + 9 * DAY), 0);
}

/* After the new key was written, and after the present one was put away. */
static void
test_cut_short(void **state)
{
	uint8_t first[KEY_LEN], second[KEY_LEN], got[KEY_LEN];
	struct key next;

	public_of(first, 0, NOW);
	key_make(&next);
	memcpy(second, next.public, KEY_LEN);
	assert_int_equal(key_save(named(".next"), &next), 0);
	public_of(got, 0, NOW);
	assert_memory_equal(got, first, KEY_LEN);

	assert_int_equal(rename(path, named(".until-20261230T120000Z")), 0);
	public_of(got, 0, NOW);
	assert_memory_equal(got, second, KEY_LEN);
	public_of(got, 1, NOW);
	assert_memory_equal(got, first, KEY_LEN);
}

static void
test_strange_names(void **state)
{
	struct keyring ring;
	struct key key;

	key_make(&key);
	assert_int_equal(key_save(named(".until-tomorrow"), &key), 0);
	assert_int_equal(key_save(named(".until-20269930T120000Z"), &key), 0);
	assert_int_equal(key_save(named(".until-20261230T120000Z~"), &key), 0);
	assert_int_equal(keyring_load(path, NOW, &ring), 0);
	assert_int_equal(ring.len, 1);
	keyring_clear(&ring);

	/* One that counts and is damaged is an error that names it. */
	assert_int_equal(symlink("/dev/null",
	    named(".until-20261230T120000Z")), 0);
	assert_int_equal(keyring_load(path, NOW, &ring), -1);
	assert_non_null(strstr(logged, ".until-20261230T120000Z"));
}

static void
test_no_key(void **state)
{
	struct keyring ring;

	unlink(path);
	assert_int_equal(keyring_load(path, NOW, &ring), -1);
	assert_non_null(strstr(logged, path));
	assert_int_equal(keyring_rotate(path, NOW, NOW + DAY), -1);
	assert_int_equal(access(path, F_OK), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_one, setup),
		cmocka_unit_test_setup(test_rotate, setup),
		cmocka_unit_test_setup(test_not_too_many, setup),
		cmocka_unit_test_setup(test_cut_short, setup),
		cmocka_unit_test_setup(test_strange_names, setup),
		cmocka_unit_test_setup(test_no_key, setup),
	};
	int rc;

	if (key_library_init() == -1 || mkdtemp(dir) == NULL)
		return 1;
	snprintf(path, sizeof(path), "%s/central.key", dir);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	setup(NULL);
	unlink(path);
	rmdir(dir);
	return rc;
}
