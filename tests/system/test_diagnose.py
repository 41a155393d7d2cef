"""`platen diagnose`: every credential is tried, what the device can do and
which object each value came from is shown, no secret is; its recording gives
nothing away and, played back, is the same printer."""
import json
import os
import socket
import stat
import subprocess

import pytest

from rig import PATIENCE, program, run_program, write_secret

IP = "127.19.0.{}"


@pytest.fixture(scope="module")
def fleet(module_rig):
    names = ["xerox", "hp-context", "brother", "pc"]
    sim = module_rig.sim
    sim.start([f"{IP.format(i + 1)}=@{n}" for i, n in enumerate(names)])
    sim.host = {n: f"{IP.format(i + 1)}:{sim.port}"
                for i, n in enumerate(names)}
    return sim


def diagnose(*args):
    """(exit status, stdout, stderr)"""
    done = run_program([program("platen"), "diagnose", *args], check=False)
    return done.returncode, done.stdout, done.stderr


def diagnose_json(*args):
    status, out, _ = diagnose("--json", *args)
    return status, json.loads(out)


def probe(host, *args):
    done = run_program([program("platen"), "probe", "--json", *args, host],
                       check=False)
    return json.loads(done.stdout)[0]


def config(tmp_path, port, more=""):
    path = tmp_path / "platen.ini"
    write_secret(tmp_path / "auth", "a wrong password\n")
    write_secret(path, f"""[agent]
name = site
[xmpp]
jid = a@example.test
password_file = /nonexistent
central = c.example.test
[crypto]
central_key = D6poTtKIZ7l/Smot7l34zpdOdrcBjj8iocTPJnhXDyA=
[discovery]
hosts = 127.19.0.1
[snmp wrong]
version = 2c
community = nottheone
port = {port}
timeout = 200ms
retries = 0
[snmp right]
community = public
port = {port}
{more}""")
    return path


def test_every_credential_is_tried(fleet, tmp_path):
    path = config(tmp_path, fleet.port, f"""[snmp secure]
version = 3
user = fleet
auth = sha1
auth_password_file = {tmp_path}/auth
port = {fleet.port}
""")
    status, got = diagnose_json("-c", path, "--timeout", "0.2",
                                IP.format(1))
    assert status == 0 and got["printer"]
    assert [(t["name"], t["version"], t["works"]) for t in got["tried"]] == [
        ("secure", "v3", False), ("wrong", "v2c", False),
        ("right", "v2c", True), ("right", "v1", True)]
    assert "no answer" in got["tried"][1]["outcome"]
    status, out, err = diagnose("-c", path, "--timeout", "0.2", IP.format(1))
    for secret in "nottheone", "a wrong password":
        assert secret not in out + err


def test_fields_and_their_objects(fleet):
    status, got = diagnose_json(fleet.host["xerox"])
    assert status == 0
    fields = {f["name"]: f for f in got["printers"][0]["fields"]}
    probed = probe(fleet.host["xerox"])
    for name in "make", "model", "serial", "mac", "hostname", "firmware":
        assert fields[name]["value"] == probed["asset"][name], name
    assert any(o.startswith("1.3.6.1.2.1.1.5.0")
               for o in fields["hostname"]["objects"])
    for c in probed["counters"]:
        assert fields[f"counter {c['name']}"]["value"] == str(c["value"])
    for s in probed["consumables"]:
        level = fields[f"supply {s['index']} level"]
        assert level["value"] == str(s["level"])
        assert level["objects"] == [
            f"1.3.6.1.2.1.43.11.1.1.9.1.{s['index']}"]
    assert got["heartbeat"]["requests"] == 1
    assert got["reading"]["requests"] > 1 and got["reading"]["bytes_in"] > 0
    assert got["can_do"]["version"] == "v2c"
    assert got["faults"] == []


def test_what_it_can_do(fleet):
    status, got = diagnose_json(fleet.host["hp-context"])
    assert status == 0 and got["can_do"]["jetdirect"]
    fleet.send("toobig", "127.19.0.3", 4)
    try:
        status, got = diagnose_json("--timeout", "0.5", fleet.host["brother"])
    finally:
        fleet.send("toobig", "127.19.0.3", "off")
    assert status == 0
    assert 1 <= got["can_do"]["objects_a_request"] <= 4
    assert any("tooBig" in f for f in got["faults"])


