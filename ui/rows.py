"""Rows of a list: what each thing is to the left, what can be done with it to the right."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator


def row(key: str) -> DeltaGenerator:
    """The frame of one row."""
    return st.container(
        border=True, horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", key=key
    )
