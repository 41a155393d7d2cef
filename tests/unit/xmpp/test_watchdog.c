#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/socket.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "xmpp/watchdog.h"

static int	pair[2];

static int
make_pair(void **state)
{
	watchdog_open();
	return socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
}

static int
drop_pair(void **state)
{
	watchdog_close();
	close(pair[0]);
	close(pair[1]);
	return 0;
}

static void
pause_ms(int ms)
{
	struct timespec	ts = { ms / 1000, (ms % 1000) * 1000000L };

	while (nanosleep(&ts, &ts) == -1)
		;
}

static void
ends_a_read_that_blocks(void **state)
{
	int64_t	start = clock_mono_ms();
	char	c;

	watchdog_arm(pair[0], 100);
	watchdog_enter();
	assert_int_equal(read(pair[0], &c, 1), 0);
	watchdog_leave();
	assert_true(watchdog_fired());
	assert_in_range(clock_mono_ms() - start, 90, 2000);
}

static void
leaves_alone_what_is_disarmed(void **state)
{
	watchdog_arm(pair[0], 50);
	watchdog_disarm();
	pause_ms(120);
	assert_false(watchdog_fired());
	assert_int_equal(write(pair[1], "x", 1), 1);
	assert_int_equal(write(pair[0], "x", 1), 1);
}

static void
arms_anew(void **state)
{
	watchdog_arm(pair[0], 1);
	pause_ms(30);
	assert_true(watchdog_fired());
	watchdog_arm(pair[1], 10000);
	assert_false(watchdog_fired());
	watchdog_disarm();
}

/* Late, but not stuck: other calls than the one that it fired in. */
static void
spares_calls_that_end(void **state)
{
	int	i;

	watchdog_arm(pair[0], 20);
	for (i = 0; i < 40; i++) {
		watchdog_enter();
		pause_ms(5);
		watchdog_leave();
	}
	pause_ms(60);
	assert_true(watchdog_fired());
}

static void
ends_a_process_that_computes(void **state)
{
	int	status;
	pid_t	pid = fork();

	if (pid == 0) {
		int	null = open("/dev/null", O_WRONLY);

		dup2(null, STDERR_FILENO);
		watchdog_arm(pair[0], 30);
		watchdog_enter();
		for (;;)
			continue;
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), WATCHDOG_EXIT);
}

static void
gives_the_signal_back(void **state)
{
	struct sigaction	sa;

	watchdog_close();
	assert_int_equal(sigaction(SIGALRM, NULL, &sa), 0);
	assert_true(sa.sa_handler == SIG_DFL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define	T(f)	cmocka_unit_test_setup_teardown(f, make_pair, drop_pair)
		T(ends_a_read_that_blocks),
		T(leaves_alone_what_is_disarmed),
		T(arms_anew),
		T(spares_calls_that_end),
		T(ends_a_process_that_computes),
		T(gives_the_signal_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
