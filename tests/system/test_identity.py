"""Promise: an asset keeps its identity.  An address change moves it and never
makes a second one; another printer at the same address is another asset; a
printer that sleeps or is silent stays who it is; a store that was lost gets
its assets' old ids back; the history goes on."""
import uuid

import pytest
from rig import Failed, wait_for

STORES = ["sqlite", "postgresql"]
A, B, C = "127.10.28.1", "127.10.28.2", "127.10.28.3"
TOTAL = "1.3.6.1.2.1.43.10.2.1.4.1.1"


def start(rig, devices, **more):
    rig.server.start()
    rig.sim.start(devices)
    rig.central.init()
    rig.central.start()
    agent = rig.agent.enrol()
    agent.networks, agent.hosts = [f"{A}-9"], []
    agent.more = {"discovery": {"interval": "2s"},
                  "snmp public": {"timeout": "300ms", "retries": 1}, **more}
    agent.write(heartbeat="300ms", assets="2s").start().wait_online()
    wait_for(lambda: len(rig.central.json("devices")) == len(devices), 20,
             "all printers", 0.1)
    return {d["ip"]: d for d in rig.central.json("devices")}


def device(rig, **wanted):
    """The one device at the centre that is as wanted, or None."""
    found = [d for d in rig.central.json("devices")
             if all(d[k] == v for k, v in wanted.items())]
    assert len(found) < 2, found
    return found[0] if found else None


def wait_device(rig, **wanted):
    return wait_for(lambda: device(rig, **wanted), 30,
                    f"a device with {wanted}", 0.1)


def history(rig, asset, field):
    return [r["value"] for r in rig.central.json(
        "history", "--asset", asset, "--limit", "10000")
        if r["field"] == field or r["name"] == field]


def polls(rig, host, more=20):
    def asked():
        return rig.sim.send("stats", host)["requests"]
    before = asked()
    wait_for(lambda: asked() >= before + more, 30, "polls")


def drained(agent):
    def look():
        try:
            status = agent.json("status")
        except Failed:
            return False
        return status["uplink"] == "connected" and status["outbox"] == 0
    wait_for(look, 30, "everything is delivered", 0.1)


def test_an_address_change_moves_the_asset(rig):
    before = start(rig, [f"{A}=@hp-mono,number=1", f"{B}=@hp-mono,number=2"])
    one = before[A]
    rig.sim.send("move", A, C)
    rig.sim.send("print", C, 10)
    total = int(rig.sim.get(C, TOTAL))
    moved = wait_device(rig, ip=C, state="online")
    assert moved["asset"] == one["asset"]
    assert moved["serial"] == one["serial"]
    wait_for(lambda: history(rig, one["asset"], "total") ==
             [total - 10, total], 20, "the counter goes on", 0.1)
    assert [str(v) for v in history(rig, one["asset"], "ip")] == [A, C]
    assert history(rig, one["asset"], "serial") == [one["serial"]]
    assert len(rig.central.json("devices")) == 2
    assert device(rig, ip=B)["asset"] == before[B]["asset"]
    # And back again, with another restart in between.
    rig.agent.restart().wait_online()
    rig.sim.send("move", C, A)
    assert wait_device(rig, ip=A, state="online")["asset"] == one["asset"]
    assert len(rig.central.json("devices")) == 2


def test_two_change_places(rig):
    before = start(rig, [f"{A}=@hp-mono,number=1", f"{B}=@hp-mono,number=2"])
    rig.sim.send("swap", A, B)
    for here, there in (A, B), (B, A):
        now = wait_device(rig, ip=here, serial=before[there]["serial"],
                          state="online")
        assert now["asset"] == before[there]["asset"]
    assert len(rig.central.json("devices")) == 2


def test_another_printer_at_the_address(rig):
    before = start(rig, [f"{A}=@hp-mono,number=1"])[A]
    rig.sim.send("remove", A)
    wait_device(rig, ip=A, state="unreachable")
    rig.sim.send(f"add {A}=@ricoh,number=7")
    now = wait_device(rig, ip=A, state="online")
    assert now["make"] == "Ricoh" and now["asset"] != before["asset"]
    gone = device(rig, asset=before["asset"])
    assert gone["serial"] == before["serial"]
    assert gone["state"] == "unreachable"
    # At once too, without a pause in which it was missing.
    rig.sim.send("remove", A)
    rig.sim.send(f"add {A}=@canon,number=8")
    third = wait_device(rig, ip=A, state="online", make="Canon")
    assert third["asset"] not in (before["asset"], now["asset"])
    assert len(rig.central.json("devices")) == 3
    # The first one is found again in another room.
    rig.sim.send(f"add {B}=@hp-mono,number=1")
    back = wait_device(rig, ip=B, state="online")
    assert back["asset"] == before["asset"]
    assert len(rig.central.json("devices")) == 3


def test_sleep_and_silence_change_nothing(rig):
    one = start(rig, [f"{A}=@hp-mono,number=1"])[A]
    rig.sim.send("asleep", A, "on")
    asleep = wait_device(rig, ip=A, state="asleep")
    assert asleep["asset"] == one["asset"]
    rig.sim.send("asleep", A, "off")
    wait_device(rig, ip=A, state="online")
    rig.sim.send("silent", A, "on")
    wait_device(rig, ip=A, state="unreachable")
    # The agent starts while it is away.
    rig.agent.kill9()
    rig.agent.start().wait_online()
    rig.sim.send("silent", A, "off")
    wait_device(rig, ip=A, state="online")
    now, = rig.central.json("devices")
    assert {k: now[k] for k in ("asset", "serial", "mac", "model")} == {
        k: one[k] for k in ("asset", "serial", "mac", "model")}
    assert history(rig, one["asset"], "serial") == [one["serial"]]


