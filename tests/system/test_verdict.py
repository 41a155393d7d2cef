"""Promise: the torture's verdict lets nothing pass.  Of two stories that agree,
one row lost, doubled, changed or moved is a difference; and a seed is one
storm."""
import pathlib
import sys
import types

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "torture"))

import fleet  # noqa: E402
import storm  # noqa: E402
import verdict  # noqa: E402

LEVEL = fleet.LEVEL + "1"
PLACE = fleet.TEXTS["location"]
CHANGES = [
    {"what": "print", "oid": fleet.TOTAL, "value": "11"},
    {"what": "level", "oid": LEVEL, "value": "20"},
    {"what": "raise", "detail": "index=1 code=8 text=Trouble 1"},
    {"what": "raise", "detail": "index=2 code=8 text=Trouble 2"},
    {"what": "replace", "oid": LEVEL, "value": "100"},
    {"what": "print", "oid": fleet.TOTAL, "value": "13"},
    {"what": "clear", "detail": "index=2 code=8 text=Trouble 2"},
    {"what": "fault", "detail": "silent on"},
    {"what": "fault", "detail": "silent off"},
    {"what": "asleep", "detail": ""},
    {"what": "awake", "detail": ""},
    {"what": "set", "oid": PLACE, "value": "Hall"},
    {"what": "set", "oid": PLACE, "value": "Cellar"},
    {"what": "clear", "detail": "index=1 code=8 text=Trouble 1"},
    {"what": "print", "oid": fleet.TOTAL, "value": "14"},
]
TEXTS = {"a1": "Trouble 1", "a2": "Trouble 2", "a0": "the walk's own"}
# What the centre knew first, and then what it was told.
FIRST = 4


def row(record, value=None, name=None, index=None, field=None, id=None):
    return {"record": record, "value": value, "name": name, "index": index,
            "field": field, "id": id}


ROWS = [
    row("counter", 10, "total"), row("level", 31, index=1),
    row("state", "online", field="state"),
    row("asset", "Attic", field="location"),
    row("counter", 11, "total"), row("level", 20, index=1),
    row("alert", field="raised", id="a1"),
    row("alert", field="raised", id="a2"),
    row("replacement", index=1), row("level", 100, index=1),
    row("counter", 13, "total"), row("alert", field="cleared", id="a2"),
    row("state", "unreachable", field="state"),
    row("state", "online", field="state"),
    row("state", "asleep", field="state"),
    row("state", "online", field="state"),
    row("asset", "Hall", field="location"),
    row("asset", "Cellar", field="location"),
    row("alert", field="cleared", id="a1"), row("counter", 14, "total"),
]
TOLD = range(FIRST, len(ROWS))


def differences(rows, wild=False):
    printer = types.SimpleNamespace(
        host="127.20.1.1", oids={"total": fleet.TOTAL}, first={"total": 10},
        row=1, wild=wild, texts=["location"])
    judge = verdict.Verdict()
    judge.printer(printer, CHANGES, rows, TEXTS)
    return judge.differences


def test_agreement():
    assert differences(ROWS) == []
    # What is nobody's business here does not disturb.
    more = [row("alert", field="raised", id="a0"), row("level", 5, index=2),
            row("state", "none", field="errors")]
    assert differences(more + ROWS) == []


@pytest.mark.parametrize("at", TOLD)
def test_lost(at):
    assert differences(ROWS[:at] + ROWS[at + 1:])


@pytest.mark.parametrize("at", TOLD)
def test_doubled(at):
    assert differences(ROWS[:at] + ROWS[at:at + 1] + ROWS[at:])


@pytest.mark.parametrize("at", TOLD)
def test_at_the_end(at):
    """Each moved behind all others of its kind, but those that are last."""
    moved = ROWS[:at] + ROWS[at + 1:] + [ROWS[at]]
    kinds = [{"replacement": "level"}.get(r["record"], r["record"])
             for r in ROWS]
    last = kinds[at] not in kinds[at + 1:]
    assert bool(differences(moved)) != last


def test_values_that_no_printer_had():
    for at in TOLD:
        if ROWS[at]["value"] is not None:
            other = dict(ROWS[at], value=ROWS[at]["value"] * 2)
            assert differences(ROWS[:at] + [other] + ROWS[at + 1:]), at


@pytest.mark.parametrize("field", ["changed", "lapsed", "reopened"])
def test_alerts_that_do_more(field):
    assert differences(ROWS + [row("alert", field=field, id="a1")])


def test_wild_counters():
    """May miss some, but never the last, and nothing else."""
    def counted(*values):
        rest = [r for r in ROWS if r["record"] != "counter"]
        return differences(rest + [row("counter", v, "total")
                                   for v in values], wild=True)
    assert counted(10, 11, 13, 14) == [] and counted(10, 14) == []
    assert counted() and counted(10, 13) and counted(10, 11, 11, 14)
    assert counted(10, 13, 11, 14) and counted(10, 12, 14)


def test_order_of_reports():
    def ordered(*reports):
        judge = verdict.Verdict()
        judge.order("agent", [{"asset": "x", "epoch": "e", "turn": turn,
                               "lane": lane, "seq": seq}
                              for turn, lane, seq in reports])
        return judge.differences
    assert ordered((1, "urgent", 1), (1, "urgent", 1), (2, "bulk", 1),
                   (5, "urgent", 2), (6, "bulk", 2)) == []
    assert ordered((2, "urgent", 2), (1, "urgent", 1))
    assert ordered((1, "urgent", 1), (1, "bulk", 1))
    assert ordered((1, "bulk", 2), (2, "bulk", 1))
    assert ordered((1, "bulk", 1), (2, "bulk", 1))


def test_a_seed_is_one_storm():
    agents = ["agent1", "agent2"]

    def events(seed):
        return [str(e) for e in storm.schedule(seed, 300, agents)]
    assert events(5) == events(5) != events(6)
    kinds = {e.kind for e in storm.schedule(5, 3000, agents)}
    assert kinds == set(storm.KINDS)
