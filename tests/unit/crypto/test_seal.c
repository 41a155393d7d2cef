/* Sessions: the whole way, replays, gaps, age, strangers, garbage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

/* The statics are needed to bring a session to its last message. */
#include "crypto/seal.c"

#define A	"agent@example.org"
#define C	"central.example.org"
#define NOW	INT64_C(5000000)

static struct key	agent, centre, other;

struct link {
	struct seal	*a, *c;
	struct buf	 first, second;
};

static void
link_up(struct link *l)
{
	struct buf	 got = { 0 };

	memset(l, 0, sizeof(*l));
	l->a = seal_open(&agent, centre.public, A, C, "<hello/>", 8, NOW,
	    &l->first);
	assert_non_null(l->a);
	l->c = seal_accept(&centre, A, C, l->first.data, l->first.len, NOW,
	    &got);
	assert_non_null(l->c);
	assert_string_equal(got.data, "<hello/>");
	assert_memory_equal(seal_remote(l->c), agent.public, KEY_LEN);
	assert_memory_equal(seal_remote(l->a), centre.public, KEY_LEN);
	assert_false(seal_alive(l->c, NOW));
	buf_reset(&got);
	assert_int_equal(seal_answer(l->c, "<welcome/>", 10, &l->second), 0);
	assert_true(seal_alive(l->c, NOW));
	assert_false(seal_proven(l->c));
	assert_false(seal_alive(l->a, NOW));
	assert_int_equal(seal_finish(l->a, l->second.data, l->second.len,
	    &got), 0);
	assert_string_equal(got.data, "<welcome/>");
	assert_true(seal_alive(l->a, NOW));
	assert_true(seal_proven(l->a));
	buf_free(&got);
}

static void
link_down(struct link *l)
{
	seal_free(l->a);
	seal_free(l->c);
	buf_free(&l->first);
	buf_free(&l->second);
	assert_int_equal(vault_used(), 0);
}

static void
send_one(struct seal *from, struct seal *to, const char *plain)
{
	struct buf	 text = { 0 }, got = { 0 };
	uint64_t	 n;

	assert_int_equal(seal_put(from, plain, strlen(plain), &n, &text), 0);
	assert_null(strchr(text.data, '\n'));
	buf_puts(&got, "before ");
	assert_int_equal(seal_take(to, n, text.data, text.len, &got), 0);
	assert_memory_equal(got.data, "before ", 7);
	assert_string_equal(got.data + 7, plain);
	buf_free(&text);
	buf_free(&got);
}

static void
test_both_ways(void **state)
{
	struct link	 l;
	char		*big;
	int		 i;

	link_up(&l);
	send_one(l.a, l.c, "a report");
	assert_true(seal_proven(l.c));
	send_one(l.c, l.a, "an ack");
	send_one(l.c, l.a, "");
	for (i = 0; i < 1000; i++)
		send_one(i % 3 ? l.a : l.c, i % 3 ? l.c : l.a, "again");
	big = malloc(65520);
	memset(big, 'x', 65519);
	big[65519] = '\0';
	send_one(l.a, l.c, big);
	free(big);
	link_down(&l);
}

static void
not_taken(struct seal *s, uint64_t n, const char *text, size_t len)
{
	struct buf	 got = { 0 };
	uint64_t	 next = s->next;
	bool		 proven = s->proven;

	buf_puts(&got, "as it was");
	assert_int_equal(seal_take(s, n, text, len, &got), -1);
	assert_string_equal(got.data, "as it was");
	assert_int_equal(got.len, 9);
	assert_int_equal(s->next, next);
	assert_int_equal(s->proven, proven);
	buf_free(&got);
}

static void
test_numbers(void **state)
{
	struct link	 l;
	struct buf	 text[6] = { { 0 } }, got = { 0 };
	uint64_t	 n[6];
	int		 i;

	link_up(&l);
	for (i = 0; i < 6; i++) {
		assert_int_equal(seal_put(l.a, "x", 1, &n[i], &text[i]), 0);
		assert_int_equal(n[i], i);
	}
	/* Another number than its own never opens. */
	not_taken(l.c, 1, text[0].data, text[0].len);
	not_taken(l.c, UINT64_MAX, text[0].data, text[0].len);
	assert_int_equal(seal_take(l.c, 1, text[1].data, text[1].len, &got),
	    0);
	/* Replayed, and reordered. */
	not_taken(l.c, 1, text[1].data, text[1].len);
	not_taken(l.c, 0, text[0].data, text[0].len);
	not_taken(l.c, 2, text[1].data, text[1].len);
	/* A gap is allowed: iqs get lost. */
	assert_int_equal(seal_take(l.c, 4, text[4].data, text[4].len, &got),
	    0);
	not_taken(l.c, 3, text[3].data, text[3].len);
	assert_int_equal(seal_take(l.c, 5, text[5].data, text[5].len, &got),
	    0);
	assert_string_equal(got.data, "xxx");
	/* Reflected to its sender. */
	not_taken(l.a, 5, text[5].data, text[5].len);
	for (i = 0; i < 6; i++)
		buf_free(&text[i]);
	buf_free(&got);
	link_down(&l);
}

