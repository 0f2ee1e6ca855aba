"""Why: the heat map, the words for and against, and how the terms add up. Computed only when open."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from model.product import Explanation, Prediction, Product
from ui.charts import Bar, bars
from ui.heat import overlay, scale_bar
from ui.language import _, language, listed, ngettext, number, percent, probability, signed
from ui.model import explain, fingerprint, shown_picture
from ui.result import full_name
from ui.words import STYLE, highlighted, legend, strength

if TYPE_CHECKING:
    from model.classifier import Classifier

TABLE_ROWS = 12
NEGLIGIBLE = 0.005
"""Terms that would be written as 0.00."""
FAINT_PICTURE = 0.1
"""A smaller term changes no probability by more than a few points, yet its map is as bright as any."""


def render_explanation(classifier: Classifier, product: Product, prediction: Prediction, prefix: str) -> None:
    """The reasons, behind a panel that starts closed."""
    state, key, kept = st.session_state, f"{prefix}_why", f"{prefix}_why_kept"
    # To Streamlit a panel with another title, or on a page left and come back to, is a new and closed one.
    state[key] = state.get(key, state.get(kept, False))
    panel = st.expander(_("Why? What speaks for and against a category"), key=key, on_change="rerun")
    state[kept] = panel.open
    if not panel.open:
        return
    with panel:
        code = _chosen_category(classifier, product, prediction, prefix)
        if prediction.image_problem is not None:
            product = replace(product, image=None)
        explanation = explain(classifier, product, code)
        render_shares(explanation)
        grid = st.grid(2, min_column_width=380, gap="large")
        with grid.cell():
            render_words(product, explanation)
        with grid.cell():
            render_heatmap(product, explanation, prefix)
        render_sum(explanation)


def render_shares(explanation: Explanation) -> None:
    """How much of the decision is image, words and meaning."""
    names = {"image": _("Picture"), "words": _("Words themselves"), "meaning": _("Meaning of the text")}
    terms = {"image": explanation.image, "words": explanation.lexical, "meaning": explanation.semantic}
    used = [
        name
        for name, present in (
            (_("the picture"), explanation.geometry is not None),
            (_("the text"), bool(explanation.words)),
        )
        if present
    ]
    st.subheader(_("What the decision rests on"), anchor=False)
    st.caption(_("Inputs used: {inputs}.").format(inputs=listed(used) or _("none")))
    if not any(explanation.shares.values()):
        st.info(_("No input could be read: only how common the category is speaks here."))
        return
    rows = [
        Bar(
            name=f"{names[part]} ({_direction(terms[part])})",
            value=share,
            text=percent(share),
            first=terms[part] > 0,
        )
        for part, share in explanation.shares.items()
    ]
    st.altair_chart(bars(rows), alt=listed([f"{row.name}: {row.text}" for row in rows]))


def render_words(product: Product, explanation: Explanation) -> None:
    """The text with its words marked, and a table of the strongest."""
    st.subheader(_("Words"), anchor=False)
    strongest = strength(explanation.words)
    if strongest < NEGLIGIBLE:
        st.info(
            _("No word of the text weighs for or against this category.")
            if explanation.words
            else _("No text was given, so no word speaks for or against.")
        )
        return
    fields = {
        "designation": (_("Designation"), product.designation),
        "description": (_("Description"), product.description),
    }
    marked = []
    for field, (title, text) in fields.items():
        words = [word for word in explanation.words if word.field == field]
        if text and words:
            marked.append(f"<small>{title}</small>{highlighted(text, words, strongest)}")
    st.html(f"{STYLE}{''.join(marked)}<small>{legend()}</small>")
    st.caption(_("The stronger the colour, the more the word weighs; point at a word to read its number."))
    st.dataframe(_word_table(product, explanation), hide_index=True, width="stretch", height="content")
    hidden = len(explanation.words) - TABLE_ROWS
    if hidden > 0:
        message = ngettext("{n} weaker word is not shown.", "{n} weaker words are not shown.", hidden)
        st.caption(message.format(n=number(hidden)))


def render_heatmap(product: Product, explanation: Explanation, prefix: str) -> None:
    """Where in the picture the evidence for the category lies."""
    st.subheader(_("Picture"), anchor=False)
    if product.image is None or explanation.geometry is None:
        st.info(_("No picture was used, so there is nothing to show here."))
        return
    picture = shown_picture(product.image)
    left, right = st.columns(2)
    left.image(picture, width="stretch", caption=_("The picture"), alt=_("The picture as it was given"))
    if explanation.heatmap is None:
        right.info(_("No evidence: no part of the picture speaks for this category."))
        return
    st.session_state.setdefault(f"{prefix}_opacity", 65)
    opacity = st.slider(_("Opacity of the map (%)"), 0, 100, step=5, key=f"{prefix}_opacity", persist_state="session")
    heat = explanation.geometry.to_picture(explanation.heatmap, picture.size)
    right.image(
        overlay(picture, heat, opacity / 100),
        width="stretch",
        caption=_("Evidence for this category"),
        alt=_("The same picture; the brighter a place, the more it speaks for the category"),
    )
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(_("little"), width="content")
        st.image(scale_bar(), width=120, alt="")
        st.caption(_("much"), width="content")
    if abs(explanation.image) < FAINT_PICTURE:
        message = _("The picture as a whole hardly weighs here ({term}): the map says where, not how much.")
        st.caption(message.format(term=signed(explanation.image)))
    elif explanation.image < 0:
        st.caption(_("As a whole the picture speaks against this category; the map shows what speaks for it."))
    st.caption(
        _(
            "The map is a Grad-CAM: it shows which parts of the picture raise this category's score. "
            "It explains the picture's own term: the text does not change the map, "
            "only which category comes first."
        )
    )


def render_sum(explanation: Explanation) -> None:
    """That the terms add up to the score."""
    words = sum(word.total for word in explanation.words)
    st.markdown(
        _("Picture {image} + words {words} + rest {rest} + bias {bias} = **{logit}**").format(
            image=signed(explanation.image),
            words=signed(words),
            rest=signed(explanation.rest),
            bias=signed(explanation.bias),
            logit=signed(explanation.logit),
        )
    )
    st.caption(
        _(
            "It adds up: the score (logit) is a plain sum, and the category with the highest sum comes "
            "first; 0 is the average category. The rest belongs to the text as a whole, the bias to how "
            "common the category is."
        )
    )


def _chosen_category(classifier: Classifier, product: Product, prediction: Prediction, prefix: str) -> int:
    labels = {
        ranked.code: f"{full_name(classifier.taxonomy[ranked.code])} ({probability(ranked.probability)})"
        for ranked in prediction.categories
    }
    state, kept, this = st.session_state, f"{prefix}_why_code", fingerprint(product)
    # A box of its own for each product, which starts at its first category, and for each language: the
    # browser holds the chosen label, not the code.
    key = f"{kept}_{language()}_{this[:12]}"
    before, code = state.get(kept, (None, None))
    if key not in state and before == this:
        state[key] = code
    code = st.selectbox(
        _("Category to explain, most probable first (type to search)"),
        list(labels),
        format_func=labels.__getitem__,
        key=key,
    )
    state[kept] = this, code
    return code


def _word_table(product: Product, explanation: Explanation) -> pd.DataFrame:
    fields = {"designation": product.designation or "", "description": product.description or ""}
    ranked = sorted(explanation.words, key=lambda word: -abs(word.total))[:TABLE_ROWS]
    return pd.DataFrame(
        {
            _("Word"): [fields[word.field][word.start : word.end] for word in ranked],
            _("Word itself"): [signed(word.lexical) for word in ranked],
            _("Meaning"): [signed(word.semantic) for word in ranked],
            _("Total"): [signed(word.total) for word in ranked],
        }
    )


def _direction(term: float) -> str:
    if abs(term) < NEGLIGIBLE:
        return _("no weight")
    return (
        _("speaks for, {term}").format(term=signed(term))
        if term > 0
        else _("speaks against, {term}").format(term=signed(term))
    )
