"""Fixtures every test may use, and the rule that no test leaves this machine."""

import ipaddress
import os
import socket
import sys

# Before TensorFlow is imported anywhere: its start-up notes would drown a failure's output.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import pytest


class NetworkBlocked(RuntimeError):
    """A test tried to reach another machine."""


def _is_here(family: int, address: object) -> bool:
    if family not in (socket.AF_INET, socket.AF_INET6):
        return True
    host = address[0]
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@pytest.fixture(scope="session", autouse=True)
def _stay_on_this_machine():
    def guarded(name):
        original = getattr(socket.socket, name)

        def connect(self, address):
            if not _is_here(self.family, address):
                raise NetworkBlocked(f"tests must not connect to {address}")
            return original(self, address)

        return connect

    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex"):
            patch.setattr(socket.socket, name, guarded(name))
        yield


@pytest.fixture(scope="session", autouse=True)
def _no_home_but_the_tests(tmp_path_factory):
    """What is installed on this machine is nothing to the tests: the active model is the one that ships."""
    from settings import settings

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAYON_HOME", str(tmp_path_factory.mktemp("rayon") / "home"))
        patch.delenv("RAYON_BUNDLE", raising=False)
        settings.cache_clear()
        yield
    settings.cache_clear()


@pytest.fixture(autouse=True)
def _keep_main():
    """The module that this process was started with: a page that is run takes its place, and processes that are
    spawned later would run that page."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main


@pytest.fixture(scope="session")
def exports(tmp_path_factory):
    """A home that holds the exported network of the model that ships: made once, half a minute."""
    from model.exported import exported
    from settings import ROOT

    home = tmp_path_factory.mktemp("exports")
    exported(ROOT / "model" / "bundles" / "open", home)
    return home


@pytest.fixture
def home(exports, tmp_path):
    """A home of its own for a test, with the exported network in it."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "exports").symlink_to(exports / "exports")
    return home


@pytest.fixture(scope="session")
def classifier():
    """The model that ships, loaded once for the whole run."""
    from model.classifier import Classifier
    from settings import ROOT

    return Classifier.load(ROOT / "model" / "bundles" / "open")
