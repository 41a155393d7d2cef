#include "tests/sim/run.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/clock.h"
#include "tests/sim/listing.h"
#include "tests/sim/trap.h"

int
run_move(struct run *r)
{
	uint32_t to;

	if (address_parse(r->arg[0], &to) < 0)
		return run_wrong(r, "not an address");
	if (lan_move(r->lan, r->device, to) < 0)
		return run_wrong(r, "that address is taken or not in 127/8");
	truth_event(lan_truth(r->lan), "move", to, r->arg[0]);
	return 0;
}

/* Two devices change places, as after a muddle of DHCP leases. */
int
run_swap(struct run *r)
{
	uint32_t here = r->device->addr, there, aside = 0x7fffffffu;
	struct device *other;

	if (address_parse(r->arg[0], &there) < 0 || there == here ||
	    (other = lan_find(r->lan, there)) == NULL)
		return run_wrong(r, "no device there");
	if (lan_move(r->lan, other, aside) < 0 ||
	    lan_move(r->lan, r->device, there) < 0 ||
	    lan_move(r->lan, other, here) < 0)
		return run_wrong(r, "no room to swap");
	truth_event(lan_truth(r->lan), "swap", here, r->arg[0]);
	return 0;
}

int
run_add(struct run *r)
{
	return lan_add(r->lan, r->arg[0], r->out);
}

int
run_remove(struct run *r)
{
	truth_event(lan_truth(r->lan), "remove", r->device->addr, "");
	lan_remove(r->lan, r->device);
	return 0;
}

int
run_list(struct run *r)
{
	listing_devices(r->lan, r->out);
	return 0;
}

int
run_stats(struct run *r)
{
	listing_traffic(r->lan, r->device, r->out);
	return 0;
}

int
run_asked(struct run *r)
{
	listing_names(r->device, r->out);
	return 0;
}

int
run_changes(struct run *r)
{
	int64_t since = 0;

	if (r->args > 0 && (run_integer(r->arg[0], &since) < 0 || since < 0))
		return run_wrong(r, "usage: changes [SINCE]");
	truth_list(lan_truth(r->lan), (uint64_t)since, r->out);
	return 0;
}

int
run_reset(struct run *r)
{
	lan_reset(r->lan);
	truth_reset(lan_truth(r->lan));
	return 0;
}

/* latency ADDR|all MS|off */
int
run_latency(struct run *r)
{
	int64_t ms;
	bool all = strcmp(r->arg[0], "all") == 0;
	bool off = strcmp(r->arg[1], "off") == 0;
	struct device *d = NULL;
	uint32_t addr;

	if (!all && (address_parse(r->arg[0], &addr) < 0 ||
	    (d = lan_find(r->lan, addr)) == NULL))
		return run_wrong(r, "no such device");
	if (off)
		ms = 0;
	else if (run_integer(r->arg[1], &ms) < 0 || ms < 0 || ms > 60000)
		return run_wrong(r, "usage: latency ADDR|all MS|off");
	if (all)
		lan_set_latency(r->lan, (uint32_t)ms);
	else {
		d->has_latency = !off;
		d->latency_ms = (uint32_t)ms;
	}
	return 0;
}

static int
parse_hex(const char *text, uint8_t out[ENGINE_ID_MAX], size_t *len)
{
	struct buf body = { 0 };
	uint8_t tag;
	int rc;

	rc = value_parse("4x", text, strlen(text), &tag, &body);
	*len = body.len;
	if (rc == 0 && (body.len < 5 || body.len > ENGINE_ID_MAX))
		rc = -1;
	if (rc == 0)
		memcpy(out, body.data, body.len);
	buf_free(&body);
	return rc;
}

/* engine ADDR [new|HEX] */
int
run_engine(struct run *r)
{
	struct engine *e = device_engine(r->device);
	int64_t now_ms = clock_mono_ms();
	uint8_t id[ENGINE_ID_MAX];
	size_t len, i;

	if (r->args > 0 && strcmp(r->arg[0], "new") == 0)
		engine_renew(e, now_ms);
	else if (r->args > 0 && parse_hex(r->arg[0], id, &len) == 0)
		engine_rename(e, id, len, now_ms);
	else if (r->args > 0)
		return run_wrong(r, "usage: engine ADDR [new|HEX]");
	if (r->args > 0)
		truth_event(lan_truth(r->lan), "engine", r->device->addr,
		    r->arg[0]);
	for (i = 0; i < e->id_len; i++)
		buf_printf(r->out, "%02x", e->id[i]);
	buf_printf(r->out, " %u %u", e->boots, engine_time(e, now_ms));
	return 0;
}

int
run_skew(struct run *r)
{
	int64_t s = 0;

	if (strcmp(r->arg[0], "off") != 0 &&
	    (run_integer(r->arg[0], &s) < 0 || s < INT32_MIN ||
	    s > INT32_MAX))
		return run_wrong(r, "usage: skew ADDR SECONDS|off");
	device_engine(r->device)->skew_s = s;
	return 0;
}

/* "127.0.0.1:162" */
static int
parse_target(char *text, struct sockaddr_in *to)
{
	char *colon = strchr(text, ':');
	uint32_t addr;
	int64_t port;

	if (colon == NULL)
		return -1;
	*colon = '\0';
	if (address_parse(text, &addr) < 0 || addr >> 24 != 127 ||
	    run_integer(colon + 1, &port) < 0 || port < 1 || port > 65535)
		return -1;
	*to = (struct sockaddr_in){ .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(addr),
	    .sin_port = htons((uint16_t)port) };
	return 0;
}

/* trap ADDR [v1|v2c|inform] TARGET:PORT [community=TEXT] */
int
run_trap(struct run *r)
{
	static const char *const kinds[] = { "v1", "v2c", "inform" };
	const char *community = lan_community(r->lan);
	enum trap_kind kind = TRAP_V2C;
	struct buf why = { 0 };
	struct sockaddr_in to;
	int at = 0, k, rc;

	for (k = TRAP_V1; k <= TRAP_INFORM; k++)
		if (strcmp(r->arg[0], kinds[k]) == 0) {
			kind = (enum trap_kind)k;
			at = 1;
		}
	if (r->args > at + 1 &&
	    strncmp(r->arg[at + 1], "community=", 10) == 0)
		community = r->arg[at + 1] + 10;
	else if (r->args != at + 1)
		return run_wrong(r, "usage: trap ADDR [v1|v2c|inform] "
		    "127.0.0.1:PORT [community=TEXT]");
	if (parse_target(r->arg[at], &to) < 0)
		return run_wrong(r, "a trap goes to an address in 127/8 and "
		    "a port");
	rc = trap_send(r->lan, r->device, kind, &to, community,
	    clock_mono_ms(), &why);
	if (rc < 0)
		run_wrong(r, why.data);
	buf_free(&why);
	return rc;
}

int
run_record(struct run *r)
{
	if (strcmp(r->arg[0], "off") == 0) {
		record_stop(lan_record(r->lan));
		return 0;
	}
	return record_start(lan_record(r->lan), r->arg[0]) < 0 ?
	    run_wrong(r, "that file cannot be written") : 0;
}
