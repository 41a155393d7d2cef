"""Promise: what the centre says of toner is true.  A new cartridge is told at
once, with the pages at that moment; one that is taken out and put back, moved
or counted otherwise is not new; and no cartridge is said to be empty because
its printer sleeps, restarts, is open, or does not know it."""
import pytest

from rig import Rig, wait_for

SUPPLY = "1.3.6.1.2.1.43.11.1.1"
DESCR, UNIT, MAX, LEVEL = (f"{SUPPLY}.{n}.1" for n in (6, 7, 8, 9))
STATUS = "1.3.6.1.2.1.25.3.5.1.1.1"
ERRORS = "1.3.6.1.2.1.25.3.5.1.2.1"
LIFE = "1.3.6.1.2.1.43.10.2.1.4.1.1"
MISSING, NONE = "0020", "0000"
YEAR = 365 * 24 * 3600 * 100 % 2 ** 32      # ticks

# One printer for each test: they wait for nobody.
HOSTS = {name: f"127.23.0.{n + 1}" for n, name in enumerate((
    "serial", "level", "swap", "out", "gone", "asleep", "restart", "unit",
    "foreign", "real", "waste", "shaken"))}
KIND = {"serial": "xerox", "swap": "xerox", "out": "xerox", "gone": "xerox",
        "shaken": "samsung", "waste": "xerox"}


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    devices = [f"{host}=@{KIND.get(name, 'hp-mono')},serial=SUPPLY{n:04}"
               for n, (name, host) in enumerate(HOSTS.items())]
    with Rig("supplies") as rig:
        rig.start(devices=devices, schedule={"heartbeat": "300ms",
                                             "supplies": "300ms",
                                             "counters": "300ms"})
        wait_for(lambda: len(rig.central.json("devices")) == len(HOSTS), 60,
                 "all of them at the centre")
        yield rig


class Printer:
    """One of the fleet, from both ends."""

    def __init__(self, rig, name):
        self.rig, self.host = rig, HOSTS[name]
        self.asset = next(d["asset"] for d in rig.central.json("devices")
                          if d["ip"] == self.host)
        wait_for(lambda: self.supplies().get(1), 20, "its supplies")
        self.began = self.story()

    def supplies(self):
        return {s["index"]: s for s in
                self.rig.central.json("consumables")
                if s["asset"] == self.asset}

    def supply(self, index=1):
        return self.supplies()[index]

    def story(self):
        """What the centre was told of its supplies: "level", with the state
        then, and "replaced"."""
        ids = {s["id"] for s in self.supplies().values()}
        rows = self.rig.central.json("history", "--asset", self.asset,
                                     "--limit", "100000")
        return [r for r in rows if r["id"] in ids]

    def news(self, field):
        known = {(r["epoch"], r["seq"], r["id"], r["field"])
                 for r in self.began}
        return [r for r in self.story() if r["field"] == field and
                (r["epoch"], r["seq"], r["id"], r["field"]) not in known]

    def set(self, oid, tag, value):
        self.rig.sim.send("set", self.host, oid, tag, value)

    def level(self, value, row=1):
        self.set(f"{LEVEL}.{row}", 2, value)

    def settle(self, beats=12):
        """Until it was asked for levels some more times, if it is at all,
        and what was found is at the centre."""
        def requests():
            return self.rig.sim.send("stats", self.host)["requests"]
        was = requests()
        wait_for(lambda: requests() >= was + beats, 60,
                 f"{beats} more requests to {self.host}", 0.1)
        wait_for(lambda: self.rig.agent.json("status")["outbox"] == 0, 20,
                 "nothing waits", 0.1)


def test_another_serial_is_told_at_once(fleet):
    p = Printer(fleet, "serial")
    before = p.supply()
    assert before["serial"] == "48A1207B20E0" and before["replaced"] is None
    assert before["part_number"] == "006R02271"
    assert before["description"] == "Black Toner"
    assert before["colour"] == "black"
    fleet.sim.send("print", p.host, 25)
    pages = int(fleet.sim.get(p.host, LIFE))
    fleet.sim.send("replace", p.host, 1, "serial=48FFFF0001")
    now = wait_for(lambda: (s := p.supply())["replaced"] and s, 10,
                   "the replacement")
    assert now["id"] == before["id"] and now["serial"] == "48FFFF0001"
    assert now["level"] == now["capacity"] and now["percent"] == 100
    assert now["pages"] == pages
    (row,) = p.news("replaced")
    assert row["id"] == before["id"] and row["pages"] == pages
    # Told once, and not of the others.
    p.settle()
    assert len(p.news("replaced")) == 1
    assert p.supply()["replaced"] == now["replaced"]


