"""Promise: SNMPv3 works with every pair of protocols that devices have, and
what is wrong is named as an operator needs it.

The other end is net-snmp's own agent, Debian's snmpd, on a port of 127.0.0.1
with configuration and state of its own.
"""
import json
import os
import re
import shutil
import subprocess

import pytest

from rig import (PATIENCE, Process, program, run_program, wait_for,
                 write_secret)

AUTHS = {"md5": "MD5", "sha1": "SHA", "sha224": "SHA-224",
         "sha256": "SHA-256", "sha384": "SHA-384", "sha512": "SHA-512"}
PRIVACIES = {"none": None, "des": "DES", "aes128": "AES",
             "aes192": "AES-192", "aes256": "AES-256",
             "aes192c": "AES-192-C", "aes256c": "AES-256-C"}
AUTH_PASSWORD, PRIVACY_PASSWORD = "the auth password", "the privacy password"
DESCR, NAME = "1.3.6.1.2.1.1.1.0", "1.3.6.1.2.1.1.5.0"
# Nothing of this machine, but what the tests need.
MODULES = ("system_mib,sysORTable,override,proxy,ucd_proxy,usmUser,usmConf,"
           "vacm_conf,vacm_context,snmpEngine,usmStats,snmpMPDStats")


class Snmpd(Process):
    """users: {name: (auth, privacy)} in our words; lines: more of its
    configuration.  state: its boots and users are kept there."""

    def __init__(self, rig, users, lines="", name="snmpd", port=None,
                 engine="0x80001f8804706c6174656e"):
        super().__init__(rig, name)
        self.port = port or rig.ports.take()
        self.users, self.lines, self.engine = users, lines, engine
        self.state = rig.dir / f"{name}.state"

    def configuration(self):
        made = [f"agentaddress udp:127.0.0.1:{self.port}",
                f"exactEngineID {self.engine}",
                "sysDescr A printer", "sysName printer",
                "view all included .1", "rocommunity public 127.0.0.1"]
        for name, (auth, privacy) in self.users.items():
            words = [name]
            if auth:
                words += [AUTHS[auth], f'"{AUTH_PASSWORD}"']
            if PRIVACIES.get(privacy):
                words += [PRIVACIES[privacy], f'"{PRIVACY_PASSWORD}"']
            level = "noauth" if not auth else "auth" if len(words) < 4 \
                else "priv"
            made += ["createUser " + " ".join(words), f"rouser {name} {level}"]
        return "\n".join(made) + "\n" + self.lines.format(port=self.port)

    def start(self):
        self.state.mkdir(exist_ok=True)
        conf = self.rig.dir / f"{self.name}.conf"
        conf.write_text(self.configuration())
        # Not -C: that would keep it from reading its own boots.
        snmpd = shutil.which("snmpd", path=os.environ["PATH"] + ":/usr/sbin")
        self.launch([snmpd, "-f", "-Le", "-c", conf, "-I", MODULES,
                     "-x", self.rig.dir / f"{self.name}.agentx"],
                    env=dict(os.environ, SNMP_PERSISTENT_DIR=str(self.state),
                             SNMPCONFPATH=str(self.state), MIBS=""))
        self.wait_log("NET-SNMP version", 20)
        return self

    def boots(self):
        for line in (self.state / "snmpd.conf").read_text().splitlines():
            if line.startswith("engineBoots"):
                return int(line.split()[1])
        return None


