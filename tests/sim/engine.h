/*
 * A device's SNMP engine (RFC 3411, RFC 3414): its id, how often it was
 * started, its clock, and the users' keys for it, which are made when they
 * are first needed.
 */
#ifndef SIM_ENGINE_H
#define SIM_ENGINE_H

#include <stddef.h>
#include <stdint.h>

#include "tests/sim/users.h"

#define ENGINE_ID_MAX	32		/* RFC 3411 section 5 */

/* usmStats, by its last sub-identifier but the zero. */
enum engine_report {
	REPORT_LEVEL = 1, REPORT_WINDOW, REPORT_USER, REPORT_ENGINE,
	REPORT_DIGEST, REPORT_DECRYPTION, REPORT_CONTEXT, REPORTS
};

struct engine_keys {
	uint8_t	 auth[CIPHER_KEY_MAX], priv[CIPHER_KEY_MAX];
};

struct engine {
	uint8_t			 id[ENGINE_ID_MAX];
	size_t			 id_len;
	uint32_t		 boots;
	int64_t			 since_ms;	/* at which its time was 0 */
	int64_t			 skew_s;
	uint64_t		 salt;
	uint32_t		 reports[REPORTS];
	struct engine_keys	**keys;		/* by user */
	size_t			 keys_len;
};

/* enterprise is the maker's; the id is made of the address (RFC 3411's
 * format 1). */
struct engine	*engine_new(uint32_t enterprise, uint32_t addr,
		    int64_t since_ms);
void		 engine_free(struct engine *);
uint32_t	 engine_time(const struct engine *, int64_t now_ms);
/* Off and on again. */
void		 engine_restart(struct engine *, int64_t now_ms);
/* Another id; boots start again. */
void		 engine_rename(struct engine *, const uint8_t *id, size_t len,
		    int64_t now_ms);
/* An id of random octets (format 5), never the one it has. */
void		 engine_renew(struct engine *, int64_t now_ms);
const struct engine_keys *engine_keys(struct engine *, const struct users *,
		    size_t user);

#endif
