"""These days against a comparison: the flag first, then each measure."""

import pandas as pd
import streamlit as st

from model.observed import MEASURES as NAMES
from model.observed import classes
from model.taxonomy import Taxonomy
from ui.language import _, listed, number, percent
from ui.monitoring.charts import both_chart
from ui.monitoring.words import COLOURS, FLAGS, MEASURES, class_name, missing, moved, share, verdict
from watch.drift import Comparison, Flag
from watch.looking import Look

_MOST = 12
"""Categories shown, those first that moved most."""


def render_drift(look: Look, taxonomy: Taxonomy, reference: str) -> None:
    """All of one look."""
    _render_flag(look, taxonomy)
    if look.drift is None:
        return
    _render_measures(look, taxonomy)
    st.caption(
        _(
            "Length and unknown words are those of products with a text. Confidence is compared among products sent "
            "alike – a text, a picture or both – and in these days’ proportions of them."
        )
    )
    if reference == "model":
        st.caption(
            _(
                "Categories and what was sent are shown, and not judged: a marketplace need not have the shares that "
                "the model was measured on. Held against the 4 weeks before, they are judged as well."
            )
        )
    if look.number:
        _render_charts(look, taxonomy)


def _render_flag(look: Look, taxonomy: Taxonomy) -> None:
    if look.drift is None:
        st.info(missing(look.missing))
        return
    flag, why, advice = verdict(look, taxonomy)
    box = {Flag.FEW: st.info, Flag.STABLE: st.success, Flag.WATCH: st.warning, Flag.DRIFT: st.error}[flag]
    box(f"**{_(FLAGS[flag])}.** {why}" + (f"\n\n{advice}" if advice else ""))


def _render_measures(look: Look, taxonomy: Taxonomy) -> None:
    rows = [one for name in NAMES for one in look.drift.comparisons if one.measure == name]
    st.dataframe(
        pd.DataFrame(
            {
                _("Measure"): [_(MEASURES[one.measure]) for one in rows],
                _("Result"): [_result(look, one) for one in rows],
                _("Distance"): [number(one.bits, 3) if one.flag != Flag.FEW else "–" for one in rows],
                _("Moved most"): [moved(one, look, taxonomy) for one in rows],
            }
        ),
        hide_index=True,
        width="stretch",
        height="content",
        column_config={
            _("Distance"): st.column_config.TextColumn(
                help=_(
                    "Jensen-Shannon divergence in bits, less what chance makes of it: 0 for the same, 1 for nothing in "
                    "common. From 0.018 on it is watched, from 0.045 on it is drift."
                )
            )
        },
        alt=_("What was compared"),
    )


def _result(look: Look, one: Comparison) -> str:
    found = _(FLAGS[one.flag])
    return found if one.measure in look.drift.judged else _("{result} (not judged)").format(result=found)


def _render_charts(look: Look, taxonomy: Taxonomy) -> None:
    st.caption(_("Dark: these days. Light: the comparison."))
    grid = st.grid(2, min_column_width=380)
    found = {one.measure: one for one in look.drift.comparisons}
    for measure in NAMES:
        if measure == "category":
            continue
        with grid.cell(), st.container(border=True, height="stretch"):
            _render_measure(look, found[measure], [n for n in classes(measure) if _seen(look, measure, n)], taxonomy)
    with st.container(border=True):
        one = found["category"]
        moving = [name for name, _change in one.moved] or sorted(look.now["category"], key=look.now["category"].get)[
            ::-1
        ]
        _render_measure(look, one, moving[:_MOST], taxonomy, lying=True)
        if len(moving) > _MOST:
            st.caption(_("The {n} categories whose share moved most.").format(n=number(_MOST)))


def _seen(look: Look, measure: str, name: str) -> bool:
    return measure == "inputs" or bool(look.now[measure].get(name) or look.reference.get(measure, {}).get(name))


def _render_measure(look: Look, one: Comparison, names: list[str], taxonomy: Taxonomy, lying: bool = False) -> None:
    head = st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center")
    head.subheader(_(MEASURES[one.measure]), anchor=False, width="content")
    head.badge(_(FLAGS[one.flag]), color=COLOURS[one.flag] if one.measure in look.drift.judged else "gray")
    now, then = ([share(counts.get(one.measure, {}), name) for name in names] for counts in (look.now, look.reference))
    shown = [class_name(one.measure, name, taxonomy) for name in names]
    if not names:
        st.caption(_("No product of these days can be compared in this."))
        return
    words = listed([f"{name} {percent(a)} ({percent(b)})" for name, a, b in zip(shown, now, then, strict=True)])
    st.altair_chart(both_chart(shown, now, then, lying), key=f"monitoring_{one.measure}", alt=words)
