/* Which asset is it?  By serial, then MAC, then address (printers.md 12). */
#include "kit.h"

#include "agent/known.h"
#include "agent/assetbook.h"

#define HERE	1
#define THERE	2

/* The devices that answer. */
struct town {
	struct store	*store;
	bool		 alive[8];
	struct asset	 asset;
	struct known_asset found;
	char		 displaced[UUID_TEXT_MAX];
};

static bool
on_alive(void *arg, int64_t device)
{
	struct town *t = arg;

	return t->alive[device];
}

static void
start(struct town *t)
{
	memset(t, 0, sizeof(*t));
	t->store = store_open(kit_dir);
	assert_non_null(t->store);
	asset_init(&t->asset);
	kit_listen();
}

static void
end(struct town *t)
{
	known_asset_clear(&t->found);
	asset_clear(&t->asset);
	store_close(t->store);
	kit_listen_no_more();
}

/* What answers at the device: a printer with that key, and MAC or NULL. */
static enum assetbook_verdict
meet(struct town *t, int64_t device, int64_t row, const char *key,
    enum key_strength strength, const char *mac)
{
	enum assetbook_verdict verdict;

	asset_clear(&t->asset);
	known_asset_clear(&t->found);
	t->asset.key = xstrdup(key);
	t->asset.strength = strength;
	t->asset.mac = xstrdup_null(mac);
	t->asset.model = xstrdup("LX 20");
	if (strength == KEY_SERIAL)
		t->asset.serial = xstrdup("KX7731");
	assert_int_equal(store_begin(t->store), 0);
	verdict = assetbook_find(t->store, device, row, &t->asset, on_alive,
	    t, &t->found, t->displaced);
	if (verdict != ASSETBOOK_ELSEWHERE) {
		assert_string_equal(t->asset.id, t->found.id);
		assert_string_equal(t->asset.key, t->found.key);
		assert_int_equal(t->asset.strength, t->found.strength);
		assert_int_equal(known_tell_asset(t->store, &t->asset), 0);
	}
	assert_int_equal(store_commit(t->store), 0);
	t->alive[device] = true;
	return verdict;
}

/* The id of the asset at a device and row, or "". */
static const char *
at(struct town *t, int64_t device, int64_t row)
{
	static char id[UUID_TEXT_MAX];
	struct known_asset a;

	id[0] = '\0';
	if (known_asset_at(t->store, device, row, &a) == 1)
		memcpy(id, a.id, sizeof(id));
	known_asset_clear(&a);
	return id;
}

#define SERIAL_1	"S:nowhere:KX7731"
#define SERIAL_2	"S:nowhere:KX9999"
#define MAC_1		"00:11:22:33:44:55"
#define MAC_2		"00:11:22:33:44:66"

static void
new_and_the_same(void **state)
{
	char id[UUID_TEXT_MAX];
	struct town t;

	start(&t);
	assert_int_equal(meet(&t, HERE, 1, SERIAL_1, KEY_SERIAL, MAC_1),
	    ASSETBOOK_NEW);
	assert_true(uuid_valid(t.found.id));
	assert_string_equal(t.displaced, "");
	memcpy(id, t.found.id, sizeof(id));
	assert_int_equal(meet(&t, HERE, 1, SERIAL_1, KEY_SERIAL, MAC_1),
	    ASSETBOOK_SAME);
	assert_string_equal(t.found.id, id);
	assert_int_equal(meet(&t, HERE, 2, SERIAL_2, KEY_SERIAL, MAC_1),
	    ASSETBOOK_NEW);
	assert_string_equal(at(&t, HERE, 1), id);
	end(&t);
}

static void
an_address_change_moves_it(void **state)
{
	char id[UUID_TEXT_MAX];
	struct town t;

	start(&t);
	meet(&t, HERE, 1, SERIAL_1, KEY_SERIAL, MAC_1);
	memcpy(id, t.found.id, sizeof(id));
	t.alive[HERE] = false;
	assert_int_equal(meet(&t, THERE, 1, SERIAL_1, KEY_SERIAL, MAC_1),
	    ASSETBOOK_MOVED);
	assert_string_equal(t.found.id, id);
	assert_string_equal(at(&t, THERE, 1), id);
	assert_string_equal(at(&t, HERE, 1), "");
	end(&t);
}

