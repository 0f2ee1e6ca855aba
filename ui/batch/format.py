"""How a table is read: what was found in the file, and what the analyst sets instead."""

from collections.abc import Callable, Sequence

import streamlit as st

from batch.jobs import Job
from preprocessing.table import DELIMITERS, ENCODINGS, TableError, TableFormat
from ui.batch.cached import sheet_names, table_format
from ui.batch.choice import choose
from ui.batch.names import KINDS, delimiter_name, encoding_name
from ui.language import _

_ENCODINGS = (*ENCODINGS, "utf-16-le", "utf-16-be")


def render_format(job: Job) -> TableFormat | TableError:
    """The boxes that set how the table is read, and the format that comes of them."""
    with st.spinner(_("Looking at the file…")):
        found = table_format(job)
    detected = found if isinstance(found, TableFormat) else None
    with st.container(horizontal=True):
        kind = _box(
            job, "kind", _("Kind of file"), list(KINDS), lambda kind: _(KINDS[kind]), detected and detected.kind
        )
        actual = kind or (detected.kind if detected else "text")
        same = detected if detected and detected.kind == actual else None
        encoding = delimiter = sheet = None
        if actual == "text":
            encoding = _box(job, "encoding", _("Encoding"), _ENCODINGS, encoding_name, same and same.encoding)
            nothing = _no_delimiter(same)
            delimiter = _box(
                job, "delimiter", _("Delimiter"), DELIMITERS, delimiter_name, same and same.delimiter, nothing
            )
        elif actual == "xlsx":
            sheet = _box(job, "sheet", _("Sheet"), sheet_names(job), str, same and same.sheet)
    if (kind, encoding, delimiter, sheet) == (None, None, None, None):
        return found
    with st.spinner(_("Looking at the file…")):
        return table_format(job, TableFormat(kind or "", encoding, delimiter, sheet))


def _box(
    job: Job,
    what: str,
    label: str,
    options: Sequence[str],
    name: Callable[[str], str],
    found: str | None,
    nothing: str | None = None,
) -> str | None:
    """What the analyst chose; None to go by the file. ``nothing``: the name of what was found, when that is None."""
    if found is not None:
        automatic = _("{value} (detected)").format(value=name(found))
    else:
        automatic = nothing or _("– not found: choose –")
    return choose(
        label,
        [None, *options],
        lambda option: automatic if option is None else name(option),
        key=f"batch_{what}_{job.id}",
    )


def _no_delimiter(found: TableFormat | None) -> str | None:
    if found is None or found.delimiter is not None:
        return None
    return _("{value} (detected)").format(value=delimiter_name(None))
