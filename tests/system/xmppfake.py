"""A scripted XMPP server for tests/system/test_uplink.py.

Each connection is handed to a script: a function that takes a Session and
does, step by step, what a server would do, or stops, lies or dies where the
test wants it to.  Standard library only, so that nothing is hidden.
"""
import base64
import hashlib
import hmac
import os
import re
import select
import socket
import ssl
import subprocess
import threading

DOMAIN = "agents.test"
USER = "office"
PASSWORD = "correct horse battery"
CENTRE = "centre.agents.test"
FULL = f"{USER}@{DOMAIN}/platend"
STREAM = ("<?xml version='1.0'?><stream:stream xmlns='jabber:client' "
          "xmlns:stream='http://etherx.jabber.org/streams' id='%s' "
          f"from='{DOMAIN}' version='1.0'>")
TLS_NS = "urn:ietf:params:xml:ns:xmpp-tls"
SASL_NS = "urn:ietf:params:xml:ns:xmpp-sasl"
STARTTLS = f"<stream:features><starttls xmlns='{TLS_NS}'/></stream:features>"
BIND = ("<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"
        "</stream:features>")


def mechanisms(*names):
    inner = "".join(f"<mechanism>{n}</mechanism>" for n in names)
    return (f"<stream:features><mechanisms xmlns='{SASL_NS}'>{inner}"
            "</mechanisms></stream:features>")


class Authority:
    """A CA in a directory, and certificates from it."""

    def __init__(self, where, name="Test CA"):
        self.where = where
        where.mkdir(parents=True, exist_ok=True)
        self.ca = where / "ca.pem"
        self._run("req", "-x509", "-newkey", "ec", "-pkeyopt",
                  "ec_paramgen_curve:P-256", "-nodes", "-days",
                  "30", "-subj", f"/CN={name}", "-keyout", where / "ca.key",
                  "-out", self.ca)

    @staticmethod
    def _run(*args):
        subprocess.run(["openssl", *map(str, args)], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def issue(self, name, expired=False, span=None, names=None):
        """span is the first and last year, as in ("2020", "2021"); names the
        subjectAltName, if it is not DNS."""
        if expired:
            span = ("2020", "2021")
        key, req = self.where / f"{name}.key", self.where / f"{name}.req"
        crt = self.where / f"{name}{span[0] if span else ''}.pem"
        ext = self.where / f"{name}.ext"
        ext.write_text(f"subjectAltName={names or f'DNS:{name}'}\n")
        self._run("req", "-newkey", "ec", "-pkeyopt",
                  "ec_paramgen_curve:P-256", "-nodes", "-subj",
                  f"/CN={name}", "-keyout", key, "-out", req)
        if span:
            conf = self.where / "old.cnf"
            (self.where / "index.txt").write_text("")
            (self.where / "serial").write_text("01\n")
            conf.write_text(
                "[ca]\ndefault_ca=d\n[d]\ndir=%s\ndatabase=$dir/index.txt\n"
                "serial=$dir/serial\nnew_certs_dir=$dir\ndefault_md=sha256\n"
                "policy=p\n[p]\ncommonName=supplied\n" % self.where)
            self._run("ca", "-batch", "-config", conf, "-in", req, "-cert",
                      self.ca, "-keyfile", self.where / "ca.key",
                      "-startdate", f"{span[0]}0101000000Z", "-enddate",
                      f"{span[1]}0101000000Z", "-extfile", ext, "-out", crt,
                      "-notext")
        else:
            self._run("x509", "-req", "-in", req, "-CA", self.ca, "-CAkey",
                      self.where / "ca.key", "-CAcreateserial", "-days",
                      "20", "-extfile", ext, "-out", crt)
        return crt, key

    def context(self, name=DOMAIN, expired=False, span=None):
        ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ctx.load_cert_chain(*map(str, self.issue(name, expired, span)))
        return ctx


def pin(crt):
    """The pin of a certificate's key, made by openssl alone."""
    key = subprocess.run(["openssl", "x509", "-in", crt, "-noout", "-pubkey"],
                         check=True, stdout=subprocess.PIPE).stdout
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"],
                         input=key, check=True, stdout=subprocess.PIPE).stdout
    return "sha256/" + base64.b64encode(hashlib.sha256(der).digest()).decode()


