"""Programs that may ask the REST interface: who has a token, for what, until when."""

from datetime import UTC, datetime

import streamlit as st

from api.tokens import MOST_DAYS, SCOPES, Client, TokenError, Tokens
from decisions.store import open_store
from ui.admin.asking import NotDone, Question, ask, do, render_asked
from ui.language import N_, _, day, moment, number
from ui.rows import row
from ui.sign_in.audited import noted
from ui.sign_in.visitor import signing_in
from ui.style import literal

_ROUND, _MADE = "admin_token_round", "admin_token_made"
_USUAL_DAYS = 365
_STATES = {"active": (N_("active"), "green"), "expired": (N_("expired"), "orange"), "revoked": (N_("revoked"), "gray")}
_REFUSALS = {
    "name": N_("**Nothing was done:** a name has 1 to 80 letters, digits and . \\_ - @, without blanks."),
    "scope": N_("**Nothing was done:** say what the token is for."),
    "days": N_("**Nothing was done:** a token is good for 1 to {most} days."),
    "taken": N_("**Nothing was done:** there is a token of that name; revoke it first, or take another name."),
    "unknown": N_("**Nothing was done:** that token has been revoked already."),
}


def render_tokens() -> None:
    """The tokens there are, and the form for another."""
    st.subheader(_("Tokens of the REST interface"), anchor=False)
    st.caption(_("A program shows its token with each request; docs/api.md has the rest."))
    _render_made()
    clients = Tokens(open_store().engine).all()
    now = datetime.now(UTC)
    for client in sorted(clients, key=lambda one: (one.state(now) != "active", -one.id)):
        _render_client(client, client.state(now))
    if not signing_in():
        # Whoever gets in without a word must not leave themselves a key for later.
        st.info(_("Without sign-in, tokens are made on the machine itself:"))
        st.code("python -m api token add NAME --scope classify", language=None)
    else:
        _render_new()
    render_asked({"token": _revocation})


def _render_client(client: Client, state: str) -> None:
    name, colour = _STATES[state]
    with row(f"admin_token_{client.id}"):
        with st.container(width="stretch", gap="xxsmall"):
            st.markdown(f"**{literal(client.name)}** &nbsp; :{colour}-badge[{literal(_(name))}]")
            st.caption(_described(client))
        if state == "active":
            st.button(_("Revoke…"), key=f"admin_revoke_{client.id}", on_click=ask, args=("token", client.name))


def _described(client: Client) -> str:
    never = _("never used")
    parts = [
        _("for {scopes}").format(scopes=literal(", ".join(sorted(client.scopes)))),
        _("made on {day}").format(day=day(client.created)),
        never if client.used is None else _("last used {moment}").format(moment=moment(client.used)),
    ]
    if client.expires is not None:
        parts.append(_("good until {day}").format(day=day(client.expires)))
    return " · ".join(parts)


def _render_new() -> None:
    round_ = st.session_state.setdefault(_ROUND, 0)
    keys = [f"admin_token_new_{name}_{round_}" for name in ("name", "scopes", "days")]

    def add() -> str:
        name, scopes, days = (st.session_state.get(key) for key in keys)
        if not signing_in():
            raise NotDone(_("**Nothing was done:** without sign-in, tokens are made on the machine itself."))
        try:
            token = Tokens(open_store().engine).add(name or "", scopes or (), days)
        except TokenError as error:
            raise NotDone(_(_REFUSALS[error.reason]).format(most=number(MOST_DAYS))) from None
        noted("token_added", name, scopes=" ".join(scopes), days=days or "unlimited")
        st.session_state[_ROUND] += 1
        st.session_state[_MADE] = (name, token)
        return ""

    with (
        st.expander(_("Add a token"), icon=":material/key:", key="admin_token_panel"),
        st.form("admin_token_new", border=False),
    ):
        grid = st.grid(3, min_column_width=220)
        with grid.cell():
            st.text_input(_("Name of the program"), key=keys[0], max_chars=80, autocomplete="off")
        with grid.cell():
            st.pills(_("For"), SCOPES, selection_mode="multi", key=keys[1])
        with grid.cell():
            help_ = _("Empty: until it is revoked.")
            st.number_input(_("Days it is good for"), 1, MOST_DAYS, _USUAL_DAYS, key=keys[2], help=help_)
        st.form_submit_button(_("Add"), type="primary", key="admin_token_add", on_click=do, args=(add,))


def _render_made() -> None:
    """The token that was just made, until it is put away."""
    if (made := st.session_state.get(_MADE)) is None:
        return
    name, token = made
    with st.container(border=True, key="admin_token_made"):
        st.success(_("**The token of {name}:** copy it now, it is not shown again.").format(name=literal(name)))
        st.code(token, language=None, wrap_lines=True)
        st.button(_("I have it"), key="admin_token_close", on_click=_put_away)


def _put_away() -> None:
    st.session_state.pop(_MADE, None)


def _revocation(name: str) -> Question | None:
    def act() -> str:
        try:
            Tokens(open_store().engine).revoke(name)
        except TokenError as error:
            raise NotDone(_(_REFUSALS[error.reason])) from None
        noted("token_revoked", name)
        return _("**The token of {name} is no longer taken.**").format(name=literal(name))

    words = _("The program that has it is refused from its next request on. There is no way back but another token.")
    return Question(_("Revoke the token of {name}?").format(name=name), words, _("Revoke"), act)
