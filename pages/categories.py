"""The categories: codes, labels, what each covers, how common each is."""

import streamlit as st

from ui.categories import render_categories
from ui.entry import by_front_door
from ui.language import _
from ui.model import classifier_or_stop

by_front_door("pages/categories.py")
st.caption(_("Every product goes into exactly one of these categories."))
render_categories(classifier_or_stop().taxonomy, "categories")
