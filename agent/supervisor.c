#include "agent/supervisor.h"

#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/collector.h"
#include "agent/courier.h"
#include "agent/loginconf.h"
#include "agent/proxyconf.h"
#include "agent/keeper.h"
#include "agent/storekey.h"
#include "base/clock.h"
#include "base/drop.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/secret.h"
#include "crypto/key.h"

#define PAUSE_MIN_MS	250
#define PAUSE_MAX_MS	60000
#define HEALTHY_MS	5000	/* after that, deaths count anew */
#define STOP_MS		5000
#define LOCK_WAIT_MS	5000	/* for an agent that is just going */
#define SOUND_MS	600000	/* after that, damaged stores count anew */

/* The last one only now and then, while the others do not run. */
enum { COLLECTOR, UPLINK, KEEPER, CHILDREN };

struct supervisor;

struct child {
	struct supervisor	*supervisor;
	const char		*name;
	int			(*run)(const char *config_path, int wake_fd);
	int			 wake_fd;	/* its end of the pair */
	pid_t			 pid;		/* 0: not running */
	int			 deaths;	/* in a row */
	int64_t			 born_ms;
	struct timer		 timer;
};

struct supervisor {
	const char	*config_path;
	struct loop	*loop;
	struct child	 child[CHILDREN];
	int		 lock_fd;
	bool		 stopping;
	bool		 damaged;	/* the store, as a child said */
	int		 damages;	/* in a row */
	int64_t		 damaged_ms;
	struct timer	 kill;
};

int64_t
supervisor_pause_ms(int deaths)
{
	int64_t pause = PAUSE_MIN_MS;

	while (--deaths > 0 && pause < PAUSE_MAX_MS)
		pause *= 2;
	return pause < PAUSE_MAX_MS ? pause : PAUSE_MAX_MS;
}

/* --- children ------------------------------------------------------------------ */

int
supervisor_follow(pid_t parent)
{
	static pid_t leader;

	if (parent != 0)
		leader = parent;
	if (leader == 0)
		return 0;
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) == -1)
		log_warn("supervisor", "following the supervisor");
	return getppid() == leader ? 0 : -1;
}

static void
become_child(struct supervisor *s, struct child *self, pid_t parent)
{
	char name[16];
	sigset_t none;
	int rc;

	/* Its signals are not ours; a SIGTERM from here on ends us. */
	loop_free(s->loop);
	if (supervisor_follow(parent) == -1)
		_exit(0);
	snprintf(name, sizeof(name), "platend-%.7s", self->name);
	prctl(PR_SET_NAME, name);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	rc = self == &s->child[KEEPER] ?
	    keeper_run(s->config_path, s->damaged) :
	    self->run(s->config_path, self->wake_fd);
	exit(rc);
}

static void
start_child(void *arg)
{
	struct child *child = arg;
	pid_t parent = getpid();

	child->born_ms = clock_mono_ms();
	switch (child->pid = fork()) {
	case -1:
		log_warn("supervisor", "cannot start the %s", child->name);
		child->pid = 0;
		timer_after(child->supervisor->loop, &child->timer,
		    supervisor_pause_ms(++child->deaths), start_child, child);
		break;
	case 0:
		become_child(child->supervisor, child, parent);
		break;
	default:
		log_debug("supervisor", "%s is process %d", child->name,
		    (int)child->pid);
	}
}

static void
say_death(const struct child *child, int status, int64_t pause)
{
	if (WIFSIGNALED(status))
		log_warnx("supervisor", "the %s was killed by signal %d, "
		    "starting it again in %lld ms", child->name,
		    WTERMSIG(status), (long long)pause);
	else
		log_warnx("supervisor", "the %s ended with status %d, "
		    "starting it again in %lld ms", child->name,
		    WEXITSTATUS(status), (long long)pause);
}

static void
signal_children(struct supervisor *s, int signo)
{
	int i;

	for (i = 0; i < CHILDREN; i++)
		if (s->child[i].pid > 0)
			kill(s->child[i].pid, signo);
}

static bool
all_gone(const struct supervisor *s)
{
	int i;

	for (i = 0; i < CHILDREN; i++)
		if (s->child[i].pid != 0)
			return false;
	return true;
}

static void
on_overdue(void *arg)
{
	signal_children(arg, SIGKILL);
}

/* Nobody may have the old store open any more when a new one begins. */
static void
store_damaged(struct supervisor *s)
{
	int64_t now = clock_mono_ms();
	int i;

	if (!s->damaged) {
		if (now - s->damaged_ms > SOUND_MS)
			s->damages = 0;
		s->damaged_ms = now;
		s->damaged = true;
		for (i = 0; i < CHILDREN; i++)
			timer_clear(s->loop, &s->child[i].timer);
		signal_children(s, SIGTERM);
		timer_after(s->loop, &s->kill, STOP_MS, on_overdue, s);
	}
	if (!all_gone(s))
		return;
	timer_clear(s->loop, &s->kill);
	timer_after(s->loop, &s->child[KEEPER].timer,
	    supervisor_pause_ms(++s->damages), start_child,
	    &s->child[KEEPER]);
}

