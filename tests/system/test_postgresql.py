"""The centre's store in PostgreSQL, as the operator meets it: what is wrong is
said with what to do, passwords stay out of everything, the commands work."""
import cluster
import pytest

from lines import Lines
from rig import (Rig, make_certificates, program, run_program, wait_for,
                 write_secret)

PASSWORD = "open sesame 7"


@pytest.fixture
def rig(request):
    made = Rig(request.node.name, store="postgresql")
    yield made
    made.close()


def with_store(rig, **store):
    """The centre with another [store]."""
    central = rig.central
    central.store = lambda: store
    return central.write()


def refused(rig, text, **store):
    done = with_store(rig, **store).tool("init", check=False)
    assert done.returncode == 1 and text in done.stderr, done.stderr
    assert PASSWORD not in done.stderr and "sesame" not in done.stderr
    return done.stderr


def test_settings(rig):
    url = "postgresql://platen@/platen"
    refused(rig, "belongs in [store] password_file",
            url="postgresql://platen:sesame@db/platen")
    refused(rig, "belongs in [store] password_file",
            url="postgresql://platen@db/platen?password=sesame")
    refused(rig, "such as postgresql://", url="mysql://sesame@db/platen")
    refused(rig, "cannot be read", url="postgresql://db/platen?sesame=1")
    refused(rig, "not both", url=url, path=rig.dir / "fleet.db")
    refused(rig, "is for a [store] url", password_file=rig.dir / "none")
    rig.central.more = {"component": {"processes": 2}}
    refused(rig, "only a store in PostgreSQL", path=rig.dir / "fleet.db")
    rig.central.more = {}
    secret = rig.dir / "db.password"
    write_secret(secret, PASSWORD + "\n")
    secret.chmod(0o644)
    refused(rig, str(secret), url=url, password_file=secret)


def test_password(rig):
    name, database = rig.database
    database.sql(f"CREATE ROLE {name}_role LOGIN PASSWORD '{PASSWORD}'",
                 f"ALTER DATABASE {name} OWNER TO {name}_role")
    url = database.url(name, f"{name}_role")
    database.ask_passwords(f"{name}_role")
    assert "no password supplied" in refused(
        rig, "without a password ([store] password_file)", url=url)
    secret = rig.dir / "db.password"
    write_secret(secret, "another\n")
    refused(rig, "password authentication failed", url=url,
            password_file=secret)
    write_secret(secret, PASSWORD + "\n")
    central = with_store(rig, url=url, password_file=secret)
    assert f"store       {url}" in central.tool("init")
    central.enrol("site1", "site1@example.test")
    rig.server.start()
    central.start("-v")
    argv = run_program(["ps", "-o", "args=", "-p", central.pid])
    environ = open(f"/proc/{central.pid}/environ", "rb").read()
    assert PASSWORD not in argv and PASSWORD.encode() not in environ
    # It is kept for the next connection.
    database.stop()
    central.wait_log("fleet: .*(lost|terminating)")
    database.start()
    wait_for(lambda: central.json("agents"), 20)
    rig.agent.enrol()
    central.wait_log("works again")
    assert PASSWORD not in central.log(whole=True)


def test_commands(rig):
    central = rig.central
    central.write()
    done = central.tool("agents", check=False)
    assert done.returncode == 1
    assert '"platen-central init" makes it' in done.stderr
    central.init()
    assert "store       postgresql://" in central.init()    # and again
    assert central.json("agents") == []
    central.enrol("site1", "site1@example.test", "Acme")
    assert central.tool("enrol", "site1", "--jid", "x@example.test",
                        check=False).returncode == 1
    assert [(a["name"], a["customer"], a["state"])
            for a in central.json("agents")] == [("site1", "Acme",
                                                  "enrolled")]
    for what in "devices", "consumables", "alerts", "history":
        assert central.json(what) == []
        central.tool(what, "--agent", "site1", "--asset", "x", "--since",
                     "1h", "--limit", "3")
    central.tool("agents", "--revoke", "site1@example.test")
    assert central.json("agents")[0]["state"] == "revoked"


