"""The product on screen: picture and texts in one piece, so that they change together."""

import base64
import io
from contextlib import suppress
from html import escape

import streamlit as st

from decisions.errors import DecisionError
from decisions.items import Filter, Item
from decisions.store import DecisionStore
from model.reading import MAX_TEXT
from preprocessing.image import ImageError, picture
from ui.decide.errors import decision_message
from ui.decide.names import reason_name
from ui.image_errors import image_message
from ui.language import _, moment, number
from ui.review.desk import Open, turn
from ui.review.keys import PRODUCT
from ui.style import DIRECTION_MARKS

SIDE = 640
"""Sides of the picture, at most, in pixels."""
CUT = 280
"""Characters of a description that show without a click."""
_AHEAD = 3
_STYLE = """<style>
.rayon-product {overflow-wrap: anywhere;}
.rayon-product img, .rayon-product .none {display: flex; width: 100%; height: min(46vh, 400px); object-fit: contain;
  background: #fff; border-radius: .6rem; border: 1px solid color-mix(in srgb, currentColor 15%, transparent);}
.rayon-product .none {align-items: center; justify-content: center; height: 7rem; background: none;
  padding: 1rem; text-align: center; opacity: .75;}
.rayon-product h3 {font-size: 1.2rem; line-height: 1.3; font-weight: 650; margin: .8rem 0 .3rem; padding: 0;}
.rayon-product p, .rayon-product div {unicode-bidi: isolate; white-space: pre-wrap; margin: 0;}
.rayon-product details div {max-height: 20rem; overflow-y: auto; margin-top: .3rem;}
.rayon-product summary {cursor: pointer; font-size: .875rem; opacity: .8;}
.rayon-product small {display: block; opacity: .7; margin-top: .6rem;}
</style>"""


def render_product(store: DecisionStore, opened: Open) -> None:
    """Everything that the moderator goes by; text, never markup."""
    item = opened.item
    title = _plain(item.designation) or escape(_("No designation"))
    parts = [_picture(store, item), f"<h3 dir='auto'>{title}</h3>"]
    parts.append(_description(item.description))
    parts.append(f"<small>{escape(_origin(item))}</small>")
    st.html(f"{_STYLE}<div class='{PRODUCT}' id='review-{opened.token}-{turn()}'>{''.join(parts)}</div>")


def prepare_next(store: DecisionStore, where: Filter, person: str, shown: str, passed: list[str]) -> None:
    """Has the picture of the product that comes next at hand before it is asked for."""
    with suppress(DecisionError):  # said when that product is on screen
        ahead = [item for item in store.items(where, limit=_AHEAD, person=person) if item.key not in (shown, *passed)]
        for item in ahead[:1]:
            if item.picture is not None:
                _shown(item.picture, store)


def _picture(store: DecisionStore, item: Item) -> str:
    if item.picture is None:
        return _none(_("No picture"))
    try:
        found = _shown(item.picture, store)
    except DecisionError as error:
        return _none(decision_message(error).replace("\\", ""))
    if found is None:
        return _none(_("The picture was deleted."))
    if isinstance(found, ImageError):
        return _none(image_message(found))
    spoken = escape(_("The picture of this product"), quote=True)
    return f"<img src='{found}' alt='{spoken}'>"


def _none(why: str) -> str:
    """In the place of a picture."""
    return f"<div class='none'>{escape(why)}</div>"


@st.cache_data(scope="session", max_entries=24, ttl=3600, show_spinner=False)
def _shown(reference: str, _store: DecisionStore) -> str | ImageError | None:
    """A small JPEG as a data URI, which comes with the text and not after it; why not; None: purged."""
    data = _store.pictures.read(reference)
    if data is None:
        return None
    try:
        return data_uri(data, SIDE)
    except ImageError as error:
        return error


def data_uri(data: bytes, side: int) -> str:
    """A picture as a JPEG of at most ``side`` pixels a side, as a data URI; `ImageError`."""
    buffer = io.BytesIO()
    picture(data, side).save(buffer, "JPEG", quality=82)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _description(text: str | None) -> str:
    whole = (text or "").strip()
    if len(whole) <= CUT:
        return f"<p dir='auto'>{_plain(whole)}</p>"
    shown = whole if len(whole) <= MAX_TEXT else f"{whole[:MAX_TEXT]}…"
    cut = whole[:CUT].rsplit(maxsplit=1)[0]
    more = escape(_("Whole description"))
    return (
        f"<p dir='auto'>{_plain(cut)}…</p><details><summary>{more}</summary>"
        f"<div dir='auto'>{_plain(shown)}</div></details>"
    )


def _plain(text: str | None) -> str:
    return escape((text or "").translate(DIRECTION_MARKS))


def _origin(item: Item) -> str:
    parts = [reason_name(item.reason), moment(item.added_at)]
    if item.job_name:
        row = "" if item.row is None else _(", row {n}").format(n=number(item.row + 1))
        parts.append(f"{item.job_name[:SIDE]}{row}")
    parts.append(_("model {version}").format(version=item.model))
    return " · ".join(parts)
