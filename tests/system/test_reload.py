"""Promise: the INI file may change at any time.  After SIGHUP nobody is asked
whom it does not name any more, or excludes: not by a visit, not by a scan, not
because a trap came; what it names again is the same printer as before; other
credentials are used from then on, whatever was remembered."""
import os
import signal
import socket
import subprocess
import time

from rig import wait_for, write_secret
from test_fleet import KEY, NEVER, devices, told, v3

NET = "127.10.71"
HOSTS = [f"{NET}.{n}" for n in range(1, 6)]


def begin(rig, sections=None, listen=None, devices=None, **sim):
    rig.sim.start(devices or [f"{h}=@hp-mono,serial=RL{h[-1]}000{h[-1]},"
                              f"number={h[-1]}" for h in HOSTS], **sim)
    agent = rig.agent
    agent.jid = "agent@example.test"
    write_secret(rig.dir / "agent.password", "none\n")
    agent.snippet = {"crypto": {"central_key": KEY}}
    agent.networks, agent.hosts = [f"{NET}.0/29"], []
    agent.more = dict(sections or {})
    if listen is not None:
        agent.more["traps"] = {"listen": f"127.0.0.1:{listen}"}
    agent.write(heartbeat="300ms", **NEVER)
    agent.start()
    return agent


def reload(agent, **discovery):
    agent.more.setdefault("discovery", {}).update(discovery)
    agent.write(heartbeat="300ms", **NEVER)
    before = agent.pids()["collector"]
    os.kill(agent.pid, signal.SIGHUP)
    wait_for(lambda: agent.pids().get("collector") not in (None, before),
             20, "another collector")


def printers(agent):
    return set(devices(agent, "printer"))


def quiet(rig, hosts, seconds=2.0):
    """Not one request to them."""
    rig.sim.send("reset")
    time.sleep(seconds)
    for host in hosts:
        assert rig.sim.send("stats", host)["requests"] == 0, host


def trap(rig, port, source):
    subprocess.run(["snmptrap", "-v2c", "-c", "any",
                    f"--clientAddr={source}", f"127.0.0.1:{port}", "",
                    "1.3.6.1.2.1.43.18.2.0.1"], check=True, env={
                        "PATH": "/usr/bin:/bin", "MIBS": "",
                        "SNMPCONFPATH": "/none",
                        "SNMP_PERSISTENT_DIR": str(rig.dir)})


def test_excluded_is_not_asked_at_all(rig):
    """One address, a network with both its ends, a host named besides."""
    port = rig.ports.take()
    agent = begin(rig, listen=port)
    wait_for(lambda: printers(agent) == set(HOSTS), 30, "all", 0.2)
    assets = set(told(agent))
    out = [HOSTS[0], HOSTS[3], HOSTS[4]]
    agent.hosts = [f"{HOSTS[0]}:{rig.sim.port}"]
    # 4/31 has two hosts, .4 and .5; in a /30 the ends would be none.
    reload(agent, exclude=[HOSTS[0], f"{NET}.4/31"])
    wait_for(lambda: printers(agent) == set(HOSTS) - set(out), 20, "gone",
             0.1)
    assert agent.log().count("not in the configuration any more") == 3
    quiet(rig, out)
    for host in out:
        trap(rig, port, host)
    trap(rig, port, HOSTS[1])
    count = wait_for(lambda: (c := agent.json("status")["traps"]) and
                     c["received"] == 4 and c, 20, "traps", 0.2)
    assert (count["woke"], count["unknown"]) == (1, 3)
    agent.tool("scan")
    quiet(rig, out, 1)
    assert printers(agent) == set(HOSTS) - set(out)
    # Back again they are who they were.
    agent.hosts = []
    reload(agent, exclude=None)
    agent.tool("scan")
    wait_for(lambda: printers(agent) == set(HOSTS), 30, "all again", 0.2)
    wait_for(lambda: set(told(agent)) == assets, 5)


def test_an_excluded_network_goes_with_both_ends(rig):
    """In a larger network they are hosts like others."""
    agent = begin(rig)
    wait_for(lambda: printers(agent) == set(HOSTS), 30, "all", 0.2)
    reload(agent, exclude=[f"{NET}.0/30"])       # .0 to .3
    wait_for(lambda: printers(agent) == set(HOSTS[3:]), 20, "two", 0.1)
    quiet(rig, HOSTS[:3])


def test_a_network_taken_out_beside_a_named_host(rig):
    """That somebody is called by name keeps no one else."""
    agent = begin(rig)
    wait_for(lambda: printers(agent) == set(HOSTS), 30, "all", 0.2)
    agent.networks, agent.hosts = None, [
        f"{socket.gethostname()}.invalid:{rig.sim.port}",
        f"{HOSTS[1]}:{rig.sim.port}"]
    reload(agent)
    wait_for(lambda: printers(agent) == {HOSTS[1]}, 20, "one", 0.1)
    quiet(rig, [h for h in HOSTS if h != HOSTS[1]])


def test_other_credentials_under_the_same_name(rig):
    """v3 becomes v2c and v1, and another community; what was learnt under the
    old ones must not stand in the way."""
    secret = "a-good-password"
    sections = {"snmp public": v3(rig.dir, "public", "watcher", "sha256",
                                  secret)}
    sections["snmp public"]["community"] = None
    agent = begin(rig, sections, devices=[f"{HOSTS[0]}=@hp-mono"],
                  user=f"watcher:sha256:{secret}")
    row = wait_for(lambda: devices(agent, "printer").get(HOSTS[0]), 30)
    assert row["memo"].startswith("v3")
    agent.more["snmp public"] = {"version": None}
    reload(agent)
    row = wait_for(lambda: (d := devices(agent, "printer").get(HOSTS[0])) and
                   d["memo"].startswith("v2c") and d, 20, "v2c", 0.1)
    rig.sim.send("reset")
    wait_for(lambda: rig.sim.send("stats", HOSTS[0])["v2c"] >= 3, 10)
    assert rig.sim.send("stats", HOSTS[0])["v3"] == 0
    assert "unreachable" not in agent.log()
    assert len(told(agent)) == 1
    # The community changes at both ends.
    rig.sim.send("remove", HOSTS[0])
    rig.sim.send(f"add {HOSTS[0]}=@hp-mono,community=other")
    agent.more["snmp public"] = {"version": "2c", "community": "other"}
    reload(agent)
    wait_for(lambda: rig.sim.send("stats", HOSTS[0])["answers"] >= 3, 10)
    stats = rig.sim.send("stats", HOSTS[0])
    assert len(told(agent)) == 1
    time.sleep(1)
    later = rig.sim.send("stats", HOSTS[0])
    assert later["answers"] - stats["answers"] == \
        later["requests"] - stats["requests"] > 0
