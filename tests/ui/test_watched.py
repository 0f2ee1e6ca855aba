"""What pages ask of the classifier is counted, and is not in the log."""

from datetime import UTC, datetime

import pytest
from streamlit.testing.v1 import AppTest

from model.product import Product
from preprocessing.image import ImageError
from settings import settings
from tests.logged import json_lines
from watch import classifying as watched
from watch.metrics import metrics
from watch.observations import observations


@pytest.fixture
def logged():
    """What is written meanwhile, as JSON."""
    with json_lines() as lines:
        yield lines


def asked(classifier) -> None:
    """A page, as Streamlit takes it: by its source."""
    import streamlit as st

    from model.product import Product
    from ui.model import explain, predict

    product = Product("Canapé ZZSECRET gris", image=b"ZZSECRET, no picture")
    for _ in range(2):  # the second time from the session's cache
        st.session_state["answer"] = predict(classifier, product)
    explain(classifier, Product("Canapé ZZSECRET gris"), st.session_state["answer"].code)


def test_an_answer_counts_once_and_leaves_nothing_in_the_log(classifier, logged, monkeypatch, tmp_path):
    monkeypatch.setenv("RAYON_HOME", str(tmp_path))
    settings.cache_clear()
    metrics.cache_clear()
    try:
        page = AppTest.from_function(asked, args=(classifier,)).run()
        assert not page.exception
        prediction = page.session_state["answer"]
        found = metrics()
        counted = found.classifications.labels("page", str(prediction.code))
        assert counted._value.get() == 1
        assert found.explanations.labels("page")._value.get() == 1
        assert found.refused.labels("page", prediction.image_problem.reason)._value.get() == 1
        day = datetime.now(UTC).date()
        assert observations()._counts[day, "page", prediction.model_version, "category", str(prediction.code)] == 1
        assert not [line for line in logged if "ZZSECRET" in line]
    finally:
        metrics.cache_clear()
        settings.cache_clear()


def test_a_picture_alone_that_cannot_be_read_is_no_product(classifier, monkeypatch, tmp_path):
    monkeypatch.setenv("RAYON_HOME", str(tmp_path))
    settings.cache_clear()
    metrics.cache_clear()
    try:
        prediction = watched.classify(classifier, Product(image=b"no picture"), "page")
        assert not prediction.used_image
        with pytest.raises(ImageError):
            watched.classify(classifier, Product("Canapé gris", image=b"no picture"), "api", strict=True)
        assert not observations()._counts
        found = metrics()
        assert not [s for s in found.classifications.collect()[0].samples if s.value]
        assert found.refused.labels("page", prediction.image_problem.reason)._value.get() == 1
        assert found.refused.labels("api", prediction.image_problem.reason)._value.get() == 0  # the interface tells it
    finally:
        metrics.cache_clear()
        settings.cache_clear()


def test_the_setting_of_the_log_is_one_of_two(monkeypatch):
    monkeypatch.setenv("RAYON_LOG", "yaml")
    settings.cache_clear()
    try:
        with pytest.raises(ValueError, match="RAYON_LOG must be one of plain, json"):
            settings()
    finally:
        settings.cache_clear()
