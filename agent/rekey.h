/* `platen rekey`: has the agent take a new key, and waits until the centre
 * knows it. */
#ifndef AGENT_REKEY_H
#define AGENT_REKEY_H

/* The exit status: 0 when the key has changed, 1 when not (yet), 2 for bad
 * usage. */
int	 rekey_main(int argc, char **argv);

#endif
