"""A whole poll of ten thousand printers: our engine beside the bare packets,
with SNMPv2c and v3, and beside what others need for the same printers."""
import contextlib
import json
import subprocess

import exporter
import gauge
import polls
import traffic
from rig import BUILD, Rig, program, wait_for
from table import Row, middle, number

PRINTERS = 10000
PEER_PRINTERS = 1000    # for the exporter
SHELL_PRINTERS = 50
OPEN = 1024             # requests on their way at once
LATENCY_MS = 20
ROUNDS = 5
FLOOR_TIMES, V3_TIMES, EXPORTER_TIMES, WALL_S = 5, 3, 15, 2
AUTH, PRIVACY = ["sha1", "auth-password"], ["aes128", "privacy-password"]
USER = ["bench", *AUTH, *PRIVACY]


class Poller:
    """bench/fullpoll with its printers read once."""

    def __init__(self, hosts, port, user=()):
        self.proc = subprocess.Popen(
            [program("bench/fullpoll"), hosts, str(port), str(OPEN), *user],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self.proc.stdin.close()
        self.proc.kill()
        self.proc.wait()

    def round(self, what):
        self.proc.stdin.write(what + "\n")
        self.proc.stdin.flush()
        line = self.proc.stdout.readline()
        if not line:
            raise RuntimeError("bench/fullpoll ended")
        got = json.loads(line)
        if got["done"] < got["devices"]:
            raise RuntimeError(f"{got['devices'] - got['done']} of "
                               f"{got['devices']} printers were not read")
        return got


def replay(file, port):
    done = subprocess.run([program("bench/replay"), file, str(port),
                           str(OPEN)], stdout=subprocess.PIPE, text=True)
    got = json.loads(done.stdout)
    if got["unfinished"]:
        raise RuntimeError(f"{got['unfinished']} replays did not end")
    return got


def start(rig, printers):
    """The printers, and a file with their addresses."""
    rig.sim.start(fleet=printers, user=":".join(USER), latency=LATENCY_MS)
    hosts = rig.sim.hosts()
    file = rig.dir / "hosts"
    file.write_text("".join(f"{h}\n" for h in hosts))
    return hosts, file


def record(rig, poller, what, name):
    """What a round asks, as a file for the replay; what goes over the LAN
    meanwhile, a printer."""
    file = rig.dir / name
    before = traffic.stats(rig.sim)
    rig.sim.send("record", file)
    got = poller.round(what)
    rig.sim.send("record", "off")
    spent = traffic.spent(before, traffic.stats(rig.sim))
    return file, {k: v / got["devices"] for k, v in spent.items()}


def each(rounds):
    """(CPU seconds a printer, wall seconds), medians."""
    return (middle([r["cpu_s"] / r["devices"] for r in rounds]),
            middle([r["wall_s"] for r in rounds]))


def us(seconds):
    return f"{seconds * 1e6:,.1f} us"


def lan(spent):
    return (f"{spent['requests']:.1f}; {number(spent['varbinds'])}; "
            f"{number(spent['bytes_to'], 4)}, "
            f"{number(spent['bytes_from'], 4)}")


def ours(rig, hosts, rows):
    """v2c, the floor and v3 in turn; CPU seconds a printer of v2c's poll."""
    port = rig.sim.port
    with Poller(hosts, port) as v2c, Poller(hosts, port, USER) as v3:
        first = v2c.round("first")
        v2c.round("cells")
        file, spent = record(rig, v2c, "cells", "cells")
        _, whole = record(rig, v2c, "all", "all")
        v3.round("first")
        v3.round("cells")
        _, spent3 = record(rig, v3, "cells", "cells3")
        taken = {k: [] for k in ("cells", "floor", "v3", "all")}
        for _ in range(ROUNDS):
            taken["cells"].append(v2c.round("cells"))
            taken["floor"].append(replay(file, port))
            taken["v3"].append(v3.round("cells"))
            taken["all"].append(v2c.round("all"))
        peak = taken["all"][-1]["rss_kb"]
    printers = first["devices"]
    cpu = {k: each(v) for k, v in taken.items()}
    (cell_s, cell_wall), (floor_s, floor_wall) = cpu["cells"], cpu["floor"]
    (v3_s, v3_wall), (all_s, all_wall) = cpu["v3"], cpu["all"]
    rows += [
        Row(f"full poll of {printers:,} printers, all known cells, v2c, "
            f"{LATENCY_MS} ms of latency: wall", f"{cell_wall:.2f} s",
            f"< {WALL_S} s", cell_wall < WALL_S),
        Row("... CPU a printer", us(cell_s)),
        Row("... on the LAN, a printer: requests; variables asked; bytes to "
            "it, from it", lan(spent)),
        Row("the floor: the same packets from a bare sendmmsg and recvmmsg: "
            "CPU a printer", us(floor_s)),
        Row("... wall", f"{floor_wall:.2f} s"),
        Row("the full poll is", f"{cell_s / floor_s:.1f} times the floor",
            f"<= {FLOOR_TIMES} times", cell_s <= FLOOR_TIMES * floor_s),
        Row("the same with SNMPv3, SHA-1 and AES-128: CPU a printer",
            us(v3_s)),
        Row("... wall", f"{v3_wall:.2f} s"),
        Row("... on the LAN, a printer: requests; variables asked; bytes to "
            "it, from it", lan(spent3)),
        Row("SNMPv3 is", f"{v3_s / cell_s:.1f} times v2c",
            f"<= {V3_TIMES} times", v3_s <= V3_TIMES * cell_s),
        Row("everything again (new rows are looked for), v2c: CPU a printer",
            us(all_s)),
        Row("... wall", f"{all_wall:.2f} s"),
        Row("... on the LAN, a printer: requests; variables asked; bytes to "
            "it, from it", lan(whole)),
        Row("everything for the first time (nothing known), v2c: CPU a "
            "printer", us(first["cpu_s"] / printers)),
        Row("... wall", f"{first['wall_s']:.2f} s"),
        Row(f"the poller's memory with {printers:,} images (RSS, its peak)",
            f"{peak / 1024:.1f} MB"),
    ]
    return cell_s


def peer_row(name, theirs, mine, target=None):
    times = theirs / mine
    return Row(name, f"{times:,.0f} times less",
               f">= {target} times" if target else "",
               times >= target if target else None)


def beside_exporter(rig, hosts, rows, mine):
    if not exporter.present():
        return
    with exporter.Exporter(rig) as peer:
        peer.scrape(hosts[:200], rig.sim.port)      # warm
        before = traffic.stats(rig.sim)
        got = peer.scrape(hosts, rig.sim.port)
        spent = traffic.spent(before, traffic.stats(rig.sim))
    theirs = got["cpu_s"] / len(hosts)
    rows += [
        Row(f"prometheus-snmp-exporter, {len(hosts):,} of the same printers, "
            f"{exporter.AT_ONCE} at a time: CPU a printer", us(theirs)),
        Row("... on the LAN, a printer: requests; variables asked; bytes to "
            "it, from it", lan({k: v / len(hosts)
                                for k, v in spent.items()})),
        peer_row("our full poll beside the exporter", theirs, mine,
                 EXPORTER_TIMES),
    ]


def beside_shell(rig, hosts, rows, mine):
    if not gauge.present("snmpbulkwalk"):
        return
    theirs, _ = polls.shell(rig.sim, hosts, polls.full_script(rig.sim.port),
                            rounds=1)
    rows += [
        Row(f"snmpget and snmpbulkwalk, {len(hosts)} of the same printers: "
            "CPU a printer", us(theirs)),
        peer_row("our full poll beside the shell", theirs, mine),
    ]


def measure(quick=False):
    rows = []
    if not (BUILD / "bench/fullpoll").exists():
        raise SystemExit("full: make bench-tools builds what it needs")
    with Rig() as rig:
        hosts, file = start(rig, 500 if quick else PRINTERS)
        mine = ours(rig, file, rows)
        beside_exporter(rig, hosts[:100 if quick else PEER_PRINTERS], rows,
                        mine)
        beside_shell(rig, hosts[:5 if quick else SHELL_PRINTERS], rows, mine)
    return rows
