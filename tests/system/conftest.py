"""Fixtures of the system tests; what they give is in rig.py."""
import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from rig import WALKS, Rig, cluster  # noqa: E402


def pytest_generate_tests(metafunc):
    """A file with STORES runs once with each, unless PLATEN_STORE says one."""
    stores = getattr(metafunc.module, "STORES", None)
    if stores and "PLATEN_STORE" not in os.environ and \
            "store" in metafunc.fixturenames:
        metafunc.parametrize("store", stores, scope="module")


@pytest.fixture(scope="module")
def store():
    """The centre's kind of store."""
    return os.environ.get("PLATEN_STORE", "sqlite")


@pytest.fixture
def store_url(store):
    """Of an empty database, or None for a file."""
    if store == "sqlite":
        return None
    name, where = cluster.database()
    return where.url(name)


@pytest.fixture
def rig(request, store):
    """A private directory and lazily made parts; all die with the test."""
    made = Rig(request.node.name, store=store)
    yield made
    made.close()


@pytest.fixture(scope="module")
def module_rig(request, store):
    """One for all tests of a file, where they do not disturb each other."""
    made = Rig(request.node.name, store=store)
    yield made
    made.close()


@pytest.fixture
def sim(rig):
    """Simulated printers alone: sim.start([...]) is the test's."""
    return rig.sim


@pytest.fixture(scope="session")
def walks():
    """The folder of recorded printers, or a skip."""
    if not list(WALKS.glob("*.snmprec")):
        pytest.skip(f"no recorded printers in {WALKS}")
    return WALKS


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Shows the logs of all parts under a failed test, and notes which tests
    had a server, for tests/run: they are those that depend on which one."""
    report = (yield).get_result()
    rigs = [value for value in (getattr(item, "funcargs", None) or {}).values()
            if isinstance(value, Rig)]
    if report.when == "teardown" and any(r.has_server() for r in rigs):
        report.user_properties.append(("server", item.nodeid))
    if report.passed or report.skipped:
        return
    for made in rigs:
        report.sections += [s for s in made.logs() if s[1]]


def pytest_sessionfinish():
    Rig.forget_shared()
