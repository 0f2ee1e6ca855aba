"""Who may come in: accounts of this server, and whom a provider sends."""

from datetime import datetime

import pandas as pd
import streamlit as st

from access.accounts import Account
from access.door import door
from access.errors import LastAdministrator
from access.passwords import LONGEST, SHORTEST
from access.roles import ROLES, Role
from decisions.audit import note
from settings import settings
from ui.admin.asking import NotDone, Question, ask, do, render_asked
from ui.language import N_, _, moment, ngettext, number
from ui.rows import row
from ui.sign_in.audited import person_here
from ui.sign_in.door import role_name
from ui.sign_in.provider import providers
from ui.sign_in.visitor import signing_in, visitor
from ui.style import literal

_ROUND = "admin_account_round"
_ROLE_KEY, _PASSWORD_KEY, _AGAIN_KEY = "admin_role_choice", "admin_password", "admin_password_again"
_ADD = "python -m access add NAME --role administrator"
_FEW = 4  # different characters of a password


def render_users() -> None:
    """Local accounts, then the roles of those a provider knows."""
    if not signing_in():
        st.info(
            _(
                "**There are no accounts, so nobody signs in.** The first one is made on the machine itself, and from "
                "then on everybody has to sign in:"
            )
        )
        st.code(_ADD, language=None)
        return
    _render_accounts()
    _render_provided()
    render_asked({"role": _role_question, "password": _password_question, "account": _removal})


def _render_accounts() -> None:
    st.subheader(_("Accounts of this server"), anchor=False)
    known = sorted(door().accounts.all().values(), key=lambda one: one.name.casefold())
    if not known:
        st.caption(_("There is none: whoever signs in comes by the provider."))
    for one in known:
        with row(f"admin_row_{_id(one)}"):
            with st.container(width="stretch", gap="xxsmall"):
                word = _("you")
                own = f" &nbsp; :blue-badge[{literal(word)}]" if _is_oneself(one) else ""
                st.markdown(f"**{literal(one.name)}** &nbsp; :gray-badge[{literal(role_name(one.role))}]{own}")
                st.caption(_("changed on {moment}").format(moment=moment(datetime.fromisoformat(one.changed_at))))
            with st.container(horizontal=True, width="content"):
                for name, label in (("role", _("Role…")), ("password", _("Password…")), ("account", _("Remove…"))):
                    st.button(label, key=f"admin_{name}_{_id(one)}", on_click=ask, args=(name, one.name))
    _render_new()


def _render_new() -> None:
    round_ = st.session_state.setdefault(_ROUND, 0)
    keys = [f"admin_new_{name}_{round_}" for name in ("name", "role", "password", "again")]

    def add() -> str:
        person = person_here()
        name, role, password, again = (st.session_state.get(key) for key in keys)
        _check_password(password or "", again or "")
        if door().accounts.get(name or "") is not None:
            raise NotDone(_("**There is an account {name} already.**").format(name=literal(name)))
        made = door().accounts.add(name or "", password, role or Role.ANALYST)
        note(person, "account_added", made.name, role=made.role.name.lower())
        st.session_state[_ROUND] += 1
        told = _("**{name} may sign in as {role}.** Pass the password on in person; it is not shown again.")
        return told.format(name=literal(made.name), role=literal(role_name(made.role)))

    with (
        st.expander(_("Add an account"), icon=":material/person_add:", key="admin_new_panel"),
        st.form("admin_new", border=False),
    ):
        grid = st.grid(2, min_column_width=260)
        with grid.cell():
            st.text_input(_("Name"), key=keys[0], max_chars=80, autocomplete="off")
        with grid.cell():
            _role_box(keys[1], Role.ANALYST)
        with grid.cell():
            _password_field(_("Password"), keys[2])
        with grid.cell():
            _password_field(_("The password again"), keys[3])
        st.form_submit_button(_("Add"), type="primary", key="admin_new_add", on_click=do, args=(add,))


def _role_question(name: str) -> Question | None:
    account = door().accounts.get(name)
    if account is None:
        return None

    def act() -> str:
        person = person_here()  # first: whoever changes their own account is a stranger afterwards
        role = st.session_state.get(_ROLE_KEY) or account.role
        try:
            before = door().accounts.set_role(name, role, may_be_last=False)
        except LastAdministrator:
            raise NotDone(_last(account)) from None
        if before.role is role:
            told = _("**{name} is {role} already:** nothing was changed.")
            return told.format(name=literal(before.name), role=literal(role_name(role)))
        note(person, "account_role", before.name, role=role.name.lower(), before=before.role.name.lower())
        told = _("**{name} is {role} from now on**, and has to sign in again.")
        return told.format(name=literal(account.name), role=literal(role_name(role)))

    words = _("Open windows of this account end at once; it signs in again with its new role.")
    if _is_oneself(account):
        words += " " + _("**That is you:** with a lower role you cannot come back to this page.")
    title = _("Role of {name}").format(name=account.name)
    return Question(title, words, _("Give this role"), act, lambda: _role_box(_ROLE_KEY, account.role))


