/*
 * A toy SNMP agent for tests: a UDP socket on 127.0.0.1 in the test's own
 * loop, BER of its own, and a script that answers as it likes.
 */
#ifndef TESTS_TOY_H
#define TESTS_TOY_H

#include <sys/socket.h>

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/loop.h"
#include "snmp/objid.h"

#define TOY_GET		0xa0
#define TOY_GETNEXT	0xa1
#define TOY_RESPONSE	0xa2
#define TOY_GETBULK	0xa5
#define TOY_REPORT	0xa8

#define TOY_NO_OBJECT	0x80
#define TOY_NO_INSTANCE	0x81
#define TOY_END		0x82

struct toy_value {
	const char	*oid;
	uint8_t		 tag;
	int64_t		 number;
	const char	*text;		/* octets, or a dotted OID */
};

struct toy_request {
	int		 version;	/* 0 is v1, 1 is v2c */
	char		 community[64];
	uint8_t		 pdu;
	int64_t		 id;
	int64_t		 a, b;		/* GETBULK: non-repeaters, repetitions */
	struct objid	 oid[64];
	size_t		 n;
	struct sockaddr_in from;
};

struct toy {
	struct loop	*loop;
	int		 fd, other_fd;	/* other: another source port */
	struct sockaddr_in addr;
	void		(*script)(struct toy *, const struct toy_request *);
	int		 requests;
	size_t		 most;		/* varbinds in one request */
	size_t		 leap;		/* most more than ever before, the
					 * first few aside */
	void		*state;
};

struct toy_bytes {
	uint8_t		 b[8192];
	size_t		 len;
};

static inline void
toy_put(struct toy_bytes *out, const void *bytes, size_t len)
{
	assert(out->len + len <= sizeof(out->b));
	memcpy(out->b + out->len, bytes, len);
	out->len += len;
}

/* Wraps what stands from start on in a tag and a length of two octets. */
static inline void
toy_wrap(struct toy_bytes *out, size_t start, uint8_t tag)
{
	size_t len = out->len - start;
	uint8_t head[4] = { tag, 0x82, (uint8_t)(len >> 8), (uint8_t)len };
	size_t i;

	assert(out->len + 4 <= sizeof(out->b));
	for (i = out->len; i > start; i--)
		out->b[i + 3] = out->b[i - 1];
	memcpy(out->b + start, head, 4);
	out->len += 4;
}

static inline void
toy_int(struct toy_bytes *out, uint8_t tag, int64_t value)
{
	uint8_t head[2] = { tag, 8 }, v[9];
	int i, skip = 0;

	for (i = 0; i < 8; i++)
		v[i] = (uint8_t)((uint64_t)value >> (56 - 8 * i));
	while (skip < 7 && ((v[skip] == 0 && !(v[skip + 1] & 0x80)) ||
	    (v[skip] == 0xff && (v[skip + 1] & 0x80))))
		skip++;
	head[1] = (uint8_t)(8 - skip);
	toy_put(out, head, 2);
	toy_put(out, v + skip, 8 - (size_t)skip);
}

static inline void
toy_oid(struct toy_bytes *out, const struct objid *id)
{
	size_t start = out->len, i;
	uint8_t part[5];
	int n, j;

	for (i = 1; i < id->len; i++) {
		uint32_t sub = i == 1 ? id->sub[0] * 40 + id->sub[1] :
		    id->sub[i];

		for (n = 1; n < 5 && sub >> (7 * n); n++)
			;
		for (j = 0; j < n; j++)
			part[j] = (uint8_t)((sub >> (7 * (n - 1 - j)) & 0x7f) |
			    (j < n - 1 ? 0x80 : 0));
		toy_put(out, part, (size_t)n);
	}
	toy_wrap(out, start, 6);
}

static inline void
toy_varbind(struct toy_bytes *out, const struct objid *id,
    const struct toy_value *v)
{
	size_t start = out->len;
	struct objid o;

	toy_oid(out, id);
	if (v == NULL || v->tag == 5 || v->tag >= TOY_NO_OBJECT) {
		uint8_t nothing[2] = { v == NULL ? 5 : v->tag, 0 };

		toy_put(out, nothing, 2);
	} else if (v->tag == 6) {
		objid_parse(v->text, &o);
		toy_oid(out, &o);
	} else if (v->tag == 4 || v->tag == 0x40 || v->tag == 0x44) {
		size_t s = out->len;

		toy_put(out, v->text, strlen(v->text));
		toy_wrap(out, s, v->tag);
	} else
		toy_int(out, v->tag, v->number);
	toy_wrap(out, start, 0x30);
}

