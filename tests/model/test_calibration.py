"""Measures of trust, on cases whose value is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.calibration import (
    area_under_roc,
    conformal_quantile,
    expected_calibration_error,
    macro_f1,
    prediction_sets,
    weighted_f1,
)


def test_ece_of_a_sure_and_wrong_answer_is_one() -> None:
    assert expected_calibration_error(np.ones(4), np.zeros(4)) == pytest.approx(1)
    assert expected_calibration_error(np.full(10, 0.7), np.arange(10) < 7) == pytest.approx(0)


def test_auroc() -> None:
    assert area_under_roc(np.array([0.1, 0.4, 0.35, 0.8]), np.array([0, 0, 1, 1])) == pytest.approx(0.75)
    assert area_under_roc(np.ones(5), np.array([0, 1, 1, 0, 1])) == pytest.approx(0.5)
    assert np.isnan(area_under_roc(np.ones(2), np.ones(2)))


def test_f1() -> None:
    truth, answer = np.array([0, 0, 1, 2]), np.array([0, 1, 1, 1])
    assert macro_f1(truth, answer, 4) == pytest.approx((2 / 3 + 1 / 2 + 0) / 3)
    assert weighted_f1(truth, answer, 4) == pytest.approx((2 * 2 / 3 + 1 / 2) / 4)


@given(st.integers(0, 1000))
def test_sets_hold_the_truth_as_often_as_stated(seed: int) -> None:
    random = np.random.default_rng(seed)
    probabilities = random.dirichlet(np.full(6, 0.4), 400)
    truth = np.array([random.choice(6, p=p) for p in probabilities])
    quantile = conformal_quantile(probabilities, truth, 0.9, np.ones(400))
    covered, sizes = prediction_sets(probabilities, truth, quantile)
    assert covered.mean() >= 0.9
    order = np.argsort(-probabilities, axis=1)
    assert covered.tolist() == [t in o[:s] for t, o, s in zip(truth, order, sizes, strict=True)]
    assert sizes.min() >= 1 and sizes.max() <= 6