class Gone(Exception):
    """The client went away, or the server is being stopped."""


class Session:
    def __init__(self, sock, server):
        self.sock, self.server, self.buf = sock, server, b""
        self.iterations, self.password = 4096, PASSWORD

    def send(self, text):
        try:
            self.sock.sendall(text.encode() if isinstance(text, str) else text)
        except OSError as e:
            raise Gone from e

    def until(self, pattern, timeout=10):
        """Reads until pattern is there; what came up to its end."""
        rx = re.compile(pattern.encode(), re.S)
        while True:
            m = rx.search(self.buf)
            if m:
                got, self.buf = self.buf[:m.end()], self.buf[m.end():]
                return got.decode()
            if not self.pending():
                ready = select.select([self.sock, self.server.stop_r], [], [],
                                      timeout)[0]
                if not ready or self.server.stop_r in ready:
                    raise Gone(f"waiting for {pattern}")
            try:
                more = self.sock.recv(65536)
            except OSError as e:
                raise Gone from e
            if not more:
                raise Gone(f"closed, waiting for {pattern}")
            self.buf += more
            self.server.seen += more

    def pending(self):
        return isinstance(self.sock, ssl.SSLSocket) and self.sock.pending()

    def silence(self):
        """Says nothing until the client gives up."""
        try:
            while True:
                self.until("never to be sent", 120)
        except Gone:
            pass

    # The steps of a login.

    def header(self):
        self.until(r"<stream:stream[^>]*>")
        self.send(STREAM % os.urandom(4).hex())

    def tls(self, ctx=None):
        try:
            self.sock = (ctx or self.server.tls).wrap_socket(
                self.sock, server_side=True)
        except (ssl.SSLError, OSError) as e:
            self.server.tls_errors.append(str(e))
            raise Gone from e

    def starttls(self, ctx=None):
        self.header()
        self.send(STARTTLS)
        self.until("<starttls[^>]*/>")
        self.send(f"<proceed xmlns='{TLS_NS}'/>")
        self.tls(ctx)

    def offer(self, *names):
        """TLS, and then these mechanisms."""
        self.starttls()
        self.header()
        self.send(mechanisms(*names))

    def scram(self, prove=True):
        """prove: whether to show that we know the password, too."""
        m = re.search(r"mechanism=.([A-Z0-9-]+).*?>([^<]*)</auth>",
                      self.until("</auth>"), re.S)
        self.mechanism = m.group(1)
        hashed = self.mechanism.removesuffix("-PLUS")
        alg = {"SCRAM-SHA-1": "sha1", "SCRAM-SHA-256": "sha256",
               "SCRAM-SHA-512": "sha512"}[hashed]
        first = base64.b64decode(m.group(2)).decode()
        bare = first.split(",", 2)[2]
        nonce = bare.split("r=", 1)[1] + os.urandom(6).hex()
        salt = os.urandom(12)
        challenge = (f"r={nonce},s={base64.b64encode(salt).decode()},"
                     f"i={self.iterations}")
        self.send(f"<challenge xmlns='{SASL_NS}'>"
                  f"{base64.b64encode(challenge.encode()).decode()}"
                  "</challenge>")
        m = re.search(r">([^<]*)</response>", self.until("</response>"))
        final = base64.b64decode(m.group(1)).decode()
        without, proof = final.rsplit(",p=", 1)
        self.bound_to = base64.b64decode(without[2:].split(",")[0])
        text = ",".join([bare, challenge, without]).encode()
        salted = hashlib.pbkdf2_hmac(alg, self.password.encode(), salt,
                                     self.iterations)
        key = hmac.digest(salted, b"Client Key", alg)
        stored = hashlib.new(alg, key).digest()
        want = bytes(a ^ b for a, b in
                     zip(key, hmac.digest(stored, text, alg)))
        if base64.b64decode(proof) != want:
            self.send(f"<failure xmlns='{SASL_NS}'><not-authorized/>"
                      "</failure>")
            return False
        sign = hmac.digest(hmac.digest(salted, b"Server Key", alg), text, alg)
        if not prove:
            sign = bytes(len(sign))
        self.send(f"<success xmlns='{SASL_NS}'>" + base64.b64encode(
            b"v=" + base64.b64encode(sign)).decode() + "</success>")
        return True

    def auth(self, *offer):
        self.header()
        self.send(mechanisms(*(offer or ("PLAIN", "SCRAM-SHA-1"))))
        return self.scram()

    def bind(self):
        self.header()
        self.send(BIND)
        self.bound()

    def bound(self):
        ident = re.search("id='([^']*)'", self.until("<iq .*?</iq>"))
        self.send(f"<iq type='result' id='{ident.group(1)}'><bind xmlns="
                  "'urn:ietf:params:xml:ns:xmpp-bind'>"
                  f"<jid>{FULL}</jid></bind></iq>")

    def login(self, direct=False):
        if direct:
            self.tls()
        else:
            self.starttls()
        if not self.auth():
            raise Gone("wrong password")
        self.enter()

    def enter(self):
        """What follows the authentication."""
        self.bind()
        self.server.logins += 1
        self.until(rf"<presence to='{CENTRE}'/>")

    def stay(self):
        self.enter()
        self.here()
        self.silence()

    def ready(self, direct=False):
        self.login(direct)
        self.here()

    def here(self, kind=""):
        self.send(f"<presence from='{CENTRE}' to='{FULL}'{kind}/>")

    def iq(self, timeout=10):
        """The next iq: type, id, to, payload."""
        text = self.until(r"<iq [^>]*>.*?</iq>", timeout)
        m = re.search(r"<iq ([^>]*)>(.*?)</iq>$", text, re.S)
        at = dict(re.findall(r"(\w+)='([^']*)'", m.group(1)))
        return at["type"], at.get("id"), at.get("to"), m.group(2)

    def result(self, ident, payload="", sender=CENTRE):
        self.send(f"<iq type='result' id='{ident}' from='{sender}' "
                  f"to='{FULL}'>{payload}</iq>")

    def error(self, ident, condition, sender=CENTRE):
        self.send(f"<iq type='error' id='{ident}' from='{sender}' "
                  f"to='{FULL}'><error type='cancel'><{condition} xmlns="
                  "'urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>")


