"""The moderators' queue: products that wait for a decision, and what the decisions taken come to."""

import streamlit as st

from ui.decide.access import store_or_stop
from ui.decide.person import asking, render_person
from ui.entry import by_front_door
from ui.language import _
from ui.review.desk import come_back
from ui.review.seat import take_seat
from ui.review.tabs import render_tabs

if by_front_door("pages/review.py"):
    come_back()
# On one line with the name, when that is known: what is to be decided on is not to begin far down.
head = st.container(horizontal=not asking(), horizontal_alignment="distribute", vertical_alignment="center")
head.caption(
    _("What the model is unsure of, one product after the other: a key for each answer, and a way back."),
    width="content",
)
store = store_or_stop()
take_seat(store)
with head:
    name = render_person("review")
render_tabs(store, name)
