"""Promise: three processes, split by danger.  Started as root the children
become a given user; the collector holds no password and no key, the uplink no
community; a child that is killed is back within two seconds; nothing listens
and one connection goes out; SIGHUP, SIGTERM, a second start and the end of
the supervisor do what an operator expects."""
import base64
import contextlib
import os
import pathlib
import pwd
import re
import signal

import pytest
from rig import PATIENCE, program, run_program, wait_for

HOST, MORE = "127.10.29.1", "127.10.29.2"
USER = "nobody"
COMMUNITY = "community-that-nobody-guesses-4711"
ROLES = {"supervisor", "collector", "uplink"}

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def sanitized():
    """Such a build stays traceable for its leak checker, and copies much."""
    return b"__asan_init" in pathlib.Path(program("platend")).read_bytes()


@pytest.fixture
def agent(rig):
    rig.server.start()
    rig.sim.start([f"{HOST}=@hp-mono"], community=COMMUNITY)
    rig.central.init()
    rig.central.start()
    agent = rig.agent.enrol()
    agent.more = {"snmp public": {"community": COMMUNITY},
                  "agent": {"user": USER} if os.geteuid() == 0 else {}}
    agent.write(heartbeat="300ms").start().wait_online()
    wait_for(lambda: rig.central.json("devices"), 20, "the printer", 0.1)
    wait_for(lambda: set(agent.pids()) == ROLES, 5, "three processes")
    return agent


def status(pid):
    text = pathlib.Path("/proc", str(pid), "status").read_text()
    return dict(re.findall(r"(?m)^(\w+):\s*(.*)$", text))


def files(pid):
    found = []
    for fd in pathlib.Path("/proc", str(pid), "fd").iterdir():
        with contextlib.suppress(OSError):
            found.append(os.readlink(fd))
    return found


def memory(pid):
    """All that the process can read and write of its own."""
    whole = []
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem",
                                                 "rb", 0) as mem:
        for line in maps:
            span, rights, *_ = line.split()
            if "r" not in rights or "[v" in line:
                continue
            begin, end = (int(x, 16) for x in span.split("-"))
            with contextlib.suppress(OSError, OverflowError, ValueError):
                mem.seek(begin)
                while begin < end:
                    piece = mem.read(min(end - begin, 1 << 20))
                    if not piece:
                        break
                    whole.append(piece)
                    begin += len(piece)
    return b"".join(whole)


def sockets(pids):
    """(protocol, state, local port, remote port) of the inet sockets."""
    inodes = {int(m[1]) for pid in pids for f in files(pid)
              if (m := re.fullmatch(r"socket:\[(\d+)\]", f))}
    found = []
    for protocol in "tcp", "tcp6", "udp", "udp6", "raw", "raw6":
        path = pathlib.Path("/proc/net", protocol)
        for line in path.read_text().splitlines()[1:] if path.exists() else ():
            words = line.split()
            if int(words[9]) in inodes:
                found.append((protocol, words[3],
                              int(words[1].split(":")[1], 16),
                              int(words[2].split(":")[1], 16)))
    return found


@needs_root
def test_the_children_are_somebody_else(agent):
    nobody = pwd.getpwnam(USER)
    pids = agent.pids()
    for role in "collector", "uplink":
        now = status(pids[role])
        assert now["Uid"].split() == [str(nobody.pw_uid)] * 4, role
        assert now["Gid"].split() == [str(nobody.pw_gid)] * 4, role
        assert set(now["Groups"].split()) <= {str(nobody.pw_gid)}
        assert now["CapEff"] == now["CapPrm"] == "0" * 16
        assert now["NoNewPrivs"] == "1"
        assert int(now["PPid"]) == pids["supervisor"]
    for path in agent.dir.iterdir():
        assert path.stat().st_mode & 0o077 == 0, f"{path} is open to others"
        if path.name.startswith(("store", "agent.key")):
            assert path.stat().st_uid == nobody.pw_uid
    # They go on when they were killed: nothing needs root later.
    for role in "collector", "uplink":
        agent.kill_role(role)
    wait_for(lambda: set(agent.pids()) == ROLES, 10, "both are back")
    agent.wait_log(r"(?s)session with.*session with", 20)


