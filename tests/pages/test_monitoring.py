"""The page on how the server is doing: its flag, its charts, its words."""

from datetime import UTC, datetime, timedelta

import pytest
from streamlit.testing.v1 import AppTest

from decisions.items import NewItem, Verdict
from decisions.store import open_store
from model.bundle import read_manifest
from model.observed import MEASURES, classes
from model.product import Product
from model.taxonomy import default_taxonomy
from settings import ROOT, SHIPPED_BUNDLE, settings
from tests.pages.batch_page import charts, told
from tests.watch.answers import answer
from ui.monitoring.counts import agreement, by_days, model_changes, waiting
from ui.monitoring.words import class_name
from ui.review.cached import all_decisions, all_items
from watch.observations import Observations, counted

VERSION = read_manifest(SHIPPED_BUNDLE)["version"]


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("RAYON_HOME", str(tmp_path / "home"))
    settings.cache_clear()
    yield
    open_store().engine.dispose()
    settings.cache_clear()


@pytest.fixture
def fill():
    """So many equal answers, so many days ago."""

    def fill(ago, number, source="page", model=VERSION, **more):
        moment = datetime.now(UTC) - timedelta(days=ago)
        found = Observations(lambda: open_store().engine, lambda: moment)
        for _ in range(number):
            found.note(source, answer(model=model, **more))
        assert found.write()

    return fill


def opened(language="en", **chosen) -> AppTest:
    page = AppTest.from_file(ROOT / "pages" / "monitoring.py", default_timeout=60)
    page.session_state["app_language"] = language
    for name, value in chosen.items():
        page.session_state[f"monitoring_{name}"] = value
    page.run()
    assert not page.exception
    return page


@pytest.mark.parametrize("language", ["en", "fr"])
def test_with_nothing_classified_it_says_so(language):
    page = opened(language)
    assert len(page.info) == 1 and not page.success and not page.warning and not page.error
    if language == "en":
        assert "Too few to tell" in page.info[0].value and "Nothing is in the queue yet" in told(page)


def test_drift_is_told_first_with_reason_and_what_to_do(fill):
    fill(0, 400, words=2, unknown=2, confidence=0.3)
    page = opened()
    [box] = page.error
    assert box.value.startswith("**Drift.** ") and "What to do" in box.value and "points more than" in box.value
    table = page.dataframe[0].value
    assert list(table["Measure"])[:3] == ["Length of the text", "Words the model has not met", "Confidence"]
    assert list(table["Result"]) == ["Drift", "Drift", "Drift", "Drift (not judged)", "Stable (not judged)"]
    assert len(charts(page)) >= len(MEASURES) + 1


def test_the_comparison_is_ones_choice(fill):
    fill(10, 300)
    fill(0, 300)
    assert opened(reference="before").success[0].value.startswith("**Stable.**")
    assert opened().error
    assert "The first 7 days of this model are not over" not in told(opened(reference="first", last=1))
    assert "are not over" in opened(reference="first", last=30).info[0].value
    fill(1, 300, "batch", image=True)
    assert opened(reference="before", source="page").success
    page = opened(reference="before")
    assert "What was sent: the class" in (page.error or page.warning)[0].value.replace("\\", "")


def test_a_model_without_a_report_is_held_against_nothing(fill, monkeypatch):
    fill(0, 300)
    monkeypatch.setattr("ui.monitoring.page.active_reference", lambda: (VERSION, None))
    page = opened()
    assert "nothing to hold these days against" in page.info[0].value and not page.success and not page.dataframe


def test_days_queue_and_agreement_are_counted_and_changes_of_the_model_marked(fill):
    fill(12, 50, model="older-1")
    fill(3, 70)
    store = open_store()
    ranked = answer().categories
    store.add([NewItem(Product(f"Produit {n}"), ranked, VERSION) for n in range(4)])
    for n, verdict in enumerate([Verdict("accepted"), Verdict("corrected", 10), Verdict("skipped")]):
        item = store.claim("h", "Ana")
        assert item is not None, n
        store.decide(item, verdict, "Ana", "h")
    today = datetime.now(UTC).date()
    since, every = today - timedelta(days=29), counted(store.engine)
    days, counts = by_days(every, None, since, today)
    assert len(days) == 30 and (counts[-13], counts[-4], sum(counts)) == (50, 70, 120)
    assert model_changes(every, since, today) == [(today - timedelta(days=3), VERSION)]
    assert waiting(all_items(store), since, today)[1][-2:] == [0, 2]
    found = agreement(all_decisions(store), since, today)
    assert list(found[["decided", "agreed"]].iloc[0]) == [2, 1] and found["low"].iloc[0] < 0.5 < found["high"].iloc[0]
    assert agreement(all_decisions(store), today + timedelta(days=1), today + timedelta(days=2)).empty
    page = opened()
    assert "120 products in 30 days" in told(page) and "2 products wait now" in told(page)
    assert "50.0% of 2 decisions" in told(page) and "a model came into use" in told(page)


def test_of_pictures_alone_it_says_that_they_cannot_be_judged(fill):
    fill(0, 300, text=False, words=0, image=True)
    page = opened()
    assert "300 products in these days, but fewer than 100 that can be judged" in page.info[0].value
    assert "No product of these days can be compared in this." in told(page) and not page.warning and not page.error


def test_whose_answers_they_are_is_told_where_there_are_several_models(fill):
    fill(0, 150)
    assert "By all models" not in told(opened())
    fill(5, 10, model="older_1")
    [caption] = [one for one in told(opened()).replace("\\", "").splitlines() if one.startswith("By all models")]
    assert VERSION in caption and "older" not in caption


def test_every_class_has_a_name_of_its_own():
    taxonomy = default_taxonomy()
    for measure in MEASURES:
        names = [class_name(measure, name, taxonomy) for name in classes(measure, taxonomy.codes)]
        assert len(set(names)) == len(names) and all(names)
    assert class_name("category", "123456", taxonomy) == "123456" and class_name("words", "7", taxonomy) == "7"
