"""Promise: whatever a line does, nothing is lost and nothing is doubled: each
of these ends in delivery, or in a state that `platen status` and the log name,
within a bounded time.

A real server and the real centre outside, the real agent and a simulated
printer inside a network namespace behind a link that does what the test says
(badline.py).
"""
import os
import pathlib
import re
import shutil
import socket
import time

import pytest

from acceptor import Acceptor
from badline import BadLine, Relay
from dnsfake import A, Names, a
from fakeclock import SHIM, Clock
from proxyfake import pass_on
from rig import (DOMAIN, Failed, make_certificates, program, wait_for,
                 write_secret)
from uplinkprobe import Probe, probe_path  # noqa: F401
from xmppfake import Authority


@pytest.fixture
def far(rig):
    """Everything but the agent runs; the agent is enrolled, inside."""
    rig.line = BadLine(rig)
    rig.line.take(rig.agent, rig.sim)
    rig.server.also = [rig.line.outside]
    rig.said = []
    rig.agent.more = {"xmpp": {"host": rig.line.outside}}
    rig.start(fleet=1, agent=False)
    rig.agent.enrol()
    return rig


def start(rig, online=True, **xmpp):
    rig.agent.more["xmpp"].update(xmpp)
    rig.agent.write().start()
    if online:
        rig.agent.wait_online(30)
    return rig


def happen(rig, count=1):
    """Alerts at the printer that have not been there before."""
    host = rig.sim.hosts()[0]
    for _ in range(count):
        text = f"number {len(rig.said)}"
        rig.said.append(text)
        rig.sim.raise_alert(host, code=8, severity=3, text=text)


def status(rig):
    try:
        return rig.agent.json("status")
    except Failed:              # before the store is there
        return {"uplink": None, "uplink_why": None, "outbox": None}


def arrived(rig, timeout=60):
    """All that happened is at the centre, each once, and the agent knows."""
    def there():
        found = sorted(a["description"] for a in rig.central.json("alerts")
                       if a["description"].startswith("number "))
        return found == sorted(rig.said)
    wait_for(there, timeout, "all alerts at the centre, once", 0.2)
    wait_for(lambda: status(rig)["outbox"] == 0, 30, "an empty outbox", 0.2)


def named(rig, pattern, timeout=40):
    """`platen status` and the log say so."""
    wait_for(lambda: re.search(pattern, status(rig)["uplink_why"] or ""),
             timeout, f"{pattern!r} in platen status", 0.2)
    assert re.search(pattern, rig.agent.log()), pattern


def test_good_line(far):
    """That the line itself is no trouble."""
    start(far)
    happen(far)
    arrived(far)


# ---- cut without a word ---------------------------------------------------

def tls_records(kind):
    """A packet that begins with a TLS record of that kind."""
    return lambda p: p.payload[:2] == bytes([kind, 3])


def nth(number, wanted):
    count = [0]

    def seen(packet):
        count[0] += wanted(packet)
        return count[0] >= number
    return seen


@pytest.mark.parametrize("where, seen", [
    ("connecting", lambda p: p.flags & 2),
    ("before TLS", lambda p: b"stream:stream" in p.payload),
    ("in TLS", tls_records(22)),
    ("in SASL", nth(2, tls_records(23))),
    ("binding", nth(5, tls_records(23))),
])
def test_cut_on_the_way_up(far, where, seen):
    cut = far.line.cut_when(seen)
    start(far, online=False, fallback_port=0)
    wait_for(cut.is_set, 20, "the cut")
    happen(far)
    named(far, rf"{far.line.outside} port {far.server.port}, STARTTLS: .*"
          r"(within|timed? ?out|no answer)")
    far.line.heal()
    arrived(far)