/* A whole message around varbinds that are in list. */
static inline void
toy_message(struct toy_bytes *out, int version, const char *community,
    uint8_t pdu, int64_t id, int status, int index,
    const struct toy_bytes *list)
{
	struct toy_bytes inner = { .len = 0 };

	toy_put(&inner, list->b, list->len);
	toy_wrap(&inner, 0, 0x30);
	out->len = 0;
	toy_int(out, 2, id);
	toy_int(out, 2, status);
	toy_int(out, 2, index);
	toy_put(out, inner.b, inner.len);
	toy_wrap(out, 0, pdu);
	inner = *out;
	out->len = 0;
	toy_int(out, 2, version);
	{
		size_t s = out->len;

		toy_put(out, community, strlen(community));
		toy_wrap(out, s, 4);
	}
	toy_put(out, inner.b, inner.len);
	toy_wrap(out, 0, 0x30);
}

static inline void
toy_send(struct toy *toy, const struct toy_request *to,
    const struct toy_bytes *bytes)
{
	sendto(toy->fd, bytes->b, bytes->len, 0,
	    (const struct sockaddr *)&to->from, sizeof(to->from));
}

/* An error without values: the question comes back. */
static inline void
toy_error(struct toy *toy, const struct toy_request *q, int status, int index)
{
	struct toy_bytes list = { .len = 0 }, out;
	size_t i;

	for (i = 0; i < q->n; i++)
		toy_varbind(&list, &q->oid[i], NULL);
	toy_message(&out, q->version, q->community, TOY_RESPONSE, q->id,
	    status, index, &list);
	toy_send(toy, q, &out);
}

/* Reads one header; the content is at *p, its length returned. */
static inline size_t
toy_head(const uint8_t **p, const uint8_t *end, uint8_t *tag)
{
	size_t len, n;

	assert(*p + 2 <= end);
	*tag = *(*p)++;
	len = *(*p)++;
	if (len & 0x80)
		for (n = len & 0x7f, len = 0; n > 0; n--)
			len = len << 8 | *(*p)++;
	assert(*p + len <= end);
	return len;
}

static inline int64_t
toy_read_int(const uint8_t **p, const uint8_t *end)
{
	uint8_t tag;
	size_t n = toy_head(p, end, &tag);
	int64_t v = (**p & 0x80) ? -1 : 0;

	for (; n > 0; n--)
		v = (int64_t)((uint64_t)v << 8 | *(*p)++);
	return v;
}

static inline void
toy_parse(const uint8_t *p, size_t len, struct toy_request *q)
{
	const uint8_t *end = p + len;
	uint8_t tag;
	size_t n;

	toy_head(&p, end, &tag);
	q->version = (int)toy_read_int(&p, end);
	n = toy_head(&p, end, &tag);
	assert(n < sizeof(q->community));
	memcpy(q->community, p, n);
	q->community[n] = '\0';
	p += n;
	toy_head(&p, end, &q->pdu);
	q->id = toy_read_int(&p, end);
	q->a = toy_read_int(&p, end);
	q->b = toy_read_int(&p, end);
	toy_head(&p, end, &tag);
	for (q->n = 0; p < end; q->n++) {
		struct objid *o = &q->oid[q->n];
		const uint8_t *stop;

		toy_head(&p, end, &tag);
		n = toy_head(&p, end, &tag);
		stop = p + n;
		o->len = 0;
		objid_add(o, *p / 40);
		objid_add(o, *p++ % 40);
		while (p < stop) {
			uint32_t sub = 0;

			do
				sub = sub << 7 | (*p & 0x7f);
			while (*p++ & 0x80);
			objid_add(o, sub);
		}
		n = toy_head(&p, end, &tag);
		p += n;
	}
}

