"""The residual: that it is the most probable one, that weights say what the fit said, that no fold sees itself."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import approx_fprime, minimize
from scipy.special import log_softmax

from model.adaptation import residual as residuals
from model.adaptation.choice import FOLDS, VARIANCES, CrossFit, _least
from model.adaptation.residual import ALONE, Basis, Strength, fit_residual, pictured
from model.adaptation.spaces import PictureSpace, TextSpace
from tests.model.adaptation.samples import decided, evidence

STRENGTH = Strength(20.0, 5.0)


def made(rows: int = 30, seed: int = 0, held: bool = False):
    """Evidence, its spaces, what is decided, with labels that the first n-grams and features tell."""
    found = evidence(rows, seed=seed)
    held_to = evidence(12, seed=seed + 1, inputs="text") if held else None
    texts, pictures = TextSpace(found, [1], held_to, 0.5), PictureSpace(found)
    told = np.asarray(found.words[:, 2:6].toarray()) + found.pooled[:, :4]
    return found, texts, pictures, decided(found, told.argmax(axis=1), texts.gram, pictures.gram)


@pytest.mark.parametrize("held", [False, True])
def test_weights_add_what_the_fit_says(held: bool) -> None:
    found, texts, pictures, one = made(held=held)
    fitted = fit_residual(one, np.ones(30, bool), STRENGTH)
    text, picture = fitted.added(one)
    weights = texts.weights(one.text_basis.back @ fitted.text)
    assert np.abs(text).max() > 0.5
    np.testing.assert_allclose(weights.added(found), text, atol=1e-6)
    head = pictures.weights(one.picture_basis.back @ fitted.picture)
    told = head.added(found.pooled) * found.has_picture[:, None]
    np.testing.assert_allclose(told, picture - picture.mean(axis=1, keepdims=True), atol=1e-6)


def test_an_average_product_is_told_nothing() -> None:
    found, texts, _, one = made()
    fitted = fit_residual(one, np.ones(30, bool), STRENGTH)
    text, picture = fitted.added(one)
    np.testing.assert_allclose(text[found.has_text].mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(picture[found.has_picture].mean(axis=0), 0, atol=1e-6)
    weights = texts.weights(one.text_basis.back @ fitted.text)
    np.testing.assert_allclose(weights.words[1], 0, atol=1e-9)  # what every text has carries no weight


def test_held_texts_are_answered_nearly_as_before() -> None:
    shifts = []
    for held in (False, True):
        _, texts, _, one = made(held=held)
        fitted = fit_residual(one, np.ones(30, bool), STRENGTH)
        weights = texts.weights(one.text_basis.back @ fitted.text)
        shifts.append(np.abs(weights.added(evidence(12, seed=1, inputs="text"))).mean())
    assert shifts[1] < 0.5 * shifts[0]


def test_held_pictures_are_answered_nearly_as_before() -> None:
    found, _, _, one = made()
    others = np.random.default_rng(1).random((6, 8))
    shifts = []
    for held in (None, others):
        pictures = PictureSpace(found, held, 0.1)
        basis = Basis.of(pictures.gram)
        fitted = fit_residual(replace(one, picture_basis=basis), np.ones(30, bool), STRENGTH)
        head = pictures.weights(basis.back @ fitted.picture)
        told = head.added(found.pooled) * found.has_picture[:, None]
        picture = basis.values @ fitted.picture
        np.testing.assert_allclose(told, picture - picture.mean(axis=1, keepdims=True), atol=1e-6)
        shifts.append(np.abs(head.added(others)).mean())
    assert shifts[1] < 0.5 * shifts[0]


def test_the_residual_is_the_most_probable_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Against the posterior written out on the weights of all features."""
    monkeypatch.setattr(residuals, "_STEEP", 1e-4)
    monkeypatch.setattr(residuals, "_ITERATIONS", 5_000)
    _, _, _, one = made(rows=14)
    rows = np.arange(14) != 3
    fitted = fit_residual(one, rows, STRENGTH)
    n, categories, both = 14, 4, one.has_text & one.has_picture
    shapes = (one.text_basis.values.shape[1], one.picture_basis.values.shape[1])
    shown = pictured(one, rows)
    assert 1 < shown.sum() < categories  # by pictures, nothing is added to the others

    def posterior(x: np.ndarray) -> float:
        a, b, offset = np.split(x, np.cumsum([shapes[0] * categories, shapes[1] * categories]))
        text = one.text_basis.values @ a.reshape(-1, categories)
        picture = one.picture_basis.values @ b.reshape(-1, categories) * shown
        value = a @ a / STRENGTH.text / 2 + b @ b / STRENGTH.picture / 2 + offset @ offset / 2
        for logits, weight in (
            (one.logits + text + picture, np.ones(n)),
            (one.bias + one.text + text, ALONE * both),
            (one.bias + one.picture + picture, ALONE * both),
        ):
            shares = log_softmax(logits + offset, axis=1)[np.arange(n), one.targets]
            value -= float((weight * shares)[rows].sum())
        return value

    start = np.concatenate([fitted.text.ravel(), fitted.picture.ravel(), np.zeros(categories)])
    best = minimize(posterior, start, method="L-BFGS-B", options={"maxiter": 3_000, "maxfun": 10**6, "ftol": 1e-12})
    a, b, _ = np.split(best.x, np.cumsum([shapes[0] * categories, shapes[1] * categories]))
    text, picture = fitted.added(one)
    np.testing.assert_allclose(one.text_basis.values @ a.reshape(-1, categories), text, atol=0.02)
    np.testing.assert_allclose(one.picture_basis.values @ b.reshape(-1, categories) * shown, picture, atol=0.02)
    assert np.abs(approx_fprime(best.x, posterior, 1e-6)).max() < 0.05


