"""Promise: `platen probe` and the daemon say the same of a printer, field by
field; of the invented ones, and of recorded ones where they are at hand."""
import json

import pytest

from rig import ROOT, program, run_program, wait_for

WALKS = ROOT.parent / "shared" / "walks"
# The daemon adds what time and place bring: ids, when, where, since when.
ASSET = ("make", "model", "engine", "serial", "mac", "hostname", "ip",
         "location", "asset_tag", "firmware", "state", "device_status",
         "printer_status", "errors")
COUNTER = ("name", "value", "unit", "oid", "check")
CONSUMABLE = ("index", "kind", "colour", "class", "description",
              "part_number", "serial", "unit", "level", "capacity",
              "percent", "state")
ALERT = ("code", "code_name", "severity", "group", "group_index",
         "training", "description", "location")


def pick(row, names):
    return {name: row.get(name) for name in names}


def listed(rows, names, key):
    return sorted((pick(r, names) for r in rows), key=lambda r: str(r[key]))


def invented(sim_names):
    return [f"127.22.0.{i + 1}=@{name}" for i, name in enumerate(sim_names)]


def recorded(where):
    """Copies, because platen-sim splits its specifications at commas."""
    devices = []
    for walk in sorted(WALKS.glob("*.snmprec")):
        if "@" in walk.stem:
            continue
        copy = where / f"{len(devices)}.snmprec"
        copy.write_bytes(walk.read_bytes())
        twin = walk.with_name(f"{walk.stem}@Jetdirect.snmprec")
        if twin.exists():
            copy.with_name(f"{copy.stem}@Jetdirect.snmprec").write_bytes(
                twin.read_bytes())
        devices.append(f"127.22.1.{len(devices) + 1}={copy}")
    return devices


def sim_names():
    text = run_program([program("platen-sim"), "--printers"])
    return [line.split()[0] for line in text.splitlines() if line.split()]


def probe(rig, host):
    done = run_program([program("platen"), "probe", "--json", "--timeout",
                        "5", f"{host}:{rig.sim.port}"], check=False)
    return [row for row in json.loads(done.stdout) if row["printer"]]


def compare(rig, devices):
    rig.start(devices=devices, schedule={"heartbeat": "1h",
                                         "supplies": "1h",
                                         "counters": "1h"})
    hosts = [d.split("=")[0] for d in devices]
    probed = {h: probe(rig, h) for h in hosts}
    printers = {h: rows[0] for h, rows in probed.items()
                if len(rows) == 1}
    assert printers
    # Two recordings of one machine are one machine at two addresses.
    def names(p):
        return (p["asset"]["serial"] or p["asset"]["mac"],
                p["asset"]["engine"])
    everyone = [names(p) for p in printers.values()]

    def told():
        return {row["ip"]: row for row in rig.agent.json("devices")}
    alone = {h for h, p in printers.items()
             if names(p)[0] is None or everyone.count(names(p)) == 1}
    wait_for(lambda: alone <= set(told()), 60,
             "all printers in the agent's list")
    known = told()
    for host in sorted(alone):
        want, got = printers[host], known[host]
        assert pick(got, ASSET) == pick(want["asset"], ASSET), host
        assert listed(got["counters"], COUNTER, "name") == \
            listed(want["counters"], COUNTER, "name"), host
        assert listed(got["consumables"], CONSUMABLE, "index") == \
            listed(want["consumables"], CONSUMABLE, "index"), host
    return len(alone)


def test_invented_printers(rig):
    names = sim_names()
    assert compare(rig, invented(names)) >= len(names) - 4


@pytest.mark.skipif(not WALKS.exists(), reason="no recorded printers here")
def test_recorded_printers(rig, tmp_path):
    assert compare(rig, recorded(tmp_path)) >= 15
