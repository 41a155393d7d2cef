/* After the drop nothing can be taken back. */
#include "base/drop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"

static char	said[512];

static void
sink(void *arg, enum log_level level, const char *line)
{
	snprintf(said, sizeof said, "%s", line);
}

static int
in_child(int (*fn)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(fn());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int
child_dumps(void)
{
	struct rlimit r;

	if (drop_dumps() == -1 || getrlimit(RLIMIT_CORE, &r) == -1)
		return 1;
	if (r.rlim_cur != 0 || r.rlim_max != 0)
		return 2;
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : 3;
}

static int
child_user(void)
{
	gid_t groups[64];

	if (drop_privileges("nobody") == -1)
		return 1;
	if (getuid() == 0 || geteuid() == 0 || getgid() == 0)
		return 2;
	if (setuid(0) != -1 || setgid(0) != -1)
		return 3;
	if (getgroups(64, groups) != 1 || groups[0] != getgid())
		return 4;
	return 0;
}

static int
child_stays(void)
{
	uid_t was = geteuid();

	return drop_privileges(NULL) == 0 && geteuid() == was ? 0 : 1;
}

static void
test_dumps(void **state)
{
	assert_int_equal(in_child(child_dumps), 0);
	assert_int_equal(in_child(child_stays), 0);
}

static void
test_user(void **state)
{
	if (geteuid() != 0)
		skip();
	assert_int_equal(in_child(child_user), 0);
	log_hook(sink, NULL);
	assert_int_equal(drop_privileges("no-such-user-here"), -1);
	log_hook(NULL, NULL);
	assert_string_equal(said, "drop: user no-such-user-here: no such user");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dumps),
		cmocka_unit_test(test_user),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
