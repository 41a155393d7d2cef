#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "xmpp/pool.h"

static void
lends_and_takes_back(void **state)
{
	struct pool		*pool = pool_new();
	const xmpp_mem_t	*m = pool_hooks(pool);
	char			*p, *q;
	int			 i;

	p = m->alloc(10, m->userdata);
	assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
	strcpy(p, "123456789");
	for (i = 11; i < 5000; i += 7) {
		p = m->realloc(p, (size_t)i, m->userdata);
		assert_string_equal(p, "123456789");
		memset(p + 10, 'x', (size_t)i - 10);
	}
	q = m->realloc(NULL, 5, m->userdata);
	m->free(q, m->userdata);
	m->free(NULL, m->userdata);
	assert_null(m->realloc(p, 0, m->userdata));
	assert_null(m->alloc(SIZE_MAX / 2, m->userdata));
	/* What is left goes with it. */
	assert_non_null(m->alloc(100, m->userdata));
	pool_free(pool);
	pool_free(NULL);
}

static void
counts_by_direction(void **state)
{
	struct pool		*pool = pool_new();
	const xmpp_mem_t	*m = pool_hooks(pool);
	void			*kept, *in, *out;

	kept = m->alloc(1000, m->userdata);
	pool_mark(pool);
	assert_int_equal(pool_in_bytes(pool), 0);
	in = m->alloc(2000, m->userdata);
	assert_in_range(pool_in_bytes(pool), 2000, 2100);
	pool_outgoing(pool, true);
	out = m->alloc(4000, m->userdata);
	/* What came in stays what it is when it grows. */
	in = m->realloc(in, 3000, m->userdata);
	pool_outgoing(pool, false);
	assert_in_range(pool_in_bytes(pool), 3000, 4600);
	assert_in_range(pool_out_bytes(pool), 4000, 4100);
	m->free(out, m->userdata);
	assert_int_equal(pool_out_bytes(pool), 0);
	m->free(in, m->userdata);
	assert_int_equal(pool_in_bytes(pool), 0);
	m->free(kept, m->userdata);
	pool_free(pool);
}

static void
sweeps_to_the_mark(void **state)
{
	struct pool		*pool = pool_new();
	const xmpp_mem_t	*m = pool_hooks(pool);
	char			*kept = m->alloc(10, m->userdata);
	int			 i;

	strcpy(kept, "kept");
	pool_mark(pool);
	for (i = 0; i < 100; i++) {
		pool_outgoing(pool, i % 2 == 0);
		assert_non_null(m->alloc((size_t)i, m->userdata));
	}
	pool_sweep(pool);
	assert_int_equal(pool_in_bytes(pool) + pool_out_bytes(pool), 0);
	assert_string_equal(kept, "kept");
	pool_free(pool);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lends_and_takes_back),
		cmocka_unit_test(counts_by_direction),
		cmocka_unit_test(sweeps_to_the_mark),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
