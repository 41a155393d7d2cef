/*
 * The options of `platen probe`, `diagnose` and `scan` that say what a device
 * is asked with, without a configuration.
 */
#ifndef AGENT_CREDOPTS_H
#define AGENT_CREDOPTS_H

#include <stdbool.h>
#include <getopt.h>

#include "snmp/credential.h"

struct credopts {
	const char	*command;	/* "platen probe", for messages */
	bool		 any;		/* something was said */
	int		 version;	/* 0: nothing said */
	char		*community;
	char		*user, *auth, *auth_password, *privacy, *privacy_password;
	char		*context;
};

/* getopt_long's numbers, out of the way of letters and of the command's. */
enum {
	CREDOPTS_COMMUNITY = 512, CREDOPTS_COMMUNITY_FILE, CREDOPTS_VERSION,
	CREDOPTS_USER, CREDOPTS_AUTH, CREDOPTS_AUTH_FILE, CREDOPTS_PRIVACY,
	CREDOPTS_PRIVACY_FILE, CREDOPTS_CONTEXT
};

#define CREDOPTS_OPTIONS						\
	{ "community", required_argument, NULL, CREDOPTS_COMMUNITY },	\
	{ "community-file", required_argument, NULL,			\
	    CREDOPTS_COMMUNITY_FILE },					\
	{ "version", required_argument, NULL, CREDOPTS_VERSION },	\
	{ "user", required_argument, NULL, CREDOPTS_USER },		\
	{ "auth", required_argument, NULL, CREDOPTS_AUTH },		\
	{ "auth-password-file", required_argument, NULL,		\
	    CREDOPTS_AUTH_FILE },					\
	{ "privacy", required_argument, NULL, CREDOPTS_PRIVACY },	\
	{ "privacy-password-file", required_argument, NULL,		\
	    CREDOPTS_PRIVACY_FILE },					\
	{ "context", required_argument, NULL, CREDOPTS_CONTEXT }

/* For --help; ends with a line end. */
extern const char	credopts_help[];

/* Takes one option: 0, -1 when it is wrong (said), 1 when it is not ours.
 * A community is overwritten where a list of processes would show it. */
int	 credopts_take(struct credopts *, int option, char *arg);
/* --timeout, which goes with them where one device is asked: 0.05 to 60
 * seconds.  0, or -1 (said). */
int	 credopts_timeout(const struct credopts *, const char *text,
	    int *timeout_ms);
/* What all of them make; without any: version 2c, then 1, "public".  0 or -1
 * (said).  credential_clear() it. */
int	 credopts_make(struct credopts *, struct credential *);
void	 credopts_clear(struct credopts *);

#endif
