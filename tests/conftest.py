"""Fixtures every test may use, and the rule that no test leaves this machine."""

import ipaddress
import os
import socket
import sys

# Before TensorFlow is imported anywhere: its start-up notes would drown a failure's output.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# Here, and in every process that is started from here, one thread computes: tests run side by side, and threads that
# wait for each other's cores cost a fifth more.
os.environ.update(
    dict.fromkeys(["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"], "1")
    | os.environ
)

import pytest

# These folders' files stay in one process each: they share a server and a browser, or what trainings import.
_TOGETHER = ("tests/browser", "tests/model/training")
# What takes longest begins first, so that no process is left alone with it at the end.
_FIRST = (*_TOGETHER, "tests/batch", "tests/decisions", "tests/model/adaptation", "tests/pages")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def turn(item: pytest.Item) -> int:
        return next((i for i, folder in enumerate(_FIRST) if item.nodeid.startswith(f"{folder}/")), len(_FIRST))

    items.sort(key=turn)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class ByFileOrFolder(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return next((folder for folder in _TOGETHER if nodeid.startswith(f"{folder}/")), nodeid.split("::", 1)[0])

    return ByFileOrFolder(config, log)


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
    """A home that holds the exported network of the model that ships: made once for all processes, half a minute."""
    from filelock import FileLock

    from model.exported import exported
    from settings import ROOT

    common = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        common = common.parent
    with FileLock(common / "exported.lock"):  # the others wait instead of making it, too
        exported(ROOT / "model" / "bundles" / "open", common / "exported")
    home = tmp_path_factory.mktemp("exports")
    (home / "exports").symlink_to(common / "exported" / "exports")
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
