"""Promise: what bench/run measures with does what it is said to do: the polls
read every printer, the floor is the same packets, and what measures the line and
the centre runs through.  No times.
"""
import json
import subprocess

import pytest

from rig import ROOT, program

PRINTERS = 40
USER = ["bench", "sha1", "auth-password", "aes128", "privacy-password"]


@pytest.fixture
def fleet(sim):
    sim.start(fleet=PRINTERS, user=":".join(USER), latency=5)
    file = sim.rig.dir / "hosts"
    file.write_text("".join(f"{h}\n" for h in sim.hosts()))
    return sim, file


def poll(sim, hosts, words, *user):
    done = subprocess.run(
        [program("bench/fullpoll"), hosts, str(sim.port), "8", *user],
        input="".join(f"{w}\n" for w in words), capture_output=True,
        text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("user", [[], USER])
def test_every_printer_is_polled(fleet, user):
    sim, hosts = fleet
    rounds = poll(sim, hosts, ["first", "cells", "heartbeat", "all"], *user)
    assert [r["done"] for r in rounds] == [PRINTERS] * 4
    first, cells, heartbeat, whole = rounds
    assert first["changed"] == PRINTERS
    assert cells["changed"] == heartbeat["changed"] == 0
    assert heartbeat["requests"] < cells["requests"] < first["requests"]
    stats = sim.send("stats")
    assert stats["v3" if user else "v2c"] > 0
    assert stats["v2c" if user else "v3"] == 0


def test_the_floor_is_the_same_packets(fleet):
    sim, hosts = fleet
    file = sim.rig.dir / "packets"
    poll(sim, hosts, ["first"])
    sim.send("reset")
    sim.send("record", file)
    poll(sim, hosts, ["first"])
    sim.send("record off")
    before = sim.send("stats")
    sim.send("reset")
    done = subprocess.run([program("bench/replay"), file, str(sim.port), "8"],
                          capture_output=True, text=True, timeout=120)
    got, after = json.loads(done.stdout), sim.send("stats")
    assert done.returncode == 0 and got["unfinished"] == 0
    assert got["devices"] == PRINTERS
    for key in "requests", "varbinds", "bytes_in", "answers":
        assert before[key] == after[key], key
    assert got["packets"] == got["answers"] == after["requests"]


@pytest.mark.parametrize("name", ["pipe", "catchup", "crowd", "wan"])
def test_a_benchmark_runs_through(name):
    """With few printers, and whatever its targets say of that."""
    done = subprocess.run([ROOT / "bench" / "run", "--quick", name],
                          capture_output=True, text=True, timeout=300)
    if "Skipped" in done.stderr:
        pytest.skip(done.stderr.splitlines()[-1])
    assert "Traceback" not in done.stderr, done.stderr
    table = [line for line in done.stdout.splitlines()
             if line.startswith("| ") and not line.startswith("| what")]
    assert len(table) >= 2 and done.returncode in (0, 1), done.stderr
    assert not any("nan" in line or " 0 bytes" in line for line in table)


def test_a_table_is_not_written_by_halves():
    before = (ROOT / "bench" / "README.md").read_text()
    for more in ["pipe"], ["--quick"]:
        done = subprocess.run([ROOT / "bench" / "run", "--write", *more],
                              capture_output=True, text=True, timeout=60)
        assert done.returncode == 2 and "--write wants" in done.stderr
    assert (ROOT / "bench" / "README.md").read_text() == before