def test_a_level_that_rises_in_two_readings(fleet):
    p = Printer(fleet, "level")
    p.level(8)
    wait_for(lambda: p.supply()["state"] == "low", 10, "low")
    # Too little, and not far enough.
    p.level(45)
    wait_for(lambda: p.supply()["level"] == 45, 10, "45 %")
    p.level(59)
    wait_for(lambda: p.supply()["level"] == 59, 10, "59 %")
    assert p.supply()["replaced"] is None
    p.level(100)
    now = wait_for(lambda: (s := p.supply())["replaced"] and s, 10,
                   "the replacement")
    assert now["percent"] == 100 and now["state"] == "ok"
    p.settle()
    assert len(p.news("replaced")) == 1
    # Never from what was not known.
    p.level(3)
    wait_for(lambda: p.supply()["level"] == 3, 10, "3 %")
    p.level(-2)
    wait_for(lambda: p.supply()["state"] == "unknown", 10, "unknown")
    p.level(100)
    wait_for(lambda: p.supply()["level"] == 100, 10, "100 %")
    p.settle()
    assert len(p.news("replaced")) == 1


def test_two_that_changed_places(fleet):
    p = Printer(fleet, "swap")
    black, cyan = p.supply(1), p.supply(2)
    one, two = (fleet.sim.get(p.host, f"{DESCR}.{n}") for n in (1, 2))
    swapped = [one.replace("48A1207B20E0", "46B2117C20E1"),
               two.replace("46B2117C20E1", "48A1207B20E0")]
    # Not within one moment, and read between them perhaps.
    for row, text in enumerate(swapped, 1):
        p.set(f"{DESCR}.{row}", 4, text)
    wait_for(lambda: p.supply(1)["serial"] == cyan["serial"] and
             p.supply(2)["serial"] == black["serial"], 10, "the swap")
    p.settle()
    assert p.news("replaced") == []


def take_out(p, row=1):
    """The cover opens, the slot is empty; what was written on it."""
    text = p.rig.sim.get(p.host, f"{DESCR}.{row}")
    p.set(ERRORS, "4x", MISSING)
    p.set(f"{DESCR}.{row}", 4, text[:text.index(",")] +
          ", PN unknown;SNunknown")
    p.level(0, row)
    return text


def test_taken_out_and_put_back(fleet):
    p = Printer(fleet, "out")
    before = p.supply()
    text = take_out(p)
    wait_for(lambda: "markerSupplyMissing" in next(
        d["errors"] for d in fleet.central.json("devices")
        if d["asset"] == p.asset), 10, "the empty slot")
    p.settle()
    p.level(-2)
    p.settle()
    now = p.supply()
    assert (now["state"], now["level"], now["serial"]) == \
        (before["state"], before["level"], before["serial"])
    # The bit goes first, the level follows.
    p.set(ERRORS, "4x", NONE)
    p.set(f"{DESCR}.1", 4, text)
    p.level(before["level"])
    p.settle()
    assert p.news("replaced") == [] and p.news("level") == []
    # Out again, and another one in its place.
    take_out(p)
    p.settle()
    p.set(f"{DESCR}.1", 4, text.replace("48A1207B20E0", "48FFFF0002"))
    p.level(5000)
    p.set(ERRORS, "4x", NONE)
    now = wait_for(lambda: (s := p.supply())["replaced"] and s, 10,
                   "the other one")
    assert now["id"] == before["id"] and now["serial"] == "48FFFF0002"
    assert {r["state"] for r in p.news("level")} <= {"ok"}


def test_a_row_that_is_gone_for_a_while(fleet):
    p = Printer(fleet, "gone")
    before = p.supplies()
    kept = {n: value for n in range(2, 10) if
            (value := fleet.sim.get(p.host, f"{SUPPLY}.{n}.1.2")) is not None}
    for n in kept:
        fleet.sim.send("unset", p.host, f"{SUPPLY}.{n}.1.2")
    fleet.sim.send("config", p.host)
    p.settle()
    assert {s["id"] for s in p.supplies().values()} == \
        {s["id"] for s in before.values()}
    for n, value in kept.items():
        p.set(f"{SUPPLY}.{n}.1.2", 4 if n == 6 else 2, value)
    fleet.sim.send("config", p.host)
    p.settle()
    assert p.supply(2)["id"] == before[2]["id"]
    assert p.news("replaced") == []
    assert [s for s in p.supplies().values() if s["removed"]] == []


def test_the_same_serial_shaken(fleet):
    """It says more than before, and is the same."""
    p = Printer(fleet, "shaken")
    p.level(1000)
    wait_for(lambda: p.supply()["state"] == "low", 10, "low")
    p.level(19000)
    wait_for(lambda: p.supply()["level"] == 19000, 10, "more again")
    p.settle()
    assert p.supply()["serial"] == "CRUM-15090B41277"
    assert p.news("replaced") == []


