"""The answer: first category, ranked bars, prediction set, and what the answer rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from model.product import Prediction, Product
from model.reading import MAX_TEXT
from model.taxonomy import Category
from ui.card.link import link_to_card
from ui.card.report import read_report
from ui.card.words import DASH
from ui.charts import Bar, bars
from ui.image_errors import image_message
from ui.language import _, language, listed, ngettext, number, percent, points, probability
from ui.scopes import scope
from ui.style import heading, literal

if TYPE_CHECKING:
    from model.classifier import Classifier

FEW_WORDS = 4
"""Below this many words and without a picture, an answer comes with a warning."""


def render_result(classifier: Classifier, product: Product, prediction: Prediction, prefix: str) -> None:
    """Everything about one prediction but its reasons."""
    settings = classifier.bundle.manifest["settings"]
    render_warnings(product, prediction)
    render_first(classifier, prediction, settings["threshold"])
    render_ranking(classifier, prediction, settings["threshold"], prefix)
    render_set(classifier, prediction, settings["coverage"])
    render_basis(classifier, prediction)


def render_warnings(product: Product, prediction: Prediction) -> None:
    """What is wrong with the input: an unreadable picture, too little text, too much text."""
    if prediction.image_problem is not None:
        after = _("The answer below rests on the text alone.") if prediction.used_text else ""
        st.error(f"{image_message(prediction.image_problem)} {after}")
    if not prediction.used_text and not prediction.used_image:
        st.warning(
            _("Nothing could be read, neither words nor picture: what follows is only how common each category is.")
        )
    elif _little_to_go_by(prediction):
        message = ngettext(
            "Only {n} word and no picture: there is little to go by. "
            "A picture or a fuller text makes the answer safer.",
            "Only {n} words and no picture: there is little to go by. "
            "A picture or a fuller text makes the answer safer.",
            prediction.words,
        )
        st.warning(message.format(n=number(prediction.words)))
    if max(len(product.designation or ""), len(product.description or "")) > MAX_TEXT:
        st.info(_("Only the first {n} characters of each text are read.").format(n=number(MAX_TEXT)))


def render_first(classifier: Classifier, prediction: Prediction, threshold: float) -> None:
    """The first category, large, and whether a person should look."""
    category = classifier.taxonomy[prediction.code]
    doubtful = prediction.confidence < threshold
    with st.container(border=True, key="result_first"):
        heading(
            _("Most likely category, code {code}").format(code=category.code),
            category.label(language()),
            scope(category),
        )
        with st.container(horizontal=True, gap="large"):
            st.metric(
                _("Probability"),
                probability(prediction.confidence),
                width="content",
                help=_calibration(prediction),
            )
            st.metric(
                _("Lead over the second"),
                points(prediction.margin),
                width="content",
                help=_("Difference between the first two probabilities, in percentage points."),
            )
        share = percent(threshold)
        if doubtful:
            st.warning(
                _("**A person should look.** The model is less sure than its threshold of {share}.").format(share=share)
            )
        elif not _little_to_go_by(prediction):
            st.success(_("Above the threshold of {share}.").format(share=share))


def render_ranking(classifier: Classifier, prediction: Prediction, threshold: float, prefix: str) -> None:
    """The first k categories as bars."""
    most = len(prediction.categories)
    st.session_state.setdefault(f"{prefix}_k", min(5, most))
    k = st.slider(_("Categories shown"), 1, most, key=f"{prefix}_k", persist_state="session")
    rows = [
        Bar(
            name=full_name(classifier.taxonomy[ranked.code]),
            value=ranked.probability,
            text=probability(ranked.probability),
            first=place == 0,
        )
        for place, ranked in enumerate(prediction.categories[:k])
    ]
    spoken = listed([f"{row.name}, {row.text}" for row in rows])
    st.altair_chart(bars(rows, threshold), key=f"{prefix}_ranking", alt=spoken)
    st.caption(_("The dashed line is the threshold below which a person should look."))


def render_set(classifier: Classifier, prediction: Prediction, coverage: float) -> None:
    """The prediction set, in words."""
    codes = prediction.prediction_set
    message = ngettext(
        "List made to hold the right category {share} of the time:",
        "List of {n} made to hold the right category {share} of the time:",
        len(codes),
    )
    chips = " ".join(f":gray-badge[{literal(full_name(classifier.taxonomy[code]))}]" for code in codes)
    st.markdown(
        f"{message.format(share=percent(coverage), n=number(len(codes)))} {chips}",
        help=_(
            "On listings kept aside from training, lists made in this way held the right category "
            "{share} of the time. The longer the list, the less sure the model."
        ).format(share=percent(coverage)),
    )


def render_basis(classifier: Classifier, prediction: Prediction) -> None:
    """Which inputs were used, and by which model."""
    used = []
    if prediction.used_image:
        used.append(_("the picture"))
    if prediction.used_text:
        words = ngettext("the text ({n} word)", "the text ({n} words)", prediction.words)
        used.append(words.format(n=number(prediction.words)))
    st.caption(
        _("Inputs used: {inputs}. Model: {version}.").format(
            inputs=listed(used) or _("none"), version=prediction.model_version
        )
    )
    if classifier.bundle.manifest["name"] == "open":
        st.caption(
            _(
                "This is the open model: trained on {rows} listings written for this project, on no shop's data and "
                "no product photo. On listings kept aside its weighted F1 is {score}; expect less on real ones."
            ).format(rows=number(classifier.bundle.manifest["training"]["rows"]), score=_kept_aside(classifier))
        )
    link_to_card()


def _kept_aside(classifier: Classifier) -> str:
    """Weighted F1 of the bundle's report; a dash when it has no such number."""
    value = read_report(classifier.bundle.reports.get("metrics")).overall.values.get("weighted_f1")
    return DASH if value is None else number(value, 2)


def _little_to_go_by(prediction: Prediction) -> bool:
    return prediction.words < FEW_WORDS and not prediction.used_image


def _calibration(prediction: Prediction) -> str:
    """What the probability of this answer has been checked on."""
    if prediction.used_image:
        return _(
            "Calibrated on texts only: there were no product photos to check the picture's part on. "
            "Take the number as an order of magnitude."
        )
    return _(
        "Calibrated on listings kept aside from training: of those answered at 80%, about 8 in 10 were right. "
        "On listings unlike them it can be fewer."
    )


def full_name(category: Category) -> str:
    """Code and label."""
    return f"{category.code} · {category.label(language())}"
