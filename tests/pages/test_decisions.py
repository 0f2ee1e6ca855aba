"""Deciding under an answer: on the page of one product, and on a row of a file."""

import sqlite3
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import ui.decide.asking
import ui.decide.case
import ui.decide.panel
import ui.language
from decisions.errors import DecisionError
from decisions.items import MAX_NOTE, Filter, Verdict, product_key
from decisions.store import DecisionStore, open_store
from model.product import Product
from settings import ROOT, settings
from tests.pages.batch_page import told

LAMP = "Lampe de chevet en bois avec abat-jour"
HOSTILE = "<script>alert(1)</script> **gras** [lien](//x) \u202e$x$ :red[r]"
WRONG = 2583


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home of the test's own, and so a database."""
    monkeypatch.setenv("RAYON_HOME", str(tmp_path))
    # AppTest names the options of a box outside of any session.
    monkeypatch.setattr(ui.language, "DEFAULT", "en")
    settings.cache_clear()
    yield tmp_path
    settings.cache_clear()


@pytest.fixture
def store(home) -> DecisionStore:
    return open_store()


def opened(person: str | None = "Marie", designation: str | None = LAMP, image: bytes | None = None) -> AppTest:
    """The page with a product on it, in English."""
    page = AppTest.from_file(ROOT / "pages" / "classify.py", default_timeout=120)
    page.session_state["app_language"] = "en"
    page.session_state["classify_image"] = image
    if designation is not None:
        page.session_state["classify_designation"] = designation
    if person is not None:
        page.session_state["decide_person"] = person
    page.run()
    assert not page.exception
    return page


def press(page: AppTest, name: str) -> AppTest:
    page.button(key=f"classify_decide_{name}").click().run()
    assert not page.exception
    return page


def noted(page: AppTest, note: str) -> AppTest:
    page.text_area(key="classify_decide_note").set_value(note)
    return page


def choose(page: AppTest, code: int) -> AppTest:
    [box] = [box for box in page.selectbox if box.key.startswith("classify_decide_category_")]
    box.set_value(code).run()
    return page


def buttons(page: AppTest) -> set[str]:
    start = "classify_decide_"
    return {button.key.removeprefix(start) for button in page.button if (button.key or "").startswith(start)}


def item(store: DecisionStore, **fields):
    return store.find(product_key(Product(**fields)))


@pytest.mark.parametrize("kind", ["text", "picture", "both"])
def test_the_models_answer_is_accepted_with_what_was_on_screen(store, classifier, striped_png, kind):
    product = Product(None if kind == "picture" else LAMP, None, None if kind == "text" else striped_png)
    page = press(opened(designation=product.designation, image=product.image), "accept")
    found = store.find(product_key(product))
    expected = classifier.predict([product])[0]
    assert (found.standing.decision, found.standing.code, found.standing.person) == ("accepted", expected.code, "Marie")
    assert [ranked.code for ranked in found.standing.suggestions] == [ranked.code for ranked in expected.categories]
    assert found.standing.model == expected.model_version and 0 <= found.standing.seconds < 120
    assert (found.designation, found.source, found.state) == (product.designation, "classify", "decided")
    assert (found.picture is None) == (product.image is None)
    if product.image is not None:
        assert store.pictures.read(found.picture) == product.image
    assert f"Decision: **accepted\\: {expected.code}" in told(page) and ", by Marie," in told(page)
    assert buttons(page) == {"undo", "change"}


def test_a_correction_takes_any_category_and_keeps_the_note(store):
    page = opened()
    assert page.button(key="classify_decide_correct").disabled
    page = press(noted(choose(page, WRONG), HOSTILE), "correct")
    standing = item(store, designation=LAMP).standing
    assert (standing.decision, standing.code, standing.note) == ("corrected", WRONG, HOSTILE)
    shown = next(caption.value for caption in page.caption if caption.value.startswith("Note: "))
    assert "<script>" not in shown and "**gras**" not in shown and "\u202e" not in shown
    page = press(page, "change")
    assert page.text_area(key="classify_decide_note").value == "", "a recorded note is not taken along"


def test_choosing_the_models_own_category_is_accepting_it(store, classifier):
    code = classifier.predict([Product(LAMP)])[0].code
    press(choose(opened(), code), "correct")
    assert item(store, designation=LAMP).standing.decision == "accepted"


