/* Key files and key text: modes, damage, strangers. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#include "base/log.h"
#include "crypto/key.h"

static char	dir[] = "/tmp/platen-key-XXXXXX";
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
file_put(const char *text, mode_t mode)
{
	int	 fd;

	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void
test_save_load(void **state)
{
	struct key	 k, back;
	struct stat	 st;
	char		 text[256];
	ssize_t		 n;
	int		 fd;

	key_make(&k);
	assert_int_equal(key_save(path, &k), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(key_load(path, &back), 0);
	assert_memory_equal(&k, &back, sizeof(k));

	fd = open(path, O_RDONLY);
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	assert_int_equal(n, strlen("platen-key-1 ") + 44 + 1);
	text[n] = '\0';
	assert_memory_equal(text, "platen-key-1 ", 13);

	/* What is there stays. */
	key_make(&back);
	assert_int_equal(key_save(path, &back), -1);
	assert_non_null(strstr(logged, path));
	assert_int_equal(key_load(path, &back), 0);
	assert_memory_equal(&k, &back, sizeof(k));
	key_wipe(&back);
	assert_true(sodium_is_zero((uint8_t *)&back, sizeof(back)));
	key_wipe(&k);
}

static void
refused(void)
{
	struct key	 k;

	memset(&k, 1, sizeof(k));
	logged[0] = '\0';
	assert_int_equal(key_load(path, &k), -1);
	assert_non_null(strstr(logged, path));
	assert_true(sodium_is_zero((uint8_t *)&k, sizeof(k)));
}

#define GOOD	"d6ENjdeCXTDQB/PnHf1Pl0vLh3c6xYqtZtqnQvu3l0I="

static void
test_damage(void **state)
{
	static const char *const	 bad[] = {
		"", "\n", "platen-key-1", "platen-key-1 ", "platen-key-1\n",
		"platen-key-2 " GOOD, GOOD, "PLATEN-KEY-1 " GOOD,
		"platen-key-1  " GOOD, "platen-key-1 " GOOD " ",
		"platen-key-1 d6ENjdeCXTDQB/PnHf1Pl0vLh3c6xYqtZtqnQvu3l0I",
		"platen-key-1 d6ENjdeCXTDQB/PnHf1Pl0vLh3c6xYqtZtqnQvu3l0J=",
		"platen-key-1 d6ENjdeCXTDQB_PnHf1Pl0vLh3c6xYqtZtqnQvu3l0I=",
		"platen-key-1 d6ENjdeCXTDQB/PnHf1Pl0vLh3c6xYqtZtqnQvu3lw==",
		"platen-key-1 " GOOD "AAAA",
		"platen-key-1 \xff\xfe",
		("platen-key-1 \x86"
		    "6ENjdeCXTDQB/PnHf1Pl0vLh3c6xYqtZtqnQvu3l0I=")
	};
	struct key			 k;
	size_t				 i;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		file_put(bad[i], 0600);
		refused();
		assert_null(strstr(logged, "d6ENjdeC"));
	}
	unlink(path);
	refused();
	file_put("platen-key-1 " GOOD "\n", 0600);
	assert_int_equal(key_load(path, &k), 0);
	key_wipe(&k);
}

static void
test_mode(void **state)
{
	static const mode_t	 bad[] = { 0644, 0660, 0606, 0604, 0620 };
	size_t			 i;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		file_put("platen-key-1 " GOOD "\n", bad[i]);
		refused();
	}
}

static void
test_public_text(void **state)
{
	static const char *const	 bad[] = {
		"", "=", "AAAA", GOOD "=", GOOD "\n", " " GOOD, GOOD GOOD,
		"d6ENjdeCXTDQB/PnHf1Pl0vLh3c6xYqtZtqnQvu3l0I",
		"d6ENjdeCXTDQB/PnHf1P\nl0vLh3c6xYqtZtqnQvu3l0I=",
		"d6ENjdeCXTDQB/PnHf1Pl0vLh3c6xYqtZtqnQvu3l0J="
	};
	struct key			 k;
	char				 text[KEY_TEXT_MAX], finger[48];
	uint8_t				 public[KEY_LEN];
	size_t				 i;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(key_parse_public(bad[i], public), -1);
	assert_int_equal(key_parse_public(NULL, public), -1);
	for (i = 0; i < 100; i++) {
		key_make(&k);
		key_format_public(k.public, text);
		assert_int_equal(strlen(text), 44);
		assert_int_equal(key_parse_public(text, public), 0);
		assert_memory_equal(public, k.public, KEY_LEN);
		key_wipe(&k);
	}
	/* printf '\0...' (32 times) | sha256sum */
	memset(public, 0, sizeof(public));
	key_fingerprint(public, finger);
	assert_string_equal(finger,
	    "6668 7aad f862 bd77 6c8f c18b 8e9f 8e20");
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test_setup(test_save_load, setup),
		cmocka_unit_test_setup(test_damage, setup),
		cmocka_unit_test_setup(test_mode, setup),
		cmocka_unit_test_setup(test_public_text, setup),
	};
	int			 rc;

	if (key_library_init() == -1 || mkdtemp(dir) == NULL)
		return 1;
	snprintf(path, sizeof(path), "%s/key", dir);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	rmdir(dir);
	return rc;
}
