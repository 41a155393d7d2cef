#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "xmpp/endpoint.h"

static void
order_of_trying(void **state)
{
	struct endpoint_list	list;

	endpoint_resolve(&list, "agents.test", "127.0.0.1", 5222, 443);
	assert_int_equal(list.count, 3);
	assert_int_equal(list.at[0].port, 5222);
	assert_false(list.at[0].direct);
	assert_int_equal(list.at[1].port, 443);
	assert_true(list.at[1].direct);
	assert_int_equal(list.at[2].port, 443);
	assert_false(list.at[2].direct);
	assert_string_equal(list.why, "");
	/* The same port is not tried with STARTTLS twice. */
	endpoint_resolve(&list, "agents.test", "127.0.0.1", 443, 443);
	assert_int_equal(list.count, 2);
	endpoint_resolve(&list, "agents.test", "127.0.0.1", 5222, 0);
	assert_int_equal(list.count, 1);
}

static void
preferred_goes_first(void **state)
{
	struct endpoint_list	list;
	struct endpoint		known;

	endpoint_resolve(&list, "agents.test", "127.0.0.1", 5222, 443);
	known = list.at[2];
	endpoint_prefer(&list, &known);
	assert_int_equal(list.count, 3);
	assert_true(endpoint_same(&list.at[0], &known));
	assert_int_equal(list.at[1].port, 5222);
	assert_true(list.at[2].direct);
	memset(&known, 0, sizeof(known));
	endpoint_prefer(&list, &known);
	assert_int_equal(list.at[1].port, 5222);
}

static void
names(void **state)
{
	struct endpoint	e = { .host = "xmpp.test", .address = "192.0.2.1",
	    .port = 443, .direct = true };
	char		name[ENDPOINT_NAME_MAX];

	assert_string_equal(endpoint_name(&e, name),
	    "xmpp.test (192.0.2.1) port 443, direct TLS");
	e.direct = false;
	strcpy(e.host, "192.0.2.1");
	assert_string_equal(endpoint_name(&e, name),
	    "192.0.2.1 port 443, STARTTLS");
	e.proxied = true;
	strcpy(e.host, "xmpp.test");
	assert_string_equal(endpoint_name(&e, name),
	    "xmpp.test port 443, STARTTLS, through the proxy");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_of_trying),
		cmocka_unit_test(preferred_goes_first),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
