"""What other processes do to one database, in the tests of many at once."""

import os
import random
import threading
from dataclasses import replace
from multiprocessing import parent_process
from multiprocessing.connection import Connection

from alembic.runtime.migration import MigrationContext

from decisions.database import open_database
from decisions.errors import DecisionError
from decisions.items import NewItem, Verdict
from decisions.pictures import PictureStore
from decisions.store import DecisionStore
from tests.decisions.samples import several


def end_with_parent() -> None:
    """From now on this process ends when the tests do, also when these are killed."""

    def wait() -> None:
        parent_process().join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def opened(url: str) -> str | None:
    """The step at which the database is when this process has opened it."""
    engine = open_database(url)
    with engine.connect() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
    engine.dispose()
    return found


def work_off(store: DecisionStore, person: str) -> list[str]:
    """Decides on whatever the queue hands out, until it hands out nothing; the keys."""
    done = []
    while (item := store.claim(person, person)) is not None:
        store.decide(item, Verdict("accepted"), person, person)
        done.append(item.key)
    return done


def work_off_apart(url: str, pictures: str, person: str) -> list[str]:
    """`work_off` in a process of its own."""
    engine = open_database(url)
    try:
        return work_off(DecisionStore(engine, PictureStore(pictures)), person)
    finally:
        engine.dispose()


def meddle(store: DecisionStore, person: str, keys: list[str], seed: int, steps: int = 60) -> dict[str, int]:
    """Does anything to anything, as fast as it goes; how often each was done, or refused for which reason."""
    chance, counts = random.Random(seed), {}
    for _ in range(steps):
        act = chance.choice(("claim", "claim", "decide", "decide", "many", "undo", "hold", "release", "add"))
        try:
            if act == "claim":
                act += "ed" if store.claim(person, person) else " nothing"
            elif act == "decide":
                verdict = Verdict(chance.choice(("accepted", "unknown", "skipped")))
                store.decide(store.find(chance.choice(keys)), verdict, person, person)
            elif act == "many":
                found = [store.find(key) for key in chance.sample(keys, 4)]
                store.decide_many(found, Verdict("accepted"), person, person)
            elif act == "undo":
                store.undo(person, person)
            elif act == "add":
                store.add(sent_again(chance))
            elif act == "hold":
                store.hold(person, person, chance.choice(keys))
            else:
                store.release(person)
        except DecisionError as error:
            if error.reason not in ("held", "changed", "nothing_to_undo", "undo_changed", "skip_decided"):
                raise
            act = error.reason
        counts[act] = counts.get(act, 0) + 1
    return counts


def sent_again(chance: random.Random) -> list[NewItem]:
    """The products of the tests once more, in any order, by any of two models, with any chance of being drawn."""
    given = {"source": "batch", "reason": "audit", "job": "j", "job_name": "j.csv"}
    rows = [replace(new, row=row, **given) for row, new in enumerate(several(8))]
    chance.shuffle(rows)
    return [replace(row, weight=chance.uniform(1, 9), model=chance.choice(("open-1", "open-2"))) for row in rows]


def meddle_apart(url: str, pictures: str, person: str, keys: list[str], seed: int) -> dict[str, int]:
    """`meddle` in a process of its own."""
    engine = open_database(url)
    try:
        return meddle(DecisionStore(engine, PictureStore(pictures), lease_seconds=0.01), person, keys, seed)
    finally:
        engine.dispose()


def decide_until_killed(url: str, pictures: str, speaking: Connection) -> None:
    """Tells each decision once it is promised, and goes on to the next; undoes some."""
    store = DecisionStore(open_database(url), PictureStore(pictures))
    chance = random.Random()
    while (item := store.claim("writer", "Ana")) is not None:
        kept = store.decide(item, Verdict("corrected", 2583, f"é{'x' * 900}"), "Ana", "writer")
        speaking.send(("decided", kept.key, kept.id))
        if chance.random() < 0.2:
            [key] = store.undo("Ana", "writer").keys
            speaking.send(("undone", key, kept.id))