@pytest.mark.parametrize(("button", "decision", "state"), [("unknown",) * 2 + ("decided",), ("skip", *["skipped"] * 2)])
def test_not_knowing_and_skipping_are_answers(store, button, decision, state):
    page = press(opened(), button)
    found = item(store, designation=LAMP)
    assert (found.standing.decision, found.standing.code, found.state) == (decision, None, state)
    assert ("accept" in buttons(page)) == (decision == "skipped"), "what was skipped can be decided at once"
    assert "send" not in buttons(page)


def test_undo_brings_back_what_counted_before(store):
    page = press(choose(press(press(opened(), "accept"), "change"), WRONG), "correct")
    press(page, "undo")
    assert item(store, designation=LAMP).standing.decision == "accepted"
    page = press(page, "undo")
    assert item(store, designation=LAMP).state == "pending" and "accept" in buttons(page)
    assert "In the queue since" in told(page)
    press(page, "accept")
    assert [d.decision for d in store.history(product_key(Product(LAMP)))] == [
        "accepted", "corrected", "undone", "undone", "accepted",
    ]  # fmt: skip


def test_undo_is_only_offered_for_ones_own_last_decision(store):
    page = press(opened(), "accept")
    assert "undo" not in buttons(opened("Paul")), "somebody else's"
    press(opened(designation="Piscine gonflable"), "accept")
    assert "You have decided on something else since" in told(press(page, "undo"))
    assert item(store, designation=LAMP).state == "decided" and item(store, designation="Piscine gonflable").standing
    assert "undo" not in buttons(page.run())


def test_undo_says_what_others_have_open_or_overruled(store):
    key = product_key(Product(LAMP))
    page = press(opened(), "accept")
    store.hold("paul", "Paul *P*", key)
    assert "Paul \\*P\\* has this product open at the moment: nothing was taken back" in told(press(page, "undo"))
    assert buttons(page) == {"undo", "change"}
    store.release("paul")
    other = press(opened(designation="Piscine gonflable"), "accept")
    press(press(opened("Paul", designation="Piscine gonflable"), "change"), "unknown")
    press(page.run(), "undo")
    assert "1 decision of yours was passed over" in told(page) and item(store, designation=LAMP).state == "pending"
    press(other, "undo")
    assert item(store, designation="Piscine gonflable").standing.decision == "unknown"


def test_a_decision_that_stands_is_not_skipped_away(store):
    page = press(press(opened(), "accept"), "change")
    assert "skip" not in buttons(page) and "accept" in buttons(page)


def test_undo_leaves_the_rest_of_a_bulk_alone(store):
    for designation in (LAMP, "Piscine gonflable"):
        press(opened(designation=designation), "send")
    store.decide_many(store.items(Filter()), Verdict("accepted"), "Marie", "elsewhere")
    assert "undo" not in buttons(opened())


def test_a_product_is_sent_to_the_queue_by_anybody(store):
    page = opened(None)
    assert buttons(page) == set(), "folded until it is wanted"
    page.session_state["classify_decide_open"] = True
    page = press(page.run(), "send")
    found = item(store, designation=LAMP)
    assert (found.state, found.reason) == ("pending", "sent")
    assert "In the queue since" in told(page) and "sent by a person" in told(page)
    assert "send" not in buttons(page)
    [name] = [field for field in page.text_input if field.key == "classify_decide_person_name"]
    name.set_value("Léa")
    next(button for button in page.button if button.label == "That is me").click().run()
    press(page, "accept")
    assert item(store, designation=LAMP).standing.person == "Léa"


def test_a_product_that_is_edited_is_another_one_with_a_note_of_its_own(store):
    page = noted(opened(), "of the lamp").run()
    page.text_input(key="classify_designation").set_value(f"{LAMP} bleu").run()
    assert page.text_area(key="classify_decide_note").value == ""
    noted(page, "of the blue one").run()
    page.text_input(key="classify_designation").set_value(LAMP).run()
    assert page.text_area(key="classify_decide_note").value == "of the lamp", "what was typed comes back"
    press(page, "accept")
    assert item(store, designation=LAMP).standing.note == "of the lamp"
    assert item(store, designation=f"{LAMP} bleu") is None


