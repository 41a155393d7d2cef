/* Log lines, what makes foreign text fit for them, and UTF-8. */
#include "base/log.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/utf8.h"

static char		last[4096];
static enum log_level	last_level;

static void
sink(void *arg, enum log_level level, const char *line)
{
	++*(int *)arg;
	last_level = level;
	snprintf(last, sizeof last, "%s", line);
}

static void
test_lines(void **state)
{
	int count = 0;

	log_hook(sink, &count);
	log_info("probe", "%s: %d", "host", 5);
	assert_string_equal(last, "probe: host: 5");
	assert_int_equal(last_level, LOG_LEVEL_INFO);
	errno = ENOENT;
	log_warn("store", "open");
	assert_string_equal(last, "store: open: No such file or directory");
	assert_int_equal(errno, ENOENT);
	log_warnx("store", "open");
	assert_string_equal(last, "store: open");
	assert_int_equal(last_level, LOG_LEVEL_WARN);
	log_debug("store", "detail");
	assert_int_equal(last_level, LOG_LEVEL_DEBUG);
	assert_int_equal(count, 4);
	log_hook(NULL, NULL);
}

static void
test_long(void **state)
{
	char text[9000];
	int count = 0;

	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	log_hook(sink, &count);
	log_warnx("probe", "%s", text);
	assert_true(strlen(last) < 2048);
	errno = EIO;
	log_warn("probe", "%s", text);
	log_hook(NULL, NULL);
}

/* What stands on stderr: one line, with time, program and process. */
static void
test_stderr(void **state)
{
	char line[512];
	int fds[2], status;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	if ((pid = fork()) == 0) {
		dup2(fds[1], STDERR_FILENO);
		log_init("platend", true, false);
		log_role("collector");
		log_debug("probe", "not shown");
		fatalx("probe", "over");
	}
	close(fds[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
	n = read(fds[0], line, sizeof line - 1);
	assert_true(n > 24);
	line[n] = '\0';
	assert_int_equal(line[23], 'Z');
	assert_string_equal(line + 24, " platend[collector] probe: over\n");
	close(fds[0]);
}

static void
test_safe(void **state)
{
	char text[1000];
	const char *out, *first;
	int i;

	assert_string_equal(log_safe("plain"), "plain");
	assert_string_equal(log_safe(NULL), "(none)");
	assert_string_equal(log_safe("a\nb\033[1mc\x7f"), "a?b?[1mc?");
	assert_string_equal(log_safe("gr\xc3\xbc\xc3\x9f"),
	    "gr\xc3\xbc\xc3\x9f");
	assert_string_equal(log_safe("\xfc\xff x\xc3"), "?? x?");
	/* C1 and what turns the line around */
	assert_string_equal(log_safe("\xc2\x9b \xe2\x80\xae"), "? ?");
	assert_string_equal(log_safe_n("a\0b", 3), "a?b");
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	out = log_safe(text);
	assert_int_equal(strlen(out), 123);
	assert_string_equal(out + 118, "xx...");
	for (i = 0; i < 498; i += 2)
		memcpy(text + i, "\xc3\xbc", 2);
	text[498] = '\0';
	assert_int_equal(strlen(log_safe(text)), 243);
	first = log_safe("first");
	for (i = 0; i < 7; i++)
		log_safe("other");
	assert_string_equal(first, "first");
}

static void
test_utf8(void **state)
{
	static const char *const bad[] = { "\x80", "\xc0\x80", "\xc1\xbf",
	    "\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80",
	    "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xc3", "\xe2\x82",
	    "\xff", "\xc3(" };
	uint32_t c;
	size_t i;

	assert_int_equal(utf8_decode("", 0, &c), 0);
	assert_int_equal(utf8_decode("\xe2\x82\xac", 3, &c), 3);
	assert_int_equal(c, 0x20ac);
	assert_int_equal(utf8_decode("\xf0\x9f\x96\xa8", 4, &c), 4);
	assert_int_equal(c, 0x1f5a8);
	for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(utf8_valid(bad[i], strlen(bad[i])));
	assert_true(utf8_valid("\xf4\x8f\xbf\xbf", 4));
	assert_int_equal(utf8_cut("a\xe2\x82\xac", 4, 3), 1);
	assert_int_equal(utf8_cut("a\xe2\x82\xac", 4, 4), 4);
	assert_int_equal(utf8_cut("\xe2\x82\xac", 3, 2), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_stderr),
		cmocka_unit_test(test_safe),
		cmocka_unit_test(test_utf8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