def test_asleep_without_a_serial(rig):
    """Some machines hide their names while they sleep; that is no other
    machine, and nothing of what is known gets lost."""
    one = start(rig, [f"{A}=@hp-mono,number=1"])[A]
    serial = "1.3.6.1.2.1.43.5.1.1.17.1"
    rig.sim.send("unset", A, serial)
    rig.sim.send("config", A)
    polls(rig, A, 20)
    now, = rig.central.json("devices")
    assert now["asset"] == one["asset"]
    rig.sim.send("set", A, serial, 4, one["serial"])
    polls(rig, A, 20)
    now, = rig.central.json("devices")
    assert now["asset"] == one["asset"]
    assert now["serial"] == one["serial"]


def test_a_lost_store_gets_its_ids_back(rig):
    """A new epoch tells everything whole under new ids; the centre answers
    with the ones that it knows, and both go on with those."""
    before = start(rig, [f"{A}=@hp-mono,number=1", f"{B}=@brother,number=2",
                         f"{C}=@ricoh,number=3"])
    drained(rig.agent)
    assert rig.agent.stop() == 0
    for path in rig.agent.dir.glob("store.db*"):
        path.unlink()
    rig.sim.send("print", A, 5)
    rig.agent.start().wait_online()
    ids = {ip: d["asset"] for ip, d in before.items()}

    def renamed():
        try:
            return {d["ip"]: d["id"] for d in rig.agent.json("devices")} == ids
        except (Failed, KeyError):
            return False
    wait_for(renamed, 30, "the agent uses the centre's ids", 0.2)
    drained(rig.agent)
    after = {d["ip"]: d for d in rig.central.json("devices")}
    assert {ip: d["asset"] for ip, d in after.items()} == ids
    for ip, d in after.items():
        assert d["serial"] == before[ip]["serial"]
        assert history(rig, d["asset"], "serial") == [d["serial"]]
    # Then things go on as ever, supplies and alerts too.
    total = int(rig.sim.get(A, TOTAL))
    rig.sim.send("print", A, 7)
    rig.sim.raise_alert(A, code=8, severity=3, group=8, index=1, text="Jam")
    wait_for(lambda: history(rig, ids[A], "total")[-2:] ==
             [total, total + 7], 20, "counters go on", 0.1)
    alert, = wait_for(lambda: [a for a in rig.central.json("alerts")
                               if a["asset"] == ids[A]], 20, "an alert", 0.1)
    assert alert["asset"] == ids[A]
    supplies = [s for s in rig.central.json("consumables")
                if s["asset"] == ids[A]]
    assert len({s["index"] for s in supplies}) == len(supplies)
    assert rig.agent.json("status")["refused"] == 0


def test_two_agents_are_kept_apart(rig):
    """Two customers' agents that happen to see the same printer."""
    start(rig, [f"{A}=@hp-mono,number=1"])
    other = rig.agent_named("branch").enrol("Another customer")
    other.hosts = [f"{A}:{rig.sim.port}"]
    other.write(heartbeat="300ms").start().wait_online()
    wait_for(lambda: len(rig.central.json("devices")) == 2, 20,
             "one each", 0.1)
    one, two = rig.central.json("devices")
    assert {one["agent"], two["agent"]} == {"agent", "branch"}
    assert one["serial"] == two["serial"] and one["asset"] != two["asset"]
    only = rig.central.json("devices", "--agent", "branch")
    assert [d["agent"] for d in only] == ["branch"]
    assert [a["name"] for a in rig.central.json("agents")] in (
        ["agent", "branch"], ["branch", "agent"])


def test_one_printer_at_two_addresses(rig):
    """Wi-Fi and cable: one asset, told from one of them."""
    start(rig, [f"{A}=@hp-mono,number=1"])
    rig.sim.send(f"add {B}=@hp-mono,number=1")
    wait_for(lambda: rig.sim.send("stats", B)["answers"] > 20, 20, "it polls")
    polls(rig, B)
    one, = rig.central.json("devices")
    assert one["ip"] == A
    rig.sim.send("silent", A, "on")
    assert wait_device(rig, ip=B, state="online")["asset"] == one["asset"]
    assert len(rig.central.json("devices")) == 1


@pytest.mark.parametrize("copy", ["old", "empty"])
def test_a_store_from_a_backup(rig, copy):
    """An old copy of the store must not number on from where it was: it
    begins a new epoch, and nothing is lost or made twice."""
    one = start(rig, [f"{A}=@hp-mono,number=1"])[A]
    drained(rig.agent)
    assert rig.agent.stop() == 0
    kept = {p.name: p.read_bytes() for p in rig.agent.dir.glob("store.db*")}
    rig.agent.start().wait_online()
    total = int(rig.sim.get(A, TOTAL))
    for _ in range(3):
        rig.sim.send("print", A, 2)
        total += 2
        wait_for(lambda: history(rig, one["asset"], "total")[-1] == total,
                 20, "a change", 0.1)
    drained(rig.agent)
    assert rig.agent.stop() == 0
    for path in rig.agent.dir.glob("store.db*"):
        path.unlink()
    if copy == "old":
        for name, data in kept.items():
            path = rig.agent.dir / name
            path.write_bytes(data)
            path.chmod(0o600)
    rig.agent.start().wait_online()
    rig.sim.send("print", A, 2)
    total += 2
    wait_for(lambda: history(rig, one["asset"], "total")[-1] == total, 30,
             "it goes on", 0.1)
    drained(rig.agent)
    # What the old copy remembered may be told again, as what it was.
    totals = history(rig, one["asset"], "total")
    assert sorted(set(totals)) == list(range(totals[0], total + 1, 2))
    only, = rig.central.json("devices")
    assert only["asset"] == one["asset"]
    uuid.UUID(only["asset"])
