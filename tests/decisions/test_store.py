"""What a moderator and a colleague may do, and what is kept of it; the same on SQLite and PostgreSQL."""

from datetime import timedelta

import pytest

from decisions.errors import DecisionError
from decisions.items import MAX_NOTE, Added, Filter, Many, NewItem, Undone, Verdict, product_key, verdict_on
from model.product import Product, RankedCategory
from tests.decisions.samples import CODES, check_agrees, new_item, ranked, replayed, several

ACCEPT = "accepted"


def refused(reason: str):
    """The call ends in a DecisionError for this reason."""
    return pytest.raises(DecisionError, check=lambda error: error.reason == reason and str(error))


def keys(found) -> list[str]:
    return [item.designation for item in found]


# --- products ----------------------------------------------------------------------------------------------


def test_a_product_comes_back_as_it_was_put_in(store, pictures, clock) -> None:
    new = new_item(
        *("Lampe", 60, 40),
        first=0.125,
        description="À poser",
        image=b"\x89PNG...",
        source="batch",
        reason="audit",
        weight=12.5,
        job="j1",
        job_name="été.csv",
        row=7,
    )
    assert store.add([new]) == Added(added=1)
    item = store.find(product_key(new.product))
    assert (item.designation, item.description) == ("Lampe", "À poser")
    assert pictures.read(item.picture) == b"\x89PNG..."
    assert item.suggestions == new.suggestions and (item.code, item.confidence) == (60, 0.125)
    assert item.margin == pytest.approx(0.125 - 0.4375)
    assert (item.source, item.reason) == ("batch", "audit")
    assert (item.job, item.job_name, item.row) == ("j1", "été.csv", 7)
    assert (item.state, item.standing, item.added_at, item.second_look) == ("pending", None, clock.now, False)


def test_what_is_there_is_not_added_twice(store) -> None:
    assert store.add([new_item("a"), new_item("b"), new_item("a")]) == Added(added=2, waiting=1)
    store.record(new_item("b"), Verdict(ACCEPT), "Ana", "h1")
    assert store.add([new_item("a"), new_item("b"), new_item("c")]) == Added(added=1, waiting=1, decided=1)
    assert store.states() == {"pending": 2, "decided": 1}


def test_many_are_added_in_pieces(store) -> None:
    assert store.add(iter(several(450))) == Added(added=450)
    assert store.count(Filter()) == 450


def test_products_differ_when_a_field_does() -> None:
    products = [Product("a", "b"), Product("ab", None), Product("ab", ""), Product(None, "ab"), Product("a", "b", b"")]
    assert len(set(map(product_key, products))) == len(products)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("a\0b", "a\ufffdb"),
        ("half \ud83d of one", "half \ufffd of one"),
        ("whole 😀🪑 𝒳", "whole 😀🪑 𝒳"),
        ("x" * 300_000 + "é", "x" * 300_000 + "é"),
        ("'; DROP TABLE items; --", "'; DROP TABLE items; --"),
        ("%s %(a)s :name {x}", "%s %(a)s :name {x}"),
        ("", ""),
        ("\r\n\t \u2028\ufeff", "\r\n\t \u2028\ufeff"),
    ],
)
def test_any_text_is_kept(store, given, kept) -> None:
    new = new_item(given, description=given, job="j", job_name=given)
    noted = f"n{given[: MAX_NOTE - 2]}n"
    decision = store.record(new, Verdict("unknown", note=noted), "Ana", "h1")
    item = store.find(product_key(new.product))
    assert (item.designation, item.description, item.job_name) == (kept, kept, kept)
    assert store.history(item.key) == [decision]
    assert decision.note == f"n{kept[: MAX_NOTE - 2]}n"
    assert store.add([new]) == Added(decided=1)


# --- the queue ---------------------------------------------------------------------------------------------


