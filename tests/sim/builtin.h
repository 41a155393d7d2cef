/* The invented devices that the program has in it: printers/NAME.snmprec. */
#ifndef SIM_BUILTIN_H
#define SIM_BUILTIN_H

#include <stddef.h>

#include "tests/sim/walk.h"

/* Parses one; NULL when there is none of this name.  Free it. */
struct walk	*builtin_read(const char *name);
/* The n-th name, NULL after the last; plain printers come first. */
const char	*builtin_name(size_t n);

#endif
