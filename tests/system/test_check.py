"""Promise: platen check says what is wrong with the configuration and with
files about makers, by file and line; and its list of objects is the whole of
what is ever asked: no command, no secret, nothing about users or their jobs."""
import csv
import json
import pathlib
import re

import pytest
from rig import ROOT, program, run_program, wait_for, write_secret

DATA = ROOT / "tests/data"

# What must be on no list, each with its reason.
FORBIDDEN = {
    "1.3.6.1.2.1.1.4": "sysContact names a person",
    "1.3.6.1.2.1.25.4": "programs that run on a host",
    "1.3.6.1.2.1.43.5.1.1.3": "a reset",
    "1.3.6.1.2.1.43.5.1.1.4": "the operator, a person",
    "1.3.6.1.2.1.43.5.1.1.5": "the service person",
    "1.3.6.1.2.1.43.5.1.1.16": "a name that people gave",
    "1.3.6.1.2.1.43.16": "the panel shows users and documents",
    "1.3.6.1.4.1.2699.1.1": "Job Monitoring MIB",
    "1.3.6.1.4.1.2699.1.2.1.2.1.1.7": "a community",
    "1.3.6.1.4.1.11.2.3.9.1.1.3": "HP's panel",
    "1.3.6.1.4.1.11.2.3.9.1.1.13": "a password of old network cards",
    "1.3.6.1.4.1.11.2.3.9.4.2.1.1.6": "HP's jobs",
    "1.3.6.1.4.1.236.11.5.11.81": "Samsung's users and passwords",
    "1.3.6.1.4.1.367.3.2.1.3": "Ricoh's queues",
    "1.3.6.1.4.1.1248.1.2.2.44": "Epson's commands",
    "1.3.6.1.4.1.2435.2.3.9.4.2.1.5.4.5": "Brother's panel",
}
TEXTS = {"model", "weak-model", "serial", "firmware", "hostname",
         "asset-tag", "id-1284", "label", "unit"}


def parts(oid):
    return tuple(map(int, oid.split(".")))


def within(oid, branch):
    return parts(oid)[:len(parts(branch))] == parts(branch)


def check(*words):
    done = run_program([program("platen"), "check", *words], False)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def listed(tmp_path_factory):
    """What platen check --json --objects says of the files built in."""
    empty = tmp_path_factory.mktemp("vendors")
    status, out, err = check("--json", "--objects", "--vendors", empty)
    said = json.loads(out)
    assert said["complaints"] == [] and err == ""
    assert {f["origin"] for f in said["files"]} == {"built in"}
    return said


def read(name):
    with open(DATA / name, encoding="utf-8") as tsv:
        return list(csv.DictReader(tsv, delimiter="\t",
                                   quoting=csv.QUOTE_NONE))


def asked(objects, oid, files=None):
    """Those listed at, below or above oid."""
    return [o for o in objects if (files is None or o["file"] in files) and
            (within(o["oid"], oid) or
             (o["column"] and within(oid, o["oid"])))]


# --- the data ---------------------------------------------------------------------

def test_all_files_are_built_in(listed):
    folder = {p.name for p in (ROOT / "snmp/vendors").glob("*.ini")}
    assert {f["file"] for f in listed["files"]} == folder
    assert len({f["name"] for f in listed["files"] if f["objects"]}) >= 16


@pytest.mark.parametrize("row", read("vendor-facts.tsv"), ids=lambda r:
                         f"{r['vendor']}-{r['fact']}".replace(" ", "_"))
def test_facts(listed, row):
    """Every known fact is where the table says, or nowhere for a reason."""
    oid, where, note = row["oid"], row["where"], row["note"] or ""
    files = {f["file"]: f for f in listed["files"]}
    if where == "-":
        assert note, "a fact that is not used needs a reason"
        assert not asked(listed["objects"], oid)
    elif where == "never":
        assert any(within(oid, n["oid"]) for n in listed["never"])
    elif where == "reader" or not oid:
        assert where in files or where in ("reader", "standard")
        assert "bulk" not in note or not files[where]["bulk"]
    elif note.startswith("enterprise"):
        assert oid in files[where]["enterprise"]
    else:
        assert asked(listed["objects"], oid, {where})


