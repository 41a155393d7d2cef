/* The proxy that the uplink is given, and its password's file. */
#include "kit.h"

#include "agent/proxyconf.h"

static struct config *
config_with(const char *keys, const char *file)
{
	char *text = xasprintf("[agent]\nname = a\n[xmpp]\njid = a@b\n"
	    "central = c\npassword_file = p\n%s%s\n[crypto]\ncentral_key = "
	    "L+V9owNzMaqFQUl6NYb4NhGWuoF3lLyqrYrMKhXTMA0=\n", keys,
	    file != NULL ? file : "");
	char *path = kit_write("platen.ini", text, 0600);
	struct config *conf = config_read(path, CONFIG_UPLINK);

	assert_non_null(conf);
	free(path);
	free(text);
	return conf;
}

#define LOGIN	"proxy = http://p.test:3128\nproxy_user = agent\n"	\
		"proxy_password_file = "

static void
with_and_without(void **state)
{
	char *file = kit_write("proxy-password", "open sesame\n", 0600);
	char password[PROXY_SECRET_MAX + 1];
	struct proxy proxy;
	struct config *conf;

	kit_listen();
	conf = config_with("", NULL);
	assert_int_equal(proxyconf_load(conf, &proxy, password), 0);
	config_free(conf);
	conf = config_with("proxy = socks5://[::1]:1080\n", NULL);
	assert_int_equal(proxyconf_load(conf, &proxy, password), 1);
	assert_int_equal(proxy.kind, PROXY_SOCKS5);
	assert_null(proxy.user);
	assert_null(proxy.password);
	config_free(conf);
	conf = config_with(LOGIN, file);
	assert_int_equal(proxyconf_load(conf, &proxy, password), 1);
	assert_string_equal(proxy.host, "p.test");
	assert_string_equal(proxy.user, "agent");
	assert_string_equal(proxy.password, "open sesame");
	config_free(conf);
	assert_int_equal(kit_lines, 0);
	kit_listen_no_more();
	free(file);
}

static void
a_file_that_will_not_do(void **state)
{
	char *open_file = kit_write("open", "geheim\n", 0644), *long_file;
	char *missing = xasprintf("%s/missing", kit_dir);
	char password[PROXY_SECRET_MAX + 1], text[PROXY_SECRET_MAX + 3];
	struct proxy proxy;
	struct config *conf;

	kit_listen();
	conf = config_with(LOGIN, open_file);
	assert_int_equal(proxyconf_load(conf, &proxy, password), -1);
	assert_said("[xmpp] proxy_password_file: ");
	assert_said("chmod 600");
	config_free(conf);
	conf = config_with(LOGIN, missing);
	assert_int_equal(proxyconf_load(conf, &proxy, password), -1);
	assert_said("No such file");
	config_free(conf);
	memset(text, 'x', sizeof(text));
	strcpy(text + PROXY_SECRET_MAX + 1, "\n");
	long_file = kit_write("long", text, 0600);
	conf = config_with(LOGIN, long_file);
	assert_int_equal(proxyconf_load(conf, &proxy, password), -1);
	assert_said("longer than 255 octets");
	config_free(conf);
	kit_listen_no_more();
	free(open_file);
	free(long_file);
	free(missing);
}

#define TEST(f)	cmocka_unit_test_setup_teardown(f, kit_dir_make, kit_dir_remove)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(with_and_without),
		TEST(a_file_that_will_not_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
