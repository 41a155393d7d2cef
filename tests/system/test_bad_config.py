"""Promise: a wrong configuration names file, line, key and what is allowed,
and missing, empty or world-readable secrets stop the start with a clear text.
A wrong key, token, password or certificate shows in `platen status`."""
import os
import re
import subprocess

import noise
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from rig import (COMPONENT, Failed, make_certificates, program, run_program,
                 wait_for, write_secret)
from xmppfake import pin

KEY = noise.b64(noise.public(X25519PrivateKey.generate()))

GOOD = f"""[agent]
name = site
state_dir = @DIR@/state

[xmpp]
jid = site@example.test
password_file = @DIR@/password
central = {COMPONENT}

[crypto]
central_key = {KEY}

[discovery]
hosts = 192.0.2.1

[snmp public]
version = 2c
community = public
"""

# (section, a line to add or to put in place of its key, what is said)
WRONG = [
    ("agent", "nmae = x", "nmae.*(name|known|allowed)"),
    ("agent", "name =", "name.*want some text"),
    ("xmpp", "port = 70000", "port.*65535"),
    ("xmpp", "port = smtp", "port.*65535"),
    ("xmpp", "port = -1", "port.*65535"),
    ("xmpp", "fallback_port = 99999", "fallback_port.*65535"),
    ("xmpp", "proxy = ftp://proxy:21", "proxy.*http://HOST:PORT"),
    ("xmpp", "proxy = http://proxy", "proxy.*port is missing"),
    ("xmpp", "proxy = http://a:b@proxy:1", "proxy.*proxy_password_file"),
    ("xmpp", "proxy_user = a", "proxy_user.*proxy"),
    ("xmpp", "pin = sha256/AAAA", "pin.*sha256/AAAA.*44 characters"),
    ("xmpp", "pin = 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
     "pin.*sha256/"),
    ("xmpp", "client_cert = c\nclient_key = k", "exclude each other"),
    ("xmpp", "allow_plain = perhaps", "allow_plain.*yes"),
    ("xmpp", "jid = nobody", "jid.*name@domain"),
    ("xmpp", "jid = a@b@c", "jid.*name@domain"),
    ("xmpp", "central = a b", "central.*platen.example.com"),
    ("crypto", "central_key = AAAA", "central_key.*44"),
    ("crypto", "central_key = !", "central_key.*44"),
    ("crypto", f"central_key = {'A' * 43}=", "central_key.*copy the line"),
    ("crypto", "token = x\ntoken_file = y", "token.*exclude"),
    ("discovery", "networks = 10.0.0.0/8", "networks.*/16"),
    ("discovery", "networks = 10.0.0", "networks.*a.b.c.d"),
    ("discovery", "networks = 10.0.0.9-3", "networks.*upwards"),
    ("discovery", "exclude = everything", "exclude.*a.b.c.d"),
    ("discovery", "hosts = 192.0.2.1-9", "hosts.*networks"),
    ("discovery", "hosts = 192.0.2.1:0", "hosts.*HOST:PORT"),
    ("discovery", "interval = fast", "interval.*30s"),
    ("discovery", "interval = 100ms", "interval.*1s"),
    ("discovery", "rate = 0", "rate.*10000"),
    ("snmp public", "version = 4", "version.*1.*2c.*3"),
    ("snmp public", "version = 3", "version 3 needs a user"),
    ("snmp old", "user = me\nversion = 1", "user goes with version 3"),
    ("snmp v3", "auth = crc\nuser = me", "auth.*md5, sha1.*sha512"),
    ("snmp v3", "privacy = aes\nuser = me", "privacy needs auth"),
    ("traps", "listen = 162", "listen.*ADDRESS:PORT"),
    ("alerts", "ignore = nosuchcode", "ignore.*nosuchcode"),
    ("snmp public", "timeout = 10h", "timeout.*(1m|60)"),
    ("snmp public", "retries = many", "retries.*10"),
    ("snmp public", "networks = nowhere", "networks.*a.b.c.d"),
    ("snmp", "community = x", "snmp"),
    ("schedule", "heartbeat = 1", "heartbeat.*(30s|15m|ms)"),
    ("schedule", "supplies = 1y", "supplies.*30s"),
    ("outbox", "max_size = 1", "max_size.*64"),
    ("outbox", "max_size = lots", "max_size.*64M"),
    ("privacy", "omit = serial", "omit.*hostname, location"),
    ("commands", "allow = reboot", "allow.*none"),
    ("wrong", "a = b", r"\[?wrong\]?.*"),
    ("agent", "without a sign", "="),
]

