"""Promise: whatever happens to the agent's disk, printers are read on, the
operator is told once, and it mends itself: what could not be written is told
when there is room; a damaged store is set aside and a new one begins, with the
same assets at the centre; and nobody reads from the disk what printers said."""
import contextlib
import os
import pathlib
import random
import re
import shutil
import sqlite3
import subprocess
import time
from unittest import mock

import pytest

from rig import wait_for, write_secret

TOTAL = "1.3.6.1.2.1.43.10.2.1.4.1.1"
BASE = "127.10.77."
QUICK = {"heartbeat": "300ms", "supplies": "300ms", "counters": "300ms"}
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounts")


def begin(rig, printers=3, **more):
    """Everything, drained; the printers' addresses."""
    hosts = [f"{BASE}{i}" for i in range(1, printers + 1)]
    rig.agent.more = more
    rig.start(devices=[f"{h}=@hp-mono,number={i},serial=ZQ{i}77Y{i}"
                       for i, h in enumerate(hosts, 1)], schedule=QUICK)
    wait_for(lambda: len(rig.central.json("devices")) == printers, 30,
             "all printers", 0.2)
    drained(rig.agent)
    return hosts


def drained(agent, timeout=40):
    wait_for(lambda: agent.json("status")["outbox"] == 0 and
             agent.json("status")["uplink"] == "connected", timeout,
             "all is told", 0.2)


def assets(rig):
    """{address: (asset, state)} at the centre."""
    return {d["ip"]: (d["asset"], d["state"])
            for d in rig.central.json("devices")}


def total(rig, host):
    """What the centre has for it."""
    for d in rig.central.json("devices"):
        if d["ip"] == host:
            return {c["name"]: c["value"] for c in d["counters"]}["total"]
    return None


def prints(rig, host, pages=3):
    """Pages come out; they are to reach the centre."""
    rig.sim.send("print", host, pages)
    return int(rig.sim.get(host, TOTAL))


def jam(rig, host, text):
    return rig.sim.raise_alert(host, code=8, severity=3, group=8, index=2,
                               text=text)


def jams(rig, text):
    """[whether it is cleared] of the alerts with that text."""
    with contextlib.closing(rig.central.database()) as db:
        return [row[0] is not None for row in db.execute(
            "SELECT cleared FROM alert WHERE description = ?", (text,))]


def aside(agent):
    return sorted(p for p in agent.dir.glob("store.db.damaged-*")
                  if not p.name.endswith(("-wal", "-shm")))


def lines(agent, text, whole=False):
    return [line for line in agent.log(whole).splitlines() if text in line]


# --- damaged ---------------------------------------------------------------

def overwrite(path, at, length):
    with open(path, "r+b") as f:
        f.seek(at)
        f.write(random.Random(at).randbytes(length))


def table_page(path, table):
    """Offset and size of the page that the table begins with."""
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        root, = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = "
                           "?", (table,)).fetchone()
        size, = db.execute("PRAGMA page_size").fetchone()
    return (root - 1) * size, size


def header(path):
    overwrite(path, 0, 100)


def middle(path):
    overwrite(path, *table_page(path, "told"))


def cut(path):
    with open(path, "r+b") as f:
        f.truncate(path.stat().st_size // 3 // 4096 * 4096 + 100)


def empty(path):
    with open(path, "r+b") as f:
        f.truncate(0)


def folder(path):
    path.unlink()
    path.mkdir()
    (path / "what").write_text("is this?\n")


def text(path):
    path.write_text("no database at all\n" * 500)


def foreign(path):
    path.unlink()
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE other(x)")
        db.commit()


STOPPED = [header, middle, cut, empty, folder, text, foreign]


@pytest.mark.parametrize("damage", STOPPED, ids=lambda f: f.__name__)
def test_damaged_while_stopped(rig, damage):
    host, *_ = begin(rig)
    before = assets(rig)
    agent = rig.agent
    assert agent.stop() == 0
    damage(agent.dir / "store.db")
    agent.start()
    agent.wait_log(r"store\.db is damaged: ", 20)
    agent.wait_log("a new one begins", 20)
    agent.wait_online()
    want = prints(rig, host)
    wait_for(lambda: total(rig, host) == want, 40, "it goes on", 0.2)
    drained(agent)
    assert assets(rig) == before
    assert len(aside(agent)) == 1
    assert agent.json("status")["store"]["damaged"] is not None
    # Once, and what was made is sound.
    agent.restart().wait_online()
    assert not lines(agent, "damaged")
    assert len(aside(agent)) == 1


@pytest.mark.parametrize("damage", [header, middle, cut, empty],
                         ids=lambda f: f.__name__)
def test_damaged_while_running(rig, damage):
    """Met by whoever reads next, or by the check that never ends."""
    host, *_ = begin(rig)
    before = assets(rig)
    agent = rig.agent
    path = agent.dir / "store.db"
    # Into the file, so that what is overwritten is what is read.
    with contextlib.closing(sqlite3.connect(path, timeout=20)) as db:
        wait_for(lambda: db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                 .fetchone()[0] == 0, 20)
    if damage is middle:
        db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        root, = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = "
                           "'told'").fetchone()
        db.close()
        overwrite(path, (root - 1) * 4096, 4096)
    else:
        damage(path)
    agent.wait_log("a new one begins", 150)
    agent.wait_log(r"session with[^$]*session with", 60)
    want = prints(rig, host)
    wait_for(lambda: total(rig, host) == want, 60, "it goes on", 0.2)
    drained(agent)
    assert assets(rig) == before
    assert len(aside(agent)) >= 1
    assert agent.running()


