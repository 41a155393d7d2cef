/*
 * The operator's looks into a running or stopped agent: `platen status`,
 * `devices`, `outbox`.  They read the store and nothing else.
 */
#ifndef AGENT_INSPECT_H
#define AGENT_INSPECT_H

#include <stdbool.h>
#include <sys/types.h>

#include "agent/config.h"
#include "agent/store.h"
#include "base/json.h"
#include "base/screen.h"
#include "schema/record.h"

/* argv[0] is the subcommand.  The exit status: 0, 1 when the store cannot be
 * read, 2 for bad usage. */
int	 inspect_main(int argc, char **argv);

/* The supervisor of the agent that uses this state directory; 0: none. */
pid_t	 inspect_running(const struct config *);
/* The printers, as they were last told; all: what is none as well.  0, or -1
 * when the store cannot be read. */
int	 inspect_devices_table(struct store *, bool all);
int	 inspect_devices_json(struct store *, bool all, struct json *,
	    const char *key);

/* The two tables of it; the caller fills, prints and frees them. */
struct screen_table	*inspect_printers_new(void);
void	 inspect_printers_row(struct screen_table *, const struct asset *);
struct screen_table	*inspect_others_new(void);
void	 inspect_others_row(struct screen_table *, const char *address,
	    const char *why);

#endif