def test_two_sessions_decide_on_the_same_product(store):
    one, other = opened("Marie"), noted(opened("Paul"), "mine")
    press(one, "accept")
    other = press(other, "unknown")
    found = item(store, designation=LAMP)
    assert (found.standing.person, len(store.history(found.key))) == ("Marie", 1)
    assert "Marie has decided on this product meanwhile" in told(other)
    assert other.text_area(key="classify_decide_note").value == "mine", "nothing typed is lost"
    assert ", by Marie," in told(other)
    press(other, "unknown")
    assert item(store, designation=LAMP).standing.note == "mine"


def test_a_second_look_that_agrees_approves(store):
    press(opened("Marie"), "accept")
    press(press(opened("Paul"), "change"), "accept")
    assert item(store, designation=LAMP).state == "approved"


def test_a_product_that_another_has_open_is_left_to_them(store):
    page = press(opened(), "send")
    store.hold("paul", "Paul *P*", product_key(Product(LAMP)))
    page = press(noted(page, "kept"), "accept")
    assert "Paul \\*P\\* has this product open" in told(page)
    assert page.text_area(key="classify_decide_note").value == "kept"
    assert item(store, designation=LAMP).standing is None
    store.release("paul")
    press(page, "accept")
    assert item(store, designation=LAMP).standing.note == "kept"


def test_a_note_that_is_too_long_stays_to_be_shortened(store):
    page = press(noted(opened(), "n" * (MAX_NOTE + 1)), "accept")
    assert "The note has 2,001 characters" in told(page)
    assert len(page.text_area(key="classify_decide_note").value) == MAX_NOTE + 1
    assert item(store, designation=LAMP) is None


def test_a_double_click_decides_once(store, monkeypatch):
    def twice(case, *args):
        for _ in range(2):
            ui.decide.case.take(case, *args)

    monkeypatch.setattr(ui.decide.panel, "take", twice)
    page = press(opened(), "accept")
    assert len(store.history(product_key(Product(LAMP)))) == 1
    assert ", by Marie," in told(page) and "meanwhile" not in told(page)


def test_the_answer_is_there_when_the_database_is_not(home, monkeypatch):
    tried = []

    def refused():
        tried.append(1)
        raise DecisionError("database", {"error": "connection *refused*"})

    monkeypatch.setattr(ui.decide.asking, "open_store", refused)
    page = opened()
    assert "code 2060" in "\n".join(element.proto.body for element in page.html)
    assert "Nothing can be decided at the moment" in told(page) and "connection \\*refused\\*" in told(page)
    page.text_input(key="classify_designation").set_value("Piscine gonflable").run()
    assert tried == [1], "a store that is down is left alone for a while"
    monkeypatch.undo()
    monkeypatch.setenv("RAYON_HOME", str(home))
    settings.cache_clear()
    assert "accept" in buttons(press(page, "retry"))


def test_a_database_that_goes_away_loses_no_note(store, home, monkeypatch):
    page = noted(opened(), "typed")
    down = DecisionError("database", {"error": "gone"})

    def refused():
        raise down

    monkeypatch.setattr(ui.decide.case, "open_store", refused)
    page = press(page, "accept")
    assert "The store of decisions cannot be reached: gone" in told(page)
    assert page.text_area(key="classify_decide_note").value == "typed"
    monkeypatch.setattr(ui.decide.case, "open_store", open_store)
    press(page, "accept")
    assert item(store, designation=LAMP).standing.note == "typed"


def test_a_file_that_is_no_database_is_told_on_the_page(home):
    Path(home / "rayon.db").write_bytes(b"no database " * 1_000)
    page = opened()
    assert "Nothing can be decided at the moment" in told(page)


def test_one_small_question_a_run(store, monkeypatch):
    page = opened()
    asked = []
    monkeypatch.setattr(DecisionStore, "find", lambda self, key: asked.append(key))
    monkeypatch.setattr(sqlite3, "connect", None)
    page.run()
    assert asked == [product_key(Product(LAMP))]


def test_nothing_is_decided_on_what_could_not_be_read(store):
    page = opened(designation=None, image=b"no picture")
    assert buttons(page) == set()
    press(opened(image=b"no picture"), "accept")
    assert item(store, designation=LAMP).picture is None, "the answer did without it, and so does the decision"
