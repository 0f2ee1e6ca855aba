"""Same is seldom flagged, other is flagged, few says so."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watch.drift import DRIFT_BITS, FEWEST, LEVEL, WATCH_BITS, Flag, compare, divergence

SHARES = {"a": 27, "b": 11, "c": 7, "d": 7, "e": 4}


def sampled(random, shares, size):
    return {str(i): int(n) for i, n in enumerate(random.multinomial(size, shares)) if n}


@pytest.mark.parametrize("size", [FEWEST, 2_000, 50_000])
def test_looks_at_the_same_are_seldom_flagged(size):
    """Of 100 looks; the level promises one, before the limit on the distance is asked at all."""
    random = np.random.default_rng(size)
    shares = {name: random.dirichlet(np.ones(k)) for name, k in SHARES.items()}
    flagged = 0
    for look in range(100):
        now, then = ({n: sampled(random, p, s) for n, p in shares.items()} for s in (size, 2_200))
        flagged += compare(now, then, list(shares), seed=look).flag > Flag.STABLE
    assert flagged / 100 <= 3 * LEVEL


def test_the_p_value_keeps_its_level():
    """Without the limit on the distance: as often below the level as it says, give or take."""
    random = np.random.default_rng(1)
    p = random.dirichlet(np.ones(10))
    values = [
        compare({"a": sampled(random, p, 500)}, {"a": sampled(random, p, 500)}, ["a"]).comparisons[0].p
        for _ in range(300)
    ]
    assert np.mean(np.array(values) <= 0.1) == pytest.approx(0.1, abs=0.055)


@given(st.integers(0, 10_000), st.integers(3, 12), st.sampled_from([300, 3_000]))
@settings(max_examples=20, deadline=None)
def test_a_shift_is_flagged_and_named(seed, classes, size):
    """Half of the products fall into one class: more than any limit."""
    random = np.random.default_rng(seed)
    p = random.dirichlet(np.full(classes, 5.0))
    q = 0.5 * p
    rarest = int(np.argmin(p))
    q[rarest] += 0.5
    drift = compare({"a": sampled(random, q, size)}, {"a": sampled(random, p, 3_000)}, ["a"], seed)
    assert drift.flag == Flag.DRIFT and drift.worst.moved[0][0] == str(rarest)
    assert drift.worst.moved[0][1] > 0.15


def test_a_small_difference_is_no_drift_however_many_products_show_it():
    drift = compare({"a": {"x": 520_000, "y": 480_000}}, {"a": {"x": 500_000, "y": 500_000}}, ["a"])
    assert drift.comparisons[0].p < 0.01 and drift.flag == Flag.STABLE


def test_between_the_limits_it_is_watched():
    drift = compare({"a": {"x": 6_800, "y": 3_200}}, {"a": {"x": 5_000, "y": 5_000}}, ["a"])
    assert WATCH_BITS < drift.worst.bits < DRIFT_BITS and drift.flag == Flag.WATCH


@pytest.mark.parametrize(("now", "then"), [(FEWEST - 1, 5_000), (5_000, FEWEST - 1), (0, 5_000), (5_000, 0), (0, 0)])
def test_few_products_say_nothing(now, then):
    drift = compare({"a": {"x": now}}, {"a": {"y": then}}, ["a"])
    assert drift.flag == Flag.FEW and drift.comparisons[0].number == now


def test_what_is_not_judged_raises_no_flag():
    now, then = {"a": {"x": 1000}, "b": {"x": 1000}}, {"a": {"x": 1000}, "b": {"y": 1000}}
    drift = compare(now, then, ["a"])
    assert drift.flag == Flag.STABLE and [one.flag for one in drift.comparisons] == [Flag.STABLE, Flag.DRIFT]


@given(st.lists(st.integers(0, 1000), min_size=2, max_size=8), st.lists(st.integers(0, 1000), min_size=2, max_size=8))
def test_the_distance_is_a_distance(a, b):
    width = max(len(a), len(b))
    p, q = (np.array([*x, *[0] * (width - len(x))], float) + 1e-9 for x in (a, b))
    p, q = p / p.sum(), q / q.sum()
    assert 0 <= divergence(p, q) <= 1 and divergence(p, p) == pytest.approx(0, abs=1e-12)
    assert divergence(p, q) == pytest.approx(divergence(q, p))


def test_the_distance_of_what_shares_nothing_is_one():
    assert divergence(np.array([1.0, 0.0]), np.array([0.0, 1.0])) == 1.0