static void	 wake(struct supervisor *, int through, char byte);

static void
store_ready(struct supervisor *s)
{
	s->damaged = false;
	start_child(&s->child[COLLECTOR]);
	start_child(&s->child[UPLINK]);
	/* Who starts the agent wants to know what is there, and a new store
	 * knows of nothing; a collector that comes again keeps to its times. */
	wake(s, UPLINK, WAKE_SCAN);
}

static bool
ended_with(int status, int code)
{
	return WIFEXITED(status) && WEXITSTATUS(status) == code;
}

static void
child_died(struct child *child, int status)
{
	struct supervisor *s = child->supervisor;
	bool keeper = child == &s->child[KEEPER];
	int64_t pause;

	child->pid = 0;
	if (s->stopping) {
		if (all_gone(s))
			loop_stop(s->loop);
		return;
	}
	if (!keeper && (s->damaged || ended_with(status, SUPERVISOR_DAMAGED))) {
		store_damaged(s);
		return;
	}
	if (clock_mono_ms() - child->born_ms > HEALTHY_MS)
		child->deaths = 0;
	if (keeper && ended_with(status, 0)) {
		child->deaths = 0;
		store_ready(s);
		return;
	}
	pause = supervisor_pause_ms(++child->deaths);
	if (!ended_with(status, 0))
		say_death(child, status, pause);
	else
		pause = 0;	/* asked to, for a new configuration */
	timer_after(s->loop, &child->timer, pause, start_child, child);
}

static void
on_sigchld(void *arg, int signo)
{
	struct supervisor *s = arg;
	int status, i;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (i = 0; i < CHILDREN; i++)
			if (s->child[i].pid == pid)
				child_died(&s->child[i], status);
}

static void
on_sigterm(void *arg, int signo)
{
	struct supervisor *s = arg;
	int i;

	if (s->stopping)
		return;
	s->stopping = true;
	for (i = 0; i < CHILDREN; i++)
		timer_clear(s->loop, &s->child[i].timer);
	if (all_gone(s)) {
		loop_stop(s->loop);
		return;
	}
	signal_children(s, SIGTERM);
	timer_after(s->loop, &s->kill, STOP_MS, on_overdue, s);
}

/* Through one child's end of the pair it reaches the other; what does not fit
 * is not needed, because that one has enough to read then. */
static void
wake(struct supervisor *s, int through, char byte)
{
	if (write(s->child[through].wake_fd, &byte, 1) == -1)
		log_debug("supervisor", "the %s cannot be woken",
		    s->child[through == UPLINK ? COLLECTOR : UPLINK].name);
}

static void
on_sigusr1(void *arg, int signo)
{
	struct supervisor *s = arg;

	log_info("supervisor", "looking for printers, as asked to");
	wake(s, UPLINK, WAKE_SCAN);
}

static void
on_sigusr2(void *arg, int signo)
{
	struct supervisor *s = arg;

	log_info("supervisor", "changing the agent's key, as asked to");
	wake(s, COLLECTOR, WAKE_REKEY);
}

static void
on_sighup(void *arg, int signo)
{
	struct supervisor *s = arg;
	struct config *conf;

	if ((conf = config_read(s->config_path, CONFIG_ALL)) == NULL ||
	    supervisor_check_secrets(conf) == -1) {
		log_warnx("supervisor", "the configuration is wrong; going "
		    "on with the old one");
		config_free(conf);
		return;
	}
	config_free(conf);
	log_info("supervisor", "reading the configuration again");
	/* The keeper is about to end, and the others start with it then. */
	if (s->child[KEEPER].pid == 0)
		signal_children(s, SIGTERM);
	wake(s, UPLINK, WAKE_SCAN);
}

/* --- what must be there before -------------------------------------------------- */

static bool
is_there(const char *path)
{
	return access(path, F_OK) == 0 || errno != ENOENT;
}

int
supervisor_check_secrets(const struct config *conf)
{
	char text[SECRET_MAX], *path;
	struct loginconf login;
	struct proxy proxy;
	struct lock *lock;
	struct key key;
	int rc;

	rc = loginconf_load(conf, &login);
	if (rc == 0)
		loginconf_free(&login);
	rc |= proxyconf_load(conf, &proxy, text) == -1 ? -1 : 0;
	/* A token is good for once; who has enrolled may delete it. */
	if (conf->token_file != NULL && is_there(conf->token_file))
		rc |= secret_read(conf->token_file, "[crypto] token_file",
		    text, sizeof(text));
	secret_wipe(text, sizeof(text));
	/* The uplink reads its key as the user that it becomes. */
	path = config_state_path(conf, "agent.key");
	if ((geteuid() != 0 || conf->user == NULL) && is_there(path)) {
		if (key_library_init() == -1 || key_load(path, &key) == -1)
			rc = -1;
		else
			key_wipe(&key);
	}
	free(path);
	if (storekey_is_there(conf)) {
		if ((lock = storekey_load(conf)) == NULL)
			rc = -1;
		lock_free(lock);
	}
	return rc;
}

