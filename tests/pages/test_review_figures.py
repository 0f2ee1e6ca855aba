"""The tabs that count: progress and agreement, and what a threshold would leave to the model."""

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from decisions.database import open_database
from decisions.items import Filter, NewItem, Verdict
from decisions.pictures import PictureStore
from decisions.store import DecisionStore
from model.product import Product, RankedCategory
from tests.pages.batch_page import charts, metrics, told


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> str:
    return str(tmp_path_factory.mktemp("figures"))


@pytest.fixture(scope="module")
def filled(place) -> DecisionStore:
    """A hundred doubtful products and forty of the audit that stand for five each; most of them decided."""
    store = DecisionStore(open_database(f"sqlite:///{place}/rayon.db"), PictureStore(f"{place}/pictures"))
    random = np.random.default_rng(0)
    new = []
    for i in range(140):
        sure = 0.3 + 0.25 * random.random() if i < 100 else 0.7 + 0.29 * random.random()
        ranked = (RankedCategory(2583 if i % 2 else 1560, sure), RankedCategory(1300, (1 - sure) / 2))
        reason, weight = ("doubt", 1.0) if i < 100 else ("audit", 5.0)
        new.append(NewItem(Product(f"Lot <b>{i}</b>"), ranked, "m-1", "batch", reason, weight, job="j", row=i))
    store.add(new)
    for reason, wrong in (("doubt", 3), ("audit", 10)):
        for i, item in enumerate(store.items(Filter(reason=reason), 200)[:-8]):
            other = i % wrong == 0
            verdict = Verdict("corrected", 1300, seconds=3.0) if other else Verdict("accepted", seconds=2.0)
            store.decide(item, Verdict("unknown") if i == 1 else verdict, "Ana" if i % 4 else "<i>Bob</i>", "h")
    return store


def figures(place: str) -> None:
    """The tab on progress, run by itself."""
    from decisions.database import open_database
    from decisions.pictures import PictureStore
    from decisions.store import DecisionStore
    from model.taxonomy import default_taxonomy
    from ui.review.figures import render_figures

    store = DecisionStore(open_database(f"sqlite:///{place}/rayon.db"), PictureStore(f"{place}/pictures"))
    render_figures(store, default_taxonomy())


def threshold(place: str) -> None:
    """The tab on the threshold, run by itself."""
    from decisions.database import open_database
    from decisions.pictures import PictureStore
    from decisions.store import DecisionStore
    from ui.review.threshold import render_threshold

    render_threshold(DecisionStore(open_database(f"sqlite:///{place}/rayon.db"), PictureStore(f"{place}/pictures")))


def run(tab, place: str, language: str = "en") -> AppTest:
    page = AppTest.from_function(tab, default_timeout=60, args=(place,))
    page.session_state["app_language"] = language
    page.run()
    assert not page.exception
    return page


def test_progress_and_agreement(filled, place) -> None:
    page = run(figures, place)
    found = metrics(page)
    assert found["To decide"] == "16" and found["Decided"] == "124"
    frame = filled.frame()
    agreed = (frame["code"] == frame["first"]).sum() / frame["code"].notna().sum()
    assert found["Agreement with the model"] == f"{agreed:.0%}"
    people, corrections, _categories = (element.value for element in page.dataframe)
    assert set(people["Name"]) == {"Ana", "<i>Bob</i>"} and people["Decided"].sum() == 124
    assert corrections["Products"].sum() == (frame["code"] == 1300).sum()
    assert "2583" in corrections["Suggested"].str.cat()
    assert len(charts(page)) == 1


def test_the_threshold_by_decisions_and_by_card(filled, place) -> None:
    page = run(threshold, place)
    slider = page.slider[0]
    slider.set_value(60).run()
    shares = [(metric.label, metric.value) for metric in page.metric]
    # 40 audited products stand for 200 of 300.
    assert shares[0] == ("Without a person", "66.7%")
    assert shares[1][0] == "Right among these" and 85 < float(shares[1][1].rstrip("%")) < 95
    assert "Rests on 31 decisions." in told(page)
    assert len(shares) == 4 and shares[2][1] != "–"
    [chart] = charts(page)
    assert {layer["mark"]["type"] for layer in chart["layer"]} >= {"line", "area", "circle"}
    slider.set_value(99).run()
    assert "That is little" in told(page)


def test_a_button_sets_the_threshold_that_reaches_an_accuracy(filled, place) -> None:
    page = run(threshold, place)
    buttons = {button.label: button for button in page.button}
    assert buttons["99%"].disabled  # forty decisions cannot show that
    reachable = [label for label, button in buttons.items() if not button.disabled]
    for label in reachable:
        buttons[label].click().run()
        assert not page.exception


def test_empty(tmp_path) -> None:
    assert "nothing to count" in told(run(figures, str(tmp_path)))
    page = run(threshold, str(tmp_path))
    assert "No file has been sent" in told(page) and not page.exception
    assert all(button.disabled for button in page.button)