static void
two_that_change_places(void **state)
{
	char one[UUID_TEXT_MAX], two[UUID_TEXT_MAX];
	struct town t;

	start(&t);
	meet(&t, HERE, 1, SERIAL_1, KEY_SERIAL, MAC_1);
	memcpy(one, t.found.id, sizeof(one));
	meet(&t, THERE, 1, SERIAL_2, KEY_SERIAL, MAC_2);
	memcpy(two, t.found.id, sizeof(two));
	t.alive[THERE] = t.alive[HERE] = false;
	assert_int_equal(meet(&t, HERE, 1, SERIAL_2, KEY_SERIAL, MAC_2),
	    ASSETBOOK_MOVED);
	assert_string_equal(t.found.id, two);
	assert_string_equal(t.displaced, one);
	assert_int_equal(meet(&t, THERE, 1, SERIAL_1, KEY_SERIAL, MAC_1),
	    ASSETBOOK_MOVED);
	assert_string_equal(t.found.id, one);
	assert_string_equal(t.displaced, "");
	end(&t);
}

static void
another_serial_is_another_asset(void **state)
{
	char id[UUID_TEXT_MAX];
	struct town t;

	start(&t);
	meet(&t, HERE, 1, SERIAL_1, KEY_SERIAL, MAC_1);
	memcpy(id, t.found.id, sizeof(id));
	assert_int_equal(meet(&t, HERE, 1, SERIAL_2, KEY_SERIAL, MAC_2),
	    ASSETBOOK_REPLACED);
	assert_string_not_equal(t.found.id, id);
	assert_string_equal(t.displaced, id);
	/* And when the first comes back from repair, it is itself. */
	assert_int_equal(meet(&t, HERE, 1, SERIAL_1, KEY_SERIAL, MAC_1),
	    ASSETBOOK_MOVED);
	assert_string_equal(t.found.id, id);
	end(&t);
}

static void
a_stronger_key_is_taken_over(void **state)
{
	char id[UUID_TEXT_MAX];
	struct known_asset a;
	struct town t;

	start(&t);
	meet(&t, HERE, 1, "I:192.0.2.7:LX 20", KEY_ADDRESS, NULL);
	memcpy(id, t.found.id, sizeof(id));
	assert_int_equal(meet(&t, HERE, 1, "M:" MAC_1, KEY_MAC, MAC_1),
	    ASSETBOOK_REKEYED);
	assert_int_equal(meet(&t, HERE, 1, SERIAL_1, KEY_SERIAL, MAC_1),
	    ASSETBOOK_REKEYED);
	assert_string_equal(t.found.id, id);
	assert_int_equal(known_asset_by_key(t.store, SERIAL_1, &a), 1);
	known_asset_clear(&a);
	assert_int_equal(known_asset_by_key(t.store, "M:" MAC_1, &a), 0);
	end(&t);
}

static void
a_weaker_key_today_changes_nothing(void **state)
{
	char id[UUID_TEXT_MAX];
	struct town t;

	start(&t);
	meet(&t, HERE, 1, SERIAL_1, KEY_SERIAL, MAC_1);
	memcpy(id, t.found.id, sizeof(id));
	assert_int_equal(meet(&t, HERE, 1, "M:" MAC_1, KEY_MAC, MAC_1),
	    ASSETBOOK_SAME);
	assert_string_equal(t.found.id, id);
	assert_string_equal(t.asset.key, SERIAL_1);
	/* What the key says is not told to have gone. */
	assert_string_equal(t.asset.serial, "KX7731");
	/* Asleep, it says next to nothing. */
	assert_int_equal(meet(&t, HERE, 1, "I:192.0.2.7:", KEY_ADDRESS, NULL),
	    ASSETBOOK_SAME);
	assert_string_equal(t.found.id, id);
	assert_string_equal(t.asset.serial, "KX7731");
	assert_string_equal(t.asset.mac, MAC_1);
	/* But one with another MAC is another one. */
	assert_int_equal(meet(&t, HERE, 1, "M:" MAC_2, KEY_MAC, MAC_2),
	    ASSETBOOK_REPLACED);
	end(&t);
}

