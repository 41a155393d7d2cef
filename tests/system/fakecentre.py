"""A centre written from the description of the wire and from nothing in
central/ or crypto/: slixmpp's component, a Noise IK responder, envelopes,
acknowledgements.  It keeps what it opened, so a test can say what really left
an agent, and it answers what a test wants it to.

    centre = rig.peer(FakeCentre, rig.server)
    centre.admit(rig.agent).write().start()
    centre.wait_reports(lambda r: r.find("asset", "serial"))
"""
import base64
import datetime
import threading
import xml.etree.ElementTree as ET
from xml.sax.saxutils import quoteattr

import noise
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from peer import Component
from rig import COMPONENT, wait_for, write_secret

SESSION = "urn:platen:session:1"
SEALED = "urn:platen:sealed:1"
REPORT = "urn:platen:report:1"
SCE = "urn:xmpp:sce:1"


class Responder(noise.Initiator):
    """The other half of the handshake: the Noise specification's IK pattern
    with the roles exchanged."""

    def __init__(self, secret, prologue):
        super().__init__(secret, noise.public(secret), prologue)

    def open_1(self, message):              # -> e, es, s, ss
        self.remote_e = message[:32]
        self.mix_hash(self.remote_e)
        self.mix_key(noise.dh(self.static, self.remote_e))
        self.remote_s = self.decrypt_and_hash(message[32:80])
        self.mix_key(noise.dh(self.static, self.remote_s))
        return self.decrypt_and_hash(message[80:])

    def answer_2(self, payload):            # <- e, ee, se
        ephemeral = X25519PrivateKey.generate()
        e = noise.public(ephemeral)
        self.mix_hash(e)
        self.mix_key(noise.dh(ephemeral, self.remote_e))
        self.mix_key(noise.dh(ephemeral, self.remote_s))
        sealed = self.encrypt_and_hash(payload)
        one, two = noise.hkdf(self.ck, b"")
        self.receive, self.send = noise.Cipher(one), noise.Cipher(two)
        self.expected = 0
        return e + sealed


class Report:
    """One that was opened: agent (bare JID), epoch, seq, root, text."""

    def __init__(self, agent, root):
        self.agent, self.root = agent, root
        self.epoch, self.seq = root.get("epoch"), int(root.get("seq"))
        self.text = ET.tostring(root, encoding="unicode")

    def records(self, kind):
        return self.root.findall(f"{{{REPORT}}}{kind}")

    def values(self, kind, field):
        """The texts of this field in all records of this kind."""
        return [e.text or "" for record in self.records(kind)
                for e in record.findall(f"{{{REPORT}}}{field}")]

    def counters(self, name):
        return [int(c.text) for record in self.records("asset")
                for c in record.findall(f"{{{REPORT}}}counter")
                if c.get("name") == name]

    @staticmethod
    def fields(record):
        """The names of what a record says, in order."""
        return [e.tag.split("}")[1] for e in record]

    def __repr__(self):
        return f"<{self.agent} {self.seq}: {self.text}>"


