"""What training reads, whatever file it came from."""

import hashlib
import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from model.training.data.errors import Problems
from preprocessing.text import tokenize

NOTICES: Mapping[str, str] = {
    "bad_rows": "Rows left out because of the problems they have: {count}.",
    "nothing_to_read": "Rows left out because they have neither words nor a picture: {count}.",
    "not_decided": "Products left out because their last decision names no category: {count}.",
    "no_description": "Rows without description: {count}.",
    "no_text": "Rows without designation and description: {count}.",
    "no_picture": "Rows whose picture is missing: {count}.",
    "pictures_not_unpacked": "Nothing is read from images.zip: unpack it to train on pictures.",
    "contradicting": "Rows whose text another row has under another category: {count}.",
}

_PLAIN_WORD = re.compile(r"[^<&]*?[^\W_]")
_NO_TEXT = frozenset({"nan", "NaN"})  # what pandas writes for an empty cell when told to


@dataclass(frozen=True, slots=True)
class Example:
    """A labelled row. Texts are "" when empty; `picture` is the absolute path of an existing file, or None."""

    id: str
    code: int
    designation: str
    description: str
    picture: str | None


@dataclass(frozen=True, slots=True)
class TestRow:
    """A row to be answered; its fields are those of `Example`."""

    id: str
    designation: str
    description: str
    picture: str | None


@dataclass(frozen=True, slots=True)
class LabelledData:
    """Rows in the order of their file, and how many were left out or are incomplete, by the names in `NOTICES`."""

    examples: tuple[Example, ...]
    source: str  # "official", "table" or "decisions"
    notices: dict[str, int]


def text_of(cell: str) -> str:
    """The text of a cell; "" for what only says that there is none."""
    text = cell.strip()
    return "" if text in _NO_TEXT else text


def labelled(rows: Iterable[Example], source: str, notices: Mapping[str, int], problems: Problems) -> LabelledData:
    """The rows with something to read, counted; DataError when there are none."""
    rows = list(rows)
    pictures = any(row.picture for row in rows)  # without any, a missing one is no news
    counts = Counter(notices)
    kept = []
    for row in rows:
        if row.picture is None and not _has_words(row):
            counts["nothing_to_read"] += 1
            continue
        kept.append(row)
        counts["no_description"] += not row.description
        counts["no_text"] += not (row.designation or row.description)
        counts["no_picture"] += pictures and row.picture is None
    if not kept:
        problems.nothing_left()
    counts["contradicting"] = _contradicting(kept)
    return LabelledData(tuple(kept), source, {name: counts[name] for name in NOTICES if counts[name]})


def fingerprint(examples: Sequence[Example]) -> str:
    """sha256 of ids, codes, texts and picture file names, row by row: hexadecimal."""
    digest = hashlib.sha256()
    for row in examples:
        picture = None if row.picture is None else os.path.basename(row.picture)
        digest.update(json.dumps([row.id, row.code, row.designation, row.description, picture]).encode())
    return digest.hexdigest()


def _has_words(row: Example) -> bool:
    texts = row.designation, row.description
    # A letter before any markup is a word for sure; only the few others need to be folded.
    return any(map(_PLAIN_WORD.match, texts)) or any(map(tokenize, texts))


def _contradicting(rows: Sequence[Example]) -> int:
    by_text: dict[tuple[str, str], Counter[int]] = {}
    for row in rows:
        if row.designation or row.description:
            by_text.setdefault((row.designation, row.description), Counter())[row.code] += 1
    return sum(codes.total() for codes in by_text.values() if len(codes) > 1)
