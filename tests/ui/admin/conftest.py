"""The page as an administrator meets it, in a home of its own, where models are checked by their files alone."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import ui.admin.tabs  # A page that is run alone has its own folder on the path, where batch.py is not the package.
import ui.sign_in.visitor as asked
from access.door import Door
from decisions.audit import AuditLog, Entry
from decisions.store import open_store
from model.versions import ModelStore
from settings import ROOT
from tests.model.bundles import other_bundle, version_of
from tests.pages.batch_page import told
from tests.ui.sign_in.conftest import open_door, people
from ui.admin import progress, works

__all__ = ["open_door", "people"]


def passed(_folder: Path) -> None:
    """In the place of the check in a process of its own, which takes seconds."""


@pytest.fixture
def home(open_door: Door, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(ModelStore.__init__, "__defaults__", (passed,))
    monkeypatch.setattr(works, "_last", None)
    monkeypatch.setattr(progress, "_answered", set())
    yield open_door.settings.home
    open_store().engine.dispose()


@pytest.fixture
def come(people: Door, home: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """From now on it is the account of that name who is there."""

    def come(name: str) -> None:
        account = people.accounts.get(name)
        cookie = None if account is None else people.sessions.begin(account)
        monkeypatch.setattr(asked, "cookie", lambda: cookie)
        monkeypatch.setattr(ui.admin.log, "cookie", lambda: cookie)

    come("Administrator")
    return come


@pytest.fixture(scope="session")
def lamps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return other_bundle(tmp_path_factory.mktemp("lamps") / "lamps", "Lamps", "lamps")


@pytest.fixture
def installed(home: Path, lamps: Path) -> str:
    """The version of a second model in the home."""
    ModelStore(home, passed).install(lamps)
    return version_of(lamps)


@pytest.fixture
def opened() -> Callable[..., AppTest]:
    def opened(tab: str = "models") -> AppTest:
        page = AppTest.from_file(ROOT / "pages" / "admin.py", default_timeout=60)
        page.session_state["app_language"] = "en"
        page.session_state["admin_tab"] = tab
        return checked(page.run())

    return opened


def checked(page: AppTest) -> AppTest:
    assert not page.exception
    return page


def pressed(page: AppTest, key: str) -> AppTest:
    return checked(page.button(key=key).click().run())


def answered(page: AppTest, key: str, answer: str = "admin_yes") -> AppTest:
    """The question behind a button, answered."""
    return pressed(pressed(page, key), answer)


def waited(page: AppTest) -> AppTest:
    """Until what is being done is done."""
    assert works.last().ended.wait(60)
    return checked(page.run())


def log() -> list[Entry]:
    """What was noted, newest first."""
    return AuditLog(open_store().engine).page()


def said(page: AppTest) -> str:
    """All that is written outside widgets, as it is read."""
    return told(page).replace("**", "").replace("\\", "")
