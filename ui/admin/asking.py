"""Nothing is done on the page without a question before it, and without a look at who answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st
from filelock import Timeout

from access.errors import AccessError
from decisions.errors import DecisionError
from model.bundle_files import BundleError
from preprocessing.errors import InputError
from ui.admin.refusals import refusal
from ui.language import _
from ui.sign_in.visitor import may

_ASKED, _TOLD = "admin_asked", "admin_told"


class NotDone(ValueError):
    """What was asked was not done; the message is Markdown in the language of the page."""


@dataclass(frozen=True, slots=True)
class Question:
    """``words``: Markdown. ``act`` does it and gives what is told of it; ``fields`` draws what it needs to know.

    It may raise NotDone, and what `refusal` has words for.
    """

    title: str
    words: str
    label: str
    act: Callable[[], str]
    fields: Callable[[], None] | None = None


def administers() -> bool:
    """Whether whoever is there may administer."""
    return may("administer")


def not_allowed() -> str:
    """What is told to whoever may not."""
    return _("**Nothing was done:** you may not administer this server, or not any more.")


def ask(name: str, subject: object = "") -> None:
    """A callback: the question of that name comes up. ``subject``: what it is asked of, as it was shown."""
    st.session_state[_ASKED] = (name, subject)


def render_asked(questions: Mapping[str, Callable[[Any], Question | None]]) -> None:
    """The question that was asked for, if it is one of these; each is made for its subject, None for none left."""
    name, subject = st.session_state.get(_ASKED, ("", ""))
    if name not in questions:
        return
    question = questions[name](subject)
    if question is None:
        forget()
        return

    def render() -> None:
        st.markdown(question.words)
        with st.form(f"admin_form_{name}", border=False, enter_to_submit=False):
            if question.fields is not None:
                question.fields()
            with st.container(horizontal=True):
                done = st.form_submit_button(
                    question.label, type="primary", key="admin_yes", on_click=do, args=(question.act,)
                )
                left = st.form_submit_button(_("Back"), key="admin_no", on_click=forget)
        if done or left:
            st.rerun()

    st.dialog(question.title, on_dismiss=forget)(render)()


def do(act: Callable[[], str]) -> None:
    """A callback: does it, if whoever is there may at this moment; the next run tells what came of it."""
    forget()
    if not administers():
        tell("error", not_allowed())
        return
    try:
        tell("success", act())
    except NotDone as error:
        tell("error", str(error))
    except (InputError, BundleError, AccessError, DecisionError, OSError, Timeout) as error:
        tell("error", *refusal(error))


def forget(*_: object) -> None:
    """A callback: no question is asked any more."""
    st.session_state.pop(_ASKED, None)


def tell(kind: str, words: str, sentence: str | None = None) -> None:
    """What the next run says: ``kind`` "success" or "error", Markdown, and a sentence as a program said it."""
    st.session_state[_TOLD] = (kind, words, sentence)


def render_told() -> None:
    """What came of the last thing that was done."""
    kind, words, sentence = st.session_state.pop(_TOLD, (None, "", None))
    if kind is None or not words:
        return
    {"success": st.success, "error": st.error}[kind](words)
    if sentence:
        st.code(sentence, language=None, wrap_lines=True)
