"""Real XMPP servers for the tests: Prosody and ejabberd, in private
directories, with one interface.

    server = rig.server                     # as PLATEN_SERVER says
    jid, password = server.register("agent")
    server.start()
    ... server.port, .tls_port, .component_port, .secret, .ca_file

The configuration is the one of etc/, with the names, ports and paths of the
test, so that what we hand out is what we test.  limits = "packaged" takes the
one that Debian ships, with its limits and modules; "none" has no limits, for
measuring.
"""
import contextlib
import hashlib
import hmac
import os
import pathlib
import re
import secrets
import subprocess

from process import (COMPONENT, DOMAIN, ROOT, Failed, Process, listening,
                     wait_for)


def _openssl(*args, cwd):
    subprocess.run(["openssl", *args], cwd=cwd, check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def make_certificates(where, domain=DOMAIN, name="server", ca=None):
    """A CA (ca.crt) and a certificate NAME.crt/.key for domain in where; with
    ca, a directory, that one's CA signs."""
    where.mkdir(exist_ok=True)
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    if ca is None:
        ca = where
        _openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.crt",
                 "-days", "30", "-subj", "/CN=Platen test CA", cwd=where)
    _openssl("req", *key, "-keyout", f"{name}.key", "-out", f"{name}.csr",
             "-subj", f"/CN={domain}", cwd=where)
    (where / f"{name}.ext").write_text(
        f"subjectAltName=DNS:{domain}\nbasicConstraints=CA:FALSE\n")
    _openssl("x509", "-req", "-in", f"{name}.csr", "-CA", ca / "ca.crt",
             "-CAkey", ca / "ca.key", "-CAcreateserial", "-days", "30",
             "-extfile", f"{name}.ext", "-out", f"{name}.crt", cwd=where)
    return where


def packaged(package, path):
    """The text of a file as the package has it, or a failure."""
    text = pathlib.Path(path).read_bytes()
    known = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Conffiles}\n", package],
        stdout=subprocess.PIPE, text=True, check=True).stdout
    known += pathlib.Path(f"/var/lib/dpkg/info/{package}.md5sums").read_text()
    if hashlib.md5(text).hexdigest() not in known:
        raise Failed(f"{path} is not what the package {package} ships")
    return text.decode()


class Server(Process):
    """For DOMAIN: STARTTLS on .port, direct TLS on .tls_port, the components
    .components (JID to secret) on .component_port.  .secret is COMPONENT's.
    Set what you want to be otherwise before start()."""
    LOGIN = None                # what its log says of every login

    def __init__(self, rig):
        super().__init__(rig, self.NAME)
        self.port = rig.ports.take()
        self.tls_port = rig.ports.take()
        self.component_port = rig.ports.take()
        # A letter in front, or YAML may take it for a number.
        self.secret = "s" + secrets.token_hex(16)
        self.components = {COMPONENT: self.secret}
        self.tls_dir = rig.certificates()
        self.ca_file = self.tls_dir / "ca.crt"
        self.limits = os.environ.get("PLATEN_LIMITS", "recommended")
        self.also = ()              # more addresses for agents
        self.level = "info"         # of the log: debug, info or warn
        self.trace = False          # every stanza goes to the log in full
        self.passwords = {}

    def register(self, user, password=None):
        """Makes (or changes) an account; (JID, password).  Works before the
        start and while the server runs."""
        password = password or secrets.token_urlsafe(12)
        self.passwords[user] = password
        self.write_account(user, password)
        return f"{user}@{DOMAIN}", password

    def add_component(self, jid):
        """One more component, of which .components has the secret; before
        the start."""
        self.components[jid] = "s" + secrets.token_hex(16)
        return self.components[jid]

    def start(self):
        self.run()
        ports = self.port, self.tls_port, self.component_port

        def up():
            if not self.running():
                raise Failed(f"{self.name} ended:\n{self.log()}")
            return all(listening(port) for port in ports)
        wait_for(up, 30, f"{self.name} listens")
        return self

    def logins(self):
        """How many have logged in since the start."""
        return len(re.findall(self.LOGIN, self.log()))


# --- Prosody --------------------------------------------------------------

# What the test's place needs otherwise than a server in earnest.
_PLACE = """
run_as_root = {root}
pidfile = "{dir}/prosody.pid"
data_path = "{dir}/prosody"
plugin_paths = {{ }}
certificates = "{dir}/certs"
c2s_ports = {{ {c2s} }}
c2s_direct_tls_ports = {{ {tls} }}
component_ports = {{ {component} }}
interfaces = {{ "127.0.0.1" }}
c2s_interfaces = {{ {addresses} }}
c2s_direct_tls_interfaces = {{ {addresses} }}
component_interfaces = {{ "127.0.0.1" }}
s2s_ports = {{ }}
log = {{ {{ levels = {{ min = "{level}" }}; to = "console" }} }}
"""


