"""What is kept is told; what is old goes, and nothing that was decided goes with it."""

import os
import sqlite3
import time
from datetime import timedelta
from pathlib import Path

import pytest

from decisions import privacy
from decisions.database import open_database
from decisions.errors import DecisionError
from decisions.items import Added, Filter, Verdict, product_key
from decisions.pictures import PictureStore
from decisions.privacy import Kept, Purged, kept, purge, purgeable
from decisions.store import DecisionStore
from tests.decisions.samples import START, check_agrees, everything, new_item

MONTH = timedelta(days=30)


@pytest.fixture
def aged(pictures):
    """Makes the files of all pictures look an hour old."""

    def age() -> None:
        for path in files(pictures):
            os.utime(path, (time.time() - 3600,) * 2)

    return age


def files(pictures: PictureStore) -> list[Path]:
    return [path for path in Path(pictures.place).rglob("*") if path.is_file()]


def add(store, text: str, **more) -> str:
    new = new_item(text, **more)
    store.add([new])
    return product_key(new.product)


def decide(store, key: str, decision: str = "accepted", note: str | None = None, person: str = "Ana"):
    return store.decide(store.find(key), Verdict(decision, note=note), person, person)


def test_what_is_kept_is_told_by_month_and_job(store, clock) -> None:
    assert kept(store) == []
    key = add(store, "abc", description="éé", image=b"12345")
    add(store, "d", image=b"12345")
    decide(store, key, note="note")
    clock.go(days=40)
    add(store, "efg", image=b"67", source="batch", job="j1", job_name="a.csv")
    add(store, "", source="batch", job="j2", job_name="b.csv")
    march = clock.now
    january, *later = kept(store)
    assert january == Kept("2026-01", "classify", None, None, 2, 10, 1, 5, START)
    assert sorted(later, key=lambda each: each.job) == [
        Kept("2026-03", "batch", "j1", "a.csv", 1, 3, 1, 2, march),
        Kept("2026-03", "batch", "j2", "b.csv", 1, 0, 0, 0, march),
    ]


def test_what_is_old_goes_and_what_was_decided_stays(store, clock, pictures, aged) -> None:
    decided = add(store, "decided", description="words", image=b"of a decided one")
    pending = add(store, "pending", image=b"of one that waits")
    undone = add(store, "undone", image=b"of one undone")
    kept_decisions = [decide(store, decided, note="a person's note"), decide(store, undone, "unknown")]
    store.undo("Ana", "Ana")
    clock.go(days=31)
    young = add(store, "young", image=b"of a decided one")  # the same picture
    store.add([new_item("young too", image=b"new")])
    aged()
    before = list(store.log())
    would = purgeable(store, MONTH)
    assert would == Purged(products=3, removed=1, pictures=2, bytes=len(b"of one that waits" + b"of one undone"))
    assert list(store.log()) == before and store.find(pending) is not None, "asking changes nothing"
    assert purge(store, MONTH) == would
    assert store.find(pending) is None
    for key, standing in ((decided, kept_decisions[0].id), (undone, None)):
        item = store.find(key)
        assert (item.designation, item.description, item.picture) == (None, None, None)
        assert item.purged_at == clock.now and (item.standing and item.standing.id) == standing
    log = list(store.log())
    facts = ("id", "key", "decision", "code", "person", "decided_at", "model", "suggestions", "replaces", "undoes")
    assert [[getattr(row, name) for name in facts] for row in log] == [
        [getattr(row, name) for name in facts] for row in before
    ]
    assert [row.note for row in log] == [None] * 3
    assert pictures.read(store.find(young).picture) == b"of a decided one"
    assert len(files(pictures)) == 2
    check_agrees(store)
    assert purge(store, MONTH) == Purged() == purgeable(store, MONTH), "and all is done"