def test_every_fact_is_in_the_table():
    """Against the collection of facts that the table was made from."""
    source = ROOT.parent / "shared/facts/vendor-oids.tsv"
    if not source.exists():
        pytest.skip("the collection is not here")
    mine = [r["oid"] for r in read("vendor-facts.tsv") if r["oid"]]
    missing = []
    for line in source.read_text(encoding="utf-8").splitlines():
        field = line.split("\t")
        if len(field) < 7 or field[0] in ("vendor", "KNOWN FALSE") or \
                field[5] not in "ABC":
            continue
        for oid in re.findall(r"1\.3\.6\.1[.\d]*\d", field[3]):
            if not any(within(m, oid) or within(oid, m) for m in mine):
                missing.append((field[0], field[2], oid))
    assert not missing


@pytest.mark.parametrize("row", read("vendor-false.tsv"),
                         ids=lambda r: r["oid"])
def test_known_false(listed, row):
    """What others take an object for, and what it is not."""
    for o in asked(listed["objects"], row["oid"]):
        if not within(o["oid"], row["oid"]):
            continue
        for never in row["never as"].split():
            if never == "*counter":
                assert o["name"] in TEXTS or o["file"] == "standard" and \
                    not o["name"].endswith("Count"), o
            elif never.startswith("file:"):
                assert o["file"] != never[5:], o
            elif never.startswith("alone:"):
                whole = [p for p in listed["objects"]
                         if p.get("line") == o["line"] and
                         p["file"] == o["file"]]
                assert o["name"] != never[6:] or len(whole) > 1, o
            else:
                assert o["name"] != never, o


def test_nothing_forbidden_is_listed(listed):
    for branch, reason in FORBIDDEN.items():
        assert not asked(listed["objects"], branch), reason
    for never in listed["never"]:
        assert never["reason"]
        assert not asked(listed["objects"], never["oid"]), never


# --- what is really asked -------------------------------------------------------------

def allowed(objects):
    exact = {o["oid"] for o in objects if not o["column"]}
    columns = {o["oid"] for o in objects if o["column"]}
    # GETNEXT of a scalar starts from its object type.
    exact |= {o[:-2] for o in exact if o.endswith(".0")}

    def may(oid):
        part = oid.split(".")
        return oid in exact or any(".".join(part[:n]) in columns
                                   for n in range(7, len(part) + 1))
    return may


def test_only_listed_objects_are_asked(rig, listed):
    """By probe, by the sweep and by the daemon, of all invented printers."""
    names = [n for n in run_program([program("platen-sim"), "--printers"])
             .split() if "@" not in n]
    hosts = [f"127.10.77.{i + 1}" for i in range(len(names))]
    assert len(hosts) >= 18
    rig.sim.start([f"{h}=@{n}" for h, n in zip(hosts, names)])
    run_program([program("platen"), "probe"] +
                [f"{h}:{rig.sim.port}" for h in hosts], False)
    rig.server.start()
    rig.central.init()
    rig.central.start()
    rig.agent.networks = "127.10.77.0/26"
    rig.agent.enrol().write().start()
    wait_for(lambda: len(rig.central.json("devices")) >= len(hosts) - 4, 40)
    printers = [d["ip"] for d in rig.central.json("devices")]
    for host in printers[:6]:
        rig.sim.send("restart", host)
        rig.sim.send("alert", host, "raise", "code=8", "severity=3",
                     "text=jam")
    before = {h: set(map(str, rig.sim.send("asked", h))) for h in hosts}
    life = "1.3.6.1.2.1.43.10.2.1.4"
    assert any(within(o, life) for o in before[printers[0]])
    rig.sim.send("print", printers[0], 3)
    wait_for(lambda: len(rig.central.json("alerts")) >= 6, 30)
    wait_for(lambda: any(
        c["value"] == int(rig.sim.get(d["ip"], c["oid"]))
        for d in rig.central.json("devices") if d["ip"] == printers[0]
        for c in d["counters"] if c["name"] == "total"), 30)
    may = allowed(listed["objects"])
    for host, name in zip(hosts, names):
        wrong = [o for o in rig.sim.send("asked", host) if not may(str(o))]
        assert not wrong, (name, wrong)
        for branch, reason in FORBIDDEN.items():
            assert not [o for o in rig.sim.send("asked", host)
                        if within(str(o), branch)], (name, reason)
    assert re.search(r"\d\d files about makers", rig.agent.log())
    # Some makers' printers are never asked with GETBULK, others are.
    slow = [f for f in listed["files"] if not f["bulk"]]
    assert {f["name"] for f in slow} == {"hp", "brother"}
    bulks = {n: rig.sim.send("stats", h)["bulks"]
             for h, n in zip(hosts, names)}
    assert bulks["sharp"] > 0
    assert not [n for n in bulks if n.startswith(("hp-", "brother"))
                and bulks[n]], bulks


