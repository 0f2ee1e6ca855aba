"""Whether what comes in still looks as it did, and how the queue and its agreement with the model are doing."""

import streamlit as st

from ui.entry import by_front_door
from ui.language import _
from ui.monitoring.page import render_monitoring

by_front_door("pages/monitoring.py")
st.caption(_("Does what is classified still look like what the model was measured on? And do people agree with it?"))
render_monitoring()