@pytest.mark.parametrize("name", ["store.db", "store.db-wal"])
def test_removed_while_running(rig, name):
    host, *_ = begin(rig)
    before = assets(rig)
    (rig.agent.dir / name).unlink()
    rig.agent.wait_log("was removed", 150)
    rig.agent.wait_log(r"session with[^$]*session with", 60)
    want = prints(rig, host)
    wait_for(lambda: total(rig, host) == want, 60, "it goes on", 0.2)
    assert assets(rig) == before


@pytest.mark.parametrize("damage", ["lost", "garbage"])
def test_log_of_the_store(rig, damage):
    """Killed, there is much in store.db-wal: without it the store is an old
    copy, which the centre notices; with garbage in it as well."""
    host, *_ = begin(rig)
    before = assets(rig)
    for _ in range(5):
        want = prints(rig, host)
        wait_for(lambda: total(rig, host) == want, 20, "it is told", 0.1)
    agent = rig.agent
    agent.kill9()
    wal = agent.dir / "store.db-wal"
    assert wal.stat().st_size > 0
    if damage == "lost":
        wal.unlink()
    else:
        overwrite(wal, 0, wal.stat().st_size)
    agent.start().wait_online()
    want = prints(rig, host)
    wait_for(lambda: total(rig, host) == want, 40, "it goes on", 0.2)
    drained(agent)
    assert assets(rig) == before


def test_what_waits_is_saved(rig):
    """Alerts that came and went while the centre was away are in the damaged
    store alone, and are told from the new one."""
    hosts = begin(rig)
    agent = rig.agent
    rig.central.stop()
    wait_for(lambda: agent.json("status")["uplink"] != "connected", 30,
             "it notices", 0.1)
    for i, host in enumerate(hosts):
        index = jam(rig, host, f"Jam {i}")
        wait_for(lambda: f"Jam {i}" in agent.tool("devices", "--json"), 20,
                 "it is read", 0.05)
        rig.sim.send("alert", host, "clear", index)
        wait_for(lambda: f"Jam {i}" not in agent.tool("devices", "--json"),
                 20, "it is read", 0.05)
    waiting = agent.json("status")["outbox"]
    assert waiting >= 2 * len(hosts)
    before = assets(rig)
    assert agent.stop() == 0
    middle(agent.dir / "store.db")
    agent.start().wait_log("a new one begins", 20)
    assert f"{waiting} are in it, 0 are lost" in agent.log()
    rig.central.start()
    for i in range(len(hosts)):
        wait_for(lambda: jams(rig, f"Jam {i}") == [True], 40,
                 f"jam {i}, once and over", 0.2)
    drained(agent)
    assert assets(rig) == before


def test_few_are_kept(rig):
    begin(rig, 1)
    agent = rig.agent
    for _ in range(5):
        assert agent.stop() == 0
        header(agent.dir / "store.db")
        agent.start().wait_log("a new one begins", 20)
        # Stopped in peace then: its log has the header once more before.
        agent.wait_online()
    assert len(aside(agent)) == 3


@needs_root
def test_wrong_permissions(rig):
    """Not damaged: said, and taken when it can be read."""
    begin(rig, 1, agent={"user": "nobody"})
    agent = rig.agent
    assert agent.stop() == 0
    path = agent.dir / "store.db"
    was = path.stat()
    os.chown(path, 0, 0)
    agent.start()
    agent.wait_log(r"store\.db cannot be read and written by this user", 20)
    time.sleep(1)
    assert aside(agent) == []
    os.chown(path, was.st_uid, was.st_gid)
    agent.wait_online(60)
    assert aside(agent) == []


