/*
 * Lines over shared sockets: everyone gets what comes from his address and
 * nobody else's, a closed port is told to who asked it and disturbs no other,
 * and callbacks may pull the floor away.
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
#include "snmp/mux.h"
#include "snmp/sendqueue.h"

static struct loop	*loop;
static struct mux	*mux;

/* A socket on 127.0.0.host that sends back what it gets. */
struct echo {
	int			 fd;
	struct sockaddr_in	 addr;
	int			 got;
	bool			 silent;
};

struct heard {
	struct line	*line;
	int		 datagrams, refused;
	size_t		 len;
	uint8_t		 bytes[65536];
};

static struct sockaddr_in
address(unsigned host, unsigned port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(0x7f000000u + host),
	    .sin_port = htons((uint16_t)port) };

	return addr;
}

static void
on_echo(void *arg, int fd, unsigned events)
{
	static char bytes[65536];
	struct echo *echo = arg;
	struct sockaddr_in from;
	socklen_t from_len;
	ssize_t n;

	for (;;) {
		from_len = sizeof(from);
		n = recvfrom(fd, bytes, sizeof(bytes), MSG_DONTWAIT,
		    (struct sockaddr *)&from, &from_len);
		if (n == -1)
			return;
		echo->got++;
		if (!echo->silent)
			sendto(fd, bytes, (size_t)n, 0,
			    (struct sockaddr *)&from, from_len);
	}
}

static void
echo_open(struct echo *echo, unsigned host)
{
	socklen_t len = sizeof(echo->addr);
	int size = 16 * 1024 * 1024;

	memset(echo, 0, sizeof(*echo));
	echo->addr = address(host, 0);
	echo->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_not_equal(echo->fd, -1);
	setsockopt(echo->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	assert_int_equal(bind(echo->fd, (struct sockaddr *)&echo->addr, len),
	    0);
	assert_int_equal(getsockname(echo->fd,
	    (struct sockaddr *)&echo->addr, &len), 0);
	loop_watch(loop, echo->fd, LOOP_READ, on_echo, echo);
}

static void
echo_close(struct echo *echo)
{
	loop_watch(loop, echo->fd, 0, NULL, NULL);
	close(echo->fd);
}

static void
on_line(void *arg, enum line_event event, const uint8_t *bytes, size_t len)
{
	struct heard *heard = arg;

	if (event == LINE_REFUSED) {
		heard->refused++;
		return;
	}
	heard->datagrams++;
	heard->len = len;
	memcpy(heard->bytes, bytes, len);
}

static struct heard *
hear(const struct sockaddr_in *addr, bool alone)
{
	struct heard *heard = calloc(1, sizeof(*heard));

	heard->line = line_open(mux, addr, alone, on_line, heard);
	assert_non_null(heard->line);
	return heard;
}

static void
unhear(struct heard *heard)
{
	line_close(heard->line);
	free(heard);
}

static void
spin(int ms)
{
	int64_t until = clock_mono_ms() + ms;

	while (clock_mono_ms() < until)
		loop_once(loop, 2);
}

static void
wait_for(const int *count, int wanted)
{
	int64_t until = clock_mono_ms() + 10000;

	while (*count < wanted && clock_mono_ms() < until)
		loop_once(loop, 50);
	assert_int_equal(*count, wanted);
}

static int
setup(void **state)
{
	(void)state;
	loop = loop_new();
	mux = mux_new(loop);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	mux_free(mux);
	loop_free(loop);
	return 0;
}

static void
test_each_his_own(void **state)
{
	struct echo echo[20];
	struct heard *heard[20];
	char text[8];
	int i, round;

	(void)state;
	for (i = 0; i < 20; i++) {
		echo_open(&echo[i], (unsigned)i + 2);
		heard[i] = hear(&echo[i].addr, i % 5 == 4);
	}
	for (round = 1; round <= 3; round++) {
		for (i = 0; i < 20; i++) {
			snprintf(text, sizeof(text), "%d-%d", round, i);
			line_send(heard[i]->line, text, strlen(text) + 1);
		}
		for (i = 0; i < 20; i++) {
			wait_for(&heard[i]->datagrams, round);
			snprintf(text, sizeof(text), "%d-%d", round, i);
			assert_string_equal((char *)heard[i]->bytes, text);
		}
	}
	assert_int_equal(mux_strays(mux), 0);
	for (i = 0; i < 20; i++) {
		unhear(heard[i]);
		echo_close(&echo[i]);
	}
	/* Nobody is there: a loop need not run on. */
	loop_run(loop);
}

static void
test_sizes(void **state)
{
	static const size_t lens[] = { 0, 1, 2047, 2048, 2049, 9000, 65507 };
	static uint8_t bytes[MUX_PAYLOAD_MAX + 1];
	struct echo echo;
	struct heard *heard;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7 + i / 256);
	echo_open(&echo, 2);
	heard = hear(&echo.addr, false);
	for (i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		line_send(heard->line, bytes, lens[i]);
		wait_for(&heard->datagrams, (int)i + 1);
		assert_int_equal(heard->len, lens[i]);
		assert_memory_equal(heard->bytes, bytes, lens[i]);
	}
	line_send(heard->line, bytes, sizeof(bytes));
	line_send(heard->line, "x", 1);
	wait_for(&heard->datagrams, (int)i + 1);
	assert_int_equal(heard->len, 1);
	unhear(heard);
	echo_close(&echo);
}

