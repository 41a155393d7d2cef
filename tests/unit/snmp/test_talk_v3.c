/*
 * Conversations in SNMPv3 with a device that behaves as it is told: how many
 * messages it takes, what ends a request, and with which words.
 */
#include <sys/socket.h>

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/loop.h"
#include "snmp/asker.h"
#include "tests/unit/snmp/v3peer.h"

/* usmStats, RFC 3414 section 5. */
#define LEVELS		1
#define WINDOWS		2
#define USERS		3
#define ENGINES		4
#define DIGESTS		5
#define DECRYPTION	6

static struct loop	*loop;
static struct asker	*asker;
static struct usm_user	*user, *other;
static struct credential credential;
static uint8_t		 scratch[USM_MESSAGE_MAX];

static struct device {
	struct v3peer		 peer;
	int			 fd;
	struct sockaddr_in	 addr;
	int			 requests;
	uint32_t		 report;	/* this to every question */
	bool			 mute;		/* to what has privacy */
	bool			 silent;
	bool			 forges, withholds;
	bool			 forever;	/* another clock each time */
	const char		*context;	/* mute to any other */
	int32_t			 ids[16];	/* of messages */
	struct sockaddr_in	 from;
	bool			 hold_first;	/* and answer it only */
	int32_t			 first_id, first_request;
} device;

static struct answer {
	int			 calls;
	enum talk_status	 status;
	int			 error;
	int64_t			 number;
} got;

static void
send_out(const struct ber_out *out)
{
	assert_false(out->full);
	sendto(device.fd, out->at, ber_out_len(out), 0,
	    (struct sockaddr *)&device.from, sizeof(device.from));
}

static void
send_report(int32_t msg_id, uint32_t stat, uint8_t level)
{
	const uint32_t sub[] = { 1, 3, 6, 1, 6, 3, 15, 1, 1, stat, 0 };
	struct v3message m;
	struct ber_out *out = v3message_start(&m);

	v3_put_pdu(out, BER_REPORT, 0, sub, 11, 1);
	v3peer_wrap(&device.peer, out, msg_id, level);
	send_out(out);
}

static void
send_answer(int32_t msg_id, int32_t request_id, uint8_t level, int64_t number)
{
	struct v3message m;
	struct ber_out *out = v3message_start(&m);

	v3_put_pdu(out, BER_RESPONSE, request_id, V3_UPTIME, number);
	v3peer_wrap(&device.peer, out, msg_id, level);
	if (number == 666)
		out->end[-1] ^= 1;
	send_out(out);
}

/* What RFC 3414 section 3.2 says, in its order. */
static void
on_request(const uint8_t *bytes, size_t len)
{
	struct v3peer *peer = &device.peer;
	struct ber_pdu pdu;
	struct usmmsg m;
	uint8_t level;

	assert_true(usmmsg_parse(&m, bytes, len));
	device.ids[device.requests++ % 16] = m.msg_id;
	level = m.flags & USMMSG_LEVEL;
	if (device.silent || (device.mute && (level & USMMSG_PRIVACY)))
		return;
	if (!usmmsg_same(m.engine, peer->id, peer->id_len)) {
		send_report(m.msg_id, ENGINES, 0);
		return;
	}
	if (!usmmsg_same(m.user, peer->user->name, peer->user->name_len)) {
		send_report(m.msg_id, USERS, 0);
		return;
	}
	if ((level & USMMSG_AUTH) &&
	    !usmmsg_authentic(&m, peer->user->auth, peer->keys.auth)) {
		send_report(m.msg_id, DIGESTS, 0);
		return;
	}
	if (device.forever)
		peer->time += 1000;
	if ((level & USMMSG_AUTH) && (m.boots != peer->boots ||
	    abs(m.time - peer->time) > USMMSG_WINDOW_S)) {
		send_report(m.msg_id, WINDOWS, USMMSG_AUTH);
		return;
	}
	if (device.report != 0) {
		send_report(m.msg_id, device.report, USMMSG_AUTH);
		return;
	}
	if (!usmmsg_open(&m, peer->user->privacy, &peer->keys, scratch)) {
		send_report(m.msg_id, DECRYPTION, USMMSG_AUTH);
		return;
	}
	if (device.context != NULL && m.context.len > 0 &&
	    !usmmsg_same(m.context, device.context, strlen(device.context)))
		return;
	assert_true(ber_get_pdu(&m.pdu, &pdu));
	if (device.hold_first && device.first_id == 0) {
		device.first_id = m.msg_id;
		device.first_request = pdu.request_id;
		return;
	}
	if (device.forges) {
		send_answer(m.msg_id, pdu.request_id, level, 666);
		send_answer(m.msg_id, pdu.request_id, 0, 667);
		send_answer(m.msg_id + 1, pdu.request_id, level, 668);
		send_answer(m.msg_id, pdu.request_id + 1, level, 669);
		sendto(device.fd, bytes, len - 3, 0,
		    (struct sockaddr *)&device.from, sizeof(device.from));
		if (device.withholds)
			return;
	}
	if (device.first_id != 0)
		send_answer(device.first_id, device.first_request, level, 42);
	else
		send_answer(m.msg_id, pdu.request_id, level, 42);
}

