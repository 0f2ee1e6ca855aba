"""Front door: page configuration, language, navigation. Served by ``server.py``, which also keeps jobs going."""

import os
from pathlib import Path

import streamlit as st

# Set before TensorFlow is imported: its start-up notes are no news to a user.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from ui.browser import tell_language
from ui.entry import enter
from ui.language import _, language, render_language_choice
from ui.sign_in.door import let_in, render_visitor, shown
from ui.style import apply_style

ASSETS = Path(__file__).parent / "ui" / "assets"

st.set_page_config(page_title="Rayon", page_icon=str(ASSETS / "icon.png"), layout="wide")
apply_style()
tell_language(language())
st.logo(str(ASSETS / "logo.svg"), size="large")

titles = {
    "batch": _("Classify a file"),
    "review": _("Review"),
    "categories": _("Categories"),
    "model_card": _("The model"),
    "monitoring": _("Monitoring"),
    "admin": _("Administration"),
}
page = st.navigation(
    [
        st.Page(path := "pages/classify.py", title=_("Classify a product"), default=True, visibility=shown(path)),
        *(
            st.Page(path := f"pages/{name}.py", title=title, url_path=name, visibility=shown(path))
            for name, title in titles.items()
        ),
    ],
    position="top",
)
let_in()
enter()
with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", key="app_header"):
    st.title(page.title, anchor=False, width="content")
    with st.container(horizontal=True, vertical_alignment="center", width="content"):
        render_visitor()
        render_language_choice()
page.run()