CENTRAL_GOOD = f"""[component]
jid = {COMPONENT}
secret_file = @DIR@/secret

[store]
path = @DIR@/fleet.db

[crypto]
key_file = @DIR@/central.key
"""

CENTRAL_WRONG = [
    ("component", "jdi = x", "jdi"),
    ("component", "jid = me@example.test", "jid.*domain"),
    ("component", "port = 0", "port.*65535"),
    ("component", "user = nosuchuser", "user.*nosuchuser"),
    ("store", "paht = /x", "paht"),
    ("stores", "path = /x", "stores"),
    ("crypto", "garbage", "="),
]


def put(text, section, lines):
    """text with these lines in section; their keys' old lines go.  Also the
    number of the last line put in."""
    keys = [line.split("=")[0].strip() for line in lines.splitlines()]
    out, at, done = [], None, None
    for line in text.splitlines() + [f"[{section}]" if f"[{section}]" not in
                                     text else ""]:
        if line.startswith("["):
            at = line.strip("[]")
        elif at == section and line.split("=")[0].strip() in keys:
            continue
        out.append(line)
        if line == f"[{section}]" and done is None:
            out += lines.splitlines()
            done = len(out)
    return "\n".join(out) + "\n", done


def write(tmp_path, name, text):
    path = tmp_path / name
    write_secret(path, text.replace("@DIR@", str(tmp_path)))
    return path


def check(tmp_path, text):
    """platend -n on it."""
    write_secret(tmp_path / "password", "secret\n")
    path = write(tmp_path, "platen.ini", text)
    return path, run_program([program("platend"), "-c", path, "-n"], False)


def test_the_good_one(tmp_path):
    path, done = check(tmp_path, GOOD)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "" and str(path) in done.stdout


@pytest.mark.parametrize("section, lines, said", WRONG,
                         ids=[w[1].split("\n")[0] for w in WRONG])
def test_wrong_agent_configuration(tmp_path, section, lines, said):
    text, number = put(GOOD, section, lines)
    path, done = check(tmp_path, text)
    assert done.returncode == 1
    assert done.stdout == ""
    spot = rf"{re.escape(str(path))}:(\d+)"
    complaints = [line for line in done.stderr.splitlines()
                  if re.search(said, line)]
    assert complaints, done.stderr
    found = re.search(spot, complaints[0])
    assert found, f"no file and line: {done.stderr}"
    if section != "wrong" and section != "snmp":
        assert int(found[1]) in (number, number - lines.count("\n")), \
            done.stderr
        assert "@" in lines or "=" not in lines or any(
            line.split("=")[0].strip() in complaints[0]
            for line in lines.splitlines())


def test_what_is_missing_is_named(tmp_path):
    for section, key in (("agent", "name"), ("xmpp", "jid"),
                         ("xmpp", "password_file"), ("xmpp", "central"),
                         ("crypto", "central_key")):
        text = "\n".join(line for line in GOOD.splitlines()
                         if not line.startswith(key + " "))
        path, done = check(tmp_path, text)
        assert done.returncode == 1, key
        assert re.search(rf"{re.escape(str(path))}.*\[{section}\].*{key}",
                         done.stderr), done.stderr
    missing = tmp_path / "none.ini"
    done = run_program([program("platend"), "-c", missing, "-n"], False)
    assert done.returncode != 0 and "No such file" in done.stderr


