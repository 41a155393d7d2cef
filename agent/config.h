/*
 * The agent's INI file (platen.ini(5)), checked whole before anything
 * starts.  Each process asks for its part and never holds the other's: the
 * uplink gets no community, the collector no password file, key or token.
 */
#ifndef AGENT_CONFIG_H
#define AGENT_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <netinet/in.h>

#include "agent/network.h"
#include "base/ini.h"
#include "snmp/credential.h"

#define CONFIG_DEFAULT		PLATEN_SYSCONFDIR "/platen/platen.ini"
#define CONFIG_CREDENTIALS_MAX	32

#define CONFIG_COLLECTOR	1u
#define CONFIG_UPLINK		2u
#define CONFIG_ALL		(CONFIG_COLLECTOR | CONFIG_UPLINK)

/* One [snmp NAME] section. */
struct config_snmp {
	struct credential	 credential;
	char		*version;	/* as written: "1", "2c", "3", NULL */
	int64_t		 port;
	int64_t		 timeout_ms;
	int64_t		 retries;
	bool		 private;	/* makers' objects may be asked for */
	struct ini_list	 networks;	/* empty: for all */
	char		*user, *auth, *auth_password_file;	/* SNMPv3 */
	char		*privacy, *privacy_password_file;
};

struct config {
	char		*path;
	/* [agent] */
	char		*name;
	char		*state_dir;
	char		*user;		/* to become, when started as root */
	char		*vendors;	/* a folder with more makers' files */
	char		*store_key_file;	/* storekey.h; NULL: default */
	/* [xmpp] */
	char		*jid, *password_file, *host, *ca_file, *central;
	char		*client_cert, *client_key;
	bool		 allow_plain;
	struct ini_list	 pins;
	char		*proxy, *proxy_user, *proxy_password_file;
	int64_t		 port, fallback_port;
	/* [crypto] */
	char		*central_key, *token, *token_file;
	/* [discovery] */
	struct ini_list	 networks, exclude, hosts;
	int64_t		 interval_ms, rate;
	/* [snmp NAME] */
	struct config_snmp	*snmp;
	size_t			 snmp_len;
	/* [schedule], all ms */
	int64_t		 heartbeat_ms, supplies_ms, counters_ms, assets_ms;
	/* [alerts], [traps] */
	struct ini_list	 ignore, traps_listen;
	/* [outbox] */
	int64_t		 max_size, hold_ms, window;
	/* [privacy], [commands] */
	struct ini_list	 omit, allow;
};

/* Reads and checks the file; parts says which secrets to keep.  NULL when
 * anything is wrong, after every mistake was logged with file and line. */
struct config	*config_read(const char *path, unsigned parts);
void		 config_free(struct config *);

/* state_dir/name; the caller frees. */
char		*config_state_path(const struct config *, const char *name);

/* "HOST[:PORT]" with a numeric or resolvable IPv4 host; 0 or -1 with why. */
int	 host_parse(const char *text, uint16_t default_port,
	    struct sockaddr_in *, char *why, size_t why_size);

/* "ADDRESS:PORT" of this host, as [traps] listen has it. */
bool	 traps_address(const char *text, struct sockaddr_in *);

/* The credentials for an address: the n-th [snmp] section that is for it, or
 * NULL when there are no more.  In the order in which they are to be tried:
 * v3, v2c, v1, otherwise as written. */
const struct config_snmp	*config_snmp_for(const struct config *,
				    uint32_t address, size_t n);

#endif
