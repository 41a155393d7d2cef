/*
 * Keeps the two children alive: has the store put in order, starts them,
 * starts them again with backoff when they die, stops them with itself.
 * Parses nothing that a stranger sent and holds no secret.
 */
#ifndef AGENT_SUPERVISOR_H
#define AGENT_SUPERVISOR_H

#include <stdint.h>
#include <sys/types.h>

#include "agent/config.h"

/* What a child ends with that found the store damaged: both are stopped, and
 * the keeper makes a new one. */
#define SUPERVISOR_DAMAGED	65

/* Runs until SIGTERM or SIGINT; SIGHUP reads the configuration again (a
 * wrong one is refused and the old one stays).  The exit status. */
int	 supervisor_run(const char *config_path, struct config *);

/* Whether the password, a token's file and the agent's key can be used, as
 * far as they are there: 0, or -1, each fault logged.  Nothing is kept. */
int	 supervisor_check_secrets(const struct config *);

/*
 * In a child: when the supervisor goes, whatever the reason, so do we.  Again
 * (parent 0 is the same one) after every change of user, which makes Linux
 * forget it.  0, or -1 when it has gone already.
 */
int	 supervisor_follow(pid_t parent);

/* The pause before a child that died for the n-th time in a row (from 1) is
 * started again. */
int64_t	 supervisor_pause_ms(int deaths);

#endif
