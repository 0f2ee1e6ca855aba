"""The way to the page."""

from contextlib import suppress

import streamlit as st
from streamlit.errors import StreamlitAPIException

from ui.language import _

PAGE = "pages/model_card.py"


def link_to_card() -> None:
    """A link to what is known of the model."""
    with suppress(StreamlitAPIException):  # no front door: a page is run alone, as a test may do
        st.page_link(PAGE, label=_("What this model is, and how good"), icon=":material/info:")
