"""The lies that firmware tells (printers.md 13), each a simulated printer of
tests/sim/lies: what `platen probe` makes of it, and where time is part of the
lie, what the daemon and the centre do."""
import json

import pytest

from rig import ROOT, Rig, program, run_program, wait_for

LIES = ROOT / "tests" / "sim" / "lies"
SUPPLY = "1.3.6.1.2.1.43.11.1.1"
ALERT = "1.3.6.1.2.1.43.18.1.1"


def lines_of(name):
    for line in (LIES / f"{name}.snmprec").read_text().splitlines():
        if line and not line.startswith("#"):
            yield line.split("|", 1)


def compose(name, to):
    """The honest printer with the lie's lines in place of its own."""
    values = dict(lines_of("honest"))
    if name != "honest":
        for oid, value in lines_of(name):
            if value != "-":
                values[oid] = value
            elif oid.endswith(".*"):
                values = {k: v for k, v in values.items()
                          if not k.startswith(oid[:-1])}
            else:
                values.pop(oid, None)
    key = lambda oid: [int(part) for part in oid.split(".")]  # noqa: E731
    path = to / f"{name}.snmprec"
    path.write_text("".join(f"{oid}|{values[oid]}\n"
                            for oid in sorted(values, key=key)))
    return path


def name_of(number):
    return min((p.stem for p in LIES.glob(f"{number:02}-*.snmprec")), key=len)


@pytest.fixture(scope="module")
def liars(module_rig, tmp_path_factory):
    """All of them at 127.21.0.NUMBER, the honest one at .100."""
    where = tmp_path_factory.mktemp("lies")
    sim = module_rig.sim
    devices = [f"127.21.0.100={compose('honest', where)}"]
    compose("02-types-only@Jetdirect", where)
    for number in range(1, 25):
        path = compose(name_of(number), where)
        devices.append(f"127.21.0.{number}={path}")
    sim.start(devices)
    return sim


def probe(sim, number, *args):
    done = run_program([program("platen"), "probe", "--json", "--timeout",
                        "0.5", *args, f"127.21.0.{number}:{sim.port}"],
                       check=False)
    found = json.loads(done.stdout)
    assert len(found) == 1, found
    return found[0]


def supply(found, index):
    return next(s for s in found["consumables"] if s["index"] == index)


def counters(found):
    return {c["name"]: c for c in found["counters"]}


def asked(sim, number):
    return sim.send("asked", f"127.21.0.{number}")


def test_there_are_all_of_them():
    numbers = {int(p.name[:2]) for p in LIES.glob("[0-9]*.snmprec")}
    assert numbers == set(range(1, 25))


def test_the_honest_one(liars):
    got = probe(liars, 100)
    assert got["printer"] and got["asset"]["model"] == "Plainprint P20"
    assert got["asset"]["serial"] == "PP20-004711"
    assert got["asset"]["errors"] == [] and got["alerts"] == []
    one = supply(got, 1)
    assert (one["percent"], one["colour"], one["state"]) == \
        (60, "black", "ok")
    assert counters(got)["total"]["value"] == 20500


def test_01_a_computer_is_no_printer(liars):
    got = probe(liars, 1)
    assert not got["printer"] and got["reason"]
    assert got["consumables"] == [] and got["counters"] == []


def test_02_supplies_in_the_other_context(liars):
    got = probe(liars, 2)
    one = supply(got, 1)
    assert one["description"] == "Black Toner" and one["percent"] == 60


def test_03_more_than_it_holds(liars):
    one = supply(probe(liars, 3), 2)
    assert one["level"] == 143065 and one["capacity"] == 100
    assert one["percent"] is None
    assert one["state"] in ("unknown", "not-reported")


def test_04_percent_without_capacity(liars):
    one = supply(probe(liars, 4), 1)
    assert one["percent"] == 35
    assert one["level"] == 35 and one["capacity"] == -2


def test_05_odd_negative_levels(liars):
    got = probe(liars, 5)
    assert supply(got, 1)["percent"] is None
    assert supply(got, 1)["state"] == "low"
    assert supply(got, 2)["percent"] is None
    assert supply(got, 2)["state"] == "unknown"


