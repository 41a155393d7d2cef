"""Promise: the uplink reaches its server by the first way that works, is
never talked into less than verified TLS and SCRAM, waits for nobody without
end, and knows at any time whether the centre is there.

Scripted servers (xmppfake.py) play every way in which a server can fail.
test_uplink_server.py does the same work against a real one.
"""
import base64
import hashlib
import os
import pathlib
import random
import re
import select
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time

import pytest

from dnsfake import A, SRV, Names, a, srv
from rig import PATIENCE, wait_for
from uplinkprobe import Probe, PROBE_ENV, cpu_seconds, probe_path  # noqa: F401
from xmppfake import (BIND, CENTRE, DOMAIN, FULL, PASSWORD, SASL_NS, STARTTLS,
                      STREAM, TLS_NS, USER, Authority, Gone, Server,
                      free_port, mechanisms, pin)


@pytest.fixture(scope="module")
def ca(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def tls(ca):
    return ca.context()


@pytest.fixture
def serve(tls):
    servers = []

    def start(*scripts, **more):
        servers.append(Server(more.pop("tls", tls), *scripts, **more))
        return servers[-1]
    yield start
    for s in servers:
        s.close()
    assert [f for s in servers for f in s.failures] == []


@pytest.fixture
def probe(ca, probe_path):
    probes = []

    def start(port, **more):
        more.setdefault("host", "127.0.0.1")
        more.setdefault("ca_file", ca.ca)
        config = dict(jid=f"{USER}@{DOMAIN}", password=PASSWORD, port=port,
                      central=CENTRE, connect_ms=1500, retry_min_ms=200,
                      retry_max_ms=1000, ping_ms=20000)
        config.update(more)
        if config["host"] is None:
            del config["host"]
        probes.append(Probe(probe_path, config))
        return probes[-1]
    yield start
    for p in probes:
        p.end()


def ready_then_silent(s):
    s.ready()
    s.silence()


def direct_ready(s):
    s.ready(direct=True)
    s.silence()


# ---- ways to fail before the login is done -------------------------------

def close_at_once(s):
    pass


def silent(s):
    s.silence()


def no_features(s):
    s.header()
    s.silence()


def no_proceed(s):
    s.header()
    s.send(STARTTLS)
    s.silence()


def starttls_refused(s):
    s.header()
    s.send(STARTTLS)
    s.until("<starttls[^>]*/>")
    s.send(f"<failure xmlns='{TLS_NS}'/></stream:stream>")
    s.silence()


def silent_in_handshake(s):
    s.header()
    s.send(STARTTLS)
    s.until("<starttls[^>]*/>")
    s.send(f"<proceed xmlns='{TLS_NS}'/>")
    s.silence()


def slow(s):
    """Each word comes late, none too late."""
    send = s.send

    def later(text):
        time.sleep(0.8 * PATIENCE)
        send(text)
    s.send = later
    s.ready()
    s.silence()


def half_a_handshake(s):
    s.header()
    s.send(STARTTLS)
    s.until("<starttls[^>]*/>")
    s.send(f"<proceed xmlns='{TLS_NS}'/>")
    s.send(b"\x16\x03\x03\x40\x00\x02")
    s.silence()


def plain_text_after_proceed(s):
    """What comes before TLS must not count as come within it."""
    s.header()
    s.send(STARTTLS)
    s.until("<starttls[^>]*/>")
    s.send(f"<proceed xmlns='{TLS_NS}'/>" + mechanisms("PLAIN") +
           f"<success xmlns='{SASL_NS}'/>")
    s.silence()


def silent_after_tls(s):
    s.starttls()
    s.silence()


def silent_after_auth(s):
    s.offer("SCRAM-SHA-1")
    s.until("</auth>")
    s.silence()


def silent_after_login(s):
    s.starttls()
    s.auth()
    s.silence()


def silent_at_bind(s):
    s.starttls()
    s.auth()
    s.header()
    s.send("<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"
           "</stream:features>")
    s.until("</iq>")
    s.silence()


def dribble(s):
    """A byte now and then is no progress."""
    s.header()
    while True:
        s.send(" ")
        time.sleep(0.1)


def no_starttls(s):
    s.header()
    s.send(mechanisms("PLAIN", "SCRAM-SHA-1"))
    s.silence()


def only_plain(s):
    s.offer("PLAIN")
    s.silence()


def only_digest(s):
    s.offer("DIGEST-MD5", "PLAIN", "LOGIN")
    s.silence()


def scram_elsewhere(s):
    """The word SCRAM where it does not count."""
    s.starttls()
    s.header()
    s.send("<stream:features><x>SCRAM-SHA-1</x><mechanisms xmlns='"
           + SASL_NS + "'><mechanism>PLAIN</mechanism>"
           "<y><mechanism>SCRAM-SHA-1</mechanism></y></mechanisms>"
           "</stream:features>")
    s.silence()


def http(s):
    s.send("HTTP/1.0 400 Bad Request\r\n\r\n<html>no</html>")
    s.silence()


def empty_stream_error(s):
    s.until("<stream:stream[^>]*>")
    s.send(STREAM % "x" + "<stream:error/>")
    s.silence()


def host_unknown(s):
    s.until("<stream:stream[^>]*>")
    s.send(STREAM % "x" + "<stream:error><host-unknown xmlns='urn:ietf:params:"
           "xml:ns:xmpp-streams'/><text xmlns='urn:ietf:params:xml:ns:xmpp-"
           "streams'>not\x7f here</text></stream:error></stream:stream>")
    s.silence()


def stream_of_another_kind(s):
    s.until("<stream:stream[^>]*>")
    s.send("<?xml version='1.0'?><a><b><c/></b></a>")
    s.silence()


FAILURES = [
    (close_at_once, "closed the connection"),
    (silent, "no answer within 1500 ms.*the stream"),
    (no_features, "no answer within.*stream features"),
    (no_proceed, "no answer within.*leave to start TLS"),
    (starttls_refused, "refuses to start TLS"),
    (silent_in_handshake, "no answer within.*TLS handshake"),
    (half_a_handshake, "no answer within.*TLS handshake"),
    (plain_text_after_proceed, "TLS"),
    (silent_after_tls, "no answer within"),
    (silent_after_auth, "no answer within.*answer to the login"),
    (silent_after_login, "no answer within.*after the login"),
    (silent_at_bind, "no answer within.*binding"),
    (dribble, "no answer within"),
    (no_starttls, "offers no STARTTLS"),
    (only_plain, "no SCRAM.*PLAIN"),
    (only_digest, "no SCRAM.*DIGEST-MD5"),
    (scram_elsewhere, "no SCRAM.*PLAIN"),
    (http, "HTTP server answers; a captive portal"),
    (empty_stream_error, "ended the stream"),
    (host_unknown, "ended the stream: host-unknown, not"),
    (stream_of_another_kind, "closed the connection|not XMPP"),
]


@pytest.mark.parametrize("script,why", FAILURES,
                         ids=[f[0].__name__ for f in FAILURES])
def test_fails_in_time_and_then_443(serve, probe, script, why):
    first, second, alone = serve(script), serve(direct_ready), serve(script)
    start = time.monotonic()
    p = probe(first.port, fallback_port=second.port)
    # And with nothing else to go to, the reason is told.
    q = probe(alone.port)
    p.expect(r"state online .*port %d, direct TLS" % second.port, 6)
    p.expect("state ready", 2)
    assert time.monotonic() - start < 3.5 * PATIENCE
    assert first.connections == 1
    q.expect(f"state down .*port {alone.port}, STARTTLS: .*({why})", 5)
    # Whatever the server did, it has not learnt the password.
    assert PASSWORD.encode() not in first.seen
    said = first.seen.decode(errors="replace")
    assert not re.search("mechanism=.(PLAIN|DIGEST)", said)
    for text in re.findall(r"<auth[^>]*>([^<]*)<", said):
        assert PASSWORD.encode() not in base64.b64decode(text)


def test_refused_then_443(serve, probe):
    good = serve(direct_ready)
    start = time.monotonic()
    p = probe(free_port(), fallback_port=good.port)
    p.expect("state ready", 3)
    assert time.monotonic() - start < 1 * PATIENCE
    p.expect_log("logged in as .* direct TLS", 1)


def test_filtered_then_443(serve, probe):
    """A full backlog drops SYNs, as a filter does."""
    good = serve(direct_ready)
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        fill = []
        for _ in range(4):
            s = socket.socket()
            s.setblocking(False)
            s.connect_ex(("127.0.0.1", port))
            fill.append(s)
        p = probe(port, fallback_port=good.port)
        p.expect("state ready", 4)
        for s in fill:
            s.close()


def test_starttls_on_the_fallback_port(serve, probe):
    def either(s):
        s.sock.setblocking(True)
        if s.sock.recv(1, socket.MSG_PEEK) == b"\x16":
            return
        s.ready()
        s.silence()
    good = serve(either)
    p = probe(free_port(), fallback_port=good.port)
    p.expect(r"state online .*port %d, STARTTLS" % good.port, 4)
    assert good.connections == 2


def test_what_worked_is_tried_first_next_time(serve, probe):
    def once(s):
        s.ready(direct=True)
    dead, good = serve(silent), serve(once, direct_ready)
    p = probe(dead.port, fallback_port=good.port)
    p.expect("state ready", 5)
    start = time.monotonic()
    p.expect("state down", 3)
    p.expect("state ready", 3)
    assert time.monotonic() - start < 1.4 * PATIENCE
    assert dead.connections == 1


@pytest.mark.parametrize("direct", [False, True])
@pytest.mark.parametrize("case,why", [
    ("name", f"is not for {DOMAIN} but for .*other.test"),
    ("expired", r"certificate has expired.*valid until 2021.*by this "
     r"machine's clock it is \d{4}-"),
    ("early", r"certificate is not yet valid.*from 2090.*clock it is \d{4}-"),
    ("authority", "not accepted: .*(issuer|self-signed)"),
])
def test_certificates(serve, probe, ca, tmp_path, case, why, direct):
    if case == "name":
        ctx = ca.context("other.test")
    elif case == "expired":
        ctx = ca.context(expired=True)
    elif case == "early":
        ctx = ca.context(span=("2090", "2095"))
    else:
        ctx = Authority(tmp_path / "foreign", "Foreign CA").context()

    def script(s):
        if direct:
            s.tls()
        else:
            s.offer("SCRAM-SHA-1")
        s.silence()
    bad = serve(script, tls=ctx)
    p = probe(free_port() if direct else bad.port,
              fallback_port=bad.port if direct else 0)
    p.expect(f"state down .*{why}", 4)
    assert b"<auth" not in bad.seen
    p.expect_log("down: .*certificate", 1)


def test_system_authorities_do_not_count_beside_ca_file(serve, probe, ca,
                                                        tmp_path):
    """SSL_CERT_FILE of the environment stands for the system's store."""
    foreign = Authority(tmp_path / "foreign", "Foreign CA")

    def script(s):
        s.starttls()
        s.silence()
    bad = serve(script, tls=foreign.context())
    PROBE_ENV["SSL_CERT_FILE"] = str(foreign.ca)
    try:
        p = probe(bad.port)
        p.expect("state down .*not accepted", 4)
        p.end()
        # The same server is fine for who trusts the system's store.
        good = serve(ready_then_silent, tls=foreign.context())
        p = probe(good.port, ca_file="")
        p.expect("state down .*cannot read ca_file", 4)
        p.end()
        p = probe(good.port, ca_file=None)
        p.expect("state ready", 4)
    finally:
        del PROBE_ENV["SSL_CERT_FILE"]


def test_sni_and_alpn(serve, probe, ca):
    """Direct TLS says whom it wants and what it speaks (XEP-0368); behind
    STARTTLS no ALPN is due."""
    said, names = [], []
    ctx = ca.context()
    ctx.set_alpn_protocols(["http/1.1", "xmpp-client"])
    ctx.sni_callback = lambda sock, name, context: names.append(name)

    def script(s, direct):
        s.ready(direct)
        said.append((s.sock.selected_alpn_protocol(), s.sock.version()))
        s.silence()
    direct = serve(lambda s: script(s, True), tls=ctx)
    probe(free_port(), fallback_port=direct.port).expect("state ready", 4)
    probe(serve(lambda s: script(s, False), tls=ctx).port).expect(
        "state ready", 4)
    wait_for(lambda: len(said) == 2, 5, "both scripts are there", 0.05)
    assert said == [("xmpp-client", "TLSv1.3"), (None, "TLSv1.3")]
    assert names == [DOMAIN, DOMAIN]


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
@pytest.mark.parametrize("version,good", [("TLSv1_1", False),
                                          ("TLSv1_2", True)])
def test_versions_of_tls(serve, probe, ca, version, good):
    ctx = ca.context()
    ctx.minimum_version = getattr(ssl.TLSVersion, "TLSv1")
    ctx.maximum_version = getattr(ssl.TLSVersion, version)
    ctx.set_ciphers("ALL:@SECLEVEL=0")
    p = probe(serve(ready_then_silent, tls=ctx).port)
    p.expect("state ready" if good else
             "state down .*TLS failed: .*(protocol|alert)", 4)


@pytest.mark.parametrize("answer,why", [
    ("HTTP/1.1 302 Found\r\nLocation: http://portal/\r\n\r\n",
     "an HTTP server answers; a captive portal or proxy"),
    ("220 smtp.test ESMTP\r\n", "what answers does not speak TLS"),
    ("<?xml version='1.0'?><stream:stream", "what answers does not speak")],
    ids=["http", "smtp", "xmpp"])
def test_no_tls_on_the_direct_port(serve, probe, answer, why):
    def script(s):
        s.sock.recv(65536)
        s.send(answer)
        s.silence()
    p = probe(free_port(), fallback_port=serve(script).port)
    p.expect(f"state down .*direct TLS: {why}", 4)


def test_pins(serve, probe, ca, tmp_path):
    crt, _ = ca.issue(DOMAIN)
    ctx = ca.context()
    leaf, root = pin(crt), pin(ca.ca)
    # The key is made anew for each certificate.
    leaf = pin(ca.where / f"{DOMAIN}.pem")
    other = pin(Authority(tmp_path / "other").ca)
    server = serve(ready_then_silent, tls=ctx)
    for good in (leaf, root, f"{other},{root}"):
        p = probe(server.port, pin=good)
        p.expect("state ready", 4)
        p.end()
    p = probe(server.port, pin=other)
    p.expect("state down .*no key in the server's chain of certificates is "
             "pinned; they are " + re.escape(f"{leaf} {root}"), 4)
    assert server.logins == 3


def test_a_pin_does_not_replace_the_certificate(serve, probe, tmp_path):
    foreign = Authority(tmp_path / "foreign", "Foreign CA")
    bad = serve(lambda s: s.starttls(), tls=foreign.context())
    p = probe(bad.port, pin=pin(foreign.ca))
    p.expect("state down .*its CA is unknown here", 4)


def test_missing_ca_file(probe, serve):
    p = probe(serve(silent).port, ca_file="/nowhere/ca.pem")
    p.expect("state down .*cannot read ca_file /nowhere/ca.pem: No such", 3)


def test_wrong_password(serve, probe):
    other = serve(direct_ready)
    bad = serve(ready_then_silent)
    p = probe(bad.port, password="guess", fallback_port=other.port)
    p.expect(r"state down .*login refused \(not-authorized\): check jid and "
             "password_file", 4)
    p.expect_log(r"next try in (6|7)\d\.", 1)
    time.sleep(1.5)
    assert bad.connections == 1 and other.connections == 0


@pytest.mark.parametrize("offer,best", [
    (("SCRAM-SHA-1", "SCRAM-SHA-512", "SCRAM-SHA-256"), "SCRAM-SHA-512"),
    (("PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-256"), "SCRAM-SHA-256"),
    (("DIGEST-MD5", "SCRAM-SHA-1", "X-OAUTH2"), "SCRAM-SHA-1")])
def test_the_best_mechanism(serve, probe, offer, best):
    used = []

    def script(s):
        s.starttls()
        s.auth(*offer)
        used.append(s.mechanism)
        s.stay()
    p = probe(serve(script).port, allow_plain="yes")
    p.expect("state ready", 4)
    assert used == [best]


CB = ("<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'>%s"
      "</sasl-channel-binding>")


def offer(s, listed, *names):
    types = "".join(f"<channel-binding type='{t}'/>" for t in listed)
    s.header()
    s.send(mechanisms(*names).replace(
        "</stream:features>", CB % types + "</stream:features>"))


@pytest.mark.parametrize("listed", [
    ["tls-unique", "tls-exporter"], ["tls-unique", "tls-server-end-point"]])
def test_bound_to_the_connection(serve, probe, ca, listed):
    """tls-server-end-point is what Python can compute, too: the SHA-256 of
    the certificate."""
    ctx = ca.context()
    der = ssl.PEM_cert_to_DER_cert((ca.where / f"{DOMAIN}.pem").read_text())

    def script(s):
        s.starttls()
        offer(s, listed, "SCRAM-SHA-512", "SCRAM-SHA-1-PLUS")
        proof = s.scram()
        assert proof and s.mechanism == "SCRAM-SHA-1-PLUS"
        gs2, _, data = s.bound_to.partition(b",,")
        assert gs2 == b"p=" + listed[1].encode()
        if listed[1] == "tls-exporter":
            assert len(data) == 32
        else:
            assert data == hashlib.sha256(der).digest()
        s.stay()
    p = probe(serve(script, tls=ctx).port)
    p.expect("state ready", 4)


@pytest.mark.parametrize("listed", [None, [], ["tls-unique"],
                                    ["tls-exporter-2"]])
def test_other_channel_bindings(serve, probe, listed):
    """What we cannot, we do not claim to."""
    def script(s):
        s.starttls()
        names = ("SCRAM-SHA-512-PLUS", "SCRAM-SHA-256")
        if listed is None:
            s.header()
            s.send(mechanisms(*names))
        else:
            offer(s, listed, *names)
        assert s.scram() and s.mechanism == "SCRAM-SHA-256"
        assert s.bound_to == b"n,,"
        s.stay()
    p = probe(serve(script).port)
    p.expect("state ready", 4)


def test_channel_binding_taken_away(serve, probe):
    """We say that we could have bound the login to the connection."""
    def script(s):
        s.offer("SCRAM-SHA-1")
        m = re.search(">([^<]*)</auth>", s.until("</auth>"))
        assert base64.b64decode(m.group(1)).startswith(b"y,,n=office,")
        s.send(f"<failure xmlns='{SASL_NS}'><not-authorized/></failure>")
        s.silence()
    p = probe(serve(script).port)
    p.expect("state down .*login refused", 4)


def test_server_that_does_not_know_the_password(serve, probe):
    def script(s):
        s.offer("SCRAM-SHA-256")
        s.scram(prove=False)
        s.silence()

    def mute(s):
        s.offer("SCRAM-SHA-256")
        s.until("</auth>")
        s.send(f"<success xmlns='{SASL_NS}'/>")
        s.silence()
    p = probe(serve(script, mute, ready_then_silent).port)
    p.expect("state down .*server does not prove that it knows the password",
             4)
    p.expect("state down .*before it has proved", 4)
    p.expect("state ready", 4)


def test_plain_only_when_allowed(serve, probe):
    def script(s):
        s.offer("PLAIN")
        m = re.search("mechanism=.PLAIN.>([^<]*)</auth>", s.until("</auth>"))
        assert base64.b64decode(m.group(1)) == \
            f"\0{USER}\0{PASSWORD}".encode()
        s.send(f"<success xmlns='{SASL_NS}'/>")
        s.stay()
    p = probe(serve(script).port, allow_plain="yes")
    p.expect("state ready", 4)
    asked = serve(only_plain)
    p = probe(asked.port, allow_plain="no")
    p.expect("state down .*only: PLAIN .allow_plain = yes would allow", 4)
    assert b"<auth" not in asked.seen


@pytest.fixture
def own(ca):
    crt, key = ca.issue("office.agents.test")
    return dict(cert=crt, key=key, password=None)


def wants_certificate(ca):
    ctx = ca.context()
    ctx.verify_mode = ssl.CERT_OPTIONAL
    ctx.load_verify_locations(ca.ca)
    return ctx


def test_external(serve, probe, ca, own):
    def script(s):
        s.starttls()
        assert ((("commonName", "office.agents.test"),)
                in s.sock.getpeercert()["subject"])
        s.header()
        s.send(mechanisms("SCRAM-SHA-512", "EXTERNAL", "PLAIN"))
        m = re.search("mechanism=.EXTERNAL.>([^<]*)</auth>",
                      s.until("</auth>"))
        assert base64.b64decode(m.group(1)) == f"{USER}@{DOMAIN}".encode()
        s.send(f"<success xmlns='{SASL_NS}'/>")
        s.stay()
    p = probe(serve(script, tls=wants_certificate(ca)).port, **own)
    p.expect("state ready", 4)


def test_external_refused(serve, probe, ca, own, tmp_path):
    def not_offered(s):
        s.offer("SCRAM-SHA-1")
        s.silence()

    def refused(s):
        s.offer("EXTERNAL")
        s.until("</auth>")
        s.send(f"<failure xmlns='{SASL_NS}'><not-authorized/></failure>")
        s.silence()
    ctx = wants_certificate(ca)
    p = probe(serve(not_offered, tls=ctx).port, **own)
    p.expect("state down .*offers no EXTERNAL login .*client_cert.*only: "
             "SCRAM-SHA-1", 4)
    p = probe(serve(refused, tls=ctx).port, **own)
    p.expect("state down .*login refused .not-authorized.: check jid and "
             "client_cert", 4)
    p.expect_log(r"next try in (6|7)\d\.", 1)
    # And one whose CA the server does not know ends the handshake.
    ctx = ca.context()
    ctx.verify_mode = ssl.CERT_REQUIRED
    ctx.load_verify_locations(Authority(tmp_path / "foreign").ca)
    p = probe(serve(not_offered, tls=ctx).port, **own)
    p.expect("state down .*TLS failed: .*(unknown ca|decrypt error)", 4)


def test_another_account_than_ours(serve, probe):
    def script(s):
        s.starttls()
        s.auth()
        s.header()
        s.send(BIND)
        ident = re.search("id='([^']*)'", s.until("</iq>")).group(1)
        s.send("<iq type='result' id='other'/>"
               f"<iq type='result' id='{ident}'><bind xmlns='urn:ietf:params:"
               f"xml:ns:xmpp-bind'><jid>other@{DOMAIN}/x</jid></bind></iq>")
        s.silence()
    p = probe(serve(script).port)
    p.expect(f"state down .*logs us in as other@{DOMAIN}/x, which is not", 4)


def test_conflict_at_the_binding(serve, probe):
    def script(s):
        s.starttls()
        s.auth()
        s.header()
        s.send(BIND)
        ident = re.search("id='([^']*)'", s.until("</iq>")).group(1)
        s.send(f"<iq type='error' id='{ident}'><error type='cancel'><conflict "
               "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>")
        s.silence()
    p = probe(serve(script).port)
    p.expect("state down .*does not let us bind the resource: conflict", 4)
    p.expect_log(r"next try in (6|7)\d\.", 1)


def stream_error(condition, content=""):
    return (f"<stream:error><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-"
            f"streams'>{content}</{condition}></stream:error>"
            "</stream:stream>")


def test_see_other_host(serve, probe):
    """Followed within TLS, once a round, and the certificate there must be
    for the same domain."""
    good = serve(ready_then_silent)

    def script(s):
        s.starttls()
        s.header()
        s.send(stream_error("see-other-host", f"127.0.0.1:{good.port}"))
    p = probe(serve(script).port)
    p.expect(rf"state online .*127.0.0.1 port {good.port}, STARTTLS", 4)
    p.expect_log("the server points to 127.0.0.1 port", 1)


def test_see_other_host_in_circles(serve, probe):
    ports = []

    def script(s):
        s.starttls()
        s.header()
        s.send(stream_error("see-other-host", f"127.0.0.1:{ports[0]}"))
    server = serve(script)
    ports.append(server.port)
    p = probe(server.port, retry_min_ms=60000, retry_max_ms=60000)
    p.expect("state down .*points elsewhere, and there: .*see-other-host", 4)
    assert server.connections == 2


def test_see_other_host_in_clear(serve, probe):
    """Before TLS anyone may say it: not followed."""
    trap = serve(silent)

    def script(s):
        s.header()
        s.send(stream_error("see-other-host", f"127.0.0.1:{trap.port}"))
        s.silence()
    p = probe(serve(script).port)
    p.expect("state down .*ended the stream: see-other-host", 4)
    assert trap.connections == 0


@pytest.mark.parametrize("condition,advice", [
    ("policy-violation", "it does not like what or how much we send"),
    ("system-shutdown", "it is going down"),
    ("host-unknown", "check jid and host")])
def test_stream_errors_have_advice(serve, probe, condition, advice):
    def script(s):
        s.ready()
        s.send(stream_error(condition))
        s.silence()
    p = probe(serve(script, ready_then_silent).port)
    p.expect(f"state down .*ended the stream: {condition} .*{advice}", 4)
    p.expect("state ready", 4)


class Cutter(threading.Thread):
    """Between client and server: the first connection ends at once, each
    later one a step of the server's octets further; steps has pairs (up to,
    step).  With direct only those that begin TLS at once count."""

    def __init__(self, port, direct, steps):
        super().__init__(daemon=True)
        self.server, self.direct, self.steps = port, direct, steps
        self.left, self.passed, self.ended = 0, [], False
        self.sock = socket.socket()
        self.sock.bind(("127.0.0.1", 0))
        self.sock.listen()
        self.port = self.sock.getsockname()[1]
        self.start()

    def run(self):
        while not self.ended:
            try:
                client, _ = self.sock.accept()
            except OSError:
                return
            with client:
                first = client.recv(1, socket.MSG_PEEK)
                if self.direct and first != b"\x16":
                    continue
                with socket.create_connection(
                        ("127.0.0.1", self.server)) as server:
                    self.carry(client, server, self.left)
                self.left += next(step for upto, step in self.steps
                                  if self.left < upto)

    def carry(self, client, server, left):
        whole = 0
        self.passed.append(0)
        while left > 0:
            for s in select.select([client, server], [], [])[0]:
                try:
                    data = s.recv(65536)
                    if not data:
                        return
                    if s is client:
                        server.sendall(data)
                        continue
                    client.sendall(data[:left])
                except OSError:
                    return
                whole += len(data[:left])
                left -= len(data[:left])
                self.passed[-1] = whole

    def close(self):
        self.ended = True
        self.sock.close()


@pytest.mark.parametrize("direct", [False, True])
def test_cut_at_every_octet_of_the_login(serve, probe, direct):
    """Each ends in a reason that names the step, and in another try.  What
    is sealed by TLS is cut at every octet only when asked to be thorough, as
    OpenSSL hands over no piece of a record."""
    server = serve(lambda s: (s.ready(direct), s.silence()))
    step = 1 if os.environ.get("PLATEN_LONG") else 17
    cutter = Cutter(server.port, direct, [(0 if direct else 420, 1),
                                          (1 << 20, step)])
    try:
        p = probe(free_port() if direct else cutter.port,
                  fallback_port=cutter.port if direct else 0,
                  retry_min_ms=1, retry_max_ms=1, connect_ms=20000)
        downs = 0
        while True:
            line = p.expect("state (down|online|ready)(.*)", 10)
            if line.group(1) == "ready":
                break
            if line.group(1) == "down":
                downs += 1
                assert re.search(
                    r"(we waited for [a-zA-Z ]+\)|connection was lost)",
                    line.group(2)), line.group(0)
        # Nothing was left out, and all was cut where it should be.
        cuts = cutter.passed[:-1]
        assert downs == len(cuts) and cuts[-1] > 1500
        assert all(b - a in (1, step) for a, b in zip(cuts, cuts[1:]))
    finally:
        cutter.close()
        p.end()


def test_digest_is_not_tried_after_scram(serve, probe):
    def script(s):
        s.starttls()
        s.auth("SCRAM-SHA-1", "DIGEST-MD5", "PLAIN")
        s.until("<auth")
    bad = serve(script)
    p = probe(bad.port, password="guess")
    p.expect("state down .*login refused", 4)
    time.sleep(0.3)
    assert b"DIGEST" not in bad.seen and bad.seen.count(b"<auth") == 1


def test_weaker_scram_after_stronger(serve, probe):
    """A server may know the account's password in one form only, and says so;
    any other refusal is not worth a second try (test_wrong_password)."""
    def script(s):
        s.offer("SCRAM-SHA-512", "SCRAM-SHA-256", "SCRAM-SHA-1")
        s.until("mechanism=.SCRAM-SHA-512.*</auth>")
        s.send(f"<failure xmlns='{SASL_NS}'><invalid-mechanism/></failure>")
        assert s.scram()
        s.stay()
    p = probe(serve(script).port)
    p.expect("state ready", 4)


def test_temporary_failure_is_tried_again_soon(serve, probe):
    def script(s):
        s.offer("SCRAM-SHA-1")
        s.until("</auth>")
        s.send(f"<failure xmlns='{SASL_NS}'><temporary-auth-failure/>"
               "</failure>")
        s.silence()
    p = probe(serve(script, ready_then_silent).port)
    p.expect("state down .*not possible now", 3)
    p.expect("state ready", 3)


def test_scram_with_endless_rounds(serve, probe):
    """It is not even begun."""
    def script(s):
        s.iterations = 2000000000
        s.offer("SCRAM-SHA-1")
        m = re.search(">([^<]*)</auth>", s.until("</auth>"))
        nonce = base64.b64decode(m.group(1)).decode().rsplit("r=")[1]
        text = f"r={nonce}abc,s=AAAA,i=2000000000"
        s.send(f"<challenge xmlns='{SASL_NS}'>" +
               base64.b64encode(text.encode()).decode() + "</challenge>")
        s.silence()
    p = probe(serve(script, ready_then_silent).port)
    p.expect("state down .*wants 2000000000 rounds of SCRAM, we compute at "
             "most 600000", 4)
    p.expect("state ready", 4)


def test_no_stream_management(serve, probe):
    def script(s):
        s.starttls()
        s.auth()
        s.header()
        s.send("<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-"
               "bind'/><sm xmlns='urn:xmpp:sm:3'/></stream:features>")
        s.bound()
        s.until(f"<presence to='{CENTRE}'/>")
        s.here()
        s.silence()
    server = serve(script)
    probe(server.port).expect("state ready", 4)
    assert b"urn:xmpp:sm" not in server.seen


def test_own_presence(serve, probe):
    server = serve(ready_then_silent)
    probe(server.port).expect("state ready", 4)
    assert (b"<presence><priority>-1</priority></presence>"
            in server.seen)


def test_files_above_those_of_select(serve, probe):
    p = probe(serve(ready_then_silent).port, fds=1020)
    p.expect("state ready", 4)


def test_secrets_stay_out_of_the_log(serve, probe):
    def script(s):
        s.starttls()
        s.auth()
        s.bind()
        s.until(f"<presence to='{CENTRE}'/>")
        s.here()
        while True:
            kind, ident, to, payload = s.iq()
            s.result(ident, "<sealed>c2VhbGVk</sealed>")
    PROBE_ENV["PROBE_VERBOSE"] = "1"
    try:
        server = serve(script)
        p = probe(server.port)
        p.expect("state ready", 4)
        p.say("ask a 1000 <sealed>b3V0</sealed>")
        p.expect("answer a result sealed - c2VhbGVk", 2)
    finally:
        del PROBE_ENV["PROBE_VERBOSE"]
    p.end()
    log = "\n".join(p.log)
    assert "received <challenge>" in log
    found = re.findall(rb"<(?:auth|response)[^>]*>([^<]+)<", server.seen)
    assert len(found) == 2
    for secret in (PASSWORD, "n=office", "c2VhbGVk", "b3V0", "v=",
                   *map(bytes.decode, found)):
        assert secret not in log


# ---- finding the server --------------------------------------------------

SERVICE = f"_xmpp-client._tcp.{DOMAIN}"
LOCAL = a()


@pytest.fixture
def names():
    running = []

    def start(records, **more):
        running.append(Names(records, **more))
        return running[-1]
    yield start
    for n in running:
        n.close()


def test_srv(serve, probe, names):
    good = serve(ready_then_silent)
    dns = names({(SERVICE, SRV): [
        srv(20, 0, good.port, "xmpp.hosting.test"),
        srv(10, 0, free_port(), "dead.hosting.test")],
        ("xmpp.hosting.test", A): [LOCAL],
        ("dead.hosting.test", A): [LOCAL]})
    p = probe(5222, host=None, dns=dns.port)
    p.expect(r"state online .*xmpp.hosting.test \(127.0.0.1\) port %d" %
             good.port, 4)


def test_without_srv_the_domain(serve, probe, names):
    good = serve(ready_then_silent)
    dns = names({(DOMAIN, A): [LOCAL]})
    p = probe(good.port, host=None, dns=dns.port)
    p.expect(rf"state online .*{DOMAIN} \(127.0.0.1\)", 4)
    assert (SERVICE, SRV) in dns.asked


def test_srv_and_fallback_port(serve, probe, names):
    good = serve(direct_ready)
    dns = names({(SERVICE, SRV): [
        srv(0, 0, free_port(), "xmpp.hosting.test")],
        ("xmpp.hosting.test", A): [LOCAL]})
    p = probe(5222, host=None, dns=dns.port, fallback_port=good.port)
    p.expect("state online .*xmpp.hosting.test .*direct TLS", 4)


def test_srv_says_no(serve, probe, names):
    dns = names({(SERVICE, SRV): [srv(0, 0, 0, ".")],
                 (DOMAIN, A): [LOCAL]})
    p = probe(serve(silent).port, host=None, dns=dns.port)
    p.expect("state down .*says that it has no XMPP service", 4)


def test_all_addresses_are_tried(serve, probe, names):
    good = serve(ready_then_silent)
    dns = names({("xmpp.hosting.test", A): [
        a("127.0.0.2"), a("127.0.0.3"),
        LOCAL]})
    p = probe(good.port, host="xmpp.hosting.test", dns=dns.port)
    p.expect(r"state online .*\(127.0.0.1\)", 4)


def test_ipv6(serve, probe):
    try:
        good = serve(ready_then_silent, host="::1")
    except OSError:
        pytest.skip("no IPv6 here")
    p = probe(good.port, host="::1")
    p.expect("state online .*::1 port", 4)


def test_a_slow_login_is_one(serve, probe):
    """Each step has connect_ms, not all of them together."""
    p = probe(serve(slow).port, connect_ms=int(2500 * PATIENCE))
    p.expect("state ready", 40)
    assert not any(line.startswith("state down") for line in p.seen)


def test_unknown_name(probe, names):
    dns = names({})
    p = probe(5222, host="nowhere.test", dns=dns.port)
    p.expect("state down cannot resolve nowhere.test", 4)


def test_dead_resolver_costs_seconds(probe, names):
    dns = names({}, answer=False)
    start = time.monotonic()
    p = probe(5222, host="xmpp.hosting.test", dns=dns.port)
    p.expect("state down cannot resolve", 9)
    assert time.monotonic() - start < 6 * PATIENCE


# ---- at work -------------------------------------------------------------

def test_answers_out_of_order(serve, probe):
    def script(s):
        s.ready()
        iqs = [s.iq() for _ in range(20)]
        assert all(kind == "set" and to == CENTRE for kind, _, to, _ in iqs)
        assert len({i for _, i, _, _ in iqs}) == 20
        assert all(re.fullmatch("[0-9a-f]{32}", i) for _, i, _, _ in iqs)
        for _, ident, _, payload in reversed(iqs):
            s.result(ident, payload)
        s.silence()
    p = probe(serve(script).port)
    p.expect("state ready", 4)
    for i in range(20):
        p.say(f"ask q{i} 5000 <sealed n='{i}'>t{i}</sealed>")
    for i in reversed(range(20)):
        p.expect_next(f"answer q{i} result sealed {i} t{i}$", 2)


def test_only_the_centre_answers_and_once(serve, probe):
    def script(s):
        s.ready()
        _, ident, _, _ = s.iq()
        for liar in (f"evil@{DOMAIN}/x", DOMAIN, CENTRE + "/x", "centre.evil",
                     f"{USER}@{DOMAIN}"):
            s.result(ident, "<forged/>", sender=liar)
            s.error(ident, "service-unavailable", sender=liar)
        s.send(f"<iq type='result' id='{ident}'><forged/></iq>")
        s.result("0" * 32, "<forged/>")
        s.result(ident, "<true/>")
        s.result(ident, "<again/>")
        s.silence()
    p = probe(serve(script).port)
    p.expect("state ready", 4)
    p.say("ask q 5000 <x/>")
    p.expect_next("answer q result true", 2)
    p.expect_log("who was not asked", 1)
    time.sleep(0.3)
    assert p.nothing_more()


def test_results_without_content_and_errors(serve, probe):
    def script(s):
        s.ready()
        s.result(s.iq()[1])
        s.error(s.iq()[1], "item-not-found")
        s.send(f"<iq type='error' id='{s.iq()[1]}' from='{CENTRE}'/>")
        s.send(f"<iq type='error' id='{s.iq()[1]}' from='{CENTRE}'><error>"
               "<evil&#10;x xmlns='a'/></error></iq>".replace("&#10;", ""))
        s.silence()
    p = probe(serve(script).port)
    p.expect("state ready", 4)
    for i in range(4):
        p.say(f"ask q{i} 5000 <x/>")
    p.expect_next("answer q0 result - - -", 2)
    p.expect_next("answer q1 error item-not-found", 2)
    p.expect_next("answer q2 error undefined-condition", 2)
    p.expect_next("answer q3 error undefined-condition", 2)
    assert p.nothing_more()


@pytest.mark.parametrize("condition", [
    "remote-server-not-found", "remote-server-timeout",
    "service-unavailable", "recipient-unavailable"])
def test_a_centre_that_is_gone(serve, probe, condition):
    def script(s):
        s.ready()
        s.iq()
        s.error(s.iq()[1], condition)
        s.until(f"<presence to='{CENTRE}'/>", 5)
        s.here()
        s.silence()
    p = probe(serve(script).port, ping_ms=1000)
    p.expect("state ready", 4)
    p.say("ask first 5000 <x/>")
    p.say("ask second 5000 <x/>")
    p.expect_next("answer first lost", 2)
    p.expect_next(f"state online .*{condition}", 2)
    p.expect_next(f"answer second error {condition}", 2)
    p.say("ask third 5000 <x/>")
    p.expect_next("answer third not-sent", 1)
    p.expect_next("state ready", 4)


def test_forbidden_is_looked_into(serve, probe):
    """ejabberd's word for no component is the centre's for a bad agent."""
    def script(s):
        s.ready()
        s.error(s.iq()[1], "forbidden")
        kind, ident, _, payload = s.iq()
        assert kind == "get" and "urn:xmpp:ping" in payload
        s.result(ident)
        s.error(s.iq()[1], "forbidden")
        s.error(s.iq()[1], "forbidden")
        s.silence()
    p = probe(serve(script).port)
    p.expect("state ready", 4)
    p.say("ask a 5000 <x/>")
    p.expect_next("answer a error forbidden", 2)
    time.sleep(0.3)
    assert p.nothing_more()
    p.say("ask b 5000 <x/>")
    p.expect_next("answer b error forbidden", 2)
    p.expect_next("state online .*forbidden", 2)


def test_no_answer_in_time(serve, probe):
    def script(s):
        s.ready()
        s.iq()
        while True:
            _, ident, to, _ = s.iq()
            if to == DOMAIN:
                s.result(ident, sender=DOMAIN)
    p = probe(serve(script).port)
    p.expect("state ready", 4)
    p.say("ask a 300 <x/>")
    p.expect_next("state online .*no answer in time", 2)
    p.expect_next("answer a lost", 1)


def test_presence_gate(serve, probe):
    def script(s):
        s.login()
        s.send(f"<presence from='evil@{DOMAIN}/x' to='{FULL}'/>")
        s.send(f"<presence from='{CENTRE}/x' to='{FULL}'/>")
        s.send(f"<presence from='{CENTRE}' to='{FULL}' type='subscribe'/>")
        s.here(" type='error'")
        time.sleep(0.4)
        s.here()
        time.sleep(0.3)
        s.here(" type='unavailable'")
        s.until(f"<presence to='{CENTRE}'/>", 5)
        s.here()
        s.silence()
    p = probe(serve(script).port, ping_ms=2000)
    p.expect("state online", 4)
    time.sleep(0.2)
    assert p.nothing_more()
    p.say("ask a 300 <x/>")
    p.expect_next("answer a not-sent", 1)
    p.expect_next("state ready", 2)
    p.expect_next("state online .*it said so", 2)
    p.expect_next("state ready", 4)


def test_centre_that_announces_itself(serve, probe):
    """Started anew it does not know us, so we say that we are there; its
    answer to that is not one more announcement."""
    def script(s):
        s.ready()
        s.iq()
        s.here()
        s.until(f"<presence to='{CENTRE}'/>", 5)
        s.here()
        s.silence()
    server = serve(script)
    p = probe(server.port)
    p.expect("state ready", 4)
    p.say("ask a 5000 <x/>")
    p.expect_next("answer a lost", 2)
    p.expect_next("state ready the centre announced itself", 2)
    time.sleep(0.5)
    assert p.nothing_more()
    assert server.seen.count(f"<presence to='{CENTRE}'/>".encode()) == 2


def test_requests_of_the_centre(serve, probe):
    def script(s):
        s.ready()
        s.send(f"<iq type='set' id='a&amp;&apos;b' from='{CENTRE}'>"
               "<sealed xmlns='urn:platen:sealed:1' n='7'>x&amp;y</sealed>"
               "</iq>")
        got = s.until("</iq>")
        assert ("<iq type='result' id='a&amp;&apos;b' "
                f"to='{CENTRE}'><yes xmlns='urn:test'/></iq>") in got
        s.until(f"<presence to='{CENTRE}'/>", 5)
        s.send(f"<iq type='set' id='c' from='{CENTRE}'><sealed/></iq>")
        got = s.until("</iq>")
        assert "not-allowed" in got and "no &amp; never" in got
        s.here()
        s.silence()
    p = probe(serve(script).port, ping_ms=60000)
    p.expect("state ready", 4)
    p.expect("request sealed urn:platen:sealed:1 7 x&y", 2)


def test_what_is_wrong_goes_with_presence(serve, probe):
    """Told when it changes and after each login; who hears of it answers,
    and that answer is no announcement."""
    full = (f"<presence to='{CENTRE}'><show>dnd</show>"
            "<status>disk &lt;full&gt;</status></presence>")

    def first(s):
        s.ready()
        s.until(full)
        s.here()

    def second(s):
        s.starttls()
        assert s.auth()
        s.bind()
        s.until(full)
        s.here()
        s.until(f"<presence to='{CENTRE}'/>")
        s.silence()
    server = serve(first, second)
    p = probe(server.port)
    p.expect("state ready", 4)
    p.say("status disk <full>")
    p.say("status disk <full>")
    p.expect_next("state down", 4)
    p.expect("state ready", 4)
    p.say("status")
    time.sleep(0.3)
    assert p.nothing_more()
    assert server.seen.count(full.encode()) == 2
    assert server.seen.count(f"<presence to='{CENTRE}'/>".encode()) == 2


def ask_agent(s, kind, sender, payload, ident="i1"):
    sender = f" from='{sender}'" if sender else ""
    s.send(f"<iq type='{kind}' id='{ident}'{sender} to='{FULL}'>{payload}"
           "</iq>")
    return s.until("<iq [^>]*>.*?</iq>")


DISCO = "<query xmlns='http://jabber.org/protocol/disco#info'/>"
VERSION = "<query xmlns='jabber:iq:version'/>"
PING = "<ping xmlns='urn:xmpp:ping'/>"
ROSTER = "<query xmlns='jabber:iq:roster'/>"


def test_what_others_may_know(serve, probe):
    done = threading.Event()

    def script(s):
        s.ready()
        for friend in (None, DOMAIN, f"{USER}@{DOMAIN}", CENTRE):
            assert "type='result'" in ask_agent(s, "get", friend, PING)
            got = ask_agent(s, "get", friend, DISCO)
            assert "type='bot'" in got and "urn:xmpp:ping" in got
            assert ("<version>0.0.test</version>"
                    in ask_agent(s, "get", friend, VERSION))
            got = ask_agent(s, "get", friend, "<foo xmlns='bar'/>")
            assert "service-unavailable" in got
        assert "service-unavailable" in ask_agent(s, "set", None, ROSTER)
        for stranger in (f"evil@{DOMAIN}/x", "centre.agents.test.evil",
                         CENTRE + "/x", f"{USER}x@{DOMAIN}/p"):
            for kind, payload in (("get", PING), ("get", DISCO),
                                  ("get", VERSION),
                                  ("set", "<sealed xmlns='urn:platen:sealed:1'"
                                   " n='1'>x</sealed>")):
                got = ask_agent(s, kind, stranger, payload)
                assert "type='error'" in got and f"to='{stranger}'" in got
                assert "service-unavailable" in got and "platend" not in got
        s.send(f"<message from='evil@{DOMAIN}' to='{FULL}'><body>hi</body>"
               f"</message><iq type='get' from='evil@{DOMAIN}'>{PING}</iq>"
               f"<iq/><iq type='x' id='1'/><foo xmlns='bar'/>")
        assert "type='result'" in ask_agent(s, "get", None, PING, "end")
        done.set()
        s.silence()
    p = probe(serve(script).port)
    p.expect("state ready", 4)
    assert done.wait(5)
    assert p.nothing_more()
    p.expect_log(f"request from evil@{DOMAIN}/x, who is not the centre", 1)
    assert len([x for x in p.log if "who is not the centre" in x]) == 1


def test_a_flood_of_strangers(serve, probe):
    """Answers are limited, the centre's own are not."""
    def script(s):
        s.ready()
        for i in range(3000):
            s.send(f"<iq type='get' id='f{i}' from='evil@{DOMAIN}/{i}'>"
                   f"{DISCO}</iq>")
        ident = next(q[1] for q in iter(s.iq, None) if q[0] == "set")
        s.result(ident, "<fine/>")
        s.silence()
    server = serve(script)
    p = probe(server.port)
    p.expect("state ready", 4)
    p.say("ask a 5000 <x/>")
    p.expect("answer a result fine", 5)
    assert server.seen.count(b"service-unavailable") < 200


def test_large_answers_come_at_once(serve, probe):
    """What waits inside TLS is not seen by poll()."""
    text = "A" * 150000

    def script(s):
        s.ready()
        while True:
            s.result(s.iq()[1], f"<sealed>{text}</sealed>")
    p = probe(serve(script).port)
    p.expect("state ready", 4)
    for i in range(10):
        start = time.monotonic()
        p.say(f"ask q{i} 5000 <x/>")
        p.expect_next(f"answer q{i} result sealed - {text}$", 4)
        assert time.monotonic() - start < 1.5 * PATIENCE


def test_small_answers_come_at_once(serve, probe):
    def script(s):
        s.ready()
        while True:
            s.result(s.iq()[1], "<sealed>x</sealed>")
    p = probe(serve(script).port)
    p.expect("state ready", 4)
    start = time.monotonic()
    for i in range(50):
        p.say(f"ask q{i} 5000 <x/>")
        p.expect_next(f"answer q{i} result", 2)
    assert (time.monotonic() - start) / 50 < 0.015 * PATIENCE


def test_payload_limit(serve, probe):
    def script(s):
        s.ready()
        s.result(s.iq()[1], "<ok/>")
        s.silence()
    p = probe(serve(script).port)
    p.expect("state ready", 4)
    p.say("big a 5000 204801")
    p.expect_next("answer a not-sent", 2)
    p.say("big b 5000 200000")
    p.expect_next("answer b result ok", 3)


def test_server_that_does_not_read(serve, probe):
    """What waits is bounded; what is answered later is answered."""
    go = threading.Event()

    def script(s):
        s.ready()
        go.wait(10)
        while True:
            s.result(s.iq()[1])
    p = probe(serve(script).port)
    p.expect("state ready", 4)
    for i in range(120):
        p.say(f"big q{i} 20000 200000")
    p.say("cpu")                # said when all has been tried
    sent = 120 - sum("not-sent" in line for line in p.before("cpu ", 30))
    assert 40 < sent < 120
    go.set()
    for _ in range(sent):
        p.expect_next("answer q.* result", 10)


@pytest.mark.parametrize("text", [
    "<message><body>" + "x" * 65536, "<message a='" + "x" * 65536,
    "<a>" * 20000, "<a b='c'/>" * 8000, "&lt;" * 16000],
    ids=["text", "attribute", "depth", "width", "escapes"])
def test_stanza_without_end(serve, probe, text):
    def script(s):
        s.ready()
        s.send("<message>")
        while True:
            s.send(text)
    p = probe(serve(script, ready_then_silent).port)
    p.expect("state ready", 4)
    p.expect("state down .*(a stanza without end|not XMPP)", 30)
    p.expect("state ready", 5)
    p.say("rss")
    assert int(p.expect("rss (\\d+)", 2).group(1)) < 60000


def mutate(rng, text):
    """A few bytes changed, pieces left out, doubled or moved."""
    data = bytearray(text.encode())
    for _ in range(rng.randint(1, 6)):
        i, j = sorted(rng.randrange(len(data) + 1) for _ in "ab")
        kind = rng.randrange(5)
        if kind == 0 and i < len(data):
            data[i] = rng.choice(b"<>/&'\"= \x00\xffax:\n")
        elif kind == 1:
            del data[i:min(j, i + 30)]
        elif kind == 2:
            data[i:i] = data[i:min(j, i + 60)]
        elif kind == 3:
            data[i:i] = rng.choice([b"<a>", b"</a>", b"<stream:error/>",
                                    b"</stream:stream>", b"<failure xmlns='"
                                    + SASL_NS.encode() + b"'/>", b"<iq/>",
                                    b"<stream:features/>", b"&#65;"])
        elif not data:
            data += b"<"
    return bytes(data)


BEFORE_TLS = [
    STREAM % "x" + STARTTLS,
    STREAM % "x" + mechanisms("SCRAM-SHA-1", "PLAIN"),
    STREAM % "x" + "<stream:error><host-gone xmlns='urn:ietf:params:xml:ns:"
    "xmpp-streams'/>text<text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>x"
    "</text></stream:error></stream:stream>",
    STREAM % "x" + STARTTLS + f"<proceed xmlns='{TLS_NS}'/>",
]


def test_garbage_before_tls(serve, probe):
    """Anyone on the path can send this."""
    rng = random.Random(1)

    def script(s):
        s.until(">")
        s.send(mutate(rng, rng.choice(BEFORE_TLS)))
        time.sleep(0.002)
    server = serve(script)
    p = probe(server.port, retry_min_ms=1, retry_max_ms=1, connect_ms=300)
    until = time.monotonic() + 60
    while server.connections < 400 and time.monotonic() < until:
        time.sleep(0.1)
        assert p.process.poll() is None
    assert server.connections >= 400
    assert b"<auth" not in server.seen


LATER = [
    f"<iq type='set' id='1' from='{CENTRE}'><sealed xmlns='urn:platen:sealed:"
    "1' n='7'>YWJj</sealed></iq>",
    f"<presence from='{CENTRE}' to='{FULL}'/>",
    f"<presence from='{CENTRE}' type='error'><error type='cancel'><gone xmlns="
    "'urn:ietf:params:xml:ns:xmpp-stanzas'>x</gone></error></presence>",
    f"<iq type='error' id='1' from='{CENTRE}'><error/></iq>",
    f"<iq type='get' id='2' from='{DOMAIN}'><query xmlns='http://jabber.org/"
    "protocol/disco#info' node='x'/></iq>",
    f"<message from='evil@{DOMAIN}'><body>x</body></message>",
]


def test_garbage_after_login(serve, probe):
    rng = random.Random(2)

    def script(s):
        s.ready()
        for _ in range(300):
            s.send(mutate(rng, rng.choice(LATER)))
        s.until("</stream:stream>|never", 0.2)
    server = serve(script)
    p = probe(server.port, retry_min_ms=1, retry_max_ms=1)
    until = time.monotonic() + 60
    while server.logins < 60 and time.monotonic() < until:
        time.sleep(0.1)
        assert p.process.poll() is None
    assert server.logins >= 60


def test_deeply_nested_stanza(serve, probe):
    """What a server lets through of a stranger's 256 KiB costs the stanza,
    not the stream."""
    depth = 37000
    done = threading.Event()

    def script(s):
        s.ready()
        s.send(f"<message from='evil@{DOMAIN}'>" + "<a>" * depth +
               "</a>" * depth + "</message>")
        assert "result" in ask_agent(s, "get", None, PING)
        done.set()
        s.silence()
    p = probe(serve(script).port)
    p.expect("state ready", 4)
    assert done.wait(10 * PATIENCE)
    p.expect_log(f"refused a stanza from evil@{DOMAIN}: too deep", 1)
    assert p.nothing_more()


# ---- losing it -----------------------------------------------------------

def test_connection_lost(serve, probe):
    def script(s):
        s.ready()
        for _ in range(3):
            s.iq()
    p = probe(serve(script, ready_then_silent).port)
    p.expect("state ready", 4)
    for i in range(3):
        p.say(f"ask q{i} 5000 <x/>")
    for i in range(3):
        p.expect_next(f"answer q{i} lost", 2)
    p.expect_next("state down .*connection was lost", 2)
    p.expect_next("state connecting", 3)
    p.expect_next("state online", 2)
    p.expect_next("state ready", 2)


def test_reset(serve, probe):
    p = probe(serve(ready_then_silent).port)
    p.expect("state ready", 4)
    p.say("ask a 5000 <x/>")
    p.say("reset the session failed")
    p.expect_next("answer a lost", 2)
    p.expect_next("state down .*the session failed", 1)
    p.expect("state ready", 3)


def test_stop_says_goodbye(serve, probe):
    def script(s):
        s.ready()
        s.until("<presence type='unavailable'/></stream:stream>")
        s.send("</stream:stream>")
    server = serve(script)
    p = probe(server.port)
    p.expect("state ready", 4)
    p.say("ask a 5000 <x/>")
    p.say("stop")
    p.expect_next("answer a lost", 2)
    p.expect_next("state down stopped", 1)
    assert b"unavailable" in server.seen
    p.say("start")
    p.expect("state ready", 3)


def test_stop_of_a_mute_server_takes_half_a_second(serve, probe):
    p = probe(serve(ready_then_silent).port)
    p.expect("state ready", 4)
    start = time.monotonic()
    p.say("stop")
    p.expect("state down stopped", 2)
    assert time.monotonic() - start < 0.9 * PATIENCE


def test_system_shutdown(serve, probe):
    def script(s):
        s.ready()
        s.send("<stream:error><system-shutdown xmlns='urn:ietf:params:xml:ns:"
               "xmpp-streams'/></stream:error></stream:stream>")
    p = probe(serve(script, ready_then_silent).port)
    p.expect("state down .*system-shutdown", 4)
    p.expect("state ready", 4)


def test_conflict(serve, probe):
    def script(s):
        s.ready()
        s.send("<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-"
               "streams'/><text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>"
               "Replaced</text></stream:error></stream:stream>")
    server = serve(script)
    p = probe(server.port)
    p.expect("state down .*another agent uses this account", 4)
    p.expect_log(r"next try in (6|7)\d\.", 1)
    time.sleep(1.2)
    assert server.connections == 1


def test_server_that_stops_answering(serve, probe):
    """The connection stands, nobody is behind it."""
    server = serve(ready_then_silent)
    p = probe(server.port, ping_ms=1000)
    p.expect("state ready", 4)
    start = time.monotonic()
    p.expect("state down .*no sign of life", 5)
    assert time.monotonic() - start < 3 * PATIENCE
    assert PING.encode() in server.seen


def test_pings_keep_it_up(serve, probe):
    """The centre's answer proves the server, too: nobody else is asked."""
    def script(s):
        s.ready()
        while True:
            _, ident, to, payload = s.iq()
            assert "urn:xmpp:ping" in payload and to == CENTRE
            s.error(ident, "feature-not-implemented")
    server = serve(script)
    p = probe(server.port, ping_ms=500)
    p.expect("state ready", 4)
    time.sleep(3)
    assert p.nothing_more()
    assert 3 <= server.seen.count(b"urn:xmpp:ping") <= 8


def test_centre_that_stops_answering(serve, probe):
    def script(s):
        s.ready()
        while True:
            _, ident, to, _ = s.iq()
            if to == DOMAIN:
                s.result(ident, sender=DOMAIN)
    p = probe(serve(script).port, ping_ms=1000)
    p.expect("state ready", 4)
    p.expect("state online .*no answer in time", 5)
    time.sleep(1)
    assert p.nothing_more()


def test_silent_while_the_queue_is_full(serve, probe):
    """Replies that trickle in are signs of life: a slow server is not a dead
    one."""
    def script(s):
        s.ready()
        while True:
            _, ident, to, _ = s.iq()
            time.sleep(0.3)
            s.result(ident, sender=to)
    p = probe(serve(script).port, ping_ms=1000)
    p.expect("state ready", 4)
    for i in range(12):
        p.say(f"big q{i} 20000 60000")
    for i in range(12):
        p.expect_next(f"answer q{i} result", 3)


FORWARD = """
import select, socket, sys
a = socket.socket(); a.bind(("127.0.0.1", 0)); a.listen()
print(a.getsockname()[1], flush=True)
pairs = {}
while True:
    for s in select.select([a, *pairs], [], [])[0]:
        if s is a:
            c, _ = a.accept()
            d = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
            pairs[c], pairs[d] = d, c
            continue
        data = s.recv(65536)
        if data:
            pairs[s].sendall(data)
        else:
            other = pairs.pop(s); pairs.pop(other); s.close(); other.close()
"""


def test_link_cut_without_a_word(serve, probe):
    server = serve(ready_then_silent)
    with subprocess.Popen([sys.executable, "-c", FORWARD, str(server.port)],
                          stdout=subprocess.PIPE, text=True) as f:
        p = probe(int(f.stdout.readline()), ping_ms=1500)
        p.expect("state ready", 4)
        os.kill(f.pid, signal.SIGSTOP)
        p.say("ask a 60000 <x/>")
        start = time.monotonic()
        p.expect("answer a lost", 6)
        p.expect("state down .*no sign of life", 1)
        assert time.monotonic() - start < 4 * PATIENCE
        # And a proxy that hangs is no reason to hang with it.
        p.expect("state down .*no answer within", 5)
        os.kill(f.pid, signal.SIGCONT)
        p.expect("state ready", 6)
        f.kill()


def test_backoff_grows_and_one_line_is_logged(probe):
    p = probe(free_port(), retry_min_ms=100, retry_max_ms=400)
    lines = p.drain(3)
    downs = sum(x.startswith("state down") for x in lines)
    assert 7 <= downs <= 16
    assert len([x for x in p.log if "down:" in x]) == 1


def test_idle_costs_nothing(serve, probe):
    p = probe(serve(ready_then_silent).port)
    p.expect("state ready", 4)
    time.sleep(1.5)             # the library's own aftermath
    before = cpu_seconds(p)
    time.sleep(4)
    assert cpu_seconds(p) - before < 0.004


def test_memory_stays_flat(serve, probe, probe_path):
    if b"__asan" in pathlib.Path(probe_path).read_bytes():
        pytest.skip("a sanitizer keeps what was freed")

    def once(s):
        s.ready()
    server = serve(once)
    p = probe(server.port, retry_min_ms=1, retry_max_ms=1)
    while server.connections < 20:
        time.sleep(0.1)
    p.say("rss")
    before = int(p.expect("rss (\\d+)", 5).group(1))
    while server.connections < 100:
        time.sleep(0.1)
    p.say("rss")
    after = int(p.expect("rss (\\d+)", 5).group(1))
    assert after - before < 400