# --- sealed ------------------------------------------------------------------

def test_nothing_in_clear(rig):
    """No serial, MAC, community, password or text of a printer in any file
    of the store, while it runs and after."""
    host, *_ = begin(rig, **{"snmp public": {"community": "public"},
                             "snmp secret": {"community": "tellnobody"}})
    agent = rig.agent
    rig.central.stop()
    index = jam(rig, host, "Paper jam in tray nine")
    wait_for(lambda: "tray nine" in agent.tool("devices", "--json"), 20,
             "it is read", 0.1)
    rig.sim.send("alert", host, "clear", index)
    shown = agent.tool("devices", "--json") + agent.tool("outbox", "--xml")
    device = agent.json("devices")[0]
    words = [device["serial"], device["model"], device["mac"],
             "tray nine", "tellnobody", "ZQ177Y1",
             rig.server.passwords["agent"],
             agent.snippet["crypto"]["token"], "<report", "<asset"]
    assert "tray nine" in shown and "ZQ177Y1" in shown

    def look():
        found = set()
        for path in agent.dir.glob("store*"):
            data = path.read_bytes()
            found |= {w for w in words if w and w.encode() in data}
        return found
    assert look() == set()
    assert agent.stop() == 0
    assert look() == set()
    # And the key is not among them.
    key = (agent.dir / "store.key").read_text().split()[1]
    assert (agent.dir / "store.key").stat().st_mode & 0o7777 == 0o600
    for path in agent.dir.glob("store.db*"):
        assert key.encode() not in path.read_bytes()


@pytest.mark.parametrize("how", ["missing", "other"])
def test_without_its_key(rig, how):
    """The store cannot be read: a new one begins, and the old one is kept for
    who finds the key."""
    host, *_ = begin(rig)
    before = assets(rig)
    agent = rig.agent
    assert agent.stop() == 0
    key = agent.dir / "store.key"
    kept = key.read_text()
    if how == "missing":
        key.unlink()
    else:
        write_secret(key, "platen-store-1 " + "A" * 43 + "=\n")
    agent.start().wait_log("sealed with another key", 20)
    agent.wait_online()
    want = prints(rig, host)
    wait_for(lambda: total(rig, host) == want, 40, "it goes on", 0.2)
    drained(agent)
    assert assets(rig) == before
    if how == "missing":
        assert key.read_text() != kept
    assert len(aside(agent)) == 1


def test_key_that_is_open_to_others(rig):
    begin(rig, 1)
    agent = rig.agent
    assert agent.stop() == 0
    key = agent.dir / "store.key"
    key.chmod(0o644)
    agent.start()
    assert agent.proc.wait(20) == 1
    assert "chmod 600" in agent.log()
    done = agent.tool("status", check=False)
    assert done.returncode == 1 and "chmod 600" in done.stderr
    key.chmod(0o600)
    agent.start().wait_online()
    assert aside(agent) == []


def test_key_elsewhere(rig):
    """[agent] store_key_file, and a credential of systemd before it."""
    key = rig.dir / "elsewhere.key"
    begin(rig, 1, agent={"store_key_file": key})
    agent = rig.agent
    assert key.read_text().startswith("platen-store-1 ")
    assert not (agent.dir / "store.key").exists()
    assert agent.tool("status")
    assert agent.tool("rekey")
    assert agent.stop() == 0
    given = rig.dir / "credentials"
    given.mkdir()
    shutil.move(key, given / "platen-store.key")
    agent.more = {}
    agent.write(**QUICK)
    with mock.patch.dict(os.environ, CREDENTIALS_DIRECTORY=str(given)):
        agent.start().wait_online()
        assert agent.tool("status")
    assert aside(agent) == []
    done = agent.tool("status", check=False)
    assert done.returncode == 1 and "store_key_file" in done.stderr


# --- no room, no writing, no haste ---------------------------------------------

class Disk:
    """A small disk of its own under the agent's state directory."""

    def __init__(self, where, size="3m"):
        where.mkdir(mode=0o700, exist_ok=True)
        self.where, self.ballast = where, where / "ballast"
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=700",
                        "tmpfs", where], check=True)

    def fill(self):
        with contextlib.suppress(OSError), open(self.ballast, "wb",
                                                buffering=0) as f:
            while True:
                f.write(b"x" * 4096)

    def clear(self):
        self.ballast.unlink(missing_ok=True)

    def read_only(self, on):
        """Nobody may have a file open to write: who was killed is gone soon."""
        words = ["mount", "-o", f"remount,{'ro' if on else 'rw'}", self.where]
        wait_for(lambda: subprocess.run(words).returncode == 0, 10,
                 "it is mounted so", 0.05)

    def unmount(self):
        subprocess.run(["umount", "-l", self.where], check=True)


