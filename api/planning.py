"""A table that was sent, read through, and what is to be done with it."""

from collections.abc import Mapping
from dataclasses import dataclass

from api.problems import Problem
from batch.jobs import Job, JobSpec
from batch.pictures import open_pictures
from batch.survey import Survey, survey
from model.bundle import read_manifest
from model.versions import active_bundle
from preprocessing.columns import Columns, match_columns
from preprocessing.table import Notice, TableFormat, detect, open_table


@dataclass(frozen=True, slots=True)
class JobOptions:
    """How a table is read; None for what is found in the file. ``columns``: by role."""

    kind: str | None
    encoding: str | None
    delimiter: str | None
    sheet: str | None
    columns: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Planned:
    """A job that may start, and what was accepted of its table but should be known."""

    job: Job
    notices: list[str]


def plan(job: Job, options: JobOptions) -> Planned:
    """Reads the draft's whole table and settles what is to be done; Problem, `InputError` or `BundleError`."""
    chosen = options.kind, options.encoding, options.delimiter, options.sheet
    format = detect(job.table, job.about["name"], *chosen)
    header = tuple(open_table(job.table, format).columns)
    columns = _columns(header, options.columns)
    pictures = str(job.pictures) if job.pictures.exists() else None
    _check(columns, pictures)
    seen = _surveyed(job, format, columns, pictures)
    bundle = active_bundle()
    spec = JobSpec(
        format=format,
        header=seen.header,
        columns=columns,
        rows=seen.rows,
        bundle=str(bundle),
        model=read_manifest(bundle)["version"],
        pictures=pictures,
    )
    job.plan(spec)
    return Planned(job, [_told(notice) for notice in seen.notices])


def _columns(header: tuple[str, ...], given: Mapping[str, str | None]) -> Columns:
    """Those that were named; by their names the others."""
    for role, name in given.items():
        if name is not None and name not in header:
            detail = f"The table has no column named as in {role}_column; it has {len(header)} columns."
            raise Problem(422, "column", detail)
    matched = match_columns(header)
    named = {role: name for role, name in given.items() if name is not None}
    # A column that was named for one thing is not taken for another by its name.
    rest = {role: None if getattr(matched, role) in named.values() else getattr(matched, role) for role in given}
    return Columns(**{**rest, **named})


def _check(columns: Columns, pictures: str | None) -> None:
    """Problem when nothing could be classified."""
    named = columns.image is not None or (columns.imageid is not None and columns.productid is not None)
    if pictures is not None and not named:
        detail = "No column says which picture a row has: name image_column, or imageid_column and productid_column."
        raise Problem(422, "no_picture_column", detail)
    if columns.designation is None and columns.description is None and pictures is None:
        detail = "No column holds a text: name designation_column or description_column."
        raise Problem(422, "no_text_column", detail)


def _surveyed(job: Job, format: TableFormat, columns: Columns, pictures: str | None) -> Survey:
    if pictures is None:
        return survey(job.table, format, columns)
    with open_pictures(pictures) as opened:
        return survey(job.table, format, columns, opened)


def _told(notice: Notice) -> str:
    """A notice in a few words, its numbers behind it."""
    facts = ", ".join(f"{name}: {value}" for name, value in notice.details.items() if name in ("line", "count"))
    words = notice.reason.replace("_", " ")
    return f"{words} ({facts})" if facts else words
