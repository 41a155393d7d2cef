"""Promise: a connected socket to the first place that answers, found by SRV,
name and address, and nothing waits longer than it must: not for a name server
that is gone, not for an address that swallows everything.

dial_probe does the work, a scripted name server and plain sockets are what it
meets; its "tick" lines show that the loop never stands still.
"""
import os
import resource
import socket

import pytest

from acceptor import Acceptor
from dnsfake import AAAA, A, SRV, Names, a, aaaa, srv
from rig import PATIENCE, program
from uplinkprobe import Probe

DOMAIN = "agents.test"
XMPP, XMPPS = f"_xmpp-client._tcp.{DOMAIN}", f"_xmpps-client._tcp.{DOMAIN}"


class Listener(Acceptor):
    """Answers with its name to everybody who says something, as a server of
    XMPP does."""

    def __init__(self, name, host="127.0.0.1", port=0):
        self.text = name
        super().__init__(host, port)

    def serve(self, conn):
        while conn.recv(1000):
            conn.sendall(self.text.encode())


class BlackHole:
    """A port that takes nobody and refuses nobody: its queue is full."""

    def __init__(self, host="127.0.0.1", port=0):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.sock = socket.socket(family)
        self.sock.bind((host, port))
        self.sock.listen(0)
        self.port, self.queue = self.sock.getsockname()[1], []
        for _ in range(8):
            s = socket.socket(family)
            s.settimeout(0.3)
            self.queue.append(s)
            try:
                s.connect((host, self.port))
            except OSError:
                return
        raise AssertionError("the queue does not fill")

    def close(self):
        for s in [self.sock, *self.queue]:
            s.close()


def refused_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@pytest.fixture
def make():
    made = []

    def start(kind, *args, **more):
        try:
            made.append(kind(*args, **more))
        except OSError as e:
            if ":" in str(args) + str(more):
                pytest.skip(f"no IPv6 here: {e}")
            raise
        return made[-1]
    yield start
    for thing in made:
        thing.close()


@pytest.fixture
def dial():
    probes = []

    def start(**config):
        config.setdefault("connect_ms", int(8000 * PATIENCE))
        probes.append(Probe(program("tests/unit/xmpp/dial_probe"), config))
        probes[-1].say("start")
        return probes[-1]
    yield start
    for p in probes:
        p.end()


def given(p, timeout=4):
    """(host, address, port, kind) of the next socket."""
    m = p.expect(r"socket (\S+) (\S+) (\d+) (direct|starttls)"
                 r"(?: proxied)? nonblock cloexec$", timeout)
    return m.group(1), m.group(2), int(m.group(3)), m.group(4)


# ---- the order of targets ------------------------------------------------

def test_a_host(make, dial):
    """host:port STARTTLS, host:fallback_port direct TLS, then STARTTLS."""
    one, two = make(Listener, "one"), make(Listener, "two")
    p = dial(host="127.0.0.1", port=one.port, fallback_port=two.port)
    assert given(p) == ("127.0.0.1", "127.0.0.1", one.port, "starttls")
    p.expect("heard one", 4)
    p.say("next no TLS there")
    assert given(p) == ("127.0.0.1", "127.0.0.1", two.port, "direct")
    p.say("next bad certificate")
    assert given(p) == ("127.0.0.1", "127.0.0.1", two.port, "starttls")
    p.expect("heard two", 4)
    p.say("next not authorized")
    why = p.expect("end open (.*)", 4).group(1)
    assert why == (
        f"127.0.0.1 port {one.port}, STARTTLS: no TLS there; "
        f"127.0.0.1 port {two.port}, direct TLS: bad certificate; "
        f"127.0.0.1 port {two.port}, STARTTLS: not authorized")


def test_the_same_port_twice_and_none(make, dial):
    one = make(Listener, "one")
    p = dial(host="127.0.0.1", port=one.port, fallback_port=one.port)
    assert [given(p)[3], p.say("next x"), given(p)[3]] == [
        "starttls", None, "direct"]
    p.say("next x")
    p.expect("end open", 4)
    p = dial(host="127.0.0.1", port=refused_port(), fallback_port=0)
    assert "Connection refused" in p.expect("end open (.*)", 4).group(1)


