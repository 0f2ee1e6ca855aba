"""A table before it is classified: how it is read, what its columns say, its pictures, what is in it."""

import pandas as pd
import streamlit as st

from batch.jobs import Job, JobSpec
from batch.picture_errors import PictureSourceError
from batch.survey import Survey
from model.bundle import BundleError, read_manifest
from model.versions import active_bundle
from preprocessing.columns import Columns
from preprocessing.table import TableError, TableFormat
from ui.batch.cached import Head, surveyed, table_head
from ui.batch.columns import names_picture, problem, render_columns
from ui.batch.format import render_format
from ui.batch.messages import notice_message, source_message, table_message
from ui.batch.names import column_name
from ui.batch.pictures import render_pictures
from ui.language import _, ngettext, number

_SHOWN_CHARACTERS = 200
"""Of a cell in the preview: a whole description would only be sent to be cut off."""


def render_draft(job: Job) -> None:
    """The steps up to the button that starts the work."""
    with st.container(border=True):
        st.subheader(_("1. How the file is read"), anchor=False)
        format = render_format(job)
        head = format if isinstance(format, TableError) else table_head(job, format)
        if isinstance(head, TableError):
            st.error(table_message(head))
            return
        _render_preview(head)
    with st.container(border=True):
        st.subheader(_("2. What the columns say"), anchor=False)
        columns = render_columns(job, head.header)
    with st.container(border=True):
        st.subheader(_("3. Pictures (optional)"), anchor=False)
        complete, pictures = render_pictures(job)
    with st.container(border=True):
        st.subheader(_("4. What is in the file"), anchor=False)
        if not complete:
            st.info(_("Choose the pictures first."))
        elif (wrong := problem(columns, pictures is not None)) is not None:
            st.error(wrong)
        else:
            _render_survey(job, format, columns, pictures)


def _render_preview(head: Head) -> None:
    # Numbered columns below the names: a table of Streamlit's drops one of two alike, and "" has no place in it.
    names = {str(i): column_name(name) for i, name in enumerate(head.header)}
    cells = [[cell[:_SHOWN_CHARACTERS] for cell in row] for row in head.rows]
    table = pd.DataFrame(cells, columns=list(names))
    configured = {place: st.column_config.TextColumn(name) for place, name in names.items()}
    st.dataframe(
        table,
        hide_index=True,
        height=250,
        column_config=configured,
        key="batch_grid_preview",
        alt=_("The first rows of the file"),
    )


def _render_survey(job: Job, format: TableFormat, columns: Columns, pictures: str | None) -> None:
    with st.spinner(_("Reading the whole file…")):
        seen = surveyed(job, format, columns, pictures)
    if isinstance(seen, TableError):
        st.error(table_message(seen))
        return
    if isinstance(seen, PictureSourceError):
        st.error(source_message(seen))
        return
    for notice in seen.notices:
        st.warning(notice_message(notice))
    render_counts(seen, pictures is not None, columns.prdtypecode is not None)
    if pictures is None and names_picture(columns):
        st.caption(_("The file names pictures, but there are none here: only the texts will be read."))
    _render_start(job, seen, format, columns, pictures)


def render_counts(seen: Survey, pictures: bool, labelled: bool) -> None:
    """What the rows hold, in numbers."""
    counts = [(_("Rows"), seen.rows, None)]
    if pictures:
        counts += [
            (_("Text and picture"), seen.both, None),
            (_("Text only"), seen.text_only, None),
            (_("Picture only"), seen.picture_only, None),
        ]
    else:
        counts.append((_("With text"), seen.text_only, None))
    nothing = _("They are answered by how common each category is.")
    counts.append((_("Nothing to read"), seen.neither, nothing))
    if pictures:
        missing = _("Named in the file, but not found among the pictures, or found more than once.")
        counts.append((_("Pictures missing"), seen.missing, missing))
    if labelled:
        counts.append((_("Category given"), seen.labelled, None))
    grid = st.grid(len(counts), min_column_width=140)
    for label, count, note in counts:
        with grid.cell():
            st.metric(label, number(count), help=note)


def _render_start(job: Job, seen: Survey, format: TableFormat, columns: Columns, pictures: str | None) -> None:
    try:
        bundle = active_bundle()
        version = read_manifest(bundle)["version"]
    except BundleError as error:
        st.error(_("**The model cannot be used, so nothing can be classified.** Tell whoever runs this server:"))
        st.code(str(error), language=None, wrap_lines=True)
        return
    spec = JobSpec(
        format=format,
        header=seen.header,
        columns=columns,
        rows=seen.rows,
        bundle=str(bundle),
        model=version,
        pictures=pictures,
    )
    label = ngettext("Classify {n} row", "Classify {n} rows", seen.rows).format(n=number(seen.rows))
    st.button(label, key=f"batch_start_{job.id}", type="primary", on_click=_start, args=(job, spec))
    st.caption(_("Once it has started, you may close this page: the work goes on."))


def _start(job: Job, spec: JobSpec) -> None:
    if job.spec is None:  # a second click
        job.plan(spec)
        job.start()
