"""The head on the backbone's features: it learns from few rows, and judges itself on rows it has not seen."""

import numpy as np
import pytest
from scipy.special import log_softmax

from model.training.fusion import Fusion, fit_fusion, fit_image
from model.training.picture_head import HeadRecipe, fit_head, held_out_logits


def clouds(rows: int, categories: int, width: int, apart: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Gaussian clouds of one covariance, which is far from round."""
    random = np.random.default_rng(seed)
    mix = random.normal(size=(width, width)) / np.sqrt(width)
    centres = apart * np.random.default_rng(9).normal(size=(categories, width))
    targets = random.integers(0, categories, rows)
    return ((centres[targets] + random.normal(size=(rows, width))) @ mix).astype(np.float16), targets


@pytest.mark.parametrize("recipe", [HeadRecipe(1e-2, 1.0, 0.0), HeadRecipe(1e-2, 0.0, 1.0), HeadRecipe(1e-2, 0.5, 0.5)])
def test_each_classifier_learns(recipe: HeadRecipe) -> None:
    features, targets = clouds(900, 4, 20, 1.0)
    head = fit_head(features[:600], targets[:600], 4, recipe)
    assert (head.logits(features[600:]).argmax(axis=1) == targets[600:]).mean() > 0.9
    assert head.kernel.sum(axis=1) == pytest.approx(np.zeros(20), abs=1e-3)
    assert head.bias.sum() == pytest.approx(0, abs=1e-3)


def test_shares_of_the_fitted_rows_are_not_in_the_head() -> None:
    features, targets = clouds(4000, 2, 5, 0.0)  # nothing to learn but shares
    kept = (targets == 0) | (np.arange(4000) % 10 == 0)
    for weights in ((1.0, 0.0), (0.0, 1.0)):
        head = fit_head(features[kept], targets[kept], 2, HeadRecipe(1e-4, *weights))
        assert np.abs(head.logits(features).mean(axis=0)).max() < 0.15


def test_a_category_without_picture_is_the_least_likely() -> None:
    features, targets = clouds(300, 3, 10, 1.0)
    head = fit_head(features, np.where(targets == 2, 3, targets), 5, HeadRecipe(1e-2, 0.5, 0.5))
    assert np.isfinite(head.kernel).all() and np.isfinite(head.bias).all()
    assert not np.isin(head.logits(features).argmax(axis=1), [2, 4]).any()


def test_unseen_logits_are_unseen() -> None:
    """On labels drawn by chance, a head that had seen them would be right; these are right by chance alone."""
    features, _ = clouds(300, 3, 200, 0.0)
    targets = np.random.default_rng(1).integers(0, 3, 300)
    prior = np.log(np.full(3, 1 / 3))
    logits, recipe = held_out_logits(features, targets, np.arange(300) % 5, prior)
    assert (
        fit_head(features, targets, 3, HeadRecipe(3.0, 1.0, 0.0)).logits(features).argmax(1) == targets
    ).mean() > 0.9
    assert (logits.argmax(axis=1) == targets).mean() < 0.45
    # And the blend knows that nothing can be said.
    loss = -log_softmax(logits + prior, axis=1)[np.arange(300), targets].mean()
    assert loss == pytest.approx(np.log(3), abs=0.05)
    assert recipe.regression >= 0 and recipe.discriminant >= 0


def test_the_blend_is_no_worse_than_either() -> None:
    features, targets = clouds(400, 4, 60, 0.35)
    prior = np.log(np.full(4, 0.25))
    blended, recipe = held_out_logits(features, targets, np.arange(400) % 5, prior)

    def loss(logits: np.ndarray) -> float:
        return -float(log_softmax(logits + prior, axis=1)[np.arange(400), targets].mean())

    alone = np.zeros((400, 4), np.float32)
    for fold in range(5):
        out = np.arange(400) % 5 == fold
        alone[out] = fit_head(features[~out], targets[~out], 4, HeadRecipe(recipe.penalty, 1, 0)).logits(features[out])
    assert loss(blended) <= loss(alone) + 1e-4


def test_rows_of_no_fold_are_always_fitted_on() -> None:
    features, targets = clouds(300, 3, 10, 1.0)
    logits, _ = held_out_logits(features, targets, np.where(np.arange(300) < 60, 0, -1), np.log(np.full(3, 1 / 3)))
    assert np.isnan(logits[60:]).all()
    assert (logits[:60].argmax(axis=1) == targets[:60]).mean() > 0.8


def test_a_picture_is_weighed_by_what_it_adds() -> None:
    random = np.random.default_rng(0)
    truth = random.integers(0, 4, 3000)
    text, good = (np.eye(4)[truth] * 2 + random.normal(size=(3000, 4)) for _ in range(2))
    noise, prior = random.normal(size=(3000, 4)), np.log(np.full(4, 0.25))
    fusion = fit_image(Fusion(2.0, 0.0, 1.0), 2 * text, noise, good, truth, prior)
    assert fusion.image_head == pytest.approx(2, rel=0.2)  # unit noise around 2 and 0: the slope of the log odds
    assert fusion.image_table < 0.2
    assert (fusion.lexical, fusion.semantic, fusion.prior) == (2.0, 0.0, 1.0)


def test_few_rows_that_are_all_right_do_not_make_certain() -> None:
    truth = np.arange(40) % 4
    sure = np.eye(4)[truth] * 5
    prior = np.log(np.full(4, 0.25))
    fusion = fit_image(Fusion(1.0, 0.0, 1.0), np.zeros((40, 4)), np.zeros((40, 4)), sure, truth, prior)
    assert fusion.image_head < 3


def test_without_texts_the_branches_have_their_usual_weights() -> None:
    nothing = np.zeros((0, 4))
    fusion = fit_fusion(nothing, nothing, np.zeros(0, int), np.zeros(0), np.log(np.full(4, 0.25)))
    assert fusion.lexical > 0 and fusion.semantic > 0


def test_pictures_that_lie_far_apart_do_not_say_more_than_a_text_can() -> None:
    features, targets = clouds(150, 4, 300, 3.0)
    logits, recipe = held_out_logits(features, targets, np.arange(150) % 5, np.log(np.full(4, 0.25)))
    assert (logits.argmax(axis=1) == targets).mean() > 0.95
    assert np.abs(logits).max() < 20
    assert np.abs(fit_head(features, targets, 4, recipe).logits(features)).max() < 40


def test_a_fold_that_leaves_one_category_says_nothing() -> None:
    features, _ = clouds(60, 2, 8, 1.0)
    targets = np.zeros(60, int)
    targets[:2] = 1
    folds = np.where(np.arange(60) < 2, 0, np.arange(60) % 5)
    logits, _ = held_out_logits(features, targets, folds, np.log(np.full(2, 0.5)))
    assert np.isfinite(logits).all()
