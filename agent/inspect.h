/*
 * The operator's looks into a running or stopped agent: `platen status`,
 * `devices`, `outbox`.  They read the store and nothing else.
 */
#ifndef AGENT_INSPECT_H
#define AGENT_INSPECT_H

/* argv[0] is the subcommand.  The exit status: 0, 1 when the store cannot be
 * read, 2 for bad usage. */
int	 inspect_main(int argc, char **argv);

#endif
