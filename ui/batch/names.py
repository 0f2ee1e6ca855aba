"""What things are called on the screen: formats, encodings, columns, categories, what became of a picture."""

from model.taxonomy import Taxonomy
from preprocessing.columns import ROLES
from ui.language import N_, _
from ui.result import full_name
from ui.style import DIRECTION_MARKS, literal

KINDS = {"text": N_("Text (CSV, TSV)"), "xlsx": N_("Workbook (XLSX)"), "parquet": "Parquet"}
ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-8-sig": N_("UTF-8 with BOM"),
    "cp1252": "cp1252 (Windows)",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16 LE",
    "utf-16-be": "UTF-16 BE",
}
DELIMITERS = {",": N_("comma ( , )"), ";": N_("semicolon ( ; )"), "\t": N_("tab"), "|": N_("bar ( | )")}
ONE_COLUMN = N_("none: a single column")
ROLE_NAMES = {
    "designation": N_("Designation"),
    "description": N_("Description"),
    "image": N_("Picture's file name"),
    "imageid": N_("Picture's number (imageid)"),
    "productid": N_("Product's number (productid)"),
    "id": N_("Row's identifier"),
    "prdtypecode": N_("Category already given"),
}
FATES = {
    "": N_("no picture named"),
    "used": N_("used"),
    "missing": N_("missing"),
    "ambiguous": N_("several of that name"),
    "too_large": N_("file too large"),
    "too_large_bytes": N_("file too large"),
    "too_compressed": N_("compressed like a bomb"),
    "encrypted": N_("behind a password"),
    "compression": N_("compressed in an unknown way"),
    "damaged": N_("damaged"),
    "unreadable": N_("could not be read"),
    "empty": N_("empty file"),
    "too_many_pixels": N_("too many pixels"),
    "not_an_image": N_("not an image"),
    "format_not_allowed": N_("format not accepted"),
}
"""What became of a row's picture, as parts of a result say it."""


LONGEST = 100
"""Characters of a name that are shown."""


def file_title(name: str) -> str:
    """The name of a file, as Markdown."""
    return literal(name if len(name) <= LONGEST else f"{name[:LONGEST]}…")


def column_name(name: str | None) -> str:
    """A column of the user's table; ``""`` has no name, None is no column."""
    if name is None:
        return _("– none –")
    shown = " ".join(name[: 2 * LONGEST].translate(DIRECTION_MARKS).split())
    return (shown if len(shown) <= LONGEST else f"{shown[:LONGEST]}…") or _("(column without a name)")


def delimiter_name(delimiter: str | None) -> str:
    """A delimiter in words."""
    return _(ONE_COLUMN) if delimiter is None else _(DELIMITERS.get(delimiter, delimiter))


def encoding_name(encoding: str | None) -> str:
    """An encoding as people know it."""
    return _(ENCODINGS.get(encoding or "", encoding or ""))


def category_name(taxonomy: Taxonomy, code: int) -> str:
    """Code and label; the code alone for a category that the model does not know."""
    return full_name(taxonomy[code]) if code in taxonomy.codes else str(code)


def fate_name(reason: str) -> str:
    """What became of a picture."""
    return _(FATES.get(reason, reason))


assert tuple(ROLE_NAMES) == ROLES