def test_certificate_of_the_agent(tmp_path):
    """A pair that cannot be used, and a key that others may read."""
    text = GOOD.replace("password_file = @DIR@/password",
                        "client_cert = @DIR@/agent.pem\n"
                        "client_key = @DIR@/agent.key")
    make_pair(tmp_path, "agent")
    assert check(tmp_path, text)[1].returncode == 0
    (tmp_path / "agent.key").chmod(0o644)
    done = start(tmp_path, text)
    assert done.returncode == 1
    assert re.search(r"\[xmpp\] client_key.*chmod 600", done.stderr)
    make_pair(tmp_path, "other")
    (tmp_path / "other.key").rename(tmp_path / "agent.key")
    done = start(tmp_path, text)
    assert done.returncode == 1
    assert "client_key is not the key of client_cert" in done.stderr
    write_secret(tmp_path / "agent.key", "no key\n")
    done = start(tmp_path, text)
    assert done.returncode == 1
    assert "client_key holds no private key in PEM" in done.stderr
    (tmp_path / "agent.pem").write_text("no certificate\n")
    done = start(tmp_path, text)
    assert done.returncode == 1
    assert "client_cert holds no certificate in PEM" in done.stderr
    (tmp_path / "agent.pem").unlink()
    done = start(tmp_path, text)
    assert done.returncode == 1
    assert re.search("client_cert: .*agent.pem: No such file", done.stderr)


def make_pair(tmp_path, name):
    key = tmp_path / f"{name}.key"
    write_secret(key, "")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", f"/CN={name}", "-keyout", key, "-out",
                    tmp_path / f"{name}.pem"], check=True,
                   stderr=subprocess.DEVNULL)
    key.chmod(0o600)


def test_password_beyond_ascii(tmp_path):
    write_secret(tmp_path / "password", "naïve\n")
    done = start(tmp_path, GOOD)
    assert done.returncode == 1
    assert re.search("password_file.*ASCII", done.stderr)
    assert "naïve" not in done.stderr


def test_all_mistakes_at_once(tmp_path):
    text, _ = put(GOOD, "xmpp", "port = 70000")
    text, _ = put(text, "discovery", "rate = 0")
    text, _ = put(text, "agent", "nmae = x")
    _, done = check(tmp_path, text)
    for word in "port", "rate", "nmae":
        assert word in done.stderr, done.stderr


def start(tmp_path, text, timeout=20):
    """platend -d, which must end by itself."""
    path = write(tmp_path, "platen.ini", text)
    return run_program([program("platend"), "-c", path, "-d"], False,
                       timeout=timeout)


# A token's file may go once it is used.
@pytest.mark.parametrize("what, how, said", [
    ("password_file", "missing", "No such file"),
    ("password_file", "0644", "chmod 600"),
    ("password_file", "0640", "chmod 600"),
    ("password_file", "empty", "empty"),
    ("password_file", "folder", "not a plain file"),
    ("token_file", "0644", "chmod 600"),
    ("token_file", "empty", "empty"),
    ("token_file", "folder", "not a plain file")])
def test_secrets_stop_the_start(tmp_path, what, how, said):
    write_secret(tmp_path / "password", "secret\n")
    write_secret(tmp_path / "token", "abc\n")
    path = tmp_path / what.split("_")[0]
    if how == "empty":
        write_secret(path, "\n")
    elif how in ("missing", "folder"):
        path.unlink()
        if how == "folder":
            path.mkdir()
    elif how.isdigit():
        if os.geteuid() == 0:
            os.chown(path, 0, 0)
            # root may give a file to a group, but not to everybody
            if how == "0640":
                pytest.skip("root may do that")
        path.chmod(int(how, 8))
    text, _ = put(GOOD, "crypto", f"token_file = {tmp_path}/token")
    done = start(tmp_path, text)
    assert done.returncode == 1
    assert said in done.stderr and what in done.stderr, done.stderr
    assert str(path) in done.stderr
    assert len(done.stderr.splitlines()) <= 4, done.stderr


def test_open_agent_key(tmp_path):
    write_secret(tmp_path / "password", "secret\n")
    (tmp_path / "state").mkdir(mode=0o700)
    run_program([program("platen"), "keygen", tmp_path / "state/agent.key"])
    (tmp_path / "state/agent.key").chmod(0o644)
    done = start(tmp_path, GOOD)
    assert done.returncode == 1
    assert "agent.key" in done.stderr and "chmod 600" in done.stderr


# --- the centre's -----------------------------------------------------------

def central(tmp_path, text, *command):
    path = write(tmp_path, "central.ini", text)
    return path, run_program([program("platen-central"), "-c", path,
                              *(command or ("agents",))], False)


@pytest.mark.parametrize("section, lines, said", CENTRAL_WRONG,
                         ids=[w[1] for w in CENTRAL_WRONG])
