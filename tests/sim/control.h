/*
 * The simulator's remote control: a Unix stream socket, one command a line,
 * one line of answer, "ok ..." or "error ...".
 */
#ifndef SIM_CONTROL_H
#define SIM_CONTROL_H

#include "base/buf.h"
#include "base/loop.h"
#include "tests/sim/lan.h"

struct control;

/* Makes the socket (mode 0600; one that is left over is replaced).  NULL on
 * failure, logged. */
struct control	*control_start(struct loop *, struct lan *,
		    const char *path);
/* Removes the socket. */
void		 control_stop(struct control *);

/* The client's side: words become a command; prints the answer on stdout.
 * The exit status: 0 for ok, 1 for error, 2 when nobody answers. */
int		 control_send(const char *path, char *const *words,
		    size_t count);

#endif
