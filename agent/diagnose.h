/* platen diagnose: what one device answers to what, and why. */
#ifndef AGENT_DIAGNOSE_H
#define AGENT_DIAGNOSE_H

/* The exit status: 0 a printer, 1 not, 2 bad usage. */
int	 diagnose_main(int argc, char **argv);

#endif
