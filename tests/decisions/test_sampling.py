"""What of a table is sent to people: all that is doubtful, and a fair sample of the rest."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from decisions.sampling import draw, seed_of

confidences = st.lists(st.floats(0, 1, width=32), max_size=200).map(lambda values: np.array(values, np.float32))
shares = st.floats(0, 1)


@given(confidences, shares, shares, st.integers(0, 2**32))
@example(np.array([0.6], np.float32), 0.6, 0.0, 0)
@example(np.array([], np.float32), 1.0, 1.0, 0)
def test_everything_doubtful_is_taken_and_the_weights_speak_for_all(confidence, threshold, share, seed):
    drawn = draw(confidence, threshold, share, seed)
    below = set(np.flatnonzero(confidence < np.float32(threshold)).tolist())
    rest = len(confidence) - len(below)
    assert drawn.rows.tolist() == sorted(set(drawn.rows.tolist()))
    assert {row for row, reason in zip(drawn.rows, drawn.reasons, strict=True) if reason == "doubt"} == below
    assert not below & {row for row, reason in zip(drawn.rows, drawn.reasons, strict=True) if reason == "audit"}
    assert (drawn.doubtful, drawn.audited) == (len(below), len(drawn) - len(below))
    assert abs(drawn.audited - share * rest) <= 1 and (drawn.audited > 0) == (share > 0 and rest > 0)
    assert drawn.weights[drawn.reasons == "doubt"].tolist() == [1.0] * len(below)
    if drawn.audited:
        assert drawn.weights.sum() == pytest.approx(len(confidence))


@given(confidences, shares, shares, shares, st.integers(0, 2**32))
def test_the_same_seed_draws_the_same_and_a_larger_share_only_adds(confidence, threshold, one, other, seed):
    small, large = (draw(confidence, threshold, share, seed) for share in sorted((one, other)))
    assert set(small.rows.tolist()) <= set(large.rows.tolist())
    again = draw(confidence, threshold, max(one, other), seed)
    assert again.rows.tolist() == large.rows.tolist() and again.weights.tolist() == large.weights.tolist()


def test_each_row_of_the_rest_has_the_chance_that_its_weight_says():
    confidence = np.full(40, 0.9, np.float32)
    counts = np.zeros(40)
    for seed in range(2_000):
        drawn = draw(confidence, 0.5, 0.25, seed)
        assert len(drawn) == 10 and set(drawn.weights) == {4.0}
        counts[drawn.rows] += 1
    # 500 expected, standard deviation 19: five of them are passed once in a million tries.
    assert abs(counts - 500).max() < 97


def test_who_moves_the_threshold_draws_from_the_same_lot():
    confidence = np.random.default_rng(0).random(1_000).astype(np.float32)
    low, high = draw(confidence, 0.2, 1.0, 7), draw(confidence, 0.8, 0.1, 7)
    assert set(high.rows[high.reasons == "audit"].tolist()) <= set(low.rows[low.reasons == "audit"].tolist())
    first, second = draw(confidence, 0.5, 0.1, 7), draw(confidence, 0.5, 0.1, 8)
    assert first.rows.tolist() != second.rows.tolist()


def test_rows_that_may_not_be_taken_are_not():
    confidence, allowed = np.linspace(0, 1, 100, dtype=np.float32), np.arange(100) % 2 == 0
    drawn = draw(confidence, 0.5, 0.5, 3, allowed)
    assert allowed[drawn.rows].all()
    assert drawn.weights.sum() == pytest.approx(allowed.sum())


@pytest.mark.parametrize(
    ("confidence", "threshold", "share"),
    [([0.5], 1.1, 0.1), ([0.5], -0.1, 0.1), ([0.5], 0.5, 2), ([0.5], np.nan, 0), ([np.nan], 0.5, 0), ([[0.5]], 0.5, 0)],
)
def test_what_is_no_share_is_refused(confidence, threshold, share):
    with pytest.raises(ValueError, match="is needed"):
        draw(np.array(confidence), threshold, share, 0)


def test_a_name_comes_to_one_seed():
    assert seed_of("a" * 32) == seed_of("a" * 32) != seed_of("b" * 32)
    assert seed_of("\ud800") >= 0
