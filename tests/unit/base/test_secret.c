/* Secrets in files: who may read them, and what a refusal says. */
#include "base/secret.h"

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

#include "base/log.h"

static char	dir[] = "/tmp/platen-secret-XXXXXX";
static char	path[64];
static char	said[2048];

static void
sink(void *arg, enum log_level level, const char *line)
{
	snprintf(said, sizeof said, "%s", line);
}

static int
set_up(void **state)
{
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof path, "%s/password", dir);
	log_hook(sink, NULL);
	return 0;
}

static int
tear_down(void **state)
{
	log_hook(NULL, NULL);
	return rmdir(dir);
}

static void
make(const void *text, size_t len, mode_t mode)
{
	FILE *f;

	unlink(path);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, len, f), len);
	fclose(f);
	assert_int_equal(chmod(path, mode), 0);
	said[0] = '\0';
}

static void
test_read(void **state)
{
	char out[64];

	make("s3cret\nsecond\n", 14, 0600);
	assert_int_equal(secret_read(path, "[xmpp] password_file", out,
	    sizeof out), 0);
	assert_string_equal(out, "s3cret");
	make("s3cret\r\n", 8, 0400);
	assert_int_equal(secret_read(path, "x", out, sizeof out), 0);
	assert_string_equal(out, "s3cret");
	make("with blanks ", 12, 0600);
	assert_int_equal(secret_read(path, "x", out, sizeof out), 0);
	assert_string_equal(out, "with blanks ");
	unlink(path);
}

static void
test_modes(void **state)
{
	static const mode_t bad[] = { 0604, 0602, 0620, 0610, 0644, 0666,
	    0777, 0601 };
	char out[64];
	size_t i;

	for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		make("s3cret\n", 7, bad[i]);
		assert_int_equal(secret_read(path, "[xmpp] password_file",
		    out, sizeof out), -1);
		assert_non_null(strstr(said, "[xmpp] password_file"));
		assert_non_null(strstr(said, "chmod 600 "));
		assert_non_null(strstr(said, path));
		assert_null(strstr(said, "s3cret"));
	}
	/* root:platen 0640 is root's own decision; another user's is not */
	make("s3cret\n", 7, 0640);
	assert_int_equal(secret_read(path, "x", out, sizeof out),
	    geteuid() == 0 ? 0 : -1);
	if (geteuid() == 0) {
		make("s3cret\n", 7, 0600);
		assert_int_equal(chown(path, 65534, 65534), 0);
		assert_int_equal(secret_read(path, "x", out, sizeof out), -1);
		assert_non_null(strstr(said, "belongs to another user"));
	}
	unlink(path);
}

static void
test_bad(void **state)
{
	char out[64], text[2000];

	assert_int_equal(secret_read(path, "x", out, sizeof out), -1);
	assert_non_null(strstr(said, "No such file"));
	make("", 0, 0600);
	assert_int_equal(secret_read(path, "x", out, sizeof out), -1);
	assert_non_null(strstr(said, "empty"));
	make("\nsecond\n", 8, 0600);
	assert_int_equal(secret_read(path, "x", out, sizeof out), -1);
	make("a\0b\n", 4, 0600);
	assert_int_equal(secret_read(path, "x", out, sizeof out), -1);
	assert_non_null(strstr(said, "not text"));
	memset(text, 'x', sizeof text);
	make(text, sizeof text, 0600);
	assert_int_equal(secret_read(path, "x", out, sizeof out), -1);
	assert_non_null(strstr(said, "longer than 63 octets"));
	make(text, 63, 0600);
	assert_int_equal(secret_read(path, "x", out, sizeof out), 0);
	make(text, 64, 0600);
	assert_int_equal(secret_read(path, "x", out, sizeof out), -1);
	assert_int_equal(secret_read(dir, "x", out, sizeof out), -1);
	assert_non_null(strstr(said, "not a plain file"));
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(secret_read(path, "x", out, sizeof out), -1);
	assert_non_null(strstr(said, "not a plain file"));
	unlink(path);
}

static void
test_load(void **state)
{
	char *text;

	make("one\ntwo\n", 8, 0600);
	text = secret_load(path, "x", 8);
	assert_string_equal(text, "one\ntwo\n");
	secret_free(text);
	assert_null(secret_load(path, "x", 7));
	assert_non_null(strstr(said, "too long"));
	make("", 0, 0600);
	assert_null(secret_load(path, "x", 8));
	assert_non_null(strstr(said, "empty"));
	make("a\0b", 3, 0600);
	assert_null(secret_load(path, "x", 8));
	assert_non_null(strstr(said, "not text"));
	make("s3cret\n", 7, 0644);
	assert_null(secret_load(path, "[xmpp] client_key", 64));
	assert_non_null(strstr(said, "[xmpp] client_key"));
	assert_non_null(strstr(said, "chmod 600 "));
	unlink(path);
	assert_null(secret_load(path, "x", 8));
	assert_non_null(strstr(said, "No such file"));
}

static void
test_write(void **state)
{
	char out[64];
	struct stat st;
	mode_t old = umask(0);

	assert_int_equal(secret_write(path, "fresh"), 0);
	umask(old);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(secret_read(path, "x", out, sizeof out), 0);
	assert_string_equal(out, "fresh");
	assert_int_equal(secret_write(path, "other"), -1);
	assert_non_null(strstr(said, "File exists"));
	assert_int_equal(secret_read(path, "x", out, sizeof out), 0);
	assert_string_equal(out, "fresh");
	secret_wipe(out, sizeof out);
	assert_int_equal(out[0], 0);
	unlink(path);
}

static void
test_replace(void **state)
{
	char out[64], fresh[128];
	struct stat st;

	assert_int_equal(secret_replace(path, "first"), 0);
	assert_int_equal(secret_replace(path, "second"), 0);
	assert_int_equal(secret_read(path, "x", out, sizeof out), 0);
	assert_string_equal(out, "second");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	/* What a try that was cut short left behind is in nobody's way. */
	snprintf(fresh, sizeof fresh, "%s.%d", path, (int)getpid());
	assert_int_equal(secret_write(fresh, "half"), 0);
	assert_int_equal(secret_replace(path, "third"), 0);
	assert_int_equal(secret_read(path, "x", out, sizeof out), 0);
	assert_string_equal(out, "third");
	assert_int_equal(access(fresh, F_OK), -1);
	/* Nothing is lost when there is no way. */
	assert_int_equal(mkdir(fresh, 0700), 0);
	assert_int_equal(secret_replace(path, "fourth"), -1);
	assert_non_null(strstr(said, path));
	assert_int_equal(rmdir(fresh), 0);
	assert_int_equal(secret_rename(fresh, path), -1);
	assert_int_equal(secret_read(path, "x", out, sizeof out), 0);
	assert_string_equal(out, "third");
	unlink(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_load),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_replace),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
