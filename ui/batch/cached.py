"""All caching of batches: of a draft for its session alone; of a result for whoever has shown that it is theirs."""

import base64
import hashlib
import io
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from itertools import islice
from pathlib import Path

import streamlit as st
from PIL import Image

from batch.jobs import Job
from batch.picture_errors import PictureSourceError
from batch.pictures import open_pictures
from batch.quality import Quality, quality
from batch.results import Results
from batch.survey import Survey, survey
from model.bundle import BundleError, read_taxonomy
from model.taxonomy import Taxonomy, default_taxonomy
from preprocessing.columns import Columns
from preprocessing.image import ImageError, picture
from preprocessing.table import TableError, TableFormat, detect, open_table, sheets

THUMBNAIL = 64
"""Sides of a small picture in a table, at most, in pixels."""
_PREVIEW = 20
_HOUR = 3600


@dataclass(frozen=True, slots=True)
class Head:
    """A table's first lines."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


# Errors are kept like answers: a large file would be read again for each of them otherwise.


def table_format(job: Job, chosen: TableFormat | None = None) -> TableFormat | TableError:
    """How the job's table is read: as ``chosen``, where that says something, else as found in the file."""
    wanted = (None, None, None, None) if chosen is None else astuple(chosen)
    return _table_format(job.id, wanted, job.table, job.about["name"])


@st.cache_data(scope="session", max_entries=32, show_spinner=False)
def _table_format(identity: str, wanted: tuple[str | None, ...], _path: Path, _name: str) -> TableFormat | TableError:
    try:
        return detect(_path, _name, *wanted)
    except TableError as error:
        return error


def sheet_names(job: Job) -> list[str]:
    """The sheets of a workbook; none for anything else."""
    return _sheet_names(job.id, job.table)


@st.cache_data(scope="session", max_entries=8, show_spinner=False)
def _sheet_names(identity: str, _path: Path) -> list[str]:
    try:
        return sheets(_path)
    except TableError:  # said where the table is read
        return []


def table_head(job: Job, format: TableFormat) -> Head | TableError:
    """The names of the columns and some rows."""
    return _table_head(job.id, astuple(format), job.table, format)


@st.cache_data(scope="session", max_entries=8, show_spinner=False)
def _table_head(identity: str, key: tuple, _path: Path, _format: TableFormat) -> Head | TableError:
    try:
        table = open_table(_path, _format)
        rows = tuple(tuple(row) for row in islice(table, _PREVIEW))
        return Head(tuple(table.columns), rows)
    except TableError as error:
        return error


def surveyed(
    job: Job, format: TableFormat, columns: Columns, pictures: str | None
) -> Survey | TableError | PictureSourceError:
    """What is in the whole table, with the pictures of a place; or why it cannot be used."""
    changed = job.pictures.stat().st_mtime_ns if pictures == str(job.pictures) else 0
    key = (job.id, astuple(format), astuple(columns), pictures, changed)
    return _surveyed(key, job.table, format, columns)


@st.cache_data(scope="session", max_entries=8, show_spinner=False)
def _surveyed(
    key: tuple, _path: Path, _format: TableFormat, _columns: Columns
) -> Survey | TableError | PictureSourceError:
    place = key[3]
    try:
        if place is None:
            return survey(_path, _format, _columns)
        with open_pictures(place) as pictures:
            return survey(_path, _format, _columns, pictures)
    except (TableError, PictureSourceError) as error:
        return error


def results(job: Job) -> Results:
    """The result of a finished job, which the caller has found to be the visitor's."""
    return _results((job.id, str(job.state().ended)), job)


@st.cache_resource(max_entries=4, ttl=_HOUR, show_spinner=False)
def _results(key: tuple[str, str], _job: Job) -> Results:
    return Results(_job)


def measured(found: Results) -> Quality:
    """The result against the given categories; ValueError when its model had other categories than today's."""
    return _measured(found.job.id, found)


@st.cache_resource(max_entries=4, ttl=_HOUR, show_spinner=False)
def _measured(identity: str, _found: Results) -> Quality:
    return quality(_found.labels, _found.codes[:, 0], taxonomy(_found.spec.bundle), _found.confidence)


@st.cache_resource(max_entries=4, show_spinner=False)
def taxonomy(bundle: str) -> Taxonomy:
    """The categories of a model; the usual ones when the model is not there any more."""
    try:
        return read_taxonomy(Path(bundle))
    except BundleError:
        return default_taxonomy()


def thumbnails(found: Results, rows: Sequence[int], cells: Sequence[Sequence[str]]) -> list[str | None]:
    """A small picture of each row as a data URI; None where there is none to show."""
    return [_thumbnail((found.job.id, int(row)), found, members) for row, members in zip(rows, cells, strict=True)]


@st.cache_data(scope="session", max_entries=400, show_spinner=False)
def _thumbnail(key: tuple[str, int], _found: Results, _cells: Sequence[str]) -> str | None:
    data = _found.image(_cells)
    try:
        shown = None if data is None else picture(data)
    except ImageError:  # the table says why
        return None
    if shown is None:
        return None
    shown.thumbnail((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    shown.convert("RGB").save(buffer, "JPEG", quality=80)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def signature(*parts: object) -> str:
    """A short name for some values, to be part of a widget's key."""
    return hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()[:12]
