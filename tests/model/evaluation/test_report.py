"""The report, against closed forms and scikit-learn."""

import json
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score, roc_auc_score, top_k_accuracy_score

from model.evaluation.facts import RowFacts
from model.evaluation.report import report
from tests.model.evaluation.samples import ABOUT, CODES, drawn, facts, made_report
from ui.card.report import read_report

SCORES = {
    *("rows", "weighted_f1", "weighted_f1_interval", "macro_f1", "macro_f1_interval", "accuracy", "accuracy_interval"),
    *("top3_accuracy", "ece", "auroc_of_confidence"),
}


def test_the_schema():
    probabilities = drawn()[0]
    both = facts().by_inputs["both"]
    same = dict.fromkeys(("text", "image", "both"), probabilities[both])
    found = made_report(same_rows=same, subsets={"half": np.arange(200) < 100}, branches={"lexical": probabilities})
    assert list(found) == [
        *("schema", "command", "created", "model", "data", "weighting", "caution", "language_by", "overall"),
        *("by_inputs", "same_rows", "by_language", "by_length", "by_description", "subsets", "categories"),
        *("confusion", "reliability", "coverage", "sets", "branches"),
    ]
    assert found["schema"] == 2 and found["model"] == "made-1" and found["command"] == "a command"
    groups = [found["overall"], *(row["scores"] for row in found["by_length"])]
    for name in ("by_inputs", "same_rows", "by_language", "by_description", "subsets"):
        groups += found[name].values()
    assert all(set(group) == SCORES for group in groups)
    assert len(found["reliability"]) == 15 and len(found["coverage"]) == 100
    assert found["same_rows"]["both"] == found["by_inputs"]["both"]
    assert found["branches"] == {"lexical": found["overall"]["weighted_f1"]}
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_the_page_about_the_model_can_read_it():
    seen = read_report(made_report())
    assert seen.readable and seen.overall.intervals.keys() == {"weighted_f1", "macro_f1", "accuracy"}
    assert seen.confusion.counts.sum() == 200 and len(seen.coverage) == 100 and seen.reliability


@pytest.mark.parametrize("weighted", [False, True])
def test_as_scikit_learn_measures_it(weighted):
    probabilities, truth = drawn(300, sure=1.0)
    weights = np.random.default_rng(5).uniform(0.2, 3, 300) if weighted else None
    found = report(probabilities, truth, CODES, facts(300), ABOUT, quantile=0.9, coverage=0.9, weights=weights)
    answer, overall = probabilities.argmax(axis=1), found["overall"]
    by = {"sample_weight": weights}
    assert overall["weighted_f1"] == pytest.approx(f1_score(truth, answer, average="weighted", **by), abs=1e-6)
    assert overall["macro_f1"] == pytest.approx(f1_score(truth, answer, average="macro", **by), abs=1e-6)
    assert overall["accuracy"] == pytest.approx(accuracy_score(truth, answer, **by), abs=1e-6)
    assert overall["top3_accuracy"] == pytest.approx(top_k_accuracy_score(truth, probabilities, k=3, **by), abs=1e-6)
    area = roc_auc_score(truth == answer, probabilities.max(axis=1), **by)
    assert overall["auroc_of_confidence"] == pytest.approx(area, abs=1e-6)


def test_by_hand():
    probabilities = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.25, 0.75]], np.float32)
    rows = RowFacts(
        has_text=np.array([True, True, False, False]),
        has_image=np.array([False, True, True, False]),
        described=np.array([True, False, False, False]),
        words=np.array([6, 151, 0, 0]),
        language=["fr", "en", "unknown", "unknown"],
    )
    found = report(probabilities, np.array([0, 1, 1, 1]), (10, 40), rows, ABOUT, quantile=0.7, coverage=0.8)
    assert found["overall"]["accuracy"] == 0.75 and found["overall"]["top3_accuracy"] == 1
    assert found["overall"]["weighted_f1"] == pytest.approx((2 / 3 + 3 * 0.8) / 4, abs=1e-6)
    assert found["confusion"] == {"codes": [10, 40], "counts": [[1, 0], [1, 2]]}
    first = found["categories"][0]
    assert (first["code"], first["support"], first["precision"], first["recall"]) == (10, 1, 0.5, 1)
    assert {name: group and group["rows"] for name, group in found["by_inputs"].items()} == {
        "text": 1,
        "image": 1,
        "both": 1,
    }
    assert {name: group["rows"] for name, group in found["by_language"].items()} == {"unknown": 2, "en": 1, "fr": 1}
    lengths = [(row["from"], row["to"], row["scores"]["rows"]) for row in found["by_length"]]
    assert lengths == [(0, 5, 2), (6, 10, 1), (151, None, 1)]
    assert found["by_description"]["without"]["rows"] == 3 and found["same_rows"] is None
    sets = found["sets"]
    assert sets["sizes"] == {"1": 0.75, "2": 0.25} and sets["mean_size"] == 1.25
    assert sets["stated_coverage"] == 0.8 and sets["measured_coverage"] == 1
    levels = {level["threshold"]: level for level in found["coverage"]}
    assert [levels[t]["coverage"] for t in (0, 0.6, 0.61, 0.75, 0.8, 0.81, 0.9, 0.91)] == [
        *(1, 1, 0.75, 0.75, 0.5, 0.25, 0.25, 0),
    ]
    assert levels[0]["accuracy"] == 0.75 and levels[0.61]["accuracy"] == 1
    assert levels[0.91]["accuracy"] is None and levels[0.91]["accuracy_interval"] is None


