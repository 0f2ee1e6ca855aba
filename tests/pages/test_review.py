"""The moderators' queue: every answer, what goes wrong, several at once, the second look."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from decisions.errors import DecisionError
from decisions.items import Filter, Item, NewItem, Verdict
from decisions.store import DecisionStore, open_store
from model.product import Product, RankedCategory
from settings import ROOT, settings
from tests.batch.samples import LAMP
from tests.pages.batch_page import keyed, plain, told
from ui.review.filters import STATES

ANNA, BEN = "Anna", "Ben"
RANKED = (RankedCategory(2060, 0.5), RankedCategory(1560, 0.3), RankedCategory(2583, 0.15), RankedCategory(10, 0.05))
HOSTILE = "Housse <script>alert(1)</script> **de** [x](//y) \u202eabc\u202c `code` :red[x] $x$"


@pytest.fixture
def store(tmp_path, monkeypatch) -> DecisionStore:
    """An empty store in a home of its own."""
    monkeypatch.setenv("RAYON_HOME", str(tmp_path))
    settings.cache_clear()
    st.cache_data.clear()
    yield open_store()
    settings.cache_clear()


def new(text: str, margin: float = 0.2, **more) -> NewItem:
    """A product whose first suggestion leads by ``margin``."""
    first = RankedCategory(2060, 0.3 + margin)
    return NewItem(
        Product(text, more.pop("description", None), more.pop("image", None)), (first, *RANKED[1:]), "m-1", **more
    )


def fill(store: DecisionStore, count: int = 3) -> list[Item]:
    """Some products, as the queue has them."""
    store.add([new(f"Produit {n}", 0.01 * (n + 1)) for n in range(count)])
    return store.items(Filter())


def opened(person: str | None = ANNA, language: str = "en", **state: object) -> AppTest:
    page = AppTest.from_file(ROOT / "pages" / "review.py", default_timeout=60)
    page.session_state["app_language"] = language
    if person:
        page.session_state["decide_person"] = person
    for name, value in state.items():
        page.session_state[name] = value
    page.run()
    assert not page.exception
    return page


def html(page: AppTest) -> str:
    return plain("\n".join(element.proto.body for element in page.get("html")))


def product(page: AppTest) -> str:
    """The piece of the page that shows the product."""
    return next((part.proto.body for part in page.get("html") if "class='rayon-product'" in part.proto.body), "")


def press(page: AppTest, what: str) -> AppTest:
    keyed(page.button, f"review_do_{what}").click().run()
    assert not page.exception
    return page


def last_said(page: AppTest) -> str:
    return next(part.proto.body for part in page.get("html") if "rayon-last" in part.proto.body)


def choose(page: AppTest, box: str, label: str) -> AppTest:
    """Chooses in one of the filters by what it shows."""
    found = keyed(page.selectbox, f"review_{box}_")
    found.set_value(next(place for place, name in enumerate(found.options) if name.startswith(label))).run()
    assert not page.exception
    return page


def tick(page: AppTest, *rows: int) -> AppTest:
    grid = keyed(page.dataframe, "review_grid_")
    page.session_state[grid.key] = {"selection": {"rows": list(rows), "columns": [], "cells": []}}
    return page.run()


def several(**more) -> AppTest:
    return opened(review_tab="several", **more)


def apply(page: AppTest) -> AppTest:
    keyed(page.button, "review_several_ask").click().run()
    keyed(page.button, "review_several_yes").click().run()
    assert not page.exception
    return page


# --- one product after the other ----------------------------------------------------------------------------


def test_the_name_comes_before_the_first_decision(store):
    [item, *_] = fill(store)
    page = opened(person=None)
    assert not product(page) and store.held(Filter(), "nobody") == 0
    keyed(page.text_input, "review_person_name").set_value("  Anna\t<b> ")
    keyed(page.button, "review_person_given").click().run()
    assert item.designation in product(page)
    press(page, "accept")
    assert store.find(item.key).standing.person == "Anna <b>"


@pytest.mark.parametrize(
    ("button", "decision", "code", "state"),
    [
        ("accept", "accepted", 2060, "decided"),
        ("pick2", "corrected", 1560, "decided"),
        ("pick4", "corrected", 10, "decided"),
        ("unknown", "unknown", None, "decided"),
        ("skip", "skipped", None, "skipped"),
    ],
)
def test_each_answer_is_recorded_and_the_next_product_comes(store, button, decision, code, state):
    first, second, _third = fill(store)
    page = opened()
    assert first.designation in product(page)
    keyed(page.text_input, "review_note_").set_value(" douteux ").run()
    press(page, button)
    item = store.find(first.key)
    assert (item.state, item.standing.decision, item.standing.code) == (state, decision, code)
    assert item.standing.note == "douteux" and item.standing.person == ANNA and item.standing.seconds > 0
    assert second.designation in product(page)
    assert keyed(page.text_input, "review_note_").value == ""
    assert first.designation in last_said(page)


def test_any_category_can_be_found(store):
    [first, *_] = fill(store)
    page = opened(language="fr")
    box = keyed(page.selectbox, "review_find_")
    assert box.options[0].startswith("2060") and len(box.options) == 27
    box.set_value(2905).run()
    item = store.find(first.key)
    assert (item.standing.decision, item.standing.code) == ("corrected", 2905)
    assert first.designation not in product(page)


def test_next_passes_over_and_leads_back(store):
    first, second, third = fill(store)
    page = opened()
    for item in (first, second, third):
        assert item.designation in product(page)
        press(page, "next")
    assert not product(page) and store.count(Filter()) == 3
    keyed(page.button, "review_again").click().run()
    assert first.designation in product(page)


def test_undo_takes_back_one_after_the_other_also_after_a_reload(store):
    first, second, _third = fill(store)
    page = opened()
    keyed(page.text_input, "review_note_").set_value("une note").run()
    press(page, "accept")
    press(page, "unknown")
    page = opened()  # another session of the same person
    assert second.designation in last_said(page)
    press(page, "undo")
    assert second.designation in product(page) and first.designation in last_said(page)
    press(page, "undo")
    assert first.designation in product(page)
    assert keyed(page.text_input, "review_note_").value == "une note"
    assert store.count(Filter()) == 3 and keyed(page.button, "review_do_undo").disabled


def test_undo_takes_back_what_is_said_to_be_the_last_and_nothing_decided_elsewhere(store):
    first, second, third = fill(store)
    page = opened()
    press(page, "accept")
    elsewhere = store.hold("elsewhere", ANNA, third.key)
    store.decide(elsewhere, Verdict("unknown"), ANNA, "elsewhere")
    press(page, "undo")
    assert store.states() == {"pending": 1, "decided": 2} and third.designation in last_said(page)
    assert "decided elsewhere" in page.warning[0].value and second.designation in product(page)
    press(page, "undo")
    assert third.designation in product(page) and first.designation in last_said(page)


def test_undo_passes_over_what_others_overruled_and_says_so(store):
    first, second, third = fill(store)
    page = opened()
    press(press(page, "accept"), "accept")
    store.decide(store.hold("ben", BEN, second.key), Verdict("corrected", 10), BEN, "ben")
    press(page, "undo")
    assert "decided on this product after you" in page.warning[0].value.replace("\\", "")
    assert third.designation in product(page) and first.designation in last_said(page)
    assert store.find(first.key).state == store.find(second.key).state == "decided"
    press(page, "undo")
    assert "1 decision of yours was passed over" in page.warning[0].value and first.designation in product(page)
    assert store.find(second.key).standing.code == 10 and keyed(page.button, "review_do_undo").disabled


def test_undo_leaves_what_another_has_open(store):
    first, second, _third = fill(store)
    page = press(opened(), "accept")
    store.hold("another", BEN, first.key)
    press(page, "undo")
    assert "Ben has this product open at the moment: nothing was taken back" in page.warning[0].value
    assert store.find(first.key).state == "decided" and second.designation in product(page)
    store.release("another")
    press(page, "undo")
    assert first.designation in product(page)


def test_a_note_comes_again_with_its_product(store):
    first, second, _third = fill(store)
    page = press(opened(), "accept")
    keyed(page.text_input, "review_note_").set_value("à finir").run()
    press(page, "undo")
    assert first.designation in product(page) and not keyed(page.text_input, "review_note_").value
    press(page, "accept")
    assert second.designation in product(page) and keyed(page.text_input, "review_note_").value == "à finir"
    press(press(page, "next"), "next")
    keyed(page.button, "review_again").click().run()
    press(page, "accept")
    assert store.find(second.key).standing.note == "à finir"


def pressed_in_haste() -> None:
    """A key that comes again before and after the next product is on screen."""
    from decisions.items import Filter
    from decisions.store import open_store
    from ui.review.desk import current, say, say_unknown

    store = open_store()
    opened = current(store, Filter(), "Anna")
    say(store, opened, "Anna", opened.item.code)
    say_unknown(store, opened, "Anna")
    current(store, Filter(), "Anna")
    say(store, opened, "Anna", opened.item.code)


def test_a_key_pressed_in_haste_decides_once(store):
    first, second, third = fill(store)
    page = AppTest.from_function(pressed_in_haste).run()
    assert not page.exception
    assert [store.find(item.key).state for item in (first, second, third)] == ["decided", "pending", "pending"]
    assert [one.decision for one in store.log()] == ["accepted"]


def test_two_people_never_see_the_same_product(store):
    fill(store, 4)
    anna, ben = opened(), opened(BEN)
    seen = [product(anna), product(ben)]
    for page in (anna, ben):
        press(page, "accept")
        seen.append(product(page))
    names = [next(f"Produit {n}" for n in range(4) if f"Produit {n}" in shown) for shown in seen]
    assert sorted(names) == [f"Produit {n}" for n in range(4)]
    del anna.session_state["review_counted"]  # as after some seconds
    assert "1 open by another" in told(anna.run())


# --- what goes wrong ----------------------------------------------------------------------------------------


def test_what_another_has_open_is_not_taken_and_the_note_is_not_lost(store):
    first, second, _third = fill(store)
    page = opened()
    keyed(page.text_input, "review_note_").set_value("à *garder*").run()
    store.lease_seconds, usual = -1, store.lease_seconds
    store.hold(page.session_state["decide_holder"], ANNA, first.key)  # run out at once
    store.lease_seconds = usual
    store.hold("another", BEN, first.key)
    press(page, "accept")
    assert "Ben has this product open" in page.error[0].value and "garder" in page.error[0].value
    assert first.designation in page.error[0].value.replace("\\", "")  # another product is on screen
    assert store.find(first.key).standing is None and second.designation in product(page)


def test_what_another_decided_meanwhile_comes_again_with_the_note(store):
    [first, *_] = fill(store)
    page = opened()
    keyed(page.text_input, "review_note_").set_value("ma note").run()
    store.decide(first, Verdict("corrected", 10), BEN, page.session_state["decide_holder"])
    press(page, "accept")
    assert "Ben has decided on this product meanwhile" in page.error[0].value
    assert first.designation in product(page) and "Ben" in page.info[0].value
    assert keyed(page.text_input, "review_note_").value == "ma note"
    press(page, "accept")  # seen now: it counts
    assert store.find(first.key).standing.code == 2060


def test_a_database_out_of_reach_is_said_and_nothing_is_lost(store, monkeypatch):
    first, second, _third = fill(store)
    page = opened()
    keyed(page.text_input, "review_note_").set_value("reste").run()

    def fails(*_args, **_more):
        raise DecisionError("database", {"error": "no route to host"})

    with monkeypatch.context() as patch:
        for name in ("decide", "hold", "claim", "count", "last"):
            patch.setattr(DecisionStore, name, fails)
        press(page, "accept")
        assert "no route to host" in told(page)
    page.run()
    assert first.designation in product(page) and keyed(page.text_input, "review_note_").value == "reste"
    press(page, "accept")
    assert store.find(first.key).standing.note == "reste" and second.designation in product(page)


def test_a_database_that_cannot_be_opened_gives_a_page(monkeypatch):
    monkeypatch.setenv("RAYON_DATABASE_URL", "mysql://nowhere")
    settings.cache_clear()
    page = opened()
    assert "Decisions cannot be kept" in told(page) and keyed(page.button, "decide_retry")
    settings.cache_clear()


def test_texts_are_text_and_pictures_that_cannot_be_shown_are_told(store):
    store.add(
        [
            new(HOSTILE, 0.01, description=HOSTILE * 20, image=LAMP, job="j", job_name="<i>f</i>.csv", row=4),
            new("Sans image lisible", 0.02, image=b"no picture"),
            new("Image effacée", 0.03, image=LAMP[:-1]),
        ]
    )
    page = opened(person="<img src=x onerror=y> *A*")
    shown = product(page)
    assert "<script" not in shown and "&lt;script&gt;" in shown and "\u202e" not in shown
    assert "<i>" not in shown and "data:image/jpeg;base64," in shown and "<details>" in shown
    assert "row 5" in shown
    press(page, "accept")
    assert "<script" not in last_said(page) and "<img" not in last_said(page)
    assert "The file is not an image" in product(page)
    for text in (told(page), "".join(element.value for element in page.markdown)):
        assert "<img" not in text.replace("\\<img", "")
    press(page, "accept")
    assert "Image effacée" in product(page)


def test_a_purged_picture_is_told(store):
    store.add([new("Lampe", image=LAMP)])
    [item] = store.items(Filter())
    store.pictures.remove(item.picture)
    assert "The picture was deleted." in product(opened())


# --- which ones ---------------------------------------------------------------------------------------------


def test_filters_narrow_and_are_kept_on_the_way_to_another_page(store):
    store.add([new("Un doute", 0.01, source="batch", reason="doubt", job="a", job_name="a.csv", row=0)])
    store.add([replace(new("Un contrôle", 0.5, source="batch", reason="audit", job="b", job_name="b.csv", row=0))])
    page = opened()
    assert "Un doute" in product(page) and "**2** products wait" in told(page)
    choose(page, "reason", "drawn for the audit")
    assert "Un contrôle" in product(page) and "**1** product waits" in told(page)
    choose(page, "job", "a.csv")
    assert not product(page) and "No product passes these filters" in told(page)
    kept = page.session_state["review_filter"]
    assert page.query_params["job"] == "a" and page.query_params["reason"] == "audit"
    keyed(page.button, "review_loosen").click().run()
    assert "Un doute" in product(page) and not page.query_params
    page = opened(review_filter={**kept, "job": None})
    assert "Un contrôle" in product(page)


def test_the_address_brings_the_filters_back_and_nonsense_is_left_out(store):
    fill(store)
    page = AppTest.from_file(ROOT / "pages" / "review.py", default_timeout=60)
    page.session_state["decide_person"], page.session_state["app_language"] = ANNA, "en"
    wrong = {"state": "second_look", "category": "²", "job": "<b>", "days": "-1", "order": "x"}
    for name, value in wrong.items():
        page.query_params[name] = value
    page.run()
    assert not page.exception and "second look" in told(page)
    assert page.query_params == {"state": "second_look"}
    assert "left out: Category suggested, File, Waiting, Order" in page.warning[0].value


@pytest.mark.parametrize("name", ["state", "category", "job", "reason", "days", "order", "other"])
def test_nothing_that_an_address_can_hold_breaks_the_page(store, name):
    fill(store, 20)
    for value in ("9" * 5_000, str(2**63), "-1", "NaN", "1e9", "٣", "", " ", "\0", "🪑", "None", "'; --", "null"):
        page = AppTest.from_file(ROOT / "pages" / "review.py", default_timeout=60)
        page.session_state["decide_person"], page.session_state["app_language"] = ANNA, "en"
        page.query_params[name] = value
        page.run()
        assert not page.exception, value
        assert product(page) and bool(page.warning) == (name != "other"), value


def test_a_category_that_no_product_has_is_said(store):
    fill(store)
    page = AppTest.from_file(ROOT / "pages" / "review.py", default_timeout=60)
    page.session_state["decide_person"], page.session_state["app_language"] = ANNA, "en"
    page.query_params["category"] = "123456789012"
    page.run()
    assert not page.exception and "No product passes these filters" in told(page)


def test_age_and_order(store):
    fill(store)
    later = datetime.now(UTC) + timedelta(days=2)
    DecisionStore(store.engine, store.pictures, clock=lambda: later).add([new("Le plus récent", 0.9)])
    page = opened()
    choose(page, "order", "Newest first")
    assert "Le plus récent" in product(page)
    choose(page, "days", "More than 1 day")
    assert not product(page)


def test_an_empty_queue_says_where_to_go_on(store):
    page = opened()
    assert "The queue is empty" in told(page)
    [item] = fill(store, 1)
    store.decide(item, Verdict("skipped"), BEN, "h")
    page.run()
    assert "Everything is decided" in told(page)
    keyed(page.button, "review_to_skipped").click().run()
    assert item.designation in product(page) and "Ben" in page.info[0].value
    assert not [button for button in page.button if button.key.startswith("review_do_skip")]
    press(page, "accept")
    assert store.find(item.key).state == "decided" and "No product is laid aside" in told(page)


def test_a_second_look_is_blind_and_by_another(store):
    store.second_look, usual = 1.0, store.second_look
    first, second = fill(store, 2)
    store.second_look = usual
    for item in (first, second):
        store.decide(item, Verdict("corrected", 1560, note="vu"), BEN, "h")
    assert not product(opened(BEN, review_filter={"state": "second_look"}))
    page = opened(review_filter={"state": "second_look"})
    assert "What they said shows after your answer" in told(page) and "Ben" not in told(page) + html(page)
    shown = [item for item in (first, second) if item.designation in product(page)]
    press(page, "pick2")
    assert store.find(shown[0].key).state == "approved" and "as Ben had said" in last_said(page)
    press(page, "accept")
    assert "Ben had said 1560" in last_said(page)
    assert sorted(store.states()) == ["approved", "decided"]


# --- several at once ----------------------------------------------------------------------------------------


def test_several_are_accepted_each_with_its_own_and_taken_back_as_one(store):
    items = fill(store, 5)
    page = several()
    table = keyed(page.dataframe, "review_grid_").value
    assert list(table["text"]) == [item.designation for item in items]
    tick(page, 0, 2, 3)
    apply(page)
    assert "3 products decided" in page.info[0].value and "3 products → 2060" in plain(last_said(page))
    assert [store.find(item.key).state for item in items] == ["decided", "pending", "decided", "decided", "pending"]
    assert len(keyed(page.dataframe, "review_grid_").value) == 2
    press(page, "undo")
    assert "3 products" in page.info[0].value and store.count(Filter()) == 5


def test_of_several_undo_leaves_what_others_have_decided_or_opened(store):
    items = fill(store, 5)
    page = apply(tick(several(), 0, 1, 2, 3))
    store.decide(store.hold("ben", BEN, items[0].key), Verdict("corrected", 10), BEN, "ben")
    store.hold("another", BEN, items[1].key)
    press(page, "undo")
    said = page.warning[0].value
    assert "2 products are as they were" in said and "1 decision of yours was passed over" in said
    assert "1 left as it is" in said
    assert [store.find(item.key).state for item in items] == ["decided", "decided", "pending", "pending", "pending"]


def test_one_category_for_several_with_a_note(store):
    items = fill(store)
    page = tick(several(language="fr"), 0, 1)
    box = keyed(page.selectbox, "review_several_verdict")
    box.set_value(1).run()
    assert not [button for button in page.button if button.key == "review_several_ask"]
    keyed(page.selectbox, "review_several_code").set_value(2905).run()
    keyed(page.text_input, "review_several_note").set_value("lot").run()
    apply(page)
    found = [store.find(item.key).standing for item in items]
    assert [(one.code, one.note) for one in found[:2]] == [(2905, "lot")] * 2 and found[2] is None
    assert found[0].action == found[1].action


def test_several_leave_what_others_have(store):
    items = fill(store)
    page = tick(several(), 0, 1, 2)
    store.hold("another", BEN, items[0].key)
    store.decide(items[1], Verdict("unknown"), BEN, "third")
    apply(page)
    assert "1 product decided" in page.warning[0].value
    assert "somebody else has it open" in page.warning[0].value and "decided on meanwhile" in page.warning[0].value
    assert store.find(items[2].key).standing.decision == "accepted"
    assert store.find(items[1].key).standing.decision == "unknown"


def test_what_was_open_and_is_decided_among_several_does_not_come_again(store):
    items = fill(store)
    page = opened()
    assert items[0].designation in product(page)
    page.session_state["review_tabs_en"] = "Several at once"
    apply(tick(page.run(), 0, 1))
    page.session_state["review_tabs_en"] = "Decide"
    assert items[2].designation in product(page.run())
    assert not page.info and store.held(Filter(), "nobody") == 1


def test_a_selection_stands_while_others_decide(store):
    items = fill(store, 4)
    page = several()
    store.decide(items[0], Verdict("unknown"), BEN, "third")
    tick(page, 1)
    assert list(keyed(page.dataframe, "review_grid_").value["text"])[1] == items[1].designation
    keyed(page.button, "review_reload").click().run()
    assert len(keyed(page.dataframe, "review_grid_").value) == 3


def test_second_looks_are_approved_together(store):
    store.second_look, usual = 1.0, store.second_look
    items = fill(store)
    store.second_look = usual
    for item in items:
        store.decide(item, Verdict("corrected", 1560), BEN, "h")
    page = tick(several(review_filter={"state": "second_look"}), 0, 1, 2)
    assert keyed(page.dataframe, "review_grid_").value["standing"].str.startswith("Ben").all()
    apply(page)
    assert store.states() == {"approved": 3}


def test_a_second_look_that_is_skipped_leaves_the_decision_as_it_is(store):
    store.second_look, usual = 1.0, store.second_look
    first, second = fill(store, 2)
    store.second_look = usual
    for item in (first, second):
        store.decide(item, Verdict("corrected", 1560), BEN, "h")
    rows = len(list(store.log()))
    page = opened(review_filter={"state": "second_look"})
    shown, other = sorted((first, second), key=lambda item: item.designation not in product(page))
    press(page, "skip")
    assert "nothing recorded" in page.info[0].value and shown.designation in page.info[0].value.replace("\\", "")
    assert other.designation in product(page)
    press(page, "skip")
    assert not product(page) and len(list(store.log())) == rows and store.states() == {"decided": 2}
    page.session_state["decide_person"] = "Chloé"
    assert product(page.run()), "somebody else has passed over nothing"


def test_what_was_skipped_is_decided_on_later(store):
    first, *_ = fill(store)
    press(opened(), "skip")
    page = opened(BEN, review_filter={"state": "skipped"})
    assert first.designation in product(page)
    press(page, "pick2")
    assert (store.find(first.key).state, store.find(first.key).standing.code) == ("decided", 1560)
    press(page, "undo")
    assert store.find(first.key).state == "skipped"


@pytest.mark.parametrize("tab", ["progress", "threshold", "taking"])
def test_the_other_tabs_need_no_name(store, tab):
    fill(store)
    opened(person=None, review_tab=tab)


@pytest.mark.parametrize("state", STATES)
def test_french(store, state):
    fill(store)
    opened(language="fr", review_filter={"state": state})
