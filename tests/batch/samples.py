"""Made-up tables and jobs for the tests of batches."""

import csv
import io
from pathlib import Path
from zipfile import ZipFile

from batch.jobs import Job, JobSpec
from batch.pictures import open_pictures
from batch.store import JobStore
from batch.survey import survey
from model.bundle import read_manifest
from preprocessing.columns import match_columns
from preprocessing.table import detect, open_table
from settings import ROOT, SHIPPED_BUNDLE
from tests.model.samples import CLEAR

LAMP = (ROOT / "ui" / "gallery" / "lamp.png").read_bytes()
HEADER = ["", "designation", "description", "productid", "imageid", "prdtypecode"]


def official_rows(rows: int) -> list[list[str]]:
    """Rows in the challenge's layout whose designations are clear, with their categories; every third is described."""
    clear = list(CLEAR.items())
    return [
        [str(i), f"{clear[i % len(clear)][0]} {i}", "Neuf.<br />" if i % 3 == 0 else "", f"00{i}", str(1000 + i),
         str(clear[i % len(clear)][1])]
        for i in range(rows)
    ]  # fmt: skip


def table_bytes(rows: list[list[str]], header: list[str] = HEADER, delimiter: str = ",", encoding="utf-8") -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=delimiter).writerows([header, *rows])
    return buffer.getvalue().encode(encoding)


def pictures_zip(path: Path, names: dict[str, bytes]) -> Path:
    with ZipFile(path, "w") as archive:
        for name, data in names.items():
            archive.writestr(name, data)
    return path


def official_names(rows: list[list[str]]) -> list[str]:
    return [f"image_{row[4]}_product_{row[3]}.jpg" for row in rows]


def planned(home: Path, listings: list[list[str]], pictures: Path | None = None, owner: str = "me", **changes) -> Job:
    """A job of these rows, ready to start."""
    job = JobStore(home).draft("produits.csv", io.BytesIO(table_bytes(listings)), owner)
    format = detect(job.table, "produits.csv")
    columns = match_columns(open_table(job.table, format).columns)
    seen = survey(job.table, format, columns, None if pictures is None else open_pictures(str(pictures)))
    bundle = SHIPPED_BUNDLE
    values = {
        "format": format,
        "header": seen.header,
        "columns": columns,
        "rows": seen.rows,
        "bundle": str(bundle),
        "model": read_manifest(bundle)["version"],
        "pictures": None if pictures is None else str(pictures),
    }
    job.plan(JobSpec(**{**values, **changes}))
    return job


def cells(job: Job) -> list[list[str]]:
    """The original cells of all rows, in the order of the result."""
    names = [f"c{i}" for i in range(len(job.spec.header))]
    found = []
    for part in job.parts.all(names):
        found += [list(row) for row in zip(*(part[name].to_pylist() for name in names), strict=True)]
    return found