def test_the_queue_has_an_order_and_filters(store, clock) -> None:
    for text, code, first, job, reason in (
        ("sure", 10, 0.9, "j1", "audit"),
        ("doubtful", 10, 0.4, "j1", "doubt"),
        ("between", 40, 0.6, "j2", "doubt"),
    ):
        store.add([new_item(text, code, 50, 60, first=first, job=job, job_name=f"{job}.csv", reason=reason)])
        clock.go(hours=1)
    assert keys(store.items(Filter(order="doubt"))) == ["doubtful", "between", "sure"]
    assert keys(store.items(Filter(order="oldest"))) == ["sure", "doubtful", "between"]
    assert keys(store.items(Filter(order="newest"))) == ["between", "doubtful", "sure"]
    assert keys(store.items(Filter(), limit=1, offset=1)) == ["between"]
    for where, passing in (
        (Filter(category=10), ["doubtful", "sure"]),
        (Filter(job="j2"), ["between"]),
        (Filter(reason="doubt"), ["doubtful", "between"]),
        (Filter(older_than=timedelta(hours=2)), ["doubtful", "sure"]),
        (Filter(older_than=timedelta(hours=2), category=10, reason="audit"), ["sure"]),
        (Filter(state="decided"), []),
    ):
        assert keys(store.items(where)) == passing and store.count(where) == len(passing)
        store.release("h")
        claimed = store.claim("h", "Ana", where)
        assert (claimed and claimed.designation) == (passing[0] if passing else None)
    assert store.categories(Filter()) == {10: 2, 40: 1}
    assert store.jobs() == {"j2": "j2.csv", "j1": "j1.csv"}


def test_two_moderators_never_have_the_same(store) -> None:
    store.add(several(3))
    ana, bob = store.claim("h1", "Ana"), store.claim("h2", "Bob")
    assert keys([ana, bob]) == ["Produit 0", "Produit 1"]
    assert store.claim("h1", "Ana").key == ana.key, "what one has open comes again"
    assert store.held(Filter(), "h1") == 1 and store.held(Filter(), "h3") == 2
    assert store.claim("h1", "Ana", passed=[ana.key]).designation == "Produit 2"
    assert store.claim("h3", "Cem").key == ana.key, "what one passes is free for the next"
    assert store.claim("h4", "Dov") is None
    with refused("held") as caught:
        store.decide(bob, Verdict(ACCEPT), "Ana", "h1")
    assert "Bob" in str(caught.value)
    with refused("held"):
        store.hold("h1", "Ana", bob.key)
    store.release("h2")
    assert store.hold("h1", "Ana", bob.key).key == bob.key
    assert list(store.log()) == []


def test_a_lease_ends_by_itself(make_store, clock) -> None:
    store = make_store(lease_seconds=60)
    store.add(several(1))
    item = store.claim("h1", "Ana")
    clock.go(seconds=59.9)
    assert store.claim("h2", "Bob") is None
    clock.go(seconds=0.1)
    assert store.claim("h2", "Bob").key == item.key
    with refused("held") as caught:
        store.decide(item, Verdict(ACCEPT), "Ana", "h1")
    assert caught.value.details["person"] == "Bob"
    clock.go(seconds=60)
    store.decide(item, Verdict(ACCEPT), "Ana", "h1")
    with refused("changed"):
        store.decide(item, Verdict(ACCEPT), "Bob", "h2")
    assert len(list(store.log())) == 1


def test_who_comes_back_late_may_still_decide_when_nobody_took_it(make_store, clock) -> None:
    store = make_store(lease_seconds=10)
    store.add(several(1))
    item = store.claim("h1", "Ana")
    clock.go(hours=5)
    store.decide(item, Verdict(ACCEPT), "Ana", "h1")
    assert store.states() == {"decided": 1}