static void
test_other_session(void **state)
{
	struct link	 l, m;
	struct buf	 text = { 0 }, got = { 0 };
	uint64_t	 n;

	link_up(&l);
	link_up(&m);
	assert_int_equal(seal_put(l.a, "old", 3, &n, &text), 0);
	not_taken(m.c, n, text.data, text.len);

	/* A replayed message 1 makes a session that nobody can use. */
	seal_free(m.c);
	m.c = seal_accept(&centre, A, C, l.first.data, l.first.len, NOW,
	    &got);
	assert_non_null(m.c);
	buf_reset(&m.second);
	assert_int_equal(seal_answer(m.c, "", 0, &m.second), 0);
	not_taken(m.c, n, text.data, text.len);
	assert_false(seal_proven(m.c));
	/* And its message 2 does not fit the agent that waits for another. */
	seal_free(m.a);
	buf_reset(&m.first);
	m.a = seal_open(&agent, centre.public, A, C, "", 0, NOW, &m.first);
	assert_int_equal(seal_finish(m.a, m.second.data, m.second.len, &got),
	    -1);
	assert_false(seal_alive(m.a, NOW));
	assert_int_equal(seal_put(m.a, "x", 1, &n, &text), -1);
	buf_free(&text);
	buf_free(&got);
	seal_free(l.a);
	seal_free(l.c);
	buf_free(&l.first);
	buf_free(&l.second);
	link_down(&m);
}

static void
not_accepted(const struct key *own, const char *a, const char *c,
    const char *message, size_t len)
{
	struct buf	 got = { 0 };

	assert_null(seal_accept(own, a, c, message, len, NOW, &got));
	assert_int_equal(got.len, 0);
	buf_free(&got);
}

static void
test_wrong_names(void **state)
{
	struct link	 l;

	link_up(&l);
	not_accepted(&centre, "other@example.org", C, l.first.data,
	    l.first.len);
	not_accepted(&centre, A, "other.example.org", l.first.data,
	    l.first.len);
	not_accepted(&centre, "", A C, l.first.data, l.first.len);
	not_accepted(&other, A, C, l.first.data, l.first.len);
	not_accepted(&centre, A, C, l.first.data, l.first.len - 1);
	not_accepted(&centre, A, C, l.first.data, l.first.len - 4);
	not_accepted(&centre, A, C, l.first.data, 0);
	not_accepted(&centre, A, C, "====", 4);
	not_accepted(&centre, A, C, l.second.data, l.second.len);
	link_down(&l);
}

/* Every octet of the text counts: none may change, go or be added. */
static void
test_text_strict(void **state)
{
	struct link	 l;
	struct buf	 text = { 0 }, bad = { 0 };
	uint64_t	 n;
	size_t		 i;
	char		*huge;

	link_up(&l);
	assert_int_equal(seal_put(l.a, "some plain text", 15, &n, &text), 0);
	for (i = 0; i < text.len; i++) {
		buf_reset(&bad);
		buf_put(&bad, text.data, text.len);
		bad.data[i] = bad.data[i] == 'A' ? 'B' : 'A';
		not_taken(l.c, n, bad.data, bad.len);
		bad.data[i] = '\n';
		not_taken(l.c, n, bad.data, bad.len);
		bad.data[i] = (char)0x80;
		not_taken(l.c, n, bad.data, bad.len);
		not_taken(l.c, n, text.data, i);
		buf_reset(&bad);
		buf_put(&bad, text.data, i);
		buf_puts(&bad, "\n");
		buf_put(&bad, text.data + i, text.len - i);
		not_taken(l.c, n, bad.data, bad.len);
	}
	buf_puts(&text, "AAAA");
	not_taken(l.c, n, text.data, text.len);
	not_taken(l.c, n, text.data, 0);
	huge = malloc(SEAL_TEXT_MAX + 4);
	memset(huge, 'A', SEAL_TEXT_MAX + 4);
	not_taken(l.c, n, huge, SEAL_TEXT_MAX + 4);
	not_taken(l.c, n, huge, SEAL_TEXT_MAX);
	free(huge);
	assert_int_equal(seal_take(l.c, n, text.data, text.len - 4, &bad), 0);
	buf_free(&text);
	buf_free(&bad);
	link_down(&l);
}

