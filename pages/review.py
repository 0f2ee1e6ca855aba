"""The moderators' queue: products that wait for a decision, and what the decisions taken come to."""

import streamlit as st

from ui.decide.access import store_or_stop
from ui.decide.person import render_person
from ui.entry import by_front_door
from ui.language import _
from ui.review.desk import come_back
from ui.review.seat import take_seat
from ui.review.tabs import render_tabs

if by_front_door("pages/review.py"):
    come_back()
st.caption(_("What the model is unsure of, one product after the other: a key for each answer, and a way back."))
store = store_or_stop()
take_seat(store)
render_tabs(store, render_person("review"))
