"""Promise: each printer is asked for what is worth asking, when it is worth
it, with the credentials that fit.  Wrong credentials never end the search, and
what worked is remembered; a heartbeat in which nothing happened is one request
of eight objects; a printer that sleeps is left alone; three hundred printers
are no other than three.

The agent has no server here: what it finds is in its store."""
import re
import secrets
import sqlite3
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
    return {row["address"].split(":")[0]: {
        **dict(row), "why": row["why"] and agent.plain(row["why"], "why")}
        for row in rows}


def told(agent):
    """What was last told of each asset, as XML by the asset's id."""
    db = agent.database()
    try:
        return {row["asset"]: row["body"] for row in db.execute(
            "SELECT asset, plain(body, 'told ' || asset || ' ' || id) AS "
            "body FROM told WHERE id = asset")}
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


def test_three_generations(rig):
    """A wrong section of each kind before the right one, for some networks or
    for all; what worked is all that is tried from then on, and so after kill
    -9 of everything."""
    new, mid, old, far = (f"127.10.62.{n}" for n in (1, 2, 3, 9))
    good = secrets.token_hex(8)
    near = {"networks": "127.10.62.0/29"}
    sections = {
        "a1": {"version": "1", "community": "oldest"},
        "a2": {"version": "1", "community": "old"},
        "b1": {"version": "2c", "community": "newest", **near},
        "b2": {"version": "2c", "community": "new"},
        "c1": v3(rig.dir, "c1", "nobody", "sha256", good),
        "c2": v3(rig.dir, "c2", "watcher", "sha256", "not this one"),
        "c3": {**v3(rig.dir, "c3", "watcher", "sha256", good),
               "networks": new},
        # Right for the last one, if it were for its network.
        "d1": {"version": "2c", "community": "far", **near},
    }
    agent = begin(rig, [f"{new}=@hp-mono,community=none,number=1",
                        f"{mid}=@hp-mono,community=new,number=2",
                        f"{old}=@hp-mono,community=old,number=3",
                        f"{far}=@hp-mono,community=far,number=4"], sections,
                  user=f"watcher:sha256:{good}")
    rig.sim.send("v1only", old, "on")
    want = {new: "c3", mid: "b2", old: "a2"}

    def found():
        return {h: r["credentials"] for h, r in
                devices(agent, "printer").items()}
    wait_for(lambda: found() == want, 40, "three", 0.2)
    row = wait_for(lambda: devices(agent).get(far), 20, "the fourth", 0.1)
    assert "may be a printer with other credentials" in row["why"]
    agent.kill9()
    rig.sim.send("reset")
    agent.start()
    wait_for(lambda: all(rig.sim.send("stats", h)["requests"] >= 8
                         for h in want), 30, "visits", 0.2)
    assert found() == want
    for host, version in (new, "v3"), (mid, "v2c"), (old, "v1"):
        stats = rig.sim.send("stats", host)
        assert stats[version] == stats["requests"], (host, stats)
        # One request may be on its way; a restart costs v3 its clock.
        assert stats["requests"] - stats["answers"] <= 1
    assert "unreachable" not in agent.log()


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


def test_what_does_not_change_is_not_asked_again(rig):
    """Names, types and units once a day, after a change of configuration, and
    after a restart; levels with their descriptions and capacities."""
    begin(rig, [f"{HOST}=@hp-mono"], supplies="1s", counters="1s")
    known(rig.agent)
    lasting = [f"{SUPPLIES}.{column}" for column in (4, 5, 7)] + [
        "1.3.6.1.2.1.43.12.1.1.4",         # prtMarkerColorantValue
        "1.3.6.1.2.1.43.5.1.1.17",         # prtGeneralSerialNumber
        "1.3.6.1.2.1.25.3.2.1.3",          # hrDeviceDescr
        "1.3.6.1.2.1.1.1", "1.3.6.1.2.1.1.6", "1.3.6.1.2.1.2.2.1.6"]

    def silence():
        rig.sim.send("reset")
        wait_asked(rig.sim, LEVEL, 10)
        time.sleep(1.5)
        return not any(asked(rig.sim, oid) for oid in lasting)
    wait_for(silence, 20, "levels alone")
    for _ in range(3):
        assert silence()
    assert asked(rig.sim, f"{SUPPLIES}.6") and asked(rig.sim, f"{SUPPLIES}.8")
    for command in "config", "restart":
        rig.sim.send("reset")
        rig.sim.send(command, HOST)
        for oid in lasting:
            wait_asked(rig.sim, oid, 10)
        wait_for(silence, 20, "levels alone again")
        assert silence()


def test_levels_after_a_toner_bit(rig):
    """At once, though levels are due in an hour."""
    agent = begin(rig, [f"{HOST}=@hp-mono"])
    settle(rig)
    rig.sim.send("level", HOST, 1, 3)
    rig.sim.send("set", HOST, ERRORS, "4x", "2000")
    wait_asked(rig.sim, LEVEL)
    db = agent.database()
    wait_for(lambda: any("<level>" in row["body"] and ">3<" in row["body"]
                         for row in db.execute(
                             "SELECT plain(body, 'told ' || asset || ' ' || "
                             "id) AS body FROM told")), 5, "the level")
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


