"""Front door: page configuration, language, navigation. Served by ``server.py``, which also keeps jobs going."""

import os
from pathlib import Path

import streamlit as st

# Set before TensorFlow is imported: its start-up notes are no news to a user.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from ui.browser import tell_language
from ui.entry import enter
from ui.language import _, language, render_language_choice
from ui.style import apply_style

ASSETS = Path(__file__).parent / "ui" / "assets"

st.set_page_config(page_title="Rayon", page_icon=str(ASSETS / "icon.png"), layout="wide")
apply_style()
tell_language(language())
st.logo(str(ASSETS / "logo.svg"), size="large")

page = st.navigation(
    [
        st.Page("pages/classify.py", title=_("Classify a product"), default=True),
        st.Page("pages/batch.py", title=_("Classify a file"), url_path="batch"),
        st.Page("pages/review.py", title=_("Review"), url_path="review"),
        st.Page("pages/categories.py", title=_("Categories"), url_path="categories"),
        st.Page("pages/model_card.py", title=_("The model"), url_path="model_card"),
    ],
    position="top",
)
enter()
with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", key="app_header"):
    st.title(page.title, anchor=False, width="content")
    render_language_choice()
page.run()
