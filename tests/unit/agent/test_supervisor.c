/* The agent's processes: who may die, who follows. */
#include "kit.h"

#include <sys/prctl.h>
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>

#include "agent/config.h"
#include "agent/supervisor.h"
#include "base/clock.h"
#include "base/drop.h"

/* --- the parent's death -------------------------------------------------- */

/* A child of the supervisor that gives up its privileges, as both do. */
static void
follow(pid_t parent, int fd)
{
	pid_t own = getpid();

	signal(SIGTERM, SIG_DFL);
	if (supervisor_follow(parent) == -1 ||
	    drop_privileges(geteuid() == 0 ? "nobody" : NULL) == -1 ||
	    supervisor_follow(parent) == -1)
		_exit(1);
	if (write(fd, &own, sizeof(own)) != sizeof(own))
		_exit(1);
	sleep(30);
	_exit(0);
}

static bool
is_gone(pid_t pid)
{
	int64_t until = clock_mono_ms() + 5000;

	while (clock_mono_ms() < until) {
		if (waitpid(pid, NULL, WNOHANG) == pid ||
		    (kill(pid, 0) == -1 && errno == ESRCH))
			return true;
		usleep(10000);
	}
	return false;
}

/* Killed with -9 it can tell nobody: a child that lived on would keep the
 * lock, and no agent could start any more. */
static void
children_follow_their_parent(void **state)
{
	pid_t parent, child;
	int pair[2], status;

	/* So that the orphan becomes ours, to be waited for. */
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	assert_int_equal(pipe(pair), 0);
	if ((parent = fork()) == 0) {
		pid_t own = getpid();

		if (fork() == 0)
			follow(own, pair[1]);
		pause();
		_exit(0);
	}
	assert_int_equal(read(pair[0], &child, sizeof(child)), sizeof(child));
	assert_int_equal(kill(parent, SIGKILL), 0);
	assert_int_equal(waitpid(parent, &status, 0), parent);
	if (!is_gone(child)) {
		kill(child, SIGKILL);
		fail_msg("the child lives on");
	}
	close(pair[0]);
	close(pair[1]);
	prctl(PR_SET_CHILD_SUBREAPER, 0);
}

static void
too_late_to_follow(void **state)
{
	assert_int_equal(supervisor_follow(getppid() + 1), -1);
}

/* --- secrets ------------------------------------------------------------- */

static struct config *
config_with(const char *password, const char *token)
{
	static char key[] = "L+V9owNzMaqFQUl6NYb4NhGWuoF3lLyqrYrMKhXTMA0=";
	char *path, *text;
	struct config *conf;

	text = xasprintf("[agent]\nname = a\nstate_dir = %s\n[xmpp]\n"
	    "jid = a@b\ncentral = c\npassword_file = %s\n[crypto]\n"
	    "central_key = %s\n%s%s\n[discovery]\nhosts = d\n", kit_dir,
	    password, key, token == NULL ? "" : "token_file = ",
	    token == NULL ? "" : token);
	path = kit_write("platen.ini", text, 0600);
	conf = config_read(path, CONFIG_ALL);
	assert_non_null(conf);
	free(path);
	free(text);
	return conf;
}

static void
the_start_needs_its_secrets(void **state)
{
	char *good = kit_write("good", "geheim\n", 0600);
	char *open_file = kit_write("open", "geheim\n", 0644);
	char *empty = kit_write("empty", "", 0600), *missing, *want;
	struct config *conf;

	missing = xasprintf("%s/missing", kit_dir);
	kit_listen();
	conf = config_with(good, good);
	assert_int_equal(supervisor_check_secrets(conf), 0);
	config_free(conf);
	assert_int_equal(kit_lines, 0);

	conf = config_with(open_file, NULL);
	assert_int_equal(supervisor_check_secrets(conf), -1);
	want = xasprintf("[xmpp] password_file: %s is open to others",
	    open_file);
	assert_said(want);
	assert_said("chmod 600");
	config_free(conf);
	free(want);

	conf = config_with(missing, NULL);
	assert_int_equal(supervisor_check_secrets(conf), -1);
	assert_said("No such file");
	config_free(conf);
	conf = config_with(good, empty);
	assert_int_equal(supervisor_check_secrets(conf), -1);
	assert_said("[crypto] token_file");
	config_free(conf);
	/* A token is good for once: its file may be gone later. */
	conf = config_with(good, missing);
	assert_int_equal(supervisor_check_secrets(conf), 0);
	config_free(conf);

	kit_listen();
	free(kit_write("agent.key", "not a key\n", 0600));
	conf = config_with(good, NULL);
	assert_int_equal(supervisor_check_secrets(conf), -1);
	assert_said("agent.key");
	config_free(conf);
	assert_false(kit_said("geheim"));
	kit_listen_no_more();
	free(good);
	free(open_file);
	free(empty);
	free(missing);
}

#define TEST(f)	cmocka_unit_test_setup_teardown(f, kit_dir_make, kit_dir_remove)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(children_follow_their_parent),
		cmocka_unit_test(too_late_to_follow),
		TEST(the_start_needs_its_secrets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