def test_all_that_was_learnt_outlives_a_restart(rig):
    """GETBULK, that there is none, the context, an answer from elsewhere."""
    specs = {"127.10.63.1": "@xerox", "127.10.63.2": "@hp-context",
             "127.10.63.3": "@kyocera", "127.10.63.4": "@ricoh"}
    agent = begin(rig, [f"{h}={s}" for h, s in specs.items()],
                  assets="2s")
    wait_for(lambda: set(devices(agent, "printer")) == set(specs), 30)
    agent.stop()
    for path in agent.dir.glob("store.db*"):
        path.unlink()
    rig.sim.send("nobulk 127.10.63.3 on")
    rig.sim.send("wrongsource 127.10.63.4 on")
    agent.start()
    words = {"127.10.63.1": "bulk", "127.10.63.2": "jetdirect",
             "127.10.63.3": "no-bulk", "127.10.63.4": "alone"}

    def memos():
        return {h: r["memo"] for h, r in devices(agent, "printer").items()}
    wait_for(lambda: all(w in memos().get(h, "").split()
                         for h, w in words.items()), 40, "all words", 0.2)
    agent.kill9()
    before = memos()
    # Where GETBULK does not work it is not tried again, and where the answers
    # come from is known: nothing is silent.
    rig.sim.send("reset")
    agent.start()
    wait_for(lambda: all(rig.sim.send("stats", h)["requests"] > 12
                         for h in specs), 30, "visits", 0.2)
    assert rig.sim.send("stats", "127.10.63.3")["bulks"] == 0
    assert rig.sim.send("stats", "127.10.63.1")["bulks"] > 0
    assert memos() == before
    for host in specs:
        stats = rig.sim.send("stats", host)
        assert stats["requests"] - stats["answers"] <= 1, host
    assert "unreachable" not in agent.log()


STATUS = {
    "name", "customer", "version", "uptime", "online", "asleep", "unreachable",
    "queue_depth", "lost_detail", "last_scan", "bytes_sent",
    "bytes_received", "time", "running", "state_dir", "store", "uplink",
    "uplink_why", "central", "epoch", "outbox", "outbox_bytes", "refused",
    "merged", "lanes", "catching_up", "traps", "scan", "key"}
SCAN = {"running", "pass", "done", "left", "found", "new", "others",
        "started", "finished", "seconds_left"}


def test_status_has_its_keys(rig):
    """Scripts rely on them, from the first moment on."""
    agent = begin(rig, [f"{HOST}=@hp-mono"])

    def status():
        try:
            return agent.json("status")
        except AssertionError:
            return None
    first = wait_for(status, 20, "a status")
    assert set(first) == STATUS and set(first["scan"]) == SCAN
    known(agent)
    last = wait_for(lambda: (s := status()) and s["online"] == 1 and s, 20,
                    "one online", 0.2)
    assert set(last) == STATUS and set(last["scan"]) == SCAN
    assert last["running"] is True and last["unreachable"] == 0
    agent.stop()
    stopped = status()
    assert set(stopped) == STATUS
    assert stopped["running"] is False and stopped["uplink"] == "stopped"


def test_a_store_that_somebody_holds(rig):
    """As a backup does, or an operator with sqlite3: for that long nothing is
    written, and nothing is lost, called unreachable, or said again and
    again."""
    names = [f"127.10.64.{n}" for n in range(1, 21)]
    agent = begin(rig, [f"{h}=@hp-mono,number={i},serial=SH{i}00{i}X"
                        for i, h in enumerate(names, 1)])
    wait_for(lambda: len(devices(agent, "printer")) == 20 and
             len(told(agent)) == 20, 30, "all", 0.2)
    path = next(agent.dir.glob("store.db"))
    lines = len(agent.log().splitlines())
    held = sqlite3.connect(path, isolation_level=None, timeout=20)
    held.execute("BEGIN IMMEDIATE")
    for host in names:
        rig.sim.send("set", host, ERRORS, "4x", "0400")
    time.sleep(20)
    rig.sim.send("reset")
    time.sleep(3)
    # Printers are read all the same.
    asked_for = [rig.sim.send("stats", h)["requests"] for h in names]
    held.execute("ROLLBACK")
    held.close()
    assert min(asked_for) >= 2
    wait_for(lambda: sum("jammed" in x or "<errors>" in x
                         for x in told(agent).values()) == 20, 20,
             "all errors are told", 0.2)
    assert "unreachable" not in agent.log()
    assert len(agent.log().splitlines()) - lines < 12, agent.log()


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
    # Three lines each, and some about the agent itself.
    assert len(agent.log().splitlines()) < 3 * FLEET + 60


def test_taken_out_they_are_let_go(rig):
    agent = begin(rig, fleet=20)
    wait_for(lambda: len(devices(agent, "printer")) == 20, 30, "all", 0.2)
    agent.stop()
    agent.hosts = [f"{h}:{rig.sim.port}" for h in rig.sim.hosts()[:5]]
    agent.write(heartbeat="300ms", **NEVER)
    agent.start()
    wait_for(lambda: len(devices(agent)) == 5, 10, "five left", 0.1)
    assert agent.log().count("is not in the configuration any more") == 15
