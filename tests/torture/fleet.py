"""Printers that somebody keeps using.

Each object of a printer (its counters, one supply, its alerts, its state, its
location and name) is changed by a hand of its own, and a hand makes its next change
only when the agent's store has its last one: what lives shorter than a look at
it is nobody's to report.  What a hand does when follows from the seed alone;
how long it waits in between does not.  The wild ones count pages without
waiting.
"""
import random
import re

TOTAL = "1.3.6.1.2.1.43.10.2.1.4.1.1"
LEVEL = "1.3.6.1.2.1.43.11.1.1.9.1."
# What somebody may write into it: the asset's field and the object.
TEXTS = {"location": "1.3.6.1.2.1.1.6.0", "hostname": "1.3.6.1.2.1.1.5.0"}
MODELS = ["hp-mono", "ricoh", "lexmark", "konica", "oki", "kyocera",
          "hp-colour", "toshiba"]
# The texts of our alerts, which no walk has.
TEXT = re.compile(r"Trouble [0-9]+")
EMPTY_PERCENT, FRESH_PERCENT = 8, 35


class Hand:
    """Changes one object.  wanted(device) tells whether the agent knows."""
    pause = 0.5, 4.0

    def __init__(self, printer, what=""):
        self.printer, self.dice = printer, random.Random(
            f"{printer.seed}/{printer.host}/{type(self).__name__}{what}")
        self.wanted = None
        self.next_at = 0.0
        self.since = 0.0

    def send(self, command, *words):
        return self.printer.sim.send(command, self.printer.host, *words)

    def step(self, device, now, going):
        """going: new changes may be made."""
        if self.wanted is not None:
            if not self.wanted(device):
                return
            self.wanted = None
            self.next_at = now + self.dice.uniform(*self.pause)
        if (now < self.next_at and going) or not self.ready():
            return
        self.wanted = self.change() if going else self.finish()
        if self.wanted is not None:
            self.since = now

    def ready(self):
        """Another hand of the printer may be in the way."""
        return True

    def change(self):
        """Makes a change; what the agent will know then."""
        raise NotImplementedError

    def finish(self):
        """What is still to be undone; None when nothing is."""
        return None


class Counters(Hand):
    def change(self):
        self.send("print", self.dice.choice([1, 1, 2, 7, 40]))
        want = self.printer.present_counters()
        return lambda device: counters(device, want) == want


class WildCounters(Hand):
    pause = 0.2, 1.0

    def change(self):
        self.send("print", 1)
        return None

    def step(self, device, now, going):
        if going and now >= self.next_at:
            self.change()
            self.next_at = now + self.dice.uniform(*self.pause)
        elif not going:
            want = self.printer.present_counters()
            settled = counters(device, want) == want
            self.wanted = None if settled else lambda _: False


