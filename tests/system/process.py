"""Processes of a test: ports that nobody else uses, programs with a log that
die with the test, waiting for what becomes true.
"""
import contextlib
import ctypes
import fcntl
import os
import pathlib
import re
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
        self.inside = []            # what runs it elsewhere, before argv
        self.env = None             # a whole environment, or ours
        rig.parts.append(self)

    def launch(self, argv, **more):
        argv = [*self.inside, *argv]
        if self.running():
            raise Failed(f"{self.name} runs already")
        with open(self.log_path, "ab") as log:
            log.write(f"--- {' '.join(map(str, argv))}\n".encode())
            log.flush()
            self.mark = log.tell()
            self.proc = subprocess.Popen(
                [str(a) for a in argv], stdin=more.pop("stdin", subprocess.DEVNULL),
                stdout=more.pop("stdout", log), stderr=log,
                cwd=self.rig.dir, env=more.pop("env", self.env),
                preexec_fn=_before_exec, **more)
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
