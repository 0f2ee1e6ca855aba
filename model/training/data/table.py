"""A plain labelled table: CSV, TSV, XLSX or Parquet, its columns known by their names (`preprocessing.columns`)."""

from pathlib import Path

from model.taxonomy import Taxonomy
from model.training.data.errors import Problems
from model.training.data.examples import Example, LabelledData, TestRow, labelled, text_of
from model.training.data.pictures import OutsideError, PictureFolders, official_name
from model.training.data.reading import Sheet, code_of, read_sheet, repeated

_TEXTS = "designation or description"


def read_table(
    path: Path, taxonomy: Taxonomy, leave_out_bad_rows: bool = False, images: Path | None = None
) -> LabelledData:
    """The rows in the order of the table; DataError.

    A picture is named by its path from the table's folder, or from `images` (by default the folder of that name
    beside the table), or by the challenge's imageid and productid. It must lie below one of the two.
    """
    problems = Problems(path)
    sheet = read_sheet(path, problems, (_TEXTS, "prdtypecode"))
    finder = PictureFinder(path, images, problems)
    rows, bad = [], 0
    for position, id_ in enumerate(unique_ids(sheet, problems)) if sheet else ():
        code = code_of(sheet, position, sheet.cell("prdtypecode", position), taxonomy, problems)
        picture, usable = finder.find(sheet, position)
        if code is None or not usable or id_ is None:
            bad += 1
            continue
        rows.append(Example(id_, code, *texts(sheet, position), picture))
    problems.check(leave_out_bad_rows)
    return labelled(rows, "table", {"bad_rows": bad}, problems)


def read_unlabelled_table(path: Path, images: Path | None = None) -> list[TestRow]:
    """The rows to be answered; a label is neither needed nor read. DataError."""
    problems = Problems(path)
    sheet = read_sheet(path, problems, (_TEXTS,))
    finder = PictureFinder(path, images, problems)
    rows = []
    for position, id_ in enumerate(unique_ids(sheet, problems)) if sheet else ():
        rows.append(TestRow(id_ or "", *texts(sheet, position), finder.find(sheet, position)[0]))
    problems.check(rows_needed=True)
    return rows


class PictureFinder:
    """Finds the pictures that the rows of a table name."""

    def __init__(self, table: Path, images: Path | None, problems: Problems) -> None:
        if images is not None and not images.is_dir():
            problems.file("images_missing", folder=images)
        beside = images or table.parent / "images"
        self._folders = PictureFolders(table.parent, beside, beside / "image_train", beside / "image_test")
        self._place = f"the folder of {table.name}" + (f" and {images}" if images else "")
        self._problems = problems
        self._unreadable: set[str] = set()

    def find(self, sheet: Sheet, position: int) -> tuple[str | None, bool]:
        """The row's picture, None without; and whether the row can be used, and `problems` say why not."""
        name: str | None = sheet.cell("image", position)
        imageid, productid = sheet.cell("imageid", position), sheet.cell("productid", position)
        if "image" not in sheet.cells and imageid and productid:
            name = official_name(imageid, productid)
            if name is None:
                self._problems.row("picture_id", sheet, position, f"{imageid}, {productid}")
                return None, False
        return self._look(sheet, position, name) if name else (None, True)

    def _look(self, sheet: Sheet, position: int, name: str) -> tuple[str | None, bool]:
        try:
            return self._folders.find(name), True
        except OutsideError:
            self._problems.row("picture_outside", sheet, position, name, folder=self._place)
        except OSError as error:
            if error.filename not in self._unreadable:
                self._unreadable.add(error.filename)
                self._problems.file("unreadable", file=str(error.filename), error=error.strerror)
        return None, False


def unique_ids(sheet: Sheet, problems: Problems) -> list[str | None]:
    """The ids; None for those that stand more than once, and `problems` say so."""
    twice = repeated(sheet.ids)
    for position, id_ in enumerate(sheet.ids):
        if id_ in twice:
            problems.row("duplicate_id", sheet, position)
    return [None if id_ in twice else id_ for id_ in sheet.ids]


def texts(sheet: Sheet, position: int) -> tuple[str, str]:
    """Designation and description of a row."""
    return text_of(sheet.cell("designation", position)), text_of(sheet.cell("description", position))