def test_no_cores_no_secrets_in_sight(agent):
    rig = agent.rig
    secrets = [rig.server.passwords["agent"], COMMUNITY,
               agent.snippet["crypto"]["token"]]
    for role, pid in agent.pids().items():
        limits = pathlib.Path("/proc", str(pid), "limits").read_text()
        assert re.search(r"Max core file size +0 +0 ", limits), role
        for name in "cmdline", "environ", "comm":
            text = pathlib.Path("/proc", str(pid), name).read_bytes()
            for secret in secrets:
                assert secret.encode() not in text, (role, name)
        if role != "supervisor" and os.geteuid() == 0 and not sanitized():
            # What may not be traced belongs to root in /proc.
            assert os.stat(f"/proc/{pid}/mem").st_uid == 0
    for text in agent.log(), rig.central.log():
        for secret in secrets:
            assert secret not in text
    for tool in ("status",), ("devices",), ("outbox",):
        shown = agent.tool(*tool) + agent.tool(*tool, "--json")
        for secret in secrets:
            assert secret not in shown


def secrets_in(agent, role):
    """The names of the secrets that are in a process's memory."""
    keyfile = (agent.dir / "agent.key").read_bytes().strip()
    keys = [word for word in keyfile.split() if len(word) >= 32]
    for word in re.findall(rb"[A-Za-z0-9+/]{43}=", keyfile):
        keys.append(base64.b64decode(word))
    text = memory(agent.pids()[role])
    assert len(text) > 1 << 20
    found = {name for name, secret in (
        ("password", agent.rig.server.passwords["agent"]),
        ("token", agent.snippet["crypto"]["token"]),
        ("community", COMMUNITY)) if secret.encode() in text}
    return found | {"key" for key in keys if key in text}


@needs_root
def test_each_holds_only_its_own_secrets(agent):
    if sanitized():
        pytest.skip("a sanitizer keeps what was freed")
    pids = agent.pids()
    assert secrets_in(agent, "collector") == {"community"}
    uplink = secrets_in(agent, "uplink")
    assert "community" not in uplink and "key" in uplink

    for path in files(pids["collector"]):
        assert "password" not in path and "agent.key" not in path
    # Doors: SNMP is the collector's, the server is the uplink's.
    assert {s[0] for s in sockets([pids["collector"]])} <= {"udp"}
    assert {s[0] for s in sockets([pids["uplink"]])} == {"tcp"}
    assert sockets([pids["supervisor"]]) == []


@needs_root
def test_the_supervisor_holds_no_secret(agent):
    """What it had read before the start, the children would inherit."""
    if sanitized():
        pytest.skip("a sanitizer keeps what was freed")
    assert secrets_in(agent, "supervisor") == set()


def test_nothing_listens(agent):
    rig = agent.rig
    found = sockets(agent.pids().values())
    tcp = [s for s in found if s[0].startswith("tcp")]
    assert not [s for s in tcp if s[1] == "0A"], "a socket listens"
    assert [s[3] for s in tcp] == [rig.server.port], "one connection"
    assert not [s for s in found if s[0].startswith("raw")]
    for protocol, _, local, _ in found:
        assert local > 1023, f"{protocol} port {local}"


@pytest.mark.parametrize("role", ["collector", "uplink"])
def test_a_killed_child_is_back_soon(agent, role):
    old = agent.kill_role(role)

    def back():
        pid = agent.pids().get(role)
        return pid if pid not in (None, old) else None
    wait_for(back, 2, f"the {role} is back")
    assert re.search(rf"{role} was killed by signal 9", agent.log())
    rig = agent.rig
    index = rig.sim.raise_alert(HOST, code=8, severity=3, text="After it")
    wait_for(lambda: rig.central.json("alerts"), 20, "it works", 0.1)
    rig.sim.send("alert", HOST, "clear", index)


