"""Each role at each page and each action: the table of `access.roles`, as the pages hold it."""

import json
import re

import pytest
from streamlit.testing.v1 import AppTest

# A page that is run alone has its own folder on the path, where batch.py is not the package.
import ui.admin.tabs
import ui.batch.result
import ui.review.taking
import ui.sign_in.visitor as asked
from access.errors import AccessError
from access.roles import ACTIONS, PAGES, Role, may_do, may_open, role_named
from settings import ROOT, settings
from tests.repository import read, repository_files
from tests.ui.sign_in.conftest import PASSWORD
from ui.sign_in.visitor import may, opens

# Written out, so that a slip in the table is seen: which roles open a page or do a thing.
ALL, SOME, ONE = "analyst moderator administrator", "moderator administrator", "administrator"
EXPECTED = {
    "pages/classify.py": ALL,
    "pages/batch.py": ALL,
    "pages/categories.py": ALL,
    "pages/model_card.py": ALL,
    "pages/review.py": SOME,
    "pages/monitoring.py": SOME,
    "pages/admin.py": ONE,
    "send": ALL,
    "decide": SOME,
    "export": SOME,
    "export_names": ONE,
    "purge": ONE,
    "administer": ONE,
}
HELD = [path.as_posix() for path in repository_files() if path.parts[0] == "pages" and path.suffix == ".py"]
REFUSED = "This page is not for your role."


@pytest.fixture
def come(people, monkeypatch):
    """Comes as the account of a role; "stranger" without any."""

    def come(name: str) -> None:
        account = people.accounts.get(name)
        cookie = None if account is None else people.sessions.begin(account)
        monkeypatch.setattr(asked, "cookie", lambda: cookie)

    return come


def test_the_table_is_what_is_meant():
    assert set(EXPECTED) == set(PAGES) | set(ACTIONS)
    for what, roles in EXPECTED.items():
        allowed = may_open if what in PAGES else may_do
        assert [role for role in Role if allowed(role, what)] == [role_named(name) for name in roles.split()]
        assert not allowed(None, what)
    assert not may_open(Role.ADMINISTRATOR, "pages/another.py")
    with pytest.raises(KeyError):
        may_do(Role.ADMINISTRATOR, "another")
    with pytest.raises(AccessError):
        role_named("boss")


@pytest.mark.parametrize("page", HELD)
def test_each_page_is_in_the_table_and_asks_by_its_own_path(page):
    assert page in PAGES
    text = read(page)
    assert f'by_front_door("{page}")' in text or 'PAGE = "pages/model_card.py"' in read("ui/card/link.py")


@pytest.mark.parametrize("name", ["stranger", "analyst", "moderator", "administrator"])
@pytest.mark.parametrize("page", HELD)
def test_each_role_at_each_page(come, page, name):
    come(name)
    shown = AppTest.from_file(ROOT / page, default_timeout=120).run()
    assert not shown.exception
    allowed = name in EXPECTED[page].split()
    assert any(REFUSED in error.value for error in shown.error) is not allowed
    if not allowed:
        assert len(shown.main) == 1  # nothing but that word


@pytest.mark.parametrize("name", ["stranger", "analyst", "moderator", "administrator"])
def test_each_role_at_each_action(come, name):
    come(name)
    for action in ACTIONS:
        assert may(action) is (name in EXPECTED[action].split())
    for page in PAGES:
        assert opens(page) is (name in EXPECTED[page].split())


def test_without_sign_in_everything_is_open_and_says_so(open_door):
    assert all(may(action) for action in ACTIONS) and all(opens(page) for page in PAGES)
    shown = AppTest.from_file(ROOT / "streamlit_app.py", default_timeout=120).run()
    assert "Open to everyone on this machine: no sign-in" in [caption.value for caption in shown.caption]


def test_open_to_all_nobody_takes_names_away_purges_or_administers(open_door, monkeypatch):
    monkeypatch.setenv("RAYON_OPEN", "1")
    settings.cache_clear()
    for action in ACTIONS:
        assert may(action) is ("moderator" in EXPECTED[action].split())
    for page in PAGES:
        assert opens(page) is ("moderator" in EXPECTED[page].split())
    assert ui.review.taking._people_choice() == "ids"


def test_the_table_for_people_is_the_one_that_is_held():
    """docs/sign-in.md: pages by their titles, each role with what those above it have."""
    titles = {
        "pages/classify.py": "Classify a product", "pages/batch.py": "Classify a file",
        "pages/categories.py": "Categories", "pages/model_card.py": "The model", "pages/review.py": "Review",
        "pages/monitoring.py": "Monitoring", "pages/admin.py": "Administration",
    }  # fmt: skip
    assert set(titles) == set(PAGES)
    rows = dict(re.findall(r"^\| (\w+) \| ([^|]*) \|", read("docs/sign-in.md").split("## Roles")[1], re.MULTILINE))
    for role in Role:
        expected = {titles[page] for page, least in PAGES.items() if least is role}
        assert set(rows[role.name.lower()].split(", ")) == expected


