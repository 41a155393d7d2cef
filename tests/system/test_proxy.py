"""Promise: where only a proxy leads out, the agent goes through it, HTTP
CONNECT or SOCKS 5, with a login or without, on either port; and a proxy that
refuses, lies or hangs is named with what it said, in bounded time.

Scripted proxies show every word here; in test_proxy_agent.py the real agent
goes through real ones.
"""
import re
import socket

import pytest

from dnsfake import SRV, A, Names, a, srv
from proxyfake import (Proxy, hang_up, http, http_says, say, silent, socks,
                       socks_says)
from test_dial import BlackHole, Listener, dial, make  # noqa: F401

DOMAIN = "agents.test"
KINDS = {"http": http, "socks5": socks}


def given(p, timeout=4):
    m = p.expect(r"socket (\S+) (\S+) (\d+) (direct|starttls) proxied "
                 r"nonblock cloexec$", timeout)
    return m.group(1), int(m.group(3)), m.group(4)


def why(p, timeout=6, denied=False):
    return p.expect(f"end {'denied' if denied else 'open'} (.*)",
                    timeout).group(1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("login", [None, ("agent", "s3cret:with:colons")])
def test_through_it(make, dial, kind, login):  # noqa: F811
    """Each target by name, none of which is looked up here."""
    one, two = make(Listener, "one"), make(Listener, "two")
    dns = make(Names, {})
    proxy = make(Proxy, KINDS[kind], login=login)
    user, password = login or (None, None)
    p = dial(host="xmpp.example.test", dns=dns.port, port=one.port,
             fallback_port=two.port,
             proxy=f"{kind}://127.0.0.1:{proxy.port}", user=user,
             **{"pass": password})
    assert given(p) == ("xmpp.example.test", one.port, "starttls")
    p.expect("heard one", 4)
    p.say("next x")
    assert given(p) == ("xmpp.example.test", two.port, "direct")
    p.expect("heard two", 4)
    p.say("next y")
    assert given(p) == ("xmpp.example.test", two.port, "starttls")
    p.say("next z")
    said = why(p)
    assert said.startswith(f"xmpp.example.test port {one.port}, STARTTLS, "
                           "through the proxy: x; ")
    assert [n for n, _ in proxy.asked] == ["xmpp.example.test"] * 3
    assert set(proxy.logins) == ({login} if login else set())
    assert dns.asked == []
    assert login is None or password not in "\n".join(p.log + p.seen)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_targets_that_are_numbers(make, dial, kind, host):  # noqa: F811
    one, proxy = make(Listener, "one"), make(Proxy, KINDS[kind])
    p = dial(host=host, port=one.port,
             proxy=f"{kind}://127.0.0.1:{proxy.port}")
    assert given(p)[0] == host
    assert proxy.asked == [(host, one.port)]


def test_proxy_by_name_and_over_ipv6(make, dial):  # noqa: F811
    one, proxy = make(Listener, "one"), make(Proxy, http)
    dns = make(Names, {("proxy.corp.test", A): [a()]})
    p = dial(host="x.test", port=one.port, dns=dns.port,
             proxy=f"http://proxy.corp.test:{proxy.port}")
    given(p)
    assert {n for n, _ in dns.asked} == {"proxy.corp.test"}
    proxy = make(Proxy, socks, host="::1")
    p = dial(host="x.test", port=one.port, proxy=f"socks5://[::1]:{proxy.port}")
    given(p)


def test_srv_when_our_name_server_knows_it(make, dial):  # noqa: F811
    one, proxy = make(Listener, "one"), make(Proxy, http)
    dns = make(Names, {(f"_xmpps-client._tcp.{DOMAIN}", SRV): [
        srv(0, 0, one.port, "xmpp.hosting.test")]})
    p = dial(dns=dns.port, port=5222,
             proxy=f"http://127.0.0.1:{proxy.port}")
    assert given(p) == ("xmpp.hosting.test", one.port, "direct")


@pytest.mark.parametrize("answer", [True, False])
def test_the_domain_where_no_name_server_knows(make, dial,  # noqa: F811
                                               answer):
    """It says no, or it says nothing at all: seconds, and the proxy is asked
    for the domain itself."""
    one, proxy = make(Listener, "one"), make(Proxy, socks)
    dns = make(Names, {}, answer=answer)
    p = dial(dns=dns.port, port=one.port, names_ms=600000,
             proxy=f"socks5://127.0.0.1:{proxy.port}")
    assert given(p, 10) == (DOMAIN, one.port, "starttls")


def test_a_refused_port_is_no_refused_proxy(make, dial):  # noqa: F811
    """Many let only 443 pass: the next target is tried."""
    two = make(Listener, "two")

    def script(conn, proxy):
        if proxy.conns[-1] is proxy.conns[0]:
            http_says(b"HTTP/1.1 403 Port not allowed\r\n\r\n")(conn, proxy)
        else:
            http(conn, proxy)
    proxy = make(Proxy, script)
    p = dial(host="x.test", port=5222, fallback_port=two.port,
             proxy=f"http://127.0.0.1:{proxy.port}")
    assert given(p) == ("x.test", two.port, "direct")
    p.say("next no")
    p.say("stop")


@pytest.mark.parametrize("kind, script, text", [
    ("http", http_says(b"HTTP/1.1 403 Forbidden\r\n\r\n<html>"),
     r"x.test port 5222, STARTTLS, through the proxy: it does not allow this "
     r"host and port \(403 Forbidden\)"),
    ("http", http_says(b"HTTP/1.0 502 Bad Gateway\r\n\r\n"),
     "it cannot reach this host"),
    ("http", http_says(b"HTTP/1.1 302 Found\r\nLocation: http://l.test/\r\n"
                       b"\r\n"), "it sends us on to http://l.test/"),
    ("http", http_says(b"HTTP/1.1 200 OK\r\n\r\n<html>please log in"),
     "speaks itself, as a login page does"),
    ("http", http_says(b"<html>"), "no HTTP proxy"),
    ("http", say(b"\5\xff"), "no HTTP proxy"),
    ("http", http_says(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 200000),
     "longer than|reset"),
    ("http", hang_up, "closes the connection without an answer"),
    ("http", silent, r"has not answered within \d"),
    ("socks5", socks_says(b"\5\2\0\1"), "does not allow.*SOCKS 2"),
    ("socks5", socks_says(b"\5\5\0\1\0\0\0\0\0\0"), "connection refused"),
    ("socks5", say(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "no SOCKS 5 proxy"),
    ("socks5", hang_up, "closes the connection without an answer"),
    ("socks5", silent, r"has not answered within \d"),
])
def test_what_is_refused_is_named(make, dial, kind, script,  # noqa: F811
                                  text):
    proxy = make(Proxy, script)
    p = dial(host="x.test", port=5222, fallback_port=0, connect_ms=900,
             proxy=f"{kind}://127.0.0.1:{proxy.port}")
    assert re.search(text, why(p, 10))


@pytest.mark.parametrize("kind, login, text", [
    ("http", None, "wants a user and password: set proxy_user and "
     "proxy_password_file"),
    ("http", ("agent", "wrong-pw"), "refuses the user or password"),
    ("socks5", None, "wants a user and password: set proxy_user"),
    ("socks5", ("agent", "wrong-pw"), "refuses the user or password")])
def test_login_refused(make, dial, kind, login, text):  # noqa: F811
    """One target's answer counts for all: an account may be locked."""
    proxy = make(Proxy, KINDS[kind], login=("agent", "right"))
    user, password = login or (None, None)
    p = dial(host="x.test", port=5222, fallback_port=443,
             proxy=f"{kind}://127.0.0.1:{proxy.port}", user=user,
             **{"pass": password})
    said = why(p, denied=True)
    assert said.startswith(f"proxy {kind}://127.0.0.1:{proxy.port}: ")
    assert text in said
    assert len(proxy.conns) == 1
    assert "wrong-pw" not in "\n".join(p.log + p.seen)


def test_proxy_that_is_not_there(make, dial):  # noqa: F811
    """Said once, and no other target is tried in vain."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    p = dial(host="x.test", port=5222, fallback_port=443,
             proxy=f"http://127.0.0.1:{port}")
    assert why(p) == f"proxy http://127.0.0.1:{port}: Connection refused"
    dns = make(Names, {})
    p = dial(host="x.test", port=5222, fallback_port=443, dns=dns.port,
             proxy="http://proxy.test:3128")
    assert why(p) == "proxy http://proxy.test:3128: there is no such name"
    hole = make(BlackHole)
    p = dial(host="x.test", port=5222, fallback_port=443, connect_ms=700,
             proxy=f"http://127.0.0.1:{hole.port}")
    assert why(p, 10).endswith("no answer within 0.7 s")