def test_what_worked_comes_first(make, dial):
    one, two = make(Listener, "one"), make(Listener, "two")
    p = dial(host="127.0.0.1", port=one.port, fallback_port=two.port)
    given(p)
    p.say("next x")
    assert given(p)[3] == "direct"
    p.say("again")
    assert given(p)[2:] == (two.port, "direct")
    p.say("next gone")
    assert given(p)[2:] == (one.port, "starttls")
    p.say("next gone")
    assert given(p)[2:] == (two.port, "starttls")
    p.say("next gone")
    p.expect("end open", 4)


def test_srv_of_both_kinds_mixed(make, dial):
    """XEP-0368: one set, by priority; then the hosts on fallback_port."""
    ports = [make(Listener, f"l{n}").port for n in range(4)]
    last = make(Listener, "last")
    dns = make(Names, {
        (XMPP, SRV): [srv(10, 0, ports[0], "one.test"),
                      srv(30, 0, ports[2], "two.test")],
        (XMPPS, SRV): [srv(40, 0, ports[3], "one.test"),
                       srv(20, 0, ports[1], "two.test")],
        ("one.test", A): [a()], ("two.test", A): [a()]})
    p = dial(dns=dns.port, port=5222, fallback_port=last.port)
    for want in (("one.test", ports[0], "starttls"),
                 ("two.test", ports[1], "direct"),
                 ("two.test", ports[2], "starttls"),
                 ("one.test", ports[3], "direct"),
                 ("one.test", last.port, "direct"),
                 ("two.test", last.port, "direct"),
                 ("one.test", last.port, "starttls"),
                 ("two.test", last.port, "starttls")):
        host, _, port, kind = given(p)
        assert (host, port, kind) == want
        p.say("next x")
    p.expect("end open", 4)
    # Names are looked up once a round.
    assert dns.asked.count(("one.test", A)) == 1


def test_srv_says_no(make, dial):
    good = make(Listener, "good")
    no, yes = [srv(0, 0, 0, ".")], [srv(0, 0, good.port, DOMAIN)]
    host = {(DOMAIN, A): [a()]}
    for records in ({(XMPP, SRV): no}, {(XMPP, SRV): no, (XMPPS, SRV): no}):
        dns = make(Names, {**records, **host})
        p = dial(dns=dns.port, port=good.port, fallback_port=good.port)
        p.expect(f"end open the SRV record of {DOMAIN} says that it has no "
                 "XMPP service", 4)
    # No direct TLS: not on the fallback port either.
    dns = make(Names, {(XMPP, SRV): yes, (XMPPS, SRV): no, **host})
    p = dial(dns=dns.port, port=1, fallback_port=good.port)
    assert given(p)[2:] == (good.port, "starttls")
    p.say("next x")
    p.expect("end open", 4)
    # Only direct TLS.
    dns = make(Names, {(XMPP, SRV): no, (XMPPS, SRV): yes, **host})
    p = dial(dns=dns.port, port=1, fallback_port=0)
    assert given(p)[2:] == (good.port, "direct")


def test_without_srv_the_domain(make, dial):
    one, two = make(Listener, "one"), make(Listener, "two")
    dns = make(Names, {(DOMAIN, A): [a()]})
    p = dial(dns=dns.port, port=one.port, fallback_port=two.port)
    for want in ((one.port, "starttls"), (two.port, "direct"),
                 (two.port, "starttls")):
        host, _, *rest = given(p)
        assert (host, *rest) == (DOMAIN, *want)
        p.say("next x")
    assert {q for q in dns.asked if q[1] == SRV} == {
        (XMPP, SRV), (XMPPS, SRV)}


def test_many_records_are_bounded(make, dial):
    """Each costs time: of a hundred the first 16 by priority count."""
    dns = make(Names, {(XMPP, SRV): [
        srv(n, 0, 1, f"h{n}.test") for n in range(100)]})
    p = dial(dns=dns.port, fallback_port=0)
    p.expect("end open cannot resolve h0.test: there is no such name", 8)
    assert len({n for n, kind in dns.asked if kind == A}) == 16


# ---- addresses -----------------------------------------------------------

