"""The challenge's files as delivered: X and Y to train on, X to answer, pictures below images/."""

import re
from collections.abc import Sequence
from pathlib import Path

from model.taxonomy import Taxonomy
from model.training.data.errors import Problems, shown
from model.training.data.examples import Example, LabelledData, TestRow, labelled, text_of
from model.training.data.pictures import listed, official_name
from model.training.data.reading import Sheet, code_of, read_sheet, repeated

X_TRAIN, Y_TRAIN, X_TEST = "X_train_update.csv", "Y_train_CVw08PX.csv", "X_test_update.csv"
IMAGES, PACKED = "images", "images.zip"
_X_COLUMNS = ("id", "designation", "description", "productid", "imageid")
_Y_COLUMNS = ("id", "prdtypecode")
_NAMED = 8  # of what a folder holds
_PICTURE = re.compile(r"image_[0-9]+_product_[0-9]+\.jpg")


def is_official(folder: Path) -> bool:
    """Whether the folder holds one of the challenge's tables at least."""
    return any((folder / name).is_file() for name in (X_TRAIN, Y_TRAIN, X_TEST))


def read_official(
    folder: Path, taxonomy: Taxonomy, leave_out_bad_rows: bool = False, images: Path | None = None
) -> LabelledData:
    """The training rows in the order of X; `images` is where the pictures are if not below the folder. DataError."""
    problems = Problems(folder)
    x = _read(folder, X_TRAIN, _X_COLUMNS, problems)
    y = _read(folder, Y_TRAIN, _Y_COLUMNS, problems)
    names = _picture_names(x, problems) if x else []
    codes = _labels(y, taxonomy, problems) if y else {}
    bad = repeated(x.ids) if x else set()
    orphans = _join(x, y, problems) if x and y else 0
    pictures = _pictures(folder, "image_train", images, problems)
    problems.check(leave_out_bad_rows)
    rows = [
        Example(id_, codes[id_], text_of(designation), text_of(description), pictures.get(name))
        for id_, designation, description, name in zip(x.ids, *_texts(x), names, strict=True)
        if name is not None and id_ not in bad and codes.get(id_) is not None
    ]
    notices = {"bad_rows": len(x.ids) - len(rows) + orphans, "pictures_not_unpacked": _packed(folder, pictures)}
    return labelled(rows, "official", notices, problems)


def read_official_test(folder: Path, images: Path | None = None) -> list[TestRow]:
    """The rows to be answered, in the order of the file; DataError."""
    problems = Problems(folder)
    x = _read(folder, X_TEST, _X_COLUMNS, problems)
    names = _picture_names(x, problems) if x else []
    pictures = _pictures(folder, "image_test", images, problems)
    problems.check(rows_needed=True)
    rows = zip(x.ids, *_texts(x), names, strict=True)
    return [TestRow(id_, text_of(first), text_of(second), pictures.get(name)) for id_, first, second, name in rows]


def held(folder: Path) -> str:
    """What a folder holds, by name, as a message tells it."""
    names = sorted(path.name for path in folder.iterdir())
    more = [f"and {len(names) - _NAMED} more"] if len(names) > _NAMED else []
    return ", ".join([*map(shown, names[:_NAMED]), *more]) or "nothing"


def _read(folder: Path, name: str, needed: Sequence[str], problems: Problems) -> Sheet | None:
    if not (folder / name).is_file():
        problems.file("file_missing", file=name, held=held(folder))
        return None
    sheet = read_sheet(folder / name, problems, needed, official=True)
    if sheet:
        twice = repeated(sheet.ids)
        for position, id_ in enumerate(sheet.ids):
            if id_ in twice:
                problems.row("duplicate_id", sheet, position)
    return sheet


def _texts(x: Sheet) -> tuple[list[str], list[str]]:
    return x.cells["designation"], x.cells["description"]


def _picture_names(x: Sheet, problems: Problems) -> list[str | None]:
    """The file name of each row's picture; None for ids that are no numbers, and `problems` say so."""
    names = []
    for position, (imageid, productid) in enumerate(zip(x.cells["imageid"], x.cells["productid"], strict=True)):
        names.append(official_name(imageid, productid))
        if names[-1] is None:
            problems.row("picture_id", x, position, productid if official_name(imageid, "0") else imageid)
    return names


def _labels(y: Sheet, taxonomy: Taxonomy, problems: Problems) -> dict[str, int | None]:
    """The category of each id, None where it cannot be used: no category, or the id stands twice."""
    twice = repeated(y.ids)
    codes = {}
    for position, (id_, label) in enumerate(zip(y.ids, y.cells["prdtypecode"], strict=True)):
        code = code_of(y, position, label, taxonomy, problems)
        codes[id_] = None if id_ in twice else code
    return codes


def _join(x: Sheet, y: Sheet, problems: Problems) -> int:
    """Notes the ids that only one of the two has; how many labels have no row."""
    in_x, in_y = set(x.ids), set(y.ids)
    for position, id_ in enumerate(x.ids):
        if id_ not in in_y:
            problems.row("no_label", x, position, other=y.file)
    orphans = [position for position, id_ in enumerate(y.ids) if id_ not in in_x]
    for position in orphans:
        problems.row("no_row", y, position, other=x.file)
    return len(orphans)


def _pictures(folder: Path, part: str, images: Path | None, problems: Problems) -> dict[str, str]:
    """File name → path of the pictures: below images/<part>, or right in images/ when it has no such folder."""
    if images is not None and not images.is_dir():
        problems.file("images_missing", folder=images)
        return {}
    place = images or folder / IMAGES
    inner = place / part
    try:
        found = listed(inner if inner.is_dir() else place)
    except OSError as error:
        problems.file("unreadable", file=str(error.filename), error=error.strerror)
        return {}
    return {name: path for name, path in found.items() if _PICTURE.fullmatch(name)}


def _packed(folder: Path, pictures: dict[str, str]) -> int:
    """1 when there are pictures, but in an archive only."""
    return int(not pictures and (folder / PACKED).is_file())
