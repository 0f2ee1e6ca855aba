"""Splits and folds: groups whole, categories in proportion, the same again for the same seed and rows."""

import json
from collections import Counter

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from model.training.data import Example, SplitError, folds, groups, read_split, split, write_split

CODES = (10, 40, 2583)


def example(i, text=None):
    return Example(f"r{i}", 10, f"row {i}" if text is None else text, "", None)


@st.composite
def datasets(draw):
    """Rows with their category and group: groups mostly of one category, of mostly few rows."""
    sizes = draw(st.lists(st.integers(1, 4) | st.integers(1, 40), min_size=1, max_size=80))
    main = draw(st.lists(st.sampled_from(CODES), min_size=len(sizes), max_size=len(sizes)))
    mixed = draw(st.sets(st.integers(0, len(sizes) - 1), max_size=4))
    targets, group = [], []
    for number, (size, code) in enumerate(zip(sizes, main, strict=True)):
        targets += [CODES[(i + number) % 3] for i in range(size)] if number in mixed else [code] * size
        group += [number] * size
    return [example(i) for i in range(len(group))], np.array(targets), np.array(group)


SHARES = st.sampled_from([0.05, 0.1, 0.2, 0.5, 0.8])


def whole(part, group) -> bool:
    return all(len(set(part[group == number])) == 1 for number in set(group))


@given(datasets(), SHARES, st.integers(0, 5))
def test_a_split_is_stratified_and_keeps_groups_whole(data, share, seed):
    rows, targets, group = data
    test = split(rows, targets, group, share, seed)
    assert test.dtype == bool and test.shape == (len(rows),)
    assert whole(test, group)
    categories = {number: set(targets[group == number]) for number in set(group)}
    for code in set(targets):
        having = [number for number, codes in categories.items() if code in codes]
        sizes = {number: int(((group == number) & (targets == code)).sum()) for number in having}
        inside, total = int((test & (targets == code)).sum()), int((targets == code).sum())
        trained = [number for number in having if not test[group == number][0]]
        assert trained, "every category keeps a group to train on"
        assert inside - share * total < max(sizes.values())
        if len(having) - len(trained) > 1 and all(categories[n] == {code} for n in having):
            assert inside - share * total < max(sizes[n] for n in having if n not in trained) / 2
        large = max(10, 0.1 * share * len(rows))
        own = [n for n in having if categories[n] == {code} and (group == n).sum() <= large]
        spare = [n for n in own if n in trained and len(trained) > 1]
        if spare:  # whatever could be taken would overshoot by as much as is missing
            assert share * total - inside <= max(sizes[n] for n in spare) / 2
        if total >= 10 and len(having) > 1 and any(categories[n] == {code} for n in having):
            assert inside, "a category that can spare a group is tested"


@given(datasets(), SHARES, st.randoms(use_true_random=False))
def test_a_split_does_not_depend_on_the_order_of_the_rows(data, share, random):
    rows, targets, group = data
    test = split(rows, targets, group, share, 1)
    assert np.array_equal(test, split(rows, targets, group, share, 1))
    order = random.sample(range(len(rows)), len(rows))
    renamed = np.array(random.sample(range(1000), int(group.max()) + 1))[group]
    shuffled = split([rows[i] for i in order], targets[order], renamed[order], share, 1)
    assert np.array_equal(shuffled, test[order])


def test_a_share_is_met_to_the_row_where_groups_are_single_rows():
    rows = [example(i) for i in range(2_000)]
    targets = np.arange(2_000) % 20
    test = split(rows, targets, np.arange(2_000), 0.1, 0)
    assert np.bincount(targets[test]).tolist() == [10] * 20
    other = split(rows, targets, np.arange(2_000), 0.1, 1)
    assert 0.02 < (test & other).sum() / test.sum() < 0.25  # a tenth by chance


def test_a_share_is_met_to_half_a_group():
    group = np.repeat(np.arange(8), 4)
    for share, rows in ((0.1, 4), (0.17, 4), (0.2, 8), (0.3, 8), (0.33, 12)):
        assert split([example(i) for i in range(32)], [0] * 32, group, share, 0).sum() == rows


def test_one_row_more_moves_few_others():
    rows = [example(i) for i in range(1_001)]
    targets = np.arange(1_001) % 10
    before = split(rows[:-1], targets[:-1], np.arange(1_000), 0.2, 0)
    after = split(rows, targets, np.arange(1_001), 0.2, 0)
    assert (before != after[:-1]).sum() <= 2


def test_a_placeholder_picture_on_many_rows_is_trained_on():
    rows = [example(i) for i in range(4_000)]
    targets = np.arange(4_000) % 8
    group = np.where(np.arange(4_000) < 600, 0, np.arange(4_000))
    for seed in range(5):
        test = split(rows, targets, group, 0.2, seed)
        assert not test[:600].any()
        assert np.bincount(targets[test]).tolist() == [100] * 8