def test_ipv6_first_and_the_rest_later(make, dial):
    six = make(Listener, "six", "::1")
    four = make(Listener, "four", port=six.port)
    dns = make(Names, {(DOMAIN, A): [a(), a("127.0.0.9")],
                       (DOMAIN, AAAA): [aaaa()]})
    p = dial(host=DOMAIN, dns=dns.port, port=six.port, fallback_port=0)
    assert given(p)[1] == "::1"
    p.expect("heard six", 4)
    p.say("next no login")
    assert given(p)[1] == "127.0.0.1"
    p.expect("heard four", 4)
    assert four.conns
    p.say("next no login")
    why = p.expect("end open (.*)", 4).group(1)
    assert "(::1)" in why and "(127.0.0.1)" in why and "(127.0.0.9)" in why


def test_blackholed_ipv6_costs_a_quarter_second(make, dial):
    """Not the time that a connection may take."""
    hole = make(BlackHole, "::1")
    four = make(Listener, "four", port=hole.port)
    dns = make(Names, {(DOMAIN, A): [a()], (DOMAIN, AAAA): [aaaa()]})
    p = dial(host=DOMAIN, dns=dns.port, port=hole.port, fallback_port=0,
             connect_ms=60000)
    assert given(p, 10)[1] == "127.0.0.1"
    p.expect("heard four", 4)
    assert four.conns


def test_aaaa_that_never_comes(make, dial):
    """The A record is there: 50 ms are enough to wait for the other."""
    four = make(Listener, "four")
    dns = make(Names, {(DOMAIN, A): [a()], (DOMAIN, AAAA): [aaaa()]},
               delay={AAAA: 3600})
    p = dial(host=DOMAIN, dns=dns.port, port=four.port, fallback_port=0,
             names_ms=60000)
    assert given(p, 10)[1] == "127.0.0.1"


def test_aaaa_a_little_late(make, dial):
    """Comes while the first connection stands already, and is used next."""
    six = make(Listener, "six", "::1")
    make(Listener, "four", port=six.port)
    dns = make(Names, {(DOMAIN, A): [a()], (DOMAIN, AAAA): [aaaa()]},
               delay={AAAA: 0.5})
    p = dial(host=DOMAIN, dns=dns.port, port=six.port, fallback_port=0)
    assert given(p)[1] == "127.0.0.1"
    p.say("next x")
    assert given(p)[1] == "::1"


def test_all_addresses_but_not_more(make, dial):
    port = refused_port()
    dns = make(Names, {(DOMAIN, A): [a(f"127.0.1.{n}") for n in range(30)]})
    p = dial(host=DOMAIN, dns=dns.port, port=port, fallback_port=0)
    why = p.expect("end open (.*)", 8).group(1)
    assert why.count("Connection refused") == 8


def test_black_holes_end(make, dial):
    hole = make(BlackHole)
    p = dial(host="127.0.0.1", port=hole.port, fallback_port=0,
             connect_ms=700)
    p.expect("end open .*no answer within 0.7 s", 10)


def test_a_winner_that_is_no_use_does_not_hide_the_loser(make, dial):
    """Both were under way; the second to answer is tried again later."""
    hole = make(BlackHole, "::1")
    make(Listener, "four", port=hole.port)
    dns = make(Names, {(DOMAIN, A): [a()], (DOMAIN, AAAA): [aaaa()]})
    p = dial(host=DOMAIN, dns=dns.port, port=hole.port, fallback_port=0,
             connect_ms=1500)
    assert given(p, 10)[1] == "127.0.0.1"
    p.say("next no login")
    why = p.expect("end open (.*)", 12).group(1)
    assert "(127.0.0.1) port" in why and "(::1) port" in why
    assert "no answer within" in why


# ---- name servers --------------------------------------------------------

def ticks_until_end(p, timeout):
    p.say("tick")
    p.expect("tick", 4)
    p.expect("end open", timeout)
    return sum(line == "tick" for line in p.seen)


def test_dead_name_server(make, dial):
    """Named, in bounded time, and the loop runs on."""
    dns = make(Names, {}, answer=False)
    p = dial(dns=dns.port, port=5222, names_ms=1500)
    assert ticks_until_end(p, 20) > 10
    end = p.seen[-1]
    assert (f"cannot look up the SRV records of {DOMAIN}: name server "
            f"127.0.0.1 port {dns.port}: no answer") in end
    assert f"cannot resolve {DOMAIN}: name server 127.0.0.1" in end
    assert end.count("cannot resolve") == 1


