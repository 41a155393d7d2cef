/* The table of devices: found by address and id whatever came and went, and
 * counted as what they are. */
#include "kit.h"

#include "agent/device.h"

#define MANY	3000

static struct sockaddr_in
address(uint32_t i, uint16_t port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };

	addr.sin_addr.s_addr = htonl(0x0a000000u + i);
	addr.sin_port = htons(port);
	return addr;
}

static void
drop(void *arg, struct device *d)
{
	device_free(arg, d);
}

static void
many_come_and_go(void **state)
{
	struct device_table table = { 0 };
	struct sockaddr_in addr;
	struct device *d;
	uint32_t i;

	addr = address(1, 161);
	assert_null(device_find(&table, &addr));
	assert_null(device_by_id(&table, 1));
	for (i = 0; i < MANY; i++) {
		addr = address(i, 161);
		d = device_new(&table, &addr, i % 2 ? "hall" : "cellar");
		device_set_id(&table, d, i + 1);
	}
	assert_int_equal(table.count, MANY);
	assert_int_equal(table.zone_len, 2);
	/* Every third goes; every seventh gets another id. */
	for (i = 0; i < MANY; i++) {
		addr = address(i, 161);
		assert_non_null(d = device_find(&table, &addr));
		assert_ptr_equal(device_by_id(&table, i + 1), d);
		if (i % 3 == 0)
			device_free(&table, d);
		else if (i % 7 == 0)
			device_set_id(&table, d, MANY + i + 1);
	}
	for (i = 0; i < MANY; i++) {
		addr = address(i, 161);
		d = device_find(&table, &addr);
		if (i % 3 == 0) {
			assert_null(d);
			assert_null(device_by_id(&table, i + 1));
			continue;
		}
		assert_string_equal(d->zone, i % 2 ? "hall" : "cellar");
		assert_ptr_equal(device_by_id(&table, i % 7 == 0 ?
		    MANY + i + 1 : i + 1), d);
		assert_int_equal(device_by_id(&table, i + 1) == d,
		    i % 7 != 0);
	}
	device_each(&table, drop, &table);
	assert_int_equal(table.count, 0);
	assert_int_equal(table.of_class[DEVICE_NOTHING], 0);
	device_table_clear(&table);
}

static void
one_address_has_many_ports(void **state)
{
	struct device_table table = { 0 };
	struct sockaddr_in addr;
	struct device *d = NULL;
	unsigned n = 0, ports = 0;
	uint32_t i;

	for (i = 0; i < 200; i++) {
		addr = address(i % 100, i < 100 ? 161 : 1161);
		device_new(&table, &addr, NULL);
	}
	addr = address(42, 161);
	while ((d = device_at(&table, addr.sin_addr, d)) != NULL) {
		assert_int_equal(d->addr.sin_addr.s_addr,
		    addr.sin_addr.s_addr);
		ports += ntohs(d->addr.sin_port);
		n++;
	}
	assert_int_equal(n, 2);
	assert_int_equal(ports, 161 + 1161);
	addr = address(420, 161);
	assert_null(device_at(&table, addr.sin_addr, NULL));
	device_each(&table, drop, &table);
	device_table_clear(&table);
}

static void
counted_as_what_it_is(void **state)
{
	struct device_table table = { 0 };
	struct sockaddr_in addr = address(1, 161);
	struct device *d = device_new(&table, &addr, NULL);
	const size_t *of = table.of_class;

	assert_int_equal(of[DEVICE_NOTHING], 1);
	device_set_id(&table, d, 5);
	device_count(&table, d);
	assert_int_equal(of[DEVICE_OTHER], 1);
	d->printer = true;
	device_count(&table, d);
	device_count(&table, d);
	assert_int_equal(of[DEVICE_ONLINE], 1);
	assert_int_equal(of[DEVICE_OTHER], 0);
	d->state = ASSET_ASLEEP;
	device_count(&table, d);
	assert_int_equal(of[DEVICE_ASLEEP], 1);
	d->state = ASSET_UNREACHABLE;
	device_count(&table, d);
	assert_int_equal(of[DEVICE_UNREACHABLE], 1);
	d->elsewhere = true;
	device_count(&table, d);
	assert_int_equal(of[DEVICE_NOTHING], 1);
	device_free(&table, d);
	assert_int_equal(of[DEVICE_NOTHING], 0);
	device_table_clear(&table);
}

static void
rows_keep_what_is_theirs(void **state)
{
	const int64_t one[] = { 1 }, three[] = { 1, 3, 5 };
	struct device_table table = { 0 };
	struct sockaddr_in addr = address(1, 161);
	struct device *d = device_new(&table, &addr, NULL);
	struct change_suspects s;

	device_note_rows(d, one, 1);
	assert_int_equal(device_rows(d)[0], 1);
	memset(&s, 0, sizeof(s));
	s.one[0].used = true;
	recall_put(device_recall(d, 0), &s);
	device_note_rows(d, one, 1);
	recall_get(device_recall(d, 0), &s);
	assert_true(s.one[0].used);
	device_note_rows(d, three, 3);
	assert_memory_equal(device_rows(d), three, sizeof(three));
	recall_get(device_recall(d, 0), &s);
	assert_false(s.one[0].used);
	s.one[0].used = true;
	recall_put(device_recall(d, 2), &s);
	recall_get(device_recall(d, 1), &s);
	assert_false(s.one[0].used);
	device_free(&table, d);
	device_table_clear(&table);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_come_and_go),
		cmocka_unit_test(one_address_has_many_ports),
		cmocka_unit_test(counted_as_what_it_is),
		cmocka_unit_test(rows_keep_what_is_theirs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
