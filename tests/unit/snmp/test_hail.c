#include "snmp/hail.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <sys/socket.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "snmp/ber.h"

#define ROOM	2048

static struct loop *loop;
static struct hail *hail;
static struct hail_answer last;
static int answers;
static int fd;				/* who is called */
static struct sockaddr_in here, caller;

static void
on_answer(void *arg, const struct hail_answer *a)
{
	last = *a;
	answers++;
}

static int
socket_at(const char *ip, struct sockaddr_in *out)
{
	struct timeval patience = { .tv_sec = 5 };
	socklen_t len = sizeof(*out);
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	memset(out, 0, sizeof(*out));
	out->sin_family = AF_INET;
	assert_int_equal(inet_pton(AF_INET, ip, &out->sin_addr), 1);
	assert_int_equal(bind(s, (struct sockaddr *)out, sizeof(*out)), 0);
	assert_int_equal(getsockname(s, (struct sockaddr *)out, &len), 0);
	setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return s;
}

static int
set_up(void **state)
{
	loop = loop_new();
	hail = hail_new(loop, on_answer, NULL);
	fd = socket_at("127.0.0.1", &here);
	answers = 0;
	return hail == NULL ? -1 : 0;
}

static int
tear_down(void **state)
{
	hail_free(hail);
	loop_free(loop);
	close(fd);
	return 0;
}

static void
run_for(int64_t ms)
{
	int64_t end = clock_mono_ms() + ms;

	while (answers == 0 && clock_mono_ms() < end)
		loop_once(loop, 10);
}

/* Calls, and takes what arrives there; its length. */
static size_t
call(int version, uint8_t packet[ROOM])
{
	socklen_t len = sizeof(caller);
	ssize_t n;

	assert_true(hail_send(hail, &here, version, "geheim"));
	loop_once(loop, 0);
	n = recvfrom(fd, packet, ROOM, 0, (struct sockaddr *)&caller, &len);
	assert_true(n > 0);
	return (size_t)n;
}

static void
answer(int from, const struct ber_out *out)
{
	assert_int_equal(sendto(from, out->at, ber_out_len(out), 0,
	    (struct sockaddr *)&caller, sizeof(caller)),
	    (ssize_t)ber_out_len(out));
}

/* The PDU of what was asked. */
static void
read_call(const uint8_t *packet, size_t len, int want, struct ber_pdu *pdu)
{
	const uint8_t *community;
	struct ber_in in;
	size_t community_len;
	int version;

	assert_true(ber_get_message(packet, len, &version, &community,
	    &community_len, &in));
	assert_int_equal(version, want);
	assert_int_equal(community_len, 6);
	assert_memory_equal(community, "geheim", 6);
	assert_true(ber_get_pdu(&in, pdu));
	assert_int_equal(pdu->type, BER_GET);
}

/* A Response with sysObjectID = 1.3.6.1.4.1.enterprise.1, or noSuchName. */
static void
write_response(struct ber_out *out, uint8_t *buffer, int version, int32_t id,
    uint32_t enterprise)
{
	static const uint32_t name[] = { 1, 3, 6, 1, 2, 1, 1, 2, 0 };
	const uint32_t value[] = { 1, 3, 6, 1, 4, 1, enterprise, 1 };

	ber_out_init(out, buffer, ROOM);
	if (enterprise != 0)
		ber_put_objid(out, value, 8);
	else
		ber_put_octets(out, BER_NULL, "", 0);
	ber_put_objid(out, name, 9);
	ber_wrap(out, BER_SEQUENCE, 0);
	ber_wrap(out, BER_SEQUENCE, 0);
	ber_put_int(out, BAG_INTEGER, enterprise == 0);
	ber_put_int(out, BAG_INTEGER, enterprise == 0 ? 2 : 0);
	ber_put_int(out, BAG_INTEGER, id);
	ber_wrap(out, BER_RESPONSE, 0);
	ber_put_message(out, version, "geheim");
	assert_false(out->full);
}

static void
who_answers_is_heard(void **state)
{
	uint8_t packet[ROOM], buffer[ROOM];
	struct ber_pdu pdu;
	struct ber_out out;
	int version;

	for (version = 1; version <= 2; version++) {
		read_call(packet, call(version, packet), version, &pdu);
		write_response(&out, buffer, version, pdu.request_id, 4711);
		answers = 0;
		answer(fd, &out);
		run_for(5000);
		assert_int_equal(answers, 1);
		assert_int_equal(last.version, version);
		assert_int_equal(last.enterprise, 4711);
		assert_int_equal(last.addr.sin_port, here.sin_port);
		assert_int_equal(last.addr.sin_addr.s_addr,
		    here.sin_addr.s_addr);
		assert_false(last.elsewhere);
	}
}

