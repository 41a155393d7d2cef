"""Promise: each printer is asked for what is worth asking, when it is worth
it, with the credentials that fit.  Wrong credentials never end the search, and
what worked is remembered; a heartbeat in which nothing happened is one request
of eight objects; a printer that sleeps is left alone; three hundred printers
are no other than three.

The agent has no server here: what it finds is in its store."""
import re
import secrets
import time

from rig import wait_for, write_secret

HOST = "127.10.61.1"
KEY = "Z0f4cUWzkW0jVJrNw8a3JXL7S4mO6RQg9Y1Sg3vN1lA="
LEVEL = "1.3.6.1.2.1.43.11.1.1.9"
SUPPLIES = "1.3.6.1.2.1.43.11.1.1"
LIFE = "1.3.6.1.2.1.43.10.2.1.4.1.1"
ERRORS = "1.3.6.1.2.1.25.3.5.1.2.1"
NEVER = {"supplies": "1h", "counters": "1h", "assets": "1d"}


def begin(rig, devices=None, sections=None, fleet=None, user=None,
          **schedule):
    """Printers and an agent that nobody has a session with."""
    options = {} if user is None else {"user": user}
    rig.sim.start(devices, fleet, **options)
    agent = rig.agent
    agent.jid = "agent@example.test"
    write_secret(rig.dir / "agent.password", "none\n")
    agent.snippet = {"crypto": {"central_key": KEY}}
    more = {}
    for name, keys in (sections or {}).items():
        more[f"snmp {name}"] = {"port": rig.sim.port, "timeout": "200ms",
                                "retries": 1, **keys}
    if sections is not None:
        # Whose place the rig's own would take.
        more.setdefault("snmp public", {})["networks"] = "192.0.2.0/24"
    agent.more = more
    if fleet is not None and fleet > 50:
        hosts = rig.sim.hosts()
        agent.networks = [f"{hosts[0]}-{hosts[-1]}"]
    agent.write(**{"heartbeat": "300ms", **NEVER, **schedule})
    agent.start()
    return agent


def devices(agent, where="1"):
    """The rows of the store's table, by address."""
    try:
        db = agent.database()
    except StopIteration:
        return {}
    try:
        rows = db.execute(f"SELECT * FROM device WHERE {where}").fetchall()
    except Exception:       # it is being made
        return {}
    finally:
        db.close()
    return {row["address"].split(":")[0]: dict(row) for row in rows}


def told(agent):
    """What was last told of each asset, as XML by the asset's id."""
    db = agent.database()
    try:
        return {row["asset"]: row["body"] for row in db.execute(
            "SELECT asset, body FROM told WHERE id = asset")}
    finally:
        db.close()


def known(agent, host=HOST, timeout=20):
    return wait_for(lambda: devices(agent, "printer").get(host), timeout,
                    f"{host} in the store", 0.1)


def heartbeats(sim, count, host=HOST):
    """Waits until so many requests have come; the traffic since."""
    sim.send("reset")
    return wait_for(lambda: (s := sim.send("stats", host))["requests"] >=
                    count and s, 30, f"{count} requests")


def asked(sim, prefix, host=HOST):
    return [a for a in sim.send("asked", host)
            if (a if isinstance(a, str) else a["oid"]).startswith(prefix)]


def wait_asked(sim, prefix, timeout=5):
    return wait_for(lambda: asked(sim, prefix), timeout, f"{prefix} is asked")


def settle(rig):
    """Until it is only asked for heartbeats."""
    def quiet():
        rig.sim.send("reset")
        time.sleep(1)
        return not asked(rig.sim, SUPPLIES)
    known(rig.agent)
    wait_for(quiet, 20, "only heartbeats")
    rig.sim.send("reset")


# --- credentials -----------------------------------------------------------

WRONG = {"one": {"version": "1", "community": "old"},
         "two": {"version": "2c", "community": "secret"},
         "three": {"community": "wrong"}}


def test_the_ladder(rig):
    """Two of three sections are wrong, in whatever order."""
    agent = begin(rig, [f"{HOST}=@hp-mono,community=secret"], WRONG)
    assert known(agent)["credentials"] == "two"
    stats = heartbeats(rig.sim, 5)
    assert stats["v1"] == 0 and stats["answers"] == stats["requests"]


def test_nothing_else_is_tried(rig):
    """A printer that answers "public" is none of ours if the INI does not
    say public."""
    sections = {k: WRONG[k] for k in ("one", "three")}
    agent = begin(rig, [f"{HOST}=@hp-mono"], sections)
    agent.wait_log("does not answer")
    assert not devices(agent, "printer")