def test_what_cannot_be_had_is_null():
    probabilities = np.array([[0.2, 0.7, 0.1]], np.float32)
    rows = RowFacts(*(np.array([False]) for _ in range(3)), np.array([0]), ["unknown"])
    found = report(probabilities, np.array([1]), (1, 2, 3), rows, ABOUT, quantile=0.5, coverage=0.9)
    assert found["overall"]["auroc_of_confidence"] is None
    assert found["by_inputs"] == {"text": None, "image": None, "both": None}
    assert found["by_description"]["with"] is None
    never = found["categories"][0]
    assert [never[name] for name in ("precision", "recall", "f1", "f1_interval")] == [None] * 4
    assert found["reliability"][0] == {
        **{"from": 0, "to": pytest.approx(1 / 15, abs=1e-6), "rows": 0},
        **{"confidence": None, "accuracy": None},
    }
    json.dumps(found, allow_nan=False)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 120), st.integers(2, 4), st.booleans())
def test_whatever_the_rows(seed, n, categories, weighted):
    weights = np.random.default_rng(seed).uniform(0.1, 9, n) if weighted else None
    found = made_report(n, categories, seed, weights=weights)
    json.dumps(found, allow_nan=False)
    for name in ("weighted_f1", "macro_f1", "accuracy"):
        low, high = found["overall"][f"{name}_interval"]
        assert 0 <= low <= high <= 1 and 0 <= found["overall"][name] <= 1
    coverage = [level["coverage"] for level in found["coverage"]]
    assert coverage == sorted(coverage, reverse=True) and coverage[0] == 1
    assert found["coverage"][0]["accuracy"] == found["overall"]["accuracy"]
    assert sum(found["sets"]["sizes"].values()) == pytest.approx(1, abs=1e-5)
    assert sum(bin_["rows"] for bin_ in found["reliability"]) == n
    assert sum(row["scores"]["rows"] for row in found["by_length"]) == n


def test_equal_weights_are_none():
    assert made_report(weights=np.full(200, 3.5)) == made_report()


def test_intervals_hold_the_measure_and_narrow_with_rows():
    inside, widths = [], {}
    for n in (100, 1600):
        for seed in range(6):
            overall = made_report(n, seed=seed)["overall"]
            for name in ("weighted_f1", "macro_f1", "accuracy"):
                low, high = overall[f"{name}_interval"]
                inside.append(low <= overall[name] <= high)
                widths.setdefault(n, []).append(high - low)
    assert np.mean(inside) > 0.95
    assert np.mean(widths[1600]) == pytest.approx(np.mean(widths[100]) / 4, rel=0.3)


def test_intervals_hold_the_true_share_about_as_often_as_they_say():
    random, hits = np.random.default_rng(0), 0
    for _ in range(60):
        right = random.random(300) < 0.8
        probabilities = np.where(right[:, None], [[0.9, 0.1]], [[0.1, 0.9]]).astype(np.float32)
        rows = RowFacts(right, right, right, right.astype(int), ["fr"] * 300)
        found = report(probabilities, np.zeros(300, int), (1, 2), rows, ABOUT, quantile=0.5, coverage=0.9)
        low, high = found["overall"]["accuracy_interval"]
        hits += low <= 0.8 <= high
    assert hits >= 52  # of 60 at 95 %: fewer has a chance below one in a thousand


def test_weights_move_every_measure_as_repeated_rows_do():
    probabilities, truth = drawn(120, sure=1.0)
    times = np.random.default_rng(1).integers(1, 4, 120)
    rows = facts(120)
    arrays = (rows.has_text, rows.has_image, rows.described, rows.words)
    repeated = RowFacts(*(array.repeat(times) for array in arrays), np.repeat(rows.language, times).tolist())
    given_ = {"quantile": 0.8, "coverage": 0.9}
    once = report(probabilities, truth, CODES, rows, ABOUT, weights=times.astype(float), **given_)
    often = report(probabilities.repeat(times, axis=0), truth.repeat(times), CODES, repeated, ABOUT, **given_)

    def measures(found):
        skipped = ("_interval", "rows", "support", "counts")
        if isinstance(found, dict):
            return {k: measures(v) for k, v in found.items() if not k.endswith(skipped)}
        return [measures(v) for v in found] if isinstance(found, list) else found

    compared = [measures(found) for found in (once, often)]
    for found in compared:
        found["by_language"] = dict(sorted(found["by_language"].items()))
    assert flat(compared[0]) == pytest.approx(flat(compared[1]), abs=2e-6)


def flat(found, name=""):
    """Numbers by their place."""
    if isinstance(found, dict | list):
        items = found.items() if isinstance(found, dict) else enumerate(found)
        return {k: v for key, item in items for k, v in flat(item, f"{name}/{key}").items()}
    return {name: found} if isinstance(found, int | float) else {}


@pytest.mark.parametrize(
    "change",
    [
        {"weights": np.zeros(200)},
        {"weights": np.ones(3)},
        {"weights": np.full(200, np.nan)},
    ],
)
def test_weights_that_are_none(change):
    with pytest.raises(ValueError, match="weight"):
        made_report(**change)


def test_what_does_not_fit_together():
    probabilities, truth = drawn()
    for arrays in ((probabilities[:3], truth), (probabilities, truth + 9), (probabilities * np.nan, truth)):
        with pytest.raises(ValueError):
            report(*arrays, CODES, facts(), ABOUT, quantile=0.9, coverage=0.9)


def test_five_thousand_rows_take_a_few_seconds():
    random, n = np.random.default_rng(0), 5_000
    probabilities, truth = drawn(n, 27)
    started = time.process_time()
    report(probabilities, truth, range(27), facts(n), ABOUT, quantile=0.9, coverage=0.9, weights=random.random(n) + 0.1)
    assert time.process_time() - started < 5
