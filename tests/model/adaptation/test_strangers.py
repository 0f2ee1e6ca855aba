"""Pictures of categories that a head has not been fitted on: that they are met as strangers, and lose nothing."""

from dataclasses import replace

import numpy as np
import pytest

from model.adaptation import strangers
from model.adaptation.choice import FEWEST, FOLDS, CrossFit, left_because
from model.adaptation.drawings import drawing
from model.adaptation.residual import Basis, Decided, Strength, fit_residual
from model.adaptation.spaces import PictureSpace
from tests.model.adaptation.samples import decided, evidence

CATEGORIES = 9


def pictured(categories: int = 5, each: int = 8, scatter: float = 0.3, seed: int = 0) -> tuple[Decided, PictureSpace]:
    """Pictures of a few of nine categories, each around a point of its own, and no texts."""
    random = np.random.default_rng(seed)
    targets = np.repeat(np.arange(categories), each)
    rows = len(targets)
    found = evidence(rows, CATEGORIES, seed, inputs="text")
    around = random.normal(size=(CATEGORIES, 30))[targets]
    nothing = {"has_text": np.zeros(rows, bool), "text": np.zeros((rows, CATEGORIES)), "bias": np.zeros(CATEGORIES)}
    pooled = around + random.normal(0, scatter, (rows, 30))
    found = replace(found, **nothing, pooled=pooled, has_picture=np.ones(rows, bool))
    space = PictureSpace(found)
    return decided(found, targets, np.zeros((rows, rows)), space.gram), space


def test_a_stranger_is_answered_as_if_its_category_had_not_been_there() -> None:
    """Against a fit on the other rows alone, from their features."""
    one, space = pictured()
    met = strangers.meet(one, np.ones(40, bool), 10.0)
    away = one.targets == 3
    rows = ~away
    features = space._features - space._features[rows].mean(axis=0)
    alone = Decided(
        *(part[rows] for part in (one.text, one.picture)), one.bias, one.has_text[rows], one.has_picture[rows],
        one.targets[rows], Basis.of(np.zeros((32, 32))), Basis.of(features[rows] @ features[rows].T),
    )  # fmt: skip
    fitted = fit_residual(alone, np.ones(32, bool), Strength(0.0, 10.0))
    told = features[away] @ features[rows].T @ (alone.picture_basis.back @ fitted.picture)
    known = [0, 1, 2, 4]
    assert met.rows.all() and np.abs(told).max() > 0.3
    np.testing.assert_allclose(met.added[away][:, known], (told + met.reserve)[:, known], atol=1e-6)
    assert not met.added[away][:, [3, 5, 6, 7, 8]].any()


@pytest.mark.parametrize("variance", [2.0, 250.0])
def test_strangers_are_as_likely_a_decided_category_as_before(variance: float) -> None:
    one, _ = pictured()
    met = strangers.meet(one, np.ones(40, bool), variance)
    odds = np.exp(met.added)[met.added != 0]
    assert odds.mean() == pytest.approx(1) and met.reserve[:5].max() < -0.1 and not met.reserve[5:].any()
    before = np.full((40, CATEGORIES), -np.log(CATEGORIES))
    after = met.added - np.log(np.exp(met.added).sum(axis=1, keepdims=True))
    own = np.arange(40), one.targets
    assert after[own].mean() > before[own].mean() - 1e-9


def test_real_strangers_are_hardly_drawn_to_what_was_decided() -> None:
    """Categories that are nowhere among the decisions, around points of their own."""
    one, space = pictured(each=12)
    final = CrossFit(one, np.arange(60) % FOLDS, np.ones(60, bool)).final()
    whole = space.weights(one.picture_basis.back @ final.residual.picture, final.met.reserve)
    greedy = fit_residual(one, np.ones(60, bool), Strength(0.0, 250.0))
    head = space.weights(one.picture_basis.back @ greedy.picture)
    others = np.random.default_rng(0).normal(size=(CATEGORIES, 30))[5:]
    sure = [softmax(one_.added(others)).max(axis=1).mean() for one_ in (whole, head)]
    assert sure[0] < 0.4 < sure[1]
    own = softmax(one.picture_basis.values @ final.residual.picture + final.met.reserve)
    assert (own.argmax(axis=1) == one.targets).mean() > 0.95


@pytest.mark.parametrize(("categories", "left"), [(2, "few_categories"), (3, "few_categories"), (4, None)])
def test_a_few_categories_alone_teach_nothing_of_pictures(categories: int, left: str | None) -> None:
    one, _ = pictured(categories, each=12)
    rows = len(one.targets)
    final = CrossFit(one, np.arange(rows) % FOLDS, np.ones(rows, bool)).final()
    assert left_because(one.has_picture, one.targets) == left
    assert (final.strength.picture == 0) == (final.met is None) == (left is not None)


def test_few_pictures_teach_nothing() -> None:
    one, _ = pictured(6, each=3)
    assert len(one.targets) < FEWEST and left_because(one.has_picture, one.targets) == "few"


def test_nothing_is_added_by_pictures_where_they_are_not_to_teach() -> None:
    one, _ = pictured()
    cross = CrossFit(one, np.arange(40) % FOLDS, np.ones(40, bool), most=0.0)
    assert cross.final().strength == Strength(0.0, 0.0) and not any(part.any() for part in cross.held_out())


def test_the_share_of_strangers_is_what_the_model_expects() -> None:
    one, _ = pictured()
    assert strangers.share(one, np.ones(40, bool)) == pytest.approx(4 / 9)
    assert strangers.share(one, one.targets != 2) == pytest.approx(5 / 9)


def test_drawings_are_always_the_same_and_of_many_kinds() -> None:
    made = [drawing(number, 20, 64) for number in range(300)]
    assert all(one.shape == (64, 64, 3) and one.dtype == np.float32 for one in made)
    assert min(one.min() for one in made) >= 0 and max(one.max() for one in made) <= 255
    np.testing.assert_array_equal(made[7], drawing(7, 20, 64))
    assert np.abs(made[7] - drawing(7, 21, 64)).max() > 1
    assert np.std([one.mean() for one in made]) > 30 and np.ptp([one.std() for one in made]) > 60


def softmax(logits: np.ndarray) -> np.ndarray:
    return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
