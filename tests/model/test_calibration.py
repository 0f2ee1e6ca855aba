"""Measures of answers, on cases whose value is known and against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score, precision_recall_fscore_support, roc_auc_score

from model.calibration import (
    area_under_roc,
    by_category,
    conformal_quantile,
    confusion,
    expected_calibration_error,
    f1_by_category,
    macro_f1,
    prediction_sets,
    reliability,
    report,
    weighted_f1,
)

SEEDS = st.integers(0, 1000)


def test_ece_of_a_sure_and_wrong_answer_is_one() -> None:
    assert expected_calibration_error(np.ones(4), np.zeros(4)) == pytest.approx(1)
    assert expected_calibration_error(np.full(10, 0.7), np.arange(10) < 7) == pytest.approx(0)


def test_ece_counts_bins_by_their_weight() -> None:
    confidence, right = np.array([0.5, 0.9]), np.array([0, 1])
    assert expected_calibration_error(confidence, right) == pytest.approx((0.5 + 0.1) / 2)
    assert expected_calibration_error(confidence, right, np.array([1.0, 3.0])) == pytest.approx((0.5 + 3 * 0.1) / 4)


def test_reliability() -> None:
    found = reliability(np.array([0.0, 0.42, 0.44, 1.0]), np.array([0, 1, 0, 1]), np.array([1.0, 1, 3, 5]), bins=5)
    assert found.rows.tolist() == [1, 0, 2, 0, 1]
    assert found.share == pytest.approx([0.1, 0, 0.4, 0, 0.5])
    assert found.confidence == pytest.approx([0, np.nan, (0.42 + 3 * 0.44) / 4, np.nan, 1], nan_ok=True)
    assert found.accuracy == pytest.approx([0, np.nan, 0.25, np.nan, 1], nan_ok=True)


def test_auroc() -> None:
    assert area_under_roc(np.array([0.1, 0.4, 0.35, 0.8]), np.array([0, 0, 1, 1])) == pytest.approx(0.75)
    assert area_under_roc(np.ones(5), np.array([0, 1, 1, 0, 1])) == pytest.approx(0.5)
    assert np.isnan(area_under_roc(np.ones(2), np.ones(2)))


@given(SEEDS)
def test_auroc_as_scikit_learn_measures_it(seed: int) -> None:
    random = np.random.default_rng(seed)
    score, positive = random.integers(0, 9, 60) / 9, random.random(60) < 0.4
    positive[:2] = True, False
    weights = random.uniform(0.1, 5, 60)
    assert area_under_roc(score, positive) == pytest.approx(roc_auc_score(positive, score))
    assert area_under_roc(score, positive, weights) == pytest.approx(
        roc_auc_score(positive, score, sample_weight=weights)
    )


def test_f1() -> None:
    truth, answer = np.array([0, 0, 1, 2]), np.array([0, 1, 1, 1])
    assert macro_f1(truth, answer, 4) == pytest.approx((2 / 3 + 1 / 2 + 0) / 3)
    assert weighted_f1(truth, answer, 4) == pytest.approx((2 * 2 / 3 + 1 / 2) / 4)
    assert f1_by_category(truth, answer, 4)[0] == pytest.approx([2 / 3, 1 / 2, 0, 0])


def test_undefined_measures_of_a_category_are_nan() -> None:
    counts = confusion(np.array([0, 0, 1]), np.array([0, 2, 0]), 4)
    assert counts.dtype.kind == "i" and counts[0].tolist() == [1, 0, 1, 0]
    found = by_category(np.diag(counts), counts.sum(axis=1), counts.sum(axis=0))
    assert found.precision == pytest.approx([0.5, np.nan, 0, np.nan], nan_ok=True)
    assert found.recall == pytest.approx([0.5, 0, np.nan, np.nan], nan_ok=True)
    assert found.f1 == pytest.approx([0.5, 0, 0, np.nan], nan_ok=True)


@given(SEEDS, st.booleans())
def test_f1_as_scikit_learn_measures_it(seed: int, weighted: bool) -> None:
    random = np.random.default_rng(seed)
    truth, answer = random.integers(0, 5, 40), random.integers(0, 6, 40)
    weights = random.uniform(0.1, 5, 40) if weighted else None
    counts = confusion(truth, answer, 6, weights)
    found = by_category(np.diag(counts), counts.sum(axis=1), counts.sum(axis=0))
    expected = precision_recall_fscore_support(truth, answer, labels=range(6), zero_division=0, sample_weight=weights)
    for ours, theirs in zip(found, expected, strict=False):
        assert np.nan_to_num(ours) == pytest.approx(theirs)
    assert counts.sum(axis=1) == pytest.approx(expected[3])
    for average, ours in (("weighted", weighted_f1), ("macro", macro_f1)):
        present = np.unique(truth) if average == "macro" else None
        theirs = f1_score(truth, answer, labels=present, average=average, zero_division=0, sample_weight=weights)
        assert ours(truth, answer, 6, weights) == pytest.approx(theirs)


@given(SEEDS)
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
    limits = random.random(400)
    one_by_one = [prediction_sets(probabilities[i : i + 1], truth[i : i + 1], limits[i]) for i in range(400)]
    held, sizes = prediction_sets(probabilities, truth, limits)
    assert [(h, s) for h, s in zip(held, sizes, strict=True)] == [(h[0], s[0]) for h, s in one_by_one]


@given(SEEDS)
def test_a_weight_counts_as_so_many_rows(seed: int) -> None:
    random = np.random.default_rng(seed)
    probabilities, truth = random.dirichlet(np.ones(5), 30), random.integers(0, 5, 30)
    times = random.integers(1, 5, 30)
    once, repeated = (
        report(probabilities, truth, times.astype(float)),
        report(probabilities.repeat(times, axis=0), truth.repeat(times)),
    )
    assert once.pop("rows") == 30 and repeated.pop("rows") == times.sum()
    # One class's AUROC is undefined where every row is right, or none.
    assert once == pytest.approx(repeated, nan_ok=True)
