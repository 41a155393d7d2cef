"""Goal: `platen probe` tells what a printer says, in three forms and with the
exit status that design.md 7 names, however badly the printer behaves,
and asks for nothing that it has no business with."""
import json
import os
import shutil
import socket
import subprocess
import time
import xml.etree.ElementTree as ET

import pytest

from rig import ROOT, program, run_program, wait_for

IP = "127.13.0.{}"
NS = "{urn:platen:report:1}"
ASSET = {"make", "model", "serial", "mac", "hostname", "ip", "location",
         "asset_tag", "firmware", "state", "errors"}
COUNTER = {"name", "value", "unit", "oid", "check"}
CONSUMABLE = {"index", "kind", "colour", "class", "description",
              "part_number", "serial", "unit", "level", "capacity",
              "percent", "state"}
ALERT = {"index", "code", "code_name", "severity", "group", "group_index",
         "training", "description", "location", "time_ticks"}


def probe(*args, **more):
    """(exit status, stdout, stderr)"""
    done = run_program([program("platen"), "probe", *args], check=False,
                       **more)
    return done.returncode, done.stdout, done.stderr


def probe_json(*args):
    status, out, _ = probe("--json", *args)
    return status, json.loads(out)


@pytest.fixture(scope="module")
def fleet(module_rig):
    names = ["hp-mono", "hp-colour", "brother", "kyocera", "hp-context",
             "pc", "switch", "zebra"]
    sim = module_rig.sim
    sim.start([f"{IP.format(i + 1)}=@{n}" for i, n in enumerate(names)])
    sim.host = {n: f"{IP.format(i + 1)}:{sim.port}"
                for i, n in enumerate(names)}
    sim.ip = {n: IP.format(i + 1) for i, n in enumerate(names)}
    return sim


@pytest.fixture
def well(fleet):
    """The same fleet; what break_ breaks is mended after the test."""
    broken = []

    def break_(name, fault, arg):
        fleet.send(fault, fleet.ip[name], arg)
        broken.append((name, fault))

    fleet.break_ = break_
    yield fleet
    for name, fault in broken:
        fleet.send(fault, fleet.ip[name], "off")


def test_json_has_the_agreed_keys(fleet):
    status, found = probe_json(fleet.host["hp-colour"])
    assert status == 0 and len(found) == 1
    one = found[0]
    assert one["host"] == fleet.host["hp-colour"]
    assert one["printer"] is True and one["reason"] is None
    assert ASSET <= one["asset"].keys()
    assert one["asset"]["ip"] == fleet.ip["hp-colour"]
    assert one["asset"]["state"] == "online"
    assert isinstance(one["asset"]["errors"], list)
    assert one["asset"]["make"] == "HP" and one["asset"]["serial"]
    assert one["counters"] and one["consumables"]
    assert all(COUNTER <= c.keys() for c in one["counters"])
    assert all(CONSUMABLE <= c.keys() for c in one["consumables"])
    assert one["traffic"].keys() == {"requests", "bytes_out", "bytes_in"}
    assert all(v > 0 for v in one["traffic"].values())
    # Nothing that a probe cannot know.
    assert not {"id", "key", "zone"} & one["asset"].keys()


def test_values_are_what_the_printer_says(well):
    ip = well.ip["hp-mono"]
    well.send("level", ip, 1, 7)
    index = well.raise_alert(ip, code=8, severity=3, group=8,
                             text="Jam in tray 2")
    _, found = probe_json(well.host["hp-mono"])
    supply = {c["index"]: c for c in found[0]["consumables"]}[1]
    assert supply["level"] == 7 and supply["capacity"] == 100
    assert supply["percent"] == 7
    alert = [a for a in found[0]["alerts"] if a["index"] == index][0]
    assert ALERT <= alert.keys()
    assert (alert["code"], alert["code_name"]) == (8, "jam")
    assert alert["severity"] == "critical"
    assert alert["description"] == "Jam in tray 2"


def test_people_read_80_columns(well):
    well.raise_alert(well.ip["hp-colour"], code=808, severity=4, group=8,
                     text="Tray 3 is empty and wants to be filled with the "
                     "paper that the job asks for, which is long to say")
    status, out, _ = probe(*well.host.values(), "--timeout", "0.5")
    assert status == 1
    assert max(len(line) for line in out.splitlines()) <= 80
    assert "[" in out and "%" in out and "serial" in out
    for absent in ("null", "None", "unreachable", "(null)"):
        assert absent not in out
    assert "not a printer" in out


