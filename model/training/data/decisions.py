"""What moderators decided (`model.decision_format`), as rows to train on."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from model.decision_format import COLUMNS, DECISIONS
from model.taxonomy import Taxonomy
from model.training.data.errors import Problems
from model.training.data.examples import Example, LabelledData, labelled
from model.training.data.reading import Sheet, code_of, read_sheet
from model.training.data.table import PictureFinder, texts

_CATEGORY = frozenset({"accepted", "corrected"})  # those that name one
_TELLING = frozenset({"product", "decision", "code"})
_NEEDED = ("product", "designation", "description", "decision", "code", "decided_at")


def are_decisions(columns: Iterable[str]) -> bool:
    """Whether a table of these columns holds decisions."""
    return set(columns) >= _TELLING


def read_decisions(
    path: Path, taxonomy: Taxonomy, leave_out_bad_rows: bool = False, images: Path | None = None
) -> LabelledData:
    """A row for each product with a category decided, its id the content hash, in the order of the table; DataError.

    A row that cannot be read takes all of its product with it: it may have been the one that counts.
    """
    problems = Problems(path)
    sheet = read_sheet(path, problems, _NEEDED, _by_name)
    finder = PictureFinder(path, images, problems)
    rows, bad, undecided = [], 0, 0
    for product, positions in _by_product(sheet).items() if sheet else ():
        moments = [_moment(sheet, position, problems) for position in positions]
        if not product or None in moments:
            bad += len(positions)
            continue
        last = _last(sheet, [position for _, position in sorted(zip(moments, positions, strict=True))])
        if last is None:
            undecided += 1
            continue
        code = code_of(sheet, last, sheet.cells["code"][last], taxonomy, problems)
        picture, usable = finder.find(sheet, last)
        if code is None or not usable:
            bad += len(positions)
        else:
            rows.append(Example(product, code, *texts(sheet, last), picture))
    problems.check(leave_out_bad_rows)
    notices = {"bad_rows": bad, "not_decided": undecided}
    return labelled(rows, "decisions", notices, problems)


def _by_name(names: Sequence[str]) -> dict[str, str]:
    """The columns by their own name; the product is what makes a row's id in messages."""
    found = {name.strip(): name for name in names if name.strip() in COLUMNS}
    return found | ({"id": found["product"]} if "product" in found else {})


def _by_product(sheet: Sheet) -> dict[str, list[int]]:
    """Positions of each product's rows."""
    positions: dict[str, list[int]] = {}
    for position, product in enumerate(sheet.cells["product"]):
        positions.setdefault(product, []).append(position)
    return positions


def _moment(sheet: Sheet, position: int, problems: Problems) -> datetime | None:
    """When a decision was taken; None for a row that cannot be used, and `problems` say why."""
    decision, written = sheet.cells["decision"][position], sheet.cells["decided_at"][position]
    usable = True
    if not sheet.cells["product"][position]:
        problems.row("no_product", sheet, position)
        usable = False
    if decision not in DECISIONS:
        problems.row("unknown_decision", sheet, position, decision, known=", ".join(DECISIONS))
        usable = False
    try:
        moment = datetime.fromisoformat(written)
        if "T" not in written and " " not in written:
            raise ValueError("a day alone orders nothing")
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        problems.row("no_time", sheet, position, written)
        return None
    return moment if usable else None


def _last(sheet: Sheet, positions: Sequence[int]) -> int | None:
    """The position of the decision that counts, of a product's in order of time; None when it names no category."""
    standing: list[int] = []
    for position in positions:
        if sheet.cells["decision"][position] != "undone":
            standing.append(position)
        elif standing:
            standing.pop()
    if not standing:
        return None
    decision = sheet.cells["decision"][standing[-1]]
    # A second look may agree that no category can be told.
    named = decision in _CATEGORY or (decision == "approved" and sheet.cells["code"][standing[-1]])
    return standing[-1] if named else None