class FakeCentre(Component):
    name = "centre stand-in"

    def __init__(self, server, jid=COMPONENT):
        super().__init__(server, jid)
        self.secret = X25519PrivateKey.generate()
        self.key = noise.b64(noise.public(self.secret))
        self.agents = []            # bare JIDs that are greeted
        self.sessions = {}          # bare JID -> Responder
        self.committed = {}         # (bare JID, epoch) -> last seq
        self.reports = []           # each Report once, as it was taken
        self.opened = 0             # reports opened, repeated ones too
        self.hellos = []            # payload 1, as elements
        self.problems = []          # what an honest agent never does
        self.decide = None          # function(Report) -> content, or None
        self.whole = False          # asked for in the next welcome
        self.gate = True            # answers presence
        self.on_iq(f"{{{SESSION}}}handshake", self._handshake)
        self.on_iq(f"{{{SEALED}}}sealed", self._sealed)
        self.on_presence(self._came)

    # --- for tests

    def admit(self, agent):
        """An account for agent, and an INI with this centre's key."""
        agent.jid, password = self.server.register(agent.name)
        agent.snippet = {"crypto": {"central_key": self.key}}
        write_secret(agent.rig.dir / f"{agent.name}.password",
                     password + "\n")
        self.agents.append(agent.jid)
        return agent

    def taken(self, wanted=lambda report: True):
        with self.lock:
            return [r for r in self.reports if wanted(r)]

    def wait_reports(self, wanted=lambda report: True, timeout=20, count=1):
        def enough():
            found = self.taken(wanted)
            return found if len(found) >= count else None
        return wait_for(enough, timeout, "a report at the stand-in")

    def start(self, wait=True):
        self.ready.clear()
        self.failure = None
        self.sessions.clear()
        super().start(wait)
        for jid in self.agents:
            self.presence(jid)
        return self

    def leave(self):
        """Cleanly: says so before it goes."""
        for jid in self.agents:
            self.presence(jid, "unavailable")
        self.stop()

    def vanish(self):
        """As by kill -9: the connection ends without a word."""
        done = threading.Event()

        def cut():
            self.xmpp.abort()
            self.loop.call_later(0.05, self.loop.stop)
            done.set()
        self.loop.call_soon_threadsafe(cut)
        done.wait(5)
        self.thread.join(5)

    # --- the wire

    def _came(self, presence):
        bare = presence["from"].bare
        if presence["type"] == "unavailable":
            self.sessions.pop(bare, None)
        elif self.gate and presence["type"] == "available":
            self.presence(presence["from"].full)

    def _handshake(self, iq, element):
        bare = iq["from"].bare
        responder = Responder(self.secret,
                              noise.prologue(bare, self.jid))
        try:
            hello = ET.fromstring(
                responder.open_1(base64.b64decode(element.text)))
        except (InvalidTag, ValueError):
            return self.error(iq, "bad-request", "modify")
        self.hellos.append(hello)
        place = bare, hello.get("epoch")
        first, seq = int(hello.get("first")), self.committed.get(place, 0)
        if first > seq + 1:
            self.problems.append(f"{bare}: reports {seq + 1} to {first - 1}"
                                 " are gone")
            seq = self.committed[place] = first - 1
        now = datetime.datetime.now(datetime.timezone.utc)
        welcome = (f"<welcome xmlns='{SESSION}' version='1' seq='{seq}' "
                   f"time='{now:%Y-%m-%dT%H:%M:%S}.000Z' "
                   f"whole='{'true' if self.whole else 'false'}'/>")
        self.whole = False
        self.sessions[bare] = responder
        answer = noise.b64(responder.answer_2(welcome.encode()))
        return self.result(
            iq, f"<handshake xmlns='{SESSION}'>{answer}</handshake>")

    def _open(self, bare, session, element):
        """The report inside; InvalidTag or ValueError when it is none."""
        n = int(element.get("n"))
        if n < session.expected:
            raise ValueError(f"counter {n} again")
        plain = session.receive.decrypt(n, base64.b64decode(element.text))
        session.expected = n + 1
        envelope = ET.fromstring(plain)
        parts = {e.tag: e for e in envelope}
        want = {f"{{{SCE}}}{p}" for p in
                ("content", "from", "to", "time", "rpad")}
        if envelope.tag != f"{{{SCE}}}envelope" or set(parts) != want or \
                parts[f"{{{SCE}}}from"].get("jid") != bare or \
                parts[f"{{{SCE}}}to"].get("jid") != self.jid:
            raise ValueError(f"wrong affixes: {plain!r}")
        if len(plain) % 64 != 0:
            raise ValueError(f"{len(plain)} octets tell the length")
        content, = parts[f"{{{SCE}}}content"]
        return Report(bare, content)

    def _sealed(self, iq, element):
        bare = iq["from"].bare
        session = self.sessions.get(bare)
        if session is None:
            return self.error(iq, "item-not-found")
        try:
            report = self._open(bare, session, element)
        except (InvalidTag, ValueError, ET.ParseError) as why:
            self.problems.append(f"{bare}: {why!r}")
            return self.error(iq, "bad-request", "modify")
        with self.lock:
            content = self._take(report)
        if content is None:
            return None
        return self.result(iq, self._seal(session, bare, content))

    def _take(self, report):
        """What is answered: each report counts once, in order."""
        place = report.agent, report.epoch
        last = self.committed.get(place, 0)
        self.opened += 1
        if report.seq > last + 1:
            return f"<again xmlns='{REPORT}' seq='{last}'/>"
        if report.seq == last + 1:
            decided = self.decide(report) if self.decide else ""
            if decided is None:
                return None
            self.committed[place] = report.seq
            self.reports.append(report)
            if decided:
                return decided
            last = report.seq
        return f"<ack xmlns='{REPORT}' seq='{last}'/>"

    def _seal(self, session, bare, content):
        plain = (f"<envelope xmlns='{SCE}'><content>{content}</content>"
                 f"<from jid={quoteattr(self.jid)}/>"
                 f"<to jid={quoteattr(bare)}/>"
                 "<time stamp='2026-11-20T19:30:00.000Z'/>"
                 "<rpad>0123456789</rpad></envelope>")
        n = session.send.n
        text = noise.b64(session.send.encrypt(plain.encode()))
        return f"<sealed xmlns='{SEALED}' n='{n}'>{text}</sealed>"
