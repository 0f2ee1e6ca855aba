"""Do the reasons follow what the model does: each measure against chance, and what it means in plain words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from ui.card.report import amount, section
from ui.card.words import DASH, count, metric, score, share, told
from ui.language import N_, _, signed


@dataclass(frozen=True, slots=True)
class _Measure:
    """One measure: where it stands in the report, its chance level, whether more is better, what it means."""

    part: str
    name: str
    chance: str
    more_is_better: bool
    percent: bool
    title: str
    meaning: str


_MEASURES = (
    _Measure(
        "picture",
        "pointing_game",
        "pointing_game_by_chance",
        True,
        True,
        N_("The map points at the object"),
        N_("An object is put somewhere on a background; how often the map's hottest point lies on it."),
    ),
    _Measure(
        "picture",
        "deletion_auc",
        "deletion_auc_random",
        False,
        False,
        N_("Erasing what the map shows"),
        N_(
            "The picture is erased, the places that the map calls important first: the probability should fall fast, "
            "so a low number is good."
        ),
    ),
    _Measure(
        "picture",
        "insertion_auc",
        "insertion_auc_random",
        True,
        False,
        N_("Showing only what the map shows"),
        N_(
            "The picture is uncovered, the important places first: the probability should rise fast, "
            "so a high number is good."
        ),
    ),
    _Measure(
        "words",
        "comprehensiveness",
        "comprehensiveness_random",
        True,
        False,
        N_("Taking out the strongest words"),
        N_("The strongest fifth of the words is taken out: the probability should fall, so a high number is good."),
    ),
    _Measure(
        "words",
        "sufficiency",
        "sufficiency_random",
        False,
        False,
        N_("Keeping only the strongest words"),
        N_(
            "Only the strongest fifth of the words is kept: the probability should hardly fall, "
            "so a low number is good."
        ),
    ),
)


def render_faithfulness(report: Any) -> None:
    """Every measure of ``faithfulness.json``; dashes where there is none."""
    found = section(report)
    if not found:
        st.info(_("This model comes without a measure of its explanations, so it is not known how far to trust them."))
    st.caption(
        _("Measured without anybody's opinion: the input is changed as the explanation says, and the answer watched.")
    )
    _render_part(_("Pictures"), "picture", found, _render_dependence)
    _render_part(_("Words"), "words", found, _render_completeness)
    st.caption(_basis(found))


def _render_part(
    title: str, part: str, found: Mapping[str, Any], render_check: Callable[[Mapping[str, Any]], None]
) -> None:
    st.subheader(title, anchor=False)
    grid = st.grid(4, min_column_width=240)
    for measure in _MEASURES:
        if measure.part == part:
            with grid.cell(), st.container(border=True, height="stretch"):
                _render_measure(measure, section(found.get(part)))
    with grid.cell(), st.container(border=True, height="stretch"):
        render_check(section(found.get(part)))


def _render_measure(measure: _Measure, found: Mapping[str, Any]) -> None:
    written = share if measure.percent else score
    value, chance = amount(found.get(measure.name)), amount(found.get(measure.chance))
    by_chance = _("By chance: {value}").format(value=written(chance))
    metric(_(measure.title), written(value), f"{by_chance} · {_verdict(measure, value, chance)}")
    st.markdown(_(measure.meaning))


def _verdict(measure: _Measure, value: float | None, chance: float | None) -> str:
    if value is None or chance is None:
        return DASH
    better = value > chance if measure.more_is_better else value < chance
    return _("better than chance") if better else _("**no better than chance**")


def _render_dependence(picture: Mapping[str, Any]) -> None:
    value = amount(picture.get("rank_correlation_after_randomising"))
    metric(
        _("The map depends on what was learned"), DASH if value is None else signed(value), _("From −1 to 1; 0 is best")
    )
    st.markdown(
        _(
            "How alike the map before and after a layer's weights are drawn at random are: "
            "one that stays alike shows nothing of what was learned."
        )
    )


def _render_completeness(words: Mapping[str, Any]) -> None:
    value = amount(words.get("completeness_error"))
    metric(_("The terms add up"), DASH if value is None else _tiny(value), _("0 is best"))
    st.markdown(_("The largest gap between a score and the sum of the terms that explain it."))


def _tiny(value: float) -> str:
    return score(value) if value == 0 or value >= 0.001 else f"<\u202f{score(0.001)}"


def _basis(found: Mapping[str, Any]) -> str:
    picture, words = section(found.get("picture")), section(found.get("words"))
    return _(
        "Pictures: {pictures}, of which {blank} without evidence. Texts: {listings}, from {data}. "
        "Measured by the command {command}."
    ).format(
        pictures=count(picture.get("pictures")),
        blank=count(picture.get("pictures_without_evidence")),
        listings=count(words.get("listings")),
        data=told(words.get("data")),
        command=told(found.get("command")),
    )
