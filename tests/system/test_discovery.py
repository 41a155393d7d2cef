"""Promise: discovery finds every printer of the configured networks and asks
nobody else, each address once in a pass and never faster than allowed; silence
is asked once more; what answered and is no printer, or keeps its printer's
secrets, is listed with the reason; a scan survives kill -9, can be begun by
hand and shows how far it is; a printer that moved stays the same one."""
import collections
import contextlib
import ipaddress
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

import pytest
from rig import PATIENCE, program, run_program, wait_for, write_secret

KEY = "D6poTtKIZ7l/Smot7l34zpdOdrcBjj8iocTPJnhXDyA="

Heard = collections.namedtuple("Heard", "time address version")


TIMESTAMPNS = 35        # SO_TIMESTAMPNS of socket(7)


class Ear:
    """Hears everything that is sent to one port of any address of this
    machine, 127.0.0.0/8 included, and says nothing."""

    def __init__(self, port):
        self.heard = []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.IPPROTO_IP, 8, 1)     # IP_PKTINFO
        self.socket.setsockopt(socket.SOL_SOCKET, TIMESTAMPNS, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.socket.bind(("0.0.0.0", port))

    def start(self):
        self.thread = threading.Thread(target=self.listen, daemon=True)
        self.thread.start()
        return self

    def listen(self):
        while True:
            try:
                packet, more, _, _ = self.socket.recvmsg(2048, 256)
            except OSError:
                return
            if not packet:
                return
            # When it came, not when we got round to it.
            seconds, nanoseconds = next(
                struct.unpack("@qq", info) for level, kind, info in more
                if (level, kind) == (socket.SOL_SOCKET, TIMESTAMPNS))
            for level, kind, info in more:
                if (level, kind) == (socket.IPPROTO_IP, 8):
                    to = socket.inet_ntoa(struct.unpack("I4s4s", info)[2])
                    # SEQUENCE, length, INTEGER, 1, version.
                    at = 2 + (packet[1] & 0x7f if packet[1] & 0x80 else 0)
                    self.heard.append(Heard(seconds + nanoseconds / 1e9, to, {
                        0: 1, 1: 2, 3: 3}[packet[at + 2]]))

    def stop(self):
        with contextlib.suppress(OSError):
            waker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            waker.sendto(b"", ("127.0.0.1", self.socket.getsockname()[1]))
            waker.close()
        self.thread.join(5)
        self.socket.close()

    kill9 = stop
    name = "ear"

    def tail(self):
        return ""

    def times(self, version=None):
        """{address: how often}."""
        return collections.Counter(h.address for h in self.heard
                                   if version in (None, h.version))


def lonely(rig, networks, snmp=None, hosts=(), **discovery):
    """An agent without a centre to speak to."""
    agent = rig.agent
    agent.jid = "agent@example.test"
    agent.snippet = {"crypto": {"central_key": KEY}}
    write_secret(rig.dir / f"{agent.name}.password", "secret\n")
    agent.networks, agent.hosts = networks, list(hosts)
    agent.more = {"discovery": discovery,
                  "snmp public": {"timeout": "1s", "retries": 0,
                                  **(snmp or {})}}
    agent.write()
    return agent


def scan(agent):
    try:
        return agent.json("status")["scan"]
    except AssertionError:
        return {"running": None, "finished": None, "done": 0, "found": 0}


def printers(agent):
    """{ip: printer}; nothing while there is no store."""
    try:
        return {d["ip"]: d for d in agent.json("devices") if d["printer"]}
    except AssertionError:
        return {}


def finished(agent, timeout=30, after=None):
    def look():
        now = scan(agent)
        return now["running"] is False and now["finished"] and \
            now["finished"] != after and now
    return wait_for(look, timeout, "the scan is over", 0.1)


def hosts_of(*ranges):
    found = set()
    for first, last in ranges:
        first, last = (int(ipaddress.ip_address(a)) for a in (first, last))
        found |= {str(ipaddress.ip_address(a)) for a in
                  range(first, last + 1)}
    return found


# --- who is asked ---------------------------------------------------------

def test_ranges_overlap_and_exclude(rig):
    """Each address twice, however often the INI names it."""
    ear = rig.peer(Ear, rig.sim.port)
    agent = lonely(rig, ["127.40.0.0/28", "127.40.0.10-20", "127.40.0.8/29",
                         "127.40.7.1", "127.40.8.254-127.40.9.2"],
                   exclude=["127.40.0.3", "127.40.0.12-13"])
    agent.start()
    done = finished(agent)
    want = hosts_of(("127.40.0.1", "127.40.0.20"), ("127.40.7.1",) * 2,
                    ("127.40.8.254", "127.40.9.2"))
    want -= {"127.40.0.3", "127.40.0.12", "127.40.0.13"}
    assert ear.times() == {a: 2 for a in want}
    assert done["done"] == len(want) and done["left"] == 0
    assert done["found"] == 0 and done["others"] == 0
    assert done["seconds_left"] is None


def test_credentials_are_tried_in_order(rig):
    """A section without version is v2c, and v1 in the second pass."""
    ear = rig.peer(Ear, rig.sim.port)
    agent = lonely(rig, ["127.40.0.1-2"], {"version": None})
    agent.more["snmp old"] = {"version": "1", "community": "old",
                              "port": rig.sim.port, "timeout": "300ms",
                              "networks": "127.40.0.2"}
    agent.write().start()
    finished(agent)
    said = {a: [h.version for h in ear.heard if h.address == a]
            for a in ("127.40.0.1", "127.40.0.2")}
    assert said == {"127.40.0.1": [2, 2, 1], "127.40.0.2": [2, 1, 2, 1, 1]}


def test_rate(rig):
    """Smooth, and never more than allowed."""
    rate = 400
    ear = rig.peer(Ear, rig.sim.port)
    agent = lonely(rig, ["127.41.0.0/23"], rate=rate)
    agent.start()
    finished(agent)
    times = [h.time for h in ear.heard]
    assert len(times) == 2 * 510
    for window in (1.0, 0.2):
        most = max(sum(t <= u < t + window for u in times) for t in times)
        assert most <= rate * window * 1.1 + rate / 20 + 1, (window, most)
    half = times[:510]
    took = half[-1] - half[0]
    assert took < 510 / rate * 1.3 * PATIENCE + 0.3


# --- what is found --------------------------------------------------------

def test_found_listed_and_remembered(rig):
    """Printers, a stranger with its reason, one that keeps its secrets."""
    plain = rig.dir / "plain.snmprec"
    plain.write_text("1.3.6.1.2.1.1.1.0|4|Ubuntu Linux\n"
                     "1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.8072.3.2.10\n"
                     "1.3.6.1.2.1.1.3.0|67|1000\n"
                     "1.3.6.1.2.1.1.5.0|4|server\n")
    rig.sim.start(["127.42.0.1=@hp-mono", "127.42.0.2=@xerox",
                   f"127.42.0.9={plain}",
                   "127.42.0.30=@hp-mono,community=hidden",
                   "127.42.1.30=@hp-mono,community=hidden"],
                  user="someone:sha1:password-1:aes128:password-2")
    agent = lonely(rig, ["127.42.0.0/23"])
    agent.start()
    done = finished(agent)
    assert (done["found"], done["new"]) == (2, 2)

    def listed():
        return {d["host"].split(":")[0]: d["reason"] for d in
                agent.json("devices", "--all") if not d["printer"]}
    wait_for(lambda: "127.42.0.30" in listed(), 10, "the third look")
    assert "printer" in listed()["127.42.0.9"]
    assert re.search(r"SNMPv3 \(HP\).*none of the credentials fits",
                     listed()["127.42.0.30"])
    # Where nobody answers nobody is asked a third time.
    time.sleep(1)
    assert set(listed()) == {"127.42.0.9", "127.42.0.30"}
    assert wait_for(lambda: scan(agent)["others"] == 2, 5)
    assert set(printers(agent)) == {"127.42.0.1", "127.42.0.2"}
    agent.stop()
    assert set(listed()) == {"127.42.0.9", "127.42.0.30"}
    # What does not answer any more is forgotten after the next scan.
    rig.sim.send("remove 127.42.0.9")
    agent.start()
    finished(agent, after=done["finished"])
    wait_for(lambda: set(listed()) == {"127.42.0.30"}, 10)


def secure(rig, name, password, **more):
    """A section [snmp NAME] for the simulated user."""
    files = {}
    for key, text in ("auth", password), ("privacy", "password-2"):
        path = rig.dir / f"{name}.{key}"
        write_secret(path, text + "\n")
        files[f"{key}_password_file"] = path
    return {"version": "3", "user": "someone", "auth": "sha1",
            "privacy": "aes128", "port": rig.sim.port, "timeout": "300ms",
            "retries": 0, **files, **more}


def test_wrong_credentials_never_stop_the_search(rig):
    """v3 with a wrong password, with a right one, v2c: each printer is found
    with what fits, and one that nothing fits is listed with the reason."""
    rig.sim.start(["127.42.5.1=@hp-mono,community=hidden",
                   "127.42.5.2=@xerox", "127.42.6.1=@kyocera,community=x"],
                  user="someone:sha1:password-1:aes128:password-2")
    agent = lonely(rig, ["127.42.5.0/24", "127.42.6.0/28"])
    agent.more["snmp wrong"] = secure(rig, "wrong", "password-9")
    agent.more["snmp right"] = secure(rig, "right", "password-1",
                                      networks="127.42.5.0/24")
    agent.more["snmp more"] = {"version": "2c", "community": "strange",
                               "port": rig.sim.port, "timeout": "300ms"}
    agent.write().start()
    done = finished(agent)
    assert set(printers(agent)) == {"127.42.5.1", "127.42.5.2"}
    assert (done["found"], done["others"]) == (2, 1)
    listed = wait_for(lambda: [d for d in agent.json("devices", "--all")
                               if not d["printer"]], 10)
    assert [d["host"].split(":")[0] for d in listed] == ["127.42.6.1"]
    assert re.search(r"password|credentials", listed[0]["reason"])
    assert "password-" not in agent.log()


def test_strangers_are_asked_once_a_scan(rig):
    plain = rig.dir / "plain.snmprec"
    plain.write_text("1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.8072.3.2.10\n")
    rig.sim.start([f"127.42.2.9={plain}"])
    agent = lonely(rig, ["127.42.2.0/28"])
    agent.start()
    done = finished(agent)
    assert done["others"] == 1
    first = rig.sim.send("stats 127.42.2.9")["requests"]
    agent.tool("scan")
    both = rig.sim.send("stats 127.42.2.9")["requests"]
    assert first < both <= 2 * first
    # It has answered each: so it stays in the list, with its reason.
    for _ in range(2):
        listed = [d for d in agent.json("devices", "--all")
                  if not d["printer"]]
        assert [d["host"].split(":")[0] for d in listed] == ["127.42.2.9"]
        assert "printer" in listed[0]["reason"]
        assert wait_for(lambda: scan(agent)["others"] == 1, 5)
        agent.restart()
        agent.wait_log("files about makers")
        agent.tool("scan")
    # Once it does not, it is none, and is not counted.
    rig.sim.send("remove 127.42.2.9")
    agent.tool("scan")
    assert not agent.json("devices", "--all")


def test_silence_is_asked_again(rig):
    """One that misses the first pass is found by the second."""
    rig.sim.start(["127.42.3.1=@hp-mono", "127.42.3.2=@xerox"])
    rig.sim.send("silent 127.42.3.2 on")
    agent = lonely(rig, ["127.42.3.0/28"], {"timeout": "5s"})
    agent.start()
    wait_for(lambda: scan(agent)["found"] == 1, 10, "the first")
    assert scan(agent)["pass"] == 1
    rig.sim.send("silent 127.42.3.2 off")
    assert finished(agent)["found"] == 2


def test_lossy_network(rig):
    """A third of the answers is lost; what the first scan misses the next
    ones find."""
    rig.sim.start(fleet=20, base="127.42.4.1")
    for host in rig.sim.hosts():
        rig.sim.send(f"lose {host} 33")
    agent = lonely(rig, ["127.42.4.0/26"], {"retries": 4}, interval="3s")
    agent.start()
    wait_for(lambda: scan(agent)["found"] == 20, 40, "all of them", 0.2)


def test_who_answers_from_elsewhere(rig):
    """A print server that answers from its other address is found."""
    rig.sim.start(["127.42.7.1=@hp-mono"])
    rig.sim.send("wrongsource 127.42.7.1 on")
    agent = lonely(rig, ["127.42.7.0/28"])
    agent.start()
    finished(agent)
    wait_for(lambda: set(printers(agent)) == {"127.42.7.1"}, 10)


# --- moves ----------------------------------------------------------------

def test_moves_while_the_agent_is_away(rig):
    """Known printers are asked first, so that a move is a move and a swap is
    a swap, and neither makes a new asset."""
    rig.sim.start(["127.43.0.1=@hp-mono,serial=AAA111AAA",
                   "127.43.0.2=@xerox,serial=BBB222BBB",
                   "127.43.0.3=@kyocera,serial=CCC333CCC"])
    agent = lonely(rig, ["127.43.0.0/27"], interval="5s")
    agent.start()
    finished(agent)

    def assets():
        return {d["serial"]: (d["id"], d["ip"]) for d in
                printers(agent).values()}
    wait_for(lambda: len(assets()) == 3, 10)
    before = assets()
    agent.stop()
    rig.sim.send("move 127.43.0.1 127.43.0.20")
    rig.sim.send("swap 127.43.0.2 127.43.0.3")
    agent.start()

    def moved():
        now = assets()
        return now if [now[s][1] for s in sorted(now)] == [
            "127.43.0.20", "127.43.0.3", "127.43.0.2"] else None
    after = wait_for(moved, 40, "all three have moved", 0.2)
    assert {s: a[0] for s, a in after.items()} == \
        {s: a[0] for s, a in before.items()}


# --- going on -------------------------------------------------------------

def test_goes_on_after_kill_9(rig):
    ear = rig.peer(Ear, rig.sim.port)
    agent = lonely(rig, ["127.44.0.0/22"], rate=120)
    agent.start()
    wait_for(lambda: scan(agent)["done"] > 250, 20, "a part is done", 0.1)
    agent.kill9()
    was = scan(agent)
    assert was["running"] is False
    heard = len(ear.heard)
    assert heard < 1022
    assert "interrupted" in agent.tool("status")
    agent.start()
    agent.wait_log("going on with the scan")
    done = finished(agent, 40)
    assert done["started"] == was["started"] and done["done"] == 1022
    # A chunk of 256 and what two seconds bring is all that came again.
    again = [h.address for h in ear.heard[heard:heard + 100]]
    skipped = int(ipaddress.ip_address(again[0])) - \
        int(ipaddress.ip_address("127.44.0.1"))
    assert skipped >= 256
    times = ear.times()
    assert len(times) == 1022 and set(times.values()) <= {2, 3}
    assert sum(n == 3 for n in times.values()) <= 256 + 2 * 250 + 50


def test_counts_are_right_after_going_on(rig):
    """Printers that were found before the restart are not counted twice."""
    rig.sim.start(fleet=12, base="127.44.8.200")
    agent = lonely(rig, ["127.44.8.0/22"], rate=300)
    agent.start()
    wait_for(lambda: scan(agent)["found"] >= 12, 20, "the printers", 0.1)
    assert scan(agent)["running"]
    agent.kill9()
    agent.start()
    agent.wait_log("going on with the scan")
    assert finished(agent, 40)["found"] == 12


def test_other_networks_begin_anew(rig):
    rig.peer(Ear, rig.sim.port)
    agent = lonely(rig, ["127.44.0.0/22"], rate=120)
    agent.start()
    wait_for(lambda: scan(agent)["done"] > 100, 20, "a part is done", 0.1)
    agent.kill9()
    lonely(rig, ["127.44.0.0/28"]).start()
    assert finished(agent)["done"] == 14
    assert "going on" not in agent.log()


def test_repeated_every_interval(rig):
    rig.sim.start(["127.45.0.1=@hp-mono"])
    agent = lonely(rig, ["127.45.0.0/28"], interval="2s")
    agent.start()
    finished(agent)
    rig.sim.send("add 127.45.0.2=@xerox")
    wait_for(lambda: scan(agent)["found"] == 2, 20, "the second", 0.1)


# --- by hand --------------------------------------------------------------

def test_scan_by_hand(rig):
    rig.sim.start(["127.46.0.1=@hp-mono"])
    agent = lonely(rig, ["127.46.0.0/28"])
    agent.start()
    finished(agent)
    rig.sim.send("add 127.46.0.2=@xerox")
    text = agent.tool("scan")
    assert "127.46.0.2" in text and "2 printers (1 new)" in text
    result = json.loads(agent.tool("scan", "--json"))
    assert result["scan"]["found"] == 2 and result["scan"]["new"] == 0
    assert result["scan"]["running"] is False
    assert len(result["devices"]) == 2
    agent.stop()
    done = agent.tool("scan", check=False)
    assert done.returncode == 1 and "no platend is running" in done.stderr
    done = agent.tool("scan", "more", check=False)
    assert done.returncode == 2


def test_a_running_scan_is_followed(rig):
    """And seen from outside: it begins none of its own."""
    rig.peer(Ear, rig.sim.port)
    agent = lonely(rig, ["127.46.4.0/23"], rate=100)
    agent.start()
    began = wait_for(lambda: scan(agent)["running"] and scan(agent), 10)
    seen, texts = [], []
    one = subprocess.Popen([program("platen"), "scan", "-c", agent.ini],
                           stdout=subprocess.PIPE, text=True)
    while one.poll() is None:
        seen.append(scan(agent))
        texts.append(agent.tool("status"))
        time.sleep(0.3)
    out = one.stdout.read()
    one.stdout.close()
    assert one.returncode == 0 and "pass 1 of 2" in out
    assert "running: pass 1 of 2" in texts[0]
    assert {s["started"] for s in seen} == {began["started"]}
    done = [s["done"] for s in seen]
    assert done == sorted(done) and len(set(done)) > 2
    assert all(s["done"] + s["left"] == 510 for s in seen)
    left = [s["seconds_left"] for s in seen if s["running"]]
    assert left[0] > left[-1] >= 0 and left[0] < 30 * PATIENCE


def test_the_bar_on_a_terminal(rig):
    rig.peer(Ear, rig.sim.port)
    agent = lonely(rig, ["127.46.6.0/24"], rate=200)
    agent.start()
    wait_for(lambda: scan(agent)["running"], 10)
    master, slave = os.openpty()
    one = subprocess.Popen([program("platen"), "scan", "-c", agent.ini],
                           stdout=slave, stdin=subprocess.DEVNULL)
    os.close(slave)
    text = b""
    with contextlib.suppress(OSError):
        while chunk := os.read(master, 4096):
            text += chunk
    os.close(master)
    assert one.wait(30) == 0
    assert re.search(rb"\r\[#+-+\] pass \d of 2, \d+ of 254", text)


def test_sigusr1_at_any_time(rig):
    """It never ends the agent, nor a scan that is running."""
    rig.sim.start(["127.46.8.1=@hp-mono"])
    agent = lonely(rig, ["127.46.8.0/24"], rate=500)
    agent.start()
    lock = agent.dir / "platend.lock"
    wait_for(lambda: lock.exists() and lock.read_text().strip(), 10)
    for _ in range(50):
        os.kill(agent.pid, signal.SIGUSR1)
        time.sleep(0.01)
    first = finished(agent)
    assert agent.running() and first["found"] == 1
    time.sleep(0.5)
    assert scan(agent)["started"] == first["started"]
    os.kill(agent.pid, signal.SIGUSR1)
    assert finished(agent, after=first["finished"])["found"] == 1


def direct(*args, check=True):
    return run_program([program("platen"), "scan", "--direct", *args], check)


def test_scan_without_an_agent(rig):
    """Printers, strangers and what keeps its secrets, from the command
    line and with the file's credentials."""
    plain = rig.dir / "plain.snmprec"
    plain.write_text("1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.8072.3.2.10\n")
    rig.sim.start(["127.49.0.1=@hp-mono", "127.49.0.2=@xerox",
                   "127.49.0.3=@kyocera,community=other",
                   f"127.49.0.9={plain}"],
                  user="someone:sha1:password-1:aes128:password-2")
    here = ["--port", str(rig.sim.port), "--rate", "2000"]
    text = direct(*here, "127.49.0.0/28", "127.49.0.1-4")
    assert "14 of 14 addresses, 2 printers, 2 others" in text
    for line in (r"127\.49\.0\.1 .*HP", r"127\.49\.0\.2 .*Xerox",
                 r"127\.49\.0\.3:\d+ .*SNMPv3 \(Kyocera\), but none",
                 r"127\.49\.0\.9:\d+ .*printer"):
        assert re.search(line, text), (line, text)
    found = json.loads(direct(*here, "--json", "127.49.0.0/28"))
    assert found["scan"]["found"] == 2 and found["scan"]["new"] is None
    assert [d["printer"] for d in found["devices"]] == \
        [True, True, False, False]
    assert all(d["asset"]["serial"] for d in found["devices"][:2])
    # Other credentials; and those of a file, with its networks.
    other = json.loads(direct(*here, "--json", "--community", "other",
                              "127.49.0.3"))
    assert other["devices"][0]["printer"]
    agent = lonely(rig, ["127.49.0.1-8"], exclude="127.49.0.2")
    agent.more["snmp more"] = secure(rig, "right", "password-1")
    agent.write()
    found = json.loads(direct("-c", agent.ini, "--json"))
    assert [(d["host"].split(":")[0], d["printer"]) for d in
            found["devices"]] == [("127.49.0.1", True), ("127.49.0.3", True)]
    assert not list(agent.dir.iterdir())


def test_scan_without_an_agent_tries_as_the_agent_does(rig):
    """v3, v2c, v1, in whatever order the file has them; and only what the
    file names."""
    rig.sim.start(["127.49.1.1=@hp-mono"])
    agent = lonely(rig, ["127.49.1.0/29"], {"version": "1"})
    agent.more["snmp later"] = {"version": "2c", "community": "public",
                                "port": rig.sim.port, "timeout": "2s"}
    agent.write()
    found = json.loads(direct("-c", agent.ini, "--json"))
    assert [d["printer"] for d in found["devices"]] == [True]
    stats = rig.sim.send("stats 127.49.1.1")
    assert stats["v1"] == 0 and stats["v2c"] == stats["requests"]
    agent.networks, agent.hosts = [], [f"127.49.1.1:{rig.sim.port}"]
    agent.write()
    rig.sim.send("reset")
    done = direct("-c", agent.ini, check=False)
    assert done.returncode == 2 and "no networks" in done.stderr
    assert rig.sim.send("stats 127.49.1.1")["requests"] == 0


@pytest.mark.parametrize("words", [
    ["300.1.1.1"], ["10.0.0.0/8"], ["--rate", "0"], ["--port", "x"],
    ["-c", "x", "--community", "y"], ["--no-such-option"]])
def test_bad_usage(words):
    done = direct(*words, check=False)
    assert done.returncode == 2 and done.stderr
    done = run_program([program("platen"), "scan", "10.0.0.1"], False)
    assert done.returncode == 2


# --- names ----------------------------------------------------------------

def apart(rig, script):
    """argv in front of a program: in namespaces of its own, after script."""
    path = rig.dir / "apart.sh"
    path.write_text(f"set -e\nip link set lo up\n{script}\nexec \"$@\"\n")
    return ["unshare", "-m", "-n", "sh", path]


def can_be_apart():
    return os.geteuid() == 0 and subprocess.run(
        ["unshare", "-m", "-n", "sh", "-c", "ip link add one type veth peer name two && "
         "mount --bind /etc/hosts /etc/hosts"],
        stderr=subprocess.DEVNULL).returncode == 0


@pytest.fixture
def may_be_apart():
    if not can_be_apart():
        pytest.skip("needs root and network namespaces")


def test_names(rig):
    """localhost is one; what is none does not disturb."""
    rig.sim.start(["127.0.0.1=@hp-mono", "127.47.0.1=@xerox"])
    agent = lonely(rig, None, hosts=[
        f"localhost:{rig.sim.port}", "no-such-printer.invalid",
        "127.47.0.1"])
    agent.start()
    wait_for(lambda: set(printers(agent)) == {"127.0.0.1", "127.47.0.1"}, 20,
             "both", 0.2)
    agent.wait_log(r"hosts: no-such-printer\.invalid: ", 40)


def test_excluded_hosts_are_not_asked(rig):
    rig.sim.start(["127.47.1.1=@hp-mono", "127.47.1.2=@xerox"])
    agent = lonely(rig, None, hosts=["127.47.1.1", "127.47.1.2"],
                   exclude="127.47.1.2")
    agent.start()
    wait_for(lambda: len(printers(agent)) == 1, 20, "the first", 0.1)
    time.sleep(1)
    assert rig.sim.send("stats 127.47.1.2")["requests"] == 0


def test_a_dead_resolver_delays_nothing(rig, may_be_apart):
    """Everything else is found within seconds; the name's turn comes and
    goes."""
    resolv = rig.dir / "resolv.conf"
    resolv.write_text("nameserver 127.0.0.53\noptions timeout:30\n")
    silent, bound = rig.dir / "silent.py", rig.dir / "bound"
    silent.write_text("import socket\n"
                      "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
                      "s.bind(('127.0.0.53', 53))\n"
                      f"open({str(bound)!r}, 'w').close()\n"
                      "while True: s.recv(512)\n")
    agent = lonely(rig, ["127.48.0.0/28"], hosts=[
        *(f"printer-{n}.example.test" for n in range(9)),
        f"127.48.1.1:{rig.sim.port}"])
    devices = ["127.48.0.1=@hp-mono", "127.48.1.1=@xerox"]
    ready = rig.dir / "ready"
    argv = apart(rig, f"mount --bind {resolv} /etc/resolv.conf\n"
                 f"{sys.executable} {silent} &\n"
                 f"until test -e {bound}; do sleep 0.1; done\n"
                 f"{program('platen-sim')} --port {rig.sim.port} "
                 f"{' '.join(devices)} >{ready} &\n"
                 f"until grep -q ready {ready}; do sleep 0.1; done")
    agent.launch([*argv, program("platend"), "-c", agent.ini, "-d"])
    wait_for(lambda: len(printers(agent)) == 2, 15, "both printers", 0.2)
    assert finished(agent, 15)["found"] == 1
    agent.wait_log(r"hosts: printer-0\.example\.test: the name service does "
                   "not answer", 40)


# --- attached subnets -----------------------------------------------------

def test_attached_subnets(rig, may_be_apart):
    """No networks and no hosts: the subnets that the machine stands in, and
    of a large one the /20 around the own address."""
    agent = lonely(rig, None, rate=5000)
    ear = rig.dir / "ear.py"
    out = rig.dir / "heard"
    ear.write_text(
        f"import sys\nsys.path[:0] = {sys.path!r}\n"
        f"from test_discovery import Ear\n"
        f"e = Ear({rig.sim.port})\nopen({str(out)!r}, 'w').close()\n"
        f"import threading, time\ne.start()\n"
        f"while True:\n"
        f"    time.sleep(0.3)\n"
        f"    open({str(out)!r}, 'w').write(' '.join("
        f"sorted(h.address for h in list(e.heard))))\n")
    argv = apart(rig,
                 "ip link add one type veth peer name one-peer\nip link set one up\nip link set one-peer up\n"
                 "ip addr add 10.99.7.1/29 dev one\n"
                 "ip addr add 10.99.7.2/32 dev one\n"
                 "ip link add idle type veth peer name idle-peer\n"
                 "ip addr add 10.98.0.1/24 dev idle\n"
                 "ip link add big type veth peer name big-peer\nip link set big up arp off\nip link set big-peer up\n"
                 "ip addr add 10.97.20.1/8 dev big\n"
                 "ip addr add 10.97.31.9/32 dev big\n"
                 "ip addr add 10.97.32.9/32 dev big\n"
                 "ip route add local 10.97.33.0/24 dev lo\n"
                 f"{sys.executable} {ear} &\n"
                 f"until test -e {out}; do sleep 0.1; done")
    agent.launch([*argv, program("platend"), "-c", agent.ini, "-d"])
    agent.wait_log(r"larger than /20: looking at 10\.97\.16\.0/20 only")
    done = finished(agent, 30)
    # /29, and /20 and the two single addresses, of which one is in it.
    assert done["done"] == 6 + 4094 + 1
    time.sleep(0.7)
    heard = set(out.read_text().split())
    assert {"10.99.7.1", "10.99.7.2", "10.97.20.1", "10.97.31.9",
            "10.97.32.9"} <= heard
    assert not any(a.startswith(("10.98.", "10.97.33.", "127."))
                   for a in heard)