class Probe:
    """tests/unit/snmp/v3_probe."""

    def __init__(self, port, user, auth=None, privacy=None, **more):
        config = dict(port=port, user=user)
        if auth:
            config.update(auth=auth, auth_password=AUTH_PASSWORD)
        if privacy and privacy != "none":
            config.update(privacy=privacy, privacy_password=PRIVACY_PASSWORD)
        config["timeout_ms"] = int(300 * PATIENCE)
        config.update(more)
        self.process = subprocess.Popen(
            [program("tests/unit/snmp/v3_probe")] +
            [f"{k}={v}" for k, v in config.items()],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, question="get"):
        self.process.stdin.write(question + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, "v3_probe ended"
        return json.loads(line)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.stdout.close()
        status = self.process.wait(10 * PATIENCE)
        assert status == 0


def ask(*args, question="get", **more):
    with Probe(*args, **more) as probe:
        return probe.ask(question)


def user_name(auth, privacy):
    return f"u-{auth}-{privacy}"


PAIRS = [(a, p) for a in AUTHS for p in PRIVACIES]
# What a context is for: a part of the device that is asked elsewhere.
CONTEXT = "proxy -Cn Jetdirect -v 2c -c public 127.0.0.1:{port} .1.3.6.1.2.1.1"


@pytest.fixture(scope="module")
def device(module_rig):
    users = {user_name(a, p): (a, p) for a, p in PAIRS}
    users["open"] = (None, None)
    return Snmpd(module_rig, users, CONTEXT).start()


def works(answer):
    return answer["status"] == "ok" and \
        answer["values"] == {DESCR: "A printer", NAME: "printer"}


# --- every pair -----------------------------------------------------------

def test_no_authentication(device):
    answer = ask(device.port, "open")
    assert works(answer), answer
    assert answer["requests"] == 2          # the discovery, the question
    assert answer["engine"] == device.engine[2:]


@pytest.mark.parametrize("auth, privacy", PAIRS)
def test_pair(device, auth, privacy):
    with Probe(device.port, user_name(auth, privacy), auth,
               privacy) as probe:
        answer = probe.ask()
        assert works(answer), answer
        assert answer["requests"] == 2
        # A known engine is asked at once, and for a lot.
        answer = probe.ask("bulk")
        assert answer["status"] == "ok" and answer["requests"] == 1, answer
        assert len(answer["values"]) == 30
        assert answer["values"][DESCR] == "A printer"


# --- named errors ---------------------------------------------------------

def test_unknown_user(device):
    assert ask(device.port, "nobody")["status"] == "unknown user"
    answer = ask(device.port, "nobody", "sha1", "aes128")
    assert answer["status"] == "unknown user"
    assert answer["requests"] == 2          # there is nothing to try again


def test_wrong_auth_password(device):
    answer = ask(device.port, user_name("sha256", "aes128"), "sha256",
                 "aes128", auth_password="not the password")
    assert answer["status"] == "wrong auth"
    assert "auth" in answer["why"]


@pytest.mark.parametrize("auth", ["md5", "sha512"])
def test_wrong_auth_protocol(device, auth):
    answer = ask(device.port, user_name("sha1", "aes128"), auth, "aes128")
    assert answer["status"] == "wrong auth"


@pytest.mark.parametrize("privacy", ["des", "aes128", "aes256c"])
def test_wrong_privacy_password(device, privacy):
    """The agent says nothing at all to these."""
    answer = ask(device.port, user_name("sha1", privacy), "sha1", privacy,
                 privacy_password="not the password", retries=0)
    assert answer["status"] == "wrong privacy"
    assert "privacy" in answer["why"]


@pytest.mark.parametrize("has, used", [("aes128", "des"), ("des", "aes128"),
                                       ("aes192", "aes192c"),
                                       ("aes256c", "aes256")])
def test_wrong_privacy_protocol(device, has, used):
    answer = ask(device.port, user_name("sha1", has), "sha1", used,
                 retries=0)
    assert answer["status"] == "wrong privacy"


def test_unsupported_level(device):
    """The user has no privacy key, or no key at all."""
    answer = ask(device.port, user_name("sha1", "none"), "sha1", "aes128")
    assert answer["status"] == "wrong level"
    assert ask(device.port, "open", "sha1")["status"] == "wrong level"


def test_level_too_low(device):
    """The user must use privacy (RFC 3416: authorizationError)."""
    answer = ask(device.port, user_name("sha1", "aes128"), "sha1")
    assert (answer["status"], answer["error"]) == ("error", 16)


def test_nobody_there(rig):
    answer = ask(rig.ports.take(), "open")
    assert answer["status"] in ("refused", "timeout")


def test_switched_off(rig):
    """Without an answer to anything it is a time-out, and not the
    password's fault."""
    device = Snmpd(rig, {"u": ("sha1", "aes128")}).start()
    with Probe(device.port, "u", "sha1", "aes128", retries=0) as probe:
        assert works(probe.ask())
        device.hang()
        assert probe.ask()["status"] == "timeout"


# --- contexts -------------------------------------------------------------

@pytest.mark.parametrize("auth, privacy", [(None, None), ("sha1", None),
                                           ("sha1", "aes128")])
def test_context(device, auth, privacy):
    user = user_name(auth, privacy or "none") if auth else "open"
    with Probe(device.port, user, auth, privacy, retries=0) as probe:
        assert works(probe.ask("get Jetdirect"))
        answer = probe.ask("get Nowhere")
        assert answer["status"] == "unknown context", answer
        assert works(probe.ask())


# --- devices change -------------------------------------------------------

@pytest.fixture
def small(rig):
    return Snmpd(rig, {"u": ("sha1", "aes128")}).start()


def test_restart(small):
    """Boots grow, the clock starts again: one more exchange."""
    with Probe(small.port, "u", "sha1", "aes128") as probe:
        assert works(probe.ask())
        for boots in 2, 3:
            small.stop()
            small.start()
            answer = probe.ask()
            assert works(answer), answer
            assert answer["requests"] == 2
            assert small.boots() == boots
        assert probe.ask()["requests"] == 1


def test_boots_lost(small):
    """A device whose memory was cleared is asked all the same."""
    small.stop()
    small.start()
    with Probe(small.port, "u", "sha1", "aes128") as probe:
        assert works(probe.ask())
        small.stop()
        (small.state / "snmpd.conf").unlink()
        small.start()
        assert small.boots() == 1
        answer = probe.ask()
        assert works(answer), answer


def test_engine_replaced(small):
    """Another device at the address: another engine id, found by itself."""
    with Probe(small.port, "u", "sha1", "aes128") as probe:
        before = probe.ask()
        assert works(before)
        small.stop()
        (small.state / "snmpd.conf").unlink()
        small.engine = "0x80001f88046f74686572"
        small.start()
        after = probe.ask()
        assert works(after), after
        assert after["engine"] == small.engine[2:] != before["engine"]
        assert after["requests"] == 2


# --- platen probe ---------------------------------------------------------

# A small printer, in the agent's own words: OID below mib-2, type, value.
PRINTER = [
    ("25.3.2.1.2.1", "object_id", ".1.3.6.1.2.1.25.3.1.5"),
    ("25.3.2.1.3.1", "octet_str", "Example P 300"),
    ("25.3.2.1.5.1", "integer", "2"),
    ("25.3.5.1.1.1", "integer", "3"),
    ("43.5.1.1.17.1", "octet_str", "SN0042"),
    ("43.10.2.1.3.1.1", "integer", "7"),
    ("43.10.2.1.4.1.1", "counter", "12345"),
    ("43.11.1.1.2.1.1", "integer", "1"),
    ("43.11.1.1.3.1.1", "integer", "1"),
    ("43.11.1.1.4.1.1", "integer", "3"),
    ("43.11.1.1.5.1.1", "integer", "3"),
    ("43.11.1.1.6.1.1", "octet_str", "Black Toner"),
    ("43.11.1.1.7.1.1", "integer", "19"),
    ("43.11.1.1.8.1.1", "integer", "100"),
    ("43.11.1.1.9.1.1", "integer", "62"),
    ("43.12.1.1.4.1.1", "octet_str", "black"),
]


@pytest.fixture
def printer(rig):
    lines = "".join(f'override .1.3.6.1.2.1.{oid} {kind} "{value}"\n'
                    if kind == "octet_str" else
                    f"override .1.3.6.1.2.1.{oid} {kind} {value}\n"
                    for oid, kind, value in PRINTER)
    device = Snmpd(rig, {"operator": ("sha256", "aes256")}, lines).start()
    for name, password in (("auth", AUTH_PASSWORD),
                           ("privacy", PRIVACY_PASSWORD),
                           ("wrong", "not the password")):
        write_secret(rig.dir / name, password + "\n")
    return device


def probe(rig, port, *options):
    done = run_program([program("platen"), "probe", "--json", "--timeout",
                        str(0.4 * PATIENCE), *options, f"127.0.0.1:{port}"],
                       check=False)
    return done.returncode, json.loads(done.stdout)[0]


def test_probe(rig, printer):
    """platen probe says the same over v3 as over v2c."""
    user = ["--version", "3", "--user", "operator",
            "--auth", "sha256", "--auth-password-file", rig.dir / "auth",
            "--privacy", "aes256"]
    status, secure = probe(rig, printer.port, *user,
                           "--privacy-password-file", rig.dir / "privacy")
    assert status == 0 and secure["printer"], secure
    _, plain = probe(rig, printer.port, "--version", "2c")
    assert secure["asset"] == plain["asset"]
    assert secure["counters"] == plain["counters"] != []
    assert secure["consumables"] == plain["consumables"] != []
    assert secure["asset"]["serial"] == "SN0042"
    assert secure["consumables"][0]["percent"] == 62

    status, wrong = probe(rig, printer.port, *user,
                          "--privacy-password-file", rig.dir / "wrong")
    assert status == 1 and not wrong["printer"]
    assert "privacy password" in wrong["reason"]


# --- the daemon -----------------------------------------------------------

def test_daemon(rig, printer):
    """platend finds the section that fits, and goes on when the device
    restarts or forgets, without a word of it being gone."""
    def section(user, privacy_password):
        return {"version": "3", "user": user, "auth": "sha256",
                "auth_password_file": rig.dir / "auth", "privacy": "aes256",
                "privacy_password_file": rig.dir / privacy_password,
                "port": printer.port, "timeout": f"{int(500 * PATIENCE)}ms",
                "retries": 1}

    rig.server.start()
    rig.central.init()
    rig.central.start()
    agent = rig.agent.enrol()
    agent.hosts = [f"127.0.0.1:{printer.port}"]
    agent.more = {"snmp a-stranger": section("stranger", "privacy"),
                  "snmp b-typo": section("operator", "wrong"),
                  "snmp c-right": section("operator", "privacy")}
    agent.write(heartbeat="500ms").start().wait_online()
    row = wait_for(lambda: rig.central.json("devices"), 20, "the printer")[0]
    assert row["serial"] == "SN0042"

    def level():
        return [c["level"] for c in rig.central.json("consumables")]

    def change(to):
        printer.stop()
        printer.lines = re.sub(r"(9\.1\.1 integer) \d+", rf"\1 {to}",
                               printer.lines)

    assert level() == [62]
    change(61)
    printer.start()
    wait_for(lambda: level() == [61], 20, "the level after a restart")
    change(60)
    (printer.state / "snmpd.conf").unlink()
    printer.start()
    wait_for(lambda: level() == [60], 20, "the level after lost boots")
    change(59)
    (printer.state / "snmpd.conf").unlink()
    printer.engine = "0x80001f88046f74686572"
    printer.start()
    wait_for(lambda: level() == [59], 20, "the level of another engine")
    assert len(rig.central.json("devices")) == 1
    for secret in AUTH_PASSWORD, PRIVACY_PASSWORD, "not the password":
        assert secret not in agent.log(whole=True)