def test_06_nul_and_symbol_sets(liars):
    got = probe(liars, 6)
    assert got["asset"]["model"].endswith("LaserJet 9991")
    assert got["asset"]["serial"] == "VNC9990017"
    one = supply(got, 1)
    assert "\0" not in one["description"]
    assert one["part_number"] == "CF999A"


def test_07_twins_and_holes(liars):
    got = probe(liars, 7)
    assert [s["index"] for s in got["consumables"]] == [1, 5, 31]
    assert supply(got, 1)["percent"] == 60
    assert supply(got, 5)["percent"] is None
    assert supply(got, 5)["state"] == "some"
    assert supply(got, 31)["percent"] == 80


def test_08_utf8_called_roman8(liars):
    assert supply(probe(liars, 8), 1)["description"] == "Tóner negro"


def test_09_the_suffix_counts(liars):
    got = probe(liars, 9)
    assert got["printer"] and supply(got, 1)["percent"] == 60
    assert got["asset"]["model"] == "Plainprint P20"


def test_10_the_stronger_model(liars):
    assert probe(liars, 10)["asset"]["model"] == "Plainprint P20"


def test_11_no_octet_is_no_error(liars):
    got = probe(liars, 11)
    assert got["asset"]["errors"] == [] and got["printer"]


def test_12_low_paper_is_shown(liars):
    got = probe(liars, 12)
    assert got["asset"]["errors"] == ["lowPaper"]
    assert got["asset"]["state"] == "online"


def test_13_what_was_never_set(liars):
    scans = counters(probe(liars, 13))
    host = scans.get("scan-adf-host")
    assert host is None or host["check"] == "mismatch"


def test_14_a_serial_of_x(liars):
    got = probe(liars, 14)
    assert got["printer"]
    assert got["asset"]["serial"] in (None, "XXXXXXXXXX")


def test_15_two_totals(liars):
    got = counters(probe(liars, 15))
    assert got["total"]["value"] == 1300
    assert got["total"]["oid"] == "1.3.6.1.2.1.43.10.2.1.4.1.1"
    assert got["vendor-total"]["value"] == 990
    assert got["vendor-total"]["oid"].startswith("1.3.6.1.4.1.2435.")


def test_16_from_the_future(liars):
    (alert,) = probe(liars, 16)["alerts"]
    assert alert["code"] == 8 and alert["time_ticks"] == 4294960000


def test_17_one_level_indexes(liars):
    (one,) = probe(liars, 17)["consumables"]
    assert one["percent"] == 60 and one["kind"] == "toner"


def test_18_circles_end(liars):
    liars.send("loop", "127.21.0.18", f"{SUPPLY}.6.1.1")
    try:
        got = probe(liars, 18)
        assert got["printer"]
        assert counters(got)["total"]["value"] == 20500
        assert got["traffic"]["requests"] < 60
        liars.send("endless", "127.21.0.18", f"{SUPPLY}.6")
        got = probe(liars, 18)
        assert got["printer"] and got["traffic"]["requests"] < 450
    finally:
        liars.send("loop", "127.21.0.18", "off")
        liars.send("endless", "127.21.0.18", "off")


def test_19_only_v1(liars):
    liars.send("v1only", "127.21.0.19", "on")
    liars.send("nobulk", "127.21.0.19", "on")
    try:
        got = probe(liars, 19)
    finally:
        liars.send("v1only", "127.21.0.19", "off")
        liars.send("nobulk", "127.21.0.19", "off")
    assert got["printer"] and supply(got, 1)["percent"] == 60


def test_19_bulk_dropped(liars):
    liars.send("nobulk", "127.21.0.19", "on")
    try:
        got = probe(liars, 19, "--version", "2c")
    finally:
        liars.send("nobulk", "127.21.0.19", "off")
    assert got["printer"] and supply(got, 1)["percent"] == 60


def test_20_its_own_objects_are_left_alone(liars):
    liars.send("poison", "127.21.0.20", "1.3.6.1.4.1.2435")
    try:
        got = probe(liars, 20)
    finally:
        liars.send("poison", "127.21.0.20", "off")
    assert got["printer"] and supply(got, 1)["percent"] == 60
    assert not [o for o in asked(liars, 20)
                if str(o).startswith("1.3.6.1.4.1.2435.")]


def test_22_brand_by_the_text(liars):
    got = probe(liars, 22)
    assert got["asset"]["make"].lower() == "toshiba"
    assert got["asset"]["engine"] == "lexmark"


