#!/usr/bin/python3
"""A PostgreSQL of the tests' own: made in a directory of its own, on a Unix
socket that only its user and root reach, gone with whoever started it.

usage: tests/cluster.py PROGRAM [ARGUMENT ...]

runs PROGRAM with PLATEN_TEST_PG, the URL of its database, set."""

import atexit
import ctypes
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time

_libc = ctypes.CDLL(None, use_errno=True)
PR_SET_PDEATHSIG = 1
# Small, and as fast as it can be: what it holds is worth nothing.
SETTINGS = {"listen_addresses": "", "fsync": "off", "shared_buffers": "16MB",
            "max_connections": "100", "unix_socket_permissions": "0777",
            "log_min_messages": "fatal"}


def programs():
    """Where initdb and postgres are: Debian keeps them out of PATH."""
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"),
                   key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    there = shutil.which("initdb")
    if there is None:
        raise FileNotFoundError("there is no PostgreSQL; tools/deps "
                                "installs it")
    return pathlib.Path(there).parent


def owner():
    """(uid, gid) for the server, which refuses to run as root."""
    if os.getuid() != 0:
        return os.getuid(), os.getgid()
    for name in "postgres", "nobody":
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return entry.pw_uid, entry.pw_gid
    raise LookupError("no user that PostgreSQL could run as")


class Cluster:
    def __init__(self):
        self.bin, (self.uid, self.gid) = programs(), owner()
        # Short, because it holds the path of a Unix socket.
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="platen-pg-"))
        os.chown(self.dir, self.uid, self.gid)
        self.data, self.proc = self.dir / "data", None
        self.settings = dict(SETTINGS, unix_socket_directories=self.dir)
        self.run("initdb", "-D", self.data, "--no-sync", "-A", "trust",
                 "-U", "platen", "-E", "UTF8", "--locale=C.UTF-8")

    def become(self):
        os.setsid()
        if os.getuid() == 0:
            os.setgroups([])
            os.setgid(self.gid)
            os.setuid(self.uid)
        # After that: changing who one is forgets it.
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)

    def run(self, program, *args):
        done = subprocess.run(
            [self.bin / program, *map(str, args)], cwd=self.dir,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, preexec_fn=self.become, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"{program}: {done.stdout}")

    def start(self):
        with open(self.dir / "log", "ab") as log:
            self.proc = subprocess.Popen(
                [self.bin / "postgres", "-D", self.data,
                 *(f"--{k}={v}" for k, v in self.settings.items())],
                cwd=self.dir, stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, preexec_fn=self.become)
        for _ in range(600):
            try:
                self.sql("SELECT 1")
                return self
            except subprocess.CalledProcessError:
                if self.proc.poll() is not None:
                    break
                time.sleep(0.1)
        raise RuntimeError((self.dir / "log").read_text())

    def sql(self, *statements, database="postgres"):
        for statement in statements:
            subprocess.run([self.bin / "psql", "-X", "-q", "-h", self.dir,
                            "-p", str(self.settings.get("port", 5432)), "-U", "platen", "-d", database, "-c", statement],
                           check=True, stdin=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)

    def ask_passwords(self, role):
        """From now on that role needs one."""
        rules = self.data / "pg_hba.conf"
        rules.write_text(f"local all {role} scram-sha-256\n" +
                         rules.read_text())
        self.sql("SELECT pg_reload_conf()")

    def over_network(self, port, certificates):
        """From now on also on 127.0.0.1, for those who use TLS and know their
        password.  certificates: server.crt and .key are there."""
        for name in "server.crt", "server.key":
            shutil.copy(certificates / name, self.data / name)
            os.chown(self.data / name, self.uid, self.gid)
            (self.data / name).chmod(0o600)
        rules = self.data / "pg_hba.conf"
        rules.write_text("hostssl all all 127.0.0.1/32 scram-sha-256\n"
                         "hostnossl all all 127.0.0.1/32 reject\n" +
                         rules.read_text())
        self.settings.update(listen_addresses="127.0.0.1", port=port, ssl="on")
        self.stop()
        return self.start()

    def url(self, database="postgres", user="platen"):
        where = str(self.dir).replace("/", "%2F")
        return f"postgresql://{user}@{where}/{database}"

    def stop(self, how=signal.SIGINT):
        if self.proc is not None and self.proc.poll() is None:
            self.proc.send_signal(how)
            try:
                self.proc.wait(20)
            except subprocess.TimeoutExpired:
                self.proc.kill()
                self.proc.wait()
        self.proc = None

    def close(self):
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.dir, ignore_errors=True)


_shared = None


def database():
    """The name of a new database in the one cluster of this process, which
    ends with it, and the cluster."""
    global _shared
    if _shared is None:
        _shared = Cluster()
        atexit.register(_shared.close)
        _shared.start()
        _shared.made = 0
    _shared.made += 1
    name = f"test_{_shared.made}"
    _shared.sql(f"CREATE DATABASE {name}")
    return name, _shared


def main():
    cluster = Cluster()
    try:
        cluster.start()
        os.environ["PLATEN_TEST_PG"] = cluster.url()
        return subprocess.run(sys.argv[1:]).returncode
    finally:
        cluster.close()


if __name__ == "__main__":
    sys.exit(main())
