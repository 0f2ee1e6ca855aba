"""Many threads, many processes, and one that is killed: each product decided once, nothing promised is lost."""

import itertools
import multiprocessing
import random
import signal
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from sqlalchemy.exc import DBAPIError

from decisions import privacy
from decisions.database import open_database
from decisions.errors import DecisionError
from decisions.items import Added, Filter, Verdict
from decisions.store import DecisionStore
from decisions.transaction import Transaction
from tests.decisions.samples import check_agrees, empty, everything, new_item, several
from tests.decisions.workers import decide_until_killed, meddle, meddle_apart, sent_again, work_off, work_off_apart

COUNT = 90


def together(calls) -> list:
    """What the calls give, all begun at one moment, each in a thread of its own."""
    calls = list(calls)
    start = threading.Barrier(len(calls))

    def run(call):
        start.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


@pytest.fixture
def store(engine, pictures) -> DecisionStore:
    """By the real clock."""
    return DecisionStore(engine, pictures, second_look=0.0)


def check_each_once(store: DecisionStore, done: list[list[str]]) -> None:
    assert sorted(itertools.chain.from_iterable(done)) == sorted(store.frame()["key"]), "each by one, and one alone"
    assert Counter(row.key for row in store.log()) == dict.fromkeys(store.frame()["key"], 1)
    assert store.states() == {"decided": COUNT}
    check_agrees(store)


def test_threads_work_off_one_queue(store) -> None:
    store.add(several(COUNT))
    check_each_once(store, together(lambda n=n: work_off(store, f"thread {n}") for n in range(6)))


def test_processes_work_off_one_queue(store, database, pictures, processes) -> None:
    store.add(several(COUNT))
    people = [f"process {n}" for n in range(3)]
    apart = processes.map(work_off_apart, [database] * 3, [pictures.place] * 3, people)
    mine = together(lambda n=n: work_off(store, f"thread {n}") for n in range(2))
    check_each_once(store, [*apart, *mine])


def test_whoever_has_a_product_has_it_alone(store) -> None:
    """What `claim` and `hold` hand out is marked until it is given back: nobody may find a mark there."""
    store.add(several(6))
    keys, opened, twice = list(store.frame()["key"]), {}, []

    def look(holder: str) -> None:
        for turn in range(25):
            try:
                taken = store.hold(holder, holder, keys[turn % 6]) if turn % 3 else store.claim(holder, holder)
            except DecisionError as error:
                assert error.reason == "held"
                continue
            if taken is None:
                continue
            if opened.setdefault(taken.key, holder) != holder:
                twice.append((taken.key, holder))
            time.sleep(0.001)
            opened.pop(taken.key, None)
            store.release(holder)

    together(lambda n=n: look(f"h{n}") for n in range(8))
    assert not twice


def test_a_lease_that_has_ended_goes_to_one_of_many(store) -> None:
    """The one who had it, and whoever else, ask at one moment."""
    for _ in range(12):
        empty(store.engine)
        store.add(several(1))
        store.lease_seconds = -1
        assert store.claim("h0", "h0") is not None
        store.lease_seconds = 60
        found = together(lambda n=n: store.claim(f"h{n}", f"h{n}") for n in range(4))
        assert sum(item is not None for item in found) == 1


def test_two_who_take_what_the_other_had_do_not_wait_for_each_other(store) -> None:
    """Their leases have ended. Whoever locked one product first and waited for the other would wait for ever."""
    for _ in range(25):
        empty(store.engine)
        store.add(several(2))
        store.lease_seconds = -1
        ana, bob = store.claim("h1", "Ana"), store.claim("h2", "Bob", passed=[store.claim("h1", "Ana").key])
        store.lease_seconds = 60
        swapped = together([partial(store.hold, "h1", "Ana", bob.key), partial(store.hold, "h2", "Bob", ana.key)])
        assert [item.key for item in swapped] == [bob.key, ana.key]