static void
test_strangers(void **state)
{
	struct echo echo, other, elsewhere;
	struct heard *heard, *alone;
	struct sockaddr_in ours;
	socklen_t len;
	char byte;

	(void)state;
	echo_open(&echo, 2);
	echo_open(&other, 2);
	echo_open(&elsewhere, 3);
	loop_watch(loop, echo.fd, 0, NULL, NULL);
	heard = hear(&echo.addr, false);
	alone = hear(&echo.addr, true);
	line_send(heard->line, "a", 1);
	spin(5);
	len = sizeof(ours);
	assert_int_equal(recvfrom(echo.fd, &byte, 1, 0,
	    (struct sockaddr *)&ours, &len), 1);
	sendto(other.fd, "b", 1, 0, (struct sockaddr *)&ours, len);
	sendto(elsewhere.fd, "c", 1, 0, (struct sockaddr *)&ours, len);
	spin(10);
	assert_int_equal(heard->datagrams, 0);
	assert_int_equal(mux_strays(mux), 2);
	/* A line of its own takes an answer from anywhere. */
	line_send(alone->line, "a", 1);
	spin(5);
	assert_int_equal(recvfrom(echo.fd, &byte, 1, 0,
	    (struct sockaddr *)&ours, &len), 1);
	sendto(other.fd, "b", 1, 0, (struct sockaddr *)&ours, len);
	sendto(elsewhere.fd, "c", 1, 0, (struct sockaddr *)&ours, len);
	wait_for(&alone->datagrams, 2);
	assert_int_equal(heard->datagrams, 0);
	assert_int_equal(mux_strays(mux), 2);
	/* What comes when the line has gone is a stranger's. */
	len = sizeof(ours);
	unhear(alone);
	alone = hear(&elsewhere.addr, false);
	line_send(heard->line, "a", 1);
	spin(5);
	recvfrom(echo.fd, &byte, 1, 0, (struct sockaddr *)&ours, &len);
	unhear(heard);
	sendto(echo.fd, "d", 1, 0, (struct sockaddr *)&ours, len);
	heard = hear(&echo.addr, false);
	wait_for(&heard->datagrams, 1);
	unhear(heard);
	unhear(alone);
	echo_close(&echo);
	echo_close(&other);
	echo_close(&elsewhere);
}

/* Every other destination refuses: those are told so, and the rest hears
 * everything, in the same turns and on the same sockets. */
