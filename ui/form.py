"""The form: picture, designation, description. What is typed or sent survives page changes."""

import streamlit as st
from PIL import Image, ImageOps

from model.product import Product
from preprocessing.image import ImageError
from ui.browser import accept_paste
from ui.gallery import EXAMPLES, Example
from ui.language import _
from ui.model import shown_picture
from ui.style import upload_words

THUMBNAIL = 150
"""Width of the picture beside the form, in pixels."""
MAX_MB = 60
"""Above the 20 MB that a picture may have: up to here the page itself says so, in the user's language."""


def render_form(prefix: str) -> Product:
    """The form, and the product that stands in it."""
    _render_picture(prefix)
    st.text_input(
        _("Designation"),
        key=f"{prefix}_designation",
        placeholder=_("What the seller calls it"),
        live="350ms",
        autocomplete="off",
        persist_state="session",
    )
    st.text_area(
        _("Description (optional)"),
        key=f"{prefix}_description",
        placeholder=_("Read once you leave the field"),
        height=110,
        persist_state="session",
    )
    with st.container(horizontal=True):
        st.button(_("Clear"), key=f"{prefix}_clear", on_click=_clear, args=(prefix,))
        if current_product(prefix) != Product():
            examples = st.popover(_("Try an example"), key=f"{prefix}_examples", on_change="rerun")
            if examples.open:
                with examples:
                    render_gallery(prefix, key=f"{prefix}_again")
    return current_product(prefix)


def render_gallery(prefix: str, key: str) -> None:
    """Examples that fill the form ``prefix`` with one click. ``key``: for a second gallery on a page."""
    grid = st.grid(4, min_column_width=110)
    for example in EXAMPLES:
        with grid.cell():
            st.image(example.image, width="stretch", alt=_(example.alt))
            st.button(
                _(example.title),
                key=f"{key}_example_{example.name}",
                help=example.designation,
                width="stretch",
                on_click=_fill,
                args=(prefix, example),
            )


def current_product(prefix: str) -> Product:
    """The product in the form; `Product()` when it is empty."""
    state = st.session_state
    return Product(
        designation=state.get(f"{prefix}_designation", "").strip() or None,
        description=state.get(f"{prefix}_description", "").strip() or None,
        image=state.get(f"{prefix}_image"),
    )


def _render_picture(prefix: str) -> None:
    image = st.session_state.get(f"{prefix}_image")
    zone = f"{prefix}_upload_zone"
    with st.container(key=zone):
        # A fresh field after each picture: its bytes live in the session, where no page change loses them.
        round_ = st.session_state.setdefault(f"{prefix}_upload_round", 0)
        st.file_uploader(
            _("Picture") if image is None else _("Another picture"),
            key=f"{prefix}_upload_{round_}",
            max_upload_size=MAX_MB,
            on_change=_keep_upload,
            args=(prefix, round_),
        )
    upload_words(zone, _("Drop or paste a picture (Ctrl+V)"))
    accept_paste(zone)
    if image is None:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        try:
            st.image(_thumbnail(shown_picture(image)), width=THUMBNAIL, alt=_("The picture to classify"))
        except ImageError:
            st.badge(_("This picture cannot be read"), color="red")
        st.button(_("Remove the picture"), key=f"{prefix}_remove", on_click=_remove_picture, args=(prefix,))


def _thumbnail(picture: Image.Image) -> Image.Image:
    """The picture, on white when it is so wide that Streamlit would scale its height to nothing."""
    if picture.height * THUMBNAIL >= picture.width:
        return picture
    return ImageOps.pad(picture, (picture.width, picture.width // THUMBNAIL + 1), color="white")


def _keep_upload(prefix: str, round_: int) -> None:
    uploaded = st.session_state.get(f"{prefix}_upload_{round_}")
    if uploaded is not None:
        st.session_state[f"{prefix}_image"] = uploaded.getvalue()
        st.session_state[f"{prefix}_upload_round"] = round_ + 1


def _remove_picture(prefix: str) -> None:
    st.session_state[f"{prefix}_image"] = None


def _fill(prefix: str, example: Example) -> None:
    st.session_state[f"{prefix}_designation"] = example.designation
    st.session_state[f"{prefix}_description"] = example.description
    st.session_state[f"{prefix}_image"] = example.image
    st.session_state[f"{prefix}_examples"] = False


def _clear(prefix: str) -> None:
    st.session_state[f"{prefix}_designation"] = ""
    st.session_state[f"{prefix}_description"] = ""
    _remove_picture(prefix)