def test_one_product_is_decided_on_once(store) -> None:
    for number in range(8):
        store.add([new_item(f"P{number}")])
        [item] = store.items(Filter())
        verdicts = [Verdict("corrected", code) for code in (10, 40, 50, 60)]

        def decide(verdict: Verdict, item=item) -> str:
            try:
                return store.decide(item, verdict, f"of {verdict.code}", f"h{verdict.code}").decision
            except DecisionError as error:
                return error.reason

        assert sorted(together(lambda v=v: decide(v) for v in verdicts)) == ["changed"] * 3 + ["corrected"]
    check_agrees(store)


def test_one_action_sent_twice_at_once_counts_once(store) -> None:
    new, verdict = new_item("A"), Verdict("accepted")
    found = together(lambda: store.record(new, verdict, "Ana", "h1") for _ in range(4))
    assert len({decision.id for decision in found}) == 1 == len(list(store.log()))
    assert len(store.people()) == 1


def test_the_same_products_from_many_sides_are_added_once(store) -> None:
    found = together(lambda: store.add(several(60)) for _ in range(4))
    assert sum(added.added for added in found) == 60 == store.count(Filter())
    assert all(added == Added(added.added, 60 - added.added) for added in found)


def test_a_purge_loses_nothing_that_is_being_decided(store, monkeypatch) -> None:
    """What nobody has decided on leaves the store; what somebody is deciding on, or has, stays."""
    monkeypatch.setattr(privacy, "_CHUNK", 1)  # so that there is something to decide meanwhile
    store.add(several(COUNT))
    *done, purged = together(
        [*(partial(work_off, store, f"thread {n}") for n in range(3)), partial(purge_again, store)]
    )
    decided = list(itertools.chain.from_iterable(done))
    assert sorted(row.key for row in store.log()) == sorted(decided)
    assert set(everything(store)) == set(decided)
    assert purged == COUNT - len(decided) and decided
    check_agrees(store)


def purge_again(store: DecisionStore) -> int:
    """Purges again and again, whatever the age, once something is decided; how many products left the store."""
    deadline = time.monotonic() + 60
    while not list(store.log()) and time.monotonic() < deadline:
        time.sleep(0.005)
    removed = 0
    for _ in range(20):
        removed += privacy.purge(store, timedelta(0)).removed
    return removed


def test_threads_that_do_anything_leave_a_history(make_store) -> None:
    store = make_store(lease_seconds=0.005, clock=None)
    store.add(several(8))
    keys = list(store.frame()["key"])
    counts = together(lambda n=n: meddle(store, f"person {n}", keys, n) for n in range(5))
    check_agrees(store)
    done = Counter(itertools.chain.from_iterable(counts))
    assert {"claimed", "decide", "many", "undo", "add"} <= set(done), "or nothing was put to the test"