# --- decisions ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verdict", "code", "state"),
    [
        (Verdict("accepted"), 10, "decided"),
        (Verdict("corrected", 60), 60, "decided"),
        (Verdict("corrected", 2583), 2583, "decided"),
        (Verdict("unknown", 60), None, "decided"),
        (Verdict("skipped"), None, "skipped"),
    ],
)
def test_a_verdict_is_recorded(store, clock, verdict, code, state) -> None:
    store.add([new_item()])
    item = store.claim("h1", "Ana")
    clock.go(seconds=8)
    kept = store.decide(item, Verdict(verdict.decision, verdict.code, " hm ", 7.5), "  Ana\t B. ", "h1")
    assert (kept.decision, kept.code, kept.note, kept.seconds) == (verdict.decision, code, "hm", 7.5)
    assert (kept.person, kept.decided_at, kept.model, kept.replaces, kept.undoes) == (
        *("Ana B.", clock.now, "open-1"),
        *(None, None),
    )
    assert kept.suggestions == item.suggestions
    after = store.find(item.key)
    assert (after.state, after.standing) == (state, kept)
    assert store.history(item.key) == [kept] == list(store.log()) == store.last("Ana B.")
    assert store.people() == ["Ana B."]
    assert store.claim("h2", "Bob") is None
    check_agrees(store)


@pytest.mark.parametrize(
    ("verdict", "person", "reason"),
    [
        (Verdict("corrected"), "Ana", "code_missing"),
        (Verdict("accepted", note="x" * (MAX_NOTE + 1)), "Ana", "note_too_long"),
        (Verdict("accepted"), "", "no_person"),
        (Verdict("accepted"), " \t\u200b\0", "no_person"),
        (Verdict("accepted"), "x" * 81, "no_person"),
    ],
)
def test_a_verdict_that_cannot_be_leaves_all_as_it_was(store, verdict, person, reason) -> None:
    store.add([new_item()])
    item = store.claim("h1", "Ana")
    with refused(reason):
        store.decide(item, verdict, person, "h1")
    with refused(reason):
        store.decide_many([item], verdict, person, "h1")
    with refused(reason):
        store.record(new_item("other"), verdict, person, "h1")
    assert list(store.log()) == [] and store.people() == []
    assert store.states() == {"pending": 1}


def test_what_nobody_decided_cannot_be_approved(store) -> None:
    store.add([new_item()])
    item = store.claim("h1", "Ana")
    for decision in ("", "skipped"):
        if decision:
            store.decide(item, Verdict(decision), "Ana", "h1")
        item = store.find(item.key)
        with refused("changed"):
            store.decide(item, Verdict("approved"), "Bob", "h1")
        assert store.decide_many([item], Verdict("approved"), "Bob", "h1") == Many(changed=1)
    assert len(list(store.log())) == 1


@pytest.mark.parametrize("decision", ["undone", "", "Accepted", "rejected"])
def test_a_decision_that_does_not_exist_is_a_mistake_of_the_program(store, decision) -> None:
    store.add([new_item()])
    with pytest.raises(ValueError, match="decision"):
        store.decide(store.claim("h1", "Ana"), Verdict(decision), "Ana", "h1")
    assert list(store.log()) == []


def test_the_same_action_twice_is_recorded_once(store) -> None:
    store.add([new_item()])
    item, verdict = store.claim("h1", "Ana"), Verdict("corrected", 40)
    first = store.decide(item, verdict, "Ana", "h1")
    assert store.decide(item, verdict, "Ana", "h1") == first
    store.decide(store.find(item.key), Verdict("corrected", 50), "Bob", "h2")
    assert store.decide(item, verdict, "Ana", "h1") == first, "a retry that comes late changes nothing"
    assert store.find(item.key).standing.code == 50
    assert len(list(store.log())) == 2
    check_agrees(store)


def test_who_looks_at_what_is_outdated_is_told(store) -> None:
    store.add([new_item()])
    item = store.claim("h1", "Ana")
    kept = store.decide(item, Verdict(ACCEPT), "Ana", "h1")
    for holder in ("h1", "h2"):
        with refused("changed") as caught:
            store.decide(item, Verdict("corrected", 50), "Bob", holder)
        assert caught.value.details["standing"] == kept and "Ana" in str(caught.value)
    store.undo("Ana", "Ana")
    decided = store.find(item.key)
    store.decide(decided, Verdict("corrected", 60), "Bob", "h2")
    with refused("changed"):
        store.decide(decided, Verdict(ACCEPT), "Ana", "h1")
    assert [row.decision for row in store.log()] == ["accepted", "undone", "corrected"]


