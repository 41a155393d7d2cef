/* platen-central.ini(5), read. */
#ifndef CENTRAL_SETTINGS_H
#define CENTRAL_SETTINGS_H

#include <stdint.h>

#include "central/fleet.h"

struct settings {
	char	*jid;		/* [component] */
	char	*host;
	int64_t	 port;
	char	*secret_file;
	int64_t	 processes;	/* of run, for this component */
	char	*user;		/* to become when started as root, or NULL */
	char	*store_path;	/* [store] path */
	char	*store_url;	/* NULL: path */
	char	*store_password_file;
	char	*store_password;	/* read from there, or NULL */
	struct fleet_source store;	/* the same, as fleet_open() wants it */
	char	*key_file;	/* [crypto] */
};

#define SETTINGS_USER	"platen-central"
#define SETTINGS_STORE	"/var/lib/platen-central/fleet.db"

/* Reads and checks; what is not said has its default.  0, or -1, logged. */
int	 settings_read(const char *path, struct settings *);
void	 settings_clear(struct settings *);

#endif