def test_files_sent_and_products_decided_at_once_never_stop_each_other(store) -> None:
    """Both lock several products: in the same order, or each would wait for what the other has."""
    store.add(several(8))
    items = store.items(Filter())

    def send(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(25):
            store.add(sent_again(chance))

    def decide() -> None:
        for _ in range(25):
            store.decide_many(items[::-1], Verdict("accepted"), "Ana", "h1")
            with suppress(DecisionError):
                store.undo("Ana", "h1")

    together([partial(send, 1), partial(send, 2), decide])
    assert len(store.sent()) == 8 and set(store.states()) <= {"pending", "decided"}
    check_agrees(store)


def test_the_log_appears_in_order(store) -> None:
    """Whoever reads the log by its ids misses nothing: none comes later before one that has been seen."""
    store.add(several(2))
    first, second = store.items(Filter())
    with ThreadPoolExecutor(1) as pool:
        with store._transaction(log=True) as change:
            change.register("slow")
            change.decide(first, Verdict("accepted"), "slow", "h1", None)
            fast = pool.submit(store.decide, second, Verdict("accepted"), "fast", "h2")
            with pytest.raises(TimeoutError):
                fast.result(0.3)
            before = store.version()
            assert list(store.log()) == []
        fast.result(20)
    assert [row.person for row in store.log()] == ["slow", "fast"] and store.version() != before


def test_what_the_database_breaks_off_is_begun_again(store, monkeypatch) -> None:
    """As PostgreSQL does with one of two transactions that wait for each other."""
    store.add(several(2))
    item, real, broken = store.items(Filter())[0], Transaction.settle, []

    class Deadlock(Exception):
        sqlstate = "40P01"

    def settle(change, *given) -> None:
        real(change, *given)
        if len(broken) < 2:
            broken.append(given)
            raise DBAPIError("UPDATE", {}, Deadlock("deadlock detected"))

    monkeypatch.setattr(Transaction, "settle", settle)
    kept = store.decide(item, Verdict("accepted"), "Ana", "h1")
    assert len(broken) == 2 and list(store.log()) == [kept]
    Deadlock.sqlstate = "53100"
    broken.clear()
    with pytest.raises(DecisionError, match="deadlock detected"):
        store.undo("Ana", "h1")
    assert len(broken) == 1 and list(store.log()) == [kept]


def test_leases_go_by_the_clock_of_the_server(postgresql, pictures, monkeypatch) -> None:
    monkeypatch.setattr("decisions.reading._this_machine", lambda: datetime(2001, 1, 1, tzinfo=UTC))
    name = postgresql.database()
    store = DecisionStore(open_database(postgresql.url(name)), pictures, lease_seconds=600)
    store.add(several(1))
    opened = store.claim("h1", "Ana")
    assert store.claim("h2", "Bob") is None and store.held(Filter(), "h2") == 1
    assert store.count(Filter(older_than=timedelta(hours=1))) == 0
    kept = store.decide(opened, Verdict("accepted"), "Ana", "h1")
    assert abs(kept.decided_at - datetime.now(UTC)) < timedelta(minutes=5)
    store.engine.dispose()
    postgresql.drop(name)


def test_processes_that_do_anything_leave_a_history(store, database, pictures, processes) -> None:
    store.add(several(8))
    keys = list(store.frame()["key"])
    people = [f"person {n}" for n in range(3)]
    list(processes.map(meddle_apart, [database] * 3, [pictures.place] * 3, people, [keys] * 3, range(3)))
    check_agrees(store)
    assert len(list(store.log())) > 20


def test_nothing_promised_is_lost_when_the_writer_is_killed(store, database, pictures, processes) -> None:
    store.add(several(200))
    context = multiprocessing.get_context("forkserver")
    promised = []
    for patience in (0.0, 0.02, 0.05):
        listening, speaking = context.Pipe(duplex=False)
        writer = context.Process(target=decide_until_killed, args=(database, pictures.place, speaking))
        writer.start()
        speaking.close()
        promised.append(listening.recv())
        time.sleep(patience)
        writer.kill()
        with suppress(EOFError):  # cut short: the last was not promised
            while True:
                promised.append(listening.recv())
        writer.join()
        assert writer.exitcode == -signal.SIGKILL
    told = Counter(promised)
    assert set(told.values()) == {1} and len(told) >= 3
    log = list(store.log())
    kept = Counter(("decided", row.key, row.id) for row in log if row.undoes is None)
    kept += Counter(("undone", row.key, row.undoes) for row in log if row.undoes is not None)
    assert not told - kept, "promised, and not there"
    assert set(kept.values()) == {1}
    assert sum(kept.values()) - len(told) <= 3, "at most the one under way at each kill was not told"
    check_agrees(store)
    # What the dead had open is free for the next, once its lease has ended.
    store.lease_seconds = 0
    store.claim("writer", "Ana")
    store.release("writer")
    left = store.count(Filter())
    assert store.held(Filter(), "other") == 0
    assert len(work_off(store, "Bob")) == left