def test_recording_adds_and_decides_at_once(store) -> None:
    new = new_item("Table", 40, 10)
    kept = store.record(new, Verdict(ACCEPT), "Ana", "h1")
    assert (kept.code, store.find(kept.key).state) == (40, "decided")
    with refused("changed"):
        store.record(new, Verdict("corrected", 10), "Bob", "h2")
    newer = NewItem(new.product, ranked(60, 50), "open-2")
    again = store.record(newer, Verdict(ACCEPT), "Bob", "h2", seen=kept.id)
    assert (again.code, again.model, again.replaces) == (60, "open-2", kept.id), "what this person was shown"
    assert store.find(kept.key).model == "open-1"
    store.add([new_item("Lit")])
    lit = store.claim("h1", "Ana")
    with refused("held"):
        store.record(new_item("Lit"), Verdict(ACCEPT), "Bob", "h2")
    assert store.find(lit.key).state == "pending"
    check_agrees(store)


def test_several_at_once(store, clock) -> None:
    store.add([new_item(f"P{n}", CODES[n % 4], 2583) for n in range(6)])
    found = store.items(Filter(order="oldest"))
    store.hold("h2", "Bob", found[0].key)
    store.decide(found[1], Verdict("unknown"), "Cem", "h3")
    verdict = Verdict(ACCEPT)
    assert store.decide_many(found, verdict, "Ana", "h1") == Many(done=4, held=1, changed=1)
    assert store.decide_many(found, verdict, "Ana", "h1") == Many(done=4, held=1, changed=1), "and once only"
    mine = [row for row in store.log() if row.person == "Ana"]
    assert len(mine) == 4 and {row.action for row in mine} == {verdict.action}
    assert all(row.code == row.suggestions[0].code for row in mine), "each its own first category"
    clock.go(seconds=1)
    assert sorted(store.undo("Ana", "Ana").keys) == sorted(row.key for row in mine), "undone as one"
    assert store.states() == {"pending": 5, "decided": 1}
    check_agrees(store)


# --- undo --------------------------------------------------------------------------------------------------


def test_undo_goes_back_step_by_step(store) -> None:
    store.add(several(2))
    first = store.claim("h1", "Ana")
    store.decide(first, Verdict("skipped"), "Ana", "h1")
    store.decide(store.find(first.key), Verdict("corrected", 60), "Ana", "h1")
    second = store.claim("h1", "Ana")
    store.decide(second, Verdict("unknown"), "Ana", "h1")
    assert store.undo("Ana", "Ana").keys == (second.key,)
    assert store.undo("Ana", "Ana").keys == (first.key,)
    assert store.find(first.key).state == "skipped"
    assert store.undo("Ana", "Ana").keys == (first.key,)
    with refused("nothing_to_undo"):
        store.undo("Ana", "Ana")
    with refused("nothing_to_undo"):
        store.undo("Bob", "Bob")
    assert store.states() == {"pending": 2}
    assert [row.decision for row in store.log()] == ["skipped", "corrected", "unknown", "undone", "undone", "undone"]
    assert store.last("Ana") == []
    check_agrees(store)


def test_what_somebody_decided_after_me_stays(store) -> None:
    store.add(several(2))
    bulk = store.items(Filter())
    store.decide_many(bulk, Verdict(ACCEPT), "Ana", "h1")
    kept = store.decide(store.find(bulk[1].key), Verdict("corrected", 60), "Bob", "h2")
    assert store.undo("Ana", "Ana") == Undone((bulk[0].key,), overruled=1)
    with refused("undo_changed"):
        store.undo("Ana", "Ana")
    assert store.find(kept.key).standing == kept
    assert store.undo("Bob", "Bob") == Undone((kept.key,))
    assert store.undo("Ana", "Ana") == Undone((kept.key,)), "it counts again, so it can be taken back"
    assert store.states() == {"pending": 2}
    check_agrees(store)