# --- lies that take time --------------------------------------------------

@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """A whole system that watches those whose lie is in what comes after."""
    where = tmp_path_factory.mktemp("watched")
    devices = [f"127.21.1.{n}={compose(name_of(n), where)}"
               f",serial=PP20-10{n}"
               for n in (12, 16, 21, 23)]
    devices += [f"127.21.1.24={compose(name_of(24), where)}"
                ",mac=00:00:5e:00:53:24",
                f"127.21.1.25={compose(name_of(24), where)}"
                ",mac=00:00:5e:00:53:25"]
    with Rig("lies") as rig:
        rig.start(devices=devices, schedule={"heartbeat": "300ms",
                                             "supplies": "300ms",
                                             "counters": "300ms"})
        wait_for(lambda: len(rig.central.json("devices")) >= 6, 30,
                 "six devices at the centre")
        yield rig


def at(rig, number, what="devices"):
    return [row for row in rig.central.json(what)
            if row.get("ip") == f"127.21.1.{number}"]


def asset_id(rig, number):
    return at(rig, number)[0]["asset"]


def rows(rig, number, what):
    asset = asset_id(rig, number)
    return [r for r in rig.central.json(what) if r["asset"] == asset]


def settle(rig, number, beats=4):
    """Until the printer was asked some more times."""
    host = f"127.21.1.{number}"
    was = rig.sim.send("stats", host)["requests"]
    wait_for(lambda: rig.sim.send("stats", host)["requests"] >= was + beats,
             20, f"{beats} more requests to {host}")


def test_12_low_paper_for_ever_is_no_alert(watched):
    """Nobody could ever clear it."""
    settle(watched, 12)
    assert at(watched, 12)[0]["errors"] == ["lowPaper"]
    assert rows(watched, 12, "alerts") == []


def test_16_raised_when_first_seen(watched):
    wait_for(lambda: rows(watched, 16, "alerts"), 20, "the alert")
    (alert,) = rows(watched, 16, "alerts")
    assert alert["raised"] <= at(watched, 16)[0]["received_at"]
    # The clock wraps once more: the same jam, not another one.
    host = "127.21.1.16"
    watched.sim.send("set", host, "1.3.6.1.2.1.1.3.0", 67, 5)
    settle(watched, 16, 8)
    assert [a["id"] for a in rows(watched, 16, "alerts")] == [alert["id"]]


def test_21_nothing_is_gone_because_it_sleeps(watched):
    host = "127.21.1.21"
    before = rows(watched, 21, "consumables")
    assert len(before) == 1
    watched.sim.send("set", host, "1.3.6.1.2.1.25.3.5.1.1.1", 2, 1)
    watched.sim.send("unset", host, f"{SUPPLY}.*")
    watched.sim.send("unset", host, "1.3.6.1.2.1.43.10.2.1.4.1.1")
    wait_for(lambda: at(watched, 21)[0]["state"] == "asleep", 20, "asleep")
    settle(watched, 21)
    after = rows(watched, 21, "consumables")
    assert [(s["id"], s["level"]) for s in after] == \
        [(s["id"], s["level"]) for s in before]


def test_23_the_unit_changed(watched):
    """From percent to pages, by a new firmware: the same cartridge."""
    host = "127.21.1.23"
    (before,) = rows(watched, 23, "consumables")
    watched.sim.send("set", host, f"{SUPPLY}.7.1.1", 2, 7)
    watched.sim.send("set", host, f"{SUPPLY}.8.1.1", 2, 8000)
    watched.sim.send("set", host, f"{SUPPLY}.9.1.1", 2, 4700)
    watched.sim.send("config", host)

    def changed():
        now = rows(watched, 23, "consumables")
        return now and now[0]["level"] == 4700 and now[0]
    now = wait_for(changed, 20, "the new level")
    assert now["unit"] == "impressions" and now["capacity"] == 8000
    assert now["percent"] in (58, 59)
    assert now["id"] == before["id"] and now["replaced"] is None


def test_24_two_boards_with_one_serial(watched):
    one, other = at(watched, 24)[0], at(watched, 25)[0]
    assert one["asset"] != other["asset"]
    assert {one["mac"], other["mac"]} == \
        {"00:00:5e:00:53:24", "00:00:5e:00:53:25"}