def test_not_durable(rig):
    """What it rests on is said, and what can be mended is."""
    name, database = rig.database
    database.sql(f"ALTER DATABASE {name} SET synchronous_commit = off")
    rig.server.start()
    rig.central.init()
    rig.central.start()
    rig.central.wait_log("synchronous_commit is off there; on for us")
    rig.central.wait_log("fsync is off there")


def test_daemon(rig):
    """It connects as who it becomes, after it went to the background."""
    rig.server.start()
    rig.central.init()
    rig.database[1].stop()
    done = run_program([program("platen-central"), "-c", rig.central.ini,
                        "run"], check=False)
    assert done.returncode == 1 and "cannot connect" in done.stderr
    rig.database[1].start()


@pytest.fixture
def far(rig):
    """A database that is reached over TCP and TLS only, through a line that
    can be cut."""
    made = cluster.Cluster()
    try:
        made.start()
        made.sql(f"CREATE ROLE office LOGIN PASSWORD '{PASSWORD}'",
                 "CREATE DATABASE platen OWNER office")
        certificates = make_certificates(rig.dir / "db", "db.example.test")
        made.over_network(rig.ports.take(), certificates)
        rig.line = Lines(database=(rig.ports.take(), made.settings["port"]))
        rig.secret = rig.dir / "db.password"
        write_secret(rig.secret, PASSWORD + "\n")
        yield rig
        rig.line.close()
    finally:
        made.close()


def over_tls(rig, host="db.example.test", ca="ca.crt", **more):
    words = {"hostaddr": "127.0.0.1", "sslmode": "verify-full",
             "sslrootcert": rig.dir / "db" / ca, **more}
    return {"password_file": rig.secret,
            "url": f"postgresql://office@{host}:{rig.line.ports['database']}"
                   "/platen?" + "&".join(f"{k}={v}" for k, v in words.items()
                                         if v is not None)}


def test_over_tls(far):
    """Whose server it is is made sure of, nothing goes in clear, and a line
    that is cut or falls silent costs nothing but time."""
    rig = far
    make_certificates(rig.dir / "other")
    refused(rig, "server certificate for \"db.example.test\" does not match",
            **over_tls(rig, "else.example.test"))
    refused(rig, "certificate verify failed",
            **over_tls(rig, ca="../other/ca.crt"))
    refused(rig, "pg_hba.conf", **over_tls(rig, sslmode="disable"))
    central = with_store(rig, **over_tls(rig, sslmode=None, sslrootcert=None))
    central.tool("init")            # TLS, whoever it is
    store = over_tls(rig)
    central.store = lambda: store
    rig.start(fleet=2)
    rig.agent.wait_online()
    host, *_ = rig.sim.hosts()
    count = 0

    def arrives():
        nonlocal count
        count += 1
        rig.sim.raise_alert(host, code=8, severity=3, text=f"jam {count}")
        wait_for(lambda: [a["description"] for a in central.json("alerts")
                          if a["description"].startswith("jam ")].count(
                              f"jam {count}") == 1, 60, "the alert", 0.5)

    arrives()
    rig.line.say("rst", "database")
    arrives()
    for times, words in enumerate((["freeze", "database"],
                                   ["stall", "database", "on"]), 1):
        rig.line.say(*words)
        count += 1
        rig.sim.raise_alert(host, code=8, severity=3, text=f"jam {count}")
        wait_for(lambda: central.log().count("no answer") >= times, 40,
                 "it is noticed", 0.2)
        if words[0] == "stall":
            rig.line.say("stall", "database", "off")
        arrives()
    texts = [a["description"] for a in central.json("alerts")]
    assert sorted(t for t in texts if t.startswith("jam ")) == \
        [f"jam {i}" for i in range(1, count + 1)]
