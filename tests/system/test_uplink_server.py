"""Promise: against a real server the uplink logs in by both kinds of TLS,
notices when the centre or the server dies in any way, and is back by itself.
"""
import re
import subprocess
import time

import pytest

from peer import Client
from rig import COMPONENT, DOMAIN, ROOT, wait_for
from uplinkprobe import PROBE_ENV, Probe, probe_path  # noqa: F401
from xmppfake import Authority

USER = "office"


class Centre:
    def __init__(self, server):
        self.process = subprocess.Popen(
            ["/usr/bin/python3", ROOT / "tests/system/uplinkcentre.py",
             str(server.component_port), server.secret, COMPONENT,
             f"{USER}@{DOMAIN}"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True)
        self.lines = []
        self.wait("started")

    def wait(self, word):
        for line in self.process.stdout:
            self.lines.append(line.strip())
            if line.startswith(word):
                return line
        raise AssertionError(f"no {word}: {self.lines}")

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def kill9(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


@pytest.fixture
def server(rig):
    rig.server.register(USER)
    rig.server.start()
    return rig.server


@pytest.fixture
def centre(server):
    centres = []

    def start():
        centres.append(Centre(server))
        return centres[-1]
    yield start
    for c in centres:
        if c.process.poll() is None:
            c.kill9()


@pytest.fixture
def probe(server, probe_path):
    probes = []

    def start(**more):
        config = dict(jid=f"{USER}@{DOMAIN}",
                      password=server.passwords[USER], host="127.0.0.1",
                      port=server.port, ca_file=server.ca_file,
                      central=COMPONENT, connect_ms=2000, retry_min_ms=200,
                      retry_max_ms=500, ping_ms=2000)
        config.update(more)
        probes.append(Probe(probe_path, config))
        return probes[-1]
    yield start
    for p in probes:
        p.end()


def test_both_ways(server, centre, probe):
    c = centre()
    # A ping waits behind what is big.
    p = probe(ping_ms=180000)
    p.expect("state ready", 5)
    c.wait(f"available {USER}@{DOMAIN}/platend")
    for i in range(30):
        p.say(f"ask q{i} 5000 <sealed xmlns='urn:t' n='{i}'>x{i}</sealed>")
    for i in range(30):
        p.expect_next(f"answer q{i} result sealed {i} x{i}$", 5)
    c.say("ask")
    p.expect_next("request sealed urn:t 3 hello", 5)
    c.wait("reply result")
    # At 3,000 octets a second, which a server may allow, there and back.
    p.say("big b 170000 190000")
    p.expect_next("answer b result big - x{190000}$", 180)
    p.say("stop")
    c.wait(f"unavailable {USER}@{DOMAIN}/platend")


def test_direct_tls(server, centre, probe, rig):
    centre()
    p = probe(port=rig.ports.take(), fallback_port=server.tls_port)
    p.expect("state online .*direct TLS", 5)
    p.expect("state ready", 5)


def test_fallback_starttls(server, centre, probe, rig):
    """The server gets a ClientHello where it expects a stream."""
    centre()
    p = probe(port=rig.ports.take(), fallback_port=server.port)
    p.expect(f"state online .*port {server.port}, STARTTLS", 6)


def test_wrong_password(server, probe):
    p = probe(password="guess", fallback_port=server.tls_port)
    p.expect(r"state down .*STARTTLS: login refused \(not-authorized\)", 5)


def test_centre_killed_and_back(server, centre, probe):
    """The server tells nobody when a component dies."""
    c = centre()
    p = probe()
    p.expect("state ready", 5)
    c.kill9()
    p.say("ask a 5000 <x xmlns='y'/>")
    # Prosody; ejabberd without and with s2s; a server that has not noticed,
    # and never answers.
    answers = ("error remote-server-timeout", "error forbidden",
               "error remote-server-not-found", "lost")
    p.expect_all(["state online", f"answer a ({'|'.join(answers)})"], 10)
    p.say("ask b 5000 <x xmlns='y'/>")
    p.expect_next("answer b not-sent", 1)
    c = centre()
    p.expect_next("state ready", 4)
    p.say("ask c 5000 <x xmlns='y'/>")
    p.expect_next("answer c result x", 5)
    c.wait("asked")


def test_centre_killed_while_idle(server, centre, probe):
    c = centre()
    p = probe()
    p.expect("state ready", 5)
    c.kill9()
    p.expect("state online", 6)


def test_centre_restarted_unnoticed(server, centre, probe):
    """Killed and back between two pings: it announces itself."""
    c = centre()
    p = probe(ping_ms=60000)
    p.expect("state ready", 5)
    time.sleep(0.5)
    assert p.nothing_more()
    c.kill9()
    c = centre()
    p.expect_next("state ready the centre announced itself", 5)
    c.wait(f"available {USER}@{DOMAIN}/platend")
    time.sleep(0.5)
    assert p.nothing_more()


def test_centre_that_comes_later(server, centre, probe):
    p = probe(ping_ms=60000)
    p.expect("state online", 5)
    time.sleep(0.5)
    c = centre()
    p.expect_next("state ready", 2)
    c.wait(f"available {USER}@{DOMAIN}/platend")


def test_server_killed_and_back(server, centre, probe):
    c = centre()
    p = probe()
    p.expect("state ready", 5)
    p.say("ask a 60000 <x xmlns='y'/>")
    p.expect("answer a result", 5)
    server.kill9()
    p.expect("state down", 5)
    c.kill9()
    time.sleep(1)
    server.start()
    centre()
    p.expect("state ready", 8)


def test_server_hangs_and_goes_on(server, centre, probe):
    centre()
    p = probe()
    p.expect("state ready", 5)
    server.hang()
    p.expect("state down .*no sign of life", 6)
    server.resume()
    p.expect("state ready", 8)


def test_server_stopped(server, centre, probe):
    p = probe()
    p.expect("state online", 5)
    # A server that closes with something of ours unread resets the
    # connection, and its last words with it.
    time.sleep(0.5)
    server.stop()
    p.expect("state down .*system-shutdown", 5)


def test_two_agents_with_one_account(server, centre, probe):
    centre()
    first = probe()
    first.expect("state ready", 5)
    second = probe()
    second.expect("state ready", 5)
    first.expect("state down .*another agent uses this account", 5)
    first.expect_log(r"next try in (6|7)\d", 1)


def test_default_rate_limit(server, centre, probe):
    """As Debian sets it: a burst is slow, and survives."""
    server.stop()
    server.limits = "packaged"
    server.start()
    centre()
    p = probe(ping_ms=4000)
    p.expect("state ready", 5)
    for i in range(8):
        p.say(f"big q{i} 60000 10000")
    for i in range(8):
        p.expect_next(f"answer q{i} result", 20)


def test_a_stranger_on_the_same_server(server, centre, probe, rig):
    centre()
    p = probe()
    p.expect("state ready", 5)
    evil = rig.peer(Client, server, *server.register("evil"))
    agent = f"{USER}@{DOMAIN}/platend"
    for i, (kind, payload) in enumerate([
            ("get", "<ping xmlns='urn:xmpp:ping'/>"),
            ("get", "<query xmlns='http://jabber.org/protocol/disco#info'/>"),
            ("get", "<query xmlns='jabber:iq:version'/>"),
            ("set", "<sealed xmlns='urn:platen:sealed:1' n='1'>x</sealed>")]):
        evil.send(f"<presence to='{agent}'/>")
        evil.send(f"<message to='{agent}'><body>hi</body></message>")
        evil.send(f"<iq type='{kind}' id='evil{i}' to='{agent}'>{payload}"
                  "</iq>")
        evil.wait_received(f"evil{i}", "service-unavailable")
    assert p.nothing_more()
    p.expect_log("request from evil@", 1)


@pytest.fixture
def verbose():
    PROBE_ENV["PROBE_VERBOSE"] = "1"
    yield
    del PROBE_ENV["PROBE_VERBOSE"]


def test_not_bound_to_the_connection(server, probe, verbose):
    """Neither server can be bound to in TLS 1.3, though ejabberd offers it;
    what they take instead is taken."""
    p = probe()
    p.expect("state online", 5)
    p.expect_log("authenticated with SCRAM-SHA-(1|256)$", 1)


def trust_certificates(server, where):
    """Lets the server take certificates of agents; makes one for user."""
    if server.NAME != "ejabberd":
        pytest.skip("Prosody 0.12 knows no certificates of clients")
    ca = Authority(where / "ca", "Agents' CA")
    listeners = server.listeners
    server.listeners = lambda listen: [
        dict(one, tls_verify=True) if one["module"] == "ejabberd_c2s" else one
        for one in listeners(listen)]
    server.extra = {"c2s_cafile": str(ca.ca)}
    return lambda user: ca.issue(
        user, names=f"otherName:1.3.6.1.5.5.7.8.5;UTF8:{user}@{DOMAIN}")


def test_external(server, probe, verbose, tmp_path):
    server.stop()
    issue = trust_certificates(server, tmp_path)
    good, other = issue(USER), issue("other")
    server.start()
    p = probe(password=None, cert=good[0], key=good[1])
    p.expect("state online", 5)
    p.expect_log("authenticated with EXTERNAL", 1)
    p = probe(password=None, cert=other[0], key=other[1])
    p.expect("state down .*login refused", 5)


def test_agent_with_a_certificate(rig, tmp_path):
    issue = trust_certificates(rig.server, tmp_path)
    rig.server.start()
    rig.sim.start(["127.10.27.1=@hp-mono"])
    rig.central.init()
    rig.central.start()
    rig.agent.enrol()
    cert, key = issue(rig.agent.name)
    key.chmod(0o600)
    rig.agent.more = {"xmpp": {"password_file": None, "client_cert": cert,
                               "client_key": key}}
    rig.agent.write().start().wait_online()
    wait_for(lambda: rig.central.json("devices"), 20, "the printer", 0.1)
    assert re.search("EXTERNAL authentication", rig.server.log())