/* One that does not know the object lives all the same. */
static void
errors_are_answers(void **state)
{
	uint8_t packet[ROOM], buffer[ROOM];
	struct ber_pdu pdu;
	struct ber_out out;

	read_call(packet, call(1, packet), 1, &pdu);
	write_response(&out, buffer, 1, pdu.request_id, 0);
	answer(fd, &out);
	run_for(5000);
	assert_int_equal(answers, 1);
	assert_int_equal(last.enterprise, 0);
}

/* The same number again for the same address, however late; no other. */
static void
numbers_are_the_address_s_own(void **state)
{
	uint8_t packet[ROOM];
	struct ber_pdu pdu, again, other;
	struct sockaddr_in first = here;
	int second;

	read_call(packet, call(2, packet), 2, &pdu);
	read_call(packet, call(2, packet), 2, &again);
	assert_int_equal(pdu.request_id, again.request_id);
	assert_true(pdu.request_id > 0);
	read_call(packet, call(1, packet), 1, &other);
	assert_int_not_equal(pdu.request_id, other.request_id);
	second = fd;
	fd = socket_at("127.0.0.2", &here);
	read_call(packet, call(2, packet), 2, &other);
	assert_int_not_equal(pdu.request_id, other.request_id);
	close(fd);
	fd = second;
	here = first;
}

static void
made_up_answers_are_not_heard(void **state)
{
	uint8_t packet[ROOM], buffer[ROOM];
	struct hail_count count;
	struct ber_pdu pdu;
	struct ber_out out;
	size_t len, i;

	len = call(2, packet);
	read_call(packet, len, 2, &pdu);
	/* Another number, another version, our own question, rubbish. */
	write_response(&out, buffer, 2, pdu.request_id ^ 1, 4711);
	answer(fd, &out);
	write_response(&out, buffer, 1, pdu.request_id, 4711);
	answer(fd, &out);
	assert_true(sendto(fd, packet, len, 0, (struct sockaddr *)&caller,
	    sizeof(caller)) > 0);
	write_response(&out, buffer, 2, pdu.request_id, 4711);
	for (i = 0; i < ber_out_len(&out) - 20; i += 3)
		assert_true(sendto(fd, out.at, i, 0,
		    (struct sockaddr *)&caller, sizeof(caller)) >= 0);
	run_for(200);
	assert_int_equal(answers, 0);
	hail_count(hail, &count);
	assert_true(count.strays >= 3);
	assert_int_equal(count.sent, 1);
}

static void
who_answers_from_elsewhere_is_found(void **state)
{
	uint8_t packet[ROOM], buffer[ROOM];
	struct sockaddr_in there;
	struct ber_pdu pdu;
	struct ber_out out;
	int other = socket_at("127.0.0.3", &there);

	read_call(packet, call(2, packet), 2, &pdu);
	write_response(&out, buffer, 2, pdu.request_id, 4711);
	answer(other, &out);
	run_for(5000);
	assert_int_equal(answers, 1);
	assert_true(last.elsewhere);
	assert_int_equal(last.addr.sin_addr.s_addr, here.sin_addr.s_addr);
	assert_int_equal(last.addr.sin_port, here.sin_port);
	close(other);
}

/* A Report as RFC 3414 section 4 has it, with an engine id of that length. */
static void
write_report(struct ber_out *out, uint8_t *buffer, int64_t id,
    const uint8_t *engine, size_t engine_len, uint8_t type)
{
	static const uint32_t stats[] = { 1, 3, 6, 1, 6, 3, 15, 1, 1, 4, 0 };
	uint8_t security[256];
	struct ber_out s;
	size_t mark;

	ber_out_init(&s, security, sizeof(security));
	ber_put_octets(&s, BAG_OCTETS, "", 0);
	ber_put_octets(&s, BAG_OCTETS, "", 0);
	ber_put_octets(&s, BAG_OCTETS, "", 0);
	ber_put_int(&s, BAG_INTEGER, 100);
	ber_put_int(&s, BAG_INTEGER, 1);
	ber_put_octets(&s, BAG_OCTETS, engine, engine_len);
	ber_wrap(&s, BER_SEQUENCE, 0);

	ber_out_init(out, buffer, ROOM);
	ber_put_int(out, BAG_COUNTER, 1);
	ber_put_objid(out, stats, 11);
	ber_wrap(out, BER_SEQUENCE, 0);
	ber_wrap(out, BER_SEQUENCE, 0);
	ber_put_int(out, BAG_INTEGER, 0);
	ber_put_int(out, BAG_INTEGER, 0);
	ber_put_int(out, BAG_INTEGER, 0);
	ber_wrap(out, type, 0);
	ber_put_octets(out, BAG_OCTETS, "", 0);
	ber_put_octets(out, BAG_OCTETS, engine, engine_len);
	ber_wrap(out, BER_SEQUENCE, 0);
	ber_put_octets(out, BAG_OCTETS, s.at, ber_out_len(&s));
	mark = ber_out_len(out);
	ber_put_int(out, BAG_INTEGER, 3);
	ber_put_octets(out, BAG_OCTETS, "\0", 1);
	ber_put_int(out, BAG_INTEGER, 65507);
	ber_put_int(out, BAG_INTEGER, id);
	ber_wrap(out, BER_SEQUENCE, mark);
	ber_put_int(out, BAG_INTEGER, 3);
	ber_wrap(out, BER_SEQUENCE, 0);
	assert_false(out->full);
}

