"""Promise: a notification from a printer that is known (v1, v2c, v3; trap or
inform) makes the agent look at that printer at once, long before the
heartbeat, and is never the record: without a row in the table there is no
alert.  Informs are answered.  Strangers, garbage, wrong keys and floods are
counted and change nothing.  Senders are net-snmp's snmptrap and snmpinform."""
import socket
import subprocess
import time

import pytest
from rig import PATIENCE, wait_for, write_secret

HOST = "127.10.40.1"
SERIAL = "VNB3K04418"              # of @hp-mono
QUIET = "127.10.40.2"
STRANGER = "127.10.40.77"
ALERT = "1.3.6.1.2.1.43.18.2.0.1"
COLD_START = "1.3.6.1.6.3.1.1.5.1"
VENDOR = "1.3.6.1.4.1.2435.2.3.9.0.7"
# What prtAlertTrap carries, RFC 3805.
ROW = "1.3.6.1.2.1.43.18.1.1"
VARBINDS = [f"{ROW}.1.1.1", "i", "1", f"{ROW}.2.1.1", "i", "3",
            f"{ROW}.4.1.1", "i", "8", f"{ROW}.5.1.1", "i", "1",
            f"{ROW}.6.1.1", "i", "-2", f"{ROW}.7.1.1", "i", "808"]
ENGINE = "0x80001f8804706c6174656e"
USERS = {
    "trapper": ("SHA", "secret-auth-1", "AES", "secret-priv-1"),
    "plain": (None, None, None, None),
}


class Listening:
    def __init__(self, rig):
        self.rig = rig
        self.port = rig.ports.take()
        rig.server.start()
        rig.sim.start([f"{HOST}=@hp-mono", f"{QUIET}=@brother"])
        rig.central.init()
        rig.central.start()
        for word in ("auth", "priv"):
            write_secret(rig.dir / word, f"secret-{word}-1\n")
        rig.agent.enrol()
        rig.agent.more = {
            "traps": {"listen": f"127.0.0.1:{self.port}"},
            "snmp v3": {"version": "3", "user": "trapper", "auth": "sha1",
                        "auth_password_file": rig.dir / "auth",
                        "privacy": "aes128",
                        "privacy_password_file": rig.dir / "priv",
                        "port": rig.sim.port, "networks": STRANGER},
            "snmp v3plain": {"version": "3", "user": "plain",
                             "port": rig.sim.port, "networks": STRANGER},
        }
        rig.agent.write(heartbeat="1h", supplies="1h", counters="1h",
                        assets="1d")
        rig.agent.start().wait_online()
        wait_for(lambda: len(rig.central.json("devices")) == 2, 20,
                 "the printers", 0.1)

    def send(self, *args, source=HOST, program="snmptrap", check=True,
             timeout=10):
        done = subprocess.run(
            [program, *args], stdin=subprocess.DEVNULL, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            timeout=timeout * PATIENCE, env={
                "PATH": "/usr/bin:/bin", "MIBS": "", "SNMPCONFPATH": "/none",
                "SNMP_PERSISTENT_DIR": str(self.rig.dir)})
        if check and done.returncode != 0:
            raise AssertionError(done.stdout)
        return done

    def to(self, source=HOST):
        return [f"--clientAddr={source}", f"127.0.0.1:{self.port}"]

    def v1(self, source=HOST, generic=6, specific=1):
        self.send("-v1", "-c", "any", *self.to(source), ALERT[:-4], source,
                  str(generic), str(specific), "", *VARBINDS)

    def v2c(self, source=HOST, oid=ALERT, community="any"):
        self.send("-v2c", "-c", community, *self.to(source), "", oid,
                  *VARBINDS)

    def v3(self, *more, source=HOST, user="trapper", auth="secret-auth-1",
           priv="secret-priv-1", level="authPriv", **how):
        keys = [] if level == "noAuthNoPriv" else [
            "-a", "SHA", "-A", auth, "-x", "AES", "-X", priv]
        return self.send("-v3", *more, "-l", level, "-u", user, *keys,
                         *self.to(source), "", ALERT, *VARBINDS, **how)

    def count(self):
        return self.rig.agent.json("status")["traps"]

    def wait_count(self, **wanted):
        """Written to the store every five seconds."""
        return wait_for(lambda: all(self.count()[k] >= v for k, v in
                        wanted.items()) and self.count(), 20, str(wanted),
                        0.2)

    def requests(self, host=HOST):
        return self.rig.sim.send("stats", host)["requests"]

    def wait_look(self, before, host=HOST):
        wait_for(lambda: self.requests(host) > before, 10, "a look", 0.05)

    def jam(self, host=HOST):
        return self.rig.sim.raise_alert(host, code=8, severity=3, group=13,
                                        index=1, text="Jam")

    def alerts(self):
        return self.rig.central.json("alerts", "--asset", SERIAL)

    def wait_alert(self):
        return wait_for(self.alerts, 10, "the alert", 0.05)

    def settle(self):
        """So that a wake is not one with another's."""
        time.sleep(2.5)


