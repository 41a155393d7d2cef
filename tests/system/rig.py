"""The parts of a whole system, for tests: a real server, the centre, the
agent and simulated printers, each in a private directory on ports of its own.

    def test_something(rig):
        rig.start(fleet=3)                  # everything, enrolled
        rig.sim.send("level 127.10.0.1 1 5")
        rig.wait_for(lambda: rig.central.json("consumables"), 10)

Or piece by piece: rig.server, rig.sim, rig.central, rig.agent each have
start(), stop(), kill9() and restart().  Whatever was started dies with the
test, or with pytest itself; conftest.py prints the logs of a failed test.
Which server it is, PLATEN_SERVER says: prosody (the default) or ejabberd; which
store the centre has, PLATEN_STORE: sqlite (the default) or postgresql.
"""
import atexit
import base64
import contextlib
import ctypes
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

from process import (BUILD, COMPONENT, DOMAIN, PATIENCE, ROOT, WALKS, Failed,
                     Ports, Process, children_of, listening, program,
                     wait_for)
from server import SERVERS, make_certificates

sys.path.insert(0, str(ROOT / "tests"))
import cluster  # noqa: E402

__all__ = ["BUILD", "COMPONENT", "DOMAIN", "PATIENCE", "ROOT", "WALKS",
           "Agent", "Central", "Failed", "Ports", "Process", "Rig", "Sim",
           "children_of", "listening", "make_certificates", "merge",
           "program", "read_ini", "run_program", "wait_for", "write_ini",
           "write_secret"]


# --- simulated printers ---------------------------------------------------

class Sim(Process):
    """platen-sim on .port; send() speaks to its control socket."""

    def __init__(self, rig):
        super().__init__(rig, "platen-sim")
        self.port = rig.ports.take()
        # A Unix socket's path has 107 characters at most.
        self.control = rig.dir / "sim.ctl"
        self.argv = []
        self.socket = None

    def start(self, devices=None, fleet=None, base=None, **options):
        """devices: ["127.9.0.1=@hp-mono", ...]; fleet: how many; options:
        files="DIR", community="x", strict=True, scatter=N ...  Without
        arguments as the last time."""
        if devices is not None or fleet is not None or options:
            self.argv = []
            if fleet is not None:
                self.argv += ["--fleet", fleet]
            if base is not None:
                self.argv += ["--base", base]
            for key, value in options.items():
                key = "--" + key.replace("_", "-")
                self.argv += [key] if value is True else [key, value]
            self.argv += list(devices or [])
        self.hang_up()
        self.launch([program("platen-sim"), "--port", self.port, "--control",
                     self.control, *self.argv])
        self.wait_log(r"(?m)^ready \d+", 60)
        return self

    def hang_up(self):
        if self.socket is not None:
            self.socket.close()
            self.socket = None

    def send(self, command, *words):
        """Sends one command; its answer: None, text, or what JSON says.
        Further words are quoted: send("alert", ip, "raise", "text=a b")."""
        line = " ".join([command, *(self.quote(w) for w in words)])
        if self.socket is None:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(20 * PATIENCE)
            self.socket.connect(str(self.control))
            self.stream = self.socket.makefile("rb")
        self.socket.sendall(line.encode() + b"\n")
        answer = self.stream.readline().decode(errors="replace").rstrip("\n")
        state, _, text = answer.partition(" ")
        if state != "ok":
            raise Failed(f"platen-sim: {line!r}: {answer}")
        if text[:1] in ("[", "{"):
            return json.loads(text)
        return text or None

    @staticmethod
    def quote(word):
        word = str(word).replace("\\", "\\\\").replace('"', '\\"')
        return f'"{word}"'

    def hosts(self):
        return [d["host"] for d in self.send("list")]

    def get(self, host, oid):
        """The value's text; None when there is none."""
        try:
            return (self.send("get", host, oid) or "|").split("|", 1)[1]
        except Failed:
            return None

    def raise_alert(self, host, **alert):
        """Its index: raise_alert(ip, code=8, severity=3, text="jam")."""
        return int(self.send("alert", host, "raise", *(
            f"{k}={v}" for k, v in alert.items())))

    def changes(self, since=0):
        return self.send("changes", since)

    def stop(self, timeout=10):
        self.hang_up()
        return super().stop(timeout)

    def kill9(self):
        self.hang_up()
        super().kill9()