def test_a_model_of_ones_own(rig, tmp_path):
    """A technician describes a printer that nobody knew: no compiler, and
    a broken file beside it does not keep the daemon from anything."""
    host, tree = "127.10.79.1", "1.3.6.1.4.1.99999"
    rig.sim.start([f"{host}=@pantum"])
    rig.sim.send("set", host, "1.3.6.1.2.1.1.2.0", "6", f"{tree}.7")
    rig.sim.send("set", host, "1.3.6.1.2.1.1.1.0", "4", "Acme Printall 3")
    for row, label, count in (4, "Color", 70), (9, "Mono ", 4050):
        rig.sim.send("set", host, f"{tree}.2.1.{row}", "4", label)
        rig.sim.send("set", host, f"{tree}.2.2.{row}", "65", count)
    rig.sim.send("set", host, f"{tree}.1.0", "4", "AC-000177")
    (tmp_path / "acme.ini").write_text(f"""[vendor]
name = acme
make = Acme
enterprise = {tree}
[identity]
serial = {tree}.1.0
[table]
label = {tree}.2.1
value = {tree}.2.2
unit = impressions
mono = Mono
colour = Color
[checks]
total = mono + colour
""")
    (tmp_path / "broken.ini").write_text(BROKEN)
    rig.server.start()
    rig.central.init()
    rig.central.start()
    rig.agent.more = {"agent": {"vendors": tmp_path}}
    rig.agent.enrol().write().start()
    wait_for(lambda: rig.central.json("devices"), 30)
    device, = rig.central.json("devices")
    assert device["serial"] == "AC-000177"
    counters = {c["name"]: c for c in device["counters"]}
    assert counters["mono"]["value"] == 4050
    assert counters["mono"]["oid"] == f"{tree}.2.2.9"
    assert counters["total"]["value"] == 4120
    assert counters["total"]["check"] == "ok"
    assert f"{tmp_path}/broken.ini:7: " in rig.agent.log()
    # Labels move when the configuration changes, and are looked up anew.
    rig.sim.send("set", host, f"{tree}.2.1.4", "4", "Mono")
    rig.sim.send("set", host, f"{tree}.2.1.9", "4", "Color")
    rig.sim.send("config", host)
    wait_for(lambda: {c["name"]: c["oid"] for d in rig.central.json("devices")
                      for c in d["counters"]}.get("mono") ==
             f"{tree}.2.2.4", 30, "the other row")


# --- what is wrong -------------------------------------------------------------------

BROKEN = """\
; a maker that nobody knows
[vendor]
name = acme
enterprise = 1.3.6.1.4.1.99999

[counters]
mno = 1.3.6.1.4.1.99999.1.1.0
colour = 1.3.6.1.4.1.99999.1.x
"""


def test_a_broken_file(tmp_path):
    (tmp_path / "acme.ini").write_text(BROKEN)
    status, out, err = check("--vendors", tmp_path)
    assert status == 1 and err == ""
    assert f'{tmp_path}/acme.ini:7: "mno" is no counter' in out
    assert f"{tmp_path}/acme.ini:8: " in out
    assert "1 passed over" in out
    status, out, err = check("--json", "--vendors", tmp_path)
    said = json.loads(out)
    assert status == 1 and said["own"] == str(tmp_path)
    assert [(pathlib.Path(c["file"]).name, c["line"])
            for c in said["complaints"]] == [("acme.ini", 7), ("acme.ini", 8)]
    assert "acme.ini" not in [f["file"] for f in said["files"]]


