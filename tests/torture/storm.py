"""What is done to the processes, lines, disks and clocks, and when: all of it
follows from the seed."""
import heapq
import random

ROLES = ["supervisor", "collector", "uplink"]
# How often each kind comes.
KINDS = {"kill": 34, "massacre": 4, "term": 8, "stop": 10, "rst": 9,
         "freeze": 4, "half": 3, "stall": 5, "refuse": 4, "full": 7,
         "readonly": 3, "clock": 9, "power": 6}
MINUTE, HOUR, DAY = 60, 3600, 86400
STEPS_S = [40, 5 * MINUTE, HOUR, 25 * HOUR, 40 * DAY, 400 * DAY, 3650 * DAY]


class Event:
    """at and lasting in seconds; who: "server", "centre" or an agent's name,
    how: whatever else there is to know."""

    def __init__(self, at, kind, who, how=None, lasting=0.0):
        self.at, self.kind, self.who = at, kind, who
        self.how, self.lasting = how, lasting

    def __str__(self):
        how = "" if self.how is None else f" {self.how}"
        lasting = f" for {self.lasting:.1f} s" if self.lasting else ""
        return f"{self.at:7.1f} {self.kind} {self.who}{how}{lasting}"


def victims(dice, agents):
    """Some processes: [(who, role)]."""
    every = [(a, role) for a in agents for role in ROLES]
    every += [("centre", None), ("server", None)]
    return dice.sample(every, dice.randint(3, 8))


def make_event(dice, at, kind, agents):
    agent = dice.choice(agents)
    any_end = dice.choice(agents + ["centre"])
    if kind == "kill":
        who = dice.choices([agent, "centre", "server"], [75, 15, 10])[0]
        return Event(at, kind, who,
                     dice.choice(ROLES) if who == agent else None)
    if kind == "massacre":
        return Event(at, kind, "several", victims(dice, agents))
    if kind == "term":
        return Event(at, kind, dice.choices([agent, "centre", "server"],
                                            [60, 25, 15])[0])
    if kind == "stop":
        who = dice.choices([agent, "centre", "server"], [70, 20, 10])[0]
        return Event(at, kind, who, dice.choice(ROLES) if who == agent else
                     None, dice.uniform(1, 9))
    if kind == "half":
        return Event(at, kind, any_end, dice.choice(["up", "down"]))
    if kind in ("rst", "freeze"):
        return Event(at, kind, any_end)
    if kind == "power":
        return Event(at, kind, any_end, dice.randrange(1 << 32))
    if kind in ("stall", "refuse"):
        return Event(at, kind, any_end, None, dice.uniform(2, 20))
    if kind == "clock":
        step = dice.choice(STEPS_S) * dice.choice([-1, 1])
        return Event(at, kind, any_end, step, dice.uniform(4, 20))
    return Event(at, kind, any_end, None, dice.uniform(2, 10))


def schedule(seed, seconds, agents):
    """The events of so many seconds, by time.  Two things of one kind are
    not done to one victim at the same time."""
    dice = random.Random(f"{seed}/storm")
    events, busy, at = [], {}, 1.0
    while at < seconds:
        kind = dice.choices(list(KINDS), list(KINDS.values()))[0]
        event = make_event(dice, at, kind, agents)
        at += dice.uniform(0.2, 2.2)
        disk = event.kind in ("full", "readonly", "power")
        key = ("disk" if disk else event.kind, event.who)
        if busy.get(key, 0) > event.at:
            continue
        busy[key] = event.at + event.lasting + 1
        events.append(event)
    return events


class Agenda:
    """What is to be done at which time."""

    def __init__(self):
        self.heap, self.count = [], 0

    def add(self, at, action):
        self.count += 1
        heapq.heappush(self.heap, (at, self.count, action))

    def run(self, now):
        while self.heap and self.heap[0][0] <= now:
            heapq.heappop(self.heap)[2]()

    def run_all(self):
        while self.heap:
            heapq.heappop(self.heap)[2]()

    def __len__(self):
        return len(self.heap)