# --- INI files ------------------------------------------------------------

def write_ini(path, sections):
    """{"agent": {"name": "x", "networks": ["a", "b"]}}; None leaves out."""
    lines = []
    for section, keys in sections.items():
        keys = {k: v for k, v in keys.items() if v is not None}
        if not keys:
            continue
        lines.append(f"[{section}]")
        for key, value in keys.items():
            if isinstance(value, (list, tuple)):
                value = ", ".join(map(str, value))
            elif isinstance(value, bool):
                value = "yes" if value else "no"
            lines.append(f"{key} = {value}")
        lines.append("")
    write_secret(path, "\n".join(lines))


def write_secret(path, text):
    """A file that only its owner reads."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
              "w") as out:
        os.fchmod(out.fileno(), 0o600)
        out.write(text)


def read_ini(text):
    sections, at = {}, None
    for line in text.splitlines():
        line = line.strip()
        if line.startswith("["):
            at = sections.setdefault(line.strip("[]"), {})
        elif "=" in line and line[0] not in "#;" and at is not None:
            key, _, value = line.partition("=")
            at[key.strip()] = value.strip()
    return sections


def merge(into, more):
    for section, keys in more.items():
        into.setdefault(section, {}).update(keys)
    return into


def run_program(argv, check=True, timeout=60, **more):
    """Runs to the end; what it wrote on stdout.  With check False: the
    CompletedProcess."""
    done = subprocess.run([str(a) for a in argv], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, errors="replace",
                          timeout=timeout * PATIENCE, **more)
    if not check:
        return done
    if done.returncode != 0:
        raise Failed(f"{' '.join(map(str, argv))}: status {done.returncode}\n"
                     f"{done.stdout}{done.stderr}")
    return done.stdout


# --- the centre -----------------------------------------------------------

class Rows:
    """A connection to PostgreSQL, asked as the sqlite3 module is."""

    def __init__(self, url):
        import psycopg2
        import psycopg2.extras
        self.db = psycopg2.connect(
            url, cursor_factory=psycopg2.extras.DictCursor)
        self.db.set_session(readonly=True, autocommit=True)

    def execute(self, sql, values=()):
        cursor = self.db.cursor()
        cursor.execute(sql.replace("%", "%%").replace("?", "%s"), values)
        return cursor

    def close(self):
        self.db.close()


class Central(Process):
    """All of a rig share the store when that is in PostgreSQL, and the key."""

    def __init__(self, rig, name="central"):
        super().__init__(rig, name)
        self.dir = rig.dir / "central"
        self.ini = rig.dir / f"{name}.ini"
        self.more = {}              # {"section": {"key": value}} on top

    def write(self):
        self.dir.mkdir(mode=0o700, exist_ok=True)
        secret = self.rig.dir / f"{self.name}.secret"
        write_secret(secret, self.rig.server.secret + "\n")
        write_ini(self.ini, merge({
            "component": {"jid": COMPONENT, "host": "127.0.0.1",
                          "port": self.rig.server.component_port,
                          "secret_file": secret},
            "store": self.store(),
            "crypto": {"key_file": self.dir / "central.key"},
        }, self.more))
        return self

    def store(self):
        if self.rig.store == "sqlite":
            return {"path": self.dir / "fleet.db"}
        return {"url": self.rig.database_url()}

    def tool(self, *args, check=True):
        return run_program([program("platen-central"), "-c", self.ini, *args],
                           check)

    def init(self):
        self.write()
        return self.tool("init")

    def enrol(self, name, jid, customer=None):
        """What the agent's INI needs, as {section: {key: value}}."""
        more = ["--customer", customer] if customer else []
        return read_ini(self.tool("enrol", name, "--jid", jid, *more))

    def start(self, *more, wait=True):
        self.launch([program("platen-central"), "-c", self.ini, "run", "-d",
                     *more])
        if wait:
            self.wait_log(r"is connected to", 20)
        return self

    def json(self, what, *args):
        """json("devices"), json("agents"), json("history", "--asset", id)."""
        return json.loads(self.tool(what, *args, "--json"))

    def database(self):
        """A read-only connection to the fleet database."""
        if self.rig.store != "sqlite":
            return Rows(self.rig.database_url())
        import sqlite3
        path = self.dir / "fleet.db"
        db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
        db.row_factory = sqlite3.Row
        return db


