#include "xmpp/watchdog.h"

#include <sys/socket.h>
#include <sys/time.h>

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

/* All that the handler touches. */
static volatile sig_atomic_t	 guarded_fd = -1;
static volatile sig_atomic_t	 fired;
static volatile sig_atomic_t	 inside;	/* a call into the library */
static volatile sig_atomic_t	 call;		/* and which, counted */
static volatile sig_atomic_t	 stuck_call;

static struct sigaction		 saved;
static bool			 opened;

static void
on_alarm(int signo)
{
	static const char	text[] = "uplink: the server keeps the login "
	    "computing without end, giving up\n";
	int			saved_errno = errno;

	if (inside && fired && call == stuck_call) {
		if (write(STDERR_FILENO, text, sizeof(text) - 1) == -1)
			_exit(WATCHDOG_EXIT + 1);
		_exit(WATCHDOG_EXIT);
	}
	fired = 1;
	stuck_call = call;
	if (guarded_fd != -1)
		shutdown(guarded_fd, SHUT_RDWR);
	errno = saved_errno;
}

void
watchdog_open(void)
{
	struct sigaction	sa;

	if (opened)
		return;
	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = on_alarm;
	sa.sa_flags = SA_RESTART;
	sigemptyset(&sa.sa_mask);
	if (sigaction(SIGALRM, &sa, &saved) == -1)
		fatal("uplink", "sigaction");
	opened = true;
}

void
watchdog_close(void)
{
	if (!opened)
		return;
	watchdog_disarm();
	sigaction(SIGALRM, &saved, NULL);
	opened = false;
}

static void
alarm_every(int ms)
{
	struct itimerval	it;

	memset(&it, 0, sizeof(it));
	it.it_value.tv_sec = ms / 1000;
	it.it_value.tv_usec = (ms % 1000) * 1000;
	it.it_interval = it.it_value;
	if (setitimer(ITIMER_REAL, &it, NULL) == -1)
		fatal("uplink", "setitimer");
}

void
watchdog_arm(int fd, int ms)
{
	alarm_every(0);
	guarded_fd = fd;
	fired = 0;
	alarm_every(ms > 0 ? ms : 1);
}

void
watchdog_disarm(void)
{
	alarm_every(0);
	guarded_fd = -1;
}

bool
watchdog_fired(void)
{
	return fired;
}

void
watchdog_enter(void)
{
	call = (call + 1) & 0xffff;
	inside = 1;
}

void
watchdog_leave(void)
{
	inside = 0;
}