class Prosody(Server):
    NAME = "prosody"
    LOGIN = r"\bAuthenticated as "
    SNIPPET = ROOT / "etc" / "prosody.cfg.lua"
    PACKAGED = "/etc/prosody/prosody.cfg.lua"

    def __init__(self, rig):
        super().__init__(rig)
        self.extra = ""             # lines of Lua before the hosts

    def hosts(self, text):
        """VirtualHost and Component sections, those of the text if it has
        them, with the test's names."""
        if self.limits == "packaged":
            return "".join([f'VirtualHost "{DOMAIN}"\n'] + [
                f'Component "{jid}"\n    component_secret = "{secret}"\n'
                for jid, secret in self.components.items()])
        for old, new in ((r'^VirtualHost "example\.org"',
                          f'VirtualHost "{DOMAIN}"'),
                         (r'^Component "print\.example\.org"',
                          f'Component "{COMPONENT}"'),
                         (r'component_secret = ".*"',
                          f'component_secret = "{self.secret}"')):
            text, times = re.subn(old, new, text, flags=re.M)
            if times != 1:
                raise Failed(f"{self.SNIPPET}: {times} times {old}")
        return text + "".join(
            f'Component "{jid}"\n    component_secret = "{secret}"\n'
            for jid, secret in self.components.items() if jid != COMPONENT)

    def write(self):
        path = self.rig.dir / "prosody.cfg.lua"
        text = (packaged("prosody", self.PACKAGED)
                if self.limits == "packaged" else self.SNIPPET.read_text())
        place = _PLACE.format(
            root="true" if os.getuid() == 0 else "false", dir=self.rig.dir,
            c2s=self.port, tls=self.tls_port, component=self.component_port,
            addresses=", ".join(f'"{a}"' for a in ("127.0.0.1", *self.also)),
            level="debug" if self.trace else self.level)
        if self.limits == "none":
            # Without any it takes limits of its own.
            place += ('limits = { c2s = { rate = "1gb/s"; burst = "2s" } }'
                      "\n")
        if self.trace:
            text = text.replace("modules_enabled = {",
                                'modules_enabled = { "stanza_debug";', 1)
        at = text.index("\nVirtualHost ") + 1
        path.write_text(text[:at] + place + self.extra + "\n" +
                        self.hosts(text[at:]))
        certs = self.rig.dir / "certs"
        certs.mkdir(exist_ok=True)
        for kind in "crt", "key":
            with contextlib.suppress(FileExistsError):
                (certs / f"{DOMAIN}.{kind}").symlink_to(
                    self.tls_dir / f"server.{kind}")
        return path

    def write_account(self, user, password):
        """What mod_auth_internal_hashed keeps."""
        name = "sha1" if self.limits == "packaged" else "sha256"
        salt, rounds = secrets.token_hex(16), 4096
        salted = hashlib.pbkdf2_hmac(name, password.encode(), salt.encode(),
                                     rounds)

        def mac(text):
            return hmac.new(salted, text, name).digest()
        stored = hashlib.new(name, mac(b"Client Key")).hexdigest()
        where = self.rig.dir / "prosody" / DOMAIN.replace(".", "%2e")
        (where / "accounts").mkdir(parents=True, exist_ok=True)
        (where / "accounts" / f"{user}.dat").write_text(
            f'return {{\n["iteration_count"] = {rounds};\n["salt"] = "{salt}";\n'
            f'["stored_key"] = "{stored}";\n'
            f'["server_key"] = "{mac(b"Server Key").hex()}";\n}};\n')

    def run(self):
        for user, password in self.passwords.items():
            self.write_account(user, password)      # limits may have changed
        self.launch(["prosody", "--config", self.write(), "-F"])


# --- ejabberd -------------------------------------------------------------

# Reads "NUMBER USER PASSWORD" from stdin, user and password in hexadecimal,
# and makes the account; ends with the test.  Much quicker than ejabberdctl,
# which starts a second Erlang.
_ACCOUNTS = """
spawn(fun() ->
    Read = fun Read() ->
        case io:get_line("") of
            Line when is_list(Line) ->
                [N, U, P] = string:lexemes(Line, " \\n"),
                User = binary:decode_hex(list_to_binary(U)),
                Password = binary:decode_hex(list_to_binary(P)),
                Host = <<"%s">>,
                Done = case ejabberd_auth:try_register(User, Host, Password) of
                    {error, exists} ->
                        ejabberd_auth:set_password(User, Host, Password);
                    Other -> Other
                end,
                io:format("account ~s: ~p~n", [N, Done]),
                Read();
            _ -> halt(9)
        end
    end,
    Read()
end).
""" % DOMAIN