# --- the agent ------------------------------------------------------------

_sodium = ctypes.CDLL("libsodium.so.23")


def unseal(key, sealed, name):
    """The octets that platend sealed for its disk; see crypto/lock.h."""
    sub, plain = ctypes.create_string_buffer(32), bytes(len(sealed) - 40)
    length = ctypes.c_ulonglong()
    _sodium.crypto_kdf_derive_from_key(sub, 32, ctypes.c_uint64(1),
                                       b"platenst", key)
    assert _sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(
        plain, ctypes.byref(length), None, sealed[24:],
        ctypes.c_ulonglong(len(sealed) - 24), name,
        ctypes.c_ulonglong(len(name)), sealed[:24], sub) == 0, name
    return plain


class Agent(Process):
    """platend.  .name is the account's and the agent's name."""
    ROLES = {"collector": "platend-collect", "uplink": "platend-uplink"}

    def __init__(self, rig, name="agent"):
        super().__init__(rig, name)
        self.dir = rig.dir / name
        self.ini = rig.dir / f"{name}.ini"
        self.jid, self.snippet, self.more = None, {}, {}
        self.networks, self.hosts = None, None

    def enrol(self, customer=None):
        """An account at the server and a token from the centre."""
        self.jid, password = self.rig.server.register(self.name)
        self.snippet = self.rig.central.enrol(self.name, self.jid, customer)
        write_secret(self.rig.dir / f"{self.name}.password", password + "\n")
        return self

    def write(self, **schedule):
        """The INI file: what enrol gave, quick schedules, and .more on top.
        schedule: heartbeat="5s" ..."""
        self.dir.mkdir(mode=0o700, exist_ok=True)
        server, sim = self.rig.server, self.rig.sim
        times = {"heartbeat": "1s", "supplies": "1s", "counters": "1s",
                 "assets": "1h"}
        times.update(schedule)
        hosts = self.hosts
        if hosts is None and self.networks is None:
            hosts = [f"{h}:{sim.port}" for h in sim.hosts()]
        sections = merge({
            "agent": {"name": self.name, "state_dir": self.dir},
            "xmpp": {"jid": self.jid, "host": "127.0.0.1",
                     "port": server.port, "fallback_port": server.tls_port,
                     "password_file": self.rig.dir / f"{self.name}.password",
                     "ca_file": server.ca_file, "central": COMPONENT},
            "discovery": {"networks": self.networks, "hosts": hosts,
                          "interval": "1h", "rate": 2000},
            "snmp public": {"version": "2c", "community": "public",
                            "port": sim.port, "timeout": "1s", "retries": 2},
            "schedule": times,
        }, self.snippet)
        write_ini(self.ini, merge(sections, self.more))
        return self

    def start(self, *more):
        if not self.ini.exists():
            self.write()
        self.launch([program("platend"), "-c", self.ini, "-d", *more])
        return self

    def check(self):
        """platend -n: the CompletedProcess."""
        return run_program([program("platend"), "-c", self.ini, "-n"], False)

    def tool(self, *args, check=True):
        """platen COMMAND -c FILE ..."""
        return run_program([program("platen"), args[0], "-c", self.ini,
                            *args[1:]], check)

    def json(self, what, *args):
        return json.loads(self.tool(what, "--json", *args))

    def pids(self):
        """{"supervisor": pid, "collector": pid, "uplink": pid}, of those
        that are there."""
        found = {"supervisor": self.pid} if self.running() else {}
        names = children_of(self.pid)
        for role, comm in self.ROLES.items():
            if comm in names:
                found[role] = names[comm]
        return found

    def kill_role(self, role, signo=signal.SIGKILL):
        """Kills one process; its pid, or None when it was not there."""
        pid = self.pids().get(role)
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signo)
        if role == "supervisor" and signo == signal.SIGKILL and pid:
            self.proc.wait()
        return pid

    def wait_online(self, timeout=20):
        """Until a session with the centre stands."""
        self.wait_log(r"session with", timeout)
        return self

    def database(self):
        """A read-only connection to the agent's store.  In SQL plain(body,
        name) opens what is sealed: name is 'report', or 'told ' || asset ||
        ' ' || id."""
        import sqlite3
        path = next(self.dir.glob("*.db"))
        db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
        db.row_factory = sqlite3.Row
        db.create_function("plain", 2, self.plain)
        return db

    def plain(self, sealed, name):
        """What the agent's store has sealed under that name, as text."""
        key = (self.dir / "store.key").read_text().split()[1]
        return unseal(base64.b64decode(key), sealed, name.encode()).decode()


