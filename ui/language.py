"""The language of the page: translated strings, and numbers as that language writes them.

``from ui.language import _`` and write the string in English: ``_("Clear")``.
"""

import gettext as catalogues
from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from pathlib import Path

import streamlit as st
from babel.dates import UTC, format_date, format_time, format_timedelta, get_timezone
from babel.lists import format_list
from babel.numbers import format_decimal, format_percent

LANGUAGES = {"fr": "Français", "en": "English"}
DEFAULT = "fr"
DOMAIN = "rayon"
LOCALES = Path(__file__).with_name("locale")
STATE = "app_language"


def language() -> str:
    """The chosen language, else the browser's, else French."""
    chosen = st.session_state.get(STATE)
    return chosen if chosen in LANGUAGES else of_locale(st.context.locale)


def of_locale(locale: str | None) -> str:
    """The language for a browser's locale: English for those the page does not speak."""
    if not locale:
        return DEFAULT
    spoken = locale.replace("_", "-").split("-")[0].lower()
    return spoken if spoken in LANGUAGES else "en"


def render_language_choice() -> None:
    """The switch between the languages."""
    st.session_state.setdefault(STATE, language())
    st.segmented_control(
        "Langue / Language",
        list(LANGUAGES),
        format_func=LANGUAGES.__getitem__,
        key=STATE,
        required=True,
        label_visibility="collapsed",
        persist_state="session",
    )


def date_pattern() -> str:
    """How a field for a date writes it."""
    return "DD/MM/YYYY" if language() == "fr" else "YYYY/MM/DD"


def _(message: str) -> str:
    """The message in the language of the page."""
    return _catalogue(language()).gettext(message)


def in_language(spoken: str, message: str) -> str:
    """The message in one of `LANGUAGES`, where there is no page to ask."""
    return _catalogue(spoken).gettext(message)


def ngettext(singular: str, plural: str, n: int) -> str:
    """The form of the message that goes with ``n``."""
    return _catalogue(language()).ngettext(singular, plural, n)


def N_(message: str) -> str:
    """Marks a message that is translated where it is shown."""
    return message


@lru_cache(maxsize=len(LANGUAGES))
def _catalogue(spoken: str) -> catalogues.NullTranslations:
    return catalogues.translation(DOMAIN, LOCALES, [spoken])


def number(value: float, digits: int = 0) -> str:
    """``1,234.5`` or ``1 234,5``."""
    return format_decimal(value, f"#,##0{_decimals(digits)}", locale=language())


def signed(value: float, digits: int = 2) -> str:
    """As `number`, always with its sign."""
    pattern = f"#,##0{_decimals(digits)}"
    return format_decimal(value, f"+{pattern};−{pattern}", locale=language())


def percent(value: float, digits: int = 0) -> str:
    """``61%`` or ``61 %``."""
    space = "\u202f" if language() == "fr" else ""
    return format_percent(value, f"#,##0{_decimals(digits)}{space}%", locale=language())


def probability(value: float) -> str:
    """A percentage that never claims certainty: what would round to 0 or 100 % is written < or >."""
    if value < 0.0005:
        return f"<\u202f{percent(0.001, 1)}"
    if value > 0.9995:
        return f">\u202f{percent(0.999, 1)}"
    return percent(value, 1)


def points(value: float) -> str:
    """A difference of two probabilities, in percentage points."""
    if value > 0.9995:
        return ngettext("{n} point", "{n} points", 99).format(n=f">\u202f{number(99.9, 1)}")
    return ngettext("{n} point", "{n} points", round(100 * value)).format(n=number(100 * value, 1))


def listed(items: Sequence[str]) -> str:
    """``a, b and c``."""
    return format_list(list(items), locale=language())


def moment(value: datetime) -> str:
    """A date with its time, where the visitor is; in UTC, and saying so, when the browser does not tell."""
    zone = _zone()
    local = value.astimezone(zone or UTC)
    time = format_time(local, "short", tzinfo=zone or UTC, locale=language())
    return f"{format_date(local, 'medium', locale=language())}, {time}{'' if zone else ' UTC'}"


def day(value: datetime) -> str:
    """A date, where the visitor is."""
    return format_date(value.astimezone(_zone() or UTC), "long", locale=language())


def duration(seconds: float) -> str:
    """``3 minutes``, roughly."""
    return format_timedelta(timedelta(seconds=max(1, round(seconds))), threshold=1.5, locale=language())


def _zone() -> tzinfo | None:
    name = st.context.timezone
    try:
        return get_timezone(name) if name else None
    except LookupError:
        return None


def _decimals(digits: int) -> str:
    return "." + "0" * digits if digits else ""
