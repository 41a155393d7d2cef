/*
 * What comes to the trap listener: traps and informs of SNMP v1, v2c and v3.
 *
 * The first octet chooses: with its lowest bit clear the rest is a datagram as
 * it came.  Else it is the inside of a v3 message, in front of which a user's
 * name, clock and digest are put, because nobody guesses those; then
 *
 *	2	to our engine (an inform), else under the sender's
 *	4	authentic, 8 encrypted, 16 reportable
 *	32	of the second user
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "snmp/trap.h"
#include "snmp/usmmsg.h"
#include "tests/fuzz/must.h"

#define MESSAGE_MAX	8192	/* as long as what the listener takes */

static struct usm_user	*users[3];
static struct trap_keys	 keys = { .users = users, .n = 3,
	.local = { .id = { 0x80, 0, 0, 0, 5, 'p', 'l', 'a', 't', 'e', 'n' },
	.id_len = 11, .boots = 3 } };

static void
prepare(void)
{
	static uint8_t	 scratch[USM_MESSAGE_MAX];
	char		 why[200];

	if (users[0] != NULL)
		return;
	users[0] = usm_user_new("one", USM_MD5, "fuzzfuzz", USM_DES,
	    "fuzzfuzz", why, sizeof(why));
	users[1] = usm_user_new("two", USM_SHA1, "fuzzfuzz", USM_AES128,
	    "fuzzfuzz", why, sizeof(why));
	users[2] = usm_user_new("none", USM_NOAUTH, NULL, USM_NOPRIV, NULL,
	    why, sizeof(why));
	must(users[0] != NULL && users[1] != NULL && users[2] != NULL);
	keys.scratch = scratch;
	keys.local.start_ms = clock_mono_ms();
}

static void
put_octets(struct usmmsg_octets *to, const void *bytes, size_t len)
{
	to->at = bytes;
	to->len = len;
}

/* The message of that kind around what is inside. */
static bool
enclose(uint8_t kind, const uint8_t *inside, size_t len, struct ber_out *out)
{
	static const uint8_t	 sender[] = { 0x80, 0, 0, 11, 5, 'a', 'b' };
	const struct usm_user	*user = users[(kind & 32) != 0];
	struct usmkey_local	 local;
	struct usmmsg		 m = { .msg_id = 7, .boots = 3 };

	if (kind & 2)
		put_octets(&m.engine, keys.local.id, keys.local.id_len);
	else
		put_octets(&m.engine, sender, sizeof(sender));
	m.context_engine = m.engine;
	m.flags = kind >> 2 & (USMMSG_LEVEL | USMMSG_REPORTABLE);
	if ((m.flags & USMMSG_LEVEL) == USMMSG_PRIVACY)
		m.flags |= USMMSG_AUTH;
	if ((m.flags & USMMSG_AUTH) == 0)
		user = users[2];
	put_octets(&m.user, user->name, user->name_len);
	must(usmkey_localise(user->auth, user->privacy, &user->key,
	    m.engine.at, m.engine.len, &local));
	ber_put_raw(out, inside, len);
	usmmsg_put(out, &m, user->auth, user->privacy, &local);
	return !out->full;
}

static void
take(const uint8_t *bytes, size_t len)
{
	static uint8_t		 room[MESSAGE_MAX];
	struct ber_out		 answer;
	struct trap		 trap;
	enum trap_verdict	 verdict;
	char			 why[120];
	size_t			 n;
	/* Exactly as large as it is, so that a sanitizer sees its end. */
	uint8_t			*copy = malloc(len > 0 ? len : 1);

	must(copy != NULL);
	memcpy(copy, bytes, len);
	ber_out_init(&answer, room, sizeof(room));
	verdict = trap_decode(copy, len, &keys, &trap, &answer, why,
	    sizeof(why));
	must(verdict != TRAP_NONE || why[0] != '\0');
	if (verdict == TRAP_TAKEN) {
		must(trap.id.len <= OBJID_MAX && trap_name(&trap)[0] != '\0');
		must(trap.version >= 1 && trap.version <= 3);
	}
	if (!answer.full && (n = ber_out_len(&answer)) > 0) {
		/* Nobody's letters are made much larger than they were. */
		must(n <= len + 128);
		must(ber_message_version(answer.at, n) >= 2);
	}
	free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t	 bytes[MESSAGE_MAX];
	struct ber_out	 out;

	prepare();
	if (size == 0 || size > MESSAGE_MAX)
		return 0;
	if ((data[0] & 1) == 0) {
		take(data + 1, size - 1);
		return 0;
	}
	ber_out_init(&out, bytes, sizeof(bytes));
	if (enclose(data[0], data + 1, size - 1, &out))
		take(out.at, ber_out_len(&out));
	return 0;
}