static int
own_state_dir(const struct config *conf)
{
	struct passwd *pw = NULL;
	struct stat sb;

	if (mkdir(conf->state_dir, 0700) == -1 && errno != EEXIST) {
		log_warn("supervisor", "cannot make [agent] state_dir %s",
		    conf->state_dir);
		return -1;
	}
	if (conf->user == NULL || geteuid() != 0) {
		if (geteuid() == 0)
			log_warnx("supervisor", "running as root throughout: "
			    "say [agent] user = NAME to drop privileges");
		return 0;
	}
	if ((pw = getpwnam(conf->user)) == NULL) {
		log_warnx("supervisor", "[agent] user = %s: there is no such "
		    "user: adduser --system --group %s", conf->user,
		    conf->user);
		return -1;
	}
	if (stat(conf->state_dir, &sb) == 0 && sb.st_uid == pw->pw_uid &&
	    sb.st_gid == pw->pw_gid)
		return 0;	/* which its disk may not take */
	if (chown(conf->state_dir, pw->pw_uid, pw->pw_gid) == -1) {
		log_warn("supervisor", "cannot give %s to %s",
		    conf->state_dir, conf->user);
		return -1;
	}
	return 0;
}

/* One agent a store.  The lock is the children's too, so that it is free only
 * when all of an earlier agent are gone. */
static int
take_lock(const struct config *conf)
{
	char *path = config_state_path(conf, "platend.lock");
	int64_t end = clock_mono_ms() + LOCK_WAIT_MS;
	int fd, rc;

	fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
	if (fd == -1 && errno == EROFS)
		fd = open(path, O_RDONLY | O_NOFOLLOW);
	if (fd == -1)
		log_warn("supervisor", "cannot open %s", path);
	else {
		while ((rc = flock(fd, LOCK_EX | LOCK_NB)) == -1 &&
		    errno == EWOULDBLOCK && clock_mono_ms() < end)
			usleep(50 * 1000);
		if (rc == -1) {
			log_warnx("supervisor", "another platend uses %s",
			    conf->state_dir);
			close(fd);
			fd = -1;
		}
	}
	free(path);
	return fd;
}

static void
write_pid(int fd)
{
	char pid[24];
	int n = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());

	/* For people, and for platen scan. */
	if (ftruncate(fd, 0) == -1 || pwrite(fd, pid, (size_t)n, 0) == -1)
		log_debug("supervisor", "the lock file takes no pid");
}

int
supervisor_run(const char *config_path, struct config *conf)
{
	struct supervisor s = { .config_path = config_path };
	int pair[2], i, rc = 1;

	if (own_state_dir(conf) == -1 ||
	    (s.lock_fd = take_lock(conf)) == -1)
		return 1;
	/* Whoever reads the pid may send it at once; children keep it ignored. */
	signal(SIGUSR1, SIG_IGN);
	signal(SIGUSR2, SIG_IGN);
	write_pid(s.lock_fd);
	if (drop_dumps() == -1)
		return 1;
	/* Both ends stay open here, for children to come. */
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    0, pair) == -1) {
		log_warn("supervisor", "socketpair");
		return 1;
	}
	s.child[COLLECTOR].name = "collector";
	s.child[COLLECTOR].run = collector_run;
	s.child[UPLINK].name = "uplink";
	s.child[UPLINK].run = courier_run;
	s.child[KEEPER].name = "keeper";
	s.loop = loop_new();
	loop_signal(s.loop, SIGCHLD, on_sigchld, &s);
	loop_signal(s.loop, SIGTERM, on_sigterm, &s);
	loop_signal(s.loop, SIGINT, on_sigterm, &s);
	loop_signal(s.loop, SIGHUP, on_sighup, &s);
	loop_signal(s.loop, SIGUSR1, on_sigusr1, &s);
	loop_signal(s.loop, SIGUSR2, on_sigusr2, &s);
	for (i = 0; i < CHILDREN; i++)
		s.child[i].supervisor = &s;
	s.child[COLLECTOR].wake_fd = pair[0];
	s.child[UPLINK].wake_fd = pair[1];
	start_child(&s.child[KEEPER]);
	loop_run(s.loop);
	rc = 0;
	close(pair[0]);
	close(pair[1]);
	loop_free(s.loop);
	close(s.lock_fd);
	return rc;
}
