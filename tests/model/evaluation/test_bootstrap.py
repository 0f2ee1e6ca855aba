"""Resampling, against what probability theory says."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.evaluation.bootstrap import RESAMPLES, by_category_resampled, interval, resampled

WEIGHTED = pytest.mark.parametrize("weighted", [False, True])


@WEIGHTED
def test_as_many_rows_are_drawn_as_there_are(weighted):
    cells = np.arange(200) % 7
    found = resampled(cells, 9, np.full(200, 2.0) if weighted else None)
    assert found.shape == (RESAMPLES, 9) and not found[:, 7:].any()
    assert (found.sum(axis=1) == (400 if weighted else 200)).all()
    assert len({tuple(row) for row in found.tolist()}) > 0.9 * RESAMPLES
    assert (found == resampled(cells, 9, np.full(200, 2.0) if weighted else None)).all()
    assert (found != resampled(cells, 9, np.full(200, 2.0) if weighted else None, seed=1)).any()


@WEIGHTED
def test_the_interval_of_a_share_is_the_binomials(weighted):
    n, share = 2_000, 0.8
    cells = (np.arange(n) < share * n).astype(int)
    found = resampled(cells, 2, np.full(n, 0.5) if weighted else None)
    low, high = interval(found[:, 1] / found.sum(axis=1))
    error = 1.96 * np.sqrt(share * (1 - share) / n)
    assert low == pytest.approx(share - error, abs=0.1 * error + 1 / n)
    assert high == pytest.approx(share + error, abs=0.1 * error + 1 / n)


def test_heavy_rows_make_wide_intervals():
    cells, weights = np.arange(400) % 2, np.ones(400)
    weights[:4] = 100.0
    widths = []
    for w in (None, weights):
        found = resampled(cells, 2, w)
        low, high = interval(found[:, 1] / found.sum(axis=1))
        widths.append(high - low)
    assert widths[1] > 2 * widths[0]


@settings(max_examples=20)
@given(st.integers(0, 100), st.booleans())
def test_the_totals_of_categories_belong_together(seed, weighted):
    random = np.random.default_rng(seed)
    truth, answer = random.integers(0, 4, 50), random.integers(0, 5, 50)
    weights = random.integers(1, 4, 50).astype(float) if weighted else None
    right, had, given_ = by_category_resampled(truth, answer, 6, weights)
    assert (right <= had).all() and (right <= given_).all()
    assert (had.sum(axis=1) == given_.sum(axis=1)).all()
    assert not had[:, np.setdiff1d(np.arange(6), truth)].any()
    everything = weights.sum() if weighted else 50
    assert had.mean(axis=0) / everything == pytest.approx(np.bincount(truth, weights, 6) / everything, abs=0.03)


def test_interval_leaves_out_what_has_no_value():
    assert interval(np.array([np.nan, 1.0, 1.0])) == [1.0, 1.0]
    assert interval(np.full(3, np.nan)) is None
    assert interval(np.arange(101.0)) == [2.5, 97.5]
