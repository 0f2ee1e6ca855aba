"""Decisions as a table to train on (`model.decision_format`), perhaps with the products' pictures beside it."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from sqlalchemy import Engine

from decisions.export_errors import ExportError
from decisions.export_files import FORMATS, Pictures, Row, folder, packed, replacing, write_table
from decisions.history import ExportFilter, History, histories
from decisions.items import STATES, Decision, margin
from decisions.reading import StoreReader
from decisions.rows import pairs
from decisions.store import DecisionStore
from model.decision_format import COLUMNS
from model.taxonomy import Taxonomy, default_taxonomy
from settings import settings

__all__ = ["FORMATS", "MORE", "PEOPLE", "ExportError", "ExportFilter", "Exported", "export"]

MORE = (
    *("label", "person", "seconds", "state", "counts", "job", "job_name", "row", "reason", "source"),
    *("suggested", "confidence", "margin", "suggestions"),
)
"""Columns that training passes over, after `COLUMNS`.

``label``: of the code. ``state``: the product's. ``counts``: whether this is the decision that counts. ``row`` of the
job's table, from 1. ``suggested``, ``confidence``, ``margin``, ``suggestions``: what the person was shown, the last as
JSON: [[code, probability], …], most probable first.
"""
PEOPLE = ("names", "ids")
_LONGEST = 900_000
"""Characters of a text: two of them, each quotation mark doubled, are within what `preprocessing.table` reads."""
_BATCH = 500


@dataclass(frozen=True, slots=True)
class Exported:
    """How many products, decisions on them (rows) and pictures; ``missing``: pictures that are not in the store.

    ``cut``: texts of which the first 900,000 characters were written, all that a table may hold.
    """

    products: int = 0
    decisions: int = 0
    pictures: int = 0
    missing: int = 0
    cut: int = 0


def export(
    store: DecisionStore,
    out: Path,
    where: ExportFilter = ExportFilter(),  # noqa: B008 (frozen)
    format: str = "csv",
    pictures: bool = False,
    people: str = "names",
    language: str = "fr",
    taxonomy: Taxonomy | None = None,
) -> Exported:
    """Writes the history of each product that passes, all of it or nothing; ExportError, DecisionError.

    ``out``: the table, which takes the place of a file that is there; with ``pictures`` a ZIP if that is its ending,
    else a folder, which must be new or empty: they hold decisions.csv or .parquet, and images/. ``people`` "ids":
    `DecisionStore.aliases` in place of names (notes are left as they were written). ``language``: of the labels, from
    ``taxonomy``, the one that ships unless given.
    """
    if format not in FORMATS or people not in PEOPLE or where.state not in (None, *STATES):
        raise ValueError(f"no such format, people or state: {format!r}, {people!r}, {where.state!r}")
    check_apart(store.engine, out)
    with ExitStack() as stack:
        kept: Pictures | None = None
        table = out
        if pictures and out.suffix.lower() == ".zip":
            table, kept = stack.enter_context(packed(out, store.pictures, f"decisions.{format}"))
        elif pictures:
            table, kept = stack.enter_context(folder(out, store.pictures, f"decisions.{format}"))
        else:
            table = stack.enter_context(replacing(out))
        writer = _Rows(store, people == "ids", _labels(taxonomy or default_taxonomy(), language), kept)
        write_table(table, format, (*COLUMNS, *MORE), _batches(writer.rows(where)))
    return Exported(writer.products, writer.decisions, *((kept.written, kept.missing) if kept else (0, 0)), writer.cut)


def check_apart(engine: Engine, out: Path) -> None:
    """ExportError where ``out`` is the SQLite database or a file beside it, the accounts, or what sign-in keeps."""
    url, found, path = engine.url, settings(), os.path.realpath(out)
    accounts = {os.path.realpath(f"{found.accounts}{ending}") for ending in ("", ".lock")}
    if path in accounts or Path(path).is_relative_to(os.path.realpath(found.home / "sign-in")):
        raise ExportError("is_own", {"out": str(out)})
    if url.get_backend_name() == "sqlite":
        own = {os.path.realpath(f"{url.database}{ending}") for ending in ("", "-wal", "-shm", ".lock")}
        if path in own:
            raise ExportError("is_store", {"out": str(out)})


class _Rows:
    """Histories as rows of the table, counted."""

    def __init__(
        self, store: StoreReader, ids: bool, label: Callable[[int | None], str | None], pictures: Pictures | None
    ) -> None:
        self._store, self._ids, self._label, self._pictures = store, ids, label, pictures
        self._aliases: dict[str, str] = {}
        self.products = self.decisions = self.cut = 0

    def rows(self, where: ExportFilter) -> Iterator[Row]:
        for history in histories(self._store, where):
            self.products += 1
            item = history.item
            image = None
            if self._pictures is not None and item.picture is not None:
                image = self._pictures.take(item.picture)
            texts = self._text(item.designation), self._text(item.description)
            for decision in history.decisions:
                self.decisions += 1
                yield self._row(history, decision, texts, image)

    def _row(
        self, history: History, decision: Decision, texts: tuple[str | None, str | None], image: str | None
    ) -> Row:
        item, shown = history.item, decision.suggestions
        moment = decision.decided_at.isoformat().replace("+00:00", "Z")
        ours = item.key, *texts, image, decision.decision, decision.code, moment, decision.model, decision.note
        counts = "yes" if decision is history.standing else "no"
        row = None if item.row is None else item.row + 1
        more = (
            *(self._label(decision.code), self._person(decision.person), decision.seconds, history.state, counts),
            *(item.job, item.job_name, row, item.reason, item.source),
            *(shown[0].code, shown[0].probability, margin(shown), json.dumps(pairs(shown))),
        )
        return *ours, *more

    def _text(self, text: str | None) -> str | None:
        if text is None or len(text) <= _LONGEST:
            return text
        self.cut += 1
        return text[:_LONGEST]

    def _person(self, name: str) -> str:
        if not self._ids:
            return name
        if name not in self._aliases:  # somebody may decide for the first time while this is written
            self._aliases = dict(self._store.aliases())
        return self._aliases[name]


def _labels(taxonomy: Taxonomy, language: str) -> Callable[[int | None], str | None]:
    """The label of a code; None for one of another taxonomy."""
    return {category.code: category.label(language) for category in taxonomy.categories}.get


def _batches(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while batch := list(islice(rows, _BATCH)):
        yield batch
