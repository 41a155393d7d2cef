#include "tests/sim/engine.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static void
put32(uint8_t *out, uint32_t n)
{
	int i;

	for (i = 0; i < 4; i++)
		out[i] = (uint8_t)(n >> 8 * (3 - i));
}

struct engine *
engine_new(uint32_t enterprise, uint32_t addr, int64_t since_ms)
{
	struct engine *e = xcalloc(1, sizeof(*e));

	put32(e->id, 0x80000000u | enterprise);
	e->id[4] = 1;
	put32(e->id + 5, addr);
	e->id_len = 9;
	e->boots = 1;
	e->since_ms = since_ms;
	e->salt = (uint64_t)addr << 32;
	return e;
}

static void
forget_keys(struct engine *e)
{
	size_t i;

	for (i = 0; i < e->keys_len; i++)
		free(e->keys[i]);
	free(e->keys);
	e->keys = NULL;
	e->keys_len = 0;
}

void
engine_free(struct engine *e)
{
	if (e == NULL)
		return;
	forget_keys(e);
	free(e);
}

uint32_t
engine_time(const struct engine *e, int64_t now_ms)
{
	int64_t s = (now_ms - e->since_ms) / 1000 + e->skew_s;

	return s < 0 ? 0 : (uint32_t)(s & INT32_MAX);
}

void
engine_restart(struct engine *e, int64_t now_ms)
{
	e->boots++;
	e->since_ms = now_ms;
}

void
engine_rename(struct engine *e, const uint8_t *id, size_t len, int64_t now_ms)
{
	memcpy(e->id, id, len);
	e->id_len = len;
	e->boots = 1;
	e->since_ms = now_ms;
	forget_keys(e);
}

void
engine_renew(struct engine *e, int64_t now_ms)
{
	uint8_t id[13];

	memcpy(id, e->id, 4);
	id[4] = 5;
	/* any two differ: the salt only grows */
	put32(id + 5, (uint32_t)(e->salt >> 32));
	put32(id + 9, (uint32_t)++e->salt ^ 0x5eed0000u);
	engine_rename(e, id, sizeof(id), now_ms);
}

const struct engine_keys *
engine_keys(struct engine *e, const struct users *users, size_t user)
{
	const struct user *u = &users->user[user];
	struct engine_keys *k;

	if (user >= e->keys_len) {
		e->keys = xreallocarray(e->keys, user + 1, sizeof(*e->keys));
		while (e->keys_len <= user)
			e->keys[e->keys_len++] = NULL;
	}
	if (e->keys[user] != NULL)
		return e->keys[user];
	k = e->keys[user] = xcalloc(1, sizeof(*k));
	if (u->auth != AUTH_NONE)
		cipher_localise(u->auth, u->auth_key, e->id, e->id_len,
		    k->auth);
	if (u->priv != PRIV_NONE) {
		cipher_localise(u->auth, u->priv_key, e->id, e->id_len,
		    k->priv);
		cipher_extend(u->auth, u->priv, e->id, e->id_len, k->priv);
	}
	return k;
}
