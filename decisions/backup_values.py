"""What a value of a backup may be where it stands: what the store and its exports could not read again is refused."""

import json
import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import BigInteger, Integer

from decisions.tables import metadata

EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2250, 1, 1, tzinfo=UTC)
"""Of all moments and days, the latter not included: within what pandas counts in nanoseconds."""
_REFERENCE = re.compile(r"[0-9a-f]{64}")
_LARGEST, _LARGEST_SMALL = 2**63 - 1, 2**31 - 1


def being(*kinds: type) -> Callable[[Any], Any]:
    """Gives a value of one of these types back; ValueError for others, and for a boolean in the place of a number."""

    def check(value: Any) -> Any:
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise ValueError(f"{type(value).__name__} in the place of {kinds[-1].__name__}")
        return value

    return check


def whole(value: Any) -> int:
    """A number that a database keeps; ValueError."""
    if abs(being(int)(value)) > _LARGEST:
        raise ValueError("a number that no database keeps")
    return value


def finite(value: Any) -> float:
    """A fraction, or a whole number in its place; ValueError."""
    try:
        number = float(being(int, float)(value))
    except OverflowError as error:
        raise ValueError("a number that no database keeps") from error
    if not math.isfinite(number):
        raise ValueError("a number without end")
    return number


def moment(value: Any) -> datetime:
    """ISO 8601 with its offset; ValueError."""
    found = datetime.fromisoformat(being(str)(value))
    if found.tzinfo is None:
        raise ValueError("a moment without its offset")
    try:
        found = found.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("a moment out of all bounds") from error
    if not EARLIEST <= found < LATEST:
        raise ValueError("a moment out of all bounds")
    return found


def day(value: Any) -> date:
    """ISO 8601; ValueError."""
    found = date.fromisoformat(being(str)(value))
    if not EARLIEST.date() <= found < LATEST.date():
        raise ValueError("a day out of all bounds")
    return found


def plain(value: Any) -> Any:
    """What every reader of JSON takes: finite numbers, and text that is Unicode; ValueError."""
    json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    return value


def rule(table: str, column: str) -> Callable[[Any], Any]:
    """What a value of this column has to be beyond its kind, else ValueError; never asked about None."""
    return _RULES.get((table, column), _small if _is_small(table, column) else _any)


def _is_small(table: str, column: str) -> bool:
    found = metadata.tables.get(table)
    kind = None if found is None or column not in found.columns else found.columns[column].type
    return isinstance(kind, Integer) and not isinstance(kind, BigInteger)


def _small(value: int) -> int:
    if abs(value) > _LARGEST_SMALL:
        raise ValueError("a number that is too large here")
    return value


def _any(value: Any) -> Any:
    return value


def _reference(value: str) -> str:
    if not _REFERENCE.fullmatch(value):
        raise ValueError("no reference of a picture")
    return value


def _suggestions(value: Any) -> list[list[float]]:
    """As `decisions.rows.ranked` reads them."""
    pairs = being(list)(value)
    if not pairs:
        raise ValueError("no suggestions")
    for pair in pairs:
        code, probability = being(list)(pair)  # ValueError for other lengths, too
        whole(code), finite(probability)
    return pairs


_RULES: Mapping[tuple[str, str], Callable[[Any], Any]] = {
    ("items", "picture"): _reference,
    ("items", "suggestions"): _suggestions,
    ("decisions", "suggestions"): _suggestions,
    ("audit", "details"): being(dict),
}