def test_a_changed_community(rig):
    """The printer's community changes: the other section is found out before
    it is called unreachable, and stays after a restart."""
    spec = "@hp-mono,serial=KX7731,community="
    agent = begin(rig, [f"{HOST}={spec}old"], WRONG)
    assert known(agent)["credentials"] == "one"
    assert known(agent)["memo"].startswith("v1")
    rig.sim.send("remove", HOST)
    rig.sim.send(f"add {HOST}={spec}secret")
    agent.wait_log(r"answers to \[snmp two\] now, no longer to \[snmp one\]")
    assert "unreachable" not in agent.log()
    wait_for(lambda: known(agent)["credentials"] == "two", 5)
    assert len(told(agent)) == 1
    agent.stop()
    rig.sim.send("reset")
    agent.start()
    wait_for(lambda: rig.sim.send("stats", HOST)["requests"] >= 8, 20)
    assert rig.sim.send("stats", HOST)["v1"] == 0


def v3(agent_dir, name, user, auth, password, privacy=None, key=None):
    """A section's keys, with the passwords in files."""
    keys = {"version": 3, "user": user, "auth": auth}
    for which, value in (("auth", password), ("privacy", key)):
        if value is not None:
            path = agent_dir / f"{name}.{which}"
            write_secret(path, value + "\n")
            keys[f"{which}_password_file"] = path
    return {**keys, "privacy": privacy}


def test_v3_on_the_ladder(rig):
    """SNMPv3 first; a wrong password there does not end the search."""
    good, key = secrets.token_hex(8), secrets.token_hex(8)
    sections = {
        "public": {"version": "2c", "community": "public"},
        "wrong": v3(rig.dir, "wrong", "watcher", "sha256", "not this one",
                    "aes128", key),
        "nobody": v3(rig.dir, "nobody", "nobody", "sha256", good),
        "right": v3(rig.dir, "right", "watcher", "sha256", good, "aes128",
                    key),
    }
    agent = begin(rig, [f"{HOST}=@hp-mono,community=other"], sections,
                  user=f"watcher:sha256:{good}:aes128:{key}")
    assert known(agent)["credentials"] == "right"
    assert known(agent)["memo"].startswith("v3")
    stats = heartbeats(rig.sim, 6)
    # Its engine is remembered between visits: no discovery, no report.
    assert stats["v3"] == stats["requests"] and stats["reports"] == 0
    # It restarts: boots and time are others, and it goes on.
    rig.sim.send("restart", HOST)
    stats = heartbeats(rig.sim, 12)
    assert stats["reports"] <= 2
    assert "unreachable" not in agent.log()


def test_wrong_credentials_are_listed(rig):
    """What answers that it knows us not may be a printer: it is listed with
    the reason, and taken up when the password is right."""
    good = secrets.token_hex(8)
    sections = {"watch": v3(rig.dir, "watch", "watcher", "sha256",
                            "not this one")}
    agent = begin(rig, [f"{HOST}=@hp-mono"], sections,
                  user=f"watcher:sha256:{good}")
    row = wait_for(lambda: devices(agent).get(HOST), 20, "a row", 0.1)
    assert not row["printer"]
    assert "may be a printer with other credentials" in row["why"]
    listed = agent.tool("devices", "--all")
    assert HOST in listed and "credentials" in listed
    agent.stop()
    write_secret(rig.dir / "watch.auth", good + "\n")
    agent.start()
    assert known(agent)["credentials"] == "watch"


# --- what is asked ------------------------------------------------------------

def test_a_heartbeat_is_one_request(rig):
    begin(rig, [f"{HOST}=@hp-mono"])
    settle(rig)
    stats = heartbeats(rig.sim, 10)
    assert stats["varbinds"] == 8 * stats["requests"]
    assert stats["gets"] == stats["requests"]
    # With IP and UDP headers; facts/printer-mib 14 reckons 403.
    octets = (stats["bytes_in"] + stats["bytes_out"]) / stats["requests"]
    assert octets + 2 * 28 <= 410


def test_levels_after_a_toner_bit(rig):
    """At once, though levels are due in an hour."""
    agent = begin(rig, [f"{HOST}=@hp-mono"])
    settle(rig)
    rig.sim.send("level", HOST, 1, 3)
    rig.sim.send("set", HOST, ERRORS, "4x", "2000")
    wait_asked(rig.sim, LEVEL)
    db = agent.database()
    wait_for(lambda: any("<level>" in row["body"] and ">3<" in row["body"]
                         for row in db.execute("SELECT body FROM told")), 5,
             "the level")
    db.close()
    # Once for one edge.
    rig.sim.send("reset")
    heartbeats(rig.sim, 5)
    assert not asked(rig.sim, LEVEL)


