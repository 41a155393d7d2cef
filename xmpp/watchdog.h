/*
 * The deadline that holds even while libstrophe blocks: SIGALRM shuts the
 * socket down, so that the wait inside its TLS handshake ends with an error.
 * A computation cannot be ended like that (a server that names two thousand
 * million SCRAM rounds); when the library is still inside the same call one
 * more deadline later, the process ends with WATCHDOG_EXIT and is started
 * again by its supervisor.  One a process.
 */
#ifndef XMPP_WATCHDOG_H
#define XMPP_WATCHDOG_H

#include <stdbool.h>

#define WATCHDOG_EXIT	75	/* EX_TEMPFAIL */

void	 watchdog_open(void);
void	 watchdog_close(void);		/* gives SIGALRM back */
/* Shuts fd down in ms from now.  fd must stay open until disarmed: give it a
 * dup() of the library's, which the library cannot close. */
void	 watchdog_arm(int fd, int ms);
void	 watchdog_disarm(void);
/* Since the last watchdog_arm(). */
bool	 watchdog_fired(void);
/* Around each call into the library. */
void	 watchdog_enter(void);
void	 watchdog_leave(void);

#endif