class Supply(Hand):
    pause = 1.0, 6.0

    def __init__(self, printer):
        super().__init__(printer)
        self.percent = printer.percent

    def change(self):
        row, capacity = self.printer.row, self.printer.capacity
        if self.percent <= FRESH_PERCENT and self.dice.random() < 0.5 or \
                self.percent <= EMPTY_PERCENT:
            self.send("replace", row)
            self.percent = 100
        else:
            self.percent -= self.dice.randint(1, min(22, self.percent - 3))
            self.send("level", row, self.percent * capacity // 100)
        want = self.printer.level()
        return lambda device: supply(device, row)["level"] == want


class Alerts(Hand):
    pause = 0.5, 8.0

    def __init__(self, printer):
        super().__init__(printer)
        self.open, self.count = [], 0

    def ready(self):
        return self.printer.state.what != "asleep"

    def change(self):
        if self.printer.state.next == "asleep":
            return self.finish()
        if self.open and (len(self.open) == 3 or self.dice.random() < 0.5):
            return self.clear(self.dice.choice(self.open))
        self.count += 1
        text = f"Trouble {self.count}"
        code, group, bits = self.dice.choice(
            [(8, 8, "jammed"), (3, 6, "doorOpen"), (3, 6, ""), (8, 13, "")])
        words = {"code": code, "severity": 3, "group": group,
                 "group_index": self.count, "training": 3, "text": text}
        if bits:
            words["bits"] = bits
        words["index"] = words.pop("group_index")
        self.send("alert", "raise", *(f"{k}={v}" for k, v in words.items()))
        self.open.append(text)
        return lambda device: text in standing(device)

    def clear(self, text):
        self.open.remove(text)
        self.send("alert", "clear", self.printer.alert_index(text))
        return lambda device: text not in standing(device)

    def finish(self):
        return self.clear(self.open[0]) if self.open else None


class State(Hand):
    """Silent, asleep, started anew.  A printer goes to sleep when there is no
    trouble with it, and wakes before there is any."""
    pause = 15.0, 60.0

    def __init__(self, printer):
        super().__init__(printer)
        self.what, self.next = None, self.choose()
        self.next_at = printer.born + self.dice.uniform(*self.pause)

    def choose(self):
        return self.dice.choice(["silent", "asleep", "restart"])

    def ready(self):
        alerts = self.printer.alerts
        return self.what is not None or self.next != "asleep" or \
            (not alerts.open and alerts.wanted is None)

    def change(self):
        if self.what is not None:
            return self.finish()
        what, self.next = self.next, self.choose()
        if what == "restart":
            self.send("restart")
            return lambda device: True
        self.what = what
        self.send(what, "on")
        state = {"silent": "unreachable", "asleep": "asleep"}[what]
        return lambda device: device["state"] == state

    def finish(self):
        if self.what is None:
            return None
        self.send(self.what, "off")
        self.what = None
        return lambda device: device["state"] == "online"


class Text(Hand):
    """Somebody carries it elsewhere, or gives it another name, and says so."""
    pause = 10.0, 60.0

    def __init__(self, printer, field):
        super().__init__(printer, field)
        self.field, self.count = field, 0
        self.next_at = printer.born + self.dice.uniform(*self.pause)

    def change(self):
        self.count += 1
        text = f"{self.field}-{self.count}-{self.printer.serial}"
        self.send("set", TEXTS[self.field], 4, text)
        return lambda device: device[self.field] == text


def counters(device, names):
    return {c["name"]: c["value"] for c in device["counters"]
            if c["name"] in names}


def supply(device, row):
    for each in device["consumables"]:
        if each["index"] == row:
            return each
    return {"level": None, "replaced": None}


def standing(device):
    return {a["description"] for a in device["alerts"]
            if a["cleared"] is None and TEXT.fullmatch(a["description"] or "")}


class Printer:
    """host's agent has told device of it."""

    def __init__(self, sim, host, seed, device, now, wild):
        self.sim, self.host, self.seed, self.born = sim, host, seed, now
        self.wild, self.serial = wild, device["serial"]
        self.oids = {}              # counters that are one object each
        for c in device["counters"]:
            if re.fullmatch(r"[0-9.]+", c["oid"] or "") and \
                    sim.get(host, c["oid"]) == str(c["value"]):
                self.oids[c["name"]] = c["oid"]
        self.first = {c["name"]: c["value"] for c in device["counters"]}
        for c in sorted(device["consumables"], key=lambda c: c["index"]):
            if "toner" in c["kind"] and (c["capacity"] or 0) > 0 and \
                    (c["level"] or -1) > 0:
                self.row, self.capacity = c["index"], c["capacity"]
                self.percent = c["percent"]
                break
        if "total" not in self.oids or self.level() is None:
            raise ValueError(f"{host}: no printer to play with: {device}")
        self.state, self.alerts = State(self), Alerts(self)
        self.hands = [(WildCounters if wild else Counters)(self),
                      Supply(self), self.alerts, self.state]
        self.texts = [f for f, oid in TEXTS.items()
                      if sim.get(host, oid) == device[f]]
        self.hands += [Text(self, field) for field in self.texts]

    def level(self):
        return int(self.sim.get(self.host, LEVEL + str(self.row)))

    def present_counters(self):
        return {name: int(self.sim.get(self.host, oid))
                for name, oid in self.oids.items()}

    def alert_index(self, text):
        """Where it stands now: a restart counts the rows anew."""
        column = "1.3.6.1.2.1.43.18.1.1.8.1."
        for index in range(1, 5000):
            if self.sim.get(self.host, column + str(index)) == text:
                return index
        raise ValueError(f"{self.host}: no alert {text!r}")

    def step(self, device, now, going):
        for hand in self.hands:
            hand.step(device, now, going)

    def settled(self):
        return all(h.wanted is None for h in self.hands) and \
            not any(getattr(h, "open", None) or getattr(h, "what", None)
                    for h in self.hands)

    def unsettled(self):
        """Which hands still wait."""
        return [type(h).__name__ for h in self.hands if h.wanted is not None
                or getattr(h, "open", None) or getattr(h, "what", None)]
