"""How the page writes what the bundle says; a dash for what it does not say."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import streamlit as st
from babel.core import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import format_decimal

from ui.card.report import Interval, Scores, amount, section, whole
from ui.language import N_, _, language, ngettext, number, percent
from ui.style import literal

DASH = "–"
_SMALL = 0.001
# A fingerprint is one long word.
_WRAPPED = """<style>
[class*="st-key-card_facts_"] td * {overflow-wrap: anywhere !important;}
</style>"""
INPUTS = {"text": N_("Text alone"), "image": N_("Picture alone"), "both": N_("Text and picture")}
BRANCHES = {
    "lexical": N_("Words themselves"),
    "semantic": N_("Meaning of the text"),
    "image": N_("Picture"),
    "text": N_("Text: words and meaning"),
}
# What this program writes into bundles, listed so that translators see it.
KNOWN = (
    N_("open corpus: listings written for this project, no challenge data"),
    N_("listings of the open corpus, which the model was trained on or started from"),
    N_("the challenge's files"),
    N_("a labelled table"),
    N_("decisions of moderators"),
    N_("rows count so that categories have their published shares"),
    N_(
        "the recipe was chosen by trying variants on voices b, f, j and k, three of which are measured here: "
        "these numbers are optimistic even for listings written like these"
    ),
)
DESCRIPTIONS = {"with": N_("With a description"), "without": N_("Without description")}


def score(value: float | None) -> str:
    """A measure between 0 and 1 that is no percentage."""
    return DASH if value is None else number(value, 3)


def share(value: float | None) -> str:
    """A share, in percent."""
    return DASH if value is None else percent(value, 1)


def count(value: Any) -> str:
    """A number of things."""
    found = whole(value)
    return DASH if found is None else number(found)


def interval(ends: Interval | None, written: Callable[[float], str] = score) -> str:
    """From one end to the other."""
    return DASH if ends is None else f"{written(ends[0])} – {written(ends[1])}"


def measure(scores: Scores | None, name: str) -> tuple[float | None, Interval | None]:
    """A measure and its interval."""
    return (None, None) if scores is None else (scores.values.get(name), scores.intervals.get(name))


def rows(value: int | None) -> str:
    """A number of rows."""
    return DASH if value is None else ngettext("{n} row", "{n} rows", value).format(n=number(value))


def told(value: Any) -> str:
    """A text of the bundle, in the page's language where it is given in several; no Markdown."""
    if isinstance(value, dict):
        value = value.get(language()) or next(iter(value.values()), None)
    return literal(_(value)) if isinstance(value, str) and value.strip() else DASH


def plain(value: Any) -> str:
    """Any value of a manifest on one line; no Markdown."""
    if isinstance(value, bool) or value is None:
        return DASH if value is None else (_("yes") if value else _("no"))
    found = amount(value)
    if found is not None:
        pattern = "#,##0.####" if found == 0 or abs(found) >= _SMALL else "@@##"  # "@": significant digits
        return format_decimal(found, pattern, locale=language())
    if isinstance(value, list | tuple):
        return ", ".join(plain(item) for item in value) or DASH
    if isinstance(value, dict):
        return ", ".join(f"{literal(str(name))} {plain(item)}" for name, item in value.items()) or DASH
    return told(value)


def on_day(value: Any) -> str:
    """A date given as ``2026-11-23``."""
    try:
        return format_date(date.fromisoformat(value), "long", locale=language())
    except (TypeError, ValueError):
        return told(value)


def named(names: dict[str, str], name: str) -> str:
    """What a key of the report is called; the key itself when it has no name here."""
    return _(names[name]) if name in names else name.replace("_", " ")


def tongue(code: str) -> str:
    """The name of a language, by its code; the code when there is no such language."""
    if code == "unknown":
        return _("Unknown language")
    try:
        found = Locale.parse(code).get_language_name(language())
    except (ValueError, UnknownLocaleError):
        found = None
    return found.capitalize() if found else code


def facts(pairs: Sequence[tuple[str, str]], title: str, key: str) -> None:
    """Names and values, one line each. Values are Markdown."""
    table = {"name": [name for name, _value in pairs], "value": [value for _name, value in pairs]}
    st.html(_WRAPPED)
    with st.container(key=f"card_facts_{key}"):
        st.table(table, hide_index=True, hide_header=True, border="horizontal", alt=title)


def metric(title: str, value: str, below: str, help_: str | None = None) -> None:
    """A number with a line right under it."""
    with st.container(gap="xxsmall"):
        st.metric(title, value, help=help_)
        st.caption(below)


def training(manifest: dict[str, Any]) -> dict[str, Any]:
    """What the manifest says of the training."""
    return dict(section(manifest.get("training")))