def test_levels_after_pages(rig):
    """Not more often than every `supplies`, if that is shorter than a
    minute; counters not at all before they are due."""
    begin(rig, [f"{HOST}=@hp-mono"], supplies="2s")
    known(rig.agent)
    rig.sim.send("reset")
    start = time.monotonic()
    while time.monotonic() - start < 8:
        rig.sim.send("print", HOST, 1)
        time.sleep(0.1)
    stats, rows = rig.sim.send("stats", HOST), len(asked(rig.sim, LEVEL))
    assert rows > 0
    # Each time would be about 25 times its rows.
    assert stats["varbinds"] - 8 * stats["requests"] <= 6 * (rows + 2)


def test_a_sleeping_printer_is_left_alone(rig):
    """Heartbeats only, and fewer; what was left out is asked when it wakes."""
    agent = begin(rig, [f"{HOST}=@hp-mono"], supplies="1s", counters="1s")
    known(agent)
    rig.sim.send("asleep", HOST, "on")
    agent.wait_log("is asleep")
    time.sleep(1)
    rig.sim.send("reset")
    time.sleep(6)
    stats = rig.sim.send("stats", HOST)
    assert not asked(rig.sim, SUPPLIES)
    assert stats["varbinds"] == 8 * stats["requests"]
    assert 5 <= stats["requests"] <= 12         # every 600 ms, not 300
    rig.sim.send("asleep", HOST, "off")
    rig.sim.send("print", HOST, 3)
    agent.wait_log("is awake")
    wait_asked(rig.sim, LEVEL)
    assert agent.log().count("is asleep") == 1


def test_what_was_learnt_outlives_a_restart(rig):
    """Limits and the version are remembered."""
    other = "127.10.61.2"
    agent = begin(rig, [f"{HOST}=@hp-mono", f"{other}=@brother"],
                  {"any": {"community": "public"}})
    known(agent), known(agent, other)
    agent.stop()
    # Found anew by an agent with a new store.
    for path in agent.dir.glob("store.db*"):
        path.unlink()
    rig.sim.send("toobig", HOST, 6)
    rig.sim.send("v1only", other, "on")
    agent.start()
    wait_for(lambda: "varbinds=" in known(agent)["memo"], 20, "a limit", 0.1)
    assert re.search(r"varbinds=[1-6]\b", known(agent)["memo"])
    assert known(agent, other)["memo"].startswith("v1")
    time.sleep(0.5)
    agent.stop()
    rig.sim.send("reset")
    agent.start()
    wait_for(lambda: rig.sim.send("stats", other)["requests"] > 5 and
             rig.sim.send("stats", HOST)["requests"] > 5, 20, "readings")
    assert rig.sim.send("stats", other)["v2c"] == 0
    # As many answers with values as requests: nothing was too big.
    stats = rig.sim.send("stats", HOST)
    assert stats["varbinds"] <= 6 * stats["requests"]


# --- many -----------------------------------------------------------------------

FLEET = 300


def test_three_hundred(rig):
    """All are found, known again after kill -9 without a word too many, and
    each is said once to have gone and once to be back."""
    agent = begin(rig, fleet=FLEET, heartbeat="1s")
    wait_for(lambda: len(devices(agent, "printer")) == FLEET, 60,
             "all in the store", 0.2)
    assert agent.log().count("new printer") == FLEET
    wait_for(lambda: agent.json("status").get("online", 0) >= FLEET * 0.8,
             20, "counts", 0.3)
    rig.sim.send("reset")
    pid = agent.kill_role("collector")
    wait_for(lambda: agent.pids().get("collector") not in (None, pid), 10)
    wait_for(lambda: rig.sim.send("stats")["requests"] > 5 * FLEET, 30)
    assert agent.log().count("new printer") == FLEET
    rig.sim.stop()
    wait_for(lambda: agent.log().count("is unreachable") == FLEET, 60,
             "all unreachable", 0.2)
    rig.sim.start()
    wait_for(lambda: agent.log().count("answers again") == FLEET, 120,
             "all back", 0.2)
    assert agent.log().count("is unreachable") == FLEET


def test_taken_out_they_are_let_go(rig):
    agent = begin(rig, fleet=20)
    wait_for(lambda: len(devices(agent, "printer")) == 20, 30, "all", 0.2)
    agent.stop()
    agent.hosts = [f"{h}:{rig.sim.port}" for h in rig.sim.hosts()[:5]]
    agent.write(heartbeat="300ms", **NEVER)
    agent.start()
    wait_for(lambda: len(devices(agent)) == 5, 10, "five left", 0.1)
    assert agent.log().count("is not in the configuration any more") == 15
