/*
 * platen check: whether the configuration and the vendor files are right,
 * which makers are known, and what may be asked of a printer at all.
 */
#ifndef AGENT_CHECK_H
#define AGENT_CHECK_H

/* The exit status: 0 all is well, 1 something is wrong, 2 bad usage. */
int	 check_main(int argc, char **argv);

#endif