def test_nothing_of_the_words_is_left_in_the_file(kind, store, clock, tmp_path) -> None:
    if kind != "sqlite":
        return  # PostgreSQL's own vacuum frees its pages
    secret = "Une phrase que personne ne doit relire"
    decide(store, add(store, secret, description=secret * 200), note=secret)
    add(store, f"{secret}.")
    clock.go(days=31)
    purge(store, MONTH)
    for path in tmp_path.glob("rayon.db*"):
        assert secret.encode() not in path.read_bytes(), path.name


def test_nobody_loses_what_is_open(store, clock, pictures, aged) -> None:
    add(store, "open", image=b"seen right now")
    clock.go(days=31)
    item = store.claim("h1", "Ana")
    aged()
    assert purgeable(store, MONTH) == purge(store, MONTH) == Purged(held=1)
    assert pictures.read(item.picture) == b"seen right now"
    store.decide(item, Verdict("accepted"), "Ana", "h1")
    assert purge(store, MONTH) == Purged(products=1, pictures=1, bytes=14)


def test_who_left_it_open_too_long_is_told(make_store, clock) -> None:
    store = make_store(lease_seconds=60)
    add(store, "left open")
    item = store.claim("h1", "Ana")
    clock.go(days=31)
    assert purge(store, MONTH) == Purged(products=1, removed=1)
    with pytest.raises(DecisionError) as caught:
        store.decide(item, Verdict("accepted"), "Ana", "h1")
    assert caught.value.reason == "gone" and list(store.log()) == []


def test_a_purge_that_is_stopped_midway_goes_on(store, clock, pictures, aged, monkeypatch) -> None:
    monkeypatch.setattr(privacy, "_CHUNK", 2)
    keys = [add(store, f"P{n}", image=f"picture {n}".encode()) for n in range(6)]
    for key in keys[:3]:
        decide(store, key, note="hm")
    clock.go(days=31)
    aged()
    one_piece = privacy._purge_some
    pieces = iter([one_piece])
    monkeypatch.setattr(privacy, "_purge_some", lambda *given: next(pieces)(*given))
    with pytest.raises(StopIteration):
        purge(store, MONTH)
    monkeypatch.setattr(privacy, "_purge_some", one_piece)
    assert purgeable(store, MONTH).products == 4, "two are gone, and stay so"
    check_agrees(store)
    purge(store, MONTH)
    assert set(everything(store)) == set(keys[:3]) and files(pictures) == []
    assert len(list(store.log())) == 3
    check_agrees(store)


def test_files_that_a_crash_left_are_swept_when_they_are_old(store, pictures, aged) -> None:
    add(store, "there", image=b"named")
    pictures.keep(b"of no product")
    path = Path(pictures.place) / "ab" / f"{'ab' * 32}.{'0' * 32}"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"unfin")
    (Path(pictures.place) / "notes of the owner.txt").write_text("not ours")
    assert purge(store, MONTH) == Purged(young=2)
    aged()
    assert purge(store, MONTH) == Purged(pictures=2, bytes=len(b"of no product" + b"unfin"))
    assert sorted(path.read_bytes() for path in files(pictures)) == [b"named", b"not ours"]


def test_a_picture_that_is_kept_again_is_not_swept_before_its_row_is_there(store, pictures, aged) -> None:
    pictures.keep(b"old, and nobody's")
    aged()
    reference = pictures.keep(b"old, and nobody's")  # as for a row that is about to be written
    assert purge(store, MONTH) == Purged(young=1)
    assert pictures.read(reference) == b"old, and nobody's"


def test_what_cannot_be_read_any_more_waits_for_nobody(make_store, clock) -> None:
    store = make_store(second_look=1.0)
    for decision in ("skipped", "accepted", "unknown"):
        decide(store, add(store, f"to be {decision}"), decision)
    store.undo("Ana", "Ana")
    clock.go(days=31)
    purge(store, MONTH)
    for state in ("pending", "skipped", "second_look"):
        assert store.claim("h2", "Bob", Filter(state=state)) is None
        assert store.count(Filter(state=state), "Bob") == 0
    assert store.count(Filter(state="decided")) == 1