@pytest.fixture(scope="module")
def shared(module_rig):
    return Listening(module_rig)


@pytest.fixture
def traps(shared):
    return shared


@pytest.fixture
def settled(shared):
    shared.settle()
    return shared


def notify(traps, how):
    if how == "v1":
        traps.v1()
    elif how == "v2c":
        traps.v2c()
    elif how == "v2c inform":
        traps.send("-v2c", "-c", "any", "-Ci", "-r", "0", *traps.to(), "",
                   ALERT, *VARBINDS)
    elif how == "v3":
        traps.v3("-e", ENGINE)
    elif how == "v3 noAuth":
        traps.v3("-e", ENGINE, user="plain", level="noAuthNoPriv")
    elif how == "v3 inform":
        traps.v3("-Ci", "-r", "1", "-t", "2")


WAYS = ["v1", "v2c", "v2c inform", "v3", "v3 noAuth", "v3 inform"]


@pytest.mark.parametrize("how", WAYS)
def test_alert_to_row_at_the_centre(traps, how):
    """With a heartbeat of an hour; informs end only when answered."""
    rig = traps.rig
    index = traps.jam()
    start = time.monotonic()
    notify(traps, how)
    alert, = traps.wait_alert()
    assert time.monotonic() - start < 8 * PATIENCE
    assert alert["code"] == 8 and alert["source"] == "row"
    assert alert["description"] == "Jam"
    rig.sim.send("alert", HOST, "clear", index)
    notify(traps, how)
    wait_for(lambda: not traps.alerts(), 10, "its end", 0.05)


@pytest.mark.parametrize("oid", [COLD_START, VENDOR, ALERT])
def test_any_notification_wakes_and_none_is_the_record(traps, settled, oid):
    """No row in the table: no alert, whatever the trap carries."""
    before, quiet = traps.requests(), traps.requests(QUIET)
    traps.v2c(oid=oid)
    traps.wait_look(before)
    time.sleep(1)
    assert traps.alerts() == []
    assert traps.requests(QUIET) == quiet


def test_v1_generic_traps(traps, settled):
    before = traps.requests()
    traps.v1(generic=0, specific=0)
    traps.wait_look(before)


def test_strangers_are_ignored(traps, settled):
    before = traps.requests(), traps.requests(QUIET)
    unknown = traps.count()["unknown"]
    for _ in range(3):
        traps.v2c(source=STRANGER)
        traps.v1(source=STRANGER)
        traps.v3("-e", ENGINE, source=STRANGER)
    count = traps.wait_count(unknown=unknown + 9)
    assert count["unknown"] == unknown + 9
    # An inform of a stranger is not answered either.
    done = traps.send("-v2c", "-c", "any", "-Ci", "-r", "0", "-t", "1",
                      *traps.to(STRANGER), "", ALERT, check=False)
    assert done.returncode != 0
    assert (traps.requests(), traps.requests(QUIET)) == before
    assert traps.rig.agent.log().count(STRANGER) == 1


def test_wrong_keys_are_refused(traps, settled):
    before, refused = traps.requests(), traps.count()["refused"]
    traps.v3("-e", ENGINE, auth="wrong-wrong-1")
    traps.v3("-e", ENGINE, priv="wrong-wrong-1")
    traps.v3("-e", ENGINE, user="nobody")
    traps.v3("-e", ENGINE, level="authNoPriv", user="plain")
    done = traps.v3("-Ci", "-r", "0", "-t", "1", auth="wrong-wrong-1",
                    check=False)
    assert done.returncode != 0
    traps.wait_count(refused=refused + 5)
    assert traps.requests() == before
    for secret in ("secret-auth-1", "secret-priv-1", "wrong-wrong-1"):
        assert secret not in traps.rig.agent.log()