class Ejabberd(Server):
    NAME = "ejabberd"
    LOGIN = r"Accepted c2s \S+ authentication for "
    SNIPPET = ROOT / "etc" / "ejabberd.yml"
    PACKAGED = "/usr/share/ejabberd/ejabberd.yml.example"
    # One scheduler thread of each kind: many run beside each other.
    ERLANG = ["+S", "1:1", "+SDcpu", "1:1", "+SDio", "1", "+A", "1",
              "+sbwt", "none"]

    def __init__(self, rig):
        super().__init__(rig)
        self.extra = {}             # on top of the configuration
        self.centres = 1            # that share each component's address
        self.told = 0

    def listeners(self, listen):
        """Those that we use, on the test's ports."""
        kept = []
        for one in listen:
            if one["module"] == "ejabberd_c2s":
                one["port"] = self.tls_port if one.get("tls") else self.port
            elif one["module"] == "ejabberd_service":
                one["port"] = self.component_port
                one["hosts"] = {jid: {"password": secret} for jid, secret in
                                self.components.items()}
                # Who connects is taken for all of them otherwise.
                one["global_routes"] = len(self.components) == 1
            else:
                continue
            kept.append(dict(one, ip="127.0.0.1"))
            if one["module"] == "ejabberd_c2s":
                kept += [dict(one, ip=address) for address in self.also]
        return kept

    def write(self):
        import yaml             # here, because the demo does without it

        path = self.rig.dir / "ejabberd.yml"
        text = (packaged("ejabberd", self.PACKAGED)
                if self.limits == "packaged" else self.SNIPPET.read_text())
        config = yaml.safe_load(text)
        if self.limits == "packaged":       # it has no component
            config["listen"].append({"module": "ejabberd_service",
                                     "hosts": None})
        elif self.limits == "none":
            config["shaper_rules"]["agents"] = "none"
        config["listen"] = self.listeners(config["listen"])
        config["hosts"] = [DOMAIN]
        config["certfiles"] = [str(self.tls_dir / "server.crt"),
                               str(self.tls_dir / "server.key")]
        if self.centres > 1:
            config["domain_balancing"] = {jid: {
                "type": "bare_source", "component_number": self.centres}
                for jid in self.components}
        config["loglevel"] = ("debug" if self.trace else
                              {"warn": "warning"}.get(self.level, self.level))
        config.update(self.extra)
        path.write_text(yaml.safe_dump(config, sort_keys=False))
        return path

    def run(self):
        where = self.rig.dir / "ejabberd"
        # To read all translations would take a fifth of its start.
        words = where / "translations"
        words.mkdir(parents=True, exist_ok=True)
        (words / "en.msg").write_text('{"Yes", "Yes"}.\n')
        libraries = next(pathlib.Path("/usr/lib").glob("*/ejabberd-*")).parent
        # It asks DNS for addresses that are not there, and nobody outside is
        # asked anything by a test.
        (where / "inetrc").write_text(
            '{lookup, [file]}.\n{resolv_conf, "/dev/null"}.\n')
        environment = dict(
            os.environ, ERL_INETRC=str(where / "inetrc"),
            EJABBERD_MSGS_PATH=str(words),
            EJABBERD_CONFIG_PATH=str(self.write()),
            EJABBERD_LOG_PATH=str(where / "ejabberd.log"),
            ERL_LIBS=str(libraries), ERL_CRASH_DUMP_BYTES="0",
            HOME=str(where))
        # No -sname: it stays out of Erlang's distribution, so that no epmd is
        # started or left behind and any number of them run side by side.
        threads = [] if self.limits == "none" else self.ERLANG
        self.launch(["erl", *threads, "-noshell", "-mnesia", "dir",
                     f'"{where}/mnesia"', "-ejabberd", "log_rotate_count",
                     "0", "-s", "ejabberd", "-eval",
                     " ".join(_ACCOUNTS.split())],
                    env=environment, stdin=subprocess.PIPE)
        for user, password in self.passwords.items():
            self.write_account(user, password)

    def write_account(self, user, password):
        if not self.running():
            return              # run() does it
        self.told += 1
        line = [str(self.told), user.encode().hex(), password.encode().hex()]
        self.proc.stdin.write((" ".join(line) + "\n").encode())
        self.proc.stdin.flush()
        self.wait_log(rf"(?m)^account {self.told}: ok$", 30)

    def kill9(self):
        super().kill9()
        self.hang_up()

    def stop(self, timeout=20):
        status = super().stop(timeout)
        self.hang_up()
        return status

    def hang_up(self):
        if self.proc is not None:
            with contextlib.suppress(OSError):
                self.proc.stdin.close()


SERVERS = {"prosody": Prosody, "ejabberd": Ejabberd}
