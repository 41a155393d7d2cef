"""Promise: what a printer is called leaves once.  Over many polls, restarts
of the agent, of the server and of the centre, clean and by kill -9, serial,
model, MAC and names of an unchanged printer are in exactly one report; a
changed location sends just the location."""
import collections

from fakecentre import FakeCentre
from rig import wait_for

SYS_LOCATION = "1.3.6.1.2.1.1.6.0"
DEVICES = {"127.10.21.1": "hp-mono", "127.10.21.2": "brother",
           "127.10.21.3": "ricoh", "127.10.21.4": "canon"}
NAMES = ["key", "strength", "make", "model", "engine", "serial", "mac",
         "hostname", "ip", "location", "zone", "asset_tag", "firmware"]
SUPPLY_NAMES = ["index", "kind", "colour", "class", "description",
                "part_number", "serial", "unit", "capacity"]


def polls(rig, host):
    return rig.sim.send("stats", host)["requests"]


def wait_polls(rig, more=30):
    """Until every printer was asked some more: several whole readings with
    "assets" at its shortest."""
    before = {host: polls(rig, host) for host in DEVICES}
    wait_for(lambda: all(polls(rig, h) >= before[h] + more for h in DEVICES),
             40, "polls")


def idle(agent):
    status = agent.json("status")
    return status["uplink"] == "connected" and status["outbox"] == 0


def settle(rig):
    """Read again several times, and everything delivered."""
    wait_polls(rig)
    wait_for(lambda: idle(rig.agent), 40, "the outbox is empty", 0.2)


def counts(reports, kind, fields):
    """{record id: {field: how often it was said}}"""
    said = collections.defaultdict(collections.Counter)
    for report in reports:
        for record in report.records(kind):
            for name in report.fields(record):
                if name in fields:
                    said[record.get("id")][name] += 1
    return said


def restart_agent(rig):
    """In every way, and polled after each."""
    rig.agent.restart()
    settle(rig)
    rig.agent.kill9()
    rig.agent.start()
    settle(rig)
    for role in "collector", "uplink":
        rig.agent.kill_role(role)
    settle(rig)


def test_identifiers_leave_once(rig):
    rig.server.start()
    rig.sim.start([f"{h}=@{name}" for h, name in DEVICES.items()])
    centre = rig.peer(FakeCentre, rig.server)
    agent = centre.admit(rig.agent)
    agent.write(heartbeat="300ms", supplies="300ms", counters="300ms",
                assets="1s").start().wait_online()
    centre.wait_reports(lambda r: r.values("asset", "serial"), 30,
                        count=len(DEVICES))

    settle(rig)
    restart_agent(rig)
    for go in centre.leave, centre.vanish:
        go()
        centre.start()
        settle(rig)
    centre.vanish()
    rig.server.restart()
    centre.start()
    settle(rig)

    assets = {a["ip"]: a for a in agent.json("devices")}
    said = counts(centre.taken(), "asset", NAMES)
    assert len(said) == len(DEVICES), "an asset each"
    for host, asset in assets.items():
        there = [n for n in NAMES if asset.get(n) is not None]
        assert {"serial", "model", "mac", "hostname", "ip"} <= set(there)
        assert said[asset["id"]] == {name: 1 for name in there}, host
        # Also not in any other shape: as a word in another field.
        for word in asset["serial"], asset["mac"], asset["hostname"]:
            assert len(centre.taken(lambda r: word in r.text)) == 1, word
    for supply, fields in counts(centre.taken(), "consumable",
                                 SUPPLY_NAMES).items():
        assert set(fields.values()) == {1}, supply
    assert centre.problems == []

    # Nothing of what follows is about anything but the location.
    host, asset = "127.10.21.3", assets["127.10.21.3"]
    before = len(centre.taken())
    rig.sim.send("set", host, SYS_LOCATION, 4, "Archive, 3rd floor")
    report, = centre.wait_reports(
        lambda r: "Archive, 3rd floor" in r.values("asset", "location"))
    record, = report.records("asset")
    assert record.get("id") == asset["id"]
    assert report.fields(record) == ["location", "time"]
    assert [e.tag.split("}")[1] for e in report.root] == ["asset"]
    settle(rig)
    about = [r for r in centre.taken()[before:] if r.records("asset")]
    assert about == [report]
    # And taken away again it is told as gone.
    rig.sim.send("set", host, SYS_LOCATION, 4, "")
    gone, = centre.wait_reports(
        lambda r: "" in r.values("asset", "location"))
    record, = gone.records("asset")
    assert report.fields(record) == ["location", "time"]


def test_identifiers_once_at_the_real_centre(rig):
    """The same with platen-central, which is killed with -9 as well: its
    history has each name of each printer once, each from one report."""
    rig.start(devices=[f"{h}=@{name}" for h, name in DEVICES.items()],
              schedule={"heartbeat": "300ms", "supplies": "300ms",
                        "counters": "300ms", "assets": "1s"})
    wait_for(lambda: len(rig.central.json("devices")) == len(DEVICES), 30,
             "all printers", 0.2)

    settle(rig)
    for go in rig.central.stop, rig.central.kill9, rig.server.stop:
        go()
        if go == rig.server.stop:
            rig.server.start()
        else:
            rig.central.start()
        settle(rig)
    rig.agent.restart()
    settle(rig)
    told = collections.Counter(
        (row["asset"], row["field"])
        for row in rig.central.json("history", "--limit", "100000")
        if row["record"] == "asset" and row["field"] in NAMES)
    assert len({asset for asset, _ in told}) == len(DEVICES)
    assert len(told) >= 6 * len(DEVICES)
    assert set(told.values()) == {1}, told
