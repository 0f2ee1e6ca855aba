"""Which days are looked at, against which."""

from datetime import UTC, datetime, timedelta

import pytest

from decisions.database import open_database
from tests.watch.answers import answer
from watch.drift import Flag
from watch.looking import active_reference, look
from watch.observations import Observations
from watch.store_metrics import StoreMetrics

TODAY = datetime(2026, 6, 30, 12, tzinfo=UTC)


@pytest.fixture
def engine(tmp_path):
    engine = open_database(f"sqlite:///{tmp_path / 'rayon.db'}")
    yield engine
    engine.dispose()


@pytest.fixture
def fill(engine):
    """So many equal answers, so many days ago."""

    def fill(ago, number, source="page", **more):
        found = Observations(lambda: engine, lambda: TODAY - timedelta(days=ago))
        for _ in range(number):
            found.note(source, answer(**more))
        assert found.write()

    return fill


def seen(engine, report=None, **more):
    return look(engine, "m-1", report, TODAY.date(), **more)


def report(rows=1000.0, **changed):
    shares = {
        "words": {"6": 1.0},
        "unknown": {"0": 1.0},
        "confidence": {"text:0.9": 1.0},
        "category": {"1560": 0.5, "10": 0.5},
        "inputs": {"text": 1.0},
    }
    return {"model": "m-1", "effective_rows": rows, "shares": shares | changed}


def test_the_days_the_source_and_the_model_are_those_chosen(engine, fill):
    fill(0, 1)
    fill(6, 2, "api")
    fill(7, 4)
    fill(0, 8, model="other")
    assert seen(engine, report()).number == 3
    assert seen(engine, report(), days=1).number == 1 and seen(engine, report(), days=30).number == 7
    assert seen(engine, report(), source="api").number == 2


def test_against_the_models_report_categories_are_shown_and_not_judged(engine, fill):
    fill(0, 200)
    found = seen(engine, report())
    assert found.drift.flag == Flag.STABLE
    assert next(one for one in found.drift.comparisons if one.measure == "category").flag == Flag.DRIFT
    fill(1, 200, confidence=0.35)
    assert seen(engine, report()).drift.flag == Flag.DRIFT
    assert seen(engine, report()).drift.worst.measure == "confidence"


def test_against_the_weeks_before_everything_is_judged(engine, fill):
    fill(10, 150)
    fill(36, 500, code=10)  # too long ago
    fill(0, 150, code=10)
    found = seen(engine, reference="before")
    assert sum(found.reference["inputs"].values()) == 150 and found.drift.worst.measure == "category"


def test_the_first_days_of_a_model_must_be_over(engine, fill):
    assert seen(engine, reference="first").drift.flag == Flag.FEW
    fill(12, 150)
    assert seen(engine, reference="first").missing == "overlap"
    assert seen(engine, reference="first", days=1).missing == ""
    fill(14, 150)
    fill(0, 150, image=True)
    found = seen(engine, reference="first")
    assert sum(found.reference["inputs"].values()) == 300 and found.drift.worst.measure == "inputs"


@pytest.mark.parametrize(
    "bad",
    [
        [], "x", {}, {"effective_rows": 5}, report() | {"model": "another"},
        report(float("nan")), report(-5), report(1e300), report(words={"6": "y"}),
        report(words={"6": 2.0}), report(10**400), report(words={"6": 10**400}), report() | {"shares": []},
        report(inputs={"image": 1.0}), report(words=[1]), report(words={"6": 0.5}),
        report(words={"6": float("nan")}), report(words=None), report(words={"6": -1.0}),
    ],
)  # fmt: skip
def test_a_report_that_makes_no_sense_is_told_from_none(engine, bad):
    assert seen(engine, None).missing == "no_report" and seen(engine, None).drift is None
    assert seen(engine, bad).missing == "bad_report"


@pytest.mark.parametrize("share", [0.05, 0.3])
@pytest.mark.parametrize("image", [{"image": True}, {"image": True, "text": False, "words": 0}])
def test_pictures_that_the_reference_has_not_raise_no_flag(engine, fill, share, image):
    """Against the model's report neither inputs nor what follows from them is judged."""
    number = round(share * 1000)
    fill(0, 1000 - number)
    fill(0, number, confidence=0.3, **image)
    found = seen(engine, report())
    flags = {one.measure: one for one in found.drift.comparisons}
    assert found.drift.flag == Flag.STABLE and found.number == 1000
    assert flags["confidence"].number == 1000 - number and flags["inputs"].flag >= Flag.STABLE
    assert flags["words"].number == (1000 if image.get("text", True) else 1000 - number)


def test_pictures_alone_cannot_be_judged_by_a_reference_of_texts(engine, fill):
    fill(0, 500, image=True, text=False, words=0)
    found = seen(engine, report())
    assert found.drift.flag == Flag.FEW and found.number == 500


def test_confidence_is_held_against_the_same_proportions_of_what_was_sent(engine, fill):
    """Sure of texts, unsure of pictures: more pictures are no change of confidence, a text less sure is one."""
    picture = {"image": True, "text": False, "words": 0, "confidence": 0.3}
    fill(10, 900)
    fill(10, 100 + 50, **picture)
    fill(0, 300)
    fill(0, 300, **picture)
    found = seen(engine, reference="before")
    flags = {one.measure: one for one in found.drift.comparisons}
    assert flags["confidence"].flag == Flag.STABLE and flags["inputs"].flag == Flag.DRIFT
    # Half of each kind: 1 / (0.5² / 900 + 0.5² / 150) rows.
    assert found.reference["confidence"] == pytest.approx({"0.9": 257.142857, "0.3": 257.142857})
    fill(1, 300, confidence=0.5)
    found = seen(engine, reference="before")
    assert {one.measure: one.flag for one in found.drift.comparisons}["confidence"] == Flag.DRIFT


@pytest.mark.parametrize("bad", [report(10**400), [], None])
def test_the_metrics_live_with_any_report(engine, monkeypatch, bad):
    monkeypatch.setattr("watch.store_metrics.active_reference", lambda: ("m-1", bad))
    found = {metric.name: metric.samples for metric in StoreMetrics(lambda: engine, dict).collect()}
    assert found["rayon_store_up"][0].value == 1 and not found["rayon_drift"] and found["rayon_model_info"]


def test_one_part_of_the_metrics_that_fails_takes_no_other_with_it(engine, monkeypatch, caplog):
    def fails() -> dict:
        raise ArithmeticError("something new")

    monkeypatch.setattr("watch.store_metrics.active_reference", fails)
    found = {metric.name for metric in StoreMetrics(lambda: engine, fails).collect()}
    assert {"rayon_store_up", "rayon_queue_products"} <= found and not {"rayon_jobs", "rayon_drift"} & found
    assert "no metrics of the drift" in caplog.text and "no metrics of the jobs" in caplog.text


def test_the_model_that_ships_brings_its_reference(engine):
    version, found = active_reference()
    assert version == found["model"] and look(engine, version, found, TODAY.date()).missing == ""
