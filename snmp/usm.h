/*
 * SNMPv3 messages (RFC 3412) under the User-based Security Model (RFC 3414,
 * RFC 3826, RFC 7860; AES-192 and AES-256 in both key extensions that devices
 * use: draft-blumenthal-aes-usm-04 and Cisco's, draft-reeder-snmpv3-usm-3desede
 * section 2.1).  Pure: octets in, octets out; no socket, no timer but the
 * clock.  The primitives (hashes, ciphers) are the library's.
 */
#ifndef SNMP_USM_H
#define SNMP_USM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snmp/ber.h"

enum usm_auth {
	USM_NOAUTH, USM_MD5, USM_SHA1, USM_SHA224, USM_SHA256, USM_SHA384,
	USM_SHA512
};
enum usm_privacy {
	USM_NOPRIV, USM_DES, USM_AES128,
	USM_AES192, USM_AES256,		/* Blumenthal's extension */
	USM_AES192C, USM_AES256C	/* Cisco's (Reeder) */
};

/* "md5", "sha1" (or "sha"), "sha224" ... "none"; "des", "aes128" (or "aes"),
 * "aes192", "aes256", "aes192c", "aes256c", "none": as in the INI.  Case and
 * a dash do not count.  False: no such word. */
bool	 usm_parse_auth(const char *, enum usm_auth *);
bool	 usm_parse_privacy(const char *, enum usm_privacy *);
const char	*usm_auth_name(enum usm_auth);
const char	*usm_privacy_name(enum usm_privacy);

/* A user with his keys Ku (RFC 3414 A.2: a megabyte is hashed for each, some
 * milliseconds, once).  Shared by all devices; the passwords are not kept. */
struct usm_user;

/* NULL with why: a name is missing or over 32 octets, a password is shorter
 * than 8 characters (RFC 3414 section 11.2), privacy without authentication.
 * Passwords are NULL where their protocol is none. */
struct usm_user	*usm_user_new(const char *name, enum usm_auth,
		    const char *auth_password, enum usm_privacy,
		    const char *privacy_password, char *why, size_t why_size);
void		 usm_user_free(struct usm_user *);	/* wipes; NULL is fine */

/*
 * What is known of a device's SNMP engine: id, boots, time, and the keys of
 * the last user, localised (RFC 3414 A.2.2).  Its owner keeps one per device,
 * so that a visit needs no discovery; a lost one costs two packets.
 */
struct usm_engine;

struct usm_engine	*usm_engine_new(void);
void			 usm_engine_free(struct usm_engine *);	/* wipes */
bool			 usm_engine_known(const struct usm_engine *);
/* Its id's octets, len 0 when not known.  RFC 3411 SnmpEngineID: the first
 * four are the maker's enterprise number. */
const uint8_t		*usm_engine_id(const struct usm_engine *,
			    size_t *len);
/* Forgets: the next message is a discovery. */
void			 usm_engine_forget(struct usm_engine *);

/*
 * Puts the v3 message around the PDU in out (which is encrypted in place of
 * it where the user has privacy).  While the engine is not known nothing can
 * be sent but a message of usm_put_discovery() (RFC 3414 section 4: no user,
 * no varbinds): out is then full.  msg_id should start at random: it is what
 * tells an answer from an old one played again.
 */
void	 usm_put_message(struct ber_out *, int32_t msg_id,
	    struct usm_engine *, const struct usm_user *,
	    const char *context);
void	 usm_put_discovery(struct ber_out *, int32_t msg_id);

enum usm_verdict {
	USM_OK,			/* pdu is set */
	USM_OTHER,		/* not for us: malformed, another message id */
	USM_DISCOVERED,		/* the engine is known now: ask */
	USM_AGAIN,		/* time is in step now (boots or clock had
				 * moved): ask once more; the caller counts,
				 * for a device may say so for ever */
	USM_UNKNOWN_USER,	/* usmStatsUnknownUserNames */
	USM_WRONG_AUTH,		/* usmStatsWrongDigests: password or protocol */
	USM_WRONG_PRIVACY,	/* usmStatsDecryptionErrors */
	USM_WRONG_LEVEL,	/* usmStatsUnsupportedSecLevels */
	USM_TIME_WINDOW,	/* not in the window and no way into it: some
				 * devices take a new discovery, see
				 * usm_engine_forget() */
	USM_UNKNOWN_CONTEXT,	/* snmpUnknownContexts, -UnavailableContexts */
	USM_FORGED,		/* the answer's own digest is wrong, or it
				 * has none: wait on for the true one */
	USM_CHECK		/* ask usm_put_check() (again) */
};

#define USM_MESSAGE_MAX	65507
/*
 * Checks and opens what came as the answer to message msg_id.  scratch (of
 * USM_MESSAGE_MAX octets) holds what was decrypted; *pdu points into it or
 * into the message.
 */
enum usm_verdict	 usm_get_message(const void *, size_t,
			    int32_t msg_id, struct usm_engine *,
			    const struct usm_user *, uint8_t *scratch,
			    struct ber_in *pdu);

/*
 * Why nobody answered, after the last try of a message.  Net-snmp's agent and
 * its kin, the engine of many devices, drop what they cannot decrypt and what
 * is for a context that they do not have, and say nothing (5.9.3).  So
 * messages without varbinds are put, up to three: without privacy, in the
 * same context, in none.  USM_CHECK: send out, wait once, and call again when
 * it is answered (usm_get_message() gives USM_CHECK as well) or not.  Else
 * that is why: USM_WRONG_PRIVACY, USM_UNKNOWN_CONTEXT, or USM_OTHER for
 * nothing of ours, a time-out like any other.
 */
enum usm_verdict	 usm_put_check(struct ber_out *, int32_t msg_id,
			    struct usm_engine *, const struct usm_user *,
			    const char *context);

/* --- the other direction: notifications -----------------------------------------
 * Traps come under the sender's engine, informs under ours (RFC 3414 section
 * 1.5.1: the receiver of a confirmed message is authoritative).
 */
struct usm_local {		/* our own engine */
	uint8_t	 id[32];
	size_t	 id_len;
	int64_t	 boots;
	int64_t	 start_ms;	/* monotonic: engine time counts from it */
};

enum usm_notice {
	USM_NOTICE_NONE,	/* nothing for us, or it does not verify: why,
				 * and nobody is to be told */
	USM_NOTICE_TRAP,	/* pdu is set */
	USM_NOTICE_INFORM,	/* pdu is set: send the answer */
	USM_NOTICE_REPORT	/* send the answer: a discovery, no time (why
				 * is empty), or an inform that we refuse
				 * (why) */
};
/* answer gets what is to be sent back (a Response to an inform, a Report).
 * Every user of that name costs a key localisation, 1 us; whoever sends what is
 * authentic and private, some ms more with aes192c and aes256c: only for
 * senders that are known. */
enum usm_notice	 usm_get_notice(const void *, size_t,
		    struct usm_user *const users[], size_t n,
		    const struct usm_local *, uint8_t *scratch,
		    struct ber_in *pdu, struct ber_out *answer, char *why,
		    size_t why_size);

#endif
