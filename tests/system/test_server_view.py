"""Promise: the XMPP server learns nothing about the printers.  In everything
that it handles (stanzas at the component, its own log with all stanzas in
full, the bytes of the component's stream in both directions) there are only
presence, disco and ping, <handshake/> and <sealed/>, and no serial, model,
MAC, address, name or location of a printer, also not within base64."""
import base64
import contextlib
import json
import re
import socket
import threading
import xml.etree.ElementTree as ET

from fakecentre import SEALED, SESSION, FakeCentre
from rig import COMPONENT, wait_for

DEVICES = {"127.10.22.1": "hp-colour", "127.10.22.2": "xerox",
           "127.10.22.3": "kyocera", "127.10.22.4": "canon",
           "127.10.22.5": "epson"}
SYS_LOCATION = "1.3.6.1.2.1.1.6.0"
JAM = "Paper jam behind door Zwei"
PLACE = "Archive of the Ministry"
IDENTITY = ["serial", "model", "mac", "ip", "hostname", "location",
            "asset_tag", "firmware", "make"]
# What the server may see of an iq's payload.
HARMLESS = {f"{{{SESSION}}}handshake", f"{{{SEALED}}}sealed",
            "{http://jabber.org/protocol/disco#info}query",
            "{urn:xmpp:ping}ping", "{jabber:iq:version}query"}


def forms(word):
    """How it might be written."""
    yield word
    bare = word.replace(":", "")
    if re.fullmatch("[0-9A-Fa-f]{12}", bare):           # a MAC
        yield bare
        yield ":".join(re.findall("..", bare))
        yield "-".join(re.findall("..", bare))


def secrets_of(assets):
    """Bytes that must not be seen, in lower case."""
    found = set()
    for asset in assets:
        for field in IDENTITY:
            for form in forms(asset.get(field) or ""):
                # "HP" would be found by chance in any ciphertext.
                if len(form) >= 5:
                    found.add(form.lower().encode())
    found |= {JAM.lower().encode(), PLACE.lower().encode()}
    return found


def layers(data):
    """data, and what its runs of base64 hold."""
    yield data.lower()
    for run in set(re.findall(rb"[A-Za-z0-9+/]{12,}={0,2}", data)):
        for cut in range(4):        # wherever the encoding began
            piece = run[cut:].rstrip(b"=")
            piece = piece[:len(piece) - (len(piece) % 4 == 1)]
            with contextlib.suppress(ValueError):
                yield base64.b64decode(piece + b"=" * (-len(piece) % 4)
                                       ).lower()


def leaks(words, data):
    joined = b"\0".join(layers(data))
    return sorted(word for word in words if word in joined)


def test_the_search_finds_what_is_there():
    words = secrets_of([{"serial": "VNB3K04418", "mac": "00:80:77:4C:19:A2"}])
    for text in ("<serial>vnb3k04418</serial>", "x 0080774c19a2",
                 base64.b64encode(b"a VNB3K04418 b").decode(),
                 "zz" + base64.b64encode(b"..VNB3K04418").decode()):
        assert leaks(words, text.encode()), text
    assert leaks(words, b"<sealed>AAAA</sealed>") == []


