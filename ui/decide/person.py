"""Who decides: who has signed in; where nobody has to, a name that the browser remembers and that is taken on trust."""

from urllib.parse import quote, unquote

import streamlit as st

from decisions.errors import DecisionError
from decisions.items import MAX_PERSON
from decisions.store import checked_person
from ui.decide.errors import decision_message
from ui.language import _
from ui.sign_in.visitor import may_as, signing_in
from ui.style import literal

COOKIE = "rayon_person"
STATE = "decide_person"
_ASKING, _REFUSED, _DAYS = "decide_person_asking", "decide_person_refused", 180

# Enter may come before the form can take it, or get lost on its way: the button is pressed then; twice is as once.
_REMEMBER = """
let place = null, again = 0;

function press(left) {
  const field = document.querySelector(`${place} input`);
  if (!field?.value.trim()) return;
  field.closest("[data-testid=stForm]")?.querySelector("[data-testid=stFormSubmitButton] button")?.click();
  if (left) again = setTimeout(press, 2_000, left - 1);
}

document.addEventListener("keydown", ({ key, target, isComposing }) => {
  if (!place || isComposing || !target.closest?.(place)) return;
  clearTimeout(again);
  if (key === "Enter") again = setTimeout(press, 700, 4);
}, true);

export default function({ data }) {
  place = data.field;
  if (!data.value) return;
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${data.name}=${data.value}; Max-Age=${data.seconds}; Path=/; SameSite=Strict${secure}`;
}
"""
_remember = st.components.v2.component("rayon_person", js=_REMEMBER)


def person() -> str | None:
    """The name of who decides in this session; None until it is given, and for whoever may not decide."""
    if signing_in():
        return may_as("decide")
    state = st.session_state
    if STATE not in state:
        state[STATE] = _remembered()
    return state[STATE]


def asking() -> bool:
    """Whether `render_person` has a field in which to type the name."""
    return not signing_in() and (person() is None or bool(st.session_state.get(_ASKING)))


def render_person(prefix: str) -> str | None:
    """Asks for the name, or says it and lets it be changed; gives the name. None: nothing can be decided yet."""
    name = person()
    if signing_in():  # the name stays as it is
        if name is not None:
            st.markdown(_("You decide as **{name}**").format(name=literal(name)), width="content")
        return name
    _remember(
        key=f"browser_person_{prefix}",
        data={
            "name": COOKIE,
            "value": quote(name or ""),
            "seconds": _DAYS * 86_400,
            "field": f".st-key-{prefix}_person_name",
        },
        height=1,
    )
    if asking():
        _ask(prefix, name)
        return name
    with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
        st.markdown(_("You decide as **{name}**").format(name=literal(name)), width="content")
        st.button(_("Change"), key=f"{prefix}_person_change", type="tertiary", on_click=_start_asking)
    return name


def _ask(prefix: str, name: str | None) -> None:
    key = f"{prefix}_person_name"
    with st.form(f"{prefix}_person", border=name is None):
        st.text_input(
            _("Who decides?"),
            value=name or "",
            key=key,
            autocomplete="name",
            placeholder=_("Your name"),
            max_chars=MAX_PERSON,
            help=_("Stands with every decision you take. Exports can leave it out."),
        )
        # By a callback: another run that is asked for at the same time cannot come between.
        st.form_submit_button(
            _("That is me"), type="primary", key=f"{prefix}_person_given", on_click=_give, args=(key,)
        )
    if (refused := st.session_state.pop(_REFUSED, None)) is not None:
        st.error(decision_message(refused))


def _give(key: str) -> None:
    state = st.session_state
    if key not in state:  # given a moment ago
        return
    try:
        state[STATE], state[_ASKING] = checked_person(state[key]), False
    except DecisionError as error:
        state[_REFUSED] = error


def _start_asking() -> None:
    st.session_state[_ASKING] = True


def _remembered() -> str | None:
    """The name in the browser's cookie; None for none, and for what cannot be one."""
    cookie = st.context.cookies.get(COOKIE)
    try:
        return checked_person(unquote(cookie)) if isinstance(cookie, str) else None
    except DecisionError:
        return None