def test_which_categories_were_sent_is_no_news() -> None:
    """Labels of one category mostly, told by nothing: hardly anything is added, on average nothing."""
    found = evidence(200, inputs="text")
    targets = np.where(np.random.default_rng(3).random(200) < 0.9, 2, np.arange(200) % 4)
    texts = TextSpace(found, [1])
    one = decided(found, targets, texts.gram, np.zeros((200, 200)))
    text, _ = fit_residual(one, np.ones(200, bool), Strength(2.0, 0.0)).added(one)
    assert np.abs(text.mean(axis=0)).max() < 1e-6


def test_no_strength_adds_nothing() -> None:
    _, _, _, one = made()
    fitted = fit_residual(one, np.ones(30, bool), Strength(0.0, 0.0))
    assert not any(added.any() for added in fitted.added(one))
    only_text = fit_residual(one, np.ones(30, bool), Strength(9.0, 0.0)).added(one)
    assert only_text[0].any() and not only_text[1].any()


@pytest.mark.parametrize("fold", [1, FOLDS - 1])
def test_a_fold_is_answered_whatever_its_own_labels(fold: int) -> None:
    _, _, _, one = made(rows=50)
    folds, new = np.arange(50) % FOLDS, np.ones(50, bool)
    mine, out = folds == fold, frozenset([fold])

    def answered() -> list[np.ndarray]:
        cross = CrossFit(one, folds, new)
        return [part[mine] for part in cross.answered(out)]

    before = answered()
    one.targets[mine] = (one.targets[mine] + 1) % 4
    after = answered()
    assert before[0].any() and before[1].any()
    for first, second in zip(before, after, strict=True):
        np.testing.assert_array_equal(first, second)


def test_noise_teaches_nothing() -> None:
    found = evidence(100, inputs="text")
    texts = TextSpace(found, [1])
    # As the model says it is, so that there is nothing to learn.
    random = np.random.default_rng(0)
    shares = np.exp(log_softmax(found.logits, axis=1))
    targets = np.array([random.choice(4, p=row) for row in shares])
    one = decided(found, targets, texts.gram, np.zeros((100, 100)))
    strength = CrossFit(one, np.arange(100) % FOLDS, np.ones(100, bool)).final().strength
    assert strength.text <= VARIANCES[1] and strength.picture == 0


@pytest.mark.parametrize("best", range(len(VARIANCES)))
def test_the_lowest_point_of_the_valley_is_found(best: int) -> None:
    assert _least(lambda value: abs(VARIANCES.index(value) - best)) == VARIANCES[best]
    assert _least(lambda value: abs(VARIANCES.index(value) - best), 10.0) == min(VARIANCES[best], 10.0)