class Wire:
    """A TCP relay that keeps every byte, to stand before one port."""

    def __init__(self, rig, to):
        self.port, self.to = rig.ports.take(), to
        self.seen = {"up": bytearray(), "down": bytearray()}
        self.listener = socket.create_server(("127.0.0.1", self.port))
        self.open = [self.listener]
        rig.parts.append(self)

    name = "relay"

    def start(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                here, _ = self.listener.accept()
                there = socket.create_connection(("127.0.0.1", self.to))
                self.open += [here, there]
                for way, a, b in (("up", here, there), ("down", there, here)):
                    threading.Thread(target=self._copy, args=(way, a, b),
                                     daemon=True).start()

    def _copy(self, way, source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                self.seen[way] += data
                sink.sendall(data)
        for end in source, sink:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def tail(self):
        return "\n".join(f"{way}: {len(data)} octets"
                         for way, data in self.seen.items())

    def kill9(self):
        for end in self.open:
            end.close()


def something_of_everything(rig, told):
    """All kinds of reports: levels, counters, alerts, states, names.  told
    says whether the centre has this text."""
    one, two, *_ = DEVICES
    index = rig.sim.raise_alert(one, code=8, severity=3, group=8, index=1,
                                text=JAM)
    rig.sim.send("level", one, 1, 7)
    rig.sim.send("print", two, 1234)
    rig.sim.send("set", two, SYS_LOCATION, 4, PLACE)
    wait_for(lambda: told(JAM) and told(PLACE), 30, "the changes arrive", 0.1)
    rig.sim.send("alert", one, "clear", index)
    rig.sim.send("silent", two, "on")
    wait_for(lambda: told("unreachable"), 40, "a silent printer", 0.1)
    rig.sim.send("silent", two, "off")


def payloads(stanza):
    """What a stanza carries, but for errors' own elements."""
    return [e.tag for e in stanza if not e.tag.endswith("}error")
            and e.tag.split("}")[-1] != "error"]


def assert_harmless(stanza):
    """One stanza, as an element, is of the kinds that may be."""
    kind = stanza.tag.split("}")[-1]
    if kind == "presence":
        # The server adds a <status/> to what it says for a lost client.
        assert set(t.split("}")[-1] for t in payloads(stanza)) <= {
            "status", "c", "x"}, ET.tostring(stanza)
    elif kind == "handshake":
        pass                        # the component's own, XEP-0114
    else:
        assert kind == "iq", ET.tostring(stanza)
        assert set(payloads(stanza)) <= HARMLESS, ET.tostring(stanza)


def stanzas_of(stream):
    """The stanzas of one direction of a component's stream."""
    parser = ET.XMLPullParser(["start", "end"])
    parser.feed(bytes(stream))
    depth = 0
    for event, element in parser.read_events():
        depth += 1 if event == "start" else -1
        if event == "end" and depth == 1:
            yield element


def talkative(rig):
    """The server logs every stanza in full."""
    rig.server.trace = True


def test_slixmpp_in_the_centres_place(rig):
    talkative(rig)
    rig.server.start()
    rig.sim.start([f"{h}=@{name}" for h, name in DEVICES.items()])
    centre = rig.peer(FakeCentre, rig.server)
    agent = centre.admit(rig.agent)
    agent.more = {"snmp public": {"timeout": "300ms", "retries": 0}}
    agent.write(heartbeat="500ms", assets="2s").start().wait_online()
    centre.wait_reports(lambda r: r.values("asset", "serial"), 30,
                        count=len(DEVICES))
    something_of_everything(
        rig, lambda word: centre.taken(lambda r: word in r.text))
    words = secrets_of(agent.json("devices"))
    assert len(words) > 5 * len(DEVICES)
    assert agent.stop() == 0

    # All of it was told ...
    told = "".join(r.text for r in centre.taken()).lower().encode()
    assert leaks(words, told) and JAM.lower().encode() in told
    # ... and nobody on the way saw any of it.
    seen = centre.received()
    assert sum(SEALED in s for s in seen) >= len(DEVICES)
    assert sum(SESSION in s for s in seen) >= 1
    for text in seen:
        assert_harmless(ET.fromstring(text))
    assert leaks(words, "\n".join(seen).encode()) == []
    log = rig.server.log(whole=True)
    assert log.count("<sealed ") >= len(DEVICES), "stanzas are in the log"
    assert leaks(words, log.encode()) == []
    assert centre.problems == []


def test_bytes_between_server_and_centre(rig):
    talkative(rig)
    rig.server.start()
    wire = Wire(rig, rig.server.component_port).start()
    rig.central.more = {"component": {"port": wire.port}}
    rig.agent.more = {"snmp public": {"timeout": "300ms", "retries": 0}}
    rig.sim.start([f"{h}=@{name}" for h, name in DEVICES.items()])
    rig.central.init()
    rig.central.start()
    rig.agent.enrol().write(heartbeat="500ms", assets="2s")
    rig.agent.start().wait_online()
    wait_for(lambda: len(rig.central.json("devices")) == len(DEVICES), 30,
             "all printers", 0.2)

    def told(word):
        return word in json.dumps([rig.central.json(what) for what in
                                   ("devices", "alerts")])
    something_of_everything(rig, told)
    words = secrets_of(rig.central.json("devices"))
    assert len(words) > 5 * len(DEVICES)
    assert rig.agent.stop() == 0
    assert rig.central.stop() == 0

    for way, data in wire.seen.items():
        assert data.count(b"<sealed ") >= 3, way
        assert leaks(words, bytes(data)) == [], way
        stanzas = list(stanzas_of(data))
        assert len(stanzas) > len(DEVICES)
        for stanza in stanzas:
            assert_harmless(stanza)
        for stanza in stanzas:
            to = stanza.get("to")
            assert to is None or to.split("/")[0] in (rig.agent.jid,
                                                      COMPONENT)
    assert leaks(words, rig.server.log(whole=True).encode()) == []
