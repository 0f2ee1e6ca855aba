"""Where the model comes from: its data, the split, the recipe, licences and library versions."""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd
import streamlit as st

from ui.card.report import Report, amount, section, whole
from ui.card.words import BRANCHES, DASH, count, facts, named, plain, share, told, tongue, training
from ui.language import N_, _, listed, number, percent
from ui.style import literal

_LEFT_OUT = {
    "trained_on": N_("already trained on"),
    "no_picture": N_("picture missing"),
    "no_text": N_("without text"),
    "bad_rows": N_("rows that could not be read"),
    "not_decided": N_("not decided by a person"),
}
_FIRST_LANGUAGES = 8


def render_data(manifest: dict[str, Any], report: Report) -> None:
    """What it was trained on, how the rows were divided, what was left out."""
    found = training(manifest)
    split = section(found.get("split"))
    total = whole(found.get("rows"))
    st.subheader(_("Data"), anchor=False)
    facts(
        [
            (_("Trained on"), told(found.get("data"))),
            (_("Products"), count(total)),
            (_("With a picture"), _part(found.get("with_picture"), total)),
            (_("With a description"), _part(found.get("with_description"), total)),
            (_("Languages"), _languages(section(found.get("by_language")))),
            (_("Fingerprint of the data"), told(found.get("fingerprint"))),
            (_("Kept aside for the test"), _split(split)),
            (_("Fingerprint of the split"), told(split.get("fingerprint"))),
            (_("Left out of the training"), _left_out(found.get("left_out"))),
            (_("Measured on"), f"{told(report.data.get('name'))} ({count(report.data.get('rows'))})"),
            (_("Left out of the measurement"), _left_out(_unmeasured(report.data))),
        ],
        _("Data"),
        "data",
    )


def render_recipe(manifest: dict[str, Any]) -> None:
    """The numbers that the training was run with, under the names that the bundle gives them."""
    found = training(manifest)
    pairs = [
        *_flat("recipe", section(found.get("recipe"))),
        *_flat("fusion", section(found.get("fusion"))),
        *_flat("settings", section(manifest.get("settings"))),
    ]
    st.subheader(_("Recipe"), anchor=False)
    if not pairs:
        st.caption(DASH)
        return
    facts(pairs, _("Recipe"), "recipe")


def render_licences(manifest: dict[str, Any]) -> None:
    """The parts that others made, with their licences."""
    st.subheader(_("Parts and licences"), anchor=False)
    listed_parts = manifest.get("parts")
    parts = [section(part) for part in listed_parts] if isinstance(listed_parts, list) else []
    if not parts:
        st.caption(DASH)
        return
    table = pd.DataFrame(
        {
            _("Part"): [told(part.get("name")) for part in parts],
            _("Under licence"): [told(part.get("licence")) for part in parts],
            _("Used for"): [_role(part.get("role")) for part in parts],
        }
    )
    st.table(table, hide_index=True, border="horizontal", alt=_("Parts and licences"))


def render_versions(manifest: dict[str, Any]) -> None:
    """The libraries it was trained with."""
    st.subheader(_("Made with"), anchor=False)
    pairs = [(literal(str(name)), told(version)) for name, version in section(manifest.get("versions")).items()]
    if not pairs:
        st.caption(DASH)
        return
    facts(pairs, _("Made with"), "versions")


def _part(value: Any, total: int | None) -> str:
    found = whole(value)
    if found is None or not total:
        return count(value)
    return f"{number(found)} ({percent(found / total, 1)})"


def _languages(found: dict[str, Any]) -> str:
    counted = sorted(((whole(n) or 0, code) for code, n in found.items()), reverse=True)
    names = [f"{literal(tongue(str(code)))} ({number(n)})" for n, code in counted[:_FIRST_LANGUAGES]]
    return listed(names) if names else DASH


def _split(split: dict[str, Any]) -> str:
    if not split:
        return DASH
    return _("{test} of {rows} products ({share}), seed {seed}").format(
        test=count(split.get("test_rows")),
        rows=count(_sum(split.get("train_rows"), split.get("test_rows"))),
        share=share(amount(split.get("test_share"))),
        seed=plain(split.get("seed")),
    )


def _sum(*values: Any) -> int | None:
    found = [whole(value) for value in values]
    return None if None in found else sum(found)


def _unmeasured(data: Mapping[str, Any]) -> dict[str, Any] | None:
    """What was left out by rule, and what could not be read; None when neither is told."""
    told_of = [data.get(name) for name in ("left_out", "notices") if isinstance(data.get(name), dict)]
    return {name: n for counts in told_of for name, n in counts.items()} if told_of else None


def _left_out(value: Any) -> str:
    if not isinstance(value, dict):
        return DASH
    items = [f"{literal(named(_LEFT_OUT, str(name)))} ({count(n)})" for name, n in value.items() if n != 0]
    return listed(items) if items else _("nothing")


def _role(value: Any) -> str:
    return literal(named(BRANCHES, value)) if isinstance(value, str) else DASH


def _flat(name: str, found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in found.items():
        if isinstance(value, dict) and value:
            yield from _flat(f"{name}.{key}", value)
        else:
            yield literal(f"{name}.{key}"), plain(value)