def test_wrong_central_configuration(tmp_path, section, lines, said):
    write_secret(tmp_path / "secret", "x\n")
    text, number = put(CENTRAL_GOOD, section, lines)
    path, done = central(tmp_path, text)
    assert done.returncode != 0
    assert re.search(rf"{re.escape(str(path))}.*{said}", done.stderr), \
        done.stderr
    if "user" not in lines and "jid" not in lines and section != "stores":
        assert f"{path}:{number}" in done.stderr


@pytest.mark.parametrize("what, mode, said", [
    ("secret", None, "No such file"), ("secret", 0o644, "chmod 600"),
    ("central.key", None, "central.key"), ("central.key", 0o644, "chmod 600")])
def test_central_secrets(tmp_path, what, mode, said):
    write_secret(tmp_path / "secret", "x\n")
    _, done = central(tmp_path, CENTRAL_GOOD, "init")
    assert done.returncode == 0, done.stderr
    path = tmp_path / what
    if mode is None:
        path.unlink()
    else:
        path.chmod(mode)
    _, done = central(tmp_path, CENTRAL_GOOD, "run", "-d")
    assert done.returncode == 1
    assert said in done.stderr and str(path) in done.stderr, done.stderr


# --- what shows only against a server ----------------------------------------

def status_says(rig, pattern, uplink=None):
    def look():
        try:
            status = rig.agent.json("status")
        except Failed:
            return False
        return re.search(pattern, status["uplink_why"] or "") and (
            uplink is None or status["uplink"] == uplink)
    wait_for(look, 30, f"status says {pattern!r}", 0.2)
    assert re.search(pattern, rig.agent.tool("status"))


@pytest.fixture
def system(rig):
    rig.server.start()
    rig.sim.start(["127.10.26.1=@hp-mono"])
    rig.central.init()
    rig.central.start()
    rig.agent.enrol()
    return rig


def test_wrong_password(system):
    write_secret(system.dir / "agent.password", "guess\n")
    system.agent.write().start()
    status_says(system, "login refused|not-authorized", "not connected")


def test_wrong_ca(system):
    other = make_certificates(system.dir / "other")
    system.agent.more = {"xmpp": {"ca_file": other / "ca.crt"}}
    system.agent.write().start()
    status_says(system, "(?i)certificate|verif", "not connected")
    assert system.server.logins() == 0


def test_wrong_pin(system):
    ca = pin(system.server.ca_file)
    system.agent.more = {"xmpp": {"pin": f"sha256/{'A' * 43}="}}
    system.agent.write().start()
    status_says(system, "is pinned; they are .*" + re.escape(ca),
                "not connected")
    assert system.server.logins() == 0
    system.agent.stop()
    system.agent.more = {"xmpp": {"pin": f"sha256/{'A' * 43}=, {ca}"}}
    system.agent.write().start().wait_online()


def test_wrong_central_key(system):
    key = run_program([program("platen"), "keygen", system.dir / "k"])
    system.agent.more = {"crypto": {"central_key": re.search(
        r"public key +(\S+)", key)[1]}}
    system.agent.write().start()
    status_says(system, "central_key", "no session")
    assert system.central.json("devices") == []


def test_used_and_wrong_token(system):
    system.agent.write().start().wait_online()
    wait_for(lambda: system.central.json("devices"), 20, "it works", 0.2)
    assert system.agent.stop() == 0
    # Another agent, a thief of the file: same account, same token.
    for token in system.agent.snippet["crypto"]["token"], "wrong":
        (system.agent.dir / "agent.key").unlink()
        for file in system.agent.dir.glob("store.db*"):
            file.unlink()
        system.agent.more = {"crypto": {"token": token}}
        system.agent.write().start()
        status_says(system, "refuses the key or token", "no session")
        assert system.agent.stop() == 0
    assert len(system.central.json("devices")) == 1


@pytest.mark.parametrize("token_file", [None, "/nonexistent/token"])
def test_no_token(system, token_file):
    system.agent.more = {"crypto": {"token": None, "token_file": token_file}}
    system.agent.write().start()
    status_says(system, "enrol|approve", "no session")
    assert system.central.json("devices") == []


def test_server_that_is_not_there(system):
    system.agent.more = {"xmpp": {"port": system.ports.take(),
                                  "fallback_port": system.ports.take()}}
    system.agent.write().start()
    status_says(system, "Connection refused", "not connected")