# --- all together ---------------------------------------------------------

class Rig:
    _shared = {}

    def __init__(self, name="rig", keep=False, server=None, store=None):
        # Short, because it holds the path of a Unix socket; open to others,
        # because what starts as root may become somebody else.
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="platen-"))
        self.dir.chmod(0o755)
        self.name, self.keep = name, keep
        self.own_kind = server is not None
        self.kind = server or os.environ.get("PLATEN_SERVER", "prosody")
        self.store = store or os.environ.get("PLATEN_STORE", "sqlite")
        self.parts = []
        self._made = {}

    @property
    def ports(self):
        if "ports" not in self._shared:
            self._shared["ports"] = Ports()
        return self._shared["ports"]

    def certificates(self):
        """One CA and one server certificate a test process."""
        if "tls" not in self._shared:
            where = pathlib.Path(tempfile.mkdtemp(prefix="platen-tls-"))
            where.chmod(0o755)
            atexit.register(self.forget_shared)
            self._shared["tls"] = make_certificates(where)
        return self._shared["tls"]

    @property
    def database(self):
        """(name, cluster.Cluster) of a PostgreSQL database of this rig's."""
        if "database" not in self._made:
            self._made["database"] = cluster.database()
        return self._made["database"]

    def database_url(self):
        name, where = self.database
        return where.url(name)

    @classmethod
    def forget_shared(cls):
        """At the end of a test process."""
        if "tls" in cls._shared:
            shutil.rmtree(cls._shared.pop("tls"), ignore_errors=True)

    def _part(self, kind, name=None):
        name = name or kind.__name__.lower()
        if name not in self._made:
            self._made[name] = (kind(self, name) if kind in (Agent, Central)
                                else kind(self))
        return self._made[name]

    def has_server(self):
        """Whether the server of PLATEN_SERVER's kind was ever started."""
        server = self._made.get("server")
        return not self.own_kind and server is not None and \
            server.proc is not None

    server = property(lambda self: self._part(SERVERS[self.kind], "server"))
    sim = property(lambda self: self._part(Sim))
    central = property(lambda self: self._part(Central))
    agent = property(lambda self: self._part(Agent))

    def central_named(self, name):
        """One more process of the centre."""
        return self._part(Central, name)

    def agent_named(self, name):
        """A second agent and so on."""
        return self._part(Agent, name)

    def peer(self, kind, *args, **more):
        """Starts something of peer.py that stops with the rig."""
        made = kind(*args, **more)
        self.parts.append(made)
        return made.start()

    def start(self, fleet=None, devices=None, agent=True, schedule=None,
              **sim):
        """Everything, up to a session; waits until the centre knows all
        printers of the fleet unless fleet is None."""
        self.server.start()
        if fleet is not None or devices is not None:
            self.sim.start(devices, fleet, **sim)
        self.central.init()
        self.central.start()
        if agent:
            self.agent.enrol().write(**(schedule or {})).start()
            self.agent.wait_online()
        if agent and fleet:
            wait_for(lambda: len(self.central.json("devices")) >= fleet, 30,
                     f"{fleet} devices at the centre", 0.2)
        return self

    wait_for = staticmethod(wait_for)

    def logs(self):
        """[(title, text)] of all parts, for the report of a failure."""
        return [(f"log of {p.name}", p.tail()) for p in self.parts]

    def close(self):
        for part in reversed(self.parts):
            with contextlib.suppress(Exception):
                part.kill9()
        if not self.keep and "PLATEN_KEEP" not in os.environ:
            shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