def test_a_good_file(tmp_path):
    (tmp_path / "acme.ini").write_text(
        BROKEN.replace("mno", "mono").replace(".x", ".2.0"))
    status, out, _ = check("--vendors", tmp_path)
    assert status == 0
    assert re.search(r"acme.ini +acme +2 +own", out)
    status, out, err = check("--objects", "--vendors", tmp_path)
    assert status == 0 and err == ""
    lines = [line.split("\t") for line in out.splitlines()]
    assert all(len(line) == 3 for line in lines)
    assert ["1.3.6.1.4.1.99999.1.1.0", "mono", "acme.ini"] in lines
    assert ["1.3.6.1.2.1.43.11.1.1.9.*", "prtMarkerSuppliesLevel",
            "standard"] in lines


@pytest.mark.parametrize("oid, reason", [
    ("1.3.6.1.4.1.236.11.5.11.81.10.1.6.0", "passwords"),
    ("1.3.6.1.4.1.1248.1.2.2.44.1.1.2.1", "command"),
    ("1.3.6.1.2.1.1.4.0", "person")])
def test_what_must_never_be_asked(tmp_path, oid, reason):
    (tmp_path / "mine.ini").write_text(
        f"[vendor]\nname = acme\ntext = acme\n[identity]\nserial = {oid}\n")
    status, out, _ = check("--vendors", tmp_path)
    assert status == 1
    assert re.search(rf"mine.ini:5: {oid} must never be asked: .*{reason}",
                     out)


def test_odd_folders(tmp_path):
    """Whatever lies there does no harm to the rest."""
    (tmp_path / "folder.ini").mkdir()
    (tmp_path / "large.ini").write_text("; x\n" * 20000)
    (tmp_path / "binary.ini").write_bytes(bytes(range(256)) * 20)
    (tmp_path / "gone.ini").symlink_to(tmp_path / "nowhere")
    (tmp_path / "notes.txt").write_text("no vendor file\n")
    (tmp_path / ".hidden.ini").write_text("nor this\n")
    (tmp_path / "good.ini").write_text("[vendor]\nname = acme\ntext = acme\n")
    status, out, _ = check("--json", "--vendors", tmp_path)
    said = json.loads(out)
    assert status == 1
    assert {pathlib.Path(c["file"]).name for c in said["complaints"]} == {
        "folder.ini", "large.ini", "binary.ini", "gone.ini"}
    assert [f["file"] for f in said["files"] if f["origin"] == "own"] == [
        "good.ini"]
    assert check("--vendors", tmp_path / "missing")[0] == 1


def test_configuration(tmp_path):
    (tmp_path / "vendors").mkdir()
    (tmp_path / "vendors" / "acme.ini").write_text(BROKEN)
    path = tmp_path / "platen.ini"
    write_secret(path, "[agent]\nname = site\nvendors = nowhere\nfoo = 1\n")
    status, out, _ = check("-c", path)
    assert status == 1 and "platen.ini:4" in out
    write_secret(tmp_path / "password", "secret\n")
    public = re.search(r"public key +(\S+)", run_program(
        [program("platen"), "keygen", tmp_path / "key"]))[1]
    write_secret(path, f"""[agent]
name = site
state_dir = {tmp_path}/state
vendors = {tmp_path}/vendors
[xmpp]
jid = site@example.org
password_file = {tmp_path}/password
central = platen.example.org
[crypto]
central_key = {public}
[discovery]
hosts = 192.0.2.1
""")
    status, out, _ = check("-c", path)
    assert f"{path} is fine" in out
    assert status == 1 and "acme.ini:7" in out
    assert check("-c", tmp_path / "missing.ini")[0] == 1


def test_usage():
    for words in (["extra"], ["--wrong"], ["--vendors"]):
        status, out, err = check(*words)
        assert status == 2 and "usage: platen check" in err
    status, out, _ = check("--help")
    assert status == 0 and "usage: platen check" in out
    assert max(map(len, out.splitlines())) <= 80