def test_xml_is_a_report(fleet):
    status, out, _ = probe("--xml", fleet.host["hp-mono"],
                           fleet.host["brother"])
    assert status == 0
    lines = out.splitlines()
    assert len(lines) == 2
    for line in lines:
        report = ET.fromstring(line)
        assert report.tag == NS + "report" and not report.attrib
        assert report.find(f"{NS}asset/{NS}serial").text
        assert report.findall(NS + "consumable")
        asset = report.find(NS + "asset").get("id")
        assert {c.get("asset") for c in
                report.findall(NS + "consumable")} == {asset}
        valid = subprocess.run(
            ["xmllint", "--noout", "--schema", "schema/report.xsd", "-"],
            input=line, text=True, stderr=subprocess.PIPE, cwd=ROOT)
        assert valid.returncode == 0, valid.stderr


def test_what_is_no_printer_is_named_and_left_alone(fleet):
    for name in ("pc", "switch"):
        status, found = probe_json(fleet.host[name])
        assert status == 1
        assert found[0]["printer"] is False and found[0]["reason"]
        assert found[0]["consumables"] == []
        assert found[0]["traffic"]["requests"] <= 5
    status, _ = probe_json(fleet.host["pc"], fleet.host["hp-mono"])
    assert status == 1


def test_supplies_in_the_jetdirect_context(fleet):
    status, found = probe_json(fleet.host["hp-context"])
    assert status == 0
    assert all(c["description"] and c["level"] is not None
               for c in found[0]["consumables"])


def test_silent_refused_unknown(fleet):
    start = time.monotonic()
    status, found = probe_json("--timeout", "0.2", f"127.13.9.9:{fleet.port}",
                               "127.0.0.1:9", "no-such-host.invalid")
    assert time.monotonic() - start < 10
    assert status == 1
    assert [f["asset"]["state"] for f in found] == ["unreachable"] * 3
    assert not any(f["printer"] for f in found)
    assert "v2c or v1" in found[0]["reason"]
    assert "community right" in found[0]["reason"]
    assert "refused" in found[1]["reason"]
    assert "no-such-host.invalid" in found[2]["reason"]


def one(fleet, name, *args):
    status, found = probe_json(*args, fleet.host[name])
    return status, found[0]


def same(a, b):
    for key in ("asset", "counters", "consumables", "alerts"):
        assert a[key] == b[key]


@pytest.mark.parametrize("faults", [
    ["v1only on"], ["toobig 4"], ["toobig 1"], ["twice on"], ["slow 60"],
    ["v1only on", "toobig 3"]], ids=",".join)
def test_same_facts_however_it_answers(well, faults):
    _, want = one(well, "kyocera")
    for fault in faults:
        name, arg = fault.split()
        well.break_("kyocera", name, arg)
    status, got = one(well, "kyocera", "--timeout", "0.5")
    assert status == 0
    same(got, want)


def test_lost_packets_are_asked_again(well):
    _, want = one(well, "brother")
    well.break_("brother", "lose", 15)
    for _ in range(5):
        status, got = one(well, "brother", "--timeout", "0.2")
        if status == 0 and got["consumables"] == want["consumables"]:
            return
    pytest.fail(f"never whole: {got}")


@pytest.mark.parametrize("fault", ["garbage on", "wrongid on", "truncate 40",
                                   "endless 1.3.6.1.2.1.43.11.1.1.6",
                                   "loop 1.3.6.1.2.1.43.11.1.1.6"])
def test_bad_answers_end_with_a_reason(well, fault):
    name, arg = fault.split()
    well.break_("hp-mono", name, arg)
    start = time.monotonic()
    status, got = one(well, "hp-mono", "--timeout", "0.2")
    assert time.monotonic() - start < 20
    if got["printer"]:
        assert got["asset"]["serial"]
        _, text, _ = probe("--timeout", "0.2", well.host["hp-mono"])
        assert "note: walk of prtMarkerSupplies" in text
    else:
        assert status == 1 and got["reason"]


def test_asks_for_nothing_else(well):
    """The sim remembers what it was asked for: of the system group no
    contact, of the printer no console and no job, of private trees no walk
    from above."""
    ip = well.ip["brother"]
    well.send("reset")          # what it remembers
    one(well, "brother")
    asked = well.send("asked", ip)
    oids = [str(a["oid"] if isinstance(a, dict) else a) for a in asked]
    assert len(oids) > 20
    for oid in oids:
        assert not oid.startswith("1.3.6.1.2.1.1.4")
        assert not oid.startswith("1.3.6.1.2.1.43.16")
        assert oid.startswith("1.3.6.1.2.1.") or oid.count(".") > 8, oid


