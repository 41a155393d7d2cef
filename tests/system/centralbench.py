"""The surroundings of platen-central for its tests: an XMPP server's
component port (XEP-0114) that delivers whatever a test wants it to, from
whom a test wants, and an agent that speaks the protocol."""

import hashlib
import json
import os
import queue
import re
import signal
import socket
import sqlite3
import subprocess
import threading
import time
import uuid
import xml.etree.ElementTree as ElementTree
from xml.sax.saxutils import quoteattr

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

import noise
import squash

BUILD = os.environ.get("PLATEN_BUILD", "build")
PROGRAM = os.path.abspath(f"{BUILD}/platen-central")
JID = "centre.test"
SECRET = "between the server and the component"
ACCEPT = "jabber:component:accept"
SESSION = "urn:platen:session:1"
SEALED = "urn:platen:sealed:1"
REPORT = "urn:platen:report:1"
SCE = "urn:xmpp:sce:1"
STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas"
PATIENCE = 20


class Server:
    """Accepts the component again and again; stanzas that it sends come out
    of take()."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.stanzas = queue.Queue()
        self.ready = threading.Event()
        self.connection = None
        self.lock = threading.Lock()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            try:
                self.serve(connection)
            except (OSError, ElementTree.ParseError):
                pass
            self.ready.clear()
            connection.close()

    def serve(self, connection):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        parser = ElementTree.XMLPullParser(["start", "end"])
        depth = 0
        root = None
        while True:
            data = connection.recv(65536)
            if not data:
                return
            parser.feed(data)
            for event, element in parser.read_events():
                if event == "start":
                    depth += 1
                    if depth == 1:
                        root = element
                        connection.sendall(
                            b"<?xml version='1.0'?><stream:stream xmlns='"
                            + ACCEPT.encode() + b"' xmlns:stream='http://"
                            b"etherx.jabber.org/streams' from='centre.test'"
                            b" id='abc'>")
                else:
                    depth -= 1
                    if depth == 1:
                        self.stanza(connection, element)
                        root.remove(element)

    def stanza(self, connection, element):
        if element.tag == f"{{{ACCEPT}}}handshake":
            proof = hashlib.sha1(("abc" + SECRET).encode()).hexdigest()
            assert element.text == proof
            connection.sendall(b"<handshake/>")
            self.connection = connection
            self.ready.set()
        else:
            self.stanzas.put(element)

    def send(self, text):
        with self.lock:
            self.connection.sendall(text.encode())

    def take(self, want, timeout=PATIENCE):
        """The next stanza for which want() is true; others are dropped."""
        end = time.monotonic() + timeout
        while True:
            element = self.stanzas.get(
                timeout=max(0.01, end - time.monotonic()))
            if want(element):
                return element

    def presence(self, to, type_=None):
        return self.take(lambda e: e.tag.endswith("}presence")
                         and e.get("to") == to and e.get("type") == type_)

    def drop(self):
        self.connection.shutdown(socket.SHUT_RDWR)

    def close(self):
        self.listener.close()
        if self.connection is not None:
            self.connection.close()


class Centre:
    """platen-central with a store of its own."""

    def __init__(self, directory, url=None):
        """With the URL of an empty PostgreSQL database, or else SQLite."""
        self.directory = str(directory)
        self.url = url
        self.server = Server()
        self.process = None
        self.config = f"{self.directory}/central.ini"
        self.store = f"{self.directory}/store/fleet.db"
        secret = f"{self.directory}/secret"
        with open(secret, "w", encoding="ascii") as f:
            f.write(SECRET + "\n")
        os.chmod(secret, 0o600)
        with open(self.config, "w", encoding="ascii") as f:
            f.write(f"[component]\njid = {JID}\nhost = 127.0.0.1\n"
                    f"port = {self.server.port}\nsecret_file = {secret}\n"
                    f"user = {self.me()}\n"
                    f"[store]\n{f'url = {url}' if url else ''}"
                    f"{'' if url else f'path = {self.store}'}\n"
                    f"[crypto]\nkey_file = {self.directory}/central.key\n")
        self.key = re.search(r"public key +(\S+)",
                             self.command("init")).group(1)

    @staticmethod
    def me():
        import pwd
        return pwd.getpwuid(os.geteuid()).pw_name

    def try_command(self, *words):
        return subprocess.run([PROGRAM, "-c", self.config, *words],
                              text=True, capture_output=True, timeout=60)

    def command(self, *words):
        done = self.try_command(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def rows(self, *words):
        return json.loads(self.command(*words, "--json"))

    def sql(self, text):
        if self.url:
            import psycopg2
            database = psycopg2.connect(self.url)
        else:
            database = sqlite3.connect(self.store, timeout=20)
        try:
            cursor = database.cursor()
            cursor.execute(text)
            return cursor.fetchall()
        finally:
            database.close()

    def start(self):
        self.log = open(f"{self.directory}/log", "a", encoding="utf-8")
        self.process = subprocess.Popen(
            [PROGRAM, "-c", self.config, "run", "-d", "-v"],
            stderr=self.log)
        assert self.server.ready.wait(PATIENCE)
        return self

    def stop(self, signo=signal.SIGTERM):
        self.process.send_signal(signo)
        code = self.process.wait(PATIENCE)
        self.process = None
        self.log.close()
        deadline = time.monotonic() + PATIENCE
        while self.server.ready.is_set() and time.monotonic() < deadline:
            time.sleep(0.005)
        return code

    def said(self):
        with open(f"{self.directory}/log", encoding="utf-8") as f:
            return f.read()

    def enrol(self, name):
        """A new agent that has its token."""
        text = self.command("enrol", name, "--jid", f"{name}@agents.test")
        assert re.search(r"^\[crypto\]$", text, re.M)
        assert re.search(r"^central_key = (\S+)$", text,
                         re.M).group(1) == self.key
        token = re.search(r"^token = (\S+)$", text, re.M).group(1)
        return Agent(self, f"{name}@agents.test", token)

    def close(self):
        if self.process is not None:
            self.stop(signal.SIGKILL)
        self.server.close()


class Refused(Exception):
    """The centre answered with an iq error; the condition is the text."""


class Agent:
    counter = 0

    def __init__(self, centre, jid, token=None):
        self.centre = centre
        self.to = JID               # the centre's
        self.jid = jid
        self.full = jid + "/platend"
        self.token = token
        self.secret = X25519PrivateKey.generate()
        self.epoch = str(uuid.uuid4())
        self.seq = 0                # of the urgent lane, and of the other
        self.bulk = 0
        self.session = None

    def presence(self, type_=None):
        what = "" if type_ is None else f" type='{type_}'"
        self.centre.server.send(
            f"<presence from='{self.full}' to='{self.to}'{what}/>")

    def post(self, payload, full=None):
        """Sends an iq and returns its id."""
        Agent.counter += 1
        name = f"q{Agent.counter}"
        self.centre.server.send(
            f"<iq type='set' id='{name}' from='{full or self.full}' "
            f"to='{self.to}'>{payload}</iq>")
        return name

    def answer(self, name):
        """The payload of the answer to that iq."""
        iq = self.centre.server.take(lambda e: e.get("id") == name)
        if iq.get("type") == "error":
            error = iq.find(f"{{{ACCEPT}}}error")
            raise Refused(error[0].tag.replace(f"{{{STANZAS}}}", ""))
        assert iq.get("type") == "result"
        return iq[0]

    def greeting(self, first=None, acked=None, token=None):
        """Message 1 as an iq payload, and the handshake that waits."""
        handshake = noise.Initiator(
            self.secret, noise.unb64(self.centre.key),
            noise.prologue(self.jid, self.to))
        token = token or self.token
        hello = (f"<hello xmlns='{SESSION}' version='1' "
                 f"epoch='{self.epoch}'"
                 + (f" token={quoteattr(token)}" if token else "") +
                 "><lane name='urgent' "
                 f"acked='{self.seq if acked is None else acked}' "
                 f"first='{self.seq + 1 if first is None else first}'/>"
                 f"<lane name='bulk' acked='{self.bulk}' "
                 f"first='{self.bulk + 1}'/></hello>")
        message = noise.b64(handshake.message_1(hello.encode()))
        return (f"<handshake xmlns='{SESSION}'>{message}</handshake>",
                handshake)

    def shake(self, **how):
        payload, handshake = self.greeting(**how)
        reply = self.answer(self.post(payload))
        assert reply.tag == f"{{{SESSION}}}handshake"
        welcome = ElementTree.fromstring(
            handshake.message_2(noise.unb64(reply.text)))
        assert welcome.tag == f"{{{SESSION}}}welcome"
        assert welcome.get("version") == "1"
        self.session = handshake
        return welcome

    def envelope(self, content, sender=None, to=None):
        return (f"<envelope xmlns='{SCE}'><content>{content}</content>"
                f"<from jid='{sender or self.jid}'/>"
                f"<to jid='{to or self.to}'/>"
                "<time stamp='2026-11-20T19:30:00.000Z'/>"
                "<rpad>abc</rpad></envelope>")

    def report(self, records, seq, epoch=None, lane="urgent", turn=None):
        """A message with one report, whose turn is its number if not said."""
        return (f"<reports xmlns='{REPORT}' epoch='{epoch or self.epoch}' "
                f"lane='{lane}' first='{seq}' last='{seq}'><report "
                f"seq='{seq}' turn='{turn or seq}'>{records}</report>"
                "</reports>")

    def seal(self, plain):
        """plain may be text or octets."""
        n = self.session.send.n
        if isinstance(plain, str):
            plain = plain.encode()
        text = noise.b64(self.session.send.encrypt(plain))
        return f"<sealed xmlns='{SEALED}' n='{n}'>{text}</sealed>"

    @staticmethod
    def taken(welcome, lane="urgent"):
        """The last number of a lane that the centre has."""
        place, = (e for e in welcome if e.get("name") == lane)
        return int(place.get("seq"))

    def open(self, sealed):
        assert sealed.tag == f"{{{SEALED}}}sealed"
        plain = self.session.receive.decrypt(int(sealed.get("n")),
                                             noise.unb64(sealed.text))
        envelope = ElementTree.fromstring(squash.unpack(plain))
        assert envelope.tag == f"{{{SCE}}}envelope"
        assert envelope.find(f"{{{SCE}}}from").get("jid") == self.to
        assert envelope.find(f"{{{SCE}}}to").get("jid") == self.jid
        return envelope.find(f"{{{SCE}}}content")[0]

    def tell(self, records, seq=None, epoch=None):
        """One urgent report, one answer: (ack | refused | again, seq)."""
        if seq is None:
            seq = self.seq + 1
        name = self.post(self.seal(self.envelope(
            self.report(records, seq, epoch))))
        content = self.open(self.answer(name))
        what = content.tag.replace(f"{{{REPORT}}}", "")
        if content.find(f"{{{REPORT}}}refused") is not None:
            what = "refused"
        if what != "again" and seq == self.seq + 1:
            self.seq = seq
        self.content = content
        return what, int(content.get("seq"))


def asset(identity, serial, location="Floor 2", total=100):
    return (f"<asset id='{identity}'><key>S:acme:{serial}</key>"
            "<strength>serial</strength><make>Acme</make>"
            f"<model>Laser 9</model><serial>{serial}</serial>"
            f"<location>{location}</location><state>online</state>"
            "<time>2026-11-20T19:30:00.000Z</time>"
            f"<counter name='total' unit='impressions'>{total}</counter>"
            "</asset>")
