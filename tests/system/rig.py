"""The parts of a whole system, for tests: a real Prosody, the centre, the
agent and simulated printers, each in a private directory on ports of its own.

    def test_something(rig):
        rig.start(fleet=3)                  # everything, enrolled
        rig.sim.send("level 127.10.0.1 1 5")
        rig.wait_for(lambda: rig.central.json("consumables"), 10)

Or piece by piece: rig.prosody, rig.sim, rig.central, rig.agent each have
start(), stop(), kill9() and restart().  Whatever was started dies with the
test, or with pytest itself; conftest.py prints the logs of a failed test.
"""
import atexit
import contextlib
import ctypes
import fcntl
import hashlib
import hmac
import json
import os
import pathlib
import re
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("PLATEN_BUILD", "build"))
if not BUILD.is_absolute():
    BUILD = ROOT / BUILD
WALKS = pathlib.Path(os.environ.get("PLATEN_WALKS",
                                    ROOT.parent / "shared" / "walks"))
DOMAIN = "example.test"
COMPONENT = "platen." + DOMAIN
# Under sanitizers or valgrind everything takes longer.
PATIENCE = float(os.environ.get("PLATEN_PATIENCE", "1"))

_libc = ctypes.CDLL(None, use_errno=True)
PR_SET_PDEATHSIG = 1


class Failed(AssertionError):
    """Something did not become true in time, or a program said no."""


def wait_for(predicate, timeout=10.0, what=None, interval=0.02):
    """The first true value of predicate(), asked again until timeout."""
    deadline = time.monotonic() + timeout * PATIENCE
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise Failed(f"not within {timeout} s: "
                         f"{what or getattr(predicate, '__name__', predicate)}"
                         f" (last: {value!r})")
        time.sleep(interval)


# --- ports ----------------------------------------------------------------

class Ports:
    """A block of ports that no other test process on this machine uses: the
    block is locked by a file, every port in it is tried before it is given.
    """
    FIRST, SIZE, BLOCKS = 12000, 400, 48     # below the ephemeral ports

    def __init__(self):
        where = pathlib.Path(tempfile.gettempdir()) / "platen-test-ports"
        where.mkdir(mode=0o1777, exist_ok=True)
        for block in range(self.BLOCKS):
            lock = open(where / str(block), "w")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                lock.close()
                continue
            self.lock, self.block, self.at = lock, block, 0
            return
        raise Failed("no free block of ports: too many test processes")

    def take(self):
        for _ in range(self.SIZE):
            port = self.FIRST + self.block * self.SIZE + self.at % self.SIZE
            self.at += 1
            if self.free(port):
                return port
        raise Failed("no free port")

    @staticmethod
    def free(port):
        with contextlib.ExitStack() as stack:
            for kind in socket.SOCK_STREAM, socket.SOCK_DGRAM:
                s = stack.enter_context(socket.socket(socket.AF_INET, kind))
                if kind == socket.SOCK_STREAM:
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    s.bind(("0.0.0.0", port))
                except OSError:
                    return False
        return True


def listening(port, host="127.0.0.1"):
    with contextlib.suppress(OSError):
        socket.create_connection((host, port), 1).close()
        return True
    return False


# --- processes ------------------------------------------------------------

def _before_exec():
    """In the child: its own process group, and death with its parent."""
    os.setsid()
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def children_of(pid):
    """{comm: pid} of the direct children."""
    found = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        with contextlib.suppress(OSError):
            stat = pathlib.Path("/proc", entry, "stat").read_text()
            name = stat[stat.index("(") + 1:stat.rindex(")")]
            fields = stat[stat.rindex(")") + 2:].split()
            if int(fields[1]) == pid and fields[0] != "Z":
                found[name] = int(entry)
    return found


def program(name):
    path = BUILD / name
    if not path.exists():
        raise Failed(f"{path} is not built (PLATEN_BUILD says where)")
    return str(path)


