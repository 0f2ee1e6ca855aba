"""Labelled listings, and splits that hold out a pen or a concept rather than random rows."""

import csv
import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from preprocessing.text import content_words, tokenize

CORPUS = Path(__file__).parents[2] / "corpus"


@dataclass(frozen=True, slots=True)
class Listing:
    """One labelled row of the open corpus. ``voice`` is the hand that wrote it."""

    code: int
    designation: str
    description: str
    language: str
    voice: str

    @property
    def concept(self) -> str:
        """The first word that says something: head noun, brand or title, mostly."""
        tokens = tokenize(self.designation)
        found = content_words(tokens) or tokens
        return found[0].text if found else ""


def read_corpus(folder: Path = CORPUS) -> list[Listing]:
    """All rows, files in order of code, rows in order of file."""
    rows = []
    for path in sorted(folder.glob("*.csv"), key=lambda p: int(p.stem)):
        with path.open(encoding="utf-8", newline="") as file:
            for r in csv.DictReader(file):
                rows.append(Listing(int(r["prdtypecode"]), r["designation"], r["description"], r["lang"], r["voice"]))
    return rows


def held_out(rows: list[Listing], voices: frozenset[str], concept_share: float, seed: int) -> np.ndarray:
    """True for rows of ``voices`` and for about ``concept_share`` of the concepts of each category: bool (n,).

    A concept is held out as a whole, whoever wrote about it.
    """
    limit = int(concept_share * 2**32)

    def chosen(row: Listing) -> bool:
        key = f"{seed}/{row.code}/{row.concept}".encode()
        return row.voice in voices or int.from_bytes(hashlib.sha256(key).digest()[:4], "big") < limit

    return np.array([chosen(row) for row in rows], bool)


def new_concepts(rows: list[Listing], held: np.ndarray) -> np.ndarray:
    """True for the held-out rows whose concept no other row of their category has: bool (n,).

    These are what a model calibrated for listings it has not been written for should be judged on.
    """
    seen = {(row.code, row.concept) for row, out in zip(rows, held, strict=True) if not out}
    return np.array([out and (row.code, row.concept) not in seen for row, out in zip(rows, held, strict=True)], bool)


def fingerprint(rows: list[Listing]) -> str:
    """sha256 of the rows, in order: names the data a stage was computed from."""
    digest = hashlib.sha256()
    for row in rows:
        digest.update("\x1f".join((str(row.code), row.designation, row.description, row.voice, "\x1e")).encode())
    return digest.hexdigest()