static void
clones_go_by_their_macs(void **state)
{
	char one[UUID_TEXT_MAX], two[UUID_TEXT_MAX];
	struct town t;
	int i;

	start(&t);
	meet(&t, HERE, 1, SERIAL_1, KEY_SERIAL, MAC_1);
	memcpy(one, t.found.id, sizeof(one));
	assert_int_equal(meet(&t, THERE, 1, SERIAL_1, KEY_SERIAL, MAC_2),
	    ASSETBOOK_NEW);
	memcpy(two, t.found.id, sizeof(two));
	assert_string_not_equal(one, two);
	assert_int_equal(t.found.strength, KEY_MAC);
	assert_said("answers at two addresses with different MACs");
	for (i = 0; i < 3; i++) {
		assert_int_equal(meet(&t, HERE, 1, SERIAL_1, KEY_SERIAL,
		    MAC_1), ASSETBOOK_SAME);
		assert_string_equal(t.found.id, one);
		assert_int_equal(meet(&t, THERE, 1, SERIAL_1, KEY_SERIAL,
		    MAC_2), ASSETBOOK_SAME);
		assert_string_equal(t.found.id, two);
	}
	/* Once is enough. */
	assert_int_equal(kit_lines, 1);
	end(&t);
}

static void
one_at_two_addresses_is_told_from_one(void **state)
{
	char id[UUID_TEXT_MAX];
	struct town t;

	start(&t);
	meet(&t, HERE, 1, SERIAL_1, KEY_SERIAL, MAC_1);
	memcpy(id, t.found.id, sizeof(id));
	assert_int_equal(meet(&t, THERE, 1, SERIAL_1, KEY_SERIAL, MAC_1),
	    ASSETBOOK_ELSEWHERE);
	assert_string_equal(at(&t, HERE, 1), id);
	/* A MAC that cannot be read is no other one. */
	assert_int_equal(meet(&t, THERE, 1, SERIAL_1, KEY_SERIAL, NULL),
	    ASSETBOOK_ELSEWHERE);
	t.alive[HERE] = false;
	assert_int_equal(meet(&t, THERE, 1, SERIAL_1, KEY_SERIAL, MAC_1),
	    ASSETBOOK_MOVED);
	assert_string_equal(t.found.id, id);
	end(&t);
}

/* hrDeviceIndex may change with the firmware. */
static void
another_row_of_the_same_device(void **state)
{
	char id[UUID_TEXT_MAX];
	struct town t;

	start(&t);
	meet(&t, HERE, 1, SERIAL_1, KEY_SERIAL, MAC_1);
	memcpy(id, t.found.id, sizeof(id));
	meet(&t, HERE, 5, SERIAL_1, KEY_SERIAL, MAC_1);
	assert_string_equal(t.found.id, id);
	assert_string_equal(at(&t, HERE, 5), id);
	assert_string_equal(at(&t, HERE, 1), "");
	end(&t);
}

static void
addresses_prove_nothing(void **state)
{
	char id[UUID_TEXT_MAX];
	struct town t;

	start(&t);
	meet(&t, HERE, 1, "I:192.0.2.7:LX 20", KEY_ADDRESS, NULL);
	memcpy(id, t.found.id, sizeof(id));
	assert_int_equal(meet(&t, HERE, 1, "I:192.0.2.7:LX 20", KEY_ADDRESS,
	    NULL), ASSETBOOK_SAME);
	t.alive[HERE] = false;
	assert_int_equal(meet(&t, THERE, 1, "I:192.0.2.7:LX 20", KEY_ADDRESS,
	    NULL), ASSETBOOK_NEW);
	assert_string_not_equal(t.found.id, id);
	assert_int_equal(meet(&t, HERE, 1, "I:192.0.2.7:LX 30", KEY_ADDRESS,
	    NULL), ASSETBOOK_REPLACED);
	end(&t);
}

#define TEST(f)	cmocka_unit_test_setup_teardown(f, kit_dir_make, kit_dir_remove)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(new_and_the_same),
		TEST(an_address_change_moves_it),
		TEST(two_that_change_places),
		TEST(another_serial_is_another_asset),
		TEST(a_stronger_key_is_taken_over),
		TEST(a_weaker_key_today_changes_nothing),
		TEST(clones_go_by_their_macs),
		TEST(one_at_two_addresses_is_told_from_one),
		TEST(another_row_of_the_same_device),
		TEST(addresses_prove_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
