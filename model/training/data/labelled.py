"""Data to train on or to answer, read by what it is: the challenge's folder, a table, exported decisions."""

from pathlib import Path

from model.decision_format import EXPORTED
from model.taxonomy import Taxonomy
from model.training.data.decisions import are_decisions, read_decisions
from model.training.data.errors import Problems
from model.training.data.examples import LabelledData, TestRow
from model.training.data.official import X_TEST, X_TRAIN, Y_TRAIN, held, is_official, read_official, read_official_test
from model.training.data.reading import columns_of
from model.training.data.table import read_table, read_unlabelled_table
from preprocessing.table import TableError


def read_labelled(
    path: Path, taxonomy: Taxonomy, leave_out_bad_rows: bool = False, images: Path | None = None
) -> LabelledData:
    """All that can be trained on, checked first; DataError says everything that is wrong.

    `path`: the folder of the challenge's files or of exported decisions, or a table (CSV, TSV, XLSX, Parquet), of
    decisions if its columns say so. `images`: where the pictures are, when they are not beside it.
    """
    path = _exported(path)
    _check(path, (X_TRAIN, Y_TRAIN))
    if path.is_dir():
        return read_official(path, taxonomy, leave_out_bad_rows, images)
    read = read_decisions if are_decisions(_columns(path)) else read_table
    return read(path, taxonomy, leave_out_bad_rows, images)


def read_unlabelled(path: Path, images: Path | None = None) -> list[TestRow]:
    """The rows to be answered, of the challenge's folder (X_test_update.csv) or of a table; DataError."""
    _check(path, (X_TEST,))
    return read_official_test(path, images) if path.is_dir() else read_unlabelled_table(path, images)


def _check(path: Path, files: tuple[str, ...]) -> None:
    """DataError for a path that is neither a file nor a folder of the challenge's files."""
    problems = Problems(path)
    if path.is_dir():
        if not is_official(path):
            problems.file("not_official", files=" nor ".join(files), held=held(path))
    elif not path.is_file():
        problems.file("not_found", place=path)
    problems.check()


def _exported(path: Path) -> Path:
    """The table in a folder of exported decisions; the path itself for anything else."""
    found = [path / name for name in EXPORTED if (path / name).is_file()]
    return found[0] if len(found) == 1 and not is_official(path) else path


def _columns(path: Path) -> tuple[str, ...]:
    """The columns of a table; none when it cannot be read, which whoever reads it whole will say."""
    try:
        return columns_of(path)
    except (TableError, OSError):
        return ()
