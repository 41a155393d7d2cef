#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "xmpp/endpoint.h"

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
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
