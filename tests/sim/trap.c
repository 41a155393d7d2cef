#include "tests/sim/trap.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/sim/ber.h"
#include "tests/sim/panel.h"
#include "tests/sim/pdu.h"

#define TRAP_ROOM	2048
#define COMMUNITY_MAX	200

enum { PDU_TRAP_V1 = 0xa4, PDU_INFORM = 0xa6, PDU_TRAP = 0xa7 };
enum { ENTERPRISE_SPECIFIC = 6 };

static const uint32_t alert_trap[] = { 1, 3, 6, 1, 2, 1, 43, 18, 2, 0, 1 };
static const uint32_t alert_enterprise[] = { 1, 3, 6, 1, 2, 1, 43, 18, 2 };
static const uint32_t up_time[] = { 1, 3, 6, 1, 2, 1, 1, 3, 0 };
static const uint32_t trap_id[] = { 1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0 };

static void
put_pair(struct ber_out *out, const uint32_t *sub, size_t len,
    uint8_t tag, const void *body, size_t body_len)
{
	uint8_t name[BER_OID_MAX];
	size_t name_len = ber_make_oid(sub, len, name);

	ber_put_head(out, BER_SEQUENCE,
	    ber_size(name_len) + ber_size(body_len));
	ber_put(out, BER_OID, name, name_len);
	ber_put(out, tag, body, body_len);
}

/* The objects of printerV2Alert: index, severity, group, group index,
 * location, code. */
static void
put_row(struct device *d, uint32_t index, struct ber_out *out)
{
	static const uint32_t columns[] = { 1, 2, 4, 5, 6, 7 };
	const struct value *v;
	uint8_t body[9];
	struct oid id;
	size_t i;

	for (i = 0; i < sizeof(columns) / sizeof(*columns); i++) {
		id = panel_alert_cell(d, columns[i], index);
		v = view_get(&d->view, id.sub, id.len);
		if (v != NULL)
			put_pair(out, id.sub, id.len, v->tag, v->body,
			    v->body_len);
		else	/* the index, which no walk holds, and what is not
			 * there */
			put_pair(out, id.sub, id.len, BER_INTEGER, body,
			    value_make(BER_INTEGER, columns[i] == 1 ?
			    (int64_t)index : -2, body));
	}
}

static void
put_v1_heads(struct ber_out *out, const struct device *d, uint32_t ticks)
{
	uint8_t address[4] = { (uint8_t)(d->addr >> 24),
	    (uint8_t)(d->addr >> 16), (uint8_t)(d->addr >> 8),
	    (uint8_t)d->addr };

	ber_put_oid(out, alert_enterprise, 9);
	ber_put(out, BER_IPADDRESS, address, 4);
	ber_put_int(out, BER_INTEGER, ENTERPRISE_SPECIFIC);
	ber_put_int(out, BER_INTEGER, 1);
	ber_put_int(out, BER_TIMETICKS, ticks);
}

static void
put_v2_heads(struct ber_out *out, struct ber_out *list, int32_t id,
    uint32_t ticks)
{
	uint8_t body[BER_OID_MAX];

	ber_put_int(out, BER_INTEGER, id);
	ber_put_int(out, BER_INTEGER, 0);
	ber_put_int(out, BER_INTEGER, 0);
	put_pair(list, up_time, 9, BER_TIMETICKS, body,
	    value_make(BER_TIMETICKS, ticks, body));
	put_pair(list, trap_id, 11, BER_OID, body,
	    ber_make_oid(alert_trap, 11, body));
}

static size_t
make(struct device *d, enum trap_kind kind, const char *community,
    int64_t now_ms, uint8_t out[TRAP_ROOM])
{
	static int32_t request;
	uint8_t fixed[128], list[1024], tag;
	struct ber_out f = { fixed, 0, sizeof(fixed), false };
	struct ber_out l = { list, 0, sizeof(list), false };
	struct ber_out all = { out, 0, TRAP_ROOM, false };
	uint32_t index = panel_newest(d);
	size_t pdu_len;

	if (index == 0)
		return 0;
	tag = kind == TRAP_V1 ? PDU_TRAP_V1 : kind == TRAP_V2C ? PDU_TRAP :
	    PDU_INFORM;
	if (kind == TRAP_V1)
		put_v1_heads(&f, d, device_uptime(d, now_ms));
	else
		put_v2_heads(&f, &l, ++request, device_uptime(d, now_ms));
	put_row(d, index, &l);
	pdu_len = f.len + ber_size(l.len);
	ber_put_head(&all, BER_SEQUENCE, ber_size(1) +
	    ber_size(strlen(community)) + ber_size(pdu_len));
	ber_put_int(&all, BER_INTEGER, kind == TRAP_V1 ? VERSION_1 :
	    VERSION_2C);
	ber_put(&all, BER_OCTETS, community, strlen(community));
	ber_put_head(&all, tag, pdu_len);
	memcpy(out + all.len, fixed, f.len);
	all.len += f.len;
	ber_put(&all, BER_SEQUENCE, list, l.len);
	return f.full || l.full || all.full ? 0 : all.len;
}

static int
send_from(uint32_t addr, const struct sockaddr_in *to, const uint8_t *bytes,
    size_t len)
{
	struct sockaddr_in from = { .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(addr) };
	int fd, rc = -1;

	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (bind(fd, (struct sockaddr *)&from, sizeof(from)) == 0 &&
	    sendto(fd, bytes, len, MSG_DONTWAIT, (const struct sockaddr *)to,
	    sizeof(*to)) == (ssize_t)len)
		rc = 0;
	close(fd);
	return rc;
}

int
trap_send(struct lan *lan, struct device *d, enum trap_kind kind,
    const struct sockaddr_in *to, const char *community, int64_t now_ms,
    struct buf *why)
{
	uint8_t bytes[TRAP_ROOM];
	size_t len;
	int rc;

	if (strlen(community) > COMMUNITY_MAX) {
		buf_puts(why, "that community is too long");
		return -1;
	}
	len = make(d, kind, community, now_ms, bytes);
	if (len == 0) {
		buf_puts(why, "it has no alert");
		return -1;
	}
	/* an inform is answered, so it leaves from where answers are read */
	rc = kind == TRAP_INFORM ? lan_send(lan, d->addr, to, bytes, len) :
	    send_from(d->addr, to, bytes, len);
	if (rc < 0)
		buf_printf(why, "not sent: %s", strerror(errno));
	return rc;
}
