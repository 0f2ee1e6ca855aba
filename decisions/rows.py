"""Rows of the tables as the types that travel, and back."""

from typing import Any

from sqlalchemy import RowMapping, Select, select

from decisions.items import Decision, Item
from decisions.tables import decisions, items, jobs
from model.product import RankedCategory

_STANDING = "standing_"
_standing = [column.label(f"{_STANDING}{column.name}") for column in decisions.c]


def item_rows() -> Select:
    """Selects items, each with the decision that counts and the name of its job."""
    joined = items.outerjoin(decisions, decisions.c.id == items.c.standing).outerjoin(jobs, jobs.c.job == items.c.job)
    return select(*items.c, jobs.c.name.label("job_name"), *_standing).select_from(joined)


def item_of(row: RowMapping) -> Item:
    """A row of `item_rows`."""
    standing = None
    if row["standing"] is not None:
        standing = _decision({column.name: row[f"{_STANDING}{column.name}"] for column in decisions.c})
    return Item(
        key=row["key"],
        designation=row["designation"],
        description=row["description"],
        picture=row["picture"],
        suggestions=ranked(row["suggestions"]),
        model=row["model"],
        source=row["source"],
        reason=row["reason"],
        job=row["job"],
        job_name=row["job_name"],
        row=row["row"],
        added_at=row["added_at"],
        state=row["state"],
        second_look=row["second_look"],
        standing=standing,
        purged_at=row["purged_at"],
    )


def decision_of(row: RowMapping) -> Decision:
    """A row of the table of decisions."""
    return _decision(dict(row))


def pairs(suggestions: tuple[RankedCategory, ...]) -> list[list[float]]:
    """As JSON holds them: [[code, probability], …]."""
    return [[ranked.code, ranked.probability] for ranked in suggestions]


def ranked(value: list[list[float]]) -> tuple[RankedCategory, ...]:
    """The inverse of `pairs`."""
    return tuple(RankedCategory(int(code), float(probability)) for code, probability in value)


def _decision(values: dict[str, Any]) -> Decision:
    return Decision(**{**values, "suggestions": ranked(values["suggestions"])})