static void
test_refused(void **state)
{
	enum { N = 200, ROUNDS = 5 };
	static struct heard *good[N], *bad[N];
	struct echo echo[4], gone;
	struct heard *alone;
	int i, round;

	(void)state;
	echo_open(&gone, 9);
	echo_close(&gone);
	for (i = 0; i < 4; i++)
		echo_open(&echo[i], (unsigned)i + 2);
	for (i = 0; i < N; i++) {
		struct sockaddr_in addr = address((unsigned)i + 10,
		    ntohs(gone.addr.sin_port));

		bad[i] = hear(&addr, false);
		good[i] = hear(&echo[i % 4].addr, false);
	}
	alone = hear(&gone.addr, true);
	for (round = 1; round <= ROUNDS; round++) {
		for (i = 0; i < N; i++) {
			line_send(bad[i]->line, "x", 1);
			if (i < 4)
				line_send(good[i]->line, "x", 1);
		}
		line_send(alone->line, "x", 1);
		for (i = 0; i < N; i++) {
			wait_for(&bad[i]->refused, round);
			wait_for(&good[i]->datagrams, round);
		}
		wait_for(&alone->refused, round);
	}
	assert_int_equal(good[0]->refused, 0);
	assert_int_equal(bad[0]->datagrams, 0);
	assert_int_equal(mux_strays(mux), 0);
	/* Nothing is left that would keep the loop awake. */
	spin(5);
	for (i = 0; i < 20; i++)
		loop_once(loop, 0);
	for (i = 0; i < N; i++) {
		unhear(good[i]);
		unhear(bad[i]);
	}
	unhear(alone);
	for (i = 0; i < 4; i++)
		echo_close(&echo[i]);
}

/* No route: that one is lost, the others leave. */
static void
test_unsendable(void **state)
{
	struct echo echo;
	struct sockaddr_in broadcast = address(0, 9);
	struct heard *heard, *never[8];
	int i;

	(void)state;
	echo_open(&echo, 2);
	heard = hear(&echo.addr, false);
	for (i = 0; i < 8; i++) {
		/* EACCES without SO_BROADCAST, whoever we are. */
		broadcast.sin_addr.s_addr = INADDR_BROADCAST;
		broadcast.sin_port = htons((uint16_t)(9 + i));
		never[i] = hear(&broadcast, i == 7);
		line_send(never[i]->line, "x", 1);
		line_send(heard->line, "y", 1);
	}
	wait_for(&heard->datagrams, 8);
	for (i = 0; i < 8; i++)
		unhear(never[i]);
	unhear(heard);
	echo_close(&echo);
}

/* A whole fleet asked in one turn. */
static void
test_burst(void **state)
{
	enum { N = 10000 };
	static struct line *line[N];
	static char bytes[500];
	struct echo echo;
	struct sockaddr_in addr;
	int i;

	(void)state;
	echo_open(&echo, 0);
	echo_close(&echo);
	addr = echo.addr;
	echo_open(&echo, 1);
	echo.silent = true;
	for (i = 0; i < N; i++) {
		/* Lines by the thousand; datagrams to one that counts. */
		addr = address((unsigned)i + 2, 161);
		line[i] = line_open(mux, i % 2 == 0 ? &echo.addr : &addr,
		    false, on_line, NULL);
		assert_non_null(line[i]);
	}
	for (i = 0; i < N; i += 2)
		line_send(line[i], bytes, sizeof(bytes));
	wait_for(&echo.got, N / 2);
	for (i = 0; i < N; i++)
		line_close(line[i]);
	echo_close(&echo);
}

/* Callbacks that close what comes after them, open more, and free all. */
static struct line	*crowd[8];
static int		 crowd_calls;
static bool		 crowd_ends;

static void
on_crowd(void *arg, enum line_event event, const uint8_t *bytes, size_t len)
{
	struct sockaddr_in *addr = arg;
	struct sockaddr_in other;
	int i;

	crowd_calls++;
	for (i = 0; i < 8; i++) {
		line_close(crowd[i]);
		crowd[i] = NULL;
	}
	if (crowd_ends) {
		mux_free(mux);
		mux = NULL;
		return;
	}
	/* Enough to make the table grow under it. */
	for (i = 0; i < 200; i++) {
		other = address(1000 + (unsigned)i, 161);
		line_close(line_open(mux, &other, false, on_crowd, addr));
	}
	for (i = 0; i < 8; i++)
		crowd[i] = line_open(mux, addr, false, on_crowd, addr);
}