static void
on_readable(void *arg, int fd, unsigned events)
{
	uint8_t bytes[V3_MESSAGE];
	socklen_t len = sizeof(device.from);
	ssize_t n;

	(void)arg;
	(void)events;
	n = recvfrom(fd, bytes, sizeof(bytes), 0,
	    (struct sockaddr *)&device.from, &len);
	assert_true(n > 0);
	on_request(bytes, (size_t)n);
}

static void
on_answer(void *arg, enum talk_status status, int error,
    const struct talk_varbind *vb, size_t n)
{
	(void)arg;
	got.calls++;
	got.status = status;
	got.error = error;
	got.number = n > 0 ? vb[0].value.number : -1;
}

static struct talk *
new_talk(struct usm_engine *engine, int timeout_ms, int retries)
{
	struct talk_target target = { .addr = device.addr,
	    .credential = &credential, .version = 3, .engine = engine,
	    .timeout_ms = timeout_ms, .retries = retries };

	return talk_new(asker, &target);
}

static void
ask(struct talk *talk)
{
	struct objid id;
	struct talk_question question = { .op = TALK_GET, .ids = &id,
	    .n = 1 };
	int64_t until = clock_mono_ms() + 5000;

	objid_parse("1.3.6.1.2.1.1.3.0", &id);
	memset(&got, 0, sizeof(got));
	device.requests = 0;
	talk_ask(talk, &question, on_answer, NULL);
	while (got.calls == 0 && clock_mono_ms() < until)
		loop_once(loop, 100);
	assert_int_equal(got.calls, 1);
}

static void
assert_denied(enum usm_verdict verdict)
{
	assert_int_equal(got.status, TALK_DENIED);
	assert_int_equal(got.error, verdict);
}

static void
assert_fine(int requests)
{
	assert_int_equal(got.status, TALK_OK);
	assert_int_equal(got.number, 42);
	assert_int_equal(device.requests, requests);
}

static int
setup(void **state)
{
	socklen_t len = sizeof(device.addr);

	(void)state;
	loop = loop_new();
	asker = asker_new(loop, 8);
	memset(&device, 0, sizeof(device));
	v3peer_init(&device.peer, "a device's engine", user);
	device.addr.sin_family = AF_INET;
	device.addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	device.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(device.fd, (struct sockaddr *)&device.addr,
	    len), 0);
	assert_int_equal(getsockname(device.fd,
	    (struct sockaddr *)&device.addr, &len), 0);
	loop_watch(loop, device.fd, LOOP_READ, on_readable, NULL);
	memset(&credential, 0, sizeof(credential));
	credential.version = 3;
	credential.user = user;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	loop_watch(loop, device.fd, 0, NULL, NULL);
	close(device.fd);
	asker_free(asker);
	loop_free(loop);
	return 0;
}

/* Two messages the first time, one from then on, also in another visit. */
static void
test_discovery(void **state)
{
	struct usm_engine *engine = usm_engine_new();
	struct talk *talk = new_talk(engine, 1000, 0);

	(void)state;
	ask(talk);
	assert_fine(2);
	assert_int_equal(talk_traffic(talk)->requests, 2);
	ask(talk);
	assert_fine(1);
	talk_free(talk);
	talk = new_talk(engine, 1000, 0);
	ask(talk);
	assert_fine(1);
	talk_free(talk);
	usm_engine_free(engine);
	/* And with an engine of the talk's own. */
	talk = new_talk(NULL, 1000, 0);
	ask(talk);
	assert_fine(2);
	ask(talk);
	assert_fine(1);
	talk_free(talk);
}

/* The device was restarted, its clock set back, or it was replaced. */
static void
test_clock_and_engine(void **state)
{
	struct usm_engine *engine = usm_engine_new();
	struct talk *talk = new_talk(engine, 1000, 0);

	(void)state;
	ask(talk);
	device.peer.boots++;
	device.peer.time = 5;
	ask(talk);
	assert_fine(2);
	device.peer.boots = 1;
	ask(talk);
	assert_fine(2);
	v3peer_init(&device.peer, "another device", user);
	ask(talk);
	assert_fine(2);
	talk_free(talk);
	usm_engine_free(engine);
}