def _password_question(name: str) -> Question | None:
    account = door().accounts.get(name)
    if account is None:
        return None

    def act() -> str:
        person = person_here()
        password, again = (st.session_state.get(key) or "" for key in (_PASSWORD_KEY, _AGAIN_KEY))
        _check_password(password, again)
        door().accounts.set_password(name, password)
        note(person, "account_password", account.name)
        return _("**{name} has another password;** the sessions of before have ended.").format(
            name=literal(account.name)
        )

    def fields() -> None:
        _password_field(_("Password"), _PASSWORD_KEY)
        _password_field(_("The password again"), _AGAIN_KEY)

    words = _("Open windows of this account end at once; it signs in again with the new password.")
    return Question(_("Password of {name}").format(name=account.name), words, _("Set the password"), act, fields)


def _removal(name: str) -> Question | None:
    account = door().accounts.get(name)
    if account is None:
        return None

    def act() -> str:
        person = person_here()
        try:
            door().accounts.remove(name, may_be_last=False)
        except LastAdministrator:
            raise NotDone(_last(account)) from None
        note(person, "account_removed", account.name)
        return _("**{name} may not sign in any more.**").format(name=literal(account.name))

    words = _("Open windows of this account end at once. What it decided stays, under its name.")
    if _is_oneself(account):
        words += " " + _("**That is you:** you are signed out at once, and cannot come back.")
    return Question(_("Remove {name}?").format(name=account.name), words, _("Remove for good"), act)


def _last(account: Account) -> str:
    return _(
        "**Nothing was done:** {name} is the last administrator among the accounts. Make another one first."
    ).format(name=literal(account.name))


def _check_password(password: str, again: str) -> None:
    if password != again:
        raise NotDone(_("**Nothing was done:** the two passwords are not the same."))
    if not SHORTEST <= len(password) <= LONGEST:
        words = _("**Nothing was done:** a password has {least} to {most} characters.")
        raise NotDone(words.format(least=number(SHORTEST), most=number(LONGEST)))
    if len(set(password)) < _FEW:
        raise NotDone(_("**Nothing was done:** a password has more than three different characters."))


def _role_box(key: str, present: Role) -> None:
    roles = list(Role)
    st.selectbox(_("Role"), roles, index=roles.index(present), format_func=role_name, key=key)


def _password_field(label: str, key: str) -> None:
    help_ = _("{least} characters at least.").format(least=number(SHORTEST))
    st.text_input(label, key=key, type="password", autocomplete="new-password", max_chars=LONGEST, help=help_)


def _render_provided() -> None:
    """Who gets which role by a provider: told, for settings of the server decide it."""
    found, names = settings(), providers()
    st.subheader(_("By a provider"), anchor=False)
    if not names:
        st.caption(_("No provider is set up; docs/sign-in.md says how."))
        return
    count = ngettext("{n} provider is set up.", "{n} providers are set up.", len(names)).format(n=number(len(names)))
    default = literal(_(_NONE) if not found.default_role else role_name(ROLES[found.default_role.strip().lower()]))
    st.markdown(
        count
        + " "
        + _(
            "The role comes from the list below, else from the claim {claim}, else it is: {default}. All this is "
            "in the server’s settings (RAYON_ROLES, RAYON_ROLE_CLAIM, RAYON_DEFAULT_ROLE), not here."
        ).format(claim=literal(found.role_claim), default=default)
    )
    if found.roles_by_email:
        table = {
            _("E-mail"): [literal(email) for email, _role in found.roles_by_email],
            _("Role"): [literal(role_name(ROLES[role.strip().lower()])) for _email, role in found.roles_by_email],
        }
        st.table(pd.DataFrame(table), hide_index=True, border="horizontal", alt=_("Roles by e-mail"))


_NONE = N_("none, and no entry")


def _is_oneself(account: Account) -> bool:
    known = visitor()
    return known is not None and known.way == "account" and known.name == account.name


def _id(account: Account) -> str:
    """Of widgets: no character of a name may mean anything there."""
    return account.name.encode().hex()