def test_small_categories():
    sizes = {"one group": [12], "two": [1, 1], "eleven": [1] * 11, "halves": [30, 30]}
    targets, group = [], []
    for code, parts in enumerate(sizes.values()):
        for size in parts:
            targets += [code] * size
            group += [len(set(group))] * size
    test = split([example(i) for i in range(len(group))], targets, group, 0.02, 0)
    assert Counter(np.array(targets)[test].tolist()) == {2: 1, 3: 30}


def test_no_test_rows_and_shares_that_are_none():
    rows = [example(i) for i in range(20)]
    assert not split(rows, [0] * 20, range(20), 0, 0).any()
    assert split([], [], [], 0.5, 0).shape == (0,)
    for share in (-0.1, 1, 1.5, float("nan")):
        with pytest.raises(ValueError, match="a share of test rows"):
            split(rows, [0] * 20, range(20), share, 0)
    with pytest.raises(ValueError, match="for each row"):
        split(rows, [0] * 19, range(20), 0.1, 0)


@given(datasets(), st.integers(2, 6), st.integers(0, 3))
def test_folds_are_stratified_and_keep_groups_whole(data, count, seed):
    _, targets, group = data
    found = folds(targets, group, count, seed)
    assert found.shape == group.shape and set(found) <= set(range(count))
    assert whole(found, group)
    assert np.array_equal(found, folds(targets, group, count, seed))
    single = [number for number in set(group) if len(set(targets[group == number])) == 1]
    assume(len(single) == len(set(group)))
    for code in CODES:
        sizes = np.bincount(found[targets == code], minlength=count)
        largest = max((int(((group == n) & (targets == code)).sum()) for n in set(group)), default=0)
        assert sizes.max() - sizes.min() <= largest


def test_folds_of_single_rows_differ_by_a_row_and_by_the_seed():
    targets = np.arange(1_003) % 7
    found = folds(targets, np.arange(1_003), 5, 0)
    assert np.ptp(np.bincount(found)) <= 1
    for code in range(7):
        assert np.ptp(np.bincount(found[targets == code])) <= 1
    assert (found != folds(targets, np.arange(1_003), 5, 1)).mean() > 0.5
    order = np.random.default_rng(0).permutation(1_003)
    assert np.array_equal(folds(targets[order], order, 5, 0), found[order])
    with pytest.raises(ValueError, match="at least two folds"):
        folds(targets, targets, 1, 0)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=20, max_size=60), st.integers(0, 9))
def test_duplicates_never_straddle(pairs, seed):
    rows = [example(i, f"mot{text}") for i, (text, _) in enumerate(pairs)]
    found = groups(rows, [str(picture) for _, picture in pairs])
    test = split(rows, [text % 3 for text, _ in pairs], found, 0.3, seed)
    for place in range(2):
        sides: dict[int, set[bool]] = {}
        for pair, out in zip(pairs, test, strict=True):
            sides.setdefault(pair[place], set()).add(bool(out))
        assert all(len(side) == 1 for side in sides.values())


# --- on disk ------------------------------------------------------------------------------------------------

ROWS = [Example(id_, 10, "Sac", "", None) for id_ in ("0", 'with "quotes", and\nlines', "é", "a\r")]
TEST = np.array([False, True, False, True])


def test_a_split_comes_back_from_disk(tmp_path):
    made = write_split(tmp_path / "new", ROWS, TEST, seed=3, test_share=0.5)
    found = read_split(tmp_path / "new", ROWS)
    assert found.test.tolist() == TEST.tolist()
    assert (found.seed, found.test_share, found.fingerprint) == (3, 0.5, made)
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["split.csv", "split.json"]
    text = (tmp_path / "new" / "split.csv").read_bytes().decode()
    assert text.startswith('id,part\r\n0,train\r\n"with ""quotes"", and\nlines",test\r\n')
    described = json.loads((tmp_path / "new" / "split.json").read_text())
    assert (described["rows"], described["test_rows"]) == (4, 2)
    assert write_split(tmp_path / "new", ROWS, TEST, seed=4, test_share=0.5) == made  # the same rows are the same split
    assert write_split(tmp_path / "new", ROWS, ~TEST, seed=3, test_share=0.5) != made


def test_a_split_of_other_rows_or_a_changed_one_is_refused(tmp_path):
    def refusal(rows=ROWS):
        with pytest.raises(SplitError) as caught:
            read_split(tmp_path, rows)
        assert str(tmp_path) in str(caught.value)
        return caught.value.reason

    assert refusal() == "missing"
    write_split(tmp_path, ROWS, TEST, seed=3, test_share=0.5)
    assert refusal(ROWS[::-1]) == "other_data"
    table = (tmp_path / "split.csv").read_bytes()
    (tmp_path / "split.csv").write_bytes(table.replace(b"train", b"test", 1))
    assert refusal() == "changed"
    (tmp_path / "split.csv").unlink()
    assert refusal() == "missing"
    (tmp_path / "split.csv").write_bytes(table)
    described = json.loads((tmp_path / "split.json").read_text())
    for damage in ("{", "[]", json.dumps(described | {"seed": "x"}), "{}"):
        (tmp_path / "split.json").write_text(damage)
        assert refusal() == "damaged"
