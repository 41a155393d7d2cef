/*
 * What was done to the devices, in order: the truth that a test compares a
 * monitor's history with.  The newest TRUTH_MAX entries are kept.
 */
#ifndef SIM_TRUTH_H
#define SIM_TRUTH_H

#include <stdint.h>

#include "base/buf.h"
#include "tests/sim/value.h"

#define TRUTH_MAX	100000

struct truth;

struct truth	*truth_new(void);
void		 truth_free(struct truth *);
/* A value was set (v NULL: removed).  what is the command, and static. */
void		 truth_value(struct truth *, const char *what, uint32_t addr,
		    const uint32_t *sub, size_t len, const struct value *v);
/* Anything else: "raise", with what there is to know as key=value text. */
void		 truth_event(struct truth *, const char *what, uint32_t addr,
		    const char *detail);
/* One JSON array of what came after sequence number since, on one line. */
void		 truth_list(const struct truth *, uint64_t since, struct buf *);
void		 truth_reset(struct truth *);

#define ADDRESS_TEXT_MAX	16
char		*address_format(uint32_t addr, char out[ADDRESS_TEXT_MAX]);
/* 0, or -1 when text is no IPv4 address. */
int		 address_parse(const char *text, uint32_t *addr);

#endif
