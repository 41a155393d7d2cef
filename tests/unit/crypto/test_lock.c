/* What lies on a disk: opens with its key, under its name, whole; or not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "crypto/lock.h"
#include "crypto/vault.h"

#define TEXT	"serial KX7731, community of nobody"

static char	dir[] = "/tmp/platen-lock-XXXXXX";
static char	path[64];
static char	logged[1024];

static void
hear(void *arg, enum log_level level, const char *line)
{
	snprintf(logged, sizeof(logged), "%s", line);
}

static int
setup(void **state)
{
	log_hook(hear, NULL);
	logged[0] = '\0';
	unlink(path);
	return 0;
}

static void
test_there_and_back(void **state)
{
	struct lock	*lock = lock_make(path), *again;
	uint8_t		 sealed[sizeof(TEXT) + LOCK_MORE];
	uint8_t		 other[sizeof(TEXT) + LOCK_MORE];
	char		 plain[sizeof(TEXT)];
	struct stat	 sb;
	size_t		 i;

	assert_non_null(lock);
	assert_int_equal(stat(path, &sb), 0);
	assert_int_equal(sb.st_mode & 07777, 0600);
	lock_put(lock, "here", TEXT, sizeof(TEXT), sealed);
	lock_put(lock, "here", TEXT, sizeof(TEXT), other);
	assert_memory_not_equal(sealed, other, sizeof(sealed));
	for (i = 0; i + 8 < sizeof(sealed); i++)
		assert_memory_not_equal(sealed + i, TEXT, 8);
	/* By who reads the key from the file. */
	again = lock_load(path, "test");
	assert_non_null(again);
	assert_int_equal(lock_take(again, "here", sealed, sizeof(sealed),
	    plain), 0);
	assert_string_equal(plain, TEXT);
	/* Nothing at all can be sealed as well. */
	lock_put(lock, "", "", 0, sealed);
	assert_int_equal(lock_take(again, "", sealed, LOCK_MORE, plain), 0);
	lock_free(lock);
	lock_free(again);
	assert_int_equal(vault_used(), 0);
}

static void
test_no_other_octets_name_or_key(void **state)
{
	struct lock	*lock = lock_make(path), *other;
	uint8_t		 sealed[sizeof(TEXT) + LOCK_MORE];
	char		 plain[sizeof(TEXT)];
	size_t		 i;

	lock_put(lock, "told A", TEXT, sizeof(TEXT), sealed);
	assert_int_equal(lock_take(lock, "told B", sealed, sizeof(sealed),
	    plain), -1);
	assert_int_equal(lock_take(lock, "told", sealed, sizeof(sealed),
	    plain), -1);
	for (i = 0; i < sizeof(sealed); i++) {
		sealed[i] ^= 1;
		assert_int_equal(lock_take(lock, "told A", sealed,
		    sizeof(sealed), plain), -1);
		assert_int_equal(lock_take(lock, "told A", sealed, i, plain),
		    -1);
		sealed[i] ^= 1;
	}
	unlink(path);
	other = lock_make(path);
	assert_int_equal(lock_take(other, "told A", sealed, sizeof(sealed),
	    plain), -1);
	assert_int_equal(lock_take(lock, "told A", sealed, sizeof(sealed),
	    plain), 0);
	lock_free(lock);
	lock_free(other);
}

static void
test_marks(void **state)
{
	uint8_t		 a[LOCK_MARK_LEN], b[LOCK_MARK_LEN];
	struct lock	*lock = lock_make(path), *copy = lock_copy(lock);

	lock_mark(lock, "S:maker:1", a);
	lock_mark(copy, "S:maker:1", b);
	assert_memory_equal(a, b, sizeof(a));
	lock_mark(lock, "S:maker:2", b);
	assert_memory_not_equal(a, b, sizeof(a));
	lock_free(lock);
	unlink(path);
	lock = lock_make(path);
	lock_mark(lock, "S:maker:1", b);
	assert_memory_not_equal(a, b, sizeof(a));
	lock_free(lock);
	lock_free(copy);
}

static void
put(const char *text, mode_t mode)
{
	FILE	*f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static void
test_files_that_are_none(void **state)
{
	static const struct {
		const char	*text;
		mode_t		 mode;
		const char	*says;
	} bad[] = {
		{ "platen-key-1 AAAA\n", 0600, "is no key of a store" },
		{ "platen-store-1 AAAA\n", 0600, "damaged" },
		{ "platen-store-1 \n", 0600, "damaged" },
		{ "", 0600, "empty" },
		{ "platen-store-1 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
		    "\n", 0644, "chmod 600" },
	};
	size_t	 i;

	assert_null(lock_load(path, "test"));
	assert_non_null(strstr(logged, "No such file"));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		put(bad[i].text, bad[i].mode);
		assert_null(lock_load(path, "test"));
		if (strstr(logged, bad[i].says) == NULL)
			fail_msg("%s: not said: %s", logged, bad[i].says);
	}
	assert_int_equal(vault_used(), 0);
	unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_null(lock_make(path));
	assert_null(lock_load(path, "test"));
	rmdir(path);
}

/* Two processes that start with no key: both have the same. */
static void
test_made_at_once(void **state)
{
	uint8_t		 mark[2][LOCK_MARK_LEN];
	int		 pair[2], i, round;
	struct lock	*lock;

	for (round = 0; round < 20; round++) {
		unlink(path);
		assert_int_equal(pipe(pair), 0);
		for (i = 0; i < 2; i++)
			if (fork() == 0) {
				if ((lock = lock_make(path)) == NULL)
					_exit(1);
				lock_mark(lock, "x", mark[0]);
				_exit(write(pair[1], mark[0],
				    LOCK_MARK_LEN) != LOCK_MARK_LEN);
			}
		for (i = 0; i < 2; i++) {
			wait(NULL);
			assert_int_equal(read(pair[0], mark[i],
			    LOCK_MARK_LEN), LOCK_MARK_LEN);
		}
		assert_memory_equal(mark[0], mark[1], LOCK_MARK_LEN);
		close(pair[0]);
		close(pair[1]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_there_and_back, setup),
		cmocka_unit_test_setup(test_no_other_octets_name_or_key,
		    setup),
		cmocka_unit_test_setup(test_marks, setup),
		cmocka_unit_test_setup(test_files_that_are_none, setup),
		cmocka_unit_test_setup(test_made_at_once, setup),
	};
	int	 rc;

	if (mkdtemp(dir) == NULL)
		return 1;
	snprintf(path, sizeof(path), "%s/store.key", dir);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	rmdir(dir);
	return rc;
}