def test_an_overruled_decision_does_not_stand_before_earlier_ones(store) -> None:
    store.add(several(3))
    first, second, third = store.items(Filter())
    for item in (first, second, third):
        store.decide(item, Verdict(ACCEPT), "Ana", "h1")
    for item in (second, third):
        store.decide(store.find(item.key), Verdict("corrected", 60), "Bob", "h2")
    assert store.undo("Ana", "h1") == Undone((first.key,), overruled=2)


def test_undo_leaves_what_others_have_open(make_store, clock) -> None:
    store = make_store(lease_seconds=60)
    store.add(several(2))
    bulk = store.items(Filter())
    store.decide_many(bulk, Verdict(ACCEPT), "Ana", "h1")
    opened = store.hold("h2", "Bob", bulk[0].key)
    assert store.undo("Ana", "h1") == Undone((bulk[1].key,), held=1)
    with refused("held"):
        store.undo("Ana", "h1")
    store.decide(opened, Verdict("corrected", 60), "Bob", "h2")
    store.undo("Bob", "h2")
    store.hold("h2", "Bob", bulk[0].key)
    clock.go(seconds=60)
    assert store.undo("Ana", "h1").keys == (bulk[0].key,), "a lease ends by itself"
    check_agrees(store)


def test_undo_takes_back_what_is_shown_or_nothing(store) -> None:
    store.add(several(3))
    one, two, three = store.items(Filter())
    first = store.decide(one, Verdict(ACCEPT), "Ana", "h1")
    store.decide_many([two, three], Verdict(ACCEPT), "Ana", "h1")
    both = [row.id for row in store.log()][1:]
    for only, reason in (([first.id], "undo_other"), (both[:1], "undo_other"), ([*both, 99], "undo_changed")):
        with refused(reason):
            store.undo("Ana", "h1", only)
    assert set(store.undo("Ana", "h1", both).keys) == {two.key, three.key}
    with refused("undo_done"):
        store.undo("Ana", "h1", both)
    assert store.undo("Ana", "h1", [first.id]).keys == (one.key,)


# --- second look -------------------------------------------------------------------------------------------


def test_a_second_look_is_taken_by_another(make_store) -> None:
    store = make_store(second_look=1.0)
    store.add([new_item("A"), new_item("B")])
    second = Filter(state="second_look")
    assert store.claim("h2", "Bob", second) is None
    for item in store.items(Filter()):
        store.decide(item, Verdict("corrected", 60), "Ana", "h1")
    assert (store.count(second, "Ana"), store.count(second, "Bob"), store.count(second)) == (0, 2, 2)
    assert store.claim("h1", "Ana", second) is None and store.items(second, person="Ana") == []
    item = store.claim("h2", "Bob", second)
    with refused("own"):
        store.decide(item, Verdict("approved"), "Ana", "h2")
    assert verdict_on(item, 60, "Bob").decision == "approved" and verdict_on(item, 10, "Bob").decision == "accepted"
    kept = store.decide(item, verdict_on(item, 60, "Bob"), "Bob", "h2")
    assert (kept.decision, kept.code, store.find(item.key).state) == ("approved", 60, "approved")
    assert store.count(second, "Bob") == 1
    other = store.claim("h2", "Bob", second)
    store.decide(other, Verdict("unknown"), "Bob", "h2")
    assert store.categories(second, "Ana") == store.categories(second, "Bob") == {}
    assert store.categories(second, "Cem") == {10: 1}, "who disagree have a third person look"
    assert store.decide(store.find(other.key), Verdict("approved"), "Ana", "h1").code is None
    assert store.undo("Ana", "h1").keys == (other.key,)
    assert store.states() == {"approved": 1, "decided": 1}
    check_agrees(store)


