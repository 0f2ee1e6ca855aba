"""Where the visitor's days begin."""

from contextlib import suppress
from zoneinfo import ZoneInfo

import streamlit as st


def zone() -> ZoneInfo:
    """The browser's time zone; UTC when there is no such zone, or none is told."""
    with suppress(KeyError, ValueError, OSError):
        return ZoneInfo(st.context.timezone or "UTC")
    return ZoneInfo("UTC")
