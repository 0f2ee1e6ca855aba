"""How good the answers are, by what a product has: inputs, language, length, description; and branch by branch."""

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from ui.card.report import Groups, Report, Scores
from ui.card.words import (
    BRANCHES,
    DASH,
    DESCRIPTIONS,
    INPUTS,
    count,
    interval,
    measure,
    named,
    rows,
    score,
    told,
    tongue,
)
from ui.charts import Bar, bars
from ui.drawing import said
from ui.language import _, listed, number
from ui.style import literal

_STEP = 36  # pixels
Named = Sequence[tuple[str, Scores | None]]


def render_quality(report: Report) -> None:
    """Every comparison of the report, each in a panel of its own, and all numbers in one table."""
    st.caption(_("Bars are the weighted F1; the thin line across an end is its 95% interval."))
    grid = st.grid(2, min_column_width=340)
    for title, about, groups in _comparisons(report):
        with grid.cell(), st.container(border=True, height="stretch"):
            st.subheader(title, anchor=False)
            st.caption(about)
            render_groups(groups)
    with grid.cell(), st.container(border=True, height="stretch"):
        st.subheader(_("Branches alone"), anchor=False)
        st.caption(_("Each branch answering by itself: what it is worth, and what joining them adds."))
        render_branches(report.branches, report.overall)
    with st.container(border=True):
        st.subheader(_("All numbers"), anchor=False)
        render_all(report)


def render_groups(groups: Named) -> None:
    """A bar for each group that was measured; those that were not, by name."""
    known = [(name, scores) for name, scores in groups if scores and "weighted_f1" in scores.values]
    if not known:
        st.markdown(DASH)
        return
    drawn = [_bar(name, scores) for name, scores in known]
    st.altair_chart(bars(drawn, step=_STEP), alt=listed([said(bar.name, bar.text) for bar in drawn]))
    missing = [name for name, scores in groups if (name, scores) not in known]
    if missing:
        st.caption(_("Not measured: {groups}.").format(groups=literal(listed(missing))))


def render_branches(branches: Mapping[str, float | None], overall: Scores) -> None:
    """Weighted F1 of each branch alone, and of all together."""
    drawn = [Bar(named(BRANCHES, name), value, score(value)) for name, value in branches.items() if value is not None]
    if not drawn:
        st.markdown(DASH)
        return
    whole, ends = measure(overall, "weighted_f1")
    if whole is not None:
        drawn.append(Bar(_("All together"), whole, score(whole), first=True, interval=ends))
    st.altair_chart(bars(drawn, step=_STEP), alt=listed([said(bar.name, bar.text) for bar in drawn]))


def render_all(report: Report) -> None:
    """One line for each group of products, with every measure."""
    lines = [(_("All together"), report.overall)]
    lines += [(said(title, name), scores) for title, _about, groups in _comparisons(report) for name, scores in groups]
    table = pd.DataFrame(
        {
            _("Products"): [name for name, _scores in lines],
            _("Rows"): [count(scores.rows) if scores else DASH for _name, scores in lines],
            **{
                title: [score(measure(scores, name)[0]) for _name, scores in lines]
                for title, name in (
                    (_("Weighted F1"), "weighted_f1"),
                    (_("Macro F1"), "macro_f1"),
                    (_("Accuracy"), "accuracy"),
                    (_("First three"), "top3_accuracy"),
                    ("ECE", "ece"),
                    ("AUROC", "auroc_of_confidence"),
                )
            },
        }
    )
    after = list(table.columns).index(_("Weighted F1")) + 1
    table.insert(after, _("95% interval"), [interval(measure(s, "weighted_f1")[1]) for _name, s in lines])
    st.dataframe(table, hide_index=True, width="stretch", height="content", key="card_grid_all", alt=_("All numbers"))


def input_groups(groups: Groups) -> Named:
    """Text alone, picture alone, both; in this order, those of no known name last."""
    return [(named(INPUTS, name), groups.get(name)) for name in [*INPUTS, *(set(groups) - set(INPUTS))]]


def length_name(start: int, end: int | None) -> str:
    """A range of lengths, in words."""
    if end is None:
        return _("{start} words and more").format(start=number(start))
    return _("{start} to {end} words").format(start=number(start), end=number(end))


def _comparisons(report: Report) -> list[tuple[str, str, Named]]:
    """Title, what it is, and the groups of each comparison."""
    languages = sorted(report.by_language.items(), key=lambda item: -((item[1] and item[1].rows) or 0))
    comparisons = [
        (
            _("By what the product has"),
            _("Products as they come: with a text, a picture, or both. These are not the same products."),
            input_groups(report.by_inputs),
        ),
        (
            _("The same products, read in three ways"),
            _("Products that have both: how well the text alone, the picture alone and the two together do."),
            input_groups(report.same_rows),
        ),
        (
            _("By language"),
            _language_of(report),
            [(tongue(code), scores) for code, scores in languages],
        ),
        (
            _("By length of the text"),
            _("Short texts say less."),
            [(length_name(length.start, length.end), length.scores) for length in report.by_length],
        ),
        (
            _("With and without description"),
            _("Many products have a designation only."),
            [(named(DESCRIPTIONS, name), scores) for name, scores in report.by_description.items()],
        ),
    ]
    if report.subsets:
        about = _("What else was measured apart, under the names that the report gives.")
        subsets = [(named({}, name), scores) for name, scores in report.subsets.items()]
        comparisons.append((_("Other subsets"), about, subsets))
    return comparisons


def _language_of(report: Report) -> str:
    by = report.about.get("language_by")
    return (
        _("The language of the text.")
        if by is None
        else _("The language of the text, as {by} estimates it.").format(by=told(by))
    )


def _bar(name: str, scores: Scores) -> Bar:
    value, ends = measure(scores, "weighted_f1")
    text = score(value) if ends is None else f"{score(value)} ({interval(ends)})"
    return Bar(f"{name} · {rows(scores.rows)}", min(1.0, max(0.0, value or 0.0)), text, first=True, interval=ends)