@pytest.mark.parametrize("server", ["waits", "forgets"])
def test_cut_while_idle(far, server):
    """Nothing was to be sent, so nobody has noticed; what comes later meets
    the old connection, or one that the server knows nothing of."""
    start(far, fallback_port=0)
    happen(far)
    arrived(far)
    far.line.cut()
    if server == "forgets":
        far.server.restart()
    time.sleep(3)
    far.line.heal()
    happen(far)
    arrived(far)


@pytest.mark.parametrize("way", ["both", "up", "down"])
def test_cut_with_data_under_way(far, way):
    """One way only, too: what arrived but is not known to have done so is
    sent again, and counts once."""
    start(far, fallback_port=0)
    happen(far)
    arrived(far)
    for name in ("up", "down") if way == "both" else (way,):
        getattr(far.line, name).open = False
    happen(far, 3)
    far.agent.wait_log(r"uplink: down: ", 100)
    far.line.heal()
    happen(far)
    arrived(far)


# ---- slow, lossy, narrow --------------------------------------------------

def test_two_seconds_of_latency(far):
    """Each way: a login takes many times that, and is done all the same."""
    far.line.delay(2)
    start(far, online=False)
    happen(far)
    far.agent.wait_online(120)
    happen(far, 2)
    arrived(far, 90)


def test_lossy_line(far):
    """5 % of the packets lost, some doubled, some out of order."""
    for way in far.line.up, far.line.down:
        way.loss, way.duplicate, way.reorder = 0.05, 0.02, 0.05
        way.delay = 0.02
    start(far, online=False)
    far.agent.wait_online(90)
    for _ in range(10):
        happen(far, 2)
        time.sleep(0.3)
    arrived(far, 90)
    assert far.line.up.lost and far.line.down.lost


def test_narrow_line(far):
    """3 KB/s, and a queue that overflows."""
    far.line.up.rate = far.line.down.rate = 3000
    start(far, online=False)
    happen(far, 10)
    far.agent.wait_online(90)
    arrived(far, 90)


# ---- resets ---------------------------------------------------------------

def test_reset_at_any_octet(rig, probe_path):  # noqa: F811
    """Of what passes in STARTTLS's clear part every one, then every 23rd, to
    the end of the login: each is one failed try, and then it goes on."""
    rig.server.start()
    jid, password = rig.server.register("agent")
    relay = Relay(rig.server.port)
    relay.budget = 0
    p = Probe(probe_path, dict(
        jid=jid, password=password, host="127.0.0.1", port=relay.port,
        central="platen.example.test", ca_file=rig.server.ca_file,
        retry_min_ms=1, retry_max_ms=1, connect_ms=20000))

    def online():
        while not p.events.empty():
            if p.events.get().startswith("state online"):
                return True
        return False

    def files():
        return len(list(pathlib.Path(f"/proc/{p.process.pid}/fd").iterdir()))
    try:
        done, before = False, None
        while not done:
            # The second from now on has the present budget.
            last = len(relay.spent) + 1
            done = wait_for(lambda: online() or len(relay.spent) > last and
                            "again", 20, f"a try with {relay.budget} octets",
                            0.001) is True
            if relay.budget == 800:
                before = files()
            relay.budget += 1 if relay.budget < 800 else 23
            assert relay.budget < 40000, "no login at all"
        assert relay.budget > 3000 and files() <= before + 1
    finally:
        p.end()
        relay.close()


# ---- names ----------------------------------------------------------------

def test_dead_name_server(far):
    line = far.line
    line.name_server(line.outside)
    dns = Names({("xmpp.far.test", A): [a(line.outside)]}, answer=False,
                address=line.outside, port=53)
    try:
        start(far, online=False, host="xmpp.far.test")
        happen(far)
        named(far, rf"cannot resolve xmpp.far.test: name server "
              rf"{line.outside}: no answer")
        dns.answer = True
        arrived(far)
    finally:
        dns.close()