/* It ends, whatever the device says. */
static void
test_for_ever(void **state)
{
	struct talk *talk = new_talk(NULL, 1000, 0);

	(void)state;
	device.forever = true;
	ask(talk);
	assert_denied(USM_TIME_WINDOW);
	assert_in_range(device.requests, 2, 8);
	device.forever = false;
	device.report = WINDOWS;
	ask(talk);
	assert_denied(USM_TIME_WINDOW);
	assert_in_range(device.requests, 1, 8);
	device.report = ENGINES;
	ask(talk);
	assert_in_range(device.requests, 1, 8);
	assert_int_not_equal(got.status, TALK_OK);
	device.report = 0;
	ask(talk);
	assert_int_equal(got.status, TALK_OK);
	talk_free(talk);
}

static void
test_denied(void **state)
{
	static const struct {
		uint32_t		 report;
		enum usm_verdict	 verdict;
	} cases[] = {
		{ LEVELS, USM_WRONG_LEVEL }, { USERS, USM_UNKNOWN_USER },
		{ DIGESTS, USM_WRONG_AUTH }, { DECRYPTION, USM_WRONG_PRIVACY }
	};
	struct talk *talk = new_talk(NULL, 1000, 0);
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		device.report = cases[i].report;
		ask(talk);
		assert_denied(cases[i].verdict);
	}
	talk_free(talk);
	/* Another user, and no user at all. */
	device.report = 0;
	credential.user = other;
	talk = new_talk(NULL, 1000, 0);
	ask(talk);
	assert_denied(USM_UNKNOWN_USER);
	talk_free(talk);
	credential.user = NULL;
	talk = new_talk(NULL, 1000, 0);
	ask(talk);
	assert_denied(USM_UNKNOWN_USER);
	assert_int_equal(device.requests, 0);
	talk_free(talk);
}

/* Silence to what it cannot read, after the retries. */
static void
test_mute(void **state)
{
	struct talk *talk = new_talk(NULL, 40, 1);
	struct usm_engine *engine = usm_engine_new();

	(void)state;
	device.mute = true;
	ask(talk);
	assert_denied(USM_WRONG_PRIVACY);
	talk_free(talk);
	device.mute = false;
	device.context = "Jetdirect";
	credential.context = (char *)(uintptr_t)"Jetdirecd";
	talk = new_talk(engine, 40, 1);
	ask(talk);
	assert_denied(USM_UNKNOWN_CONTEXT);
	talk_free(talk);
	credential.context = (char *)(uintptr_t)"Jetdirect";
	talk = new_talk(engine, 40, 1);
	ask(talk);
	assert_fine(1);
	/* Switched off: one more question than without v3. */
	device.silent = true;
	ask(talk);
	assert_int_equal(got.status, TALK_TIMEOUT);
	assert_int_equal(device.requests, 3);
	usm_engine_forget(engine);
	ask(talk);
	assert_int_equal(got.status, TALK_TIMEOUT);
	assert_int_equal(device.requests, 2);
	device.silent = false;
	ask(talk);
	assert_fine(2);
	talk_free(talk);
	usm_engine_free(engine);
}

/* Each try is another message; the answer to an earlier one is good. */
static void
test_late(void **state)
{
	struct talk *talk = new_talk(NULL, 50, 3);

	(void)state;
	device.hold_first = true;
	ask(talk);
	assert_fine(3);		/* the discovery, and two tries */
	assert_int_not_equal(device.ids[1], device.ids[2]);
	device.hold_first = false;
	device.first_id = 0;
	ask(talk);
	assert_fine(1);
	talk_free(talk);
}

/* What is signed wrongly, not at all, or for another message. */
static void
test_forged(void **state)
{
	struct talk *talk = new_talk(NULL, 50, 0);

	(void)state;
	device.forges = true;
	ask(talk);
	assert_fine(2);
	device.withholds = true;
	ask(talk);
	assert_denied(USM_FORGED);
	talk_free(talk);
}

static void
test_refused(void **state)
{
	struct talk *talk = new_talk(NULL, 1000, 3);

	(void)state;
	loop_watch(loop, device.fd, 0, NULL, NULL);
	close(device.fd);
	ask(talk);
	assert_int_equal(got.status, TALK_REFUSED);
	talk_free(talk);
	device.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

#define T(name)	cmocka_unit_test_setup_teardown(test_ ## name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(discovery),
		T(clock_and_engine),
		T(for_ever),
		T(denied),
		T(mute),
		T(late),
		T(forged),
		T(refused),
	};
	char why[100];
	int failed;

	user = usm_user_new("reader", USM_SHA1, "auth password", USM_AES128,
	    "privacy password", why, sizeof(why));
	other = usm_user_new("other", USM_SHA1, "auth password", USM_AES128,
	    "privacy password", why, sizeof(why));
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	usm_user_free(user);
	usm_user_free(other);
	usmkey_close();
	return failed;
}
