/*
 * Keeps the two children alive: starts them, starts them again with backoff
 * when they die, stops them with itself.  Parses nothing that a stranger
 * sent and holds no secret.
 */
#ifndef AGENT_SUPERVISOR_H
#define AGENT_SUPERVISOR_H

#include <stdint.h>

#include "agent/config.h"

/* Runs until SIGTERM or SIGINT; SIGHUP reads the configuration again (a
 * wrong one is refused and the old one stays).  The exit status. */
int	 supervisor_run(const char *config_path, struct config *);

/* The pause before a child that died for the n-th time in a row (from 1) is
 * started again. */
int64_t	 supervisor_pause_ms(int deaths);

#endif
