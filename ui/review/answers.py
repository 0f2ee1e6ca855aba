"""The ways to answer: suggestions, any other category, not knowing, laying aside; a note that goes with it."""

import streamlit as st

from decisions.items import MAX_NOTE
from decisions.store import DecisionStore
from model.taxonomy import Taxonomy
from ui.decide.category_box import box_key, choose_category
from ui.decide.names import category_of, standing_sentence
from ui.language import _, probability
from ui.review.desk import Open, pass_over, say, say_unknown, skip
from ui.review.keys import ACCEPT, FIND, FIND_KEY, NEXT, NOTE, SKIP, UNKNOWN, button_key, on_key, with_key
from ui.style import literal

MOST, LEAST, NEGLIGIBLE = 9, 3, 0.005
"""Suggestions that have a key; how many show however unlikely; the probability below which others do not."""
ENTER = "⏎"


def suggestions_shown(opened: Open) -> int:
    """How many suggestions have a button."""
    likely = sum(ranked.probability >= NEGLIGIBLE for ranked in opened.item.suggestions)
    return min(MOST, max(likely, LEAST), len(opened.item.suggestions))


def render_answers(store: DecisionStore, opened: Open, person: str, taxonomy: Taxonomy) -> None:
    """All buttons and fields about the product on screen."""
    args = (store, opened, person)
    _render_standing(opened, taxonomy)
    with st.container(gap="xxsmall", key="review_suggestions"):
        for place, ranked in enumerate(opened.item.suggestions[: suggestions_shown(opened)], start=1):
            name = f"{literal(category_of(taxonomy, ranked.code))} — {probability(ranked.probability)}"
            first = place == 1
            st.button(
                on_key(name, ENTER, ACCEPT, "1") if first else on_key(name, str(place)),
                key=button_key("accept" if first else f"pick{place}", opened.token),
                type="primary" if first else "secondary",
                width="stretch",
                on_click=say,
                args=(*args, ranked.code),
            )
    _render_bars(opened)
    choose_category(
        with_key(_("Any other category"), FIND),
        opened.item.suggestions,
        taxonomy,
        f"{FIND_KEY}_{opened.token}",
        on_change=_found,
        args=args,
    )
    with st.container(horizontal=True, gap="small"):
        st.button(
            on_key(_("I don’t know"), UNKNOWN), key=button_key("unknown", opened.token), on_click=say_unknown, args=args
        )
        if opened.where.state != "skipped":
            st.button(
                on_key(_("Skip"), SKIP),
                key=button_key("skip", opened.token),
                on_click=skip,
                args=args,
                help=_("Laid aside: it leaves the queue, and is found under “Skipped”.")
                if opened.item.standing is None
                else _("Leaves what was decided as it is, and does not come up again for you now."),
            )
        st.button(
            on_key(_("Next"), NEXT, "→"),
            key=button_key("next", opened.token),
            on_click=pass_over,
            args=args,
            help=_("Passed over without a decision: it stays in the queue."),
        )
    st.text_input(
        with_key(_("Note (optional)"), NOTE),
        key=opened.note_key,
        max_chars=MAX_NOTE,
        placeholder=_("Kept with the decision; Enter or Esc leaves the field"),
        autocomplete="off",
        persist_state="session",
    )


def _render_standing(opened: Open, taxonomy: Taxonomy) -> None:
    """What was decided before; on a second look, not before the answer: it would sway it."""
    standing = opened.item.standing
    if opened.where.state == "second_look" and opened.item.state == "decided":
        st.caption(_("Somebody else has decided on this. What they said shows after your answer."))
    elif standing is not None:
        st.info(literal(standing_sentence(standing, taxonomy)), icon=":material/history:")


def _render_bars(opened: Open) -> None:
    """Each button is filled as far as its category is probable."""
    rules = []
    for place, ranked in enumerate(opened.item.suggestions[: suggestions_shown(opened)], start=1):
        key = button_key("accept" if place == 1 else f"pick{place}", opened.token)
        end = f"{100 * ranked.probability:.1f}%"
        # Under white letters darker, under dark ones a grey: either stays legible.
        tint = "rgb(0 0 0 / 22%)" if place == 1 else "color-mix(in srgb, currentColor 16%, transparent)"
        rules.append(
            f".st-key-{key} button {{background-image: linear-gradient(to right, {tint} {end}, transparent {end});}}"
        )
    st.html(f"<style>{''.join(rules)}</style>")


def _found(store: DecisionStore, opened: Open, person: str) -> None:
    code = st.session_state.get(box_key(f"{FIND_KEY}_{opened.token}"))
    if code is not None:
        say(store, opened, person, code)