class Process:
    """One program with its log.  Subclasses say what argv is."""

    def __init__(self, rig, name):
        self.rig, self.name = rig, name
        self.log_path = rig.dir / f"{name}.log"
        self.proc = None
        rig.parts.append(self)

    def launch(self, argv, **more):
        if self.running():
            raise Failed(f"{self.name} runs already")
        with open(self.log_path, "ab") as log:
            log.write(f"--- {' '.join(map(str, argv))}\n".encode())
            log.flush()
            self.mark = log.tell()
            self.proc = subprocess.Popen(
                [str(a) for a in argv], stdin=subprocess.DEVNULL,
                stdout=more.pop("stdout", log), stderr=log,
                cwd=self.rig.dir, preexec_fn=_before_exec, **more)
        return self

    @property
    def pid(self):
        return self.proc.pid

    def running(self):
        return self.proc is not None and self.proc.poll() is None

    def log(self, whole=False):
        """What it has logged since its last start (or ever)."""
        with contextlib.suppress(OSError):
            text = self.log_path.read_bytes()
            return text[0 if whole else self.mark:].decode(errors="replace")
        return ""

    def wait_log(self, pattern, timeout=15):
        """The match of pattern in the log since the last start."""
        def look():
            found = re.search(pattern, self.log())
            if found is None and not self.running():
                raise Failed(f"{self.name} ended (status "
                             f"{self.proc.returncode}) without "
                             f"{pattern!r}:\n{self.log()}")
            return found
        return wait_for(look, timeout, f"{pattern!r} in {self.log_path}")

    def _group(self, signo):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.proc.pid, signo)

    def stop(self, timeout=10):
        """SIGTERM; the exit status.  What does not go is a failure."""
        if self.proc is None:
            return None
        if self.proc.poll() is None:
            self.proc.terminate()
        try:
            status = self.proc.wait(timeout * PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill9()
            raise Failed(f"{self.name} does not stop within {timeout} s")
        self._group(signal.SIGKILL)
        return status

    def kill9(self):
        """SIGKILL to it and everything that it started."""
        if self.proc is None:
            return
        self._group(signal.SIGKILL)
        self.proc.wait()

    def hang(self):
        """Stopped as by a debugger: alive, but says nothing."""
        self._group(signal.SIGSTOP)

    def resume(self):
        self._group(signal.SIGCONT)

    def restart(self):
        self.stop()
        return self.start()

    def tail(self, lines=60):
        text = self.log(whole=True).splitlines()
        return "\n".join(text[-lines:])


# --- the server -----------------------------------------------------------

_PROSODY = """
run_as_root = {root}
daemonize = false
pidfile = "{dir}/prosody.pid"
data_path = "{dir}/prosody"
plugin_paths = {{ }}
modules_enabled = {{ "roster"; "saslauth"; "tls"; "disco"; "ping"; "presence";
    "limits"; {modules} }}
modules_disabled = {{ "s2s"; "offline" }}
authentication = "internal_hashed"
password_hash = "SHA-256"
allow_registration = false
c2s_require_encryption = true
c2s_ports = {{ {c2s} }}
c2s_direct_tls_ports = {{ {tls} }}
c2s_interfaces = {{ "127.0.0.1" }}
c2s_direct_tls_interfaces = {{ "127.0.0.1" }}
component_ports = {{ {component} }}
component_interfaces = {{ "127.0.0.1" }}
interfaces = {{ "127.0.0.1" }}
network_settings = {{ nagle = false }}
nagle = false
limits = {{ c2s = {{ rate = "{rate}" }} }}
ssl = {{ certificate = "{tls_dir}/server.crt"; key = "{tls_dir}/server.key" }}
log = {{ {{ levels = {{ min = "{level}" }}; to = "console" }} }}
{extra}
VirtualHost "{domain}"
Component "{component_jid}"
    component_secret = "{secret}"
"""


def _openssl(*args, cwd):
    subprocess.run(["openssl", *args], cwd=cwd, check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def make_certificates(where, domain=DOMAIN, name="server", ca=None):
    """A CA (ca.crt) and a certificate NAME.crt/.key for domain in where; with
    ca, a directory, that one's CA signs."""
    where.mkdir(exist_ok=True)
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    if ca is None:
        ca = where
        _openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.crt",
                 "-days", "30", "-subj", "/CN=Platen test CA", cwd=where)
    _openssl("req", *key, "-keyout", f"{name}.key", "-out", f"{name}.csr",
             "-subj", f"/CN={domain}", cwd=where)
    (where / f"{name}.ext").write_text(
        f"subjectAltName=DNS:{domain}\nbasicConstraints=CA:FALSE\n")
    _openssl("x509", "-req", "-in", f"{name}.csr", "-CA", ca / "ca.crt",
             "-CAkey", ca / "ca.key", "-CAcreateserial", "-days", "30",
             "-extfile", f"{name}.ext", "-out", f"{name}.crt", cwd=where)
    return where


class Prosody(Process):
    """A real server for DOMAIN: STARTTLS on .port, direct TLS on .tls_port,
    the component COMPONENT with .secret on .component_port."""

    def __init__(self, rig):
        super().__init__(rig, "prosody")
        self.port = rig.ports.take()
        self.tls_port = rig.ports.take()
        self.component_port = rig.ports.take()
        self.secret = secrets.token_hex(16)
        self.tls_dir = rig.certificates()
        self.ca_file = self.tls_dir / "ca.crt"
        self.rate, self.level, self.extra = "2mb/s", "info", ""
        self.modules = ""           # more of them: '"version"; "time"'
        self.passwords = {}

    def write(self):
        path = self.rig.dir / "prosody.cfg.lua"
        path.write_text(_PROSODY.format(
            root="true" if os.getuid() == 0 else "false", dir=self.rig.dir,
            c2s=self.port, tls=self.tls_port, component=self.component_port,
            rate=self.rate, level=self.level, extra=self.extra,
            modules=self.modules, domain=DOMAIN, tls_dir=self.tls_dir,
            component_jid=COMPONENT, secret=self.secret))
        return path

    def register(self, user, password=None):
        """Makes (or changes) an account by writing what mod_auth_internal_hashed
        keeps; (JID, password).  Works while the server runs."""
        password = password or secrets.token_urlsafe(12)
        salt, rounds = secrets.token_hex(16), 4096
        salted = hashlib.pbkdf2_hmac("sha256", password.encode(),
                                     salt.encode(), rounds)

        def mac(text):
            return hmac.new(salted, text, "sha256").digest()
        stored = hashlib.sha256(mac(b"Client Key")).hexdigest()
        where = self.rig.dir / "prosody" / DOMAIN.replace(".", "%2e")
        (where / "accounts").mkdir(parents=True, exist_ok=True)
        account = where / "accounts" / f"{user}.dat"
        account.write_text(
            f'return {{\n["iteration_count"] = {rounds};\n["salt"] = "{salt}";\n'
            f'["stored_key"] = "{stored}";\n'
            f'["server_key"] = "{mac(b"Server Key").hex()}";\n}};\n')
        self.passwords[user] = password
        return f"{user}@{DOMAIN}", password

    def start(self):
        path = self.write()
        self.launch(["prosody", "--config", path, "-F"])
        ports = self.port, self.tls_port, self.component_port

        def up():
            if not self.running():
                raise Failed(f"prosody ended:\n{self.log()}")
            return all(listening(port) for port in ports)
        wait_for(up, 20, "prosody listens")
        return self


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

class Central(Process):
    def __init__(self, rig, name="central"):
        super().__init__(rig, name)
        self.dir = rig.dir / name
        self.ini = rig.dir / f"{name}.ini"
        self.more = {}              # {"section": {"key": value}} on top

    def write(self):
        self.dir.mkdir(mode=0o700, exist_ok=True)
        secret = self.rig.dir / f"{self.name}.secret"
        write_secret(secret, self.rig.prosody.secret + "\n")
        write_ini(self.ini, merge({
            "component": {"jid": COMPONENT, "host": "127.0.0.1",
                          "port": self.rig.prosody.component_port,
                          "secret_file": secret},
            "store": {"path": self.dir / "fleet.db"},
            "crypto": {"key_file": self.dir / "central.key"},
        }, self.more))
        return self

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
        import sqlite3
        path = self.dir / "fleet.db"
        db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
        db.row_factory = sqlite3.Row
        return db


# --- the agent ------------------------------------------------------------

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
        self.jid, password = self.rig.prosody.register(self.name)
        self.snippet = self.rig.central.enrol(self.name, self.jid, customer)
        write_secret(self.rig.dir / f"{self.name}.password", password + "\n")
        return self

    def write(self, **schedule):
        """The INI file: what enrol gave, quick schedules, and .more on top.
        schedule: heartbeat="5s" ..."""
        self.dir.mkdir(mode=0o700, exist_ok=True)
        prosody, sim = self.rig.prosody, self.rig.sim
        times = {"heartbeat": "1s", "supplies": "1s", "counters": "1s",
                 "assets": "1h"}
        times.update(schedule)
        hosts = self.hosts
        if hosts is None and self.networks is None:
            hosts = [f"{h}:{sim.port}" for h in sim.hosts()]
        sections = merge({
            "agent": {"name": self.name, "state_dir": self.dir},
            "xmpp": {"jid": self.jid, "host": "127.0.0.1",
                     "port": prosody.port, "fallback_port": prosody.tls_port,
                     "password_file": self.rig.dir / f"{self.name}.password",
                     "ca_file": prosody.ca_file, "central": COMPONENT},
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
        """A read-only connection to the agent's store."""
        import sqlite3
        path = next(self.dir.glob("*.db"))
        db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
        db.row_factory = sqlite3.Row
        return db


# --- all together ---------------------------------------------------------

class Rig:
    _shared = {}

    def __init__(self, name="rig", keep=False):
        # Short, because it holds the path of a Unix socket; open to others,
        # because what starts as root may become somebody else.
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="platen-"))
        self.dir.chmod(0o755)
        self.name, self.keep = name, keep
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

    prosody = property(lambda self: self._part(Prosody))
    sim = property(lambda self: self._part(Sim))
    central = property(lambda self: self._part(Central))
    agent = property(lambda self: self._part(Agent))

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
        self.prosody.start()
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