def test_no_printer_and_nobody(fleet):
    status, got = diagnose_json(fleet.host["pc"])
    assert status == 1 and not got["printer"] and got["reason"]
    status, got = diagnose_json("--timeout", "0.1", "127.19.0.99:1")
    assert status == 1 and not any(t["works"] for t in got["tried"])
    assert got["reason"] == "no credential works"


def test_text_of_no_printer(fleet):
    status, out, err = diagnose(fleet.host["pc"])
    assert status == 1 and err == ""
    assert "(null)" not in out and "none that is known" in out
    assert out.count("Printer-MIB") == 1 and "no printer" in out


def test_text_is_for_people(fleet):
    status, out, err = diagnose(fleet.host["xerox"])
    assert status == 0 and err == ""
    for word in ("tried", "maker", "can do", "reading", "heartbeat",
                 "printer", "serial", "1.3.6.1.2.1.43"):
        assert word in out, out


@pytest.mark.parametrize("args", [
    [], ["a", "b"], ["--timeout", "x", "127.0.0.1"],
    ["--version", "5", "127.0.0.1"], ["--bogus", "127.0.0.1"],
    ["-c", "/nonexistent", "127.0.0.1"],
    ["-c", "/nonexistent", "--community", "x", "127.0.0.1"]], ids=" ".join)
def test_bad_usage(args):
    status, out, err = diagnose(*args)
    assert status == 2 and out == "" and err


def test_recording_plays_back(fleet, tmp_path):
    """Nothing that tells this device from another is left, and what is not
    its identity reads the same from the recording."""
    record = tmp_path / "case.snmprec"
    was = probe(fleet.host["xerox"])
    status, _, err = diagnose("--record", record, fleet.host["xerox"])
    assert status == 0 and str(record) in err
    assert stat.S_IMODE(os.stat(record).st_mode) == 0o600
    text = record.read_text().lower()
    asset = was["asset"]
    secrets = [asset["serial"], asset["mac"], asset["mac"].replace(":", ""),
               asset["hostname"], asset["location"]]
    secrets += [s["serial"] for s in was["consumables"] if s["serial"]]
    for secret in secrets:
        assert secret.lower() not in text, secret

    fleet.send("add", f"127.19.0.50={record}")
    now = probe(f"127.19.0.50:{fleet.port}")
    assert now["printer"]
    for key in "make", "model", "firmware", "errors", "state":
        assert now["asset"][key] == asset[key], key
    assert now["asset"]["serial"] and \
        now["asset"]["serial"] != asset["serial"]
    assert len(now["asset"]["serial"]) == len(asset["serial"])
    assert now["counters"] == was["counters"]
    strip = [{k: v for k, v in s.items() if k not in ("serial",)}
             for s in was["consumables"]]
    got = [{k: v for k, v in s.items() if k not in ("serial",)}
           for s in now["consumables"]]
    assert got == strip
    # The same again: the recording of the recording differs in names only.
    again = tmp_path / "again.snmprec"
    diagnose("--record", again, f"127.19.0.50:{fleet.port}")
    assert len(again.read_text().splitlines()) == len(
        record.read_text().splitlines())


def test_recording_of_a_context(fleet, tmp_path):
    record = tmp_path / "hp.snmprec"
    was = probe(fleet.host["hp-context"])
    status, _, _ = diagnose("--record", record, fleet.host["hp-context"])
    assert status == 0 and (tmp_path / "hp@Jetdirect.snmprec").exists()
    fleet.send("add", f"127.19.0.51={record}")
    now = probe(f"127.19.0.51:{fleet.port}")
    assert [(s["index"], s["level"], s["colour"]) for s in
            now["consumables"]] == [(s["index"], s["level"], s["colour"])
                                    for s in was["consumables"]]


def test_recording_that_cannot_be_written(fleet):
    status, _, err = diagnose("--record", "/nonexistent/x.snmprec",
                              fleet.host["xerox"])
    assert status == 1 and "/nonexistent/x.snmprec" in err


def test_no_community_in_the_list_of_processes():
    """Not any more when the first packet leaves."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.settimeout(10 * PATIENCE)
        host = "127.0.0.1:%d" % deaf.getsockname()[1]
        with subprocess.Popen([program("platen"), "diagnose", "--community",
                               "geheim", "--timeout", "5", host],
                              stdout=subprocess.DEVNULL) as child:
            assert b"geheim" in deaf.recv(2000)
            with open(f"/proc/{child.pid}/cmdline", "rb") as file:
                assert b"geheim" not in file.read()
            child.terminate()