static void
test_floor(void **state)
{
	static struct line *many[500];
	struct echo echo;
	struct sockaddr_in addr;
	int i;

	(void)state;
	echo_open(&echo, 2);
	crowd_calls = 0;
	crowd_ends = false;
	for (i = 0; i < 8; i++)
		crowd[i] = line_open(mux, &echo.addr, false, on_crowd,
		    &echo.addr);
	for (i = 0; i < 500; i++) {
		addr = address(2000 + (unsigned)i, 161);
		many[i] = line_open(mux, &addr, false, on_crowd, &addr);
	}
	line_send(crowd[3], "x", 1);
	line_send(crowd[4], "x", 1);
	wait_for(&crowd_calls, 2);
	/* Sent and closed at once: it leaves all the same. */
	echo.got = 0;
	line_send(many[0], "x", 1);
	line_send(crowd[0], "x", 1);
	for (i = 0; i < 500; i++)
		line_close(many[i]);
	crowd_ends = true;
	wait_for(&crowd_calls, 3);
	assert_int_equal(echo.got, 1);
	assert_null(mux);
	spin(5);
	echo_close(&echo);
}

/* --- what waits to leave ------------------------------------------------------ */

static void
test_sendqueue(void **state)
{
	static uint8_t bytes[65507];
	struct sendqueue queue = { 0 };
	struct sockaddr_in to = address(2, 161);
	struct mmsghdr msgs[7];
	struct iovec iov[7];
	size_t put = 0, taken = 0, i, n, len;

	(void)state;
	srandom(4);
	while (taken < 20000) {
		for (i = (size_t)random() % 30; i > 0 && queue.len < 300;
		    i--, put++) {
			len = put % 100 == 99 ? 65507 : 4 + put * 37 % 1400;
			memcpy(bytes, &put, 4);
			to.sin_port = (in_port_t)put;
			assert_true(sendqueue_put(&queue, &to, bytes, len));
		}
		for (i = (size_t)random() % 8; i > 0; i--) {
			n = sendqueue_peek(&queue, msgs, iov, 7);
			assert_int_equal(n, queue.len < 7 ? queue.len : 7);
			for (len = 0; len < n; len++) {
				uint32_t number;
				const struct sockaddr_in *addr =
				    msgs[len].msg_hdr.msg_name;

				memcpy(&number, iov[len].iov_base, 4);
				assert_int_equal(number, taken + len);
				assert_int_equal(addr->sin_port,
				    (in_port_t)number);
				assert_int_equal(iov[len].iov_len,
				    number % 100 == 99 ? 65507 :
				    4 + number * 37 % 1400);
			}
			n = n > 0 ? (size_t)random() % (n + 1) : 0;
			sendqueue_drop(&queue, n);
			taken += n;
		}
	}
	assert_int_equal(queue.len, put - taken);
	sendqueue_drop(&queue, queue.len);
	assert_int_equal(queue.size, 0);
	/* It ends somewhere. */
	for (n = 0; sendqueue_put(&queue, &to, bytes, 1400); n++)
		;
	assert_in_range(n, 2000, 3000);
	assert_in_range(queue.size, 1, SENDQUEUE_MAX);
	assert_false(sendqueue_put(&queue, &to, bytes, 65507));
	sendqueue_clear(&queue);
	assert_int_equal(queue.size, 0);
	assert_int_equal(sendqueue_peek(&queue, msgs, iov, 7), 0);
}

#define T(name)	cmocka_unit_test_setup_teardown(test_ ## name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(each_his_own),
		T(sizes),
		T(strangers),
		T(refused),
		T(unsendable),
		T(burst),
		T(floor),
		cmocka_unit_test(test_sendqueue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