static inline void
toy_on_read(void *arg, int fd, unsigned events)
{
	struct toy *toy = arg;
	struct toy_request q = { 0 };
	socklen_t from_len = sizeof(q.from);
	uint8_t bytes[4096];
	ssize_t n;

	(void)events;
	n = recvfrom(fd, bytes, sizeof(bytes), 0, (struct sockaddr *)&q.from,
	    &from_len);
	if (n <= 0)
		return;
	toy_parse(bytes, (size_t)n, &q);
	toy->requests++;
	if (q.n > 10 && q.n > toy->most && q.n - toy->most > toy->leap)
		toy->leap = q.n - toy->most;
	if (q.n > toy->most)
		toy->most = q.n;
	toy->script(toy, &q);
}

static inline int
toy_socket(struct sockaddr_in *addr)
{
	socklen_t len = sizeof(*addr);
	int fd;

	memset(addr, 0, sizeof(*addr));
	addr->sin_family = AF_INET;
	addr->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert(fd != -1);
	assert(bind(fd, (struct sockaddr *)addr, sizeof(*addr)) == 0);
	assert(getsockname(fd, (struct sockaddr *)addr, &len) == 0);
	return fd;
}

static inline void
toy_open(struct toy *toy, struct loop *loop,
    void (*script)(struct toy *, const struct toy_request *), void *state)
{
	struct sockaddr_in unused;

	memset(toy, 0, sizeof(*toy));
	toy->loop = loop;
	toy->script = script;
	toy->state = state;
	toy->fd = toy_socket(&toy->addr);
	toy->other_fd = toy_socket(&unused);
	loop_watch(loop, toy->fd, LOOP_READ, toy_on_read, toy);
}

static inline void
toy_close(struct toy *toy)
{
	loop_watch(toy->loop, toy->fd, 0, NULL, NULL);
	close(toy->fd);
	close(toy->other_fd);
}

/* --- An honest answer from a table that is in OID order --- */

static inline const struct toy_value *
toy_find(const struct toy_value *table, const struct objid *id, bool next,
    struct objid *found)
{
	for (; table->oid != NULL; table++) {
		objid_parse(table->oid, found);
		if (next ? objid_cmp(found, id) > 0 :
		    objid_cmp(found, id) == 0)
			return table;
	}
	*found = *id;
	return NULL;
}

static inline void
toy_next(struct toy_bytes *list, struct objid *id,
    const struct toy_value *table)
{
	static const struct toy_value end = { .tag = TOY_END };
	struct objid found;
	const struct toy_value *v = toy_find(table, id, true, &found);

	*id = found;
	toy_varbind(list, id, v != NULL ? v : &end);
}

/* RFC 3416 section 4.2.3, as much as fits. */
static inline void
toy_bulk(struct toy *toy, const struct toy_request *q,
    const struct toy_value *table)
{
	struct toy_bytes list = { .len = 0 }, out;
	struct objid at[64];
	size_t i, repeaters = (size_t)q->a < q->n ? (size_t)q->a : q->n;
	int64_t round;

	memcpy(at, q->oid, sizeof(at));
	for (i = 0; i < repeaters; i++)
		toy_next(&list, &at[i], table);
	for (round = 0; round < q->b; round++)
		for (i = repeaters; i < q->n && list.len < 6000; i++)
			toy_next(&list, &at[i], table);
	toy_message(&out, q->version, q->community, TOY_RESPONSE, q->id, 0, 0,
	    &list);
	toy_send(toy, q, &out);
}

static inline void
toy_answer(struct toy *toy, const struct toy_request *q,
    const struct toy_value *table)
{
	static const struct toy_value none = { .tag = TOY_NO_OBJECT };
	static const struct toy_value end = { .tag = TOY_END };
	struct toy_bytes list = { .len = 0 }, out;
	struct objid found;
	const struct toy_value *v;
	size_t i;

	if (q->pdu == TOY_GETBULK) {
		toy_bulk(toy, q, table);
		return;
	}
	for (i = 0; i < q->n; i++) {
		v = toy_find(table, &q->oid[i], q->pdu == TOY_GETNEXT,
		    &found);
		if (v == NULL && q->version == 0) {
			toy_error(toy, q, 2, (int)i + 1);
			return;
		}
		toy_varbind(&list, &found, v != NULL ? v :
		    q->pdu == TOY_GETNEXT ? &end : &none);
	}
	toy_message(&out, q->version, q->community, TOY_RESPONSE, q->id, 0, 0,
	    &list);
	toy_send(toy, q, &out);
}

#endif