def test_slow_name_server(far):
    line = far.line
    line.name_server(line.outside)
    dns = Names({("xmpp.far.test", A): [a(line.outside)]}, delay={None: 2},
                address=line.outside, port=53)
    try:
        start(far, online=False, host="xmpp.far.test")
        happen(far)
        arrived(far)
    finally:
        dns.close()


# ---- captive portals ------------------------------------------------------

class Portal(Acceptor):
    """A login page, in HTTP or with a certificate of its own; .gone passes
    connections on."""

    def __init__(self, address, target, context=None):
        self.target, self.context, self.gone = target, context, False
        super().__init__(address)

    def serve(self, conn):
        if self.gone:
            pass_on(conn, socket.create_connection(("127.0.0.1",
                                                    self.target)))
            return
        if self.context:
            conn = self.context.wrap_socket(conn, server_side=True)
        else:
            conn.recv(1000)
        with conn:
            conn.sendall(b"HTTP/1.1 302 Found\r\nLocation: "
                         b"http://portal.test/\r\n\r\n<html>Log in</html>")


@pytest.mark.parametrize("kind, text", [
    ("http", "direct TLS: .*(HTTP|no TLS|wrong version|http)"),
    ("tls", "direct TLS: .*(certificate|self.signed)")])
def test_captive_portal(far, tmp_path, kind, text):
    """5222 is filtered, and on 443 somebody else answers."""
    context = None
    if kind == "tls":
        context = Authority(tmp_path / "portal").context("portal.test")
    portal = Portal(far.line.outside, far.server.tls_port, context)
    port = far.server.port
    far.line.up.filter = lambda packet: packet.target != port
    try:
        start(far, online=False, fallback_port=portal.port)
        happen(far)
        named(far, text, 60)
        portal.gone = True
        arrived(far, 90)
    finally:
        portal.close()


# ---- certificates and clocks ----------------------------------------------

def with_certificate(rig, kind):
    """The server's certificate becomes another one, of the CA that is
    trusted."""
    where = rig.dir / f"tls-{kind}"
    good = rig.certificates()
    if kind == "good":
        make_certificates(where, ca=good)
    elif kind == "other":
        make_certificates(where, domain="elsewhere.test", ca=good)
    else:
        shutil.copytree(good, where)
        ca = Authority.__new__(Authority)
        ca.where, ca.ca = where, where / "ca.crt"
        crt, key = ca.issue(DOMAIN, expired=True)
        shutil.copy(crt, where / "server.crt")
        shutil.copy(key, where / "server.key")
    rig.server.tls_dir = where
    for old in (rig.dir / "certs").glob("*"):
        old.unlink()


@pytest.mark.parametrize("kind, text", [
    ("expired", "certificate.*expired"),
    ("other", r"certificate.*(name|domain|mismatch|not for)")])
def test_bad_certificate(far, kind, text):
    """Named; when there is a better one, everything arrives."""
    with_certificate(far, kind)
    far.server.restart()
    start(far, online=False)
    happen(far)
    named(far, text)
    with_certificate(far, "good")
    far.server.restart()
    arrived(far)


def fake_clock(rig, seconds=0):
    """The agent's clocks are what this says from then on."""
    clock = Clock(rig.dir / "clock")
    clock.set(seconds)
    rig.agent.inside = [
        "ip", "netns", "exec", rig.line.name, "env",
        f"LD_PRELOAD={program(SHIM)}",
        *(f"{k}={v}" for k, v in clock.environment().items()),
        # A sanitizer insists on being loaded first.
        "ASAN_OPTIONS=verify_asan_link_order=0:" +
        os.environ.get("ASAN_OPTIONS", "")]
    return clock


@pytest.mark.parametrize("years, text", [
    (-20, "not yet valid"), (20, "expired")])
def test_clock_wrong_by_years(far, years, text):
    """The certificate seems wrong: the text says that it may be the clock."""
    clock = fake_clock(far, years * 365.25 * 86400)
    start(far, online=False)
    happen(far)
    named(far, rf"certificate.*{text}")
    named(far, r"clock")
    clock.set(0)
    arrived(far, 90)


