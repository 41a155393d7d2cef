"""Goal: with `private = no` no object of a maker is ever asked for, in a whole
reading and in those that follow; without it some are."""
import pytest

from rig import wait_for

HOSTS = ["127.10.31.1", "127.10.31.2"]
LIFE_COUNT = "1.3.6.1.2.1.43.10.2.1.4.1.1"


@pytest.mark.parametrize("private", ["yes", "no"])
def test_makers_objects(rig, private):
    rig.server.start()
    rig.sim.start([f"{HOSTS[0]}=@hp-mono", f"{HOSTS[1]}=@sharp"])
    rig.central.init()
    rig.central.start()
    rig.agent.more = {"snmp public": {"private": private}}
    rig.agent.enrol().write().start()
    wait_for(lambda: len(rig.central.json("devices")) == 2, 30)
    for host in HOSTS:
        rig.sim.send("print", host, 3)
    wait_for(lambda: all(
        c["value"] == int(rig.sim.get(d["ip"], LIFE_COUNT))
        for d in rig.central.json("devices") for c in d["counters"]
        if c["name"] == "total"), 30, "what was printed")
    asked = [oid for host in HOSTS for oid in rig.sim.send("asked", host)]
    assert any(LIFE_COUNT in str(oid) for oid in asked)
    # 2699 is the Printer Working Group, whose MIBs are standards as well.
    makers = [oid for oid in asked if "1.3.6.1.4.1." in str(oid)
              and "1.3.6.1.4.1.2699." not in str(oid)]
    assert bool(makers) == (private == "yes"), makers
    counters = {c["name"] for d in rig.central.json("devices")
                for c in d["counters"]}
    assert ("mono" in counters) == (private == "yes")