def test_community(well, tmp_path):
    sim = well
    sim.send("add", "127.13.1.1=@brother,community=other")
    host = f"127.13.1.1:{sim.port}"
    status, found = probe_json("--timeout", "0.2", host)
    assert status == 1 and found[0]["asset"]["state"] == "unreachable"
    status, found = probe_json("--community", "other", host)
    assert status == 0
    file = tmp_path / "community"
    file.write_text("other\n")
    file.chmod(0o600)
    status, found = probe_json("--community-file", file, host)
    assert status == 0
    file.chmod(0o644)
    status, out, err = probe("--community-file", file, host)
    assert status == 2 and out == "" and "community" in err


def test_community_does_not_stay_in_the_list_of_processes():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 0))
        host = "127.0.0.1:%d" % deaf.getsockname()[1]
        with subprocess.Popen([program("platen"), "probe", "--community",
                               "geheim", "--timeout", "5", host],
                              stdout=subprocess.DEVNULL) as child:
            deaf.settimeout(10)
            assert b"geheim" in deaf.recv(2000)
            with open(f"/proc/{child.pid}/cmdline", "rb") as file:
                assert b"geheim" not in file.read()
            child.terminate()


@pytest.mark.parametrize("args", [
    [], ["--version", "3", "127.0.0.1"],
    ["--user", "u", "--auth", "sha1", "127.0.0.1"],
    ["--version", "2c", "--user", "u", "127.0.0.1"], ["--version", "4", "127.0.0.1"],
    ["--timeout", "-1", "127.0.0.1"], ["--timeout", "x", "127.0.0.1"],
    ["--json", "--xml", "127.0.0.1"], ["--bogus", "127.0.0.1"],
    ["--community-file", "/nonexistent", "127.0.0.1"]], ids=" ".join)
def test_bad_usage(args):
    status, out, err = probe(*args)
    assert status == 2 and out == "" and err
    if "3" in args:
        assert "--user" in err


def test_help():
    status, out, err = probe("--help")
    assert status == 0 and "HOST[:PORT]" in out and err == ""
    assert max(map(len, out.splitlines())) <= 80


def test_versions(well):
    for version in ("1", "2c"):
        status, got = one(well, "hp-mono", "--version", version)
        assert status == 0, version
    well.break_("hp-mono", "v1only", "on")
    status, got = one(well, "hp-mono", "--version", "2c", "--timeout", "0.2")
    assert status == 1 and "v2c from" in got["reason"]


# --- an agent that is not ours: net-snmp's own, which is no printer --------

@pytest.fixture
def snmpd(rig):
    if not shutil.which("snmpd", path=os.environ["PATH"] + ":/usr/sbin"):
        pytest.skip("no snmpd")
    port = rig.ports.take()
    conf = rig.dir / "snmpd.conf"
    conf.write_text("rocommunity public 127.0.0.1\n"
                    "sysLocation Cellar\nsysName independent\n")
    env = dict(os.environ, SNMP_PERSISTENT_DIR=str(rig.dir),
               PATH=os.environ["PATH"] + ":/usr/sbin")
    with subprocess.Popen(
            ["snmpd", "-f", "-Lf", str(rig.dir / "snmpd.log"), "-C", "-c",
             str(conf), "-I", "system_mib,ifTable,hr_device,hr_system",
             f"udp:127.0.0.1:{port}"], env=env) as child:
        yield f"127.0.0.1:{port}"
        child.kill()


@pytest.mark.parametrize("version", ["1", "2c"])
def test_an_independent_agent(snmpd, version):
    def answers():
        status, found = probe_json("--version", version, "--timeout", "0.3",
                                   snmpd)
        assert status == 1
        return found[0]["asset"]["state"] != "unreachable" and found[0]

    found = wait_for(answers, 10)
    assert found["printer"] is False and found["reason"]
    assert found["asset"]["hostname"] == "independent"
    assert found["asset"]["location"] == "Cellar"


def test_no_cores(rig):
    """Whatever a printer says, no credential gets into a core."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind((IP.format(99), 0))
        with subprocess.Popen(
                [program("platen"), "probe", "--version", "1", "--timeout",
                 "5", "{}:{}".format(*silent.getsockname())],
                stdout=subprocess.DEVNULL) as child:
            silent.settimeout(10)
            silent.recv(2000)
            with open(f"/proc/{child.pid}/limits", encoding="ascii") as text:
                limits = [line.split() for line in text]
            child.kill()
    assert ["Max", "core", "file", "size", "0", "0", "bytes"] in limits