def test_a_stranger_sees_the_way_in_and_nothing_else(come):
    come("stranger")
    shown = AppTest.from_file(ROOT / "streamlit_app.py", default_timeout=120).run()
    assert not shown.exception and not shown.title and not shown.text_input
    assert "You are not signed in" in shown.info[0].value


def test_what_cannot_be_read_lets_nobody_in(come, people):
    come("administrator")
    people.accounts.path.write_text("{")
    shown = AppTest.from_file(ROOT / "streamlit_app.py", default_timeout=120).run()
    assert not shown.exception and not shown.title
    assert "Nobody can sign in" in shown.error[0].value and "accounts.json" in shown.code[0].value
    assert not any(may(action) for action in ACTIONS)


def test_the_name_of_who_signed_in_decides_and_stays(come):
    come("moderator")
    shown = AppTest.from_file(ROOT / "pages" / "classify.py", default_timeout=120)
    shown.session_state["classify_designation"] = "Canapé d'angle"
    shown.session_state["decide_person"] = "Somebody else"
    shown.run()
    assert any("You decide as **Moderator**" in text.value for text in shown.markdown)
    assert not [button for button in shown.button if button.key == "classify_decide_person_change"]
    shown.button(key="classify_decide_accept").click().run()
    assert any("by Moderator" in text.value for text in shown.markdown)


def test_an_analyst_sends_and_does_not_decide(come):
    come("analyst")
    shown = AppTest.from_file(ROOT / "pages" / "classify.py", default_timeout=120)
    shown.session_state["classify_designation"] = "Parasol de jardin"
    shown.run()
    keys = [button.key for button in shown.button if str(button.key).startswith("classify_decide")]
    assert keys == ["classify_decide_send"]


def test_a_role_that_is_taken_away_meanwhile_decides_nothing(come, people):
    come("moderator")
    shown = AppTest.from_file(ROOT / "pages" / "classify.py", default_timeout=120)
    shown.session_state["classify_designation"] = "Lampe de chevet"
    shown.run()
    come("analyst")
    shown.button(key="classify_decide_accept").click().run()
    assert not any("Decision:" in text.value for text in shown.markdown)


def test_files_are_those_of_who_sent_them_in_whatever_browser(come):
    from ui.batch.owner import owner, valid

    owners = []
    for name in ("analyst", "analyst", "moderator"):
        come(name)
        owners.append(owner())
    assert owners[0] == owners[1] != owners[2] and all(valid(one) for one in owners)


def test_files_stay_with_an_account_and_do_not_go_to_the_next_of_its_name(come, people):
    from ui.batch.owner import owner

    come("analyst")
    first = owner()
    people.accounts.set_role("Analyst", Role.MODERATOR)
    people.accounts.set_password("Analyst", PASSWORD + "!")
    come("analyst")
    assert owner() == first
    people.accounts.remove("Analyst")
    people.accounts.add("Analyst", PASSWORD, Role.ANALYST)
    come("analyst")
    assert owner() != first


def test_files_of_before_accounts_kept_their_moment_are_found_again(come, people):
    from ui.batch.owner import owner

    kept = json.loads(people.accounts.path.read_text())
    for account in kept["accounts"]:
        del account["made_at"]
    people.accounts.path.write_text(json.dumps(kept))
    come("analyst")
    assert owner() == people.sessions.token("jobs", "account:Analyst")
    people.accounts.set_password("Analyst", PASSWORD + "!")
    come("analyst")
    assert owner() == people.sessions.token("jobs", "account:Analyst")
    people.accounts.remove("Analyst")
    people.accounts.add("Analyst", PASSWORD, Role.ANALYST)
    come("analyst")
    assert owner() != people.sessions.token("jobs", "account:Analyst")


def test_moderators_take_decisions_away_without_names_and_delete_nothing(come):
    come("moderator")
    assert ui.review.taking._people_choice() == "ids"


def test_another_person_in_the_same_window_finds_nothing_of_the_first(come):
    come("analyst")
    shown = AppTest.from_file(ROOT / "streamlit_app.py", default_timeout=120).run()
    shown.text_input(key="classify_designation").set_value("Canapé secret").run()
    come("moderator")
    shown.run()
    assert not shown.exception and not shown.text_input
    assert "Somebody else has signed in" in shown.info[0].value