def test_a_community_is_not_a_secret_here(traps, settled):
    before = traps.requests()
    traps.v2c(community="somebody-elses")
    traps.wait_look(before)
    assert "somebody-elses" not in traps.rig.agent.log()


def captured(traps):
    """The octets that snmptrap sends."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
        sink.bind(("127.0.0.1", 0))
        sink.settimeout(10 * PATIENCE)
        traps.send("-v2c", "-c", "any", f"127.0.0.1:{sink.getsockname()[1]}",
                   "", ALERT, *VARBINDS)
        return sink.recv(2000)


def garbage(trap):
    yield b""
    yield b"\x00" * 40
    yield b"\x30\x84\xff\xff\xff\xff" + b"\x00" * 60
    yield b"\x30\x80" * 700
    yield b"A" * 9000
    yield b"A" * 60000
    for cut in range(1, len(trap)):
        yield trap[:cut]
    for at in range(len(trap)):
        yield trap[:at] + bytes([trap[at] ^ 0x81]) + trap[at + 1:]


def test_garbage_is_nothing(traps):
    pids = traps.rig.agent.pids()
    received = traps.count()["received"]
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    out.bind((HOST, 0))
    sent = 0
    for datagram in garbage(captured(traps)):
        out.sendto(datagram, ("127.0.0.1", traps.port))
        sent += 1
        time.sleep(0.002)       # the system's buffer is not the test
    traps.wait_count(received=received + sent)
    assert traps.rig.agent.pids() == pids
    traps.settle()
    before = traps.requests()
    traps.v2c()
    traps.wait_look(before)


def test_a_flood_costs_nothing(traps, settled):
    """As many as the system sends, for two seconds, from a printer and from
    a stranger: looks are few, the processor is idle, and afterwards
    everything is as before."""
    pid = traps.rig.agent.pids()["collector"]
    before = traps.requests()
    spent = cpu_s(pid)
    trap = captured(traps)
    senders = []
    for source in (HOST, STRANGER):
        out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        out.bind((source, 0))
        senders.append(out)
    end, sent = time.monotonic() + 2, 0
    while time.monotonic() < end:
        for out in senders:
            out.sendto(trap, ("127.0.0.1", traps.port))
            sent += 1
    assert sent > 5000
    # A thousand a second are looked at, each some ten microseconds.
    assert cpu_s(pid) - spent < 0.5 * PATIENCE
    traps.settle()
    looks = traps.requests() - before
    assert 1 <= looks < 40
    traps.settle()
    before = traps.requests()
    traps.v2c()
    traps.wait_look(before)


def cpu_s(pid):
    with open(f"/proc/{pid}/stat") as stat:
        words = stat.read().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / 100


def test_informs_go_on_after_a_restart(traps):
    """The engine stays the same, its boots grow; nothing is sent twice."""
    rig = traps.rig
    traps.v3("-Ci", "-r", "1", "-t", "2")
    db = rig.agent.database()
    notes = "SELECT value FROM note WHERE key = ?"
    engine, boots = (db.execute(notes, (k,)).fetchone()[0]
                     for k in ("engine_id", "engine_boots"))
    db.close()
    rig.agent.stop()
    rig.agent.start().wait_online()
    wait_for(lambda: rig.agent.json("status")["traps"], 10, "the listener")
    db = rig.agent.database()
    assert db.execute(notes, ("engine_id",)).fetchone()[0] == engine
    assert int(db.execute(notes, ("engine_boots",)).fetchone()[0]) \
        == int(boots) + 1
    db.close()
    traps.v3("-Ci", "-r", "1", "-t", "2")


def test_off_by_default_and_no_reason_to_stop(rig):
    """Nobody listens unless told to; an address that cannot be had is said,
    and printers are watched all the same."""
    rig.server.start()
    rig.sim.start([f"{HOST}=@hp-mono"])
    rig.central.init()
    rig.central.start()
    rig.agent.enrol().write()
    rig.agent.start().wait_online()
    assert rig.agent.json("status")["traps"] is None
    rig.agent.stop()
    taken = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    taken.bind(("127.0.0.1", 0))
    port = taken.getsockname()[1]
    rig.agent.more = {"traps": {"listen": f"127.0.0.1:{port}"}}
    rig.agent.write().start().wait_online()
    rig.agent.wait_log(rf"cannot listen on 127.0.0.1:{port}")
    wait_for(lambda: rig.central.json("devices"), 20, "the printer", 0.1)