def test_a_third_person_settles_what_two_disagree_on(make_store) -> None:
    store = make_store(second_look=1.0)
    store.add([new_item("A")])
    key = store.items(Filter())[0].key
    for person, code in (("Ana", 40), ("Bob", 50), ("Bob", 60), ("Ana", 40), ("Cem", 50)):
        kept = store.decide(store.find(key), Verdict("corrected", code), person, person)
        assert kept.decision == "corrected" and store.find(key).state == "decided", (person, code)
    store.undo("Cem", "Cem")
    assert store.count(Filter(state="second_look"), "Cem") == 1, "what was taken back is as if never said"
    kept = store.decide(store.find(key), Verdict("corrected", 60), "Cem", "Cem")
    assert (kept.decision, kept.code, kept.replaces) == ("approved", 60, store.history(key)[3].id)
    assert store.count(Filter(state="second_look"), "Dan") == 0
    check_agrees(store)


def test_skipping_takes_no_decision_away(make_store) -> None:
    store = make_store(second_look=1.0)
    for first in (Verdict("corrected", 60), Verdict("unknown")):
        kept = store.record(new_item(first.decision), first, "Ana", "h1")
        for person in ("Ana", "Bob"):
            with refused("skip_decided"):
                store.decide(store.find(kept.key), Verdict("skipped"), person, person)
            with refused("skip_decided"):
                store.decide_many([store.find(kept.key)], Verdict("skipped"), person, person)
        assert store.find(kept.key).standing == kept


def test_the_sample_is_drawn_by_key(make_store) -> None:
    store = make_store(second_look=0.25)
    store.add(several(400))
    drawn = store.frame().set_index("key")["second_look"]
    assert 60 < drawn.sum() < 140
    assert all(drawn[key] == (int(key[:8], 16) < 2**30) for key in drawn.index)


# --- reading -----------------------------------------------------------------------------------------------


def test_the_frame_has_a_row_for_each_item(store, clock) -> None:
    store.add([new_item("A", job="j", job_name="J", row=3), new_item("B", 60, 10, first=0.75)])
    clock.go(minutes=1)
    decided = store.decide(store.find(product_key(Product("B"))), Verdict(ACCEPT, seconds=2.5), "Ana", "h1")
    frame = store.frame().set_index("key")
    assert len(frame) == 2
    row = frame.loc[decided.key]
    assert (row["first"], row["confidence"], row["margin"], row["code"], row["seconds"]) == (60, 0.75, 0.625, 60, 2.5)
    assert row["decided_at"] == clock.now and row["person"] == "Ana"
    other = frame.loc[product_key(Product("A"))]
    assert (other["job"], other["row"], other["state"]) == ("j", 3, "pending")
    assert other[["decision", "code", "person", "decided_at", "seconds", "note"]].isna().all()


def test_an_empty_store_answers(store) -> None:
    assert (store.items(Filter()), store.count(Filter()), store.states(), store.people()) == ([], 0, {}, [])
    assert (store.jobs(), store.categories(Filter()), list(store.log())) == ({}, {}, [])
    assert store.frame().empty and "decided_at" in store.frame().columns
    assert store.find("0" * 64) is None and store.history("0" * 64) == [] and store.add([]) == Added()
    with refused("gone"):
        store.hold("h", "Ana", "0" * 64)


def test_the_log_is_read_in_pieces(store, monkeypatch) -> None:
    monkeypatch.setattr("decisions.reading._CHUNK", 3)
    store.add(several(8))
    store.decide_many(store.items(Filter()), Verdict(ACCEPT), "Ana", "h1")
    found = [row.id for row in store.log()]
    assert len(found) == 8 and found == sorted(set(found))
    assert len(replayed(store)) == 8


def test_people_have_other_names_that_stay(store) -> None:
    store.record(new_item("A"), Verdict(ACCEPT), "Ana", "h1")
    store.record(new_item("B"), Verdict(ACCEPT), "Bob", "h2")
    before = store.aliases()
    store.record(new_item("C"), Verdict(ACCEPT), "Ana", "h1")
    assert store.aliases() == before and set(before) == {"Ana", "Bob"}
    assert len(set(before.values())) == 2 and not any("Ana" in alias or "Bob" in alias for alias in before.values())


def test_a_single_suggestion_is_all_the_margin_there_is(store) -> None:
    store.add([NewItem(Product("A"), (RankedCategory(10, 0.8),), "open-1")])
    assert store.items(Filter())[0].margin == pytest.approx(0.8)
