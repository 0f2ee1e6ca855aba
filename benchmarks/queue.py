"""What a decision costs: by how many products wait, by how safely SQLite writes, by who else writes."""

import itertools
import threading
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import event

from benchmarks.measuring import by_turns, table
from decisions.database import open_database
from decisions.items import NewItem, verdict_on
from decisions.pictures import PictureStore
from decisions.store import DecisionStore
from model.product import Product, RankedCategory

_FEW, _MANY = 1_000, 100_000
_ROUNDS, _AT_ONCE = 60, 10


def lengths(folder: Path) -> str:
    """One product opened and decided on, in a short and a long queue."""
    sides = {f"{n:,} wait".replace(",", " "): _one(_filled(folder / str(n), n)) for n in (_FEW, _MANY)}
    return table("One product opened and decided on, by the queue", by_turns(sides, _ROUNDS), next(iter(sides)))


def safety(folder: Path) -> str:
    """The same, by what SQLite promises after a cut of the power."""
    whole = _filled(folder / "full", _FEW)
    without = _filled(folder / "normal", _FEW, "synchronous=NORMAL")
    journal = _filled(folder / "journal", _FEW, "journal_mode=DELETE")
    sides = {
        "write-ahead log, each decision on disk (ours)": _one(whole),
        "write-ahead log, the last ones may be lost": _one(without),
        "rollback journal, each on disk": _one(journal),
    }
    return table("The same, by how SQLite writes", by_turns(sides, _ROUNDS), next(iter(sides)))


def company(folder: Path) -> str:
    """Ten products decided on by one, or by four at once."""
    alone, together = _filled(folder / "one", 20 * _FEW), _filled(folder / "four", 20 * _FEW)

    def by_one() -> None:
        _several(alone, "a", _AT_ONCE * 4)

    def by_four() -> None:
        threads = [threading.Thread(target=_several, args=(together, name, _AT_ONCE)) for name in "abcd"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    sides = {"one moderator": by_one, "four at once": by_four}
    return table("Forty products, by who decides", by_turns(sides, 10), "one moderator")


def _several(store: DecisionStore, holder: str, number: int) -> None:
    for _ in range(number):
        item = store.claim(holder, holder)
        store.decide(item, verdict_on(item, item.code, holder), holder, holder)


def _one(store: DecisionStore) -> Callable[[], None]:
    return lambda: _several(store, "a", 1)


def _filled(folder: Path, number: int, pragma: str = "") -> DecisionStore:
    engine = open_database(f"sqlite:///{folder / 'rayon.db'}")
    if pragma:
        engine.dispose()
        event.listen(engine, "connect", lambda connection, _record: connection.execute(f"PRAGMA {pragma}"))
    store = DecisionStore(engine, PictureStore(str(folder / "pictures")))
    store.add(itertools.starmap(_new, enumerate(itertools.repeat(number, number))))
    return store


def _new(place: int, of: int) -> NewItem:
    first = 0.3 + 0.6 * place / of
    return NewItem(Product(f"Lot {place}"), (RankedCategory(10, first), RankedCategory(40, 1 - first)), "m", "batch")