@pytest.fixture
def disk(rig):
    made = Disk(rig.agent.dir)
    yield made
    rig.agent.kill9()
    made.unmount()


def shows(rig, text):
    """What the centre's list of agents says of it."""
    agent, = rig.central.json("agents")
    return agent["status"] is not None and text in agent["status"]


def come_and_go(rig, host, text):
    """A jam that is over before the disk is well."""
    index = jam(rig, host, text)
    rig.sim.send("reset")
    wait_for(lambda: rig.sim.send("stats", host)["requests"] > 6, 20,
             "it is read", 0.1)
    rig.sim.send("alert", host, "clear", index)
    rig.sim.send("reset")
    wait_for(lambda: rig.sim.send("stats", host)["requests"] > 6, 20,
             "it is read", 0.1)


def use_up(rig, hosts, agent):
    """Until a commit finds no room: the log of the store is used anew, so
    that takes some."""
    while not lines(agent, "the store's disk is full"):
        for host in hosts:
            rig.sim.send("print", host, 1)
            rig.sim.send("level", host, 1, random.randint(20, 90))
        time.sleep(0.3)


@needs_root
def test_full_disk(rig, disk):
    hosts = begin(rig)
    agent, before = rig.agent, assets(rig)
    disk.fill()
    use_up(rig, hosts, agent)
    rig.sim.send("reset")
    index = jam(rig, hosts[0], "While it was full")
    come_and_go(rig, hosts[1], "Came and went")
    wants = {host: prints(rig, host) for host in hosts}
    wait_for(lambda: shows(rig, "the store's disk is full"), 30,
             "the centre shows it", 0.2)
    assert "the store's disk is full" in rig.central.tool("agents")
    assert agent.json("status")["store"]["disk"]
    time.sleep(10)
    # Read on, said once, and no session was ended for it.
    for host in hosts:
        assert rig.sim.send("stats", host)["requests"] > 10
    assert len(lines(agent, "the store's disk is full")) == 1
    assert len(agent.log().splitlines()) < 200
    assert not lines(agent, "no session")
    assert not lines(agent, "unreachable")
    disk.clear()
    agent.wait_log("the store's disk is well again", 60)
    wait_for(lambda: not shows(rig, ""), 30, "the centre shows no more", 0.2)
    for host in hosts:
        wait_for(lambda: total(rig, host) == wants[host], 40, "it is told",
                 0.2)
    wait_for(lambda: jams(rig, "While it was full") == [False], 20, "the jam",
             0.2)
    wait_for(lambda: jams(rig, "Came and went") == [True], 20, "it is told",
             0.2)
    rig.sim.send("alert", hosts[0], "clear", index)
    wait_for(lambda: jams(rig, "While it was full") == [True], 20, "its end",
             0.2)
    drained(agent)
    assert assets(rig) == before
    assert aside(agent) == []


@needs_root
@pytest.mark.parametrize("end", ["stopped", "killed"])
@pytest.mark.parametrize("how,said", [
    ("full", "the store's disk is full"),
    ("read-only", "the store cannot be written"),
])
def test_bad_disk_at_the_start(rig, disk, how, said, end):
    """An agent that starts on it reads its printers and says so."""
    hosts = begin(rig)
    agent, before = rig.agent, assets(rig)
    assert agent.stop() == 0 if end == "stopped" else agent.kill9() is None
    if how == "full":
        disk.fill()
    else:
        disk.read_only(True)
    agent.start()
    if how == "full":
        use_up(rig, hosts, agent)
    agent.wait_log(said, 20)
    wait_for(lambda: shows(rig, said), 30, "the centre shows it", 0.2)
    rig.sim.send("reset")
    jam(rig, hosts[0], "While it was bad")
    come_and_go(rig, hosts[1], "Came and went")
    wants = {host: prints(rig, host) for host in hosts}
    rig.sim.send("reset")
    time.sleep(8)
    for host in hosts:
        assert rig.sim.send("stats", host)["requests"] > 10
    assert len(lines(agent, said)) == 1
    assert len(agent.log().splitlines()) < 200
    assert not lines(agent, "no session")
    assert aside(agent) == []
    if how == "full":
        disk.clear()
    else:
        disk.read_only(False)
    agent.wait_log("the store's disk is well again", 60)
    wait_for(lambda: not shows(rig, ""), 30, "the centre shows no more", 0.2)
    for host in hosts:
        wait_for(lambda: total(rig, host) == wants[host], 40, "it is told",
                 0.2)
    wait_for(lambda: jams(rig, "While it was bad") == [False], 20, "the jam",
             0.2)
    wait_for(lambda: jams(rig, "Came and went") == [True], 20, "it is told",
             0.2)
    drained(agent)
    assert assets(rig) == before
    assert aside(agent) == []


