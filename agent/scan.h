/* `platen scan`: has the agent look for printers, and watches it; or looks by
 * itself. */
#ifndef AGENT_SCAN_H
#define AGENT_SCAN_H

/* The exit status: 0 when the scan has finished, 1 when not, 2 for bad
 * usage. */
int	 scan_main(int argc, char **argv);

#endif