static void
test_end(void **state)
{
	struct link	 l;
	struct buf	 text = { 0 };
	uint64_t	 n;
	char		*big;

	link_up(&l);
	assert_true(seal_alive(l.a, NOW + SEAL_AGE_MS - 1));
	assert_false(seal_alive(l.a, NOW + SEAL_AGE_MS));
	assert_false(seal_alive(l.c, NOW + SEAL_AGE_MS));

	big = calloc(1, 65520);
	assert_int_equal(seal_put(l.a, big, 65520, &n, &text), -1);
	free(big);
	assert_true(seal_alive(l.a, NOW));

	l.a->send.nonce = SEAL_MESSAGES - 1;
	assert_true(seal_alive(l.a, NOW));
	assert_int_equal(seal_put(l.a, "last", 4, &n, &text), 0);
	assert_int_equal(n, SEAL_MESSAGES - 1);
	assert_false(seal_alive(l.a, NOW));
	assert_int_equal(seal_put(l.a, "more", 4, &n, &text), -1);
	assert_true(seal_alive(l.c, NOW));
	assert_int_equal(seal_take(l.c, n, text.data, text.len, &text), 0);
	assert_false(seal_alive(l.c, NOW));
	not_taken(l.c, n + 1, "AAAA", 4);
	buf_free(&text);
	link_down(&l);
}

/* A handshake that is not over yet seals and opens nothing. */
static void
test_half(void **state)
{
	struct buf	 m = { 0 }, got = { 0 };
	struct seal	*a, *c;
	uint64_t	 n;

	a = seal_open(&agent, centre.public, A, C, "h", 1, NOW, &m);
	assert_int_equal(seal_put(a, "x", 1, &n, &got), -1);
	not_taken(a, 0, m.data, m.len);
	c = seal_accept(&centre, A, C, m.data, m.len, NOW, &got);
	assert_non_null(c);
	assert_int_equal(seal_put(c, "x", 1, &n, &got), -1);
	not_taken(c, 0, m.data, m.len);
	/* An owner that refuses the agent just frees the session. */
	seal_free(c);
	assert_int_equal(seal_finish(a, "AAAA", 4, &got), -1);
	seal_free(a);
	seal_free(NULL);
	buf_free(&m);
	buf_free(&got);
	assert_int_equal(vault_used(), 0);
}

/* Random bytes and random damage, as base64 and as they are. */
static void
test_garbage(void **state)
{
	struct link	 l;
	struct buf	 good = { 0 }, text = { 0 }, got = { 0 };
	uint64_t	 n;
	uint8_t		 bytes[400];
	size_t		 len, i;
	int		 round, opened = 0;

	link_up(&l);
	assert_int_equal(seal_put(l.a, "plain", 5, &n, &good), 0);
	for (round = 0; round < 100000; round++) {
		buf_reset(&text);
		len = randombytes_uniform(sizeof(bytes));
		randombytes_buf(bytes, len);
		switch (round % 4) {
		case 0:
			buf_put(&text, bytes, len);
			break;
		case 1:
			base64_encode(&text, bytes, len);
			break;
		default:
			buf_put(&text, good.data, good.len);
			for (i = 0; i <= randombytes_uniform(4); i++)
				text.data[randombytes_uniform(
				    (uint32_t)text.len)] =
				    (char)randombytes_uniform(256);
			break;
		}
		if (text.len == 0 || (text.len == good.len &&
		    memcmp(text.data, good.data, text.len) == 0))
			continue;
		if (seal_take(l.c, randombytes_uniform(3), text.data,
		    text.len, &got) == 0)
			opened++;
		/* A handshake is four DHs: fewer of those. */
		if (round % 50 < 2)
			not_accepted(&centre, A, C, text.data, text.len);
	}
	assert_int_equal(opened, 0);
	assert_int_equal(got.len, 0);
	assert_int_equal(seal_take(l.c, n, good.data, good.len, &got), 0);
	buf_free(&good);
	buf_free(&text);
	buf_free(&got);
	link_down(&l);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_both_ways),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_other_session),
		cmocka_unit_test(test_wrong_names),
		cmocka_unit_test(test_text_strict),
		cmocka_unit_test(test_end),
		cmocka_unit_test(test_half),
		cmocka_unit_test(test_garbage),
	};

	if (key_library_init() == -1)
		return 1;
	key_make(&agent);
	key_make(&centre);
	key_make(&other);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
