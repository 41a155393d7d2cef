"""Promise: a server that turns hostile loses nothing of an agent's and makes
neither side believe what the other did not seal.  It may drop TLS, replay,
reorder, forge, flood, drip or send what is no XMPP: the agent says what is
wrong, keeps what it has, comes back with pauses and delivers once and in
order when somebody is honest again; the centre does, too.  Both take bounded
memory and time.
"""
import re
import threading
import time
import uuid

import pytest

import centralbench
from centralbench import ACCEPT, REPORT, SEALED, SESSION, Refused, asset
from evilserver import Site
from rig import PATIENCE, wait_for
from speaker import Cost, SANITIZED
from xmppfake import BIND, CENTRE, DOMAIN, FULL, STARTTLS, TLS_NS, USER, \
    Authority, Gone, mechanisms

MB = 1 << 20
UPLINK = 96 * MB        # its peak, whatever comes


@pytest.fixture(scope="module")
def ca(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def tls(ca):
    return ca.context()


@pytest.fixture
def site(rig, ca, tls):
    made = Site(rig, ca, tls)
    yield made
    made.close()


# --- answers that the centre did not give ---------------------------------------

def ack(seq):
    return f"<ack xmlns='{REPORT}' lane='urgent' seq='{seq}'/>"


def bomb():
    names = "bcdefghij"
    entities = "<!ENTITY a 'haha'>" + "".join(
        f"<!ENTITY {n} '{f'&{p};' * 10}'>"
        for p, n in zip("a" + names, names))
    return f"<!DOCTYPE x [{entities}]>", "&j;"


# Each is the stanza's payload for a report, instead of the centre's answer.
def unsealed(heart, element):
    return ack(1)


def nothing(heart, element):
    return ""


def another_element(heart, element):
    return f"<handshake xmlns='{SESSION}'>AAAA</handshake>"


def empty(heart, element):
    return f"<sealed xmlns='{SEALED}' n='0'/>"


def not_numbered(heart, element):
    return heart.sealed(ack(1)).replace(" n='", " m='")


def wrong_number(heart, element):
    return re.sub("n='[0-9]+'", "n='4000000000'", heart.sealed(ack(1)))


def huge_number(heart, element):
    return re.sub("n='[0-9]+'", f"n='{'9' * 5000}'", heart.sealed(ack(1)))


def no_base64(heart, element):
    return f"<sealed xmlns='{SEALED}' n='0'>\u00e9%%%%</sealed>"


def too_long(heart, element):
    return f"<sealed xmlns='{SEALED}' n='0'>{'A' * 150000}</sealed>"


def another_key(heart, element):
    """As by a server that makes up a session, or swaps two agents'."""
    return heart.sealed(ack(1), heart.stranger())


def reflected(heart, element):
    return f"<sealed xmlns='{SEALED}' n='0'>{element.text}</sealed>"


def changed(heart, element):
    text = heart.sealed(ack(1))
    return text[:-30] + ("B" if text[-30] != "B" else "C") + text[-29:]


LIES = [unsealed, nothing, another_element, empty, not_numbered, wrong_number,
        huge_number, no_base64, too_long, another_key, reflected, changed]


@pytest.mark.parametrize("lie", LIES, ids=lambda f: f.__name__)
def test_forged_answer(site, lie):
    """It ends the session, is named, and every report is sent again."""
    def script(s):
        s.ready()
        ident, element = site.heart.next(s, "sealed")
        s.result(ident, lie(site.heart, element))
        site.heart.serve(s)
    site.start(script)
    site.said(r"no session with the centre: the centre's answer (is not "
              "sealed|does not open)")
    site.delivered()


def test_replayed_answers(site):
    """The answer to an earlier report, and one of an earlier session, are no
    answers to this one."""
    def script(s):
        heart = site.heart
        s.ready()
        ident, element = heart.next(s, "sealed")
        honest = heart.answer(ident, element)
        s.send(honest)
        old = re.search("<sealed.*</sealed>", honest)[0]
        for _ in range(2):              # this session's, then an older one's
            site.change()
            ident, element = heart.next(s, "sealed")
            s.result(ident, old)
        site.change()
        heart.serve(s)
    site.start(script)
    wait_for(lambda: len(re.findall("answer does not open",
                                    site.agent.log())) >= 2, 30)
    site.delivered()


def test_answers_reordered_and_doubled(site):
    """Held back, turned round, each of them twice."""
    def script(s):
        heart = site.heart
        s.ready()
        s.send(heart.answer(*heart.next(s, "handshake")))
        for _ in range(3):
            site.change()
        held = [heart.answer(*heart.next(s, "sealed"))]
        for _ in range(3):
            try:
                ident, element = heart.hear(s, 3)
            except Gone:
                break
            held.append(heart.answer(ident, element))
        for text in reversed(held):
            s.send(text + text)
        heart.serve(s)
    site.start(script)
    site.delivered()


@pytest.mark.parametrize("sender", [
    DOMAIN, FULL, f"{USER}@{DOMAIN}", CENTRE + "/x", "x@" + CENTRE,
    "evil.test", f"evil@{DOMAIN}/x", CENTRE + ".evil.test", ""])
def test_answer_from_another(site, sender):
    """Under the right id, but from somebody else: it is not even looked at."""
    def script(s):
        heart = site.heart
        s.ready()
        ident, element = heart.next(s, "handshake")
        s.result(ident, f"<handshake xmlns='{SESSION}'>AAAA</handshake>",
                 sender=sender)
        s.error(ident, "forbidden", sender=sender)
        s.send(heart.answer(ident, element))
        ident, element = heart.next(s, "sealed")
        for _ in range(300):
            s.result(ident, ack(999), sender=sender)
            s.error(ident, "item-not-found", sender=sender)
        s.send(heart.answer(ident, element))
        heart.serve(s)
    site.start(script)
    site.delivered()
    assert "no session with the centre" not in site.agent.log()
    lines = re.findall("answer from (.*), who was not asked",
                       site.agent.log())
    assert len(lines) == 2 and (not sender or set(lines) == {sender})


def test_presence_of_others(site):
    """Who is not the centre says that the centre went: nobody believes it."""
    def script(s):
        s.ready()
        asked = site.heart.next(s, "handshake")
        for sender in (CENTRE + "/x", "x@" + CENTRE, DOMAIN, "evil.test"):
            for kind in "unavailable", "error", "subscribe":
                s.send(f"<presence from='{sender}' to='{FULL}' "
                       f"type='{kind}'/>")
        s.send(f"<presence to='{FULL}' type='unavailable'/>")
        s.send(site.heart.answer(*asked))
        site.heart.serve(s)
    site.start(script)
    site.delivered()
    assert "is not there" not in site.agent.log()
    assert len(site.heart.hellos) == 1


@pytest.mark.parametrize("kinds", [(None,), (None, "unavailable"),
                                   ("error", "unavailable", None)],
                         ids=["announces", "flaps", "all"])
def test_centre_comes_and_goes(site, kinds):
    """The server has it come and go thousands of times: each may cost a
    handshake, so the agent leaves such a server for a while."""
    def script(s):
        s.ready()
        site.heart.next(s, "sealed")
        for i in range(5000):
            kind = kinds[i % len(kinds)]
            s.here(f" type='{kind}'" if kind else "")
        s.silence()
    site.start(script)
    site.said("the server has the centre come and go without end", 60)
    site.delivered(120)
    assert len(site.agent.log().splitlines()) < 150


def test_requests_without_end(site):
    """From the centre, says the server, and strangers."""
    def script(s):
        s.ready()
        for i in range(1000):
            s.send(f"<iq type='set' id='c{i}' from='{CENTRE}' to='{FULL}'>"
                   "<command xmlns='u'/></iq>"
                   f"<iq type='get' id='e{i}' from='e{i}@evil.test/x' "
                   f"to='{FULL}'><query xmlns='jabber:iq:version'/></iq>")
        site.heart.serve(s)
    site.start(script)
    site.delivered(120)
    text = site.agent.log()
    assert "a request from the centre is refused" in text
    assert "who is not the centre, refused" in text
    assert len(text.splitlines()) < 100


def test_bad_answers_without_end(site):
    """Handshakes are let through and no report is: the pauses grow."""
    rest = threading.Event()

    def script(s):
        s.ready()
        while not rest.is_set():
            ident, element = site.heart.next(s, "sealed")
            if not rest.is_set():
                s.result(ident, changed(site.heart, element))
            else:
                s.send(site.heart.answer(ident, element))
        site.heart.serve(s)
    site.start(script)
    site.said(r"does not open; trying again in ([5-9]|\d\d) s", 90)
    rest.set()
    site.delivered(120)


# --- what the centre itself would have to lie -----------------------------------

@pytest.mark.parametrize("content, why", [
    (ack(999), "acknowledged what was never sent"),
    (ack(10 ** 18 - 1), "acknowledged what was never sent"),
    (ack(10 ** 30), "makes no sense"),
    (ack(-1), "makes no sense"),
    (f"<ack xmlns='{REPORT}' lane='urgent' seq='0'><refused seq='1' "
     "reason='x'/></ack>", "acknowledged what was never sent"),
    (f"<ack xmlns='{REPORT}' lane='bulk' seq='0'/>", "makes no sense"),
    (f"<report xmlns='{REPORT}' seq='1' turn='1'/>", "makes no sense"),
    ("<ack/>", "makes no sense"),
    ("", "not one element"),
    ("<a>" * 900 + "</a>" * 900, "nested too deeply"),
    ("<a/>" * 9000, "elements"),
    ("text", "not one element"),
], ids=range(12))
def test_sealed_nonsense(site, content, why):
    """A centre that lies under the seal: nothing is dropped for it."""
    def script(s):
        s.ready()
        ident, element = site.heart.next(s, "sealed")
        s.result(ident, site.heart.sealed(content))
        site.heart.serve(s)
    site.start(script)
    site.said(f"no session with the centre: .*{why}")
    site.delivered()


# --- the handshake -----------------------------------------------------------------

def test_handshake_answers(site):
    """Replayed, made with another key, cut, of another kind: each is refused,
    and each try comes later than the one before."""
    heart = site.heart

    def script(s):
        s.ready()
        ident, element = heart.next(s, "handshake")
        old = re.search("<handshake.*</handshake>",
                        heart.answer(ident, element))[0]
        heart.sessions.clear()
        text = re.search(">(.*)<", old)[1]
        s.result(ident, f"<handshake xmlns='{SESSION}'>{text[:40]}"
                 "</handshake>")
        for payload in old, "", f"<handshake xmlns='{SESSION}'/>":
            ident, element = heart.next(s, "handshake")
            s.result(ident, payload)
        heart.serve(s)
    site.start(script)
    site.delivered(120)
    assert site.agent.log().count("does not open") == 4


# --- no stream at all ---------------------------------------------------------------

DTD, REFERENCE = bomb()
STREAMS = {
    "bomb": DTD + f"<message><body>{REFERENCE}</body></message>",
    "external": "<!DOCTYPE x SYSTEM 'file:///etc/passwd'><message/>",
    "entity": f"<message><body>{REFERENCE}</body></message>",
    "instruction": "<?php x?><message/>",
    "comment": "<message><!-- x --></message>",
    "deep": "<a>" * 100000,
    "wide": "<message>" + "<a/>" * 400000,
    "attributes": "<message " + " ".join(
        f"a{i}='{i}'" for i in range(50000)) + "/>",
    "long": "<message><body>" + "x" * 9000000,
    "long tag": "<message a='" + "x" * 9000000,
    "long name": "<" + "a" * 5000000,
    "unbalanced": "</a></b></c>",
    "no utf-8": b"<message><body>\xff\xfe\xc3(</body></message>",
    "nul": b"<message>\0</message>",
    "text": "x" * 100000,
    "error": "<stream:error><policy-violation xmlns='urn:ietf:params:xml:ns:"
             "xmpp-streams'/><text xmlns='urn:ietf:params:xml:ns:xmpp-"
             "streams'>" + "x" * 3000 + "\x1b[2J</text></stream:error>",
    "second header": "<stream:stream xmlns='jabber:client' xmlns:stream="
                     "'http://etherx.jabber.org/streams'>" * 1000,
}


@pytest.mark.parametrize("kind", STREAMS)
def test_no_stream(site, kind):
    """It is cut off; then an honest one is found.  A stanza that is only odd
    may be passed over, too."""
    sent = threading.Event()

    def script(s):
        s.ready()
        site.heart.next(s, "sealed")
        try:
            s.send(STREAMS[kind])
            # Whatever it is, it ends here.
            time.sleep(1)
        finally:
            sent.set()
    site.start(script)
    assert sent.wait(60 * PATIENCE)
    site.delivered(120)
    memory = site.memory()
    assert SANITIZED or memory < UPLINK, memory
    assert site.agent.running()
    # It said something, and not without end.
    assert re.search("uplink.*(down|lost|ended|no session)", site.agent.log())
    assert len(site.agent.log()) < 30000
    assert "\x1b" not in site.agent.log()


def test_stanza_flood(site):
    """Fifty thousand stanzas that nobody asked for."""
    done = threading.Event()

    def script(s):
        s.ready()
        site.heart.next(s, "sealed")
        odd = "".join(
            f"<message from='m{i}@evil.test'><body>x</body></message>"
            f"<iq type='set' id='i{i}' from='e{i}@evil.test/x'><x/></iq>"
            f"<iq type='result' id='r{i}' from='{CENTRE}'/>"
            f"<presence from='p{i}@evil.test' type='subscribe'/>"
            f"<iq type='get' id='g{i}' from='{DOMAIN}'><ping "
            "xmlns='urn:xmpp:ping'/></iq>" for i in range(500))

        def drain():
            try:
                while not done.is_set():
                    s.until("</iq>", 5)
            except Gone:
                pass
        reader = threading.Thread(target=drain, daemon=True)
        reader.start()
        for _ in range(20):
            s.send(odd)
        done.set()
        reader.join()
    site.start(script)
    assert done.wait(120 * PATIENCE)
    site.delivered(120)
    memory = site.memory()
    assert SANITIZED or memory < UPLINK, memory
    assert len(re.findall("evil.test", site.agent.log())) < 50


# --- before the stream ---------------------------------------------------------------

def strip_tls(s):
    s.header()
    s.send(mechanisms("PLAIN", "SCRAM-SHA-1"))
    s.silence()


def cut_in_tls(s):
    s.header()
    s.send(STARTTLS)
    s.until("<starttls[^>]*/>")
    s.send(f"<proceed xmlns='{TLS_NS}'/>")
    s.sock.recv(100)


def endless_header(s):
    s.until("<stream:stream[^>]*>")
    s.send("<?xml version='1.0'?><stream:stream ")
    for i in range(100000):
        s.send(f"a{i}='{'x' * 60}' ")


def drip(s):
    s.until("<stream:stream[^>]*>")
    for c in "<?xml version='1.0'?><stream:stream " + "x" * 1000000:
        s.send(c)
        time.sleep(0.2)


def drip_after_tls(s):
    s.starttls()
    drip(s)


def http(s):
    s.send("HTTP/1.1 302 Found\r\nLocation: http://portal.test/\r\n\r\n"
           "<html><body>Please log in</body></html>")
    s.silence()


def bomb_before_login(s):
    s.starttls()
    s.until("<stream:stream[^>]*>")
    s.send("<?xml version='1.0'?>" + DTD + "<stream:stream xmlns='jabber:"
           "client' xmlns:stream='http://etherx.jabber.org/streams' id='"
           + REFERENCE + "' version='1.0'>" + BIND)
    s.silence()


BEFORE = [strip_tls, cut_in_tls, endless_header, drip, drip_after_tls, http,
          bomb_before_login]


@pytest.mark.parametrize("script", BEFORE, ids=lambda f: f.__name__)
def test_before_login(site, script):
    """It gets neither the password nor a report, and is left in time."""
    heard = []

    def listening(s):
        try:
            script(s)
        finally:
            heard.append(s.server.seen)
    site.start(listening)
    site.delivered(180)
    for word in b"<auth", b"<response", b"<iq", b"<presence", b"<sealed":
        assert word not in heard[0]
    assert site.server.logins == 1
    memory = site.memory()
    assert SANITIZED or memory < UPLINK, memory


# --- the centre's server --------------------------------------------------------------

HEADER = (f"<?xml version='1.0'?><stream:stream xmlns='{ACCEPT}' xmlns:stream="
          "'http://etherx.jabber.org/streams' from='centre.test' id='abc'>")


class EvilServer(centralbench.Server):
    """The next connections are evil's, one each; then it is honest."""

    def __init__(self):
        super().__init__()
        self.evil, self.met, self.over = [], 0, threading.Event()

    def serve(self, connection):
        if not self.evil:
            super().serve(connection)
            return
        script = self.evil.pop(0)
        self.met += 1
        try:
            connection.settimeout(60)
            script(connection)
        finally:
            if not self.evil:
                self.over.set()


@pytest.fixture
def centre(tmp_path, monkeypatch):
    monkeypatch.setattr(centralbench, "Server", EvilServer)
    c = centralbench.Centre(tmp_path)
    yield c
    c.close()


@pytest.fixture
def agent(centre):
    a = centre.enrol("site7")
    centre.start()
    a.presence()
    centre.server.presence(a.full)
    a.shake()
    a.tell(asset(uuid.uuid4(), "L1"))
    return a


def read_until(connection, wanted):
    got = b""
    while wanted not in got:
        more = connection.recv(65536)
        if not more:
            return got
        got += more
    return got


def login(connection):
    read_until(connection, b"'>")
    connection.sendall(HEADER.encode())
    read_until(connection, b"</handshake>")
    connection.sendall(b"<handshake/>")


def drained(connection, limit=4 * MB):
    """Until the centre has had enough."""
    left = limit
    while left > 0:
        more = connection.recv(65536)
        if not more:
            return
        left -= len(more)


def says(text, logged_in=False):
    def script(connection):
        if logged_in:
            login(connection)
        else:
            read_until(connection, b"'>")
        connection.sendall(text if isinstance(text, bytes)
                           else text.encode())
        drained(connection)
    return script


def component_drip(connection):
    read_until(connection, b"'>")
    for c in HEADER[:-1] + " " * 10000:
        connection.sendall(c.encode())
        time.sleep(0.2)


CENTRE_STREAMS = {
    "http": says("HTTP/1.1 400 Bad Request\r\n\r\n<html></html>"),
    "bomb": says("<?xml version='1.0'?>" + DTD + HEADER[21:]),
    "endless header": says(HEADER[:-1] + " a='" + "x" * 3000000),
    "many attributes": says(HEADER[:-1] + "".join(
        f" a{i}='{i}'" for i in range(100000))),
    "no id": says(HEADER.replace("id='abc'", "")),
    "no handshake": says(HEADER + "<presence from='a@b' to='centre.test'/>"),
    "huge handshake": says(HEADER + f"<handshake>{'x' * MB}</handshake>"),
    "error": says(HEADER + "<stream:error><conflict xmlns='urn:ietf:params:"
                  "xml:ns:xmpp-streams'/></stream:error>"),
    "drip": component_drip,
    "bomb later": says(DTD + "<presence/>", True),
    "instruction": says("<?php x?>", True),
    "comment": says("<presence><!-- x --></presence>", True),
    "text": says("x" * 100000, True),
    "unbalanced": says("</a></b>", True),
    "nul": says(b"<presence>\0</presence>", True),
    "no utf-8": says(b"<presence a='\xff'/>", True),
}


@pytest.mark.parametrize("kind", CENTRE_STREAMS)
def test_centre_meets_no_stream(centre, agent, kind):
    """The centre leaves, says why, comes back, and goes on where it was."""
    centre.server.evil = [CENTRE_STREAMS[kind]] * 2
    before = len(centre.said())
    with Cost(centre.process.pid) as cost:
        centre.server.drop()
        assert centre.server.over.wait(90 * PATIENCE)
        centre.server.presence(agent.jid)       # an honest one
    assert agent.tell("")[0] == "ack"
    cost.bounded(3, 24 * MB)
    text = centre.said()[before:]
    assert "trying again until it works" in text
    assert len(text.splitlines()) < 60
    assert centre.server.met == 2


ENDLESS = {
    "deep": "<iq>" + "<a>" * 300000,
    "long": "<iq><a>" + "x" * (6 * MB),
    "wide": "<iq>" + "<a/>" * 500000,
    "tag": "<iq a='" + "x" * (6 * MB),
    "attributes": "<iq " + " ".join(f"a{i}='{i}'" for i in range(200000)),
}


@pytest.mark.parametrize("kind", ENDLESS)
def test_centre_meets_an_endless_stanza(centre, agent, kind):
    """It is passed over while it comes; only a new stream ends it."""
    with Cost(centre.process.pid) as cost:
        centre.server.send(ENDLESS[kind])
        time.sleep(0.5)
    cost.bounded(3, 24 * MB)
    centre.server.drop()
    centre.server.presence(agent.jid)
    assert agent.tell("")[0] == "ack"


def test_centre_between_two_agents(centre, agent):
    """A server that gives one agent's stanzas another's name, both ways."""
    other = centre.enrol("site8")
    other.shake()
    other.tell("")
    before = centre.sql("SELECT agent, last_seq FROM epoch ORDER BY agent")
    good = agent.seal(agent.envelope(agent.report("", agent.seq + 1)))
    with pytest.raises(Refused, match="item-not-found"):
        other.answer(other.post(good, full=other.jid + "/elsewhere"))
    with pytest.raises(Refused, match="bad-request"):
        other.answer(other.post(good, full=other.full))
    first, _ = agent.greeting()
    with pytest.raises(Refused, match="bad-request"):
        other.answer(other.post(first, full=other.full))
    assert centre.sql("SELECT agent, last_seq FROM epoch ORDER BY agent") \
        == before
    # Delivered at last, it counts once.
    assert agent.open(agent.answer(agent.post(good))).get("seq") == \
        str(agent.seq + 1)


def test_centre_meets_thousands(centre, agent):
    """JIDs without end, and resources of one: they are forgotten, and who
    has a session is served all the time."""
    with Cost(centre.process.pid) as cost:
        for block in range(25):
            centre.server.send("".join(
                f"<presence from='s{i}@evil.test/x' to='centre.test'/>"
                f"<presence from='{agent.jid}/r{i}' to='centre.test'/>"
                f"<iq type='set' id='h{i}' from='s{i}@evil.test/x' "
                f"to='centre.test'><handshake xmlns='{SESSION}'>AAAA"
                "</handshake></iq>"
                for i in range(block * 1000, block * 1000 + 1000)))
            assert agent.tell("")[0] == "ack"
    cost.bounded(15, 48 * MB)
    log = [x for x in centre.said().splitlines() if " debug" not in x]
    assert 1 <= len([x for x in log if "evil.test" in x]) < 1200
    assert 1 <= len([x for x in log if agent.jid in x]) < 150


def test_centre_meets_nameless(centre, agent):
    """Without from or to, to others, of kinds that are none."""
    for text in ("<iq/>", "<presence/>", "<message/>", "<x xmlns='u'/>",
                 "<iq type='set' id='1' to='centre.test'><a/></iq>",
                 f"<iq type='set' from='{agent.full}' to='centre.test'>"
                 "<a/></iq>",
                 "<presence from='' to='centre.test'/>",
                 "<presence from='@' to='centre.test'/>",
                 "<presence from='a@b' to='other.test'/>",
                 f"<presence from='{'a' * 5000}@b' to='centre.test'/>",
                 f"<iq type='result' id='{'0' * 26}' from='{agent.full}' "
                 "to='centre.test'/>",
                 "<presence from='a&#10;b@c/d' to='centre.test'/>"):
        centre.server.send(text)
    assert agent.tell("")[0] == "ack"
    assert centre.rows("agents")[0]["presence"] == "available"
