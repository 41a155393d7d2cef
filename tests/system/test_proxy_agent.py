"""Promise: the real agent reaches a real server through real proxies,
tinyproxy's CONNECT and microsocks' SOCKS 5, and loses nothing when they go.
What proxies may say otherwise is test_proxy.py's.
"""
import re
import shutil

import pytest

from proxyfake import Proxy, socks
from rig import Process, listening, wait_for, write_secret

class Tinyproxy(Process):
    """Debian's, an HTTP proxy."""

    def __init__(self, rig, login=None, ports=()):
        super().__init__(rig, "tinyproxy")
        self.port, self.login, self.allowed = rig.ports.take(), login, ports

    def start(self):
        path = self.rig.dir / "tinyproxy.conf"
        lines = [f"Port {self.port}", "Listen 127.0.0.1", "LogLevel Connect",
                 "Timeout 600", "MaxClients 20"]
        lines += [f"ConnectPort {port}" for port in self.allowed]
        if self.login:
            lines.append("BasicAuth %s %s" % self.login)
        path.write_text("\n".join(lines) + "\n")
        self.launch(["tinyproxy", "-d", "-c", path])
        wait_for(lambda: listening(self.port), 10)
        return self


class Microsocks(Process):
    """Debian's, a SOCKS 5 proxy."""

    def __init__(self, rig, login=None):
        super().__init__(rig, "microsocks")
        self.port, self.login = rig.ports.take(), login

    def start(self):
        login = ["-u", self.login[0], "-P", self.login[1]] if self.login \
            else []
        self.launch(["microsocks", "-i", "127.0.0.1", "-p", self.port,
                     *login])
        wait_for(lambda: listening(self.port), 10)
        return self


def through(rig, kind, port, password=None, **keys):
    """Starts everything; the agent goes through the proxy at port."""
    xmpp = {"proxy": f"{kind}://127.0.0.1:{port}", **keys}
    if password:
        path = rig.dir / "proxy-password"
        write_secret(path, password + "\n")
        xmpp.update(proxy_user="agent", proxy_password_file=path)
    rig.agent.more = {"xmpp": xmpp}
    rig.start(fleet=1, agent=False)
    rig.agent.enrol().write().start()


def delivered(rig):
    """A change at a printer reaches the centre."""
    host = rig.sim.hosts()[0]
    rig.sim.raise_alert(host, code=8, severity=3, text="jam")
    return wait_for(lambda: rig.central.json("alerts"), 20)


@pytest.mark.parametrize("login", [None, "pass word"])
@pytest.mark.parametrize("kind", ["http", "socks5"])
def test_whole_agent(rig, kind, login):
    """Down while the proxy is, up when it comes, and nothing is lost."""
    program_name = "tinyproxy" if kind == "http" else "microsocks"
    assert shutil.which(program_name), f"{program_name} is not installed"
    make_proxy = Tinyproxy if kind == "http" else Microsocks
    proxy = make_proxy(rig, login and ("agent", login.replace(" ", "-")))
    proxy.start()
    through(rig, kind, proxy.port, login and login.replace(" ", "-"))
    rig.agent.wait_online()
    assert "through the proxy" in rig.agent.log()
    delivered(rig)
    # That it really goes that way.
    proxy.kill9()
    rig.agent.wait_log(rf"down: proxy {kind}://127.0.0.1:{proxy.port}: "
                       "Connection refused", 30)
    rig.sim.send("level", rig.sim.hosts()[0], "1", "7")
    proxy.start()
    wait_for(lambda: [c for c in rig.central.json("consumables")
                      if c["index"] == 1 and c["level"] == 7], 60)
    assert "pass-word" not in rig.agent.log(True)


def test_only_443_passes(rig):
    """tinyproxy lets one port pass: the second target is it."""
    proxy = Tinyproxy(rig, ports=[rig.server.tls_port]).start()
    through(rig, "http", proxy.port)
    rig.agent.wait_online()
    assert "direct TLS, through the proxy" in rig.agent.log()
    delivered(rig)


@pytest.mark.parametrize("kind, text", [
    ("http", r"it refuses the user or password \(401\)"),
    ("socks5", r"it refuses the user or password \(\d+\)")])
def test_wrong_password_is_a_state(rig, kind, text):
    """Named in `platen status`, without the password, and not tried again
    every second."""
    login = ("agent", "right")
    proxy = (Tinyproxy if kind == "http" else Microsocks)(rig, login).start()
    through(rig, kind, proxy.port, "wrong-one")
    rig.agent.wait_log(rf"down: proxy {kind}://127.0.0.1:{proxy.port}: "
                       rf"{text}; next try in [6-9]\d", 30)
    wait_for(lambda: re.search(text, rig.agent.tool("status")), 10)
    assert "wrong-one" not in rig.agent.log(True)


def test_proxied_names_need_no_name_server(rig):
    """The name is the proxy's business; nobody here knows it."""
    proxy = Proxy(socks)
    try:
        through(rig, "socks5", proxy.port, host="xmpp.nowhere.test")
        rig.agent.wait_online()
        assert {h for h, _ in proxy.asked} == {"xmpp.nowhere.test"}
    finally:
        proxy.close()
