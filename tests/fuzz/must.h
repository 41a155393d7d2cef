/* What the targets have in common: a promise that was broken ends the run,
 * and nobody reads the log. */
#ifndef TESTS_FUZZ_MUST_H
#define TESTS_FUZZ_MUST_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"

#define must(what) do { \
	if (!(what)) { \
		fprintf(stderr, "broken promise: %s\n", #what); \
		abort(); \
	} \
} while (0)

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static inline void
must_be_quiet(void *arg, enum log_level level, const char *line)
{
	must(line[0] != '\0');
}

#endif