# ---- the host and the server ----------------------------------------------

def test_another_address(far):
    """The host moves to another network; nothing tells it so."""
    start(far, fallback_port=0)
    happen(far)
    arrived(far)
    far.line.address(far.line.elsewhere)
    happen(far)
    arrived(far, 120)


@pytest.mark.parametrize("server", ["forgets", "waits"])
def test_sleep_for_hours(far, server):
    """The host stops, its clocks go on; the server may have given it up."""
    clock = fake_clock(far)
    start(far)
    happen(far)
    arrived(far)
    far.agent.hang()
    far.line.cut()
    if server == "forgets":
        far.server.restart()
    happen(far, 2)
    clock.set(0, asleep=9 * 3600)
    far.line.heal()
    far.agent.resume()
    happen(far)
    arrived(far, 90)


def test_wakes_up_elsewhere(far):
    """Nothing changes at the printers, and no ping would be due for minutes:
    the line is looked at as soon as the host wakes."""
    clock = fake_clock(far)
    start(far, fallback_port=0)
    happen(far)
    arrived(far)
    far.agent.hang()
    far.line.address(far.line.elsewhere)
    clock.set(0, asleep=9 * 3600)
    far.agent.resume()
    wait_for(lambda: len(re.findall("uplink: logged in", far.agent.log())) > 1,
             75, "it is connected from there", 0.2)
    happen(far)
    arrived(far)


def test_server_restarted(far):
    start(far)
    happen(far)
    arrived(far)
    far.server.stop()
    happen(far)
    named(far, "refused|closed|ended|shut|down")
    far.server.start()
    arrived(far)


def test_password_changed(far):
    """A clear state, no hail of tries that would lock the account, and all
    is well with the new one."""
    start(far)
    happen(far)
    arrived(far)
    new = far.server.register("agent")[1]
    far.server.restart()
    happen(far)
    far.agent.wait_log(r"(?i)not.authorized.*next try in ([6-9]\d|\d{3})", 40)
    named(far, "(?i)not.authorized|password")
    write_secret(far.dir / "agent.password", new + "\n")
    far.agent.restart()
    arrived(far)


def test_two_with_one_account(far):
    """Both say so, and do not throw each other out for ever."""
    start(far)
    happen(far)
    arrived(far)
    twin = far.agent_named("twin")
    far.line.take(twin)
    twin.jid, twin.snippet, twin.more = (
        far.agent.jid, far.agent.snippet, far.agent.more)
    shutil.copy(far.dir / "agent.password", far.dir / "twin.password")
    twin.write().start()
    pattern = r"(?i)conflict|another (agent|client|login)|replaced"
    far.agent.wait_log(pattern, 40)
    named(far, pattern)
    # The one that was thrown out comes back slowly, so the other meets the
    # same then.
    twin.wait_log(pattern, 120)
    twin.stop()
    happen(far)
    arrived(far, 180)


def test_stanzas_too_large_for_the_server(far):
    """A limit far below the usual: policy-violation is named, messages become
    smaller until they pass, and everything arrives."""
    if far.kind != "prosody":
        pytest.skip("the limit is set in Prosody's way")
    far.server.extra = "c2s_stanza_size_limit = 3000\n"
    far.server.restart()
    far.sim.stop()
    far.sim.start(fleet=20)
    far.line.cut()
    start(far, online=False, fallback_port=0)
    wait_for(lambda: (status(far)["outbox"] or 0) >= 20, 60, "a backlog")
    far.line.heal()
    far.agent.wait_log("policy-violation", 40)
    far.agent.wait_log("messages of at most 16384 octets", 10)
    wait_for(lambda: len(far.central.json("devices")) == 20, 120,
             "all printers at the centre", 0.5)
    happen(far)
    arrived(far)
