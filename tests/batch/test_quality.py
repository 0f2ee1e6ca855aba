import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, precision_recall_fscore_support

from batch.quality import needing_a_person, quality
from model.taxonomy import default_taxonomy

TAXONOMY = default_taxonomy()
CODES = list(TAXONOMY.codes)
NO_LABEL = [-1, 0, 11, 99_999]


def test_by_hand():
    labels = np.array([10, 10, 40, -1, 40, 50, 7])
    answers = np.array([10, 40, 40, 10, 10, 50, 10])
    found = quality(labels, answers, TAXONOMY, np.array([0.9, 0.5, 0.8, 0.99, 0.7, 0.6, 0.99], np.float32))
    assert (found.rows, found.skipped, found.accuracy) == (5, 2, pytest.approx(3 / 5))
    assert found.weighted_f1 == pytest.approx((0.5 * 2 + 0.5 * 2 + 1) / 5) and found.macro_f1 == pytest.approx(2 / 3)
    assert found.mistakes.tolist() == [4, 1]
    assert found.codes == TAXONOMY.codes and found.confusion.sum() == 5
    assert found.confusion[TAXONOMY.index(40), TAXONOMY.index(10)] == 1
    first, never = found.by_category[TAXONOMY.index(10)], found.by_category[TAXONOMY.index(2905)]
    assert (first.code, first.support, first.precision, first.recall, first.f1) == (10, 2, 0.5, 0.5, 0.5)
    assert (never.code, never.support, never.precision, never.recall, never.f1) == (2905, 0, 0, 0, 0)
    assert type(first.support) is int


def test_mistakes_keep_the_order_of_rows_without_confidence_and_among_equals():
    labels, answers = np.array([10, 10, 10]), np.array([40, 10, 50])
    assert quality(labels, answers, TAXONOMY).mistakes.tolist() == [0, 2]
    assert quality(labels, answers, TAXONOMY, np.ones(3)).mistakes.tolist() == [0, 2]


@pytest.mark.parametrize("labels", [[], NO_LABEL])
def test_nothing_to_compare(labels):
    found = quality(np.array(labels, np.int32), np.full(len(labels), 10), TAXONOMY)
    assert (found.rows, found.skipped, len(found.mistakes)) == (0, len(labels), 0)
    assert np.isnan([found.accuracy, found.weighted_f1, found.macro_f1]).all()
    assert not found.confusion.any() and {c.f1 for c in found.by_category} == {0}


def test_an_answer_outside_the_taxonomy_is_an_error():
    with pytest.raises(ValueError, match="11"):
        quality(np.array([10]), np.array([11]), TAXONOMY)


@given(st.lists(st.tuples(st.sampled_from([*CODES[:6], *NO_LABEL]), st.sampled_from(CODES[:6])), min_size=1))
def test_as_scikit_learn_counts(pairs):
    labels, answers = np.array(pairs, np.int32).T
    found = quality(labels, answers, TAXONOMY)
    kept = np.isin(labels, CODES)
    assert (found.rows, found.skipped) == (kept.sum(), (~kept).sum())
    if not found.rows:
        return
    truth, answer = labels[kept], answers[kept]
    assert found.accuracy == pytest.approx(accuracy_score(truth, answer))
    assert found.weighted_f1 == pytest.approx(f1_score(truth, answer, average="weighted", zero_division=0))
    present = sorted(set(truth.tolist()))
    assert found.macro_f1 == pytest.approx(f1_score(truth, answer, labels=present, average="macro", zero_division=0))
    assert (found.confusion == confusion_matrix(truth, answer, labels=CODES)).all()
    expected = np.array(precision_recall_fscore_support(truth, answer, labels=CODES, zero_division=0))
    got = np.array([[c.precision, c.recall, c.f1, c.support] for c in found.by_category]).T
    assert np.allclose(got, expected)
    assert found.mistakes.tolist() == np.flatnonzero(kept & (labels != answers)).tolist()


def test_how_many_need_a_person():
    confidence = np.array([0.2, 0.9, 0.5, 0.9, 1.0], np.float32)
    assert needing_a_person(confidence, [0, 0.5, 0.9, 0.95, 1.0, 1.1]).tolist() == [0, 1, 2, 4, 4, 5]
    assert needing_a_person(np.array([], np.float32), [0.5]).tolist() == [0]


@given(st.lists(st.floats(0, 1, width=32)), st.lists(st.floats(0, 1), max_size=5))
def test_as_counted_one_by_one(confidence, thresholds):
    confidence = np.array(confidence, np.float32)
    expected = [int((confidence < np.float32(threshold)).sum()) for threshold in thresholds]
    assert needing_a_person(confidence, thresholds).tolist() == expected
