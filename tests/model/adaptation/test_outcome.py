"""What is measured before and after, and what is refused for it."""

import numpy as np
import pytest

from model.adaptation.errors import AdaptationError
from model.adaptation.judging import MEASURES, compared
from model.adaptation.outcome import LEFT, MOST, MOST_ALONE, check_better, check_remembers, lost, quantile

SETTINGS = {"threshold": 0.6, "coverage": 0.9, "conformal_quantile": 0.6}


def logits(truth: np.ndarray, right: float, seed: int, sure: float = 3.0) -> np.ndarray:
    """Answers of which the share ``right`` is right."""
    random = np.random.default_rng(seed)
    answer = np.where(random.random(len(truth)) < right, truth, (truth + 1) % 5)
    return sure * np.eye(5)[answer] + random.normal(0, 0.1, (len(truth), 5))


def found(before: float, after: float, rows: int = 400, sure: float = 3.0, strength: float = 10.0) -> dict:
    truth = np.arange(rows) % 5
    measured = compared(logits(truth, before, 1), logits(truth, after, 2, sure), truth, np.arange(rows))
    return {
        "adapted_from": "open-1",
        "strength": {"text": strength, "picture": 0.0},
        "held_out": {"all": measured},
        "decisions": {"with_picture": 0},
        "pictures": {"left": "few", "would_be": None},
        "remembered": {"text": measured},
    }


def remembered(**shown: dict[str, float]) -> dict:
    """A report of which some is answered worse by so much."""
    same = {"weighted_f1": 0.5, "log_loss": 0.5, "ece": 0.1}
    return {
        "adapted_from": "open-1",
        "remembered": {
            name: {
                "rows": 77, "difference": dict.fromkeys(same, 0.0) | by, "before": same,
                "after": {measure: value + by.get(measure, 0.0) for measure, value in same.items()},
            }
            for name, by in shown.items()
        },
    }  # fmt: skip


def test_the_same_answers_differ_in_nothing() -> None:
    truth = np.arange(50) % 5
    one = compared(logits(truth, 0.7, 0), logits(truth, 0.7, 0), truth, np.arange(50))
    assert one["rows"] == 50 and one["before"] == one["after"]
    assert all(one["difference"][name] == 0 and one["difference_interval"][name] == [0, 0] for name in MEASURES)
    assert compared(logits(truth[:0], 1, 0), logits(truth[:0], 1, 0), truth[:0], truth[:0]) is None


def test_a_difference_lies_in_its_interval_and_duplicates_widen_it() -> None:
    truth = np.arange(300) % 5
    before, after = logits(truth, 0.6, 1), logits(truth, 0.8, 2)
    alone = compared(before, after, truth, np.arange(300))
    together = compared(before[::3].repeat(3, 0), after[::3].repeat(3, 0), truth[::3].repeat(3), np.arange(300) // 3)
    for one in (alone, together):
        for name in MEASURES:
            low, high = one["difference_interval"][name]
            assert low <= one["difference"][name] <= high
    width = [np.ptp(one["difference_interval"]["accuracy"]) for one in (alone, together)]
    assert width[1] > 1.4 * width[0]


def test_what_is_better_passes() -> None:
    check_better(found(0.6, 0.8))
    check_remembers(found(0.8, 0.79) | {"remembered": {"text": None, "drawings": None}})


@pytest.mark.parametrize(("before", "after", "sure"), [(0.8, 0.6, 3.0), (0.8, 0.8, 12.0), (0.8, 0.78, 1.5)])
def test_what_is_worse_is_refused_with_its_numbers(before: float, after: float, sure: float) -> None:
    one = found(before, after, sure=sure)
    with pytest.raises(AdaptationError) as caught:
        check_better(one)
    held = one["held_out"]["all"]
    assert caught.value.reason in ("worse", "no_better")
    assert f"{held['before']['log_loss']:.3f} to {held['after']['log_loss']:.3f}" in str(caught.value)


def test_what_is_hardly_worse_is_said_not_to_be_better() -> None:
    one = found(0.8, 0.8)
    one["held_out"]["all"]["difference"] |= {"log_loss": 0.0, "weighted_f1": 0.0}
    one["held_out"]["all"]["difference_interval"] |= {"log_loss": [-0.1, 0.1], "weighted_f1": [-0.1, 0.1]}
    with pytest.raises(AdaptationError, match="would not be better"):
        check_better(one)


def test_no_change_is_refused() -> None:
    one = found(0.8, 0.8, strength=0.0)
    with pytest.raises(AdaptationError) as caught:
        check_better(one)
    assert caught.value.reason == "no_gain" and "Nothing was written" in str(caught.value)
    assert "Of pictures" not in str(caught.value)
    for left, sentence in LEFT.items():
        with pytest.raises(AdaptationError) as caught:
            check_better(one | {"decisions": {"with_picture": 60}, "pictures": {"left": left}})
        assert str(caught.value).endswith(f"{sentence} Gather more.")


def test_forgetting_is_refused() -> None:
    with pytest.raises(AdaptationError) as caught:
        check_remembers(found(0.9, 0.8))
    assert caught.value.reason == "forgets" and "0.01 at most" in str(caught.value)


@pytest.mark.parametrize("shown", ["text", "with_drawings", "with_strangers"])
@pytest.mark.parametrize(("measure", "said"), [("weighted_f1", "F1"), ("log_loss", "log loss"), ("ece", "calibration")])
def test_shares_that_are_to_be_believed_less_are_forgetting(shown: str, measure: str, said: str) -> None:
    """Whatever is shown with a listing; with F1 as it was."""
    worse = -1 if measure == "weighted_f1" else 1
    fine = {"text": {measure: 0.9 * worse * MOST[measure]}}
    assert not lost(remembered(**fine)) and not lost(remembered(text={measure: -0.1 * worse}))
    one = remembered(**fine | {shown: {measure: 1.1 * worse * MOST[measure]}})
    assert lost(one) == [(shown, measure)]
    with pytest.raises(AdaptationError, match="would forget: on 77 listings of the open corpus") as caught:
        check_remembers(one)
    assert said in str(caught.value) and f"worse by {MOST[measure]} at most" in str(caught.value)


@pytest.mark.parametrize("shown", ["drawings", "strangers"])
def test_pictures_alone_may_not_be_answered_with_certainty(shown: str) -> None:
    assert not lost(remembered(**{shown: {"log_loss": 0.9 * MOST_ALONE["log_loss"], "weighted_f1": -0.1}}))
    assert lost(remembered(**{shown: {"log_loss": 1.1 * MOST_ALONE["log_loss"]}})) == [(shown, "log_loss")]


def test_sets_hold_the_truth_as_often_as_before() -> None:
    truth = np.arange(400) % 5
    before, after = (_softmax(logits(truth, 0.8, seed, sure)) for seed, sure in ((1, 1.0), (2, 6.0)))
    one = quantile(before, after, truth, SETTINGS)
    assert one["quantile"] > 0.6 and one["measured_coverage"] >= min(0.9, one["measured_coverage_before"])
    assert quantile(before, before, truth, SETTINGS)["quantile"] == 0.6


def _softmax(values: np.ndarray) -> np.ndarray:
    return np.exp(values) / np.exp(values).sum(axis=1, keepdims=True)