@needs_root
def test_stopped_on_a_read_only_disk(rig, disk):
    """What it held is lost, which is said; how all stands is told later."""
    hosts = begin(rig)
    agent, before = rig.agent, assets(rig)
    assert agent.stop() == 0
    disk.read_only(True)
    agent.start().wait_online()
    want = prints(rig, hosts[0])
    rig.sim.send("reset")
    wait_for(lambda: rig.sim.send("stats", hosts[0])["requests"] > 10, 30,
             "it is read", 0.1)
    assert agent.stop() == 0
    assert re.search(r"[0-9]+ changes that the store's disk did not take are "
                     "lost", agent.log())
    disk.read_only(False)
    agent.start().wait_online()
    wait_for(lambda: total(rig, hosts[0]) == want, 40, "it is told", 0.2)
    drained(agent)
    assert assets(rig) == before


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    out = tmp_path_factory.mktemp("baddisk") / "baddisk.so"
    source = pathlib.Path(__file__).with_name("baddisk.c")
    subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", out, source,
                    "-ldl"], check=True)
    return out


class Shim:
    """platend with a disk that does as it is told."""

    def __init__(self, rig, so):
        self.file = rig.dir / "baddisk"
        self.so = so
        self.say("")

    def say(self, mood):
        self.file.write_text(mood)

    def __enter__(self):
        # It is not the first library, should there be sanitizers.
        options = os.environ.get("ASAN_OPTIONS", "")
        self.env = mock.patch.dict(os.environ, {
            "LD_PRELOAD": str(self.so), "BADDISK": str(self.file),
            "ASAN_OPTIONS": f"{options}:verify_asan_link_order=0"})
        self.env.start()

    def __exit__(self, *_):
        self.env.stop()


@pytest.mark.parametrize("mood,said", [
    ("eio", "the store's disk fails"),
    ("enospc", "the store's disk is full"),
    ("erofs", "the store"),
])
def test_disk_refuses(rig, shim, mood, said):
    disk = Shim(rig, shim)
    hosts = begin(rig)
    agent, before = rig.agent, assets(rig)
    assert agent.stop() == 0
    with disk:
        agent.start()
    agent.wait_online()
    want = prints(rig, hosts[0])
    wait_for(lambda: total(rig, hosts[0]) == want, 30, "it works", 0.2)
    disk.say(mood)
    rig.sim.send("reset")
    wants = {host: prints(rig, host) for host in hosts}
    jam(rig, hosts[1], "Refused")
    agent.wait_log(said, 20)
    come_and_go(rig, hosts[2], "Came and went")
    rig.sim.send("reset")
    time.sleep(8)
    for host in hosts:
        assert rig.sim.send("stats", host)["requests"] > 10
    assert len(lines(agent, "printers are read on")) == 1
    assert not lines(agent, "no session")
    disk.say("")
    agent.wait_log("the store's disk is well again", 60)
    for host in hosts:
        wait_for(lambda: total(rig, host) == wants[host], 40, "it is told",
                 0.2)
    wait_for(lambda: jams(rig, "Refused") == [False], 20, "the jam", 0.2)
    wait_for(lambda: jams(rig, "Came and went") == [True], 20, "it is told",
             0.2)
    drained(agent)
    assert assets(rig) == before
    assert aside(agent) == []


def test_slow_disk(rig, shim):
    """Syncs of seconds: everything arrives, nobody is called unreachable."""
    disk = Shim(rig, shim)
    hosts = begin(rig, 6)
    agent = rig.agent
    assert agent.stop() == 0
    with disk:
        agent.start()
    agent.wait_online()
    drained(agent)
    disk.say("slow 2500")
    rig.sim.send("reset")
    for _ in range(5):
        wants = {host: prints(rig, host) for host in hosts}
        time.sleep(3)
    agent.wait_log("the store's disk is slow: a commit took [0-9]+ ms", 20)
    for host in hosts:
        wait_for(lambda: total(rig, host) == wants[host], 60, "it is told",
                 0.2)
        assert rig.sim.send("stats", host)["requests"] >= 5
    assert len(lines(agent, "is slow")) == 1
    assert not lines(agent, "unreachable")
    assert not lines(agent, "no session")
    assert {state for _, state in assets(rig).values()} <= {"online",
                                                           "asleep"}
    disk.say("")
