"""Two models side by side, as the reports in their folders have them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from model.bundle_files import BundleError, parse_json, read_listed, read_manifest
from model.taxonomy import Taxonomy
from model.versions import InstalledModel
from ui.batch.cached import taxonomy
from ui.batch.names import category_name
from ui.card.charts import reliability_chart
from ui.card.report import Report, read_report, section, whole
from ui.card.words import DASH, count, interval, measure, on_day, rows, score, share, told, tongue, training
from ui.language import N_, _, listed, number, percent, signed
from ui.style import literal

_MEASURES = (
    ("accuracy", N_("Accuracy"), share),
    ("top3_accuracy", N_("Among the first three"), share),
    ("weighted_f1", N_("Weighted F1"), score),
    ("macro_f1", N_("Macro F1"), score),
    ("ece", N_("Calibration error (ECE)"), score),
    ("auroc_of_confidence", N_("AUROC of confidence"), score),
)
_LANGUAGES = 5


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two."""

    version: str
    manifest: dict[str, Any]
    report: Report
    taxonomy: Taxonomy


def render_comparison(active: InstalledModel, other: InstalledModel) -> None:
    """The active model and another: what each is, how good, by category, how well calibrated."""
    with st.container(border=True, key="admin_comparison"):
        st.subheader(_("Side by side"), anchor=False)
        sides = [_side(model) for model in (active, other)]
        if None in sides:
            return
        _render_caution(*sides)
        _render_facts(*sides)
        _render_measures(*sides)
        _render_categories(*sides)
        _render_calibration(sides)


def _side(model: InstalledModel) -> Side | None:
    try:
        manifest = read_manifest(model.path)
        raw = None
        if "metrics.json" in manifest["files"]:
            raw = parse_json(read_listed(model.path, manifest, "metrics.json"), "metrics.json")
        return Side(model.version, manifest, read_report(raw), taxonomy(str(model.path)))
    except BundleError as error:
        st.error(_("**{version} cannot be compared:**").format(version=literal(model.version)))
        st.code(str(error), language=None, wrap_lines=True)
        return None


def _render_caution(active: Side, other: Side) -> None:
    unmeasured = [literal(side.version) for side in (active, other) if not side.report.readable]
    if unmeasured:
        st.warning(_("No numbers are known of {versions}.").format(versions=listed(unmeasured)))
        return
    same = [[side.report.data.get(name) for name in ("name", "rows", "fingerprint")] for side in (active, other)]
    if same[0] != same[1]:
        st.warning(
            _(
                "**The two were not measured on the same products**, so differences between their numbers may come "
                "from the products. `python -m model evaluate` measures both on the same ones."
            )
        )


def _render_facts(active: Side, other: Side) -> None:
    names = {
        _("Made on"): lambda side: on_day(side.manifest.get("created")),
        _("Trained on"): lambda side: told(training(side.manifest).get("data")),
        _("Products"): lambda side: count(training(side.manifest).get("rows")),
        _("Languages"): lambda side: _languages(section(training(side.manifest).get("by_language"))),
        _("Categories"): lambda side: number(len(side.taxonomy.codes)),
        _("Measured on"): lambda side: f"{told(side.report.data.get('name'))}, {rows(side.report.overall.rows)}",
    }
    table = {"": list(names)}
    for title, side in zip(_titles(active, other), (active, other), strict=True):
        table[title] = [write(side) for write in names.values()]
    st.table(pd.DataFrame(table), hide_index=True, border="horizontal", alt=_("What each is"))


def _render_measures(active: Side, other: Side) -> None:
    table: dict[str, list[str]] = {_("Measure"): [_(title) for _name, title, _written in _MEASURES]}
    for title, side in zip(_titles(active, other), (active, other), strict=True):
        table[title] = [_measured(side, name, written) for name, _title, written in _MEASURES]
    table[_("Difference")] = [_difference(active, other, name, written) for name, _title, written in _MEASURES]
    st.table(pd.DataFrame(table), hide_index=True, border="horizontal", alt=_("Measures of both"))
    st.caption(_("In brackets, the 95% interval. Of the calibration error less is better, of the others more."))


def _render_categories(active: Side, other: Side) -> None:
    ours, theirs = ({one.code: one for one in side.report.categories} for side in (active, other))
    codes = [*ours, *(code for code in theirs if code not in ours)]
    if not codes:
        return
    f1 = np.array([[_f1(side.get(code)) for code in codes] for side in (ours, theirs)])
    labels = [category_name(active.taxonomy if code in ours else other.taxonomy, code) for code in codes]
    table = pd.DataFrame(
        {"name": labels, "active": f1[0].round(3), "other": f1[1].round(3), "change": (f1[1] - f1[0]).round(3)}
    ).sort_values("change", kind="stable", na_position="last")
    number_ = st.column_config.NumberColumn
    columns = {
        "name": st.column_config.TextColumn(_("Category"), width=330),
        "active": number_(_("F1, active"), format="localized", width=130),
        "other": number_(_("F1, other"), format="localized", width=130),
        "change": number_(_("Difference"), format="localized", width=130),
    }
    st.markdown(_("**F1 of each category**, the largest loss first"))
    with st.container(key="admin_grid_categories"):
        st.dataframe(
            table, hide_index=True, width="stretch", height=320, column_config=columns, placeholder=DASH,
            alt=_("F1 of each category"),
        )  # fmt: skip


def _render_calibration(sides: list[Side]) -> None:
    if not any(side.report.reliability for side in sides):
        return
    title = _("Are the probabilities true?")
    st.markdown(f"**{title}**")
    grid = st.grid(2, min_column_width=340)
    for title, side in zip(_titles(*sides), sides, strict=True):
        with grid.cell():
            st.caption(title)
            if side.report.reliability:
                spoken = _("Confidence and accuracy lie {ece} apart on average (ECE; 0 is best).")
                spoken = spoken.format(ece=score(side.report.overall.values.get("ece")))
                st.altair_chart(
                    reliability_chart(side.report.reliability), alt=spoken, key=f"admin_chart_{side.version}"
                )
            else:
                st.markdown(DASH)


def _titles(active: Side, other: Side) -> tuple[str, str]:
    names = literal(active.version), literal(other.version)
    if active.version == other.version:
        names = names[0], f"{names[1]} (2)"
    return _("Active: {version}").format(version=names[0]), _("Other: {version}").format(version=names[1])


def _measured(side: Side, name: str, written: Any) -> str:
    value, ends = measure(side.report.overall, name)
    return written(value) if ends is None else f"{written(value)} ({interval(ends, written)})"


def _difference(active: Side, other: Side, name: str, written: Any) -> str:
    before, after = (measure(side.report.overall, name)[0] for side in (active, other))
    if before is None or after is None:
        return DASH
    return (
        _("{n} points").format(n=signed(100 * (after - before), 1)) if written is share else signed(after - before, 3)
    )


def _languages(found: Any) -> str:
    counts = sorted(((whole(n) or 0, code) for code, n in found.items()), reverse=True)
    total = sum(n for n, _code in counts)
    names = [f"{literal(tongue(str(code)))} ({percent(n / total)})" for n, code in counts[:_LANGUAGES] if total and n]
    return listed(names) if names else DASH


def _f1(found: Any) -> float:
    return np.nan if found is None or found.f1 is None else found.f1