static int64_t
message_id(const uint8_t *packet, size_t len)
{
	struct ber_in in, message, header;
	int64_t version, id;

	ber_in_init(&in, packet, len);
	assert_true(ber_enter(&in, BER_SEQUENCE, &message));
	assert_true(ber_get_int(&message, BAG_INTEGER, &version));
	assert_int_equal(version, 3);
	assert_true(ber_enter(&message, BER_SEQUENCE, &header));
	assert_true(ber_get_int(&header, BAG_INTEGER, &id));
	return id;
}

static void
engines_are_found_with_their_makers(void **state)
{
	static const uint8_t engine[] = { 0x80, 0, 0, 11, 3, 1, 2, 3, 4 };
	uint8_t packet[ROOM], buffer[ROOM];
	struct ber_out out;
	int64_t id;

	id = message_id(packet, call(3, packet));
	/* No Report; another's number. */
	write_report(&out, buffer, id, engine, 9, BER_RESPONSE);
	answer(fd, &out);
	write_report(&out, buffer, id + 1, engine, 9, BER_REPORT);
	answer(fd, &out);
	write_report(&out, buffer, INT64_C(1) << 33, engine, 9, BER_REPORT);
	answer(fd, &out);
	run_for(200);
	assert_int_equal(answers, 0);
	write_report(&out, buffer, id, engine, 9, BER_REPORT);
	answer(fd, &out);
	run_for(5000);
	assert_int_equal(answers, 1);
	assert_int_equal(last.version, 3);
	assert_int_equal(last.enterprise, 11);
	answers = 0;
	write_report(&out, buffer, id, engine, 0, BER_REPORT);
	answer(fd, &out);
	run_for(5000);
	assert_int_equal(answers, 1);
	assert_int_equal(last.enterprise, 0);
}

/* Nobody listens, no route: silence, and the others are asked. */
static void
refusals_are_silence(void **state)
{
	static const char *const nowhere[] = { "255.255.255.255", "0.0.0.0",
	    "240.0.0.1" };
	struct sockaddr_in addr = { .sin_family = AF_INET,
	    .sin_port = htons(1) };
	uint8_t packet[ROOM];
	struct ber_pdu pdu;
	size_t i;

	for (i = 0; i < 3; i++) {
		inet_pton(AF_INET, nowhere[i], &addr.sin_addr);
		assert_true(hail_send(hail, &addr, 2, "geheim"));
	}
	inet_pton(AF_INET, "127.0.0.4", &addr.sin_addr);
	assert_true(hail_send(hail, &addr, 2, "geheim"));
	read_call(packet, call(2, packet), 2, &pdu);
	run_for(100);
	assert_int_equal(answers, 0);
}

static void
long_communities_are_not_cut(void **state)
{
	char community[600];

	memset(community, 'x', sizeof(community) - 1);
	community[sizeof(community) - 1] = '\0';
	assert_false(hail_send(hail, &here, 2, community));
	community[255] = '\0';
	assert_true(hail_send(hail, &here, 2, community));
}

static void
many_leave_in_batches(void **state)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
	    .sin_port = htons(9) };
	struct hail_count count;
	int i;

	for (i = 0; i < 1000; i++) {
		addr.sin_addr.s_addr = htonl(0x7f000100u + (uint32_t)i);
		while (hail_room(hail) == 0)
			loop_once(loop, 100);
		assert_true(hail_send(hail, &addr, 2, "geheim"));
	}
	loop_once(loop, 0);
	hail_count(hail, &count);
	assert_int_equal(count.sent, 1000);
}

#define TEST(f)	cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_answers_is_heard),
		TEST(errors_are_answers),
		TEST(numbers_are_the_address_s_own),
		TEST(made_up_answers_are_not_heard),
		TEST(who_answers_from_elsewhere_is_found),
		TEST(engines_are_found_with_their_makers),
		TEST(refusals_are_silence),
		TEST(long_communities_are_not_cut),
		TEST(many_leave_in_batches),
	};

	return cmocka_run_group_tests_name("hail", tests, NULL, NULL);
}
