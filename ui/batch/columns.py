"""Which column says what: matched by name, to be changed by the analyst."""

from collections.abc import Sequence
from dataclasses import asdict

import streamlit as st

from batch.jobs import Job
from preprocessing.columns import ROLES, Columns, match_columns
from ui.batch.cached import signature
from ui.batch.choice import choose
from ui.batch.names import ROLE_NAMES, column_name
from ui.language import _


def render_columns(job: Job, header: Sequence[str]) -> Columns:
    """A box for each role, and the columns chosen in them."""
    matched = asdict(match_columns(header))
    helps = {
        "image": _("The name of the picture's file in the ZIP or folder."),
        "imageid": _("With the product's number, the name of the picture as in the challenge's files."),
        "id": _("Goes into the challenge's submission file."),
        "prdtypecode": _("Only to be compared with the model's answer; it does not sway it."),
    }
    chosen: dict[str, str | None] = {}
    grid = st.grid(4, min_column_width=200)
    options = [None, *header]
    for role in ROLES:
        # The same boxes for the same header, whatever is changed about the format.
        key = f"batch_column_{role}_{job.id}_{signature(header)}"
        with grid.cell():
            chosen[role] = choose(_(ROLE_NAMES[role]), options, column_name, key, matched[role], helps.get(role))
    return Columns(**chosen)


def names_picture(columns: Columns) -> bool:
    """Whether some column says which picture a row has."""
    return columns.image is not None or (columns.imageid is not None and columns.productid is not None)


def problem(columns: Columns, pictures: bool) -> str | None:
    """Why nothing could be classified with these columns."""
    if pictures and not names_picture(columns):
        return _("No column says which picture a row has: choose its file name, or both numbers, or use no pictures.")
    if columns.designation is None and columns.description is None and not pictures:
        return _("Choose the column with the designation, or one with a description.")
    return None