def test_hangup_reads_the_configuration_again(agent):
    rig, before = agent.rig, agent.pids()
    rig.sim.send(f"add {MORE}=@ricoh,community={COMMUNITY}")
    agent.hosts = [f"{h}:{rig.sim.port}" for h in (HOST, MORE)]
    agent.write(heartbeat="300ms")
    os.kill(agent.pid, signal.SIGHUP)
    wait_for(lambda: len(rig.central.json("devices")) == 2, 20,
             "the new printer", 0.1)
    assert agent.pid == before["supervisor"]
    wait_for(lambda: set(agent.pids()) == ROLES, 5)

    # A wrong one is refused, and nothing stops.
    now = agent.pids()
    good = agent.ini.read_text()
    agent.ini.write_text(good.replace("heartbeat", "hartbeat"))
    os.kill(agent.pid, signal.SIGHUP)
    agent.wait_log(r"hartbeat")
    agent.wait_log(r"(?i)old one|goes on|going on")
    rig.sim.raise_alert(HOST, code=8, severity=3, text="Still there")
    wait_for(lambda: rig.central.json("alerts"), 20, "it goes on", 0.1)
    assert agent.pids() == now
    # So is one whose secret others can read.
    agent.ini.write_text(good)
    secret = rig.dir / "agent.password"
    secret.chmod(0o644)
    os.kill(agent.pid, signal.SIGHUP)
    agent.wait_log(r"chmod 600")
    assert agent.pids() == now
    secret.chmod(0o600)


def test_one_agent_a_store(agent):
    done = run_program([program("platend"), "-c", agent.ini, "-d"], False)
    assert done.returncode == 1
    assert "another platend uses" in done.stderr
    assert str(agent.dir) in done.stderr
    assert set(agent.pids()) == ROLES
    assert agent.json("status")["running"] is True


def gone(pids):
    return not any(os.path.exists(f"/proc/{pid}") and
                   status(pid)["State"][0] != "Z" for pid in pids)


@pytest.mark.parametrize("signo", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_cleanly(agent, signo):
    pids = agent.pids()
    os.kill(agent.pid, signo)
    assert agent.proc.wait(5 * PATIENCE) == 0
    wait_for(lambda: gone(pids.values()), 1, "all are gone")
    log = agent.log()
    assert "killed by signal" not in log and "starting it again" not in log
    state = agent.json("status")
    assert state["running"] is False and state["uplink"] == "stopped"
    wait_for(lambda: agent.rig.central.json("agents")[0]["presence"] ==
             "unavailable", 10, "the centre knows", 0.1)


def test_it_stops_although_a_child_hangs(agent):
    pids = agent.pids()
    os.kill(pids["collector"], signal.SIGSTOP)
    agent.proc.terminate()
    agent.proc.wait(15 * PATIENCE)
    wait_for(lambda: gone(pids.values()), 2, "all are gone")


def test_no_child_outlives_the_supervisor(agent):
    pids = agent.pids()
    agent.kill_role("supervisor")
    wait_for(lambda: gone(pids.values()), 10, "the children have gone too")
    agent.start().wait_online()


def test_in_the_background(agent):
    """Without -d it leaves the terminal, and still works."""
    assert agent.stop() == 0
    done = run_program([program("platend"), "-c", agent.ini], False)
    assert done.returncode == 0, done.stderr
    pid = None
    try:
        def told():
            text = (agent.dir / "platend.lock").read_text().strip()
            return int(text) if text and os.path.exists(
                f"/proc/{text}") else None
        pid = wait_for(told, 10, "its process id is in the lock file")
        wait_for(lambda: agent.json("status")["uplink"] == "connected", 20,
                 "it is connected", 0.1)
        assert os.getsid(pid) != os.getsid(0)
    finally:
        if pid:
            os.kill(pid, signal.SIGTERM)
            wait_for(lambda: gone([pid]), 10)