def test_a_purged_product_that_comes_again_is_whole_again(store, clock, pictures) -> None:
    undone, decided = add(store, "undone", image=b"1"), add(store, "decided", image=b"2")
    standing = decide(store, decided, "unknown")
    decide(store, undone)
    store.undo("Ana", "Ana")
    clock.go(days=31)
    purge(store, MONTH)
    both = [new_item("undone", image=b"1", job="j9"), new_item("decided", image=b"2")]
    assert store.add(both) == Added(added=1, decided=1)
    item = store.find(decided)
    assert (item.designation, item.state, item.standing, item.purged_at) == ("decided", "decided", standing, None)
    assert (pictures.read(item.picture), item.added_at) == (b"2", clock.now)
    assert store.claim("h2", "Bob").job == "j9"
    assert purge(store, MONTH) == Purged()
    clock.go(days=31)
    assert purgeable(store, MONTH).products == 2
    check_agrees(store)


def test_a_note_on_what_was_purged_goes_with_the_next_purge(store, clock) -> None:
    key = add(store, "old")
    decide(store, key)
    clock.go(days=31)
    purge(store, MONTH)
    decide(store, key, "unknown", note="a name", person="Bob")
    assert [(each.products, each.characters) for each in kept(store)] == [(1, 6)]
    assert purge(store, MONTH).products == 1
    assert [row.note for row in store.history(key)] == [None, None] and kept(store) == []


def test_what_was_decided_on_a_purged_product_stays(store, clock) -> None:
    key, skipped = add(store, "old"), add(store, "skipped")
    decide(store, skipped, "skipped")
    decide(store, key)
    clock.go(days=31)
    purge(store, MONTH)
    with pytest.raises(DecisionError, match="were deleted") as caught:
        store.undo("Ana", "h")
    assert caught.value.reason == "undo_purged" and store.find(key).state == "decided"
    assert store.states() == {"decided": 1} and store.count(Filter("skipped")) == 0, (
        "what cannot be seen is not counted"
    )
    check_agrees(store)


def test_what_a_reader_keeps_in_the_log_of_changes_is_told(tmp_path, pictures, clock, monkeypatch) -> None:
    monkeypatch.setattr("decisions.privacy._READERS_MS", 50)
    path = tmp_path / "s.db"
    store = DecisionStore(open_database(f"sqlite:///{path}"), pictures, clock=clock)
    store.add([new_item("a very private text")])
    clock.go(days=31)
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM items").fetchall()
    assert purge(store, MONTH) == Purged(products=1, removed=1, lingering=True)
    reader.close()
    assert purge(store, MONTH) == Purged()
    held = b"".join(each.read_bytes() for each in tmp_path.glob("s.db*"))
    assert b"very private" not in held
    store.engine.dispose()


def test_pictures_out_of_reach_are_told_and_nothing_is_half_done(store, clock, pictures, aged, monkeypatch) -> None:
    add(store, "a", image=b"1")
    clock.go(days=31)
    aged()

    def out_of_reach(*_arguments, **_options):
        raise PermissionError("no entry")

    monkeypatch.setattr(pictures._fs, "rm_file", out_of_reach)
    with pytest.raises(DecisionError, match="no entry"):
        purge(store, MONTH)
    monkeypatch.undo()
    assert purge(store, MONTH) == Purged(pictures=1, bytes=1)
    assert files(pictures) == []


def test_pictures_may_be_in_any_storage() -> None:
    store = PictureStore("memory://rayon-test/pictures")
    reference = store.keep(b"abc")
    assert store.keep(b"abc") == reference and store.read(reference) == b"abc" and store.size(reference) == 3
    assert store.sizes() == {reference: 3} and list(store.references()) == [reference]
    assert store.sweep(lambda some: []).young == 1
    store.remove(reference)
    store.remove(reference)
    assert store.read(reference) is None and store.size(reference) is None
    with pytest.raises(DecisionError):
        PictureStore("nowhere://place")
    for bad in ("", "../../etc/passwd", "A" * 64):
        with pytest.raises(ValueError, match="reference"):
            store.read(bad)
