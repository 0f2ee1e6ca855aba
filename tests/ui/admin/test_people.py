"""Accounts and tokens on the page: what changes, at once, and what is refused."""

import pytest

from access.roles import Role
from api.tokens import Tokens
from decisions.store import open_store
from settings import settings
from tests.ui.admin.conftest import answered, log, pressed, said
from tests.ui.sign_in.conftest import PASSWORD

SECRET = "twelve and more!"


def account_key(action: str, name: str) -> str:
    return f"admin_{action}_{name.encode().hex()}"


def typed(page, **values):
    for key, value in values.items():
        next(one for one in page.text_input if one.key.startswith(key)).set_value(value)
    return page


def new(page, name: str, password: str, again: str | None = None):
    typed(page, admin_new_name=name, admin_new_password=password, admin_new_again=password if again is None else again)
    next(one for one in page.selectbox if one.key.startswith("admin_new_role")).set_value(Role.MODERATOR)
    return pressed(page, "admin_new_add")


def test_an_account_from_beginning_to_end(come, people, opened):
    page = new(opened("users"), "Zoé", SECRET)
    assert "Zoé may sign in as moderator" in said(page)
    cookie = people.sign_in("zoé", SECRET, "127.0.0.1")
    assert people.visitor(cookie, None).role is Role.MODERATOR
    page = pressed(page, account_key("role", "Zoé"))
    page.selectbox(key="admin_role_choice").set_value(Role.ADMINISTRATOR)
    page = pressed(page, "admin_yes")
    assert people.accounts.get("Zoé").role is Role.ADMINISTRATOR
    assert people.visitor(cookie, None) is None, "sessions end at once"
    cookie = people.sign_in("zoé", SECRET, "127.0.0.1")
    page = pressed(page, account_key("password", "Zoé"))
    page = pressed(typed(page, admin_password_again=SECRET + "?", admin_password=SECRET + "?"), "admin_yes")
    assert people.visitor(cookie, None) is None and people.sign_in("zoé", SECRET + "?", "127.0.0.1")
    page = answered(page, account_key("account", "Zoé"))
    assert "may not sign in any more" in said(page) and people.accounts.get("Zoé") is None
    noted = [(entry.action, entry.subject, dict(entry.details)) for entry in reversed(log())]
    assert noted == [
        ("account_added", "Zoé", {"role": "moderator"}),
        ("account_role", "Zoé", {"role": "administrator", "before": "moderator"}),
        ("account_password", "Zoé", {}),
        ("account_removed", "Zoé", {}),
    ]
    assert SECRET not in str(noted)


@pytest.mark.parametrize(
    ("name", "password", "again", "words"),
    [
        ("Zoé", SECRET, "another", "the two passwords are not the same"),
        ("Zoé", "short", None, "a password has 12 to 1,000 characters"),
        ("Zoé", "aaaaaaaaaaaab", None, "more than three different characters"),
        ("analyst", SECRET, None, "There is an account analyst already"),
        ("", SECRET, None, "a name has 1 to 80 characters"),
        ("client shop", SECRET, None, "a name does not begin with"),
    ],
)
def test_an_account_that_cannot_be_is_refused(come, people, opened, name, password, again, words):
    before = dict(people.accounts.all())
    assert words in said(new(opened("users"), name, password, again))
    assert dict(people.accounts.all()) == before and not log()


def test_the_role_that_it_has_changes_nothing(come, people, opened):
    cookie = people.sign_in("moderator", PASSWORD, "127.0.0.1")
    page = answered(opened("users"), account_key("role", "Moderator"))
    assert "Moderator is moderator already: nothing was changed" in said(page)
    assert people.visitor(cookie, None) is not None and not log()


def test_the_last_administrator_stays(come, people, opened):
    page = pressed(opened("users"), account_key("account", "Administrator"))
    assert "That is you" in said(page)
    page = pressed(page, "admin_yes")
    assert "is the last administrator" in said(page)
    page = pressed(page, account_key("role", "Administrator"))
    page.selectbox(key="admin_role_choice").set_value(Role.ANALYST)
    assert "is the last administrator" in said(pressed(page, "admin_yes"))
    assert people.accounts.get("Administrator").role is Role.ADMINISTRATOR and not log()


def test_oneself_can_go_when_another_stays_and_is_out_at_once(come, people, opened):
    people.accounts.add("Second", SECRET, Role.ADMINISTRATOR)
    page = pressed(opened("users"), account_key("account", "Administrator"))
    page = page.button(key="admin_yes").click().run()
    assert people.accounts.get("Administrator") is None and not page.exception
    assert [(entry.person, entry.action) for entry in log()] == [("Administrator", "account_removed")]
    assert any("not for your role" in error.value for error in page.error)


def test_a_demoted_administrator_adds_nobody(come, people, opened):
    page = opened("users")
    come("Moderator")
    typed(page, admin_new_name="Eve", admin_new_password=SECRET, admin_new_again=SECRET)
    page.button(key="admin_new_add").click().run()
    assert people.accounts.get("Eve") is None and not log()


def test_a_token_is_shown_once_and_revoked(come, opened):
    page = opened("users")
    typed(page, admin_token_new_name="shop")
    next(one for one in page.button_group if one.key.startswith("admin_token_new_scopes")).set_value(["classify"])
    page = pressed(page, "admin_token_add")
    [token] = [code.value for code in page.code if code.value.startswith("rayon_")]
    tokens = Tokens(open_store().engine)
    assert tokens.find(token).name == "shop" and (tokens.all()[0].expires - tokens.all()[0].created).days == 365
    page = pressed(page, "admin_token_close")
    assert not [code for code in page.code if "rayon_" in code.value]
    page = answered(page, f"admin_revoke_{tokens.all()[0].id}")
    assert "is no longer taken" in said(page) and tokens.find(token) is None
    assert [entry.action for entry in log()] == ["token_revoked", "token_added"] and token not in str(log())


def test_a_token_that_cannot_be_is_refused(come, opened):
    page = typed(opened("users"), admin_token_new_name="two words")
    assert "say what the token is for" in said(pressed(page, "admin_token_add")) or "without blanks" in said(page)
    assert not Tokens(open_store().engine).any() and not log()


def test_who_comes_by_a_provider_is_told(come, opened, monkeypatch):
    import ui.admin.users

    monkeypatch.setenv("RAYON_ROLES", "a@b.org=administrator")
    settings.cache_clear()
    monkeypatch.setattr(ui.admin.users, "providers", lambda: ["default"])
    page = opened("users")
    come("Administrator")
    page = page.run()
    assert "1 provider is set up" in said(page) and "none, and no entry" in said(page)
    assert list(page.table[0].value.iloc[0]) == ["a\\@b\\.org", "administrator"]


def test_without_sign_in_people_are_made_on_the_machine(home, opened):
    page = opened("users")
    words = said(page)
    assert "Accounts and roles do not apply" in words and "python -m access add" in words
    assert not [one for one in page.button if one.key in ("admin_new_add", "admin_token_add")]


def test_a_server_that_is_open_to_all_is_not_administered_by_the_page(home, opened, monkeypatch):
    monkeypatch.setenv("RAYON_OPEN", "1")
    settings.cache_clear()
    page = opened()
    assert "nothing can be administered by this page" in said(page) and not page.button and not page.tabs
    assert "not for your role" not in said(page)