class Server:
    """Listens on a port of 127.0.0.1; the n-th connection gets the n-th
    script, later ones the last."""

    def __init__(self, tls, *scripts, port=0, host="127.0.0.1"):
        self.tls, self.scripts = tls, scripts
        self.seen, self.logins, self.connections = b"", 0, 0
        self.tls_errors, self.failures = [], []
        self.stop_r, self.stop_w = socket.socketpair()
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.sock = socket.socket(family)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.bind((host, port))
        self.sock.listen()
        self.port = self.sock.getsockname()[1]
        self.threads = [threading.Thread(target=self._accept, daemon=True)]
        self.threads[0].start()

    def _accept(self):
        while True:
            ready = select.select([self.sock, self.stop_r], [], [])[0]
            if self.stop_r in ready:
                return
            sock, _ = self.sock.accept()
            script = self.scripts[min(self.connections,
                                      len(self.scripts) - 1)]
            self.connections += 1
            t = threading.Thread(target=self._serve, args=(script, sock),
                                 daemon=True)
            self.threads.append(t)
            t.start()

    def _serve(self, script, sock):
        session = Session(sock, self)
        try:
            script(session)
        except Gone:
            pass
        except Exception as e:          # shown by the fixture
            self.failures.append(repr(e))
        finally:
            try:
                session.sock.close()
            except OSError:
                pass

    def close(self):
        self.stop_w.send(b"x")
        for t in self.threads:
            t.join(5)
        for s in (self.sock, self.stop_r, self.stop_w):
            s.close()


def free_port(host="127.0.0.1"):
    with socket.socket() as s:
        s.bind((host, 0))
        return s.getsockname()[1]