@pytest.mark.parametrize("value", [0, -2])
def test_asleep_it_knows_nothing(fleet, value):
    p = Printer(fleet, "asleep")
    before = p.supplies()
    p.set(STATUS, 2, 1)
    for row in before:
        p.level(value, row)
    # So that the levels are asked for at all: everything is read again.
    fleet.sim.send("config", p.host)
    p.settle(6)
    p.set(STATUS, 2, 3)
    for row, supply in before.items():
        p.level(supply["level"], row)
    p.settle()
    after = p.supplies()
    assert {n: (s["level"], s["state"], s["replaced"])
            for n, s in after.items()} == \
        {n: (s["level"], s["state"], None) for n, s in before.items()}
    assert p.news("level") == []


def test_a_restart_empties_nothing(fleet):
    p = Printer(fleet, "restart")
    before = p.supplies()
    fleet.sim.send("restart", p.host)
    for value in (0, -2):
        for row in before:
            p.level(value, row)
        p.settle()      # several polls of the levels
    for row, supply in before.items():
        p.level(supply["level"], row)
    p.settle()
    fleet.sim.send("uptime", p.host, YEAR)
    p.settle()
    assert p.news("level") == [] and p.news("replaced") == []
    assert {n: s["level"] for n, s in p.supplies().items()} == \
        {n: s["level"] for n, s in before.items()}


def test_replaced_while_it_restarted(fleet):
    """What it said meanwhile is no evidence, the number before it is."""
    p = Printer(fleet, "real")
    p.level(0)      # while it runs: it is empty
    wait_for(lambda: p.supply()["state"] == "empty", 10, "empty")
    p.level(12)
    wait_for(lambda: p.supply()["level"] == 12, 10, "12 %")
    fleet.sim.send("restart", p.host)
    p.level(-2)
    p.settle()
    assert p.supply()["level"] == 12
    p.level(100)
    wait_for(lambda: p.supply()["replaced"], 10, "the replacement")
    # And empty after that, when it has been running for long.
    fleet.sim.send("uptime", p.host, YEAR)
    p.settle()
    p.level(0)
    wait_for(lambda: p.supply()["state"] == "empty", 10, "empty")


def test_another_unit(fleet):
    """From percent to pages, with a ratio far above: other firmware."""
    p = Printer(fleet, "unit")
    p.level(20)
    wait_for(lambda: p.supply()["level"] == 20, 10, "20 %")
    fleet.sim.send("silent", p.host, "on")
    p.set(f"{UNIT}.1", 2, 7)
    p.set(f"{MAX}.1", 2, 8000)
    p.level(7900)
    fleet.sim.send("config", p.host)
    fleet.sim.send("silent", p.host, "off")
    now = wait_for(lambda: (s := p.supply())["level"] == 7900 and s, 20,
                   "the new level")
    assert now["unit"] == "impressions" and now["percent"] == 99
    p.settle()
    assert p.news("replaced") == []


def test_a_cartridge_of_another_maker(fleet):
    """Unknown is not empty, and raises nothing; the maker's own after it is
    not called a replacement, for nobody knows."""
    p = Printer(fleet, "foreign")
    p.set(f"{MAX}.1", 2, -2)
    p.level(-2)
    now = wait_for(lambda: (s := p.supply())["state"] == "unknown" and s, 10,
                   "unknown")
    assert now["percent"] is None and now["level"] == -2
    p.settle()
    assert [a for a in fleet.central.json("alerts")
            if a["asset"] == p.asset] == []
    p.set(f"{MAX}.1", 2, 100)
    p.level(100)
    wait_for(lambda: p.supply()["percent"] == 100, 10, "the maker's own")
    p.settle()
    assert p.news("replaced") == []
    assert "empty" not in [r["state"] for r in p.news("level")]


def test_a_waste_box_fills_up(fleet):
    """A receptacle's level is the space that is left; 0 is full, which its
    class says, and a new one has all its space."""
    p = Printer(fleet, "waste")
    box = p.supply(10)
    assert (box["class"], box["kind"], box["colour"]) == \
        ("filled", "wasteToner", None)
    assert box["percent"] == box["level"] == 26
    p.level(4, 10)
    wait_for(lambda: p.supply(10)["state"] == "low", 10, "nearly full")
    p.level(0, 10)
    wait_for(lambda: p.supply(10)["state"] == "empty", 10, "full")
    assert " full" in next(
        line for line in fleet.central.tool("consumables").splitlines()
        if "Waste Toner" in line and "  0%" in line)
    # Its alerts go with it.
    fleet.sim.send("replace", p.host, 10)
    now = wait_for(lambda: (s := p.supply(10))["replaced"] and
                   s["state"] == "ok" and s, 10, "the new box")
    assert now["percent"] == 100
