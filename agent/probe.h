/*
 * `platen probe`: asks printers directly, with no daemon, no store and no
 * configuration, and shows what they say.
 */
#ifndef AGENT_PROBE_H
#define AGENT_PROBE_H

/*
 * argv[0] is "probe"; a community in argv is overwritten.  The exit status:
 * 0 when every host answered as a printer, 1 when not, 2 for bad usage.
 */
int	 probe_main(int argc, char **argv);

#endif