def test_no_name_server_there(make, dial):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    p = dial(host="a.test", dns=port, port=5222)
    p.expect(f"end open cannot resolve a.test: name server 127.0.0.1 port "
             f"{port}: nothing listens there", 10)


def test_slow_name_server(make, dial):
    """Slower than one try is given, faster than the deadline."""
    good = make(Listener, "good")
    dns = make(Names, {(DOMAIN, A): [a()]}, delay={None: 1.6})
    p = dial(dns=dns.port, port=good.port, names_ms=int(5000 * PATIENCE))
    assert given(p, 20)[0] == DOMAIN


@pytest.mark.parametrize("rcode", [2, 5])
def test_name_server_that_fails(make, dial, rcode):
    dns = make(Names, {}, rcode=rcode)
    p = dial(dns=dns.port, port=5222)
    p.expect("end open .*name server 127.0.0.1 .*SERVFAIL, REFUSED", 15)


def test_unknown_name(make, dial):
    dns = make(Names, {})
    p = dial(host="nowhere.test", dns=dns.port, port=5222)
    p.expect("end open cannot resolve nowhere.test: there is no such name", 6)
    dns = make(Names, {("mail.test", 15): [b"\0\0\0"]})
    p = dial(host="mail.test", dns=dns.port, port=5222)
    p.expect("end open cannot resolve mail.test: it has no address", 6)


@pytest.mark.parametrize("mangle", [
    lambda r: r[:13], lambda r: r[:-3], lambda r: r[:2] + b"\xff" * 400,
    lambda r: r[:6] + b"\xff\xff" + r[8:],
    lambda r: r.replace(b"\xc0\x0c", b"\xc0\xff"),
    lambda r: r + b"\xc0\x0c" * 300])
def test_answers_that_make_no_sense(make, dial, mangle):
    """It goes on in bounded time, whatever comes of it."""
    dns = make(Names, {(XMPP, SRV): [srv(0, 0, 1, "a.test")],
                       ("a.test", A): [a()], (DOMAIN, A): [a()]},
               mangle=mangle)
    p = dial(dns=dns.port, port=refused_port(), names_ms=1000)
    p.expect("end open ", 15)


def test_no_search_domain_for_srv_and_none_for_numbers(make, dial):
    one = make(Listener, "one")
    dns = make(Names, {(DOMAIN, A): [a()]})
    p = dial(dns=dns.port, port=one.port)
    given(p)
    assert {n for n, kind in dns.asked if kind == SRV} == {XMPP, XMPPS}
    dns = make(Names, {})
    p = dial(host="127.0.0.1", dns=dns.port, port=one.port)
    given(p)
    assert dns.asked == []


# ---- stopping ------------------------------------------------------------

def test_stop_and_start_at_any_moment(make, dial):
    """Under way in names, in the race, or with a socket given: no event of
    the old round comes after."""
    hole, good = make(BlackHole), make(Listener, "good")
    dns = make(Names, {(DOMAIN, A): [a()]}, delay={None: 0.3})
    p = dial(dns=dns.port, port=hole.port)
    p.say("stop")
    assert p.drain(1) == []
    p.say("start")
    p.drain(0.8)
    p.say("stop")
    assert p.drain(0.5) == []
    p = dial(host="127.0.0.1", port=good.port)
    given(p)
    p.say("stop")
    p.say("next late")
    p.drain(0.3)
    p.say("start")
    given(p)


def test_without_files(dial):
    """Even when none can be opened it ends, and none is left open."""
    p = dial(host="localhost", port=refused_port())
    p.expect("end open .*Connection refused", 8)
    pid = p.process.pid
    before = len(os.listdir(f"/proc/{pid}/fd"))
    limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (before, limits[1]))
    for _ in range(5):
        p.say("start")
        p.expect("end open ", 8)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
    for _ in range(20):
        p.say("start")
        p.expect("end open .*Connection refused", 8)
    assert len(os.listdir(f"/proc/{pid}/fd")) == before
