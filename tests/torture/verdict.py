"""Whether the simulators' list of changes and the centre's history agree.

For every printer, from platen-sim's own list (`changes`) on one side and
`platen-central history|devices|alerts` on the other, exactly these are equal:

counters   for each counter that is one object of the printer: the value that
           it had first and then every value that the printer gave it, each
           once, in the printer's order.  Of a wild printer: a strictly rising
           part of them in that order that ends with the last.
levels     of the supply that is used: likewise, each once, in order.
replaced   as often as it was replaced, each at its place among the levels.
alerts     raised and cleared, text by text, each exactly once, in the
           printer's order; nothing lapsed, reopened or changed.
state      online, unreachable, asleep: every one in order, none besides.
texts      every location and host name, in order.

And for all of them: the present state at the centre is that of the printer
and of the agent's store, record by record; no asset is there twice; the
reports of an agent were taken in the order of their numbers; one epoch for
each agent, nothing refused, nothing merged, nothing left in an outbox.
"""
import collections
import re

from fleet import LEVEL, TEXT, TEXTS

# What depends on the moment of a look, not on what is known.
VOLATILE = {"time", "received_at", "agent", "asset_name", "asset_serial",
            "printer", "zone"}


class Told:
    """One printer's own story."""

    def __init__(self, printer, changes):
        self.counters = {name: [printer.first[name]] for name in printer.oids}
        self.levels, self.alerts = [], []
        self.states, self.texts = ["online"], collections.defaultdict(list)
        texts = {TEXTS[f]: f for f in printer.texts}
        names = {oid: name for name, oid in printer.oids.items()}
        level_oid = LEVEL + str(printer.row)
        for c in changes:
            what, oid = c["what"], c.get("oid")
            if oid in names and what == "print":
                self.counters[names[oid]].append(int(c["value"]))
            elif oid == level_oid:
                if what == "replace":
                    self.levels.append("replaced")
                self.levels.append(int(c["value"]))
            elif oid in texts:
                self.texts[texts[oid]].append(c["value"])
            elif oid is None:
                self.event(what, c["detail"])

    def event(self, what, detail):
        text = re.search(r"text=(.*)", detail)
        if what in ("raise", "clear") and text and \
                TEXT.fullmatch(text[1]):
            self.alerts.append(("raised" if what == "raise" else "cleared",
                                text[1]))
        elif (what, detail) == ("fault", "silent on"):
            self.states.append("unreachable")
        elif what == "asleep":
            self.states.append("asleep")
        elif what == "awake" or (what, detail) == ("fault", "silent off"):
            self.states.append("online")


class Known:
    """The centre's story of one asset."""

    def __init__(self, printer, rows, texts):
        self.counters = collections.defaultdict(list)
        self.levels, self.alerts = [], []
        self.states, self.texts = [], collections.defaultdict(list)
        for r in rows:
            if r["record"] == "counter":
                self.counters[r["name"]].append(r["value"])
            elif r["record"] == "level" and r["index"] == printer.row:
                self.levels.append(r["value"])
            elif r["record"] == "replacement" and r["index"] == printer.row:
                self.levels.append("replaced")
            elif r["record"] == "alert" and TEXT.fullmatch(
                    texts.get(r["id"]) or ""):
                self.alerts.append((r["field"], texts[r["id"]]))
            elif r["record"] == "state" and r["field"] == "state":
                self.states.append(r["value"])
            elif r["record"] == "asset":
                self.texts[r["field"]].append(r["value"])
        self.first_level = self.levels[0] if self.levels else None


def is_part_of(part, whole):
    """Strictly in order, each at most once."""
    rest = iter(whole)
    return all(value in rest for value in part)


class Verdict:
    def __init__(self):
        self.differences, self.checked = [], collections.Counter()

    def differ(self, who, what, printers, centres):
        self.differences.append((who, what, printers, centres))

    def equal(self, who, what, printers, centres):
        self.checked[what.split()[0]] += \
            len(printers) if isinstance(printers, (list, dict)) else 1
        if printers != centres:
            self.differ(who, what, printers, centres)

    def printer(self, printer, changes, rows, texts):
        told, known = Told(printer, changes), Known(printer, rows, texts)
        who = printer.host
        for name, values in told.counters.items():
            if not printer.wild:
                self.equal(who, f"counter {name}", values,
                           known.counters[name])
                continue
            seen = known.counters[name]
            self.checked["counter"] += len(seen)
            if not seen or not is_part_of(seen, values) or \
                    seen[-1] != values[-1]:
                self.differ(who, f"counter {name}", values, seen)
        self.equal(who, "levels", [known.first_level] + told.levels,
                   known.levels)
        self.equal(who, "alerts", told.alerts, known.alerts)
        self.equal(who, "states", told.states, known.states)
        for field in printer.texts:
            self.equal(who, f"texts {field}", told.texts[field],
                       known.texts[field][1:])

    def present(self, printer, centre, agent):
        """What stands at the centre, in the agent's store, at the printer.
        centre and agent: the device with its records."""
        who = printer.host
        for name, value in printer.present_counters().items():
            self.equal(who, f"present {name}", value,
                       by(centre["counters"], "name")[name]["value"])
        self.equal(who, "present level", printer.level(),
                   by(centre["consumables"], "index")[printer.row]["level"])
        self.equal(who, "present state", "online", centre["state"])
        self.equal(who, "present record", plain(agent), plain(centre))
        for kind, key in ("counters", "name"), ("consumables", "id"), \
                ("alerts", "id"):
            self.equal(who, f"present {kind}", open_ones(agent, kind, key),
                       open_ones(centre, kind, key))

    def order(self, agent, rows):
        """Of one asset, in the order in which they are listed: turns never
        fall, nor do numbers within a lane, and a turn is one report."""
        reports, numbers = {}, {}
        for r in rows:
            asset = r["asset"], r["epoch"]
            lane = *asset, r["lane"]
            report = r["turn"], r["lane"], r["seq"]
            before = reports.get(asset, (0, "", 0))
            if report != before and (report[0] <= before[0] or
                                     r["seq"] <= numbers.get(lane, 0)):
                self.differ(agent, "order of reports", before, report)
            reports[asset], numbers[lane] = report, r["seq"]
        self.checked["reports"] += len({(r["epoch"], r["lane"], r["seq"])
                                        for r in rows})
        self.equal(agent, "epochs", 1, len({r["epoch"] for r in rows}))


def by(records, key):
    return {r[key]: r for r in records}


def plain(record):
    return {k: v for k, v in record.items() if k not in VOLATILE and
            not isinstance(v, (list, dict)) or k == "errors"}


def open_ones(device, kind, key):
    return {r[key]: {k: v for k, v in r.items() if k not in VOLATILE}
            for r in device[kind]
            if r.get("cleared") is None and r.get("removed") is None}


def first_difference(a, b):
    """Where two stories part: an index or the keys that differ."""
    if isinstance(a, dict) and isinstance(b, dict):
        return {k: (a.get(k), b.get(k)) for k in sorted(set(a) | set(b),
                key=str) if a.get(k) != b.get(k)}
    if isinstance(a, list) and isinstance(b, list):
        at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y),
                  min(len(a), len(b)))
        return (f"at {at}: {a[max(0, at - 3):at + 6]} / "
                f"{b[max(0, at - 3):at + 6]}")
    return f"{a!r} / {b!r}"
